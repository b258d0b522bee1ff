//! The program: the closed world that is compiled.
//!
//! Plain data in arenas. `FooId` names a thing of the whole program; a `u32` in a
//! `CoreInstance`'s lists is a slot of that module's index space.

use crate::interface::{FuncType, FuncTypeId, TypeId, Types};
use crate::module::{Bytes, FileId, GlobalType, MemoryType, Module, ModuleId, TableType};
use crate::types::{CoreTypeId, CoreTypes};
use cranelift_entity::{PrimaryMap, entity_impl};
pub use wasmelt_frontend::composition::{CellKind, CellOp, ResourceOp, SourceFile, StringEncoding};
use wasmelt_frontend::script::Value;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u32);
        entity_impl!($name, $prefix);
    )*};
}

ids! {
    /// A component instance.
    ComponentInstanceId = "component_instance";
    /// A core instance.
    CoreInstanceId = "core_instance";
    /// A function: compiled, generated or the host's.
    FuncId = "func";
    /// A linear memory.
    MemoryId = "memory";
    /// A table.
    TableId = "table";
    /// A global.
    GlobalId = "global";
    /// A tag.
    TagId = "tag";
    /// A data segment of a core instance.
    DataId = "data";
    /// An element segment of a core instance.
    ElemId = "elem";
    /// A resource type as it is at run time.
    ResourceId = "resource";
    /// A number that canonical built-ins keep.
    CellId = "cell";
    /// A host function.
    HostFuncId = "host";
}

/// The closed world after flattening.
#[derive(Debug, Default)]
pub struct Program {
    /// The files that bodies and segments lie in.
    pub files: PrimaryMap<FileId, SourceFile>,
    /// Core types; equal ids are equal types.
    pub core_types: CoreTypes,
    /// The modules that core instances are made of.
    pub modules: PrimaryMap<ModuleId, Module>,
    /// Interface types.
    pub types: Types,
    /// Component function types.
    pub func_types: PrimaryMap<FuncTypeId, FuncType>,
    /// Component instances; a child comes after its parent.
    pub component_instances: PrimaryMap<ComponentInstanceId, ComponentInstance>,
    /// Core instances, in the order of their instantiation.
    pub core_instances: PrimaryMap<CoreInstanceId, CoreInstance>,
    /// All functions.
    pub funcs: PrimaryMap<FuncId, Func>,
    /// All memories.
    pub memories: PrimaryMap<MemoryId, Memory>,
    /// All tables.
    pub tables: PrimaryMap<TableId, Table>,
    /// All globals.
    pub globals: PrimaryMap<GlobalId, Global>,
    /// All tags.
    pub tags: PrimaryMap<TagId, Tag>,
    /// Data segments that code can still name at run time, or that `InitStep`s use.
    pub data: PrimaryMap<DataId, Data>,
    /// Element segments that code can still name at run time, or that `InitStep`s use.
    pub elems: PrimaryMap<ElemId, Elem>,
    /// All resource types.
    pub resources: PrimaryMap<ResourceId, Resource>,
    /// The numbers that canonical built-ins keep.
    pub cells: PrimaryMap<CellId, Cell>,
    /// The host functions that the imports name.
    pub hosts: PrimaryMap<HostFuncId, HostFunc>,
    /// Functions that the outside calls, in the order of the root's exports.
    pub exports: Vec<Export>,
    /// Runs what is left of instantiation; `FuncKind::Init`.
    pub init: Option<FuncId>,
    /// What the executable runs after `init`: `wasi:cli/run`'s `run`, as an adapter that
    /// the outside calls, whose core result is 0 for ok and 1 for an error; or a core module's
    /// `_start`, which has no result.
    pub entry: Option<FuncId>,
    /// What a library's header tells besides its functions; empty in every other program.
    pub interface: Interface,
    /// What the executable does instead, if it is a test script's: these in order. Empty in every
    /// other program. Like `exports` they are roots of reachability.
    pub actions: Vec<Action>,
    /// The file that the actions are reported to. Without one they are a script's: they are
    /// reported to standard output, and a trap ends an action, not the program.
    pub report: Option<String>,
}

/// A component instance.
#[derive(Clone, Debug)]
pub struct ComponentInstance {
    /// A readable name, unique in the program: `parent`, `child`, `child#2`.
    pub name: String,
    /// The instance whose component instantiates it; `None` is the root.
    pub parent: Option<ComponentInstanceId>,
    /// Whether some own or borrow handle can be in its table: only then it has one.
    pub has_handles: bool,
    /// Whether a `realloc` or `post-return` of it may reach a lowered import or a built-in, so
    /// that its may-leave flag is observable. `false` needs a proof.
    pub needs_may_leave: bool,
    /// Whether a call may enter it while a call of it is active, so that its may-enter flag is
    /// observable. `false` needs a proof.
    pub needs_may_enter: bool,
}

