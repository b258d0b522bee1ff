//! A copy of a copy is made from the first source, and text is validated once (rule M6 of
//! `docs/safety.md`).
//!
//! Where a chain of components has become one function, the adapters of its hops stand one behind the
//! other: each copies a string or a list into the memory of its callee, which hands the pointer and
//! the length on, and the next adapter reads them there. This pass walks the function with a list of
//! *copies*: blocks of linear memory whose bytes equal those of a block of another memory, or that
//! have been found to be text.
//!
//! - A copy out of a block whose bytes came from elsewhere reads them there. Both blocks are as long
//!   as the call says, so the length must be the same, not only less; then the source's range is one
//!   that was checked when it was copied, and memories never shrink.
//! - A call that copies and validates becomes a plain copy if the same bytes have been found to be
//!   text of the same encoding: its result is known. The check behind the first call is part of what
//!   is looked for, so nothing is taken for text that would have trapped. A call that only validates
//!   goes away.
//! - A plain copy of few bytes becomes loads and stores, which `forward` looks through in turn: every
//!   hop stores the same registers.
//!
//! What a write may touch is forgotten: of the copy if it touches the block, and of its source if it
//! touches that. A block may lie in the same memory as a later one, so the next copy into a memory
//! ends what was known of all blocks there. Blocks of which both ends lie in one memory are not
//! looked at, nor are memories with 64-bit indices, nor shared ones. What comes between two hops
//! may otherwise be anything: `realloc`s that return the same block twice, writes, calls. The
//! writes themselves all stay, so a component that reads its own copy finds it there, and after a
//! trap every memory has the contents that it would have had.

use super::address::Span;
use super::block_calls::{BLOCK_BYTES_MAX, BlockCall, Encoding, End, Length, find_block_call};
use super::effects::{Access, Effect, Facts, find_effect};
use super::flow::Leaving;
use crate::env::Env;
use crate::program::MemoryId;
use crate::regions::{REGIONS_PER_KIND_MAX, Region, region_kind, trusted_memory_flags};
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::dominator_tree::DominatorTree;
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::{self, Inst, InstBuilder, Opcode, Value, types};

/// Plain copies of up to this many bytes become loads and stores: they keep eight registers busy.
const INLINE_BYTES_MAX: u32 = 64;
/// How many copies are remembered; the oldest are forgotten.
const COPIES_MAX: usize = 32;

/// What is known of a block.
#[derive(Clone, Copy, Debug)]
struct Copy {
    /// Where it is, in a linear memory.
    block: End,
    /// Where the same bytes are, in another linear memory.
    source: Option<End>,
    len: Length,
    /// What text it has been found to be.
    text: Option<Encoding>,
}

impl PartialEq for Copy {
    fn eq(&self, other: &Copy) -> bool {
        let source = |copy: &Copy| copy.source.map(|source| source.value);
        self.block.value == other.block.value
            && source(self) == source(other)
            && self.len.units == other.len.units
            && self.len.unit_bytes == other.len.unit_bytes
            && self.text == other.text
    }
}

/// Redirects and simplifies the calls that move blocks; whether there was anything to do.
pub fn read_past_copies(
    facts: Facts<'_>,
    func: &mut ir::Function,
    cfg: &ControlFlowGraph,
    domtree: &DominatorTree,
) -> bool {
    // Of memories that share a region it cannot be told which one an access touches.
    if facts.env.program.memories.len() > REGIONS_PER_KIND_MAX || !has_two_calls(facts.env, func) {
        return false;
    }
    let mut changed = false;
    let mut leaving = Leaving::<Copy>::default();
    for block in domtree.cfg_rpo().copied() {
        let mut copies = leaving.entry_facts(cfg, block);
        let mut next = func.layout.first_inst(block);
        while let Some(inst) = next {
            next = func.layout.next_inst(inst);
            match find_block_call(facts.env, func, inst) {
                Some(call) => changed |= visit_call(facts, func, &mut copies, inst, call),
                None => forget(facts, func, &mut copies, inst),
            }
        }
        leaving.finish(cfg, block, copies);
    }
    changed
}

