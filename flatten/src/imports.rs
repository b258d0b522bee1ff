//! The imports of a component: arguments, bindings, or the host's.
//!
//! Only a component that nothing instantiates (the root, or one that a command
//! line bound to an import) has imports that are the host's. Of such an import the
//! declared type is evaluated: the resources it introduces are the host's, its
//! functions the host's functions. What the host lacks is remembered as missing
//! and is an error only once something reaches it.

use crate::components::Frame;
use crate::error::{Error, Result};
use crate::host;
use crate::instance_type::eval_instance_type;
use crate::link_component::match_import;
use crate::program::Missing;
use crate::scope::{Closure, ComponentFunc, Entity, InstanceId, ScopeId, TypeValue};
use crate::state::Flattener;
use wasmelt_frontend::composition::{Binding, ComponentId, ExternType, Import, TypeDecl};

/// What an import is.
pub(crate) enum Resolved<'a> {
    /// That.
    Entity(Entity<'a>),
    /// An export of this component's instance, which does not exist yet.
    Share(ComponentId),
}

/// Finds out what an import is.
pub(crate) fn resolve_import<'a>(
    state: &mut Flattener<'a>,
    frame: &Frame<'a>,
    import: &'a Import,
) -> Result<Resolved<'a>> {
    let arg = frame.args.as_ref().and_then(|args| args.get(&import.name)).copied();
    let is_hosts = import.binding.is_some() || import.name.starts_with("wasi:");
    if frame.is_outermost() && frame.args.is_some() && (arg.is_some() || !is_hosts) {
        // A script supplies the arguments: nothing has compared these types yet.
        return match_import(state, frame.scope, &import.ty, arg).map(Resolved::Entity);
    }
    if let Some(entity) = arg {
        return Ok(Resolved::Entity(entity));
    }
    let entity = match import.binding {
        Some(Binding::Component(component)) => {
            Entity::Component(Closure { component, scope: None })
        }
        Some(Binding::Module(module)) => Entity::Module(module),
        Some(Binding::InstanceOf(component)) => match state.shared.get(&component) {
            Some(instance) => compatible_export(state, *instance, &import.name)?,
            None => return Ok(Resolved::Share(component)),
        },
        None => host_import(state, frame.scope, import)?,
    };
    Ok(Resolved::Entity(entity))
}

/// The export of that name, or of a compatible version of it.
fn compatible_export<'a>(
    state: &Flattener<'a>,
    instance: InstanceId,
    name: &str,
) -> Result<Entity<'a>> {
    let exports = state.exports(instance);
    let compatible = || exports.iter().find(|(known, _)| host::is_compatible(known, name));
    let found = exports.get(name).or_else(|| compatible().map(|(_, entity)| entity));
    found.copied().ok_or_else(|| {
        Error::invalid(format!("the component bound to `{name}` has no export of that name"))
    })
}

/// What the host supplies for an import.
fn host_import<'a>(
    state: &mut Flattener<'a>,
    scope: ScopeId,
    import: &'a Import,
) -> Result<Entity<'a>> {
    let interface = import.implements.as_deref().unwrap_or(&import.name);
    match &import.ty {
        ExternType::CoreModule(_) | ExternType::Component(_) => {
            let message = format!("missing import `{}`", import.name);
            let help = format!("`--with {}=PATH` binds it to a file", import.name);
            Err(Error::environment(message).help(help))
        }
        ty => host_item(state, scope, interface, &import.name, ty, 0)?
            .ok_or_else(|| Error::unsupported("imports of component values")),
    }
}

/// What the host supplies for an import, or for an export of an imported instance; `None` for what
/// it never supplies.
fn host_item<'a>(
    state: &mut Flattener<'a>,
    scope: ScopeId,
    interface: &str,
    name: &str,
    ty: &'a ExternType,
    depth: usize,
) -> Result<Option<Entity<'a>>> {
    let type_at = |state: &Flattener<'a>, index: u32| state.scopes[scope].types[index as usize];
    Ok(Some(match ty {
        ExternType::Func(index) => {
            let func = match type_at(state, *index) {
                TypeValue::Func(ty) => match host::import_func(state, interface, name, ty)? {
                    Ok(host) => ComponentFunc::Host(host),
                    Err(why) => ComponentFunc::Missing(why),
                },
                TypeValue::Unsupported(construct) => {
                    ComponentFunc::Missing(Missing::Construct(construct.into()))
                }
                other => unreachable!("validation lets no function have the type {other:?}"),
            };
            Entity::Func(state.funcs.push(func))
        }
        ExternType::TypeEq(index) => {
            let ty = type_at(state, *index);
            host::note_native_type(state, interface, name, ty)?;
            Entity::Type(ty)
        }
        ExternType::TypeResource => {
            let resource = host::import_resource(state, interface, name)?;
            Entity::Type(TypeValue::Resource(resource))
        }
        ExternType::Instance(index) => match type_at(state, *index) {
            TypeValue::Instance(decls, parent) => {
                let nested = if depth == 0 { interface } else { name };
                Entity::Instance(host_instance(state, parent, nested, decls, depth + 1)?)
            }
            other => unreachable!("validation lets no instance have the type {other:?}"),
        },
        ExternType::CoreModule(_) | ExternType::Value | ExternType::Component(_) => {
            return Ok(None);
        }
    }))
}

/// Evaluates an instance type as an interface of the host: each declared export is what the host
/// supplies.
fn host_instance<'a>(
    state: &mut Flattener<'a>,
    parent: ScopeId,
    interface: &str,
    decls: &'a [TypeDecl],
    depth: usize,
) -> Result<InstanceId> {
    eval_instance_type(state, parent, decls, depth, |state, scope, name, ty| {
        host_item(state, scope, interface, name, ty, depth)
    })
}
