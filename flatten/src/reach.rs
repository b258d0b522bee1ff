//! What can run: a worklist from the roots, over calls that grow as more is found.
//!
//! In the manner of rapid type analysis: an indirect call reaches the functions of
//! its type that its table can hold, an indirect call at a constant index only
//! that element's function. The latter is assumed at first and taken back once
//! something is found that can change the table. Everything only grows, so the
//! whole is linear in the program, and can be continued with further roots.
//!
//! A function to which code holds a reference (`ref.func`, `table.get`, a passive
//! segment it names, a global it reads) is taken to be called.

use crate::callgraph::{adapter_callees, destructor, supertypes};
use crate::error::Result;
use crate::host::{Host, missing_error};
use crate::link_core::is_subtype;
use crate::program::{
    Action, Adapter, Argument, ComponentInstanceId, ConstValue, CoreInstanceId, DataId, ElemId,
    FuncId, FuncKind, GlobalId, InitStep, Lift, MemoryId, Program, ResourceOp, TableId,
};
use crate::types::CoreTypeId;
use cranelift_entity::packed_option::PackedOption;
use cranelift_entity::{EntitySet, SecondaryMap};
use std::collections::{HashMap, VecDeque};

/// What was found to be reachable so far.
#[derive(Default)]
pub(crate) struct Reach {
    pub(crate) funcs: EntitySet<FuncId>,
    /// Functions to which code can hold a reference.
    pub(crate) referenced: EntitySet<FuncId>,
    pub(crate) memories: EntitySet<MemoryId>,
    pub(crate) memories_grown: EntitySet<MemoryId>,
    pub(crate) tables: SecondaryMap<TableId, TableUse>,
    pub(crate) globals_read: EntitySet<GlobalId>,
    pub(crate) globals_written: EntitySet<GlobalId>,
    pub(crate) data: EntitySet<DataId>,
    pub(crate) elems: EntitySet<ElemId>,
    /// The functions of a type (or of one below it) that a table can hold.
    holds: HashMap<(TableId, CoreTypeId), Holds>,
    /// The caller through which each function was found first.
    found_by: SecondaryMap<FuncId, PackedOption<FuncId>>,
    queue: VecDeque<FuncId>,
    /// Missing functions, in the order in which they were found.
    missing: Vec<FuncId>,
    /// The functions that call host functions, in the order in which they were found.
    host_callers: Vec<FuncId>,
}

/// How a table is used.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableUse {
    /// Whether anything uses it.
    pub(crate) accessed: bool,
    /// Whether code takes references out of it.
    pub(crate) read: bool,
    /// Whether code changes it.
    pub(crate) written: bool,
    /// Whether an active segment fills it while code may already use it.
    pub(crate) filled_late: bool,
    /// The active segments that fill it, in order.
    segments: Vec<(u64, ElemId)>,
    /// Calls at constant indices: taken back when the table proves changeable.
    constant_calls: Vec<(FuncId, CoreTypeId)>,
}

impl TableUse {
    /// Whether its contents are known once its segments are in place.
    pub(crate) fn is_frozen(&self) -> bool {
        !self.written && !self.filled_late
    }
}

/// What a table holds of a type.
#[derive(Default)]
struct Holds {
    /// Whether anything calls through that table with that type.
    called: bool,
    funcs: Vec<FuncId>,
}

impl Reach {
    /// Starts with nothing reached; notes what the active segments put into tables.
    pub(crate) fn new(program: &Program) -> Reach {
        let mut reach = Reach::default();
        for func in program.funcs.values() {
            let FuncKind::Init(steps) = &func.kind else { continue };
            for step in steps {
                if let InitStep::InitTable { table, offset, elem } = step {
                    reach.tables[*table].segments.push((*offset, *elem));
                    for item in &program.elems[*elem].items {
                        reach.hold(program, *table, *item);
                    }
                }
            }
        }
        for (id, table) in &program.tables {
            reach.hold(program, id, table.init);
        }
        reach
    }

    fn hold(&mut self, program: &Program, table: TableId, value: ConstValue) {
        if let ConstValue::Func(func) = value {
            for ty in supertypes(program, program.funcs[func].ty) {
                self.holds.entry((table, ty)).or_default().funcs.push(func);
            }
        }
    }

    /// Reaches everything from these functions, which nothing calls.
    pub(crate) fn reach_from(
        &mut self,
        program: &Program,
        roots: impl IntoIterator<Item = FuncId>,
    ) {
        for root in roots {
            self.reach_func(None.into(), root);
        }
        self.work_off_queue(program);
    }

