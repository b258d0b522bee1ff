//! Addresses and file offsets of everything that is kept.
//!
//! The file begins with its header and, if there are any, the state's constants.
//! Then come read-only data and code, which share one segment because each further
//! one costs the kernel time, the shim's variables, and the initial contents whose
//! addresses the layout has fixed, or these first if that leaves less room. In memory the order is another: state and
//! hot memory below, then the stack, the text right above it, far memories on top.

use super::frames::Frames;
use super::input::{Input, Kind};
use super::machine::Machine;
use super::resolve::{SectionRef, Symbols, find_definition};
use crate::error::{Error, Result};
use crate::object::FixedRange;
use crate::options::Options;
use std::collections::HashMap;
use wasmelt_abi::addresses::TEXT_BASE;

/// Size of an ELF file's header and of each program header.
const HEADER_BYTES: u64 = 64;
const PROGRAM_HEADER_BYTES: u64 = 56;
/// More initial contents do not stand before the text, whose addresses follow from where it stands in
/// the file.
const FIRST_BYTES_MAX: u64 = 1 << 18;

/// Where everything lies.
#[derive(Debug, Default)]
pub struct Plan {
    /// What the kernel maps, in ascending order of addresses.
    pub segments: Vec<Segment>,
    /// The sections that are kept.
    pub sections: Vec<Placed>,
    /// The index in `sections` of each.
    pub by_section: HashMap<SectionRef, usize>,
    /// The address and file offset of the word that holds a symbol's address.
    pub got: HashMap<(usize, usize), (u64, u64)>,
    /// The symbols that have such a word, in order.
    pub got_symbols: Vec<(usize, usize)>,
    /// Address where the process starts.
    pub entry: u64,
    /// Size of the file, without symbols.
    pub file_bytes: u64,
    /// The code and constants: index in `segments`.
    pub text: usize,
    /// The shim's variables: index in `segments`.
    pub data: Option<usize>,
    /// The frame table, at the end of the text's segment.
    pub frames: Option<FramesPlace>,
    /// Whether a loader chooses the address of the whole.
    pub is_shared: bool,
    /// Offsets in the file agree with addresses modulo this.
    pub page_bytes: u64,
}

/// Where the frame table and its index lie.
#[derive(Clone, Copy, Debug)]
pub struct FramesPlace {
    /// The index, which comes first.
    pub index: Range,
    /// The table.
    pub table: Range,
}

/// Bytes of the file that are mapped.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// Address of the first byte.
    pub address: u64,
    /// Where they stand in the file.
    pub file_offset: u64,
    /// How many there are.
    pub size_bytes: u64,
}

/// What goes into the executable.
#[derive(Clone, Copy, Debug)]
pub struct Linked<'a> {
    /// The objects.
    pub inputs: &'a [Input<'a>],
    /// Their symbols.
    pub symbols: &'a Symbols<'a>,
    /// The sections that are kept.
    pub live: &'a [SectionRef],
    /// The frame table.
    pub frames: Option<&'a Frames>,
}

/// A section's place.
#[derive(Clone, Copy, Debug)]
pub struct Placed {
    /// Which.
    pub section: SectionRef,
    /// Its address.
    pub address: u64,
    /// Where its contents stand in the file.
    pub file_offset: u64,
}

/// What the kernel maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Address of the first byte.
    pub address: u64,
    /// Offset of the first byte in the file.
    pub file_offset: u64,
    /// How many bytes come from the file.
    pub file_bytes: u64,
    /// How many bytes there are; the rest is zero.
    pub size_bytes: u64,
    /// Whether it can be written.
    pub is_writable: bool,
    /// Whether it can be executed.
    pub is_executable: bool,
}

