//! Small objects, linked.

use super::input::Kind;
use super::*;
use crate::object::FixedRange;
use object::write::{Object as Writer, Relocation, SectionId, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, Object, ObjectSegment, ObjectSymbol, RelocationFlags,
    SectionKind, SymbolFlags, SymbolKind, SymbolScope, elf,
};

/// An object under construction whose functions are sections of their own.
struct Builder(Writer<'static>);

impl Builder {
    fn new() -> Builder {
        Builder(Writer::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little))
    }

    fn symbol(&mut self, name: &str, section: SymbolSection, size: u64, weak: bool) {
        self.0.add_symbol(Symbol {
            name: name.into(),
            value: 0,
            size,
            kind: SymbolKind::Text,
            scope: SymbolScope::Linkage,
            weak,
            section,
            flags: SymbolFlags::None,
        });
    }

    fn func(&mut self, name: &str, code: &[u8]) -> SectionId {
        self.define(name, code, SectionKind::Text, false)
    }

    fn define(&mut self, name: &str, bytes: &[u8], kind: SectionKind, weak: bool) -> SectionId {
        let section = self.0.add_section(Vec::new(), format!(".{name}").into(), kind);
        self.0.append_section_data(section, bytes, 16);
        self.symbol(name, SymbolSection::Section(section), bytes.len() as u64, weak);
        section
    }

    fn refer(&mut self, from: SectionId, offset: u64, to: &str, kind: elf::RelocationType) {
        if self.0.symbol_id(to.as_bytes()).is_none() {
            self.symbol(to, SymbolSection::Undefined, 0, false);
        }
        let symbol = self.0.symbol_id(to.as_bytes()).unwrap();
        let flags = RelocationFlags::Elf { r_type: kind };
        let relocation = Relocation { offset, symbol, addend: -4, flags };
        self.0.add_relocation(from, relocation).unwrap();
    }

    fn finish(self) -> Vec<u8> {
        self.0.write().unwrap()
    }
}

fn guest(builder: Builder, fixed: Vec<FixedRange>) -> ObjectFile {
    ObjectFile {
        bytes: builder.finish(),
        fixed,
        host_funcs: vec!["a:b/c#f".to_owned()],
        exports: Vec::new(),
    }
}

fn names(executable: &[u8]) -> Vec<String> {
    let file = object::File::parse(executable).unwrap();
    file.symbols().map(|symbol| symbol.name().unwrap().to_owned()).collect()
}

/// The bytes of the symbol's code.
fn code_of(executable: &[u8], name: &str) -> (u64, Vec<u8>) {
    let file = object::File::parse(executable).unwrap();
    let symbol = file.symbols().find(|symbol| symbol.name() == Ok(name)).unwrap();
    let (address, size) = (symbol.address(), symbol.size() as usize);
    let holds = |segment: &object::Segment<'_, '_>| {
        (segment.address()..segment.address() + segment.size()).contains(&address)
    };
    let segment = file.segments().find(holds).unwrap();
    let at = (address - segment.address()) as usize;
    (address, segment.data().unwrap()[at..at + size].to_vec())
}

#[test]
fn what_nothing_reaches_is_dropped() {
    let mut program = Builder::new();
    program.func("wasmelt_main", &[0xc3; 4]);
    let mut shim = Builder::new();
    let start = shim.func("_start", &[0xe8, 0, 0, 0, 0]);
    shim.refer(start, 1, "wasmelt_main", elf::R_X86_64_PLT32);
    let unused = shim.func("unused", &[0xe8, 0, 0, 0, 0]);
    // What is dropped may refer to what nobody defines.
    shim.refer(unused, 1, "nowhere", elf::R_X86_64_PLT32);
    let linked = link(&guest(program, Vec::new()), &shim.finish(), &Options::default()).unwrap();
    assert_eq!(names(&linked), ["_start", "wasmelt_main"]);
    let (start, code) = code_of(&linked, "_start");
    let (main, _) = code_of(&linked, "wasmelt_main");
    let distance = i32::from_le_bytes(code[1..5].try_into().unwrap());
    assert_eq!(start.wrapping_add_signed(i64::from(distance) + 5), main);
}

#[test]
fn undefined_symbols_are_named() {
    let mut shim = Builder::new();
    let start = shim.func("_start", &[0; 8]);
    shim.refer(start, 1, "first", elf::R_X86_64_PLT32);
    shim.refer(start, 2, "second", elf::R_X86_64_PC32);
    let object = guest(Builder::new(), Vec::new());
    let error = link(&object, &shim.finish(), &Options::default()).unwrap_err();
    let expected = "undefined symbols: `first` (used by ._start), `second` (used by ._start)";
    assert_eq!(error.message(), expected);
    let error = link(&object, &Builder::new().finish(), &Options::default()).unwrap_err();
    assert_eq!(error.message(), "an undefined symbol: `_start` (used by the kernel)");
}