/// One call has nothing to be compared with.
fn has_two_calls(env: Env<'_>, func: &ir::Function) -> bool {
    let insts = func.layout.blocks().flat_map(|block| func.layout.block_insts(block));
    insts.filter(|inst| find_block_call(env, func, *inst).is_some()).nth(1).is_some()
}

/// Simplifies a call, and remembers what it has copied; whether it was changed.
fn visit_call(
    facts: Facts<'_>,
    func: &mut ir::Function,
    copies: &mut Vec<Copy>,
    inst: Inst,
    call: BlockCall,
) -> bool {
    let env = facts.env;
    // The youngest first: it is the one that the call is likely to pass on.
    let known = copies
        .iter()
        .rev()
        .find(|copy| copy.block.is_same(&call.from) && copy.len.is_same(&call.len, env, func));
    let known = known.copied();
    let source = known.and_then(|copy| copy.source).unwrap_or(call.from);
    let is_known_text = call.text.is_some() && known.is_some_and(|copy| copy.text == call.text);
    let text = match is_known_text || has_check(func, inst) {
        true => call.text,
        false => None,
    };
    // A plain copy of text is text.
    let text = text.or(known.and_then(|copy| copy.text));
    let Some(to) = call.to else {
        if is_known_text {
            set_result(func, inst);
            func.layout.remove_inst(inst);
        }
        return is_known_text;
    };
    let is_replaced = is_known_text || known.is_some() && call.text.is_none();
    let is_changed = is_replaced || source.value != call.from.value;
    if is_replaced {
        replace_call(env, func, inst, &call, source, to);
    } else {
        func.dfg.inst_args_mut(inst)[1] = source.value;
    }
    let Some(memory) = to.memory else {
        // It may write to any memory, for all that is known.
        copies.clear();
        return is_changed;
    };
    forget_memory(copies, memory);
    let is_checked = call.text.is_none() || text.is_some();
    if is_checked && source.memory.is_some_and(|from| from != memory) {
        remember(copies, Copy { block: to, source: Some(source), len: call.len, text });
    }
    is_changed
}

/// Whether what follows the call traps if it has found no text.
fn has_check(func: &ir::Function, inst: Inst) -> bool {
    let Some(result) = func.dfg.inst_results(inst).first() else { return false };
    let Some(next) = func.layout.next_inst(inst) else { return false };
    let data = &func.dfg.insts[next];
    data.opcode() == Opcode::Trapz
        && data
            .arguments(&func.dfg.value_lists)
            .iter()
            .any(|arg| func.dfg.resolve_aliases(*arg) == *result)
}

fn remember(copies: &mut Vec<Copy>, copy: Copy) {
    if copies.len() == COPIES_MAX {
        copies.remove(0);
    }
    copies.push(copy);
}

/// The result of a call that goes away: the bytes are text.
fn set_result(func: &mut ir::Function, inst: Inst) {
    let result = func.dfg.first_result(inst);
    let ty = func.dfg.value_type(result);
    let mut cursor = FuncCursor::new(func).at_inst(inst);
    cursor.use_srcloc(inst);
    let one = cursor.ins().iconst(ty, 1);
    func.dfg.clear_results(inst);
    func.dfg.change_to_alias(result, one);
}

