//! The preview 1 tests of the WASI test suite, where the corpora are at hand.
//!
//! A test is a core module and, beside it, a `.json` with its arguments, its environment, the
//! folder that it sees as `/`, its input, and what it must print and return. The module is built
//! as any user would build it, and runs natively in a fresh copy of the folder.

#[path = "suites/corpora.rs"]
mod corpora;

use corpora::{entries, find_corpora};
use rayon::prelude::*;
use serde_json::Value;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use wasmelt::grants::{DirGrant, EnvGrant, Grants, encode};
use wasmelt::phases::Phases;
use wasmelt::pipeline::{Options, compile};

/// The suites, one for each source language.
const SUITES: [&str; 3] = ["assemblyscript", "c", "rust"];

/// How long a test may run.
const TIME_MAX: Duration = Duration::from_secs(60);

#[test]
fn the_wasi_test_suite_passes() {
    let Some(corpora) = find_corpora() else { return };
    let mut tests = Vec::new();
    for suite in SUITES {
        let folder = corpora.join("wasi-testsuite").join(suite).join("testsuite/wasm32-wasip1");
        let is_module = |path: &PathBuf| path.extension().is_some_and(|name| name == "wasm");
        let modules = entries(&folder).into_iter().filter(is_module);
        tests.extend(modules.map(|path| (format!("{suite}/{}", stem(&path)), path)));
    }
    tests.sort();
    assert!(tests.len() >= 50, "only {} tests in {}", tests.len(), corpora.display());
    let problems: Vec<String> = tests
        .par_iter()
        .filter_map(|(name, module)| run_test(module).err().map(|error| format!("{name}: {error}")))
        .collect();
    println!("{} tests", tests.len());
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

/// `(module (memory (export "memory") 0) (func (export "_start") unreachable))` in binary.
const TRAPPING: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x05\x03\x01\0\0\
    \x07\x13\x02\x06memory\x02\0\x06_start\0\0\x0a\x05\x01\x03\0\0\x0b";

#[test]
fn traps_tell_the_offset_in_the_users_file() {
    let scratch = tempfile::tempdir().expect("tests can write temporary files");
    let (module, program) = (scratch.path().join("trap.wasm"), scratch.path().join("program"));
    fs::write(&module, TRAPPING).expect("it can be written");
    let artifact = compile(&module, &Options::default(), &mut Phases::new(false));
    let artifact = artifact.expect("the module is valid");
    wasmelt::output::write_executable(&program, &artifact.bytes).expect("it can be written");
    let mut command = Command::new(&program);
    let child = spawn(command.stderr(Stdio::piped())).expect("it can be executed");
    let output = child.wait_with_output().expect("a child can be waited for");
    let message = String::from_utf8_lossy(&output.stderr);
    let at = TRAPPING.len() - 2;
    assert_eq!(TRAPPING[at], 0, "the instruction `unreachable`");
    assert!(message.ends_with(&format!("(wasm offset {at:#x})\n")), "{message}");
}

fn stem(path: &Path) -> String {
    path.file_stem().expect("a file has a name").to_string_lossy().into_owned()
}

/// Builds and runs one test. An error says what is wrong with the outcome.
fn run_test(module: &Path) -> Result<(), String> {
    let wanted = match fs::read(module.with_extension("json")) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| error.to_string())?,
        Err(_) => Value::Null,
    };
    let scratch = tempfile::tempdir().expect("tests can write temporary files");
    let program = scratch.path().join("program");
    let options = make_options(&wanted, module, scratch.path())?;
    let artifact = compile(module, &options, &mut Phases::new(false)).map_err(|e| e.to_string())?;
    wasmelt::output::write_executable(&program, &artifact.bytes).map_err(|e| e.to_string())?;
    let args = wanted["args"].as_array().into_iter().flatten();
    let mut command = Command::new(&program);
    command
        .args(args.filter_map(Value::as_str))
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = spawn(&mut command).map_err(|error| error.to_string())?;
    let mut stdin = child.stdin.take().expect("it was asked for");
    // Who does not read its input closes it: that is its right.
    let _ = stdin.write_all(wanted["stdin"].as_str().unwrap_or_default().as_bytes());
    drop(stdin);
    let code = wait_with_limit(&mut child)?;
    let output = |pipe: &mut dyn Read| {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("a pipe can be read");
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let stdout = output(&mut child.stdout.take().expect("it was asked for"));
    let stderr = output(&mut child.stderr.take().expect("it was asked for"));
    let wanted_code = wanted["exit_code"].as_i64().unwrap_or(0);
    if code.map(i64::from) != Some(wanted_code) {
        return Err(format!("exit code {code:?} instead of {wanted_code}: {stderr}"));
    }
    for (stream, text) in [("stdout", stdout), ("stderr", stderr)] {
        if wanted[stream].as_str().is_some_and(|wanted| wanted != text) {
            return Err(format!("{stream} is {text:?} instead of {}", wanted[stream]));
        }
    }
    Ok(())
}

/// Starts a program that has just been written. Until it executes its own program, the child of
/// another thread has our file open for writing, and so long the kernel refuses.
fn spawn(command: &mut Command) -> io::Result<Child> {
    loop {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(Duration::from_millis(1));
            }
            result => return result,
        }
    }
}

/// The grants that the `.json` asks for; folders are copied into `scratch`.
fn make_options(wanted: &Value, module: &Path, scratch: &Path) -> Result<Options, String> {
    let mut dirs = Vec::new();
    if let Some(root) = wanted["root"].as_str() {
        let copy = scratch.join("root");
        copy_folder(&module.with_file_name(root), &copy);
        let host = copy.to_string_lossy().into_owned();
        dirs.push(DirGrant { host, guest: "/".to_owned(), read_only: false });
    }
    let env = wanted["env"].as_object().into_iter().flatten();
    let envs: Vec<EnvGrant> = env
        .map(|(name, value)| EnvGrant {
            name: name.clone(),
            value: value.as_str().map(str::to_owned),
        })
        .collect();
    let mut options = Options { grants_dirs: !dirs.is_empty(), ..Options::default() };
    options.codegen.grants = encode(&Grants { dirs, envs, ..Grants::default() })?;
    Ok(options)
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).expect("the copy is new");
    for entry in entries(from) {
        let target = to.join(entry.file_name().expect("an entry has a name"));
        if entry.is_dir() {
            copy_folder(&entry, &target);
        } else {
            fs::copy(&entry, &target).expect("the corpora are readable");
        }
    }
}

fn wait_with_limit(child: &mut Child) -> Result<Option<i32>, String> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok(status.code());
        }
        if start.elapsed() > TIME_MAX {
            child.kill().map_err(|error| error.to_string())?;
            return Err("it does not end".to_owned());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
