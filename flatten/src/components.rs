//! Component instances: walks a component's definitions in order, and those of
//! the components that it instantiates, on a stack of frames.
//!
//! Component Model, `Explainer.md`, "Component Definitions". A definition adds a
//! value to an index space of the frame's scope. Nothing here is lazy, so the
//! order in which core modules are instantiated is the order of the text.

use crate::canon;
use crate::core_instances::{instantiate_module, resolve_imports};
use crate::error::{Error, Result};
use crate::imports::{self, Resolved};
use crate::names;
use crate::program::{ComponentInstanceId, Missing};
use crate::scope::{
    Closure, ComponentFunc, CoreInstanceValue, CoreItem, Entity, Exports, InstanceId, Scope,
    ScopeId, TypeValue,
};
use crate::state::Flattener;
use crate::typing::eval_type;
use indexmap::IndexMap;
use std::collections::HashMap;
use wasmelt_frontend::composition::{
    Alias, Component, ComponentId, CoreInstance, Def, Export, Instance, Item, Sort,
};

/// A component that is being instantiated.
pub(crate) struct Frame<'a> {
    pub(crate) id: ComponentId,
    pub(crate) component: &'a Component,
    pub(crate) instance: ComponentInstanceId,
    pub(crate) scope: ScopeId,
    /// What its imports are; `None` if nothing instantiates it, so that its imports are bindings
    /// or the host's.
    pub(crate) args: Option<Exports<'a>>,
    exports: Exports<'a>,
    next: usize,
    then: Then,
}

impl Frame<'_> {
    /// Whether it is what was asked for, not what another component instantiates.
    pub(crate) fn is_outermost(&self) -> bool {
        self.then == Then::Return
    }
}

/// What becomes of an instance that is complete.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    /// It is added to the index space of the frame below.
    Define,
    /// The frame below looks at it again: it is bound to an import there.
    Share,
    /// It is what was asked for.
    Return,
}

/// What a definition amounts to.
pub(crate) enum Step<'a> {
    /// It is done.
    Next,
    /// It is done once this component is instantiated.
    Instantiate(Closure, Exports<'a>, String),
    /// It can be done once this component is instantiated, with imports of its own.
    Share(ComponentId),
}

/// Instantiates a component. `args` are what its imports are, by name; without them its imports
/// are its bindings or the host's. The steps of its core instances are added to `state`.
pub fn instantiate_component<'a>(
    state: &mut Flattener<'a>,
    component: ComponentId,
    name: String,
    args: Option<Exports<'a>>,
) -> Result<InstanceId> {
    let closure = Closure { component, scope: None };
    let mut frames = Vec::new();
    push_frame(state, &mut frames, closure, args, name, Then::Return)?;
    loop {
        let frame = frames.last_mut().expect("the loop ends with the first frame");
        if let Some(def) = frame.component.defs.get(frame.next) {
            let step = define(state, frame, def);
            let entered = match step {
                Ok(Step::Next) => {
                    frame.next += 1;
                    Ok(())
                }
                Ok(Step::Instantiate(closure, args, name)) => {
                    frame.next += 1;
                    push_frame(state, &mut frames, closure, Some(args), name, Then::Define)
                }
                Ok(Step::Share(id)) => push_shared(state, &mut frames, id),
                Err(error) => Err(error),
            };
            entered.map_err(|error| add_contexts(state, &frames, error))?;
            continue;
        }
        let done = frames.pop().expect("the frame was there just before");
        let instance = state.instances.push(done.exports);
        match (done.then, frames.last()) {
            (Then::Define, Some(below)) => state.scopes[below.scope].instances.push(instance),
            (Then::Share, _) => {
                state.shared.insert(done.id, instance);
            }
            _ => return Ok(instance),
        }
    }
}

fn push_frame<'a>(
    state: &mut Flattener<'a>,
    frames: &mut Vec<Frame<'a>>,
    closure: Closure,
    args: Option<Exports<'a>>,
    name: String,
    then: Then,
) -> Result<()> {
    let component = &state.components[closure.component];
    let parent = frames.last().map(|frame| frame.instance);
    let name = state.item_names.component_instances.make(name);
    let instance = state.add_component_instance(name, parent)?;
    let scope = state.scopes.push(Scope {
        parent: closure.scope,
        component: Some(instance),
        ..Scope::default()
    });
    let (id, exports) = (closure.component, IndexMap::new());
    frames.push(Frame { id, component, instance, scope, args, exports, next: 0, then });
    Ok(())
}

/// Enters a component that is bound to an import, unless it is being instantiated already.
fn push_shared<'a>(
    state: &mut Flattener<'a>,
    frames: &mut Vec<Frame<'a>>,
    id: ComponentId,
) -> Result<()> {
    let name = state.components[id].name.clone().unwrap_or_else(|| "component".into());
    if frames.iter().any(|frame| frame.id == id && frame.args.is_none()) {
        let message = format!("component `{name}` is bound to an import of itself");
        return Err(Error::environment(message));
    }
    push_frame(state, frames, Closure { component: id, scope: None }, None, name, Then::Share)
}

