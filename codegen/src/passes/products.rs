//! Products of 64-bit lanes.
//!
//! x86-64 without AVX-512 has no instruction for them: it takes three multiplications of 32-bit
//! halves, with shifts and sums. Most programs that multiply such lanes want the full product of
//! two 32-bit numbers, though, because SIMD offers it in this form, and clear the upper halves
//! before (BLAKE2's relatives and the multiplying hashes do). One multiplication is enough then.
//!
//! Proof: a lane whose upper half is zero is the zero-extended lower half. The lower halves of
//! both lanes of `x` are its 32-bit lanes 0 and 2, x86-64 being little-endian; gathered into lanes
//! 0 and 1 and widened they are `x` again. So `x * y` is the product of two widened vectors, which
//! is what Cranelift has a rule for (that of `i64x2.extmul_low_i32x4_u`). A lane
//! `(x << k) & (0xffff_ffff << k)` with `k < 32` is the lower half of `x`, zero-extended and then
//! shifted, and a factor's shift can as well be the product's: both are multiplications by `2^k`
//! modulo `2^64`.
//!
//! The pass costs one look at each instruction.

use crate::memory::constant_of;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::types::{I8X16, I32, I32X4, I64X2};
use cranelift_codegen::ir::{
    self, Endianness, InstBuilder, InstructionData, MemFlagsData, Opcode, Value, ValueDef,
};
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::settings;
use target_lexicon::Architecture;

/// How many casts in a row are looked through, at most.
const CASTS_MAX: usize = 4;

/// The mask that keeps the lower halves of 64-bit lanes.
const LOWER_HALVES: u128 = 0x0000_0000_ffff_ffff_0000_0000_ffff_ffff;

/// The bytes of 32-bit lanes 0 and 2, twice.
const EVEN_LANES: [u8; 16] = [0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11];

/// Multiplies 64-bit lanes whose upper halves are zero by 32-bit multiplications.
pub fn narrow_products(isa: &dyn TargetIsa, func: &mut ir::Function) {
    let is_x64 = matches!(isa.triple().architecture, Architecture::X86_64);
    let has_product = isa
        .isa_flags()
        .iter()
        .any(|flag| flag.name == "has_avx512dq" && flag.as_bool() == Some(true));
    let is_optimised = isa.flags().opt_level() != settings::OptLevel::None;
    if !is_x64 || has_product || !is_optimised {
        return;
    }
    let mut cursor = FuncCursor::new(func);
    while cursor.next_block().is_some() {
        while let Some(inst) = cursor.next_inst() {
            let dfg = &cursor.func.dfg;
            let InstructionData::Binary { opcode: Opcode::Imul, args: [x, y] } = dfg.insts[inst]
            else {
                continue;
            };
            let is_long = dfg.value_type(x) == I64X2;
            if !is_long {
                continue;
            }
            let halves = (find_halves(cursor.func, x), find_halves(cursor.func, y));
            if let (Some((x, x_shift)), Some((y, y_shift))) = halves {
                let x = widen_even_lanes(&mut cursor, x);
                let y = widen_even_lanes(&mut cursor, y);
                match x_shift + y_shift {
                    0 => cursor.func.replace(inst).imul(x, y),
                    shift => {
                        let product = cursor.ins().imul(x, y);
                        let by = cursor.ins().iconst(I32, i64::from(shift));
                        cursor.func.replace(inst).ishl(product, by)
                    }
                };
            }
        }
    }
}

/// The lower halves of two 64-bit lanes, zero-extended.
fn widen_even_lanes(cursor: &mut FuncCursor<'_>, x: Value) -> Value {
    let flags = MemFlagsData::new().with_endianness(Endianness::Little);
    let bytes = match cursor.func.dfg.value_type(x) {
        I8X16 => x,
        _ => cursor.ins().bitcast(I8X16, flags, x),
    };
    let mask = cursor.func.dfg.immediates.push(EVEN_LANES.as_slice().into());
    let even = cursor.ins().shuffle(bytes, bytes, mask);
    let even = cursor.ins().bitcast(I32X4, flags, even);
    cursor.ins().uwiden_low(even)
}

