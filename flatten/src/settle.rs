//! Active segments: the first contents of a memory or a table, or a step that runs.
//!
//! A segment becomes part of its target's image if nobody can tell the
//! difference: it fits, no code that ran since the target exists can use it, and no
//! segment before it on the same target is a step. Code that ran is what the start
//! functions before it can reach. This matters: wit-component's
//! indirection module has its table filled by a module that is instantiated last,
//! and calls through that table are direct calls only if that is an image.

use crate::Observer;
use crate::program::{ConstValue, Data, FuncKind, InitStep, Memory, MemoryId, Program, TableId};
use crate::reach::Reach;
use crate::state::{Existing, Init};
use cranelift_entity::{EntityRef, EntitySet};
use std::collections::BTreeMap;

/// Decides for every active segment. Reaches what the start functions reach.
pub(crate) fn settle_segments(
    program: &mut Program,
    inits: &[Init],
    reach: &mut Reach,
    observer: Observer,
) {
    for init in inits {
        let FuncKind::Init(steps) = &mut program.funcs[init.func].kind else {
            unreachable!("{} was made as an init function", init.func)
        };
        let steps = std::mem::take(steps);
        let kept = settle_steps(program, init, steps, reach, observer);
        program.funcs[init.func].kind = FuncKind::Init(kept);
    }
    for (id, table) in program.tables.iter_mut() {
        if reach.tables[id].is_frozen() {
            normalize_image(&mut table.image);
        }
    }
    let idle = |program: &Program, init| matches!(&program.funcs[init].kind, FuncKind::Init(steps) if steps.is_empty());
    program.init = program.init.filter(|init| !idle(program, *init));
    let scripted = inits.iter().map(|init| init.func).filter(|_| observer == Observer::Script);
    reach.reach_from(program, program.init.into_iter().chain(scripted));
}

/// Returns the steps that have to run.
fn settle_steps(
    program: &mut Program,
    init: &Init,
    steps: Vec<InitStep>,
    reach: &mut Reach,
    observer: Observer,
) -> Vec<InitStep> {
    let mut kept = Vec::new();
    let mut calls = init.calls.iter();
    // What existed when code ran last: what is newer, no code can have used.
    let mut seen = Existing { memories: 0, tables: 0 };
    let mut late_memories: EntitySet<MemoryId> = EntitySet::new();
    // After a step that may trap, a script can see that later ones did not happen.
    let mut may_have_trapped = false;
    for step in steps {
        let is_early = match &step {
            InitStep::Call(func) => {
                reach.reach_from(program, [*func]);
                seen = *calls.next().expect("what existed is noted for every call");
                false
            }
            InitStep::InitMemory { memory, offset, data } => {
                let is_used = memory.index() < seen.memories && reach.memories.contains(*memory);
                let unseen = memory.index() >= init.from.memories
                    && !is_used
                    && !late_memories.contains(*memory);
                let fits = memory_fits(&program.memories[*memory], *offset, &program.data[*data]);
                let early = unseen && fits && !may_have_trapped;
                if early {
                    add_to_memory(program, &step);
                } else {
                    late_memories.insert(*memory);
                }
                early
            }
            InitStep::InitTable { table, offset, elem } => {
                let is_used = table.index() < seen.tables && reach.tables[*table].accessed;
                let early = table.index() >= init.from.tables
                    && !is_used
                    && !reach.tables[*table].filled_late
                    && table_fits(program, *table, *offset, program.elems[*elem].items.len())
                    && !may_have_trapped;
                if early {
                    add_to_table(program, &step);
                } else {
                    reach.fill_late(program, *table);
                }
                early
            }
            InitStep::RequireMemory { .. } | InitStep::RequireTable { .. } => false,
        };
        if !is_early {
            may_have_trapped |= observer == Observer::Script;
            kept.push(step);
        }
    }
    use_late_segments(&kept, reach);
    kept
}

/// A late segment uses its target; not before, or it would keep earlier segments from it.
fn use_late_segments(kept: &[InitStep], reach: &mut Reach) {
    for step in kept {
        match step {
            InitStep::InitMemory { memory, data, .. } => {
                reach.memories.insert(*memory);
                reach.data.insert(*data);
            }
            InitStep::InitTable { elem, .. } => {
                reach.elems.insert(*elem);
            }
            InitStep::RequireMemory { memory, .. } => {
                reach.memories.insert(*memory);
            }
            InitStep::RequireTable { table, .. } => reach.tables[*table].accessed = true,
            InitStep::Call(_) => {}
        }
    }
}

fn add_to_memory(program: &mut Program, step: &InitStep) {
    if let InitStep::InitMemory { memory, offset, data } = step {
        let bytes = program.data[*data].bytes.clone();
        if !bytes.range.is_empty() {
            program.memories[*memory].image.push((*offset, bytes));
        }
    }
}

fn add_to_table(program: &mut Program, step: &InitStep) {
    if let InitStep::InitTable { table, offset, elem } = step {
        let items = program.elems[*elem].items.clone();
        if !items.is_empty() {
            program.tables[*table].image.push((*offset, items));
        }
    }
}

/// Whether a segment fits the memory as it is at first; it never shrinks.
fn memory_fits(memory: &Memory, offset: u64, data: &Data) -> bool {
    let size = u128::from(memory.ty.min_pages) << memory.ty.page_size_log2;
    u128::from(offset) + data.bytes.range.len() as u128 <= size
}

fn table_fits(program: &Program, table: TableId, offset: u64, len: usize) -> bool {
    u128::from(offset) + len as u128 <= u128::from(program.tables[table].ty.min)
}

/// Makes an image's runs ascend without overlap, a later one having won.
fn normalize_image(image: &mut Vec<(u64, Vec<ConstValue>)>) {
    let ascends = image.windows(2).all(|pair| pair[0].0 + pair[0].1.len() as u64 <= pair[1].0);
    if ascends {
        return;
    }
    let mut elements: BTreeMap<u64, ConstValue> = BTreeMap::new();
    for (start, items) in image.drain(..) {
        elements.extend((start..).zip(items));
    }
    for (at, value) in elements {
        match image.last_mut() {
            Some((start, run)) if *start + run.len() as u64 == at => run.push(value),
            _ => image.push((at, vec![value])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_run_wins() {
        let run = |start: u64, values: &[i32]| {
            (start, values.iter().map(|value| ConstValue::I32(*value)).collect::<Vec<_>>())
        };
        let mut image = vec![run(4, &[1, 2, 3]), run(0, &[9]), run(5, &[7])];
        normalize_image(&mut image);
        assert_eq!(image, [run(0, &[9]), run(4, &[1, 7, 3])]);
    }
}
