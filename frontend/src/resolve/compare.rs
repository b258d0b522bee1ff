//! Where the type of a loaded file differs from the type that an import declares.
//!
//! Whether the file fits is the validator's decision (`is_subtype_of`); this walk
//! finds the first member that differs and says so in terms of both sides. It is
//! also the check for an instance that a file's component exports: there the
//! resources of both sides have to be matched by name first, which the
//! validator's check has no way to do.
//!
//! The walk recurses over types, whose nesting the validator limits.

use super::print::{TypePrinter, describe_entity};
use std::collections::{HashMap, HashSet};
use wasmparser::collections::IndexMap;
use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentDefinedType, ComponentDefinedTypeId, ComponentEntityType,
    ComponentFuncTypeId, ComponentItem, ComponentTypeId, ComponentValType, ResourceId,
};
use wasmparser::names::KebabString;
use wasmparser::types::{EntityType, TypeIdentifier, TypesRef};

/// A difference: what it is, and in what, innermost first.
#[derive(Debug)]
pub struct Mismatch {
    /// One sentence that names both sides.
    pub message: String,
    /// Noun phrases.
    pub contexts: Vec<String>,
}

impl Mismatch {
    /// A difference in nothing smaller than the whole.
    pub fn of(message: impl Into<String>) -> Mismatch {
        Mismatch { message: message.into(), contexts: Vec::new() }
    }

    /// For what the validator refuses and this walk finds no words for.
    pub fn unexplained() -> Mismatch {
        Mismatch::of("the file's type is not the declared one")
    }
}

type Compared = Result<(), Mismatch>;

fn differ(message: impl Into<String>) -> Compared {
    Err(Mismatch::of(message))
}

/// Adds what was being compared to a difference.
fn within(compared: Compared, phrase: impl FnOnce() -> String) -> Compared {
    compared.map_err(|mut mismatch| {
        mismatch.contexts.push(phrase());
        mismatch
    })
}

/// Which side has to offer what the other needs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Offer {
    /// The file offers, the declaration needs: exports.
    File,
    /// The declaration offers, the file needs: imports.
    Declaration,
}

impl Offer {
    fn flip(self) -> Offer {
        match self {
            Offer::File => Offer::Declaration,
            Offer::Declaration => Offer::File,
        }
    }
}

/// Compares declared types with the types of files.
pub struct Comparison<'a> {
    types: TypesRef<'a>,
    /// Resources of the declaration and those of the file that they turned out to be.
    declared_resources: HashMap<ResourceId, ResourceId>,
    file_resources: HashMap<ResourceId, ResourceId>,
    printer: TypePrinter<'a>,
}

impl<'a> Comparison<'a> {
    /// Starts a comparison in which no resources are known to be the same.
    pub fn new(types: TypesRef<'a>) -> Comparison<'a> {
        Comparison {
            types,
            declared_resources: HashMap::new(),
            file_resources: HashMap::new(),
            printer: TypePrinter::new(types),
        }
    }

    /// Compares what an import declares with what a file has.
    pub fn compare(
        &mut self,
        declared: &ComponentEntityType,
        file: &ComponentEntityType,
    ) -> Compared {
        self.compare_entity(declared, file, Offer::File)
    }

    /// Compares what an import declares with a component that takes the imports named `bound` from
    /// elsewhere. Components and core modules share no types with the rest of a component's type.
    pub fn compare_without(
        &mut self,
        declared: &ComponentEntityType,
        file: &ComponentEntityType,
        bound: &HashSet<&str>,
    ) -> Compared {
        let (ComponentEntityType::Component(declared), ComponentEntityType::Component(file)) =
            (declared, file)
        else {
            return self.compare(declared, file);
        };
        let (declared, file) = (self.at(*declared), self.at(*file));
        let left = file.imports.iter().filter(|(name, _)| !bound.contains(name.as_str()));
        let left = left.map(|(name, item)| (name.clone(), item.clone())).collect();
        self.compare_members(&declared.imports, &left, Offer::Declaration, "import")?;
        self.compare_members(&declared.exports, &file.exports, Offer::File, "export")
    }

    /// Takes the resources of two sets of imports for the same where the names are the same.
    pub fn match_imported_resources(&mut self, importer: ComponentTypeId, file: ComponentTypeId) {
        let importer = &self.at(importer).imports;
        for (name, item) in self.at(file).imports.iter() {
            if let Some(same) = importer.get(name) {
                // Differences here belong to those imports, not to the one being bound.
                let _ = self.compare_entity(&same.ty, &item.ty, Offer::Declaration);
            }
        }
    }

    fn at<T: TypeIdentifier>(&self, id: T) -> &'a T::Data {
        self.types.get(id).expect("ids that are compared belong to these types")
    }

