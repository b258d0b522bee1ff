//! What flattening carries along: the growing program and the values behind it.

use crate::host::Host;
use crate::intern::Interner;
use crate::names::ItemNames;
use crate::program::{
    Adapter, ComponentInstance, ComponentInstanceId, Func, FuncId, FuncKind, InitStep, Missing,
    Program, ResourceId, ResourceOp,
};
use crate::scope::{
    ComponentFunc, ComponentFuncId, CoreInstanceValue, CoreItem, Entity, Exports, InstanceId,
    Scope, ScopeId,
};
use crate::types::{CoreTypeId, FuncType};
use crate::{error::Error, error::Result, limits};
use cranelift_entity::PrimaryMap;
use std::collections::HashMap;
use wasmelt_frontend::composition::{Component, ComponentId};

/// Instantiates definitions one at a time and gathers them in a program.
///
/// `instantiate` drives it over a whole composition; a script runner drives it
/// step by step, in the order of the script.
pub struct Flattener<'a> {
    /// The program so far. Its facts (`live`, `frozen`, ...) are not proved yet.
    pub program: Program,
    pub(crate) components: &'a PrimaryMap<ComponentId, Component>,
    pub(crate) interner: Interner,
    pub(crate) host: Host,
    pub(crate) item_names: ItemNames<'a>,
    pub(crate) scopes: PrimaryMap<ScopeId, Scope<'a>>,
    pub(crate) instances: PrimaryMap<InstanceId, Exports<'a>>,
    pub(crate) funcs: PrimaryMap<ComponentFuncId, ComponentFunc>,
    pub(crate) adapters: HashMap<Adapter, FuncId>,
    pub(crate) builtins: HashMap<(ResourceOp, ResourceId, ComponentInstanceId), FuncId>,
    /// The one instance of each component that a command line put in an import's place.
    pub(crate) shared: HashMap<ComponentId, InstanceId>,
    pub(crate) elements: usize,
    steps: Vec<InitStep>,
    /// What existed when `steps` began.
    steps_from: Existing,
    /// What existed at each call among `steps`.
    calls: Vec<Existing>,
    pub(crate) inits: Vec<Init>,
}

/// A function that instantiates, and what existed when.
#[derive(Clone, Debug)]
pub(crate) struct Init {
    /// The function.
    pub(crate) func: FuncId,
    /// What existed before all of it.
    pub(crate) from: Existing,
    /// What existed at each of its calls.
    pub(crate) calls: Vec<Existing>,
}

/// The memories and tables of the program at some moment: those with smaller numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Existing {
    pub(crate) memories: usize,
    pub(crate) tables: usize,
}

impl<'a> Flattener<'a> {
    /// Starts with nothing instantiated. `program` holds the files, the core types and the modules
    /// of the composition that `components` belongs to; `wit` declares the host's functions.
    pub fn new(
        program: Program,
        components: &'a PrimaryMap<ComponentId, Component>,
        wit: &[(&str, &str)],
    ) -> Flattener<'a> {
        Flattener {
            interner: Interner::new(&program),
            program,
            components,
            host: Host::new(wit, components),
            item_names: ItemNames::default(),
            scopes: PrimaryMap::new(),
            instances: PrimaryMap::new(),
            funcs: PrimaryMap::new(),
            adapters: HashMap::new(),
            builtins: HashMap::new(),
            shared: HashMap::new(),
            elements: 0,
            steps: Vec::new(),
            steps_from: Existing { memories: 0, tables: 0 },
            calls: Vec::new(),
            inits: Vec::new(),
        }
    }

    /// The exports of an instance.
    pub fn exports(&self, instance: InstanceId) -> &Exports<'a> {
        &self.instances[instance]
    }

    /// An export of an instance.
    pub fn export(&self, instance: InstanceId, name: &str) -> Option<Entity<'a>> {
        self.instances[instance].get(name).copied()
    }

    /// An export of a core instance.
    pub fn core_export(&self, instance: &CoreInstanceValue, name: &str) -> Option<CoreItem> {
        match instance {
            CoreInstanceValue::Bundle(items) => items.get(name).copied(),
            CoreInstanceValue::Module(id) => {
                let instance = &self.program.core_instances[*id];
                let item = self.program.modules[instance.module].exports.get(name)?;
                Some(crate::core_instances::item_of(instance, *item))
            }
        }
    }

    /// Adds a component instance.
    pub fn add_component_instance(
        &mut self,
        name: String,
        parent: Option<ComponentInstanceId>,
    ) -> Result<ComponentInstanceId> {
        if self.program.component_instances.len() >= limits::COMPONENT_INSTANCES_MAX {
            return Err(exceeded("component instances", limits::COMPONENT_INSTANCES_MAX));
        }
        Ok(self.program.component_instances.push(ComponentInstance {
            name,
            parent,
            has_handles: false,
            needs_may_leave: false,
            needs_may_enter: false,
        }))
    }

    /// Adds a function of which nothing is proved. Those that stay live are named at the end.
    pub(crate) fn add_func(
        &mut self,
        ty: CoreTypeId,
        component: Option<ComponentInstanceId>,
        kind: FuncKind,
    ) -> FuncId {
        let name = String::new();
        let func = Func { name, ty, component, kind, live: false, referenced: false };
        self.program.funcs.push(func)
    }

    /// Adds a core function that cannot be called. What imports it gives it its type.
    pub(crate) fn add_missing(&mut self, component: ComponentInstanceId, why: Missing) -> FuncId {
        let ty = self.core_func_type(FuncType::default());
        self.add_func(ty, Some(component), FuncKind::Missing(why))
    }

    /// The id of a core function type.
    pub fn core_func_type(&mut self, ty: FuncType) -> CoreTypeId {
        self.interner.intern_core_func(&mut self.program, ty)
    }

    /// Adds a step of instantiation.
    pub(crate) fn add_step(&mut self, step: InitStep) {
        if let InitStep::Call(_) = step {
            self.calls.push(self.existing());
        }
        self.steps.push(step);
    }

    fn existing(&self) -> Existing {
        let Program { memories, tables, .. } = &self.program;
        Existing { memories: memories.len(), tables: tables.len() }
    }

    /// Makes a function of the steps since the last call of this. It stays part of the program
    /// even if it turns out to have nothing to do.
    pub fn finish_steps(&mut self) -> FuncId {
        let ty = self.core_func_type(FuncType::default());
        let steps = std::mem::take(&mut self.steps);
        let func = self.add_func(ty, None, FuncKind::Init(steps));
        let existing = self.existing();
        let from = std::mem::replace(&mut self.steps_from, existing);
        self.inits.push(Init { func, from, calls: std::mem::take(&mut self.calls) });
        func
    }
}

/// The error for a limit that is exceeded.
pub(crate) fn exceeded(what: &str, max: usize) -> Error {
    Error::unsupported(format!("more than {max} {what}"))
}
