//! The whole compiler on one screen.

use crate::phases::Phases;
use crate::{Result, checks, describe, header};
use clap::ValueEnum;
use std::path::Path;
use wasmelt_flatten::program::Program;
use wasmelt_frontend::ReadOptions;
use {wasmelt_codegen as codegen, wasmelt_flatten as flatten, wasmelt_frontend as frontend};

/// What to make of the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Emit {
    /// A static executable.
    #[default]
    Exe,
    /// A relocatable object for other linkers: the component's exports, in C.
    Obj,
    /// A static library of that object.
    Staticlib,
    /// A shared library of that object.
    Sharedlib,
    /// The program after flattening, as text.
    Program,
    /// Cranelift's intermediate code after inlining, as text.
    Clif,
    /// Machine code, as text.
    Asm,
}

impl Emit {
    /// Whether it is for someone else's program.
    pub fn is_library(self) -> bool {
        matches!(self, Emit::Obj | Emit::Staticlib | Emit::Sharedlib)
    }

    /// Whether it is for reading.
    pub fn is_text(self) -> bool {
        matches!(self, Emit::Program | Emit::Clif | Emit::Asm)
    }
}

/// Everything that the input does not determine.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What to make.
    pub emit: Emit,
    /// Whether a command must be able to run from what is made.
    pub needs_entry: bool,
    /// What the include guard of the library's header is named after, if there is to be one.
    pub header: Option<String>,
    /// Where imports are found.
    pub read: ReadOptions,
    /// How to compile.
    pub codegen: codegen::Options,
    /// Whether `codegen.grants` grants a directory.
    pub grants_dirs: bool,
    /// Whether it grants any of the network.
    pub grants_network: bool,
}

/// What was made.
#[derive(Debug)]
pub struct Artifact {
    /// The file's contents.
    pub bytes: Vec<u8>,
    /// What the builder should know about it: a sentence each.
    pub notes: Vec<String>,
    /// The header of a library.
    pub header: Option<String>,
}

impl Artifact {
    fn text(text: String) -> Artifact {
        Artifact { bytes: text.into_bytes(), notes: Vec::new(), header: None }
    }
}

/// Compiles a file and the components that it imports. Read this first.
///
/// # Errors
///
/// The input is invalid, needs what is not implemented, or cannot be read.
pub fn compile(input: &Path, options: &Options, phases: &mut Phases) -> Result<Artifact> {
    let needs_shim = match options.emit {
        Emit::Exe => Some("executables"),
        Emit::Staticlib => Some("static libraries"),
        Emit::Sharedlib => Some("shared libraries"),
        Emit::Obj | Emit::Program | Emit::Clif | Emit::Asm => None,
    };
    if let Some(what) = needs_shim {
        codegen::targets::require_shim(&options.codegen.target, what)?;
    }
    let composition = phases.time("read", || frontend::read(input, &options.read))?;
    phases.describe(|| describe::composition(&composition));
    // Past this line every input byte is valid and every imported component is bound.

    // Whoever links an object can supply what neither files nor the host do.
    let natives = options.emit.is_library();
    let roots = if natives { flatten::Roots::Library } else { flatten::Roots::Executable };
    let flattening = flatten::Options { roots, natives, ..flatten::Options::default() };
    let program = phases.time("flatten", || flatten::instantiate_with(composition, &flattening));
    let program = program.map_err(|error| error.in_file(input))?;
    phases.describe(|| describe::program(&program));
    // Past this line there are no components: only core instances, adapters and host functions.

    if options.emit == Emit::Program {
        return Ok(Artifact::text(flatten::print(&program)));
    }
    if options.emit == Emit::Exe || options.needs_entry {
        checks::require_entry(input, &program)?;
    }
    let notes = checks::note_missing_grants(&program, options);
    // Past this line the program is frozen, so its ids may appear in symbol names.

    match options.emit {
        Emit::Clif => {
            return Ok(Artifact::text(codegen::print_clif(&program, &options.codegen, "")?));
        }
        Emit::Asm => {
            return Ok(Artifact::text(codegen::print_assembly(&program, &options.codegen, "")?));
        }
        Emit::Exe | Emit::Obj | Emit::Staticlib | Emit::Sharedlib | Emit::Program => {}
    }
    let object = phases.time("compile", || codegen::compile_object(&program, &options.codegen))?;
    phases.describe(|| format!("{} bytes of object", object.bytes.len()));
    // Past this line every function is machine code, and the object defines every symbol that
    // the shim does not.

    let link = || match options.emit {
        Emit::Obj => codegen::merge_library(&object, &options.codegen),
        Emit::Staticlib => codegen::archive_library(&object, &member_name(input), &options.codegen),
        Emit::Sharedlib => codegen::link_shared_library(&object, &options.codegen),
        _ => codegen::link_executable(&object, &options.codegen),
    };
    let bytes = phases.time("link", link)?;
    phases.describe(|| format!("{} bytes of output", bytes.len()));
    let header = options.header.as_ref().map(|stem| header::write_header(&program, stem));
    Ok(Artifact { bytes, notes, header })
}

/// Compiles a file and the components that it imports; what is left of the calls between component
/// instances.
///
/// # Errors
///
/// As [`compile`].
pub fn report_calls(
    input: &Path,
    options: &Options,
    phases: &mut Phases,
) -> Result<Vec<codegen::edges::Edge>> {
    let composition = phases.time("read", || frontend::read(input, &options.read))?;
    let program = phases.time("flatten", || flatten::instantiate(composition));
    let program = program.map_err(|error| error.in_file(input))?;
    phases.time("compile", || codegen::edges::report_edges(&program, &options.codegen))
}

/// What the object in a static library is called.
fn member_name(input: &Path) -> String {
    let stem = input.file_stem().unwrap_or(input.as_os_str());
    format!("{}.o", stem.to_string_lossy())
}

/// Compiles one call of an export of a file's component: the program, and its executable.
///
/// # Errors
///
/// As [`compile`]; or there is no such export.
pub fn compile_call(
    input: &Path,
    call: &flatten::Invocation<'_>,
    options: &Options,
    phases: &mut Phases,
) -> Result<(Program, Vec<u8>)> {
    let composition = phases.time("read", || frontend::read(input, &options.read))?;
    let program = phases.time("flatten", || flatten::instantiate_call(composition, call));
    let program = program.map_err(|error| error.in_file(input))?;
    let bytes = phases.time("compile", || compile_program(&program, &options.codegen))?;
    Ok((program, bytes))
}

/// Compiles a program that is already flat to an executable.
///
/// # Errors
///
/// The program needs what is not implemented.
pub fn compile_program(program: &Program, options: &codegen::Options) -> Result<Vec<u8>> {
    let object = codegen::compile_object(program, options)?;
    codegen::link_executable(&object, options)
}
