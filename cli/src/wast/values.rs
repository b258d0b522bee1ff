//! Component values: from a report's bytes, and as text.

use std::fmt::Write;
use wasmelt_abi::script::SLOT_BYTES;
use wasmelt_flatten::interface::{Type, TypeId, Types};
use wasmelt_flatten::script::Value;

/// The value of a type that is passed as one core value.
pub fn lift_slot(types: &Types, ty: TypeId, slot: &[u8; SLOT_BYTES]) -> Option<Value> {
    Some(match &types[ty] {
        Type::Record(fields) => {
            let [(name, ty)] = &fields[..] else { return None };
            Value::Record(vec![(name.clone(), lift_slot(types, *ty, slot)?)])
        }
        Type::Tuple(fields) => {
            let [ty] = &fields[..] else { return None };
            Value::Tuple(vec![lift_slot(types, *ty, slot)?])
        }
        Type::FixedList(ty, 1) => Value::List(vec![lift_slot(types, *ty, slot)?]),
        // Narrow values stand in a core value of 32 bits, whose first bytes they are, and so do
        // the discriminants of variants without payloads.
        _ => Cursor { bytes: slot, big_endian: false }.read(types, ty)?,
    })
}

/// What is left of the bytes of reports.
pub struct Cursor<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Whether numbers are big-endian.
    pub big_endian: bool,
}

impl<'a> Cursor<'a> {
    /// That many bytes.
    pub fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(len)?;
        self.bytes = rest;
        Some(taken)
    }

    /// A number of that many bytes.
    pub fn number(&mut self, bytes: usize) -> Option<u64> {
        let mut word = [0; 8];
        word.get_mut(..bytes)?.copy_from_slice(self.take(bytes)?);
        if self.big_endian {
            word[..bytes].reverse();
        }
        Some(u64::from_le_bytes(word))
    }

    /// A value of a type; `None` if the bytes end or are no such value. Types are limited in depth.
    pub fn read(&mut self, types: &Types, ty: TypeId) -> Option<Value> {
        Some(match &types[ty] {
            Type::Bool => Value::Bool(self.number(1)? != 0),
            Type::S8 => Value::S8(self.number(1)? as i8),
            Type::U8 => Value::U8(self.number(1)? as u8),
            Type::S16 => Value::S16(self.number(2)? as i16),
            Type::U16 => Value::U16(self.number(2)? as u16),
            Type::S32 => Value::S32(self.number(4)? as i32),
            Type::U32 | Type::Own(_) | Type::Borrow(_) => Value::U32(self.number(4)? as u32),
            Type::S64 => Value::S64(self.number(8)? as i64),
            Type::U64 => Value::U64(self.number(8)?),
            Type::F32 => Value::F32(self.number(4)? as u32),
            Type::F64 => Value::F64(self.number(8)?),
            Type::Char => Value::Char(char::from_u32(self.number(4)? as u32)?),
            Type::String => {
                let len = usize::try_from(self.number(8)?).ok()?;
                Value::String(String::from_utf8(self.take(len)?.to_vec()).ok()?)
            }
            Type::List(element) => {
                let len = self.number(8)?;
                Value::List((0..len).map(|_| self.read(types, *element)).collect::<Option<_>>()?)
            }
            Type::FixedList(element, len) => {
                Value::List((0..*len).map(|_| self.read(types, *element)).collect::<Option<_>>()?)
            }
            Type::Map(key, value) => {
                let len = self.number(8)?;
                let mut entry = || {
                    let pair = vec![self.read(types, *key)?, self.read(types, *value)?];
                    Some(Value::Tuple(pair))
                };
                Value::List((0..len).map(|_| entry()).collect::<Option<_>>()?)
            }
            Type::Record(fields) => {
                let mut field =
                    |(name, ty): &(String, TypeId)| Some((name.clone(), self.read(types, *ty)?));
                Value::Record(fields.iter().map(&mut field).collect::<Option<_>>()?)
            }
            Type::Tuple(fields) => {
                Value::Tuple(fields.iter().map(|ty| self.read(types, *ty)).collect::<Option<_>>()?)
            }
            Type::Variant(cases) => {
                let (name, ty) = cases.get(self.discriminant(cases.len())?)?;
                Value::Variant(name.clone(), self.payload(types, *ty)?)
            }
            Type::Enum(cases) => Value::Enum(cases.get(self.discriminant(cases.len())?)?.clone()),
            Type::Option(some) => match self.discriminant(2)? {
                0 => Value::Option(None),
                _ => Value::Option(self.payload(types, Some(*some))?),
            },
            Type::Result { ok, err } => match self.discriminant(2)? {
                0 => Value::Result(Ok(self.payload(types, *ok)?)),
                _ => Value::Result(Err(self.payload(types, *err)?)),
            },
            Type::Flags(labels) => {
                let bits = self.number(match labels.len() {
                    0..=8 => 1,
                    9..=16 => 2,
                    _ => 4,
                })?;
                let set = labels.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1);
                Value::Flags(set.map(|(_, label)| label.clone()).collect())
            }
        })
    }

    fn discriminant(&mut self, cases: usize) -> Option<usize> {
        let number = self.number(match cases {
            0..=0x100 => 1,
            0x101..=0x1_0000 => 2,
            _ => 4,
        })?;
        usize::try_from(number).ok()
    }

    /// The payload of a case: `None` if the bytes end, `Some(None)` if the case has none.
    fn payload(&mut self, types: &Types, ty: Option<TypeId>) -> Option<Option<Box<Value>>> {
        match ty {
            Some(ty) => Some(Some(Box::new(self.read(types, ty)?))),
            None => Some(None),
        }
    }
}

