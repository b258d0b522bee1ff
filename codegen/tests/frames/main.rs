//! The frame table: every function of an executable has an entry, the index finds it, and the
//! rules in it lead to the caller.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use cranelift_codegen::gimli::{
    BaseAddresses, CfaRule, EhFrame, EhFrameHdr, EndianSlice, RunTimeEndian, UnwindContext,
    UnwindSection, UnwindTableRow,
};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};
use std::path::Path;
use wasmelt_codegen::program::Program;
use wasmelt_codegen::targets::MACHINES;
use wasmelt_codegen::{Options, compile_object, link_executable};
use wasmelt_frontend::Session;

/// Functions with and without frames and calls; too many values for registers; a frame that is
/// larger than a page, and output through the shim.
fn program() -> Program {
    let adds: String =
        (0..40).map(|at| format!("(local.set {at} (call $f (i32.const {at})))")).collect();
    let sum: String = (0..40).map(|at| format!("(i32.add (local.get {at})")).collect();
    let text = format!(
        r#"(component
          (core module $M
            (memory 1)
            (global $g (mut f64) (f64.const 1))
            (func $f (param i32) (result i32)
              (if (local.get 0)
                (then (return (call $f (i32.sub (local.get 0) (i32.const 1))))))
              (global.set $g (f64.add (global.get $g) (f64.load (i32.const 8))))
              (memory.grow (i32.const 1)))
            (func $many (result i32) (local {locals}) {adds}
              {sum} (i32.const 0){ends})
            (func (export "run") (result i32) (i32.mul (call $many) (i32.const 0))))
          (core instance $m (instantiate $M))
          (func $run (result (result)) (canon lift (core func $m "run")))
          (instance $i (export "run" (func $run)))
          (export "wasi:cli/run@0.2.0" (instance $i)))"#,
        locals = "i32 ".repeat(40),
        ends = ")".repeat(40),
    );
    let mut session = Session::new();
    let root = session.add_bytes(Path::new("test.wat"), text.into_bytes()).unwrap();
    wasmelt_flatten::instantiate(session.finish(Some(root))).unwrap()
}

/// The executable, and which of its functions the program's object has.
fn build(options: &Options) -> (Vec<u8>, Vec<String>) {
    let object = compile_object(&program(), options).unwrap();
    let linked = link_executable(&object, options).unwrap();
    let object = object::File::parse(&*object.bytes).unwrap();
    let funcs = object.symbols().filter(|it| it.is_definition() && it.kind() == SymbolKind::Text);
    (linked, funcs.map(|symbol| symbol.name().unwrap().to_owned()).collect())
}

#[test]
fn every_function_has_an_entry_that_the_index_finds() {
    for machine in MACHINES {
        let options =
            Options { target: machine.target(), inline: Some(false), ..Options::default() };
        let (linked, funcs) = build(&options);
        assert!(funcs.len() >= 3, "{funcs:?}");
        let file = object::File::parse(&*linked).unwrap();
        let endian = match file.is_little_endian() {
            true => RunTimeEndian::Little,
            false => RunTimeEndian::Big,
        };
        let section = |name| {
            let section = file.section_by_name(name).unwrap();
            (section.address(), section.data().unwrap())
        };
        let (table_at, table) = section(".eh_frame");
        let (index_at, index) = section(".eh_frame_hdr");
        let bases = BaseAddresses::default().set_eh_frame(table_at).set_eh_frame_hdr(index_at);
        let frames = EhFrame::from(EndianSlice::new(table, endian));
        let index = EhFrameHdr::new(index, endian).parse(&bases, 8).unwrap();
        let search = index.table().unwrap();

        let mut count = 0;
        let mut entries = frames.entries(&bases);
        while let Some(entry) = entries.next().unwrap() {
            count += usize::from(matches!(entry, cranelift_codegen::gimli::CieOrFde::Fde(_)));
        }
        let listed: Vec<_> = search.iter(&bases).map(Result::unwrap).map(|it| it.0).collect();
        assert_eq!(listed.len(), count, "{}", machine.triple);
        assert!(listed.windows(2).all(|pair| pair[0].pointer() < pair[1].pointer()));

        let mut found = 0;
        for symbol in file.symbols().filter(|it| funcs.iter().any(|name| it.name() == Ok(name))) {
            let (start, end) = (symbol.address(), symbol.address() + symbol.size());
            let get = |address| {
                let cie = |frames: &EhFrame<_>, bases: &_, at| frames.cie_from_offset(bases, at);
                search.fde_for_address(&frames, &bases, address, cie).unwrap()
            };
            for address in [start, end - 1] {
                let entry = get(address);
                assert_eq!((entry.initial_address(), entry.end_address()), (start, end));
            }
            check_rules(&get(start).rows(&frames, &bases, &mut UnwindContext::new()).unwrap_rows());
            found += 1;
        }
        assert_eq!(found, funcs.len(), "{}: {funcs:?}", machine.triple);
    }
}

/// The rules of a function's instructions, as plain data.
trait Rows {
    fn unwrap_rows(self) -> Vec<(u64, u64, CfaRule<usize>)>;
}

impl<R> Rows
    for Result<cranelift_codegen::gimli::UnwindTable<'_, '_, R>, cranelift_codegen::gimli::Error>
where
    R: cranelift_codegen::gimli::Reader<Offset = usize>,
{
    fn unwrap_rows(self) -> Vec<(u64, u64, CfaRule<usize>)> {
        let mut table = self.unwrap();
        let mut rows = Vec::new();
        let plain = |row: &UnwindTableRow<usize>| {
            (row.start_address(), row.end_address(), row.cfa().clone())
        };
        while let Some(row) = table.next_row().unwrap() {
            rows.push(plain(row));
        }
        rows
    }
}

/// The rules follow each other without a gap, and a frame never lies above its caller's.
fn check_rules(rows: &[(u64, u64, CfaRule<usize>)]) {
    assert!(rows.windows(2).all(|pair| pair[0].1 == pair[1].0));
    for (_, _, rule) in rows {
        let CfaRule::RegisterAndOffset { offset, .. } = rule else { panic!("{rule:?}") };
        assert!(*offset >= 0, "{rule:?}");
    }
}

#[test]
fn stripped_programs_have_no_table() {
    let options = Options { strip: true, ..Options::default() };
    let (linked, _) = build(&options);
    let (kept, _) = build(&Options::default());
    let has_table = |bytes: &[u8]| {
        use object::read::elf::{FileHeader, ProgramHeader};
        let header = object::elf::FileHeader64::<object::Endianness>::parse(bytes).unwrap();
        let endian = header.endian().unwrap();
        let headers = header.program_headers(endian, bytes).unwrap();
        headers.iter().any(|it| it.p_type(endian) == object::elf::PT_GNU_EH_FRAME)
    };
    assert!(has_table(&kept) && !has_table(&linked));
}