    fn compare_entity(
        &mut self,
        declared: &ComponentEntityType,
        file: &ComponentEntityType,
        offer: Offer,
    ) -> Compared {
        use ComponentEntityType::{Component, Func, Instance, Module, Type, Value};
        match (declared, file) {
            (Module(declared), Module(file)) => {
                let (declared, file) = (self.at(*declared), self.at(*file));
                self.compare_core_members(
                    &declared.imports,
                    &file.imports,
                    offer.flip(),
                    &|name| format!("the import `{}` `{}`", name.0, name.1),
                )?;
                self.compare_core_members(&declared.exports, &file.exports, offer, &|name| {
                    format!("the export `{name}`")
                })
            }
            (Func(declared), Func(file)) => self.compare_func(*declared, *file),
            (Value(declared), Value(file)) => self.compare_value(declared, file),
            (Type { created: declared, .. }, Type { created: file, .. }) => {
                self.compare_type(*declared, *file, offer)
            }
            (Instance(declared), Instance(file)) => {
                let (declared, file) = (self.at(*declared), self.at(*file));
                self.compare_members(&declared.exports, &file.exports, offer, "export")
            }
            (Component(declared), Component(file)) => {
                let (declared, file) = (self.at(*declared), self.at(*file));
                self.compare_members(&declared.imports, &file.imports, offer.flip(), "import")?;
                self.compare_members(&declared.exports, &file.exports, offer, "export")
            }
            _ => differ(format!(
                "the import declares {}, the file has {}",
                describe_entity(declared),
                describe_entity(file)
            )),
        }
    }

    /// Compares imports or exports by name; `sort` says which of them they are.
    fn compare_members(
        &mut self,
        declared: &IndexMap<String, ComponentItem>,
        file: &IndexMap<String, ComponentItem>,
        offer: Offer,
        sort: &str,
    ) -> Compared {
        let (offered, needed) = match offer {
            Offer::File => (file, declared),
            Offer::Declaration => (declared, file),
        };
        for (name, needed_item) in needed.iter() {
            self.printer.name_resource(name, &needed_item.ty);
            let Some(offered_item) = offered.get(name) else {
                return differ(missing_member(name, &needed_item.ty, offer, sort));
            };
            let (declared, file) = match offer {
                Offer::File => (needed_item, offered_item),
                Offer::Declaration => (offered_item, needed_item),
            };
            self.printer.name_resource(name, &offered_item.ty);
            within(self.compare_entity(&declared.ty, &file.ty, offer), || {
                format!("the {sort} `{name}`")
            })?;
        }
        Ok(())
    }

    /// Compares imports or exports of core modules by name.
    fn compare_core_members<K: std::hash::Hash + Ord + Clone>(
        &self,
        declared: &IndexMap<K, EntityType>,
        file: &IndexMap<K, EntityType>,
        offer: Offer,
        describe: &dyn Fn(&K) -> String,
    ) -> Compared {
        let (offered, needed) = match offer {
            Offer::File => (file, declared),
            Offer::Declaration => (declared, file),
        };
        for (name, needed_ty) in needed.iter() {
            let Some(offered_ty) = offered.get(name) else {
                let what = describe(name);
                return differ(match offer {
                    Offer::File => format!("the file lacks {what}"),
                    Offer::Declaration => format!("the declared type lacks {what} of the file"),
                });
            };
            if !is_core_subtype(offered_ty, needed_ty) {
                let (declared, file) = match offer {
                    Offer::File => (needed_ty, offered_ty),
                    Offer::Declaration => (offered_ty, needed_ty),
                };
                let declared = self.printer.core_entity(declared);
                let file = self.printer.core_entity(file);
                let message = format!("the import declares `{declared}`, the file has `{file}`");
                return within(differ(message), || describe(name));
            }
        }
        Ok(())
    }

