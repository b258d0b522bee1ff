//! What compiling takes: processor time and peak memory, beside the reference engine's.
//!
//! Each compiler runs in a process of its own, this program again, which compiles the
//! same input until the kernel's clock of processor time, which ticks coarsely, says
//! something. The inputs are programs of ours, the largest modules of sightglass where there are
//! corpora, and the files on the command line.

use crate::compute::find_modules;
use crate::contest::turns;
use crate::report::{Figure, Measured, Row, Table};
use crate::workshop::{Workshop, case_of, example, output_of};
use std::path::{Path, PathBuf};
use std::process::Command;
use wasmelt::phases::Phases;
use wasmelt::pipeline::{self, Options};

const ROUNDS: usize = 3;

/// Modules of sightglass that are large, of several languages.
const MODULES: &[&str] = &["pulldown-cmark", "regex", "rust-compression", "libsodium-sign"];

/// Ticks of the kernel's clock, of 10 ms each, after which a process has measured enough.
const TICKS_MIN: u64 = 50;
const TICK_MS: f64 = 10.0;

/// What one process measured.
struct Cost {
    cpu_ms: f64,
    peak_mib: f64,
}

/// Measures compiling the inputs and the files.
pub fn run(files: &[String]) -> Result<Vec<Table>, String> {
    let workshop = Workshop::new("compile")?;
    let mut inputs = vec![
        example("hello-wat/hello.wat"),
        example("link-time-virtualization/parent-inline.wat"),
        example("hello-rust/hello.wasm"),
    ];
    if let Ok(modules) = find_modules() {
        for (name, module) in modules.iter().filter(|(name, _)| MODULES.contains(&name.as_str())) {
            inputs.push(workshop.componentize_timed(module, name)?);
        }
    }
    inputs.extend(files.iter().map(PathBuf::from));
    measure_all(&workshop, "compile", &inputs)
}

/// The times and the peaks of compiling each input.
pub fn measure_all(
    workshop: &Workshop,
    name: &str,
    inputs: &[PathBuf],
) -> Result<Vec<Table>, String> {
    let mut times = Table::new(name, "ms of processor time");
    let mut peaks = Table::new(&format!("{name}-memory"), "MiB at the peak");
    for input in inputs {
        let (time, peak) = measure(workshop, input)?;
        times.rows.push(time);
        peaks.rows.push(peak);
    }
    Ok(vec![times, peaks])
}

/// The compilers, ours first.
fn compilers() -> Vec<(&'static str, &'static str)> {
    let ours = [("wasmelt", "wasmelt")];
    let peers = [("wasmtime", "default"), ("best wasmtime", "best")];
    let peers = peers.into_iter().filter(|_| cfg!(feature = "wasmtime"));
    ours.into_iter().chain(peers).collect()
}

fn measure(workshop: &Workshop, input: &Path) -> Result<(Row, Row), String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let compilers = compilers();
    let mut costs: Vec<Vec<Cost>> = compilers.iter().map(|_| Vec::new()).collect();
    for at in turns(ROUNDS, compilers.len()) {
        let output = workshop.path("output");
        let mut command = Command::new(&this);
        command.args(["compile", compilers[at].1]).arg(input).arg(&output);
        costs[at].push(parse_cost(&output_of(&mut command)?)?);
    }
    let case = case_of(input);
    let row = |figure: fn(&Cost) -> f64| {
        let figures = compilers
            .iter()
            .zip(&costs)
            .map(|((who, _), costs)| Figure::new(who, Measured::of(costs.iter().map(figure))));
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
