//! Every limit of the frontend that the validator does not impose itself.
//!
//! Exceeding one is an error that names it; none is there to be hit by a
//! sensible program.

/// Largest input file. The validator's own limit for a nested module is the same.
pub const FILE_SIZE_MAX_BYTES: u64 = 1 << 30;

/// Most files that one build may load.
pub const FILES_MAX: usize = 10_000;

/// How deeply modules and components may nest in each other.
pub const COMPONENT_DEPTH_MAX: usize = 1_000;

/// How deeply component and instance types may nest in each other in the binary.
///
/// The validator's reader recurses once per level, so this bounds our own stack.
pub const TYPE_DEPTH_MAX: usize = 100;

/// How many levels of a value type a message spells out before it writes `...`.
pub const PRINTED_TYPE_DEPTH_MAX: usize = 3;

/// How many fields, cases or parameters a message lists before it writes `...`.
pub const PRINTED_TYPE_MEMBERS_MAX: usize = 8;