    fn compare_type(
        &mut self,
        declared: ComponentAnyTypeId,
        file: ComponentAnyTypeId,
        offer: Offer,
    ) -> Compared {
        use ComponentAnyTypeId::{Component, Defined, Func, Instance, Resource};
        match (declared, file) {
            (Resource(declared), Resource(file)) => {
                self.match_resources(declared.resource(), file.resource())
            }
            (Defined(declared), Defined(file)) => self.compare_defined(declared, file),
            (Func(declared), Func(file)) => self.compare_func(declared, file),
            (Instance(declared), Instance(file)) => {
                let (declared, file) =
                    (ComponentEntityType::Instance(declared), ComponentEntityType::Instance(file));
                self.compare_entity(&declared, &file, offer)
            }
            (Component(declared), Component(file)) => {
                let (declared, file) = (
                    ComponentEntityType::Component(declared),
                    ComponentEntityType::Component(file),
                );
                self.compare_entity(&declared, &file, offer)
            }
            _ => differ(format!(
                "the import declares {}, the file has {}",
                self.printer.any_type(declared),
                self.printer.any_type(file)
            )),
        }
    }

    /// Takes two resources for the same, unless one of them is known to be another.
    fn match_resources(&mut self, declared: ResourceId, file: ResourceId) -> Compared {
        let known_file = *self.declared_resources.entry(declared).or_insert(file);
        let known_declared = *self.file_resources.entry(file).or_insert(declared);
        if known_file == file && known_declared == declared {
            return Ok(());
        }
        differ(format!(
            "the import declares the resource `{}`, the file has a different resource `{}`",
            self.printer.resource_name(declared),
            self.printer.resource_name(file)
        ))
    }

    fn compare_func(
        &mut self,
        declared: ComponentFuncTypeId,
        file: ComponentFuncTypeId,
    ) -> Compared {
        let compared = self.compare_signature(declared, file);
        within(compared, || {
            format!(
                "a function declared as `{}` that is `{}` in the file",
                self.printer.func(declared),
                self.printer.func(file)
            )
        })
    }

    fn compare_signature(
        &mut self,
        declared: ComponentFuncTypeId,
        file: ComponentFuncTypeId,
    ) -> Compared {
        let (declared, file) = (self.at(declared), self.at(file));
        if declared.async_ != file.async_ {
            let (with, without) = match declared.async_ {
                true => ("the import declares", "the file has"),
                false => ("the file has", "the import declares"),
            };
            return differ(format!("{with} an `async` function, {without} a synchronous one"));
        }
        if declared.params.len() != file.params.len() {
            return differ(format!(
                "the import declares {}, the file has {}",
                count_noun(declared.params.len(), "parameter"),
                count_noun(file.params.len(), "parameter")
            ));
        }
        for (position, (declared, file)) in declared.params.iter().zip(&file.params).enumerate() {
            if declared.0 != file.0 {
                return differ(format!(
                    "parameter {} is declared as `{}`, in the file it is `{}`",
                    position + 1,
                    declared.0,
                    file.0
                ));
            }
            let compared = self.compare_value(&declared.1, &file.1);
            within(compared, || format!("the parameter `{}`", declared.0))?;
        }
        within(self.compare_optional(declared.result, file.result), || "the result".to_owned())
    }

