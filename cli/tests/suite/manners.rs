//! Programs behave like native ones at their edges: broken pipes, full disks, signals, streams
//! that others have made non-blocking, too few descriptors.

use crate::support::{repository, wasmelt};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What the copying program ends with if reading or writing fails.
const READ_FAILED: i32 = 1;
const WRITE_FAILED: i32 = 2;

fn scratch() -> TempDir {
    tempfile::tempdir().expect("tests can write temporary files")
}

/// Builds a program from text.
fn build(directory: &TempDir, input: PathBuf, options: &[&str]) -> PathBuf {
    let program = directory.path().join("program");
    let mut command = wasmelt();
    command.arg("build").arg(input).args(options).arg("-o").arg(&program);
    let output = command.output().expect("the compiler can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}

/// The program that copies standard input to standard output.
fn build_cat(directory: &TempDir) -> PathBuf {
    build(directory, repository().join("benches/guests/cat.wat"), &[])
}

fn spawn(program: &PathBuf, stdin: Stdio, stdout: Stdio) -> Child {
    let mut command = Command::new(program);
    command.env_clear().stdin(stdin).stdout(stdout).spawn().expect("it can be executed")
}

/// More than any pipe or socket holds.
fn much() -> Vec<u8> {
    (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect()
}

/// The exit code of a program that nothing killed.
fn wait(mut child: Child) -> i32 {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            assert_eq!(status.signal(), None);
            return status.code().expect("no signal ended it");
        }
        if Instant::now() > deadline {
            child.kill().expect("it still runs");
            panic!("the program hangs");
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Writes from another thread, so that nobody waits for each other.
fn feed(mut stdin: impl Write + Send + 'static, bytes: Vec<u8>) {
    // Who stops reading is the test's business.
    thread::spawn(move || drop(stdin.write_all(&bytes)));
}

#[test]
fn a_broken_pipe_is_an_error_of_the_write() {
    let directory = scratch();
    let program = build_cat(&directory);
    let mut child = spawn(&program, Stdio::piped(), Stdio::piped());
    feed(child.stdin.take().expect("piped"), much());
    let mut first = [0; 4];
    let mut stdout = child.stdout.take().expect("piped");
    stdout.read_exact(&mut first).expect("it copies");
    drop(stdout);
    assert_eq!(wait(child), WRITE_FAILED);
}

#[test]
fn closed_streams_are_errors() {
    let directory = scratch();
    let program = build_cat(&directory);
    let run = |redirection: &str| {
        let script = format!("exec \"$0\" {redirection}");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &script]).arg(&program).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().expect("there is a shell");
        feed(child.stdin.take().expect("piped"), b"text".to_vec());
        wait(child)
    };
    assert_eq!(run(""), 0);
    assert_eq!(run("<&-"), READ_FAILED);
    assert_eq!(run(">&-"), WRITE_FAILED);
}

#[test]
fn a_full_disk_is_an_error_of_the_write() {
    let directory = scratch();
    let program = build_cat(&directory);
    let full = File::options().write(true).open("/dev/full").expect("Linux has it");
    let mut child = spawn(&program, Stdio::piped(), full.into());
    feed(child.stdin.take().expect("piped"), b"text".to_vec());
    assert_eq!(wait(child), WRITE_FAILED);
}

#[test]
fn a_stopped_program_goes_on() {
    let directory = scratch();
    let program = build_cat(&directory);
    let mut child = spawn(&program, Stdio::piped(), Stdio::piped());
    let mut stdin = child.stdin.take().expect("piped");
    let mut stdout = child.stdout.take().expect("piped");
    let mut echo = |text: &[u8; 4]| {
        stdin.write_all(text).expect("it reads");
        let mut copy = [0; 4];
        // What is read comes out at once: the program's input has not ended.
        stdout.read_exact(&mut copy).expect("it writes");
        assert_eq!(&copy, text);
    };
    echo(b"one\n");
    for signal in ["-STOP", "-CONT"] {
        let pid = child.id().to_string();
        let script = "kill \"$0\" \"$1\"";
        let status = Command::new("/bin/sh").args(["-c", script, signal, &pid]).status();
        assert!(status.expect("there is a shell").success());
        thread::sleep(Duration::from_millis(20));
    }
    echo(b"two\n");
    drop(stdin);
    assert_eq!(wait(child), 0);
}

/// The status flags of an open file, as the kernel prints them.
fn flags(file: &impl AsRawFd) -> String {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd()));
    let info = info.expect("Linux has it");
    let line = info.lines().find(|line| line.starts_with("flags:"));
    line.expect("it has flags").to_string()
}

