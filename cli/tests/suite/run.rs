//! `tests/run/*.wat`: each is built, at each optimisation level, and executed.
//!
//! Comments at the top of the file say how, and what must come of it:
//!
//! ```text
//! ;; args: A B          the program's arguments
//! ;; build: --env A=B   further options of `wasmelt build`
//! ;; dir: /data         an empty directory is granted under this name
//! ;; stdin: text        its standard input; \n is a line break
//! ;; exit: 134          its exit code, if not 0
//! ;; stdout: line       its whole standard output, line by line
//! ;; stderr: line       its whole standard error, line by line; numbers as 0x..
//! ```
//!
//! `BLESS=1` rewrites the last three, `ONLY=text` runs the files whose path contains it.

use crate::support::{blessing, files, normalize, report, run_with_input, wasmelt};
use rayon::prelude::*;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What a file's comments say.
#[derive(Debug, Default)]
struct Directives {
    args: Vec<String>,
    build: Vec<String>,
    dir: Option<String>,
    stdin: String,
    expected: Outcome,
}

/// What came of a program, or must come of it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    exit: i32,
    stdout: String,
    stderr: String,
}

#[test]
fn programs_behave_as_their_files_say() {
    let tests = files("tests/run", &["wat"]);
    assert!(!tests.is_empty(), "the tests are gone");
    let failures: Vec<String> = tests.par_iter().filter_map(|path| check(path).err()).collect();
    report("programs", &failures);
}

/// Builds and runs one file at all levels.
fn check(path: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).expect("a listed file can be read");
    let directives = parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    for level in ["2", "0"] {
        let outcome = build_and_run(path, &directives, level)
            .map_err(|error| format!("{} at -O {level}: {error}", path.display()))?;
        if blessing() && level == "2" {
            fs::write(path, bless(&text, &outcome)).expect("a test's file can be written");
        } else if outcome != directives.expected && !blessing() {
            return Err(format!(
                "{} at -O {level}:\n  expected {:?}\n  found    {:?}",
                path.display(),
                directives.expected,
                outcome
            ));
        }
    }
    Ok(())
}

fn parse(text: &str) -> Result<Directives, String> {
    let mut directives = Directives::default();
    for line in text.lines().map_while(|line| line.strip_prefix(";; ")) {
        let (key, value) = line.split_once(':').unwrap_or((line, ""));
        let line = value.strip_prefix(' ').unwrap_or(value);
        let words = || value.split_whitespace().map(str::to_string).collect();
        match key {
            "args" => directives.args = words(),
            "build" => directives.build = words(),
            "dir" => directives.dir = Some(line.to_string()),
            "stdin" => directives.stdin = line.replace("\\n", "\n"),
            "exit" => {
                directives.expected.exit =
                    line.parse().map_err(|_| format!("`{line}` is no exit code"))?;
            }
            "stdout" => push_line(&mut directives.expected.stdout, line),
            "stderr" => push_line(&mut directives.expected.stderr, line),
            _ => {} // A comment.
        }
    }
    Ok(directives)
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn build_and_run(path: &Path, directives: &Directives, level: &str) -> Result<Outcome, String> {
    let scratch = tempfile::tempdir().expect("tests can write temporary files");
    let program = scratch.path().join("program");
    let mut build = wasmelt();
    build.arg("build").arg(path).arg("-o").arg(&program).args(["-O", level]);
    build.args(&directives.build);
    if let Some(guest) = &directives.dir {
        let data = scratch.path().join("data");
        fs::create_dir(&data).expect("tests can write temporary files");
        build.arg("--dir").arg(format!("{}::{guest}", data.display()));
    }
    let built = build.output().expect("the compiler can be run");
    if !built.status.success() {
        return Err(format!("cannot be built:\n{}", String::from_utf8_lossy(&built.stderr)));
    }
    let mut run = Command::new(&program);
    run.args(&directives.args).current_dir(scratch.path()).env_clear();
    let output = run_with_input(&mut run, directives.stdin.as_bytes());
    let Some(exit) = output.status.code() else {
        return Err(format!("ended by a signal: {}", output.status));
    };
    Ok(Outcome { exit, stdout: normalize(&output.stdout), stderr: normalize(&output.stderr) })
}

/// The file's text with the outcome as its expectation.
fn bless(text: &str, outcome: &Outcome) -> String {
    let is_expectation = |line: &str| {
        [";; exit:", ";; stdout:", ";; stderr:"].iter().any(|key| line.starts_with(key))
    };
    let is_directive = |line: &str| line.starts_with(";; ");
    let head = text.lines().take_while(|line| is_directive(line));
    let mut blessed: String =
        head.filter(|line| !is_expectation(line)).flat_map(|line| [line, "\n"]).collect();
    if outcome.exit != 0 {
        writeln!(blessed, ";; exit: {}", outcome.exit).expect("a string can be written to");
    }
    for (key, text) in [("stdout", &outcome.stdout), ("stderr", &outcome.stderr)] {
        for line in text.lines() {
            writeln!(blessed, ";; {key}: {line}").expect("a string can be written to");
        }
    }
    for line in text.lines().skip_while(|line| is_directive(line)) {
        push_line(&mut blessed, line);
    }
    blessed
}
