//! The limit on the size of a value type (`CanonicalABI.md`, "Element Size"): less than 2^28
//! bytes where pointers have 64 bits.
//!
//! The validator checks everything but this. So each type section is looked at once more after it
//! has been validated; what a type is made of has almost always been measured before.

use crate::error::{Error, Position, Result};
use crate::source::{byte_offset, wasm_error};
use std::collections::{HashMap, HashSet};
use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentDefinedType, ComponentDefinedTypeId, ComponentEntityType,
    ComponentValType,
};
use wasmparser::types::TypesRef;
use wasmparser::{ComponentTypeSectionReader, PrimitiveValType, Validator};

/// Values are smaller than this.
const SIZE_END_BYTES: u64 = 1 << 28;
/// A string, list or map in memory: an address and a length.
const POINTER_PAIR: Extent = Extent { size_bytes: 16, align_bytes: 8 };
/// An index into a handle table.
const HANDLE: Extent = Extent { size_bytes: 4, align_bytes: 4 };

/// What a value takes in a 64-bit memory.
#[derive(Clone, Copy)]
struct Extent {
    size_bytes: u64,
    align_bytes: u64,
}

/// The types of one validator that have been looked at.
#[derive(Default)]
pub struct ValueSizes {
    /// Value types, as they were measured.
    known: HashMap<ComponentDefinedTypeId, Extent>,
    /// Instance and component types. Many may mention the same one, and each of those many others.
    checked: HashSet<ComponentAnyTypeId>,
}

impl ValueSizes {
    /// Measures the types of a section that has just been validated.
    pub fn check_section(
        &mut self,
        validator: &Validator,
        section: &ComponentTypeSectionReader<'_>,
    ) -> Result<()> {
        let types = validator.types(0).expect("a component is open");
        let first = types.component_type_count() - section.count();
        for (index, item) in (first..).zip(section.clone().into_iter_with_offsets()) {
            let (offset, _) = item.map_err(wasm_error)?;
            let at = |error: Error| error.at(Position::Offset(byte_offset(offset)));
            self.check_type(types, types.component_any_type_at(index)).map_err(at)?;
        }
        Ok(())
    }

    /// Measures a type and those that an instance or component type declares.
    fn check_type(&mut self, types: TypesRef<'_>, ty: ComponentAnyTypeId) -> Result<()> {
        let mut pending = vec![ty];
        let push_entity = |pending: &mut Vec<_>, entity: &ComponentEntityType| match *entity {
            ComponentEntityType::Type { referenced, .. } => pending.push(referenced),
            ComponentEntityType::Instance(id) => pending.push(ComponentAnyTypeId::Instance(id)),
            ComponentEntityType::Component(id) => pending.push(ComponentAnyTypeId::Component(id)),
            _ => {}
        };
        while let Some(ty) = pending.pop() {
            let is_group =
                matches!(ty, ComponentAnyTypeId::Instance(_) | ComponentAnyTypeId::Component(_));
            if is_group && !self.checked.insert(ty) {
                continue;
            }
            match ty {
                ComponentAnyTypeId::Defined(id) => self.measure(types, id)?,
                ComponentAnyTypeId::Instance(id) => {
                    let items = types[id].exports.values();
                    items.for_each(|item| push_entity(&mut pending, &item.ty));
                }
                ComponentAnyTypeId::Component(id) => {
                    let items = types[id].imports.values().chain(types[id].exports.values());
                    items.for_each(|item| push_entity(&mut pending, &item.ty));
                }
                ComponentAnyTypeId::Func(_) | ComponentAnyTypeId::Resource(_) => {}
            }
        }
        Ok(())
    }

    /// Measures a type after all those that it is made of.
    fn measure(&mut self, types: TypesRef<'_>, ty: ComponentDefinedTypeId) -> Result<()> {
        let mut open = vec![ty];
        while let Some(&ty) = open.last() {
            if self.known.contains_key(&ty) {
                open.pop();
                continue;
            }
            let before = open.len();
            let parts = inline_parts(&types[ty]);
            open.extend(parts.into_iter().filter_map(|part| match part {
                ComponentValType::Type(id) if !self.known.contains_key(&id) => Some(id),
                _ => None,
            }));
            if open.len() > before {
                continue;
            }
            let extent = self.combine(&types[ty]);
            if extent.size_bytes >= SIZE_END_BYTES {
                return Err(Error::invalid(format!(
                    "a value type of {} bytes in a 64-bit memory: the limit is 2^28 - 1",
                    extent.size_bytes
                )));
            }
            self.known.insert(ty, extent);
            open.pop();
        }
        Ok(())
    }

