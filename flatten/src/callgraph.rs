//! The call graph of a finished program, as far as it is exact.

use crate::link_core::is_subtype;
use crate::program::{
    Adapter, ConstValue, FuncId, FuncKind, Lift, Program, ResourceId, ResourceKind, ResourceOp,
    Table,
};
use crate::types::CoreTypeId;

/// The functions that a function calls for certain to be those: direct calls, indirect calls at a
/// constant index of a frozen table, an adapter's callee, `realloc`s and `post-return`, and the
/// destructor of a dropped resource. Sorted, each once. Calls through other tables and through
/// references are not among them.
pub fn callees(program: &Program, func: FuncId) -> Vec<FuncId> {
    let mut callees = Vec::new();
    match &program.funcs[func].kind {
        FuncKind::Wasm { instance, body } => {
            let instance = &program.core_instances[*instance];
            let module = &program.modules[instance.module];
            let summary = &module.bodies[*body as usize].summary;
            callees.extend(summary.calls.iter().map(|index| instance.funcs[*index as usize]));
            for call in &summary.indirect_calls {
                let table = &program.tables[instance.tables[call.table as usize]];
                if let Some(element) = call.element {
                    let ty = module.types[call.ty as usize];
                    callees.extend(constant_callee(program, table, u64::from(element), ty));
                }
            }
        }
        FuncKind::Export { callee, .. } => callees.extend(*callee),
        FuncKind::Adapter(adapter) => callees.extend(adapter_callees(adapter)),
        FuncKind::Resource { op: ResourceOp::Drop, resource, .. } => {
            callees.extend(destructor(program, *resource));
        }
        FuncKind::Init(steps) => {
            callees.extend(steps.iter().filter_map(|step| match step {
                crate::program::InitStep::Call(func) => Some(*func),
                _ => None,
            }));
        }
        FuncKind::Resource { .. }
        | FuncKind::Cell { .. }
        | FuncKind::HostCall { .. }
        | FuncKind::Trampoline
        | FuncKind::Missing(_) => {}
    }
    callees.sort_unstable();
    callees.dedup();
    callees
}

/// What an indirect call at a constant index calls, if the table is frozen and the call succeeds.
pub fn constant_callee(
    program: &Program,
    table: &Table,
    element: u64,
    ty: CoreTypeId,
) -> Option<FuncId> {
    if !table.frozen {
        return None;
    }
    match frozen_element(table, element) {
        Some(ConstValue::Func(func))
            if is_subtype(&program.core_types, program.funcs[func].ty, ty) =>
        {
            Some(func)
        }
        _ => None,
    }
}

/// The value of an element of a frozen table; `None` beyond its end. Runs of a frozen table's image
/// are in ascending order and do not overlap.
pub fn frozen_element(table: &Table, element: u64) -> Option<ConstValue> {
    if element >= table.ty.min {
        return None;
    }
    let after = table.image.partition_point(|(start, _)| *start <= element);
    let run = after.checked_sub(1).map(|at| &table.image[at]);
    let value = run.and_then(|(start, items)| items.get((element - start) as usize));
    Some(value.copied().unwrap_or(table.init))
}

/// The functions that an adapter can call.
pub fn adapter_callees(adapter: &Adapter) -> impl Iterator<Item = FuncId> + '_ {
    let lifted = match &adapter.lift {
        Lift::Guest { func, .. } => Some(*func),
        Lift::Host(_) => None,
    };
    let lower = adapter.lower_options().and_then(|options| options.realloc);
    let options = adapter.lift_options();
    let realloc = options.and_then(|options| options.realloc);
    let post_return = options.and_then(|options| options.post_return);
    lifted.into_iter().chain(lower).chain(realloc).chain(post_return)
}

/// The destructor of a resource type, if the program compiles one.
pub fn destructor(program: &Program, resource: ResourceId) -> Option<FuncId> {
    match program.resources[resource].kind {
        ResourceKind::Guest { dtor, .. } => dtor,
        ResourceKind::Host { .. } => None,
    }
}

/// A type, its supertype, the supertype of that, and so on. A type comes after its supertype, so
/// that this ends.
pub(crate) fn supertypes(
    program: &Program,
    ty: CoreTypeId,
) -> impl Iterator<Item = CoreTypeId> + '_ {
    std::iter::successors(Some(ty), |ty| program.core_types[*ty].supertype)
}
