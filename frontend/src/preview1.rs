//! Core modules as input.
//!
//! A command, which exports `_start`, is built as it is: the host has the functions of preview 1.
//! A module with a world is made a component first, because what its exports mean stands in the
//! world, and so is a command for a library, which exports its `run`: it is put together with the published adapter, a core module that implements preview 1
//! with the interfaces of WASI 0.2. From there on it is a component like any other, and what of the
//! adapter it does not use is dropped with everything else that is unreachable.
//!
//! One function does not go through the adapter: its `proc_exit` knows success and failure only.
//! The module's import of it is given another module name, of the same length so that every
//! offset in the file stays what it was, and a second, tiny adapter under that name passes the
//! exit code on as it is.

use crate::error::{Error, Position, Result};
use crate::module::{Extern, Module};
use crate::source::{byte_offset, wasm_error};
use crate::types::CoreTypes;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as PREVIEW1, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// What the import of `proc_exit` is renamed to.
const EXIT: &str = "wasi_snapshot_exitcode";
const _: () = assert!(EXIT.len() == PREVIEW1.len());

/// The entry point of a command. A module without it is a library ("reactor").
const START: &str = "_start";

/// The memory that functions of WASI work on.
const MEMORY: &str = "memory";

/// The custom sections in which binding generators leave a module's world.
const WORLD_SECTION_PREFIX: &str = "component-type";

/// The interface that the exit adapter needs, as the other adapter declares it.
const EXIT_WIT: &str = "
    package wasmelt:exit;
    world exit { import wasi:cli/exit@0.2.12; }
    package wasi:cli@0.2.12 {
        interface exit {
            @since(version = 0.2.0)
            exit: func(status: result);
            @since(version = 0.2.12)
            exit-with-code: func(status-code: u8);
        }
    }";

/// The exit adapter. Its trap is out of reach, because the host's function does not return.
const EXIT_ADAPTER: &str = r#"
    (module
      (import "wasi:cli/exit@0.2.12" "exit-with-code" (func $exit (param i32)))
      (func (export "proc_exit") (param i32)
        local.get 0
        call $exit
        unreachable))"#;

/// Whether a core module is a command; else it has a world. `bytes` is its file.
pub fn is_command(types: &CoreTypes, module: &Module, bytes: &[u8]) -> Result<bool> {
    let has_world = has_world(bytes)?;
    let start = match module.exports.get(START) {
        Some(Extern::Func(index)) => types[module.funcs[*index as usize]].func(),
        _ if has_world => return Ok(false),
        _ => {
            let message = "the core module neither exports `_start` nor says which world it is for";
            let help = "`_start` is the entry point of a command; `wasm-tools component embed` \
                        adds a world";
            return Err(Error::invalid(message).help(help));
        }
    };
    if start.is_none_or(|start| !(start.params.is_empty() && start.results.is_empty())) {
        let message = "the core module's `_start` has parameters or results";
        return Err(Error::invalid(message).help("a command's entry point has neither"));
    }
    if has_world {
        return Ok(false);
    }
    if module.imports.iter().any(|import| import.module == PREVIEW1) {
        require_memory(module)?;
    }
    Ok(true)
}

/// Functions of preview 1 find what their parameters point at in the memory of that name.
fn require_memory(module: &Module) -> Result<()> {
    if matches!(module.exports.get(MEMORY), Some(Extern::Memory(_))) {
        return Ok(());
    }
    let message = "the core module exports no memory under the name `memory`";
    Err(Error::invalid(message).help("functions of WASI read and write there"))
}

/// Turns a core module with a world into the binary of a component; `bytes` is its file.
pub fn componentize_module(module: &Module, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    require_memory(module)?;
    let exits = redirect_exit(&mut bytes)?;
    let adapter = match module.exports.contains_key(START) {
        true => WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
        false => WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
    };
    encode_component(&bytes, adapter, exits)
}

/// Whether a binding generator left a world in the module.
fn has_world(bytes: &[u8]) -> Result<bool> {
    for payload in Parser::new(0).parse_all(bytes) {
        if let Payload::CustomSection(section) = payload.map_err(wasm_error)?
            && section.name().starts_with(WORLD_SECTION_PREFIX)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Renames the module that `proc_exit` is imported from, in place. Whether there was any.
fn redirect_exit(bytes: &mut [u8]) -> Result<bool> {
    let mut offsets = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        if let Payload::ImportSection(section) = payload.map_err(wasm_error)? {
            let start = byte_offset(section.range().start);
            for import in section.into_imports_with_offsets() {
                let (offset, import) = import.map_err(wasm_error)?;
                if import.module == PREVIEW1 && import.name == "proc_exit" {
                    offsets.push(byte_offset(offset).max(start));
                }
            }
        }
    }
    for offset in &offsets {
        // The name follows its length, one byte in the shortest encoding.
        let name = bytes.get_mut(offset + 1..offset + 1 + PREVIEW1.len());
        match name.filter(|name| *name == PREVIEW1.as_bytes()) {
            Some(name) => name.copy_from_slice(EXIT.as_bytes()),
            None => {
                let what = "an import of `proc_exit` that is not encoded in the shortest way";
                return Err(Error::unsupported(what).at(Position::Offset(*offset)));
            }
        }
    }
    Ok(!offsets.is_empty())
}

/// Wraps the module, with the exit adapter if it is needed.
fn encode_component(bytes: &[u8], adapter: &[u8], exits: bool) -> Result<Vec<u8>> {
    let mut encoder = ComponentEncoder::default();
    // What comes out is validated like any other input.
    encoder.validate(false);
    let encode = |encoder: &mut ComponentEncoder| {
        encoder.module(bytes)?.adapter(PREVIEW1, adapter)?;
        if exits {
            encoder.adapter(EXIT, &make_exit_adapter())?;
        }
        encoder.encode()
    };
    encode(&mut encoder).map_err(|error| {
        // The contexts tell how far the encoder came; the cause is about the module. Some causes
        // are laid out in lines.
        let cause = error.root_cause().to_string();
        let cause = cause.split_whitespace().collect::<Vec<_>>().join(" ");
        Error::invalid(format!("the core module cannot be made a component: {cause}"))
    })
}

/// The exit adapter's binary, with the declaration of what it imports.
fn make_exit_adapter() -> Vec<u8> {
    let mut resolve = Resolve::new();
    let package = resolve.push_str("exit.wit", EXIT_WIT).expect("the constant is well formed");
    let world = resolve.select_world(&[package], None).expect("the package has one world");
    let mut module = wat::parse_str(EXIT_ADAPTER).expect("the constant is well formed");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .expect("the world has what the module imports");
    module
}
