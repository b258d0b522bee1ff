//! Component instances' state: the handle table and the guards.
//!
//! Indices are normative: dense from 1, the last one freed is used first
//! (`CanonicalABI.md`, "Table State").

/// The state of a component instance that has handles or observable guards.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ComponentState {
    /// Address of entry 0, which is never used.
    pub entries: u64,
    /// Number of entries that fit where `entries` points.
    pub capacity: u32,
    /// The lowest index that was never used; at least 1.
    pub next: u32,
    /// The free entry that is used next; 0 is none.
    pub free: u32,
    /// Borrow handles that the current task still holds.
    pub borrows: u32,
    /// 1 if the instance may call out.
    pub may_leave: u32,
    /// 1 if the instance may be entered.
    pub may_enter: u32,
}

impl ComponentState {
    /// Offset of `entries`.
    pub const ENTRIES: i32 = 0;
    /// Offset of `capacity`.
    pub const CAPACITY: i32 = 8;
    /// Offset of `next`.
    pub const NEXT: i32 = 12;
    /// Offset of `free`.
    pub const FREE: i32 = 16;
    /// Offset of `borrows`.
    pub const BORROWS: i32 = 20;
    /// Offset of `may_leave`.
    pub const MAY_LEAVE: i32 = 24;
    /// Offset of `may_enter`.
    pub const MAY_ENTER: i32 = 28;
    /// Size of the record.
    pub const BYTES: u64 = 32;
    /// Entries that lie in the program's state from the start.
    pub const INITIAL_CAPACITY: u32 = 32;
    /// Largest number of handles.
    pub const HANDLES_MAX: u32 = (1 << 28) - 1;
}

/// An entry of a handle table.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Handle {
    /// The resource's representation; in a free entry the next free index.
    pub rep: u32,
    /// 0: free. Else the resource's number + 1, times 2, plus 1 for a borrow handle.
    pub kind: u32,
    /// How often it is lent at the moment.
    pub lends: u32,
    /// While the handle is lent by way of a list or a variant: the index + 1 of the next such
    /// handle of the same call, 1 for the last. Else 0.
    pub chain: u32,
}

impl Handle {
    /// Offset of `rep`.
    pub const REP: i32 = 0;
    /// Offset of `kind`.
    pub const KIND: i32 = 4;
    /// Offset of `lends`.
    pub const LENDS: i32 = 8;
    /// Offset of `chain`.
    pub const CHAIN: i32 = 12;
    /// Size of the record.
    pub const BYTES: u64 = 16;

    /// The `kind` of a handle to the resource of that number.
    pub const fn kind_of(resource: u32, borrow: bool) -> u32 {
        (resource + 1) * 2 + borrow as u32
    }
}
