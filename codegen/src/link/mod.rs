//! A static linker for exactly what this compiler makes.
//!
//! It reads our own object and the runtime shim's, keeps of the shim what is
//! reached, places everything and writes an executable. The inputs are ours, so a
//! relocation or a section that it does not know is our own mistake; what can go
//! wrong for a user is code that is too large, and a symbol that nothing defines.
//! Everyone else's linkers get the object instead.

pub mod archive;
mod elf;
mod frames;
mod input;
mod merge;
pub mod notes;
mod place;
mod public;
mod relocate;
mod resolve;

mod aarch64;
pub mod machine;
mod riscv64;
mod s390x;
mod shared;
mod x86_64;

use crate::error::Result;
use crate::object::ObjectFile;
use crate::options::Options;
use machine::Machine;
use notes::Notes;
use place::Linked;
use public::Public;

/// Links the object with a shim to the bytes of an executable.
///
/// # Errors
///
/// `Environment` for symbols that nothing defines, `Unsupported` for targets without a linker and
/// for code that is too large.
pub fn link(object: &ObjectFile, shim: &[u8], options: &Options) -> Result<Vec<u8>> {
    let machine = Machine::of(&options.target.triple)?;
    let guest = input::read_input("the program", &object.bytes)?;
    let shim = input::read_input("the runtime shim", shim)?;
    let inputs = [guest, shim];
    let symbols = resolve::resolve_symbols(&inputs);
    let roots = [wasmelt_abi::symbols::START];
    let live = resolve::mark_live(&inputs, &symbols, &roots, false)?;
    // Past this line every symbol that is used is defined.
    // Nothing but debuggers and profilers reads it, and those want names too.
    let frames = match options.strip {
        true => None,
        false => frames::collect_frames(machine, &inputs, &symbols, &live),
    };
    let linked =
        Linked { inputs: &inputs, symbols: &symbols, live: &live, frames: frames.as_ref() };
    let plan = place::place_sections(machine, linked, &object.fixed, options)?;
    // Past this line everything has its address and its place in the file.
    let mut bytes = elf::write_contents(machine, &inputs, &plan);
    relocate::apply_relocations(machine, &inputs, &symbols, &plan, &mut bytes)?;
    if let Some(frames) = &frames {
        frames::write_frames(machine, &inputs, &symbols, &plan, frames, &mut bytes);
    }
    let notes = Notes { grants: options.grants.clone(), host_funcs: object.host_funcs.clone() };
    notes::append_notes(machine, &notes, &plan, &mut bytes);
    if !options.strip {
        elf::append_symbols(machine, &inputs, &plan, &mut bytes);
    }
    Ok(bytes)
}

/// Joins the object of a library with what it uses of a shim to one relocatable object, and lists
/// the symbols that it defines.
///
/// # Errors
///
/// `Unsupported` for targets without a linker.
pub fn merge(
    object: &ObjectFile,
    shim: &[u8],
    options: &Options,
) -> Result<(Vec<u8>, Vec<String>)> {
    let machine = Machine::of(&options.target.triple)?;
    let guest = input::read_input("the program", &object.bytes)?;
    let shim = input::read_input("the runtime shim", shim)?;
    let inputs = [guest, shim];
    let mut symbols = resolve::resolve_symbols(&inputs);
    public::connect_entry(&mut symbols);
    let public = Public::of(object, true);
    let live = resolve::mark_live(&inputs, &symbols, &public.roots(), true)?;
    let bytes = merge::merge_objects(machine, &inputs, &symbols, &live, &public, options)?;
    Ok((bytes, public.names()))
}

/// Links the object of a library with a shim to the bytes of a shared library.
///
/// # Errors
///
/// `Unsupported` for targets without a linker and for code that is too large.
pub fn link_shared(object: &ObjectFile, shim: &[u8], options: &Options) -> Result<Vec<u8>> {
    let machine = Machine::of(&options.target.triple)?;
    let guest = input::read_input("the program", &object.bytes)?;
    let shim = input::read_input("the runtime shim", shim)?;
    let inputs = [guest, shim];
    let symbols = resolve::resolve_symbols(&inputs);
    let public = Public::of(object, false);
    let live = resolve::mark_live(&inputs, &symbols, &public.roots(), true)?;
    let plan = shared::plan_shared(machine, &inputs, &symbols, &live, &public, options);
    // Past this line everything has its distance from where the library will be loaded.
    let mut bytes = shared::write_shared(machine, &inputs, &symbols, &plan);
    relocate::apply_relocations(machine, &inputs, &symbols, &plan.plan, &mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
