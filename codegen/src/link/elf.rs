//! The bytes of an ELF executable.

use super::input::{Input, Kind};
use super::machine::Machine;
use super::place::Plan;
use object::{Endianness, elf};

const HEADER_BYTES: usize = 64;
const PROGRAM_HEADER_BYTES: u16 = 56;
const SECTION_HEADER_BYTES: u16 = 64;
const SYMBOL_BYTES: u64 = 24;

/// Fields of the header that `append_symbols` fills in.
const SECTION_HEADERS_AT: usize = 40;
const SECTION_COUNT_AT: usize = 60;

/// Fields in the target's byte order, one after the other.
struct Fields {
    bytes: Vec<u8>,
    big_endian: bool,
}

impl Fields {
    fn new(machine: Machine) -> Fields {
        let big_endian = machine.object_target().1 == Endianness::Big;
        Fields { bytes: Vec::new(), big_endian }
    }

    fn u16(&mut self, value: u16) {
        let bytes = if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        self.bytes.extend(bytes);
    }

    fn u32(&mut self, value: u32) {
        let bytes = if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        self.bytes.extend(bytes);
    }

    fn u64(&mut self, value: u64) {
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
    out.u32(0);
    out.u16(HEADER_BYTES as u16);
    out.u16(PROGRAM_HEADER_BYTES);
    out.u16(plan.segments.len() as u16 + 1);
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
        out.u64(0x1000);
    }
    // Without this some kernels make the stack executable.
    out.u32(elf::PT_GNU_STACK.0);
    out.u32(elf::PF_R.0 | elf::PF_W.0);
    out.bytes.extend([0; 48]);
    out.bytes
}

/// A name table: strings ended by zero bytes, the empty one first.
struct Strings(Vec<u8>);

impl Strings {
    fn add(&mut self, name: &str) -> u32 {
        let at = self.0.len() as u32;
        self.0.extend(name.bytes());
        self.0.push(0);
        at
    }
}

/// Appends a symbol table and the section headers that debuggers and profilers want.
pub fn append_symbols(machine: Machine, inputs: &[Input<'_>], plan: &Plan, bytes: &mut Vec<u8>) {
    let mut symbols = Fields::new(machine);
    let mut names = Strings(vec![0]);
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
    let symbol_count = symbols.bytes.len() as u64 / SYMBOL_BYTES;
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let symbols_at = bytes.len() as u64;
    bytes.extend(&symbols.bytes);
    let names_at = bytes.len() as u64;
    bytes.extend(&names.0);
    let mut section_names = Strings(vec![0]);
    let mut headers = Fields::new(machine);
    let mut count = 0u16;
    let mut add = |name: u32, kind: elf::SectionType, flags: u32, fields: [u64; 6]| {
        let [address, offset, size, link_and_info, align, entry] = fields;
        headers.u32(name);
        headers.u32(kind.0);
        headers.u64(u64::from(flags));
        headers.u64(address);
        headers.u64(offset);
        headers.u64(size);
        headers.u32((link_and_info >> 32) as u32);
        headers.u32(link_and_info as u32);
        headers.u64(align);
        headers.u64(entry);
        count += 1;
    };
    add(0, elf::SHT_NULL, 0, [0; 6]);
    let text = plan.segments[plan.text];
    let flags = (elf::SHF_ALLOC.0 | elf::SHF_EXECINSTR.0) as u32;
    let fields = [text.address, text.file_offset, text.file_bytes, 0, 16, 0];
    add(section_names.add(".text"), elf::SHT_PROGBITS, flags, fields);
    // Symbols name the sections by number: see `TEXT_SECTION`. The names come after the symbols.
    let names_index = 3u64;
    let fields = [
        0,
        symbols_at,
        SYMBOL_BYTES * symbol_count,
        names_index << 32 | symbol_count,
        8,
        SYMBOL_BYTES,
    ];
    add(section_names.add(".symtab"), elf::SHT_SYMTAB, 0, fields);
    let fields = [0, names_at, names.0.len() as u64, 0, 1, 0];
    add(section_names.add(".strtab"), elf::SHT_STRTAB, 0, fields);
    let name = section_names.add(".shstrtab");
    let section_names_at = bytes.len() as u64;
    add(name, elf::SHT_STRTAB, 0, [0, section_names_at, section_names.0.len() as u64, 0, 1, 0]);
    bytes.extend(&section_names.0);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let headers_at = bytes.len() as u64;
    bytes.extend(&headers.bytes);
    let mut fields = Fields::new(machine);
    fields.u64(headers_at);
    bytes[SECTION_HEADERS_AT..SECTION_HEADERS_AT + 8].copy_from_slice(&fields.bytes);
    let mut fields = Fields::new(machine);
    fields.u16(count);
    fields.u16(count - 1);
    bytes[SECTION_COUNT_AT..SECTION_COUNT_AT + 4].copy_from_slice(&fields.bytes);
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

/// The named functions and variables that are kept, in the order of their addresses.
fn collect_symbols<'a>(inputs: &[Input<'a>], plan: &Plan) -> Vec<SymbolEntry<'a>> {
    let text = plan.segments[plan.text];
    let mut entries = Vec::new();
    for (file, input) in inputs.iter().enumerate() {
        for symbol in input.symbols.iter().filter(|symbol| symbol.is_item) {
            // Compilers name constants and blocks like this; nobody else does.
            if symbol.name.is_empty() || symbol.name.starts_with(".L") {
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
