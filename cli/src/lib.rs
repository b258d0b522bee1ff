//! The command line: arguments to the pipeline, the pipeline's result to a file or a process.
//!
//! A library with a thin `main.rs`, because tests, benches and fuzzers call the
//! pipeline that users call. It alone knows files that are written, terminals and
//! processes; everything about WebAssembly lies in the stages. Start reading at
//! [`pipeline::compile`].

pub mod args;
mod calls;
mod checks;
mod describe;
pub mod grants;
mod header;
mod inspect;
mod invoke;
mod json;
mod linker;
pub mod output;
pub mod phases;
pub mod pipeline;
mod policy;
pub mod run;
pub mod wast;
mod wave;

use args::{Args, BuildArgs, Command, RunArgs, WastArgs};
use clap::Parser;
use phases::Phases;
use pipeline::{Artifact, Emit};
use std::convert::Infallible;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
pub use wasmelt_frontend::error::{Error, Kind, Result};

/// Runs the command with these arguments, the program's own name first. Ends with 0 for success,
/// 1 if the input or the environment is at fault, 2 for a usage error; after `run` the program's
/// exit code is the process's, since it takes the process over.
pub fn run_command_line(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let checked = Args::try_parse_from(args).and_then(|args| check_usage(&args).map(|()| args));
    let args = match checked {
        Ok(args) => args,
        Err(error) => {
            // The message goes where it belongs: help to the output, an error to stderr. If that
            // is closed there is nobody left to tell.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let result = match args.command {
        Command::Build(args) => build(&args),
        Command::Run(RunArgs { invoke: Some(call), common, args }) => {
            return invoke::invoke(&call, &common, &args).unwrap_or_else(report_error);
        }
        Command::Run(args) => build_and_execute(&args).map(|never| match never {}),
        Command::Calls(args) => calls::report(&args),
        Command::Inspect(args) => inspect::inspect(&args.program),
        Command::Wast(args) => match run_scripts(&args) {
            Ok(true) => Ok(()),
            Ok(false) => return ExitCode::from(1),
            Err(error) => Err(error),
        },
        Command::Targets => output::write_stdout(describe::targets().as_bytes()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report_error(error),
    }
}

fn report_error(error: Error) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "error: {error}");
    ExitCode::from(1)
}

/// What the grammar of the arguments does not say.
fn check_usage(args: &Args) -> std::result::Result<(), clap::Error> {
    let Command::Build(args) = &args.command else { return Ok(()) };
    let libraries = "`--emit obj`, `staticlib` or `sharedlib`";
    let is_linked = matches!(args.emit, Emit::Exe | Emit::Sharedlib);
    let message = match () {
        () if args.header.is_some() && !args.emit.is_library() => {
            format!("`--header` describes a library: it needs {libraries}")
        }
        () if args.slot.is_some() && !args.emit.is_library() && args.linker.is_none() => {
            format!("`--slot` is for libraries: it needs {libraries}")
        }
        () if args.linker.is_some() && !is_linked => {
            "`--linker` links executables and shared libraries only".to_owned()
        }
        () => return Ok(()),
    };
    let mut command = <Args as clap::CommandFactory>::command();
    Err(command.error(clap::error::ErrorKind::ArgumentConflict, message))
}

/// `wasmelt build`: the artifact goes to the output file, text without one to standard output.
fn build(args: &BuildArgs) -> Result<()> {
    let input = &args.common.input;
    let emit = args.emit;
    let path = match &args.output {
        Some(path) => Some(path.clone()),
        None if emit.is_text() => None,
        None => Some(output::default_path(input, emit)?),
    };
    if let Some(path) = &path {
        output::refuse_input_as_output(input, path)?;
    }
    let result = build_to(args, path.as_deref());
    if let (Err(_), Some(path)) = (&result, &path) {
        output::remove_stale(path);
    }
    result
}

fn build_to(args: &BuildArgs, path: Option<&std::path::Path>) -> Result<()> {
    let mut phases = Phases::new(args.common.verbose);
    // Someone else's linker gets the object.
    let emit = if args.linker.is_some() { Emit::Obj } else { args.emit };
    let mut options = args.common.pipeline_options(emit, args.strip)?;
    options.needs_entry = args.emit == Emit::Exe;
    options.header = args
        .header
        .as_ref()
        .map(|path| path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned());
    if let Some(library) = &mut options.codegen.embedding {
        library.slot = args.slot;
    }
    let artifact = pipeline::compile(&args.common.input, &options, &mut phases)?;
    print_notes(&artifact);
    let bytes = artifact.bytes.len();
    phases.time("write", || match (path, &args.linker) {
        (Some(path), Some(linker)) => {
            linker::link(linker, &artifact.bytes, path, args.emit == Emit::Sharedlib)
        }
        (Some(path), None) => output::write_file(path, &artifact.bytes, args.emit == Emit::Exe),
        (None, _) => output::write_stdout(&artifact.bytes),
    })?;
    if let (Some(path), Some(header)) = (&args.header, &artifact.header) {
        output::write_file(path, header.as_bytes(), false)?;
    }
    phases.describe(|| format!("{bytes} bytes"));
    Ok(())
}

/// `wasmelt run`: on success the program takes the process over, so this returns only errors.
fn build_and_execute(args: &RunArgs) -> Result<Infallible> {
    let mut phases = Phases::new(args.common.verbose);
    let options = args.common.pipeline_options(Emit::Exe, false)?;
    run::require_this_machine(&options.codegen.target)?;
    let artifact = pipeline::compile(&args.common.input, &options, &mut phases)?;
    print_notes(&artifact);
    run::execute(&artifact.bytes, &args.common.input, &args.args)
}

/// `wasmelt wast`: whether all assertions hold.
fn run_scripts(args: &WastArgs) -> Result<bool> {
    Ok(wast::report_scripts(&args.files, &args.code.to_codegen()?, args.json))
}

fn print_notes(artifact: &Artifact) {
    for note in &artifact.notes {
        // A closed stderr must not keep a good program from being written.
        let _ = writeln!(std::io::stderr(), "note: {note}");
    }
}
