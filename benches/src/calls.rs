//! What a call between components costs, per kind of value and depth of the chain.
//!
//! Every guest times itself (see `chains`). Files on the command line are measured like the
//! generated ones, if they print the same kind of line.

use crate::chains::{self, CASES};
use crate::contest::{Checksums, Contestant, parse_line, peers, run_line, take_turns};
use crate::guest::REPETITIONS;
use crate::report::{Figure, Measured, Row, Table};
use crate::workshop::{Workshop, count_instructions, output_of};
use std::path::{Path, PathBuf};
use std::process::Command;

const ROUNDS: usize = 3;
const DEPTHS: &[u32] = &[0, 1, 4, 16];

/// What the same work costs in C, with no component around it. The lines are as the guests'.
const FLOORS: &str = include_str!("floors.c");

/// The floors that were measured: the cases' names and the time of one call.
pub struct Floors(Result<Vec<(String, Measured)>, String>);

impl Floors {
    /// Compiles and runs them.
    pub fn measure(workshop: &Workshop) -> Floors {
        Floors(measure_floors(workshop))
    }

    /// What the work of `hops` calls takes.
    pub fn figure(&self, case: &str, hops: f64) -> Figure {
        let floors = match &self.0 {
            Ok(floors) => floors,
            Err(error) => return Figure::absent("C", error.clone()),
        };
        match floors.iter().find(|(floor, _)| floor == case) {
            Some((_, floor)) => Figure::new(
                "C",
                Measured {
                    best: floor.best * hops,
                    worst: floor.worst * hops,
                    instructions: floor.instructions.map(|count| count * hops),
                },
            ),
            None => Figure::absent("C", "its code would be the guest's"),
        }
    }
}

/// Measures all chains, or the files.
pub fn run(files: &[String]) -> Result<Vec<Table>, String> {
    let workshop = Workshop::new("calls")?;
    let floors = Floors::measure(&workshop);
    let mut table = Table::new("calls", "ns");
    for file in files {
        table.rows.push(measure_file(&workshop, Path::new(file))?);
    }
    let depths = if files.is_empty() { DEPTHS } else { &[] };
    for depth in depths {
        for case in CASES {
            let text = case.chain(*depth);
            table.rows.push(measure(&workshop, case.name, *depth, &text, &floors)?);
        }
        let text = chains::resource_chain(*depth);
        table.rows.push(measure(&workshop, "resmethod", *depth, &text, &floors)?);
    }
    Ok(vec![table])
}

fn measure_floors(workshop: &Workshop) -> Result<Vec<(String, Measured)>, String> {
    let program = workshop.compile_c(FLOORS, "floors")?;
    let mut rounds: Vec<(String, Vec<f64>)> = Vec::new();
    for _ in 0..ROUNDS {
        for line in output_of(&mut Command::new(&program))?.lines() {
            let line = parse_line(line)?;
            let ns = line.ns / line.calls;
            match rounds.iter_mut().find(|(case, _)| *case == line.case) {
                Some((_, known)) => known.push(ns),
                None => rounds.push((line.case, vec![ns])),
            }
        }
    }
    let measured = rounds.into_iter().map(|(case, rounds)| (case, Measured::of(rounds)));
    Ok(measured.collect())
}

fn measure(
    workshop: &Workshop,
    case: &str,
    depth: u32,
    text: &str,
    floors: &Floors,
) -> Result<Row, String> {
    let title = format!("{case}-d{depth}");
    let input = workshop.write(&format!("{title}.wat"), text)?;
    let mut row = measure_guest(workshop, &input, &title, Checksums::Equal)?;
    // A chain in C would be inlined to the same code: the floor of depth 0 is everyone's.
    let hops = if case == "scalar" || case == "rec10" { 1.0 } else { f64::from(depth) + 1.0 };
    row.figures.push(floors.figure(case, hops));
    Ok(row)
}

fn measure_file(workshop: &Workshop, input: &Path) -> Result<Row, String> {
    let ours = workshop.build(input, "guest")?;
    let line = run_line(std::slice::from_ref(&ours))?;
    measure_guest(workshop, input, &line.case, Checksums::Any)
}

/// Runs a self-timing component by us and by the reference engine.
pub fn measure_guest(
    workshop: &Workshop,
    input: &Path,
    title: &str,
    checksums: Checksums,
) -> Result<Row, String> {
    let ours = workshop.build(input, title)?;
    let mut contestants = vec![Contestant { who: "wasmelt", command: vec![ours.clone()] }];
    contestants.extend(peers(input)?);
    let mut figures = take_turns(&contestants, title, checksums)?;
    if let Ok(measured) = &mut figures[0].measured {
        measured.instructions = instructions_per_call(&ours)?;
    }
    Ok(Row { case: title.to_string(), figures })
}

/// What callgrind counts, divided by all calls: start and end of the program are part of it.
fn instructions_per_call(program: &PathBuf) -> Result<Option<f64>, String> {
    let line = run_line(std::slice::from_ref(program))?;
    let calls = line.calls * f64::from(REPETITIONS);
    Ok(count_instructions(std::slice::from_ref(program)).map(|count| count as f64 / calls))
}
