//! `wasmelt wast`: test scripts, each compiled to one program and run natively.
//!
//! A script goes the way of every program, only that what its program does is a list
//! of actions. The program reports what became of each action, and this module compares
//! that with what the script expects. A failing assertion, an unsupported module or a
//! crash never stops the other assertions from being counted.

mod compare;
mod run;

use crate::wast::compare::check_report;
use crate::wast::run::run_actions;
use rayon::prelude::*;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
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

/// Compiles and runs scripts, in parallel; one outcome for each. A mistake of ours in one script
/// must not cost the results of the others.
pub fn run_scripts(files: &[PathBuf], options: &Options) -> Vec<Outcome> {
    let run = |file: &PathBuf| {
        catch_unwind(|| run_script(file, options)).unwrap_or_else(|_| {
            let failures = vec!["0: script: the compiler panicked".to_owned()];
            Outcome { failed: 1, failures, ..Outcome::default() }
        })
    };
    files.par_iter().map(run).collect()
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
            eprintln!("{name}:{failure}");
        }
        if json {
            println!("{}", json_line(&name, outcome));
        } else {
            println!("{name}: {}", summary(outcome));
            for (what, count) in &outcome.missing {
                println!("  unsupported, {count} assertions: {what}");
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

fn json_string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control < ' ' => quoted.push_str(&format!("\\u{:04x}", control as u32)),
            other => quoted.push(other),
        }
    }
    quoted + "\""
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
