//! Component values as constants: what native code passes to an adapter.
//!
//! The same layout as everywhere, with 64-bit pointers, UTF-8 and addresses that only
//! linking knows. Flattening has checked that the values are of their types, whose
//! depth is limited.

use super::{ActionTable, Pointee};
use crate::adapter::abi_layout::{
    Layouts, PointerSize, cases_of, discriminant_bytes, fields_of, flags_bytes,
};
use crate::error::Result;
use crate::interface::{FuncType, Type, TypeId, Types};
use cranelift_codegen::ir;
use wasmelt_flatten::flat::MAX_FLAT_PARAMS;
use wasmelt_flatten::script::Value;

/// An argument of a native call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The low bits are the value.
    Number(u64),
    /// An address.
    Address(Pointee),
}

/// The arguments of a call, flat, or the address of a record if they are too many.
pub(super) fn lower_arguments(
    types: &Types,
    table: &mut ActionTable,
    ty: &FuncType,
    args: &[Value],
) -> Result<Vec<Word>> {
    let mut lowering = Lowering { types, layouts: Layouts::new(types), table };
    let params = ty.params.iter().map(|(_, ty)| *ty).collect::<Vec<_>>();
    for param in &params {
        lowering.layouts.prepare(*param)?;
    }
    let record = lowering.layouts.record(&params, PointerSize::P64)?;
    if record.flat.is_some_and(|flat| flat.len() <= MAX_FLAT_PARAMS) {
        let mut words = Vec::new();
        for (ty, arg) in params.iter().zip(args) {
            lowering.flatten(*ty, arg, &mut words);
        }
        return Ok(words);
    }
    let start = lowering.reserve(record.size as usize, record.align as usize);
    let offsets = lowering.layouts.field_offsets(&params, PointerSize::P64);
    for ((ty, arg), offset) in params.iter().zip(args).zip(offsets) {
        lowering.store(*ty, arg, start + offset as usize);
    }
    Ok(vec![Word::Address(Pointee::Table(start as u32))])
}

struct Lowering<'a> {
    types: &'a Types,
    layouts: Layouts<'a>,
    table: &'a mut ActionTable,
}

impl Lowering<'_> {
    fn reserve(&mut self, size: usize, align: usize) -> usize {
        match self.table.reserve(size, align) {
            Pointee::Table(at) => at as usize,
            Pointee::Code(_) => unreachable!("room in the table lies in the table"),
        }
    }

    /// Appends the flat values.
    fn flatten(&mut self, ty: TypeId, value: &Value, words: &mut Vec<Word>) {
        let types = self.types;
        if let Some((_, number)) = scalar(&types[ty], value) {
            return words.push(Word::Number(number));
        }
        if let Some((pointer, count)) = self.elements(ty, value) {
            return words.extend([Word::Address(pointer), Word::Number(count)]);
        }
        if let Some((case, payload)) = case_of(&types[ty], value) {
            return self.flatten_case(ty, case, payload, words);
        }
        for (ty, value) in parts(&types[ty], value) {
            self.flatten(ty, value, words);
        }
    }

    /// Appends a discriminant and the payload, and zeros for what other cases need beyond.
    fn flatten_case(
        &mut self,
        ty: TypeId,
        case: usize,
        payload: Option<&Value>,
        words: &mut Vec<Word>,
    ) {
        let cases = cases_of(&self.types[ty]);
        let joined: Vec<ir::Type> = self
            .layouts
            .joined_payload(&cases, PointerSize::P64)
            .expect("only parameters that are few enough are flattened");
        words.push(Word::Number(case as u64));
        let end = words.len() + joined.len();
        if let (Some(ty), Some(payload)) = (cases[case], payload) {
            self.flatten(ty, payload, words);
        }
        words.resize(end, Word::Number(0));
    }

    /// Stores a value at a place of the table.
    fn store(&mut self, ty: TypeId, value: &Value, at: usize) {
        let types = self.types;
        if let Some((bytes, number)) = scalar(&types[ty], value) {
            return self.table.put_number(at, number, bytes as usize);
        }
        if let Some((pointer, count)) = self.elements(ty, value) {
            self.table.write_word(at, Word::Address(pointer));
            return self.table.write_word(at + 8, Word::Number(count));
        }
        if let Some((case, payload)) = case_of(&types[ty], value) {
            let cases = cases_of(&types[ty]);
            let bytes = discriminant_bytes(cases.len()) as usize;
            self.table.put_number(at, case as u64, bytes);
            if let (Some(ty), Some(payload)) = (cases[case], payload) {
                let offset = self.layouts.payload_offset(&cases, PointerSize::P64);
                self.store(ty, payload, at + offset as usize);
            }
            return;
        }
        let parts = parts(&types[ty], value);
        let fields = parts.iter().map(|(ty, _)| *ty).collect::<Vec<_>>();
        let offsets = self.layouts.field_offsets(&fields, PointerSize::P64);
        for ((ty, value), offset) in parts.into_iter().zip(offsets) {
            self.store(ty, value, at + offset as usize);
        }
    }

    /// Where the elements of a string, list or map are, and how many.
    fn elements(&mut self, ty: TypeId, value: &Value) -> Option<(Pointee, u64)> {
        let types = self.types;
        let fields = match (&types[ty], value) {
            (Type::String, Value::String(text)) => {
                return Some((self.table.append(text.bytes()), text.len() as u64));
            }
            (Type::List(element), Value::List(_)) => vec![*element],
            (Type::Map(key, value), Value::List(_)) => vec![*key, *value],
            _ => return None,
        };
        let Value::List(values) = value else { return None };
        let layout = self.layouts.record(&fields, PointerSize::P64);
        let layout = layout.expect("the list's type was prepared");
        let (size, align) = (layout.size as usize, layout.align as usize);
        let offsets = self.layouts.field_offsets(&fields, PointerSize::P64);
        let start = self.reserve(values.len() * size, align);
        for (index, element) in values.iter().enumerate() {
            let parts = match element {
                Value::Tuple(parts) if fields.len() == 2 => parts.iter().collect(),
                element => vec![element],
            };
            for ((ty, part), offset) in fields.iter().zip(parts).zip(&offsets) {
                self.store(*ty, part, start + index * size + *offset as usize);
            }
        }
        Some((Pointee::Table(start as u32), values.len() as u64))
    }
}

