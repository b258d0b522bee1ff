//! Which functions are folded.

use super::program;
use std::fmt::Write;
use std::path::Path;
use wasmelt_codegen::fold::fold_functions;
use wasmelt_codegen::program::{FuncId, Program};
use wasmelt_codegen::{Options, compile_object};
use wasmelt_frontend::Session;

/// The functions that have another's code, and that other, by the ends of their names.
fn folded(program: &Program) -> Vec<(&str, &str)> {
    let name = |func: &FuncId| program.funcs[*func].name.rsplit("::").next().unwrap();
    let mut pairs = Vec::new();
    for (code, funcs) in fold_functions(program).by_code() {
        pairs.extend(funcs.iter().map(|func| (name(func), name(&code))));
    }
    pairs
}

/// What is folded of a module whose `run` function calls `calls`.
fn folded_in(module: &str, calls: &[&str]) -> Vec<(String, String)> {
    let calls: String = calls.iter().map(|name| format!("(drop (call ${name}))")).collect();
    let program = program(module, &format!("{calls} (i32.const 0)"));
    folded(&program).into_iter().map(|(one, other)| (one.to_owned(), other.to_owned())).collect()
}

fn pair(one: &str, other: &str) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

#[test]
fn equal_bodies_of_equal_types_are_one() {
    let module = "(memory 1)
        (func $a (result i32) (i32.load (i32.const 8)))
        (func $b (result i32) (i32.load (i32.const 8)))
        (func $c (result i32) (i32.load (i32.const 9)))
        (func $d (result i64) (unreachable))
        (func $e (result i32) (unreachable))";
    assert_eq!(folded_in(module, &["a", "b", "c", "d", "e"]), [pair("b", "a")]);
}

#[test]
fn callers_of_equal_functions_are_equal() {
    let module = "
        (func $a (result i32) (i32.const 1))
        (func $b (result i32) (i32.const 1))
        (func $c (result i32) (i32.const 2))
        (func $calls-a (result i32) (call $a))
        (func $calls-b (result i32) (call $b))
        (func $calls-c (result i32) (call $c))";
    // Bytes differ in the callee's index, and only equal bytes are compared.
    assert_eq!(folded_in(module, &["calls-a", "calls-b", "calls-c"]), [pair("b", "a")]);
}

/// A root with two instances of a component, which has a module with `funcs`, of which it exports
/// `f`; a third component's `run` calls both.
fn twins(funcs: &str) -> Program {
    let text = format!(
        r#"(component
          (component $Twin
            (core module $M {funcs})
            (core instance $m (instantiate $M))
            (func (export "f") (result u32) (canon lift (core func $m "f"))))
          (instance $one (instantiate $Twin))
          (instance $two (instantiate $Twin))
          (component $User
            (import "one" (func $one (result u32)))
            (import "two" (func $two (result u32)))
            (core func $one (canon lower (func $one)))
            (core func $two (canon lower (func $two)))
            (core module $Main
              (import "" "one" (func $one (result i32)))
              (import "" "two" (func $two (result i32)))
              (func (export "run") (result i32) (i32.sub (call $one) (call $two))))
            (core instance $main (instantiate $Main (with "" (instance
              (export "one" (func $one)) (export "two" (func $two))))))
            (func (export "run") (result (result)) (canon lift (core func $main "run"))))
          (instance $user (instantiate $User
            (with "one" (func $one "f")) (with "two" (func $two "f"))))
          (instance $i (export "run" (func $user "run")))
          (export "wasi:cli/run@0.2.0" (instance $i)))"#
    );
    let mut session = Session::new();
    let root = session.add_bytes(Path::new("test.wat"), text.into_bytes()).unwrap();
    wasmelt_flatten::instantiate(session.finish(Some(root))).unwrap()
}

#[test]
fn core_instances_share_what_uses_nothing_of_them() {
    let pure = "(func $f (export \"f\") (result i32) (call $g (i32.const 3)))
        (func $g (param i32) (result i32)
          (if (result i32) (i32.eqz (local.get 0))
            (then (i32.const 1))
            (else (call $f))))";
    assert_eq!(folded(&twins(pure)), [("f", "f"), ("g", "g")]);
    // A memory of its own is something of the core instance, also behind a call.
    let impure = "(memory 1)
        (func (export \"f\") (result i32) (i32.add (call $g) (call $h)))
        (func $g (result i32) (i32.load (i32.const 0)))
        (func $h (result i32) (i32.const 1))";
    assert_eq!(folded(&twins(impure)), [("h", "h")]);
    let counter = "(global $n (mut i32) (i32.const 0))
        (func (export \"f\") (result i32) (global.set $n (i32.const 1)) (global.get $n))";
    assert_eq!(folded(&twins(counter)), []);
}

#[test]
fn a_difference_is_seen_through_any_chain_of_calls() {
    // Each calls the next one, or the one before; the last one of the chain uses the memory.
    for forwards in [true, false] {
        let links = 300;
        let mut module = String::from("(memory 1)");
        for link in 0..=links {
            let name = |at: i32| if forwards { at } else { links - at };
            let body = match name(link) {
                last if last == links => "(i32.load (i32.const 0))".to_owned(),
                at => format!("(i32.add (call $f{}) (i32.const {at}))", name(name(link) + 1)),
            };
            let export = if name(link) == 0 { "(export \"f\")" } else { "" };
            write!(module, "(func $f{link} {export} (result i32) {body})").unwrap();
        }
        write!(module, "(func $pure (result i32) (i32.const 7))").unwrap();
        let caller = "(func $start (drop (call $pure))) (start $start)";
        assert_eq!(
            folded(&twins(&format!("{module} {caller}"))),
            [("pure", "pure"), ("start", "start")]
        );
    }
}

#[test]
fn shared_code_is_named_after_none_of_its_component_instances() {
    let program = twins("(func $f (export \"f\") (result i32) (unreachable))");
    let options = Options { inline: Some(false), ..Options::default() };
    let object = compile_object(&program, &options).unwrap().bytes;
    let contains = |name: &str| object.windows(name.len()).any(|it| it == name.as_bytes());
    assert!(contains("(one of 2 alike)\0"));
    // The symbol table has both.
    let names = program.funcs.values().filter(|func| func.live && func.name.ends_with("::f"));
    let names: Vec<&str> = names.map(|func| func.name.as_str()).collect();
    assert!(
        names.len() >= 2 && names.iter().all(|name| contains(&format!("{name}\0"))),
        "{names:?}"
    );
}
