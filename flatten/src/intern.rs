//! Interning: equal types get equal ids, so that comparing types is comparing ids.

use crate::interface::{FuncType, FuncTypeId, Type, TypeId};
use crate::limits::TYPE_DEPTH_MAX;
use crate::program::Program;
use crate::types::{self, CoreType, CoreTypeId, CoreTypeKind};
use cranelift_entity::SecondaryMap;
use std::collections::HashMap;

/// Why a type cannot be used: the name of what is not implemented.
pub type Construct = &'static str;

/// The way from types to ids; the types themselves lie in the program.
#[derive(Debug, Default)]
pub struct Interner {
    types: HashMap<Type, TypeId>,
    funcs: HashMap<FuncType, FuncTypeId>,
    core: HashMap<CoreType, CoreTypeId>,
    depths: SecondaryMap<TypeId, u8>,
}

impl Interner {
    /// An interner for a program that has core types alone.
    pub fn new(program: &Program) -> Interner {
        let core = program.core_types.iter().map(|(id, ty)| (ty.clone(), id)).collect();
        Interner { core, ..Interner::default() }
    }

    /// The id of an interface type.
    pub fn intern_type(&mut self, program: &mut Program, ty: Type) -> Result<TypeId, Construct> {
        if let Some(id) = self.types.get(&ty) {
            return Ok(*id);
        }
        let depth = 1 + operands(&ty).map(|id| self.depths[id]).max().unwrap_or(0);
        if depth > TYPE_DEPTH_MAX {
            return Err("interface types nested deeper than 100 levels");
        }
        let id = program.types.push(ty.clone());
        self.depths[id] = depth;
        self.types.insert(ty, id);
        Ok(id)
    }

    /// The id of a component function type.
    pub fn intern_func_type(&mut self, program: &mut Program, ty: FuncType) -> FuncTypeId {
        if let Some(id) = self.funcs.get(&ty) {
            return *id;
        }
        let id = program.func_types.push(ty.clone());
        self.funcs.insert(ty, id);
        id
    }

    /// The id of a core function type as a type of its own: final and without a supertype.
    pub fn intern_core_func(&mut self, program: &mut Program, ty: types::FuncType) -> CoreTypeId {
        let ty = CoreType { supertype: None, is_final: true, kind: CoreTypeKind::Func(ty) };
        if let Some(id) = self.core.get(&ty) {
            return *id;
        }
        let id = program.core_types.push(ty.clone());
        self.core.insert(ty, id);
        id
    }
}

/// The types that a type is directly made of.
pub fn operands(ty: &Type) -> Box<dyn Iterator<Item = TypeId> + '_> {
    match ty {
        Type::List(of) | Type::FixedList(of, _) | Type::Option(of) => Box::new([*of].into_iter()),
        Type::Map(key, value) => Box::new([*key, *value].into_iter()),
        Type::Record(fields) => Box::new(fields.iter().map(|(_, ty)| *ty)),
        Type::Tuple(types) => Box::new(types.iter().copied()),
        Type::Variant(cases) => Box::new(cases.iter().filter_map(|(_, ty)| *ty)),
        Type::Result { ok, err } => Box::new(ok.iter().chain(err).copied()),
        _ => Box::new(std::iter::empty()),
    }
}
