//! Indices of 32 bits that loops carry become 64 bits long.
//!
//! An index of WebAssembly is 32 bits long and is extended where it is used as an address. Cranelift's
//! rules for x86-64 know that sums and the like clear the upper half of their register, so that these
//! are extended for free; but of a block's parameter nothing is known, and a loop that counts with
//! one moves it in each round. Here such a parameter of a loop's header becomes long: what enters the
//! loop is extended before, what the loop passes back is one of the operations that extend for free,
//! and whoever wants the short value takes the lower half, which is no instruction.
//!
//! Proof: in every round the new parameter is `uextend.i64` of what the old one was, by induction over
//! the rounds, since every branch to the header passes `uextend.i64` of what it passed before. So its
//! lower half is the old parameter, and it is itself each `uextend.i64` of that. Neither extending nor
//! taking the half traps or touches memory.
//!
//! This runs behind Cranelift's optimiser, whose rules know more of short numbers.

use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    self, Block, BlockArg, Inst, InstBuilder, InstructionData, Opcode, Value, ValueDef,
};
use cranelift_codegen::loop_analysis::{Loop, LoopAnalysis};
use std::collections::{BTreeMap, BTreeSet};

/// A parameter that is extended within its loop.
struct Param {
    header: Block,
    index: usize,
    inner: Loop,
    /// The branches to the header.
    branches: BTreeSet<Inst>,
    /// What extends it.
    extensions: Vec<Inst>,
}

/// Makes parameters of loops long in the context's function where that saves moves. Values have no
/// aliases before and after.
pub fn lengthen_params(context: &mut Context) {
    // Most functions have nothing of the kind, and need no loops found.
    if !extends_params(&context.func) {
        return;
    }
    context.flowgraph();
    context.compute_loop_analysis();
    let Context { func, cfg, loop_analysis: loops, .. } = context;
    let mut params = find_params(func, cfg, loops);
    params.retain(|_, param| is_free(func, loops, param));
    for (value, param) in &params {
        lengthen_param(func, *value, param);
    }
    if !params.is_empty() {
        func.dfg.resolve_all_aliases();
    }
}

/// Whether an instruction extends a parameter of a block that branches can lead to.
fn extends_params(func: &ir::Function) -> bool {
    let entry = func.layout.entry_block();
    let mut insts = func.layout.blocks().flat_map(|block| func.layout.block_insts(block));
    insts.any(|inst| {
        let param = find_extended(func, inst).map(|value| func.dfg.value_def(value));
        matches!(param, Some(ValueDef::Param(block, _)) if Some(block) != entry)
    })
}

/// The parameters of headers that an instruction of the innermost loop extends.
fn find_params(
    func: &ir::Function,
    cfg: &ControlFlowGraph,
    loops: &LoopAnalysis,
) -> BTreeMap<Value, Param> {
    let mut params = BTreeMap::<Value, Param>::new();
    for block in func.layout.blocks() {
        let Some(inner) = loops.innermost_loop(block) else { continue };
        let header = loops.loop_header(inner);
        for inst in func.layout.block_insts(block) {
            let Some(value) = find_extended(func, inst) else { continue };
            let ValueDef::Param(owner, index) = func.dfg.value_def(value) else { continue };
            if owner == header {
                let branches = || cfg.pred_iter(header).map(|pred| pred.inst).collect();
                let new =
                    || Param { header, index, inner, branches: branches(), extensions: vec![] };
                params.entry(value).or_insert_with(new).extensions.push(inst);
            }
        }
    }
    params
}

/// The number of 32 bits that the instruction extends to 64, if it does.
fn find_extended(func: &ir::Function, inst: Inst) -> Option<Value> {
    let dfg = &func.dfg;
    let InstructionData::Unary { opcode: Opcode::Uextend, arg } = dfg.insts[inst] else {
        return None;
    };
    let (short, long) = (dfg.value_type(arg), dfg.value_type(dfg.first_result(inst)));
    (short == I32 && long == I64).then_some(arg)
}

/// Whether the loop need do nothing to extend what it passes back to the parameter.
fn is_free(func: &ir::Function, loops: &LoopAnalysis, param: &Param) -> bool {
    param.branches.iter().all(|branch| {
        let is_plain = matches!(func.dfg.insts[*branch].opcode(), Opcode::Jump | Opcode::Brif);
        let block = func.layout.inst_block(*branch);
        let is_inside = block.is_some_and(|block| loops.is_in_loop(block, param.inner));
        let passed = find_passed(func, *branch, param);
        is_plain
            && passed.iter().all(|value| {
                value.is_some_and(|value| !is_inside || clears_upper_half(func, value))
            })
    })
}

/// What a branch passes to the parameter, once for each of its ways to the header.
fn find_passed(func: &ir::Function, branch: Inst, param: &Param) -> Vec<Option<Value>> {
    let dfg = &func.dfg;
    let calls = dfg.insts[branch].branch_destination(&dfg.jump_tables, &dfg.exception_tables);
    let calls = calls.iter().filter(|call| call.block(&dfg.value_lists) == param.header);
    let args = calls.map(|call| call.args(&dfg.value_lists).nth(param.index));
    args.map(|arg| arg.and_then(|arg| arg.as_value())).collect()
}

/// Whether Cranelift knows for x86-64 that the value's register has zeros above it.
fn clears_upper_half(func: &ir::Function, value: Value) -> bool {
    let ValueDef::Result(inst, _) = func.dfg.value_def(value) else { return false };
    matches!(
        func.dfg.insts[inst].opcode(),
        Opcode::Iadd
            | Opcode::Isub
            | Opcode::Imul
            | Opcode::Band
            | Opcode::Bor
            | Opcode::Bxor
            | Opcode::Ishl
            | Opcode::Ushr
    )
}

/// Makes the parameter long, and what is passed to it.
fn lengthen_param(func: &mut ir::Function, value: Value, param: &Param) {
    for branch in &param.branches {
        // In reverse, because they are taken from the end.
        let passed = find_passed(func, *branch, param).into_iter().rev().flatten();
        let mut cursor = FuncCursor::new(func).at_inst(*branch);
        cursor.set_srcloc(cursor.func.srcloc(*branch));
        let mut long: Vec<Value> = passed.map(|value| cursor.ins().uextend(I64, value)).collect();
        let dfg = &mut func.dfg;
        let inst: &mut InstructionData = &mut dfg.insts[*branch];
        let calls = inst.branch_destination_mut(&mut dfg.jump_tables, &mut dfg.exception_tables);
        for call in calls {
            if call.block(&dfg.value_lists) == param.header {
                let new = long.pop().expect("there is a value for each way to the header");
                let mut at = 0..;
                call.update_args(&mut dfg.value_lists, |arg| match at.next() {
                    Some(index) if index == param.index => BlockArg::Value(new),
                    _ => arg,
                });
            }
        }
    }
    let long = func.dfg.replace_block_param(value, I64);
    let mut cursor = FuncCursor::new(func).at_first_insertion_point(param.header);
    let half = cursor.ins().ireduce(I32, long);
    func.dfg.change_to_alias(value, half);
    for extension in &param.extensions {
        let result = func.dfg.first_result(*extension);
        func.dfg.clear_results(*extension);
        func.dfg.change_to_alias(result, long);
        func.layout.remove_inst(*extension);
    }
}
