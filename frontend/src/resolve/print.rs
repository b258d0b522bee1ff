//! Interface types in words, for messages.
//!
//! The notation is that of WIT. Types are printed to a limited depth and width:
//! a message shows where two types differ, not all of either.

use crate::limits::{PRINTED_TYPE_DEPTH_MAX, PRINTED_TYPE_MEMBERS_MAX};
use std::collections::HashMap;
use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentDefinedType, ComponentEntityType, ComponentFuncTypeId,
    ComponentValType, ResourceId,
};
use wasmparser::types::{EntityType, TypesRef};

/// What sort of thing an import or export is, with its article.
pub fn describe_entity(ty: &ComponentEntityType) -> &'static str {
    match ty {
        ComponentEntityType::Module(_) => "a core module",
        ComponentEntityType::Func(_) => "a function",
        ComponentEntityType::Value(_) => "a value",
        ComponentEntityType::Type { created: ComponentAnyTypeId::Resource(_), .. } => "a resource",
        ComponentEntityType::Type { .. } => "a type",
        ComponentEntityType::Instance(_) => "an instance",
        ComponentEntityType::Component(_) => "a component",
    }
}

/// Prints types; knows the names under which resources were met.
pub struct TypePrinter<'a> {
    types: TypesRef<'a>,
    resource_names: HashMap<ResourceId, String>,
}