/// A core instance: its module, and what each index of its module's index spaces is.
#[derive(Clone, Debug)]
pub struct CoreInstance {
    /// A readable name, unique in its component instance.
    pub name: String,
    /// The module.
    pub module: ModuleId,
    /// The component instance it belongs to.
    pub component: ComponentInstanceId,
    /// The function index space.
    pub funcs: Vec<FuncId>,
    /// The table index space.
    pub tables: Vec<TableId>,
    /// The memory index space.
    pub memories: Vec<MemoryId>,
    /// The global index space.
    pub globals: Vec<GlobalId>,
    /// The tag index space.
    pub tags: Vec<TagId>,
    /// The data segments.
    pub data: Vec<DataId>,
    /// The element segments.
    pub elems: Vec<ElemId>,
}

/// A function of the program.
#[derive(Clone, Debug)]
pub struct Func {
    /// A readable name for symbols and messages, unique in the program: `child::read`.
    pub name: String,
    /// Its core type.
    pub ty: CoreTypeId,
    /// The component instance it is charged to (an adapter: the caller's; `None`: the outside's).
    pub component: Option<ComponentInstanceId>,
    /// What it does.
    pub kind: FuncKind,
    /// Whether it can run; what is not live is not compiled.
    pub live: bool,
    /// Whether a reference to it exists, so that it needs a funcref record. A function may be
    /// referenced and not live: a table holds it, but no call of its type goes through that
    /// table, so that only its being there and its type can be observed, never its code.
    pub referenced: bool,
}

/// What a function does.
#[derive(Clone, Debug)]
pub enum FuncKind {
    /// The body of a module's function, for one core instance.
    Wasm {
        /// The core instance.
        instance: CoreInstanceId,
        /// Index among the module's bodies.
        body: u32,
    },
    /// A fused lift and lower pair.
    Adapter(Adapter),
    /// A canonical built-in for resources.
    Resource {
        /// Which.
        op: ResourceOp,
        /// The resource type.
        resource: ResourceId,
        /// The component instance that uses it.
        instance: ComponentInstanceId,
    },
    /// A canonical built-in for a number of the task or the component instance.
    Cell {
        /// Which number.
        cell: CellId,
        /// What it does with it.
        op: CellOp,
    },
    /// A core module's import of a host function.
    HostCall {
        /// The host function.
        host: HostFuncId,
        /// What it gets besides its parameters: the memory of the core instance that imports it.
        memory: MemoryId,
    },
    /// What is left of instantiation; no parameters, no results.
    Init(Vec<InitStep>),
    /// A function of a library that native code calls: prepares the library if it must, and calls a
    /// function of the program.
    Export {
        /// Its global symbol.
        symbol: String,
        /// What it calls; the destructor of a resource type may be missing.
        callee: Option<FuncId>,
    },
    /// Calls guest code of this function's type for a script's driver: a native function of the
    /// code's address and those of its arguments and results, each in slots of 16 bytes.
    Trampoline,
    /// An import that nothing supplies, or a construct that is not implemented. Never live in a
    /// finished program: flattening reports the first one that can be reached.
    Missing(Missing),
}

/// Why a function cannot be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Nothing is bound to the import of that name, and the host does not know it.
    Import(String),
    /// The host has no such function for core modules.
    CoreImport {
        /// The module's name, as the import has it.
        module: String,
        /// The function's name.
        name: String,
    },
    /// The host has no such function.
    HostFunc {
        /// The interface as the import names it.
        interface: String,
        /// The function's name in it.
        name: String,
    },
    /// The host's function has another type: the message that says where they differ.
    HostType(String),
    /// A construct of the component model that is not implemented, by name.
    Construct(String),
}

/// A number that canonical built-ins keep, of 64 bits. What belongs to a task is set aside while
/// another task of the component instance runs.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The component instance.
    pub component: ComponentInstanceId,
    /// What it is for.
    pub kind: CellKind,
    /// Whether a built-in for it can be called at all.
    pub live: bool,
}

/// A fused lift and lower pair.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Adapter {
    /// The type of the component function between the two.
    pub ty: FuncTypeId,
    /// The caller's side.
    pub lower: Lower,
    /// The callee's side.
    pub lift: Lift,
}

