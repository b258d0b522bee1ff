//! What the compiler tells the script driver to do, and what the driver reports.
//!
//! The driver only acts and reports; what is expected stays with whoever started
//! the program, so that the part that runs in the guest's process is small.

/// An action of a script's program.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Action {
    /// Address of the trampoline of the function's type; 0: the action reads a global.
    pub trampoline: u64,
    /// Address of the function's code, or of the global's value.
    pub target: u64,
    /// Address of the arguments, `SLOT_BYTES` each.
    pub args: u64,
    /// Number of results; 1 if the action reads a global.
    pub results: u32,
    /// Size of the global's value in bytes.
    pub global_bytes: u32,
}

impl Action {
    /// Size of the record.
    pub const BYTES: u64 = 32;
}

/// Size of an argument's or a result's slot: the widest core value. A narrower value stands at
/// its start; the bytes behind a result are not defined.
pub const SLOT_BYTES: usize = 16;

/// Largest number of results of a function that a script calls.
pub const RESULTS_MAX: usize = 4096;

/// What became of an action. Behind it follow the results, `SLOT_BYTES` each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Report {
    /// The action's index.
    pub action: u32,
    /// The `Trap` code; 0: the action returned.
    pub trap: u16,
    /// How many results follow.
    pub results: u16,
}

impl Report {
    /// Size of the record.
    pub const BYTES: usize = 8;
}
