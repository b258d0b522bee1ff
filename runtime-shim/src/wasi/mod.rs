//! Host functions: WASI 0.2, and preview 1 for core modules (`preview1`).
//!
//! Each function's type is declared in `abi/wit`; its symbol and native signature follow from that
//! by the rules of `docs/native-abi.md`, and a test holds the two together. What is declared is
//! implemented as declared.
//!
//! Representations: streams, descriptors and pollables are indices of tables; an `error` is the
//! error number itself and needs no table.

#![allow(
    clippy::missing_safety_doc,
    clippy::too_many_arguments,
    reason = "adapters alone call these functions, with parameters that are flat and checked"
)]

pub mod abi;
pub mod cli;
pub mod clocks;
pub mod error_code;
mod files;
pub mod filesystem;
mod grants;
pub mod io;
pub mod preview1;
pub mod random;
pub mod sockets;
