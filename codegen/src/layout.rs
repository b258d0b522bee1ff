//! Addresses: where every memory, global, table and record of the program lies.
//!
//! Everything mutable has an address that is known before the first function is
//! compiled, so generated code holds it as a constant. What is small lies in the
//! state region (`abi::addresses::STATE_BASE`): first what never changes, frozen
//! tables and `FuncRef`s, then, from a new page on, what does. The memory with the
//! most accesses follows, because on x86-64 a base below 2 GiB costs nothing; the
//! others lie far away, each with its own window, and each at other places of the caches.

use crate::error::{Error, Result};
use crate::fold::{Folding, fold_functions};
use crate::options::{MemoryMode, OptLevel, Options, Target};
use crate::passing::{Param, find_passed};
use crate::program::{
    CellId, ComponentInstanceId, DataId, ElemId, FuncId, FuncKind, GlobalId, MemoryId, Program,
    TableId,
};
use crate::table_facts::TableFacts;
use crate::types::ValType;
use cranelift_entity::SecondaryMap;
use std::collections::BTreeMap;
use target_lexicon::Architecture;
use wasmelt_abi::addresses::{
    FAR_MEMORY_BASE, MEMORY_END_MAX, MEMORY_STRIDE_BYTES, PAGE_BYTES_MAX, SLOT_BYTES,
    SLOT_FAR_MEMORY_OFFSET, STATE_BASE, STATE_BYTES_MAX, STATE_HEADER_BYTES,
};
use wasmelt_abi::handles::{ComponentState, Handle};
use wasmelt_abi::state::{FuncRef, MemoryState, TableState};
use wasmelt_flatten::limits::BYTE_PAGES_MAX;

/// Address space that a memory with 64-bit indices gets at most.
const MEMORY64_BYTES_MAX: u64 = 0x8_0000_0000;

/// Bytes that 32 bits can index.
const MEMORY32_BYTES_MAX: u64 = 0x1_0000_0000;

/// The addresses of the program's state. Entries of things that are not live are 0.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Each memory's place.
    pub memories: SecondaryMap<MemoryId, MemoryPlace>,
    /// Each table's place.
    pub tables: SecondaryMap<TableId, TablePlace>,
    /// What the elements of frozen tables have in common.
    pub table_facts: SecondaryMap<TableId, TableFacts>,
    /// Which functions have the code of another.
    pub folding: Folding,
    /// Address of each global's value: 8 bytes, or 16 for a vector.
    pub globals: SecondaryMap<GlobalId, u64>,
    /// Address of each referenced function's `FuncRef`.
    pub func_refs: SecondaryMap<FuncId, u64>,
    /// Address of each component instance's `ComponentState`.
    pub components: SecondaryMap<ComponentInstanceId, u64>,
    /// Where adapters leave the address of what a core function gets at a parameter and only passes
    /// on: 8 bytes.
    pub passed_into: BTreeMap<Param, u64>,
    /// Where the adapters find it that get it from there.
    pub passed_out: BTreeMap<Param, u64>,
    /// The numbers of canonical built-ins that can run.
    pub cells: SecondaryMap<CellId, u64>,
    /// Address of each passive data segment's current length in bytes, a `u64`.
    pub data_lengths: SecondaryMap<DataId, u64>,
    /// Address of each passive element segment's current length, a `u64`.
    pub elem_lengths: SecondaryMap<ElemId, u64>,
    /// First byte of the constant part of the state.
    pub constants_start: u64,
    /// First byte behind the constant part; equal to its start if there is none.
    pub constants_end: u64,
    /// First byte of the mutable part: the first `MemoryState`.
    pub state_start: u64,
    /// First byte behind the state.
    pub state_end: u64,
}

/// Where a memory lies and how accesses to it are checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryPlace {
    /// Address of byte 0.
    pub base: u64,
    /// Address of its `MemoryState`.
    pub state: u64,
    /// Largest size in bytes: the type's, and never more than the address space set aside.
    pub max_bytes: u64,
    /// How accesses are checked.
    pub check: BoundsCheck,
}

/// How accesses to a memory are checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BoundsCheck {
    /// An index of 32 bits and a small offset cannot leave the window, and what is behind the
    /// memory's end is unmapped: rule M1 of `docs/safety.md`.
    #[default]
    Guard,
    /// Compare with the current size before each access.
    Explicit,
}

/// Where a table lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TablePlace {
    /// Not live.
    #[default]
    Absent,
    /// A frozen table of functions: `FuncRef`s side by side, constant.
    Frozen {
        /// Address of element 0.
        elements: u64,
        /// Number of elements.
        size: u64,
    },
    /// A table that can change.
    Mutable {
        /// Address of its `TableState`.
        state: u64,
        /// Address of element 0 when the program starts.
        elements: u64,
        /// Address of element 0 and the number of elements, if it never grows.
        fixed: Option<(u64, u64)>,
    },
}

