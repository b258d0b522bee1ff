//! Values that leave a small loop are copied where they leave it.
//!
//! A sum that a loop carries is a parameter of its header and a result at its end, and both want to be
//! in one register. Suppose that behind the loop the sum outlives a call, and that another call then
//! takes it as an argument. The argument's register does not outlive the first call, so the allocator
//! cuts what it had merged into one; and it cuts right behind the sum's definition, since it regards
//! what passes from block to block as no use. Then the loop itself moves the sum to a second register,
//! and back at its end by way of a block and a jump of its own: three instructions in each round of a
//! loop that may have no more than eight.
//!
//! A copy at the exit ends the life of what the loop carries. Cranelift has no copies; adding zero is
//! one that its rules for x86-64 make a `lea` of, with a register of its own for the result. It goes by
//! a parameter of the exit's block, lest those rules see through it to what the loop computes.
//!
//! Proof: let `x` be defined in a loop, used behind it in block `u`, and `e` the first block outside
//! the loop on the way from the loop to `u` in the dominator tree. `x` dominates `u` and lies in the
//! loop, so it dominates what is above `e` and hence `e` and all its predecessors: each can pass `x` to
//! a new parameter of `e`, which is then equal to `x` there, and so is the sum of that and zero. `e`
//! dominates `u`, so the sum may stand for `x` in `u`. Integers alone are treated.
//!
//! It pays only where the allocator would cut: the loop calls nothing and is small, the value is one of
//! those it carries, and behind the exit it outlives a call up to an instruction that wants it in a
//! register of its own choice. Elsewhere the allocator keeps such values where they are, and copies are
//! a burden. This runs behind Cranelift's optimiser, which would remove them.

use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::dominator_tree::DominatorTree;
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    self, Block, BlockArg, Inst, InstBuilder, InstructionData, Opcode, Value, ValueDef,
};
use cranelift_codegen::loop_analysis::{Loop, LoopAnalysis};
use cranelift_entity::SecondaryMap;
use std::collections::{BTreeMap, BTreeSet};

/// In larger loops a move is not worth the pressure that copies make.
const LOOP_INSTS_MAX: u32 = 32;

/// Copies what leaves small loops of the context's function where that saves moves within them.
/// Values have no aliases before and after; the graphs of the context are those of the new function.
pub fn split_at_loop_exits(context: &mut Context) {
    context.flowgraph();
    let func = &context.func;
    if !func.layout.blocks().any(|block| has_call(func, block)) {
        return;
    }
    context.compute_loop_analysis();
    let Context { func, cfg, domtree, loop_analysis, .. } = context;
    if loop_analysis.loops().next().is_none() {
        return;
    }
    let graphs = Graphs { domtree, loops: loop_analysis };
    let carried = find_carried(func, graphs);
    let mut uses = find_uses(func, graphs, &carried);
    let costly = uses.iter().filter(|it| is_costly(func, domtree, it));
    let mut copies: BTreeMap<_, _> = costly.map(|it| ((it.exit, it.value), it.value)).collect();
    if copies.is_empty() {
        return;
    }
    uses.retain(|it| copies.contains_key(&(it.exit, it.value)));
    for ((exit, value), copy) in &mut copies {
        *copy = copy_at_exit(func, cfg, *exit, *value);
    }
    for Use { inst, value, exit } in uses {
        let copy = copies[&(exit, value)];
        func.dfg.map_inst_values(inst, |it| if it == value { copy } else { it });
    }
    // The blocks and edges are the same, but the terminators' arguments are not.
    context.flowgraph();
}

/// What is known of the function's blocks.
#[derive(Clone, Copy)]
struct Graphs<'a> {
    domtree: &'a DominatorTree,
    loops: &'a LoopAnalysis,
}

/// A use, outside of its loop, of a value that the loop carries.
struct Use {
    inst: Inst,
    value: Value,
    /// The first block outside the loop on the way to the use in the dominator tree.
    exit: Block,
}

fn is_call(func: &ir::Function, inst: Inst) -> bool {
    func.dfg.insts[inst].opcode().is_call()
}

fn has_call(func: &ir::Function, block: Block) -> bool {
    func.layout.block_insts(block).any(|inst| is_call(func, inst))
}

/// The integers that small loops without calls carry from one round to the next, each with its loop:
/// parameters of the header, and what is passed to these from within.
fn find_carried(func: &ir::Function, graphs: Graphs<'_>) -> BTreeMap<Value, Loop> {
    let is_small = find_small_loops(func, graphs.loops);
    let mut carried = BTreeMap::new();
    for block in func.layout.blocks() {
        let Some(inner) = graphs.loops.innermost_loop(block).filter(|it| is_small[*it]) else {
            continue;
        };
        let dfg = &func.dfg;
        let header = graphs.loops.loop_header(inner);
        let Some(branch) = func.layout.last_inst(block) else { continue };
        let calls = dfg.insts[branch].branch_destination(&dfg.jump_tables, &dfg.exception_tables);
        for call in calls.iter().filter(|call| call.block(&dfg.value_lists) == header) {
            let passed = call.args(&dfg.value_lists).filter_map(|arg| arg.as_value());
            let values = passed.chain(dfg.block_params(header).iter().copied());
            let is_inside = |value: &Value| {
                let block = find_block(func, *value);
                block.is_some_and(|block| graphs.loops.is_in_loop(block, inner))
            };
            let is_integer = |value: &Value| matches!(dfg.value_type(*value), I32 | I64);
            carried.extend(values.filter(is_integer).filter(is_inside).map(|value| (value, inner)));
        }
    }
    carried
}

