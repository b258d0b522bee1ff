//! What a library adds to the exports: symbols for functions and types, and functions that destroy
//! resources.

use crate::error::{Error, Result};
use crate::host::{interface_key, path_of, symbol_of, symbol_prefix};
use crate::program::{FuncKind, NamedResource, ResourceId, ResourceKind};
use crate::scope::{Entity, InstanceId, TypeValue};
use crate::state::Flattener;
use crate::types::{FuncType, ValType};
use std::collections::{HashMap, HashSet};

/// What owns a name that the root exports without an instance around it.
const ROOT: &str = "root";

/// What the symbols of exported interfaces begin with.
struct Owners {
    /// Interfaces, by their names without versions, that are exported in several versions.
    several: HashSet<String>,
}

impl Owners {
    fn find(state: &Flattener<'_>, root: InstanceId) -> Owners {
        let mut known = HashMap::new();
        let mut several = HashSet::new();
        for (name, _) in state.exports(root) {
            let key = interface_key(name);
            if *known.entry(path_of(name)).or_insert_with(|| key.clone()) != key {
                several.insert(path_of(name).to_owned());
            }
        }
        Owners { several }
    }

    /// What an exported interface is called in symbols: as an imported one, but told apart from
    /// native imports of the same interface.
    fn owner(&self, state: &Flattener<'_>, interface: &str) -> String {
        let name = match self.several.contains(path_of(interface)) {
            true => interface_key(interface).replace('@', "-"),
            false => interface.to_owned(),
        };
        match interface != ROOT && state.host.is_native(interface) {
            true => format!("exports-{name}"),
            false => name,
        }
    }
}

/// Gives the exports, and the types that they show, their symbols.
///
/// # Errors
///
/// `Unsupported` if two would have the same: symbols have not all characters of names.
pub(crate) fn name_exports(state: &mut Flattener<'_>, root: InstanceId) -> Result<()> {
    let owners = Owners::find(state, root);
    name_funcs(state, &owners);
    name_types(state, &owners, root);
    export_drops(state, &owners, root);
    refuse_equal_symbols(state)
}

/// Puts a function with a symbol around each exported one.
fn name_funcs(state: &mut Flattener<'_>, owners: &Owners) {
    for index in 0..state.program.exports.len() {
        let export = &state.program.exports[index];
        let (owner, name) = export.name.split_once('#').unwrap_or((ROOT, &export.name));
        let symbol = symbol_of(&owners.owner(state, owner), name);
        let callee = export.func;
        let kind = FuncKind::Export { symbol, callee: Some(callee) };
        let func = state.add_func(state.program.funcs[callee].ty, None, kind);
        state.program.exports[index].func = func;
    }
}

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
fn name_types(state: &mut Flattener<'_>, owners: &Owners, root: InstanceId) {
    for (owner, name, ty) in exported_types(state, root) {
        if let TypeValue::Value(ty) = ty {
            let name = symbol_prefix(&owners.owner(state, &owner), &name);
            state.program.interface.types.push((name, ty));
        }
    }
}

/// Names the resource types that the exports show and, for those that the program defines, makes
/// functions that destroy one.
fn export_drops(state: &mut Flattener<'_>, owners: &Owners, root: InstanceId) {
    for (owner, name, ty) in exported_types(state, root) {
        let TypeValue::Resource(resource) = ty else { continue };
        let known = &state.program.interface.resources;
        if known.iter().any(|known| known.resource == resource) {
            continue;
        }
        let name = symbol_prefix(&owners.owner(state, &owner), &name);
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

fn refuse_equal_symbols(state: &Flattener<'_>) -> Result<()> {
    let program = &state.program;
    let mut taken: HashMap<&str, String> = HashMap::new();
    for host in program.hosts.values() {
        let what = format!("the import `{}` of `{}`", host.name, host.interface);
        taken.insert(&host.symbol, what);
    }
    let clash = |symbol: &str, one: &str, two: &str| {
        Error::unsupported(format!("{one} and {two} would both be the symbol `{symbol}`"))
    };
    for resource in program.resources.values() {
        let ResourceKind::Host { drop_symbol, .. } = &resource.kind else { continue };
        let what = format!("dropping the imported `{}`", resource.name);
        if let Some(other) = taken.insert(drop_symbol, what.clone()) {
            return Err(clash(drop_symbol, &other, &what));
        }
    }
    let funcs = program.exports.iter();
    let funcs = funcs.map(|export| (export.func, format!("the export `{}`", export.name)));
    let drops = program.interface.resources.iter().filter_map(|resource| {
        let name = &program.resources[resource.resource].name;
        Some((resource.drop?, format!("dropping the exported `{name}`")))
    });
    for (func, what) in funcs.chain(drops) {
        let FuncKind::Export { symbol, .. } = &program.funcs[func].kind else { continue };
        if let Some(other) = taken.insert(symbol, what.clone()) {
            return Err(clash(symbol, &other, &what));
        }
    }
    Ok(())
}
