//! Large graphs: what must stay linear.

use std::fmt::Write;
use std::path::Path;
use wasmelt_flatten::program::{FuncKind, Program};
use wasmelt_flatten::{Options, Roots, instantiate_with};
use wasmelt_frontend::Session;

fn flatten_text(text: &str) -> Program {
    let mut session = Session::new();
    let root = session.add_bytes(Path::new("scale.wat"), text.as_bytes().to_vec());
    let root = root.expect("the text is valid");
    let options = Options { roots: Roots::Library, ..Options::default() };
    instantiate_with(session.finish(Some(root)), &options).expect("it can be instantiated")
}

/// A chain of component instances, each over the one before it.
#[test]
fn a_chain_of_a_thousand_component_instances() {
    const LINKS: usize = 999; // With the first one this is the most that the validator lets one component have.
    let mut text = String::from(
        r#"(component
        (component $Base
          (core module $m (func (export "f") (param i32) (result i32) local.get 0))
          (core instance $i (instantiate $m))
          (func (export "f") (param "x" u32) (result u32) (canon lift (core func $i "f"))))
        (component $Link
          (import "below" (instance $below (export "f" (func (param "x" u32) (result u32)))))
          (core func $f (canon lower (func $below "f")))
          (core module $m
            (import "" "f" (func $f (param i32) (result i32)))
            (memory 1) (data (i32.const 0) "abc")
            (func (export "f") (param i32) (result i32) (call $f (local.get 0))))
          (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
          (func (export "f") (param "x" u32) (result u32) (canon lift (core func $i "f"))))
        (instance $i0 (instantiate $Base))
        "#,
    );
    for at in 1..=LINKS {
        let below = at - 1;
        writeln!(
            text,
            "(instance $i{at} (instantiate $Link (with \"below\" (instance $i{below}))))"
        )
        .expect("a string takes everything");
    }
    write!(text, "(func (export \"f\") (alias export $i{LINKS} \"f\")))")
        .expect("a string takes everything");
    let program = flatten_text(&text);
    let adapters = program
        .funcs
        .values()
        .filter(|func| func.live && matches!(func.kind, FuncKind::Adapter(_)));
    assert_eq!(adapters.count(), LINKS + 1);
    let guarded = program.component_instances.values();
    let guarded = guarded.filter(|instance| instance.needs_may_enter || instance.needs_may_leave);
    assert_eq!(guarded.count(), 0);
}

/// A component whose instances double at each level is refused, not expanded.
#[test]
fn exponential_instantiation_is_refused() {
    let mut text = String::from("(component (component $c0)\n");
    for at in 1..40 {
        let below = at - 1;
        writeln!(
            text,
            "(component $c{at} (alias outer 1 $c{below} (component $c)) \
             (instance (instantiate $c)) (instance (instantiate $c)))"
        )
        .expect("a string takes everything");
    }
    text.push_str("(instance (instantiate $c39)))");
    let mut session = Session::new();
    let root = session.add_bytes(Path::new("scale.wat"), text.into_bytes());
    let Ok(root) = root else {
        return; // The validator has limits of its own.
    };
    let error = instantiate_with(session.finish(Some(root)), &Options::default());
    let error = error.expect_err("it is too large").to_string();
    assert!(error.contains("more than 100000 component instances"), "{error}");
}

/// A module with many functions, most of them called through a table.
#[test]
fn a_module_of_thirteen_thousand_functions() {
    const FUNCS: usize = 13_000;
    let mut text = String::from("(component (core module $m (type $t (func (param i32)))\n");
    writeln!(text, "(table {FUNCS} funcref) (elem (i32.const 0) func").expect("it has room");
    for at in 0..FUNCS {
        write!(text, " {at}").expect("a string takes everything");
    }
    text.push_str(")\n");
    for at in 0..FUNCS {
        let next = (at + 7) % FUNCS;
        writeln!(
            text,
            "(func (type $t) (call {next} (local.get 0)) \
             (call_indirect (type $t) (i32.const 1) (local.get 0)))"
        )
        .expect("a string takes everything");
    }
    text.push_str(
        "(export \"run\" (func $run)) (func $run (call 0 (i32.const 0))))
        (core instance $i (instantiate $m))
        (func (export \"run\") (canon lift (core func $i \"run\"))))",
    );
    let program = flatten_text(&text);
    // And `run`, its adapter, and the symbol that a library gives it.
    assert_eq!(program.funcs.values().filter(|func| func.live).count(), FUNCS + 3);
}
