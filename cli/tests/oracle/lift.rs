//! The reference for lifting: from a guest's memory or flat values to plain values
//! (`CanonicalABI.md`, "Loading" and "Flat Lifting").

use crate::guest::{Encoding, Guest, Result};
use crate::types::{
    Form, Scalar, Shape, Text, Ty, Value, align_to, discriminant_bytes, flags_bytes, payload_offset,
};
use wasmelt_abi::trap::Trap;

/// Bytes that a string or a list may have.
const CONTENT_BYTES_MAX: u64 = (1 << 28) - 1;
const UTF16_TAG: u32 = 1 << 31;

/// A value from memory that was checked to be there.
pub fn load(guest: &Guest, ty: &Ty, pointer: u32) -> Result<Value> {
    Ok(match ty.shape() {
        Shape::Scalar(scalar) => lift_scalar(scalar, guest.load(pointer, scalar.bytes()))?,
        Shape::Text => {
            let word = |at| guest.load(at, 4) as u32;
            lift_text(guest, word(pointer), word(pointer + 4))?
        }
        Shape::List(element) => {
            let word = |at| guest.load(at, 4) as u32;
            lift_list(guest, element, word(pointer), word(pointer + 4))?
        }
        Shape::Fields(fields) => {
            let mut at = pointer;
            let mut values = Vec::new();
            for ty in fields {
                at = align_to(at, ty.align());
                values.push(load(guest, ty, at)?);
                at += ty.size();
            }
            Value::Fields(values)
        }
        Shape::Cases(cases) => {
            let case = guest.load(pointer, discriminant_bytes(cases.len())) as u32;
            let ty = cases.get(case as usize).ok_or(Trap::InvalidDiscriminant)?;
            let payload_at = pointer + payload_offset(&cases);
            let payload = ty.map(|ty| load(guest, ty, payload_at)).transpose()?;
            Value::Case(case, payload.map(Box::new))
        }
        Shape::Flags(count) => lift_flags(count, guest.load(pointer, flags_bytes(count))),
    })
}

/// A value from the flat values in front.
pub fn lift_flat(guest: &Guest, ty: &Ty, flat: &mut &[u64]) -> Result<Value> {
    Ok(match ty.shape() {
        Shape::Scalar(scalar) => lift_scalar(scalar, next(flat))?,
        Shape::Text => {
            let (pointer, len) = (next(flat) as u32, next(flat) as u32);
            lift_text(guest, pointer, len)?
        }
        Shape::List(element) => {
            let (pointer, len) = (next(flat) as u32, next(flat) as u32);
            lift_list(guest, element, pointer, len)?
        }
        Shape::Fields(fields) => {
            let values = fields.iter().map(|ty| lift_flat(guest, ty, flat));
            Value::Fields(values.collect::<Result<_>>()?)
        }
        Shape::Cases(cases) => {
            let (mut own, rest) = flat.split_at(ty.flat().len());
            *flat = rest;
            let case = next(&mut own) as u32;
            let ty = cases.get(case as usize).ok_or(Trap::InvalidDiscriminant)?;
            let payload = ty.map(|ty| lift_flat(guest, ty, &mut own)).transpose()?;
            Value::Case(case, payload.map(Box::new))
        }
        Shape::Flags(count) => lift_flags(count, next(flat)),
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

fn lift_list(guest: &Guest, element: &Ty, pointer: u32, len: u32) -> Result<Value> {
    let bytes = u64::from(len) * u64::from(element.size());
    check_content(guest, pointer, bytes, element.align())?;
    let at = |index| pointer + index * element.size();
    Ok(Value::List((0..len).map(|index| load(guest, element, at(index))).collect::<Result<_>>()?))
}

fn lift_text(guest: &Guest, pointer: u32, len: u32) -> Result<Value> {
    let (form, units) = match guest.encoding {
        Encoding::Utf8 => (Form::Utf8, len),
        Encoding::Utf16 => (Form::Utf16, len),
        Encoding::Latin1Utf16 if len & UTF16_TAG != 0 => (Form::Tagged, len ^ UTF16_TAG),
        Encoding::Latin1Utf16 => (Form::Latin1, len),
    };
    let unit_bytes = if matches!(form, Form::Utf8 | Form::Latin1) { 1 } else { 2 };
    let align = if form == Form::Utf8 { 1 } else { 2 };
    check_content(guest, pointer, u64::from(units) * unit_bytes, align)?;
    let bytes = guest.bytes(pointer, units * unit_bytes as u32);
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

fn check_content(guest: &Guest, pointer: u32, bytes: u64, align: u32) -> Result<()> {
    if bytes > CONTENT_BYTES_MAX {
        return Err(Trap::TooLong);
    }
    guest.check(pointer, bytes as u32, align)
}
