//! What memory holds before the first instruction: the state and the linear memories.
//!
//! Reads the program's initial values and the [`Layout`]; leaves bytes with their
//! addresses. Nothing here knows an object format: `object` gives the bytes sections.

use crate::layout::{Layout, TablePlace};
use crate::options::Options;
use crate::program::{ConstValue, ElemId, FuncId, MemoryId, Program};
use cranelift_entity::EntityRef;
use wasmelt_abi::addresses::MEMORY_MAPPED_MAX_BYTES;
use wasmelt_abi::handles::ComponentState;
use wasmelt_abi::state::{FuncRef, MemoryState, TableState};

/// Zeros between two runs of a memory's image, if there are at least so many, are not stored.
const GAP_BYTES_MIN: u64 = 0x1_0000;

/// If all initial contents together are not larger than this, start-up copies them: as fast as
/// mapping them, and the file needs no page-aligned parts. It copies no more than this in any case.
const COPIED_BYTES_MAX: usize = 0x4000;

/// Contents of a memory, or the state, that are not larger than this are copied although others
/// are mapped: they would take a page of the file and a mapping.
const COPIED_REGION_BYTES_MAX: usize = 0x800;

/// The code address in the `FuncRef` of a function that is referenced but never live: no call of
/// its type exists, so every check of the type fails before the address is used. It only has to
/// differ from null.
const NEVER_CALLED: u64 = 1;

/// Contents at a fixed address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Address of the first byte.
    pub address: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A part of the address space that exists when the program starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Address of the first byte.
    pub address: u64,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// What it is, for section names: `state`, `memory.0`.
    pub name: String,
    /// Its contents, page-aligned, in ascending order; the rest is zero.
    pub mapped: Vec<Run>,
}

/// Everything mutable before the first instruction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InitialData {
    /// The mutable state and the memories, in ascending order.
    pub regions: Vec<Region>,
    /// Contents that start-up copies, because they are too small to be worth a mapping.
    pub copied: Vec<Run>,
}

/// The constant part of the state: its bytes, and where they need functions' addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constants {
    /// The bytes, from `Layout::constants_start` on.
    pub bytes: Vec<u8>,
    /// Offsets of 8-byte words that hold the address of that function.
    pub code_addresses: Vec<(usize, FuncId)>,
}

/// Computes the contents of the mutable state and of all memories.
pub fn build_initial_data(program: &Program, layout: &Layout, options: &Options) -> InitialData {
    let page_bytes = options.target.page_bytes();
    let mut regions = Vec::new();
    let mut starts_small = true;
    let mut mapped_bytes = Vec::new();
    for (id, memory) in program.memories.iter().filter(|(_, memory)| memory.live) {
        let size_bytes = memory.ty.min_pages << memory.ty.page_size_log2;
        let mapped = build_memory_runs(program, layout, id, page_bytes);
        let base = layout.memories[id].base;
        let image_end = mapped.last().map_or(0, |run| run.address + run.bytes.len() as u64 - base);
        let mapped_end = size_bytes.min(MEMORY_MAPPED_MAX_BYTES).max(image_end);
        let size_mapped = mapped_end.next_multiple_of(page_bytes);
        starts_small &= size_mapped >= size_bytes;
        mapped_bytes.push(size_mapped);
        let name = format!("memory.{}", id.index());
        regions.push(Region { address: base, size_bytes: size_mapped, name, mapped });
    }
    regions.sort_by_key(|region| region.address);
    let state = build_state(program, layout, options, &mapped_bytes);
    if layout.state_end > layout.state_start {
        let region = Region {
            address: layout.state_start,
            size_bytes: layout.state_end - layout.state_start,
            name: "state".to_owned(),
            mapped: vec![Run { address: layout.state_start, bytes: state }],
        };
        regions.insert(0, region);
    }
    regions.retain(|region| region.size_bytes > 0);
    let mut data = InitialData { regions, copied: Vec::new() };
    // Start-up reads the state before it could copy it if it has to map memories.
    if starts_small {
        copy_if_small(&mut data);
    }
    data
}

/// Turns mapped contents into copied ones: all if they are small together, else those of the
/// smallest regions.
fn copy_if_small(data: &mut InitialData) {
    let trim = |region: &Region| region.mapped.iter().filter_map(trim_zeros).collect();
    let trimmed: Vec<Vec<Run>> = data.regions.iter().map(trim).collect();
    let count = |runs: &Vec<Run>| runs.iter().map(|run| run.bytes.len()).sum::<usize>();
    let sizes: Vec<usize> = trimmed.iter().map(count).collect();
    let is_small = sizes.iter().sum::<usize>() <= COPIED_BYTES_MAX;
    let region_max = if is_small { COPIED_BYTES_MAX } else { COPIED_REGION_BYTES_MAX };
    let mut left = COPIED_BYTES_MAX;
    for ((region, runs), size) in data.regions.iter_mut().zip(trimmed).zip(sizes) {
        if size <= region_max.min(left) {
            left -= size;
            region.mapped.clear();
            data.copied.extend(runs);
        }
    }
}