/// Places the live sections.
///
/// # Errors
///
/// `Unsupported` if the file cannot hold them.
pub fn place_sections(
    machine: Machine,
    linked: Linked<'_>,
    fixed: &[FixedRange],
    options: &Options,
) -> Result<Plan> {
    let Linked { inputs, symbols, live, frames } = linked;
    let mut plan = Plan::default();
    let page_bytes = options.target.page_bytes();
    let fixed = merge_ranges(fixed);
    collect_got(machine, inputs, live, &mut plan);
    let mut placer = Placer { inputs, live, page_bytes, pages: HashMap::new() };
    let has_data = placer.any(&[Kind::Writable, Kind::Zero]) || !plan.got_symbols.is_empty();
    let segments = fixed.iter().map(count_segments).sum::<usize>() + 1 + usize::from(has_data);
    // More program headers say that the stack is not executable, where the notes are, and where
    // the index of the frame table is.
    let headers = segments as u64 + 2 + u64::from(frames.is_some());
    let mut end = HEADER_BYTES + PROGRAM_HEADER_BYTES * headers;
    for range in fixed.iter().filter(|range| !range.is_writable) {
        placer.place_range(&mut plan, range, &mut end)?;
    }
    let contents: Vec<FixedRange> = fixed.into_iter().filter(|range| range.is_writable).collect();
    let contents_first = placer.contents_first(&contents, end, |end| {
        let mut trial = Plan { got_symbols: plan.got_symbols.clone(), ..Plan::default() };
        let text = placer.place_text(&mut trial, frames, end);
        has_data.then(|| placer.place_data(&mut trial, text, end));
    });
    if contents_first {
        placer.place_ranges(&mut plan, &contents, &mut end)?;
    }
    let text = placer.place_text(&mut plan, frames, &mut end);
    let data = has_data.then(|| placer.place_data(&mut plan, text, &mut end));
    if !contents_first {
        placer.place_ranges(&mut plan, &contents, &mut end)?;
    }
    plan.file_bytes = end;
    plan.page_bytes = page_bytes;
    plan.segments.push(text);
    plan.segments.extend(data);
    plan.segments.sort_by_key(|segment| segment.address);
    let index_of = |it: Segment| plan.segments.iter().position(|segment| *segment == it);
    plan.text = index_of(text).expect("it has been pushed");
    plan.data = data.and_then(index_of);
    assert_eq!(plan.segments.len(), segments, "the header has room for each segment");
    plan.entry = find_entry(inputs, symbols, &plan);
    Ok(plan)
}

/// Joins neighbours of equal rights whose contents start-up makes: each mapping costs the kernel
/// time. The pages between them belong to nobody.
fn merge_ranges(fixed: &[FixedRange]) -> Vec<FixedRange> {
    const GAP_BYTES_MAX: u64 = wasmelt_abi::addresses::PAGE_BYTES_MAX;
    let mut merged: Vec<FixedRange> = Vec::new();
    for range in fixed.iter().filter(|range| range.size_bytes > 0) {
        match merged.last_mut() {
            Some(last)
                if last.is_writable == range.is_writable
                    && last.sections.is_empty()
                    && range.sections.is_empty()
                    && range.address - (last.address + last.size_bytes) < GAP_BYTES_MAX =>
            {
                last.size_bytes = range.address + range.size_bytes - last.address;
            }
            _ => merged.push(range.clone()),
        }
    }
    merged
}

/// How many segments a range takes: one for each section, and one for zeros before the first.
fn count_segments(range: &FixedRange) -> usize {
    let starts_with_zeros =
        range.sections.first().is_none_or(|(_, address)| *address > range.address);
    range.sections.len() + usize::from(starts_with_zeros)
}

/// Finds the symbols whose addresses must stand in memory.
pub fn collect_got(machine: Machine, inputs: &[Input<'_>], live: &[SectionRef], plan: &mut Plan) {
    for (file, index) in live {
        let section = &inputs[*file].sections[*index];
        for relocation in section.relocations.iter() {
            let key = (*file, relocation.symbol);
            if machine.needs_got(relocation.kind, section.bytes, relocation.offset as usize)
                && !plan.got_symbols.contains(&key)
            {
                plan.got_symbols.push(key);
            }
        }
    }
}

fn find_entry(inputs: &[Input<'_>], symbols: &Symbols<'_>, plan: &Plan) -> u64 {
    let (file, index) = symbols[wasmelt_abi::symbols::START];
    let start = find_definition(inputs, symbols, file, index);
    start
        .and_then(|(file, place)| plan.address_of(file, place))
        .expect("liveness has begun at the entry point")
}

/// Places the frame table behind everything that a program uses as it runs.
fn place_frames(frames: &Frames, end: &mut u64) -> FramesPlace {
    let mut place = |align: u64, size_bytes: u64| {
        let file_offset = end.next_multiple_of(align);
        *end = file_offset + size_bytes;
        Range { address: TEXT_BASE + file_offset, file_offset, size_bytes }
    };
    let index = place(4, frames.index_bytes());
    FramesPlace { index, table: place(8, frames.table_bytes()) }
}

struct Placer<'a> {
    inputs: &'a [Input<'a>],
    live: &'a [SectionRef],
    page_bytes: u64,
    /// Where in the file whole pages of initial contents stand. A mapping is private to its range
    /// until it is written, so what is equal is stored once: of a module that is instantiated many
    /// times, the contents of all its memories.
    pages: HashMap<&'a [u8], u64>,
}

