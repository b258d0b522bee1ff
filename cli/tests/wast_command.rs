//! `wasmelt wast`: what it prints and how it ends.

use std::path::PathBuf;
use std::process::{Command, Output};

fn run(scripts: &[(&str, &str)], options: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("temporary folders can be made");
    let mut files = Vec::<PathBuf>::new();
    for (name, text) in scripts {
        files.push(PathBuf::from(name));
        std::fs::write(folder.path().join(name), text).expect("temporary files can be written");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasmelt"));
    command.arg("wast").args(options).args(files).current_dir(folder.path());
    command.output().expect("the command can be run")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the command writes UTF-8")
}

const GOOD: &str = r#"
    (module (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
    (assert_return (invoke "f" (i32.const 1)) (i32.const 2))
    (assert_invalid (module (func (result i32))) "type mismatch")
"#;

const BAD: &str = r#"(module
    (func (export "f") (result i32 f32) (i32.const 4) (f32.const nan:0x200000))
    (func (export "trap") (unreachable))
    (func $deep (export "deep") (call $deep)))
(assert_return (invoke "f") (i32.const 4) (f32.const nan:canonical))
(assert_return (invoke "trap"))
(assert_trap (invoke "f") "")
(assert_exhaustion (invoke "trap") "")
(assert_return (invoke "absent"))
(assert_return (invoke "trap" (i32.const 1)))
(assert_invalid (module) "")
(assert_unlinkable (module) "")
(module (import "nobody" "f" (func)))
(assert_return (invoke "f"))
"#;

const UNSUPPORTED: &str = r#"
    (module (func (export "f") (result i31ref) (ref.i31 (i32.const 1))))
    (assert_return (invoke "f") (ref.i31))
    (module (func (export "g")))
    (assert_return (invoke "g"))
"#;

#[test]
fn success_is_one_line_and_code_0() {
    let output = run(&[("good.wast", GOOD)], &[]);
    assert_eq!(text(&output.stdout), "good.wast: 2 passed, 0 failed, 0 unsupported\n");
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn each_failure_is_a_line_with_its_place() {
    let output = run(&[("bad.wast", BAD)], &[]);
    let expected = "\
bad.wast:5: assert_return: expected (i32.const 0x4) (f32.const nan:canonical), \
got (i32.const 0x4) (f32.const NaN[0x7fa00000])
bad.wast:6: assert_return: expected no results, got a trap: unreachable instruction executed
bad.wast:7: assert_trap: expected a trap, got (i32.const 0x4) (f32.const NaN[0x7fa00000])
bad.wast:8: assert_exhaustion: expected a trap: call stack exhausted, \
got a trap: unreachable instruction executed
bad.wast:9: assert_return: there is no export \"absent\"
bad.wast:10: assert_return: \"trap\" takes 0 arguments, not 1
bad.wast:11: assert_invalid: the input was accepted
bad.wast:12: assert_unlinkable: the imports match
bad.wast:13: module: the import \"nobody\" \"f\" is of an unknown module
bad.wast:14: assert_return: the import \"nobody\" \"f\" is of an unknown module
";
    assert_eq!(text(&output.stderr), expected);
    assert_eq!(text(&output.stdout), "bad.wast: 0 passed, 10 failed, 0 unsupported\n");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_is_not_implemented_is_counted_and_named() {
    let output = run(&[("gc.wast", UNSUPPORTED)], &[]);
    let expected = "gc.wast: 1 passed, 0 failed, 1 unsupported\n  \
                    unsupported, 1 assertion: ref.i31\n";
    assert_eq!(text(&output.stdout), expected);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn json_is_one_line_for_each_file() {
    let scripts = [("good.wast", GOOD), ("bad.wast", BAD), ("gc.wast", UNSUPPORTED)];
    let output = run(&scripts, &["--json", "-O", "0", "--memory", "bounds", "--inline", "on"]);
    let expected = r#"{"file": "good.wast", "passed": 2, "failed": 0, "unsupported": 0}
{"file": "bad.wast", "passed": 0, "failed": 10, "unsupported": 0}
{"file": "gc.wast", "passed": 1, "failed": 0, "unsupported": 1}
"#;
    assert_eq!(text(&output.stdout), expected);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn several_files_have_a_total_and_an_unreadable_one_is_a_failure() {
    let output = run(&[("good.wast", GOOD), ("syntax.wast", "(module")], &[]);
    assert!(text(&output.stderr).starts_with("syntax.wast:1:"), "{}", text(&output.stderr));
    let expected = "good.wast: 2 passed, 0 failed, 0 unsupported\n\
                    syntax.wast: 0 passed, 1 failed, 0 unsupported\n\
                    total of 2 files: 2 passed, 1 failed, 0 unsupported\n";
    assert_eq!(text(&output.stdout), expected);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn no_file_is_a_usage_error() {
    assert_eq!(run(&[], &[]).status.code(), Some(2));
}
