//! The reference for lowering: from plain values to a guest's memory and flat values
//! (`CanonicalABI.md`, "Storing" and "Flat Lowering").
//!
//! The same walk prepares what a guest passes itself. Then a [`Mischief`] decides what the guest
//! is free to choose (how a string is encoded, bits that nobody looks at) and what it gets wrong.

use crate::draw::Mischief;
use crate::guest::{Guest, Result};
use crate::strings::{encode_own, store_text};
use crate::types::{
    Core, Scalar, Shape, Text, Ty, Value, align_to, discriminant_bytes, flags_bytes, payload_offset,
};

pub struct Lowering<'a> {
    pub guest: &'a mut Guest,
    /// `None`: an adapter lowers, by the book.
    pub mischief: Option<&'a mut Mischief>,
}

impl Lowering<'_> {
    pub fn store(&mut self, ty: &Ty, value: &Value, pointer: u32) -> Result<()> {
        let pointers = self.guest.pointers;
        match (ty.shape(), value) {
            (Shape::Scalar(scalar), Value::Number(_)) => {
                let bits = self.lower_scalar(scalar, value);
                self.guest.store(pointer, bits, scalar.bytes());
            }
            (Shape::Text, Value::Text(text)) => {
                let (to, len) = self.lower_text(text)?;
                self.store_pair(pointer, to, len);
            }
            (Shape::List(element), Value::List(values)) => {
                let (to, len) = self.lower_list(element, values)?;
                self.store_pair(pointer, to, len);
            }
            (Shape::Fields(fields), Value::Fields(values)) => {
                let mut at = pointer;
                for (ty, value) in fields.into_iter().zip(values) {
                    at = align_to(at, ty.align(pointers));
                    self.store(ty, value, at)?;
                    at += ty.size(pointers);
                }
            }
            (Shape::Cases(cases), Value::Case(case, payload)) => {
                let bytes = discriminant_bytes(cases.len());
                let discriminant = self.lower_discriminant(*case, cases.len(), 8 * bytes);
                self.guest.store(pointer, u64::from(discriminant), bytes);
                if let (Some(ty), Some(payload)) = (cases[*case as usize], payload) {
                    self.store(ty, payload, pointer + payload_offset(&cases, pointers))?;
                }
            }
            (Shape::Flags(count), Value::Flags(bits)) => {
                let bits = self.lower_flags(*bits, count);
                self.guest.store(pointer, bits, flags_bytes(count));
            }
            (Shape::Handle { is_own }, Value::Number(rep)) => {
                let index = self.lower_handle(*rep as u32, is_own);
                self.guest.store(pointer, index.into(), 4);
            }
            _ => panic!("{value:?} is no {ty:?}"),
        }
        Ok(())
    }

    pub fn lower_flat(&mut self, ty: &Ty, value: &Value, flat: &mut Vec<u64>) -> Result<()> {
        let pointers = self.guest.pointers;
        match (ty.shape(), value) {
            (Shape::Scalar(scalar), Value::Number(_)) => {
                flat.push(self.lower_scalar(scalar, value));
            }
            (Shape::Text, Value::Text(text)) => {
                let (to, len) = self.lower_text(text)?;
                flat.extend([to, len]);
            }
            (Shape::List(element), Value::List(values)) => {
                let (to, len) = self.lower_list(element, values)?;
                flat.extend([to, len]);
            }
            (Shape::Fields(fields), Value::Fields(values)) => {
                for (ty, value) in fields.into_iter().zip(values) {
                    self.lower_flat(ty, value, flat)?;
                }
            }
            (Shape::Cases(cases), Value::Case(case, payload)) => {
                let joined = ty.flat(pointers);
                let end = flat.len() + joined.len();
                let discriminant = self.lower_discriminant(*case, cases.len(), 32);
                flat.push(u64::from(discriminant));
                let start = flat.len();
                if let (Some(ty), Some(payload)) = (cases[*case as usize], payload) {
                    self.lower_flat(ty, payload, flat)?;
                    self.disturb_joined(&joined[1..], &ty.flat(pointers), &mut flat[start..]);
                }
                while flat.len() < end {
                    let core = joined[joined.len() - (end - flat.len())];
                    flat.push(self.fill_unused(core));
                }
            }
            (Shape::Flags(count), Value::Flags(bits)) => {
                flat.push(self.lower_flags(*bits, count));
            }
            (Shape::Handle { is_own }, Value::Number(rep)) => {
                flat.push(self.lower_handle(*rep as u32, is_own).into());
            }
            _ => panic!("{value:?} is no {ty:?}"),
        }
        Ok(())
    }

    fn store_pair(&mut self, pointer: u32, to: u64, len: u64) {
        let bytes = self.guest.pointers.bytes();
        self.guest.store(pointer, to, bytes);
        self.guest.store(pointer + bytes, len, bytes);
    }

    /// An adapter gives a handle; a guest makes one, errs, or passes one again.
    fn lower_handle(&mut self, rep: u32, is_own: bool) -> u32 {
        let Some(mischief) = &mut self.mischief else {
            return match !is_own && self.guest.is_owner {
                true => rep,
                false => self.guest.table.add(rep, is_own),
            };
        };
        let known = self.guest.table.live();
        match known.last() {
            Some(last) if mischief.passes_again(is_own) => *last,
            _ => mischief.disturb_handle(self.guest.make(rep)),
        }
    }

    /// An `i32` in the lower half of the word; a guest's narrow values may have bits above.
    fn lower_scalar(&mut self, scalar: Scalar, value: &Value) -> u64 {
        let Value::Number(bits) = *value else { panic!("{value:?} is no number") };
        let bits = if scalar.bytes() < 8 { u64::from(bits as u32) } else { bits };
        match &mut self.mischief {
            Some(mischief) => mischief.disturb_scalar(scalar, bits),
            None => bits,
        }
    }

    fn lower_flags(&mut self, bits: u32, count: u32) -> u64 {
        match &mut self.mischief {
            Some(mischief) => u64::from(mischief.disturb_above(bits, count)),
            None => u64::from(bits),
        }
    }

    fn lower_discriminant(&mut self, case: u32, cases: usize, bits: u32) -> u32 {
        match &mut self.mischief {
            Some(mischief) => mischief.disturb_discriminant(case, cases as u32, bits),
            None => case,
        }
    }

    /// The upper half of a wide slot that holds a narrow value means nothing.
    fn disturb_joined(&mut self, joined: &[Core], own: &[Core], flat: &mut [u64]) {
        let Some(mischief) = &mut self.mischief else { return };
        for ((joined, own), slot) in joined.iter().zip(own).zip(flat) {
            if *joined == Core::I64 && matches!(own, Core::I32 | Core::F32) {
                *slot |= mischief.noise() << 32;
            }
        }
    }

    fn fill_unused(&mut self, core: Core) -> u64 {
        match (&mut self.mischief, core) {
            (Some(mischief), Core::I32) => u64::from(mischief.noise() as u32),
            (Some(mischief), Core::I64) => mischief.noise(),
            _ => 0,
        }
    }

    fn lower_list(&mut self, element: &Ty, values: &[Value]) -> Result<(u64, u64)> {
        let len = values.len() as u32;
        let pointers = self.guest.pointers;
        let (size, align) = (element.size(pointers), element.align(pointers));
        let bytes = len * size;
        let pointer = match &self.mischief {
            Some(_) => self.guest.place(bytes, align),
            None => self.guest.realloc(0, 0, align, bytes)?,
        };
        for (index, value) in values.iter().enumerate() {
            self.store(element, value, pointer + index as u32 * size)?;
        }
        Ok(match &mut self.mischief {
            Some(mischief) => mischief.disturb_content(pointer, len, align),
            None => (pointer.into(), len.into()),
        })
    }

    fn lower_text(&mut self, text: &Text) -> Result<(u64, u64)> {
        match &mut self.mischief {
            Some(mischief) => Ok(encode_own(self.guest, mischief, text)),
            None => store_text(self.guest, text),
        }
    }
}