/// Gives everything live its address.
///
/// # Errors
///
/// `Unsupported` if tables are too large or there is no address space for the memories.
pub fn plan_layout(program: &Program, options: &Options) -> Result<Layout> {
    let mut layout = Layout::default();
    if matches!(options.opt_level, OptLevel::Full | OptLevel::Size) {
        layout.folding = fold_functions(program);
    }
    let place = RegionPlace::of(program, options)?;
    let mut space = Space { next: place.constants_start, end: place.state_base + STATE_BYTES_MAX };
    layout.constants_start = space.next;
    place_constants(program, &mut layout, &mut space)?;
    layout.constants_end = space.next;
    // A constant part needs pages of its own; without one the state starts the region.
    space.next = match layout.constants_end > layout.constants_start {
        true => space.next.next_multiple_of(options.target.page_bytes()),
        false => place.state_base,
    };
    layout.state_start = space.next;
    place_records(program, &mut layout, &mut space)?;
    for passed in find_passed(program, options) {
        let cell = space.take(8, 8)?;
        layout.passed_into.insert(passed.into, cell);
        layout.passed_out.insert(passed.out, cell);
    }
    place_mutable_tables(program, &mut layout, &mut space)?;
    layout.state_end = space.next;
    place_memories(program, options, place.far_memory_base, &mut layout)?;
    Ok(layout)
}

/// Where the state and the memories begin.
struct RegionPlace {
    state_base: u64,
    constants_start: u64,
    far_memory_base: u64,
}

impl RegionPlace {
    fn of(program: &Program, options: &Options) -> Result<RegionPlace> {
        Ok(match options.embedding {
            None => RegionPlace {
                state_base: STATE_BASE,
                constants_start: STATE_BASE + STATE_HEADER_BYTES,
                far_memory_base: FAR_MEMORY_BASE,
            },
            Some(library) => {
                let (first, count) = slots(&options.target);
                let slot = library.slot.unwrap_or_else(|| draw_slot(program) % count);
                if slot >= count {
                    // Another number of the same slot would not keep two libraries apart.
                    let triple = &options.target.triple;
                    return Err(Error::unsupported(format!("slot {slot} on `{triple}`"))
                        .help(format!("the slots are 0 to {}", count - 1)));
                }
                let base = first + u64::from(slot) * SLOT_BYTES;
                RegionPlace {
                    state_base: base,
                    constants_start: base,
                    far_memory_base: base + SLOT_FAR_MEMORY_OFFSET,
                }
            }
        })
    }
}

/// The start of the first slot for libraries and the number of slots: far from where programs,
/// their heaps, and what kernels place themselves lie. On x86-64 also beyond the shadow memory of
/// sanitizers; elsewhere within the smallest address space of the architecture.
pub fn slots(target: &Target) -> (u64, u32) {
    match target.triple.architecture {
        Architecture::X86_64 => (0x2000_0000_0000, 1000),
        Architecture::Aarch64(_) => (0x10_0000_0000, 6),
        Architecture::Riscv64(_) => (0x10_0000_0000, 3),
        _ => (0x10_0000_0000, 60),
    }
}

