//! Records of the program's mutable state. They lie at fixed addresses.

/// A linear memory at run time.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct MemoryState {
    /// Address of byte 0.
    pub base: u64,
    /// Current size in bytes.
    pub size_bytes: u64,
    /// Largest size in bytes: the type's, and never more than the address space set aside.
    pub max_bytes: u64,
    /// Base 2 logarithm of the page size in bytes.
    pub page_size_log2: u64,
    /// How many bytes from `base` on the kernel has mapped when the process starts. Start-up maps
    /// the rest of `size_bytes`, zero and without reserving memory for it.
    pub mapped_bytes: u64,
}

impl MemoryState {
    /// Offset of `base`.
    pub const BASE: i32 = 0;
    /// Offset of `size_bytes`.
    pub const SIZE_BYTES: i32 = 8;
    /// Size of the record.
    pub const BYTES: u64 = 40;
}

/// A table that is not frozen, at run time. Its elements are 8 bytes each:
/// a function reference is the address of its `FuncRef`, null is 0.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TableState {
    /// Address of element 0.
    pub elements: u64,
    /// Current number of elements.
    pub size: u64,
    /// Largest number of elements.
    pub max: u64,
    /// Number of elements that fit where `elements` points.
    pub capacity: u64,
}

impl TableState {
    /// Offset of `elements`.
    pub const ELEMENTS: i32 = 0;
    /// Offset of `size`.
    pub const SIZE: i32 = 8;
    /// Size of the record.
    pub const BYTES: u64 = 32;
}

/// What a function reference points at; also an element of a frozen table, in place.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct FuncRef {
    /// Address of the code; 0 is a null element of a frozen table.
    pub code: u64,
    /// The function's core type, as `FuncRef::type_word` has it.
    pub ty: u32,
    /// Always 0.
    pub padding: u32,
}

impl FuncRef {
    /// The `ty` of a function of the core type of that number. It is never 0, which a null element
    /// of a frozen table has, so that one comparison finds both null and another type.
    pub const fn type_word(core_type: u32) -> u32 {
        core_type + 1
    }

    /// Offset of `code`.
    pub const CODE: i32 = 0;
    /// Offset of `ty`.
    pub const TYPE: i32 = 8;
    /// Size of the record.
    pub const BYTES: u64 = 16;
}
