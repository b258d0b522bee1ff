//! A composition to a [`Program`]: instantiates every component at compile time.
//!
//! Holds afterwards: there are no components left, only core instances, adapters
//! and host functions; every import of every core instance is one exact thing;
//! and the facts that code generation relies on are proved and verified.

pub mod interface;
pub mod program;

pub use wasmelt_frontend::{error, module, types};
