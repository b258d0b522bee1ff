//! Sizes, alignments, flat types: the canonical ABI's arithmetic on interface types.
//!
//! Follows `CanonicalABI.md`, sections "Alignment", "Element Size" and "Flattening", for both
//! pointer sizes: 32-bit memories have the small one; 64-bit memories and the host's side of an
//! adapter, which is the same ABI over native memory, have the large one. Results are kept per
//! type, because types share their parts: without that, a tuple of two equal tuples, nested a few
//! dozen times, would never end.

use crate::error::{Error, Result};
use crate::interface::{Type, TypeId, Types};
use cranelift_codegen::ir::{self, types};
use std::collections::HashMap;
use wasmelt_flatten::flat::MAX_FLAT_PARAMS;
use wasmelt_flatten::limits::TYPE_DEPTH_MAX;

/// How deep interface types may nest: the adapter generator recurses over them.
const DEPTH_MAX: u32 = TYPE_DEPTH_MAX as u32;
/// Largest size of a value in bytes, without what its pointers point at.
const SIZE_MAX: u64 = (1 << 28) - 1;

/// How wide an address is on one side of an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PointerSize {
    /// A memory with 32-bit indices.
    P32,
    /// A memory with 64-bit indices, or native memory.
    P64,
}

impl PointerSize {
    /// Size of an address or a length in bytes.
    pub(crate) fn bytes(self) -> u32 {
        match self {
            PointerSize::P32 => 4,
            PointerSize::P64 => 8,
        }
    }

    /// The CLIF type of an address or a length.
    pub(crate) fn clif_type(self) -> ir::Type {
        match self {
            PointerSize::P32 => types::I32,
            PointerSize::P64 => types::I64,
        }
    }
}

/// Whether a value's bytes mean the same on every side, so that it can be moved without looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Movable {
    /// It must be checked or converted, or it has padding (whose bytes belong to nobody else).
    No,
    /// Numbers side by side: movable between sides of one byte order.
    SameByteOrder,
    /// Single bytes side by side: movable between all sides.
    Always,
}

/// How a type looks on a side of one pointer size.
#[derive(Clone, Debug)]
pub(crate) struct AbiLayout {
    /// Size in bytes.
    pub size: u32,
    /// Alignment in bytes.
    pub align: u32,
    /// The core values it flattens to; `None` if they are more than [`MAX_FLAT_PARAMS`].
    pub flat: Option<Vec<ir::Type>>,
    /// Whether its bytes can be moved as a block.
    pub movable: Movable,
    /// Whether it contains addresses: strings, lists or maps.
    pub has_pointers: bool,
    /// How many types it nests at most, itself included; 0 for scalars.
    depth: u32,
}

/// The layouts of the types that an adapter deals with.
pub(crate) struct Layouts<'a> {
    types: &'a Types,
    known: [HashMap<TypeId, AbiLayout>; 2],
}

