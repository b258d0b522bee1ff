//! The frame table of an executable (`.eh_frame`), and the index by which unwinders search it
//! (`.eh_frame_hdr`): Linux Standard Base, "Exception Frames".
//!
//! The inputs' tables are cut into entries, and those of functions that are kept go into one
//! table. Entries that describe a function also name its common part, which is written once before
//! them. Nothing refers to the table: it keeps nothing alive.

use super::elf::Fields;
use super::input::{Input, Place, Relocation, Section};
use super::machine::{Machine, Values};
use super::place::Plan;
use super::resolve::{SectionRef, Symbols, find_definition};
use object::Endianness;
use std::collections::HashMap;

/// The section that holds an input's table.
const SECTION: &str = ".eh_frame";

/// Size of an entry's length, and of what follows it: the distance to the common part.
const LENGTH_BYTES: usize = 4;
const LINK_BYTES: usize = 4;
/// Where an entry holds its function's address.
const ADDRESS_AT: usize = LENGTH_BYTES + LINK_BYTES;

/// Size of the index's header and of each of its entries.
const INDEX_HEADER_BYTES: u64 = 12;
const INDEX_ENTRY_BYTES: u64 = 8;

/// How the index writes addresses: as distances of 32 bits from the place itself, or from the
/// index's start; and its count as 32 bits.
const FROM_HERE: u8 = 0x1b;
const FROM_START: u8 = 0x3b;
const COUNT: u8 = 0x03;

/// The table, not relocated yet.
#[derive(Debug, Default)]
pub struct Frames {
    /// The entries, without the zero that ends a table.
    pub bytes: Vec<u8>,
    /// The references in it: the input, and the relocation with its offset in `bytes`.
    pub relocations: Vec<(usize, Relocation)>,
    /// Offsets of the functions' entries.
    entries: Vec<usize>,
}

impl Frames {
    /// Size of the table, with the zero that ends it.
    pub fn table_bytes(&self) -> u64 {
        (self.bytes.len() + LENGTH_BYTES) as u64
    }

    /// Size of the index.
    pub fn index_bytes(&self) -> u64 {
        INDEX_HEADER_BYTES + INDEX_ENTRY_BYTES * self.entries.len() as u64
    }
}

/// Collects the entries of the functions in live sections; `None` if there are none.
pub fn collect_frames(
    machine: Machine,
    inputs: &[Input<'_>],
    symbols: &Symbols<'_>,
    live: &[SectionRef],
) -> Option<Frames> {
    let mut is_live: Vec<Vec<bool>> =
        inputs.iter().map(|input| vec![false; input.sections.len()]).collect();
    for (file, section) in live {
        is_live[*file][*section] = true;
    }
    let is_kept = |file: usize, relocation: &Relocation| match find_definition(
        inputs,
        symbols,
        file,
        relocation.symbol,
    ) {
        Some((file, Place::Section(section, _))) => is_live[file][section],
        _ => false,
    };
    let mut frames = Frames::default();
    let mut common = HashMap::new();
    for (file, input) in inputs.iter().enumerate() {
        for section in input.sections.iter().filter(|section| section.name == SECTION) {
            let mut table = Table { machine, file, section, common: HashMap::new() };
            table.collect(&mut frames, &mut common, is_kept);
        }
    }
    (!frames.entries.is_empty()).then_some(frames)
}

/// An input's table.
struct Table<'a> {
    machine: Machine,
    file: usize,
    section: &'a Section<'a>,
    /// The common parts that are written: their offsets here and in the result.
    common: HashMap<usize, usize>,
}

