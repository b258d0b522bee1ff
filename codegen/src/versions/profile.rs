//! What a function's vector and rounding operations cost on the baseline.
//!
//! The numbers are estimates from what Cranelift makes of the operations for each level, in quarters
//! of an instruction: most vector operations save a copy of an operand every so often, some a handful
//! of instructions, some a call. What lies in a loop counts eightfold, once for each loop around it.

use cranelift_codegen::Context;
use cranelift_codegen::ir::types::{I16X8, I32X4, I64X2};
use cranelift_codegen::ir::{self, InstructionData, Opcode, Type};

/// What executing a function once is estimated to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Instructions.
    pub insts: u64,
    /// Quarters of an instruction that level 3 saves.
    pub saved_v3: u64,
    /// Quarters of an instruction that level 4 saves beyond that.
    pub saved_v4: u64,
    /// Quarters of an instruction that the level above saves beyond that.
    pub saved_bitalg: u64,
}

/// Loops deeper than that are not told apart.
const DEPTH_MAX: usize = 4;
/// How often a loop is taken to go round.
const ROUNDS_LOG2: usize = 3;

/// A call, and all vectors that live across it written to the stack and read back.
const CALL: u64 = 64;

/// Looks at the context's function.
pub fn measure_profile(context: &mut Context) -> Profile {
    let func = &context.func;
    let insts = || func.layout.blocks().flat_map(|block| func.layout.block_insts(block));
    // Most functions have nothing of the kind, and need no loops found.
    if insts().all(|inst| estimate(func, inst) == Saved::default()) {
        return Profile::default();
    }
    context.compute_cfg();
    context.compute_domtree();
    context.compute_loop_analysis();
    let func = &context.func;
    let mut profile = Profile::default();
    for block in func.layout.blocks() {
        if func.layout.is_cold(block) {
            continue;
        }
        let depth = context.loop_analysis.loop_level(block).level().min(DEPTH_MAX);
        let weight = 1u64 << (depth * ROUNDS_LOG2);
        for inst in func.layout.block_insts(block) {
            let saved = estimate(func, inst);
            profile.insts += weight * u64::from(!is_free(func.dfg.insts[inst].opcode()));
            profile.saved_v3 += weight * saved.v3;
            profile.saved_v4 += weight * saved.v4;
            profile.saved_bitalg += weight * saved.bitalg;
            if depth > 0 {
                profile.saved_v3 += weight * saved.v3_in_loop;
            }
        }
    }
    profile
}

/// Whether an instruction usually vanishes into others.
fn is_free(opcode: Opcode) -> bool {
    matches!(
        opcode,
        Opcode::Bitcast
            | Opcode::Iconst
            | Opcode::F32const
            | Opcode::F64const
            | Opcode::Vconst
            | Opcode::Uextend
            | Opcode::Jump
    )
}

/// What one instruction takes longer on each level than on the next, in quarters of an instruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Saved {
    v3: u64,
    /// What counts in loops only: elsewhere, in allocators for instance, it would give every program
    /// versions of functions that take no time.
    v3_in_loop: u64,
    v4: u64,
    bitalg: u64,
}

fn estimate(func: &ir::Function, inst: ir::Inst) -> Saved {
    let data = &func.dfg.insts[inst];
    let (opcode, none) = (data.opcode(), Saved::default());
    let Some(ty) = operand_type(func, inst) else { return none };
    match opcode {
        Opcode::Ceil | Opcode::Floor | Opcode::Trunc | Opcode::Nearest | Opcode::Fma => {
            return Saved { v3: CALL * u64::from(ty.lane_count()), ..none };
        }
        Opcode::Popcnt if !ty.is_vector() => return Saved { v3_in_loop: 40, ..none },
        Opcode::Clz | Opcode::Ctz => return Saved { v3_in_loop: 4, ..none },
        Opcode::Splat => return Saved { v3: 2, ..none },
        _ if ty.bits() != 128 || !ty.is_vector() => return none,
        _ => {}
    }
    let v3 = match opcode {
        Opcode::Shuffle => estimate_shuffle(func, data),
        _ => estimate_vector(opcode, ty),
    };
    let v4 = match opcode {
        // Narrow products take five instructions, others nine.
        Opcode::Imul if ty == I64X2 => 16,
        Opcode::Sshr if ty == I64X2 => 12,
        Opcode::Iabs if ty == I64X2 => 8,
        Opcode::FcvtFromUint if ty == I32X4 => 24,
        _ => 0,
    };
    let bitalg = if opcode == Opcode::Popcnt { 24 } else { 0 };
    Saved { v3, v4, bitalg, ..none }
}

