//! The runtime shim: what a produced executable contains besides the guests' code.
//!
//! Freestanding: no libc, no allocator, no formatting machinery. It is compiled to one
//! relocatable object with every function in a section of its own, and the linker keeps only what
//! the program reaches. So nothing here may refer to more than it needs: no tables of all host
//! functions, no registries, no initialisers that run "just in case".
//!
//! | module | what it holds |
//! |---|---|
//! | `start` | the entry point and what the process was started with |
//! | `library` | the same for a program inside someone else's process |
//! | `traps`, `trap_table` | signal handlers, the classification of faults, the message |
//! | `memory` | growth of memories, tables and handle tables; atomic waits |
//! | `block`, `libcalls` | `memcpy` and its kin; what Cranelift calls where the target has no instruction |
//! | `scratch`, `utf8` | what adapters need besides |
//! | `script` | the driver of test scripts |
//! | `processor` | whether the processor has what a program was built for |
//! | `pages`, `slab`, `single` | mappings, tables of resources, state of a program with one thread |
//! | `wasi` | the host functions |
//!
//! A program has one thread. Shim functions run on the guest's stack, so frames stay small;
//! running off its end inside the shim is found like anywhere else.
//!
//! The tests build this crate with `std`: they call host functions as adapters would.

#![cfg_attr(not(test), no_std)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod abort;
mod arch;
pub mod block;
pub mod libcalls;
#[cfg(not(test))]
pub mod library;
mod line;
pub mod memory;
mod pages;
pub mod processor;
pub mod scratch;
pub mod script;
mod single;
mod slab;
#[cfg(not(test))]
pub mod start;
#[cfg(test)]
#[path = "start_for_tests.rs"]
pub mod start;
pub mod strings;
mod trap_table;
pub mod traps;
pub mod utf8;
pub mod wasi;

/// A panic is a mistake of ours. It says nothing more, because what could would be larger than
/// most programs. Only a program's own build has it: where the whole workspace is checked, another
/// crate's wish for `std` reaches this one's dependencies, and `std` has a handler.
#[cfg(all(not(test), panic = "abort"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    abort::broken_invariant()
}
