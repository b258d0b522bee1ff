//! Programs whose system calls fail, one at a time: each fault must come out as the error code that
//! stands for it, nothing that was reported as written may be lost, and nothing may hang.
//!
//! `strace` injects the faults. Where it is not installed, or may not trace, the tests say so and
//! have nothing to show; under `CI=true`, for which `.ci/run` installs it, they fail.

use crate::guests::{build, own_address};
use rayon::prelude::*;
use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// No program here takes a second.
const PATIENCE: Duration = Duration::from_secs(30);

/// A fault: which call of which name fails, and how.
#[derive(Clone, Debug)]
struct Fault {
    syscall: String,
    when: usize,
    error: &'static str,
}

/// Where `strace` is.
fn tracer() -> Option<PathBuf> {
    let found = ["/usr/bin/strace", "/bin/strace"].iter().map(PathBuf::from).find(|it| it.exists());
    let works = |tracer: &PathBuf| {
        let output = Command::new(tracer).args(["-o", "/dev/null", "/bin/true"]).output();
        output.is_ok_and(|output| output.status.success())
    };
    let tracer = found.filter(works);
    if tracer.is_none() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "there is no strace that may trace");
        println!("skipped: there is no strace that may trace");
    }
    tracer
}

/// A command that runs a program under the tracer, which writes to `log`.
fn trace(tracer: &Path, program: &Path, log: &Path, fault: Option<&Fault>) -> Command {
    let mut command = Command::new(tracer);
    command.arg("-o").arg(log);
    if let Some(Fault { syscall, when, error }) = fault {
        command.arg("-e").arg(format!("inject={syscall}:error={error}:when={when}"));
    }
    command.arg(program).env_clear().stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs to the end, or kills what does not end.
fn run(mut command: Command) -> Result<Output, String> {
    let mut child = command.spawn().expect("the tracer can be executed");
    let mut stdout = child.stdout.take().expect("it was asked for");
    let reading = std::thread::spawn(move || {
        let mut text = Vec::new();
        stdout.read_to_end(&mut text).map(|_| text)
    });
    let since = Instant::now();
    let status = loop {
        match child.try_wait().expect("a child can be waited for") {
            Some(status) => break status,
            None if since.elapsed() > PATIENCE => {
                let _ = child.kill();
                let _ = child.wait();
                return Err("it hangs".to_string());
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let stdout = reading.join().expect("reading does not panic").expect("a pipe can be read");
    Ok(Output { status, stdout, stderr: Vec::new() })
}

/// How often a program calls each system call after it has started.
fn count_calls(log: &Path) -> HashMap<String, usize> {
    let log = fs::read_to_string(log).expect("the tracer writes its log");
    let mut counts = HashMap::new();
    for line in log.lines() {
        if let Some((name, _)) = line.split_once('(') {
            *counts.entry(name.to_string()).or_default() += 1;
        }
    }
    counts
}

/// Every error at every call of the names that a program uses.
fn faults(counts: &HashMap<String, usize>, kinds: &[(&str, &[&'static str])]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (syscall, errors) in kinds {
        for when in 1..=counts.get(*syscall).copied().unwrap_or(0) {
            let syscall = syscall.to_string();
            faults.extend(errors.iter().map(|error| Fault {
                syscall: syscall.clone(),
                when,
                error,
            }));
        }
    }
    faults
}

/// One more than the number of `wasi:filesystem`'s code, which is what the guest exits with.
fn file_exit_code(error: &str) -> i32 {
    match error {
        "EACCES" => 1,
        "EINTR" => 0,
        "EIO" | "EMFILE" => 14,
        "ENOMEM" => 23,
        "ENOSPC" => 24,
        "EDQUOT" => 7,
        _ => panic!("{error} is not expected"),
    }
}

const FILE_BYTES: usize = 0x8000;
const PART_BYTES: usize = 4096;

/// Runs the guest that writes a file and reads it, in a directory of its own.
fn write_file(
    tracer: &Path,
    program: &Path,
    fault: Option<&Fault>,
) -> (TempDir, Result<Output, String>) {
    let directory = tempfile::tempdir().expect("tests can write temporary files");
    fs::create_dir(directory.path().join("data")).expect("tests can write temporary files");
    let log = directory.path().join("log");
    let mut command = trace(tracer, program, &log, fault);
    command.current_dir(directory.path());
    let output = run(command);
    (directory, output)
}

/// What is wrong with what came of a fault.
fn check_file(tracer: &Path, program: &Path, fault: &Fault) -> Result<(), String> {
    let (directory, output) = write_file(tracer, program, Some(fault));
    let output = output?;
    // The dots go to standard output with the same call as the tracer's count of calls.
    let expected = if fault.syscall == "write" { 0 } else { file_exit_code(fault.error) };
    if output.status.code() != Some(expected) {
        return Err(format!("{:?} instead of {expected}", output.status));
    }
    let data = fs::read(directory.path().join("data/out")).unwrap_or_default();
    let reported = output.stdout.len() * PART_BYTES;
    let expected = |at: usize| (at + (at >> 8)) as u8;
    let kept = data.iter().enumerate().take_while(|(at, byte)| **byte == expected(*at)).count();
    if kept < reported || (output.status.success() && kept != FILE_BYTES) {
        return Err(format!("{reported} bytes were reported as written, {kept} are there"));
    }
    Ok(())
}

#[test]
fn file_faults_come_out_as_what_they_are() {
    let Some(tracer) = tracer() else { return };
    let built = tempfile::tempdir().expect("tests can write temporary files");
    let replacements = [("BYTES", FILE_BYTES as u64)];
    let program = build(built.path(), "file-writer.wat", &replacements, &["--dir", "data"]);
    let (directory, output) = write_file(&tracer, &program, None);
    assert_eq!(output.map(|output| output.status.code()), Ok(Some(0)));
    let counts = count_calls(&directory.path().join("log"));
    let kinds: [(&str, &[&str]); 5] = [
        ("openat2", &["EACCES", "EIO", "EMFILE", "ENOMEM", "ENOSPC", "EINTR"]),
        ("pwrite64", &["ENOSPC", "EIO", "EDQUOT", "EINTR"]),
        ("pread64", &["EIO", "EINTR"]),
        ("fsync", &["EIO", "ENOSPC", "EINTR"]),
        ("write", &["EINTR"]),
    ];
    let faults = faults(&counts, &kinds);
    for (syscall, _) in kinds {
        assert!(counts.contains_key(syscall), "{syscall} is not called: {counts:?}");
    }
    let failures: Vec<String> = faults
        .par_iter()
        .filter_map(|fault| {
            check_file(&tracer, &program, fault).err().map(|error| format!("{fault:?}: {error}"))
        })
        .collect();
    crate::support::report(&format!("of {} faults", faults.len()), &failures);
}

/// A part of which the system writes only half, because the file must not grow: that half is not
/// lost, what was reported is there, and the rest is the error.
#[test]
fn a_short_write_to_a_file_is_gone_on_with() {
    const BLOCKS: usize = 20;
    const BLOCK_BYTES: usize = 512;
    let built = tempfile::tempdir().expect("tests can write temporary files");
    let replacements = [("BYTES", FILE_BYTES as u64)];
    let program = build(built.path(), "file-writer.wat", &replacements, &["--dir", "data"]);
    let directory = tempfile::tempdir().expect("tests can write temporary files");
    fs::create_dir(directory.path().join("data")).expect("tests can write temporary files");
    let mut command = Command::new("/bin/sh");
    let limited = format!("trap '' XFSZ; ulimit -f {BLOCKS}; exec \"$0\"");
    command.args(["-c", &limited]).arg(&program).current_dir(directory.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = run(command).expect("it ends");
    // One more than the number of `file-too-large`.
    assert_eq!(output.status.code(), Some(9), "{output:?}");
    assert_eq!(output.stdout.len(), BLOCKS * BLOCK_BYTES / PART_BYTES);
    let data = fs::read(directory.path().join("data/out")).expect("it was made");
    let expected: Vec<u8> = (0..BLOCKS * BLOCK_BYTES).map(|at| (at + (at >> 8)) as u8).collect();
    assert!(data == expected, "{} bytes are there", data.len());
}

/// The exit code that a fault of a guest with sockets leads to: the step and the error code.
fn socket_exit_code(fault: &Fault) -> i32 {
    let code = match fault.error {
        "EINTR" => return 0,
        "EMFILE" => 10,
        "ENOBUFS" | "ENOMEM" => 4,
        "ECONNREFUSED" => 14,
        "ECONNRESET" => 15,
        "ENETUNREACH" => 13,
        "ETIMEDOUT" => 5,
        "EADDRNOTAVAIL" => 11,
        "EADDRINUSE" => 12,
        "ECONNABORTED" => 16,
        error => panic!("{error} is not expected"),
    };
    let step = match fault.syscall.as_str() {
        "socket" => 1,
        // Both report when they finish.
        "bind" | "connect" => 3,
        "listen" => 5,
        "accept4" => 6,
        "sendto" => 4,
        "recvfrom" => 6,
        syscall => panic!("{syscall} is not expected"),
    };
    step << 5 | code
}

/// What is wrong with what came of a fault of the client, or of none.
fn check_client(tracer: &Path, fault: Option<&Fault>, log: &Path) -> Result<(), String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a loopback device");
    let port = listener.local_addr().expect("it is bound").port();
    let built = tempfile::tempdir().expect("tests can write temporary files");
    let replacements = [("PORT", port.into()), ("BYTES", 100_000)];
    let options = ["--network", "outbound"];
    let program = build(built.path(), "tcp-client.wat", &replacements, &options);
    // The peer goes when the test's process does, if the program never comes.
    std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().expect("a listener accepts");
        let _ = peer.read_to_end(&mut Vec::new());
        let _ = peer.write_all(b"that was all\n");
    });
    let output = run(trace(tracer, &program, log, fault))?;
    let expected = fault.map_or(0, socket_exit_code);
    if output.status.code() != Some(expected) {
        return Err(format!("{:?} instead of {expected}", output.status));
    }
    if expected == 0 && output.stdout != b"that was all\n" {
        return Err(format!("it printed {}", output.stdout.escape_ascii()));
    }
    Ok(())
}

/// What is wrong with what came of a fault of the server, or of none.
fn check_server(tracer: &Path, fault: Option<&Fault>, log: &Path) -> Result<(), String> {
    let (address, replacements) = own_address();
    let built = tempfile::tempdir().expect("tests can write temporary files");
    let options = ["--network", "all"];
    let program = build(built.path(), "tcp-server.wat", &replacements, &options);
    // Tries until the program waits, or has ended and will never do.
    let is_over = Arc::new(AtomicBool::new(false));
    let talking = std::thread::spawn({
        let is_over = is_over.clone();
        move || {
            let mut echo = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                if let Ok(mut peer) = TcpStream::connect(address) {
                    let _ = peer.write_all(b"and back");
                    let _ = peer.shutdown(Shutdown::Write);
                    let _ = peer.read_to_end(&mut echo);
                    break;
                }
                std::thread::sleep(Duration::from_millis(2));
            }
            echo
        }
    });
    let output = run(trace(tracer, &program, log, fault));
    is_over.store(true, Ordering::Relaxed);
    let echo = talking.join().expect("talking does not panic");
    let status = output?.status;
    let expected = fault.map_or(0, socket_exit_code);
    if status.code() != Some(expected) {
        return Err(format!("{status:?} instead of {expected}"));
    }
    if expected == 0 && echo != b"and back" {
        return Err(format!("it sent {}", echo.escape_ascii()));
    }
    Ok(())
}

/// Checks a program without faults and then with each; names that begin with `?` need not be
/// called.
fn check_all(
    check: impl Fn(Option<&Fault>, &Path) -> Result<(), String> + Sync,
    kinds: &[(&str, &[&'static str])],
) {
    let directory = tempfile::tempdir().expect("tests can write temporary files");
    let log = directory.path().join("log");
    assert_eq!(check(None, &log), Ok(()));
    let counts = count_calls(&log);
    let kinds: Vec<_> =
        kinds.iter().map(|(name, errors)| (name.trim_start_matches('?'), *errors, *name)).collect();
    for (syscall, _, name) in &kinds {
        let is_called = counts.contains_key(*syscall) || name.starts_with('?');
        assert!(is_called, "{syscall} is not called: {counts:?}");
    }
    let kinds: Vec<_> = kinds.into_iter().map(|(syscall, errors, _)| (syscall, errors)).collect();
    let mut faults = faults(&counts, &kinds);
    // How often a program waits, and how much is there then, differs from one run to the next.
    faults.retain(|fault| fault.when == 1);
    let check = |(index, fault): (usize, &Fault)| {
        let log = directory.path().join(format!("log-{index}"));
        check(Some(fault), &log).err().map(|error| format!("{fault:?}: {error}"))
    };
    let failures: Vec<String> = faults.par_iter().enumerate().filter_map(check).collect();
    crate::support::report(&format!("of {} faults", faults.len()), &failures);
}

#[test]
fn server_faults_come_out_as_what_they_are() {
    let Some(tracer) = tracer() else { return };
    let kinds: [(&str, &[&str]); 6] = [
        ("socket", &["EMFILE", "ENOBUFS", "EINTR"]),
        ("bind", &["EADDRINUSE", "EADDRNOTAVAIL", "ENOMEM"]),
        ("listen", &["EADDRINUSE"]),
        ("accept4", &["EMFILE", "ECONNABORTED", "ENOBUFS", "EINTR"]),
        ("recvfrom", &["EINTR"]),
        ("sendto", &["EINTR"]),
    ];
    check_all(|fault, log| check_server(&tracer, fault, log), &kinds);
}

#[test]
fn client_faults_come_out_as_what_they_are() {
    let Some(tracer) = tracer() else { return };
    let kinds: [(&str, &[&str]); 6] = [
        ("socket", &["EMFILE", "ENOBUFS", "ENOMEM", "EINTR"]),
        ("connect", &["ECONNREFUSED", "ENETUNREACH", "EADDRNOTAVAIL", "EINTR"]),
        ("sendto", &["ECONNRESET", "ETIMEDOUT", "EINTR"]),
        ("recvfrom", &["ECONNRESET", "ETIMEDOUT", "EINTR"]),
        ("?poll", &["EINTR"]),
        ("?ppoll", &["EINTR"]),
    ];
    check_all(|fault, log| check_client(&tracer, fault, log), &kinds);
}
