//! The bytes of an ELF executable.

use super::input::{Binding, Input, Kind, Place};
use super::machine::Machine;
use super::place::{FramesPlace, Plan, Range};
use object::{Endianness, elf};
use std::collections::HashSet;

/// Size of the file's header.
pub const HEADER_BYTES: usize = 64;
/// Size of each program header.
pub const PROGRAM_HEADER_BYTES: u16 = 56;
const SECTION_HEADER_BYTES: u16 = 64;
const SYMBOL_BYTES: u64 = 24;

/// Fields of the header that `append_symbols` fills in.
const SECTION_HEADERS_AT: usize = 40;
const SECTION_COUNT_AT: usize = 60;

/// Fields in the target's byte order, one after the other.
pub struct Fields {
    /// What has been written.
    pub bytes: Vec<u8>,
    pub big_endian: bool,
}

impl Fields {
    /// Nothing is written yet.
    pub fn new(machine: Machine) -> Fields {
        let big_endian = machine.object_target().1 == Endianness::Big;
        Fields { bytes: Vec::new(), big_endian }
    }

    /// Writes two bytes.
    pub fn u16(&mut self, value: u16) {
        let bytes = if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        self.bytes.extend(bytes);
    }

    /// Writes four bytes.
    pub fn u32(&mut self, value: u32) {
        let bytes = if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        self.bytes.extend(bytes);
    }

    /// Writes eight bytes.
    pub fn u64(&mut self, value: u64) {
        let bytes = if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        self.bytes.extend(bytes);
    }
}