/// Says in which components an error happened.
fn add_contexts(state: &Flattener<'_>, frames: &[Frame<'_>], mut error: Error) -> Error {
    for frame in frames.iter().rev() {
        let name = &state.program.component_instances[frame.instance].name;
        error = error
            .in_file(&state.program.files[frame.component.file].path)
            .context(format!("component `{name}`"));
    }
    error
}

fn define<'a>(state: &mut Flattener<'a>, frame: &mut Frame<'a>, def: &'a Def) -> Result<Step<'a>> {
    let scope = frame.scope;
    match def {
        Def::Import(import) => {
            let resolved = imports::resolve_import(state, frame, import)
                .map_err(|error| error.context(format!("the import `{}`", import.name)))?;
            match resolved {
                Resolved::Entity(entity) => add_entity(state, scope, entity),
                Resolved::Share(component) => return Ok(Step::Share(component)),
            }
        }
        Def::CoreModule(module) => state.scopes[scope].core_modules.push(*module),
        Def::CoreType => {}
        Def::CoreInstance(core) => define_core_instance(state, frame, core)?,
        Def::Component(component) => {
            let closure = Closure { component: *component, scope: Some(scope) };
            state.scopes[scope].components.push(closure);
        }
        Def::Instance(Instance::Instantiate { component, args }) => {
            let closure = state.scopes[scope].components[*component as usize];
            let name = instance_name(state, frame, *component, closure);
            let args = named_items(state, scope, args)?;
            return Ok(Step::Instantiate(closure, args, name));
        }
        Def::Instance(Instance::Bundle(items)) => {
            let items = named_items(state, scope, items)?;
            let instance = state.instances.push(items);
            state.scopes[scope].instances.push(instance);
        }
        Def::Alias(alias) => define_alias(state, scope, alias)?,
        Def::Type(ty) => {
            let ty = eval_type(state, scope, ty);
            state.scopes[scope].types.push(ty);
        }
        Def::Lift { core_func, ty, options } => {
            let func = canon::lift(state, frame, *core_func, *ty, options);
            let func = state.funcs.push(func);
            state.scopes[scope].funcs.push(func);
        }
        Def::Lower { func, options } => {
            let func = canon::lower(state, frame, *func, options);
            state.scopes[scope].core_funcs.push(func);
        }
        Def::Resource { op, ty } => {
            let func = canon::resource_builtin(state, frame, *op, *ty);
            state.scopes[scope].core_funcs.push(func);
        }
        Def::Cell { kind, op } => {
            let func = canon::cell_builtin(state, frame, *kind, *op);
            state.scopes[scope].core_funcs.push(func);
        }
        Def::UnsupportedBuiltin(name) => {
            let why = Missing::Construct(format!("the canonical built-in `{name}`"));
            let func = state.add_missing(frame.instance, why);
            state.scopes[scope].core_funcs.push(func);
        }
        Def::Export(export) => define_export(state, frame, export)?,
    }
    Ok(Step::Next)
}

/// A readable name for an instance: its own, its component's, or what that component's file says.
fn instance_name<'a>(
    state: &mut Flattener<'a>,
    frame: &Frame<'a>,
    component: u32,
    closure: Closure,
) -> String {
    let index = state.scopes[frame.scope].instances.len();
    let names = &mut state.item_names;
    let own = names.get(frame.id, frame.component, Sort::Instance, index);
    let name = own
        .or_else(|| names.get(frame.id, frame.component, Sort::Component, component as usize))
        .or(state.components[closure.component].name.as_deref());
    name.unwrap_or("component").to_string()
}

fn define_core_instance<'a>(
    state: &mut Flattener<'a>,
    frame: &Frame<'a>,
    core: &'a CoreInstance,
) -> Result<()> {
    let value = match core {
        CoreInstance::Bundle(items) => {
            let items = items.iter();
            let items = items.map(|(name, item)| {
                let item = core_item(&state.scopes[frame.scope], *item);
                (name.clone(), item)
            });
            CoreInstanceValue::Bundle(items.collect())
        }
        CoreInstance::Instantiate { module, args } => {
            let scope = &state.scopes[frame.scope];
            let module_index = *module;
            let module = scope.core_modules[module_index as usize];
            let by_name: HashMap<&str, &CoreInstanceValue> = args
                .iter()
                .map(|(name, index)| (name.as_str(), &scope.core_instances[*index as usize]))
                .collect();
            let find = |module: &str, name: &str| {
                by_name.get(module).and_then(|instance| state.core_export(instance, name))
            };
            let imports = resolve_imports(state, module, find)?;
            let index = scope.core_instances.len();
            let names = &mut state.item_names;
            let own = names.get(frame.id, frame.component, Sort::CoreInstance, index);
            let name = own
                .or_else(|| {
                    let index = module_index as usize;
                    names.get(frame.id, frame.component, Sort::CoreModule, index)
                })
                .or(state.program.modules[module].name.as_deref())
                .map_or_else(|| format!("core{index}"), str::to_string);
            let id = instantiate_module(state, module, frame.instance, name, &imports)?;
            CoreInstanceValue::Module(id)
        }
    };
    state.scopes[frame.scope].core_instances.push(value);
    Ok(())
}

