//! No limit by accident: what is larger than anyone writes by hand works, or is refused
//! by an error that names the limit.

use std::fmt::Write;
use wasmelt::wast::{Outcome, run_scripts};
use wasmelt_codegen::options::{OptLevel, Options};

/// Runs a generated script without and with optimisation.
fn run(name: &str, script: &str) -> Vec<Outcome> {
    let folder = tempfile::tempdir().expect("temporary folders can be made");
    let path = folder.path().join(name);
    std::fs::write(&path, script).expect("temporary files can be written");
    let run = |opt_level| {
        let options = Options { opt_level, ..Options::default() };
        run_scripts(std::slice::from_ref(&path), &options).remove(0)
    };
    [OptLevel::None, OptLevel::Full].map(run).into()
}

fn expect_passed(name: &str, script: &str) {
    for outcome in run(name, script) {
        assert_eq!((outcome.failed, outcome.unsupported), (0, 0), "{:?}", outcome.failures);
        assert!(outcome.passed > 0);
    }
}

#[test]
fn a_thousand_parameters_and_results() {
    let mut script = "(module (func (export \"f\") (param".to_owned();
    script += &" i32".repeat(1000);
    script += ") (result";
    script += &" i32".repeat(1000);
    script += ")";
    for index in (0..1000).rev() {
        write!(script, " (local.get {index})").expect("strings grow");
    }
    script += "))\n(assert_return (invoke \"f\"";
    for index in 0..1000 {
        write!(script, " (i32.const {index})").expect("strings grow");
    }
    script += ")";
    for index in (0..1000).rev() {
        write!(script, " (i32.const {index})").expect("strings grow");
    }
    expect_passed("parameters.wast", &(script + ")"));
}

#[test]
fn a_br_table_of_a_hundred_thousand_targets() {
    let mut script =
        "(module (func (export \"f\") (param i32) (result i32) (block (block (br_table".to_owned();
    for index in 0..100_000 {
        script += if index % 7 == 0 { " 1" } else { " 0" };
    }
    script += " 0 (local.get 0))) (return (i32.const 10))) (i32.const 11)))\n";
    for (index, result) in [(0, 11), (1, 10), (99_995, 11), (99_999, 10), (100_000, 10)] {
        writeln!(script, "(assert_return (invoke \"f\" (i32.const {index})) (i32.const {result}))")
            .expect("strings grow");
    }
    expect_passed("br_table.wast", &script);
}

#[test]
fn blocks_nested_ten_thousand_deep() {
    // In the flat form, because the text parser limits how deep parentheses nest.
    let mut script = "(module (func (export \"f\") (result i32)".to_owned();
    script += &" block".repeat(10_000);
    script += " br 9999";
    script += &" end".repeat(10_000);
    script += " i32.const 7))\n(assert_return (invoke \"f\") (i32.const 7))";
    expect_passed("blocks.wast", &script);
}

#[test]
fn parentheses_nested_ten_thousand_deep() {
    let blocks = ["(block ".repeat(10_000), ")".repeat(10_000)].concat();
    let script = format!("(module (func (export \"f\") {blocks})) (assert_return (invoke \"f\"))");
    expect_passed("parentheses.wast", &script);
}

#[test]
fn components_nested_too_deep_are_refused() {
    let script = ["(component ".repeat(5_000), ")".repeat(5_000)].concat();
    for outcome in run("components.wast", &script) {
        assert_eq!(outcome.failed, 1);
        assert!(outcome.failures[0].contains("nest"), "{:?}", outcome.failures);
    }
}

/// Whoever follows each path through these types looks at a hundred million: that takes minutes.
#[test]
fn types_that_share_their_parts_are_looked_at_once() {
    let mut script = "(component (type $t0 (instance (type $r (record (field \"x\" u8))) \
                      (export \"r\" (type (eq $r)))))\n"
        .to_owned();
    let inner = |level: u32| format!("(alias outer 1 $t{level} (type $p))");
    for level in 1..=16 {
        let twice = "(export \"a\" (instance (type $p))) (export \"b\" (instance (type $p)))";
        let _ = writeln!(script, "(type $t{level} (instance {} {twice}))", inner(level - 1));
    }
    for number in 0..900 {
        let once = format!("(export \"x{number}\" (instance (type $p)))");
        let _ = writeln!(script, "(type (instance {} {once}))", inner(16));
    }
    script += ") (module (func (export \"f\"))) (assert_return (invoke \"f\"))";
    expect_passed("shared.wast", &script);
}

#[test]
fn a_function_of_fifty_thousand_locals() {
    let mut script = "(module (func (export \"f\") (result i64) (local".to_owned();
    script += &" i64".repeat(49_999);
    script += ") (local.set 49998 (i64.const 3)) (i64.add (local.get 49998) (local.get 7))))\n";
    script += "(assert_return (invoke \"f\") (i64.const 3))";
    expect_passed("locals.wast", &script);
}

#[test]
fn fifty_memories() {
    let mut script = "(module".to_owned();
    for index in 0..50 {
        write!(script, " (memory $m{index} 1 2)").expect("strings grow");
    }
    script += " (func (export \"f\") (result i32)";
    for index in 0..50 {
        write!(script, " (i32.store $m{index} (i32.const 65532) (i32.const {index}))")
            .expect("strings grow");
    }
    script += " (i32.const 0)";
    for index in 0..50 {
        write!(script, " (i32.add (i32.load $m{index} (i32.const 65532)))").expect("strings grow");
    }
    script += "))\n(assert_return (invoke \"f\") (i32.const 1225))";
    expect_passed("memories.wast", &script);
}

#[test]
fn a_function_of_five_megabytes() {
    // Each round is 20 bytes of code.
    let mut script = "(module (func (export \"f\") (result v128) (v128.const i64x2 0 0)".to_owned();
    for round in 0..250_000u64 {
        let random = round.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        write!(script, "(v128.const i64x2 {random} {round})(v128.xor)").expect("strings grow");
    }
    script += "))\n(assert_return (invoke \"f\") (v128.const i64x2 14653540681989557248 0))";
    for outcome in run("large.wast", &script) {
        // Refusing it would be as good, if the error says why.
        assert_eq!(outcome.failed, 0, "{:?}", outcome.failures);
        let is_named = |(what, _): &(String, usize)| what.contains("too large");
        assert!(outcome.missing.iter().all(is_named), "{:?}", outcome.missing);
    }
}