/// Whether the upper halves of both 64-bit lanes are known to be zero.
fn is_narrow(func: &ir::Function, value: Value) -> bool {
    let value = skip_casts(func, value);
    let dfg = &func.dfg;
    let ValueDef::Result(inst, 0) = dfg.value_def(value) else { return false };
    match dfg.insts[inst] {
        InstructionData::Binary { opcode: Opcode::Band, args } => {
            args.iter().any(|arg| is_narrow_constant(func, *arg))
        }
        InstructionData::Binary { opcode: Opcode::Ushr, args } => {
            dfg.value_type(value) == I64X2
                && constant_of(func, args[1]).is_some_and(|by| by % 64 >= 32)
        }
        InstructionData::Unary { opcode: Opcode::UwidenLow | Opcode::UwidenHigh, .. } => {
            dfg.value_type(value) == I64X2
        }
        _ => is_narrow_constant(func, value),
    }
}

/// Whether a value is a vector constant whose 64-bit lanes have zeros in their upper halves.
fn is_narrow_constant(func: &ir::Function, value: Value) -> bool {
    constant_bits(func, value).is_some_and(|bits| bits & !LOWER_HALVES == 0)
}

/// A value whose lower halves, zero-extended and shifted left by the number, are the operand's
/// 64-bit lanes; `None` if it is not known that there is one.
fn find_halves(func: &ir::Function, operand: Value) -> Option<(Value, u32)> {
    let value = skip_casts(func, operand);
    if let ValueDef::Result(inst, 0) = func.dfg.value_def(value)
        && let InstructionData::Binary { opcode: Opcode::Band, args: [x, y] } = func.dfg.insts[inst]
    {
        for (masked, mask) in [(x, y), (y, x)] {
            match constant_bits(func, mask) {
                // What clears the upper halves is superfluous, because they are not looked at.
                Some(LOWER_HALVES) => return Some((masked, 0)),
                Some(mask) => {
                    if let Some((shifted, by)) = find_shift(func, masked)
                        && mask == LOWER_HALVES << by
                    {
                        return Some((shifted, by));
                    }
                }
                None => {}
            }
        }
    }
    is_narrow(func, operand).then_some((operand, 0))
}

/// What is shifted left to make the 64-bit lanes of a value, and by how many bits, if by less than
/// 32.
fn find_shift(func: &ir::Function, value: Value) -> Option<(Value, u32)> {
    let value = skip_casts(func, value);
    let ValueDef::Result(inst, 0) = func.dfg.value_def(value) else { return None };
    match func.dfg.insts[inst] {
        InstructionData::Binary { opcode: Opcode::Ishl, args: [x, by] }
            if func.dfg.value_type(x) == I64X2 =>
        {
            let by = constant_of(func, by)? % 64;
            (by < 32).then_some((x, by as u32))
        }
        _ => None,
    }
}

/// The bits of a vector constant, the first lane's in the lowest.
fn constant_bits(func: &ir::Function, value: Value) -> Option<u128> {
    let value = skip_casts(func, value);
    let ValueDef::Result(inst, 0) = func.dfg.value_def(value) else { return None };
    let InstructionData::UnaryConst { opcode: Opcode::Vconst, constant_handle } =
        func.dfg.insts[inst]
    else {
        return None;
    };
    let bytes = func.dfg.constants.get(constant_handle).as_slice();
    bytes.try_into().ok().map(u128::from_le_bytes)
}

/// Without casts from one kind of lanes to another.
fn skip_casts(func: &ir::Function, value: Value) -> Value {
    let mut value = value;
    for _ in 0..CASTS_MAX {
        let ValueDef::Result(inst, 0) = func.dfg.value_def(value) else { break };
        let InstructionData::LoadNoOffset { opcode: Opcode::Bitcast, arg, .. } =
            func.dfg.insts[inst]
        else {
            break;
        };
        value = arg;
    }
    value
}
