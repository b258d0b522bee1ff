//! Addresses in linear memories, and the checks before accesses.
//!
//! The only place that may leave out a bounds check. Each omission names the rule
//! of `docs/safety.md` that allows it (M1, M2, ...). Everyone who generates code,
//! the translator and the adapters alike, gets guest addresses from here, together
//! with the flags that the access must carry.

use crate::env::{Env, trap_code};
use crate::layout::BoundsCheck;
use crate::program::MemoryId;
use crate::regions::{self, Region};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self, InstBuilder, InstructionData, MemFlagsData, Opcode, Value, ValueDef, types,
};
use cranelift_frontend::FunctionBuilder;
use wasmelt_abi::addresses::OFFSET_MAX;
use wasmelt_abi::state::MemoryState;
use wasmelt_abi::trap::Trap;

/// Where an access goes, after its check.
#[derive(Clone, Copy, Debug)]
pub struct Address {
    /// The native address of the first byte, less `offset`; an `i64`.
    pub value: Value,
    /// What the instruction adds to `value`.
    pub offset: i32,
    /// The memory.
    pub memory: MemoryId,
    /// Whether the check is complete, so that the access itself cannot trap.
    pub in_bounds: bool,
}

impl Address {
    /// The flags of a load from here.
    pub fn load_flags(&self, func: &mut ir::Function) -> MemFlagsData {
        match self.in_bounds {
            true => regions::trusted_memory_flags(func, self.memory),
            false => regions::trapping_load_flags(func, self.memory),
        }
    }

    /// The flags of a store to here.
    pub fn store_flags(&self, func: &mut ir::Function) -> MemFlagsData {
        match self.in_bounds {
            true => regions::trusted_memory_flags(func, self.memory),
            false => regions::trapping_store_flags(func, self.memory),
        }
    }

    /// The whole address in one value, for instructions without an offset.
    pub fn whole(&self, b: &mut FunctionBuilder<'_>) -> Value {
        match self.offset {
            0 => self.value,
            offset => b.ins().iadd_imm_s(self.value, i64::from(offset)),
        }
    }
}

/// The address of `size_bytes` bytes at `index + offset` of a memory, checked as the memory's mode
/// asks; an access beyond the end traps here or when it is made. `index` is the guest's address:
/// an `i32`, or an `i64` that is checked in full.
///
/// `size_bytes` must be what the access really touches, at most 16.
pub fn checked_address(
    b: &mut FunctionBuilder<'_>,
    env: Env<'_>,
    memory: MemoryId,
    index: Value,
    offset: u64,
    size_bytes: u64,
) -> Address {
    debug_assert!(size_bytes <= 16, "the window has room for 16 bytes after the last offset");
    let is_narrow = b.func.dfg.value_type(index) == types::I32;
    let base = memory_base(b, env, memory);
    let index64 = if is_narrow { b.ins().uextend(types::I64, index) } else { index };
    // M2: a memory never shrinks, so what its first size covers is always there.
    let known = constant_of(b.func, index).is_some_and(|index| {
        let end = index.checked_add(offset).and_then(|start| start.checked_add(size_bytes));
        end.is_some_and(|end| end <= size_bytes_min(env, memory))
    });
    // M1: 32 bits of index and a small offset stay inside the window, whose rest is unmapped.
    let guarded =
        is_narrow && offset < OFFSET_MAX && env.layout.memories[memory].check == BoundsCheck::Guard;
    if !known && !guarded {
        check_constant_range(b, env, memory, index64, offset, size_bytes, Trap::MemoryOutOfBounds);
    }
    let in_bounds = known || !guarded;
    // The index comes first and the base last: on x86-64 a low base then joins the displacement.
    let value = b.ins().iadd(index64, base);
    if offset < OFFSET_MAX {
        return Address { value, offset: offset as i32, memory, in_bounds };
    }
    // The check above has proved that the sum does not wrap, or it never comes this far.
    let offset = b.ins().iconst(types::I64, offset.cast_signed());
    let value = b.ins().iadd(value, offset);
    Address { value, offset: 0, memory, in_bounds }
}

/// The native address of `index` after a check that `len_bytes` bytes from there on lie inside the
/// memory; traps with `trap` if not, also if `len_bytes` is 0 and `index` is beyond the end.
///
/// Accesses inside the range need no further check (M3), also after calls: memories only grow.
/// `index` and `len_bytes` are `i32` or `i64`.
pub fn checked_range(
    b: &mut FunctionBuilder<'_>,
    env: Env<'_>,
    memory: MemoryId,
    index: Value,
    len_bytes: Value,
    trap: Trap,
) -> Value {
    let index = extend_index(b, index);
    check_range(b, env, memory, index, len_bytes, trap);
    let base = memory_base(b, env, memory);
    b.ins().iadd(index, base)
}

/// As [`checked_range`], for a length that is known now: the address then serves any access inside
/// the range, by [`Address::offset`] (M3).
pub fn checked_record(
    b: &mut FunctionBuilder<'_>,
    env: Env<'_>,
    memory: MemoryId,
    index: Value,
    len_bytes: u64,
    trap: Trap,
) -> Address {
    let known = constant_of(b.func, index).is_some_and(|index| {
        index.checked_add(len_bytes).is_some_and(|end| end <= size_bytes_min(env, memory))
    });
    let index = extend_index(b, index);
    // M2 again: the constant range lies inside the first size.
    if !known {
        check_constant_range(b, env, memory, index, 0, len_bytes, trap);
    }
    let base = memory_base(b, env, memory);
    let value = b.ins().iadd(index, base);
    Address { value, offset: 0, memory, in_bounds: true }
}

