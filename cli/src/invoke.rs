//! `wasmelt run --invoke`: calls one export and prints its result.
//!
//! The call is compiled into a program of its own, which reports the result to a file; what the
//! guest prints goes where it always goes. A trap ends the program with its message and its exit
//! code, which are then this process's too.

use crate::args::CommonArgs;
use crate::output::{describe, write_executable, write_stdout};
use crate::phases::Phases;
use crate::pipeline::{Emit, compile_call};
use crate::wast::Report;
use crate::wast::parse_reports;
use crate::wave::{print_wave, read_wave_args};
use crate::{Error, Result};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode};
use wasmelt_flatten::Invocation;
use wasmelt_flatten::program::{Action, Program};

/// What a shell adds to the number of the signal that ended a program.
const SIGNAL_EXIT_CODE: i32 = 128;

/// Compiles and makes the call; the exit code of this process.
///
/// # Errors
///
/// The input cannot be compiled, the call is none of it, or the system is at fault.
pub fn invoke(call: &str, common: &CommonArgs, args: &[OsString]) -> Result<ExitCode> {
    let (name, written_args) = split_call(call)?;
    let folder = tempfile::tempdir().map_err(|error| cannot("make a temporary folder", &error))?;
    let report = folder.path().join("report");
    fs::write(&report, []).map_err(|error| cannot("write a temporary file", &error))?;
    let report = report.to_str().ok_or_else(|| {
        Error::environment("the path of the temporary folder is no Unicode")
            .help("set TMPDIR to another one")
    })?;

    let read_args = |types: &_, ty: &_| read_wave_args(types, ty, written_args);
    let invocation = Invocation { name, report, read_args: &read_args };
    let options = common.pipeline_options(Emit::Exe, false)?;
    let mut phases = Phases::new(common.verbose);
    let (program, executable) = compile_call(&common.input, &invocation, &options, &mut phases)?;

    let path = folder.path().join("program");
    write_executable(&path, &executable)?;
    let own_name = common.input.file_stem().unwrap_or(common.input.as_os_str());
    let status = Command::new(&path).arg0(own_name).args(args).status();
    let status = status.map_err(|error| {
        cannot("execute the program", &error)
            .help("set TMPDIR to a directory that programs can be executed from")
    })?;
    let bytes = fs::read(report).map_err(|error| cannot("read the result", &error))?;
    if let Some(result) = find_result(&program, &bytes)? {
        write_stdout(format!("{result}\n").as_bytes())?;
    }
    let code = status.code().or(status.signal().map(|signal| SIGNAL_EXIT_CODE + signal));
    Ok(ExitCode::from(code.unwrap_or(1) as u8))
}

fn cannot(what: &str, error: &io::Error) -> Error {
    Error::environment(format!("cannot {what}: {}", describe(error)))
}

/// Splits `NAME(ARGS)`; the parentheses stay with the arguments.
fn split_call(call: &str) -> Result<(&str, &str)> {
    let (name, args) = match call.find('(') {
        Some(at) => call.split_at(at),
        None => (call, "()"),
    };
    match name.trim() {
        "" => Err(Error::environment("`--invoke` needs the name of a function")),
        name => Ok((name, args)),
    }
}

/// The result as text; `None` if the function has none, or did not return.
fn find_result(program: &Program, bytes: &[u8]) -> Result<Option<String>> {
    let [Action::CallComponent { ty, .. }] = &program.actions[..] else {
        unreachable!("the program consists of one call")
    };
    let reports = parse_reports(program, bytes, cfg!(target_endian = "big"));
    match (program.func_types[*ty].result, &reports[..]) {
        (Some(ty), [Report::ReturnedValue(Some(value))]) => {
            print_wave(&program.types, ty, value).map(Some)
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_split_at_the_first_parenthesis() {
        assert_eq!(split_call("a:b/c#d((1, 2))").ok(), Some(("a:b/c#d", "((1, 2))")));
        assert_eq!(split_call("f").ok(), Some(("f", "()")));
        assert!(split_call("(1)").is_err());
    }
}
