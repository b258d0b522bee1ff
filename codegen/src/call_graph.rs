//! Who calls whom, and in which order to compile: callees first.
//!
//! A stratum holds functions none of which calls another of the same or a later
//! stratum, except in a cycle. So all functions of a stratum can be compiled at the
//! same time, with the finished bodies of all earlier strata at hand.

use crate::layout::Layout;
use crate::module::IndirectCall;
use crate::program::{Action, ConstValue, FuncId, FuncKind, Program};
use crate::table_facts::accepted_types;
use cranelift_entity::{EntityRef, SecondaryMap};

/// The call graph of everything that is compiled.
#[derive(Clone, Debug, Default)]
pub struct CallGraph {
    /// Whom each function calls directly, each once.
    pub callees: SecondaryMap<FuncId, Vec<FuncId>>,
    /// How many functions call each directly.
    pub callers: SecondaryMap<FuncId, u32>,
    /// Whether a function is called or referred to other than by direct calls.
    pub is_root: SecondaryMap<FuncId, bool>,
    /// Whether a function can call itself, by whatever detour of direct calls.
    pub is_recursive: SecondaryMap<FuncId, bool>,
    /// The functions in the order of compilation.
    pub strata: Vec<Vec<FuncId>>,
}

/// The id of `wasmelt_main`, which is no function of the program: one behind the last.
pub fn main_func(program: &Program) -> FuncId {
    FuncId::new(program.funcs.len())
}

/// Builds the graph of what `wasmelt_main`, exports and references reach. Functions that have the
/// code of another are not in it.
pub fn build_call_graph(program: &Program, layout: &Layout) -> CallGraph {
    let main = main_func(program);
    let mut graph = CallGraph::default();
    let roots = root_funcs(program).chain(std::iter::once(main));
    let roots: Vec<FuncId> = roots.map(|func| layout.folding.code_of(func)).collect();
    let mut nodes = Vec::new();
    let mut work = Vec::new();
    for root in roots {
        if !std::mem::replace(&mut graph.is_root[root], true) {
            work.push(root);
        }
    }
    let mut seen = graph.is_root.clone();
    while let Some(func) = work.pop() {
        nodes.push(func);
        let mut callees = match func == main {
            true => main_callees(program),
            false => wasmelt_flatten::callees(program, func),
        };
        callees.extend(sole_callees(program, layout, func));
        callees.iter_mut().for_each(|callee| *callee = layout.folding.code_of(*callee));
        callees.sort_unstable();
        callees.dedup();
        for callee in &callees {
            graph.callers[*callee] += 1;
            if !std::mem::replace(&mut seen[*callee], true) {
                work.push(*callee);
            }
        }
        graph.callees[func] = callees;
    }
    nodes.sort_unstable();
    assign_strata(&mut graph, &nodes);
    graph
}

/// The functions of the program that are called or referred to other than by direct calls, some of
/// them more than once.
pub fn root_funcs(program: &Program) -> impl Iterator<Item = FuncId> {
    let referenced = program.funcs.iter().filter(|(_, func)| func.live && func.referenced);
    let resources = program.interface.resources.iter();
    referenced
        .map(|(id, _)| id)
        .chain(frozen_elements(program))
        .chain(program.exports.iter().map(|export| export.func))
        .chain(resources.filter_map(|resource| resource.drop))
        .chain(program.actions.iter().flat_map(action_funcs))
}

/// What the indirect calls of a function call that can call one function only.
fn sole_callees(program: &Program, layout: &Layout, func: FuncId) -> Vec<FuncId> {
    let Some(FuncKind::Wasm { instance, body }) = program.funcs.get(func).map(|it| &it.kind) else {
        return Vec::new();
    };
    let instance = &program.core_instances[*instance];
    let module = &program.modules[instance.module];
    let calls = module.bodies[*body as usize].summary.indirect_calls.iter();
    let calls = calls.filter(|call| call.element.is_none());
    let find_callee = |call: &IndirectCall| {
        let table = instance.tables[call.table as usize];
        let accepted = accepted_types(program, module.types[call.ty as usize]);
        layout.table_facts[table].only_callee(program, &accepted)
    };
    calls.filter_map(find_callee).collect()
}

fn main_callees(program: &Program) -> Vec<FuncId> {
    program.init.into_iter().chain(program.entry).collect()
}

/// Functions that the driver of a script calls by their addresses.
fn action_funcs(action: &Action) -> Vec<FuncId> {
    match action {
        Action::Call { func, trampoline, .. } | Action::CallComponent { func, trampoline, .. } => {
            vec![*func, *trampoline]
        }
        Action::Get(_) => Vec::new(),
    }
}

/// Functions that a frozen table holds: the table's code addresses refer to them.
fn frozen_elements(program: &Program) -> impl Iterator<Item = FuncId> {
    let tables = program.tables.values().filter(|table| table.live && table.frozen);
    let values = tables.flat_map(|table| {
        let image = table.image.iter().flat_map(|(_, values)| values.iter().copied());
        image.chain(std::iter::once(table.init))
    });
    let funcs = values.filter_map(|value| match value {
        ConstValue::Func(func) => Some(func),
        _ => None,
    });
    funcs.filter(|func| program.funcs[*func].live)
}

