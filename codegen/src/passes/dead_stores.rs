//! Stores that nothing reads are removed (rule M5 of `docs/safety.md`).
//!
//! Walks the blocks backwards with the set of *dead* bytes: those that will be overwritten before
//! anything reads them, on every path. A loop needs several walks; they start from the assumption
//! that everything is dead and take back what does not hold, so what is left at the end holds.
//!
//! Where the set starts:
//! - After a trap nothing is read, if a trap is the end of the process: then everything is dead at
//!   a `trap`, and an instruction that may trap reads nothing. The pass does not run for scripts,
//!   which look at memories after a trap.
//! - When `wasmelt_main` of a program without exports returns, guest code never runs again and the shim reads no guest memory:
//!   linear memories and globals are dead.
//! - When another function returns, nothing is dead.
//!
//! A store whose bytes are all dead is removed if it cannot trap, or if a later access in its block
//! traps wherever it does (the same address and at least as long) and nothing between them can be
//! seen or can trap otherwise. What overwrites it may itself trap; then again nothing is read.
//!
//! A load whose result is not used reads nothing.

use super::address::Span;
use super::effects::{Access, Effect, Facts, Touch, find_effect};
use crate::regions::{Region, region_kind};
use cranelift_codegen::dominator_tree::DominatorTree;
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::{self, AliasRegion, Block, Inst, Opcode, Value, ValueDef};
use cranelift_entity::{EntitySet, SecondaryMap};

/// How many walks over a function are made before it is left as it is.
const WALKS_MAX: usize = 12;
/// How many times stores are looked for: one that goes may leave a load without a use.
const ROUNDS_MAX: usize = 3;
/// How many spans are remembered for each region.
const SPANS_MAX: usize = 48;

/// Removes what can be removed. `is_end` says that no guest code runs after the function.
pub fn remove_dead_stores(
    facts: Facts<'_>,
    func: &mut ir::Function,
    cfg: &ControlFlowGraph,
    domtree: &DominatorTree,
    is_end: bool,
) {
    for _ in 0..ROUNDS_MAX {
        let blocks = read_blocks(facts, func, domtree);
        if blocks.stored.is_empty() {
            return;
        }
        let Some(entering) = find_dead_bytes(func, cfg, domtree, &blocks, is_end) else { return };
        let mut removed = false;
        for block in domtree.cfg_postorder() {
            let dead = leaving_state(func, cfg, &blocks, &entering, *block, is_end);
            removed |= remove_in_block(func, &blocks, *block, dead);
        }
        if !removed {
            return;
        }
    }
}

/// What a block does to memory, in order.
#[derive(Clone)]
enum Event {
    Store(Inst, Access),
    /// A load, and whether its result is used.
    Load(Access, bool),
    Touch(Touch),
    /// Can trap, other than by an access.
    MayTrap,
}

/// The function as this pass sees it.
struct Blocks {
    events: SecondaryMap<Block, Vec<Event>>,
    /// Regions that something is stored to. No others matter.
    stored: Vec<AliasRegion>,
}

fn read_blocks(facts: Facts<'_>, func: &ir::Function, domtree: &DominatorTree) -> Blocks {
    let used = find_used_values(func, domtree);
    let mut blocks = Blocks { events: SecondaryMap::new(), stored: Vec::new() };
    for block in func.layout.blocks() {
        for inst in func.layout.block_insts(block) {
            let event = match find_effect(facts, func, inst) {
                Effect::None if func.dfg.insts[inst].opcode().can_trap() => Event::MayTrap,
                Effect::None => continue,
                Effect::Store(access) => {
                    if !blocks.stored.contains(&access.span.region) {
                        blocks.stored.push(access.span.region);
                    }
                    Event::Store(inst, access)
                }
                Effect::Load(access) => {
                    Event::Load(access, used.contains(func.dfg.first_result(inst)))
                }
                Effect::Touch(touch) => Event::Touch(touch),
            };
            blocks.events[block].push(event);
        }
    }
    blocks
}