#[test]
fn a_strong_definition_wins_over_a_weak_one() {
    let mut program = Builder::new();
    program.define("both", &[0x90; 1], SectionKind::Text, true);
    let mut shim = Builder::new();
    let start = shim.func("_start", &[0xe8, 0, 0, 0, 0]);
    shim.refer(start, 1, "both", elf::R_X86_64_PLT32);
    let shim_only = shim.finish();
    let mut shim = Builder::new();
    let start = shim.func("_start", &[0xe8, 0, 0, 0, 0]);
    shim.define("both", &[0xcc; 2], SectionKind::Text, false);
    shim.refer(start, 1, "both", elf::R_X86_64_PLT32);
    let object = guest(program, Vec::new());
    let linked = link(&object, &shim_only, &Options::default()).unwrap();
    assert_eq!(code_of(&linked, "both").1, [0x90]);
    let shim = shim.finish();
    let inputs = [
        input::read_input("one", &object.bytes).unwrap(),
        input::read_input("two", &shim).unwrap(),
    ];
    assert_eq!(resolve::resolve_symbols(&inputs)["both"].0, 1);
}

#[test]
fn words_with_addresses_are_made_where_code_reads_them() {
    let mut shim = Builder::new();
    // cmp [rip + data], rax
    let start = shim.func("_start", &[0x48, 0x39, 0x05, 0, 0, 0, 0]);
    shim.define("data", &[7; 8], SectionKind::Data, false);
    shim.refer(start, 3, "data", elf::R_X86_64_REX_GOTPCRELX);
    let object = guest(Builder::new(), Vec::new());
    let linked = link(&object, &shim.finish(), &Options::default()).unwrap();
    let (start, code) = code_of(&linked, "_start");
    let distance = i32::from_le_bytes(code[3..7].try_into().unwrap());
    let word = start.wrapping_add_signed(i64::from(distance) + 7);
    let file = object::File::parse(&*linked).unwrap();
    let data = file.segments().last().unwrap();
    assert_eq!(data.data_range(word, 8), Ok(Some(&data.address().to_le_bytes()[..])));
    assert_eq!(data.data_range(data.address(), 8), Ok(Some(&[7; 8][..])));
}

#[test]
fn fixed_ranges_lie_where_they_must_in_ascending_order() {
    let mut program = Builder::new();
    program.0.add_section(Vec::new(), b".wasmelt.constants".to_vec(), SectionKind::ReadOnlyData);
    let image = b".wasmelt.memory.0".to_vec();
    let image = program.0.add_section(Vec::new(), image, SectionKind::Data);
    program.0.append_section_data(image, &[5; 0x2000], 16);
    let mut shim = Builder::new();
    shim.func("_start", &[0xc3]);
    let range = |address, size_bytes, is_writable, sections: &[(&str, u64)]| FixedRange {
        address,
        size_bytes,
        is_writable,
        sections: sections.iter().map(|(name, at)| ((*name).to_owned(), *at)).collect(),
    };
    let fixed = vec![
        range(0x40_0400, 0x10, false, &[(".wasmelt.constants", 0x40_0400)]),
        range(0x40_1000, 0x100, true, &[]),
        range(0x41_0000, 0x8000, true, &[(".wasmelt.memory.0", 0x41_3000)]),
        range(0x10_0000_0000, 0x1000, true, &[]),
    ];
    let linked = link(&guest(program, fixed), &shim.finish(), &Options::default()).unwrap();
    let file = object::File::parse(&*linked).unwrap();
    let segments: Vec<(u64, u64, u64)> = file
        .segments()
        .map(|segment| (segment.address(), segment.size(), segment.file_range().1))
        .collect();
    assert!(segments.is_sorted());
    for pair in segments.windows(2) {
        assert!(pair[0].0 + pair[0].1 <= pair[1].0, "{pair:x?} overlap");
    }
    for segment in file.segments() {
        let (offset, size) = segment.file_range();
        assert!(size == 0 || offset % 0x1000 == segment.address() % 0x1000);
    }
    assert!(segments.contains(&(0x41_0000, 0x3000, 0)));
    assert!(segments.contains(&(0x41_3000, 0x5000, 0x2000)));
    assert!(segments.contains(&(0x10_0000_0000, 0x1000, 0)));
}

#[test]
fn neighbours_without_contents_are_mapped_at_once() {
    let range = |address, size_bytes, is_writable| FixedRange {
        address,
        size_bytes,
        is_writable,
        sections: Vec::new(),
    };
    let mut shim = Builder::new();
    shim.func("_start", &[0xc3]);
    let shim = shim.finish();
    let count = |fixed| {
        let object = guest(Builder::new(), fixed);
        let linked = link(&object, &shim, &Options::default()).unwrap();
        object::File::parse(&*linked).unwrap().segments().count()
    };
    assert_eq!(count(vec![range(0x40_0000, 0x88, true), range(0x41_0000, 0x1000, true)]), 2);
    assert_eq!(count(vec![range(0x40_0000, 0x88, true), range(0x80_0000, 0x1000, true)]), 3);
    assert_eq!(count(vec![range(0x40_0000, 0x88, false), range(0x41_0000, 0x1000, true)]), 3);
}

#[test]
fn thread_local_storage_is_recognised() {
    let mut builder = Builder::new();
    builder.define("local", &[0; 8], SectionKind::Tls, false);
    let bytes = builder.finish();
    let input = input::read_input("a file", &bytes).unwrap();
    assert!(input.sections.iter().any(|section| section.kind == Kind::Refused));
}

#[test]
fn what_is_no_object_is_an_error() {
    let error = input::read_input("a file", b"not an object at all").unwrap_err();
    assert!(error.message().starts_with("not an object file"), "{error}");
}
