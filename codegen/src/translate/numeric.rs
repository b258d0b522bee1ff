//! Scalar arithmetic, comparisons and conversions.
//!
//! Division and truncation trap by themselves: Cranelift's instructions carry the
//! trap codes that the specification's traps map to. Floating-point instructions
//! have the specification's semantics as they are (NaN from NaN, -0 below +0).

use super::Translator;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, Value, types};
use wasmparser::Operator;
use wasmparser::Operator as O;

impl Translator<'_, '_> {
    pub(super) fn translate_numeric(&mut self, operator: &Operator<'_>) -> bool {
        self.translate_integer(operator)
            || self.translate_comparison(operator)
            || self.translate_float(operator)
            || self.translate_conversion(operator)
            || self.translate_wide(operator)
    }

    fn translate_integer(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            O::I32Add | O::I64Add => self.binary(|i, x, y| i.iadd(x, y)),
            O::I32Sub | O::I64Sub => self.binary(|i, x, y| i.isub(x, y)),
            O::I32Mul | O::I64Mul => self.binary(|i, x, y| i.imul(x, y)),
            O::I32DivS | O::I64DivS => self.binary(|i, x, y| i.sdiv(x, y)),
            O::I32DivU | O::I64DivU => self.binary(|i, x, y| i.udiv(x, y)),
            O::I32RemS | O::I64RemS => self.binary(|i, x, y| i.srem(x, y)),
            O::I32RemU | O::I64RemU => self.binary(|i, x, y| i.urem(x, y)),
            O::I32And | O::I64And => self.binary(|i, x, y| i.band(x, y)),
            O::I32Or | O::I64Or => self.binary(|i, x, y| i.bor(x, y)),
            O::I32Xor | O::I64Xor => self.binary(|i, x, y| i.bxor(x, y)),
            // Shift and rotation amounts count modulo the width, as in the specification.
            O::I32Shl | O::I64Shl => self.binary(|i, x, y| i.ishl(x, y)),
            O::I32ShrS | O::I64ShrS => self.binary(|i, x, y| i.sshr(x, y)),
            O::I32ShrU | O::I64ShrU => self.binary(|i, x, y| i.ushr(x, y)),
            O::I32Rotl | O::I64Rotl => self.binary(|i, x, y| i.rotl(x, y)),
            O::I32Rotr | O::I64Rotr => self.binary(|i, x, y| i.rotr(x, y)),
            O::I32Clz | O::I64Clz => self.unary(|i, x| i.clz(x)),
            O::I32Ctz | O::I64Ctz => self.unary(|i, x| i.ctz(x)),
            O::I32Popcnt | O::I64Popcnt => self.unary(|i, x| i.popcnt(x)),
            _ => return false,
        }
        true
    }

    fn translate_comparison(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            O::I32Eqz | O::I64Eqz => {
                let x = self.pop();
                let is_zero = self.b.ins().icmp_imm_s(IntCC::Equal, x, 0);
                self.push_bool(is_zero);
            }
            O::I32Eq | O::I64Eq => self.compare(IntCC::Equal),
            O::I32Ne | O::I64Ne => self.compare(IntCC::NotEqual),
            O::I32LtS | O::I64LtS => self.compare(IntCC::SignedLessThan),
            O::I32LtU | O::I64LtU => self.compare(IntCC::UnsignedLessThan),
            O::I32GtS | O::I64GtS => self.compare(IntCC::SignedGreaterThan),
            O::I32GtU | O::I64GtU => self.compare(IntCC::UnsignedGreaterThan),
            O::I32LeS | O::I64LeS => self.compare(IntCC::SignedLessThanOrEqual),
            O::I32LeU | O::I64LeU => self.compare(IntCC::UnsignedLessThanOrEqual),
            O::I32GeS | O::I64GeS => self.compare(IntCC::SignedGreaterThanOrEqual),
            O::I32GeU | O::I64GeU => self.compare(IntCC::UnsignedGreaterThanOrEqual),
            O::F32Eq | O::F64Eq => self.compare_floats(FloatCC::Equal),
            O::F32Ne | O::F64Ne => self.compare_floats(FloatCC::NotEqual),
            O::F32Lt | O::F64Lt => self.compare_floats(FloatCC::LessThan),
            O::F32Gt | O::F64Gt => self.compare_floats(FloatCC::GreaterThan),
            O::F32Le | O::F64Le => self.compare_floats(FloatCC::LessThanOrEqual),
            O::F32Ge | O::F64Ge => self.compare_floats(FloatCC::GreaterThanOrEqual),
            _ => return false,
        }
        true
    }

    fn translate_float(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            O::F32Add | O::F64Add => self.binary(|i, x, y| i.fadd(x, y)),
            O::F32Sub | O::F64Sub => self.binary(|i, x, y| i.fsub(x, y)),
            O::F32Mul | O::F64Mul => self.binary(|i, x, y| i.fmul(x, y)),
            O::F32Div | O::F64Div => self.binary(|i, x, y| i.fdiv(x, y)),
            O::F32Min | O::F64Min => self.binary(|i, x, y| i.fmin(x, y)),
            O::F32Max | O::F64Max => self.binary(|i, x, y| i.fmax(x, y)),
            O::F32Copysign | O::F64Copysign => self.binary(|i, x, y| i.fcopysign(x, y)),
            O::F32Abs | O::F64Abs => self.unary(|i, x| i.fabs(x)),
            O::F32Neg | O::F64Neg => self.unary(|i, x| i.fneg(x)),
            O::F32Ceil | O::F64Ceil => self.unary(|i, x| i.ceil(x)),
            O::F32Floor | O::F64Floor => self.unary(|i, x| i.floor(x)),
            O::F32Trunc | O::F64Trunc => self.unary(|i, x| i.trunc(x)),
            O::F32Nearest | O::F64Nearest => self.unary(|i, x| i.nearest(x)),
            O::F32Sqrt | O::F64Sqrt => self.unary(|i, x| i.sqrt(x)),
            _ => return false,
        }
        true
    }

    fn translate_conversion(&mut self, operator: &Operator<'_>) -> bool {
        use types::{F32, F64, I32, I64};
        match operator {
            O::I32WrapI64 => self.unary(|i, x| i.ireduce(I32, x)),
            O::I64ExtendI32S => self.unary(|i, x| i.sextend(I64, x)),
            O::I64ExtendI32U => self.unary(|i, x| i.uextend(I64, x)),
            O::I32Extend8S => self.extend_low(types::I8, I32),
            O::I32Extend16S => self.extend_low(types::I16, I32),
            O::I64Extend8S => self.extend_low(types::I8, I64),
            O::I64Extend16S => self.extend_low(types::I16, I64),
            O::I64Extend32S => self.extend_low(I32, I64),
            O::I32TruncF32S | O::I32TruncF64S => self.unary(|i, x| i.fcvt_to_sint(I32, x)),
            O::I32TruncF32U | O::I32TruncF64U => self.unary(|i, x| i.fcvt_to_uint(I32, x)),
            O::I64TruncF32S | O::I64TruncF64S => self.unary(|i, x| i.fcvt_to_sint(I64, x)),
            O::I64TruncF32U | O::I64TruncF64U => self.unary(|i, x| i.fcvt_to_uint(I64, x)),
            O::I32TruncSatF32S | O::I32TruncSatF64S => {
                self.unary(|i, x| i.fcvt_to_sint_sat(I32, x));
            }
            O::I32TruncSatF32U | O::I32TruncSatF64U => {
                self.unary(|i, x| i.fcvt_to_uint_sat(I32, x));
            }
            O::I64TruncSatF32S | O::I64TruncSatF64S => {
                self.unary(|i, x| i.fcvt_to_sint_sat(I64, x));
            }
            O::I64TruncSatF32U | O::I64TruncSatF64U => {
                self.unary(|i, x| i.fcvt_to_uint_sat(I64, x));
            }
            O::F32ConvertI32S | O::F32ConvertI64S => self.unary(|i, x| i.fcvt_from_sint(F32, x)),
            O::F32ConvertI32U | O::F32ConvertI64U => self.unary(|i, x| i.fcvt_from_uint(F32, x)),
            O::F64ConvertI32S | O::F64ConvertI64S => self.unary(|i, x| i.fcvt_from_sint(F64, x)),
            O::F64ConvertI32U | O::F64ConvertI64U => self.unary(|i, x| i.fcvt_from_uint(F64, x)),
            O::F32DemoteF64 => self.unary(|i, x| i.fdemote(F32, x)),
            O::F64PromoteF32 => self.unary(|i, x| i.fpromote(F64, x)),
            O::I32ReinterpretF32 => self.unary(|i, x| i.bitcast(I32, MemFlagsData::new(), x)),
            O::I64ReinterpretF64 => self.unary(|i, x| i.bitcast(I64, MemFlagsData::new(), x)),
            O::F32ReinterpretI32 => self.unary(|i, x| i.bitcast(F32, MemFlagsData::new(), x)),
            O::F64ReinterpretI64 => self.unary(|i, x| i.bitcast(F64, MemFlagsData::new(), x)),
            _ => return false,
        }
        true
    }

    /// Arithmetic on 128 bits in two halves, the low one first.
    fn translate_wide(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            O::I64Add128 => self.wide_binary(|i, x, y| i.iadd(x, y)),
            O::I64Sub128 => self.wide_binary(|i, x, y| i.isub(x, y)),
            O::I64MulWideS => self.wide_multiply(|i, x, y| i.smulhi(x, y)),
            O::I64MulWideU => self.wide_multiply(|i, x, y| i.umulhi(x, y)),
            _ => return false,
        }
        true
    }

    fn compare(&mut self, condition: IntCC) {
        let y = self.pop();
        let x = self.pop();
        let holds = self.b.ins().icmp(condition, x, y);
        self.push_bool(holds);
    }

    fn compare_floats(&mut self, condition: FloatCC) {
        let y = self.pop();
        let x = self.pop();
        let holds = self.b.ins().fcmp(condition, x, y);
        self.push_bool(holds);
    }

    /// Extends the sign of an operand's low bits over the whole.
    fn extend_low(&mut self, from: ir::Type, to: ir::Type) {
        let x = self.pop();
        let low = self.b.ins().ireduce(from, x);
        let value = self.b.ins().sextend(to, low);
        self.push(value);
    }

    fn wide_binary(
        &mut self,
        make: impl FnOnce(cranelift_frontend::FuncInstBuilder<'_, '_>, Value, Value) -> Value,
    ) {
        let y_high = self.pop();
        let y_low = self.pop();
        let x_high = self.pop();
        let x_low = self.pop();
        let x = self.b.ins().iconcat(x_low, x_high);
        let y = self.b.ins().iconcat(y_low, y_high);
        let value = make(self.b.ins(), x, y);
        let (low, high) = self.b.ins().isplit(value);
        self.push(low);
        self.push(high);
    }

    fn wide_multiply(
        &mut self,
        high_half: impl FnOnce(cranelift_frontend::FuncInstBuilder<'_, '_>, Value, Value) -> Value,
    ) {
        let y = self.pop();
        let x = self.pop();
        let low = self.b.ins().imul(x, y);
        let high = high_half(self.b.ins(), x, y);
        self.push(low);
        self.push(high);
    }
}
