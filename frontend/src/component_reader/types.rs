//! Component-level type definitions.
//!
//! Types may nest (an instance type declares types that may be instance types);
//! the nesting was bounded by [`check_type_nesting`] before anything recursed
//! over it, so the recursion here is bounded too.

use crate::composition::{ExternType, FuncTypeDef, Primitive, TypeAlias, TypeDecl, TypeDef};
use crate::composition::{ValueType, ValueTypeDef};
use crate::error::{Error, Position, Result};
use crate::features::FEATURES;
use crate::limits::TYPE_DEPTH_MAX;
use crate::source::{byte_offset, byte_range};
use wasmparser::{BinaryReader, ComponentAlias, ComponentDefinedType, ComponentExternName};
use wasmparser::{ComponentFuncType, ComponentImport, ComponentType, ComponentTypeRef};
use wasmparser::{ComponentTypeSectionReader, ComponentValType, CoreType, InstanceTypeDeclaration};
use wasmparser::{PrimitiveValType, TypeBounds};

/// How many core type indices a definition takes: a recursion group takes one per member.
pub fn count_core_types(ty: &CoreType<'_>) -> usize {
    match ty {
        CoreType::Rec(group) => group.types().len(),
        CoreType::Module(_) => 1,
    }
}

/// Reads a type definition.
pub fn read_type(ty: &ComponentType<'_>) -> Result<TypeDef> {
    Ok(match ty {
        ComponentType::Defined(ty) => TypeDef::Value(read_value_type_def(ty)),
        ComponentType::Func(ty) => TypeDef::Func(read_func_type(ty)),
        ComponentType::Component(_) => TypeDef::Component,
        ComponentType::Instance(decls) => {
            let mut read = Vec::with_capacity(decls.len());
            for decl in decls {
                read_type_decl(decl, &mut read)?;
            }
            TypeDef::Instance(read)
        }
        ComponentType::Resource { rep: wasmparser::ValType::I32, dtor } => {
            TypeDef::Resource { dtor: *dtor }
        }
        ComponentType::Resource { .. } => {
            return Err(Error::unsupported("a resource type whose representation is not `i32`"));
        }
    })
}

/// Reads a declaration of an instance type; a core recursion group becomes several.
fn read_type_decl(decl: &InstanceTypeDeclaration<'_>, read: &mut Vec<TypeDecl>) -> Result<()> {
    match decl {
        InstanceTypeDeclaration::CoreType(ty) => {
            read.extend((0..count_core_types(ty)).map(|_| TypeDecl::CoreType));
        }
        InstanceTypeDeclaration::Type(ty) => read.push(TypeDecl::Type(read_type(ty)?)),
        InstanceTypeDeclaration::Alias(alias) => read.push(read_alias_decl(alias)?),
        InstanceTypeDeclaration::Export { name, ty } => {
            read.push(TypeDecl::Export { name: name.name.to_owned(), ty: read_extern_type(*ty) })
        }
    }
    Ok(())
}

fn read_alias_decl(alias: &ComponentAlias<'_>) -> Result<TypeDecl> {
    Ok(match alias {
        ComponentAlias::InstanceExport { kind, instance_index, name } => TypeDecl::Alias {
            sort: super::component_sort(*kind),
            target: TypeAlias::InstanceExport {
                instance: *instance_index,
                name: (*name).to_owned(),
            },
        },
        ComponentAlias::Outer { kind, count, index } => TypeDecl::Alias {
            sort: super::outer_sort(*kind),
            target: TypeAlias::Outer { count: *count, index: *index },
        },
        ComponentAlias::CoreInstanceExport { .. } => {
            return Err(Error::invalid("an instance type aliases a core instance's export"));
        }
    })
}

/// Reads the type of an import or an export; [`super::module_types`] describes core modules.
pub fn read_extern_type(ty: ComponentTypeRef) -> ExternType {
    match ty {
        ComponentTypeRef::Module(_) => ExternType::CoreModule(None),
        ComponentTypeRef::Func(index) => ExternType::Func(index),
        ComponentTypeRef::Value(_) => ExternType::Value,
        ComponentTypeRef::Type(TypeBounds::Eq(index)) => ExternType::TypeEq(index),
        ComponentTypeRef::Type(TypeBounds::SubResource) => ExternType::TypeResource,
        ComponentTypeRef::Instance(index) => ExternType::Instance(index),
        ComponentTypeRef::Component(index) => ExternType::Component(index),
    }
}

fn read_func_type(ty: &ComponentFuncType<'_>) -> FuncTypeDef {
    FuncTypeDef {
        params: read_fields(&ty.params),
        result: ty.result.map(read_value_type),
        is_async: ty.async_,
    }
}

fn read_fields(fields: &[(&str, ComponentValType)]) -> Vec<(String, ValueType)> {
    fields.iter().map(|(name, ty)| ((*name).to_owned(), read_value_type(*ty))).collect()
}

