//! Whether an item may be imported: the core specification's "External Types" matching.
//!
//! Inside a component the validator has answered this. Only a script links modules by
//! name, and there a mismatch is a result like any other.

use crate::module::{Extern, GlobalType, MemoryType, Module, TableType};
use crate::program::{InitStep, Program};
use crate::scope::CoreItem;
use crate::types::{CoreTypeId, CoreTypes, HeapType, RefType, ValType};
use wasmelt_frontend::composition::{ModuleItem, ModuleType};

/// Checks that `found` may be what `module` imports as `wanted`. The message of an error is a
/// noun phrase. What only the current size of a memory or a table can tell becomes a step.
pub fn match_import(
    program: &Program,
    module: &Module,
    wanted: Extern,
    found: CoreItem,
) -> Result<Option<InitStep>, String> {
    let types = &program.core_types;
    match (wanted, found) {
        (Extern::Func(index), CoreItem::Func(func)) => {
            let found = program.funcs[func].ty;
            ensure(is_subtype(types, found, module.funcs[index as usize]), "a function type")?;
            Ok(None)
        }
        (Extern::Global(index), CoreItem::Global(global)) => {
            let wanted = module.globals[index as usize].ty;
            ensure(match_global(types, program.globals[global].ty, wanted), "a global type")?;
            Ok(None)
        }
        (Extern::Memory(index), CoreItem::Memory(memory)) => {
            let wanted = module.memories[index as usize];
            let found = program.memories[memory].ty;
            ensure(match_memory(found, wanted), "a memory type")?;
            let min_pages = wanted.min_pages;
            Ok((found.min_pages < min_pages)
                .then_some(InitStep::RequireMemory { memory, min_pages }))
        }
        (Extern::Table(index), CoreItem::Table(table)) => {
            let wanted = module.tables[index as usize].ty;
            let found = program.tables[table].ty;
            ensure(match_table(types, found, wanted), "a table type")?;
            let min = wanted.min;
            Ok((found.min < min).then_some(InitStep::RequireTable { table, min }))
        }
        (Extern::Tag(index), CoreItem::Tag(tag)) => {
            ensure(program.tags[tag].ty == module.tags[index as usize], "a tag type")?;
            Ok(None)
        }
        _ => Err("another kind of item".to_owned()),
    }
}

/// Whether a module may be imported as one of that type: it must not import more, and not export
/// less. Sizes are those that the module declares.
pub fn match_module(types: &CoreTypes, module: &Module, wanted: &ModuleType) -> bool {
    let imports_fit = module.imports.iter().all(|import| {
        let name = (import.module.clone(), import.name.clone());
        let given = wanted.imports.get(&name);
        given.is_some_and(|given| is_item_subtype(types, *given, item_type(module, import.item)))
    });
    imports_fit
        && wanted.exports.iter().all(|(name, wanted)| {
            let found = module.exports.get(name);
            found.is_some_and(|found| is_item_subtype(types, item_type(module, *found), *wanted))
        })
}

fn item_type(module: &Module, item: Extern) -> ModuleItem {
    match item {
        Extern::Func(index) => ModuleItem::Func(module.funcs[index as usize]),
        Extern::Table(index) => ModuleItem::Table(module.tables[index as usize].ty),
        Extern::Memory(index) => ModuleItem::Memory(module.memories[index as usize]),
        Extern::Global(index) => ModuleItem::Global(module.globals[index as usize].ty),
        Extern::Tag(index) => ModuleItem::Tag(module.tags[index as usize]),
    }
}

fn is_item_subtype(types: &CoreTypes, sub: ModuleItem, of: ModuleItem) -> bool {
    match (sub, of) {
        (ModuleItem::Func(sub), ModuleItem::Func(of)) => is_subtype(types, sub, of),
        (ModuleItem::Tag(sub), ModuleItem::Tag(of)) => sub == of,
        (ModuleItem::Global(sub), ModuleItem::Global(of)) => match_global(types, sub, of),
        (ModuleItem::Memory(sub), ModuleItem::Memory(of)) => {
            match_memory(sub, of) && of.min_pages <= sub.min_pages
        }
        (ModuleItem::Table(sub), ModuleItem::Table(of)) => {
            match_table(types, sub, of) && of.min <= sub.min
        }
        _ => false,
    }
}

fn ensure(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{what} that does not match")) }
}

fn match_global(types: &CoreTypes, found: GlobalType, wanted: GlobalType) -> bool {
    if found.mutable || wanted.mutable {
        found == wanted
    } else {
        is_value_subtype(types, found.value, wanted.value)
    }
}

/// All but the minimum, which is compared with the current size. A memory that can grow may
/// become large enough; one that cannot has to be.
fn match_memory(found: MemoryType, wanted: MemoryType) -> bool {
    found.memory64 == wanted.memory64
        && found.shared == wanted.shared
        && found.page_size_log2 == wanted.page_size_log2
        && match_max(found.max_pages, wanted.max_pages)
        && wanted.min_pages <= found.max_pages.unwrap_or(u64::MAX)
}

/// As [`match_memory`].
fn match_table(types: &CoreTypes, found: TableType, wanted: TableType) -> bool {
    found.table64 == wanted.table64
        && is_ref_subtype(types, found.element, wanted.element)
        && is_ref_subtype(types, wanted.element, found.element)
        && match_max(found.max, wanted.max)
        && wanted.min <= found.max.unwrap_or(u64::MAX)
}

fn match_max(found: Option<u64>, wanted: Option<u64>) -> bool {
    wanted.is_none_or(|wanted| found.is_some_and(|found| found <= wanted))
}

/// Whether one defined type is a declared subtype of another, or the same.
pub fn is_subtype(types: &CoreTypes, sub: CoreTypeId, of: CoreTypeId) -> bool {
    let mut next = Some(sub);
    // A type's supertype comes before it, so this ends.
    while let Some(ty) = next {
        if ty == of {
            return true;
        }
        next = types[ty].supertype;
    }
    false
}

/// Whether every value of one type belongs to the other.
pub fn is_value_subtype(types: &CoreTypes, sub: ValType, of: ValType) -> bool {
    match (sub, of) {
        (ValType::Ref(sub), ValType::Ref(of)) => is_ref_subtype(types, sub, of),
        _ => sub == of,
    }
}

fn is_ref_subtype(types: &CoreTypes, sub: RefType, of: RefType) -> bool {
    (of.nullable || !sub.nullable) && is_heap_subtype(types, sub.heap, of.heap)
}

fn is_heap_subtype(types: &CoreTypes, sub: HeapType, of: HeapType) -> bool {
    use HeapType::*;
    let is_func = |ty: CoreTypeId| types[ty].func().is_some();
    match (sub, of) {
        (Defined(sub), Defined(of)) => is_subtype(types, sub, of),
        (Defined(sub), Func) => is_func(sub),
        (Defined(sub), Any | Eq | Struct | Array) => !is_func(sub),
        (NoFunc, Func) | (NoExtern, Extern) | (NoExn, Exn) | (NoCont, Cont) => true,
        (NoFunc, Defined(of)) => is_func(of),
        (None, Any | Eq | I31 | Struct | Array) => true,
        (None, Defined(of)) => !is_func(of),
        (I31 | Struct | Array, Eq | Any) | (Eq, Any) => true,
        _ => sub == of,
    }
}
