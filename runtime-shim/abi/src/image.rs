//! What the compiler tells the shim about the program: one constant record.

/// The record behind the symbol [`crate::symbols::IMAGE`].
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Image {
    /// Address of the first byte of compiled guest code.
    pub text_start: u64,
    /// Number of bytes of compiled guest code.
    pub text_bytes: u64,
    /// Where code traps and what it stems from: the entries that `traps` describes.
    pub traps: u64,
    /// Number of their bytes.
    pub traps_bytes: u64,
    /// Names, each ended by a zero byte; the empty one first.
    pub names: u64,
    /// Address of the first `MemoryState`; they lie side by side.
    pub memories: u64,
    /// How many there are.
    pub memory_count: u64,
    /// What the builder grants, as `docs/grants.md` says.
    pub grants: u64,
    /// Number of its bytes.
    pub grants_bytes: u64,
    /// The `Step`s by which a library prepares its memories; none in an executable.
    pub steps: u64,
    /// How many there are.
    pub step_count: u64,
}

impl Image {
    /// Number of 64-bit words of the record.
    pub const WORDS: usize = 11;
}

/// The trap table: entries one behind the other, read from the first on, because it is read once in
/// a program's life and should take little of its file. Numbers are unsigned LEB128.
///
/// An entry begins with a number: how many bytes of text it lies behind the entry before it (the
/// first: behind the text's start), times four, plus its kind. It applies from there on.
pub mod traps {
    /// The instruction here traps by itself. A byte follows, the `Trap` code, then the wasm byte
    /// offset in its file, as the difference from that of the trap before it, in zigzag form (even:
    /// half of it; odd: minus half of what is one more). An offset of 0 is unknown.
    pub const TRAP: u32 = 0;
    /// The code belongs to the component instance whose name lies at the offset in `Image::names`
    /// that follows; 0 is none.
    pub const COMPONENT: u32 = 1;
    /// It stems from the function whose name lies at the offset in `Image::names` that follows.
    pub const NAMED: u32 = 2;
    /// It stems from the function whose index in its module is one less than the number that
    /// follows; 0 is unknown.
    pub const NUMBERED: u32 = 3;
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
