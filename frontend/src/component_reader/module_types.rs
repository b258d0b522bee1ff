//! The types of the core modules that a component imports, by itself or in instances.
//!
//! The validator has evaluated them, outer aliases and all, so they are read from its types and
//! not from the binary. Only a script needs them: everywhere else the validator has compared them.

use crate::composition::{Def, ExternType, ModuleItem, ModuleType, Sort, TypeDecl, TypeDef};
use crate::error::Result;
use crate::module::{GlobalType, TableType};
use crate::module_reader::convert_memory_type;
use crate::module_reader::core_types::{CoreTypeInterner, convert_ref_type, convert_val_type};
use crate::types::{CoreTypeId, CoreTypes};
use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentCoreModuleTypeId, ComponentEntityType, ComponentInstanceTypeId,
};
use wasmparser::types::{EntityType, TypesRef};
use wasmparser::{UnpackedIndex, ValType};

/// Describes the modules that definitions mention: the latest definitions of a component, whose
/// types are `types`.
pub fn describe_modules(
    defs: &mut [Def],
    types: TypesRef<'_>,
    interner: &mut CoreTypeInterner,
    core_types: &mut CoreTypes,
) {
    let count = |is_counted: fn(&&Def) -> bool| {
        u32::try_from(defs.iter().filter(is_counted).count()).expect("the validator limits them")
    };
    let is_module = |def: &&Def| match def {
        Def::Import(import) => matches!(import.ty, ExternType::CoreModule(_)),
        _ => false,
    };
    let mut type_index = types.component_type_count() - count(|def| matches!(def, Def::Type(_)));
    let mut module_index = types.module_count() - count(is_module);
    let mut describer = Describer { types, interner, core_types };
    for def in defs {
        match def {
            Def::Type(ty) => {
                if let TypeDef::Instance(decls) = ty
                    && let ComponentAnyTypeId::Instance(id) =
                        types.component_any_type_at(type_index)
                {
                    describer.describe_exports(decls, id);
                }
                type_index += 1;
            }
            Def::Import(import) => {
                if let ExternType::CoreModule(described) = &mut import.ty {
                    *described = describer.describe(types.module_at(module_index));
                    module_index += 1;
                }
            }
            _ => {}
        }
    }
}

struct Describer<'a> {
    types: TypesRef<'a>,
    interner: &'a mut CoreTypeInterner,
    core_types: &'a mut CoreTypes,
}

impl Describer<'_> {
    /// Describes the modules among the exports of an instance type. Their nesting is limited.
    fn describe_exports(&mut self, decls: &mut [TypeDecl], id: ComponentInstanceTypeId) {
        // An instance's type is an earlier declaration, unless it is an alias or another export.
        let mut nested = Vec::new();
        for decl in decls.iter_mut() {
            let TypeDecl::Export { name, ty } = decl else { continue };
            let item = self.types[id].exports.get(name.as_str()).map(|item| item.ty);
            match (ty, item) {
                (ExternType::CoreModule(described), Some(ComponentEntityType::Module(module))) => {
                    *described = self.describe(module);
                }
                (ExternType::Instance(index), Some(ComponentEntityType::Instance(inner))) => {
                    nested.push((*index as usize, inner));
                }
                _ => {}
            }
        }
        let mut declared = decls.iter_mut().filter(|decl| adds_type(decl)).collect::<Vec<_>>();
        for (index, inner) in nested {
            if let Some(TypeDecl::Type(TypeDef::Instance(decls))) = declared.get_mut(index) {
                self.describe_exports(decls, inner);
            }
        }
    }

    /// `None` for a type of which a part is not implemented.
    fn describe(&mut self, module: ComponentCoreModuleTypeId) -> Option<Box<ModuleType>> {
        let types = self.types;
        let ty = &types[module];
        let mut described = ModuleType::default();
        for ((module, name), item) in &ty.imports {
            let name = (module.clone(), name.clone());
            described.imports.insert(name, self.describe_item(item).ok()?);
        }
        for (name, item) in &ty.exports {
            described.exports.insert(name.clone(), self.describe_item(item).ok()?);
        }
        Some(Box::new(described))
    }

    fn describe_item(&mut self, item: &EntityType) -> Result<ModuleItem> {
        let mut intern = |id| self.interner.intern_with_parts(self.core_types, self.types, id);
        Ok(match item {
            EntityType::Func(id) | EntityType::FuncExact(id) => ModuleItem::Func(intern(*id)?),
            EntityType::Tag(id) => ModuleItem::Tag(intern(*id)?),
            EntityType::Memory(ty) => ModuleItem::Memory(convert_memory_type(*ty)),
            EntityType::Global(ty) => {
                let defined = self.intern_mentioned(ty.content_type)?;
                let value = convert_val_type(ty.content_type, |_| defined)?;
                ModuleItem::Global(GlobalType { value, mutable: ty.mutable })
            }
            EntityType::Table(ty) => {
                let defined = self.intern_mentioned(ValType::Ref(ty.element_type))?;
                ModuleItem::Table(TableType {
                    element: convert_ref_type(ty.element_type, |_| defined)?,
                    min: ty.initial,
                    max: ty.maximum,
                    table64: ty.table64,
                })
            }
        })
    }

    /// The type that a reference type mentions; any other if it mentions none.
    fn intern_mentioned(&mut self, ty: ValType) -> Result<CoreTypeId> {
        let index = match ty {
            ValType::Ref(ty) => ty.type_index(),
            _ => None,
        };
        match index.map(|index| index.unpack()) {
            Some(UnpackedIndex::Id(id)) => {
                self.interner.intern_with_parts(self.core_types, self.types, id)
            }
            _ => Ok(CoreTypeId::from_u32(0)),
        }
    }
}

/// Whether a declaration adds an index to the types.
fn adds_type(decl: &TypeDecl) -> bool {
    match decl {
        TypeDecl::Type(_) => true,
        TypeDecl::Alias { sort, .. } => *sort == Sort::Type,
        TypeDecl::Export { ty, .. } => {
            matches!(ty, ExternType::TypeEq(_) | ExternType::TypeResource)
        }
        TypeDecl::CoreType => false,
    }
}
