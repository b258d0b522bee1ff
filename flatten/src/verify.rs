//! The invariants of a finished program, numbered. Run in debug builds and tests.

use crate::callgraph::callees;
use crate::canon::adapter_signature;
use crate::intern::operands;
use crate::link_core::is_subtype;
use crate::module::{Extern, Module};
use crate::program::{
    Adapter, CanonOptions, ComponentInstanceId, CoreInstance, CoreInstanceId, Func, FuncKind,
    HostType, InitStep, Lift, Lower, Program,
};
use cranelift_entity::EntityRef;
use std::collections::HashSet;

/// Checks the invariants; what is broken, one sentence each.
pub fn verify(program: &Program) -> Result<(), Vec<String>> {
    let mut broken = Vec::new();
    verify_types(program, &mut broken);
    verify_component_instances(program, &mut broken);
    for (id, instance) in &program.core_instances {
        verify_core_instance(program, id, instance, &mut broken);
    }
    // What follows looks things up by the indices that were checked so far.
    if !broken.is_empty() {
        return Err(broken);
    }
    verify_funcs(program, &mut broken);
    verify_contents(program, &mut broken);
    verify_outside(program, &mut broken);
    if broken.is_empty() { Ok(()) } else { Err(broken) }
}

/// P1: an interface type refers only to types before it.
fn verify_types(program: &Program, broken: &mut Vec<String>) {
    for (id, ty) in &program.types {
        if operands(ty).any(|of| of >= id) {
            broken.push(format!("P1: {id} refers to a later type"));
        }
    }
}

/// P2: a component instance comes after its parent. P3: its name is its own.
fn verify_component_instances(program: &Program, broken: &mut Vec<String>) {
    let mut names = HashSet::new();
    for (id, component) in &program.component_instances {
        if component.parent.is_some_and(|parent| parent >= id) {
            broken.push(format!("P2: {id} comes before its parent"));
        }
        if !names.insert(component.name.as_str()) {
            broken.push(format!("P3: two component instances are called `{}`", component.name));
        }
    }
}

/// P4: a core instance's index spaces have the lengths of its module's.
/// P5: what it imports has the imported type, and comes from an earlier core instance: so the
/// order of core instances is an order in which they can start.
/// P6: what it imports belongs to the same component instance: nothing but adapters and built-ins
/// connects component instances.
fn verify_core_instance(
    program: &Program,
    id: CoreInstanceId,
    instance: &CoreInstance,
    broken: &mut Vec<String>,
) {
    let module = &program.modules[instance.module];
    if lengths_of(instance) != lengths_of_module(module) {
        broken.push(format!("P4: an index space of {id} has not its module's length"));
        return;
    }
    let mut check_owner = |what: &str, owner: CoreInstanceId| {
        if owner >= id {
            broken.push(format!("P5: {id} imports {what} of {owner}, which is not before it"));
        } else if program.core_instances[owner].component != instance.component {
            broken.push(format!("P6: {id} imports {what} of another component instance"));
        }
    };
    for import in &module.imports {
        match import.item {
            Extern::Table(at) => {
                check_owner("a table", program.tables[instance.tables[at as usize]].instance);
            }
            Extern::Memory(at) => {
                check_owner("a memory", program.memories[instance.memories[at as usize]].instance);
            }
            Extern::Global(at) => {
                check_owner("a global", program.globals[instance.globals[at as usize]].instance);
            }
            Extern::Tag(at) => {
                check_owner("a tag", program.tags[instance.tags[at as usize]].instance);
            }
            Extern::Func(at) => {
                let func = &program.funcs[instance.funcs[at as usize]];
                if let FuncKind::Wasm { instance: owner, .. } = func.kind {
                    check_owner("a function", owner);
                }
            }
        }
    }
    for (at, func) in instance.funcs.iter().enumerate() {
        if !is_subtype(&program.core_types, program.funcs[*func].ty, module.funcs[at]) {
            broken.push(format!("P5: function {at} of {id} has another type than {func}"));
        }
        if program.funcs[*func].component != Some(instance.component) {
            broken.push(format!("P6: function {at} of {id} is another component instance's"));
        }
    }
}

fn lengths_of(instance: &CoreInstance) -> [usize; 7] {
    let CoreInstance { funcs, tables, memories, globals, tags, data, elems, .. } = instance;
    [funcs.len(), tables.len(), memories.len(), globals.len(), tags.len(), data.len(), elems.len()]
}

fn lengths_of_module(module: &Module) -> [usize; 7] {
    let Module { funcs, tables, memories, globals, tags, data, elems, .. } = module;
    [funcs.len(), tables.len(), memories.len(), globals.len(), tags.len(), data.len(), elems.len()]
}

