//! `tests/invoke/*.wat`: each call in the comments at the top of a file is made, and must print and
//! end as the comments behind it say.
//!
//! ```text
//! ;; invoke: NAME(ARGS)  what is called
//! ;; stdout: line        its standard output, line by line
//! ;; exit: 134           its exit code, if not 0
//! ```

use crate::support::{files, report, wasmelt};
use std::fs;
use std::path::Path;

/// A call and what must come of it.
#[derive(Debug, Default)]
struct Call {
    invoke: String,
    stdout: String,
    exit: i32,
}

#[test]
fn calls_print_their_results() {
    let tests = files("tests/invoke", &["wat"]);
    assert!(!tests.is_empty(), "the tests are gone");
    let mut failures = Vec::new();
    for path in &tests {
        let calls = read_calls(path);
        assert!(!calls.is_empty(), "{} calls nothing", path.display());
        failures.extend(calls.iter().filter_map(|call| check(path, call).err()));
    }
    report("calls", &failures);
}

fn read_calls(path: &Path) -> Vec<Call> {
    let text = fs::read_to_string(path).expect("a listed file can be read");
    let mut calls: Vec<Call> = Vec::new();
    for line in text.lines().map_while(|line| line.strip_prefix(";; ")) {
        let (key, value) = line.split_once(": ").expect("a comment is `;; KEY: VALUE`");
        if key == "invoke" {
            calls.push(Call { invoke: value.to_owned(), ..Call::default() });
            continue;
        }
        let call = calls.last_mut().expect("the first comment says what is called");
        match key {
            "stdout" => call.stdout += &format!("{value}\n"),
            "exit" => call.exit = value.parse().expect("an exit code is a number"),
            other => panic!("{}: no such key: {other}", path.display()),
        }
    }
    calls
}

fn check(path: &Path, call: &Call) -> Result<(), String> {
    let output = wasmelt()
        .args(["run", "-O", "0", "--invoke", &call.invoke])
        .arg(path)
        .output()
        .expect("the compiler can be started");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    if stdout == call.stdout && output.status.code() == Some(call.exit) {
        return Ok(());
    }
    let status = output.status;
    Err(format!("{}: {call:?}\n{status}\nstdout: {stdout}\nstderr: {stderr}", path.display()))
}