/// The run without the zeros around it; `None` if nothing is left.
fn trim_zeros(run: &Run) -> Option<Run> {
    let first = run.bytes.iter().position(|byte| *byte != 0)?;
    let last = run.bytes.iter().rposition(|byte| *byte != 0)?;
    let address = run.address + first as u64;
    Some(Run { address, bytes: run.bytes[first..=last].to_vec() })
}

/// The image of a memory as page-aligned runs without large gaps of zeros.
fn build_memory_runs(
    program: &Program,
    layout: &Layout,
    memory: MemoryId,
    page_bytes: u64,
) -> Vec<Run> {
    let base = layout.memories[memory].base;
    let image = &program.memories[memory].image;
    let mut ranges: Vec<(u64, u64)> = image
        .iter()
        .filter(|(_, bytes)| !bytes.range.is_empty())
        .map(|(offset, bytes)| (*offset, offset + bytes.range.len() as u64))
        .collect();
    ranges.sort_unstable();
    let mut runs: Vec<Run> = Vec::new();
    for (start, end) in ranges {
        let start = base + start / page_bytes * page_bytes;
        let end = base + end.next_multiple_of(page_bytes);
        match runs.last_mut() {
            Some(run) if start <= run.address + run.bytes.len() as u64 + GAP_BYTES_MIN => {
                let size = (end - run.address) as usize;
                run.bytes.resize(size.max(run.bytes.len()), 0);
            }
            _ => runs.push(Run { address: start, bytes: vec![0; (end - start) as usize] }),
        }
    }
    // In the order of the segments: where two overlap the later one wins.
    for (offset, segment) in image.iter().filter(|(_, bytes)| !bytes.range.is_empty()) {
        let address = base + offset;
        let at = runs.partition_point(|run| run.address <= address) - 1;
        let from = (address - runs[at].address) as usize;
        let contents = &program.files[segment.file].bytes[segment.range.clone()];
        runs[at].bytes[from..from + contents.len()].copy_from_slice(contents);
    }
    runs.iter().flat_map(|run| split_at_zeros(run, page_bytes as usize)).collect()
}

/// Cuts zero pages off both ends of a run and out of its middle where there are enough of them.
fn split_at_zeros(run: &Run, page_bytes: usize) -> Vec<Run> {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for (index, page) in run.bytes.chunks(page_bytes).enumerate() {
        if page.iter().all(|byte| *byte == 0) {
            continue;
        }
        let start = index * page_bytes;
        let end = start + page.len();
        match parts.last_mut() {
            Some((_, last)) if start < *last + GAP_BYTES_MIN as usize => *last = end,
            _ => parts.push((start, end)),
        }
    }
    let cut = |(start, end): (usize, usize)| Run {
        address: run.address + start as u64,
        bytes: run.bytes[start..end].to_vec(),
    };
    parts.into_iter().map(cut).collect()
}

/// Computes frozen tables and `FuncRef`s.
pub fn build_constants(program: &Program, layout: &Layout, options: &Options) -> Constants {
    let mut words = Words::new(layout.constants_start, options);
    let mut code_addresses = Vec::new();
    let mut put = |words: &mut Words, address: u64, func: FuncId| {
        let callee = &program.funcs[func];
        if callee.live {
            words.put_u64(address, 0);
            code_addresses.push(((address - layout.constants_start) as usize, func));
        } else {
            words.put_u64(address, NEVER_CALLED);
        }
        words.put_u32(address + FuncRef::TYPE as u64, FuncRef::type_word(callee.ty.as_u32()));
        words.put_u32(address + FuncRef::TYPE as u64 + 4, 0);
    };
    for (id, table) in program.tables.iter() {
        let TablePlace::Frozen { elements, .. } = layout.tables[id] else { continue };
        for (index, value) in initial_elements(program, id) {
            if let ConstValue::Func(func) = value {
                put(&mut words, elements + index * FuncRef::BYTES, func);
            }
        }
        words.reach(elements + table.ty.min * FuncRef::BYTES);
    }
    for (id, _) in program.funcs.iter().filter(|(_, func)| func.referenced) {
        put(&mut words, layout.func_refs[id], id);
    }
    code_addresses.sort_unstable();
    Constants { bytes: words.bytes, code_addresses }
}

/// The elements of a table that are not null when the program starts, each once, ascending.
fn initial_elements(
    program: &Program,
    table: crate::program::TableId,
) -> std::collections::BTreeMap<u64, ConstValue> {
    let table = &program.tables[table];
    let mut elements = std::collections::BTreeMap::new();
    if table.init != ConstValue::Null {
        elements.extend((0..table.ty.min).map(|index| (index, table.init)));
    }
    for (offset, values) in &table.image {
        elements.extend((*offset..).zip(values.iter().copied()));
    }
    elements.retain(|_, value| *value != ConstValue::Null);
    elements
}