/// Values that something with an effect depends on.
fn find_used_values(func: &ir::Function, domtree: &DominatorTree) -> EntitySet<Value> {
    let mut used = EntitySet::new();
    // Backwards, so that an instruction comes after those that use its results. A value that only
    // goes round a loop counts as used.
    for block in domtree.cfg_postorder() {
        let mut next = func.layout.last_inst(*block);
        while let Some(inst) = next {
            next = func.layout.prev_inst(inst);
            let opcode = func.dfg.insts[inst].opcode();
            let has_effect = opcode.is_call()
                || opcode.is_terminator()
                || opcode.can_trap()
                || opcode.can_store()
                || opcode.other_side_effects()
                || func.dfg.insts[inst].memflags_data(&func.dfg).is_some_and(|f| !f.notrap());
            let mut results = func.dfg.inst_results(inst).iter();
            if has_effect || results.any(|result| used.contains(*result)) {
                for value in func.dfg.inst_values(inst) {
                    used.insert(func.dfg.resolve_aliases(value));
                }
            }
        }
    }
    used
}

/// Which bytes of one region are dead.
#[derive(Clone, Debug, PartialEq)]
enum DeadBytes {
    /// These.
    Only(Vec<Span>),
    /// All but these.
    AllBut(Vec<Span>),
}

/// Which bytes are dead, for each of `Blocks::stored`.
type Dead = Vec<DeadBytes>;

impl DeadBytes {
    const NONE: DeadBytes = DeadBytes::Only(Vec::new());
    const ALL: DeadBytes = DeadBytes::AllBut(Vec::new());

    fn contains(&self, span: &Span) -> bool {
        match self {
            DeadBytes::Only(dead) => dead.iter().any(|dead| dead.covers(span)),
            DeadBytes::AllBut(live) => live.iter().all(|live| live.is_disjoint(span)),
        }
    }

    /// Something reads `span` next.
    fn read(&mut self, span: &Span) {
        match self {
            DeadBytes::Only(dead) => dead.retain(|dead| dead.is_disjoint(span)),
            DeadBytes::AllBut(live) if live.iter().any(|live| live.covers(span)) => {}
            DeadBytes::AllBut(live) if live.len() < SPANS_MAX => live.push(*span),
            DeadBytes::AllBut(_) => *self = DeadBytes::NONE,
        }
    }

    /// Something overwrites `span` next.
    fn overwrite(&mut self, span: &Span) {
        match self {
            DeadBytes::Only(dead) => {
                if dead.len() < SPANS_MAX && !dead.iter().any(|dead| dead.covers(span)) {
                    dead.push(*span);
                }
            }
            DeadBytes::AllBut(live) => live.retain(|live| !span.covers(live)),
        }
    }

    /// Forgets what is said about addresses that depend on a value, at the place where the value
    /// is made: before it, the same name stands for another address.
    fn leave_scope(&mut self, is_made_here: impl Fn(Value) -> bool) {
        let is_unknown = |span: &Span| span.leaf().is_some_and(&is_made_here);
        match self {
            DeadBytes::Only(dead) => dead.retain(|dead| !is_unknown(dead)),
            DeadBytes::AllBut(live) if live.iter().any(is_unknown) => *self = DeadBytes::NONE,
            DeadBytes::AllBut(_) => {}
        }
    }

    /// Keeps what is dead in `other` too.
    fn intersect(&mut self, other: &DeadBytes) {
        match (&mut *self, other) {
            (DeadBytes::Only(spans), other) => spans.retain(|span| other.contains(span)),
            (DeadBytes::AllBut(live), DeadBytes::AllBut(others)) => {
                for span in others {
                    if !live.contains(span) {
                        live.push(*span);
                    }
                }
                if live.len() > SPANS_MAX {
                    *self = DeadBytes::NONE;
                }
            }
            (DeadBytes::AllBut(live), DeadBytes::Only(spans)) => {
                let is_apart = |span: &&Span| live.iter().all(|live| live.is_disjoint(span));
                *self = DeadBytes::Only(spans.iter().filter(is_apart).copied().collect());
            }
        }
    }
}

