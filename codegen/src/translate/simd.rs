//! Vector instructions that touch no memory, relaxed ones included.
//!
//! A relaxed instruction may do one of several things; ours always does the same,
//! on every target: `docs/semantics.md` lists the choices.

use super::Translator;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32X4, F64X2, I8, I8X16, I16, I16X8, I32, I32X4, I64X2};
use cranelift_codegen::ir::{self, ConstantData, InstBuilder, Value};
use cranelift_frontend::{FuncInstBuilder, FunctionBuilder};
use wasmparser::Operator;
use wasmparser::Operator as O;

impl<'b> Translator<'_, 'b> {
    pub(super) fn translate_simd(&mut self, operator: &Operator<'_>) -> bool {
        self.translate_vector_integers(operator)
            || self.translate_vector_floats(operator)
            || self.translate_vector_comparison(operator)
            || self.translate_vector_bits(operator)
            || self.translate_lanes(operator)
            || self.translate_widening(operator)
            || self.translate_vector_conversion(operator)
            || self.translate_relaxed(operator)
    }

    fn translate_vector_integers(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            O::I8x16Add => self.vectors(I8X16, |i, x, y| i.iadd(x, y)),
            O::I16x8Add => self.vectors(I16X8, |i, x, y| i.iadd(x, y)),
            O::I32x4Add => self.vectors(I32X4, |i, x, y| i.iadd(x, y)),
            O::I64x2Add => self.vectors(I64X2, |i, x, y| i.iadd(x, y)),
            O::I8x16Sub => self.vectors(I8X16, |i, x, y| i.isub(x, y)),
            O::I16x8Sub => self.vectors(I16X8, |i, x, y| i.isub(x, y)),
            O::I32x4Sub => self.vectors(I32X4, |i, x, y| i.isub(x, y)),
            O::I64x2Sub => self.vectors(I64X2, |i, x, y| i.isub(x, y)),
            O::I16x8Mul => self.vectors(I16X8, |i, x, y| i.imul(x, y)),
            O::I32x4Mul => self.vectors(I32X4, |i, x, y| i.imul(x, y)),
            O::I64x2Mul => self.vectors(I64X2, |i, x, y| i.imul(x, y)),
            O::I8x16AddSatS => self.vectors(I8X16, |i, x, y| i.sadd_sat(x, y)),
            O::I8x16AddSatU => self.vectors(I8X16, |i, x, y| i.uadd_sat(x, y)),
            O::I16x8AddSatS => self.vectors(I16X8, |i, x, y| i.sadd_sat(x, y)),
            O::I16x8AddSatU => self.vectors(I16X8, |i, x, y| i.uadd_sat(x, y)),
            O::I8x16SubSatS => self.vectors(I8X16, |i, x, y| i.ssub_sat(x, y)),
            O::I8x16SubSatU => self.vectors(I8X16, |i, x, y| i.usub_sat(x, y)),
            O::I16x8SubSatS => self.vectors(I16X8, |i, x, y| i.ssub_sat(x, y)),
            O::I16x8SubSatU => self.vectors(I16X8, |i, x, y| i.usub_sat(x, y)),
            O::I8x16MinS => self.vectors(I8X16, |i, x, y| i.smin(x, y)),
            O::I8x16MinU => self.vectors(I8X16, |i, x, y| i.umin(x, y)),
            O::I8x16MaxS => self.vectors(I8X16, |i, x, y| i.smax(x, y)),
            O::I8x16MaxU => self.vectors(I8X16, |i, x, y| i.umax(x, y)),
            O::I16x8MinS => self.vectors(I16X8, |i, x, y| i.smin(x, y)),
            O::I16x8MinU => self.vectors(I16X8, |i, x, y| i.umin(x, y)),
            O::I16x8MaxS => self.vectors(I16X8, |i, x, y| i.smax(x, y)),
            O::I16x8MaxU => self.vectors(I16X8, |i, x, y| i.umax(x, y)),
            O::I32x4MinS => self.vectors(I32X4, |i, x, y| i.smin(x, y)),
            O::I32x4MinU => self.vectors(I32X4, |i, x, y| i.umin(x, y)),
            O::I32x4MaxS => self.vectors(I32X4, |i, x, y| i.smax(x, y)),
            O::I32x4MaxU => self.vectors(I32X4, |i, x, y| i.umax(x, y)),
            O::I8x16AvgrU => self.vectors(I8X16, |i, x, y| i.avg_round(x, y)),
            O::I16x8AvgrU => self.vectors(I16X8, |i, x, y| i.avg_round(x, y)),
            O::I16x8Q15MulrSatS => self.vectors(I16X8, |i, x, y| i.sqmul_round_sat(x, y)),
            O::I8x16Abs => self.vector(I8X16, |i, x| i.iabs(x)),
            O::I16x8Abs => self.vector(I16X8, |i, x| i.iabs(x)),
            O::I32x4Abs => self.vector(I32X4, |i, x| i.iabs(x)),
            O::I64x2Abs => self.vector(I64X2, |i, x| i.iabs(x)),
            O::I8x16Neg => self.vector(I8X16, |i, x| i.ineg(x)),
            O::I16x8Neg => self.vector(I16X8, |i, x| i.ineg(x)),
            O::I32x4Neg => self.vector(I32X4, |i, x| i.ineg(x)),
            O::I64x2Neg => self.vector(I64X2, |i, x| i.ineg(x)),
            O::I8x16Popcnt => self.vector(I8X16, |i, x| i.popcnt(x)),
            // Shift amounts count modulo the lane's width, as in the specification.
            O::I8x16Shl => self.shift(I8X16, |i, x, y| i.ishl(x, y)),
            O::I16x8Shl => self.shift(I16X8, |i, x, y| i.ishl(x, y)),
            O::I32x4Shl => self.shift(I32X4, |i, x, y| i.ishl(x, y)),
            O::I64x2Shl => self.shift(I64X2, |i, x, y| i.ishl(x, y)),
            O::I8x16ShrS => self.shift(I8X16, |i, x, y| i.sshr(x, y)),
            O::I16x8ShrS => self.shift(I16X8, |i, x, y| i.sshr(x, y)),
            O::I32x4ShrS => self.shift(I32X4, |i, x, y| i.sshr(x, y)),
            O::I64x2ShrS => self.shift(I64X2, |i, x, y| i.sshr(x, y)),
            O::I8x16ShrU => self.shift(I8X16, |i, x, y| i.ushr(x, y)),
            O::I16x8ShrU => self.shift(I16X8, |i, x, y| i.ushr(x, y)),
            O::I32x4ShrU => self.shift(I32X4, |i, x, y| i.ushr(x, y)),
            O::I64x2ShrU => self.shift(I64X2, |i, x, y| i.ushr(x, y)),
            _ => return false,
        }
        true
    }

    fn translate_vector_floats(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            O::F32x4Add => self.vectors(F32X4, |i, x, y| i.fadd(x, y)),
            O::F64x2Add => self.vectors(F64X2, |i, x, y| i.fadd(x, y)),
            O::F32x4Sub => self.vectors(F32X4, |i, x, y| i.fsub(x, y)),
            O::F64x2Sub => self.vectors(F64X2, |i, x, y| i.fsub(x, y)),
            O::F32x4Mul => self.vectors(F32X4, |i, x, y| i.fmul(x, y)),
            O::F64x2Mul => self.vectors(F64X2, |i, x, y| i.fmul(x, y)),
            O::F32x4Div => self.vectors(F32X4, |i, x, y| i.fdiv(x, y)),
            O::F64x2Div => self.vectors(F64X2, |i, x, y| i.fdiv(x, y)),
            O::F32x4Min | O::F32x4RelaxedMin => self.vectors(F32X4, |i, x, y| i.fmin(x, y)),
            O::F64x2Min | O::F64x2RelaxedMin => self.vectors(F64X2, |i, x, y| i.fmin(x, y)),
            O::F32x4Max | O::F32x4RelaxedMax => self.vectors(F32X4, |i, x, y| i.fmax(x, y)),
            O::F64x2Max | O::F64x2RelaxedMax => self.vectors(F64X2, |i, x, y| i.fmax(x, y)),
            O::F32x4PMin => self.pseudo_minimum(F32X4),
            O::F64x2PMin => self.pseudo_minimum(F64X2),
            O::F32x4PMax => self.pseudo_maximum(F32X4),
            O::F64x2PMax => self.pseudo_maximum(F64X2),
            O::F32x4Abs => self.vector(F32X4, |i, x| i.fabs(x)),
            O::F64x2Abs => self.vector(F64X2, |i, x| i.fabs(x)),
            O::F32x4Neg => self.vector(F32X4, |i, x| i.fneg(x)),
            O::F64x2Neg => self.vector(F64X2, |i, x| i.fneg(x)),
            O::F32x4Sqrt => self.vector(F32X4, |i, x| i.sqrt(x)),
            O::F64x2Sqrt => self.vector(F64X2, |i, x| i.sqrt(x)),
            O::F32x4Ceil => self.vector(F32X4, |i, x| i.ceil(x)),
            O::F64x2Ceil => self.vector(F64X2, |i, x| i.ceil(x)),
            O::F32x4Floor => self.vector(F32X4, |i, x| i.floor(x)),
            O::F64x2Floor => self.vector(F64X2, |i, x| i.floor(x)),
            O::F32x4Trunc => self.vector(F32X4, |i, x| i.trunc(x)),
            O::F64x2Trunc => self.vector(F64X2, |i, x| i.trunc(x)),
            O::F32x4Nearest => self.vector(F32X4, |i, x| i.nearest(x)),
            O::F64x2Nearest => self.vector(F64X2, |i, x| i.nearest(x)),
            _ => return false,
        }
        true
    }

    fn translate_vector_comparison(&mut self, operator: &Operator<'_>) -> bool {
        use IntCC::{
            Equal, NotEqual, SignedGreaterThan, SignedGreaterThanOrEqual, SignedLessThan,
            SignedLessThanOrEqual, UnsignedGreaterThan, UnsignedGreaterThanOrEqual,
            UnsignedLessThan, UnsignedLessThanOrEqual,
        };
        match operator {
            O::I8x16Eq => self.compare_lanes(I8X16, Equal),
            O::I16x8Eq => self.compare_lanes(I16X8, Equal),
            O::I32x4Eq => self.compare_lanes(I32X4, Equal),
            O::I64x2Eq => self.compare_lanes(I64X2, Equal),
            O::I8x16Ne => self.compare_lanes(I8X16, NotEqual),
            O::I16x8Ne => self.compare_lanes(I16X8, NotEqual),
            O::I32x4Ne => self.compare_lanes(I32X4, NotEqual),
            O::I64x2Ne => self.compare_lanes(I64X2, NotEqual),
            O::I8x16LtS => self.compare_lanes(I8X16, SignedLessThan),
            O::I16x8LtS => self.compare_lanes(I16X8, SignedLessThan),
            O::I32x4LtS => self.compare_lanes(I32X4, SignedLessThan),
            O::I64x2LtS => self.compare_lanes(I64X2, SignedLessThan),
            O::I8x16LtU => self.compare_lanes(I8X16, UnsignedLessThan),
            O::I16x8LtU => self.compare_lanes(I16X8, UnsignedLessThan),
            O::I32x4LtU => self.compare_lanes(I32X4, UnsignedLessThan),
            O::I8x16GtS => self.compare_lanes(I8X16, SignedGreaterThan),
            O::I16x8GtS => self.compare_lanes(I16X8, SignedGreaterThan),
            O::I32x4GtS => self.compare_lanes(I32X4, SignedGreaterThan),
            O::I64x2GtS => self.compare_lanes(I64X2, SignedGreaterThan),
            O::I8x16GtU => self.compare_lanes(I8X16, UnsignedGreaterThan),
            O::I16x8GtU => self.compare_lanes(I16X8, UnsignedGreaterThan),
            O::I32x4GtU => self.compare_lanes(I32X4, UnsignedGreaterThan),
            O::I8x16LeS => self.compare_lanes(I8X16, SignedLessThanOrEqual),
            O::I16x8LeS => self.compare_lanes(I16X8, SignedLessThanOrEqual),
            O::I32x4LeS => self.compare_lanes(I32X4, SignedLessThanOrEqual),
            O::I64x2LeS => self.compare_lanes(I64X2, SignedLessThanOrEqual),
            O::I8x16LeU => self.compare_lanes(I8X16, UnsignedLessThanOrEqual),
            O::I16x8LeU => self.compare_lanes(I16X8, UnsignedLessThanOrEqual),
            O::I32x4LeU => self.compare_lanes(I32X4, UnsignedLessThanOrEqual),
            O::I8x16GeS => self.compare_lanes(I8X16, SignedGreaterThanOrEqual),
            O::I16x8GeS => self.compare_lanes(I16X8, SignedGreaterThanOrEqual),
            O::I32x4GeS => self.compare_lanes(I32X4, SignedGreaterThanOrEqual),
            O::I64x2GeS => self.compare_lanes(I64X2, SignedGreaterThanOrEqual),
            O::I8x16GeU => self.compare_lanes(I8X16, UnsignedGreaterThanOrEqual),
            O::I16x8GeU => self.compare_lanes(I16X8, UnsignedGreaterThanOrEqual),
            O::I32x4GeU => self.compare_lanes(I32X4, UnsignedGreaterThanOrEqual),
            O::F32x4Eq => self.compare_float_lanes(F32X4, FloatCC::Equal),
            O::F64x2Eq => self.compare_float_lanes(F64X2, FloatCC::Equal),
            O::F32x4Ne => self.compare_float_lanes(F32X4, FloatCC::NotEqual),
            O::F64x2Ne => self.compare_float_lanes(F64X2, FloatCC::NotEqual),
            O::F32x4Lt => self.compare_float_lanes(F32X4, FloatCC::LessThan),
            O::F64x2Lt => self.compare_float_lanes(F64X2, FloatCC::LessThan),
            O::F32x4Gt => self.compare_float_lanes(F32X4, FloatCC::GreaterThan),
            O::F64x2Gt => self.compare_float_lanes(F64X2, FloatCC::GreaterThan),
            O::F32x4Le => self.compare_float_lanes(F32X4, FloatCC::LessThanOrEqual),
            O::F64x2Le => self.compare_float_lanes(F64X2, FloatCC::LessThanOrEqual),
            O::F32x4Ge => self.compare_float_lanes(F32X4, FloatCC::GreaterThanOrEqual),
            O::F64x2Ge => self.compare_float_lanes(F64X2, FloatCC::GreaterThanOrEqual),
            _ => return false,
        }
        true
    }

    /// Instructions on all 128 bits, and those that make a number of a vector.
    fn translate_vector_bits(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            O::V128Not => self.vector(I8X16, |i, x| i.bnot(x)),
            O::V128And => self.vectors(I8X16, |i, x, y| i.band(x, y)),
            O::V128AndNot => self.vectors(I8X16, |i, x, y| i.band_not(x, y)),
            O::V128Or => self.vectors(I8X16, |i, x, y| i.bor(x, y)),
            O::V128Xor => self.vectors(I8X16, |i, x, y| i.bxor(x, y)),
            // A relaxed lane select looks at every bit of the mask.
            O::V128Bitselect
            | O::I8x16RelaxedLaneselect
            | O::I16x8RelaxedLaneselect
            | O::I32x4RelaxedLaneselect
            | O::I64x2RelaxedLaneselect => {
                let mask = self.pop_vector(I8X16);
                self.vectors(I8X16, |i, x, y| i.bitselect(mask, x, y));
            }
            O::V128AnyTrue => self.test(I8X16, |i, x| i.vany_true(x)),
            O::I8x16AllTrue => self.test(I8X16, |i, x| i.vall_true(x)),
            O::I16x8AllTrue => self.test(I16X8, |i, x| i.vall_true(x)),
            O::I32x4AllTrue => self.test(I32X4, |i, x| i.vall_true(x)),
            O::I64x2AllTrue => self.test(I64X2, |i, x| i.vall_true(x)),
            O::I8x16Bitmask => self.vector(I8X16, |i, x| i.vhigh_bits(I32, x)),
            O::I16x8Bitmask => self.vector(I16X8, |i, x| i.vhigh_bits(I32, x)),
            O::I32x4Bitmask => self.vector(I32X4, |i, x| i.vhigh_bits(I32, x)),
            O::I64x2Bitmask => self.vector(I64X2, |i, x| i.vhigh_bits(I32, x)),
            _ => return false,
        }
        true
    }

    fn translate_lanes(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            O::I8x16Splat => {
                self.unary(|i, x| i.ireduce(I8, x));
                self.splat(I8X16);
            }
            O::I16x8Splat => {
                self.unary(|i, x| i.ireduce(I16, x));
                self.splat(I16X8);
            }
            O::I32x4Splat => self.splat(I32X4),
            O::I64x2Splat => self.splat(I64X2),
            O::F32x4Splat => self.splat(F32X4),
            O::F64x2Splat => self.splat(F64X2),
            O::I8x16ExtractLaneS { lane } => {
                self.vector(I8X16, |i, x| i.extractlane(x, *lane));
                self.unary(|i, x| i.sextend(I32, x));
            }
            O::I8x16ExtractLaneU { lane } => {
                self.vector(I8X16, |i, x| i.extractlane(x, *lane));
                self.unary(|i, x| i.uextend(I32, x));
            }
            O::I16x8ExtractLaneS { lane } => {
                self.vector(I16X8, |i, x| i.extractlane(x, *lane));
                self.unary(|i, x| i.sextend(I32, x));
            }
            O::I16x8ExtractLaneU { lane } => {
                self.vector(I16X8, |i, x| i.extractlane(x, *lane));
                self.unary(|i, x| i.uextend(I32, x));
            }
            O::I32x4ExtractLane { lane } => self.vector(I32X4, |i, x| i.extractlane(x, *lane)),
            O::I64x2ExtractLane { lane } => self.vector(I64X2, |i, x| i.extractlane(x, *lane)),
            O::F32x4ExtractLane { lane } => self.vector(F32X4, |i, x| i.extractlane(x, *lane)),
            O::F64x2ExtractLane { lane } => self.vector(F64X2, |i, x| i.extractlane(x, *lane)),
            O::I8x16ReplaceLane { lane } => {
                self.unary(|i, x| i.ireduce(I8, x));
                self.replace_lane(I8X16, *lane);
            }
            O::I16x8ReplaceLane { lane } => {
                self.unary(|i, x| i.ireduce(I16, x));
                self.replace_lane(I16X8, *lane);
            }
            O::I32x4ReplaceLane { lane } => self.replace_lane(I32X4, *lane),
            O::I64x2ReplaceLane { lane } => self.replace_lane(I64X2, *lane),
            O::F32x4ReplaceLane { lane } => self.replace_lane(F32X4, *lane),
            O::F64x2ReplaceLane { lane } => self.replace_lane(F64X2, *lane),
            O::I8x16Shuffle { lanes } => {
                let lanes = ConstantData::from(&lanes[..]);
                let lanes = self.b.func.dfg.immediates.push(lanes);
                self.vectors(I8X16, |i, x, y| i.shuffle(x, y, lanes));
            }
            // An index beyond the last lane yields 0 in the relaxed form too.
            O::I8x16Swizzle | O::I8x16RelaxedSwizzle => {
                self.vectors(I8X16, |i, x, y| i.swizzle(x, y));
            }
            _ => return false,
        }
        true
    }

    /// Instructions whose lanes become wider or narrower.
    fn translate_widening(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            O::I8x16NarrowI16x8S => self.vectors(I16X8, |i, x, y| i.snarrow(x, y)),
            O::I8x16NarrowI16x8U => self.vectors(I16X8, |i, x, y| i.unarrow(x, y)),
            O::I16x8NarrowI32x4S => self.vectors(I32X4, |i, x, y| i.snarrow(x, y)),
            O::I16x8NarrowI32x4U => self.vectors(I32X4, |i, x, y| i.unarrow(x, y)),
            O::I16x8ExtendLowI8x16S => self.vector(I8X16, |i, x| i.swiden_low(x)),
            O::I16x8ExtendHighI8x16S => self.vector(I8X16, |i, x| i.swiden_high(x)),
            O::I16x8ExtendLowI8x16U => self.vector(I8X16, |i, x| i.uwiden_low(x)),
            O::I16x8ExtendHighI8x16U => self.vector(I8X16, |i, x| i.uwiden_high(x)),
            O::I32x4ExtendLowI16x8S => self.vector(I16X8, |i, x| i.swiden_low(x)),
            O::I32x4ExtendHighI16x8S => self.vector(I16X8, |i, x| i.swiden_high(x)),
            O::I32x4ExtendLowI16x8U => self.vector(I16X8, |i, x| i.uwiden_low(x)),
            O::I32x4ExtendHighI16x8U => self.vector(I16X8, |i, x| i.uwiden_high(x)),
            O::I64x2ExtendLowI32x4S => self.vector(I32X4, |i, x| i.swiden_low(x)),
            O::I64x2ExtendHighI32x4S => self.vector(I32X4, |i, x| i.swiden_high(x)),
            O::I64x2ExtendLowI32x4U => self.vector(I32X4, |i, x| i.uwiden_low(x)),
            O::I64x2ExtendHighI32x4U => self.vector(I32X4, |i, x| i.uwiden_high(x)),
            O::I16x8ExtMulLowI8x16S => self.multiply_widened(I8X16, swiden_low),
            O::I16x8ExtMulHighI8x16S => self.multiply_widened(I8X16, swiden_high),
            O::I16x8ExtMulLowI8x16U => self.multiply_widened(I8X16, uwiden_low),
            O::I16x8ExtMulHighI8x16U => self.multiply_widened(I8X16, uwiden_high),
            O::I32x4ExtMulLowI16x8S => self.multiply_widened(I16X8, swiden_low),
            O::I32x4ExtMulHighI16x8S => self.multiply_widened(I16X8, swiden_high),
            O::I32x4ExtMulLowI16x8U => self.multiply_widened(I16X8, uwiden_low),
            O::I32x4ExtMulHighI16x8U => self.multiply_widened(I16X8, uwiden_high),
            O::I64x2ExtMulLowI32x4S => self.multiply_widened(I32X4, swiden_low),
            O::I64x2ExtMulHighI32x4S => self.multiply_widened(I32X4, swiden_high),
            O::I64x2ExtMulLowI32x4U => self.multiply_widened(I32X4, uwiden_low),
            O::I64x2ExtMulHighI32x4U => self.multiply_widened(I32X4, uwiden_high),
            O::I16x8ExtAddPairwiseI8x16S => self.add_pairs(I8X16, swiden_low, swiden_high),
            O::I16x8ExtAddPairwiseI8x16U => self.add_pairs(I8X16, uwiden_low, uwiden_high),
            O::I32x4ExtAddPairwiseI16x8S => self.add_pairs(I16X8, swiden_low, swiden_high),
            O::I32x4ExtAddPairwiseI16x8U => self.add_pairs(I16X8, uwiden_low, uwiden_high),
            O::I32x4DotI16x8S => self.dot_product(I16X8),
            _ => return false,
        }
        true
    }

    fn translate_vector_conversion(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            O::I32x4TruncSatF32x4S | O::I32x4RelaxedTruncF32x4S => {
                self.vector(F32X4, |i, x| i.fcvt_to_sint_sat(I32X4, x));
            }
            O::I32x4TruncSatF32x4U | O::I32x4RelaxedTruncF32x4U => {
                self.vector(F32X4, |i, x| i.fcvt_to_uint_sat(I32X4, x));
            }
            O::I32x4TruncSatF64x2SZero | O::I32x4RelaxedTruncF64x2SZero => {
                self.vector(F64X2, |i, x| i.fcvt_to_sint_sat(I64X2, x));
                let zero = self.zero_vector(I64X2);
                self.unary(|i, x| i.snarrow(x, zero));
            }
            O::I32x4TruncSatF64x2UZero | O::I32x4RelaxedTruncF64x2UZero => {
                self.vector(F64X2, |i, x| i.fcvt_to_uint_sat(I64X2, x));
                let zero = self.zero_vector(I64X2);
                self.unary(|i, x| i.uunarrow(x, zero));
            }
            O::F32x4ConvertI32x4S => self.vector(I32X4, |i, x| i.fcvt_from_sint(F32X4, x)),
            O::F32x4ConvertI32x4U => self.vector(I32X4, |i, x| i.fcvt_from_uint(F32X4, x)),
            O::F64x2ConvertLowI32x4S => {
                self.vector(I32X4, |i, x| i.swiden_low(x));
                self.unary(|i, x| i.fcvt_from_sint(F64X2, x));
            }
            O::F64x2ConvertLowI32x4U => {
                self.vector(I32X4, |i, x| i.uwiden_low(x));
                self.unary(|i, x| i.fcvt_from_uint(F64X2, x));
            }
            O::F32x4DemoteF64x2Zero => self.vector(F64X2, |i, x| i.fvdemote(x)),
            O::F64x2PromoteLowF32x4 => self.vector(F32X4, |i, x| i.fvpromote_low(x)),
            _ => return false,
        }
        true
    }

    /// The relaxed instructions that are not the same as a strict one.
    fn translate_relaxed(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            O::F32x4RelaxedMadd => self.multiply_add(F32X4, false),
            O::F64x2RelaxedMadd => self.multiply_add(F64X2, false),
            O::F32x4RelaxedNmadd => self.multiply_add(F32X4, true),
            O::F64x2RelaxedNmadd => self.multiply_add(F64X2, true),
            O::I16x8RelaxedQ15mulrS => self.vectors(I16X8, |i, x, y| i.sqmul_round_sat(x, y)),
            O::I16x8RelaxedDotI8x16I7x16S => self.dot_product(I8X16),
            O::I32x4RelaxedDotI8x16I7x16AddS => {
                let sum = self.pop_vector(I32X4);
                self.dot_product(I8X16);
                self.add_pairs(I16X8, swiden_low, swiden_high);
                self.unary(|i, x| i.iadd(x, sum));
            }
            _ => return false,
        }
        true
    }

    /// Replaces a vector by what is made from it.
    fn vector(&mut self, ty: ir::Type, make: impl FnOnce(FuncInstBuilder<'_, 'b>, Value) -> Value) {
        let x = self.pop_vector(ty);
        let value = make(self.b.ins(), x);
        self.push(value);
    }

    /// Replaces two vectors by what is made from them.
    fn vectors(
        &mut self,
        ty: ir::Type,
        make: impl FnOnce(FuncInstBuilder<'_, 'b>, Value, Value) -> Value,
    ) {
        let y = self.pop_vector(ty);
        let x = self.pop_vector(ty);
        let value = make(self.b.ins(), x, y);
        self.push(value);
    }

    /// Replaces a vector and a scalar amount by what is made from them.
    fn shift(
        &mut self,
        ty: ir::Type,
        make: impl FnOnce(FuncInstBuilder<'_, 'b>, Value, Value) -> Value,
    ) {
        let amount = self.pop();
        let x = self.pop_vector(ty);
        let value = make(self.b.ins(), x, amount);
        self.push(value);
    }

    /// Replaces a vector by a truth value.
    fn test(&mut self, ty: ir::Type, make: impl FnOnce(FuncInstBuilder<'_, 'b>, Value) -> Value) {
        let x = self.pop_vector(ty);
        let value = make(self.b.ins(), x);
        self.push_bool(value);
    }

    fn compare_lanes(&mut self, ty: ir::Type, condition: IntCC) {
        self.vectors(ty, |i, x, y| i.icmp(condition, x, y));
    }

    fn compare_float_lanes(&mut self, ty: ir::Type, condition: FloatCC) {
        self.vectors(ty, |i, x, y| i.fcmp(condition, x, y));
    }

    pub(super) fn splat(&mut self, ty: ir::Type) {
        self.unary(|i, x| i.splat(ty, x));
    }

    fn replace_lane(&mut self, ty: ir::Type, lane: u8) {
        let value = self.pop();
        self.vector(ty, |i, x| i.insertlane(x, value, lane));
    }

    fn zero_vector(&mut self, ty: ir::Type) -> Value {
        let zeros = self.b.func.dfg.constants.insert(ConstantData::from(&[0u8; 16][..]));
        self.b.ins().vconst(ty, zeros)
    }

    /// `y < x ? y : x` in each lane, so that NaN and the sign of zero come from the operands.
    fn pseudo_minimum(&mut self, ty: ir::Type) {
        let y = self.pop_vector(ty);
        let x = self.pop_vector(ty);
        let is_less = self.b.ins().fcmp(FloatCC::LessThan, y, x);
        self.select_lanes(is_less, y, x, ty);
    }

    /// `x < y ? y : x` in each lane.
    fn pseudo_maximum(&mut self, ty: ir::Type) {
        let y = self.pop_vector(ty);
        let x = self.pop_vector(ty);
        let is_less = self.b.ins().fcmp(FloatCC::LessThan, x, y);
        self.select_lanes(is_less, y, x, ty);
    }

    fn select_lanes(&mut self, mask: Value, x: Value, y: Value, ty: ir::Type) {
        let mask = self.cast_vector(mask, ty);
        let value = self.b.ins().bitselect(mask, x, y);
        self.push(value);
    }

    fn multiply_widened(&mut self, ty: ir::Type, widen: Widen) {
        let y = self.pop_vector(ty);
        let x = self.pop_vector(ty);
        let x = widen(&mut self.b, x);
        let y = widen(&mut self.b, y);
        let value = self.b.ins().imul(x, y);
        self.push(value);
    }

    fn add_pairs(&mut self, ty: ir::Type, low: Widen, high: Widen) {
        let x = self.pop_vector(ty);
        let low = low(&mut self.b, x);
        let high = high(&mut self.b, x);
        let value = self.b.ins().iadd_pairwise(low, high);
        self.push(value);
    }

    /// The sums of neighbouring products of signed lanes, in lanes of double width.
    fn dot_product(&mut self, ty: ir::Type) {
        let y = self.pop_vector(ty);
        let x = self.pop_vector(ty);
        let mut product = |widen: Widen| {
            let x = widen(&mut self.b, x);
            let y = widen(&mut self.b, y);
            self.b.ins().imul(x, y)
        };
        let low = product(swiden_low);
        let high = product(swiden_high);
        let value = self.b.ins().iadd_pairwise(low, high);
        self.push(value);
    }

    /// `x * y + z`, or `z - x * y`, rounded after each step.
    fn multiply_add(&mut self, ty: ir::Type, negate: bool) {
        let z = self.pop_vector(ty);
        let y = self.pop_vector(ty);
        let x = self.pop_vector(ty);
        let product = self.b.ins().fmul(x, y);
        let value = match negate {
            false => self.b.ins().fadd(product, z),
            true => self.b.ins().fsub(z, product),
        };
        self.push(value);
    }
}

/// One of the four ways to widen half of a vector's lanes.
type Widen = fn(&mut FunctionBuilder<'_>, Value) -> Value;

fn swiden_low(b: &mut FunctionBuilder<'_>, x: Value) -> Value {
    b.ins().swiden_low(x)
}

fn swiden_high(b: &mut FunctionBuilder<'_>, x: Value) -> Value {
    b.ins().swiden_high(x)
}

fn uwiden_low(b: &mut FunctionBuilder<'_>, x: Value) -> Value {
    b.ins().uwiden_low(x)
}

fn uwiden_high(b: &mut FunctionBuilder<'_>, x: Value) -> Value {
    b.ins().uwiden_high(x)
}