impl<'a> Layouts<'a> {
    pub(crate) fn new(types: &'a Types) -> Layouts<'a> {
        Layouts { types, known: Default::default() }
    }

    /// Computes the layouts of a type and its parts for both pointer sizes.
    ///
    /// # Errors
    ///
    /// `Unsupported` if the type nests too deeply or is too large.
    pub(crate) fn prepare(&mut self, ty: TypeId) -> Result<()> {
        self.compute(ty, PointerSize::P32, 0)?;
        self.compute(ty, PointerSize::P64, 0)
    }

    /// The layout of a type that was prepared, or a part of one.
    pub(crate) fn get(&self, ty: TypeId, pointer: PointerSize) -> &AbiLayout {
        self.known[pointer as usize].get(&ty).expect("types are prepared before use")
    }

    /// The layout of prepared types side by side, as a record has them.
    ///
    /// # Errors
    ///
    /// `Unsupported` if they are too large together.
    pub(crate) fn record(&self, fields: &[TypeId], pointer: PointerSize) -> Result<AbiLayout> {
        record_layout(fields.iter().map(|field| self.get(*field, pointer)))
    }

    /// Offsets in bytes of prepared types side by side, as a record has them.
    pub(crate) fn field_offsets(&self, fields: &[TypeId], pointer: PointerSize) -> Vec<u32> {
        let mut end = 0u32;
        let place = |field: &TypeId| {
            let layout = self.get(*field, pointer);
            let offset = end.next_multiple_of(layout.align);
            end = offset + layout.size;
            offset
        };
        fields.iter().map(place).collect()
    }

    /// Where a variant's payload is: its offset in bytes.
    pub(crate) fn payload_offset(&self, cases: &[Option<TypeId>], pointer: PointerSize) -> u32 {
        let payloads = cases.iter().flatten();
        let align = payloads.map(|case| self.get(*case, pointer).align).max().unwrap_or(1);
        discriminant_bytes(cases.len()).next_multiple_of(align)
    }

    /// The core values that the payloads of a variant share, if they are few enough.
    pub(crate) fn joined_payload(
        &self,
        cases: &[Option<TypeId>],
        pointer: PointerSize,
    ) -> Option<Vec<ir::Type>> {
        let mut joined = Vec::new();
        for case in cases.iter().flatten() {
            join_flat(&mut joined, self.get(*case, pointer).flat.as_deref()?);
        }
        Some(joined)
    }

    fn compute(&mut self, ty: TypeId, pointer: PointerSize, depth: u32) -> Result<()> {
        if self.known[pointer as usize].contains_key(&ty) {
            return Ok(());
        }
        check_depth(depth)?;
        let types = self.types;
        let layout = match &types[ty] {
            Type::Bool => scalar(1, types::I32, Movable::No),
            Type::S8 | Type::U8 => scalar(1, types::I32, Movable::Always),
            Type::S16 | Type::U16 => scalar(2, types::I32, Movable::SameByteOrder),
            Type::S32 | Type::U32 => scalar(4, types::I32, Movable::SameByteOrder),
            Type::S64 | Type::U64 => scalar(8, types::I64, Movable::SameByteOrder),
            Type::F32 => scalar(4, types::F32, Movable::SameByteOrder),
            Type::F64 => scalar(8, types::F64, Movable::SameByteOrder),
            Type::Char | Type::Own(_) | Type::Borrow(_) => scalar(4, types::I32, Movable::No),
            Type::Enum(cases) => scalar(discriminant_bytes(cases.len()), types::I32, Movable::No),
            Type::Flags(labels) => flags_layout(labels.len())?,
            Type::String => list_layout(&[], pointer),
            Type::List(element) => {
                self.compute(*element, pointer, depth + 1)?;
                list_layout(&[self.get(*element, pointer)], pointer)
            }
            Type::Map(key, value) => {
                self.compute(*key, pointer, depth + 1)?;
                self.compute(*value, pointer, depth + 1)?;
                list_layout(&[self.get(*key, pointer), self.get(*value, pointer)], pointer)
            }
            Type::FixedList(element, len) => {
                self.compute(*element, pointer, depth + 1)?;
                fixed_list_layout(self.get(*element, pointer), *len)?
            }
            record @ (Type::Record(_) | Type::Tuple(_)) => {
                let fields = fields_of(record);
                for field in &fields {
                    self.compute(*field, pointer, depth + 1)?;
                }
                record_layout(fields.iter().map(|field| self.get(*field, pointer)))?
            }
            variant @ (Type::Variant(_) | Type::Option(_) | Type::Result { .. }) => {
                let cases = cases_of(variant);
                for case in cases.iter().flatten() {
                    self.compute(*case, pointer, depth + 1)?;
                }
                self.variant_layout(&cases, pointer)?
            }
        };
        // Parts may be known already, so this counts what the recursion has not gone through.
        check_depth(layout.depth)?;
        self.known[pointer as usize].insert(ty, layout);
        Ok(())
    }

    fn variant_layout(&self, cases: &[Option<TypeId>], pointer: PointerSize) -> Result<AbiLayout> {
        let discriminant = discriminant_bytes(cases.len());
        let payloads = || cases.iter().flatten().map(|case| self.get(*case, pointer));
        let align = payloads().map(|layout| layout.align).max().unwrap_or(1).max(discriminant);
        let size = payloads().map(|layout| layout.size).max().unwrap_or(0);
        let end = u64::from(self.payload_offset(cases, pointer)) + u64::from(size);
        let flat = self.joined_payload(cases, pointer).and_then(|mut joined| {
            joined.insert(0, types::I32);
            (joined.len() <= MAX_FLAT_PARAMS).then_some(joined)
        });
        Ok(AbiLayout {
            size: checked_size(end.next_multiple_of(u64::from(align)))?,
            align,
            flat,
            movable: Movable::No,
            has_pointers: payloads().any(|layout| layout.has_pointers),
            depth: 1 + payloads().map(|layout| layout.depth).max().unwrap_or(0),
        })
    }
}

/// The fields of a record or a tuple.
pub(crate) fn fields_of(ty: &Type) -> Vec<TypeId> {
    match ty {
        Type::Record(fields) => fields.iter().map(|(_, ty)| *ty).collect(),
        Type::Tuple(fields) => fields.clone(),
        other => unreachable!("{other:?} has no fields"),
    }
}

/// The payloads of a variant's cases: a variant, an option or a result.
pub(crate) fn cases_of(ty: &Type) -> Vec<Option<TypeId>> {
    match ty {
        Type::Variant(cases) => cases.iter().map(|(_, payload)| *payload).collect(),
        Type::Option(payload) => vec![None, Some(*payload)],
        Type::Result { ok, err } => vec![*ok, *err],
        other => unreachable!("{other:?} has no cases"),
    }
}

/// Size in bytes of the discriminant of a variant or enum with that many cases.
pub(crate) fn discriminant_bytes(cases: usize) -> u32 {
    match cases {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    }
}

/// Size in bytes of flags with that many labels, at most 32.
pub(crate) fn flags_bytes(labels: usize) -> u32 {
    match labels {
        0..=8 => 1,
        9..=16 => 2,
        _ => 4,
    }
}

/// Which core value holds whichever of two is there.
fn join(a: ir::Type, b: ir::Type) -> ir::Type {
    match (a, b) {
        _ if a == b => a,
        (types::I32, types::F32) | (types::F32, types::I32) => types::I32,
        _ => types::I64,
    }
}

fn join_flat(joined: &mut Vec<ir::Type>, flat: &[ir::Type]) {
    for (index, ty) in flat.iter().enumerate() {
        match joined.get_mut(index) {
            Some(slot) => *slot = join(*slot, *ty),
            None => joined.push(*ty),
        }
    }
}

fn scalar(bytes: u32, flat: ir::Type, movable: Movable) -> AbiLayout {
    let flat = Some(vec![flat]);
    AbiLayout { size: bytes, align: bytes, flat, movable, has_pointers: false, depth: 0 }
}

fn check_depth(depth: u32) -> Result<()> {
    if depth > DEPTH_MAX {
        let message = format!("an interface type nested more than {DEPTH_MAX} deep");
        return Err(Error::unsupported(message));
    }
    Ok(())
}

fn list_layout(element: &[&AbiLayout], pointer: PointerSize) -> AbiLayout {
    AbiLayout {
        size: 2 * pointer.bytes(),
        align: pointer.bytes(),
        flat: Some(vec![pointer.clif_type(); 2]),
        movable: Movable::No,
        has_pointers: true,
        depth: 1 + element.iter().map(|layout| layout.depth).max().unwrap_or(0),
    }
}

fn flags_layout(labels: usize) -> Result<AbiLayout> {
    if labels > 32 {
        return Err(Error::unsupported("a flags type with more than 32 labels"));
    }
    // Undefined bits are cleared on the way, so only flags without such bits move as they are.
    let movable = match labels {
        8 => Movable::Always,
        16 | 32 => Movable::SameByteOrder,
        _ => Movable::No,
    };
    Ok(scalar(flags_bytes(labels), types::I32, movable))
}

fn fixed_list_layout(element: &AbiLayout, len: u32) -> Result<AbiLayout> {
    let flat = element.flat.as_ref().and_then(|flat| {
        let total = flat.len().checked_mul(len as usize)?;
        (total <= MAX_FLAT_PARAMS).then(|| flat.repeat(len as usize))
    });
    Ok(AbiLayout {
        size: checked_size(u64::from(element.size) * u64::from(len))?,
        align: element.align,
        flat,
        movable: element.movable,
        has_pointers: element.has_pointers,
        depth: 1 + element.depth,
    })
}

fn record_layout<'l>(fields: impl Iterator<Item = &'l AbiLayout>) -> Result<AbiLayout> {
    let mut flat = Some(Vec::new());
    let mut movable = Movable::Always;
    let mut has_pointers = false;
    let mut depth = 0;
    let (mut end, mut used, mut align) = (0u64, 0u64, 1u32);
    for field in fields {
        end = end.next_multiple_of(u64::from(field.align)) + u64::from(field.size);
        used += u64::from(field.size);
        align = align.max(field.align);
        movable = movable.min(field.movable);
        has_pointers |= field.has_pointers;
        depth = depth.max(field.depth);
        flat = match (flat, &field.flat) {
            (Some(mut flat), Some(more)) if flat.len() + more.len() <= MAX_FLAT_PARAMS => {
                flat.extend(more);
                Some(flat)
            }
            _ => None,
        };
        // Here and not only at the end, so that the sum cannot overflow.
        checked_size(end)?;
    }
    let size = checked_size(end.next_multiple_of(u64::from(align)))?;
    if u64::from(size) != used {
        movable = Movable::No;
    }
    Ok(AbiLayout { size, align, flat, movable, has_pointers, depth: depth + 1 })
}

fn checked_size(bytes: u64) -> Result<u32> {
    if bytes > SIZE_MAX {
        return Err(Error::unsupported(format!("an interface type of more than {SIZE_MAX} bytes")));
    }
    Ok(bytes as u32)
}
