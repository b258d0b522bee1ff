//! One call of an export as a whole program: what `wasmelt run --invoke` builds.
//!
//! The arguments are given as text, so they can be read only once the function's type is known;
//! whoever asks for the program reads them then.

use crate::error::{Error, Result};
use crate::exports::{exported_funcs, lower_natively};
use crate::interface::{FuncType, Types};
use crate::program::{Action, FuncKind, Program};
use crate::script::Value;
use crate::state::Flattener;
use crate::{Observer, finish, instantiate_component};
use wasmelt_frontend::composition::{Composition, Root};

/// A call that a program consists of.
pub struct Invocation<'a> {
    /// The function's name; one of an exported instance is `INSTANCE#FUNCTION`, or without the
    /// instance if no other has such a function.
    pub name: &'a str,
    /// The file that the program reports the result to.
    pub report: &'a str,
    /// Reads the arguments of a function of that type. They have to be of the parameters' types.
    pub read_args: &'a dyn Fn(&Types, &FuncType) -> Result<Vec<Value>>,
}

/// Instantiates the root of a composition and calls one of its exports.
pub fn instantiate_call(composition: Composition, call: &Invocation<'_>) -> Result<Program> {
    let Composition { files, core_types, modules, components, root } = composition;
    let root = root.ok_or_else(|| Error::invalid("there is no component to build"))?;
    let Root::Component(root) = root else {
        let message = "a core module exports no functions with types of components";
        return Err(Error::invalid(message).help("`wasmelt run` runs its `_start`"));
    };
    let program = Program { files, core_types, modules, ..Program::default() };
    let mut state = Flattener::new(program, &components, wasmelt_abi::wit::FILES);
    let name = components[root].name.clone().unwrap_or_else(|| "root".into());
    let instance = instantiate_component(&mut state, root, name, None)?;
    state.program.init = Some(state.finish_steps());

    let funcs = exported_funcs(&state, instance);
    let func = find_func(&funcs, call.name).ok_or_else(|| unknown_export(call.name, &funcs))?;
    let context = |error: Error| error.context(format!("the export `{}`", call.name));
    let func = lower_natively(&mut state, func).map_err(context)?;
    let FuncKind::Adapter(adapter) = &state.program.funcs[func].kind else {
        unreachable!("{func} was made as an adapter")
    };
    let (ty, core_ty) = (adapter.ty, state.program.funcs[func].ty);
    let func_type = &state.program.func_types[ty];
    let args = (call.read_args)(&state.program.types, func_type).map_err(context)?;
    let trampoline = state.add_func(core_ty, None, FuncKind::Trampoline);
    state.program.actions.push(Action::CallComponent { func, trampoline, ty, args });
    state.program.report = Some(call.report.to_owned());
    // Past this line there are no components: only core instances, adapters and host functions.
    finish(state, [], Observer::Nobody)
}

fn find_func<'f, F>(funcs: &'f [(String, F)], wanted: &str) -> Option<&'f F> {
    if let Some((_, func)) = funcs.iter().find(|(name, _)| name == wanted) {
        return Some(func);
    }
    let is_wanted = |name: &str| name.split_once('#').is_some_and(|(_, name)| name == wanted);
    let mut found = funcs.iter().filter(|(name, _)| is_wanted(name));
    match (found.next(), found.next()) {
        (Some((_, func)), None) => Some(func),
        _ => None,
    }
}

fn unknown_export<F>(name: &str, funcs: &[(String, F)]) -> Error {
    let error = Error::environment(format!("there is no exported function `{name}`"));
    let names = funcs.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>();
    match names.is_empty() {
        true => error.help("the component exports no functions"),
        false => error.help(format!("the component exports {}", names.join(", "))),
    }
}
