//! What the text form does not show: exact calls, isolation, and that the verifier notices.

use std::path::Path;
use wasmelt_flatten::program::{FuncKind, Lift, Lower, Program};
use wasmelt_flatten::{Options, Roots, callees, instantiate_with, verify};
use wasmelt_frontend::ReadOptions;

fn flatten_library(name: &str) -> Program {
    let path = Path::new("tests/program").join(name);
    let composition = wasmelt_frontend::read(&path, &ReadOptions::default());
    let options = Options { roots: Roots::Library, ..Options::default() };
    instantiate_with(composition.expect("the file is valid"), &options).expect("it is supported")
}

fn func_named(program: &Program, name: &str) -> wasmelt_flatten::program::FuncId {
    let found = program.funcs.iter().find(|(_, func)| func.live && func.name == name);
    found.expect("the function is live").0
}

#[test]
fn a_call_through_a_frozen_table_at_a_constant_is_exact() {
    let program = flatten_library("indirection.wat");
    let through = func_named(&program, "root::0");
    let adapter = func_named(&program, "root=>log::log");
    assert_eq!(callees(&program, through), [adapter]);
    let log = func_named(&program, "log::log");
    let realloc = func_named(&program, "log::realloc");
    let mut expected = [log, realloc];
    expected.sort();
    assert_eq!(callees(&program, adapter), expected);
}

/// The child reaches the store through its own virtualizer alone.
#[test]
fn a_virtualizer_stands_between() {
    let program = flatten_library("virtualization.wat");
    let name_of = |id| program.component_instances[id].name.as_str();
    let mut edges = Vec::new();
    for func in program.funcs.values() {
        if let FuncKind::Adapter(adapter) = &func.kind
            && let Lower::Guest { instance: from, .. } = &adapter.lower
            && let Lift::Guest { instance: to, .. } = &adapter.lift
        {
            edges.push((name_of(*from), name_of(*to)));
        }
    }
    edges.sort();
    edges.dedup();
    let expected = [
        ("child-a", "window-a"),
        ("child-b", "window-b"),
        ("window-a", "store"),
        ("window-b", "store"),
    ];
    assert_eq!(edges, expected);
}

/// Breaks a sound program in one way and expects the verifier to name the invariant.
fn assert_noticed(invariant: &str, damage: impl FnOnce(&mut Program)) {
    let mut program = flatten_library("virtualization.wat");
    verify(&program).expect("the program is sound");
    damage(&mut program);
    let broken = verify(&program).expect_err("the program is broken");
    assert!(broken.iter().any(|line| line.starts_with(invariant)), "{invariant}: {broken:?}");
}

#[test]
fn the_verifier_notices_damage() {
    assert_noticed("P3:", |program| {
        for component in program.component_instances.values_mut() {
            component.name = "twin".into();
        }
    });
    assert_noticed("P4:", |program| {
        program.core_instances.values_mut().for_each(|instance| instance.funcs.clear());
    });
    assert_noticed("P6:", |program| {
        let child = program.component_instances.keys().next_back().expect("it has some");
        program.core_instances.values_mut().for_each(|instance| instance.component = child);
    });
    assert_noticed("P7:", |program| {
        let lifted = func_named(program, "store::get");
        program.funcs[lifted].live = false;
    });
    assert_noticed("P12:", |program| {
        program.globals.values_mut().for_each(|global| global.frozen = true);
    });
    assert_noticed("P13:", |program| {
        let bytes = program.modules.values().next().expect("it has some").bytes.clone();
        let memory = program.memories.values_mut().next().expect("it has one");
        memory.image.push((65_535, bytes));
    });
    assert_noticed("P16:", |program| {
        program.entry = Some(func_named(program, "store::get"));
    });
}
