//! Core modules as the program.

use std::path::Path;
use wasmelt_frontend::composition::{Component, Def};
use wasmelt_frontend::error::Result;
use wasmelt_frontend::{Root, Session};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Makes a component of a module in text form; its exports' names.
fn exports_of(module: Vec<u8>) -> Result<Vec<String>> {
    let mut session = Session::new();
    let root = session.add_bytes(Path::new("main.wasm"), module)?;
    assert!(matches!(root, Root::Module(_)));
    let component = session.component_of(root)?;
    let Component { defs, .. } = &session.composition().components[component];
    let exports = defs.iter().filter_map(|def| match def {
        Def::Export(export) => Some(export.name.clone()),
        _ => None,
    });
    Ok(exports.collect())
}

#[test]
fn a_command_runs() {
    let module = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
    let module = wat::parse_str(module).expect("it is well formed");
    let exports = exports_of(module).expect("it is a command");
    assert_eq!(exports.len(), 1, "{exports:?}");
    assert!(exports[0].starts_with("wasi:cli/run@0.2."), "{exports:?}");
}

#[test]
fn a_library_exports_its_world() {
    let mut resolve = Resolve::new();
    let wit = "package a:b; world library { export twice: func(it: u32) -> u32; }";
    let package = resolve.push_str("library.wit", wit).expect("it is well formed");
    let world = resolve.select_world(&[package], None).expect("there is one");
    let module = r#"(module
      (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
      (memory (export "memory") 1)
      (func (export "twice") (param i32) (result i32)
        (drop (call $yield))
        (i32.add (local.get 0) (local.get 0))))"#;
    let mut module = wat::parse_str(module).expect("it is well formed");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .expect("the module fits the world");
    assert_eq!(exports_of(module).expect("it is a library"), ["twice"]);
}
