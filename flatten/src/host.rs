//! The host's side of the imports: what it declares, and what an import of it is.
//!
//! The declarations are the WIT files of the runtime shim. They are parsed as far as imports ask for
//! them, and their types become interned interface types, so that checking an import against its
//! declaration is comparing ids.
//! Versions match by semver: within a minor version of `0.x`, else within a major
//! version; what a file declares is then the newest patch version.

use crate::declarations::Declarations;
use crate::error::{Error, Result};
use crate::interface::FuncTypeId;
use crate::program::{
    HostFunc, HostFuncId, HostType, Missing, NamedResource, Program, Resource, ResourceId,
    ResourceKind,
};
use crate::scope::TypeValue;
use crate::state::Flattener;
use crate::wit_types::WitTypes;
use crate::{difference, near};
use cranelift_entity::PrimaryMap;
use std::collections::{HashMap, HashSet};
use wasmelt_abi::preview1;
use wasmelt_frontend::composition::{Component, ComponentId, Def};

/// What the host declares, and which of it the program names.
#[derive(Default)]
pub(crate) struct Host {
    declarations: Declarations,
    /// Interface key and name to the one resource type.
    resources: HashMap<(String, String), ResourceId>,
    /// Resource types of the outside that the host does not have.
    unknown_resources: HashMap<ResourceId, Missing>,
    funcs: HashMap<(String, FuncTypeId), HostFuncId>,
    /// Whether interfaces that it does not declare are native functions of someone else.
    pub(crate) has_natives: bool,
    /// Interfaces, by their names without versions, that are imported in several versions which
    /// are not compatible.
    several: HashSet<String>,
    /// Interfaces, by their names without versions, that native functions or types belong to.
    natives: HashSet<String>,
}

impl Host {
    /// `wit` declares what there is, and `components` say what of it will be asked for.
    pub(crate) fn new(
        wit: &[(&str, &str)],
        components: &PrimaryMap<ComponentId, Component>,
    ) -> Host {
        let mut host = Host { declarations: Declarations::new(wit), ..Host::default() };
        host.note_imports(components);
        host
    }

    /// Finds the interfaces that the components import, and of which they import several versions.
    fn note_imports(&mut self, components: &PrimaryMap<ComponentId, Component>) {
        let mut known = HashMap::new();
        for def in components.values().flat_map(|component| &component.defs) {
            let Def::Import(import) = def else { continue };
            let name = import.implements.as_deref().unwrap_or(&import.name);
            let key = interface_key(name);
            self.declarations.want(&key);
            if *known.entry(path_of(name)).or_insert_with(|| key.clone()) != key {
                self.several.insert(path_of(name).to_owned());
            }
        }
    }

    /// What the symbols of an interface begin with, if it is not one of the host's: the version
    /// belongs to it where there are several.
    fn native_interface(&self, interface: &str) -> String {
        match self.several.contains(path_of(interface)) {
            true => interface_key(interface).replace('@', "-"),
            false => interface.to_owned(),
        }
    }

    /// Whether an interface is native: some version of it is imported and not one of the host's.
    pub(crate) fn is_native(&self, interface: &str) -> bool {
        self.natives.contains(path_of(interface))
    }

    /// Why a resource type of the outside cannot be used, if the host does not have it.
    pub(crate) fn missing_resource(&self, resource: ResourceId) -> Option<&Missing> {
        self.unknown_resources.get(&resource)
    }

    /// The resource type of that name of an interface.
    fn resource(
        &mut self,
        program: &mut Program,
        interface: &str,
        name: &str,
        is_declared: bool,
    ) -> ResourceId {
        let key = (interface_key(interface), name.to_string());
        let owner = match is_declared {
            true => interface.to_owned(),
            false => self.native_interface(owner_of(interface, name)),
        };
        *self.resources.entry(key).or_insert_with(|| {
            let drop_symbol = format!("{}__drop", symbol_prefix(&owner, name));
            let name = format!("{}.{name}", path_of(interface));
            let is_native = self.has_natives && !is_declared;
            let kind = ResourceKind::Host { drop_symbol, is_native };
            program.resources.push(Resource { name, kind })
        })
    }
}

/// The resource type that an import of an interface declares under that name.
pub(crate) fn import_resource(
    state: &mut Flattener<'_>,
    interface: &str,
    name: &str,
) -> Result<ResourceId> {
    let declared = state.host.declarations.find(&interface_key(interface))?;
    let is_known = declared.is_some_and(|(world, id)| {
        let types = &world.resolve.interfaces[id].types;
        types.get(name).is_some_and(|ty| {
            matches!(world.resolve.types[*ty].kind, wit_parser::TypeDefKind::Resource)
        })
    });
    let is_known_interface = declared.is_some();
    let is_native = state.host.has_natives && !is_known_interface;
    let resource = state.host.resource(&mut state.program, interface, name, is_known_interface);
    if is_native {
        let owner = owner_of(interface, name);
        state.host.natives.insert(path_of(owner).to_owned());
        let owner = state.host.native_interface(owner);
        let name = symbol_prefix(&owner, name);
        let known = &mut state.program.interface.resources;
        if known.iter().all(|known| known.resource != resource) {
            known.push(NamedResource { name, resource, drop: None });
        }
    }
    if !is_known && !is_native {
        let interface = interface.to_string();
        let why = match is_known_interface {
            true => Missing::HostFunc { interface, name: format!("[resource-drop]{name}") },
            false => Missing::Import(interface),
        };
        state.host.unknown_resources.insert(resource, why);
    }
    Ok(resource)
}

