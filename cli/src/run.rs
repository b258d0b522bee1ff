//! Executing what was just built.
//!
//! The executable is a temporary file that has no name any more when it starts, so
//! nothing is left behind however it ends. It takes this process over: signals,
//! terminal and exit code are its own.

use crate::output::describe;
use crate::{Error, Result};
use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use wasmelt_codegen::options::Target;
use wasmelt_codegen::targets;

/// The emulator that programs for another machine need; `None` if they run here.
pub fn emulator_for(target: &Target) -> Option<&'static str> {
    let host = targets::host_target();
    if host.triple.architecture == target.triple.architecture {
        return None;
    }
    targets::machine_of(target).map(|machine| machine.emulator)
}

/// # Errors
///
/// The target's programs do not run on this machine.
pub fn require_this_machine(target: &Target) -> Result<()> {
    match emulator_for(target) {
        None => Ok(()),
        Some(emulator) => Err(Error::environment(format!(
            "programs for `{}` do not run on this machine",
            target.triple
        ))
        .help(format!("`wasmelt build` writes one, and `{emulator} PROGRAM` runs it"))),
    }
}

/// Replaces this process by the executable in `bytes`; the program's name is the input's stem.
///
/// # Errors
///
/// There is no place for a temporary file, or none that files can be executed from.
pub fn execute(bytes: &[u8], input: &Path, args: &[OsString]) -> Result<Infallible> {
    let file = write_unnamed(bytes).map_err(|error| {
        Error::environment(format!("cannot write a temporary file: {}", describe(&error)))
            .help("set TMPDIR to a directory that can be written to")
    })?;
    let name = input.file_stem().unwrap_or(input.as_os_str());
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    // The kernel opens the file before it closes our descriptors.
    let error = Command::new(path).arg0(name).args(args).exec();
    Err(Error::environment(format!("cannot execute the program: {}", describe(&error)))
        .help("set TMPDIR to a directory that programs can be executed from"))
}

/// Writes a file, opens it again for reading only (what is open for writing cannot be executed)
/// and removes its name.
fn write_unnamed(bytes: &[u8]) -> io::Result<File> {
    let mut file = tempfile::Builder::new()
        .prefix("wasmelt-")
        .permissions(fs::Permissions::from_mode(0o700))
        .tempfile()?;
    file.write_all(bytes)?;
    let path = file.into_temp_path();
    let file = File::open(&path)?;
    path.close()?;
    Ok(file)
}
