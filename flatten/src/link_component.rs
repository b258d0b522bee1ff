//! Whether an item may be what a component imports: the Component Model's subtyping,
//! decided on values.
//!
//! Between the components of one file the validator has answered this. Only a script
//! links components by name. The import's declared type is evaluated with the
//! resources that are really there, so that equal types are equal ids.

use crate::components::{add_entity, component_item, outer_scope};
use crate::error::{Error, Result};
use crate::interface::FuncTypeId;
use crate::limits::INSTANCE_TYPE_DEPTH_MAX;
use crate::scope::{ComponentFunc, ComponentFuncId, Entity, InstanceId, Scope, ScopeId, TypeValue};
use crate::state::Flattener;
use crate::typing::eval_type;
use wasmelt_frontend::composition::{ExternType, Item, Sort, TypeAlias, TypeDecl};

/// Checks that `found` may be what is imported as `wanted`, a type of `scope`. What the types of
/// core modules and components say is not kept, so of those only the sort is compared.
pub(crate) fn check_import<'a>(
    state: &mut Flattener<'a>,
    scope: ScopeId,
    wanted: &'a ExternType,
    found: Entity<'a>,
) -> Result<()> {
    check_entity(state, scope, wanted, found, 0)
}

fn check_entity<'a>(
    state: &mut Flattener<'a>,
    scope: ScopeId,
    wanted: &'a ExternType,
    found: Entity<'a>,
    depth: usize,
) -> Result<()> {
    let type_at = |state: &Flattener<'a>, index: u32| state.scopes[scope].types[index as usize];
    let matches = match (wanted, found) {
        (ExternType::Func(index), Entity::Func(func)) => {
            match (type_at(state, *index), func_type(state, func)) {
                (TypeValue::Func(wanted), Some(found)) => wanted == found,
                // What is not implemented is reported where it is called.
                _ => true,
            }
        }
        (ExternType::TypeEq(index), Entity::Type(found)) => {
            is_same_type(type_at(state, *index), found)
        }
        (ExternType::TypeResource, Entity::Type(TypeValue::Resource(_))) => true,
        (ExternType::Instance(index), Entity::Instance(instance)) => {
            return match type_at(state, *index) {
                TypeValue::Instance(decls, parent) => {
                    check_instance(state, parent, decls, instance, depth + 1)
                }
                other => unreachable!("validation lets no instance have the type {other:?}"),
            };
        }
        (ExternType::CoreModule, Entity::Module(_))
        | (ExternType::Component(_), Entity::Component(_)) => true,
        _ => return Err(Error::invalid("another sort of item is there")),
    };
    if matches { Ok(()) } else { Err(Error::invalid("an item of another type is there")) }
}

/// Checks each export that an instance type declares, in a scope of its own.
fn check_instance<'a>(
    state: &mut Flattener<'a>,
    parent: ScopeId,
    decls: &'a [TypeDecl],
    instance: InstanceId,
    depth: usize,
) -> Result<()> {
    if depth > INSTANCE_TYPE_DEPTH_MAX {
        let max = INSTANCE_TYPE_DEPTH_MAX;
        return Err(Error::unsupported(format!("instance types nested deeper than {max} levels")));
    }
    let scope = state.scopes.push(Scope { parent: Some(parent), ..Scope::default() });
    for decl in decls {
        match decl {
            TypeDecl::CoreType => {}
            TypeDecl::Type(ty) => {
                let ty = eval_type(state, scope, ty);
                state.scopes[scope].types.push(ty);
            }
            TypeDecl::Alias { sort, target } => add_alias(state, scope, *sort, target)?,
            TypeDecl::Export { name, ty } => {
                let context = || format!("the export `{name}`");
                let found = state.export(instance, name);
                let found = found.ok_or_else(|| Error::invalid("missing").context(context()))?;
                check_entity(state, scope, ty, found, depth)
                    .map_err(|error| error.context(context()))?;
                add_entity(state, scope, found);
            }
        }
    }
    Ok(())
}

fn add_alias<'a>(
    state: &mut Flattener<'a>,
    scope: ScopeId,
    sort: Sort,
    target: &TypeAlias,
) -> Result<()> {
    let entity = match target {
        _ if sort == Sort::CoreType => return Ok(()),
        TypeAlias::Outer { count, index } => {
            let outer = outer_scope(state, scope, *count);
            component_item(&state.scopes[outer], Item { sort, index: *index })?
        }
        TypeAlias::InstanceExport { instance, name } => {
            let instance = state.scopes[scope].instances[*instance as usize];
            state.export(instance, name).ok_or_else(|| Error::invalid("an export is missing"))?
        }
    };
    add_entity(state, scope, entity);
    Ok(())
}

fn func_type(state: &Flattener<'_>, func: ComponentFuncId) -> Option<FuncTypeId> {
    match &state.funcs[func] {
        ComponentFunc::Lifted { ty, .. } => Some(*ty),
        ComponentFunc::Host(host) => Some(state.program.hosts[*host].ty),
        ComponentFunc::Missing(_) => None,
    }
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
