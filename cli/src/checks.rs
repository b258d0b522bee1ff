//! What the builder is told about a valid program before it is compiled.

use crate::pipeline::Options;
use crate::{Error, Result};
use std::path::Path;
use wasmelt_abi::preview1;
use wasmelt_flatten::program::{Export, Program};

/// # Errors
///
/// The program exports nothing that an executable could run.
pub fn require_entry(input: &Path, program: &Program) -> Result<()> {
    let is_run = |export: &Export| {
        let name = &export.name;
        name.starts_with("wasi:cli/run@0.2") && name.ends_with("#run")
    };
    if program.entry.is_some() || program.exports.iter().any(is_run) {
        return Ok(());
    }
    let message = "the component does not export `wasi:cli/run`, so there is nothing to execute";
    let error = Error::invalid(message).in_file(input);
    let others = "`--emit obj`, `staticlib` and `sharedlib` make a library of it for C, and \
                  `wasmelt run --invoke` calls one function";
    if program.exports.is_empty() {
        return Err(error.help("it exports no function at all"));
    }
    let names: Vec<String> =
        program.exports.iter().map(|export| format!("`{}`", export.name)).collect();
    Err(error.help(format!("it exports {}; {others}", names.join(", "))))
}

/// A note if the program can use what nobody grants it. The caller of the executable could still
/// grant it, so this is no error.
pub fn note_missing_grants(program: &Program, options: &Options) -> Vec<String> {
    let reaches = |package: &str| {
        program.hosts.values().any(|host| host.live && host.interface.starts_with(package))
    };
    let mut hosts = program.hosts.values().filter(|host| host.live);
    let takes_paths = hosts.any(|host| {
        host.interface == preview1::MODULE
            && preview1::find(&host.name).is_some_and(|func| func.takes_path)
    });
    let mut notes = Vec::new();
    if (reaches("wasi:filesystem/") || takes_paths) && !options.grants_dirs {
        notes.push(
            "the program can reach file-system functions, but no directory is granted: \
             add `--dir HOST::GUEST`"
                .to_string(),
        );
    }
    if reaches("wasi:sockets/") && !options.grants_network {
        notes.push(
            "the program can reach socket functions, but the network is not granted: \
             add `--network outbound` or `--network all`"
                .to_string(),
        );
    }
    notes
}
