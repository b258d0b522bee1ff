//! `--linker`: someone else's linker in the place of ours.

use crate::output::describe;
use crate::{Error, Result};
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// Links an object to an executable or a shared library. C compilers and linkers take the same
/// arguments for that: an object with an entry is a program with and without a C library.
///
/// # Errors
///
/// The linker cannot be started, or fails; what it says goes to standard error.
pub fn link(linker: &Path, object: &[u8], output: &Path, is_shared: bool) -> Result<()> {
    let cannot = |error: &std::io::Error| {
        Error::environment(format!("cannot write a temporary file: {}", describe(error)))
            .help("set TMPDIR to a directory that can be written to")
    };
    let mut file =
        tempfile::Builder::new().suffix(".o").tempfile().map_err(|error| cannot(&error))?;
    file.write_all(object).map_err(|error| cannot(&error))?;
    let mut command = Command::new(linker);
    command.args(is_shared.then_some("-shared")).arg("-o").arg(output).arg(file.path());
    let status = command.status().map_err(|error| {
        let message = format!("cannot start the linker `{}`", linker.display());
        Error::environment(format!("{message}: {}", describe(&error)))
    })?;
    match status.success() {
        true => Ok(()),
        false => Err(Error::environment(format!("the linker `{}` failed", linker.display()))),
    }
}