impl Placer<'_> {
    /// The live sections of that kind, but for those with a fixed address.
    fn sections(&self, kind: Kind) -> impl Iterator<Item = SectionRef> {
        self.live.iter().copied().filter(move |(file, index)| {
            let section = &self.inputs[*file].sections[*index];
            section.kind == kind && !section.name.starts_with(".wasmelt.")
        })
    }

    fn any(&self, kinds: &[Kind]) -> bool {
        kinds.iter().any(|kind| self.sections(*kind).next().is_some())
    }

    fn place(&self, plan: &mut Plan, section: SectionRef, address: u64, file_offset: u64) {
        plan.by_section.insert(section, plan.sections.len());
        plan.sections.push(Placed { section, address, file_offset });
    }

    /// Places read-only data and code where the file's offset continues.
    fn place_text(&self, plan: &mut Plan, frames: Option<&Frames>, end: &mut u64) -> Segment {
        let start = *end;
        // What the shim reads and runs when the program starts shares its first pages.
        let shim_first = |section: &SectionRef| std::cmp::Reverse(section.0);
        let mut order: Vec<SectionRef> = self.sections(Kind::ReadOnly).collect();
        let guest_constants = order.iter().position(|(file, _)| *file > 0);
        let guest_constants: Vec<SectionRef> =
            order.drain(..guest_constants.unwrap_or(order.len())).collect();
        let mut code: Vec<SectionRef> = self.sections(Kind::Code).collect();
        code.sort_by_key(shim_first);
        order.extend(code);
        order.extend(guest_constants);
        for section in order {
            let (file, index) = section;
            let it = &self.inputs[file].sections[index];
            *end = end.next_multiple_of(it.align);
            self.place(plan, section, TEXT_BASE + *end, *end);
            *end += it.size_bytes;
        }
        plan.frames = frames.map(|frames| place_frames(frames, end));
        Segment {
            address: TEXT_BASE + start,
            file_offset: start,
            file_bytes: *end - start,
            size_bytes: *end - start,
            is_writable: false,
            is_executable: true,
        }
    }

    /// Places variables on the next page, at the offset in it that the file has reached.
    fn place_data(&self, plan: &mut Plan, text: Segment, end: &mut u64) -> Segment {
        *end = end.next_multiple_of(16);
        let start = *end;
        let page = (text.address + text.size_bytes).next_multiple_of(self.page_bytes);
        let base = page + start % self.page_bytes - start;
        for section in self.sections(Kind::Writable) {
            let it = &self.inputs[section.0].sections[section.1];
            *end = end.next_multiple_of(it.align);
            self.place(plan, section, base + *end, *end);
            *end += it.size_bytes;
        }
        *end = end.next_multiple_of(8);
        for symbol in plan.got_symbols.clone() {
            plan.got.insert(symbol, (base + *end, *end));
            *end += 8;
        }
        let mut size_end = *end;
        for section in self.sections(Kind::Zero) {
            let it = &self.inputs[section.0].sections[section.1];
            size_end = size_end.next_multiple_of(it.align);
            self.place(plan, section, base + size_end, *end);
            size_end += it.size_bytes;
        }
        Segment {
            address: base + start,
            file_offset: start,
            file_bytes: *end - start,
            size_bytes: size_end - start,
            is_writable: true,
            is_executable: false,
        }
    }

    /// Whether initial contents stand before read-only data and code, which the function places behind
    /// `end`: the first contents must start at a certain offset in a page, all else starts anywhere,
    /// and here or there less room is left before them.
    fn contents_first(
        &self,
        ranges: &[FixedRange],
        end: u64,
        place_rest: impl FnOnce(&mut u64),
    ) -> bool {
        let all = || ranges.iter().flat_map(|range| &range.sections);
        let Some((_, address)) = all().next() else { return false };
        let sections = &self.inputs[0].sections;
        let is_content = |name: &str| all().any(|(it, _)| it == name);
        let contents = sections.iter().filter(|section| is_content(section.name));
        if contents.map(|section| section.size_bytes).sum::<u64>() > FIRST_BYTES_MAX {
            return false;
        }
        let room_behind = |end: u64| address.wrapping_sub(end) % self.page_bytes;
        let mut rest_end = end;
        place_rest(&mut rest_end);
        room_behind(end) < room_behind(rest_end)
    }

    fn place_ranges(
        &mut self,
        plan: &mut Plan,
        ranges: &[FixedRange],
        end: &mut u64,
    ) -> Result<()> {
        ranges.iter().try_for_each(|range| self.place_range(plan, range, end))
    }

    /// Places a range's sections in the file, each where the offset in its page is the address's.
    fn place_range(&mut self, plan: &mut Plan, range: &FixedRange, end: &mut u64) -> Result<()> {
        let mut starts: Vec<(u64, Option<SectionRef>)> = Vec::new();
        if count_segments(range) > range.sections.len() {
            starts.push((range.address, None));
        }
        for (name, address) in &range.sections {
            let index = self.inputs[0].sections.iter().position(|section| section.name == *name);
            let index = index
                .ok_or_else(|| Error::environment(format!("the object has no section `{name}`")))?;
            starts.push((*address, Some((0, index))));
        }
        for (at, (address, section)) in starts.iter().enumerate() {
            let next = starts.get(at + 1).map_or(range.address + range.size_bytes, |next| next.0);
            let mut file_bytes = 0;
            let mut file_offset = address % self.page_bytes;
            if let Some(section) = section {
                file_bytes = self.inputs[0].sections[section.1].size_bytes;
                file_offset = self.place_contents(*address, *section, end);
                self.place(plan, *section, *address, file_offset);
            }
            plan.segments.push(Segment {
                address: *address,
                file_offset,
                file_bytes,
                size_bytes: next - address,
                is_writable: range.is_writable,
                is_executable: false,
            });
        }
        Ok(())
    }

    /// Finds the place in the file for a section that belongs at `address`, with the same offset in
    /// its page, at the file's end or where the same contents stand already.
    fn place_contents(&mut self, address: u64, section: SectionRef, end: &mut u64) -> u64 {
        let it = &self.inputs[section.0].sections[section.1];
        let in_page = address % self.page_bytes;
        // What follows a shared part in the file must not be seen behind it in memory.
        let is_whole = in_page == 0 && it.size_bytes.is_multiple_of(self.page_bytes);
        let may_share = is_whole && it.size_bytes > 0 && it.relocations.is_empty();
        if may_share && let Some(known) = self.pages.get(it.bytes) {
            return *known;
        }
        let page = *end - *end % self.page_bytes;
        let same_page = page + in_page;
        let start = if same_page >= *end { same_page } else { same_page + self.page_bytes };
        *end = start + it.size_bytes;
        if may_share {
            self.pages.insert(it.bytes, start);
        }
        start
    }
}

impl Plan {
    /// How many program headers there are: the last one is for the notes.
    pub fn header_count(&self) -> usize {
        self.segments.len() + 2 + usize::from(self.frames.is_some())
    }

    /// The address of a place; `None` if it is not kept.
    pub fn address_of(&self, file: usize, place: super::input::Place) -> Option<u64> {
        match place {
            super::input::Place::Undefined => None,
            super::input::Place::Absolute(address) => Some(address),
            super::input::Place::Section(section, offset) => {
                let placed = self.by_section.get(&(file, section))?;
                Some(self.sections[*placed].address + offset)
            }
        }
    }
}
