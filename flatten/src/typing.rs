//! Type definitions to types: the operands of a definition are looked up in its
//! scope, so that what comes out is the type as it is in this instantiation.
//!
//! A type that needs something unimplemented evaluates to the name of it, and so
//! does every type made of it: only a function that is called has to be refused.

use crate::interface::{FuncType, FuncTypeId, Type, TypeId};
use crate::intern::Construct;
use crate::program::{FuncId, Resource, ResourceId, ResourceKind};
use crate::scope::{ScopeId, TypeValue};
use crate::state::Flattener;
use wasmelt_frontend::composition::{FuncTypeDef, Primitive, TypeDef, ValueType, ValueTypeDef};

/// Evaluates a type definition of a component or of an instance type.
pub(crate) fn eval_type<'a>(
    state: &mut Flattener<'a>,
    scope: ScopeId,
    def: &'a TypeDef,
) -> TypeValue<'a> {
    let unsupported = TypeValue::Unsupported;
    match def {
        TypeDef::Value(def) => {
            eval_value_def(state, scope, def).map_or_else(unsupported, TypeValue::Value)
        }
        TypeDef::Func(def) => {
            eval_func_type(state, scope, def).map_or_else(unsupported, TypeValue::Func)
        }
        TypeDef::Resource { dtor } => {
            let dtor = dtor.map(|index| state.scopes[scope].core_funcs[index as usize]);
            TypeValue::Resource(define_resource(state, scope, dtor))
        }
        TypeDef::Instance(decls) => TypeValue::Instance(decls, scope),
        TypeDef::Component => TypeValue::Component,
    }
}

/// Makes a new resource type: each evaluation of its definition makes another one.
fn define_resource(state: &mut Flattener<'_>, scope: ScopeId, dtor: Option<FuncId>) -> ResourceId {
    let instance = state.scopes[scope]
        .component
        .expect("validation lets no resource be defined in an instance type");
    let owner = &state.program.component_instances[instance].name;
    let name = format!("{owner}.resource{}", state.program.resources.len());
    let kind = ResourceKind::Guest { instance, dtor };
    state.program.resources.push(Resource { name, kind })
}

/// Evaluates a function type.
fn eval_func_type(
    state: &mut Flattener<'_>,
    scope: ScopeId,
    def: &FuncTypeDef,
) -> Result<FuncTypeId, Construct> {
    if def.is_async {
        return Err("`async` functions");
    }
    let mut params = Vec::with_capacity(def.params.len());
    for (name, ty) in &def.params {
        params.push((name.clone(), eval_value(state, scope, *ty)?));
    }
    let result = eval_optional(state, scope, def.result)?;
    Ok(state.interner.intern_func_type(&mut state.program, FuncType { params, result }))
}

/// Evaluates the use of a value type.
fn eval_value(
    state: &mut Flattener<'_>,
    scope: ScopeId,
    ty: ValueType,
) -> Result<TypeId, Construct> {
    match ty {
        ValueType::Primitive(primitive) => {
            let ty = primitive_type(primitive)?;
            state.interner.intern_type(&mut state.program, ty)
        }
        ValueType::Type(index) => match state.scopes[scope].types[index as usize] {
            TypeValue::Value(id) => Ok(id),
            TypeValue::Unsupported(construct) => Err(construct),
            other => unreachable!("validation lets only value types here, not {other:?}"),
        },
    }
}

fn eval_optional(
    state: &mut Flattener<'_>,
    scope: ScopeId,
    ty: Option<ValueType>,
) -> Result<Option<TypeId>, Construct> {
    ty.map(|ty| eval_value(state, scope, ty)).transpose()
}

/// Evaluates the definition of a value type.
fn eval_value_def(
    state: &mut Flattener<'_>,
    scope: ScopeId,
    def: &ValueTypeDef,
) -> Result<TypeId, Construct> {
    let ty = match def {
        ValueTypeDef::Primitive(primitive) => primitive_type(*primitive)?,
        ValueTypeDef::Record(fields) => {
            let mut evaluated = Vec::with_capacity(fields.len());
            for (name, ty) in fields {
                evaluated.push((name.clone(), eval_value(state, scope, *ty)?));
            }
            Type::Record(evaluated)
        }
        ValueTypeDef::Variant(cases) => {
            let mut evaluated = Vec::with_capacity(cases.len());
            for (name, ty) in cases {
                evaluated.push((name.clone(), eval_optional(state, scope, *ty)?));
            }
            Type::Variant(evaluated)
        }
        ValueTypeDef::List(of) => Type::List(eval_value(state, scope, *of)?),
        ValueTypeDef::FixedList(of, len) => Type::FixedList(eval_value(state, scope, *of)?, *len),
        ValueTypeDef::Map(key, value) => {
            Type::Map(eval_value(state, scope, *key)?, eval_value(state, scope, *value)?)
        }
        ValueTypeDef::Tuple(types) => {
            let types = types.iter().map(|ty| eval_value(state, scope, *ty));
            Type::Tuple(types.collect::<Result<_, _>>()?)
        }
        ValueTypeDef::Flags(names) => Type::Flags(names.clone()),
        ValueTypeDef::Enum(names) => Type::Enum(names.clone()),
        ValueTypeDef::Option(of) => Type::Option(eval_value(state, scope, *of)?),
        ValueTypeDef::Result { ok, err } => {
            let ok = eval_optional(state, scope, *ok)?;
            Type::Result { ok, err: eval_optional(state, scope, *err)? }
        }
        ValueTypeDef::Own(index) => Type::Own(resource_at(state, scope, *index)?),
        ValueTypeDef::Borrow(index) => Type::Borrow(resource_at(state, scope, *index)?),
        ValueTypeDef::Future(_) => return Err("`future` types"),
        ValueTypeDef::Stream(_) => return Err("`stream` types"),
    };
    state.interner.intern_type(&mut state.program, ty)
}

/// The resource type at an index of the type index space.
pub(crate) fn resource_at(
    state: &Flattener<'_>,
    scope: ScopeId,
    index: u32,
) -> Result<ResourceId, Construct> {
    match state.scopes[scope].types[index as usize] {
        TypeValue::Resource(id) => Ok(id),
        TypeValue::Unsupported(construct) => Err(construct),
        other => unreachable!("validation lets only resource types here, not {other:?}"),
    }
}

fn primitive_type(primitive: Primitive) -> Result<Type, Construct> {
    Ok(match primitive {
        Primitive::Bool => Type::Bool,
        Primitive::S8 => Type::S8,
        Primitive::U8 => Type::U8,
        Primitive::S16 => Type::S16,
        Primitive::U16 => Type::U16,
        Primitive::S32 => Type::S32,
        Primitive::U32 => Type::U32,
        Primitive::S64 => Type::S64,
        Primitive::U64 => Type::U64,
        Primitive::F32 => Type::F32,
        Primitive::F64 => Type::F64,
        Primitive::Char => Type::Char,
        Primitive::String => Type::String,
        Primitive::ErrorContext => return Err("`error-context` types"),
    })
}
