//! Flat types: the core types that an interface type is passed as.
//!
//! `CanonicalABI.md`, section "Flattening". The width of pointers is a parameter,
//! because the same rules describe the native side, where a pointer has 64 bits.

use crate::interface::{FuncType, Type, TypeId, Types};
use crate::types::{self, ValType};

/// Parameters beyond this many flat types are passed in memory.
pub const MAX_FLAT_PARAMS: usize = 16;
/// Results beyond this many flat types are passed in memory.
pub const MAX_FLAT_RESULTS: usize = 1;

/// The core signature of one side of a component function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlatSignature {
    /// The core function type.
    pub core: types::FuncType,
    /// Whether the parameters lie in memory, the one core parameter pointing at them.
    pub params_in_memory: bool,
    /// Whether the result lies in memory. When lowered, the last core parameter says where it
    /// goes; when lifted, the core result says where it is.
    pub result_in_memory: bool,
}

/// Which side of a component function a core signature is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The callee's: the core function that is lifted.
    Lift,
    /// The caller's: the core function that lowering makes.
    Lower,
}

/// The core signature of a component function. `pointer` is `I32` or `I64`.
pub fn flat_signature(
    types: &Types,
    func: &FuncType,
    side: Side,
    pointer: ValType,
) -> FlatSignature {
    let tys = func.params.iter().map(|(_, ty)| *ty);
    let flat_params = flat_types(types, tys, pointer, MAX_FLAT_PARAMS);
    let params_in_memory = flat_params.is_none();
    let mut params = flat_params.unwrap_or_else(|| vec![pointer]);
    let flat_results = flat_types(types, func.result, pointer, MAX_FLAT_RESULTS);
    let result_in_memory = flat_results.is_none();
    let results = match (flat_results, side) {
        (Some(results), _) => results,
        (None, Side::Lift) => vec![pointer],
        (None, Side::Lower) => {
            params.push(pointer);
            Vec::new()
        }
    };
    let core = types::FuncType { params: params.into(), results: results.into() };
    FlatSignature { core, params_in_memory, result_in_memory }
}

/// The signature of a component function in C: `docs/native-abi.md`, section "Calls".
pub fn c_signature(types: &Types, func: &FuncType) -> FlatSignature {
    let mut params = Vec::new();
    for (_, ty) in &func.params {
        match is_by_address(types, *ty) {
            true => params.push(ValType::I64),
            false => params.extend(flat_in_c(types, *ty)),
        }
    }
    let mut results = Vec::new();
    let result_in_memory = func.result.is_some_and(|ty| is_returned_by_address(types, ty));
    match func.result {
        Some(_) if result_in_memory => params.push(ValType::I64),
        Some(ty) => results = flat_in_c(types, ty),
        None => {}
    }
    let core = types::FuncType { params: params.into(), results: results.into() };
    FlatSignature { core, params_in_memory: false, result_in_memory }
}

fn flat_in_c(types: &Types, ty: TypeId) -> Vec<ValType> {
    let flat = flat_types(types, [ty], ValType::I64, MAX_FLAT_PARAMS);
    flat.expect("what is passed by value is at most a pointer and a length")
}

/// Whether C passes a parameter of that type by its address: what is a struct there.
pub fn is_by_address(types: &Types, ty: TypeId) -> bool {
    match &types[ty] {
        Type::Record(_) | Type::Tuple(_) | Type::FixedList(..) | Type::Option(_) => true,
        Type::Variant(cases) => cases.iter().any(|(_, payload)| payload.is_some()),
        Type::Result { ok, err } => ok.is_some() || err.is_some(),
        _ => false,
    }
}

/// Whether a C function writes a result of that type where its last parameter points.
pub fn is_returned_by_address(types: &Types, ty: TypeId) -> bool {
    let is_pair = matches!(types[ty], Type::String | Type::List(_) | Type::Map(..));
    is_pair || is_by_address(types, ty)
}

/// The flat types of a sequence of interface types, or `None` if there are more than `max`.
pub fn flat_types(
    types: &Types,
    tys: impl IntoIterator<Item = TypeId>,
    pointer: ValType,
    max: usize,
) -> Option<Vec<ValType>> {
    let mut flat = Vec::new();
    for ty in tys {
        push_flat(types, ty, pointer, max, &mut flat)?;
    }
    Some(flat)
}

