//! Interface types of the program: the component model's types with every
//! resource resolved to the one it is at run time. Interned: equal ids are equal types.

use crate::program::ResourceId;
use cranelift_entity::{PrimaryMap, entity_impl};

/// An interface type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(u32);
entity_impl!(TypeId, "itype");

/// A component function type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FuncTypeId(u32);
entity_impl!(FuncTypeId, "ftype");

/// All interface types; a type refers only to types before it.
pub type Types = PrimaryMap<TypeId, Type>;

/// An interface type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is named after its type")]
pub enum Type {
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
    List(TypeId),
    FixedList(TypeId, u32),
    Map(TypeId, TypeId),
    Record(Vec<(String, TypeId)>),
    Tuple(Vec<TypeId>),
    Variant(Vec<(String, Option<TypeId>)>),
    Enum(Vec<String>),
    Option(TypeId),
    Result { ok: Option<TypeId>, err: Option<TypeId> },
    Flags(Vec<String>),
    Own(ResourceId),
    Borrow(ResourceId),
}

/// A component function type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FuncType {
    /// Names and types of the parameters.
    pub params: Vec<(String, TypeId)>,
    /// The result's type.
    pub result: Option<TypeId>,
}
