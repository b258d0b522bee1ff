//! What compiling takes: processor time and peak memory, beside the reference engine's.
//!
//! Each compiler runs in a process of its own, this program again, which compiles the
//! same input until the kernel's clock of processor time, which ticks coarsely, says
//! something. Generated inputs show how the cost grows: chains of ever more components,
//! each calling the next, and ever more instances of one component side by side. Files
//! on the command line are measured like them.

use crate::chains::CASES;
use crate::report::{Figure, Row, Table};
use crate::workshop::{Workshop, output_of};
use std::path::{Path, PathBuf};
use std::process::Command;
use wasmelt::phases::Phases;
use wasmelt::pipeline::{self, Options};

const ROUNDS: usize = 3;
const DEPTHS: &[u32] = &[1, 4, 16, 64, 256];
const INSTANCES: &[usize] = &[10, 100, 1000];

/// A validator allows a thousand instances in a component, so they come in groups.
const GROUP_INSTANCES: usize = 10;

/// Ticks of the kernel's clock, of 10 ms each, after which a process has measured enough.
const TICKS_MIN: u64 = 50;
const TICK_MS: f64 = 10.0;

/// What one process measured.
struct Cost {
    cpu_ms: f64,
    peak_mib: f64,
}

/// Measures the generated inputs and the files.
pub fn run(files: &[String]) -> Result<Vec<Table>, String> {
    let workshop = Workshop::new("compile")?;
    let mut inputs = Vec::new();
    for depth in DEPTHS {
        let text = CASES[0].chain(*depth);
        inputs.push(workshop.write(&format!("{}-d{depth}.wat", CASES[0].name), &text)?);
    }
    for count in INSTANCES {
        inputs.push(workshop.write(&format!("instances-{count}.wat"), &instances(*count))?);
    }
    inputs.extend(files.iter().map(PathBuf::from));
    let mut times = Table { group: "compile", unit: "ms of processor time", rows: Vec::new() };
    let mut peaks = Table { group: "compile-memory", unit: "MiB at the peak", rows: Vec::new() };
    for input in inputs {
        let (time, peak) = measure(&workshop, &input)?;
        times.rows.push(time);
        peaks.rows.push(peak);
    }
    Ok(vec![times, peaks])
}

/// The compilers, ours first.
fn compilers() -> Vec<(&'static str, &'static str)> {
    let ours = [("wasmelt", "wasmelt")];
    let peers = [("wasmtime", "default"), ("wasmtime, best", "best")];
    let peers = peers.into_iter().filter(|_| cfg!(feature = "wasmtime"));
    ours.into_iter().chain(peers).collect()
}

fn measure(workshop: &Workshop, input: &Path) -> Result<(Row, Row), String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let compilers = compilers();
    let mut costs: Vec<Vec<Cost>> = compilers.iter().map(|_| Vec::new()).collect();
    for round in 0..ROUNDS {
        for step in 0..compilers.len() {
            // Every second round goes backwards, so that no one always follows the same one.
            let at = if round % 2 == 0 { step } else { compilers.len() - 1 - step };
            let output = workshop.path("output");
            let mut command = Command::new(&this);
            command.args(["compile", compilers[at].1]).arg(input).arg(&output);
            costs[at].push(parse_cost(&output_of(&mut command)?)?);
        }
    }
    let case = input.file_stem().map_or_else(String::new, |stem| stem.display().to_string());
    let row = |figure: fn(&Cost) -> f64| {
        let figures = compilers.iter().zip(&costs).map(|((who, _), costs)| Figure {
            who,
            best: costs.iter().map(figure).fold(f64::INFINITY, f64::min),
            worst: costs.iter().map(figure).fold(0.0, f64::max),
            instructions: None,
        });
        Row { case: case.clone(), figures: figures.collect() }
    };
    Ok((row(|cost| cost.cpu_ms), row(|cost| cost.peak_mib)))
}

fn parse_cost(line: &str) -> Result<Cost, String> {
    let mut numbers = line.split_whitespace().map(str::parse::<f64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(cpu_ms)), Some(Ok(peak_mib))) => Ok(Cost { cpu_ms, peak_mib }),
        _ => Err(format!("not a result: {line:?}")),
    }
}

/// What a process does that measures one compiler: prints the time of one compilation and the peak.
pub fn compile_repeatedly(compiler: &str, input: &Path, output: &Path) -> Result<(), String> {
    let start = read_ticks()?;
    let mut count = 0.0;
    loop {
        compile_once(compiler, input, output)?;
        count += 1.0;
        let ticks = read_ticks()? - start;
        if ticks >= TICKS_MIN {
            println!("{} {}", ticks as f64 * TICK_MS / count, read_peak_mib()?);
            return Ok(());
        }
    }
}

fn compile_once(compiler: &str, input: &Path, output: &Path) -> Result<(), String> {
    if compiler == "wasmelt" {
        let artifact = pipeline::compile(input, &Options::default(), &mut Phases::new(false))
            .map_err(|error| error.to_string())?;
        return std::fs::write(output, &artifact.bytes).map_err(|error| error.to_string());
    }
    compile_with_peer(compiler, input, output)
}

#[cfg(feature = "wasmtime")]
fn compile_with_peer(compiler: &str, input: &Path, output: &Path) -> Result<(), String> {
    let configuration = crate::peer::Configuration::from_name(compiler)
        .ok_or_else(|| format!("no configuration is called {compiler}"))?;
    crate::peer::precompile(configuration, input, output).map_err(|error| format!("{error:?}"))
}

#[cfg(not(feature = "wasmtime"))]
fn compile_with_peer(_: &str, _: &Path, _: &Path) -> Result<(), String> {
    Err("this build has no peers".to_string())
}

/// Ticks of processor time that this process has used, its ended threads included.
fn read_ticks() -> Result<u64, String> {
    let text = std::fs::read_to_string("/proc/self/stat").map_err(|error| error.to_string())?;
    // The program's name may hold spaces; behind its parenthesis the third field follows.
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3).and_then(|ticks| ticks.parse::<u64>().ok());
    match (ticks(14), ticks(15)) {
        (Some(user), Some(system)) => Ok(user + system),
        _ => Err("/proc/self/stat has another form".to_string()),
    }
}

fn read_peak_mib() -> Result<f64, String> {
    let text = std::fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kib.map(|kib| kib / 1024.0).ok_or_else(|| "/proc/self/status has another form".to_string())
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

    #[test]
    fn every_instance_is_called() {
        let workshop = Workshop::new("instances").expect("temporary folders can be made");
        let input = workshop.write("instances.wat", &instances(30)).expect("files can be written");
        let program = workshop.build(&input, "instances").expect("the input is valid");
        output_of(&mut Command::new(program)).expect("the command succeeds");
    }
}