impl<'a> Table<'a> {
    /// `shared` are the common parts that are written already, by their bytes.
    fn collect(
        &mut self,
        frames: &mut Frames,
        shared: &mut HashMap<&'a [u8], usize>,
        is_kept: impl Fn(usize, &Relocation) -> bool,
    ) {
        let mut relocations: Vec<Relocation> = self.section.relocations.iter().collect();
        relocations.sort_by_key(|relocation| relocation.offset);
        let within = |start: usize, end: usize| {
            let from = relocations.partition_point(|it| (it.offset as usize) < start);
            let to = relocations.partition_point(|it| (it.offset as usize) < end);
            &relocations[from..to]
        };
        let bytes = self.section.bytes;
        let mut at = 0;
        while let Some(length) = self.word(at).filter(|length| *length > 0) {
            let end = at + LENGTH_BYTES + length as usize;
            let link = self.word(at + LENGTH_BYTES).unwrap_or(0) as usize;
            let references = within(at, end);
            let func = references.first().filter(|it| it.offset as usize == at + ADDRESS_AT);
            if let (true, Some(func)) = (link > 0, func)
                && is_kept(self.file, func)
            {
                let common = at + LENGTH_BYTES - link;
                let common_end = common + LENGTH_BYTES + self.word(common).unwrap_or(0) as usize;
                // A common part that names a function for exceptions is of no use: there are none.
                let is_plain = within(common, common_end).is_empty();
                assert!(is_plain, "the shim is compiled without exceptions");
                let common = *self.common.entry(common).or_insert_with(|| {
                    let bytes = &bytes[common..common_end];
                    *shared.entry(bytes).or_insert_with(|| {
                        frames.bytes.extend(bytes);
                        frames.bytes.len() - bytes.len()
                    })
                });
                let start = frames.bytes.len();
                frames.entries.push(start);
                frames.bytes.extend(&bytes[at..end]);
                self.put_word(frames, start + LENGTH_BYTES, start + LENGTH_BYTES - common);
                frames.relocations.extend(references.iter().map(|it| {
                    let offset = it.offset - at as u64 + start as u64;
                    (self.file, Relocation { offset, ..*it })
                }));
            }
            at = end;
        }
    }

    fn word(&self, at: usize) -> Option<u32> {
        let bytes = self.section.bytes.get(at..at + 4)?.try_into().ok()?;
        Some(match self.machine.object_target().1 {
            Endianness::Big => u32::from_be_bytes(bytes),
            Endianness::Little => u32::from_le_bytes(bytes),
        })
    }

    fn put_word(&self, frames: &mut Frames, at: usize, value: usize) {
        let mut field = Fields::new(self.machine);
        field.u32(value as u32);
        frames.bytes[at..at + 4].copy_from_slice(&field.bytes);
    }
}

/// Writes the table and its index where the plan has room for them.
pub fn write_frames(
    machine: Machine,
    inputs: &[Input<'_>],
    symbols: &Symbols<'_>,
    plan: &Plan,
    frames: &Frames,
    bytes: &mut [u8],
) {
    let Some(place) = plan.frames else { return };
    let table_at = place.table.file_offset as usize;
    bytes[table_at..table_at + frames.bytes.len()].copy_from_slice(&frames.bytes);
    let mut funcs = HashMap::new();
    for (file, relocation) in &frames.relocations {
        let symbol = find_definition(inputs, symbols, *file, relocation.symbol)
            .and_then(|(file, place)| plan.address_of(file, place))
            .expect("the functions of the table are kept");
        let place = place.table.address + relocation.offset;
        let values = Values { symbol, addend: relocation.addend, place, got: None };
        let offset = table_at + relocation.offset as usize;
        machine
            .apply(relocation.kind, bytes, offset, values)
            .expect("the table lies behind the code");
        funcs.insert(relocation.offset as usize, symbol.wrapping_add_signed(relocation.addend));
    }
    let mut entries: Vec<(u64, u64)> = frames
        .entries
        .iter()
        .map(|entry| (funcs[&(entry + ADDRESS_AT)], place.table.address + *entry as u64))
        .collect();
    entries.sort_unstable();
    let distance = |to: u64, from: u64| to.wrapping_sub(from) as u32;
    let index = place.index.address;
    let mut out = Fields::new(machine);
    out.bytes.extend([1, FROM_HERE, COUNT, FROM_START]);
    out.u32(distance(place.table.address, index + 4));
    out.u32(entries.len() as u32);
    for (func, entry) in entries {
        out.u32(distance(func, index));
        out.u32(distance(entry, index));
    }
    let index_at = place.index.file_offset as usize;
    bytes[index_at..index_at + out.bytes.len()].copy_from_slice(&out.bytes);
}