/// A function that the search has entered and not yet left.
struct Frame {
    func: FuncId,
    next_callee: usize,
}

/// What the search for cycles knows: Tarjan's algorithm, its stack on the heap.
#[derive(Default)]
struct Search {
    /// In which order functions were entered, from 1; 0 is not yet.
    order: SecondaryMap<FuncId, u32>,
    /// The earliest function on the path that each reaches.
    low: SecondaryMap<FuncId, u32>,
    /// Entered functions whose cycle is not complete yet.
    open: Vec<FuncId>,
    entered: u32,
    /// The number of each finished function's cycle, from 1.
    cycle: SecondaryMap<FuncId, u32>,
    cycles: u32,
    /// The stratum of each finished function.
    stratum: SecondaryMap<FuncId, u32>,
}

fn assign_strata(graph: &mut CallGraph, nodes: &[FuncId]) {
    let mut search = Search::default();
    let mut frames = Vec::new();
    for node in nodes {
        if search.order[*node] == 0 {
            frames.push(search.enter(*node));
        }
        while let Some(frame) = frames.last_mut() {
            let func = frame.func;
            if let Some(callee) = graph.callees[func].get(frame.next_callee).copied() {
                frame.next_callee += 1;
                if search.order[callee] == 0 {
                    frames.push(search.enter(callee));
                } else if search.cycle[callee] == 0 {
                    search.low[func] = search.low[func].min(search.order[callee]);
                }
                continue;
            }
            frames.pop();
            if let Some(parent) = frames.last() {
                search.low[parent.func] = search.low[parent.func].min(search.low[func]);
            }
            if search.low[func] == search.order[func] {
                search.close_cycle(graph, func);
            }
        }
    }
    for node in nodes {
        let stratum = search.stratum[*node] as usize;
        if graph.strata.len() <= stratum {
            graph.strata.resize(stratum + 1, Vec::new());
        }
        graph.strata[stratum].push(*node);
    }
}

impl Search {
    fn enter(&mut self, func: FuncId) -> Frame {
        self.entered += 1;
        self.order[func] = self.entered;
        self.low[func] = self.entered;
        self.open.push(func);
        Frame { func, next_callee: 0 }
    }

    /// Finishes the cycle that was entered through `first`: one function, if it is in no cycle.
    fn close_cycle(&mut self, graph: &mut CallGraph, first: FuncId) {
        let start = self.open.iter().rposition(|func| *func == first);
        let members = self.open.split_off(start.expect("the first of a cycle is still open"));
        self.cycles += 1;
        members.iter().for_each(|member| self.cycle[*member] = self.cycles);
        let mut stratum = 0;
        for member in &members {
            for callee in &graph.callees[*member] {
                if self.cycle[*callee] == self.cycles {
                    graph.is_recursive[*member] = true;
                } else {
                    stratum = stratum.max(self.stratum[*callee] + 1);
                }
            }
        }
        members.iter().for_each(|member| self.stratum[*member] = stratum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The strata of functions given by their callees.
    fn strata(callees: &[&[u32]]) -> (Vec<Vec<u32>>, Vec<u32>) {
        let mut graph = CallGraph::default();
        let nodes: Vec<FuncId> = (0..callees.len()).map(FuncId::new).collect();
        for (node, callees) in nodes.iter().zip(callees) {
            graph.callees[*node] = callees.iter().map(|callee| FuncId::from_u32(*callee)).collect();
        }
        assign_strata(&mut graph, &nodes);
        let numbers = |funcs: &Vec<FuncId>| funcs.iter().map(|func| func.as_u32()).collect();
        let recursive = nodes.iter().filter(|node| graph.is_recursive[**node]);
        (graph.strata.iter().map(numbers).collect(), recursive.map(|func| func.as_u32()).collect())
    }

    #[test]
    fn callees_come_first() {
        let (strata, recursive) = strata(&[&[1, 2], &[2], &[], &[]]);
        assert_eq!(strata, [vec![2, 3], vec![1], vec![0]]);
        assert!(recursive.is_empty(), "{recursive:?}");
    }

    #[test]
    fn a_cycle_is_one_stratum() {
        // 0 -> 1 <-> 2 -> 3 -> 3
        let (strata, recursive) = strata(&[&[1], &[2], &[1, 3], &[3]]);
        assert_eq!(strata, [vec![3], vec![1, 2], vec![0]]);
        assert_eq!(recursive, [1, 2, 3]);
    }

    #[test]
    fn two_cycles_through_one_function_are_one() {
        let (strata, recursive) = strata(&[&[1, 2], &[0], &[0, 3], &[]]);
        assert_eq!(strata, [vec![3], vec![0, 1, 2]]);
        assert_eq!(recursive, [0, 1, 2]);
    }

    #[test]
    fn a_deep_chain_does_not_recurse() {
        let count = 100_000u32;
        let lists: Vec<Vec<u32>> = (0..count).map(|at| vec![(at + 1).min(count - 1)]).collect();
        let lists: Vec<&[u32]> = lists.iter().map(Vec::as_slice).collect();
        let (strata, recursive) = strata(&lists);
        assert_eq!(strata.len(), count as usize);
        assert_eq!(recursive, [count - 1]);
    }
}
