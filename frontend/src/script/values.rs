//! Arguments and expectations of a script, from the text parser's tree to plain data.

use super::{Argument, CorePattern, CoreValue, Expected, Shape, Value};
use wast::component::WastVal;
use wast::core::{NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::token::{F32, F64};
use wast::{WastArg, WastRet};

/// An argument; `None` is one that this reader does not know.
pub fn read_argument(arg: &WastArg<'_>) -> Option<Argument> {
    Some(match arg {
        WastArg::Core(value) => Argument::Core(match value {
            WastArgCore::I32(value) => CoreValue::I32(*value as u32),
            WastArgCore::I64(value) => CoreValue::I64(*value as u64),
            WastArgCore::F32(value) => CoreValue::F32(value.bits),
            WastArgCore::F64(value) => CoreValue::F64(value.bits),
            WastArgCore::V128(value) => CoreValue::V128(value.to_le_bytes()),
            WastArgCore::RefNull(_) => CoreValue::Null,
            WastArgCore::RefExtern(number) | WastArgCore::RefHost(number) => {
                CoreValue::Host(*number)
            }
        }),
        WastArg::Component(value) => Argument::Component(read_value(value)),
        _ => return None,
    })
}

/// An expectation; `None` is one that this reader does not know.
pub fn read_expected(expected: &WastRet<'_>) -> Option<Expected> {
    Some(match expected {
        WastRet::Core(pattern) => Expected::Core(read_pattern(pattern)),
        WastRet::Component(value) => Expected::Component(read_value(value)),
        _ => return None,
    })
}

/// A core expectation. The parser limits how deep `either` nests.
fn read_pattern(pattern: &WastRetCore<'_>) -> CorePattern {
    let exact = |shape, bits, width: u32| CorePattern::Bits {
        shape,
        bits,
        mask: u128::MAX >> (128 - width),
    };
    match pattern {
        WastRetCore::I32(value) => exact(Shape::I32, u128::from(*value as u32), 32),
        WastRetCore::I64(value) => exact(Shape::I64, u128::from(*value as u64), 64),
        WastRetCore::F32(value) => lanes(Shape::F32, 32, [f32_lane(value)]),
        WastRetCore::F64(value) => lanes(Shape::F64, 64, [f64_lane(value)]),
        WastRetCore::V128(value) => read_vector(value),
        WastRetCore::RefNull(_) => CorePattern::Null,
        WastRetCore::RefExtern(None) | WastRetCore::RefFunc(_) => CorePattern::NotNull,
        WastRetCore::RefExtern(Some(number)) | WastRetCore::RefHost(number) => {
            CorePattern::Host(*number)
        }
        WastRetCore::RefAny => CorePattern::Unsupported("ref.any"),
        WastRetCore::RefEq => CorePattern::Unsupported("ref.eq"),
        WastRetCore::RefArray => CorePattern::Unsupported("ref.array"),
        WastRetCore::RefStruct => CorePattern::Unsupported("ref.struct"),
        WastRetCore::RefI31 => CorePattern::Unsupported("ref.i31"),
        WastRetCore::RefI31Shared => CorePattern::Unsupported("ref.i31_shared"),
        WastRetCore::Either(cases) => CorePattern::Either(cases.iter().map(read_pattern).collect()),
    }
}

fn read_vector(vector: &V128Pattern) -> CorePattern {
    let whole = |lane: u64| (lane, u64::MAX);
    match vector {
        V128Pattern::I8x16(v) => lanes(Shape::I8x16, 8, v.map(|v| whole(u64::from(v as u8)))),
        V128Pattern::I16x8(v) => lanes(Shape::I16x8, 16, v.map(|v| whole(u64::from(v as u16)))),
        V128Pattern::I32x4(v) => lanes(Shape::I32x4, 32, v.map(|v| whole(u64::from(v as u32)))),
        V128Pattern::I64x2(v) => lanes(Shape::I64x2, 64, v.map(|v| whole(v as u64))),
        V128Pattern::F32x4(v) => lanes(Shape::F32x4, 32, v.each_ref().map(f32_lane)),
        V128Pattern::F64x2(v) => lanes(Shape::F64x2, 64, v.each_ref().map(f64_lane)),
    }
}

/// Packs lanes of `width` bits, each its bits and which of them count, lane 0 lowest.
fn lanes<const N: usize>(shape: Shape, width: u32, lanes: [(u64, u64); N]) -> CorePattern {
    let keep = u128::MAX >> (128 - width);
    let (mut bits, mut mask) = (0, 0);
    for (at, (lane, counts)) in (0u32..).zip(lanes) {
        bits |= (u128::from(lane) & keep) << (at * width);
        mask |= (u128::from(counts) & keep) << (at * width);
    }
    CorePattern::Bits { shape, bits, mask }
}

/// A canonical NaN is one of two bit patterns, so the sign does not count; an arithmetic NaN has
/// every bit set that a canonical one has, so only those count.
fn f32_lane(lane: &NanPattern<F32>) -> (u64, u64) {
    match lane {
        NanPattern::CanonicalNan => (0x7fc0_0000, 0x7fff_ffff),
        NanPattern::ArithmeticNan => (0x7fc0_0000, 0x7fc0_0000),
        NanPattern::Value(value) => (u64::from(value.bits), u64::MAX),
    }
}

/// As [`f32_lane`].
fn f64_lane(lane: &NanPattern<F64>) -> (u64, u64) {
    match lane {
        NanPattern::CanonicalNan => (0x7ff8_0000_0000_0000, 0x7fff_ffff_ffff_ffff),
        NanPattern::ArithmeticNan => (0x7ff8_0000_0000_0000, 0x7ff8_0000_0000_0000),
        NanPattern::Value(value) => (value.bits, u64::MAX),
    }
}

/// A component value. The parser limits how deep values nest.
fn read_value(value: &WastVal<'_>) -> Value {
    let boxed =
        |value: &Option<Box<WastVal<'_>>>| value.as_ref().map(|value| Box::new(read_value(value)));
    let all = |values: &[WastVal<'_>]| values.iter().map(read_value).collect::<Vec<_>>();
    match value {
        WastVal::Bool(value) => Value::Bool(*value),
        WastVal::U8(value) => Value::U8(*value),
        WastVal::S8(value) => Value::S8(*value),
        WastVal::U16(value) => Value::U16(*value),
        WastVal::S16(value) => Value::S16(*value),
        WastVal::U32(value) => Value::U32(*value),
        WastVal::S32(value) => Value::S32(*value),
        WastVal::U64(value) => Value::U64(*value),
        WastVal::S64(value) => Value::S64(*value),
        WastVal::F32(value) => Value::F32(value.bits),
        WastVal::F64(value) => Value::F64(value.bits),
        WastVal::Char(value) => Value::Char(*value),
        WastVal::String(value) => Value::String((*value).to_owned()),
        WastVal::List(values) => Value::List(all(values)),
        WastVal::Record(fields) => Value::Record(
            fields.iter().map(|(name, value)| ((*name).to_owned(), read_value(value))).collect(),
        ),
        WastVal::Tuple(values) => Value::Tuple(all(values)),
        WastVal::Variant(case, payload) => Value::Variant((*case).to_owned(), boxed(payload)),
        WastVal::Enum(case) => Value::Enum((*case).to_owned()),
        WastVal::Option(payload) => Value::Option(boxed(payload)),
        WastVal::Result(result) => Value::Result(match result {
            Ok(payload) => Ok(boxed(payload)),
            Err(payload) => Err(boxed(payload)),
        }),
        WastVal::Flags(flags) => {
            Value::Flags(flags.iter().map(|flag| (*flag).to_owned()).collect())
        }
    }
}