fn define_alias<'a>(state: &mut Flattener<'a>, scope: ScopeId, alias: &'a Alias) -> Result<()> {
    match alias {
        Alias::InstanceExport { sort, instance, name } => {
            let instance = state.scopes[scope].instances[*instance as usize];
            let entity = state.export(instance, name);
            let entity = entity.filter(|entity| entity.sort() == *sort).ok_or_else(|| {
                Error::unsupported(format!("the export `{name}` of an instance of the host"))
            })?;
            add_entity(state, scope, entity);
        }
        Alias::CoreInstanceExport { instance, name, .. } => {
            let instance = &state.scopes[scope].core_instances[*instance as usize];
            let item = state
                .core_export(instance, name)
                .expect("validation lets only exports of the core instance be aliased");
            let scope = &mut state.scopes[scope];
            match item {
                CoreItem::Func(id) => scope.core_funcs.push(id),
                CoreItem::Table(id) => scope.core_tables.push(id),
                CoreItem::Memory(id) => scope.core_memories.push(id),
                CoreItem::Global(id) => scope.core_globals.push(id),
                CoreItem::Tag(id) => scope.core_tags.push(id),
            }
        }
        Alias::Outer { sort: Sort::CoreType, .. } => {}
        Alias::Outer { sort, count, index } => {
            let outer = outer_scope(state, scope, *count);
            let item = Item { sort: *sort, index: *index };
            let entity = component_item(&state.scopes[outer], item)?;
            add_entity(state, scope, entity);
        }
    }
    Ok(())
}

/// The scope that many levels out.
pub(crate) fn outer_scope(state: &Flattener<'_>, mut scope: ScopeId, count: u32) -> ScopeId {
    for _ in 0..count {
        let parent = state.scopes[scope].parent;
        scope = parent.expect("validation lets no outer alias leave the file");
    }
    scope
}

fn define_export<'a>(
    state: &mut Flattener<'a>,
    frame: &mut Frame<'a>,
    export: &'a Export,
) -> Result<()> {
    let entity = component_item(&state.scopes[frame.scope], export.item)
        .map_err(|error| error.context(format!("the export `{}`", export.name)))?;
    if let Entity::Type(TypeValue::Resource(id)) = entity {
        names::name_resource(&mut state.program, id, &export.name);
    }
    add_entity(state, frame.scope, entity);
    frame.exports.insert(export.name.clone(), entity);
    Ok(())
}

/// Adds a value to the index space of its sort.
pub(crate) fn add_entity<'a>(state: &mut Flattener<'a>, scope: ScopeId, entity: Entity<'a>) {
    let scope = &mut state.scopes[scope];
    match entity {
        Entity::Func(id) => scope.funcs.push(id),
        Entity::Type(ty) => scope.types.push(ty),
        Entity::Instance(id) => scope.instances.push(id),
        Entity::Component(closure) => scope.components.push(closure),
        Entity::Module(id) => scope.core_modules.push(id),
    }
}

fn named_items<'a>(
    state: &Flattener<'a>,
    scope: ScopeId,
    items: &[(String, Item)],
) -> Result<Exports<'a>> {
    let scope = &state.scopes[scope];
    items.iter().map(|(name, item)| Ok((name.clone(), component_item(scope, *item)?))).collect()
}

/// The value at an index of a component's index spaces.
pub(crate) fn component_item<'a>(scope: &Scope<'a>, item: Item) -> Result<Entity<'a>> {
    let at = item.index as usize;
    Ok(match item.sort {
        Sort::Func => Entity::Func(scope.funcs[at]),
        Sort::Type => Entity::Type(scope.types[at]),
        Sort::Instance => Entity::Instance(scope.instances[at]),
        Sort::Component => Entity::Component(scope.components[at]),
        Sort::CoreModule => Entity::Module(scope.core_modules[at]),
        Sort::Value => return Err(Error::unsupported("component values")),
        core => panic!("validation lets no {core:?} be a component-level item"),
    })
}

/// The value at an index of a component's core index spaces.
fn core_item(scope: &Scope<'_>, item: Item) -> CoreItem {
    let at = item.index as usize;
    match item.sort {
        Sort::CoreFunc => CoreItem::Func(scope.core_funcs[at]),
        Sort::CoreTable => CoreItem::Table(scope.core_tables[at]),
        Sort::CoreMemory => CoreItem::Memory(scope.core_memories[at]),
        Sort::CoreGlobal => CoreItem::Global(scope.core_globals[at]),
        Sort::CoreTag => CoreItem::Tag(scope.core_tags[at]),
        other => panic!("validation lets no {other:?} be an item of a core instance"),
    }
}

/// The component function of an export, if it is one.
pub(crate) fn exported_func<'s>(
    state: &'s Flattener<'_>,
    entity: Entity<'_>,
) -> Option<&'s ComponentFunc> {
    match entity {
        Entity::Func(id) => Some(&state.funcs[id]),
        _ => None,
    }
}
