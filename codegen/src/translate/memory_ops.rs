//! Scalar loads and stores, and the bulk instructions of linear memories.

use super::Translator;
use crate::env::{NAMESPACE_DATA, trap_code};
use crate::memory::{self, Address};
use crate::program::{ConstValue, DataId, MemoryId};
use crate::regions::{self, Region};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self, ExternalName, GlobalValueData, InstBuilder, MemFlagsData, UserExternalName, Value,
    immediates::Imm64, types,
};
use cranelift_frontend::FuncInstBuilder;
use wasmelt_abi::symbols;
use wasmelt_abi::trap::Trap;
use wasmparser::Operator as O;
use wasmparser::{MemArg, Operator};

/// Copies and fills of constant length up to this are made of loads and stores.
const INLINE_BYTES_MAX: u64 = 64;

impl<'b> Translator<'_, 'b> {
    pub(super) fn translate_memory(&mut self, operator: &Operator<'_>) -> bool {
        self.translate_load(operator)
            || self.translate_store(operator)
            || self.translate_bulk_memory(operator)
    }

    fn translate_load(&mut self, operator: &Operator<'_>) -> bool {
        use types::{F32, F64, I32, I64};
        match operator {
            O::I32Load { memarg } => self.load(memarg, 4, |i, f, p, o| i.load(I32, f, p, o)),
            O::I64Load { memarg } => self.load(memarg, 8, |i, f, p, o| i.load(I64, f, p, o)),
            O::F32Load { memarg } => self.load(memarg, 4, |i, f, p, o| i.load(F32, f, p, o)),
            O::F64Load { memarg } => self.load(memarg, 8, |i, f, p, o| i.load(F64, f, p, o)),
            O::I32Load8S { memarg } => self.load(memarg, 1, |i, f, p, o| i.sload8(I32, f, p, o)),
            O::I32Load8U { memarg } => self.load(memarg, 1, |i, f, p, o| i.uload8(I32, f, p, o)),
            O::I32Load16S { memarg } => self.load(memarg, 2, |i, f, p, o| i.sload16(I32, f, p, o)),
            O::I32Load16U { memarg } => self.load(memarg, 2, |i, f, p, o| i.uload16(I32, f, p, o)),
            O::I64Load8S { memarg } => self.load(memarg, 1, |i, f, p, o| i.sload8(I64, f, p, o)),
            O::I64Load8U { memarg } => self.load(memarg, 1, |i, f, p, o| i.uload8(I64, f, p, o)),
            O::I64Load16S { memarg } => self.load(memarg, 2, |i, f, p, o| i.sload16(I64, f, p, o)),
            O::I64Load16U { memarg } => self.load(memarg, 2, |i, f, p, o| i.uload16(I64, f, p, o)),
            O::I64Load32S { memarg } => self.load(memarg, 4, |i, f, p, o| i.sload32(f, p, o)),
            O::I64Load32U { memarg } => self.load(memarg, 4, |i, f, p, o| i.uload32(f, p, o)),
            _ => return false,
        }
        true
    }

    fn translate_store(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            O::I32Store { memarg } | O::F32Store { memarg } => {
                self.store(memarg, 4, |i, f, x, p, o| i.store(f, x, p, o));
            }
            O::I64Store { memarg } | O::F64Store { memarg } => {
                self.store(memarg, 8, |i, f, x, p, o| i.store(f, x, p, o));
            }
            O::I32Store8 { memarg } | O::I64Store8 { memarg } => {
                self.store(memarg, 1, |i, f, x, p, o| i.istore8(f, x, p, o));
            }
            O::I32Store16 { memarg } | O::I64Store16 { memarg } => {
                self.store(memarg, 2, |i, f, x, p, o| i.istore16(f, x, p, o));
            }
            O::I64Store32 { memarg } => {
                self.store(memarg, 4, |i, f, x, p, o| i.istore32(f, x, p, o));
            }
            _ => return false,
        }
        true
    }

    fn translate_bulk_memory(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            O::MemorySize { mem } => self.memory_size(*mem),
            O::MemoryGrow { mem } => self.memory_grow(*mem),
            O::MemoryCopy { dst_mem, src_mem } => self.memory_copy(*dst_mem, *src_mem),
            O::MemoryFill { mem } => self.memory_fill(*mem),
            O::MemoryInit { data_index, mem } => self.memory_init(*data_index, *mem),
            O::DataDrop { data_index } => {
                let data = self.instance.data[*data_index as usize];
                if self.env.program.data[data].passive {
                    let zero = self.iconst64(0);
                    self.store_segment_length(self.env.layout.data_lengths[data], zero);
                }
            }
            _ => return false,
        }
        true
    }

    /// Pops an address and checks it for an access of `size_bytes` bytes.
    pub(super) fn pop_address(&mut self, memarg: &MemArg, size_bytes: u64) -> Address {
        let index = self.pop();
        let memory = self.memory(memarg.memory);
        memory::checked_address(&mut self.b, self.env, memory, index, memarg.offset, size_bytes)
    }

    /// Pops an address and pushes what `make` loads from there.
    pub(super) fn load(
        &mut self,
        memarg: &MemArg,
        size_bytes: u64,
        make: impl FnOnce(FuncInstBuilder<'_, 'b>, MemFlagsData, Value, i32) -> Value,
    ) {
        let address = self.pop_address(memarg, size_bytes);
        let flags = address.load_flags(self.b.func);
        let value = make(self.b.ins(), flags, address.value, address.offset);
        self.push(value);
    }

    /// Pops a value and an address and stores with `make`.
    fn store(
        &mut self,
        memarg: &MemArg,
        size_bytes: u64,
        make: impl FnOnce(FuncInstBuilder<'_, 'b>, MemFlagsData, Value, Value, i32) -> ir::Inst,
    ) {
        let value = self.pop();
        self.store_value(memarg, size_bytes, value, make);
    }

    /// Pops an address and stores `value` there with `make`.
    pub(super) fn store_value(
        &mut self,
        memarg: &MemArg,
        size_bytes: u64,
        value: Value,
        make: impl FnOnce(FuncInstBuilder<'_, 'b>, MemFlagsData, Value, Value, i32) -> ir::Inst,
    ) {
        let address = self.pop_address(memarg, size_bytes);
        let flags = address.store_flags(self.b.func);
        make(self.b.ins(), flags, value, address.value, address.offset);
    }

    /// Pushes a number of pages, elements or the like in the index type of a memory or table.
    pub(super) fn push_index(&mut self, value: Value, is_64_bit: bool) {
        let value = if is_64_bit { value } else { self.b.ins().ireduce(types::I32, value) };
        self.push(value);
    }

    /// Pops an operand of the index type as an `i64`.
    pub(super) fn pop_index(&mut self) -> Value {
        let value = self.pop();
        match self.b.func.dfg.value_type(value) {
            types::I32 => self.b.ins().uextend(types::I64, value),
            _ => value,
        }
    }

    fn memory_size(&mut self, index: u32) {
        let memory = self.memory(index);
        let ty = self.env.program.memories[memory].ty;
        let size = memory::memory_size_bytes(&mut self.b, self.env, memory);
        let pages = self.b.ins().ushr_imm_u(size, i64::from(ty.page_size_log2));
        self.push_index(pages, ty.memory64);
    }

    fn memory_grow(&mut self, index: u32) {
        let memory = self.memory(index);
        let delta = self.pop_index();
        let state = self.iconst64(self.env.layout.memories[memory].state);
        let grown = self.call_shim(
            symbols::MEMORY_GROW,
            &[types::I64, types::I64],
            types::I64,
            &[state, delta],
        );
        // Failure is all ones, which is -1 in both widths.
        self.push_index(grown, self.env.program.memories[memory].ty.memory64);
    }

    fn memory_copy(&mut self, to: u32, from: u32) {
        let (to, from) = (self.memory(to), self.memory(from));
        let len_operand = *self.stack.last().expect("validation balances the stack");
        let len = self.pop_index();
        let source = self.pop_index();
        let target = self.pop_index();
        let known_len = memory::constant_of(self.b.func, len_operand);
        let source = self.memory_range(from, source, len);
        let target = self.memory_range(to, target, len);
        if let Some(len) = known_len.filter(|len| *len <= INLINE_BYTES_MAX) {
            return self.copy_inline((to, target), (from, source), len);
        }
        let words = [types::I64; 3];
        // A copy within one memory can overlap.
        let symbol = if to == from { "memmove" } else { "memcpy" };
        self.call_shim(symbol, &words, types::I64, &[target, source, len]);
    }

    fn memory_fill(&mut self, index: u32) {
        let memory = self.memory(index);
        let len_operand = *self.stack.last().expect("validation balances the stack");
        let len = self.pop_index();
        let byte = self.pop();
        let target = self.pop_index();
        let known_len = memory::constant_of(self.b.func, len_operand);
        let known_byte = memory::constant_of(self.b.func, byte);
        let target = self.memory_range(memory, target, len);
        if let (Some(len), Some(byte)) = (known_len, known_byte)
            && len <= INLINE_BYTES_MAX
        {
            return self.fill_inline(memory, target, byte as u8, len);
        }
        let params = [types::I64, types::I32, types::I64];
        self.call_shim("memset", &params, types::I64, &[target, byte, len]);
    }

    /// Copies a few bytes between ranges that were checked (M3). All are loaded before the first is
    /// stored, so the ranges may overlap.
    fn copy_inline(&mut self, to: (MemoryId, Value), from: (MemoryId, Value), len: u64) {
        let flags = regions::trusted_memory_flags(self.b.func, from.0);
        let mut values = Vec::new();
        for (ty, offset) in self.pieces(len) {
            values.push((self.b.ins().load(ty, flags, from.1, offset), offset));
        }
        let flags = regions::trusted_memory_flags(self.b.func, to.0);
        for (value, offset) in values {
            self.b.ins().store(flags, value, to.1, offset);
        }
    }

    /// Fills a few bytes of a range that was checked (M3).
    fn fill_inline(&mut self, memory: MemoryId, target: Value, byte: u8, len: u64) {
        let flags = regions::trusted_memory_flags(self.b.func, memory);
        for (ty, offset) in self.pieces(len) {
            let value = match ty {
                types::I8X16 => self.constant(ConstValue::V128([byte; 16])),
                _ => {
                    let all = u64::from_ne_bytes([byte; 8]);
                    let mask = u64::MAX >> (64 - ty.bits());
                    self.b.ins().iconst(ty, (all & mask).cast_signed())
                }
            };
            self.b.ins().store(flags, value, target, offset);
        }
    }

    /// Cuts a few bytes into accesses, the widest first: each one's type and offset.
    fn pieces(&self, len: u64) -> Vec<(ir::Type, i32)> {
        let widest = if super::has_vectors(self.env) { types::I8X16 } else { types::I64 };
        let mut pieces = Vec::new();
        let mut at = 0;
        for ty in [widest, types::I64, types::I32, types::I16, types::I8] {
            while at + u64::from(ty.bytes()) <= len {
                pieces.push((ty, at as i32));
                at += u64::from(ty.bytes());
            }
        }
        pieces
    }

    fn memory_init(&mut self, data: u32, index: u32) {
        let memory = self.memory(index);
        let data = self.instance.data[data as usize];
        let len = self.pop_index();
        let source = self.pop_index();
        let target = self.pop_index();
        let limit = self.data_length(data);
        self.check_sum(source, len, limit, Trap::MemoryOutOfBounds);
        let target = self.memory_range(memory, target, len);
        if !self.env.program.data[data].passive {
            // Only a length of 0 passes the check, and there are no bytes to name.
            return;
        }
        let start = self.symbol_address(NAMESPACE_DATA, data.as_u32());
        let source = self.b.ins().iadd(start, source);
        let words = [types::I64; 3];
        self.call_shim("memcpy", &words, types::I64, &[target, source, len]);
    }

    fn memory_range(&mut self, memory: MemoryId, index: Value, len: Value) -> Value {
        let trap = Trap::MemoryOutOfBounds;
        memory::checked_range(&mut self.b, self.env, memory, index, len, trap)
    }

    /// The current length of a data segment.
    fn data_length(&mut self, data: DataId) -> Value {
        match self.env.program.data[data].passive {
            true => self.load_segment_length(self.env.layout.data_lengths[data]),
            // An active segment is dropped once its instance exists.
            false => self.iconst64(0),
        }
    }

    pub(super) fn load_segment_length(&mut self, address: u64) -> Value {
        let address = self.iconst64(address);
        let flags = regions::state_flags(self.b.func, Region::SegmentLengths);
        self.b.ins().load(types::I64, flags, address, 0)
    }

    pub(super) fn store_segment_length(&mut self, address: u64, length: Value) {
        let address = self.iconst64(address);
        let flags = regions::state_flags(self.b.func, Region::SegmentLengths);
        self.b.ins().store(flags, length, address, 0);
    }

    /// Traps unless `start + len` is at most `limit`; all are `i64`.
    pub(super) fn check_sum(&mut self, start: Value, len: Value, limit: Value, trap: Trap) {
        let code = trap_code(trap);
        let end = self.b.ins().uadd_overflow_trap(start, len, code);
        let beyond = self.b.ins().icmp(IntCC::UnsignedGreaterThan, end, limit);
        self.b.ins().trapnz(beyond, code);
    }

    /// The address of constant data of the program.
    pub(super) fn symbol_address(&mut self, namespace: u32, index: u32) -> Value {
        let name = UserExternalName { namespace, index };
        let name = self.b.func.declare_imported_user_function(name);
        let symbol = self.b.create_global_value(GlobalValueData::Symbol {
            name: ExternalName::user(name),
            offset: Imm64::new(0),
            colocated: true,
            tls: false,
        });
        self.b.ins().symbol_value(types::I64, symbol)
    }
}