    fn compare_optional(
        &mut self,
        declared: Option<ComponentValType>,
        file: Option<ComponentValType>,
    ) -> Compared {
        match (declared, file) {
            (Some(declared), Some(file)) => self.compare_value(&declared, &file),
            (None, None) => Ok(()),
            (Some(declared), None) => differ(format!(
                "the import declares `{}`, the file has nothing",
                self.printer.value(&declared)
            )),
            (None, Some(file)) => differ(format!(
                "the import declares nothing, the file has `{}`",
                self.printer.value(&file)
            )),
        }
    }

    fn compare_value(&mut self, declared: &ComponentValType, file: &ComponentValType) -> Compared {
        use ComponentValType::{Primitive, Type};
        if let (Type(declared), Type(file)) = (declared, file) {
            return self.compare_defined(*declared, *file);
        }
        let primitive = |ty: &ComponentValType| match ty {
            Primitive(ty) => Some(*ty),
            Type(id) => match self.at(*id) {
                ComponentDefinedType::Primitive(ty) => Some(*ty),
                _ => None,
            },
        };
        match (primitive(declared), primitive(file)) {
            (Some(declared), Some(file)) if declared == file => Ok(()),
            _ => differ(self.printer.difference(declared, file)),
        }
    }

    fn compare_defined(
        &mut self,
        declared: ComponentDefinedTypeId,
        file: ComponentDefinedTypeId,
    ) -> Compared {
        use ComponentDefinedType as Defined;
        match (self.at(declared), self.at(file)) {
            (Defined::Record(declared), Defined::Record(file)) => {
                compare_labels("field", declared.fields.keys(), file.fields.keys())?;
                for (declared, file) in declared.fields.iter().zip(file.fields.iter()) {
                    let compared = self.compare_value(declared.1, file.1);
                    within(compared, || format!("the field `{}`", declared.0))?;
                }
                Ok(())
            }
            (Defined::Variant(declared), Defined::Variant(file)) => {
                compare_labels("case", declared.cases.keys(), file.cases.keys())?;
                for (declared, file) in declared.cases.iter().zip(file.cases.iter()) {
                    let compared = self.compare_optional(declared.1.ty, file.1.ty);
                    within(compared, || format!("the case `{}`", declared.0))?;
                }
                Ok(())
            }
            (Defined::Flags(declared), Defined::Flags(file)) => {
                compare_labels("flag", declared.iter(), file.iter())
            }
            (Defined::Enum(declared), Defined::Enum(file)) => {
                compare_labels("case", declared.iter(), file.iter())
            }
            (Defined::Tuple(declared), Defined::Tuple(file))
                if declared.types.len() == file.types.len() =>
            {
                for (position, pair) in declared.types.iter().zip(&file.types).enumerate() {
                    let compared = self.compare_value(pair.0, pair.1);
                    within(compared, || format!("item {} of a tuple", position + 1))?;
                }
                Ok(())
            }
            (Defined::Own(declared), Defined::Own(file))
            | (Defined::Borrow(declared), Defined::Borrow(file)) => {
                self.match_resources(declared.resource(), file.resource())
            }
            _ => self.compare_constructed(declared, file),
        }
    }

