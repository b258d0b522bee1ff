//! The reference for lifting: from a guest's memory or flat values to plain values
//! (`CanonicalABI.md`, "Loading" and "Flat Lifting").

use crate::guest::{Encoding, Guest, Result};
use crate::strings::utf16_tag;
use crate::types::{
    Form, Scalar, Shape, Text, Ty, Value, align_to, discriminant_bytes, flags_bytes, payload_offset,
};
use wasmelt_abi::trap::Trap;

/// Bytes that a string or a list may have.
const CONTENT_BYTES_MAX: u128 = (1 << 28) - 1;

/// A value from memory that was checked to be there.
pub fn load(guest: &mut Guest, ty: &Ty, pointer: u32) -> Result<Value> {
    let pointers = guest.pointers;
    Ok(match ty.shape() {
        Shape::Scalar(scalar) => lift_scalar(scalar, guest.load(pointer, scalar.bytes()))?,
        Shape::Text => {
            let len = guest.load_word(pointer + pointers.bytes());
            lift_text(guest, guest.load_word(pointer), len)?
        }
        Shape::List(element) => {
            let len = guest.load_word(pointer + pointers.bytes());
            lift_list(guest, element, guest.load_word(pointer), len)?
        }
        Shape::Fields(fields) => {
            let mut at = pointer;
            let mut values = Vec::new();
            for ty in fields {
                at = align_to(at, ty.align(pointers));
                values.push(load(guest, ty, at)?);
                at += ty.size(pointers);
            }
            Value::Fields(values)
        }
        Shape::Cases(cases) => {
            let case = guest.load(pointer, discriminant_bytes(cases.len())) as u32;
            let ty = cases.get(case as usize).ok_or(Trap::InvalidDiscriminant)?;
            let payload_at = pointer + payload_offset(&cases, pointers);
            let payload = ty.map(|ty| load(guest, ty, payload_at)).transpose()?;
            Value::Case(case, payload.map(Box::new))
        }
        Shape::Flags(count) => lift_flags(count, guest.load(pointer, flags_bytes(count))),
        Shape::Handle { is_own } => lift_handle(guest, guest.load(pointer, 4), is_own)?,
    })
}

/// A value from the flat values in front.
pub fn lift_flat(guest: &mut Guest, ty: &Ty, flat: &mut &[u64]) -> Result<Value> {
    let pointers = guest.pointers;
    Ok(match ty.shape() {
        Shape::Scalar(scalar) => lift_scalar(scalar, next(flat))?,
        Shape::Text => {
            let (pointer, len) = (pointers.cut(next(flat)), pointers.cut(next(flat)));
            lift_text(guest, pointer, len)?
        }
        Shape::List(element) => {
            let (pointer, len) = (pointers.cut(next(flat)), pointers.cut(next(flat)));
            lift_list(guest, element, pointer, len)?
        }
        Shape::Fields(fields) => {
            let values = fields.iter().map(|ty| lift_flat(guest, ty, flat));
            Value::Fields(values.collect::<Result<_>>()?)
        }
        Shape::Cases(cases) => {
            let (mut own, rest) = flat.split_at(ty.flat(pointers).len());
            *flat = rest;
            let case = next(&mut own) as u32;
            let ty = cases.get(case as usize).ok_or(Trap::InvalidDiscriminant)?;
            let payload = ty.map(|ty| lift_flat(guest, ty, &mut own)).transpose()?;
            Value::Case(case, payload.map(Box::new))
        }
        Shape::Flags(count) => lift_flags(count, next(flat)),
        Shape::Handle { is_own } => lift_handle(guest, next(flat), is_own)?,
    })
}

fn next(flat: &mut &[u64]) -> u64 {
    let (first, rest) = flat.split_first().expect("there is a flat value for each flat type");
    *flat = rest;
    *first
}

/// Narrow values leave the bits above them out of account.
fn lift_scalar(scalar: Scalar, bits: u64) -> Result<Value> {
    Ok(Value::Number(match scalar {
        Scalar::Bool => u64::from(bits as u32 != 0),
        Scalar::U8 => u64::from(bits as u8),
        Scalar::S8 => bits as i8 as u64,
        Scalar::U16 => u64::from(bits as u16),
        Scalar::S16 => bits as i16 as u64,
        Scalar::U32 | Scalar::F32 => u64::from(bits as u32),
        Scalar::S32 => bits as i32 as u64,
        Scalar::U64 | Scalar::S64 | Scalar::F64 => bits,
        Scalar::Char => {
            let scalar = char::from_u32(bits as u32).ok_or(Trap::InvalidChar)?;
            u64::from(u32::from(scalar))
        }
    }))
}

fn lift_flags(count: u32, bits: u64) -> Value {
    Value::Flags((bits & ((1 << count) - 1)) as u32)
}

fn lift_handle(guest: &mut Guest, index: u64, is_own: bool) -> Result<Value> {
    // To the component that defines the resource type, what is lent is the representation.
    if guest.table.is_over && guest.is_owner && !is_own {
        return Ok(Value::Number(u64::from(index as u32)));
    }
    Ok(Value::Number(guest.table.lift(index as u32, is_own)?.into()))
}

fn lift_list(guest: &mut Guest, element: &Ty, pointer: u64, len: u64) -> Result<Value> {
    let (size, align) = (element.size(guest.pointers), element.align(guest.pointers));
    check_content(guest, pointer, u128::from(len) * u128::from(size), align)?;
    let at = |index| pointer as u32 + index as u32 * size;
    Ok(Value::List((0..len).map(|index| load(guest, element, at(index))).collect::<Result<_>>()?))
}

fn lift_text(guest: &Guest, pointer: u64, len: u64) -> Result<Value> {
    let tag = utf16_tag(guest.pointers);
    let (form, units) = match guest.encoding {
        Encoding::Utf8 => (Form::Utf8, len),
        Encoding::Utf16 => (Form::Utf16, len),
        Encoding::Latin1Utf16 if len & tag != 0 => (Form::Tagged, len ^ tag),
        Encoding::Latin1Utf16 => (Form::Latin1, len),
    };
    let unit_bytes = if matches!(form, Form::Utf8 | Form::Latin1) { 1 } else { 2 };
    let align = if form == Form::Utf8 { 1 } else { 2 };
    check_content(guest, pointer, u128::from(units) * unit_bytes, align)?;
    let units = units as u32;
    let bytes = guest.bytes(pointer as u32, units * unit_bytes as u32);
    let text = match form {
        Form::Utf8 => String::from_utf8(bytes.to_vec()).ok(),
        Form::Latin1 => Some(bytes.iter().map(|&byte| char::from(byte)).collect()),
        Form::Utf16 | Form::Tagged => {
            let unit = |pair: &[u8]| u16::from_le_bytes([pair[0], pair[1]]);
            String::from_utf16(&bytes.chunks_exact(2).map(unit).collect::<Vec<_>>()).ok()
        }
    };
    let text = text.ok_or(Trap::InvalidString)?;
    Ok(Value::Text(Text { text, form, units }))
}

fn check_content(guest: &Guest, pointer: u64, bytes: u128, align: u32) -> Result<()> {
    if bytes > CONTENT_BYTES_MAX {
        return Err(Trap::TooLong);
    }
    guest.check(pointer, bytes as u64, align)
}
