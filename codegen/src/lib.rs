//! A program to an object, and objects to an executable.
//!
//! Reads the [`wasmelt_flatten::program::Program`] and the bytes of the bodies
//! that it names; nothing earlier. Holds afterwards: every live function is
//! compiled, every symbol is defined, and every access that generated code makes
//! is checked or covered by a rule of `docs/safety.md`.

pub mod adapter;
mod bodies;
pub mod call_graph;
pub mod compile;
pub mod data;
pub mod edges;
pub mod emit;
pub mod env;
mod epilogues;
mod expand;
mod export;
pub mod fold;
pub mod generate;
pub mod host_call;
pub mod init;
pub mod inline;
pub mod layout;
mod library;
pub mod link;
mod listing;
pub mod memory;
pub mod object;
pub mod options;
mod passes;
mod passing;
pub mod places;
pub mod regions;
pub mod relax;
pub mod script;
mod shim;
pub mod table_facts;
pub mod tables;
pub mod targets;
pub mod translate;
pub mod unwind;
mod versions;

pub use link::notes::{Notes, read_notes};
pub use object::ObjectFile;
pub use options::Options;
pub use wasmelt_flatten::{error, interface, module, program, types};

use compile::Listing;
use emit::CompiledFunc;
use env::Env;
use error::Result;
use program::Program;

/// Compiles a program to an object.
///
/// # Errors
///
/// `Unsupported` for constructs, sizes and targets that are not implemented.
pub fn compile_object(program: &Program, options: &Options) -> Result<ObjectFile> {
    let isa = options::build_isa(options)?;
    let layout = layout::plan_layout(program, options)?;
    // Past this line everything that generated code can name has its address.
    let env = Env { program, layout: &layout, isa: &*isa };
    let initial = data::build_initial_data(program, &layout, options);
    let compiled = compile::compile_functions(env, &initial, options, Listing::None)?;
    object::write_object(env, &compiled.funcs, &initial, options)
}

/// Links an object with the runtime shim to the bytes of an executable.
///
/// # Errors
///
/// `Unsupported` for targets without a shim and code that is too large, `Environment` for symbols
/// that nothing defines.
pub fn link_executable(object: &ObjectFile, options: &Options) -> Result<Vec<u8>> {
    let shim = shim::shim_object(&options.target.triple)?;
    link::link(object, shim, options)
}

/// Joins the object of a library with the runtime shim to one relocatable object for whatever
/// linker.
///
/// # Errors
///
/// `Unsupported` for targets without a shim.
pub fn merge_library(object: &ObjectFile, options: &Options) -> Result<Vec<u8>> {
    if !targets::has_shim(&options.target) {
        // Whoever links it brings what the shim has elsewhere.
        return Ok(object.bytes.clone());
    }
    let shim = shim::shim_object(&options.target.triple)?;
    Ok(link::merge(object, shim, options)?.0)
}

/// As [`merge_library`], in an archive whose only member has that name.
///
/// # Errors
///
/// As [`merge_library`].
pub fn archive_library(object: &ObjectFile, name: &str, options: &Options) -> Result<Vec<u8>> {
    let shim = shim::shim_object(&options.target.triple)?;
    let (bytes, symbols) = link::merge(object, shim, options)?;
    Ok(link::archive::write_archive(name, &bytes, &symbols))
}

/// Links the object of a library with the runtime shim to a shared library.
///
/// # Errors
///
/// `Unsupported` for targets without a shim and code that is too large.
pub fn link_shared_library(object: &ObjectFile, options: &Options) -> Result<Vec<u8>> {
    let shim = shim::shim_object(&options.target.triple)?;
    link::link_shared(object, shim, options)
}

/// The functions whose names contain `filter` as CLIF, after inlining and optimisation.
///
/// # Errors
///
/// As [`compile_object`].
pub fn print_clif(program: &Program, options: &Options, filter: &str) -> Result<String> {
    print_listing(program, options, filter, Listing::Clif)
}

/// The functions whose names contain `filter` as assembly.
///
/// # Errors
///
/// As [`compile_object`].
pub fn print_assembly(program: &Program, options: &Options, filter: &str) -> Result<String> {
    print_listing(program, options, filter, Listing::Assembly)
}

fn print_listing(
    program: &Program,
    options: &Options,
    filter: &str,
    listing: Listing,
) -> Result<String> {
    let isa = options::build_isa(options)?;
    let layout = layout::plan_layout(program, options)?;
    let env = Env { program, layout: &layout, isa: &*isa };
    let initial = data::build_initial_data(program, &layout, options);
    let compiled = compile::compile_functions(env, &initial, options, listing)?;
    let texts =
        compiled.funcs.iter().filter(|func| listing::name_of(program, func.func).contains(filter));
    Ok(texts.map(|func: &CompiledFunc| listing::print_func(env, func)).collect())
}
