//! What a library does before its first call: nobody maps its memories for it.

/// One step, in order. The image record points at the first.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Step {
    /// A [`StepKind`].
    pub kind: u64,
    /// Address of the first byte.
    pub address: u64,
    /// How many bytes.
    pub size_bytes: u64,
    /// Where the contents lie that are copied.
    pub source: u64,
}

impl Step {
    /// Number of 64-bit words of the record.
    pub const WORDS: usize = 4;
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum StepKind {
    /// Takes address space that must be free, without access to it.
    Reserve = 1,
    /// Makes reserved space readable, writable and zero.
    Map = 2,
    /// Copies contents there.
    Copy = 3,
    /// Takes the right to write away.
    Protect = 4,
}
