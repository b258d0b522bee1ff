//! Names for messages and symbols: readable first, then made unique with `#2`, `#3`.

use crate::module::Extern;
use crate::program::{CellKind, CellOp, CoreInstanceId, FuncId, FuncKind, HostFuncId, Lift};
use crate::program::{Program, ResourceKind, ResourceOp};
use crate::show::show_core_type;
use cranelift_entity::EntityRef;
use std::collections::{HashMap, HashSet};
use wasmelt_frontend::composition::{Component, ComponentId, Sort};

/// Makes names unique.
#[derive(Debug, Default)]
pub(crate) struct UniqueNames {
    taken: HashSet<String>,
    /// The number to try next for a name that is taken.
    next: HashMap<String, u32>,
}

impl UniqueNames {
    /// That name, or with a number behind it if it was handed out before. Control characters are
    /// replaced: names end at a zero byte in symbol tables, and appear on terminals.
    pub(crate) fn make(&mut self, name: String) -> String {
        let name = match name.contains(char::is_control) {
            true => name.replace(char::is_control, "\u{fffd}"),
            false => name,
        };
        if self.taken.insert(name.clone()) {
            return name;
        }
        let next = self.next.entry(name.clone()).or_insert(2);
        loop {
            let numbered = format!("{name}#{next}");
            *next += 1;
            if self.taken.insert(numbered.clone()) {
                return numbered;
            }
        }
    }
}

/// The names that `component-name` sections give to items, indexed when first asked for.
#[derive(Default)]
pub(crate) struct ItemNames<'a> {
    items: HashMap<ComponentId, HashMap<(Sort, u32), &'a str>>,
    pub(crate) component_instances: UniqueNames,
}

impl<'a> ItemNames<'a> {
    /// The name of an item of a component's index space.
    pub(crate) fn get(
        &mut self,
        id: ComponentId,
        component: &'a Component,
        sort: Sort,
        index: usize,
    ) -> Option<&'a str> {
        let items = self.items.entry(id).or_insert_with(|| {
            let names = component.item_names.iter();
            names.map(|(sort, index, name)| ((*sort, *index), name.as_str())).collect()
        });
        let index = u32::try_from(index).ok()?;
        items.get(&(sort, index)).copied().filter(|name| !name.is_empty())
    }
}

/// Names every function that is compiled or referred to: `child::read` for a body,
/// `child=>virtualize::read` for an adapter.
pub fn name_funcs(program: &mut Program) {
    let mut unique = UniqueNames::default();
    let mut export_names = ExportNames::default();
    let mut outside: HashMap<FuncId, String> = HashMap::new();
    for export in &program.exports {
        let callee = match &program.funcs[export.func].kind {
            FuncKind::Export { callee, .. } => callee.unwrap_or(export.func),
            _ => export.func,
        };
        outside.entry(callee).or_insert_with(|| export.name.clone());
    }
    for at in 0..program.funcs.len() {
        let id = FuncId::new(at);
        let func = &program.funcs[id];
        if !func.live && !func.referenced {
            continue;
        }
        let caller = match func.component {
            Some(component) => program.component_instances[component].name.as_str(),
            None => outside.get(&id).map_or("run", String::as_str),
        };
        let name = match &func.kind {
            FuncKind::Wasm { instance, body } => {
                format!("{caller}::{}", export_names.func_name(program, *instance, *body))
            }
            FuncKind::Adapter(adapter) => match &adapter.lift {
                Lift::Guest { func, .. } => format!("{caller}=>{}", program.funcs[*func].name),
                Lift::Host(host) => format!("{caller}=>{}", host_name(program, *host)),
            },
            FuncKind::HostCall { host, .. } => format!("{caller}=>{}", host_name(program, *host)),
            FuncKind::Resource { op, resource, .. } => {
                let resource = &program.resources[*resource].name;
                format!("{caller}=>resource.{}({resource})", op_name(*op))
            }
            FuncKind::Cell { cell, op } => {
                format!("{caller}=>{}", cell_op_name(program.cells[*cell].kind, *op))
            }
            FuncKind::Init(_) => "init".into(),
            FuncKind::Export { symbol, .. } => symbol.clone(),
            FuncKind::Trampoline => format!("trampoline {}", show_core_type(program, func.ty)),
            FuncKind::Missing(_) => format!("{caller}=>missing"),
        };
        program.funcs[id].name = unique.make(name);
    }
}

/// What a built-in for a number is called.
fn cell_op_name(kind: CellKind, op: CellOp) -> String {
    let (what, slot) = match kind {
        CellKind::Context(slot) => ("context", format!("({slot})")),
        CellKind::Backpressure => ("backpressure", String::new()),
    };
    let op = match op {
        CellOp::Get { .. } => "get",
        CellOp::Set { .. } => "set",
        CellOp::Increment => "inc",
        CellOp::Decrement => "dec",
    };
    format!("{what}.{op}{slot}")
}

fn host_name(program: &Program, host: HostFuncId) -> String {
    let host = &program.hosts[host];
    format!("{}#{}", crate::host::path_of(&host.interface), host.name)
}

/// What a resource built-in is called.
pub(crate) fn op_name(op: ResourceOp) -> &'static str {
    match op {
        ResourceOp::New => "new",
        ResourceOp::Rep => "rep",
        ResourceOp::Drop => "drop",
    }
}

/// Gives a resource type of a component the name under which it is first exported.
pub(crate) fn name_resource(program: &mut Program, id: crate::program::ResourceId, name: &str) {
    let resource = &mut program.resources[id];
    if let ResourceKind::Guest { instance, .. } = resource.kind
        && resource.name.ends_with(&format!(".resource{}", id.index()))
    {
        let owner = &program.component_instances[instance].name;
        resource.name = format!("{owner}.{name}");
    }
}

/// The first export name of each function of a module, per core instance that asks.
#[derive(Default)]
struct ExportNames {
    by_index: HashMap<crate::module::ModuleId, HashMap<u32, String>>,
}

impl ExportNames {
    /// A function's name in its module: of the name section, of an export, or by index.
    fn func_name(&mut self, program: &Program, instance: CoreInstanceId, body: u32) -> String {
        let id = program.core_instances[instance].module;
        let module = &program.modules[id];
        let index = module.imported.funcs + body;
        if let Some(name) = module.func_names.get(&index).filter(|name| !name.is_empty()) {
            return name.clone();
        }
        let exported = self.by_index.entry(id).or_insert_with(|| {
            let mut names = HashMap::new();
            for (name, item) in &module.exports {
                if let Extern::Func(index) = item {
                    names.entry(*index).or_insert_with(|| name.clone());
                }
            }
            names
        });
        exported.get(&index).cloned().unwrap_or_else(|| format!("func[{index}]"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_unique() {
        let mut unique = UniqueNames::default();
        let mut make = |name: &str| unique.make(name.into());
        assert_eq!(make("child"), "child");
        assert_eq!(make("child#2"), "child#2");
        assert_eq!(make("child"), "child#3");
        assert_eq!(make("child"), "child#4");
        assert_eq!(make("a\0b\x1b"), "a\u{fffd}b\u{fffd}");
    }
}
