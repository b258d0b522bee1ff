//! What generated code and the runtime shim share: symbol names, record layouts,
//! trap codes and the addresses of the executable. Nothing here has behaviour.
//!
//! All records are `repr(C)` with 64-bit pointers, in the target's byte order;
//! the offsets that generated code uses are constants beside them, and a test
//! holds the two together.

#![no_std]

pub mod handles;
pub mod image;
pub mod library;
pub mod preview1;
pub mod processor;
pub mod script;
pub mod state;
pub mod symbols;
pub mod trap;
pub mod wit;

/// Where things lie in an executable's address space. See `docs/memory-layout.md`.
pub mod addresses {
    /// The mutable state of the program: globals, tables, handle tables, descriptors.
    /// On x86-64 every address below 2 GiB folds into an instruction's displacement.
    pub const STATE_BASE: u64 = 0x40_0000;
    /// Largest size of the state. Below it all addresses of an executable fold into displacements,
    /// and the hot memory's window ends more than 1 GiB below the stack.
    pub const STATE_BYTES_MAX: u64 = 0x1000_0000;
    /// Alignment of the state's end and of each memory: the largest page size of any target.
    pub const PAGE_BYTES_MAX: u64 = 0x1_0000;
    /// The reach of a 32-bit index plus an offset below `OFFSET_MAX` plus the widest access:
    /// this much from a memory's base on is either the memory or unmapped.
    pub const MEMORY_WINDOW_BYTES: u64 = 0x1_8000_0000;
    /// Offsets from here on are checked explicitly.
    pub const OFFSET_MAX: u64 = 0x7fff_0000;
    /// The guest's stack, growing down from `STACK_BASE + STACK_BYTES`; below it lie more than
    /// 1 GiB that nothing maps.
    pub const STACK_BASE: u64 = 0x2_0001_0000;
    /// Size of the guest's stack: 8 MiB, as a main thread has by default.
    pub const STACK_BYTES: u64 = 0x80_0000;
    /// The file header, then text and constants; in the same 2 MiB as the stack's top, so that
    /// both need one page of page table.
    pub const TEXT_BASE: u64 = STACK_BASE + STACK_BYTES;
    /// The second memory; further ones follow `MEMORY_STRIDE_BYTES` apart.
    pub const FAR_MEMORY_BASE: u64 = 0x10_0000_0000;
    /// Distance between the bases of memories beyond the first.
    pub const MEMORY_STRIDE_BYTES: u64 = 0x2_0000_0000;
    /// No memory reaches beyond this address: what every 47-bit address space leaves to programs.
    pub const MEMORY_END_MAX: u64 = 0x4000_0000_0000;
    /// The file's header takes this much at the start of the state, if part of the state is
    /// constant: then both share the file's first page.
    pub const STATE_HEADER_BYTES: u64 = 0x400;
    /// A memory's zero pages are mapped by the kernel up to here; start-up maps what is beyond,
    /// because a kernel that does not overcommit refuses to start a program with more.
    pub const MEMORY_MAPPED_MAX_BYTES: u64 = 0x1000_0000;
    /// A library's state, memories and windows lie between two multiples of this that nothing
    /// else of its process uses: its slot.
    pub const SLOT_BYTES: u64 = 0x8_0000_0000;
    /// Distance of a library's second memory from the start of its slot; the hot one lies before.
    pub const SLOT_FAR_MEMORY_OFFSET: u64 = MEMORY_STRIDE_BYTES;
}