fn read_names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn read_value_type_def(ty: &ComponentDefinedType<'_>) -> ValueTypeDef {
    match ty {
        ComponentDefinedType::Primitive(ty) => ValueTypeDef::Primitive(read_primitive(*ty)),
        ComponentDefinedType::Record(fields) => ValueTypeDef::Record(read_fields(fields)),
        ComponentDefinedType::Variant(cases) => {
            let cases =
                cases.iter().map(|case| (case.name.to_owned(), case.ty.map(read_value_type)));
            ValueTypeDef::Variant(cases.collect())
        }
        ComponentDefinedType::List(element) => ValueTypeDef::List(read_value_type(*element)),
        ComponentDefinedType::Map(key, value) => {
            ValueTypeDef::Map(read_value_type(*key), read_value_type(*value))
        }
        ComponentDefinedType::FixedLengthList(element, len) => {
            ValueTypeDef::FixedList(read_value_type(*element), *len)
        }
        ComponentDefinedType::Tuple(types) => {
            ValueTypeDef::Tuple(types.iter().map(|ty| read_value_type(*ty)).collect())
        }
        ComponentDefinedType::Flags(names) => ValueTypeDef::Flags(read_names(names)),
        ComponentDefinedType::Enum(names) => ValueTypeDef::Enum(read_names(names)),
        ComponentDefinedType::Option(ty) => ValueTypeDef::Option(read_value_type(*ty)),
        ComponentDefinedType::Result { ok, err } => {
            ValueTypeDef::Result { ok: ok.map(read_value_type), err: err.map(read_value_type) }
        }
        ComponentDefinedType::Own(resource) => ValueTypeDef::Own(*resource),
        ComponentDefinedType::Borrow(resource) => ValueTypeDef::Borrow(*resource),
        ComponentDefinedType::Future(ty) => ValueTypeDef::Future(ty.map(read_value_type)),
        ComponentDefinedType::Stream(ty) => ValueTypeDef::Stream(ty.map(read_value_type)),
    }
}

fn read_value_type(ty: ComponentValType) -> ValueType {
    match ty {
        ComponentValType::Primitive(ty) => ValueType::Primitive(read_primitive(ty)),
        ComponentValType::Type(index) => ValueType::Type(index),
    }
}

fn read_primitive(ty: PrimitiveValType) -> Primitive {
    match ty {
        PrimitiveValType::Bool => Primitive::Bool,
        PrimitiveValType::S8 => Primitive::S8,
        PrimitiveValType::U8 => Primitive::U8,
        PrimitiveValType::S16 => Primitive::S16,
        PrimitiveValType::U16 => Primitive::U16,
        PrimitiveValType::S32 => Primitive::S32,
        PrimitiveValType::U32 => Primitive::U32,
        PrimitiveValType::S64 => Primitive::S64,
        PrimitiveValType::U64 => Primitive::U64,
        PrimitiveValType::F32 => Primitive::F32,
        PrimitiveValType::F64 => Primitive::F64,
        PrimitiveValType::Char => Primitive::Char,
        PrimitiveValType::String => Primitive::String,
        PrimitiveValType::ErrorContext => Primitive::ErrorContext,
    }
}

/// Refuses a type section whose component and instance types nest too deeply.
///
/// The validator's own reader recurses once per level without a limit, so this
/// has to run before it. `bytes` is the file that the section lies in. Anything
/// malformed is left to the validator, which has the better words for it.
pub fn check_type_nesting(bytes: &[u8], section: &ComponentTypeSectionReader<'_>) -> Result<()> {
    let range = byte_range(section.range());
    let Some(section_bytes) = bytes.get(range.clone()) else { return Ok(()) };
    let mut reader = BinaryReader::new_features(section_bytes, range.start as u64, FEATURES);
    match skim_types(&mut reader) {
        Ok(()) => Ok(()),
        Err(Skim::TooDeep(offset)) => Err(Error::unsupported(format!(
            "component and instance types that nest more than {TYPE_DEPTH_MAX} levels deep"
        ))
        .at(Position::Offset(byte_offset(offset)))),
        Err(Skim::Malformed(_)) => Ok(()),
    }
}

/// Why skimming stopped early.
enum Skim {
    TooDeep(u64),
    /// The validator will find the same fault again and report it.
    Malformed(#[expect(dead_code, reason = "only its presence matters")] wasmparser::Error),
}

impl From<wasmparser::Error> for Skim {
    fn from(error: wasmparser::Error) -> Skim {
        Skim::Malformed(error)
    }
}

/// Walks over a type section with an explicit stack: how many items each open level still has.
fn skim_types(reader: &mut BinaryReader<'_>) -> std::result::Result<(), Skim> {
    let mut open = vec![reader.read_var_u32()?];
    while let Some(left) = open.last_mut() {
        if *left == 0 {
            open.pop();
            continue;
        }
        *left -= 1;
        // The outermost level holds types, all others hold declarations.
        let is_type = open.len() == 1 || skim_declaration(reader)?;
        if is_type && let Some(count) = skim_type(reader)? {
            if open.len() > TYPE_DEPTH_MAX {
                return Err(Skim::TooDeep(reader.original_position()));
            }
            open.push(count);
        }
    }
    Ok(())
}

/// Skips a declaration, unless it declares a type: then returns true before that type.
fn skim_declaration(reader: &mut BinaryReader<'_>) -> wasmparser::Result<bool> {
    match reader.read_u8()? {
        0x00 => {
            reader.read::<CoreType<'_>>()?;
        }
        0x01 => return Ok(true),
        0x02 => {
            reader.read::<ComponentAlias<'_>>()?;
        }
        0x03 => {
            reader.read::<ComponentImport<'_>>()?;
        }
        _ => {
            reader.read::<ComponentExternName<'_>>()?;
            reader.read::<ComponentTypeRef>()?;
        }
    }
    Ok(false)
}

/// Skips a type, or the head of one that has declarations: then returns how many.
fn skim_type(reader: &mut BinaryReader<'_>) -> wasmparser::Result<Option<u32>> {
    let mut ahead = reader.clone();
    if matches!(ahead.read_u8()?, 0x41 | 0x42) {
        let count = ahead.read_var_u32()?;
        *reader = ahead;
        return Ok(Some(count));
    }
    reader.read::<ComponentType<'_>>()?;
    Ok(None)
}