/// P7: what a live function calls is live. P8: a live function is not missing. P9: a live
/// function's name is its own. P10: an adapter's core type is the flat type of its caller's side.
/// P11: an adapter's options name what belongs to the component instance they are of.
/// P12: a live function writes no frozen global and changes no frozen table. P18: a call of the host
/// has the host function's type, and its memory is live.
fn verify_funcs(program: &Program, broken: &mut Vec<String>) {
    let mut names = HashSet::new();
    for (id, func) in &program.funcs {
        if !func.live {
            continue;
        }
        if callees(program, id).iter().any(|callee| !program.funcs[*callee].live) {
            broken.push(format!("P7: {id} is live and calls what is not"));
        }
        if !names.insert(func.name.as_str()) {
            broken.push(format!("P9: two functions are called `{}`", func.name));
        }
        match &func.kind {
            // A script goes on after it has reached one.
            FuncKind::Missing(_) if !program.actions.is_empty() => {}
            FuncKind::Missing(_) => broken.push(format!("P8: {id} is live and missing")),
            FuncKind::Adapter(adapter) => {
                let flat = adapter_signature(program, adapter.ty, &adapter.lower);
                if program.core_types[func.ty].func() != Some(&flat) {
                    broken.push(format!("P10: {id} has not the flat type of its caller's side"));
                }
                if !owns_options(program, adapter) {
                    broken.push(format!("P11: {id} has another component instance's options"));
                }
            }
            FuncKind::Wasm { instance, body } => {
                let instance = &program.core_instances[*instance];
                let summary = &program.modules[instance.module].bodies[*body as usize].summary;
                let global = |at: &u32| &program.globals[instance.globals[*at as usize]];
                let table = |at: &u32| &program.tables[instance.tables[*at as usize]];
                if summary.globals_written.iter().any(|at| global(at).frozen)
                    || summary.tables_written.iter().any(|at| table(at).frozen)
                {
                    broken.push(format!("P12: {id} changes what is frozen"));
                }
            }
            FuncKind::HostCall { host, memory } => {
                if program.hosts[*host].ty != HostType::Core(func.ty)
                    || !program.memories[*memory].live
                {
                    broken.push(format!("P18: {id} calls {host} by another type or memory"));
                }
            }
            FuncKind::Resource { .. }
            | FuncKind::Cell { .. }
            | FuncKind::Init(_)
            | FuncKind::Export { .. }
            | FuncKind::Trampoline => {}
        }
    }
}

fn owns_options(program: &Program, adapter: &Adapter) -> bool {
    let owns = |instance: ComponentInstanceId, options: &CanonOptions| {
        let memory = options.memory.map(|id| program.memories[id].instance);
        let funcs = options.realloc.into_iter().chain(options.post_return);
        memory.is_none_or(|owner| program.core_instances[owner].component == instance)
            && funcs.into_iter().all(|id| program.funcs[id].component == Some(instance))
    };
    let lower = match &adapter.lower {
        Lower::Guest { instance, options } => owns(*instance, options),
        Lower::Native | Lower::C => true,
    };
    let lift = match &adapter.lift {
        Lift::Guest { instance, options, func } => {
            owns(*instance, options) && program.funcs[*func].component == Some(*instance)
        }
        Lift::Host(_) => true,
    };
    lower && lift
}

/// P13: images fit the initial sizes. P14: no step fills a frozen table. P15: what a step uses is
/// live.
fn verify_contents(program: &Program, broken: &mut Vec<String>) {
    for (id, memory) in &program.memories {
        let size = u128::from(memory.ty.min_pages) << memory.ty.page_size_log2;
        let fits = |(start, bytes): &(u64, crate::module::Bytes)| {
            u128::from(*start) + bytes.range.len() as u128 <= size
        };
        if !memory.image.iter().all(fits) {
            broken.push(format!("P13: the image of {id} does not fit it"));
        }
    }
    for (id, table) in &program.tables {
        let end = |(start, items): &(u64, Vec<_>)| u128::from(*start) + items.len() as u128;
        if table.image.iter().any(|run| end(run) > u128::from(table.ty.min)) {
            broken.push(format!("P13: the image of {id} does not fit it"));
        }
    }
    for (id, func) in program.funcs.iter().filter(|(_, func)| func.live) {
        let FuncKind::Init(steps) = &func.kind else { continue };
        for step in steps {
            let is_live = match step {
                InitStep::Call(func) => program.funcs[*func].live,
                InitStep::InitMemory { memory, data, .. } => {
                    program.memories[*memory].live && program.data[*data].live
                }
                InitStep::InitTable { table, elem, .. } => {
                    if program.tables[*table].frozen {
                        broken.push(format!("P14: {id} fills the frozen {table}"));
                    }
                    program.tables[*table].live && program.elems[*elem].live
                }
                InitStep::RequireMemory { memory, .. } => program.memories[*memory].live,
                InitStep::RequireTable { table, .. } => program.tables[*table].live,
            };
            if !is_live {
                broken.push(format!("P15: a step of {id} uses what is not live"));
            }
        }
    }
}

/// P16: what the outside calls is live and, unless it is a core module's `_start`, called by nobody
/// of the program's component instances. P17: a live host function is reached by some component
/// instance or exported as is.
fn verify_outside(program: &Program, broken: &mut Vec<String>) {
    let exports = program.exports.iter().map(|export| export.func);
    for id in program.init.into_iter().chain(program.entry).chain(exports) {
        let func = &program.funcs[id];
        let is_start = program.entry == Some(id) && is_start_of_command(program, func);
        if !func.live || func.component.is_some() && !is_start {
            broken.push(format!("P16: the outside calls {id}, which is not for it"));
        }
    }
    for (id, host) in &program.hosts {
        if let Some(last) = host.reached_by.last()
            && (!host.live || last.index() >= program.component_instances.len())
        {
            broken.push(format!("P17: {id} is reached and not live"));
        }
    }
}

/// Whether a function is the entry of a program that is one core module, no component.
fn is_start_of_command(program: &Program, func: &Func) -> bool {
    let ty = program.core_types[func.ty].func();
    let is_plain = ty.is_some_and(|ty| ty.params.is_empty() && ty.results.is_empty());
    let adapters = program.funcs.values().any(|func| matches!(func.kind, FuncKind::Adapter(_)));
    matches!(func.kind, FuncKind::Wasm { .. })
        && is_plain
        && !adapters
        && program.core_instances.len() == 1
}
