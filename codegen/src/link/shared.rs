//! A shared library: the same sections at whatever address a loader chooses.
//!
//! Two segments, as an executable has: tables for the loader, constants and code; then what is
//! written, to which all that holds an address belongs here, because the loader writes it. Code
//! refers to everything by distances, so that only words of data need the loader's help.

use super::elf::{Fields, HEADER_BYTES, PROGRAM_HEADER_BYTES, SectionHeader, Strings};
use super::input::{Input, Kind, Place, Section};
use super::machine::Machine;
use super::place::{Placed, Plan, Segment, collect_got};
use super::public::Public;
use super::resolve::{SectionRef, Symbols, find_definition};
use crate::options::Options;
use object::elf;
use std::collections::BTreeMap;

const SYMBOL_BYTES: u64 = 24;
const RELOCATION_BYTES: u64 = 24;
const SEGMENTS: u16 = 4;
/// Pairs of the dynamic section.
const DYNAMIC_PAIRS: u64 = 11;
/// A library with signal handlers cannot be unloaded.
const NO_DELETE: u64 = 8;

/// Where everything lies, and what the loader has to know.
pub struct SharedPlan {
    /// The sections.
    pub plan: Plan,
    /// What the loader supplies: name and whether it may be missing, in the order of their symbols.
    imports: Vec<(String, bool)>,
    /// The exports: name, address, size.
    exports: Vec<(String, u64, u64)>,
    names: Vec<u8>,
    /// Offsets of the loader's tables, which are their addresses too.
    symbols_at: u64,
    names_at: u64,
    hash_at: u64,
    relocations_at: u64,
    relocations: u64,
    dynamic: Placed,
}

