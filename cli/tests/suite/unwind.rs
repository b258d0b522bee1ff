//! What a debugger shows of a program that trapped.

use crate::support::{repository, wasmelt};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};
use std::fs;
use std::process::{Command, Stdio};
use wasmelt_codegen::targets::MACHINES;

/// Two functions that call each other, three times, and then a trap.
const DEEP: &str = r#"(component
  (core module $m
    (func $leaf (param i32) (result i32)
      (if (i32.eqz (local.get 0)) (then unreachable))
      (i32.add (call $mid (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
    (func $mid (param i32) (result i32) (i32.mul (call $leaf (local.get 0)) (i32.const 3)))
    (func (export "run") (result i32) (call $leaf (i32.const 2))))
  (core instance $i (instantiate $m))
  (func $f (result (result)) (canon lift (core func $i "run")))
  (instance $run (export "run" (func $f)))
  (export "wasi:cli/run@0.2.0" (instance $run)))"#;

#[test]
fn a_debugger_shows_the_callers_by_name() {
    let version = Command::new("gdb").arg("--version").stdout(Stdio::null()).status();
    let demanded = std::env::var("CI").as_deref() == Ok("true");
    if !version.is_ok_and(|status| status.success()) || !cfg!(target_arch = "x86_64") {
        assert!(!demanded, "gdb is not installed");
        println!("skipped: no debugger for this machine");
        return;
    }
    let folder = tempfile::tempdir().expect("there is room for a file");
    let (input, program) = (folder.path().join("deep.wat"), folder.path().join("deep"));
    fs::write(&input, DEEP).expect("there is room for a file");
    // Inlining would make one function of the two.
    let built = wasmelt().args(["build", "-O", "0", "-o"]).arg(&program).arg(&input).status();
    assert!(built.expect("the compiler can be started").success());
    let commands = ["-batch", "-nx", "-ex", "run", "-ex", "backtrace"];
    let output = Command::new("gdb").args(commands).arg(&program).output();
    let output = output.expect("it could be started before");
    let text = String::from_utf8_lossy(&output.stdout);
    let is_frame = |line: &&str| line.starts_with('#');
    let funcs: Vec<&str> =
        text.lines().filter(is_frame).filter_map(|line| line.split(" in ").nth(1)).collect();
    let expected = ["deep::leaf", "deep::mid", "deep::leaf", "deep::mid", "deep::leaf"];
    let names: Vec<&str> = funcs.iter().map(|func| func.trim_end_matches(" ()")).collect();
    assert!(names.starts_with(&expected), "{text}");
    assert!(names.contains(&"wasmelt_main") && names.last() == Some(&"_start"), "{text}");
}

/// Whoever links an object gets frames of the guest's functions and of the shim's, one reference
/// each.
#[test]
fn objects_for_other_linkers_describe_their_frames() {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let object = folder.path().join("shapes.o");
    for machine in MACHINES {
        let mut command = wasmelt();
        command.args(["build", "--emit", "obj", "--target", machine.triple, "-o"]).arg(&object);
        let status = command.arg(repository().join("examples/native-library/shapes.wat")).status();
        assert!(status.expect("the compiler can be started").success());
        let bytes = fs::read(&object).expect("it was written");
        let file = object::File::parse(&*bytes).expect("it is an object");
        let frames = file.section_by_name(".eh_frame").expect("it has frames");
        let is_func = |symbol: &object::Symbol<'_, '_>| {
            symbol.is_definition() && symbol.is_global() && symbol.kind() == SymbolKind::Text
        };
        let exports = file.symbols().filter(is_func).count();
        let described = frames.relocations().count();
        assert!(exports >= 8 && described > exports, "{described} of {exports}");
    }
}
