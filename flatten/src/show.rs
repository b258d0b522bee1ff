//! Types as text, for messages and for the program's text form.

use crate::interface::{FuncType, Type, TypeId};
use crate::program::Program;
use crate::types::{self, CoreTypeId, CoreTypeKind, HeapType, ValType};
use std::fmt::Write;

/// An interface type as WIT writes it; records and variants with their members. Recursion is
/// bounded by `limits::TYPE_DEPTH_MAX`.
pub fn show_type(program: &Program, ty: TypeId) -> String {
    show_type_up_to(program, ty, usize::MAX)
}

/// As [`show_type`], with at most that many members of each record, variant and the like.
fn show_type_up_to(program: &Program, ty: TypeId, members_max: usize) -> String {
    let show = |ty: &TypeId| show_type_up_to(program, *ty, members_max);
    let optional = |ty: &Option<TypeId>| ty.as_ref().map_or_else(|| "_".into(), show);
    match &program.types[ty] {
        Type::List(of) => format!("list<{}>", show(of)),
        Type::FixedList(of, len) => format!("list<{}, {len}>", show(of)),
        Type::Map(key, value) => format!("map<{}, {}>", show(key), show(value)),
        Type::Record(fields) => {
            let fields = fields.iter().map(|(name, ty)| format!("{name}: {}", show(ty)));
            format!("record {{{}}}", join_up_to(fields, members_max))
        }
        Type::Tuple(types) => format!("tuple<{}>", join_up_to(types.iter().map(show), members_max)),
        Type::Variant(cases) => {
            let cases = cases.iter().map(|(name, ty)| match ty {
                Some(ty) => format!("{name}({})", show(ty)),
                None => name.clone(),
            });
            format!("variant {{{}}}", join_up_to(cases, members_max))
        }
        Type::Enum(names) => {
            format!("enum {{{}}}", join_up_to(names.iter().cloned(), members_max))
        }
        Type::Flags(names) => {
            format!("flags {{{}}}", join_up_to(names.iter().cloned(), members_max))
        }
        Type::Option(of) => format!("option<{}>", show(of)),
        Type::Result { ok: None, err: None } => "result".into(),
        Type::Result { ok, err: None } => format!("result<{}>", optional(ok)),
        Type::Result { ok, err } => format!("result<{}, {}>", optional(ok), optional(err)),
        Type::Own(resource) => format!("own<{}>", program.resources[*resource].name),
        Type::Borrow(resource) => format!("borrow<{}>", program.resources[*resource].name),
        primitive => format!("{primitive:?}").to_lowercase(),
    }
}

/// A component function type, `(path: string) -> u32`, with at most that many members of each
/// record, variant and the like.
pub fn show_func_type(program: &Program, ty: &FuncType, members_max: usize) -> String {
    let show = |ty: TypeId| show_type_up_to(program, ty, members_max);
    let params = ty.params.iter().map(|(name, ty)| format!("{name}: {}", show(*ty)));
    let params = join_up_to(params, usize::MAX);
    match ty.result {
        Some(result) => format!("({params}) -> {}", show(result)),
        None => format!("({params})"),
    }
}

/// A core function type: `[i32 i32] -> [i32]`.
pub fn show_core_type(program: &Program, ty: CoreTypeId) -> String {
    match &program.core_types[ty].kind {
        CoreTypeKind::Func(types::FuncType { params, results }) => {
            format!("[{}] -> [{}]", show_vals(params), show_vals(results))
        }
        CoreTypeKind::Other => ty.to_string(),
    }
}

fn show_vals(types: &[ValType]) -> String {
    let mut out = String::new();
    for (at, ty) in types.iter().enumerate() {
        let space = if at == 0 { "" } else { " " };
        write!(out, "{space}{}", show_val(*ty)).expect("a string takes everything");
    }
    out
}

/// A core value type, as the text format writes it.
pub fn show_val(ty: ValType) -> String {
    match ty {
        ValType::Ref(ty) => {
            let heap = match ty.heap {
                HeapType::Defined(id) => id.to_string(),
                heap => format!("{heap:?}").to_lowercase(),
            };
            if ty.nullable { format!("(ref null {heap})") } else { format!("(ref {heap})") }
        }
        number => format!("{number:?}").to_lowercase(),
    }
}

/// Joins with commas; an ellipsis stands for those beyond the limit.
fn join_up_to(parts: impl ExactSizeIterator<Item = String>, max: usize) -> String {
    let is_cut = parts.len() > max;
    let mut parts: Vec<String> = parts.take(max).collect();
    if is_cut {
        parts.push("...".into());
    }
    parts.join(", ")
}