/// Appends the flat types of one type; `None` as soon as `flat` would exceed `max`, which also
/// bounds the time that a long fixed-length list takes. Recursion is bounded by
/// `limits::TYPE_DEPTH_MAX`.
fn push_flat(
    types: &Types,
    ty: TypeId,
    pointer: ValType,
    max: usize,
    flat: &mut Vec<ValType>,
) -> Option<()> {
    match &types[ty] {
        Type::S64 | Type::U64 => flat.push(ValType::I64),
        Type::F32 => flat.push(ValType::F32),
        Type::F64 => flat.push(ValType::F64),
        Type::String | Type::List(_) | Type::Map(..) => flat.extend([pointer, pointer]),
        Type::FixedList(element, len) => {
            for _ in 0..*len {
                push_flat(types, *element, pointer, max, flat)?;
            }
        }
        Type::Record(fields) => {
            for (_, ty) in fields {
                push_flat(types, *ty, pointer, max, flat)?;
            }
        }
        Type::Tuple(fields) => {
            for ty in fields {
                push_flat(types, *ty, pointer, max, flat)?;
            }
        }
        Type::Variant(cases) => {
            push_cases(types, cases.iter().map(|(_, ty)| *ty), pointer, max, flat)?;
        }
        Type::Option(some) => push_cases(types, [None, Some(*some)], pointer, max, flat)?,
        Type::Result { ok, err } => push_cases(types, [*ok, *err], pointer, max, flat)?,
        Type::Bool | Type::Char | Type::Enum(_) | Type::Flags(_) => flat.push(ValType::I32),
        Type::S8 | Type::U8 | Type::S16 | Type::U16 | Type::S32 | Type::U32 => {
            flat.push(ValType::I32);
        }
        Type::Own(_) | Type::Borrow(_) => flat.push(ValType::I32),
    }
    (flat.len() <= max).then_some(())
}

/// Appends a discriminant and the position-wise join of the cases' flat types.
fn push_cases(
    types: &Types,
    cases: impl IntoIterator<Item = Option<TypeId>>,
    pointer: ValType,
    max: usize,
    flat: &mut Vec<ValType>,
) -> Option<()> {
    flat.push(ValType::I32);
    let start = flat.len();
    for case in cases.into_iter().flatten() {
        let mut payload = Vec::new();
        push_flat(types, case, pointer, max.checked_sub(start)?, &mut payload)?;
        for (at, ty) in payload.into_iter().enumerate() {
            match flat.get_mut(start + at) {
                Some(slot) => *slot = join(*slot, ty),
                None => flat.push(ty),
            }
        }
    }
    Some(())
}

/// The core type that can hold either of two.
pub fn join(a: ValType, b: ValType) -> ValType {
    match (a, b) {
        _ if a == b => a,
        (ValType::I32, ValType::F32) | (ValType::F32, ValType::I32) => ValType::I32,
        _ => ValType::I64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ValType::{F32, I32, I64};

    fn flat(types: &Types, ty: TypeId, max: usize) -> Option<Vec<ValType>> {
        flat_types(types, [ty], I32, max)
    }

    #[test]
    fn variants_join_their_cases() {
        let mut types = Types::new();
        let float = types.push(Type::F32);
        let string = types.push(Type::String);
        let long = types.push(Type::U64);
        let a = types.push(Type::Variant(vec![
            ("a".into(), Some(float)),
            ("b".into(), None),
            ("c".into(), Some(string)),
        ]));
        assert_eq!(flat(&types, a, 16), Some(vec![I32, I32, I32]));
        let b = types.push(Type::Result { ok: Some(long), err: Some(float) });
        assert_eq!(flat(&types, b, 16), Some(vec![I32, I64]));
        let c = types.push(Type::Option(float));
        assert_eq!(flat(&types, c, 16), Some(vec![I32, F32]));
        assert_eq!(flat(&types, c, 1), None);
    }

    #[test]
    fn what_exceeds_the_limit_goes_to_memory() {
        let mut types = Types::new();
        let string = types.push(Type::String);
        let long = types.push(Type::FixedList(string, 1 << 28));
        let func = FuncType { params: vec![("a".into(), long)], result: Some(string) };
        let lower = flat_signature(&types, &func, Side::Lower, I64);
        assert!(lower.params_in_memory && lower.result_in_memory);
        assert_eq!(*lower.core.params, [I64, I64]);
        assert!(lower.core.results.is_empty());
        let lift = flat_signature(&types, &func, Side::Lift, I32);
        assert_eq!((&*lift.core.params, &*lift.core.results), (&[I32][..], &[I32][..]));
    }
}
