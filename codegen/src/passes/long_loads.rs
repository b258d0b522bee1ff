//! Loads of 32 bits that become 64 bits.
//!
//! A pointer that WebAssembly loads is 32 bits long and is extended when it is used as an address.
//! Cranelift's rules for x86-64 make a load and a move of that, though a load of 32 bits clears the
//! upper half of its register as it is. Here the load itself becomes one of 64 bits that reads 32 of
//! them, `uload32`; what wants the short value takes the lower half, which is no instruction.
//!
//! Proof: `uload32` is `uextend.i64` of `load.i32` by definition. It reads the same bytes under the same
//! flags at the same place, so it traps and orders as before. It dominates what the short value
//! dominated.
//!
//! This runs behind Cranelift's optimiser, whose rules know more of the short load and of the extension.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{self, Inst, InstBuilder, InstructionData, Opcode, Value, ValueDef};
use std::collections::BTreeMap;

/// Extends loaded values as they are loaded. Values have no aliases before and after.
pub fn lengthen_loads(func: &mut ir::Function) {
    let mut found = Vec::new();
    for block in func.layout.blocks() {
        for inst in func.layout.block_insts(block) {
            found.extend(find_extended_load(func, inst).map(|load| (inst, load)));
        }
    }
    let mut long_values = BTreeMap::<Inst, Value>::new();
    for (extension, load) in &found {
        let long = *long_values.entry(*load).or_insert_with(|| lengthen_load(func, *load));
        let result = func.dfg.first_result(*extension);
        func.dfg.clear_results(*extension);
        func.dfg.change_to_alias(result, long);
        func.layout.remove_inst(*extension);
    }
    if !found.is_empty() {
        func.dfg.resolve_all_aliases();
    }
}

/// The load of 32 bits whose value the instruction extends to 64, if it does.
fn find_extended_load(func: &ir::Function, inst: Inst) -> Option<Inst> {
    let dfg = &func.dfg;
    let InstructionData::Unary { opcode: Opcode::Uextend, arg } = dfg.insts[inst] else {
        return None;
    };
    let ValueDef::Result(source, 0) = dfg.value_def(arg) else { return None };
    let is_long = dfg.value_type(dfg.first_result(inst)) == I64;
    if !is_long {
        return None;
    }
    let is_load = dfg.insts[source].opcode() == Opcode::Load && dfg.value_type(arg) == I32;
    is_load.then_some(source)
}

/// Puts a load to 64 bits in the place of one of 32; returns the long value.
fn lengthen_load(func: &mut ir::Function, load: Inst) -> Value {
    let InstructionData::Load { flags, arg, offset, .. } = func.dfg.insts[load] else {
        panic!("{load} is no load");
    };
    let short = func.dfg.first_result(load);
    func.dfg.clear_results(load);
    let flags = func.dfg.mem_flags[flags];
    let long = func.replace(load).uload32(flags, arg, offset);
    let mut cursor = FuncCursor::new(func).after_inst(load);
    cursor.set_srcloc(cursor.func.srcloc(load));
    let half = cursor.ins().ireduce(I32, long);
    cursor.func.dfg.change_to_alias(short, half);
    long
}
