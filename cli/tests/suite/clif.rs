//! Code after inlining: `tests/clif/*.wat` beside its code, and what is left of the calls in the
//! example.
//!
//! `BLESS=1` rewrites the `.clif` files.

use crate::support::{blessing, files, report, repository, wasmelt};
use std::fs;
use std::path::Path;

fn print_clif(path: &Path) -> String {
    let mut command = wasmelt();
    // Some rewrites are for one kind of machine.
    command.arg("build").arg(path).args(["--target", "x86_64-linux", "--emit", "clif"]);
    let output = command.output();
    let output = output.expect("the compiler can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the printer writes text")
}

#[test]
fn code_is_as_its_file_says() {
    let tests = files("tests/clif", &["wat"]);
    assert!(!tests.is_empty(), "the tests are gone");
    let check = |path: &Path| {
        let found = print_clif(path);
        let expectation = path.with_extension("clif");
        if blessing() {
            fs::write(expectation, found).expect("a test's file can be written");
            return None;
        }
        let expected = fs::read_to_string(&expectation).unwrap_or_default();
        let name = expectation.display();
        (found != expected).then(|| format!("{name} has other code:\n{found}"))
    };
    let failures: Vec<String> = tests.iter().filter_map(|path| check(path)).collect();
    report("listings", &failures);
}

/// The functions that each printed function still calls: it says so in comments above its code,
/// `; NAME` and then `;   u0:7 is CALLEE` for each.
fn remaining_calls(listing: &str) -> Vec<(&str, Vec<&str>)> {
    let mut calls: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in listing.lines() {
        let callee = line.strip_prefix(";   ").and_then(|line| line.split_once(" is "));
        match (callee, line.strip_prefix("; "), calls.last_mut()) {
            (Some((_, callee)), _, Some((_, callees))) => callees.push(callee),
            (None, Some(name), _) => calls.push((name, Vec::new())),
            _ => {}
        }
    }
    calls
}

#[test]
fn no_adapter_is_called_between_child_and_host() {
    for form in ["parent.wat", "parent-inline.wat"] {
        let path = repository().join("examples/link-time-virtualization").join(form);
        let listing = print_clif(&path);
        let calls = remaining_calls(&listing);
        assert!(!calls.is_empty());
        for (name, callees) in &calls {
            // An adapter's name, and a built-in's, is `CALLER=>CALLEE`. The script's own calls of
            // the children are not in question.
            let is_adapter = |callee: &&&str| {
                callee.split_once("=>").is_some_and(|(caller, _)| !caller.starts_with("script"))
            };
            let adapters: Vec<_> = callees.iter().filter(is_adapter).collect();
            assert!(adapters.is_empty(), "{form}: {name} calls {adapters:?}");
        }
        // The child opens files by itself, so to speak: the virtualizer's code is in its own.
        for child in ["child-a::open", "child-b::open"] {
            let (_, callees) = calls.iter().find(|(name, _)| *name == child).expect("it is code");
            assert!(callees.contains(&"wasi_filesystem_types__descriptor__open_at"), "{callees:?}");
        }
    }
}