/// Writes the headers and the contents of all sections; relocations are not applied yet.
pub fn write_contents(machine: Machine, inputs: &[Input<'_>], plan: &Plan) -> Vec<u8> {
    let mut bytes = write_headers(machine, plan);
    bytes.resize(plan.file_bytes as usize, 0);
    for placed in &plan.sections {
        let (file, index) = placed.section;
        let section = &inputs[file].sections[index];
        if section.kind != Kind::Zero {
            let at = placed.file_offset as usize;
            bytes[at..at + section.bytes.len()].copy_from_slice(section.bytes);
        }
    }
    bytes
}

fn write_headers(machine: Machine, plan: &Plan) -> Vec<u8> {
    let mut out = Fields::new(machine);
    let data = if out.big_endian { elf::ELFDATA2MSB } else { elf::ELFDATA2LSB };
    out.bytes.extend(elf::ELFMAG);
    out.bytes.extend([elf::ELFCLASS64.0, data.0, elf::EV_CURRENT.0, elf::ELFOSABI_SYSV.0]);
    out.bytes.resize(16, 0);
    out.u16(elf::ET_EXEC.0);
    out.u16(machine.elf_machine());
    out.u32(u32::from(elf::EV_CURRENT.0));
    out.u64(plan.entry);
    out.u64(HEADER_BYTES as u64);
    out.u64(0); // Where the section headers are, if there are any.
    out.u32(machine.elf_flags());
    out.u16(HEADER_BYTES as u16);
    out.u16(PROGRAM_HEADER_BYTES);
    out.u16(plan.header_count() as u16);
    out.u16(SECTION_HEADER_BYTES);
    out.u16(0);
    out.u16(0);
    for segment in &plan.segments {
        let mut flags = elf::PF_R.0;
        flags |= if segment.is_writable { elf::PF_W.0 } else { 0 };
        flags |= if segment.is_executable { elf::PF_X.0 } else { 0 };
        out.u32(elf::PT_LOAD.0);
        out.u32(flags);
        out.u64(segment.file_offset);
        out.u64(segment.address);
        out.u64(segment.address);
        out.u64(segment.file_bytes);
        out.u64(segment.size_bytes);
        out.u64(plan.page_bytes);
    }
    // Without this some kernels make the stack executable.
    out.u32(elf::PT_GNU_STACK.0);
    out.u32(elf::PF_R.0 | elf::PF_W.0);
    out.bytes.extend([0; 48]);
    if let Some(FramesPlace { index, .. }) = plan.frames {
        out.u32(elf::PT_GNU_EH_FRAME.0);
        out.u32(elf::PF_R.0);
        for field in [index.file_offset, index.address, index.address] {
            out.u64(field);
        }
        for field in [index.size_bytes, index.size_bytes, 4] {
            out.u64(field);
        }
    }
    // For the notes, whose place is known last.
    out.bytes.extend([0; PROGRAM_HEADER_BYTES as usize]);
    out.bytes
}

/// A name table: strings ended by zero bytes, the empty one first.
pub struct Strings(pub Vec<u8>);

impl Strings {
    /// Adds a name; its offset.
    pub fn add(&mut self, name: &str) -> u32 {
        let at = self.0.len() as u32;
        self.0.extend(name.bytes());
        self.0.push(0);
        at
    }
}

/// Appends a symbol table and the section headers that debuggers and profilers want.
///
/// One string table serves symbols and sections, and one section all code and constants: in a
/// program of a few KB every header counts.
pub fn append_symbols(machine: Machine, inputs: &[Input<'_>], plan: &Plan, bytes: &mut Vec<u8>) {
    let mut names = Strings(vec![0]);
    let mut symbols = Fields::new(machine);
    symbols.bytes.extend([0; SYMBOL_BYTES as usize]);
    for symbol in collect_symbols(inputs, plan) {
        symbols.u32(names.add(symbol.name));
        // All are local to the executable: nothing links against it.
        let kind = if symbol.is_func { elf::STT_FUNC.0 } else { elf::STT_OBJECT.0 };
        symbols.bytes.extend([kind, 0]);
        symbols.u16(symbol.section);
        symbols.u64(symbol.address);
        symbols.u64(symbol.size_bytes);
    }
    let sections = list_sections(plan, &mut names);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let symbols_at = bytes.len() as u64;
    bytes.extend(&symbols.bytes);
    let names_at = bytes.len() as u64;
    let names_index = sections.len() as u32 + 2;
    let symbols_size = symbols.bytes.len() as u64;
    let (symbols_name, strings_name) = (names.add(".symtab"), names.add(".strtab"));
    bytes.extend(&names.0);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let headers_at = bytes.len() as u64;

    let mut headers = vec![SectionHeader::default()];
    headers.extend(sections);
    headers.push(SectionHeader {
        name: symbols_name,
        kind: elf::SHT_SYMTAB.0,
        range: (symbols_at, symbols_size),
        names: names_index,
        locals: (symbols_size / SYMBOL_BYTES) as u32,
        align: 8,
        entry_bytes: SYMBOL_BYTES,
        ..SectionHeader::default()
    });
    headers.push(SectionHeader {
        name: strings_name,
        kind: elf::SHT_STRTAB.0,
        range: (names_at, names.0.len() as u64),
        align: 1,
        ..SectionHeader::default()
    });
    let mut fields = Fields::new(machine);
    headers.iter().for_each(|header| header.write(&mut fields));
    bytes.extend(&fields.bytes);
    let mut fields = Fields::new(machine);
    fields.u64(headers_at);
    fields.u16(headers.len() as u16);
    fields.u16(names_index as u16);
    let (offset, counts) = fields.bytes.split_at(8);
    bytes[SECTION_HEADERS_AT..SECTION_HEADERS_AT + 8].copy_from_slice(offset);
    bytes[SECTION_COUNT_AT..SECTION_COUNT_AT + 4].copy_from_slice(counts);
}

/// The headers of the sections that are loaded: all code and constants, then the frame table.
fn list_sections(plan: &Plan, names: &mut Strings) -> Vec<SectionHeader> {
    let text = plan.segments[plan.text];
    let end = text.file_offset + text.file_bytes;
    let text_end = plan.frames.map_or(end, |frames| frames.index.file_offset);
    let mut sections = vec![SectionHeader {
        name: names.add(".text"),
        kind: elf::SHT_PROGBITS.0,
        flags: elf::SHF_ALLOC.0 | elf::SHF_EXECINSTR.0,
        address: text.address,
        range: (text.file_offset, text_end - text.file_offset),
        align: 16,
        ..SectionHeader::default()
    }];
    let mut add = |name: &str, range: Range, align: u64| {
        sections.push(SectionHeader {
            name: names.add(name),
            kind: elf::SHT_PROGBITS.0,
            flags: elf::SHF_ALLOC.0,
            address: range.address,
            range: (range.file_offset, range.size_bytes),
            align,
            ..SectionHeader::default()
        });
    };
    if let Some(FramesPlace { index, table }) = plan.frames {
        add(".eh_frame_hdr", index, 4);
        add(".eh_frame", table, 8);
    }
    sections
}

/// A section header; the fields are those of the format, in readable words.
#[derive(Default)]
pub struct SectionHeader {
    pub name: u32,
    pub kind: u32,
    pub flags: u64,
    pub address: u64,
    /// Offset in the file, and size.
    pub range: (u64, u64),
    /// The section that holds the names.
    pub names: u32,
    /// How many symbols are local.
    pub locals: u32,
    pub align: u64,
    pub entry_bytes: u64,
}

impl SectionHeader {
    /// Writes the header.
    pub fn write(&self, fields: &mut Fields) {
        fields.u32(self.name);
        fields.u32(self.kind);
        fields.u64(self.flags);
        fields.u64(self.address);
        fields.u64(self.range.0);
        fields.u64(self.range.1);
        fields.u32(self.names);
        fields.u32(self.locals);
        fields.u64(self.align);
        fields.u64(self.entry_bytes);
    }
}

/// The number of the only section that symbols lie in; all others are absolute.
const TEXT_SECTION: u16 = 1;

struct SymbolEntry<'a> {
    name: &'a str,
    address: u64,
    size_bytes: u64,
    section: u16,
    is_func: bool,
}

/// The named functions and variables of the program, and what it uses of the shim, in the order
/// of their addresses. The shim's inner functions are left out: they would be most of the table of
/// a small program, under names that say nothing to its author. So is what has the same code as
/// something that is used: the table shows what the program can do.
fn collect_symbols<'a>(inputs: &[Input<'a>], plan: &Plan) -> Vec<SymbolEntry<'a>> {
    let text = plan.segments[plan.text];
    let used = collect_used_names(inputs, plan);
    let mut entries = Vec::new();
    for (file, input) in inputs.iter().enumerate() {
        for symbol in input.symbols.iter().filter(|symbol| symbol.is_item) {
            let is_used = || symbol.binding != Binding::Local && used.contains(symbol.name);
            let is_named = file == 0 || is_used();
            if symbol.name.is_empty() || !is_named {
                continue;
            }
            let Some(address) = plan.address_of(file, symbol.place) else { continue };
            let in_text = (text.address..text.address + text.size_bytes).contains(&address);
            entries.push(SymbolEntry {
                name: symbol.name,
                address,
                size_bytes: symbol.size_bytes,
                section: if in_text { TEXT_SECTION } else { elf::SHN_ABS.0 },
                is_func: symbol.is_func,
            });
        }
    }
    entries.sort_by_key(|entry| (entry.address, entry.name));
    entries
}

/// The names by which live code refers to another object's items.
fn collect_used_names<'a>(inputs: &[Input<'a>], plan: &Plan) -> HashSet<&'a str> {
    let mut used = HashSet::from([wasmelt_abi::symbols::START]);
    for placed in &plan.sections {
        let (file, index) = placed.section;
        let symbols = &inputs[file].symbols;
        let relocations = inputs[file].sections[index].relocations.iter();
        let undefined = relocations
            .map(|relocation| &symbols[relocation.symbol])
            .filter(|symbol| symbol.place == Place::Undefined);
        used.extend(undefined.map(|symbol| symbol.name));
    }
    used
}