impl Adapter {
    /// The options of the caller's `canon lower`, if it is guest code.
    pub fn lower_options(&self) -> Option<&CanonOptions> {
        match &self.lower {
            Lower::Guest { options, .. } => Some(options),
            Lower::Native | Lower::C => None,
        }
    }

    /// The options of the callee's `canon lift`, if it is guest code.
    pub fn lift_options(&self) -> Option<&CanonOptions> {
        match &self.lift {
            Lift::Guest { options, .. } => Some(options),
            Lift::Host(_) => None,
        }
    }
}

/// The caller's side of an adapter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Lower {
    /// Guest code.
    Guest {
        /// The calling component instance.
        instance: ComponentInstanceId,
        /// The options of its `canon lower`.
        options: CanonOptions,
    },
    /// The outside: the entry, or a call of a script. Parameters and result are flat, as on the
    /// host's side.
    Native,
    /// The outside, in C: `docs/native-abi.md`.
    C,
}

/// The callee's side of an adapter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Lift {
    /// Guest code.
    Guest {
        /// The component instance that is called.
        instance: ComponentInstanceId,
        /// The options of its `canon lift`.
        options: CanonOptions,
        /// The lifted core function.
        func: FuncId,
    },
    /// A host function.
    Host(HostFuncId),
}

/// Canonical options, resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each field is named after its option")]
pub struct CanonOptions {
    pub encoding: StringEncoding,
    pub memory: Option<MemoryId>,
    pub realloc: Option<FuncId>,
    pub post_return: Option<FuncId>,
}

/// A step of instantiation that has to run, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum InitStep {
    /// Calls a start function.
    Call(FuncId),
    /// Copies an active data segment; traps if it does not fit the memory's current size.
    InitMemory {
        /// The memory.
        memory: MemoryId,
        /// Byte offset in it.
        offset: u64,
        /// The segment.
        data: DataId,
    },
    /// Copies an active element segment; traps if it does not fit the table's current size.
    InitTable {
        /// The table.
        table: TableId,
        /// Index of the first element in it.
        offset: u64,
        /// The segment.
        elem: ElemId,
    },
    /// Traps with `Trap::Unlinkable` if the memory is smaller now: an import's declared minimum
    /// holds for the current size, which only a script's earlier actions can have changed.
    RequireMemory {
        /// The memory.
        memory: MemoryId,
        /// The smallest size in pages.
        min_pages: u64,
    },
    /// As `RequireMemory`, for a table.
    RequireTable {
        /// The table.
        table: TableId,
        /// The smallest number of elements.
        min: u64,
    },
}

/// What a script's program does, one after the other.
#[derive(Clone, Debug)]
pub enum Action {
    /// Calls a function of the program and reports its results.
    Call {
        /// The function.
        func: FuncId,
        /// The `FuncKind::Trampoline` of its type.
        trampoline: FuncId,
        /// The arguments.
        args: Vec<Argument>,
    },
    /// Calls an adapter whose caller is the outside, and reports its result.
    CallComponent {
        /// The adapter.
        func: FuncId,
        /// The `FuncKind::Trampoline` of its core type.
        trampoline: FuncId,
        /// The component function's type.
        ty: FuncTypeId,
        /// The arguments, of the parameters' types.
        args: Vec<Value>,
    },
    /// Reports a global's value.
    Get(GlobalId),
}

/// An argument of a script's call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Argument {
    /// A value.
    Value(ConstValue),
    /// A reference to the host's thing of that number. References that are no functions are
    /// opaque words, and 0 is null, so it is the number plus 1.
    Host(u32),
}

/// A linear memory.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Its type.
    pub ty: MemoryType,
    /// The core instance that defines it.
    pub instance: CoreInstanceId,
    /// The contents before the first instruction: segments in order, a later one wins.
    pub image: Vec<(u64, Bytes)>,
    /// Whether it may grow.
    pub grows: bool,
    /// Whether it is accessed at all.
    pub live: bool,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its type.
    pub ty: TableType,
    /// The core instance that defines it.
    pub instance: CoreInstanceId,
    /// The value of the elements that `image` does not set.
    pub init: ConstValue,
    /// The contents before the first instruction: segments in order, a later one wins.
    pub image: Vec<(u64, Vec<ConstValue>)>,
    /// Whether nothing can change it once its image is in place, nor see it before: the image is
    /// then what every access finds.
    pub frozen: bool,
    /// Whether it is accessed at all.
    pub live: bool,
}