    /// Reaches what a script does.
    pub(crate) fn reach_actions(&mut self, program: &Program) {
        for action in &program.actions {
            match action {
                Action::Call { func, trampoline, args } => {
                    for arg in args {
                        if let Argument::Value(value) = arg {
                            self.refer(None.into(), *value);
                        }
                    }
                    self.reach_from(program, [*func, *trampoline]);
                }
                Action::CallComponent { func, trampoline, .. } => {
                    self.reach_from(program, [*func, *trampoline]);
                }
                Action::Get(global) => {
                    self.globals_read.insert(*global);
                    self.refer(None.into(), program.globals[*global].init);
                }
            }
        }
        self.work_off_queue(program);
    }

    fn work_off_queue(&mut self, program: &Program) {
        while let Some(func) = self.queue.pop_front() {
            self.visit(program, func);
        }
    }

    /// An active segment fills that table while code may already use it.
    pub(crate) fn fill_late(&mut self, program: &Program, table: TableId) {
        self.tables[table].accessed = true;
        self.tables[table].filled_late = true;
        self.take_back_constant_calls(table);
        self.work_off_queue(program);
    }

    /// The functions that a call through that table with that type may reach, as far as the
    /// table's segments go.
    pub(crate) fn held(&self, table: TableId, ty: CoreTypeId) -> &[FuncId] {
        self.holds.get(&(table, ty)).map_or(&[], |holds| &holds.funcs)
    }

    fn reach_func(&mut self, caller: PackedOption<FuncId>, func: FuncId) {
        if self.funcs.insert(func) {
            self.found_by[func] = caller;
            self.queue.push_back(func);
        }
    }

    fn refer(&mut self, caller: PackedOption<FuncId>, value: ConstValue) {
        if let ConstValue::Func(func) = value {
            self.referenced.insert(func);
            self.reach_func(caller, func);
        }
    }

    fn visit(&mut self, program: &Program, id: FuncId) {
        match &program.funcs[id].kind {
            FuncKind::Wasm { instance, body } => self.visit_body(program, id, *instance, *body),
            FuncKind::Adapter(adapter) => {
                for callee in adapter_callees(adapter) {
                    self.reach_func(id.into(), callee);
                }
                let sides = [adapter.lower_options(), adapter.lift_options()];
                let memories = sides.into_iter().flatten().filter_map(|options| options.memory);
                self.memories.extend(memories);
                if matches!(adapter.lift, Lift::Host(_)) {
                    self.host_callers.push(id);
                }
            }
            FuncKind::Resource { op: ResourceOp::Drop, resource, .. } => {
                if let Some(dtor) = destructor(program, *resource) {
                    self.reach_func(id.into(), dtor);
                }
            }
            FuncKind::Export { callee: Some(callee), .. } => self.reach_func(id.into(), *callee),
            FuncKind::HostCall { memory, .. } => {
                self.memories.insert(*memory);
                self.host_callers.push(id);
            }
            FuncKind::Missing(_) => self.missing.push(id),
            FuncKind::Resource { .. }
            | FuncKind::Cell { .. }
            | FuncKind::Init(_)
            | FuncKind::Export { .. }
            | FuncKind::Trampoline => {}
        }
    }

    fn visit_body(&mut self, program: &Program, id: FuncId, instance: CoreInstanceId, body: u32) {
        let instance = &program.core_instances[instance];
        let module = &program.modules[instance.module];
        let summary = &module.bodies[body as usize].summary;
        for index in &summary.calls {
            self.reach_func(id.into(), instance.funcs[*index as usize]);
        }
        for index in &summary.ref_funcs {
            self.refer(id.into(), ConstValue::Func(instance.funcs[*index as usize]));
        }
        for call in &summary.indirect_calls {
            let table = instance.tables[call.table as usize];
            let ty = module.types[call.ty as usize];
            self.tables[table].accessed = true;
            match call.element {
                Some(element) if self.tables[table].is_frozen() => {
                    self.call_element(program, id, table, u64::from(element), ty);
                }
                _ => self.call_table(id, table, ty),
            }
        }
        for index in &summary.globals_read {
            let global = instance.globals[*index as usize];
            self.globals_read.insert(global);
            self.refer(id.into(), program.globals[global].init);
        }
        let globals = summary.globals_written.iter();
        self.globals_written.extend(globals.map(|index| instance.globals[*index as usize]));
        for index in &summary.tables_read {
            self.read_table(program, id, instance.tables[*index as usize]);
        }
        for index in &summary.tables_written {
            let table = instance.tables[*index as usize];
            self.tables[table].accessed = true;
            self.tables[table].written = true;
            self.take_back_constant_calls(table);
        }
        let memories = summary.memories.iter().chain(&summary.memories_written);
        self.memories.extend(memories.map(|index| instance.memories[*index as usize]));
        for index in &summary.memories_grown {
            let memory = instance.memories[*index as usize];
            self.memories.insert(memory);
            self.memories_grown.insert(memory);
        }
        self.data.extend(summary.data.iter().map(|index| instance.data[*index as usize]));
        for index in &summary.elems {
            let elem = instance.elems[*index as usize];
            if self.elems.insert(elem) && program.elems[elem].passive {
                for item in &program.elems[elem].items {
                    self.refer(id.into(), *item);
                }
            }
        }
    }

