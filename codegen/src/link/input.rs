//! Relocatable objects as plain data.

use crate::error::{Error, Result};
use object::elf::{self, FileHeader64, Rela64, SectionHeader64, Sym64};
use object::read::elf::{FileHeader, SectionHeader, SectionTable, Sym, SymbolTable};
use object::{Endianness, SectionIndex, SymbolIndex};

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
    pub relocations: Relocations<'a>,
}

/// The references in a section, as the file has them: of most sections of the shim nobody asks.
#[derive(Clone, Copy, Debug)]
pub struct Relocations<'a> {
    entries: &'a [Rela64<Endianness>],
    endian: Endianness,
}

impl<'a> Relocations<'a> {
    /// All of them, in the file's order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = Relocation> + 'a {
        self.entries.iter().map(move |entry| decode_relocation(entry, self.endian))
    }

    /// The one at that place of the order.
    pub fn get(self, index: usize) -> Relocation {
        decode_relocation(&self.entries[index], self.endian)
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.entries.is_empty()
    }
}

fn decode_relocation(entry: &Rela64<Endianness>, endian: Endianness) -> Relocation {
    let info = entry.r_info.get(endian);
    Relocation {
        offset: entry.r_offset.get(endian),
        // The lower half, and the upper one.
        kind: info as u32,
        symbol: (info >> 32) as usize,
        addend: entry.r_addend.get(endian),
    }
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

/// What is wrong is a sentence of the library's.
type ReadResult<T> = std::result::Result<T, Box<dyn std::error::Error>>;

type Header = FileHeader64<Endianness>;
type Sections<'a> = SectionTable<'a, Header>;
type Symbols<'a> = SymbolTable<'a, Header>;

fn read(bytes: &[u8]) -> ReadResult<Input<'_>> {
    let header = Header::parse(bytes)?;
    let endian = header.endian()?;
    let table = header.sections(endian, bytes)?;
    let mut sections = Vec::with_capacity(table.len());
    for section in table.iter() {
        sections.push(read_section(bytes, endian, &table, section)?);
    }
    for section in table.iter() {
        // What is about sections that are not loaded is never asked for.
        let target = section.sh_info(endian) as usize;
        if section.sh_type(endian) == elf::SHT_RELA
            && let Some((entries, _)) = section.rela(endian, bytes)?
            && let Some(target) = sections.get_mut(target)
        {
            target.relocations = Relocations { entries, endian };
        }
    }
    let table = table.symbols(endian, bytes, elf::SHT_SYMTAB)?;
    let mut symbols = Vec::with_capacity(table.len());
    for (at, symbol) in table.symbols().iter().enumerate() {
        symbols.push(read_symbol(endian, &table, SymbolIndex(at), symbol)?);
    }
    Ok(Input { sections, symbols })
}

/// Alignment of code that hardly ever runs: what the most demanding instruction set requires.
const COLD_ALIGN: u64 = 4;

fn read_section<'a>(
    bytes: &'a [u8],
    endian: Endianness,
    table: &Sections<'a>,
    section: &SectionHeader64<Endianness>,
) -> ReadResult<Section<'a>> {
    let (sh_type, sh_flags) = (section.sh_type(endian), section.sh_flags(endian));
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
    let (name, contents) = match kind {
        // A third of the sections of an object are references of others.
        Kind::Absent => ("", [].as_slice()),
        _ => (str::from_utf8(table.section_name(endian, section)?)?, section.data(endian, bytes)?),
    };
    // Alignment is for speed, and what compilers put there hardly ever runs.
    let is_cold = kind == Kind::Code && name.starts_with(".text.unlikely");
    Ok(Section {
        name,
        kind,
        bytes: contents,
        size_bytes: section.sh_size(endian),
        align: if is_cold { COLD_ALIGN } else { section.sh_addralign(endian).max(1) },
        relocations: Relocations { entries: &[], endian },
    })
}

fn read_symbol<'a>(
    endian: Endianness,
    table: &Symbols<'a>,
    index: SymbolIndex,
    symbol: &Sym64<Endianness>,
) -> ReadResult<Symbol<'a>> {
    let place = match table.symbol_section(endian, symbol, index)? {
        Some(SectionIndex(section)) => Place::Section(section, symbol.st_value(endian)),
        None if symbol.is_absolute(endian) => Place::Absolute(symbol.st_value(endian)),
        None => Place::Undefined,
    };
    let binding = match () {
        () if symbol.is_local() => Binding::Local,
        () if symbol.is_weak() => Binding::Weak,
        () => Binding::Strong,
    };
    let kind = symbol.st_type();
    let name = match symbol.st_name(endian) {
        0 => "",
        _ => str::from_utf8(table.symbol_name(endian, symbol)?)?,
    };
    Ok(Symbol {
        name,
        place,
        size_bytes: symbol.st_size(endian),
        binding,
        is_item: kind != elf::STT_SECTION && kind != elf::STT_FILE,
        is_func: kind == elf::STT_FUNC,
    })
}