/// What level 3 saves of an operation on vectors of that type.
fn estimate_vector(opcode: Opcode, ty: Type) -> u64 {
    match opcode {
        Opcode::Swizzle => CALL,
        Opcode::Imul if ty == I32X4 => 20,
        Opcode::X86Pmaddubsw | Opcode::Popcnt => 20,
        Opcode::SqmulRoundSat | Opcode::Unarrow => 16,
        Opcode::Icmp if ty == I64X2 => 16,
        Opcode::Smin | Opcode::Smax | Opcode::Umin | Opcode::Umax => 8,
        Opcode::Iabs => 8,
        Opcode::Insertlane | Opcode::Extractlane if ty != I16X8 => 4,
        Opcode::Icmp | Opcode::VallTrue | Opcode::VanyTrue => 4,
        Opcode::UwidenLow | Opcode::UwidenHigh | Opcode::SwidenLow | Opcode::SwidenHigh => 3,
        Opcode::Imul | Opcode::Iadd | Opcode::Isub | Opcode::Ineg => 1,
        Opcode::Band | Opcode::Bor | Opcode::Bxor | Opcode::Bnot => 1,
        Opcode::Ishl | Opcode::Ushr | Opcode::Sshr | Opcode::Bitselect => 1,
        Opcode::UaddSat | Opcode::SaddSat | Opcode::UsubSat | Opcode::SsubSat => 1,
        Opcode::Fadd | Opcode::Fsub | Opcode::Fmul | Opcode::Fdiv | Opcode::Fcmp => 1,
        Opcode::AvgRound | Opcode::IaddPairwise | Opcode::Snarrow => 1,
        _ => 0,
    }
}

/// The type of the first operand, or of the result if there is none.
fn operand_type(func: &ir::Function, inst: ir::Inst) -> Option<Type> {
    let dfg = &func.dfg;
    let value = dfg.inst_args(inst).first().or_else(|| dfg.inst_results(inst).first())?;
    Some(dfg.value_type(*value))
}

/// Whole lanes of 32 bits move within the baseline, and so do halves that alternate; anything else is a
/// call or two.
fn estimate_shuffle(func: &ir::Function, data: &InstructionData) -> u64 {
    let InstructionData::Shuffle { imm, .. } = data else { return 0 };
    let mask = func.dfg.immediates.get(*imm).expect("a shuffle has its lanes").as_slice();
    let mut lanes = mask.chunks_exact(4);
    if lanes.all(|lane| lane[0] % 4 == 0 && (1..4).all(|at| lane[at] == lane[0] + at as u8)) {
        return 1;
    }
    let alternates = |start: u8, width: u8| {
        (0..16u8).all(|at| {
            let (pair, within) = (at / (2 * width), at % (2 * width));
            let from = if within < width { 0 } else { 16 - width };
            mask[usize::from(at)] == start + pair * width + within + from
        })
    };
    let is_interleaved = [1, 2].iter().any(|width| alternates(0, *width) || alternates(8, *width));
    if is_interleaved { 1 } else { CALL }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::GUEST_CALL_CONV;
    use cranelift_codegen::ir::types::I8X16;
    use cranelift_codegen::ir::{AbiParam, InstBuilder, Signature, UserFuncName};
    use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

    /// The profile of a function of two vectors, whose instructions `build` makes.
    fn measure(ty: Type, build: impl FnOnce(&mut FunctionBuilder<'_>, [ir::Value; 2])) -> Profile {
        let mut signature = Signature::new(GUEST_CALL_CONV);
        signature.params.extend([AbiParam::new(ty), AbiParam::new(ty)]);
        let mut context = Context::new();
        context.func = ir::Function::with_name_signature(UserFuncName::default(), signature);
        let mut scratch = FunctionBuilderContext::new();
        let mut b = FunctionBuilder::new(&mut context.func, &mut scratch);
        let block = b.create_block();
        b.append_block_params_for_function_params(block);
        b.switch_to_block(block);
        let params = [b.block_params(block)[0], b.block_params(block)[1]];
        build(&mut b, params);
        b.seal_all_blocks();
        let target = crate::targets::parse_target("x86_64-linux").unwrap();
        let options = crate::Options { target, ..crate::Options::default() };
        b.finalize(crate::options::build_isa(&options).unwrap().frontend_config());
        measure_profile(&mut context)
    }

    fn shuffle(lanes: [u8; 16]) -> u64 {
        let profile = measure(I8X16, |b, [x, y]| {
            let mask = b.func.dfg.immediates.push(lanes.as_slice().into());
            b.ins().shuffle(x, y, mask);
            b.ins().return_(&[]);
        });
        profile.saved_v3
    }

    #[test]
    fn scalar_code_has_no_profile() {
        let profile = measure(ir::types::I64, |b, [x, y]| {
            b.ins().imul(x, y);
            b.ins().return_(&[]);
        });
        assert_eq!(profile, Profile::default());
    }

    #[test]
    fn what_level_4_has_is_told_apart() {
        let profile = measure(I64X2, |b, [x, y]| {
            b.ins().imul(x, y);
            b.ins().return_(&[]);
        });
        assert_eq!(profile, Profile { insts: 2, saved_v3: 1, saved_v4: 16, saved_bitalg: 0 });
    }

    #[test]
    fn loops_count_for_more() {
        let profile = measure(I32X4, |b, [x, y]| {
            let block = b.create_block();
            b.ins().jump(block, &[]);
            b.switch_to_block(block);
            b.ins().iadd(x, y);
            b.ins().jump(block, &[]);
        });
        assert_eq!(profile, Profile { insts: 8, saved_v3: 8, ..Profile::default() });
    }

    #[test]
    fn shuffles_differ() {
        assert_eq!(shuffle([8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7, 28, 29, 30, 31]), 1);
        assert_eq!(shuffle([0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23]), 1);
        assert_eq!(shuffle([8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31]), 1);
        assert_eq!(shuffle([1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12]), CALL);
        assert_eq!(shuffle([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]), CALL);
    }
}