/// The host function that an import of an interface declares under that name, or why there is none.
pub(crate) fn import_func(
    state: &mut Flattener<'_>,
    interface: &str,
    name: &str,
    ty: FuncTypeId,
) -> Result<std::result::Result<HostFuncId, Missing>> {
    let declared = state.host.declarations.find(&interface_key(interface))?;
    let declared =
        declared.map(|(world, id)| world.resolve.interfaces[id].functions.get(name).cloned());
    let owner = owner_of(interface, name);
    let symbol = match declared {
        Some(_) => symbol_of(owner, name),
        None => symbol_of(&state.host.native_interface(owner), name),
    };
    if let Some(host) = state.host.funcs.get(&(symbol.clone(), ty))
        && interface_key(&state.program.hosts[*host].interface) == interface_key(interface)
    {
        return Ok(Ok(*host));
    }
    let Some(declared) = declared else {
        return Ok(match state.host.has_natives {
            true => import_native(state, interface, name, symbol, ty),
            false => Err(Missing::Import(interface.to_string())),
        });
    };
    let Some(declared) = declared else {
        let (interface, name) = (interface.to_string(), name.to_string());
        return Ok(Err(Missing::HostFunc { interface, name }));
    };
    let host = match declared_type(state, &declared)? {
        Ok(host) => host,
        Err(construct) => return Ok(Err(Missing::Construct(construct.to_string()))),
    };
    if host != ty {
        let differs = difference::of_functions(&state.program, ty, host);
        let message = format!(
            "the import `{name}` of `{interface}` has another type than the host's: {differs}"
        );
        return Ok(Err(Missing::HostType(message)));
    }
    Ok(Ok(add_func(state, interface, name, symbol, ty, false)))
}

/// The native function that an import of that type is, unless its symbol stands for another one.
fn import_native(
    state: &mut Flattener<'_>,
    interface: &str,
    name: &str,
    symbol: String,
    ty: FuncTypeId,
) -> std::result::Result<HostFuncId, Missing> {
    // Symbols have not all characters of names.
    let taken = state.program.hosts.values().find(|host| host.symbol == symbol);
    if let Some(taken) = taken {
        let HostFunc { interface: other_interface, name: other, .. } = taken;
        return Err(Missing::HostType(format!(
            "the imports `{other}` of `{other_interface}` and `{name}` of `{interface}` would both \
             be the native function `{symbol}`"
        )));
    }
    state.host.natives.insert(path_of(owner_of(interface, name)).to_owned());
    Ok(add_func(state, interface, name, symbol, ty, true))
}

fn add_func(
    state: &mut Flattener<'_>,
    interface: &str,
    name: &str,
    symbol: String,
    ty: FuncTypeId,
    is_native: bool,
) -> HostFuncId {
    let id = state.program.hosts.push(HostFunc {
        interface: interface.to_string(),
        name: name.to_string(),
        symbol: symbol.clone(),
        is_native,
        ty: HostType::Component(ty),
        live: false,
        reached_by: Vec::new(),
    });
    state.host.funcs.insert((symbol, ty), id);
    id
}

/// Notes what a native import's interface calls a type, for a library's header.
pub(crate) fn note_native_type(
    state: &mut Flattener<'_>,
    interface: &str,
    name: &str,
    ty: TypeValue<'_>,
) -> Result<()> {
    let TypeValue::Value(ty) = ty else { return Ok(()) };
    if state.host.has_natives && state.host.declarations.find(&interface_key(interface))?.is_none()
    {
        let owner = owner_of(interface, name);
        state.host.natives.insert(path_of(owner).to_owned());
        let name = symbol_prefix(&state.host.native_interface(owner), name);
        state.program.interface.types.push((name, ty));
    }
    Ok(())
}

/// What a symbol names as the interface: an import that is in none is the root's.
pub(crate) fn owner_of<'n>(interface: &'n str, name: &str) -> &'n str {
    if interface == name { "root" } else { interface }
}

/// The type of a function as the host declares it.
fn declared_type(
    state: &mut Flattener<'_>,
    func: &wit_parser::Function,
) -> Result<std::result::Result<FuncTypeId, crate::intern::Construct>> {
    // What the declarations need of the host is its resources; they are not needed by those.
    let mut declarations = std::mem::take(&mut state.host.declarations);
    let mut types = WitTypes {
        resolve: &declarations.world()?.resolve,
        program: &mut state.program,
        interner: &mut state.interner,
        resource: &mut |program, interface, name| {
            state.host.resource(program, interface, name, true)
        },
    };
    let ty = types.func_type(func);
    state.host.declarations = declarations;
    Ok(ty)
}

