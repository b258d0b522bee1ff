//! Alias regions: what tells Cranelift that two accesses cannot touch the same bytes.
//!
//! Every linear memory, global, table and piece of bookkeeping is a region of its
//! own. An access without a region is taken to touch everything, so no access of
//! generated code goes without one. Regions are merged by number when a function
//! is inlined into another, so the numbers are the same in every function.

use crate::program::{ComponentInstanceId, GlobalId, MemoryId, TableId};
use cranelift_codegen::ir::{
    self, AliasRegion, AliasRegionData, Endianness, MemFlagsData, TrapCode,
};
use cranelift_entity::EntityRef;
use std::borrow::Cow;

/// Bytes that no access through another region can touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// The contents of a linear memory.
    Memory(MemoryId),
    /// The `MemoryState` of a linear memory.
    MemoryState(MemoryId),
    /// The value of a global.
    Global(GlobalId),
    /// The elements of a table that can change.
    Table(TableId),
    /// The `TableState` of a table.
    TableState(TableId),
    /// The `ComponentState` of a component instance, and its handle table.
    Component(ComponentInstanceId),
    /// The current lengths of all passive segments.
    SegmentLengths,
    /// Everything constant: `FuncRef`s, frozen tables, the bytes of passive segments.
    Constants,
    /// Memory of the host's side of an adapter: its stack slots, and what host functions point at.
    Native,
}

/// Regions of one kind beyond this number share. Cranelift allows 65,535 different sets of flags
/// in one function, and a function may name more globals than that.
pub const REGIONS_PER_KIND_MAX: usize = 2048;

impl Region {
    /// The kind's number and name, and the number within the kind.
    fn parts(self) -> (u32, &'static str, usize) {
        match self {
            Region::Memory(memory) => (0, "memory", memory.index()),
            Region::MemoryState(memory) => (1, "memory state", memory.index()),
            Region::Global(global) => (2, "global", global.index()),
            Region::Table(table) => (3, "table", table.index()),
            Region::TableState(table) => (4, "table state", table.index()),
            Region::Component(component) => (5, "component", component.index()),
            Region::SegmentLengths => (6, "segment lengths", 0),
            Region::Constants => (7, "constants", 0),
            Region::Native => (8, "native", 0),
        }
    }
}

/// What a function's alias region stands for. Things that share a region are not told apart: the
/// number is that of the first of them.
pub fn region_kind(func: &ir::Function, region: AliasRegion) -> Region {
    let user_id = func.dfg.alias_regions[region].user_id as usize;
    let index = user_id % REGIONS_PER_KIND_MAX;
    match user_id / REGIONS_PER_KIND_MAX {
        0 => Region::Memory(MemoryId::new(index)),
        1 => Region::MemoryState(MemoryId::new(index)),
        2 => Region::Global(GlobalId::new(index)),
        3 => Region::Table(TableId::new(index)),
        4 => Region::TableState(TableId::new(index)),
        5 => Region::Component(ComponentInstanceId::new(index)),
        6 => Region::SegmentLengths,
        7 => Region::Constants,
        _ => Region::Native,
    }
}

/// The function's alias region for `region`.
fn alias_region(func: &mut ir::Function, region: Region) -> AliasRegion {
    let (kind, name, index) = region.parts();
    let index = index % REGIONS_PER_KIND_MAX;
    let user_id = kind * REGIONS_PER_KIND_MAX as u32 + index as u32;
    if let Some(known) = func.dfg.alias_regions.get(user_id) {
        return known;
    }
    let description = Cow::Owned(format!("{name} {index}"));
    func.dfg.alias_regions.insert(AliasRegionData { user_id, description })
}

/// Flags for an access that cannot trap and is aligned, in the target's byte order: records, globals,
/// tables.
pub fn state_flags(func: &mut ir::Function, region: Region) -> MemFlagsData {
    MemFlagsData::trusted().with_alias_region(Some(alias_region(func, region)))
}

/// Flags for a load whose result never changes while the program runs, wherever it is executed.
pub fn constant_flags(func: &mut ir::Function, region: Region) -> MemFlagsData {
    state_flags(func, region).with_readonly().with_can_move()
}

/// Flags for a load from a constant record that lies behind an index or a null check.
pub fn checked_constant_flags(func: &mut ir::Function, region: Region) -> MemFlagsData {
    state_flags(func, region).with_readonly()
}

/// Flags for a load from a `FuncRef` through a reference that may be null: page 0 is never mapped, so
/// the load itself is the null check, and `trap` its trap (R1 of `docs/safety.md`).
pub fn null_checking_flags(func: &mut ir::Function, trap: TrapCode) -> MemFlagsData {
    checked_constant_flags(func, Region::Constants).with_trap_code(Some(trap))
}

/// Flags for an unaligned little-endian access that cannot trap: linear memory after a check.
pub fn trusted_memory_flags(func: &mut ir::Function, memory: MemoryId) -> MemFlagsData {
    let region = alias_region(func, Region::Memory(memory));
    MemFlagsData::new()
        .with_notrap()
        .with_endianness(Endianness::Little)
        .with_alias_region(Some(region))
}

/// Flags for a load from a linear memory that relies on the unmapped rest of the memory's window.
pub fn trapping_load_flags(func: &mut ir::Function, memory: MemoryId) -> MemFlagsData {
    trusted_memory_flags(func, memory).with_trap_code(Some(TrapCode::HEAP_OUT_OF_BOUNDS))
}

/// Flags for a store into a linear memory that relies on the unmapped rest of the memory's window.
///
/// Apart from loads because a store that is never observed could be dropped where a trap is the
/// end of the program, while a load whose result is not used must still trap.
pub fn trapping_store_flags(func: &mut ir::Function, memory: MemoryId) -> MemFlagsData {
    trapping_load_flags(func, memory)
}