    /// The extent of a type whose parts have been measured.
    fn combine(&self, ty: &ComponentDefinedType) -> Extent {
        let extents = inline_parts(ty).into_iter().map(|part| self.extent(part));
        match ty {
            ComponentDefinedType::Primitive(ty) => primitive_extent(*ty),
            ComponentDefinedType::Record(_) | ComponentDefinedType::Tuple(_) => {
                extents.fold(Extent { size_bytes: 0, align_bytes: 1 }, Extent::followed_by).padded()
            }
            ComponentDefinedType::FixedLengthList { element, length, .. } => {
                let element = self.extent(*element);
                Extent { size_bytes: element.size_bytes * u64::from(*length), ..element }
            }
            ComponentDefinedType::Variant(ty) => with_discriminant(ty.cases.len(), extents),
            ComponentDefinedType::Enum(names) => with_discriminant(names.len(), extents),
            ComponentDefinedType::Option { .. } | ComponentDefinedType::Result { .. } => {
                with_discriminant(2, extents)
            }
            ComponentDefinedType::Flags(names) => scalar(flags_bytes(names.len())),
            ComponentDefinedType::List { .. } | ComponentDefinedType::Map { .. } => POINTER_PAIR,
            ComponentDefinedType::Own(_)
            | ComponentDefinedType::Borrow(_)
            | ComponentDefinedType::Future { .. }
            | ComponentDefinedType::Stream { .. } => HANDLE,
        }
    }

    fn extent(&self, ty: ComponentValType) -> Extent {
        match ty {
            ComponentValType::Primitive(ty) => primitive_extent(ty),
            ComponentValType::Type(id) => self.known[&id],
        }
    }
}

impl Extent {
    /// This and a field behind it.
    fn followed_by(self, field: Extent) -> Extent {
        Extent {
            size_bytes: self.size_bytes.next_multiple_of(field.align_bytes) + field.size_bytes,
            align_bytes: self.align_bytes.max(field.align_bytes),
        }
    }

    /// With the padding behind it that an array needs.
    fn padded(self) -> Extent {
        Extent { size_bytes: self.size_bytes.next_multiple_of(self.align_bytes), ..self }
    }
}

/// The types whose values lie inside those of a type: what a list points at does not.
fn inline_parts(ty: &ComponentDefinedType) -> Vec<ComponentValType> {
    match ty {
        ComponentDefinedType::Record(ty) => ty.fields.values().copied().collect(),
        ComponentDefinedType::Variant(ty) => ty.cases.values().filter_map(|c| c.ty).collect(),
        ComponentDefinedType::Tuple(ty) => ty.types.to_vec(),
        ComponentDefinedType::FixedLengthList { element, .. } => vec![*element],
        ComponentDefinedType::Option { ty, .. } => vec![*ty],
        ComponentDefinedType::Result { ok, err, .. } => ok.iter().chain(err).copied().collect(),
        _ => Vec::new(),
    }
}

fn with_discriminant(cases: usize, payloads: impl Iterator<Item = Extent>) -> Extent {
    let discriminant = match cases {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    };
    let widest = |a: Extent, b: Extent| Extent {
        size_bytes: a.size_bytes.max(b.size_bytes),
        align_bytes: a.align_bytes.max(b.align_bytes),
    };
    let payload = payloads.fold(Extent { size_bytes: 0, align_bytes: 1 }, widest);
    scalar(discriminant).followed_by(payload).padded()
}

fn flags_bytes(flags: usize) -> u64 {
    match flags {
        0..=8 => 1,
        9..=16 => 2,
        _ => 4,
    }
}

fn primitive_extent(ty: PrimitiveValType) -> Extent {
    scalar(match ty {
        PrimitiveValType::Bool | PrimitiveValType::S8 | PrimitiveValType::U8 => 1,
        PrimitiveValType::S16 | PrimitiveValType::U16 => 2,
        PrimitiveValType::S64 | PrimitiveValType::U64 | PrimitiveValType::F64 => 8,
        PrimitiveValType::String => return POINTER_PAIR,
        PrimitiveValType::S32
        | PrimitiveValType::U32
        | PrimitiveValType::F32
        | PrimitiveValType::Char
        | PrimitiveValType::ErrorContext => 4,
    })
}

fn scalar(bytes: u64) -> Extent {
    Extent { size_bytes: bytes, align_bytes: bytes }
}
