//! What a program may do: what the builder grants, and what the caller adds and takes away.

use crate::support::{repository, wasmelt};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

fn scratch() -> TempDir {
    tempfile::tempdir().expect("tests can write temporary files")
}

/// Builds the Rust example with these options.
fn build(directory: &TempDir, options: &[&str]) -> PathBuf {
    let program = directory.path().join("program");
    let output = wasmelt()
        .args(["build", "-O", "0"])
        .arg(repository().join("examples/hello-rust/hello.wasm"))
        .args(options)
        .arg("-o")
        .arg(&program)
        .output()
        .expect("the compiler can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}

/// Runs the program so that it writes `/out.txt`, with these variables.
fn run(program: &Path, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(program);
    command.arg("/out.txt").env_clear().envs(variables.iter().copied());
    command.output().expect("it can be executed")
}

fn environment(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter(|line| line.starts_with("env ")).map(str::to_string).collect()
}

#[test]
fn the_caller_adds_a_directory() {
    let directory = scratch();
    let program = build(&directory, &[]);
    let data = scratch();
    let written = data.path().join("out.txt");
    assert_ne!(run(&program, &[]).status.code(), Some(0));
    let read_only = format!("{}::/:ro", data.path().display());
    assert_ne!(run(&program, &[("WASMELT_DIR", &read_only)]).status.code(), Some(0));
    assert!(!written.exists());
    let grant = format!("{}::/", data.path().display());
    let output = run(&program, &[("WASMELT_DIR", &grant)]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(fs::read_to_string(written).expect("it was written"), "written\n");
}

#[test]
fn the_caller_takes_a_directory_away() {
    let directory = scratch();
    let data = scratch();
    let grant = format!("{}::/", data.path().display());
    let program = build(&directory, &["--dir", &grant]);
    for deny in ["dir", "dir=/", "network;dir"] {
        assert_ne!(run(&program, &[("WASMELT_DENY", deny)]).status.code(), Some(0), "{deny}");
    }
    assert_eq!(fs::read_dir(data.path()).expect("it exists").count(), 0);
    assert_eq!(run(&program, &[("WASMELT_DENY", "dir=/other")]).status.code(), Some(0));
}

#[test]
fn the_caller_changes_the_environment() {
    let directory = scratch();
    let program = build(&directory, &["--env", "A=1"]);
    assert_eq!(environment(&run(&program, &[("B", "2")])), ["env A=1"]);
    let added = run(&program, &[("B", "2"), ("WASMELT_ENV", "B;C=3")]);
    assert_eq!(environment(&added), ["env A=1", "env B=2", "env C=3"]);
    let denied = run(&program, &[("WASMELT_ENV", "C=3"), ("WASMELT_DENY", "env=A")]);
    assert_eq!(environment(&denied), ["env C=3"]);
    assert_eq!(environment(&run(&program, &[("WASMELT_DENY", "env")])), [""; 0]);
}

#[test]
fn a_policy_grants() {
    let directory = scratch();
    let policy = directory.path().join("policy.toml");
    fs::write(&policy, "env = ['A=1']\nnetwork = 'outbound'\n").expect("it can be written");
    let policy = policy.to_str().expect("a temporary path is Unicode");
    let program = build(&directory, &["--policy", policy, "--env", "B=2"]);
    assert_eq!(environment(&run(&program, &[])), ["env A=1", "env B=2"]);
}

#[test]
fn inspect_shows_grants_and_host_functions() {
    let directory = scratch();
    let inspect = |program: &Path| {
        let output = wasmelt().arg("inspect").arg(program).output();
        output.expect("the compiler can be run")
    };
    let options = ["--dir", "data::/:ro", "--env", "A=1", "--env", "B", "--network", "outbound"];
    for strip in [&["--strip"][..], &[]] {
        let program = build(&directory, &[&options[..], strip].concat());
        let output = inspect(&program);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (grants, functions) = text.split_once("host functions\n").expect("both are there");
        let wanted = "grants\n  directory \"data\" as \"/\", to be read only\n  \
                      environment variable \"A\" = \"1\"\n  \
                      environment variable \"B\" of the caller\n  network, outbound\n";
        assert_eq!(grants, wanted);
        assert!(functions.contains("\n  wasi:filesystem/preopens@"), "{functions}");
        assert!(functions.contains("\n    [method]descriptor.open-at\n"), "{functions}");
        assert!(!functions.contains("symlink-at"), "{functions}");
    }
    let output = inspect(&repository().join("examples/hello-rust/hello.wasm"));
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no executable"));
}
