//! Core modules as input: the place where preview 1 modules become components.
//!
//! Componentizing is not built yet, so a core module is refused with the way to
//! turn it into a component beforehand.

use crate::error::{Error, Result};
use crate::module::Module;

/// The import module name of the functions of WASI preview 1.
const PREVIEW1: &str = "wasi_snapshot_preview1";

/// Turns a core module's file into the binary of a component.
pub fn componentize_module(module: &Module) -> Result<Vec<u8>> {
    let uses_preview1 = module.imports.iter().any(|import| import.module == PREVIEW1);
    let error = if uses_preview1 {
        Error::unsupported("a core module that imports WASI preview 1 as the program")
    } else {
        Error::unsupported("a core module as the program")
    };
    let adapter = if uses_preview1 { " --adapt wasi_snapshot_preview1.command.wasm" } else { "" };
    Err(error.help(format!(
        "turn it into a component first: `wasm-tools component new MODULE{adapter} -o COMPONENT`"
    )))
}
