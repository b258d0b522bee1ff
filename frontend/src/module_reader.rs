//! The sections of a core module to a [`Module`].
//!
//! Every payload has been validated before it comes here, so indices are in
//! range and what a section reader returns is well formed. Bodies are collected
//! and read together at the end, in parallel.

mod bodies;
mod const_expr;
pub mod core_types;

pub use core_types::CoreTypeInterner;

use crate::error::Result;
use crate::module::{BranchHint, Bytes, Counts, DataSegment, ElemSegment, Extern, FileId, Global};
use crate::module::{GlobalType, Import, MemoryType, Module, SegmentMode, Table, TableType};
use crate::source::{byte_range, wasm_error};
use crate::types::{CoreTypeId, CoreTypes, RefType, ValType};
pub use bodies::read_bodies;

use bodies::PendingBody;
use const_expr::read_const_expr;
use indexmap::IndexMap;
use wasmparser::types::TypesRef;
use wasmparser::{DataKind, ElementItems, ElementKind, KnownCustom, Name, Payload, TableInit};
use wasmparser::{ExternalKind, TypeRef, UnpackedIndex};

/// A module of which some sections have been read.
pub struct ModuleReader<'a> {
    module: Module,
    bodies: Vec<PendingBody<'a>>,
}

impl<'a> ModuleReader<'a> {
    /// Starts a module whose header lies at `start` in `file`.
    pub fn new(file: FileId, start: usize) -> ModuleReader<'a> {
        let module = Module {
            name: None,
            bytes: Bytes { file, range: start..start },
            types: Vec::new(),
            imports: Vec::new(),
            funcs: Vec::new(),
            tables: Vec::new(),
            memories: Vec::new(),
            globals: Vec::new(),
            tags: Vec::new(),
            imported: Counts::default(),
            exports: IndexMap::new(),
            start: None,
            elems: Vec::new(),
            data: Vec::new(),
            bodies: Vec::new(),
            func_names: IndexMap::new(),
            branch_hints: Vec::new(),
        };
        ModuleReader { module, bodies: Vec::new() }
    }

    /// Notes a body that `finish` validates and reads.
    pub fn add_body(&mut self, body: PendingBody<'a>) {
        self.bodies.push(body);
    }

    /// Adds the types of the module that were not there yet.
    pub fn add_types(
        &mut self,
        interner: &mut CoreTypeInterner,
        core_types: &mut CoreTypes,
        types: TypesRef<'_>,
    ) -> Result<()> {
        let known = u32::try_from(self.module.types.len()).expect("the validator limits types");
        for index in known..types.core_type_count_in_module() {
            let id = types.core_type_at_in_module(index);
            self.module.types.push(interner.intern(core_types, types, id)?);
        }
        Ok(())
    }

    /// Reads any other section.
    pub fn read_section(&mut self, payload: &Payload<'a>) -> Result<()> {
        match payload {
            Payload::ImportSection(section) => self.read_imports(section),
            Payload::FunctionSection(section) => self.read_funcs(section),
            Payload::TableSection(section) => self.read_tables(section),
            Payload::MemorySection(section) => self.read_memories(section),
            Payload::TagSection(section) => self.read_tags(section),
            Payload::GlobalSection(section) => self.read_globals(section),
            Payload::ExportSection(section) => self.read_exports(section),
            Payload::StartSection { func, .. } => {
                self.module.start = Some(*func);
                Ok(())
            }
            Payload::ElementSection(section) => self.read_elems(section),
            Payload::DataSection(section) => self.read_data(section),
            Payload::CustomSection(section) => {
                self.read_custom(section.as_known());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Validates the bodies and returns the module, which ends at `end` in its file.
    pub fn finish(mut self, end: usize) -> Result<Module> {
        self.module.bytes.range.end = end;
        let bodies = read_bodies(self.module.bytes.file, self.bodies, |index| {
            match self.module.func_names.get(&index) {
                Some(name) => format!("the function `{name}`"),
                None => format!("function {index}"),
            }
        });
        self.module.bodies = bodies.map_err(|error| match &self.module.name {
            Some(name) => error.context(format!("the core module `{name}`")),
            None => error,
        })?;
        Ok(self.module)
    }

    fn read_imports(&mut self, section: &wasmparser::ImportSectionReader<'a>) -> Result<()> {
        for import in section.clone().into_imports() {
            let import = import.map_err(wasm_error)?;
            let item = self.add_imported_item(import.ty)?;
            self.module.imports.push(Import {
                module: import.module.to_owned(),
                name: import.name.to_owned(),
                item,
            });
        }
        Ok(())
    }

    /// Adds an imported item to its index space and returns its index there.
    fn add_imported_item(&mut self, ty: TypeRef) -> Result<Extern> {
        let Module { funcs, tables, memories, globals, tags, imported, types, .. } =
            &mut self.module;
        Ok(match ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                funcs.push(types[ty as usize]);
                Extern::Func(take_next(&mut imported.funcs))
            }
            TypeRef::Table(ty) => {
                let ty = convert_table_type(ty, types)?;
                tables.push(Table { ty, init: None });
                Extern::Table(take_next(&mut imported.tables))
            }
            TypeRef::Memory(ty) => {
                memories.push(convert_memory_type(ty));
                Extern::Memory(take_next(&mut imported.memories))
            }
            TypeRef::Global(ty) => {
                let ty = convert_global_type(ty, types)?;
                globals.push(Global { ty, init: None });
                Extern::Global(take_next(&mut imported.globals))
            }
            TypeRef::Tag(ty) => {
                tags.push(types[ty.func_type_idx as usize]);
                Extern::Tag(take_next(&mut imported.tags))
            }
        })
    }

    fn read_funcs(&mut self, section: &wasmparser::FunctionSectionReader<'a>) -> Result<()> {
        for ty in section.clone() {
            let ty = ty.map_err(wasm_error)?;
            self.module.funcs.push(self.module.types[ty as usize]);
        }
        Ok(())
    }

    fn read_tables(&mut self, section: &wasmparser::TableSectionReader<'a>) -> Result<()> {
        for table in section.clone() {
            let table = table.map_err(wasm_error)?;
            let init = match &table.init {
                TableInit::RefNull => None,
                TableInit::Expr(expr) => Some(read_const_expr(expr)?),
            };
            let ty = convert_table_type(table.ty, &self.module.types)?;
            self.module.tables.push(Table { ty, init });
        }
        Ok(())
    }

    fn read_memories(&mut self, section: &wasmparser::MemorySectionReader<'a>) -> Result<()> {
        for ty in section.clone() {
            self.module.memories.push(convert_memory_type(ty.map_err(wasm_error)?));
        }
        Ok(())
    }

    fn read_tags(&mut self, section: &wasmparser::TagSectionReader<'a>) -> Result<()> {
        for ty in section.clone() {
            let ty = ty.map_err(wasm_error)?;
            self.module.tags.push(self.module.types[ty.func_type_idx as usize]);
        }
        Ok(())
    }

    fn read_globals(&mut self, section: &wasmparser::GlobalSectionReader<'a>) -> Result<()> {
        for global in section.clone() {
            let global = global.map_err(wasm_error)?;
            let ty = convert_global_type(global.ty, &self.module.types)?;
            let init = Some(read_const_expr(&global.init_expr)?);
            self.module.globals.push(Global { ty, init });
        }
        Ok(())
    }

    fn read_exports(&mut self, section: &wasmparser::ExportSectionReader<'a>) -> Result<()> {
        for export in section.clone() {
            let export = export.map_err(wasm_error)?;
            let index = export.index;
            let item = match export.kind {
                ExternalKind::Func | ExternalKind::FuncExact => Extern::Func(index),
                ExternalKind::Table => Extern::Table(index),
                ExternalKind::Memory => Extern::Memory(index),
                ExternalKind::Global => Extern::Global(index),
                ExternalKind::Tag => Extern::Tag(index),
            };
            self.module.exports.insert(export.name.to_owned(), item);
        }
        Ok(())
    }

    fn read_elems(&mut self, section: &wasmparser::ElementSectionReader<'a>) -> Result<()> {
        for element in section.clone() {
            let element = element.map_err(wasm_error)?;
            let mode = match &element.kind {
                ElementKind::Passive => SegmentMode::Passive,
                ElementKind::Declared => SegmentMode::Declared,
                ElementKind::Active { table_index, offset_expr } => SegmentMode::Active {
                    target: table_index.unwrap_or(0),
                    offset: read_const_expr(offset_expr)?,
                },
            };
            let (ty, items) = read_elem_items(element.items, &self.module.types)?;
            self.module.elems.push(ElemSegment { mode, ty, items });
        }
        Ok(())
    }

    fn read_data(&mut self, section: &wasmparser::DataSectionReader<'a>) -> Result<()> {
        let file = self.module.bytes.file;
        for data in section.clone() {
            let data = data.map_err(wasm_error)?;
            let mode = match &data.kind {
                DataKind::Passive => SegmentMode::Passive,
                DataKind::Active { memory_index, offset_expr } => SegmentMode::Active {
                    target: *memory_index,
                    offset: read_const_expr(offset_expr)?,
                },
            };
            let end = byte_range(data.range).end;
            let range = end - data.data.len()..end;
            self.module.data.push(DataSegment { mode, bytes: Bytes { file, range } });
        }
        Ok(())
    }

    /// Reads names and hints. A malformed custom section is no error: what is readable is kept.
    fn read_custom(&mut self, section: KnownCustom<'a>) {
        match section {
            KnownCustom::Name(names) => {
                for name in names.into_iter().map_while(|name| name.ok()) {
                    self.read_name(name);
                }
            }
            KnownCustom::BranchHints(funcs) => {
                for func in funcs.into_iter().map_while(|func| func.ok()) {
                    for hint in func.hints.into_iter().map_while(|hint| hint.ok()) {
                        self.module.branch_hints.push(BranchHint {
                            func: func.func,
                            offset: hint.func_offset,
                            is_likely: hint.taken,
                        });
                    }
                }
            }
            _ => {}
        }
    }

    fn read_name(&mut self, name: Name<'a>) {
        match name {
            Name::Module { name, .. } => self.module.name = Some(name.to_owned()),
            Name::Function(names) => {
                for naming in names.into_iter().map_while(|naming| naming.ok()) {
                    self.module.func_names.insert(naming.index, naming.name.to_owned());
                }
            }
            _ => {}
        }
    }
}