/// The error for a function that is reached and cannot be called.
pub(crate) fn missing_error(host: &mut Host, why: &Missing) -> Error {
    // The message may name any.
    host.declarations.want_all();
    let world = host.declarations.world().ok();
    match why {
        Missing::Import(name) => {
            let error = Error::environment(format!("missing import `{name}`"));
            let known = world.map(|world| near::interfaces(world, name)).unwrap_or_default();
            let bind = format!("`--with {name}=PATH` binds it to a component");
            match known.is_empty() {
                true => error.help(bind),
                false => error.help(format!("{bind}; the host has {}", known.join(", "))),
            }
        }
        Missing::CoreImport { module, name } => {
            let message = format!("missing import: the function `{name}` of `{module}`");
            let help = format!("core modules can import the functions of `{}`", preview1::MODULE);
            Error::environment(message).help(help)
        }
        Missing::HostFunc { interface, name } => {
            let error =
                Error::unsupported(format!("the host has no function `{name}` in `{interface}`"));
            let known = world.map(|world| near::functions(world, interface, name));
            match known.unwrap_or_default() {
                known if known.is_empty() => error,
                known => error.help(format!("it has {}", known.join(", "))),
            }
        }
        Missing::HostType(message) => Error::invalid(message.clone()),
        Missing::Construct(name) => Error::unsupported(name.clone()),
    }
}

/// An interface name without what semver lets differ: `wasi:io/streams@0.2`.
pub(crate) fn interface_key(interface: &str) -> String {
    match interface.split_once('@') {
        Some((path, version)) => format!("{path}@{}", compatible_version(version)),
        None => interface.to_string(),
    }
}

/// The part of a version that compatible versions share.
fn compatible_version(version: &str) -> &str {
    if version.contains('-') {
        return version; // A pre-release is compatible with itself alone.
    }
    let version = version.split('+').next().unwrap_or(version);
    let dots = || version.match_indices('.').map(|(at, _)| at);
    match version.split('.').next() {
        Some("0") if version.starts_with("0.0.") => version,
        Some("0") => dots().nth(1).map_or(version, |at| &version[..at]),
        _ => dots().next().map_or(version, |at| &version[..at]),
    }
}

/// Whether two import or export names mean the same interface in compatible versions.
pub(crate) fn is_compatible(a: &str, b: &str) -> bool {
    a == b || (a.contains('@') && interface_key(a) == interface_key(b))
}

/// An interface name without its version.
pub(crate) fn path_of(interface: &str) -> &str {
    interface.split('@').next().unwrap_or(interface)
}

/// The symbol of a host function: `wasi:io/streams` and `[method]output-stream.check-write` become
/// `wasi_io_streams__output_stream__check_write`.
pub(crate) fn symbol_of(interface: &str, name: &str) -> String {
    let (kind, name) = match name.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((kind, name)) => (kind, name),
        None => ("", name),
    };
    let prefix = symbol_prefix(interface, &name.replace('.', "__"));
    if kind == "constructor" { format!("{prefix}__new") } else { prefix }
}

pub(crate) fn symbol_prefix(interface: &str, name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
    let mut symbol: String = path_of(interface).chars().map(plain).collect();
    symbol.push_str("__");
    symbol.extend(name.chars().map(plain));
    symbol
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_match_by_semver() {
        assert!(is_compatible("wasi:io/streams@0.2.0", "wasi:io/streams@0.2.12"));
        assert!(!is_compatible("wasi:io/streams@0.2.0", "wasi:io/streams@0.3.0"));
        assert!(!is_compatible("wasi:io/streams@0.2.0", "wasi:io/error@0.2.0"));
        assert!(!is_compatible("a:b/c@0.2.0-rc.1", "a:b/c@0.2.0"));
        assert!(is_compatible("a:b/c@1.4.0", "a:b/c@1.0.3"));
        assert!(!is_compatible("a:b/c@0.0.1", "a:b/c@0.0.2"));
        assert!(is_compatible("a:b/c", "a:b/c") && !is_compatible("a:b/c", "a:b/c@1.0.0"));
    }

    #[test]
    fn symbols_follow_from_names() {
        let streams = "wasi:io/streams@0.2.0";
        let method = symbol_of(streams, "[method]output-stream.check-write");
        assert_eq!(method, "wasi_io_streams__output_stream__check_write");
        let plain = symbol_of("wasi:cli/stdout@0.2.3", "get-stdout");
        assert_eq!(plain, "wasi_cli_stdout__get_stdout");
        let new = symbol_of("wasi:http/types@0.2.0", "[constructor]fields");
        assert_eq!(new, "wasi_http_types__fields__new");
        let fixed = symbol_of("wasi:http/types@0.2.0", "[static]fields.from-list");
        assert_eq!(fixed, "wasi_http_types__fields__from_list");
    }
}
