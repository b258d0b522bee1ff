//! `wasmelt wast`: test scripts, each compiled to one program and run natively.
//!
//! A script goes the way of every program, only that what its program does is a list
//! of actions. The program reports what became of each action, and this module compares
//! that with what the script expects. A failing assertion, an unsupported module or a
//! crash never stops the other assertions from being counted.

mod compare;
pub mod run;
mod values;

use crate::json::json_string;
use crate::wast::compare::check_report;
use crate::wast::run::run_actions;
pub(crate) use crate::wast::run::{Report, parse_reports};
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmelt_codegen::options::Options;
use wasmelt_flatten::script::{Check, ScriptProgram, Verdict, link_script, read_script};
use wasmelt_frontend::error::{Error, Kind};

/// What became of a script's assertions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Assertions that hold.
    pub passed: usize,
    /// Assertions that do not, and other directives that failed.
    pub failed: usize,
    /// Assertions that need something that is not implemented.
    pub unsupported: usize,
    /// A message for each failure: `LINE: KEYWORD: WHAT`.
    pub failures: Vec<String>,
    /// What is not implemented, each with the number of assertions that need it.
    pub missing: Vec<(String, usize)>,
}

/// Stack of a thread that reads and compiles scripts, whatever the machine's default is: the text
/// parser follows the nesting of its input, to a depth that it limits itself.
const STACK_BYTES: usize = 32 << 20;

/// Compiles and runs scripts, as many at a time as there are cores; one outcome for each.
pub fn run_scripts(files: &[PathBuf], options: &Options) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(vec![Outcome::default(); files.len()]);
    let work = || {
        while let Some((index, file)) = take_next(files, &next) {
            let outcome = run_script_safely(file, options);
            outcomes.lock().expect("no thread panics while it holds the lock")[index] = outcome;
        }
    };
    // These threads only wait while the compiler's own pool works, so they are no pool of their
    // own: a pool's thread would begin the next script on top of the one that it waits for.
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            let builder = std::thread::Builder::new().stack_size(STACK_BYTES);
            builder.spawn_scoped(scope, work).expect("a few threads can always be started");
        }
    });
    outcomes.into_inner().expect("no thread panicked while it held the lock")
}

fn take_next<'a>(files: &'a [PathBuf], next: &AtomicUsize) -> Option<(usize, &'a PathBuf)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    files.get(index).map(|file| (index, file))
}

/// A mistake of ours in one script must not cost the results of the others.
fn run_script_safely(file: &Path, options: &Options) -> Outcome {
    catch_unwind(|| run_script(file, options)).unwrap_or_else(|_| {
        let failures = vec!["0: script: the compiler panicked".to_owned()];
        Outcome { failed: 1, failures, ..Outcome::default() }
    })
}

/// Compiles and runs a script.
pub fn run_script(file: &Path, options: &Options) -> Outcome {
    let script = match read_script(file).and_then(link_script) {
        Ok(script) => script,
        Err(error) => return Outcome::of_whole_file(&error),
    };
    let mut outcome = Outcome::default();
    let needs_run = script.checks.iter().any(|check| matches!(check.verdict, Verdict::Run { .. }));
    let reports = if needs_run { run_actions(&script.program, options) } else { Ok(Vec::new()) };
    match reports {
        Ok(reports) => {
            for check in &script.checks {
                let verdict = check_report(&script.program, check, &reports);
                outcome.count(check, verdict);
            }
        }
        // Nothing could be run, but what was decided without running still counts.
        Err(error) => outcome.count_without_run(&script, &error),
    }
    outcome
}

impl Outcome {
    /// The outcome of a file whose directives could not even be listed.
    fn of_whole_file(error: &Error) -> Outcome {
        let message = error.to_string();
        match error.kind() {
            Kind::Unsupported => Outcome {
                unsupported: 1,
                missing: vec![(error.message().to_owned(), 1)],
                ..Outcome::default()
            },
            _ => Outcome { failed: 1, failures: vec![message], ..Outcome::default() },
        }
    }

    fn count(&mut self, check: &Check, verdict: Verdict) {
        let asserts = check.keyword.starts_with("assert_");
        match verdict {
            Verdict::Passed => self.passed += usize::from(asserts),
            Verdict::Failed(reason) => {
                self.failed += 1;
                self.failures.push(format!("{}: {}: {reason}", check.line, check.keyword));
            }
            Verdict::Unsupported(what) => {
                if asserts {
                    self.unsupported += 1;
                    self.note_missing(what);
                }
            }
            Verdict::Run { .. } => unreachable!("the report was compared"),
        }
    }

    fn count_without_run(&mut self, script: &ScriptProgram, error: &Error) {
        for check in &script.checks {
            let verdict = match (&check.verdict, error.kind()) {
                (Verdict::Run { .. }, Kind::Unsupported) => {
                    Verdict::Unsupported(error.message().to_owned())
                }
                (Verdict::Run { .. }, _) => Verdict::Failed(error.to_string()),
                (verdict, _) => verdict.clone(),
            };
            self.count(check, verdict);
        }
    }

    fn note_missing(&mut self, what: String) {
        match self.missing.iter_mut().find(|(known, _)| *known == what) {
            Some((_, count)) => *count += 1,
            None => self.missing.push((what, 1)),
        }
    }
}

/// Runs the scripts and prints what became of them; whether none failed.
pub fn report_scripts(files: &[PathBuf], options: &Options, json: bool) -> bool {
    let outcomes = run_scripts(files, options);
    let mut total = Outcome::default();
    for (file, outcome) in files.iter().zip(&outcomes) {
        let name = file.display().to_string();
        for failure in &outcome.failures {
            match failure.strip_prefix(&name) {
                // A message about the whole file begins with its name.
                Some(_) => eprintln!("{failure}"),
                None => eprintln!("{name}:{failure}"),
            }
        }
        if json {
            println!("{}", json_line(&name, outcome));
        } else {
            println!("{name}: {}", summary(outcome));
            for (what, count) in &outcome.missing {
                let noun = if *count == 1 { "assertion" } else { "assertions" };
                println!("  unsupported, {count} {noun}: {what}");
            }
        }
        total.passed += outcome.passed;
        total.failed += outcome.failed;
        total.unsupported += outcome.unsupported;
    }
    if !json && files.len() > 1 {
        println!("total of {} files: {}", files.len(), summary(&total));
    }
    total.failed == 0
}

fn summary(outcome: &Outcome) -> String {
    let Outcome { passed, failed, unsupported, .. } = outcome;
    format!("{passed} passed, {failed} failed, {unsupported} unsupported")
}

fn json_line(file: &str, outcome: &Outcome) -> String {
    let Outcome { passed, failed, unsupported, .. } = outcome;
    format!(
        r#"{{"file": {}, "passed": {passed}, "failed": {failed}, "unsupported": {unsupported}}}"#,
        json_string(file)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_lines_quote_file_names() {
        let outcome = Outcome { passed: 3, failed: 1, unsupported: 2, ..Outcome::default() };
        assert_eq!(
            json_line("a\"b\\c\n.wast", &outcome),
            r#"{"file": "a\"b\\c\u000a.wast", "passed": 3, "failed": 1, "unsupported": 2}"#
        );
    }
}