/// The innermost loops that call nothing and have few instructions.
fn find_small_loops(func: &ir::Function, loops: &LoopAnalysis) -> SecondaryMap<Loop, bool> {
    let mut insts = SecondaryMap::<Loop, u32>::new();
    for inner in loops.loops() {
        if let Some(outer) = loops.loop_parent(inner) {
            insts[outer] = LOOP_INSTS_MAX + 1;
        }
    }
    for block in func.layout.blocks() {
        let Some(inner) = loops.innermost_loop(block) else { continue };
        for inst in func.layout.block_insts(block) {
            insts[inner] += match func.dfg.insts[inst].opcode() {
                // Most lead to the next block.
                Opcode::Jump => 0,
                opcode if opcode.is_call() => LOOP_INSTS_MAX + 1,
                _ => 1,
            };
        }
    }
    let mut is_small = SecondaryMap::new();
    for inner in loops.loops() {
        is_small[inner] = insts[inner] <= LOOP_INSTS_MAX;
    }
    is_small
}

/// The block that defines a value.
fn find_block(func: &ir::Function, value: Value) -> Option<Block> {
    match func.dfg.value_def(value) {
        ValueDef::Result(inst, _) => func.layout.inst_block(inst),
        ValueDef::Param(block, _) => Some(block),
        ValueDef::Union(..) => None,
    }
}

/// Where values that loops carry are used outside of them.
fn find_uses(func: &ir::Function, graphs: Graphs<'_>, carried: &BTreeMap<Value, Loop>) -> Vec<Use> {
    let mut uses = Vec::new();
    if carried.is_empty() {
        return uses;
    }
    for block in func.layout.blocks().filter(|block| graphs.domtree.is_reachable(*block)) {
        for inst in func.layout.block_insts(block) {
            for value in func.dfg.inst_values(inst) {
                let Some(inner) = carried.get(&value) else { continue };
                if graphs.loops.is_in_loop(block, *inner) {
                    continue;
                }
                let exit = find_exit(graphs, block, *inner);
                uses.extend(exit.map(|exit| Use { inst, value, exit }));
            }
        }
    }
    uses
}

/// The first block outside the loop on the way from the loop to the block.
fn find_exit(graphs: Graphs<'_>, mut block: Block, inner: Loop) -> Option<Block> {
    loop {
        let above = graphs.domtree.idom(block)?;
        if graphs.loops.is_in_loop(above, inner) {
            return Some(block);
        }
        block = above;
    }
}

/// Whether the value must be in a certain register there, and outlives a call before.
fn is_costly(func: &ir::Function, domtree: &DominatorTree, it: &Use) -> bool {
    let opcode = func.dfg.insts[it.inst].opcode();
    if !opcode.is_call() && !opcode.is_return() {
        return false;
    }
    let Some(mut block) = func.layout.inst_block(it.inst) else { return false };
    let mut before = func.layout.block_insts(block).take_while(|inst| *inst != it.inst);
    if before.any(|inst| is_call(func, inst)) {
        return true;
    }
    while block != it.exit {
        let Some(above) = domtree.idom(block) else { return false };
        if has_call(func, above) {
            return true;
        }
        block = above;
    }
    false
}

/// Passes a value to a block and copies it there; returns the copy.
fn copy_at_exit(
    func: &mut ir::Function,
    cfg: &ControlFlowGraph,
    exit: Block,
    value: Value,
) -> Value {
    let ty = func.dfg.value_type(value);
    let param = func.dfg.append_block_param(exit, ty);
    let branches: BTreeSet<Inst> = cfg.pred_iter(exit).map(|pred| pred.inst).collect();
    let dfg = &mut func.dfg;
    for branch in branches {
        let inst: &mut InstructionData = &mut dfg.insts[branch];
        let calls = inst.branch_destination_mut(&mut dfg.jump_tables, &mut dfg.exception_tables);
        for call in calls {
            if call.block(&dfg.value_lists) == exit {
                call.append_argument(BlockArg::Value(value), &mut dfg.value_lists);
            }
        }
    }
    let mut cursor = FuncCursor::new(func).at_first_insertion_point(exit);
    let zero = cursor.ins().iconst(ty, 0);
    cursor.ins().iadd(param, zero)
}
