//! Vector loads and stores.

use super::Translator;
use cranelift_codegen::ir::types::{I8X16, I16X8, I32X4, I64X2};
use cranelift_codegen::ir::{self, InstBuilder};
use wasmparser::Operator as O;
use wasmparser::{MemArg, Operator};

impl Translator<'_, '_> {
    pub(super) fn translate_simd_memory(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            O::V128Load { memarg } => self.load(memarg, 16, |i, f, p, o| i.load(I8X16, f, p, o)),
            O::V128Store { memarg } => {
                // The lane type does not matter: the bytes are the same.
                let value = self.pop_plain();
                self.store_value(memarg, 16, value, |i, f, x, p, o| i.store(f, x, p, o));
            }
            O::V128Load8x8S { memarg } => self.load(memarg, 8, |i, f, p, o| i.sload8x8(f, p, o)),
            O::V128Load8x8U { memarg } => self.load(memarg, 8, |i, f, p, o| i.uload8x8(f, p, o)),
            O::V128Load16x4S { memarg } => {
                self.load(memarg, 8, |i, f, p, o| i.sload16x4(f, p, o));
            }
            O::V128Load16x4U { memarg } => {
                self.load(memarg, 8, |i, f, p, o| i.uload16x4(f, p, o));
            }
            O::V128Load32x2S { memarg } => {
                self.load(memarg, 8, |i, f, p, o| i.sload32x2(f, p, o));
            }
            O::V128Load32x2U { memarg } => {
                self.load(memarg, 8, |i, f, p, o| i.uload32x2(f, p, o));
            }
            O::V128Load8Splat { memarg } => self.load_splat(memarg, I8X16),
            O::V128Load16Splat { memarg } => self.load_splat(memarg, I16X8),
            O::V128Load32Splat { memarg } => self.load_splat(memarg, I32X4),
            O::V128Load64Splat { memarg } => self.load_splat(memarg, I64X2),
            O::V128Load32Zero { memarg } => self.load_zero(memarg, I32X4),
            O::V128Load64Zero { memarg } => self.load_zero(memarg, I64X2),
            O::V128Load8Lane { memarg, lane } => self.load_lane(memarg, I8X16, *lane),
            O::V128Load16Lane { memarg, lane } => self.load_lane(memarg, I16X8, *lane),
            O::V128Load32Lane { memarg, lane } => self.load_lane(memarg, I32X4, *lane),
            O::V128Load64Lane { memarg, lane } => self.load_lane(memarg, I64X2, *lane),
            O::V128Store8Lane { memarg, lane } => self.store_lane(memarg, I8X16, *lane),
            O::V128Store16Lane { memarg, lane } => self.store_lane(memarg, I16X8, *lane),
            O::V128Store32Lane { memarg, lane } => self.store_lane(memarg, I32X4, *lane),
            O::V128Store64Lane { memarg, lane } => self.store_lane(memarg, I64X2, *lane),
            _ => return false,
        }
        true
    }

    /// Loads one lane.
    fn load_scalar(&mut self, memarg: &MemArg, lane: ir::Type) {
        self.load(memarg, u64::from(lane.bytes()), |i, f, p, o| i.load(lane, f, p, o));
    }

    fn load_splat(&mut self, memarg: &MemArg, ty: ir::Type) {
        self.load_scalar(memarg, ty.lane_type());
        self.splat(ty);
    }

    /// Loads lane 0; the others are 0.
    fn load_zero(&mut self, memarg: &MemArg, ty: ir::Type) {
        self.load_scalar(memarg, ty.lane_type());
        self.unary(|i, x| i.scalar_to_vector(ty, x));
    }

    fn load_lane(&mut self, memarg: &MemArg, ty: ir::Type, lane: u8) {
        let vector = self.pop_vector(ty);
        self.load_scalar(memarg, ty.lane_type());
        self.unary(|i, x| i.insertlane(vector, x, lane));
    }

    fn store_lane(&mut self, memarg: &MemArg, ty: ir::Type, lane: u8) {
        let vector = self.pop_vector(ty);
        let value = self.b.ins().extractlane(vector, lane);
        let size_bytes = u64::from(ty.lane_type().bytes());
        self.store_value(memarg, size_bytes, value, |i, f, x, p, o| i.store(f, x, p, o));
    }
}
