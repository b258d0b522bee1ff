//! Calls that give way to their callees' bodies: first marked, and replaced at the end.
//!
//! A function that is built has the calls marked that the policy of `inline` picks. It is replaced
//! by its own copies only where machine code is made of them: a body that waits for its callers has
//! marks in it, and they are followed there. So each copy is made once, straight into the function
//! that keeps it, however long the chain of calls in which it stands; bodies that were complete at
//! each link would be copied once per link.
//!
//! A mark is the call's reference by another name: that of the same function in a name space of
//! marks.

use crate::bodies::{Bodies, Body};
use crate::env::{NAMESPACE_FUNC, NAMESPACE_MARK};
use crate::places::copy_places;
use crate::program::FuncId;
use cranelift_codegen::Context;
use cranelift_codegen::inline::{Inline, InlineCommand};
use cranelift_codegen::ir::{self, ExternalName, Opcode, UserExternalName};
use cranelift_entity::{EntitySet, SecondaryMap};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A direct call of a function of the program.
pub struct Call {
    /// Its instruction.
    pub inst: ir::Inst,
    /// The function.
    pub callee: FuncId,
}

/// The direct calls of functions of the program, in the order of the code.
pub fn list_calls(func: &ir::Function) -> Vec<Call> {
    let mut calls = Vec::new();
    for block in func.layout.blocks() {
        for inst in func.layout.block_insts(block) {
            if let ir::InstructionData::Call { func_ref, .. } = func.dfg.insts[inst]
                && let Some(callee) = find_named(func, func_ref, NAMESPACE_FUNC)
            {
                calls.push(Call { inst, callee });
            }
        }
    }
    calls
}

/// Marks calls to be replaced by their callees' bodies.
pub fn mark_calls(func: &mut ir::Function, calls: &[Call]) {
    let mut marks: BTreeMap<ir::FuncRef, ir::FuncRef> = BTreeMap::new();
    for call in calls {
        let ir::InstructionData::Call { func_ref, .. } = func.dfg.insts[call.inst] else {
            panic!("{} is no direct call", call.inst)
        };
        let mark = *marks.entry(func_ref).or_insert_with(|| {
            let name = UserExternalName::new(NAMESPACE_MARK, call.callee.as_u32());
            let name = ExternalName::user(func.declare_imported_user_function(name));
            let callee = func.dfg.ext_funcs[func_ref].clone();
            func.import_function(ir::ExtFuncData { name, ..callee })
        });
        if let ir::InstructionData::Call { func_ref, .. } = &mut func.dfg.insts[call.inst] {
            *func_ref = mark;
        }
    }
}

/// The copy of a body in a function.
struct Copied {
    callee: FuncId,
    /// How many blocks the function had before.
    blocks_before: usize,
}

/// Replaces the marked calls in the context's function by bodies, and the marked calls in those.
/// Returns how many copies of which function that made.
pub fn expand_marks(context: &mut Context, bodies: &Bodies) -> BTreeMap<FuncId, u32> {
    let mut expander = Expander { bodies, copied: Vec::new(), returns: BTreeMap::new() };
    let result = context.inline(&mut expander);
    result.expect("inlining fails only beyond limits that growth stays below");
    let Expander { copied, returns, .. } = expander;
    let func = &mut context.func;
    let mut copies = BTreeMap::new();
    for Copied { callee, blocks_before } in copied {
        copy_places(func, &bodies.get(callee).clif, blocks_before, &returns);
        *copies.entry(callee).or_default() += 1;
    }
    remove_marks(func);
    copies
}

/// Gives references that no call has any longer their names back, for whoever reads the listing.
fn remove_marks(func: &mut ir::Function) {
    let names = func.params.user_named_funcs().iter();
    let marks: Vec<_> = names
        .filter(|(_, name)| name.namespace == NAMESPACE_MARK)
        .map(|(mark, name)| (mark, name.index))
        .collect();
    for (mark, index) in marks {
        func.params.reset_user_func_name(mark, UserExternalName::new(NAMESPACE_FUNC, index));
    }
}

/// Answers Cranelift's question at each call: keep it or put the body in its place.
struct Expander<'a> {
    bodies: &'a Bodies,
    copied: Vec<Copied>,
    /// Where code goes on behind the calls that were replaced.
    returns: BTreeMap<ir::Inst, ir::Block>,
}

impl Inline for Expander<'_> {
    fn inline(
        &mut self,
        caller: &ir::Function,
        inst: ir::Inst,
        opcode: Opcode,
        callee: ir::FuncRef,
        _args: &[ir::Value],
    ) -> InlineCommand<'_> {
        let Some(callee) = find_named(caller, callee, NAMESPACE_MARK) else {
            return InlineCommand::KeepCall;
        };
        let Body { clif, marked, .. } = self.bodies.get(callee);
        let blocks_before = caller.dfg.num_blocks();
        if opcode == Opcode::Call {
            // The copies of the callee's blocks come first, then a block for the rest of the call's.
            let rest = blocks_before + clif.dfg.num_blocks();
            self.returns.insert(inst, ir::Block::from_u32(rest as u32));
        }
        self.copied.push(Copied { callee, blocks_before });
        InlineCommand::Inline { callee: Cow::Borrowed(clif), visit_callee: !marked.is_empty() }
    }
}

/// The function that a reference names in a name space, if it names one there.
fn find_named(func: &ir::Function, callee: ir::FuncRef, namespace: u32) -> Option<FuncId> {
    let ExternalName::User(name) = func.dfg.ext_funcs[callee].name else { return None };
    let name = &func.params.user_named_funcs()[name];
    (name.namespace == namespace).then(|| FuncId::from_u32(name.index))
}

/// The direct calls inside loops. The generators lay out a loop's blocks side by side, its header
/// first, so what lies between the target and the source of a branch backwards is the loop.
pub fn find_calls_in_loops(func: &ir::Function) -> EntitySet<ir::Inst> {
    let blocks: Vec<ir::Block> = func.layout.blocks().collect();
    let mut position = SecondaryMap::<ir::Block, u32>::new();
    for (at, block) in blocks.iter().enumerate() {
        position[*block] = at as u32;
    }
    // At each header, how far its loop reaches.
    let mut ends = vec![0; blocks.len()];
    for (at, block) in blocks.iter().enumerate() {
        for target in func.block_successors(*block) {
            let header = position[target] as usize;
            if header <= at {
                ends[header] = ends[header].max(at + 1);
            }
        }
    }
    let mut calls = EntitySet::new();
    let mut loop_end = 0;
    for (at, block) in blocks.iter().enumerate() {
        loop_end = loop_end.max(ends[at]);
        if at < loop_end {
            let insts = func.layout.block_insts(*block);
            calls.extend(insts.filter(|inst| func.dfg.insts[*inst].opcode() == Opcode::Call));
        }
    }
    calls
}
