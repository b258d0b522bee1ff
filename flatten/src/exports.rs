//! The root's exports: what the outside can call.

use crate::canon::{add_adapter, fuse};
use crate::components::exported_func;
use crate::error::{Error, Result};
use crate::host::{interface_key, missing_error};
use crate::library;
use crate::program::{Export, FuncId, FuncKind, Lower};
use crate::scope::{ComponentFunc, Entity, InstanceId};
use crate::state::Flattener;
use crate::types::ValType;

/// What the outside will call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Roots {
    /// `wasi:cli/run`, or every export if the root does not export that: an executable.
    #[default]
    Executable,
    /// Every export: an object or a library.
    Library,
}

/// The interface that an executable runs, in any compatible version.
const RUN_INTERFACE: &str = "wasi:cli/run@0.2";
/// The function of it.
const RUN_FUNC: &str = "run";

/// Makes the functions that the outside calls.
pub(crate) fn export_root(state: &mut Flattener<'_>, root: InstanceId, roots: Roots) -> Result<()> {
    state.program.entry = find_run(state, root)
        .map(|func| lower_natively(state, &func))
        .transpose()
        .map_err(|error| error.context(format!("the export `{RUN_INTERFACE}#{RUN_FUNC}`")))?;
    if let Some(entry) = state.program.entry {
        check_entry(state, entry)?;
        if roots == Roots::Executable {
            return Ok(());
        }
    }
    let lower = if roots == Roots::Library { Lower::C } else { Lower::Native };
    for (name, func) in exported_funcs(state, root) {
        let context = |error: Error| error.context(format!("the export `{name}`"));
        let export = lower_as(state, &func, lower.clone()).map_err(context)?;
        let FuncKind::Adapter(adapter) = &state.program.funcs[export].kind else {
            unreachable!("{export} was made as an adapter")
        };
        let ty = adapter.ty;
        state.program.exports.push(Export { name, func: export, ty });
    }
    if roots == Roots::Library {
        // Nothing runs by itself: the command's `run` is an export like any other.
        state.program.entry = None;
        library::name_exports(state, root)?;
    }
    Ok(())
}

/// The functions that an instance exports by itself or in instances.
pub(crate) fn exported_funcs(
    state: &Flattener<'_>,
    root: InstanceId,
) -> Vec<(String, ComponentFunc)> {
    let mut funcs = Vec::new();
    for (name, entity) in state.exports(root) {
        match entity {
            Entity::Func(id) => funcs.push((name.clone(), state.funcs[*id].clone())),
            Entity::Instance(instance) => {
                for (inner, entity) in state.exports(*instance) {
                    if let Some(func) = exported_func(state, *entity) {
                        funcs.push((format!("{name}#{inner}"), func.clone()));
                    }
                }
            }
            _ => {}
        }
    }
    funcs
}

fn find_run(state: &Flattener<'_>, root: InstanceId) -> Option<ComponentFunc> {
    let is_run = |name: &str| interface_key(name) == RUN_INTERFACE;
    let (_, run) = state.exports(root).iter().find(|(name, _)| is_run(name))?;
    let Entity::Instance(run) = run else { return None };
    exported_func(state, state.export(*run, RUN_FUNC)?).cloned()
}

/// The adapter by which the outside calls a component function.
pub fn lower_natively(state: &mut Flattener<'_>, func: &ComponentFunc) -> Result<FuncId> {
    lower_as(state, func, Lower::Native)
}

fn lower_as(state: &mut Flattener<'_>, func: &ComponentFunc, lower: Lower) -> Result<FuncId> {
    match fuse(state, func, lower) {
        Ok(adapter) => Ok(add_adapter(state, adapter)),
        Err(why) => Err(missing_error(&mut state.host, &why)),
    }
}

/// The entry has no parameters, and its result is a status.
fn check_entry(state: &Flattener<'_>, entry: FuncId) -> Result<()> {
    let ty = state.program.core_types[state.program.funcs[entry].ty].func();
    let ty = ty.expect("an adapter has a function type");
    match ty.params.is_empty() && *ty.results == [ValType::I32] {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "the export `{RUN_INTERFACE}#{RUN_FUNC}` has another type than `func() -> result`"
        ))),
    }
}
