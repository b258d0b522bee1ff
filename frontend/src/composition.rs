//! The frontend's result: component and module definitions, still nested.
//!
//! A component is the list of its definitions in the order of the binary; each
//! definition adds items to the component's index spaces, exactly as in the
//! Component Model's binary format. Nothing is evaluated here: flattening walks
//! these lists symbolically. Types are kept in the same way, as definitions whose
//! operands are type indices of the enclosing scope, because a type's meaning
//! depends on the instantiation (a resource type is a new one each time).

use crate::error::Position;
use crate::module::{FileId, GlobalType, MemoryType, Module, ModuleId, TableType};
use crate::types::{CoreTypeId, CoreTypes};
use cranelift_entity::{PrimaryMap, entity_impl};
use indexmap::IndexMap;
use std::ops::Range;
use std::path::PathBuf;

/// A component definition.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ComponentId(u32);
entity_impl!(ComponentId, "component");

/// Everything that was read, validated and bound.
#[derive(Debug, Default)]
pub struct Composition {
    /// The files, each once, in the order they were first needed.
    pub files: PrimaryMap<FileId, SourceFile>,
    /// All core types.
    pub core_types: CoreTypes,
    /// All core modules, at whatever depth.
    pub modules: PrimaryMap<ModuleId, Module>,
    /// All components, at whatever depth.
    pub components: PrimaryMap<ComponentId, Component>,
    /// What to build. `None` only in a script, which has no root.
    pub root: Option<Root>,
}

/// What a file turned out to be. As what is to be built, a core module is a command: it exports
/// `_start`, and what it imports is the host's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// A core module.
    Module(ModuleId),
    /// A component.
    Component(ComponentId),
}

/// An input file.
#[derive(Debug)]
pub struct SourceFile {
    /// The path as the user or the importing file named it, joined to the importer's folder.
    pub path: PathBuf,
    /// The binary form (a text file is translated first).
    pub bytes: Vec<u8>,
    /// Where in a text file the items of its binary form stand, by increasing offset; empty
    /// for a binary file.
    pub marks: Vec<Mark>,
    /// Where the user's own file lies in `bytes`, if a component was made around it.
    pub wrapped: Option<Range<usize>>,
}

/// Where in a text file an item of its binary form stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The item's byte offset in the binary form.
    pub offset: usize,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1.
    pub column: usize,
}

impl SourceFile {
    /// The offset in the user's own file; `None` for what has been put around it.
    pub fn user_offset(&self, offset: usize) -> Option<usize> {
        match &self.wrapped {
            Some(range) => range.contains(&offset).then(|| offset - range.start),
            None => Some(offset),
        }
    }

    /// The place that a user knows a byte offset by: for a text file, that of the item around it.
    pub fn position(&self, offset: usize) -> Position {
        let offset = self.user_offset(offset).unwrap_or(0);
        let after = self.marks.partition_point(|mark| mark.offset <= offset);
        match after.checked_sub(1) {
            Some(index) => {
                let Mark { line, column, .. } = self.marks[index];
                Position::LineColumn(line, column)
            }
            None => Position::Offset(offset),
        }
    }
}

/// A component: its definitions in order.
#[derive(Debug)]
pub struct Component {
    /// A name for messages and symbols: the `component-name` section's, or the file's stem.
    pub name: Option<String>,
    /// The file it lies in.
    pub file: FileId,
    /// Its definitions, in the order of the binary.
    pub defs: Vec<Def>,
    /// The names that the `component-name` section gives to items: (sort, index, name).
    pub item_names: Vec<(Sort, u32, String)>,
}

/// The index spaces of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each variant is named after its index space")]
pub enum Sort {
    Func,
    Value,
    Type,
    Component,
    Instance,
    CoreFunc,
    CoreTable,
    CoreMemory,
    CoreGlobal,
    CoreTag,
    CoreType,
    CoreModule,
    CoreInstance,
}

/// A reference to an item of an index space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    /// The index space.
    pub sort: Sort,
    /// The index in it.
    pub index: u32,
}

