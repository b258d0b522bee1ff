//! The guards of component instances: where they can be observed at all.
//!
//! `CanonicalABI.md` keeps two flags per component instance. *May leave* is off
//! while a `realloc` or a `post-return` runs; only a built-in or a lowered import
//! looks at it, so it is left out where no such function can reach one. *May
//! enter* is off while a call of the instance is active; only another call into it
//! looks at it, so it is left out where the calls between component instances form
//! no cycle through it.

use crate::Observer;
use crate::callgraph::{constant_callee, destructor, supertypes};
use crate::program::{
    Adapter, ComponentInstanceId, CoreInstanceId, FuncId, FuncKind, Lift, Lower, Program,
    ResourceKind, ResourceOp, TableId,
};
use crate::reach::Reach;
use crate::types::CoreTypeId;
use cranelift_entity::{EntityRef, SecondaryMap};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Decides which guards are needed. After a trap, which a script can survive, an instance must
/// not be entered again: then every one needs its flag.
pub(crate) fn elide_guards(program: &mut Program, reach: &Reach, observer: Observer) {
    let calls = Calls::new(program, reach);
    let mut leaves = Vec::new();
    for (instance, roots) in restricted_funcs(program) {
        if calls.may_leave(program, instance, roots) {
            leaves.push(instance);
        }
    }
    for instance in leaves {
        program.component_instances[instance].needs_may_leave = true;
    }
    let cyclic = on_cycles(&instance_graph(program));
    for (id, component) in program.component_instances.iter_mut() {
        component.needs_may_enter = observer == Observer::Script || cyclic[id];
    }
}

/// The functions of each component instance that run while it must not leave.
fn restricted_funcs(program: &Program) -> BTreeMap<ComponentInstanceId, Vec<FuncId>> {
    let mut restricted: BTreeMap<ComponentInstanceId, Vec<FuncId>> = BTreeMap::new();
    for func in program.funcs.values().filter(|func| func.live) {
        let FuncKind::Adapter(Adapter { lower, lift, .. }) = &func.kind else { continue };
        if let Lower::Guest { instance, options } = lower {
            restricted.entry(*instance).or_default().extend(options.realloc);
        }
        if let Lift::Guest { instance, options, .. } = lift {
            let funcs = options.realloc.into_iter().chain(options.post_return);
            restricted.entry(*instance).or_default().extend(funcs);
        }
    }
    restricted
}

/// The call graph including calls through tables and references.
struct Calls<'a> {
    reach: &'a Reach,
    /// The functions to which references exist, by their type and each of its supertypes.
    referenced: HashMap<CoreTypeId, Vec<FuncId>>,
}

