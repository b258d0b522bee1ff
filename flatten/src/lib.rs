//! A composition to a [`Program`]: instantiates every component at compile time.
//!
//! Holds afterwards: there are no components left, only core instances, adapters
//! and host functions; every import of every core instance is one exact thing;
//! and the facts that code generation relies on are proved and verified.
//!
//! [`instantiate`] is the whole stage. A script runner drives the [`Flattener`]
//! itself, one definition at a time, and ends with [`finish`].

pub mod callgraph;
pub mod flat;
pub mod interface;
pub mod limits;
pub mod program;
pub mod scope;
pub mod script;
pub mod show;

mod canon;
mod command;
mod components;
mod core_instances;
mod declarations;
mod difference;
mod exports;
mod facts;
mod guards;
mod host;
mod imports;
mod instance_type;
mod intern;
mod invoke;
mod library;
mod link_component;
mod link_core;
mod names;
mod near;
mod print;
mod reach;
mod settle;
mod state;
mod typing;
mod verify;
mod wit_types;

pub use callgraph::callees;
pub use components::instantiate_component;
pub use core_instances::instantiate_module;
pub use exports::{Roots, lower_natively};
pub use invoke::{Invocation, instantiate_call};
pub use print::print;
pub use state::Flattener;
pub use verify::verify;
pub use wasmelt_frontend::{error, module, types};

use error::{Error, Result};
use program::{FuncId, Program};
use wasmelt_frontend::composition::{Composition, Root};

/// How to flatten.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// What the outside will call.
    pub roots: Roots,
    /// The WIT files that declare the host's functions: name and text.
    pub wit: &'a [(&'a str, &'a str)],
    /// Whether functions of interfaces that the host does not declare are native functions that
    /// someone else links, `docs/native-abi.md`; otherwise they are missing.
    pub natives: bool,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options { roots: Roots::Executable, wit: wasmelt_abi::wit::FILES, natives: false }
    }
}

/// Instantiates the root of a composition, for an executable over the runtime shim.
pub fn instantiate(composition: Composition) -> Result<Program> {
    instantiate_with(composition, &Options::default())
}

/// Instantiates the root of a composition.
pub fn instantiate_with(composition: Composition, options: &Options<'_>) -> Result<Program> {
    let Composition { files, core_types, modules, components, root } = composition;
    let root = root.ok_or_else(|| Error::invalid("there is no component to build"))?;
    let program = Program { files, core_types, modules, ..Program::default() };
    let mut state = Flattener::new(program, &components, options.wit);
    state.host.has_natives = options.natives;
    match root {
        Root::Component(root) => {
            let name = components[root].name.clone().unwrap_or_else(|| "root".into());
            let instance = instantiate_component(&mut state, root, name, None)?;
            state.program.init = Some(state.finish_steps());
            exports::export_root(&mut state, instance, options.roots)?;
        }
        Root::Module(module) => command::instantiate_command(&mut state, module)?,
    }
    let entry = state.program.entry;
    let drops = state.program.interface.resources.iter().filter_map(|resource| resource.drop);
    let exports: Vec<FuncId> =
        state.program.exports.iter().map(|export| export.func).chain(drops).collect();
    // Past this line there are no components: only core instances, adapters and host functions.
    finish(state, entry.into_iter().chain(exports), Observer::Nobody)
}

/// Who can look at the program's state after a trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observer {
    /// Nobody: a trap ends the process.
    Nobody,
    /// A script, which goes on after a trap and may look at what was done before it.
    Script,
}

/// Proves the facts of a program whose definitions are all instantiated. `roots` are what the
/// outside calls, besides the program's start functions.
pub fn finish(
    mut state: Flattener<'_>,
    roots: impl IntoIterator<Item = FuncId>,
    observer: Observer,
) -> Result<Program> {
    let program = &mut state.program;
    let mut reach = reach::Reach::new(program);
    settle::settle_segments(program, &state.inits, &mut reach, observer);
    // Past this line a segment is either the first contents of its target, or a step that runs.
    reach.reach_from(program, roots);
    reach.reach_actions(program);
    reach::mark_live(program, &reach);
    if observer == Observer::Nobody {
        reach::report_missing(program, &reach, &mut state.host)?;
    }
    // Past this line everything that runs is implemented; in a script it may also be a trap.
    facts::prove_facts(program, &reach);
    guards::elide_guards(program, &reach, observer);
    names::name_funcs(program);
    if cfg!(debug_assertions) {
        verify(program).unwrap_or_else(|broken| panic!("broken program: {}", broken.join("; ")));
    }
    Ok(state.program)
}