/// A definition; each but `Start` adds one item to the index space it names.
#[derive(Debug)]
pub enum Def {
    /// Adds to the index space of the import's sort.
    Import(Import),
    /// Adds a core module.
    CoreModule(ModuleId),
    /// Adds a core type. Flattening needs none of them, but they take an index.
    CoreType,
    /// Adds a core instance.
    CoreInstance(CoreInstance),
    /// Adds a component.
    Component(ComponentId),
    /// Adds an instance.
    Instance(Instance),
    /// Adds to the index space of the alias's sort.
    Alias(Alias),
    /// Adds a type.
    Type(TypeDef),
    /// Adds a component function.
    Lift {
        /// The core function that is lifted.
        core_func: u32,
        /// The function type's index.
        ty: u32,
        /// How.
        options: CanonOptions,
    },
    /// Adds a core function.
    Lower {
        /// The component function that is lowered.
        func: u32,
        /// How.
        options: CanonOptions,
    },
    /// Adds a core function: one of the canonical built-ins for resources.
    Resource {
        /// Which.
        op: ResourceOp,
        /// The resource type's index.
        ty: u32,
    },
    /// Adds a core function: one of the canonical built-ins for a number of the task or the
    /// component instance.
    Cell {
        /// Which number.
        kind: CellKind,
        /// What the built-in does with it.
        op: CellOp,
    },
    /// Adds a core function that needs what is not implemented: the built-in's name.
    UnsupportedBuiltin(String),
    /// Adds to the index space of the item's sort, and exports it.
    Export(Export),
}

/// The canonical built-ins for resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is named after its built-in")]
pub enum ResourceOp {
    New,
    Rep,
    Drop,
}

/// A number that canonical built-ins keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CellKind {
    /// A slot of a task's own storage, by its index: `context.get`, `context.set`.
    Context(u32),
    /// How often a component instance has asked not to be called asynchronously:
    /// `backpressure.inc`, `backpressure.dec`.
    Backpressure,
}

/// What a canonical built-in does with such a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CellOp {
    /// Reads a slot.
    Get {
        /// Whether as an `i64`.
        wide: bool,
    },
    /// Writes a slot.
    Set {
        /// Whether as an `i64`.
        wide: bool,
    },
    /// Counts up.
    Increment,
    /// Counts down.
    Decrement,
}

/// An import of a component.
#[derive(Debug)]
pub struct Import {
    /// The name.
    pub name: String,
    /// The `external-id` attribute, or the path that a text file wrote instead of a name.
    pub external_id: Option<String>,
    /// The `implements` attribute.
    pub implements: Option<String>,
    /// The type.
    pub ty: ExternType,
    /// What was found for it outside the importing file.
    pub binding: Option<Binding>,
    /// Byte offset of the import in its file, for messages.
    pub offset: usize,
}

/// What an import is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// A component of another file.
    Component(ComponentId),
    /// A core module of another file.
    Module(ModuleId),
    /// The instance of that name which a component of another file exports once instantiated.
    InstanceOf(ComponentId),
}

/// How a core instance comes about.
#[derive(Debug)]
pub enum CoreInstance {
    /// By instantiating a module; each argument is a name and a core instance index.
    Instantiate {
        /// The module's index.
        module: u32,
        /// The arguments.
        args: Vec<(String, u32)>,
    },
    /// By naming items.
    Bundle(Vec<(String, Item)>),
}

/// How an instance comes about.
#[derive(Debug)]
pub enum Instance {
    /// By instantiating a component.
    Instantiate {
        /// The component's index.
        component: u32,
        /// The arguments.
        args: Vec<(String, Item)>,
    },
    /// By naming items.
    Bundle(Vec<(String, Item)>),
}

/// An alias.
#[derive(Debug)]
pub enum Alias {
    /// An export of an instance.
    InstanceExport {
        /// What is expected.
        sort: Sort,
        /// The instance's index.
        instance: u32,
        /// The export's name.
        name: String,
    },
    /// An export of a core instance.
    CoreInstanceExport {
        /// What is expected.
        sort: Sort,
        /// The core instance's index.
        instance: u32,
        /// The export's name.
        name: String,
    },
    /// An item of the scope that is `count` levels out (0 is the alias's own).
    Outer {
        /// A core module, core type, component or type.
        sort: Sort,
        /// How far out.
        count: u32,
        /// The index there.
        index: u32,
    },
}

/// An export.
#[derive(Debug)]
pub struct Export {
    /// The name.
    pub name: String,
    /// What is exported.
    pub item: Item,
}

