//! Core types of the validator to core types of the composition.
//!
//! Recursion groups are compared by structure: a group is written as a list of
//! numbers in which members refer to each other by position and to other types by
//! their composition-wide id. Groups with equal lists are the same types.

use crate::error::{Error, Result};
use crate::types::{CoreType, CoreTypeId, CoreTypeKind, CoreTypes, FuncType};
use crate::types::{HeapType, RefType, ValType};
use cranelift_entity::EntityRef;
use std::collections::HashMap;
use wasmparser::types::{CoreTypeId as ValidatorTypeId, TypesRef};
use wasmparser::{
    AbstractHeapType, CompositeInnerType, FieldType, StorageType, SubType, UnpackedIndex,
};

/// The types of the composition by what they were made of.
#[derive(Default)]
pub struct CoreTypeInterner {
    /// Ids of the current validator that were met before.
    known: HashMap<ValidatorTypeId, CoreTypeId>,
    /// Structure of a recursion group to the id of its first member; the others follow it.
    groups: HashMap<Vec<u32>, CoreTypeId>,
    /// The positions of the members of the group that is being added: the validator names members
    /// of the same group by id, too.
    positions: HashMap<ValidatorTypeId, u32>,
}

impl CoreTypeInterner {
    /// Prepares for another validator, whose ids have nothing to do with the last one's.
    pub fn forget_validator(&mut self) {
        self.known.clear();
    }

    /// Returns the id of a type, after adding its whole recursion group if it is new.
    ///
    /// The types that the group refers to must have been interned before, which
    /// holds if a module's types are interned in their order.
    pub fn intern(
        &mut self,
        core_types: &mut CoreTypes,
        types: TypesRef<'_>,
        id: ValidatorTypeId,
    ) -> Result<CoreTypeId> {
        if let Some(known) = self.known.get(&id) {
            return Ok(*known);
        }
        let group: Vec<_> = types.rec_group_elements(types.rec_group_id_of(id)).collect();
        self.positions = group.iter().copied().zip(0..).collect();
        let structure = self.write_group(types, &group)?;
        let first = match self.groups.get(&structure) {
            Some(first) => *first,
            None => {
                let first = core_types.next_key();
                for member in &group {
                    let converted = self.convert(types, *member, first)?;
                    core_types.push(converted);
                }
                self.groups.insert(structure, first);
                first
            }
        };
        for (position, member) in group.iter().enumerate() {
            self.known.insert(*member, nth_member(first, position));
        }
        Ok(self.known[&id])
    }

    /// Returns the id of a type, after adding everything that it refers to: for types that are not
    /// met in their module's order.
    pub fn intern_with_parts(
        &mut self,
        core_types: &mut CoreTypes,
        types: TypesRef<'_>,
        id: ValidatorTypeId,
    ) -> Result<CoreTypeId> {
        let mut open = vec![id];
        while let Some(&id) = open.last() {
            let group = types.rec_group_elements(types.rec_group_id_of(id)).collect::<Vec<_>>();
            let known = open.len();
            for member in &group {
                let parts = referenced_types(&types[*member]).into_iter();
                open.extend(parts.filter(|id| !group.contains(id) && !self.known.contains_key(id)));
            }
            if open.len() == known {
                self.intern(core_types, types, id)?;
                open.pop();
            }
        }
        Ok(self.known[&id])
    }

    /// Writes a recursion group as numbers, so that equal groups give equal lists.
    fn write_group(&self, types: TypesRef<'_>, group: &[ValidatorTypeId]) -> Result<Vec<u32>> {
        let mut out = Vec::new();
        for member in group {
            let sub_type = &types[*member];
            let composite = &sub_type.composite_type;
            out.push(u32::from(sub_type.is_final) | u32::from(composite.shared) << 1);
            match sub_type.supertype_idx {
                Some(index) => self.write_index(index.unpack(), &mut out),
                None => out.push(0),
            }
            match &composite.inner {
                CompositeInnerType::Func(func) => {
                    out.extend([0, count(func.params().len()), count(func.results().len())]);
                    for ty in func.params().iter().chain(func.results()) {
                        self.write_val_type(*ty, &mut out)?;
                    }
                }
                CompositeInnerType::Array(array) => {
                    out.push(1);
                    self.write_field(&array.0, &mut out)?;
                }
                CompositeInnerType::Struct(fields) => {
                    out.extend([2, count(fields.fields.len())]);
                    for field in fields.fields.iter() {
                        self.write_field(field, &mut out)?;
                    }
                }
                CompositeInnerType::Cont(cont) => {
                    out.push(3);
                    self.write_index(cont.0.unpack(), &mut out);
                }
            }
        }
        Ok(out)
    }

    fn write_field(&self, field: &FieldType, out: &mut Vec<u32>) -> Result<()> {
        out.push(u32::from(field.mutable));
        match field.element_type {
            StorageType::I8 => out.push(0),
            StorageType::I16 => out.push(1),
            StorageType::Val(ty) => {
                out.push(2);
                self.write_val_type(ty, out)?;
            }
        }
        Ok(())
    }

    fn write_val_type(&self, ty: wasmparser::ValType, out: &mut Vec<u32>) -> Result<()> {
        match ty {
            wasmparser::ValType::I32 => out.push(0),
            wasmparser::ValType::I64 => out.push(1),
            wasmparser::ValType::F32 => out.push(2),
            wasmparser::ValType::F64 => out.push(3),
            wasmparser::ValType::V128 => out.push(4),
            wasmparser::ValType::Ref(ty) => {
                out.extend([5, u32::from(ty.is_nullable())]);
                match ty.heap_type() {
                    wasmparser::HeapType::Abstract { shared, ty } => {
                        out.extend([0, u32::from(shared), ty as u32]);
                    }
                    wasmparser::HeapType::Concrete(index) => self.write_index(index, out),
                    wasmparser::HeapType::Exact(_) => return Err(exact_type_error()),
                }
            }
        }
        Ok(())
    }