#[test]
fn non_blocking_streams_lose_nothing_and_stay_as_they_are() {
    let directory = scratch();
    let program = build_cat(&directory);
    let (input, their_input) = UnixStream::pair().expect("sockets are there");
    let (mut output, their_output) = UnixStream::pair().expect("sockets are there");
    let theirs = [their_input, their_output].map(|stream| {
        stream.set_nonblocking(true).expect("it is a socket");
        stream
    });
    let before = theirs.each_ref().map(flags);
    let [stdin, stdout] =
        theirs.each_ref().map(|s| OwnedFd::from(s.try_clone().expect("descriptors are left")));
    let child = spawn(&program, stdin.into(), stdout.into());
    feed(input, much());
    // Slowly at first, so that the program finds its output full.
    thread::sleep(Duration::from_millis(50));
    let mut copy = vec![0; much().len()];
    output.read_exact(&mut copy).expect("it writes");
    assert_eq!(wait(child), 0);
    assert!(copy == much());
    assert_eq!(theirs.each_ref().map(flags), before);
}

/// Opens `/` until that fails, and ends with the error.
const OPEN_MANY: &str = r#"(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) ".")
  (func (export "_start") (local $error i32)
    loop $more
      (br_if $more (i32.eqz (local.tee $error (call $open (i32.const 3) (i32.const 0)
        (i32.const 8) (i32.const 1) (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0)
        (i32.const 0)))))
    end
    (call $exit (local.get $error))))"#;

#[test]
fn too_few_descriptors_are_an_error_of_opening() {
    /// `errno.mfile`.
    const MFILE: i32 = 33;
    let directory = scratch();
    let input = directory.path().join("open.wat");
    fs::write(&input, OPEN_MANY).expect("it can be written");
    let program = build(&directory, input, &["--dir", "/::/:ro"]);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "ulimit -n 16 && exec \"$0\""]).arg(program);
    assert_eq!(wait(command.spawn().expect("there is a shell")), MFILE);
}

/// Writes a byte at 5 GiB of a new file.
const WRITE_FAR: &str = r#"(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "far")
  (data (i32.const 16) "\08\00\00\00\01\00\00\00")
  (func (export "_start")
    (call $exit (i32.or
      (i32.or
        (call $open (i32.const 3) (i32.const 0) (i32.const 8) (i32.const 3) (i32.const 1)
          (i64.const 0x44) (i64.const 0) (i32.const 0) (i32.const 0))
        (call $seek (i32.load (i32.const 0)) (i64.const 0x140000000) (i32.const 0) (i32.const 24)))
      (call $write (i32.load (i32.const 0)) (i32.const 16) (i32.const 1) (i32.const 32))))))"#;

#[test]
fn offsets_have_64_bits() {
    let directory = scratch();
    let input = directory.path().join("far.wat");
    fs::write(&input, WRITE_FAR).expect("it can be written");
    let grant = format!("{}::/", directory.path().display());
    let program = build(&directory, input, &["--dir", &grant]);
    assert_eq!(wait(spawn(&program, Stdio::null(), Stdio::null())), 0);
    let metadata = fs::metadata(directory.path().join("far")).expect("it was created");
    assert_eq!(metadata.len(), (5 << 30) + 1);
}