/// Places the live sections.
pub fn plan_shared(
    machine: Machine,
    inputs: &[Input<'_>],
    symbols: &Symbols<'_>,
    live: &[SectionRef],
    public: &Public,
    options: &Options,
) -> SharedPlan {
    let mut plan =
        Plan { is_shared: true, page_bytes: options.target.page_bytes(), ..Plan::default() };
    collect_got(machine, inputs, live, &mut plan);
    let imports = collect_imports(inputs, symbols, live);
    let names = public.names();
    let mut strings = Strings(vec![0]);
    for name in imports.iter().map(|(name, _)| name).chain(&names) {
        strings.add(name);
    }
    let symbols_at = HEADER_BYTES as u64 + u64::from(PROGRAM_HEADER_BYTES * SEGMENTS);
    let symbol_count = (1 + imports.len() + names.len()) as u64;
    let hash_at = symbols_at + symbol_count * SYMBOL_BYTES;
    let relocations_at = (hash_at + 28 + names.len() as u64 * 4).next_multiple_of(8);
    let relocations = count_relocations(machine, inputs, live) + plan.got_symbols.len() as u64;
    let names_at = relocations_at + relocations * RELOCATION_BYTES;
    let start = names_at + strings.0.len() as u64;
    let dynamic = place_all(machine, inputs, live, &mut plan, start);
    let exports = names.into_iter().map(|name| {
        let (file, index) = symbols[name.as_str()];
        let symbol = &inputs[file].symbols[index];
        let address = plan.address_of(file, symbol.place).expect("an export is live");
        (name, address, symbol.size_bytes)
    });
    let exports = exports.collect();
    SharedPlan {
        imports,
        exports,
        names: strings.0,
        symbols_at,
        names_at,
        hash_at,
        relocations_at,
        relocations,
        dynamic,
        plan,
    }
}

/// The names that the inputs use and do not define.
fn collect_imports(
    inputs: &[Input<'_>],
    symbols: &Symbols<'_>,
    live: &[SectionRef],
) -> Vec<(String, bool)> {
    let mut imports = BTreeMap::new();
    for (file, index) in live {
        for relocation in inputs[*file].sections[*index].relocations.iter() {
            let symbol = &inputs[*file].symbols[relocation.symbol];
            let is_known = symbol.place != Place::Undefined || symbols.contains_key(symbol.name);
            if !is_known && !symbol.name.is_empty() {
                let is_weak = symbol.binding == super::input::Binding::Weak;
                imports.insert(symbol.name.to_owned(), is_weak);
            }
        }
    }
    imports.into_iter().collect()
}

fn count_relocations(machine: Machine, inputs: &[Input<'_>], live: &[SectionRef]) -> u64 {
    let holds = |(file, index): &SectionRef| {
        let relocations = inputs[*file].sections[*index].relocations.iter();
        relocations.filter(|it| it.kind == machine.absolute_relocation()).count() as u64
    };
    live.iter().map(holds).sum()
}

/// Whether a section belongs to what the loader or the program writes.
fn is_written(machine: Machine, section: &Section<'_>) -> bool {
    let holds_address =
        || section.relocations.iter().any(|it| it.kind == machine.absolute_relocation());
    let is_data = matches!(section.kind, Kind::Writable | Kind::Zero);
    let is_written = is_data || holds_address();
    assert!(!is_written || section.kind != Kind::Code, "code in {} holds an address", section.name);
    is_written
}

/// Places all sections behind the loader's tables; the dynamic section's place.
fn place_all(
    machine: Machine,
    inputs: &[Input<'_>],
    live: &[SectionRef],
    plan: &mut Plan,
    start: u64,
) -> Placed {
    let section_of = |(file, index): &SectionRef| &inputs[*file].sections[*index];
    let (written, constant): (Vec<SectionRef>, Vec<SectionRef>) =
        live.iter().copied().partition(|it| is_written(machine, section_of(it)));
    let mut end = start;
    for it in constant {
        end = end.next_multiple_of(section_of(&it).align);
        push(plan, Placed { section: it, address: end, file_offset: end });
        end += section_of(&it).size_bytes;
    }
    plan.text = 0;
    plan.segments.push(segment(0, 0, end, end, false));

    let end_of_text = end;
    let start = end.next_multiple_of(16);
    let base = end_of_text.next_multiple_of(plan.page_bytes) + start % plan.page_bytes - start;
    let dynamic = Placed { section: (0, 0), address: base + start, file_offset: start };
    let mut end = start + DYNAMIC_PAIRS * 16;
    let (zero, filled): (Vec<SectionRef>, Vec<SectionRef>) =
        written.into_iter().partition(|it| section_of(it).kind == Kind::Zero);
    for it in filled {
        end = end.next_multiple_of(section_of(&it).align);
        push(plan, Placed { section: it, address: base + end, file_offset: end });
        end += section_of(&it).size_bytes;
    }
    end = end.next_multiple_of(8);
    for symbol in plan.got_symbols.clone() {
        plan.got.insert(symbol, (base + end, end));
        end += 8;
    }
    let mut size_end = end;
    for it in zero {
        size_end = size_end.next_multiple_of(section_of(&it).align);
        push(plan, Placed { section: it, address: base + size_end, file_offset: end });
        size_end += section_of(&it).size_bytes;
    }
    plan.data = Some(1);
    plan.segments.push(segment(base + start, start, end - start, size_end - start, true));
    plan.file_bytes = end;
    dynamic
}

fn push(plan: &mut Plan, placed: Placed) {
    plan.by_section.insert(placed.section, plan.sections.len());
    plan.sections.push(placed);
}

fn segment(
    address: u64,
    file_offset: u64,
    file_bytes: u64,
    size_bytes: u64,
    is_writable: bool,
) -> Segment {
    let is_executable = !is_writable;
    Segment { address, file_offset, file_bytes, size_bytes, is_writable, is_executable }
}

/// Writes headers, tables and contents; relocations inside the library are not applied yet.
pub fn write_shared(
    machine: Machine,
    inputs: &[Input<'_>],
    symbols: &Symbols<'_>,
    shared: &SharedPlan,
) -> Vec<u8> {
    let plan = &shared.plan;
    let mut bytes = write_headers(machine, shared);
    bytes.resize(plan.file_bytes as usize, 0);
    let mut put = |at: u64, contents: &[u8]| {
        bytes[at as usize..at as usize + contents.len()].copy_from_slice(contents);
    };
    put(shared.symbols_at, &write_symbols(machine, shared));
    put(shared.hash_at, &write_hash(machine, shared));
    let relocations = write_relocations(machine, inputs, symbols, shared);
    assert_eq!(relocations.len() as u64, shared.relocations * RELOCATION_BYTES);
    put(shared.relocations_at, &relocations);
    put(shared.names_at, &shared.names);
    put(shared.dynamic.file_offset, &write_dynamic(machine, shared));
    for placed in &plan.sections {
        let (file, index) = placed.section;
        let section = &inputs[file].sections[index];
        if section.kind != Kind::Zero {
            put(placed.file_offset, section.bytes);
        }
    }
    append_section_headers(machine, shared, &mut bytes);
    bytes
}

fn write_headers(machine: Machine, shared: &SharedPlan) -> Vec<u8> {
    let mut out = Fields::new(machine);
    let data = if out.big_endian { elf::ELFDATA2MSB } else { elf::ELFDATA2LSB };
    out.bytes.extend(elf::ELFMAG);
    out.bytes.extend([elf::ELFCLASS64.0, data.0, elf::EV_CURRENT.0, elf::ELFOSABI_SYSV.0]);
    out.bytes.resize(16, 0);
    out.u16(elf::ET_DYN.0);
    out.u16(machine.elf_machine());
    out.u32(u32::from(elf::EV_CURRENT.0));
    out.u64(0);
    out.u64(HEADER_BYTES as u64);
    out.u64(shared.plan.file_bytes.next_multiple_of(8));
    out.u32(machine.elf_flags());
    out.u16(HEADER_BYTES as u16);
    out.u16(PROGRAM_HEADER_BYTES);
    out.u16(SEGMENTS);
    out.u16(64);
    out.u16(SECTIONS.len() as u16);
    out.u16(SECTIONS.len() as u16 - 1);
    for segment in &shared.plan.segments {
        let rights = if segment.is_writable { elf::PF_W.0 } else { elf::PF_X.0 };
        out.u32(elf::PT_LOAD.0);
        out.u32(elf::PF_R.0 | rights);
        out.u64(segment.file_offset);
        out.u64(segment.address);
        out.u64(segment.address);
        out.u64(segment.file_bytes);
        out.u64(segment.size_bytes);
        out.u64(shared.plan.page_bytes);
    }
    out.u32(elf::PT_DYNAMIC.0);
    out.u32(elf::PF_R.0 | elf::PF_W.0);
    out.u64(shared.dynamic.file_offset);
    out.u64(shared.dynamic.address);
    out.u64(shared.dynamic.address);
    out.u64(DYNAMIC_PAIRS * 16);
    out.u64(DYNAMIC_PAIRS * 16);
    out.u64(8);
    out.u32(elf::PT_GNU_STACK.0);
    out.u32(elf::PF_R.0 | elf::PF_W.0);
    out.bytes.extend([0; 48]);
    out.bytes
}

fn write_symbols(machine: Machine, shared: &SharedPlan) -> Vec<u8> {
    let mut out = Fields::new(machine);
    out.bytes.extend([0; SYMBOL_BYTES as usize]);
    let mut name_at = 1;
    let mut symbol = |name: &str, is_weak: bool, section: u16, address: u64, size_bytes: u64| {
        let binding = if is_weak { elf::STB_WEAK.0 } else { elf::STB_GLOBAL.0 };
        let kind = if section == 0 { elf::STT_NOTYPE.0 } else { elf::STT_FUNC.0 };
        out.u32(name_at);
        out.bytes.extend([binding << 4 | kind, elf::STV_DEFAULT.0]);
        out.u16(section);
        out.u64(address);
        out.u64(size_bytes);
        name_at += name.len() as u32 + 1;
    };
    for (name, is_weak) in &shared.imports {
        symbol(name, *is_weak, 0, 0, 0);
    }
    for (name, address, size_bytes) in &shared.exports {
        symbol(name, false, TEXT_SECTION, *address, *size_bytes);
    }
    out.bytes
}

/// A hash table of one bucket with all exports: there are a few dozen at most, and a filter that
/// lets everything pass.
fn write_hash(machine: Machine, shared: &SharedPlan) -> Vec<u8> {
    let first = 1 + shared.imports.len() as u32;
    let mut out = Fields::new(machine);
    out.u32(1);
    out.u32(first);
    out.u32(1);
    out.u32(0);
    out.u64(u64::MAX);
    out.u32(first);
    let last = shared.exports.len() - 1;
    for (index, (name, ..)) in shared.exports.iter().enumerate() {
        let hash = name
            .bytes()
            .fold(5381u32, |hash, byte| hash.wrapping_mul(33).wrapping_add(u32::from(byte)));
        // The low bit marks the end of a bucket's chain.
        out.u32(hash & !1 | u32::from(index == last));
    }
    out.bytes
}

/// The words that the loader fills in.
fn write_relocations(
    machine: Machine,
    inputs: &[Input<'_>],
    symbols: &Symbols<'_>,
    shared: &SharedPlan,
) -> Vec<u8> {
    let plan = &shared.plan;
    let mut out = Fields::new(machine);
    let mut word = |at: u64, file: usize, symbol: usize, addend: i64| {
        let known = find_definition(inputs, symbols, file, symbol)
            .and_then(|(file, place)| plan.address_of(file, place));
        let name = inputs[file].symbols[symbol].name;
        let import = shared.imports.iter().position(|(import, _)| import == name);
        out.u64(at);
        match (import, known) {
            (None, Some(address)) => {
                out.u64(u64::from(machine.relative_relocation()));
                out.u64(address.wrapping_add_signed(addend));
            }
            (import, _) => {
                let index = import.expect("what is not defined is imported") as u64 + 1;
                out.u64(index << 32 | u64::from(machine.absolute_relocation()));
                out.u64(addend.cast_unsigned());
            }
        }
    };
    for placed in &plan.sections {
        let (file, index) = placed.section;
        for relocation in inputs[file].sections[index].relocations.iter() {
            if relocation.kind == machine.absolute_relocation() {
                let at = placed.address + relocation.offset;
                word(at, file, relocation.symbol, relocation.addend);
            }
        }
    }
    for (file, symbol) in &plan.got_symbols {
        word(plan.got[&(*file, *symbol)].0, *file, *symbol, 0);
    }
    out.bytes
}

fn write_dynamic(machine: Machine, shared: &SharedPlan) -> Vec<u8> {
    let pairs = [
        (elf::DT_GNU_HASH.0, shared.hash_at),
        (elf::DT_SYMTAB.0, shared.symbols_at),
        (elf::DT_SYMENT.0, SYMBOL_BYTES),
        (elf::DT_STRTAB.0, shared.names_at),
        (elf::DT_STRSZ.0, shared.names.len() as u64),
        (elf::DT_RELA.0, shared.relocations_at),
        (elf::DT_RELASZ.0, shared.relocations * RELOCATION_BYTES),
        (elf::DT_RELAENT.0, RELOCATION_BYTES),
        (elf::DT_FLAGS_1.0, NO_DELETE),
        (elf::DT_NULL.0, 0),
        (elf::DT_NULL.0, 0),
    ];
    const { assert!(DYNAMIC_PAIRS == 11) };
    let mut out = Fields::new(machine);
    for (tag, value) in pairs {
        out.u64(tag as u64);
        out.u64(value);
    }
    out.bytes
}

/// The sections that linkers and tools look for, in order.
const SECTIONS: [&str; 8] =
    ["", ".dynsym", ".gnu.hash", ".rela.dyn", ".dynstr", ".text", ".dynamic", ".shstrtab"];
const TEXT_SECTION: u16 = 5;
const NAMES_SECTION: u32 = 4;
const SYMBOLS_SECTION: u32 = 1;

fn append_section_headers(machine: Machine, shared: &SharedPlan, bytes: &mut Vec<u8>) {
    let mut names = Strings(vec![0]);
    let name_offsets = SECTIONS.map(|name| if name.is_empty() { 0 } else { names.add(name) });
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let names_file_at = bytes.len() as u64 + SECTIONS.len() as u64 * 64;
    let mut fields = Fields::new(machine);
    for (name, header) in name_offsets.into_iter().zip(describe_tables(shared)) {
        SectionHeader { name, ..header }.write(&mut fields);
    }
    SectionHeader {
        name: name_offsets[6],
        kind: elf::SHT_DYNAMIC.0,
        flags: elf::SHF_ALLOC.0 | elf::SHF_WRITE.0,
        address: shared.dynamic.address,
        range: (shared.dynamic.file_offset, DYNAMIC_PAIRS * 16),
        names: NAMES_SECTION,
        locals: 0,
        align: 8,
        entry_bytes: 16,
    }
    .write(&mut fields);
    SectionHeader {
        name: name_offsets[7],
        kind: elf::SHT_STRTAB.0,
        range: (names_file_at, names.0.len() as u64),
        align: 1,
        ..SectionHeader::default()
    }
    .write(&mut fields);
    bytes.extend(&fields.bytes);
    bytes.extend(&names.0);
}

/// The headers of what the loader reads and of the code, without their names.
fn describe_tables(shared: &SharedPlan) -> [SectionHeader; 6] {
    let text_at = shared.names_at + shared.names.len() as u64;
    let table = |kind: u32, start: u64, end: u64, link: u32, entry_bytes: u64| SectionHeader {
        kind,
        flags: elf::SHF_ALLOC.0,
        address: start,
        range: (start, end - start),
        names: link,
        align: if start.is_multiple_of(8) { 8 } else { 1 },
        entry_bytes,
        ..SectionHeader::default()
    };
    let SharedPlan { symbols_at, hash_at, relocations_at, names_at, .. } = *shared;
    let symbols = table(elf::SHT_DYNSYM.0, symbols_at, hash_at, NAMES_SECTION, SYMBOL_BYTES);
    let text_end = shared.plan.segments[0].file_bytes;
    let text = table(elf::SHT_PROGBITS.0, text_at, text_end, 0, 0);
    [
        SectionHeader::default(),
        SectionHeader { locals: 1, ..symbols },
        table(elf::SHT_GNU_HASH.0, hash_at, relocations_at, SYMBOLS_SECTION, 0),
        table(elf::SHT_RELA.0, relocations_at, names_at, SYMBOLS_SECTION, RELOCATION_BYTES),
        table(elf::SHT_STRTAB.0, names_at, text_at, 0, 0),
        SectionHeader { flags: elf::SHF_ALLOC.0 | elf::SHF_EXECINSTR.0, ..text },
    ]
}
