//! Atomic instructions, for programs with one thread.
//!
//! Every access is sequentially consistent, so programs with several threads need
//! no change here but a real wait queue behind `memory.atomic.wait` and `notify`.
//! An address that is not a multiple of the access's size traps before its bounds
//! are looked at.

use super::Translator;
use crate::env::trap_code;
use crate::memory::Address;
use cranelift_codegen::ir::{self, AtomicRmwOp, InstBuilder, MemFlagsData, Value, types};
use wasmelt_abi::symbols;
use wasmelt_abi::trap::Trap;
use wasmparser::Operator as O;
use wasmparser::{MemArg, Operator};

/// The type that an access has in memory and the one it has on the operand stack.
#[derive(Clone, Copy)]
struct Width {
    memory: ir::Type,
    operand: ir::Type,
}

const I32: Width = Width { memory: types::I32, operand: types::I32 };
const I32_8: Width = Width { memory: types::I8, operand: types::I32 };
const I32_16: Width = Width { memory: types::I16, operand: types::I32 };
const I64: Width = Width { memory: types::I64, operand: types::I64 };
const I64_8: Width = Width { memory: types::I8, operand: types::I64 };
const I64_16: Width = Width { memory: types::I16, operand: types::I64 };
const I64_32: Width = Width { memory: types::I32, operand: types::I64 };