    /// A call of any element of a type.
    fn call_table(&mut self, caller: FuncId, table: TableId, ty: CoreTypeId) {
        let holds = self.holds.entry((table, ty)).or_default();
        if std::mem::replace(&mut holds.called, true) {
            return;
        }
        let funcs = std::mem::take(&mut holds.funcs);
        for func in &funcs {
            self.reach_func(caller.into(), *func);
        }
        self.holds.entry((table, ty)).or_default().funcs = funcs;
    }

    /// A call of one element, for as long as the table is taken to be frozen.
    fn call_element(
        &mut self,
        program: &Program,
        caller: FuncId,
        table: TableId,
        element: u64,
        ty: CoreTypeId,
    ) {
        let uses = &mut self.tables[table];
        uses.constant_calls.push((caller, ty));
        let held = uses.segments.iter().rev().find_map(|(start, elem)| {
            let at = usize::try_from(element.checked_sub(*start)?).ok()?;
            program.elems[*elem].items.get(at).copied()
        });
        if let ConstValue::Func(func) = held.unwrap_or(program.tables[table].init)
            && is_subtype(&program.core_types, program.funcs[func].ty, ty)
        {
            self.reach_func(caller.into(), func);
        }
    }

    fn take_back_constant_calls(&mut self, table: TableId) {
        for (caller, ty) in std::mem::take(&mut self.tables[table].constant_calls) {
            self.call_table(caller, table, ty);
        }
    }

    fn read_table(&mut self, program: &Program, reader: FuncId, table: TableId) {
        let uses = &mut self.tables[table];
        uses.accessed = true;
        if std::mem::replace(&mut uses.read, true) {
            return;
        }
        for (_, elem) in uses.segments.clone() {
            for item in &program.elems[elem].items {
                self.refer(reader.into(), *item);
            }
        }
        self.refer(reader.into(), program.tables[table].init);
    }

    /// The component instances through which a function was found, the nearest last.
    fn chain(&self, program: &Program, func: FuncId) -> Vec<ComponentInstanceId> {
        let mut chain: Vec<ComponentInstanceId> = Vec::new();
        let mut next: PackedOption<FuncId> = func.into();
        while let Some(func) = next.expand() {
            if let Some(component) = program.funcs[func].component
                && chain.last() != Some(&component)
            {
                chain.push(component);
            }
            next = self.found_by[func];
        }
        chain.reverse();
        chain
    }
}

/// Writes into the program what can run, and how each host function is reached.
pub(crate) fn mark_live(program: &mut Program, reach: &Reach) {
    for (id, func) in program.funcs.iter_mut() {
        func.live = reach.funcs.contains(id);
        func.referenced = reach.referenced.contains(id);
    }
    for (id, memory) in program.memories.iter_mut() {
        memory.live = reach.memories.contains(id);
        memory.grows = reach.memories_grown.contains(id);
    }
    for (id, table) in program.tables.iter_mut() {
        table.live = reach.tables[id].accessed;
    }
    for (id, global) in program.globals.iter_mut() {
        global.live = reach.globals_read.contains(id) || reach.globals_written.contains(id);
    }
    for (id, data) in program.data.iter_mut() {
        data.live = reach.data.contains(id);
    }
    for (id, elem) in program.elems.iter_mut() {
        elem.live = reach.elems.contains(id);
    }
    for id in &reach.host_callers {
        let host = match &program.funcs[*id].kind {
            FuncKind::Adapter(Adapter { lift: Lift::Host(host), .. }) => *host,
            FuncKind::HostCall { host, .. } => *host,
            other => unreachable!("{id} was noted as a call of the host, not {other:?}"),
        };
        if !program.hosts[host].live {
            let reached_by = reach.chain(program, *id);
            program.hosts[host].live = true;
            program.hosts[host].reached_by = reached_by;
        }
    }
}

/// Reports the first function that can be reached and does not exist.
pub(crate) fn report_missing(program: &Program, reach: &Reach, host: &mut Host) -> Result<()> {
    let Some(first) = reach.missing.first() else { return Ok(()) };
    let FuncKind::Missing(why) = &program.funcs[*first].kind else {
        unreachable!("{first} was noted as missing")
    };
    let mut error = missing_error(host, why);
    for component in reach.chain(program, *first).iter().rev() {
        let name = &program.component_instances[*component].name;
        error = error.context(format!("component `{name}`, which reaches it"));
    }
    Err(error)
}