/// A global.
#[derive(Clone, Debug)]
pub struct Global {
    /// Its type.
    pub ty: GlobalType,
    /// The core instance that defines it.
    pub instance: CoreInstanceId,
    /// Its initial value.
    pub init: ConstValue,
    /// Whether nothing ever writes it, so that every read yields `init`.
    pub frozen: bool,
    /// Whether it is accessed at all.
    pub live: bool,
}

/// A tag.
#[derive(Clone, Debug)]
pub struct Tag {
    /// Its function type.
    pub ty: CoreTypeId,
    /// The core instance that defines it.
    pub instance: CoreInstanceId,
}

/// A data segment of a core instance.
#[derive(Clone, Debug)]
pub struct Data {
    /// Its contents.
    pub bytes: Bytes,
    /// Whether it is passive; an active one is empty once its instance exists.
    pub passive: bool,
    /// Whether code can name it.
    pub live: bool,
}

/// An element segment of a core instance.
#[derive(Clone, Debug)]
pub struct Elem {
    /// Its contents.
    pub items: Vec<ConstValue>,
    /// Whether it is passive; any other is empty once its instance exists.
    pub passive: bool,
    /// Whether code can name it.
    pub live: bool,
}

/// A value known at compile time.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "each variant is named after its type")]
pub enum ConstValue {
    I32(i32),
    I64(i64),
    /// The bits of the float.
    F32(u32),
    /// The bits of the float.
    F64(u64),
    /// Little-endian bytes, lane 0 first.
    V128([u8; 16]),
    /// A null reference of whatever type.
    Null,
    /// A reference to a function.
    Func(FuncId),
}

/// A resource type as it is at run time.
#[derive(Clone, Debug)]
pub struct Resource {
    /// A readable name.
    pub name: String,
    /// Where it comes from.
    pub kind: ResourceKind,
}

/// Where a resource type comes from.
#[derive(Clone, Debug)]
pub enum ResourceKind {
    /// A component instance defines it.
    Guest {
        /// The component instance.
        instance: ComponentInstanceId,
        /// The destructor, a core function of type `[i32] -> []`.
        dtor: Option<FuncId>,
    },
    /// The host defines it.
    Host {
        /// The symbol of the destructor, `extern "C" fn(rep: u32)`.
        drop_symbol: String,
        /// Whether it is not the shim's but someone else's, who links it.
        is_native: bool,
    },
}

/// A host function that the program imports.
#[derive(Clone, Debug)]
pub struct HostFunc {
    /// The interface as the import names it, with its version: `wasi:io/streams@0.2.3`.
    pub interface: String,
    /// The function's name in it.
    pub name: String,
    /// The symbol that the shim defines.
    pub symbol: String,
    /// Whether it is not the shim's but a function of someone else, who links it: in C then.
    pub is_native: bool,
    /// Its type.
    pub ty: HostType,
    /// Whether it can be called.
    pub live: bool,
    /// The component instances through which it is reached, the lowering one last.
    pub reached_by: Vec<ComponentInstanceId>,
}

/// The type of a host function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostType {
    /// Components import it.
    Component(FuncTypeId),
    /// Core modules import it: its type as they see it, without the memory that it gets besides.
    Core(CoreTypeId),
}

impl HostFunc {
    /// The type of a function that a component imports.
    pub fn component_type(&self) -> FuncTypeId {
        match self.ty {
            HostType::Component(ty) => ty,
            HostType::Core(_) => panic!("`{}` is none of a component's imports", self.symbol),
        }
    }
}

/// A function that the outside can call.
#[derive(Clone, Debug)]
pub struct Export {
    /// Its name; a function of an exported instance is `interface#function`.
    pub name: String,
    /// The function: an adapter whose caller is the outside, or a library's `FuncKind::Export`.
    pub func: FuncId,
    /// The component function's type.
    pub ty: FuncTypeId,
}

/// The names of a library's types: in the program itself types have none.
#[derive(Clone, Debug, Default)]
pub struct Interface {
    /// Value types, of exports and native imports: what a header calls each, in the order of the
    /// input.
    pub types: Vec<(String, TypeId)>,
    /// The resource types that native code gets to see.
    pub resources: Vec<NamedResource>,
}

/// A resource type that a library's header names.
#[derive(Clone, Debug)]
pub struct NamedResource {
    /// What the header calls it.
    pub name: String,
    /// The resource type.
    pub resource: ResourceId,
    /// The `FuncKind::Export` that destroys one, if the library defines it.
    pub drop: Option<FuncId>,
}
