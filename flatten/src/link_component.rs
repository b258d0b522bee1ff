//! Whether an item may be what a component imports: the Component Model's subtyping,
//! decided on values.
//!
//! Between the components of one file the validator has answered this. Only a script
//! links components by name. The import's declared type is evaluated with the
//! resources that are really there, so that equal types are equal ids.

use crate::error::{Error, Result};
use crate::instance_type::eval_instance_type;
use crate::interface::{FuncType, FuncTypeId};
use crate::link_core::match_module;
use crate::scope::{ComponentFunc, ComponentFuncId, Entity, InstanceId, ScopeId, TypeValue};
use crate::state::Flattener;
use wasmelt_frontend::composition::{ExternType, TypeDecl};

/// What is imported as `wanted`, a type of `scope`, if `found` may be that. A type that the import
/// itself determines need not be there. What the types of components say is not kept, so of
/// those only the sort is compared.
pub(crate) fn match_import<'a>(
    state: &mut Flattener<'a>,
    scope: ScopeId,
    wanted: &'a ExternType,
    found: Option<Entity<'a>>,
) -> Result<Entity<'a>> {
    match_entity(state, scope, wanted, found, 0)
}

fn match_entity<'a>(
    state: &mut Flattener<'a>,
    scope: ScopeId,
    wanted: &'a ExternType,
    found: Option<Entity<'a>>,
    depth: usize,
) -> Result<Entity<'a>> {
    let type_at = |state: &Flattener<'a>, index: u32| state.scopes[scope].types[index as usize];
    let matches = match (wanted, found) {
        (ExternType::TypeEq(index), None) => return Ok(Entity::Type(type_at(state, *index))),
        (ExternType::Instance(index), None | Some(Entity::Instance(_))) => {
            let TypeValue::Instance(decls, parent) = type_at(state, *index) else {
                unreachable!("validation lets no instance have another type than an instance's")
            };
            let found = match found {
                Some(Entity::Instance(instance)) => Some(instance),
                _ => None,
            };
            let instance = match_instance(state, parent, decls, found, depth + 1)?;
            return Ok(Entity::Instance(instance));
        }
        (_, None) => return Err(Error::invalid("nothing of that name is there")),
        (ExternType::Func(index), Some(Entity::Func(func))) => {
            match (type_at(state, *index), func_type(state, func)) {
                (TypeValue::Func(wanted), Some(found)) => is_same_func(state, wanted, found),
                // What is not implemented is reported where it is called.
                _ => true,
            }
        }
        (ExternType::TypeEq(index), Some(Entity::Type(found))) => {
            is_same_type(type_at(state, *index), found)
        }
        (ExternType::CoreModule(wanted), Some(Entity::Module(module))) => {
            let (types, module) = (&state.program.core_types, &state.program.modules[module]);
            wanted.as_ref().is_none_or(|wanted| match_module(types, module, wanted))
        }
        (ExternType::TypeResource, Some(Entity::Type(TypeValue::Resource(_))))
        | (ExternType::Component(_), Some(Entity::Component(_))) => true,
        _ => return Err(Error::invalid("another sort of item is there")),
    };
    match (matches, found) {
        (true, Some(found)) => Ok(found),
        _ => Err(Error::invalid("an item of another type is there")),
    }
}

/// The exports that an instance type declares, each matched.
fn match_instance<'a>(
    state: &mut Flattener<'a>,
    parent: ScopeId,
    decls: &'a [TypeDecl],
    instance: Option<InstanceId>,
    depth: usize,
) -> Result<InstanceId> {
    eval_instance_type(state, parent, decls, depth, |state, scope, name, ty| {
        let found = instance.and_then(|instance| state.export(instance, name));
        let entity = match_entity(state, scope, ty, found, depth)
            .map_err(|error| error.context(format!("the export `{name}`")))?;
        Ok(Some(entity))
    })
}

fn func_type(state: &Flattener<'_>, func: ComponentFuncId) -> Option<FuncTypeId> {
    match &state.funcs[func] {
        ComponentFunc::Lifted { ty, .. } => Some(*ty),
        ComponentFunc::Host(host) => Some(state.program.hosts[*host].component_type()),
        ComponentFunc::Missing(_) => None,
    }
}

/// The host's functions have no names for their parameters, so names do not count.
fn is_same_func(state: &Flattener<'_>, wanted: FuncTypeId, found: FuncTypeId) -> bool {
    let (wanted, found) = (&state.program.func_types[wanted], &state.program.func_types[found]);
    let types = |ty: &FuncType| ty.params.iter().map(|(_, ty)| *ty).collect::<Vec<_>>();
    wanted.result == found.result && types(wanted) == types(found)
}

fn is_same_type(wanted: TypeValue<'_>, found: TypeValue<'_>) -> bool {
    match (wanted, found) {
        (TypeValue::Value(wanted), TypeValue::Value(found)) => wanted == found,
        (TypeValue::Func(wanted), TypeValue::Func(found)) => wanted == found,
        (TypeValue::Resource(wanted), TypeValue::Resource(found)) => wanted == found,
        (TypeValue::Instance(..), TypeValue::Instance(..))
        | (TypeValue::Component, TypeValue::Component)
        | (TypeValue::Unsupported(_), _)
        | (_, TypeValue::Unsupported(_)) => true,
        _ => false,
    }
}