impl Translator<'_, '_> {
    pub(super) fn translate_atomic(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            O::AtomicFence => {
                self.b.ins().fence();
            }
            O::MemoryAtomicNotify { memarg } => self.notify(memarg),
            O::MemoryAtomicWait32 { memarg } => self.wait(memarg, types::I32),
            O::MemoryAtomicWait64 { memarg } => self.wait(memarg, types::I64),
            O::I32AtomicLoad { memarg } => self.atomic_load(memarg, I32),
            O::I32AtomicLoad8U { memarg } => self.atomic_load(memarg, I32_8),
            O::I32AtomicLoad16U { memarg } => self.atomic_load(memarg, I32_16),
            O::I64AtomicLoad { memarg } => self.atomic_load(memarg, I64),
            O::I64AtomicLoad8U { memarg } => self.atomic_load(memarg, I64_8),
            O::I64AtomicLoad16U { memarg } => self.atomic_load(memarg, I64_16),
            O::I64AtomicLoad32U { memarg } => self.atomic_load(memarg, I64_32),
            O::I32AtomicStore { memarg } => self.atomic_store(memarg, I32),
            O::I32AtomicStore8 { memarg } => self.atomic_store(memarg, I32_8),
            O::I32AtomicStore16 { memarg } => self.atomic_store(memarg, I32_16),
            O::I64AtomicStore { memarg } => self.atomic_store(memarg, I64),
            O::I64AtomicStore8 { memarg } => self.atomic_store(memarg, I64_8),
            O::I64AtomicStore16 { memarg } => self.atomic_store(memarg, I64_16),
            O::I64AtomicStore32 { memarg } => self.atomic_store(memarg, I64_32),
            O::I32AtomicRmwCmpxchg { memarg } => self.compare_exchange(memarg, I32),
            O::I32AtomicRmw8CmpxchgU { memarg } => self.compare_exchange(memarg, I32_8),
            O::I32AtomicRmw16CmpxchgU { memarg } => self.compare_exchange(memarg, I32_16),
            O::I64AtomicRmwCmpxchg { memarg } => self.compare_exchange(memarg, I64),
            O::I64AtomicRmw8CmpxchgU { memarg } => self.compare_exchange(memarg, I64_8),
            O::I64AtomicRmw16CmpxchgU { memarg } => self.compare_exchange(memarg, I64_16),
            O::I64AtomicRmw32CmpxchgU { memarg } => self.compare_exchange(memarg, I64_32),
            _ => return self.translate_read_modify_write(operator),
        }
        true
    }

    fn translate_read_modify_write(&mut self, operator: &Operator<'_>) -> bool {
        use AtomicRmwOp::{Add, And, Or, Sub, Xchg, Xor};
        match operator {
            O::I32AtomicRmwAdd { memarg } => self.modify(memarg, I32, Add),
            O::I32AtomicRmw8AddU { memarg } => self.modify(memarg, I32_8, Add),
            O::I32AtomicRmw16AddU { memarg } => self.modify(memarg, I32_16, Add),
            O::I64AtomicRmwAdd { memarg } => self.modify(memarg, I64, Add),
            O::I64AtomicRmw8AddU { memarg } => self.modify(memarg, I64_8, Add),
            O::I64AtomicRmw16AddU { memarg } => self.modify(memarg, I64_16, Add),
            O::I64AtomicRmw32AddU { memarg } => self.modify(memarg, I64_32, Add),
            O::I32AtomicRmwSub { memarg } => self.modify(memarg, I32, Sub),
            O::I32AtomicRmw8SubU { memarg } => self.modify(memarg, I32_8, Sub),
            O::I32AtomicRmw16SubU { memarg } => self.modify(memarg, I32_16, Sub),
            O::I64AtomicRmwSub { memarg } => self.modify(memarg, I64, Sub),
            O::I64AtomicRmw8SubU { memarg } => self.modify(memarg, I64_8, Sub),
            O::I64AtomicRmw16SubU { memarg } => self.modify(memarg, I64_16, Sub),
            O::I64AtomicRmw32SubU { memarg } => self.modify(memarg, I64_32, Sub),
            O::I32AtomicRmwAnd { memarg } => self.modify(memarg, I32, And),
            O::I32AtomicRmw8AndU { memarg } => self.modify(memarg, I32_8, And),
            O::I32AtomicRmw16AndU { memarg } => self.modify(memarg, I32_16, And),
            O::I64AtomicRmwAnd { memarg } => self.modify(memarg, I64, And),
            O::I64AtomicRmw8AndU { memarg } => self.modify(memarg, I64_8, And),
            O::I64AtomicRmw16AndU { memarg } => self.modify(memarg, I64_16, And),
            O::I64AtomicRmw32AndU { memarg } => self.modify(memarg, I64_32, And),
            O::I32AtomicRmwOr { memarg } => self.modify(memarg, I32, Or),
            O::I32AtomicRmw8OrU { memarg } => self.modify(memarg, I32_8, Or),
            O::I32AtomicRmw16OrU { memarg } => self.modify(memarg, I32_16, Or),
            O::I64AtomicRmwOr { memarg } => self.modify(memarg, I64, Or),
            O::I64AtomicRmw8OrU { memarg } => self.modify(memarg, I64_8, Or),
            O::I64AtomicRmw16OrU { memarg } => self.modify(memarg, I64_16, Or),
            O::I64AtomicRmw32OrU { memarg } => self.modify(memarg, I64_32, Or),
            O::I32AtomicRmwXor { memarg } => self.modify(memarg, I32, Xor),
            O::I32AtomicRmw8XorU { memarg } => self.modify(memarg, I32_8, Xor),
            O::I32AtomicRmw16XorU { memarg } => self.modify(memarg, I32_16, Xor),
            O::I64AtomicRmwXor { memarg } => self.modify(memarg, I64, Xor),
            O::I64AtomicRmw8XorU { memarg } => self.modify(memarg, I64_8, Xor),
            O::I64AtomicRmw16XorU { memarg } => self.modify(memarg, I64_16, Xor),
            O::I64AtomicRmw32XorU { memarg } => self.modify(memarg, I64_32, Xor),
            O::I32AtomicRmwXchg { memarg } => self.modify(memarg, I32, Xchg),
            O::I32AtomicRmw8XchgU { memarg } => self.modify(memarg, I32_8, Xchg),
            O::I32AtomicRmw16XchgU { memarg } => self.modify(memarg, I32_16, Xchg),
            O::I64AtomicRmwXchg { memarg } => self.modify(memarg, I64, Xchg),
            O::I64AtomicRmw8XchgU { memarg } => self.modify(memarg, I64_8, Xchg),
            O::I64AtomicRmw16XchgU { memarg } => self.modify(memarg, I64_16, Xchg),
            O::I64AtomicRmw32XchgU { memarg } => self.modify(memarg, I64_32, Xchg),
            _ => return false,
        }
        true
    }

    /// Pops an address, checked for alignment and bounds.
    fn pop_atomic_address(&mut self, memarg: &MemArg, ty: ir::Type) -> Address {
        let size_bytes = u64::from(ty.bytes());
        let index = *self.stack.last().expect("validation balances the stack");
        if size_bytes > 1 {
            // Only the low bits matter, so a sum that wraps is as good as one that does not.
            let low = (memarg.offset % size_bytes).cast_signed();
            let sum = if low == 0 { index } else { self.b.ins().iadd_imm_s(index, low) };
            let rest = self.b.ins().band_imm_u(sum, size_bytes.cast_signed() - 1);
            self.b.ins().trapnz(rest, trap_code(Trap::MisalignedAtomic));
        }
        self.pop_address(memarg, size_bytes)
    }

    /// The address of an atomic access in one value, and its flags.
    fn pop_atomic(&mut self, memarg: &MemArg, ty: ir::Type) -> (Value, MemFlagsData) {
        let address = self.pop_atomic_address(memarg, ty);
        let flags = address.load_flags(self.b.func);
        (address.whole(&mut self.b), flags)
    }

    /// Pops an operand in the width of the memory.
    fn pop_narrow(&mut self, width: Width) -> Value {
        let value = self.pop();
        match width.memory == width.operand {
            true => value,
            false => self.b.ins().ireduce(width.memory, value),
        }
    }

    /// Pushes what was in memory in the width of the operand.
    fn push_wide(&mut self, value: Value, width: Width) {
        let value = match width.memory == width.operand {
            true => value,
            false => self.b.ins().uextend(width.operand, value),
        };
        self.push(value);
    }

    fn atomic_load(&mut self, memarg: &MemArg, width: Width) {
        let (address, flags) = self.pop_atomic(memarg, width.memory);
        let value = self.b.ins().atomic_load(width.memory, flags, address);
        self.push_wide(value, width);
    }

    fn atomic_store(&mut self, memarg: &MemArg, width: Width) {
        let value = self.pop_narrow(width);
        let (address, flags) = self.pop_atomic(memarg, width.memory);
        self.b.ins().atomic_store(flags, value, address);
    }

    fn modify(&mut self, memarg: &MemArg, width: Width, op: AtomicRmwOp) {
        let value = self.pop_narrow(width);
        let (address, flags) = self.pop_atomic(memarg, width.memory);
        let old = self.b.ins().atomic_rmw(width.memory, flags, op, address, value);
        self.push_wide(old, width);
    }

    fn compare_exchange(&mut self, memarg: &MemArg, width: Width) {
        let replacement = self.pop_narrow(width);
        // The expected value counts modulo the width of the memory.
        let expected = self.pop_narrow(width);
        let (address, flags) = self.pop_atomic(memarg, width.memory);
        let old = self.b.ins().atomic_cas(flags, address, expected, replacement);
        self.push_wide(old, width);
    }

    /// Nobody can be waiting while the only thread runs.
    fn notify(&mut self, memarg: &MemArg) {
        self.pop();
        let address = self.pop_atomic_address(memarg, types::I32);
        // The load is the bounds check where the address alone was not checked.
        let flags = address.load_flags(self.b.func);
        self.b.ins().load(types::I32, flags, address.value, address.offset);
        let woken = self.b.ins().iconst(types::I32, 0);
        self.push(woken);
    }

    fn wait(&mut self, memarg: &MemArg, ty: ir::Type) {
        let memory = self.memory(memarg.memory);
        if !self.env.program.memories[memory].ty.shared {
            return self.trap(Trap::WaitOnUnshared);
        }
        let timeout = self.pop();
        let expected = self.pop_index();
        let address = self.pop_atomic_address(memarg, ty);
        let flags = address.load_flags(self.b.func);
        self.b.ins().load(ty, flags, address.value, address.offset);
        let address = address.whole(&mut self.b);
        let is_64_bit = self.b.ins().iconst(types::I32, i64::from(ty == types::I64));
        let params = [types::I64, types::I64, types::I64, types::I32];
        let args = [address, expected, timeout, is_64_bit];
        let result = self.call_shim(symbols::ATOMIC_WAIT, &params, types::I32, &args);
        self.push(result);
    }
}
