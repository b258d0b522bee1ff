//! Relocatable objects as plain data.

use crate::error::{Error, Result};
use object::{
    Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget, SectionFlags,
    SectionIndex, SymbolSection, elf,
};

/// An object file.
#[derive(Debug)]
pub struct Input<'a> {
    /// The sections, by their index in the file.
    pub sections: Vec<Section<'a>>,
    /// The symbols, by their index in the file.
    pub symbols: Vec<Symbol<'a>>,
}

/// A section.
#[derive(Debug)]
pub struct Section<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it holds.
    pub kind: Kind,
    /// Its contents; none if it is `Kind::Zero`.
    pub bytes: &'a [u8],
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Its alignment in bytes.
    pub align: u64,
    /// The references in it.
    pub relocations: Vec<Relocation>,
}

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing that is loaded: notes, debug information.
    Absent,
    /// Constants.
    ReadOnly,
    /// Instructions.
    Code,
    /// Variables.
    Writable,
    /// Variables that start as zero.
    Zero,
    /// Something that this linker must not be given.
    Refused,
}

/// A reference.
#[derive(Clone, Copy, Debug)]
pub struct Relocation {
    /// Offset of the place in its section.
    pub offset: u64,
    /// The architecture's number of the kind.
    pub kind: u32,
    /// Index of the symbol.
    pub symbol: usize,
    /// What is added to the symbol's address.
    pub addend: i64,
}

/// A symbol.
#[derive(Clone, Copy, Debug)]
pub struct Symbol<'a> {
    /// Its name; sections' symbols have none.
    pub name: &'a str,
    /// Where it is defined.
    pub place: Place,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Whether other objects see it, and whether it gives way to another definition.
    pub binding: Binding,
    /// Whether it names a function or a variable, not a section or a file.
    pub is_item: bool,
    /// Whether it names a function.
    pub is_func: bool,
}

/// Where a symbol is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In another object.
    Undefined,
    /// At an address.
    Absolute(u64),
    /// At an offset of a section.
    Section(usize, u64),
}

/// Who sees a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Its own object.
    Local,
    /// All objects; a strong definition wins.
    Weak,
    /// All objects.
    Strong,
}

/// Reads an object file; `what` names it in messages.
///
/// # Errors
///
/// `Environment` if it is not well formed.
pub fn read_input<'a>(what: &str, bytes: &'a [u8]) -> Result<Input<'a>> {
    read(bytes).map_err(|error| {
        Error::environment(format!("not an object file: {error}")).context(what.to_owned())
    })
}

fn read(bytes: &[u8]) -> object::Result<Input<'_>> {
    let file = object::File::parse(bytes)?;
    let mut sections = Vec::new();
    for section in file.sections() {
        let index = section.index().0;
        // Index 0 is no section, and the iterator leaves it out.
        while sections.len() < index {
            sections.push(Section {
                name: "",
                kind: Kind::Absent,
                bytes: &[],
                size_bytes: 0,
                align: 1,
                relocations: Vec::new(),
            });
        }
        sections.push(read_section(&section)?);
    }
    let mut symbols = Vec::new();
    for symbol in file.symbols() {
        while symbols.len() < symbol.index().0 {
            symbols.push(Symbol {
                name: "",
                place: Place::Undefined,
                size_bytes: 0,
                binding: Binding::Local,
                is_item: false,
                is_func: false,
            });
        }
        symbols.push(read_symbol(&symbol)?);
    }
    Ok(Input { sections, symbols })
}

/// Alignment of code that hardly ever runs: what the most demanding instruction set requires.
const COLD_ALIGN: u64 = 4;

fn read_section<'a>(section: &impl ObjectSection<'a>) -> object::Result<Section<'a>> {
    let SectionFlags::Elf { sh_type, sh_flags } = section.flags() else {
        unreachable!("only the ELF reader is asked for")
    };
    let has = |flag: elf::SectionFlags| sh_flags.0 & flag.0 != 0;
    let is_array = [elf::SHT_INIT_ARRAY, elf::SHT_FINI_ARRAY, elf::SHT_PREINIT_ARRAY];
    let kind = match () {
        () if !has(elf::SHF_ALLOC) || sh_type == elf::SHT_NOTE => Kind::Absent,
        // Nobody would initialise thread-local storage or call initialisers.
        () if has(elf::SHF_TLS) || is_array.contains(&sh_type) => Kind::Refused,
        () if sh_type == elf::SHT_NOBITS => Kind::Zero,
        () if has(elf::SHF_EXECINSTR) => Kind::Code,
        () if has(elf::SHF_WRITE) => Kind::Writable,
        () => Kind::ReadOnly,
    };
    let mut relocations = Vec::new();
    for (offset, relocation) in section.relocations() {
        let RelocationTarget::Symbol(symbol) = relocation.target() else { continue };
        let RelocationFlags::Elf { r_type } = relocation.flags() else { continue };
        let (kind, addend) = (r_type.0, relocation.addend());
        relocations.push(Relocation { offset, kind, symbol: symbol.0, addend });
    }
    let name = section.name()?;
    // Alignment is for speed, and what compilers put there hardly ever runs.
    let is_cold = kind == Kind::Code && name.starts_with(".text.unlikely");
    Ok(Section {
        name,
        kind,
        bytes: section.data()?,
        size_bytes: section.size(),
        align: if is_cold { COLD_ALIGN } else { section.align().max(1) },
        relocations,
    })
}

fn read_symbol<'a>(symbol: &impl ObjectSymbol<'a>) -> object::Result<Symbol<'a>> {
    let place = match symbol.section() {
        SymbolSection::Section(SectionIndex(index)) => Place::Section(index, symbol.address()),
        SymbolSection::Absolute => Place::Absolute(symbol.address()),
        _ => Place::Undefined,
    };
    let binding = match () {
        () if symbol.is_local() => Binding::Local,
        () if symbol.is_weak() => Binding::Weak,
        () => Binding::Strong,
    };
    let kind = symbol.kind();
    Ok(Symbol {
        name: symbol.name()?,
        place,
        size_bytes: symbol.size(),
        binding,
        is_item: !matches!(kind, object::SymbolKind::Section | object::SymbolKind::File),
        is_func: kind == object::SymbolKind::Text,
    })
}
