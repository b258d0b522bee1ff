//! A core module as the program: a command of WASI preview 1.
//!
//! Its one core instance belongs to a component instance of its own, which has nothing but a name.
//! What it imports is the host's: functions that get, besides their parameters, the memory that the
//! module exports for them.

use crate::core_instances::{instantiate_module, item_of};
use crate::error::{Error, Result};
use crate::host::symbol_of;
use crate::module::{Extern, Import, Module, ModuleId};
use crate::program::{
    ComponentInstanceId, FuncKind, HostFunc, HostFuncId, HostType, MemoryId, Missing, Program,
};
use crate::scope::CoreItem;
use crate::show::show_core_type;
use crate::state::Flattener;
use crate::types::{CoreTypeId, FuncType, ValType};
use cranelift_entity::EntityRef;
use wasmelt_abi::preview1::{self, Param};

/// The entry point of a command.
const START: &str = "_start";

/// Instantiates a core module and makes its `_start` the program's entry.
pub(crate) fn instantiate_command(state: &mut Flattener<'_>, module: ModuleId) -> Result<()> {
    let name = command_name(&state.program, module);
    let component = state.add_component_instance(name.clone(), None)?;
    let imports = supply_imports(state, module, component)?;
    let core_name = state.program.modules[module].name.clone().unwrap_or(name);
    let instance = instantiate_module(state, module, component, core_name, &imports)?;
    state.program.init = Some(state.finish_steps());
    let start = state.program.modules[module].exports.get(START).copied();
    let start = start.map(|start| item_of(&state.program.core_instances[instance], start));
    let Some(CoreItem::Func(start)) = start else {
        panic!("{module} is built as a command and has no function `{START}`")
    };
    state.program.entry = Some(start);
    Ok(())
}

/// The name of the module's file, as components get it.
fn command_name(program: &Program, module: ModuleId) -> String {
    let path = &program.files[program.modules[module].bytes.file].path;
    path.file_stem().map_or_else(|| "command".into(), |stem| stem.to_string_lossy().into_owned())
}

/// What the module's imports are.
fn supply_imports(
    state: &mut Flattener<'_>,
    id: ModuleId,
    component: ComponentInstanceId,
) -> Result<Vec<CoreItem>> {
    let memory = exported_memory(&state.program, id);
    let imports = imported_funcs(&state.program.modules[id])?;
    let mut items = Vec::with_capacity(imports.len());
    for (module, name, ty) in imports {
        let func = match (import_func(state, &module, &name, ty), memory) {
            (Ok(host), Some(memory)) => {
                state.add_func(ty, Some(component), FuncKind::HostCall { host, memory })
            }
            (Ok(_), None) => unreachable!("reading checks that {id} exports a memory"),
            (Err(why), _) => state.add_missing(component, why),
        };
        items.push(CoreItem::Func(func));
    }
    Ok(items)
}

/// The two names and the type of each import: all are functions.
fn imported_funcs(module: &Module) -> Result<Vec<(String, String, CoreTypeId)>> {
    let imports = module.imports.iter().map(|Import { module: from, name, item }| match item {
        Extern::Func(index) => Ok((from.clone(), name.clone(), module.funcs[*index as usize])),
        _ => {
            let message = format!("missing import: `{name}` of `{from}`, which is no function");
            Err(Error::environment(message).help("core modules can import functions only"))
        }
    });
    imports.collect()
}

/// The memory that the functions of preview 1 work on, which is going to be defined.
fn exported_memory(program: &Program, id: ModuleId) -> Option<MemoryId> {
    let Module { exports, imported, .. } = &program.modules[id];
    match exports.get(preview1::MEMORY) {
        Some(Extern::Memory(index)) => {
            let defined = index.checked_sub(imported.memories)?;
            Some(MemoryId::new(program.memories.len() + defined as usize))
        }
        _ => None,
    }
}

/// The host function that an import is, or why there is none.
fn import_func(
    state: &mut Flattener<'_>,
    module: &str,
    name: &str,
    ty: CoreTypeId,
) -> std::result::Result<HostFuncId, Missing> {
    if module != preview1::MODULE {
        return Err(Missing::CoreImport { module: module.to_owned(), name: name.to_owned() });
    }
    let (interface, name) = (module.to_owned(), name.to_owned());
    let Some(declared) = preview1::find(&name) else {
        return Err(Missing::HostFunc { interface, name });
    };
    let wanted = core_type(declared);
    if state.program.core_types[ty].func() != Some(&wanted) {
        let found = show_core_type(&state.program, ty);
        let wanted = state.core_func_type(wanted);
        let wanted = show_core_type(&state.program, wanted);
        return Err(Missing::HostType(format!(
            "the import `{name}` of `{interface}` has another type than the host's: {found} \
             instead of {wanted}"
        )));
    }
    let symbol = symbol_of(module, &name);
    let known = state.program.hosts.iter().find(|(_, host)| host.symbol == symbol);
    if let Some((id, _)) = known.filter(|(_, host)| host.ty == HostType::Core(ty)) {
        return Ok(id);
    }
    let (ty, reached_by) = (HostType::Core(ty), Vec::new());
    let (is_native, live) = (false, false);
    let host = HostFunc { interface, name, symbol, is_native, ty, live, reached_by };
    Ok(state.program.hosts.push(host))
}

/// A declared function's type.
fn core_type(func: &preview1::Func) -> FuncType {
    let params = func.params.iter().map(|param| match param {
        Param::I32 => ValType::I32,
        Param::I64 => ValType::I64,
    });
    let results = if func.has_result { vec![ValType::I32] } else { Vec::new() };
    FuncType { params: params.collect(), results: results.into_boxed_slice() }
}
