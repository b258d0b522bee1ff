//! Facts that follow from what can run: frozen globals and tables, references,
//! handle tables.

use crate::interface::{FuncType, Type, TypeId, Types};
use crate::intern::operands;
use crate::program::{
    Adapter, ComponentInstanceId, ConstValue, FuncId, FuncKind, Lift, Lower, Program, ResourceId,
    ResourceKind,
};
use crate::reach::Reach;
use cranelift_entity::{EntitySet, SecondaryMap};

/// Proves what can be proved now that it is known what runs.
pub(crate) fn prove_facts(program: &mut Program, reach: &Reach) {
    freeze(program, reach);
    mark_referenced(program, reach);
    mark_handles(program);
    mark_cells(program);
}

/// Finds the numbers of canonical built-ins that can run.
fn mark_cells(program: &mut Program) {
    for func in program.funcs.values().filter(|func| func.live) {
        if let FuncKind::Cell { cell, .. } = func.kind {
            program.cells[cell].live = true;
        }
    }
}

/// A global is frozen if nothing that runs writes it, a table if nothing that runs changes it or
/// can see it before it is filled. The world is closed, so exported ones are no exception.
fn freeze(program: &mut Program, reach: &Reach) {
    for (id, global) in program.globals.iter_mut() {
        global.frozen = !reach.globals_written.contains(id);
    }
    for (id, table) in program.tables.iter_mut() {
        table.frozen = reach.tables[id].is_frozen();
    }
}

/// What a table that can change or a global holds at first needs a record for references. So does
/// what late segments put there.
fn mark_referenced(program: &mut Program, reach: &Reach) {
    let mut referenced: EntitySet<FuncId> = EntitySet::new();
    let mut refer = |value: &ConstValue| {
        if let ConstValue::Func(func) = value {
            referenced.insert(*func);
        }
    };
    for table in program.tables.values().filter(|table| table.live && !table.frozen) {
        refer(&table.init);
        table.image.iter().flat_map(|(_, items)| items).for_each(&mut refer);
    }
    for (id, elem) in &program.elems {
        if reach.elems.contains(id) {
            elem.items.iter().for_each(&mut refer);
        }
    }
    for global in program.globals.values().filter(|global| global.live) {
        refer(&global.init);
    }
    for (id, func) in program.funcs.iter_mut() {
        func.referenced |= referenced.contains(id);
    }
}

/// The handles that a type contains.
#[derive(Clone, Copy, Default)]
struct Handles {
    own: bool,
    borrow: bool,
}

/// Finds the component instances that can have handles, or whose built-ins look for them.
fn mark_handles(program: &mut Program) {
    let mut handles: SecondaryMap<TypeId, Handles> = SecondaryMap::new();
    for (id, ty) in &program.types {
        // A type comes after its operands.
        let inner = operands(ty).map(|of| handles[of]);
        let mut found = inner.fold(Handles::default(), |a, b| Handles {
            own: a.own || b.own,
            borrow: a.borrow || b.borrow,
        });
        found.own |= matches!(ty, Type::Own(_));
        found.borrow |= matches!(ty, Type::Borrow(_));
        handles[id] = found;
    }
    let mut holders: EntitySet<ComponentInstanceId> = EntitySet::new();
    for func in program.funcs.values().filter(|func| func.live) {
        match &func.kind {
            FuncKind::Resource { instance, .. } => {
                holders.insert(*instance);
            }
            FuncKind::Adapter(adapter) => note_holders(program, &handles, adapter, &mut holders),
            _ => {}
        }
    }
    for (id, component) in program.component_instances.iter_mut() {
        component.has_handles = holders.contains(id);
    }
}

fn note_holders(
    program: &Program,
    handles: &SecondaryMap<TypeId, Handles>,
    adapter: &Adapter,
    holders: &mut EntitySet<ComponentInstanceId>,
) {
    let ty = &program.func_types[adapter.ty];
    let mut has = Handles::default();
    for ty in ty.params.iter().map(|(_, ty)| *ty).chain(ty.result) {
        has.own |= handles[ty].own;
        has.borrow |= handles[ty].borrow;
    }
    if let Lower::Guest { instance, .. } = &adapter.lower
        && (has.own || has.borrow)
    {
        holders.insert(*instance);
    }
    if let Lift::Guest { instance, .. } = &adapter.lift {
        // A borrow handle passed to the instance that defines the resource becomes the bare
        // representation: nothing enters its table.
        let foreign = || borrowed(&program.types, ty).any(|id| !defines(program, *instance, id));
        if has.own || (has.borrow && foreign()) {
            holders.insert(*instance);
        }
    }
}

fn defines(program: &Program, by: ComponentInstanceId, resource: ResourceId) -> bool {
    matches!(program.resources[resource].kind,
        ResourceKind::Guest { instance, .. } if instance == by)
}

/// The resources that a function's parameters borrow.
fn borrowed<'t>(types: &'t Types, func: &FuncType) -> impl Iterator<Item = ResourceId> + 't {
    let mut seen: EntitySet<TypeId> = EntitySet::new();
    let mut stack: Vec<TypeId> = func.params.iter().map(|(_, ty)| *ty).collect();
    std::iter::from_fn(move || {
        while let Some(ty) = stack.pop() {
            if !seen.insert(ty) {
                continue;
            }
            stack.extend(operands(&types[ty]));
            if let Type::Borrow(resource) = types[ty] {
                return Some(resource);
            }
        }
        None
    })
}
