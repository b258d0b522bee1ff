//! WASI preview 1, for core modules that import it.
//!
//! A function gets the memory of the core instance that calls and finds its parameters' bytes and
//! the places of its results there. Each pointer is checked: one that leads out of the memory or is
//! not aligned is a trap, as the interface's documents want it. What is behind the functions is
//! WASI 0.2's: the same files, the same way to resolve paths, the same grants.
//!
//! | module | functions |
//! |---|---|
//! | `process` | arguments, environment, exit, clocks, random bytes |
//! | `transfer` | reading and writing |
//! | `attributes` | what is known of descriptors and files |
//! | `control` | what else is done with descriptors: closing, moving, seeking, sockets |
//! | `paths` | what takes a path |
//! | `readdir` | listing folders |
//! | `poll` | waiting |
//!
//! The others are `descriptors`, the numbers that a guest knows its files by; `memory`, checked
//! access; `errno` and `flags`, the numbers of errors and of sets of flags.

pub mod attributes;
pub mod control;
mod descriptors;
mod errno;
mod flags;
mod memory;
pub mod paths;
pub mod poll;
pub mod process;
pub mod readdir;
pub mod transfer;

use rustix::io::Errno;

/// What a function returns: an error number, 0 for none.
fn status(result: Result<(), Errno>) -> u32 {
    match result {
        Ok(()) => 0,
        Err(errno) => errno::number(errno),
    }
}
