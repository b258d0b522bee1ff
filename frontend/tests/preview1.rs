//! Core modules as the program.

use std::path::Path;
use wasmelt_frontend::composition::{Component, Def};
use wasmelt_frontend::error::Result;
use wasmelt_frontend::{Root, Session};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Reads a module; what is built of it.
fn prepare(module: Vec<u8>) -> Result<(Session, Root)> {
    let mut session = Session::new();
    let root = session.add_bytes(Path::new("main.wasm"), module)?;
    assert!(matches!(root, Root::Module(_)));
    let root = session.prepare_root(root, false)?;
    Ok((session, root))
}

/// Makes a component of a module; its exports' names.
fn exports_of(module: Vec<u8>) -> Result<Vec<String>> {
    let (session, root) = prepare(module)?;
    let Root::Component(component) = root else { panic!("it stays a module") };
    let Component { defs, .. } = &session.composition().components[component];
    let exports = defs.iter().filter_map(|def| match def {
        Def::Export(export) => Some(export.name.clone()),
        _ => None,
    });
    Ok(exports.collect())
}

#[test]
fn a_command_stays_a_module() {
    let module = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
    let module = wat::parse_str(module).expect("it is well formed");
    let (_, root) = prepare(module).expect("it is a command");
    assert!(matches!(root, Root::Module(_)), "{root:?}");
}

#[test]
fn a_command_with_a_world_becomes_a_component() {
    let mut resolve = Resolve::new();
    let package = resolve.push_str("empty.wit", "package a:b; world empty {}");
    let package = package.expect("it is well formed");
    let world = resolve.select_world(&[package], None).expect("there is one");
    let module = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
    let mut module = wat::parse_str(module).expect("it is well formed");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .expect("the module fits the world");
    let exports = exports_of(module).expect("it is a command");
    assert_eq!(exports.len(), 1, "{exports:?}");
    assert!(exports[0].starts_with("wasi:cli/run@0.2."), "{exports:?}");
}

/// The error for a module that cannot be built.
fn refuse(module: &str) -> String {
    let module = wat::parse_str(module).expect("it is well formed");
    let refused = prepare(module).map(|_| ()).expect_err("it is no command");
    refused.to_string()
}

#[test]
fn what_a_command_lacks_is_named() {
    let yields = r#"(import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))"#;
    let no_memory = refuse(&format!(r#"(module {yields} (func (export "_start")))"#));
    assert!(no_memory.contains("no memory under the name `memory`"), "{no_memory}");
    let other = r#"(module (func (export "memory")) (func (export "_start") (param i32)))"#;
    assert!(refuse(other).contains("`_start` has parameters or results"), "{}", refuse(other));
    let library = r#"(module (memory (export "memory") 1) (func (export "f")))"#;
    assert!(refuse(library).contains("neither exports `_start`"), "{}", refuse(library));
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
