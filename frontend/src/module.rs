//! A core module as plain data: everything of it but the bytes of its bodies.
//!
//! The reader fills this in while the validator runs, so every index is in range
//! and every constant expression is well typed. Functions, tables, memories,
//! globals and tags are numbered as in the specification: imported ones first.

use crate::types::{CoreTypeId, RefType, ValType};
use cranelift_entity::entity_impl;
use indexmap::IndexMap;
use std::ops::Range;

/// A core module of the composition.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleId(u32);
entity_impl!(ModuleId, "module");

/// An input file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(u32);
entity_impl!(FileId, "file");

/// Bytes of an input file's binary form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bytes {
    /// The file they lie in.
    pub file: FileId,
    /// Byte offsets from the start of that file.
    pub range: Range<usize>,
}

/// A validated core module.
#[derive(Clone, Debug)]
pub struct Module {
    /// The name in its `name` section, if it has one.
    pub name: Option<String>,
    /// The module's own bytes, header included.
    pub bytes: Bytes,
    /// The type index space; two indices with equal ids are the same type, in whatever module.
    pub types: Vec<CoreTypeId>,
    /// The imports, in order.
    pub imports: Vec<Import>,
    /// The function index space: each function's type.
    pub funcs: Vec<CoreTypeId>,
    /// The table index space; imported ones have no `init`.
    pub tables: Vec<Table>,
    /// The memory index space.
    pub memories: Vec<MemoryType>,
    /// The global index space; imported ones have no `init`.
    pub globals: Vec<Global>,
    /// The tag index space: each tag's function type.
    pub tags: Vec<CoreTypeId>,
    /// How many of each index space are imported.
    pub imported: Counts,
    /// The exports, in order.
    pub exports: IndexMap<String, Extern>,
    /// The start function's index.
    pub start: Option<u32>,
    /// The element segments.
    pub elems: Vec<ElemSegment>,
    /// The data segments.
    pub data: Vec<DataSegment>,
    /// The bodies of the defined functions: body `i` is function `imported.funcs + i`.
    pub bodies: Vec<Body>,
    /// Function index to the name in the `name` section.
    pub func_names: IndexMap<u32, String>,
    /// The `metadata.code.branch_hint` section, in its order.
    pub branch_hints: Vec<BranchHint>,
}

/// A producer's guess which way a branch goes. It is only a hint: indices may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BranchHint {
    /// Function index.
    pub func: u32,
    /// Byte offset of the branch from the start of the function's body.
    pub offset: u32,
    /// Whether the branch is mostly taken.
    pub is_likely: bool,
}

/// How many items of each index space are imported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is named after its index space")]
pub struct Counts {
    pub funcs: u32,
    pub tables: u32,
    pub memories: u32,
    pub globals: u32,
    pub tags: u32,
}

/// An import of a core module.
#[derive(Clone, Debug)]
pub struct Import {
    /// The first of the two names.
    pub module: String,
    /// The second of the two names.
    pub name: String,
    /// What is imported, as an index of the index space that it becomes part of.
    pub item: Extern,
}

/// An item of one of the core index spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is named after its index space")]
pub enum Extern {
    Func(u32),
    Table(u32),
    Memory(u32),
    Global(u32),
    Tag(u32),
}

/// The type of a linear memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryType {
    /// Initial size in pages.
    pub min_pages: u64,
    /// Largest size in pages, if limited.
    pub max_pages: Option<u64>,
    /// Whether addresses are 64 bits wide.
    pub memory64: bool,
    /// Whether it may be shared between threads.
    pub shared: bool,
    /// Base 2 logarithm of the page size in bytes: 16, or 0 with custom page sizes.
    pub page_size_log2: u32,
}

/// The type of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableType {
    /// The type of its elements.
    pub element: RefType,
    /// Initial number of elements.
    pub min: u64,
    /// Largest number of elements, if limited.
    pub max: Option<u64>,
    /// Whether indices are 64 bits wide.
    pub table64: bool,
}

/// A table of the index space.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its type.
    pub ty: TableType,
    /// The initial value of each element; `None` is null (or: the table is imported).
    pub init: Option<ConstExpr>,
}