impl<'a> Calls<'a> {
    fn new(program: &Program, reach: &'a Reach) -> Calls<'a> {
        let mut referenced: HashMap<CoreTypeId, Vec<FuncId>> = HashMap::new();
        for func in reach.referenced.keys() {
            for ty in supertypes(program, program.funcs[func].ty) {
                referenced.entry(ty).or_default().push(func);
            }
        }
        Calls { reach, referenced }
    }

    /// Whether one of these functions can reach what looks at the instance's may-leave flag. All
    /// that core functions of a component instance call without leaving it is its own: core
    /// functions and references do not cross component boundaries.
    fn may_leave(
        &self,
        program: &Program,
        component: ComponentInstanceId,
        mut stack: Vec<FuncId>,
    ) -> bool {
        let mut seen: HashSet<FuncId> = HashSet::new();
        while let Some(id) = stack.pop() {
            if program.funcs[id].component != Some(component) || !seen.insert(id) {
                continue;
            }
            match &program.funcs[id].kind {
                FuncKind::Adapter(_) | FuncKind::Missing(_) => return true,
                FuncKind::Resource { op, .. } if *op != ResourceOp::Rep => return true,
                FuncKind::Wasm { instance, body } => {
                    self.push_callees(program, *instance, *body, &mut stack);
                }
                // The host looks at no flags.
                FuncKind::HostCall { .. } => {}
                FuncKind::Resource { .. }
                | FuncKind::Cell { .. }
                | FuncKind::Init(_)
                | FuncKind::Export { .. }
                | FuncKind::Trampoline => {}
            }
        }
        false
    }

    fn push_callees(
        &self,
        program: &Program,
        instance: CoreInstanceId,
        body: u32,
        stack: &mut Vec<FuncId>,
    ) {
        let instance = &program.core_instances[instance];
        let module = &program.modules[instance.module];
        let summary = &module.bodies[body as usize].summary;
        stack.extend(summary.calls.iter().map(|index| instance.funcs[*index as usize]));
        for call in &summary.indirect_calls {
            let table = instance.tables[call.table as usize];
            let ty = module.types[call.ty as usize];
            match call.element {
                Some(element) if program.tables[table].frozen => {
                    let table = &program.tables[table];
                    stack.extend(constant_callee(program, table, u64::from(element), ty));
                }
                _ => self.push_held(table, ty, stack),
            }
        }
        for ty in &summary.call_refs {
            self.push_referenced(module.types[*ty as usize], stack);
        }
    }

    fn push_held(&self, table: TableId, ty: CoreTypeId, stack: &mut Vec<FuncId>) {
        stack.extend(self.reach.held(table, ty));
        if self.reach.tables[table].written {
            self.push_referenced(ty, stack);
        }
    }

    fn push_referenced(&self, ty: CoreTypeId, stack: &mut Vec<FuncId>) {
        stack.extend(self.referenced.get(&ty).into_iter().flatten());
    }
}

/// Which component instance's functions can call into which others.
type InstanceGraph = SecondaryMap<ComponentInstanceId, Vec<ComponentInstanceId>>;

fn instance_graph(program: &Program) -> InstanceGraph {
    let mut graph = InstanceGraph::new();
    graph.resize(program.component_instances.len());
    for func in program.funcs.values().filter(|func| func.live) {
        match &func.kind {
            FuncKind::Adapter(Adapter {
                lower: Lower::Guest { instance: from, .. },
                lift: Lift::Guest { instance: to, .. },
                ..
            }) => graph[*from].push(*to),
            FuncKind::Resource { op: ResourceOp::Drop, resource, instance } => {
                if destructor(program, *resource).is_some()
                    && let ResourceKind::Guest { instance: owner, .. } =
                        program.resources[*resource].kind
                    && owner != *instance
                {
                    graph[*instance].push(owner);
                }
            }
            _ => {}
        }
    }
    for edges in graph.values_mut() {
        edges.sort_unstable();
        edges.dedup();
    }
    graph
}

/// The nodes that lie on a cycle: Tarjan's strongly connected components, on a heap stack.
fn on_cycles(graph: &InstanceGraph) -> SecondaryMap<ComponentInstanceId, bool> {
    const UNSEEN: usize = usize::MAX;
    let len = graph.keys().count();
    let mut cyclic = SecondaryMap::new();
    cyclic.resize(len);
    let (mut order, mut low) = (vec![UNSEEN; len], vec![UNSEEN; len]);
    let (mut open, mut is_open) = (Vec::new(), vec![false; len]);
    let mut count = 0;
    for root in graph.keys() {
        if order[root.index()] != UNSEEN {
            continue;
        }
        let mut frames = vec![(root, 0)];
        while let Some((node, next)) = frames.last_mut() {
            let at = node.index();
            if *next == 0 {
                (order[at], low[at]) = (count, count);
                count += 1;
                open.push(*node);
                is_open[at] = true;
            }
            if let Some(to) = graph[*node].get(*next) {
                *next += 1;
                if to == node {
                    cyclic[*node] = true;
                }
                let to_at = to.index();
                if order[to_at] == UNSEEN {
                    frames.push((*to, 0));
                } else if is_open[to_at] {
                    low[at] = low[at].min(order[to_at]);
                }
                continue;
            }
            if low[at] == order[at] {
                let first = open.iter().rposition(|open| open == node);
                let members = open.split_off(first.expect("a node stays open until it is closed"));
                for member in &members {
                    is_open[member.index()] = false;
                    cyclic[*member] |= members.len() > 1;
                }
            }
            let closed = low[at];
            frames.pop();
            if let Some((below, _)) = frames.last() {
                low[below.index()] = low[below.index()].min(closed);
            }
        }
    }
    cyclic
}
