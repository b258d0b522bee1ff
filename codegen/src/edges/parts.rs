//! What of a function's code stems from which adapter.
//!
//! Every instruction has a place (`places`), which survives inlining and optimisation. So the
//! finished CLIF says which stores and calls of an adapter are left wherever it went, and the
//! machine code which of its checks. What the optimiser derives from instructions of two places
//! counts for the one whose instruction it replaces.

use super::count::find_insts;
use crate::emit::{CodeTrap, Target, find_target};
use crate::env::Env;
use crate::memory::constant_of;
use crate::places::Places;
use crate::program::{FuncId, FuncKind, Program};
use crate::regions::{Region, region_kind};
use crate::relax::Moves;
use cranelift_codegen::CompiledCode;
use cranelift_codegen::ir::{self, InstructionData, Opcode, SourceLoc};
use std::collections::BTreeMap;
use wasmelt_abi::trap::Trap;

/// What one function holds of an adapter: the sum over its copies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// How many copies of the adapter went into the function.
    pub copies: u32,
    /// Machine instructions; `None` where they cannot be counted.
    pub insts: Option<u32>,
    /// Bytes of machine code.
    pub code_bytes: u32,
    /// Bytes that are stored in memories of guests and of the host's side, outside of loops.
    pub stored_bytes: u32,
    /// Such bytes within loops over the elements of lists.
    pub element_bytes: u32,
    /// Direct calls.
    pub calls: BTreeMap<Target, u32>,
    /// Instructions that trap, by the code of their cause.
    pub checks: BTreeMap<u8, u32>,
}

impl Part {
    /// Adds bytes that a part of the adapter stores: 0 is what runs once per call.
    fn add_stored(&mut self, part_number: u32, bytes: u32) {
        match part_number {
            0 => self.stored_bytes = self.stored_bytes.saturating_add(bytes),
            _ => self.element_bytes = self.element_bytes.saturating_add(bytes),
        }
    }

    /// Adds what another function holds.
    pub fn add(&mut self, other: &Part) {
        self.copies += other.copies;
        self.insts = match (self.insts, other.insts) {
            (Some(one), Some(two)) => Some(one + two),
            (one, two) => one.or(two),
        };
        self.code_bytes += other.code_bytes;
        self.stored_bytes += other.stored_bytes;
        self.element_bytes += other.element_bytes;
        for (target, count) in &other.calls {
            *self.calls.entry(*target).or_default() += count;
        }
        for (cause, count) in &other.checks {
            *self.checks.entry(*cause).or_default() += count;
        }
    }
}

/// What a function holds of each adapter and built-in.
pub type Parts = BTreeMap<FuncId, Part>;

/// Whether reports tell what is left of a function.
pub fn is_reported(program: &Program, func: FuncId) -> bool {
    let kind = program.funcs.get(func).map(|func| &func.kind);
    matches!(kind, Some(FuncKind::Adapter(_) | FuncKind::Resource { .. }))
}

/// What a finished function holds. `func` is its optimised CLIF, `compiled` its machine code, whose
/// bytes have been moved.
pub fn collect_parts(
    env: Env<'_>,
    places: &Places,
    func: &ir::Function,
    (compiled, moves): (&CompiledCode, &Moves),
    traps: &[CodeTrap],
) -> Parts {
    let mut parts = collect_clif(env, func, |location| places.find_part(location));
    for trap in traps {
        if let (Some(cause), Some(place)) = (trap.cause, trap.place)
            && cause != Trap::StackOverflow
        {
            *parts.entry(place.func).or_default().checks.entry(cause as u8).or_default() += 1;
        }
    }
    let code = compiled.buffer.data();
    let insts = find_insts(env.isa.triple().architecture, code, &compiled.bb_starts);
    for range in compiled.buffer.get_srclocs_sorted() {
        let Some((func, _)) = places.find_part(range.loc) else { continue };
        let part = parts.entry(func).or_default();
        part.code_bytes += moves.find_end(range.end) - moves.find(range.start);
        if let Some(insts) = &insts {
            let first = insts.partition_point(|at| *at < range.start);
            let behind = insts.partition_point(|at| *at < range.end);
            *part.insts.get_or_insert(0) += (behind - first) as u32;
        }
    }
    parts.retain(|func, _| is_reported(env.program, *func));
    parts
}

/// What an adapter's own CLIF holds before anything is inlined or optimised.
pub fn collect_generated(env: Env<'_>, func: FuncId, clif: &ir::Function) -> Part {
    // Its locations are not numbered yet: 0 or that of its loops.
    let find = |location: SourceLoc| Some((func, u32::from(!location.is_default())));
    let mut part = collect_clif(env, clif, find).remove(&func).unwrap_or_default();
    for block in clif.layout.blocks() {
        for inst in clif.layout.block_insts(block) {
            if let Some(code) = clif.dfg.insts[inst].trap_code()
                && let Some(cause) = crate::emit::trap_cause(code)
            {
                *part.checks.entry(cause as u8).or_default() += 1;
            }
        }
    }
    part
}

fn collect_clif(
    env: Env<'_>,
    func: &ir::Function,
    find_part: impl Fn(SourceLoc) -> Option<(FuncId, u32)>,
) -> Parts {
    let mut parts = Parts::new();
    for block in func.layout.blocks() {
        for inst in func.layout.block_insts(block) {
            let Some((of, part_number)) = find_part(func.srcloc(inst)) else { continue };
            match &func.dfg.insts[inst] {
                InstructionData::Call { func_ref, .. } => {
                    let name = &func.dfg.ext_funcs[*func_ref].name;
                    let target = find_target(name, func.params.user_named_funcs());
                    let part = parts.entry(of).or_default();
                    match block_bytes(env, func, inst, target) {
                        Some(bytes) => part.add_stored(part_number, bytes),
                        None => *part.calls.entry(target).or_default() += 1,
                    }
                }
                InstructionData::Store { opcode, args, .. } if is_copy(func, inst) => {
                    let bytes = stored_bytes(func, *opcode, args[0]);
                    parts.entry(of).or_default().add_stored(part_number, bytes);
                }
                _ => {}
            }
        }
    }
    parts
}

/// How many bytes a call copies, if it is one of `memcpy` and that is known.
fn block_bytes(env: Env<'_>, func: &ir::Function, inst: ir::Inst, target: Target) -> Option<u32> {
    let Target::Symbol(symbol) = target else { return None };
    if env.symbol_name(symbol) != "memcpy" {
        return None;
    }
    let len = func.dfg.inst_args(inst).get(2)?;
    let len = constant_of(func, func.dfg.resolve_aliases(*len))?;
    u32::try_from(len).ok()
}

/// Whether a store puts a value where another component or the host finds it:
/// handle tables and flags are bookkeeping.
fn is_copy(func: &ir::Function, inst: ir::Inst) -> bool {
    let flags = func.dfg.insts[inst].memflags_data(&func.dfg);
    let region = flags.and_then(|flags| flags.alias_region());
    let region = region.map(|region| region_kind(func, region));
    matches!(region, Some(Region::Memory(_) | Region::Native))
}

fn stored_bytes(func: &ir::Function, opcode: Opcode, value: ir::Value) -> u32 {
    match opcode {
        Opcode::Istore8 => 1,
        Opcode::Istore16 => 2,
        Opcode::Istore32 => 4,
        _ => func.dfg.value_type(value).bytes(),
    }
}
