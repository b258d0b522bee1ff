//! What a library has besides its functions: names for its types, and functions that destroy
//! resources.

use crate::error::{Error, Result};
use crate::host::symbol_prefix;
use crate::program::{FuncKind, NamedResource, ResourceId, ResourceKind};
use crate::scope::{Entity, InstanceId, TypeValue};
use crate::state::Flattener;
use crate::types::{FuncType, ValType};
use std::collections::HashMap;

/// What owns a name that the root exports without an instance around it.
const ROOT: &str = "root";

/// The types that an instance exports by itself or in instances: owner, name, type.
fn exported_types<'a>(
    state: &Flattener<'a>,
    root: InstanceId,
) -> Vec<(String, String, TypeValue<'a>)> {
    let mut types = Vec::new();
    for (name, entity) in state.exports(root) {
        match entity {
            Entity::Type(ty) => types.push((ROOT.to_owned(), name.clone(), *ty)),
            Entity::Instance(instance) => {
                for (inner, entity) in state.exports(*instance) {
                    if let Entity::Type(ty) = entity {
                        types.push((name.clone(), inner.clone(), *ty));
                    }
                }
            }
            _ => {}
        }
    }
    types
}

/// Notes what the exports call value types.
pub(crate) fn name_types(state: &mut Flattener<'_>, root: InstanceId) {
    for (owner, name, ty) in exported_types(state, root) {
        if let TypeValue::Value(ty) = ty {
            state.program.interface.types.push((symbol_prefix(&owner, &name), ty));
        }
    }
}

/// Names the resource types that the exports show and, for those that the program defines, makes
/// functions that destroy one.
pub(crate) fn export_drops(state: &mut Flattener<'_>, root: InstanceId) {
    for (owner, name, ty) in exported_types(state, root) {
        let TypeValue::Resource(resource) = ty else { continue };
        let known = &state.program.interface.resources;
        if known.iter().any(|known| known.resource == resource) {
            continue;
        }
        let name = symbol_prefix(&owner, &name);
        let drop = add_drop(state, resource, &name);
        state.program.interface.resources.push(NamedResource { name, resource, drop });
    }
}

fn add_drop(
    state: &mut Flattener<'_>,
    resource: ResourceId,
    name: &str,
) -> Option<crate::program::FuncId> {
    let ResourceKind::Guest { dtor, .. } = state.program.resources[resource].kind else {
        return None;
    };
    let ty = FuncType { params: [ValType::I32].into(), results: [].into() };
    let ty = state.core_func_type(ty);
    let kind = FuncKind::Export { symbol: format!("{name}__drop"), callee: dtor };
    Some(state.add_func(ty, None, kind))
}

/// Symbols have no versions, and an import and an export of one interface have the same.
pub(crate) fn refuse_equal_symbols(state: &Flattener<'_>) -> Result<()> {
    let program = &state.program;
    let mut taken: HashMap<&str, String> = HashMap::new();
    for host in program.hosts.values() {
        let what = format!("the import `{}` of `{}`", host.name, host.interface);
        taken.insert(&host.symbol, what);
    }
    for export in &program.exports {
        let FuncKind::Export { symbol, .. } = &program.funcs[export.func].kind else { continue };
        let what = format!("the export `{}`", export.name);
        if let Some(other) = taken.get(symbol.as_str()) {
            let message = format!("{other} and {what} would both be the symbol `{symbol}`");
            return Err(Error::unsupported(message));
        }
        taken.insert(symbol, what);
    }
    Ok(())
}