/// Makes a plain copy of a call.
fn replace_call(
    env: Env<'_>,
    func: &mut ir::Function,
    inst: Inst,
    call: &BlockCall,
    source: End,
    to: End,
) {
    if let (Some(bytes), Some(from_memory), Some(to_memory)) =
        (call.len.bytes, source.memory, to.memory)
        && bytes <= INLINE_BYTES_MAX
        && from_memory != to_memory
    {
        match call.text {
            Some(_) => set_result(func, inst),
            // What a plain copy returns is where it has copied to.
            None => return_target(func, inst, to.value),
        }
        let mut cursor = FuncCursor::new(func).at_inst(inst);
        cursor.use_srcloc(inst);
        copy_inline(&mut cursor, bytes, (source.value, from_memory), (to.value, to_memory));
        func.layout.remove_inst(inst);
        return;
    }
    if call.text.is_none() {
        func.dfg.inst_args_mut(inst)[1] = source.value;
        return;
    }
    set_result(func, inst);
    let symbol = env.shim_symbol("memcpy");
    let params = [types::I64; 3];
    let callee = env.import_symbol(func, symbol, &params, &[types::I64]);
    let mut cursor = FuncCursor::new(func).at_inst(inst);
    cursor.use_srcloc(inst);
    let units = call.len.units;
    let len = match call.len.unit_bytes {
        1 => units,
        unit => cursor.ins().imul_imm_u(units, i64::from(unit)),
    };
    cursor.ins().call(callee, &[to.value, source.value, len]);
    func.layout.remove_inst(inst);
}

fn return_target(func: &mut ir::Function, inst: Inst, target: Value) {
    if let Some(result) = func.dfg.inst_results(inst).first().copied() {
        func.dfg.clear_results(inst);
        func.dfg.change_to_alias(result, target);
    }
}

/// Moves a known number of bytes from one memory to another; their ranges have been checked (A1).
fn copy_inline(
    cursor: &mut FuncCursor<'_>,
    len_bytes: u32,
    (from, from_memory): (Value, MemoryId),
    (to, to_memory): (Value, MemoryId),
) {
    let load_flags = trusted_memory_flags(cursor.func, from_memory);
    let store_flags = trusted_memory_flags(cursor.func, to_memory);
    let mut done = 0;
    for (ty, chunk) in [(types::I64, 8), (types::I32, 4), (types::I16, 2), (types::I8, 1)] {
        while len_bytes - done >= chunk {
            let value = cursor.ins().load(ty, load_flags, from, done.cast_signed());
            cursor.ins().store(store_flags, value, to, done.cast_signed());
            done += chunk;
        }
    }
}

/// Forgets what an instruction may change.
fn forget(facts: Facts<'_>, func: &ir::Function, copies: &mut Vec<Copy>, inst: Inst) {
    if copies.is_empty() {
        return;
    }
    match find_effect(facts, func, inst) {
        Effect::None | Effect::Load(_) => {}
        Effect::Store(access) => {
            forget_if(copies, |end, len| may_change(func, &access, end, len));
        }
        Effect::Touch(touch) => forget_if(copies, |end, _| {
            end.memory.is_none_or(|memory| touch.memories.contains(memory))
        }),
    }
}

/// Forgets what is known of all blocks of a memory.
fn forget_memory(copies: &mut Vec<Copy>, memory: MemoryId) {
    forget_if(copies, |end, _| end.memory.is_none_or(|holder| holder == memory));
}

fn forget_if(copies: &mut Vec<Copy>, is_changed: impl Fn(&End, &Length) -> bool) {
    copies.retain_mut(|copy| {
        if copy.source.is_some_and(|source| is_changed(&source, &copy.len)) {
            copy.source = None;
        }
        let is_known = copy.source.is_some() || copy.text.is_some();
        is_known && !is_changed(&copy.block, &copy.len)
    });
}

/// Whether a store may change bytes of a block. The block lies in its memory as a whole, which ends
/// at 4 GiB at most, so `Span::is_disjoint` holds for it as for an access.
fn may_change(func: &ir::Function, store: &Access, end: &End, len: &Length) -> bool {
    let Region::Memory(memory) = region_kind(func, store.span.region) else { return false };
    if end.memory.is_some_and(|holder| holder != memory) {
        return false;
    }
    let len_bytes = len.bytes.unwrap_or(BLOCK_BYTES_MAX);
    let block = Span { region: store.span.region, address: end.address, len_bytes };
    !block.is_disjoint(&store.span)
}