/// What is dead at each block's start, or nothing if that takes too many walks to find out.
fn find_dead_bytes(
    func: &ir::Function,
    cfg: &ControlFlowGraph,
    domtree: &DominatorTree,
    blocks: &Blocks,
    is_end: bool,
) -> Option<SecondaryMap<Block, Option<Dead>>> {
    let mut entering = SecondaryMap::<Block, Option<Dead>>::new();
    for _ in 0..WALKS_MAX {
        let mut changed = false;
        for block in domtree.cfg_postorder() {
            let mut dead = leaving_state(func, cfg, blocks, &entering, *block, is_end);
            for event in blocks.events[*block].iter().rev() {
                step(func, blocks, &mut dead, event);
            }
            for bytes in &mut dead {
                bytes.leave_scope(|value| defining_block(func, value) == Some(*block));
            }
            if let Some(before) = &entering[*block] {
                // Only ever less, so that the walks come to an end.
                for (bytes, before) in dead.iter_mut().zip(before) {
                    bytes.intersect(before);
                }
            }
            if entering[*block].as_ref() != Some(&dead) {
                entering[*block] = Some(dead);
                changed = true;
            }
        }
        if !changed {
            return Some(entering);
        }
    }
    None
}

fn defining_block(func: &ir::Function, value: Value) -> Option<Block> {
    match func.dfg.value_def(value) {
        ValueDef::Result(inst, _) => func.layout.inst_block(inst),
        ValueDef::Param(block, _) => Some(block),
        ValueDef::Union(..) => None,
    }
}

/// What is dead at a block's end.
fn leaving_state(
    func: &ir::Function,
    cfg: &ControlFlowGraph,
    blocks: &Blocks,
    entering: &SecondaryMap<Block, Option<Dead>>,
    block: Block,
    is_end: bool,
) -> Dead {
    let mut common: Option<Dead> = None;
    for succ in cfg.succ_iter(block) {
        // A block that no walk has reached yet: all is dead, which changes nothing.
        let Some(dead) = &entering[succ] else { continue };
        match &mut common {
            None => common = Some(dead.clone()),
            Some(common) => {
                for (common, dead) in common.iter_mut().zip(dead) {
                    common.intersect(dead);
                }
            }
        }
    }
    if let Some(common) = common {
        return common;
    }
    let last = func.layout.last_inst(block).map(|inst| func.dfg.insts[inst].opcode());
    let all = blocks.stored.iter().map(|region| match last {
        Some(Opcode::Return) => match region_kind(func, *region) {
            Region::Memory(_) | Region::Global(_) if is_end => DeadBytes::ALL,
            _ => DeadBytes::NONE,
        },
        // The callee takes over; its own event says the same.
        Some(opcode) if opcode.is_call() => DeadBytes::NONE,
        // A trap, or a loop without an end that has not been walked yet.
        _ => DeadBytes::ALL,
    });
    all.collect()
}

/// Walks over one event, backwards.
fn step(func: &ir::Function, blocks: &Blocks, dead: &mut Dead, event: &Event) {
    let find = |region| blocks.stored.iter().position(|stored| *stored == region);
    match event {
        Event::Store(_, access) => {
            let at = find(access.span.region).expect("the regions of all stores are listed");
            dead[at].overwrite(&access.span);
        }
        Event::Load(access, true) => {
            if let Some(at) = find(access.span.region) {
                dead[at].read(&access.span);
            }
        }
        Event::Touch(touch) => {
            for (bytes, region) in dead.iter_mut().zip(&blocks.stored) {
                if touch.touches(func, *region) {
                    *bytes = DeadBytes::NONE;
                }
            }
        }
        Event::Load(_, false) | Event::MayTrap => {}
    }
}

fn remove_in_block(func: &mut ir::Function, blocks: &Blocks, block: Block, mut dead: Dead) -> bool {
    let mut removed = false;
    // Accesses that come later in this block with nothing to see in between, and can trap.
    let mut trapping: Vec<Span> = Vec::new();
    for event in blocks.events[block].iter().rev() {
        match event {
            Event::Store(inst, access) => {
                let at = blocks.stored.iter().position(|region| *region == access.span.region);
                let bytes = &dead[at.expect("the regions of all stores are listed")];
                let traps_later = || {
                    let reaches =
                        |later: &Span| later.covers(&access.span) && later.wraps_like(&access.span);
                    trapping.iter().any(reaches)
                };
                if bytes.contains(&access.span) && (!access.can_trap || traps_later()) {
                    func.layout.remove_inst(*inst);
                    removed = true;
                    continue;
                }
                if access.can_trap {
                    trapping.push(access.span);
                }
            }
            Event::Load(access, _) if access.can_trap => trapping.push(access.span),
            Event::Load(..) => {}
            Event::Touch(_) | Event::MayTrap => trapping.clear(),
        }
        step(func, blocks, &mut dead, event);
    }
    removed
}
