//! What the index spaces of a component hold while it is instantiated: values.
//!
//! Types are values too. An index of the type index space holds the type as it is
//! in this very instantiation, with every resource resolved, so that generative
//! resource types need no further mechanism.

use crate::interface::{FuncTypeId, TypeId};
use crate::module::ModuleId;
use crate::program::{
    CanonOptions, ComponentInstanceId, CoreInstanceId, FuncId, GlobalId, HostFuncId, MemoryId,
    Missing, ResourceId, TableId, TagId,
};
use cranelift_entity::entity_impl;
use indexmap::IndexMap;
use wasmelt_frontend::composition::{ComponentId, Sort, TypeDecl};

/// The index spaces of a component instance, or of an instance type under evaluation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScopeId(u32);
entity_impl!(ScopeId, "scope");

/// An instance as a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceId(u32);
entity_impl!(InstanceId, "instance");

/// A component function as a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ComponentFuncId(u32);
entity_impl!(ComponentFuncId, "component_func");

/// The index spaces of a component. They only grow, so an index that a nested
/// definition captured keeps its meaning.
#[derive(Debug, Default)]
pub struct Scope<'a> {
    /// The scope in which the component was defined: the way of outer aliases.
    pub parent: Option<ScopeId>,
    /// The component instance; `None` for an instance type.
    pub component: Option<ComponentInstanceId>,
    /// Component functions.
    pub funcs: Vec<ComponentFuncId>,
    /// Types.
    pub types: Vec<TypeValue<'a>>,
    /// Components.
    pub components: Vec<Closure>,
    /// Instances.
    pub instances: Vec<InstanceId>,
    /// Core functions.
    pub core_funcs: Vec<FuncId>,
    /// Core tables.
    pub core_tables: Vec<TableId>,
    /// Core memories.
    pub core_memories: Vec<MemoryId>,
    /// Core globals.
    pub core_globals: Vec<GlobalId>,
    /// Core tags.
    pub core_tags: Vec<TagId>,
    /// Core modules.
    pub core_modules: Vec<ModuleId>,
    /// Core instances.
    pub core_instances: Vec<CoreInstanceValue>,
}

/// A component and the scope that its outer aliases start from.
#[derive(Clone, Copy, Debug)]
pub struct Closure {
    /// The definition.
    pub component: ComponentId,
    /// Where it was defined; `None` if it is the outermost of its file.
    pub scope: Option<ScopeId>,
}

/// A type as a value.
#[derive(Clone, Copy, Debug)]
pub enum TypeValue<'a> {
    /// A value type.
    Value(TypeId),
    /// A function type.
    Func(FuncTypeId),
    /// A resource type.
    Resource(ResourceId),
    /// An instance type: its declarations, and the scope they were written in.
    Instance(&'a [TypeDecl], ScopeId),
    /// A component type, which only validation needs.
    Component,
    /// A type that is not implemented, by name: an error only where it is used.
    Unsupported(&'static str),
}

/// An item of a component: what an argument, an import or an export can be.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each variant is named after its sort")]
pub enum Entity<'a> {
    Func(ComponentFuncId),
    Type(TypeValue<'a>),
    Instance(InstanceId),
    Component(Closure),
    Module(ModuleId),
}

impl Entity<'_> {
    /// The index space it belongs to.
    pub fn sort(&self) -> Sort {
        match self {
            Entity::Func(_) => Sort::Func,
            Entity::Type(_) => Sort::Type,
            Entity::Instance(_) => Sort::Instance,
            Entity::Component(_) => Sort::Component,
            Entity::Module(_) => Sort::CoreModule,
        }
    }
}

/// An instance as a value: its exports.
pub type Exports<'a> = IndexMap<String, Entity<'a>>;

/// A component function.
#[derive(Clone, Debug)]
pub enum ComponentFunc {
    /// A lifted core function.
    Lifted {
        /// Its type.
        ty: FuncTypeId,
        /// The component instance whose `canon lift` made it.
        instance: ComponentInstanceId,
        /// The options of that.
        options: CanonOptions,
        /// The core function.
        func: FuncId,
    },
    /// A host function.
    Host(HostFuncId),
    /// A function that cannot be called: an error only if it is.
    Missing(Missing),
}

/// An item of a core index space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is named after its index space")]
pub enum CoreItem {
    Func(FuncId),
    Table(TableId),
    Memory(MemoryId),
    Global(GlobalId),
    Tag(TagId),
}

/// A core instance as a value.
#[derive(Clone, Debug)]
pub enum CoreInstanceValue {
    /// An instantiated module.
    Module(CoreInstanceId),
    /// Named items.
    Bundle(IndexMap<String, CoreItem>),
}