/// Size in bytes and bits of a value that is one number.
fn scalar(ty: &Type, value: &Value) -> Option<(u32, u64)> {
    Some(match (ty, value) {
        (_, Value::Bool(value)) => (1, u64::from(*value)),
        (_, Value::U8(value)) => (1, u64::from(*value)),
        (_, Value::S8(value)) => (1, sign_extend(i32::from(*value))),
        (_, Value::U16(value)) => (2, u64::from(*value)),
        (_, Value::S16(value)) => (2, sign_extend(i32::from(*value))),
        (_, Value::U32(value)) => (4, u64::from(*value)),
        (_, Value::S32(value)) => (4, sign_extend(*value)),
        (_, Value::U64(value)) => (8, *value),
        (_, Value::S64(value)) => (8, *value as u64),
        (_, Value::F32(bits)) => (4, u64::from(*bits)),
        (_, Value::F64(bits)) => (8, *bits),
        (_, Value::Char(value)) => (4, u64::from(u32::from(*value))),
        (Type::Enum(cases), Value::Enum(case)) => {
            (discriminant_bytes(cases.len()), find(cases, case) as u64)
        }
        (Type::Flags(labels), Value::Flags(set)) => {
            let bits = set.iter().map(|flag| 1u64 << find(labels, flag));
            (flags_bytes(labels.len()), bits.fold(0, |all, bit| all | bit))
        }
        _ => return None,
    })
}

/// A narrow signed integer as the flat `i32` that it is passed as.
fn sign_extend(value: i32) -> u64 {
    u64::from(value as u32)
}

fn find(names: &[String], name: &str) -> usize {
    names.iter().position(|known| known == name).expect("flattening has checked the value")
}

/// The case of a variant, an option or a result.
fn case_of<'v>(ty: &Type, value: &'v Value) -> Option<(usize, Option<&'v Value>)> {
    Some(match (ty, value) {
        (Type::Variant(cases), Value::Variant(name, payload)) => {
            let case = cases.iter().position(|(known, _)| known == name);
            (case.expect("flattening has checked the value"), payload.as_deref())
        }
        (_, Value::Option(None)) => (0, None),
        (_, Value::Option(Some(payload))) => (1, Some(payload)),
        (_, Value::Result(Ok(payload))) => (0, payload.as_deref()),
        (_, Value::Result(Err(payload))) => (1, payload.as_deref()),
        _ => return None,
    })
}

/// The parts of a record, a tuple or a list of fixed length.
fn parts<'v>(ty: &Type, value: &'v Value) -> Vec<(TypeId, &'v Value)> {
    match (ty, value) {
        (Type::FixedList(element, _), Value::List(values)) => {
            values.iter().map(|value| (*element, value)).collect()
        }
        (_, Value::Record(fields)) => {
            fields_of(ty).into_iter().zip(fields.iter().map(|(_, value)| value)).collect()
        }
        (_, Value::Tuple(values)) => fields_of(ty).into_iter().zip(values).collect(),
        other => unreachable!("flattening has checked the value: {other:?}"),
    }
}