/// A number that follows from the program: two libraries hardly ever get the same slot.
fn draw_slot(program: &Program) -> u32 {
    // FNV-1a: it has to spread, and to be the same for ever.
    let mut hash: u32 = 0x811c_9dc5;
    for file in program.files.values() {
        for byte in file.bytes.iter() {
            hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }
    hash ^ hash >> 16
}

/// The next free address of the state region, and its end.
struct Space {
    next: u64,
    end: u64,
}

impl Space {
    fn take(&mut self, size_bytes: u64, align: u64) -> Result<u64> {
        let start = self.next.next_multiple_of(align);
        let end = start.checked_add(size_bytes).filter(|end| *end <= self.end);
        self.next = end.ok_or_else(|| {
            Error::unsupported(format!(
                "tables and globals of more than {} MiB",
                STATE_BYTES_MAX >> 20
            ))
        })?;
        Ok(start)
    }

    fn take_array(&mut self, count: u64, element_bytes: u64) -> Result<u64> {
        self.take(count.saturating_mul(element_bytes), 16)
    }
}

fn place_constants(program: &Program, layout: &mut Layout, space: &mut Space) -> Result<()> {
    for (id, table) in program.tables.iter().filter(|(_, table)| table.live && table.frozen) {
        let size = table.ty.min;
        let elements = space.take_array(size, FuncRef::BYTES)?;
        layout.tables[id] = TablePlace::Frozen { elements, size };
        layout.table_facts[id] = TableFacts::new(program, &layout.folding, table, size);
    }
    for (id, _) in program.funcs.iter().filter(|(_, func)| func.referenced) {
        layout.func_refs[id] = space.take_array(1, FuncRef::BYTES)?;
    }
    Ok(())
}

fn place_records(program: &Program, layout: &mut Layout, space: &mut Space) -> Result<()> {
    // The shim walks the memories' records, so they come first and side by side.
    for (id, _) in program.memories.iter().filter(|(_, memory)| memory.live) {
        layout.memories[id].state = space.take(MemoryState::BYTES, 8)?;
    }
    for (id, instance) in program.component_instances.iter() {
        if instance.has_handles || instance.needs_may_leave || instance.needs_may_enter {
            let entries = match instance.has_handles {
                true => u64::from(ComponentState::INITIAL_CAPACITY) * Handle::BYTES,
                false => 0,
            };
            layout.components[id] = space.take(ComponentState::BYTES + entries, 16)?;
        }
    }
    for (id, _) in program.cells.iter().filter(|(_, cell)| cell.live) {
        layout.cells[id] = space.take(8, 8)?;
    }
    for (id, global) in program.globals.iter().filter(|(_, global)| global.live && !global.frozen) {
        let size = if global.ty.value == ValType::V128 { 16 } else { 8 };
        layout.globals[id] = space.take(size, size)?;
    }
    for (id, _) in program.data.iter().filter(|(_, data)| data.live) {
        layout.data_lengths[id] = space.take(8, 8)?;
    }
    for (id, _) in program.elems.iter().filter(|(_, elem)| elem.live) {
        layout.elem_lengths[id] = space.take(8, 8)?;
    }
    Ok(())
}

fn place_mutable_tables(program: &Program, layout: &mut Layout, space: &mut Space) -> Result<()> {
    let is_mutable = |id: &TableId| program.tables[*id].live && !program.tables[*id].frozen;
    let tables: Vec<TableId> = program.tables.keys().filter(is_mutable).collect();
    let mut states = Vec::with_capacity(tables.len());
    for _ in &tables {
        states.push(space.take_array(1, TableState::BYTES)?);
    }
    // The elements come last: most of them are null, and zeros at the end take no file space.
    for (id, state) in tables.into_iter().zip(states) {
        let ty = &program.tables[id].ty;
        let elements = space.take_array(ty.min, 8)?;
        // A table that cannot grow stays where it is.
        let fixed = (ty.max == Some(ty.min)).then_some((elements, ty.min));
        layout.tables[id] = TablePlace::Mutable { state, elements, fixed };
    }
    Ok(())
}

fn place_memories(
    program: &Program,
    options: &Options,
    far_memory_base: u64,
    layout: &mut Layout,
) -> Result<()> {
    let hot = find_hot_memory(program);
    let mut far = far_memory_base;
    let mut colours = 0;
    for (id, memory) in program.memories.iter().filter(|(_, memory)| memory.live) {
        let ty = &memory.ty;
        let page_bytes = 1u64 << ty.page_size_log2;
        let min_bytes = ty.min_pages.saturating_mul(page_bytes);
        let type_max_bytes = ty.max_pages.unwrap_or(u64::MAX).saturating_mul(page_bytes);
        let limit = match (ty.memory64, ty.page_size_log2) {
            (true, _) => MEMORY64_BYTES_MAX,
            (false, 0) => BYTE_PAGES_MAX,
            (false, _) => MEMORY32_BYTES_MAX,
        };
        if min_bytes > limit {
            return Err(Error::unsupported(format!("a memory of more than {limit} bytes")));
        }
        let place = &mut layout.memories[id];
        place.max_bytes = type_max_bytes.min(limit);
        place.check = match options.memory_mode {
            MemoryMode::Guard if !ty.memory64 && ty.page_size_log2 == 16 => BoundsCheck::Guard,
            _ => BoundsCheck::Explicit,
        };
        if hot == Some(id) {
            place.base = layout.state_end.next_multiple_of(PAGE_BYTES_MAX);
            continue;
        }
        place.base = far + colour_bytes(colours, options, place.check);
        colours += 1;
        far += place.max_bytes.next_multiple_of(MEMORY_STRIDE_BYTES).max(MEMORY_STRIDE_BYTES);
        if far > MEMORY_END_MAX {
            return Err(Error::unsupported("more memories than fit the address space"));
        }
    }
    Ok(())
}

/// How far from the start of its part of the address space a memory begins. Caches find a line's
/// place by the lower bits of its address, and instances of one module, or modules of one compiler,
/// use the same addresses of their memories: if all began alike, those of a chain of components would
/// drive each other out of the second cache. Where a window follows, more than this is left between
/// it and the next memory.
fn colour_bytes(colours: u64, options: &Options, check: BoundsCheck) -> u64 {
    const COLOURS: u64 = 16;
    match check {
        BoundsCheck::Guard => colours % COLOURS * options.target.page_bytes(),
        BoundsCheck::Explicit => 0,
    }
}

/// The memory that the most code accesses, among those that 32 bits index.
fn find_hot_memory(program: &Program) -> Option<MemoryId> {
    let mut weights = SecondaryMap::<MemoryId, u64>::new();
    for func in program.funcs.values().filter(|func| func.live) {
        if let FuncKind::Wasm { instance, body } = func.kind {
            let instance = &program.core_instances[instance];
            let summary = &program.modules[instance.module].bodies[body as usize].summary;
            for memory in &summary.memories {
                weights[instance.memories[*memory as usize]] += u64::from(summary.operators);
            }
        }
    }
    let memories = program.memories.iter();
    let near = memories.filter(|(_, memory)| memory.live && !memory.ty.memory64);
    // The first one wins a tie.
    near.map(|(id, _)| id).rev().max_by_key(|id| weights[*id])
}