/// Computes the mutable part of the state; zeros at the end are left out.
fn build_state(
    program: &Program,
    layout: &Layout,
    options: &Options,
    mapped_bytes: &[u64],
) -> Vec<u8> {
    let mut words = Words::new(layout.state_start, options);
    let memories = program.memories.iter().filter(|(_, memory)| memory.live);
    for ((id, memory), mapped) in memories.zip(mapped_bytes) {
        let place = &layout.memories[id];
        let size_bytes = memory.ty.min_pages << memory.ty.page_size_log2;
        let page_size_log2 = u64::from(memory.ty.page_size_log2);
        let record = [place.base, size_bytes, place.max_bytes, page_size_log2, *mapped];
        const { assert!(MemoryState::BYTES == 5 * 8) };
        words.put_record(place.state, &record);
    }
    put_components(program, layout, &mut words);
    for (id, global) in program.globals.iter().filter(|(id, _)| layout.globals[*id] != 0) {
        put_value(layout, &mut words, layout.globals[id], global.init);
    }
    for (id, data) in program.data.iter().filter(|(id, _)| layout.data_lengths[*id] != 0) {
        let length = if data.passive { data.bytes.range.len() } else { 0 };
        words.put_u64(layout.data_lengths[id], length as u64);
    }
    for (id, elem) in program.elems.iter().filter(|(id, _)| layout.elem_lengths[*id] != 0) {
        let length = if elem.passive { elem.items.len() } else { 0 };
        words.put_u64(layout.elem_lengths[id], length as u64);
    }
    put_tables(program, layout, &mut words);
    words.bytes
}

fn put_components(program: &Program, layout: &Layout, words: &mut Words) {
    for (id, instance) in program.component_instances.iter() {
        let state = layout.components[id];
        if state == 0 {
            continue;
        }
        if instance.has_handles {
            words.put_u64(state + ComponentState::ENTRIES as u64, state + ComponentState::BYTES);
            let capacity = ComponentState::INITIAL_CAPACITY;
            words.put_u32(state + ComponentState::CAPACITY as u64, capacity);
        }
        words.put_u32(state + ComponentState::NEXT as u64, 1);
        words.put_u32(state + ComponentState::MAY_LEAVE as u64, 1);
        words.put_u32(state + ComponentState::MAY_ENTER as u64, 1);
    }
}

fn put_tables(program: &Program, layout: &Layout, words: &mut Words) {
    for (id, table) in program.tables.iter() {
        let TablePlace::Mutable { state, elements, .. } = layout.tables[id] else { continue };
        let limit = if table.ty.table64 { u64::MAX } else { u64::from(u32::MAX) };
        let max = table.ty.max.unwrap_or(limit).min(limit);
        const { assert!(TableState::BYTES == 4 * 8) };
        words.put_record(state, &[elements, table.ty.min, max, table.ty.min]);
        for (index, value) in initial_elements(program, id) {
            put_value(layout, words, elements + index * 8, value);
        }
    }
}

fn put_value(layout: &Layout, words: &mut Words, address: u64, value: ConstValue) {
    match value {
        ConstValue::I32(value) => words.put_u32(address, value.cast_unsigned()),
        ConstValue::F32(bits) => words.put_u32(address, bits),
        ConstValue::I64(value) => words.put_u64(address, value.cast_unsigned()),
        ConstValue::F64(bits) => words.put_u64(address, bits),
        ConstValue::V128(bytes) => words.put_bytes(address, &bytes),
        ConstValue::Null => words.put_u64(address, 0),
        ConstValue::Func(func) => words.put_u64(address, layout.func_refs[func]),
    }
}

/// The constant array of an element segment: addresses of `FuncRef`s.
pub fn build_elem(program: &Program, layout: &Layout, options: &Options, elem: ElemId) -> Vec<u8> {
    let mut words = Words::new(0, options);
    let items = &program.elems[elem].items;
    for (index, value) in items.iter().enumerate() {
        put_value(layout, &mut words, index as u64 * 8, *value);
    }
    words.reach(items.len() as u64 * 8);
    words.bytes
}

/// Bytes that grow as they are written, addressed as they will be at run time.
pub struct Words {
    start: u64,
    /// The bytes so far.
    pub bytes: Vec<u8>,
    big_endian: bool,
}

impl Words {
    /// Nothing yet, from that address on.
    pub fn new(start: u64, options: &Options) -> Words {
        let endianness = options.target.triple.endianness();
        let big_endian = endianness == Ok(target_lexicon::Endianness::Big);
        Words { start, bytes: Vec::new(), big_endian }
    }

    fn reach(&mut self, end: u64) {
        let size = (end - self.start) as usize;
        if self.bytes.len() < size {
            self.bytes.resize(size, 0);
        }
    }

    fn put_bytes(&mut self, address: u64, bytes: &[u8]) {
        self.reach(address + bytes.len() as u64);
        let at = (address - self.start) as usize;
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Writes a word in the target's byte order.
    pub fn put_u32(&mut self, address: u64, value: u32) {
        let bytes = if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        self.put_bytes(address, &bytes);
    }

    /// Writes a word in the target's byte order.
    pub fn put_u64(&mut self, address: u64, value: u64) {
        let bytes = if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        self.put_bytes(address, &bytes);
    }

    fn put_record(&mut self, address: u64, record: &[u64]) {
        for (index, value) in record.iter().enumerate() {
            self.put_u64(address + index as u64 * 8, *value);
        }
    }
}