/// The type of a global.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalType {
    /// The type of its value.
    pub value: ValType,
    /// Whether `global.set` is allowed.
    pub mutable: bool,
}

/// A global of the index space.
#[derive(Clone, Debug)]
pub struct Global {
    /// Its type.
    pub ty: GlobalType,
    /// The initial value; `None` if it is imported.
    pub init: Option<ConstExpr>,
}

/// A constant expression in postfix order, without its `end`.
pub type ConstExpr = Vec<ConstOp>;

/// An instruction that a constant expression may contain (without the garbage collector's).
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "each variant is named after its instruction")]
pub enum ConstOp {
    I32(i32),
    I64(i64),
    /// The bits of the float.
    F32(u32),
    /// The bits of the float.
    F64(u64),
    /// Little-endian bytes, lane 0 first.
    V128([u8; 16]),
    GlobalGet(u32),
    RefNull,
    RefFunc(u32),
    I32Add,
    I32Sub,
    I32Mul,
    I64Add,
    I64Sub,
    I64Mul,
}

/// An element segment.
#[derive(Clone, Debug)]
pub struct ElemSegment {
    /// When it is used.
    pub mode: SegmentMode,
    /// The type of its elements.
    pub ty: RefType,
    /// Its elements.
    pub items: Vec<ConstExpr>,
}

/// A data segment.
#[derive(Clone, Debug)]
pub struct DataSegment {
    /// When it is used.
    pub mode: SegmentMode,
    /// Its contents.
    pub bytes: Bytes,
}

/// When a segment is used.
#[derive(Clone, Debug)]
pub enum SegmentMode {
    /// At instantiation, at an offset of a table or a memory.
    Active {
        /// Index of the table or memory.
        target: u32,
        /// Where the first element or byte goes.
        offset: ConstExpr,
    },
    /// By `table.init` and `memory.init`.
    Passive,
    /// Never: it only declares functions for `ref.func`.
    Declared,
}

/// A function body: where it lies, and what later stages must know without reading it.
#[derive(Clone, Debug)]
pub struct Body {
    /// The body's bytes, from its local declarations to its final `end`.
    pub bytes: Bytes,
    /// What the body does.
    pub summary: BodySummary,
}

/// What a body may do, by index; each list is sorted and without repetition.
///
/// Flattening decides from this alone what is reachable and what is constant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodySummary {
    /// Functions called directly (`call`, `return_call`).
    pub calls: Box<[u32]>,
    /// Functions whose reference is taken (`ref.func`).
    pub ref_funcs: Box<[u32]>,
    /// Indirect calls (`call_indirect`, `return_call_indirect`).
    pub indirect_calls: Box<[IndirectCall]>,
    /// Type indices of `call_ref` and `return_call_ref`.
    pub call_refs: Box<[u32]>,
    /// Globals read.
    pub globals_read: Box<[u32]>,
    /// Globals written.
    pub globals_written: Box<[u32]>,
    /// Tables read other than by indirect calls (`table.get`, `.size`, source of `.copy`).
    pub tables_read: Box<[u32]>,
    /// Tables changed (`table.set`, `.grow`, `.fill`, `.init`, destination of `.copy`).
    pub tables_written: Box<[u32]>,
    /// Memories accessed in whatever way.
    pub memories: Box<[u32]>,
    /// Memories whose contents are looked at.
    pub memories_read: Box<[u32]>,
    /// Memories changed in contents.
    pub memories_written: Box<[u32]>,
    /// Memories grown.
    pub memories_grown: Box<[u32]>,
    /// Data segments of `memory.init` and `data.drop`.
    pub data: Box<[u32]>,
    /// Element segments of `table.init` and `elem.drop`.
    pub elems: Box<[u32]>,
    /// Number of operators, a measure of size.
    pub operators: u32,
    /// Whether the body has a loop.
    pub has_loop: bool,
    /// Whether the body uses vector instructions.
    pub uses_simd: bool,
}

/// An indirect call of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndirectCall {
    /// Index of the table.
    pub table: u32,
    /// Index of the function type it expects.
    pub ty: u32,
    /// The element, if the operator before the call is a constant.
    pub element: Option<u32>,
}