/// Canonical options of a lift or a lower.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CanonOptions {
    /// How strings are encoded in memory.
    pub encoding: StringEncoding,
    /// Core memory index.
    pub memory: Option<u32>,
    /// Core function index.
    pub realloc: Option<u32>,
    /// Core function index.
    pub post_return: Option<u32>,
    /// The name of the first option that is not implemented (`async`, `callback`, `gc`, ...).
    pub unsupported: Option<&'static str>,
}

/// How strings are encoded in a linear memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is named after its encoding")]
pub enum StringEncoding {
    #[default]
    Utf8,
    Utf16,
    Latin1Utf16,
}

/// A type definition.
#[derive(Clone, Debug)]
pub enum TypeDef {
    /// A value type.
    Value(ValueTypeDef),
    /// A function type.
    Func(FuncTypeDef),
    /// A resource type. In an instance type's declarations only bounds introduce resources.
    Resource {
        /// Core function index of the destructor.
        dtor: Option<u32>,
    },
    /// An instance type: a scope of its own.
    Instance(Vec<TypeDecl>),
    /// A component type: needed for validation only.
    Component,
}

/// A declaration in an instance type.
#[derive(Clone, Debug)]
pub enum TypeDecl {
    /// Adds a core type (an index that nothing refers to).
    CoreType,
    /// Adds a type.
    Type(TypeDef),
    /// Adds an alias.
    Alias {
        /// The sort it adds to.
        sort: Sort,
        /// What it stands for.
        target: TypeAlias,
    },
    /// Adds an item of the export's sort.
    Export {
        /// The name.
        name: String,
        /// The type.
        ty: ExternType,
    },
}

/// What an alias in an instance type stands for.
#[derive(Clone, Debug)]
pub enum TypeAlias {
    /// An item of an enclosing scope.
    Outer {
        /// How far out.
        count: u32,
        /// The index there.
        index: u32,
    },
    /// An export of an instance that the instance type itself exports.
    InstanceExport {
        /// The instance's index.
        instance: u32,
        /// The export's name.
        name: String,
    },
}

/// The type of an import or an export; indices are type indices.
#[derive(Clone, Debug)]
pub enum ExternType {
    /// A core module. `None`: a part of its type is not implemented.
    CoreModule(Option<Box<ModuleType>>),
    /// A function.
    Func(u32),
    /// A value.
    Value,
    /// A type that equals the one of that index.
    TypeEq(u32),
    /// A resource type of which nothing is known.
    TypeResource,
    /// An instance.
    Instance(u32),
    /// A component.
    Component(u32),
}

/// What is known of a core module that is imported.
#[derive(Clone, Debug, Default)]
pub struct ModuleType {
    /// What it may import at most, by its two names.
    pub imports: IndexMap<(String, String), ModuleItem>,
    /// What it exports at least.
    pub exports: IndexMap<String, ModuleItem>,
}

/// The type of what a core module imports or exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is named after its kind")]
pub enum ModuleItem {
    Func(CoreTypeId),
    Table(TableType),
    Memory(MemoryType),
    Global(GlobalType),
    Tag(CoreTypeId),
}

/// A function type.
#[derive(Clone, Debug)]
pub struct FuncTypeDef {
    /// Names and types of the parameters.
    pub params: Vec<(String, ValueType)>,
    /// The result's type.
    pub result: Option<ValueType>,
    /// Whether it is an `async` function.
    pub is_async: bool,
}

/// A use of a value type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// A primitive type.
    Primitive(Primitive),
    /// The type of that index.
    Type(u32),
}

/// The primitive value types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is named after its type")]
pub enum Primitive {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    F32,
    F64,
    Char,
    String,
    ErrorContext,
}

/// A defined value type.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each variant is named after its type")]
pub enum ValueTypeDef {
    Primitive(Primitive),
    Record(Vec<(String, ValueType)>),
    Variant(Vec<(String, Option<ValueType>)>),
    List(ValueType),
    FixedList(ValueType, u32),
    Map(ValueType, ValueType),
    Tuple(Vec<ValueType>),
    Flags(Vec<String>),
    Enum(Vec<String>),
    Option(ValueType),
    Result {
        ok: Option<ValueType>,
        err: Option<ValueType>,
    },
    /// Index of the resource type.
    Own(u32),
    /// Index of the resource type.
    Borrow(u32),
    Future(Option<ValueType>),
    Stream(Option<ValueType>),
}
