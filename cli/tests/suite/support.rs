//! What the tests share: where things are, the compiler as a process, comparing texts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository exists")
}

/// The compiler that was built for these tests.
pub fn wasmelt() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasmelt"));
    // What a test prints must not depend on who runs it. A path that leads nowhere shows that no
    // other program is started.
    command.env_clear().env("PATH", "/nonexistent");
    command
}

/// Runs a command with that standard input.
pub fn run_with_input(command: &mut Command, stdin: &[u8]) -> Output {
    use std::io::Write;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut pipe = child.stdin.take().expect("it was asked for");
    // A program that does not read its input closes the pipe: that is its right.
    let _ = pipe.write_all(stdin);
    drop(pipe);
    child.wait_with_output().expect("a child can be waited for")
}

/// The files of a directory below the repository that have one of these extensions, sorted.
pub fn files(directory: &str, extensions: &[&str]) -> Vec<PathBuf> {
    let directory = repository().join(directory);
    let entries = fs::read_dir(&directory).unwrap_or_else(|error| {
        panic!("{}: {error}", directory.display());
    });
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable directory").path())
        .filter(|path| {
            let extension = path.extension().unwrap_or_default();
            extensions.iter().any(|wanted| extension == *wanted)
        })
        .filter(|path| match std::env::var("ONLY") {
            Ok(only) => path.to_string_lossy().contains(&only),
            Err(_) => true,
        })
        .collect();
    files.sort();
    files
}

/// Whether expectations are to be rewritten instead of compared.
pub fn blessing() -> bool {
    std::env::var_os("BLESS").is_some()
}

/// Text from a process, with what varies between runs or builds replaced: hexadecimal numbers
/// become `0x..`.
pub fn normalize(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut parts = text.split("0x");
    let mut normal = parts.next().unwrap_or_default().to_string();
    for part in parts {
        normal.push_str("0x..");
        normal.push_str(part.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
    }
    normal
}

/// Fails with all messages, if there are any.
pub fn report(what: &str, failures: &[String]) {
    assert!(failures.is_empty(), "{} {what} failed:\n\n{}", failures.len(), failures.join("\n"));
}
