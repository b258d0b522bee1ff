//! `tests/diag/*.txt`: a command line and everything that it prints.
//!
//! The first line is `$ wasmelt ...`; it runs in a copy of `tests/diag/input`. Below
//! stand its messages and, as the last line, its exit code. `BLESS=1` rewrites them.

use crate::support::{blessing, files, report, repository, wasmelt};
use rayon::prelude::*;
use std::fs;
use std::path::Path;

#[test]
fn messages_are_as_their_files_say() {
    let tests = files("tests/diag", &["txt"]);
    assert!(!tests.is_empty(), "the tests are gone");
    let failures: Vec<String> = tests.par_iter().filter_map(|path| check(path).err()).collect();
    report("messages", &failures);
}

fn check(path: &Path) -> Result<(), String> {
    let expected = fs::read_to_string(path).expect("a listed file can be read");
    let command = expected.lines().next().unwrap_or_default();
    let Some(args) = command.strip_prefix("$ wasmelt ") else {
        return Err(format!("{}: the first line must be `$ wasmelt ...`", path.display()));
    };
    let scratch = tempfile::tempdir().expect("tests can write temporary files");
    copy_files(&repository().join("tests/diag/input"), scratch.path());
    let output = wasmelt()
        .args(args.split_whitespace())
        .current_dir(scratch.path())
        .output()
        .expect("the compiler can be run");
    let found = format!(
        "{command}\n{}{}exit code {}\n",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        output.status.code().map_or("none: a signal".to_string(), |code| code.to_string())
    );
    if blessing() {
        fs::write(path, found).expect("a test's file can be written");
        return Ok(());
    }
    if found == expected {
        return Ok(());
    }
    Err(format!("{}:\n--- expected\n{expected}--- found\n{found}", path.display()))
}

fn copy_files(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("the inputs are part of the repository") {
        let path = entry.expect("a readable directory").path();
        let name = path.file_name().expect("an entry has a name");
        fs::copy(&path, to.join(name)).expect("tests can write temporary files");
    }
}
