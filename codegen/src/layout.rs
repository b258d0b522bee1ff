//! Addresses: where every memory, global, table and record of the program lies.
//!
//! Everything mutable has an address that is known before the first function is
//! compiled, so generated code holds it as a constant. What is small lies in the
//! state region (`abi::addresses::STATE_BASE`), the hot memory right behind it.

use crate::program::{ComponentInstanceId, DataId, ElemId, FuncId, GlobalId, MemoryId, TableId};
use cranelift_entity::SecondaryMap;

/// The addresses of the program's state. Entries of things that are not live are 0.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Each memory's place.
    pub memories: SecondaryMap<MemoryId, MemoryPlace>,
    /// Each table's place.
    pub tables: SecondaryMap<TableId, TablePlace>,
    /// Address of each global's value: 8 bytes, or 16 for a vector.
    pub globals: SecondaryMap<GlobalId, u64>,
    /// Address of each referenced function's `FuncRef`.
    pub func_refs: SecondaryMap<FuncId, u64>,
    /// Address of each component instance's `ComponentState`.
    pub components: SecondaryMap<ComponentInstanceId, u64>,
    /// Address of each passive data segment's current length in bytes, a `u64`.
    pub data_lengths: SecondaryMap<DataId, u64>,
    /// Address of each passive element segment's current length, a `u64`.
    pub elem_lengths: SecondaryMap<ElemId, u64>,
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
        /// Address of element 0 and the number of elements, if it never grows.
        fixed: Option<(u64, u64)>,
    },
}
