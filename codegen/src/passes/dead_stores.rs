//! Stores that nothing reads are removed (rule M5 of `docs/safety.md`).
//!
//! For each span that is stored to anywhere in the function (`spans`) there is one bit, which says
//! that the span is *dead*: its bytes will be overwritten before anything reads them, on every path.
//! What a block does to these bits is worked out once; then the blocks are walked backwards until
//! nothing changes. A loop needs several walks; they start from the assumption that everything is
//! dead and take back what does not hold, so what is left at the end holds.
//!
//! Where the set starts:
//! - After a trap nothing is read, if a trap is the end of the process: then everything is dead at
//!   a `trap`, and an instruction that may trap reads nothing. The pass does not run for scripts,
//!   which look at memories after a trap.
//! - When `wasmelt_main` of a program without exports returns, guest code never runs again and the
//!   shim reads no guest memory: linear memories and globals are dead.
//! - When another function returns, nothing is dead.
//!
//! A store whose bytes are all dead is removed if it cannot trap, or if a later access in its block
//! traps wherever it does (the same address and at least as long) and nothing between them can be
//! seen or can trap otherwise. What overwrites it may itself trap; then again nothing is read.
//!
//! A load whose result is not used reads nothing.

use super::address::Span;
use super::events::{Event, Events};
use super::spans::{Bits, Spans};
use crate::regions::{Region, region_kind};
use cranelift_codegen::dominator_tree::DominatorTree;
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::{self, Block, Opcode, Value, ValueDef};
use cranelift_entity::{EntitySet, SecondaryMap};

/// How many walks over a function are made before it is left as it is.
const WALKS_MAX: usize = 12;
/// How many times stores are looked for: one that goes may leave a load without a use.
const ROUNDS_MAX: usize = 3;
/// How many words of bits are kept for all blocks together; spans beyond that are left alone.
const WORDS_MAX: usize = 1 << 19;
/// How many later accesses of a block are remembered for their traps.
const TRAPPING_MAX: usize = 64;

/// What is looked at.
pub struct Input<'a> {
    /// The function.
    pub func: &'a mut ir::Function,
    /// Its control flow.
    pub cfg: &'a ControlFlowGraph,
    /// Its blocks in order.
    pub domtree: &'a DominatorTree,
    /// Whether no guest code runs after the function.
    pub is_end: bool,
}

/// Removes what can be removed. `has_idle_loads` says that loads may have lost their uses.
pub fn remove_dead_stores(input: &mut Input<'_>, events: &mut Events, has_idle_loads: bool) {
    let words_max = WORDS_MAX / input.domtree.cfg_postorder().len().max(1);
    let Some(spans) = Spans::of_stores(events, words_max) else { return };
    if has_idle_loads {
        mark_idle_loads(input.func, input.domtree, events);
    }
    for _ in 0..ROUNDS_MAX {
        let mut flow = Flow::new(input, &spans, events);
        if !flow.solve(input) {
            return;
        }
        let mut removed = false;
        for row in 0..flow.gen_bits.rows() {
            removed |= remove_in_block(input, &spans, events, &mut flow, row);
        }
        if !removed || !mark_idle_loads(input.func, input.domtree, events) {
            return;
        }
    }
}

/// Finds loads whose results nothing with an effect depends on; whether there were any.
fn mark_idle_loads(func: &ir::Function, domtree: &DominatorTree, events: &mut Events) -> bool {
    let used = find_used_values(func, domtree);
    let mut found = false;
    for event in events.all_mut() {
        if let Event::Load(inst, access) = *event
            && !used.contains(func.dfg.first_result(inst))
        {
            *event = Event::IdleLoad(access);
            found = true;
        }
    }
    found
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
                for value in func.dfg.inst_args(inst) {
                    used.insert(func.dfg.resolve_aliases(*value));
                }
                if opcode.is_terminator() {
                    for value in func.dfg.inst_values(inst) {
                        used.insert(func.dfg.resolve_aliases(value));
                    }
                }
            }
        }
    }
    used
}

/// Which spans are dead where. Rows of bits are blocks in postorder.
struct Flow {
    rows: SecondaryMap<Block, u32>,
    /// Spans that are dead at the block's start whatever follows it.
    gen_bits: Bits,
    /// Spans that are dead at the block's start if they are dead at its end.
    keep: Bits,
    /// Spans that are dead at the block's start.
    entering: Bits,
    /// Spans that are dead where a function returns.
    returning: Vec<u64>,
    /// Spans that are dead at the end of the block that is looked at.
    leaving: Vec<u64>,
}

impl Flow {
    fn new(input: &Input<'_>, spans: &Spans, events: &Events) -> Flow {
        let postorder = input.domtree.cfg_postorder();
        let words = spans.words();
        let mut flow = Flow {
            rows: SecondaryMap::with_default(u32::MAX),
            gen_bits: Bits::new(postorder.len(), words, 0),
            keep: Bits::new(postorder.len(), words, u64::MAX),
            entering: Bits::new(postorder.len(), words, u64::MAX),
            returning: vec![0; words],
            leaving: vec![0; words],
        };
        if input.is_end {
            let is_guests = |region| {
                matches!(region_kind(input.func, region), Region::Memory(_) | Region::Global(_))
            };
            spans.set_regions(&mut flow.returning, is_guests);
        }
        for (row, block) in postorder.iter().enumerate() {
            flow.rows[*block] = row as u32;
            let (gen_bits, keep) = (flow.gen_bits.row_mut(row), flow.keep.row_mut(row));
            for event in events.of_block(*block).iter().rev() {
                step(input.func, spans, gen_bits, event);
                match event {
                    Event::Store(..) => {} // Makes spans dead, and none alive.
                    event => step(input.func, spans, keep, event),
                }
            }
        }
        // Before a value is made, the same name stands for another address.
        for (number, span) in spans.iter() {
            let block = span.leaf().and_then(|leaf| defining_block(input.func, leaf));
            if let Some(row) = block.map(|block| flow.rows[block])
                && row != u32::MAX
            {
                flow.gen_bits.clear(row as usize, number);
                flow.keep.clear(row as usize, number);
            }
        }
        flow
    }

