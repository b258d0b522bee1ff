//! Canonical definitions: `canon lift`, `canon lower` and the built-ins.
//!
//! Lifting alone makes nothing that can run: a component function is a value. The
//! pair of a lower and the lift that it finally reaches becomes one adapter, and
//! equal pairs are one function.

use crate::components::Frame;
use crate::flat::{Side, c_signature, flat_signature};
use crate::interface::FuncTypeId;
use crate::program::{
    Adapter, CanonOptions, Cell, CellKind, CellOp, FuncId, FuncKind, Lift, Lower, MemoryId,
    Missing, Program, ResourceOp,
};
use crate::scope::{ComponentFunc, Scope, TypeValue};
use crate::state::Flattener;
use crate::types::{FuncType, ValType};
use crate::typing::resource_at;
use wasmelt_frontend::composition as definition;

/// `canon lift`: a component function.
pub(crate) fn lift(
    state: &Flattener<'_>,
    frame: &Frame<'_>,
    core_func: u32,
    ty: u32,
    options: &definition::CanonOptions,
) -> ComponentFunc {
    let scope = &state.scopes[frame.scope];
    if let Some(option) = options.unsupported {
        return ComponentFunc::Missing(unsupported_option(option));
    }
    let ty = match scope.types[ty as usize] {
        TypeValue::Func(ty) => ty,
        TypeValue::Unsupported(construct) => {
            return ComponentFunc::Missing(Missing::Construct(construct.into()));
        }
        other => unreachable!("validation lets only function types be lifted to, not {other:?}"),
    };
    let func = scope.core_funcs[core_func as usize];
    let options = resolve_options(scope, options);
    ComponentFunc::Lifted { ty, instance: frame.instance, options, func }
}

/// `canon lower`: a core function.
pub(crate) fn lower(
    state: &mut Flattener<'_>,
    frame: &Frame<'_>,
    func: u32,
    options: &definition::CanonOptions,
) -> FuncId {
    let scope = &state.scopes[frame.scope];
    let func = scope.funcs[func as usize];
    if let Some(option) = options.unsupported {
        return state.add_missing(frame.instance, unsupported_option(option));
    }
    let options = resolve_options(scope, options);
    let lower = Lower::Guest { instance: frame.instance, options };
    match fuse(state, &state.funcs[func], lower) {
        Ok(adapter) => add_adapter(state, adapter),
        Err(why) => state.add_missing(frame.instance, why),
    }
}

fn unsupported_option(option: &str) -> Missing {
    Missing::Construct(format!("the canonical option `{option}`"))
}

/// The adapter between a component function and a caller.
pub(crate) fn fuse(
    state: &Flattener<'_>,
    func: &ComponentFunc,
    lower: Lower,
) -> Result<Adapter, Missing> {
    match func {
        ComponentFunc::Lifted { ty, instance, options, func } => {
            let (instance, options, func) = (*instance, options.clone(), *func);
            Ok(Adapter { ty: *ty, lower, lift: Lift::Guest { instance, options, func } })
        }
        ComponentFunc::Host(host) => {
            let ty = state.program.hosts[*host].component_type();
            Ok(Adapter { ty, lower, lift: Lift::Host(*host) })
        }
        ComponentFunc::Missing(why) => Err(why.clone()),
    }
}

/// The function of an adapter: one for all equal ones.
pub(crate) fn add_adapter(state: &mut Flattener<'_>, adapter: Adapter) -> FuncId {
    if let Some(func) = state.adapters.get(&adapter) {
        return *func;
    }
    let component = match &adapter.lower {
        Lower::Guest { instance, .. } => Some(*instance),
        Lower::Native | Lower::C => None,
    };
    let core = adapter_signature(&state.program, adapter.ty, &adapter.lower);
    let ty = state.core_func_type(core);
    let func = state.add_func(ty, component, FuncKind::Adapter(adapter.clone()));
    state.adapters.insert(adapter, func);
    func
}

/// The core function type of an adapter: that of its caller's side.
pub(crate) fn adapter_signature(program: &Program, ty: FuncTypeId, lower: &Lower) -> FuncType {
    let pointer = match lower {
        Lower::Guest { options, .. } => pointer_type(program, options.memory),
        Lower::Native => ValType::I64,
        Lower::C => return c_signature(&program.types, &program.func_types[ty]).core,
    };
    flat_signature(&program.types, &program.func_types[ty], Side::Lower, pointer).core
}

/// The type of addresses of a memory.
pub(crate) fn pointer_type(program: &Program, memory: Option<MemoryId>) -> ValType {
    match memory {
        Some(memory) if program.memories[memory].ty.memory64 => ValType::I64,
        _ => ValType::I32,
    }
}

/// The things that the indices of options name.
fn resolve_options(scope: &Scope<'_>, options: &definition::CanonOptions) -> CanonOptions {
    let func = |index: u32| scope.core_funcs[index as usize];
    CanonOptions {
        encoding: options.encoding,
        memory: options.memory.map(|index| scope.core_memories[index as usize]),
        realloc: options.realloc.map(func),
        post_return: options.post_return.map(func),
    }
}

/// A built-in for resources: one function for all equal ones.
pub(crate) fn resource_builtin(
    state: &mut Flattener<'_>,
    frame: &Frame<'_>,
    op: ResourceOp,
    ty: u32,
) -> FuncId {
    let instance = frame.instance;
    let resource = match resource_at(state, frame.scope, ty) {
        Ok(resource) => resource,
        Err(construct) => {
            return state.add_missing(instance, Missing::Construct(construct.into()));
        }
    };
    if let Some(why) = state.host.missing_resource(resource).cloned() {
        return state.add_missing(instance, why);
    }
    let key = (op, resource, instance);
    if let Some(func) = state.builtins.get(&key) {
        return *func;
    }
    let results = match op {
        ResourceOp::New | ResourceOp::Rep => vec![ValType::I32],
        ResourceOp::Drop => Vec::new(),
    };
    let ty = FuncType { params: [ValType::I32].into(), results: results.into() };
    let ty = state.core_func_type(ty);
    let kind = FuncKind::Resource { op, resource, instance };
    let func = state.add_func(ty, Some(instance), kind);
    state.builtins.insert(key, func);
    func
}

/// A built-in for a number of the task or the component instance.
pub(crate) fn cell_builtin(
    state: &mut Flattener<'_>,
    frame: &Frame<'_>,
    kind: CellKind,
    op: CellOp,
) -> FuncId {
    let component = frame.instance;
    let cells = &mut state.program.cells;
    let known = cells.iter().find(|(_, cell)| cell.component == component && cell.kind == kind);
    let known = known.map(|(id, _)| id);
    let cell = known.unwrap_or_else(|| cells.push(Cell { component, kind, live: false }));
    let (params, results) = match op {
        CellOp::Get { wide } => (Vec::new(), vec![number_type(wide)]),
        CellOp::Set { wide } => (vec![number_type(wide)], Vec::new()),
        CellOp::Increment | CellOp::Decrement => (Vec::new(), Vec::new()),
    };
    let ty = FuncType { params: params.into(), results: results.into() };
    let ty = state.core_func_type(ty);
    state.add_func(ty, Some(component), FuncKind::Cell { cell, op })
}

fn number_type(wide: bool) -> ValType {
    if wide { ValType::I64 } else { ValType::I32 }
}
