//! Core types, interned over the whole composition.
//!
//! Two recursion groups of equal structure are one, in whatever module they
//! stand, so type identity is equality of ids (core specification, section
//! "Types", subsection on recursive types and their equivalence).

use cranelift_entity::{PrimaryMap, entity_impl};

/// A core type of the composition: equal ids are equal types.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CoreTypeId(u32);
entity_impl!(CoreTypeId, "type");

/// All core types.
pub type CoreTypes = PrimaryMap<CoreTypeId, CoreType>;

/// A defined core type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CoreType {
    /// The declared supertype.
    pub supertype: Option<CoreTypeId>,
    /// Whether subtypes are forbidden.
    pub is_final: bool,
    /// What it is.
    pub kind: CoreTypeKind,
}

/// What a core type is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CoreTypeKind {
    /// A function.
    Func(FuncType),
    /// A structure, an array or a continuation: not compiled yet.
    Other,
}

/// A core function type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the fields say it")]
pub struct FuncType {
    pub params: Box<[ValType]>,
    pub results: Box<[ValType]>,
}

/// A core value type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is named after its type")]
pub enum ValType {
    I32,
    I64,
    F32,
    F64,
    V128,
    Ref(RefType),
}

/// A core reference type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RefType {
    /// Whether null belongs to it.
    pub nullable: bool,
    /// What it refers to.
    pub heap: HeapType,
}

/// What a reference refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is named after its type")]
pub enum HeapType {
    Func,
    NoFunc,
    Extern,
    NoExtern,
    Any,
    None,
    Eq,
    Struct,
    Array,
    I31,
    Exn,
    NoExn,
    Cont,
    NoCont,
    /// A defined type.
    Defined(CoreTypeId),
}

impl CoreType {
    /// The function type, if it is one.
    pub fn func(&self) -> Option<&FuncType> {
        match &self.kind {
            CoreTypeKind::Func(ty) => Some(ty),
            CoreTypeKind::Other => None,
        }
    }
}