/// Whether a result is what is expected. All NaNs are one value, and flags have no order.
pub fn is_equal(expected: &Value, got: &Value) -> bool {
    let all = |expected: &[Value], got: &[Value]| {
        expected.len() == got.len() && expected.iter().zip(got).all(|(a, b)| is_equal(a, b))
    };
    let payload = |expected: &Option<Box<Value>>, got: &Option<Box<Value>>| match (expected, got) {
        (Some(expected), Some(got)) => is_equal(expected, got),
        (None, None) => true,
        _ => false,
    };
    match (expected, got) {
        (Value::F32(a), Value::F32(b)) => {
            a == b || (f32::from_bits(*a).is_nan() && f32::from_bits(*b).is_nan())
        }
        (Value::F64(a), Value::F64(b)) => {
            a == b || (f64::from_bits(*a).is_nan() && f64::from_bits(*b).is_nan())
        }
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => all(a, b),
        (Value::Record(a), Value::Record(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((a, x), (b, y))| a == b && is_equal(x, y))
        }
        (Value::Variant(a, x), Value::Variant(b, y)) => a == b && payload(x, y),
        (Value::Option(a), Value::Option(b)) => payload(a, b),
        (Value::Result(Ok(a)), Value::Result(Ok(b)))
        | (Value::Result(Err(a)), Value::Result(Err(b))) => payload(a, b),
        (Value::Flags(a), Value::Flags(b)) => {
            a.len() == b.len() && a.iter().all(|flag| b.contains(flag))
        }
        _ => expected == got,
    }
}

/// The value as scripts write it.
pub fn print_value(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value);
    text
}

fn write_value(text: &mut String, value: &Value) {
    let all = |values: &[Value]| values.iter().map(|v| format!(" {}", print_value(v))).collect();
    let payload = |payload: &Option<Box<Value>>| match payload {
        Some(value) => format!(" {}", print_value(value)),
        None => String::new(),
    };
    let (keyword, operands): (&str, String) = match value {
        Value::Bool(value) => ("bool.const", format!(" {value}")),
        Value::U8(value) => ("u8.const", format!(" {value}")),
        Value::S8(value) => ("s8.const", format!(" {value}")),
        Value::U16(value) => ("u16.const", format!(" {value}")),
        Value::S16(value) => ("s16.const", format!(" {value}")),
        Value::U32(value) => ("u32.const", format!(" {value}")),
        Value::S32(value) => ("s32.const", format!(" {value}")),
        Value::U64(value) => ("u64.const", format!(" {value}")),
        Value::S64(value) => ("s64.const", format!(" {value}")),
        Value::F32(bits) => ("f32.const", format!(" {:?}", f32::from_bits(*bits))),
        Value::F64(bits) => ("f64.const", format!(" {:?}", f64::from_bits(*bits))),
        Value::Char(value) => ("char.const", format!(" {:?}", value.to_string())),
        Value::String(value) => ("str.const", format!(" {value:?}")),
        Value::List(values) => ("list.const", all(values)),
        Value::Tuple(values) => ("tuple.const", all(values)),
        Value::Record(fields) => {
            let field = |(name, value): &(String, Value)| {
                format!(" (field {name:?} {})", print_value(value))
            };
            ("record.const", fields.iter().map(field).collect())
        }
        Value::Variant(case, value) => ("variant.const", format!(" {case:?}{}", payload(value))),
        Value::Enum(case) => ("enum.const", format!(" {case:?}")),
        Value::Option(None) => ("option.none", String::new()),
        Value::Option(value) => ("option.some", payload(value)),
        Value::Result(Ok(value)) => ("result.ok", payload(value)),
        Value::Result(Err(value)) => ("result.err", payload(value)),
        Value::Flags(set) => ("flags.const", set.iter().map(|flag| format!(" {flag:?}")).collect()),
    };
    write!(text, "({keyword}{operands})").expect("strings grow");
}
