//! What a call between components costs, per kind of value and depth of the chain.
//!
//! Every guest times itself (see `chains`). The engines take turns, several rounds
//! in both orders; a figure is the best round, its spread the worst.

use crate::chains::{self, CASES, REPETITIONS};
use crate::report::{Figure, Row, Table};
use crate::workshop::{Workshop, count_instructions, output_of};
use std::path::{Path, PathBuf};
use std::process::Command;

const ROUNDS: usize = 3;
const DEPTHS: &[u32] = &[0, 1, 4, 16];

/// What the same work costs in C, with no component around it. The lines are as the guests'.
const FLOORS: &str = include_str!("floors.c");

/// A program that prints lines of `CASE CALLS BEST_NS CHECKSUM`.
struct Contestant {
    who: &'static str,
    command: Vec<PathBuf>,
}

/// What one line says.
struct Line {
    case: String,
    calls: f64,
    ns: f64,
    checksum: String,
}

/// Measures all chains.
pub fn run() -> Result<Table, String> {
    let workshop = Workshop::new("calls")?;
    let floors = measure_floors(&workshop)?;
    let mut rows = Vec::new();
    for depth in DEPTHS {
        for case in CASES {
            rows.push(measure(&workshop, case.name, *depth, &case.chain(*depth), &floors)?);
        }
        rows.push(measure(&workshop, "resmethod", *depth, &chains::resource_chain(*depth), &[])?);
    }
    Ok(Table { group: "calls", unit: "ns per call", rows })
}

fn measure_floors(workshop: &Workshop) -> Result<Vec<(String, f64)>, String> {
    let program = match workshop.compile_c(FLOORS, "floors") {
        Ok(program) => program,
        Err(error) => {
            eprintln!("left out, the floor in C: {error}");
            return Ok(Vec::new());
        }
    };
    let mut best: Vec<(String, f64)> = Vec::new();
    for _ in 0..ROUNDS {
        for line in output_of(&mut Command::new(&program))?.lines() {
            let line = parse_line(line)?;
            let ns = line.ns / line.calls;
            match best.iter_mut().find(|(case, _)| *case == line.case) {
                Some((_, known)) => *known = known.min(ns),
                None => best.push((line.case, ns)),
            }
        }
    }
    Ok(best)
}

fn measure(
    workshop: &Workshop,
    case: &str,
    depth: u32,
    text: &str,
    floors: &[(String, f64)],
) -> Result<Row, String> {
    let title = format!("{case}-d{depth}");
    let input = workshop.write(&format!("{title}.wat"), text)?;
    let ours = workshop.build(&input, &title)?;
    let mut contestants = vec![Contestant { who: "wasmelt", command: vec![ours.clone()] }];
    contestants.extend(peers(&input)?);
    let mut figures = take_turns(&contestants, &title)?;
    figures[0].instructions = instructions_per_call(&ours)?;
    // A chain in C would be inlined to the same code: the floor of depth 0 is everyone's.
    if let Some((_, ns)) = floors.iter().find(|(floor, _)| floor == case) {
        let hops = if case == "scalar" || case == "rec10" { 1.0 } else { f64::from(depth) + 1.0 };
        let best = ns * hops;
        figures.push(Figure { who: "C", best, worst: best, instructions: None });
    }
    Ok(Row { case: title, figures })
}

/// The reference engine in both configurations, each in a process of its own: this program again.
#[cfg(feature = "wasmtime")]
fn peers(input: &Path) -> Result<Vec<Contestant>, String> {
    use crate::peer::Configuration;
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let peer = |(configuration, name): (Configuration, &str)| Contestant {
        who: if configuration == Configuration::Default { "wasmtime" } else { "wasmtime, best" },
        command: vec![this.clone(), "peer".into(), name.into(), input.to_path_buf()],
    };
    Ok(Configuration::ALL.into_iter().map(peer).collect())
}

#[cfg(not(feature = "wasmtime"))]
fn peers(_: &Path) -> Result<Vec<Contestant>, String> {
    Ok(Vec::new())
}

fn take_turns(contestants: &[Contestant], title: &str) -> Result<Vec<Figure>, String> {
    let figure = |contestant: &Contestant| Figure {
        who: contestant.who,
        best: f64::INFINITY,
        worst: 0.0,
        instructions: None,
    };
    let mut figures: Vec<Figure> = contestants.iter().map(figure).collect();
    let mut checksum: Option<String> = None;
    for round in 0..ROUNDS {
        for step in 0..contestants.len() {
            let at = if round % 2 == 0 { step } else { contestants.len() - 1 - step };
            let command = &contestants[at].command;
            let line =
                parse_line(output_of(Command::new(&command[0]).args(&command[1..]))?.trim())?;
            let expected = checksum.get_or_insert_with(|| line.checksum.clone());
            if line.case != title || *expected != line.checksum {
                return Err(format!("{title}: {} computes another sum", contestants[at].who));
            }
            let ns = line.ns / line.calls;
            figures[at].best = figures[at].best.min(ns);
            figures[at].worst = figures[at].worst.max(ns);
        }
    }
    Ok(figures)
}

fn instructions_per_call(program: &Path) -> Result<Option<f64>, String> {
    let line = parse_line(output_of(&mut Command::new(program))?.trim())?;
    let calls = line.calls * f64::from(REPETITIONS);
    Ok(count_instructions(program).map(|count| count as f64 / calls))
}

fn parse_line(line: &str) -> Result<Line, String> {
    let mut words = line.split(' ');
    let mut word = || words.next().ok_or_else(|| format!("not a result: {line:?}"));
    let number = |word: &str| word.parse().map_err(|error| format!("{line:?}: {error}"));
    let (case, calls, ns, checksum) = (word()?, word()?, word()?, word()?);
    Ok(Line {
        case: case.to_string(),
        calls: number(calls)?,
        ns: number(ns)?,
        checksum: checksum.to_string(),
    })
}
