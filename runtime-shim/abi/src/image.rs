//! What the compiler tells the shim about the program: one constant record.

/// The record behind the symbol [`crate::symbols::IMAGE`].
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Image {
    /// Address of the first byte of compiled guest code.
    pub text_start: u64,
    /// Number of bytes of compiled guest code.
    pub text_bytes: u64,
    /// Offsets from `text_start` of the instructions that trap by themselves, ascending, `u32` each.
    pub trap_offsets: u64,
    /// The `Trap` code of each, `u8` each.
    pub trap_codes: u64,
    /// The wasm byte offset of each in its file, `u32` each; 0 is unknown.
    pub trap_places: u64,
    /// How many there are.
    pub trap_count: u64,
    /// Offsets from `text_start` of the functions, ascending, `u32` each.
    pub func_offsets: u64,
    /// The `FuncName` of each.
    pub func_names: u64,
    /// How many there are.
    pub func_count: u64,
    /// Names, each ended by a zero byte.
    pub names: u64,
    /// Address of the first `MemoryState`; they lie side by side.
    pub memories: u64,
    /// How many there are.
    pub memory_count: u64,
    /// What the builder grants, as `docs/grants.md` says.
    pub grants: u64,
    /// Number of its bytes.
    pub grants_bytes: u64,
}

impl Image {
    /// Number of 64-bit words of the record.
    pub const WORDS: usize = 14;
}

/// The names of a function: offsets from `Image::names`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct FuncName {
    /// The component instance's name; empty for what belongs to none.
    pub component: u32,
    /// The function's name.
    pub func: u32,
}

/// What a grant record's first byte says. A grant is that byte, then its strings, each a
/// little-endian `u32` length and the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Grant {
    /// A folder: host path, guest path.
    Dir = 1,
    /// A folder that may only be read: host path, guest path.
    DirReadOnly = 2,
    /// An environment variable: name, value.
    Env = 3,
    /// An environment variable whose value is the caller's: name.
    EnvInherit = 4,
    /// The caller's whole environment.
    EnvInheritAll = 5,
    /// Connections that the program opens, and names that it looks up.
    NetworkOutbound = 6,
    /// Those, and connections that others open to it.
    NetworkAll = 7,
}

/// Variables of the caller's environment that change the grants at run time, `docs/grants.md`.
pub mod variables {
    /// Adds folders.
    pub const DIR: &str = "WASMELT_DIR";
    /// Adds environment variables.
    pub const ENV: &str = "WASMELT_ENV";
    /// Adds the network.
    pub const NETWORK: &str = "WASMELT_NETWORK";
    /// Takes away, whoever granted it.
    pub const DENY: &str = "WASMELT_DENY";
    /// Separates the parts of a variable's value.
    pub const SEPARATOR: u8 = b';';
}
