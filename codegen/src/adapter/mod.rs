//! Adapters and resource built-ins as CLIF functions.
//!
//! From a [`crate::program::Adapter`] (a component function's type, the caller's `canon lower` and
//! the callee's `canon lift`) to one function that takes the caller's core values, gives the
//! callee its own, calls it and brings the result back. Nothing is represented in between: the
//! generator recurses over the interface type once and moves each value from where the caller has
//! it to where the callee wants it (`copy`), so a value of numbers costs a few moves.
//!
//! Each side is an [`endpoint::Endpoint`]: guest code with its memory, `realloc` and string
//! encoding, or native code (a host function, or whoever calls an export), which is the same ABI
//! over native memory (`docs/native-abi.md`).
//!
//! | file | what it knows |
//! |---|---|
//! | `call` | the order of a whole call: guards, parameters, the call, results, `post-return` |
//! | `shape` | what is known about a call before: core signatures, what the types mention |
//! | `copy` | the recursion over the type; records and fixed-length lists; block moves |
//! | `scalars` | lifting (with its checks) and lowering of one number, `char`, enum or flags |
//! | `variants`, `lists`, `strings` | what their names say |
//! | `handles` | the handle tables as inline code: own, borrow, lend counts |
//! | `resource_ops` | `resource.new`, `resource.rep`, `resource.drop` |
//! | `cells` | `context.get` and `.set`, `backpressure.inc` and `.dec`; a task's own numbers |
//! | `endpoint` | memory, `realloc` and checks of one side |
//! | `abi_layout` | sizes, alignments and flat types |
//! | `guards` | which guards a call has and why it lacks the others, for reports |
//! | `missing` | what is not implemented, in the program of a script |
//!
//! Follows `CanonicalABI.md`. Lifting and lowering interleave, which nobody can observe: lifting
//! only reads, and every fault ends the program.

pub(crate) mod abi_layout;
mod call;
mod cells;
mod copy;
mod endpoint;
mod generator;
mod guards;
mod handles;
mod lists;
mod missing;
mod resource_ops;
mod scalars;
mod shape;
mod strings;
#[cfg(test)]
mod tests;
mod variants;

pub use call::build_adapter;
pub use cells::build_cell_op;
pub use guards::{Guard, is_foreign_drop, list_drop_guards, list_guards};
pub use missing::build_missing;
pub use resource_ops::build_resource_op;