    /// Writes a reference to a type; never starts with 0, which stands for no reference.
    fn write_index(&self, index: UnpackedIndex, out: &mut Vec<u32>) {
        match self.position_in_group(index) {
            Ok(position) => out.extend([1, position]),
            Err(id) => out.extend([2, self.known[&id].as_u32()]),
        }
    }

    /// The position of a member of the group that is being added, or the id of another type.
    fn position_in_group(&self, index: UnpackedIndex) -> std::result::Result<u32, ValidatorTypeId> {
        match index {
            UnpackedIndex::RecGroup(position) => Ok(position),
            UnpackedIndex::Id(id) => self.positions.get(&id).copied().ok_or(id),
            UnpackedIndex::Module(_) => unreachable!("canonical types hold no module indices"),
        }
    }

    /// Converts one member of the recursion group whose first member is `first`.
    fn convert(
        &self,
        types: TypesRef<'_>,
        id: ValidatorTypeId,
        first: CoreTypeId,
    ) -> Result<CoreType> {
        let sub_type = &types[id];
        let resolve = |index: UnpackedIndex| match self.position_in_group(index) {
            Ok(position) => nth_member(first, position as usize),
            Err(id) => self.known[&id],
        };
        let kind = match &sub_type.composite_type.inner {
            CompositeInnerType::Func(func) => {
                let convert_all = |types: &[wasmparser::ValType]| {
                    types.iter().map(|ty| convert_val_type(*ty, resolve)).collect::<Result<_>>()
                };
                CoreTypeKind::Func(FuncType {
                    params: convert_all(func.params())?,
                    results: convert_all(func.results())?,
                })
            }
            _ => CoreTypeKind::Other,
        };
        Ok(CoreType {
            supertype: sub_type.supertype_idx.map(|index| resolve(index.unpack())),
            is_final: sub_type.is_final,
            kind,
        })
    }
}

/// The types that a type mentions by their ids.
fn referenced_types(ty: &SubType) -> Vec<ValidatorTypeId> {
    let mut indices = Vec::from_iter(ty.supertype_idx.map(|index| index.unpack()));
    let mut mention = |ty: wasmparser::ValType| {
        if let wasmparser::ValType::Ref(ty) = ty {
            indices.extend(ty.type_index().map(|index| index.unpack()));
        }
    };
    let unpacked = |field: &FieldType| field.element_type.unpack();
    match &ty.composite_type.inner {
        CompositeInnerType::Func(func) => {
            func.params().iter().chain(func.results()).for_each(|ty| mention(*ty));
        }
        CompositeInnerType::Array(array) => mention(unpacked(&array.0)),
        CompositeInnerType::Struct(fields) => {
            fields.fields.iter().for_each(|field| mention(unpacked(field)));
        }
        CompositeInnerType::Cont(cont) => indices.push(cont.0.unpack()),
    }
    let id = |index: UnpackedIndex| match index {
        UnpackedIndex::Id(id) => Some(id),
        _ => None,
    };
    indices.into_iter().filter_map(id).collect()
}

/// The member of a recursion group that stands `position` members after its first.
fn nth_member(first: CoreTypeId, position: usize) -> CoreTypeId {
    CoreTypeId::new(first.index() + position)
}

fn count(len: usize) -> u32 {
    u32::try_from(len).expect("the validator limits the size of a type")
}

fn exact_type_error() -> Error {
    Error::unsupported("an exact reference type")
}

/// Converts a value type; `resolve` says what a type index stands for.
pub fn convert_val_type(
    ty: wasmparser::ValType,
    resolve: impl Fn(UnpackedIndex) -> CoreTypeId,
) -> Result<ValType> {
    Ok(match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        wasmparser::ValType::V128 => ValType::V128,
        wasmparser::ValType::Ref(ty) => ValType::Ref(convert_ref_type(ty, resolve)?),
    })
}

/// Converts a reference type; `resolve` says what a type index stands for.
pub fn convert_ref_type(
    ty: wasmparser::RefType,
    resolve: impl Fn(UnpackedIndex) -> CoreTypeId,
) -> Result<RefType> {
    let heap = match ty.heap_type() {
        wasmparser::HeapType::Abstract { ty, .. } => convert_abstract_type(ty),
        wasmparser::HeapType::Concrete(index) => HeapType::Defined(resolve(index)),
        wasmparser::HeapType::Exact(_) => {
            return Err(exact_type_error());
        }
    };
    Ok(RefType { nullable: ty.is_nullable(), heap })
}

fn convert_abstract_type(ty: AbstractHeapType) -> HeapType {
    match ty {
        AbstractHeapType::Func => HeapType::Func,
        AbstractHeapType::NoFunc => HeapType::NoFunc,
        AbstractHeapType::Extern => HeapType::Extern,
        AbstractHeapType::NoExtern => HeapType::NoExtern,
        AbstractHeapType::Any => HeapType::Any,
        AbstractHeapType::None => HeapType::None,
        AbstractHeapType::Eq => HeapType::Eq,
        AbstractHeapType::Struct => HeapType::Struct,
        AbstractHeapType::Array => HeapType::Array,
        AbstractHeapType::I31 => HeapType::I31,
        AbstractHeapType::Exn => HeapType::Exn,
        AbstractHeapType::NoExn => HeapType::NoExn,
        AbstractHeapType::Cont => HeapType::Cont,
        AbstractHeapType::NoCont => HeapType::NoCont,
    }
}