/// Returns a counter's value and advances it.
fn take_next(count: &mut u32) -> u32 {
    let index = *count;
    *count += 1;
    index
}

fn read_elem_items(
    items: ElementItems<'_>,
    types: &[CoreTypeId],
) -> Result<(RefType, Vec<crate::module::ConstExpr>)> {
    match items {
        ElementItems::Functions(funcs) => {
            let items = funcs.into_iter().map(|func| {
                let func = func.map_err(wasm_error)?;
                Ok(vec![crate::module::ConstOp::RefFunc(func)])
            });
            Ok((
                convert_ref_type(wasmparser::RefType::FUNCREF, types)?,
                items.collect::<Result<_>>()?,
            ))
        }
        ElementItems::Expressions(ty, exprs) => {
            let items = exprs.into_iter().map(|expr| read_const_expr(&expr.map_err(wasm_error)?));
            Ok((convert_ref_type(ty, types)?, items.collect::<Result<_>>()?))
        }
    }
}

/// Converts the type of a memory.
pub fn convert_memory_type(ty: wasmparser::MemoryType) -> MemoryType {
    MemoryType {
        min_pages: ty.initial,
        max_pages: ty.maximum,
        memory64: ty.memory64,
        shared: ty.shared,
        page_size_log2: ty.page_size_log2(),
    }
}

fn convert_table_type(ty: wasmparser::TableType, types: &[CoreTypeId]) -> Result<TableType> {
    Ok(TableType {
        element: convert_ref_type(ty.element_type, types)?,
        min: ty.initial,
        max: ty.maximum,
        table64: ty.table64,
    })
}

fn convert_global_type(ty: wasmparser::GlobalType, types: &[CoreTypeId]) -> Result<GlobalType> {
    let value: ValType =
        core_types::convert_val_type(ty.content_type, |index| resolve_index(index, types))?;
    Ok(GlobalType { value, mutable: ty.mutable })
}

fn convert_ref_type(ty: wasmparser::RefType, types: &[CoreTypeId]) -> Result<RefType> {
    core_types::convert_ref_type(ty, |index| resolve_index(index, types))
}

/// The type that an index in one of the module's sections stands for.
fn resolve_index(index: UnpackedIndex, types: &[CoreTypeId]) -> CoreTypeId {
    let index = index.as_module_index().expect("a module's sections hold module indices");
    types[index as usize]
}
