//! Traffic through memory that nobody sees is removed, before Cranelift optimises.
//!
//! Two components exchange records through memory: the callee stores its result, the adapter copies
//! it, the caller loads it. Once all of them are one function, a store and the loads of what it has
//! stored stand side by side. Cranelift's own passes remember only the last store of each region and
//! stop at whatever may trap, so they leave most of that in place.
//!
//! - `address` says which bytes an access touches, `effects` what an instruction does to memory.
//! - `forward` replaces loads by what was stored, and takes down what is left as `events`.
//! - `dead_stores` removes stores that nothing reads; `spans` are its sets.
//! - `blocks` reads past copies of blocks that the adapters of a chain make; `block_calls` finds them.
//! - `flow` is what holds where, for both walks from the top.
//! - `products` has nothing to do with memory, but with the processor: it finds multiplications that
//!   need less.
//! - `long_loads`, `long_params` and `loop_exits` come behind Cranelift's optimiser: they know its code generator.
//!
//! `forward` and `dead_stores` need the regions of `regions`: bytes of one region are not reached
//! through another.

mod address;
mod block_calls;
mod blocks;
mod dead_stores;
mod effects;
mod events;
mod flow;
mod forward;
mod long_loads;
mod long_params;
mod loop_exits;
mod products;
mod spans;

pub use effects::{Facts, Summaries, Touch, summarize};
pub use events::Events;
pub use products::narrow_products;

use crate::call_graph::main_func;
use crate::program::FuncId;
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::{Context, ir, settings};
use effects::has_native_callers;
use target_lexicon::Architecture;

/// Removes loads and stores from the context's function.
///
/// `has_copies` says that something was inlined into it; `events` is working memory.
pub fn remove_memory_traffic(
    facts: Facts<'_>,
    id: FuncId,
    has_copies: bool,
    context: &mut Context,
    events: &mut Events,
) {
    let env = facts.env;
    let is_optimised = env.isa.flags().opt_level() != settings::OptLevel::None;
    if !is_optimised || !has_accesses(&context.func) {
        return;
    }
    context.compute_cfg();
    context.compute_domtree();
    context.eliminate_unreachable_code(env.isa).expect("the function is well formed");
    if has_copies {
        // What inlining leaves: results and parameters of blocks with one predecessor. Translating
        // makes hardly any, and Cranelift looks for them too, but later.
        context.remove_constant_phis(env.isa).expect("the function is well formed");
    }
    let Context { func, cfg, domtree, .. } = context;
    events.clear();
    let mut is_changed = forward::forward_stores(facts, func, cfg, domtree, events);
    // Pointers and lengths in result areas are known by now.
    if blocks::read_past_copies(facts, func, cfg, domtree) {
        // The calls touch other memories than before, and some have become loads and stores.
        events.clear();
        forward::forward_stores(facts, func, cfg, domtree, events);
        is_changed = true;
    }
    // A script goes on after a trap and looks at what the memory then holds.
    let traps_are_final = env.program.actions.is_empty();
    if traps_are_final {
        // What native code calls may run after `wasmelt_main`, and then the memories are still there.
        let is_end = id == main_func(env.program) && !has_native_callers(env.program);
        let mut input = dead_stores::Input { func, cfg, domtree, is_end };
        dead_stores::remove_dead_stores(&mut input, events, is_changed);
    }
}

/// Prepares what Cranelift has optimised for its code generator.
pub fn finish_optimising(isa: &dyn TargetIsa, context: &mut Context) {
    if isa.flags().opt_level() == settings::OptLevel::None {
        return;
    }
    long_loads::lengthen_loads(&mut context.func);
    if matches!(isa.triple().architecture, Architecture::X86_64) {
        long_params::lengthen_params(context);
        loop_exits::split_at_loop_exits(context);
    }
}

fn has_accesses(func: &ir::Function) -> bool {
    let mut insts = func.layout.blocks().flat_map(|block| func.layout.block_insts(block));
    insts.any(|inst| {
        let opcode = func.dfg.insts[inst].opcode();
        opcode.can_load() || opcode.can_store()
    })
}
