//! The report of calls: `tests/calls/*.txt` holds a command line and what it prints.
//!
//! How many instructions are left changes with every improvement of the code generator, so
//! those numbers become `_`; that they are counted is checked apart. `BLESS=1` rewrites the files.

use crate::support::{blessing, files, report, repository, wasmelt};
use serde_json::Value;
use std::fs;
use std::path::Path;

fn print_calls(args: &[&str]) -> String {
    let output = wasmelt().current_dir(repository()).arg("calls").args(args).output();
    let output = output.expect("the compiler can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the report is text")
}

fn parse(json: &str) -> Vec<Value> {
    serde_json::from_str(json).expect("the report is a list in JSON")
}

/// Replaces the number behind each of these keys.
fn hide_numbers(json: &str) -> String {
    let mut text = json.to_string();
    for key in ["\"instructions\": ", "\"code_bytes\": "] {
        let mut parts = text.split(key);
        let first = parts.next().unwrap_or_default().to_string();
        text = parts.fold(first, |text, part| {
            text + key + "_" + part.trim_start_matches(|c: char| c.is_ascii_digit())
        });
    }
    text
}

#[test]
fn reports_are_as_their_files_say() {
    let tests = files("tests/calls", &["txt"]);
    assert!(!tests.is_empty(), "the tests are gone");
    let check = |path: &Path| {
        let expected = fs::read_to_string(path).expect("it is there");
        let command = expected.lines().next().unwrap_or_default();
        let args = command.strip_prefix("$ wasmelt calls ").expect("the first line is a command");
        let args: Vec<&str> =
            args.split(' ').chain(["--target", "x86_64-linux", "--format", "json"]).collect();
        let found = format!("{command}\n{}", hide_numbers(&print_calls(&args)));
        if blessing() {
            fs::write(path, found).expect("a test's file can be written");
            return None;
        }
        (found != expected).then(|| format!("{} has another report:\n{found}", path.display()))
    };
    let failures: Vec<String> = tests.iter().filter_map(|path| check(path)).collect();
    report("reports", &failures);
}

#[test]
fn the_table_says_what_the_json_says() {
    let input = "tests/calls/shapes.wat";
    let table = print_calls(&[input]);
    let edges = parse(&print_calls(&[input, "--format", "json"]));
    assert_eq!(edges.len(), 5);
    for (line, edge) in table.lines().skip(1).zip(&edges) {
        let cells: Vec<&str> = line.split("  ").map(str::trim).filter(|c| !c.is_empty()).collect();
        assert_eq!(cells[0], edge["caller"], "{line}");
        assert_eq!(cells[1], edge["callee"], "{line}");
        assert_eq!(cells[2], edge["function"], "{line}");
        assert_eq!(cells[3], format!("{} inlined", edge["calls"]), "{line}");
    }
    assert!(table.contains("\nguards left out\n"), "{table}");
}

/// What is not inlined is a function of its own, whose instructions can be counted otherwise: one a
/// line of the listing.
#[test]
fn instructions_are_counted() {
    let input = "tests/calls/shapes.wat";
    let options = ["--inline", "off", "--target", "x86_64-linux"];
    let edges = parse(&print_calls(&[&[input, "--format", "json"], &options[..]].concat()));
    let listing = wasmelt()
        .current_dir(repository())
        .args(["build", input, "--emit", "asm"])
        .args(options)
        .output()
        .expect("the compiler can be run");
    let listing = String::from_utf8(listing.stdout).expect("listings are text");
    for edge in &edges {
        let name = |key: &str| edge[key].as_str().expect("it is a name").to_string();
        let title = format!("; {}=>{}::{}\n", name("caller"), name("callee"), name("function"));
        let (_, body) = listing.split_once(&title).expect("the adapter is a function");
        let body = body.split("\n\n").next().unwrap_or_default();
        let is_inst = |line: &&str| line.starts_with("  ");
        let listed = body.lines().filter(is_inst).count() as u64;
        let counted = edge["instructions"].as_u64().expect("x86-64 is countable");
        // Prologue, epilogue and what moves arguments and results belong to no place, and a
        // line may stand for two instructions.
        assert!(counted > 0 && counted <= 2 * listed, "{title}{counted} of {listed}\n{body}");
        assert!(counted * 3 >= listed, "{title}{counted} of {listed}\n{body}");
        assert_eq!(edge["calls_inlined"], 0);
        assert_eq!(edge["callee_code"], "direct");
    }
}

#[test]
fn other_machines_have_a_report() {
    for (target, is_counted) in
        [("aarch64-linux", true), ("riscv64-linux", false), ("s390x-linux", false)]
    {
        let args = ["tests/calls/shapes.wat", "--format", "json", "--target", target];
        let edges = parse(&print_calls(&args));
        let records = edges.last().expect("there are edges");
        assert_eq!(records["instructions"].is_u64(), is_counted, "{target}");
        assert!(records["code_bytes"].as_u64() > Some(0), "{target}");
    }
}