    /// Walks until nothing changes; whether that was so before there were too many walks.
    fn solve(&mut self, input: &Input<'_>) -> bool {
        let postorder = input.domtree.cfg_postorder();
        for walk in 0..WALKS_MAX {
            let (mut changed, mut has_loops) = (false, false);
            for (row, block) in postorder.iter().enumerate() {
                // In the first walk a loop's header is still to come when its end is looked at.
                has_loops |= self.leave(input, *block, if walk == 0 { row } else { usize::MAX });
                let (gen_bits, keep) = (self.gen_bits.row(row), self.keep.row(row));
                let masks = gen_bits.iter().zip(keep);
                let before = self.entering.row_mut(row).iter_mut();
                for ((before, leaving), (gen_bits, keep)) in before.zip(&self.leaving).zip(masks) {
                    // Only ever less, so that the walks come to an end.
                    let after = *before & (gen_bits | (leaving & keep));
                    changed |= after != *before;
                    *before = after;
                }
            }
            if !changed || (walk == 0 && !has_loops) {
                return true;
            }
        }
        false
    }

    /// Computes what is dead at a block's end, from its successors with rows below `rows_known`;
    /// whether it has others.
    fn leave(&mut self, input: &Input<'_>, block: Block, rows_known: usize) -> bool {
        self.leaving.fill(u64::MAX);
        let (mut has_known, mut has_others) = (false, false);
        for succ in input.cfg.succ_iter(block) {
            let row = self.rows[succ] as usize;
            if row >= rows_known {
                has_others = true; // All is dead, which changes nothing.
                continue;
            }
            has_known = true;
            let entering = self.entering.row(row);
            self.leaving.iter_mut().zip(entering).for_each(|(leaving, bits)| *leaving &= bits);
        }
        if !has_known {
            let last = input.func.layout.last_inst(block);
            match last.map(|inst| input.func.dfg.insts[inst].opcode()) {
                Some(Opcode::Return) => self.leaving.copy_from_slice(&self.returning),
                // The callee takes over; its own event says the same.
                Some(opcode) if opcode.is_call() => self.leaving.fill(0),
                // A trap, or a loop without an end that has not been walked yet.
                _ => {}
            }
        }
        has_others
    }
}

fn defining_block(func: &ir::Function, value: Value) -> Option<Block> {
    match func.dfg.value_def(value) {
        ValueDef::Result(inst, _) => func.layout.inst_block(inst),
        ValueDef::Param(block, _) => Some(block),
        ValueDef::Union(..) => None,
    }
}

/// Walks over one event, backwards.
fn step(func: &ir::Function, spans: &Spans, dead: &mut [u64], event: &Event) {
    match event {
        Event::Store(_, access) => spans.set_covered(dead, &access.span),
        Event::Load(_, access) => spans.clear_read(dead, &access.span),
        Event::Touch(touch) => spans.clear_regions(dead, |region| touch.touches(func, region)),
        Event::IdleLoad(_) | Event::MayTrap | Event::Removed => {}
    }
}

fn remove_in_block(
    input: &mut Input<'_>,
    spans: &Spans,
    events: &mut Events,
    flow: &mut Flow,
    row: usize,
) -> bool {
    let block = input.domtree.cfg_postorder()[row];
    if !events.of_block(block).iter().any(|event| matches!(event, Event::Store(..))) {
        return false;
    }
    flow.leave(input, block, usize::MAX);
    let dead = &mut flow.leaving;
    let mut removed = false;
    // Accesses that come later in this block with nothing to see in between, and can trap.
    let mut trapping: Vec<Span> = Vec::new();
    for event in events.of_block_mut(block).iter_mut().rev() {
        match event {
            Event::Store(inst, access) => {
                let traps_later = || {
                    let reaches =
                        |later: &Span| later.covers(&access.span) && later.wraps_like(&access.span);
                    trapping.iter().rev().take(TRAPPING_MAX).any(reaches)
                };
                let is_dead = spans.contains(dead, &access.span);
                if is_dead && (!access.can_trap || traps_later()) {
                    input.func.layout.remove_inst(*inst);
                    *event = Event::Removed;
                    removed = true;
                    continue;
                }
                if access.can_trap {
                    trapping.push(access.span);
                }
            }
            Event::Load(_, access) | Event::IdleLoad(access) if access.can_trap => {
                trapping.push(access.span);
            }
            Event::Load(..) | Event::IdleLoad(_) | Event::Removed => {}
            Event::Touch(_) | Event::MayTrap => trapping.clear(),
        }
        step(input.func, spans, dead, event);
    }
    removed
}
