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
    /// Address of the result's shape, if it lies in memory: then the last argument stands for the
    /// address of `RESULT_AREA_BYTES` bytes for it. Otherwise 0.
    pub shape: u64,
    /// Address of the path of the file that the action is reported to, ended by a zero byte; then a
    /// trap ends the program. 0: to standard output, and a trap ends the action.
    pub report: u64,
    /// Number of results in slots; 1 if the action reads a global.
    pub results: u32,
    /// Size of the global's value in bytes.
    pub global_bytes: u32,
    /// Number of arguments.
    pub arg_count: u32,
    /// Always 0.
    pub padding: u32,
}

impl Action {
    /// Size of the record.
    pub const BYTES: u64 = 56;
}

/// Where things lie in memory that are to be reported: a tree of words. A node is one of these
/// and its operands; children are word indices in the same array, and the root is at 0.
pub mod shape {
    /// Bytes to report as they are: how many.
    pub const PLAIN: u32 = 0;
    /// A pointer and a number of elements, 8 bytes each: the element's size and its node. The
    /// number is reported, then the elements.
    pub const LIST: u32 = 1;
    /// Parts at fixed places: how many, then for each its offset and its node.
    pub const FIELDS: u32 = 2;
    /// A discriminant, and what it says is behind it: the discriminant's size, the number of
    /// cases, then for each the offset and the node, or `NOTHING`. The discriminant is reported,
    /// then what is behind it.
    pub const CASES: u32 = 3;
    /// Elements side by side: how many, each one's size, the element's node.
    pub const ARRAY: u32 = 4;
    /// A case without a payload.
    pub const NOTHING: u32 = u32::MAX;
}

/// Room for a result that lies in memory.
pub const RESULT_AREA_BYTES: usize = RESULTS_MAX * SLOT_BYTES;

/// Largest number of arguments of a function whose result lies in memory.
pub const AREA_ARGS_MAX: usize = 17;

/// Size of an argument's or a result's slot: the widest core value. A narrower value stands at
/// its start; the bytes behind a result are not defined.
pub const SLOT_BYTES: usize = 16;

/// Largest number of results of a function that a script calls.
pub const RESULTS_MAX: usize = 4096;

/// What became of an action. Behind it follow the results, `SLOT_BYTES` each, or if the action
/// has a shape and has not trapped, the bytes that the shape selects, in its order.
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
