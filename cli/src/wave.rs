//! Component values as WAVE writes them, the WebAssembly value encoding.
//!
//! `wasm-wave` has the syntax; here are only its types and values from ours and back. WAVE has no
//! maps, which are lists of pairs here, and no handles, which are refused.

use crate::{Error, Result};
use std::borrow::Cow;
use wasm_wave::untyped::UntypedFuncCall;
use wasm_wave::value::{Type as WaveType, Value as WaveValue};
use wasm_wave::wasm::{WasmType, WasmTypeKind, WasmValue};
use wasmelt_flatten::interface::{FuncType, Type, TypeId, Types};
use wasmelt_flatten::script::Value;

/// Reads `(ARG, ARG, ...)`: the arguments of a function of that type.
///
/// # Errors
///
/// They do not parse or are not of the parameters' types, or a parameter is a handle.
pub fn read_wave_args(types: &Types, ty: &FuncType, args: &str) -> Result<Vec<Value>> {
    let params = ty.params.iter().map(|(name, ty)| {
        to_wave_type(types, *ty).map_err(|error| error.context(format!("the parameter `{name}`")))
    });
    let params = params.collect::<Result<Vec<_>>>()?;
    // The parser wants a name, and knows fewer names than there are.
    let call = format!("f{args}");
    let invalid = |error: &dyn std::fmt::Display| {
        let message = format!("the arguments `{args}` do not fit the parameters: {error}");
        Error::environment(message)
    };
    let call = UntypedFuncCall::parse(&call).map_err(|error| invalid(&error))?;
    let values = call.to_wasm_params::<WaveValue>(&params).map_err(|error| invalid(&error))?;
    values.iter().zip(&params).map(|(value, ty)| Ok(from_wave(value, ty))).collect()
}

/// A value as text.
///
/// # Errors
///
/// It contains a handle.
pub fn print_wave(types: &Types, ty: TypeId, value: &Value) -> Result<String> {
    let ty = to_wave_type(types, ty)?;
    wasm_wave::to_string(&to_wave(value, &ty))
        .map_err(|error| Error::environment(format!("the result cannot be printed: {error}")))
}

/// Types are limited in depth.
fn to_wave_type(types: &Types, ty: TypeId) -> Result<WaveType> {
    let payload = |ty: &Option<TypeId>| ty.map(|ty| to_wave_type(types, ty)).transpose();
    let all =
        |tys: &[TypeId]| tys.iter().map(|ty| to_wave_type(types, *ty)).collect::<Result<Vec<_>>>();
    let made = match &types[ty] {
        Type::Bool => Some(WaveType::BOOL),
        Type::S8 => Some(WaveType::S8),
        Type::U8 => Some(WaveType::U8),
        Type::S16 => Some(WaveType::S16),
        Type::U16 => Some(WaveType::U16),
        Type::S32 => Some(WaveType::S32),
        Type::U32 => Some(WaveType::U32),
        Type::S64 => Some(WaveType::S64),
        Type::U64 => Some(WaveType::U64),
        Type::F32 => Some(WaveType::F32),
        Type::F64 => Some(WaveType::F64),
        Type::Char => Some(WaveType::CHAR),
        Type::String => Some(WaveType::STRING),
        Type::List(element) => Some(WaveType::list(to_wave_type(types, *element)?)),
        Type::FixedList(element, len) => {
            Some(WaveType::fixed_length_list(to_wave_type(types, *element)?, *len))
        }
        Type::Map(key, value) => WaveType::tuple(all(&[*key, *value])?).map(WaveType::list),
        Type::Record(fields) => {
            let fields =
                fields.iter().map(|(name, ty)| Ok((name.as_str(), to_wave_type(types, *ty)?)));
            WaveType::record(fields.collect::<Result<Vec<_>>>()?)
        }
        Type::Tuple(fields) => WaveType::tuple(all(fields)?),
        Type::Variant(cases) => {
            let cases = cases.iter().map(|(name, ty)| Ok((name.as_str(), payload(ty)?)));
            WaveType::variant(cases.collect::<Result<Vec<_>>>()?)
        }
        Type::Enum(cases) => WaveType::enum_ty(cases.iter().map(String::as_str)),
        Type::Option(some) => Some(WaveType::option(to_wave_type(types, *some)?)),
        Type::Result { ok, err } => Some(WaveType::result(payload(ok)?, payload(err)?)),
        Type::Flags(labels) => WaveType::flags(labels.iter().map(String::as_str)),
        Type::Own(_) | Type::Borrow(_) => {
            return Err(Error::unsupported("handles on the command line"));
        }
    };
    Ok(made.expect("validation lets no such type be empty"))
}