    /// Compares two types of which each is, if they agree, made of one or two others.
    fn compare_constructed(
        &mut self,
        declared: ComponentDefinedTypeId,
        file: ComponentDefinedTypeId,
    ) -> Compared {
        use ComponentDefinedType as Defined;
        match (self.at(declared), self.at(file)) {
            (Defined::Primitive(declared), Defined::Primitive(file)) if declared == file => Ok(()),
            (Defined::List { element: declared, .. }, Defined::List { element: file, .. }) => {
                within(self.compare_value(declared, file), || "a list's element".to_owned())
            }
            (
                Defined::FixedLengthList { element: declared, length: declared_len, .. },
                Defined::FixedLengthList { element: file, length: file_len, .. },
            ) if declared_len == file_len => {
                within(self.compare_value(declared, file), || "a list's element".to_owned())
            }
            (
                Defined::Map { key: declared_key, value: declared, .. },
                Defined::Map { key: file_key, value: file, .. },
            ) => {
                within(self.compare_value(declared_key, file_key), || "a map's key".to_owned())?;
                within(self.compare_value(declared, file), || "a map's value".to_owned())
            }
            (Defined::Option { ty: declared, .. }, Defined::Option { ty: file, .. }) => {
                within(self.compare_value(declared, file), || "an `option`".to_owned())
            }
            (
                Defined::Result { ok: declared_ok, err: declared_err, .. },
                Defined::Result { ok: file_ok, err: file_err, .. },
            ) => {
                let compared = self.compare_optional(*declared_ok, *file_ok);
                within(compared, || "the `ok` of a `result`".to_owned())?;
                let compared = self.compare_optional(*declared_err, *file_err);
                within(compared, || "the `err` of a `result`".to_owned())
            }
            (Defined::Future { ty: declared, .. }, Defined::Future { ty: file, .. }) => {
                within(self.compare_optional(*declared, *file), || "a `future`".to_owned())
            }
            (Defined::Stream { ty: declared, .. }, Defined::Stream { ty: file, .. }) => {
                within(self.compare_optional(*declared, *file), || "a `stream`".to_owned())
            }
            _ => differ(
                self.printer
                    .difference(&ComponentValType::Type(declared), &ComponentValType::Type(file)),
            ),
        }
    }
}

/// What to say of a member that one side needs and the other has not.
fn missing_member(name: &str, ty: &ComponentEntityType, offer: Offer, sort: &str) -> String {
    let what = describe_entity(ty);
    match (offer, sort) {
        (Offer::File, "export") => format!("the file does not export `{name}`, {what}"),
        (Offer::Declaration, "import") => {
            format!("the file imports `{name}`, {what}, which the declared type does not import")
        }
        (Offer::Declaration, _) => {
            format!("the file needs the {sort} `{name}`, {what}, which the declared type lacks")
        }
        (Offer::File, _) => {
            format!("the declared type has the {sort} `{name}`, {what}, which the file lacks")
        }
    }
}

/// Compares the names of fields, cases or flags, in order.
fn compare_labels<'n>(
    sort: &str,
    declared: impl Iterator<Item = &'n KebabString>,
    file: impl Iterator<Item = &'n KebabString>,
) -> Compared {
    let (mut declared, mut file) = (declared.fuse(), file.fuse());
    for position in 1.. {
        match (declared.next(), file.next()) {
            (None, None) => break,
            (Some(declared), Some(file)) if declared == file => {}
            (Some(declared), Some(file)) => {
                return differ(format!(
                    "{sort} {position} is declared as `{declared}`, in the file it is `{file}`"
                ));
            }
            (Some(declared), None) => {
                return differ(format!("the file lacks the declared {sort} `{declared}`"));
            }
            (None, Some(file)) => {
                return differ(format!("the file has a {sort} `{file}` that is not declared"));
            }
        }
    }
    Ok(())
}

/// `no parameters`, `1 parameter`, `2 parameters`.
fn count_noun(count: usize, noun: &str) -> String {
    match count {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

/// Whether a core item may stand where another is expected, as far as it can differ in print.
fn is_core_subtype(offered: &EntityType, needed: &EntityType) -> bool {
    let limits_fit = |offered: (u64, Option<u64>), needed: (u64, Option<u64>)| {
        let max_fits = match (offered.1, needed.1) {
            (_, None) => true,
            (Some(offered), Some(needed)) => offered <= needed,
            (None, Some(_)) => false,
        };
        offered.0 >= needed.0 && max_fits
    };
    match (offered, needed) {
        (EntityType::Memory(offered), EntityType::Memory(needed)) => {
            offered.memory64 == needed.memory64
                && offered.shared == needed.shared
                && offered.page_size_log2() == needed.page_size_log2()
                && limits_fit((offered.initial, offered.maximum), (needed.initial, needed.maximum))
        }
        (EntityType::Table(offered), EntityType::Table(needed)) => {
            offered.element_type == needed.element_type
                && offered.table64 == needed.table64
                && limits_fit((offered.initial, offered.maximum), (needed.initial, needed.maximum))
        }
        _ => offered == needed,
    }
}
