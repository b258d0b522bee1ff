//! Lifting and lowering of values that are one number.
//!
//! A lifted number is in the form that a flat value has: integers of up to 32 bits in an `i32`
//! with the bits above their width as the type's sign asks, `bool` as 0 or 1. Lifting does all the
//! checks (`CanonicalABI.md`, "Loading" and "Flat Lifting"), so lowering has none. The bits of a
//! NaN pass through.

use super::abi_layout::{discriminant_bytes, flags_bytes};
use super::copy::{Source, Target};
use super::endpoint::Place;
use super::generator::Generator;
use crate::interface::Type;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, Value, types};
use wasmelt_abi::trap::Trap;

impl Generator<'_, '_> {
    /// The value of a scalar type.
    pub(super) fn lift_scalar(&mut self, ty: &Type, from: Source<'_>) -> Value {
        let value = match from {
            Source::Flat(values) => values[0],
            Source::Memory(place) => self.load_scalar(ty, place),
        };
        match ty {
            Type::Bool => {
                let is_true = self.compare(IntCC::NotEqual, value, 0);
                self.b.ins().uextend(types::I32, is_true)
            }
            // What memory held is already in the right form.
            Type::S8 | Type::U8 | Type::S16 | Type::U16 => match from {
                Source::Flat(_) => self.cut_integer(ty, value),
                Source::Memory(_) => value,
            },
            Type::Char => {
                self.check_char(value);
                value
            }
            Type::Enum(cases) => {
                self.check_discriminant(value, cases.len());
                value
            }
            Type::Flags(labels) if labels.len() < 32 => {
                let mask = (1i64 << labels.len()) - 1;
                self.b.ins().band_imm_u(value, mask)
            }
            _ => value,
        }
    }

    /// Puts a lifted value where it goes.
    pub(super) fn lower_scalar(&mut self, ty: &Type, value: Value, to: Target) -> Vec<Value> {
        let Target::Memory(place) = to else { return vec![value] };
        let memory_type = memory_type(ty);
        let value = match self.b.func.dfg.value_type(value) {
            types::I32 if memory_type.bits() < 32 => self.b.ins().ireduce(memory_type, value),
            _ => value,
        };
        self.store(value, place);
        Vec::new()
    }

    /// The discriminant of a variant in memory.
    pub(super) fn load_discriminant(&mut self, cases: usize, place: Place) -> Value {
        let value = self.load(integer_type(discriminant_bytes(cases)), place);
        self.extend(value)
    }

    /// Stores the discriminant (an `i32`) of a variant.
    pub(super) fn store_discriminant(&mut self, cases: usize, value: Value, place: Place) {
        let ty = integer_type(discriminant_bytes(cases));
        let value = if ty == types::I32 { value } else { self.b.ins().ireduce(ty, value) };
        self.store(value, place);
    }

    /// Traps unless a discriminant (an `i32`) is that of a case.
    pub(super) fn check_discriminant(&mut self, value: Value, cases: usize) {
        let cond = IntCC::UnsignedGreaterThanOrEqual;
        self.trap_if_compare(cond, value, cases as u64, Trap::InvalidDiscriminant);
    }

    fn load_scalar(&mut self, ty: &Type, place: Place) -> Value {
        let value = self.load(memory_type(ty), place);
        match ty {
            Type::S8 | Type::S16 => self.b.ins().sextend(types::I32, value),
            _ => self.extend(value),
        }
    }

    fn extend(&mut self, value: Value) -> Value {
        match self.b.func.dfg.value_type(value) {
            types::I8 | types::I16 => self.b.ins().uextend(types::I32, value),
            _ => value,
        }
    }

    /// Drops what is above an integer's width: lifting ignores it.
    fn cut_integer(&mut self, ty: &Type, value: Value) -> Value {
        let narrow = self.b.ins().ireduce(memory_type(ty), value);
        match ty {
            Type::S8 | Type::S16 => self.b.ins().sextend(types::I32, narrow),
            _ => self.b.ins().uextend(types::I32, narrow),
        }
    }

    /// Traps unless the value is a Unicode scalar value.
    fn check_char(&mut self, value: Value) {
        // The exchange of the surrogates with what is below them leaves one range to compare with.
        let exchanged = self.b.ins().bxor_imm_u(value, 0xd800);
        let moved = self.b.ins().iadd_imm_s(exchanged, -0x800);
        let cond = IntCC::UnsignedGreaterThanOrEqual;
        self.trap_if_compare(cond, moved, 0x11_0000 - 0x800, Trap::InvalidChar);
    }
}

/// The CLIF type of a scalar's bytes in memory.
fn memory_type(ty: &Type) -> ir::Type {
    match ty {
        Type::Bool | Type::S8 | Type::U8 => types::I8,
        Type::S16 | Type::U16 => types::I16,
        Type::S32 | Type::U32 | Type::Char => types::I32,
        Type::S64 | Type::U64 => types::I64,
        Type::F32 => types::F32,
        Type::F64 => types::F64,
        Type::Enum(cases) => integer_type(discriminant_bytes(cases.len())),
        Type::Flags(labels) => integer_type(flags_bytes(labels.len())),
        other => unreachable!("{other:?} is not one number"),
    }
}

fn integer_type(bytes: u32) -> ir::Type {
    match bytes {
        1 => types::I8,
        2 => types::I16,
        _ => types::I32,
    }
}