/// A value that was read as one of that type.
fn from_wave(value: &WaveValue, ty: &WaveType) -> Value {
    let boxed = |value: Option<Cow<'_, WaveValue>>, ty: Option<WaveType>| {
        let (value, ty) = (value?, ty.expect("a payload has a type"));
        Some(Box::new(from_wave(&value, &ty)))
    };
    match ty.kind() {
        WasmTypeKind::Bool => Value::Bool(value.unwrap_bool()),
        WasmTypeKind::S8 => Value::S8(value.unwrap_s8()),
        WasmTypeKind::S16 => Value::S16(value.unwrap_s16()),
        WasmTypeKind::S32 => Value::S32(value.unwrap_s32()),
        WasmTypeKind::S64 => Value::S64(value.unwrap_s64()),
        WasmTypeKind::U8 => Value::U8(value.unwrap_u8()),
        WasmTypeKind::U16 => Value::U16(value.unwrap_u16()),
        WasmTypeKind::U32 => Value::U32(value.unwrap_u32()),
        WasmTypeKind::U64 => Value::U64(value.unwrap_u64()),
        WasmTypeKind::F32 => Value::F32(value.unwrap_f32().to_bits()),
        WasmTypeKind::F64 => Value::F64(value.unwrap_f64().to_bits()),
        WasmTypeKind::Char => Value::Char(value.unwrap_char()),
        WasmTypeKind::String => Value::String(value.unwrap_string().into_owned()),
        WasmTypeKind::Record => {
            let types = ty.record_fields();
            let fields = value.unwrap_record().zip(types);
            let fields =
                fields.map(|((name, value), (_, ty))| (name.into_owned(), from_wave(&value, &ty)));
            Value::Record(fields.collect())
        }
        WasmTypeKind::Tuple => {
            let fields = value.unwrap_tuple().zip(ty.tuple_element_types());
            Value::Tuple(fields.map(|(value, ty)| from_wave(&value, &ty)).collect())
        }
        WasmTypeKind::Variant => {
            let (case, payload) = value.unwrap_variant();
            let ty = ty.variant_cases().find(|(name, _)| *name == case).and_then(|(_, ty)| ty);
            Value::Variant(case.into_owned(), boxed(payload, ty))
        }
        WasmTypeKind::Enum => Value::Enum(value.unwrap_enum().into_owned()),
        WasmTypeKind::Option => Value::Option(boxed(value.unwrap_option(), ty.option_some_type())),
        WasmTypeKind::Result => {
            let (ok, err) = ty.result_types().expect("a result has such types");
            Value::Result(match value.unwrap_result() {
                Ok(payload) => Ok(boxed(payload, ok)),
                Err(payload) => Err(boxed(payload, err)),
            })
        }
        WasmTypeKind::Flags => Value::Flags(value.unwrap_flags().map(Cow::into_owned).collect()),
        WasmTypeKind::List | WasmTypeKind::FixedLengthList => {
            let element = ty.list_element_type().expect("a list has elements");
            Value::List(value.unwrap_list().map(|value| from_wave(&value, &element)).collect())
        }
        other => unreachable!("{other} is made of no type of ours"),
    }
}

