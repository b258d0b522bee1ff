//! The sections of a component to its definitions, in the order of the binary.
//!
//! Every payload has been validated before it comes here. The reader evaluates
//! nothing: it keeps what each definition says, one [`Def`] per index that the
//! definition takes, so that flattening can count index spaces by walking the
//! list.

mod canon;
mod module_types;
mod types;

use crate::composition::{Alias, Component, CoreInstance, Def, Export, Import, Instance};
use crate::composition::{Item, Sort};
use crate::error::{Error, Position, Result};
use crate::module::FileId;
use crate::module_reader::CoreTypeInterner;
use crate::source::{byte_offset, wasm_error};
use crate::types::CoreTypes;
pub use types::check_type_nesting;

use canon::read_canonical_function;
use module_types::describe_modules;
use types::{count_core_types, read_extern_type, read_type};
use wasmparser::Payload;
use wasmparser::types::TypesRef;
use wasmparser::{ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentName};
use wasmparser::{ComponentOuterAliasKind, ComponentTypeRef, ExternalKind, KnownCustom, NameMap};

/// Refuses a section that is unsupported although the specification has it.
///
/// Runs before validation: these sections are behind features that validation
/// has switched off, and "unsupported" is the truer word for them than "invalid".
pub fn refuse_unsupported_section(payload: &Payload<'_>) -> Result<()> {
    match payload {
        Payload::ComponentStartSection { range, .. } => {
            Err(Error::unsupported("a component `start` function")
                .at(Position::Offset(byte_offset(range.start))))
        }
        Payload::ComponentImportSection(section) => {
            for item in section.clone().into_iter_with_offsets() {
                let (offset, import) = item.map_err(wasm_error)?;
                if matches!(import.ty, ComponentTypeRef::Value(_)) {
                    return Err(Error::unsupported("an import of a component value")
                        .at(Position::Offset(byte_offset(offset)))
                        .context(format!("the import `{}`", import.name.name)));
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A component of which some sections have been read.
pub struct ComponentReader {
    component: Component,
}

impl ComponentReader {
    /// Starts a component of `file`; `name` is its name unless the binary gives one.
    pub fn new(file: FileId, name: Option<String>) -> ComponentReader {
        let component = Component { name, file, defs: Vec::new(), item_names: Vec::new() };
        ComponentReader { component }
    }

    /// Adds the definition of a nested module or component that has just been read.
    pub fn add(&mut self, def: Def) {
        self.component.defs.push(def);
    }

    /// Returns the component.
    pub fn finish(self) -> Component {
        self.component
    }

    /// Reads a section that may mention types of core modules. `types` are the component's.
    pub fn read_types_or_imports(
        &mut self,
        payload: &Payload<'_>,
        types: TypesRef<'_>,
        interner: &mut CoreTypeInterner,
        core_types: &mut CoreTypes,
    ) -> Result<()> {
        let start = self.component.defs.len();
        self.read_section(payload)?;
        describe_modules(&mut self.component.defs[start..], types, interner, core_types);
        Ok(())
    }

    /// Reads a section other than those of nested modules and components.
    pub fn read_section(&mut self, payload: &Payload<'_>) -> Result<()> {
        let defs = &mut self.component.defs;
        match payload {
            Payload::CoreTypeSection(section) => {
                for ty in section.clone() {
                    let count = count_core_types(&ty.map_err(wasm_error)?);
                    defs.extend((0..count).map(|_| Def::CoreType));
                }
            }
            Payload::InstanceSection(section) => {
                for instance in section.clone() {
                    let instance = instance.map_err(wasm_error)?;
                    defs.push(Def::CoreInstance(read_core_instance(&instance)));
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section.clone() {
                    let instance = instance.map_err(wasm_error)?;
                    defs.push(Def::Instance(read_instance(&instance)));
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section.clone() {
                    defs.push(Def::Alias(read_alias(&alias.map_err(wasm_error)?)));
                }
            }
            Payload::ComponentTypeSection(section) => {
                for ty in section.clone() {
                    defs.push(Def::Type(read_type(&ty.map_err(wasm_error)?)?));
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for func in section.clone() {
                    defs.push(read_canonical_function(func.map_err(wasm_error)?));
                }
            }
            Payload::ComponentImportSection(section) => {
                for item in section.clone().into_iter_with_offsets() {
                    let (offset, import) = item.map_err(wasm_error)?;
                    defs.push(Def::Import(read_import(&import, byte_offset(offset))));
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section.clone() {
                    let export = export.map_err(wasm_error)?;
                    defs.push(Def::Export(Export {
                        name: export.name.name.to_owned(),
                        item: component_item(export.kind, export.index),
                    }));
                }
            }
            Payload::CustomSection(section) => self.read_custom(section.as_known()),
            _ => {}
        }
        Ok(())
    }

    /// Reads names. A malformed custom section is no error: what is readable is kept.
    fn read_custom(&mut self, section: KnownCustom<'_>) {
        let KnownCustom::ComponentName(names) = section else { return };
        for name in names.into_iter().map_while(|name| name.ok()) {
            match name {
                ComponentName::Component { name, .. } => {
                    self.component.name = Some(name.to_owned());
                }
                ComponentName::CoreFuncs(names) => self.read_names(Sort::CoreFunc, names),
                ComponentName::CoreGlobals(names) => self.read_names(Sort::CoreGlobal, names),
                ComponentName::CoreMemories(names) => self.read_names(Sort::CoreMemory, names),
                ComponentName::CoreTables(names) => self.read_names(Sort::CoreTable, names),
                ComponentName::CoreTags(names) => self.read_names(Sort::CoreTag, names),
                ComponentName::CoreModules(names) => self.read_names(Sort::CoreModule, names),
                ComponentName::CoreInstances(names) => self.read_names(Sort::CoreInstance, names),
                ComponentName::CoreTypes(names) => self.read_names(Sort::CoreType, names),
                ComponentName::Types(names) => self.read_names(Sort::Type, names),
                ComponentName::Instances(names) => self.read_names(Sort::Instance, names),
                ComponentName::Components(names) => self.read_names(Sort::Component, names),
                ComponentName::Funcs(names) => self.read_names(Sort::Func, names),
                ComponentName::Values(names) => self.read_names(Sort::Value, names),
                ComponentName::Unknown { .. } => {}
            }
        }
    }

    fn read_names(&mut self, sort: Sort, names: NameMap<'_>) {
        for naming in names.into_iter().map_while(|naming| naming.ok()) {
            self.component.item_names.push((sort, naming.index, naming.name.to_owned()));
        }
    }
}

fn read_import(import: &wasmparser::ComponentImport<'_>, offset: usize) -> Import {
    Import {
        name: import.name.name.to_owned(),
        external_id: import.name.external_id.map(str::to_owned),
        implements: import.name.implements.map(str::to_owned),
        ty: read_extern_type(import.ty),
        binding: None,
        offset,
    }
}

fn read_core_instance(instance: &wasmparser::Instance<'_>) -> CoreInstance {
    match instance {
        wasmparser::Instance::Instantiate { module_index, args } => CoreInstance::Instantiate {
            module: *module_index,
            args: args.iter().map(|arg| (arg.name.to_owned(), arg.index)).collect(),
        },
        wasmparser::Instance::FromExports(exports) => {
            let items = exports.iter().map(|export| {
                let item = Item { sort: core_sort(export.kind), index: export.index };
                (export.name.to_owned(), item)
            });
            CoreInstance::Bundle(items.collect())
        }
    }
}

fn read_instance(instance: &ComponentInstance<'_>) -> Instance {
    match instance {
        ComponentInstance::Instantiate { component_index, args } => {
            let args =
                args.iter().map(|arg| (arg.name.to_owned(), component_item(arg.kind, arg.index)));
            Instance::Instantiate { component: *component_index, args: args.collect() }
        }
        ComponentInstance::FromExports(exports) => {
            let items = exports.iter().map(|export| {
                (export.name.name.to_owned(), component_item(export.kind, export.index))
            });
            Instance::Bundle(items.collect())
        }
    }
}

fn read_alias(alias: &ComponentAlias<'_>) -> Alias {
    match alias {
        ComponentAlias::InstanceExport { kind, instance_index, name } => Alias::InstanceExport {
            sort: component_sort(*kind),
            instance: *instance_index,
            name: (*name).to_owned(),
        },
        ComponentAlias::CoreInstanceExport { kind, instance_index, name } => {
            Alias::CoreInstanceExport {
                sort: core_sort(*kind),
                instance: *instance_index,
                name: (*name).to_owned(),
            }
        }
        ComponentAlias::Outer { kind, count, index } => {
            Alias::Outer { sort: outer_sort(*kind), count: *count, index: *index }
        }
    }
}

fn component_item(kind: ComponentExternalKind, index: u32) -> Item {
    Item { sort: component_sort(kind), index }
}

fn component_sort(kind: ComponentExternalKind) -> Sort {
    match kind {
        ComponentExternalKind::Module => Sort::CoreModule,
        ComponentExternalKind::Func => Sort::Func,
        ComponentExternalKind::Value => Sort::Value,
        ComponentExternalKind::Type => Sort::Type,
        ComponentExternalKind::Instance => Sort::Instance,
        ComponentExternalKind::Component => Sort::Component,
    }
}

fn core_sort(kind: ExternalKind) -> Sort {
    match kind {
        ExternalKind::Func | ExternalKind::FuncExact => Sort::CoreFunc,
        ExternalKind::Table => Sort::CoreTable,
        ExternalKind::Memory => Sort::CoreMemory,
        ExternalKind::Global => Sort::CoreGlobal,
        ExternalKind::Tag => Sort::CoreTag,
    }
}

fn outer_sort(kind: ComponentOuterAliasKind) -> Sort {
    match kind {
        ComponentOuterAliasKind::CoreModule => Sort::CoreModule,
        ComponentOuterAliasKind::CoreType => Sort::CoreType,
        ComponentOuterAliasKind::Type => Sort::Type,
        ComponentOuterAliasKind::Component => Sort::Component,
    }
}