/// The native address of byte 0 of a memory.
pub fn memory_base(b: &mut FunctionBuilder<'_>, env: Env<'_>, memory: MemoryId) -> Value {
    let place = env.layout.memories[memory];
    if i32::try_from(place.base).is_ok() {
        return b.ins().iconst(types::I64, place.base.cast_signed());
    }
    // Cranelift makes a constant anew in every block that uses it, and a 64-bit one is long. A load
    // that can move is made once per function instead.
    let state = b.ins().iconst(types::I64, place.state.cast_signed());
    let flags = regions::constant_flags(b.func, Region::MemoryState(memory));
    b.ins().load(types::I64, flags, state, MemoryState::BASE)
}

/// The current size of a memory in bytes, as an `i64`.
pub fn memory_size_bytes(b: &mut FunctionBuilder<'_>, env: Env<'_>, memory: MemoryId) -> Value {
    if !env.program.memories[memory].grows {
        let size = size_bytes_min(env, memory);
        return b.ins().iconst(types::I64, size.cast_signed());
    }
    let state = b.ins().iconst(types::I64, env.layout.memories[memory].state.cast_signed());
    let flags = regions::state_flags(b.func, Region::MemoryState(memory));
    b.ins().load(types::I64, flags, state, MemoryState::SIZE_BYTES)
}

/// Traps unless `len_bytes` bytes from `index` on lie inside the memory. `len_bytes` is `i32` or
/// `i64`, `index` an `i64`.
fn check_range(
    b: &mut FunctionBuilder<'_>,
    env: Env<'_>,
    memory: MemoryId,
    index: Value,
    len_bytes: Value,
    trap: Trap,
) {
    let code = trap_code(trap);
    let size = memory_size_bytes(b, env, memory);
    let len_bytes = extend_index(b, len_bytes);
    let end = b.ins().uadd_overflow_trap(index, len_bytes, code);
    let beyond = b.ins().icmp(IntCC::UnsignedGreaterThan, end, size);
    b.ins().trapnz(beyond, code);
}

/// Traps unless `len_bytes` bytes from `index + offset` on lie inside the memory.
fn check_constant_range(
    b: &mut FunctionBuilder<'_>,
    env: Env<'_>,
    memory: MemoryId,
    index: Value,
    offset: u64,
    len_bytes: u64,
    trap: Trap,
) {
    let code = trap_code(trap);
    let size = memory_size_bytes(b, env, memory);
    let Some(reach) = offset.checked_add(len_bytes).filter(|reach| *reach <= 1 << 48) else {
        // No memory is that long, and 0 is never non-zero.
        let zero = b.ins().iconst(types::I8, 0);
        b.ins().trapz(zero, code);
        return;
    };
    let reach = b.ins().iconst(types::I64, reach.cast_signed());
    let end = b.ins().uadd_overflow_trap(index, reach, code);
    let beyond = b.ins().icmp(IntCC::UnsignedGreaterThan, end, size);
    b.ins().trapnz(beyond, code);
}

/// A guest address or length as an `i64`.
fn extend_index(b: &mut FunctionBuilder<'_>, index: Value) -> Value {
    match b.func.dfg.value_type(index) {
        types::I32 => b.ins().uextend(types::I64, index),
        _ => index,
    }
}

/// The size that a memory has at least, from its first instruction on.
fn size_bytes_min(env: Env<'_>, memory: MemoryId) -> u64 {
    let ty = &env.program.memories[memory].ty;
    let page_bytes = 1u64 << ty.page_size_log2;
    ty.min_pages.saturating_mul(page_bytes)
}

/// The value of an integer constant, as an unsigned number.
pub fn constant_of(func: &ir::Function, value: Value) -> Option<u64> {
    let ValueDef::Result(inst, 0) = func.dfg.value_def(value) else { return None };
    match func.dfg.insts[inst] {
        InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => {
            let bits = imm.bits().cast_unsigned();
            match func.dfg.value_type(value) {
                types::I32 => Some(u64::from(bits as u32)),
                types::I64 => Some(bits),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The largest value that an index, taken as unsigned, can have, as far as the instruction tells
/// that makes it: a constant, a mask or a narrow load.
pub fn max_of(func: &ir::Function, value: Value) -> u64 {
    let all = match func.dfg.value_type(value) {
        types::I32 => u64::from(u32::MAX),
        _ => u64::MAX,
    };
    let ValueDef::Result(inst, 0) = func.dfg.value_def(value) else { return all };
    match func.dfg.insts[inst] {
        InstructionData::Binary { opcode: Opcode::Band, args } => {
            let masks = args.iter().filter_map(|arg| constant_of(func, *arg));
            masks.min().unwrap_or(all)
        }
        InstructionData::Load { opcode: Opcode::Uload8, .. } => u64::from(u8::MAX),
        InstructionData::Load { opcode: Opcode::Uload16, .. } => u64::from(u16::MAX),
        _ => constant_of(func, value).unwrap_or(all),
    }
}
