//! What a process takes that prints a line and ends: wall time, processor time, resident memory.
//!
//! The floor is a static C program without libc that makes two system calls; a static one with the
//! system's libc stands beside it. The reference engine is a program that does nothing but load a
//! file that was compiled before, and run it. The programs take turns, in both orders, because the
//! machine's pace changes while they run.

use crate::contest::turns;
use crate::report::{Figure, Measured, Row, Table};
use crate::workshop::{Workshop, case_of, example, output_of};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Rounds, and starts in each turn.
const ROUNDS: usize = 10;
const STARTS: &str = "25";

const METER: &str = include_str!("meter.c");

const FLOOR: &str = r#"
static long call(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}
void _start(void) {
    call(1, 1, (long)"Hello, world!\n", 14);
    call(231, 0, 0, 0);
}
"#;

const WITH_LIBC: &str = r#"
#include <unistd.h>
int main(void) { return write(1, "Hello, world!\n", 14) != 14; }
"#;

/// The figures of one start.
struct Start {
    wall_us: f64,
    cpu_us: f64,
    peak_kib: f64,
}

/// The static C programs: without libc and with it, or why there are none.
pub fn build_floors(workshop: &Workshop) -> [(&'static str, Result<PathBuf, String>); 2] {
    let flags = ["-O2", "-static", "-s"];
    let bare = [&flags[..], &["-nostdlib", "-ffreestanding"]].concat();
    [
        ("static C, no libc", workshop.compile_c_with(FLOOR, "floor", &bare)),
        ("static C", workshop.compile_c_with(WITH_LIBC, "libc", &flags)),
    ]
}

/// Measures `hello.wat` and the same from Rust, and the files.
pub fn run(files: &[String]) -> Result<Vec<Table>, String> {
    let workshop = Workshop::new("startup")?;
    let meter = workshop.compile_c_with(METER, "meter", &["-O2", "-static"])?;
    let mut tables = vec![
        Table::new("startup-wall", "µs"),
        Table::new("startup-cpu", "µs"),
        Table::new("startup-memory", "KiB"),
    ];
    let mut inputs = vec![example("hello-wat/hello.wat"), example("hello-rust/hello.wasm")];
    inputs.extend(files.iter().map(PathBuf::from));
    for input in inputs {
        for (table, row) in tables.iter_mut().zip(measure(&workshop, &meter, &input)?) {
            table.rows.push(row);
        }
    }
    Ok(tables)
}

fn measure(workshop: &Workshop, meter: &Path, input: &Path) -> Result<[Row; 3], String> {
    let ours = workshop.build(input, "ours")?;
    let mut programs = vec![("wasmelt", Ok(vec![ours]))];
    programs.extend(loaders(workshop, input));
    for (who, floor) in build_floors(workshop) {
        programs.push((who, floor.map(|program| vec![program])));
    }
    let mut starts: Vec<Vec<Start>> = programs.iter().map(|_| Vec::new()).collect();
    for at in turns(ROUNDS, programs.len()) {
        if let Ok(command) = &programs[at].1 {
            let mut run = Command::new(meter);
            run.arg(STARTS).args(command);
            for line in output_of(&mut run)?.lines() {
                starts[at].push(parse_start(line)?);
            }
        }
    }
    let case = case_of(input);
    let row = |of: fn(&Start) -> f64| {
        let figure =
            |((who, command), starts): (&(&str, Result<_, String>), &Vec<Start>)| match command {
                Ok(_) => Figure::new(who, typical(starts.iter().map(of).collect())),
                Err(why) => Figure::absent(who, why.clone()),
            };
        Row { case: case.clone(), figures: programs.iter().zip(&starts).map(figure).collect() }
    };
    Ok([row(|start| start.wall_us), row(|start| start.cpu_us), row(|start| start.peak_kib)])
}

/// Starts are disturbed often and never helped: a tenth is quiet, and the median is the spread.
fn typical(mut values: Vec<f64>) -> Measured {
    values.sort_by(f64::total_cmp);
    let at = |part: usize| values.get(values.len() / part).copied().unwrap_or(f64::NAN);
    Measured { best: at(10), worst: at(2), instructions: None }
}

fn parse_start(line: &str) -> Result<Start, String> {
    let numbers: Vec<f64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    match numbers[..] {
        [wall, cpu, peak_kib] => Ok(Start { wall_us: wall / 1e3, cpu_us: cpu / 1e3, peak_kib }),
        _ => Err(format!("not a result: {line:?}")),
    }
}

/// The reference engine with files that it has compiled before.
#[cfg(feature = "wasmtime")]
fn loaders(workshop: &Workshop, input: &Path) -> Vec<(&'static str, Result<Vec<PathBuf>, String>)> {
    use crate::peer::{Configuration, precompile};
    let loader = |(configuration, name): (Configuration, &str)| {
        let compiled = workshop.path(&format!("{name}.cwasm"));
        let this = std::env::current_exe().map_err(|error| error.to_string())?;
        let input = workshop.componentize(input)?;
        precompile(configuration, &input, &compiled).map_err(|error| format!("{error:?}"))?;
        Ok(vec![this, "load".into(), name.into(), compiled])
    };
    let all = Configuration::ALL.into_iter();
    all.map(|(configuration, name)| (configuration.title(), loader((configuration, name))))
        .collect()
}

#[cfg(not(feature = "wasmtime"))]
fn loaders(_: &Workshop, _: &Path) -> Vec<(&'static str, Result<Vec<PathBuf>, String>)> {
    Vec::new()
}
