//! Self-timing programs that take turns.

use crate::report::{Figure, Measured};
use crate::workshop::output_of;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const ROUNDS: usize = 3;

/// A program that prints lines of `CASE CALLS BEST_NS CHECKSUM`.
#[derive(Clone, Debug)]
pub struct Contestant {
    /// Who it is.
    pub who: &'static str,
    /// How it is started.
    pub command: Vec<PathBuf>,
}

/// What one line says.
#[derive(Clone, Debug)]
pub struct Line {
    /// The case's name.
    pub case: String,
    /// How many calls a repetition makes.
    pub calls: f64,
    /// What the best repetition took.
    pub ns: f64,
    /// What was computed.
    pub checksum: String,
}

/// Whether what the contestants compute must be the same; clocks and random numbers are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksums {
    /// It must.
    Equal,
    /// It need not.
    Any,
}

/// Whose turn it is, round after round. Every second round goes backwards, so that nobody always
/// follows the same one.
pub fn turns(rounds: usize, contestants: usize) -> impl Iterator<Item = usize> {
    (0..rounds).flat_map(move |round| {
        let forwards = round % 2 == 0;
        (0..contestants).map(move |step| if forwards { step } else { contestants - 1 - step })
    })
}

/// Lets the contestants run several times, in turns and in both orders; the time of one call each.
pub fn take_turns(
    contestants: &[Contestant],
    title: &str,
    checksums: Checksums,
) -> Result<Vec<Figure>, String> {
    let mut rounds: Vec<Vec<f64>> = contestants.iter().map(|_| Vec::new()).collect();
    let mut checksum: Option<String> = None;
    for at in turns(ROUNDS, contestants.len()) {
        let line = run_line(&contestants[at].command)?;
        let expected = checksum.get_or_insert_with(|| line.checksum.clone());
        if line.case != title || (checksums == Checksums::Equal && *expected != line.checksum) {
            return Err(format!("{title}: {} computes another sum", contestants[at].who));
        }
        rounds[at].push(line.ns / line.calls);
    }
    let figure = |(contestant, rounds): (&Contestant, Vec<f64>)| {
        Figure::new(contestant.who, Measured::of(rounds))
    };
    Ok(contestants.iter().zip(rounds).map(figure).collect())
}

/// Runs a program to its end; its line. What it writes to standard error is dropped unread: one of
/// the cases measures just that.
pub fn run_line(command: &[PathBuf]) -> Result<Line, String> {
    let mut run = Command::new(&command[0]);
    run.args(&command[1..]).stderr(Stdio::null());
    let text = output_of(&mut run)?;
    parse_line(text.trim())
}

/// Reads a line.
pub fn parse_line(line: &str) -> Result<Line, String> {
    let mut words = line.split_whitespace();
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

/// The reference engine in both configurations, each in a process of its own: this program again.
#[cfg(feature = "wasmtime")]
pub fn peers(input: &Path) -> Result<Vec<Contestant>, String> {
    use crate::peer::Configuration;
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let peer = |(configuration, name): (Configuration, &str)| Contestant {
        who: configuration.title(),
        command: vec![this.clone(), "peer".into(), name.into(), input.to_path_buf()],
    };
    Ok(Configuration::ALL.into_iter().map(peer).collect())
}

/// Without the feature there are none.
#[cfg(not(feature = "wasmtime"))]
pub fn peers(_: &Path) -> Result<Vec<Contestant>, String> {
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_second_round_goes_backwards() {
        assert_eq!(turns(3, 3).collect::<Vec<_>>(), [0, 1, 2, 2, 1, 0, 0, 1, 2]);
        assert_eq!(turns(2, 0).count(), 0);
    }

    #[test]
    fn lines_have_four_words() {
        let line = parse_line("str16-d4 10000 63000 123").expect("it has all of them");
        assert_eq!((line.case.as_str(), line.calls, line.ns), ("str16-d4", 10_000.0, 63_000.0));
        assert_eq!(line.checksum, "123");
        assert!(parse_line("str16-d4 10000 63000").is_err());
        assert!(parse_line("str16-d4 many 63000 123").is_err());
    }
}
