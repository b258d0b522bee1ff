//! Writing what was built.
//!
//! A file appears complete or not at all: it is written under another name in the
//! same directory and renamed. After a failed build an older file of that name is
//! gone, as with other compilers, so that nobody runs yesterday's program by
//! mistake; a usage error touches nothing.

use crate::pipeline::Emit;
use crate::{Error, Result};
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The file to write if the user names none: the input's stem in the current directory.
///
/// # Errors
///
/// The input's name has no stem, so it cannot be read either.
pub fn default_path(input: &Path, emit: Emit) -> Result<PathBuf> {
    let Some(stem) = input.file_stem() else {
        return Err(Error::environment("the input is no file").in_file(input));
    };
    let mut name = stem.to_os_string();
    match emit {
        Emit::Obj => name.push(".o"),
        Emit::Staticlib | Emit::Sharedlib => {
            name = OsString::from("lib");
            name.push(stem);
            name.push(if emit == Emit::Staticlib { ".a" } else { ".so" });
        }
        _ => {}
    }
    Ok(PathBuf::from(name))
}

/// # Errors
///
/// Both paths lead to the same file.
pub fn refuse_input_as_output(input: &Path, output: &Path) -> Result<()> {
    let same = match (fs::canonicalize(input), fs::canonicalize(output)) {
        (Ok(input), Ok(output)) => input == output,
        _ => false,
    };
    if same {
        return Err(Error::environment("the output would overwrite the input")
            .in_file(output)
            .help("choose another name with `-o OUT`"));
    }
    Ok(())
}

/// Writes a program that can be executed, in one step.
///
/// # Errors
///
/// The directory or the disk refuses.
pub fn write_executable(path: &Path, bytes: &[u8]) -> Result<()> {
    write_file(path, bytes, true)
}

/// Writes a file in one step; `executable` sets the permission to run it.
///
/// # Errors
///
/// The directory or the disk refuses.
pub fn write_file(path: &Path, bytes: &[u8], executable: bool) -> Result<()> {
    // A symbolic link stays one: what it points at is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let result = match fs::metadata(&target) {
        Ok(metadata) if metadata.is_dir() => Err(io::Error::from(io::ErrorKind::IsADirectory)),
        // A device or a pipe cannot be replaced, only written to.
        Ok(metadata) if !metadata.is_file() => fs::write(&target, bytes),
        _ => replace_file(&target, bytes, executable),
    };
    result.map_err(|error| cannot_write(path, &error))
}

fn replace_file(target: &Path, bytes: &[u8], executable: bool) -> io::Result<()> {
    let directory = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let permissions = fs::Permissions::from_mode(if executable { 0o777 } else { 0o666 });
    // The file is created with these permissions minus the caller's umask, like any other.
    let mut file = tempfile::Builder::new()
        .prefix(".wasmelt-")
        .permissions(permissions)
        .tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.persist(target).map_err(|error| error.error)?;
    Ok(())
}

fn cannot_write(path: &Path, error: &io::Error) -> Error {
    let error =
        Error::environment(format!("cannot write the output: {}", describe(error))).in_file(path);
    if path.is_dir() { error.help("choose another name with `-o OUT`") } else { error }
}

/// An operating system's error as a phrase, the same on every system.
pub fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_string(),
        io::ErrorKind::PermissionDenied => "permission denied".to_string(),
        io::ErrorKind::IsADirectory => "is a directory".to_string(),
        io::ErrorKind::NotADirectory => "not a directory".to_string(),
        io::ErrorKind::ReadOnlyFilesystem => "read-only file system".to_string(),
        io::ErrorKind::StorageFull => "no space left on the device".to_string(),
        _ => error.to_string(),
    }
}

/// Removes what an earlier build left under that name, after a failed one. What is no regular
/// file stays.
pub fn remove_stale(path: &Path) {
    let is_file = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    if is_file {
        // The build's own error is the one to report.
        let _ = fs::remove_file(path);
    }
}

/// Writes text to standard output. A reader that has seen enough is no error.
///
/// # Errors
///
/// Standard output refuses.
pub fn write_stdout(bytes: &[u8]) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::environment(
            format!("cannot write to standard output: {}", describe(&error)),
        )),
        _ => Ok(()),
    }
}