impl<'a> TypePrinter<'a> {
    /// Starts without any names of resources.
    pub fn new(types: TypesRef<'a>) -> TypePrinter<'a> {
        TypePrinter { types, resource_names: HashMap::new() }
    }

    /// Keeps the name of an import or export if it is a resource.
    pub fn name_resource(&mut self, name: &str, ty: &ComponentEntityType) {
        if let ComponentEntityType::Type { created: ComponentAnyTypeId::Resource(id), .. } = ty {
            self.resource_names.entry(id.resource()).or_insert_with(|| name.to_owned());
        }
    }

    /// The name under which a resource was met first.
    pub fn resource_name(&self, id: ResourceId) -> &str {
        self.resource_names.get(&id).map_or("resource", String::as_str)
    }

    /// Says of two value types which is declared and which the file has.
    pub fn difference(&self, declared: &ComponentValType, file: &ComponentValType) -> String {
        let (declared, file) = (self.value(declared), self.value(file));
        format!("the import declares `{declared}`, the file has `{file}`")
    }

    /// A function type.
    pub fn func(&self, id: ComponentFuncTypeId) -> String {
        let ty = &self.types[id];
        let params = ty.params.iter().map(|(name, ty)| format!("{name}: {}", self.value(ty)));
        let params = join_members(params);
        let result =
            ty.result.as_ref().map_or(String::new(), |ty| format!(" -> {}", self.value(ty)));
        let keyword = if ty.async_ { "async func" } else { "func" };
        format!("{keyword}({params}){result}")
    }

    /// A value type.
    pub fn value(&self, ty: &ComponentValType) -> String {
        self.value_at(ty, PRINTED_TYPE_DEPTH_MAX)
    }

    /// A type of any sort, with its article.
    pub fn any_type(&self, id: ComponentAnyTypeId) -> String {
        match id {
            ComponentAnyTypeId::Resource(id) => {
                format!("the resource `{}`", self.resource_name(id.resource()))
            }
            ComponentAnyTypeId::Defined(id) => {
                format!("the type `{}`", self.value(&ComponentValType::Type(id)))
            }
            ComponentAnyTypeId::Func(id) => format!("the function type `{}`", self.func(id)),
            ComponentAnyTypeId::Instance(_) => "an instance type".to_owned(),
            ComponentAnyTypeId::Component(_) => "a component type".to_owned(),
        }
    }

    /// The type of an import or export of a core module.
    pub fn core_entity(&self, ty: &EntityType) -> String {
        let limits = |min: u64, max: Option<u64>| match max {
            Some(max) => format!("{min} {max}"),
            None => min.to_string(),
        };
        match ty {
            EntityType::Func(id) | EntityType::FuncExact(id) => format!("{}", self.types[*id]),
            EntityType::Tag(id) => format!("tag {}", self.types[*id]),
            EntityType::Table(ty) => {
                let index = if ty.table64 { "i64 " } else { "" };
                let limits = limits(ty.initial, ty.maximum);
                format!("table {index}{limits} {}", ty.element_type)
            }
            EntityType::Memory(ty) => {
                let index = if ty.memory64 { "i64 " } else { "" };
                let shared = if ty.shared { " shared" } else { "" };
                format!("memory {index}{}{shared}", limits(ty.initial, ty.maximum))
            }
            EntityType::Global(ty) => {
                let mutable = if ty.mutable { "mut " } else { "" };
                format!("global {mutable}{}", ty.content_type)
            }
        }
    }

    fn value_at(&self, ty: &ComponentValType, depth: usize) -> String {
        match ty {
            ComponentValType::Primitive(ty) => ty.to_string(),
            ComponentValType::Type(_) if depth == 0 => "...".to_owned(),
            ComponentValType::Type(id) => self.defined_at(&self.types[*id], depth - 1),
        }
    }

    fn defined_at(&self, ty: &ComponentDefinedType, depth: usize) -> String {
        use ComponentDefinedType as Defined;
        let value = |ty: &ComponentValType| self.value_at(ty, depth);
        let optional =
            |ty: &Option<ComponentValType>| ty.as_ref().map_or_else(|| "_".to_owned(), value);
        match ty {
            Defined::Primitive(ty) => ty.to_string(),
            Defined::Record(record) => {
                let fields =
                    record.fields.iter().map(|(name, ty)| format!("{name}: {}", value(ty)));
                format!("record {{ {} }}", join_members(fields))
            }
            Defined::Variant(variant) => {
                let cases = variant.cases.iter().map(|(name, case)| match &case.ty {
                    Some(ty) => format!("{name}({})", value(ty)),
                    None => name.to_string(),
                });
                format!("variant {{ {} }}", join_members(cases))
            }
            Defined::List { element, .. } => format!("list<{}>", value(element)),
            Defined::Map { key, value: of, .. } => format!("map<{}, {}>", value(key), value(of)),
            Defined::FixedLengthList { element, length, .. } => {
                format!("list<{}, {length}>", value(element))
            }
            Defined::Tuple(tuple) => {
                format!("tuple<{}>", join_members(tuple.types.iter().map(value)))
            }
            Defined::Flags(names) => {
                format!("flags {{ {} }}", join_members(names.iter().map(|name| name.to_string())))
            }
            Defined::Enum(names) => {
                format!("enum {{ {} }}", join_members(names.iter().map(|name| name.to_string())))
            }
            Defined::Option { ty, .. } => format!("option<{}>", value(ty)),
            Defined::Result { ok: None, err: None, .. } => "result".to_owned(),
            Defined::Result { ok: Some(ok), err: None, .. } => format!("result<{}>", value(ok)),
            Defined::Result { ok, err, .. } => {
                format!("result<{}, {}>", optional(ok), optional(err))
            }
            Defined::Own(id) => format!("own<{}>", self.resource_name(id.resource())),
            Defined::Borrow(id) => format!("borrow<{}>", self.resource_name(id.resource())),
            Defined::Future { ty: None, .. } => "future".to_owned(),
            Defined::Future { ty: Some(ty), .. } => format!("future<{}>", value(ty)),
            Defined::Stream { ty: None, .. } => "stream".to_owned(),
            Defined::Stream { ty: Some(ty), .. } => format!("stream<{}>", value(ty)),
        }
    }
}

/// Joins members with commas, the first few of them.
fn join_members(members: impl ExactSizeIterator<Item = String>) -> String {
    let cut = members.len() > PRINTED_TYPE_MEMBERS_MAX;
    let mut shown: Vec<_> = members.take(PRINTED_TYPE_MEMBERS_MAX).collect();
    if cut {
        shown.push("...".to_owned());
    }
    shown.join(", ")
}
