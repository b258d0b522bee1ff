//! How the cost of compiling grows with the input: chains of ever more components, each calling the
//! next; ever more instances of one component side by side; ever more code in one module.

use crate::chains::CASES;
use crate::compile::measure_all;
use crate::report::Table;
use crate::workshop::Workshop;

const DEPTHS: &[u32] = &[1, 4, 16, 64, 256];
const INSTANCES: &[usize] = &[10, 100, 1000];
const FUNCTIONS: &[usize] = &[250, 500, 1000, 2000];

/// A validator allows a thousand instances in a component, so they come in groups.
const GROUP_INSTANCES: usize = 10;

/// Measures the generated inputs.
pub fn run() -> Result<Vec<Table>, String> {
    let workshop = Workshop::new("growth")?;
    let mut inputs = Vec::new();
    for depth in DEPTHS {
        inputs.push(workshop.write(&format!("chain-{depth}.wat"), CASES[0].chain(*depth))?);
    }
    for count in INSTANCES {
        inputs.push(workshop.write(&format!("instances-{count}.wat"), instances(*count))?);
    }
    for count in FUNCTIONS {
        inputs.push(workshop.write(&format!("functions-{count}.wat"), functions(*count))?);
    }
    measure_all(&workshop, "growth", &inputs)
}

/// A command of one module with that many functions, each of which has loops, branches and memory
/// accesses and is called by the next two.
fn functions(count: usize) -> String {
    let mut text = String::from("(component (core module $M (memory 1)\n");
    for at in 0..count {
        let call = |before: usize| match at.checked_sub(before) {
            Some(callee) => format!("(call $f{callee} (i32.shr_u (local.get $x) (i32.const 2)))"),
            None => "(local.get $x)".to_string(),
        };
        text += &format!(
            r#"  (func $f{at} (param $x i32) (result i32) (local $i i32) (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum)
        (i32.load offset={offset} (i32.and (local.get $i) (i32.const 0xffc)))))
      (if (i32.gt_u (local.get $sum) (i32.const {limit}))
        (then (i32.store offset={offset} (i32.and (local.get $sum) (i32.const 0xffc)) (local.get $x)))
        (else (local.set $sum (i32.rotl (i32.xor (local.get $sum) (local.get $x)) (i32.const {turn})))))
      (local.set $i (i32.add (local.get $i) (i32.const 4)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $x))))
    (if (result i32) (i32.lt_u (local.get $x) (i32.const 4))
      (then (local.get $sum))
      (else (i32.add (i32.mul {first} (i32.const 3)) {second}))))
"#,
            offset = at % 61 * 4,
            limit = at * 977 % 10_007,
            turn = at % 31,
            first = call(1),
            second = call(2),
        );
    }
    text += &format!(
        r#"  (func (export "run") (result i32)
    (i32.eq (call $f{} (i32.const 20)) (i32.const 123456789))))
  (core instance $i (instantiate $M))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $out (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $out)))
"#,
        count - 1
    );
    text
}

/// A command that calls every one of `count` instances, each with a memory of its own.
fn instances(count: usize) -> String {
    let groups = count / GROUP_INSTANCES;
    let mut text = String::from(
        r#"(component
(component $Unit
  (core module $M
    (memory 1)
    (func (export "f") (param i32) (result i32)
      (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (local.get 0)))
      (i32.load (i32.const 8))))
  (core instance $i (instantiate $M))
  (func (export "f") (param "x" u32) (result u32) (canon lift (core func $i "f"))))
"#,
    );
    let unit = r#"(param "x" u32) (result u32)"#;
    text += "(component $Group\n  (alias outer 1 $Unit (component $Unit))\n";
    let call = Call { ty: "(param i32) (result i32)", argument: "(local.get 0)", lifted: unit };
    write_caller(&mut text, "Unit", GROUP_INSTANCES, &call);
    text += "  (export \"f\" (func $caller \"f\")))\n";
    text += "(component $Command\n  (alias outer 1 $Group (component $Group))\n";
    let call = Call { ty: "(result i32)", argument: "(i32.const 1)", lifted: "(result (result))" };
    write_caller(&mut text, "Group", groups, &call);
    text += r#"  (component $Run
    (import "run" (func $run (result (result))))
    (export "run" (func $run)))
  (instance $run (instantiate $Run (with "run" (func $caller "f"))))
  (export "wasi:cli/run@0.2.0" (instance $run)))
(instance $command (instantiate $Command))
(export "wasi:cli/run@0.2.0" (instance $command "wasi:cli/run@0.2.0")))
"#;
    text
}

/// A function that calls all instances.
struct Call {
    /// Its core type.
    ty: &'static str,
    /// What it passes to each.
    argument: &'static str,
    /// Its component-level type.
    lifted: &'static str,
}

/// Writes `count` instances of a component and an instance `$caller` beside them whose function
/// `f` calls one after the other. It is a component of its own, because a component instance that
/// is running cannot be entered through its children.
fn write_caller(text: &mut String, component: &str, count: usize, call: &Call) {
    let (mut imports, mut core_imports, mut calls) = (String::new(), String::new(), String::new());
    let (mut funcs, mut args) = (String::new(), String::new());
    for at in 0..count {
        *text += &format!("  (instance $c{at} (instantiate ${component}))\n");
        imports += &format!(
            "    (import \"f{at}\" (func $f{at} (param \"x\" u32) (result u32)))\n    \
             (core func $l{at} (canon lower (func $f{at})))\n"
        );
        let ty = "(param i32) (result i32)";
        core_imports += &format!("      (import \"\" \"{at}\" (func $f{at} {ty}))\n");
        calls += &format!("        (drop (call $f{at} {}))\n", call.argument);
        funcs += &format!(" (export \"{at}\" (func $l{at}))");
        args += &format!(" (with \"f{at}\" (func $c{at} \"f\"))");
    }
    let Call { ty, lifted, .. } = call;
    *text += &format!(
        "  (component $Caller\n{imports}    (core module $M\n{core_imports}      \
         (func (export \"call\") {ty}\n{calls}        (i32.const 0)))\n    \
         (core instance $i (instantiate $M (with \"\" (instance{funcs}))))\n    \
         (func (export \"f\") {lifted} (canon lift (core func $i \"call\"))))\n  \
         (instance $caller (instantiate $Caller{args}))\n"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workshop::output_of;
    use std::process::Command;

    #[test]
    fn every_instance_is_called() {
        let workshop = Workshop::new("instances").expect("temporary folders can be made");
        let input = workshop.write("instances.wat", instances(30)).expect("files can be written");
        let program = workshop.build(&input, "instances").expect("the input is valid");
        output_of(&mut Command::new(program)).expect("the command succeeds");
    }

    #[test]
    fn functions_make_a_command() {
        let workshop = Workshop::new("functions").expect("temporary folders can be made");
        let input = workshop.write("functions.wat", functions(40)).expect("files can be written");
        let program = workshop.build(&input, "functions").expect("the input is valid");
        output_of(&mut Command::new(program)).expect("the command succeeds");
    }
}
