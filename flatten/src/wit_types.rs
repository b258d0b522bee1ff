//! Types of WIT declarations to interned interface types.

use crate::interface::{FuncType, FuncTypeId, Type, TypeId};
use crate::intern::{Construct, Interner};
use crate::program::{Program, ResourceId};
use wit_parser::{Function, Handle, Resolve, TypeDefKind, TypeOwner};

/// Where WIT types become interface types.
pub(crate) struct WitTypes<'s> {
    pub(crate) resolve: &'s Resolve,
    pub(crate) program: &'s mut Program,
    pub(crate) interner: &'s mut Interner,
    /// The resource type of an interface, by the interface's and its own name.
    pub(crate) resource: &'s mut dyn FnMut(&mut Program, &str, &str) -> ResourceId,
}

impl WitTypes<'_> {
    /// The type of a function.
    pub(crate) fn func_type(&mut self, func: &Function) -> Result<FuncTypeId, Construct> {
        if func.kind.is_async() {
            return Err("`async` functions");
        }
        let mut params = Vec::with_capacity(func.params.len());
        for param in &func.params {
            params.push((param.name.clone(), self.ty(&param.ty)?));
        }
        let result = func.result.as_ref().map(|ty| self.ty(ty)).transpose()?;
        Ok(self.interner.intern_func_type(self.program, FuncType { params, result }))
    }

    /// A type. The declarations are our own and WIT has no recursive types, so recursion is
    /// bounded.
    fn ty(&mut self, ty: &wit_parser::Type) -> Result<TypeId, Construct> {
        use wit_parser::Type as Wit;
        let ty = match ty {
            Wit::Bool => Type::Bool,
            Wit::U8 => Type::U8,
            Wit::U16 => Type::U16,
            Wit::U32 => Type::U32,
            Wit::U64 => Type::U64,
            Wit::S8 => Type::S8,
            Wit::S16 => Type::S16,
            Wit::S32 => Type::S32,
            Wit::S64 => Type::S64,
            Wit::F32 => Type::F32,
            Wit::F64 => Type::F64,
            Wit::Char => Type::Char,
            Wit::String => Type::String,
            Wit::ErrorContext => return Err("`error-context` types"),
            Wit::Id(id) => return self.defined(*id),
        };
        self.interner.intern_type(self.program, ty)
    }

    fn optional(&mut self, ty: &Option<wit_parser::Type>) -> Result<Option<TypeId>, Construct> {
        ty.as_ref().map(|ty| self.ty(ty)).transpose()
    }

    fn defined(&mut self, id: wit_parser::TypeId) -> Result<TypeId, Construct> {
        let resolve = self.resolve;
        let ty = match &resolve.types[id].kind {
            TypeDefKind::Type(alias) => return self.ty(alias),
            TypeDefKind::Record(record) => {
                let mut fields = Vec::with_capacity(record.fields.len());
                for field in &record.fields {
                    fields.push((field.name.clone(), self.ty(&field.ty)?));
                }
                Type::Record(fields)
            }
            TypeDefKind::Variant(variant) => {
                let mut cases = Vec::with_capacity(variant.cases.len());
                for case in &variant.cases {
                    cases.push((case.name.clone(), self.optional(&case.ty)?));
                }
                Type::Variant(cases)
            }
            TypeDefKind::Tuple(tuple) => {
                Type::Tuple(tuple.types.iter().map(|ty| self.ty(ty)).collect::<Result<_, _>>()?)
            }
            TypeDefKind::Flags(flags) => {
                Type::Flags(flags.flags.iter().map(|flag| flag.name.clone()).collect())
            }
            TypeDefKind::Enum(cases) => {
                Type::Enum(cases.cases.iter().map(|case| case.name.clone()).collect())
            }
            TypeDefKind::Option(of) => Type::Option(self.ty(of)?),
            TypeDefKind::Result(result) => {
                let ok = self.optional(&result.ok)?;
                Type::Result { ok, err: self.optional(&result.err)? }
            }
            TypeDefKind::List(of) => Type::List(self.ty(of)?),
            TypeDefKind::Map(key, value) => Type::Map(self.ty(key)?, self.ty(value)?),
            TypeDefKind::FixedLengthList(of, len) => Type::FixedList(self.ty(of)?, *len),
            TypeDefKind::Handle(Handle::Own(of)) => Type::Own(self.resource_of(*of)),
            TypeDefKind::Handle(Handle::Borrow(of)) => Type::Borrow(self.resource_of(*of)),
            // A resource named where a value is expected means an own handle.
            TypeDefKind::Resource => Type::Own(self.resource_of(id)),
            TypeDefKind::Future(_) => return Err("`future` types"),
            TypeDefKind::Stream(_) => return Err("`stream` types"),
            TypeDefKind::Unknown => unreachable!("a resolved package has no unknown types"),
        };
        self.interner.intern_type(self.program, ty)
    }

    /// The resource type that a WIT type is, through `use` and `type`.
    fn resource_of(&mut self, mut id: wit_parser::TypeId) -> ResourceId {
        while let TypeDefKind::Type(wit_parser::Type::Id(original)) = self.resolve.types[id].kind {
            id = original;
        }
        let resource = &self.resolve.types[id];
        let interface = match resource.owner {
            TypeOwner::Interface(owner) => self.resolve.id_of(owner),
            _ => None,
        };
        let interface = interface.expect("a declared resource belongs to a named interface");
        let name = resource.name.as_deref().expect("a declared resource has a name");
        (self.resource)(self.program, &interface, name)
    }
}
