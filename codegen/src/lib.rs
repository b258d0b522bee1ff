//! A program to an object, and objects to an executable.
//!
//! Reads the [`wasmelt_flatten::program::Program`] and the bytes of the bodies
//! that it names; nothing earlier. Holds afterwards: every live function is
//! compiled, every symbol is defined, and every access that generated code makes
//! is checked or covered by a rule of `docs/safety.md`.

pub mod adapter;
pub mod call_graph;
pub mod compile;
pub mod data;
pub mod emit;
pub mod env;
pub mod generate;
pub mod init;
pub mod inline;
pub mod layout;
pub mod link;
pub mod memory;
pub mod object;
pub mod options;
pub mod places;
pub mod regions;
pub mod script;
pub mod tables;
pub mod translate;

pub use wasmelt_flatten::{error, interface, module, program, types};
