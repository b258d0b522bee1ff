//! Instance types as values: a scope of its own for the declarations, and an instance of
//! what the declared exports turn out to be.
//!
//! Who supplies the exports differs (the host, or another component), so the caller
//! says what each one is.

use crate::components::{add_entity, component_item, outer_scope};
use crate::error::{Error, Result};
use crate::limits::INSTANCE_TYPE_DEPTH_MAX;
use crate::scope::{Entity, Exports, InstanceId, Scope, ScopeId};
use crate::state::Flattener;
use crate::typing::eval_type;
use wasmelt_frontend::composition::{ExternType, Item, Sort, TypeAlias, TypeDecl};

/// Evaluates the declarations of an instance type that stands in `parent`, `depth` instance types
/// deep. `supply` gets the scope, the name and the type of each export and says what it is, or
/// that it is left out.
pub(crate) fn eval_instance_type<'a>(
    state: &mut Flattener<'a>,
    parent: ScopeId,
    decls: &'a [TypeDecl],
    depth: usize,
    mut supply: impl FnMut(
        &mut Flattener<'a>,
        ScopeId,
        &'a str,
        &'a ExternType,
    ) -> Result<Option<Entity<'a>>>,
) -> Result<InstanceId> {
    if depth > INSTANCE_TYPE_DEPTH_MAX {
        let max = INSTANCE_TYPE_DEPTH_MAX;
        return Err(Error::unsupported(format!("instance types nested deeper than {max} levels")));
    }
    let scope = state.scopes.push(Scope { parent: Some(parent), ..Scope::default() });
    let mut exports = Exports::new();
    for decl in decls {
        match decl {
            TypeDecl::CoreType => {}
            TypeDecl::Type(ty) => {
                let ty = eval_type(state, scope, ty);
                state.scopes[scope].types.push(ty);
            }
            TypeDecl::Alias { sort, target } => add_alias(state, scope, *sort, target)?,
            TypeDecl::Export { name, ty } => {
                if let Some(entity) = supply(state, scope, name, ty)? {
                    add_entity(state, scope, entity);
                    exports.insert(name.clone(), entity);
                }
            }
        }
    }
    Ok(state.instances.push(exports))
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