/// A value that the program has returned as one of that type.
fn to_wave(value: &Value, ty: &WaveType) -> WaveValue {
    let boxed = |value: &Option<Box<Value>>, ty: Option<WaveType>| {
        let (value, ty) = (value.as_ref()?, ty.expect("a payload has a type"));
        Some(to_wave(value, &ty))
    };
    let made = match value {
        Value::Bool(value) => Ok(WaveValue::make_bool(*value)),
        Value::U8(value) => Ok(WaveValue::make_u8(*value)),
        Value::S8(value) => Ok(WaveValue::make_s8(*value)),
        Value::U16(value) => Ok(WaveValue::make_u16(*value)),
        Value::S16(value) => Ok(WaveValue::make_s16(*value)),
        Value::U32(value) => Ok(WaveValue::make_u32(*value)),
        Value::S32(value) => Ok(WaveValue::make_s32(*value)),
        Value::U64(value) => Ok(WaveValue::make_u64(*value)),
        Value::S64(value) => Ok(WaveValue::make_s64(*value)),
        Value::F32(bits) => Ok(WaveValue::make_f32(f32::from_bits(*bits))),
        Value::F64(bits) => Ok(WaveValue::make_f64(f64::from_bits(*bits))),
        Value::Char(value) => Ok(WaveValue::make_char(*value)),
        Value::String(value) => Ok(WaveValue::make_string(value.into())),
        Value::List(values) => {
            let element = ty.list_element_type().expect("a list has elements");
            WaveValue::make_list(ty, values.iter().map(|value| to_wave(value, &element)))
        }
        Value::Record(fields) => {
            let fields = fields.iter().zip(ty.record_fields());
            let fields =
                fields.map(|((name, value), (_, ty))| (name.as_str(), to_wave(value, &ty)));
            WaveValue::make_record(ty, fields)
        }
        Value::Tuple(values) => {
            let fields = values.iter().zip(ty.tuple_element_types());
            WaveValue::make_tuple(ty, fields.map(|(value, ty)| to_wave(value, &ty)))
        }
        Value::Variant(case, payload) => {
            let payload_type = ty.variant_cases().find(|(name, _)| name == case);
            let payload = boxed(payload, payload_type.and_then(|(_, ty)| ty));
            WaveValue::make_variant(ty, case, payload)
        }
        Value::Enum(case) => WaveValue::make_enum(ty, case),
        Value::Option(payload) => WaveValue::make_option(ty, boxed(payload, ty.option_some_type())),
        Value::Result(result) => {
            let (ok, err) = ty.result_types().expect("a result has such types");
            WaveValue::make_result(
                ty,
                match result {
                    Ok(payload) => Ok(boxed(payload, ok)),
                    Err(payload) => Err(boxed(payload, err)),
                },
            )
        }
        Value::Flags(set) => WaveValue::make_flags(ty, set.iter().map(String::as_str)),
    };
    made.expect("the value was read as one of the type")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(ty: impl FnOnce(&mut Types) -> TypeId, text: &str) -> String {
        let mut types = Types::new();
        let ty = ty(&mut types);
        let func = FuncType { params: vec![("a".to_owned(), ty)], result: None };
        let args = read_wave_args(&types, &func, &format!("({text})"));
        let args = args.unwrap_or_else(|error| panic!("{text}: {error}"));
        print_wave(&types, ty, &args[0]).expect("it has a notation")
    }

    #[test]
    fn values_come_back() {
        let record = |types: &mut Types| {
            let number = types.push(Type::S16);
            let text = types.push(Type::String);
            let option = types.push(Type::Option(text));
            let flags = types.push(Type::Flags(vec!["a".to_owned(), "b".to_owned()]));
            let result = types.push(Type::Result { ok: Some(number), err: None });
            let list = types.push(Type::List(result));
            let fields = [("n", number), ("o", option), ("f", flags), ("l", list)];
            types.push(Type::Record(fields.map(|(name, ty)| (name.to_owned(), ty)).to_vec()))
        };
        let text = r#"{n: -3, o: some("x"), f: {b}, l: [ok(1), err]}"#;
        assert_eq!(round_trip(record, text), text);
    }

    #[test]
    fn maps_are_lists_of_pairs() {
        let map = |types: &mut Types| {
            let key = types.push(Type::Char);
            let value = types.push(Type::F32);
            types.push(Type::Map(key, value))
        };
        assert_eq!(round_trip(map, "[('a', 1.5), ('b', nan)]"), "[('a', 1.5), ('b', nan)]");
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let mut types = Types::new();
        let ty = types.push(Type::U8);
        let func = FuncType { params: vec![("a".to_owned(), ty)], result: None };
        for args in ["(256)", "()", "(1, 2)", "(\"a\")", "(1"] {
            assert!(read_wave_args(&types, &func, args).is_err(), "{args}");
        }
    }
}
