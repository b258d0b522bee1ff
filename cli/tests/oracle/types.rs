//! Interface types and plain values, with their sizes and flat types (`CanonicalABI.md`,
//! "Alignment", "Element Size", "Flattening").

use std::fmt::Write;

/// A value type.
#[derive(Clone, Debug, PartialEq)]
pub enum Ty {
    Scalar(Scalar),
    Text,
    List(Box<Ty>),
    FixedList(Box<Ty>, u32),
    /// The type of an entry, a tuple of two.
    Map(Box<Ty>),
    Record(Vec<Ty>),
    Tuple(Vec<Ty>),
    Variant(Vec<Option<Ty>>),
    Enum(u32),
    Option(Box<Ty>),
    Result(Option<Box<Ty>>, Option<Box<Ty>>),
    Flags(u32),
    /// A handle to the one resource type that there is.
    Handle {
        is_own: bool,
    },
}

/// The types that are one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    Bool,
    U8,
    S8,
    U16,
    S16,
    U32,
    S32,
    U64,
    S64,
    F32,
    F64,
    Char,
}

impl Scalar {
    pub const ALL: [Scalar; 12] = [
        Scalar::Bool,
        Scalar::U8,
        Scalar::S8,
        Scalar::U16,
        Scalar::S16,
        Scalar::U32,
        Scalar::S32,
        Scalar::U64,
        Scalar::S64,
        Scalar::F32,
        Scalar::F64,
        Scalar::Char,
    ];

    pub fn bytes(self) -> u32 {
        match self {
            Scalar::Bool | Scalar::U8 | Scalar::S8 => 1,
            Scalar::U16 | Scalar::S16 => 2,
            Scalar::U32 | Scalar::S32 | Scalar::F32 | Scalar::Char => 4,
            Scalar::U64 | Scalar::S64 | Scalar::F64 => 8,
        }
    }

    fn core(self) -> Core {
        match self {
            Scalar::F32 => Core::F32,
            Scalar::F64 => Core::F64,
            Scalar::U64 | Scalar::S64 => Core::I64,
            _ => Core::I32,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Core {
    I32,
    I64,
    F32,
    F64,
}

impl Core {
    pub fn name(self) -> &'static str {
        match self {
            Core::I32 => "i32",
            Core::I64 => "i64",
            Core::F32 => "f32",
            Core::F64 => "f64",
        }
    }

    /// The type of a flat slot that holds either.
    fn join(self, other: Core) -> Core {
        match (self, other) {
            (a, b) if a == b => a,
            (Core::I32, Core::F32) | (Core::F32, Core::I32) => Core::I32,
            _ => Core::I64,
        }
    }
}

/// How wide a guest's addresses and lengths are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pointers {
    Narrow,
    Wide,
}

impl Pointers {
    pub fn bytes(self) -> u32 {
        if self == Pointers::Wide { 8 } else { 4 }
    }

    pub fn core(self) -> Core {
        if self == Pointers::Wide { Core::I64 } else { Core::I32 }
    }

    /// Its value in a flat slot that may be wider.
    pub fn cut(self, bits: u64) -> u64 {
        if self == Pointers::Wide { bits } else { u64::from(bits as u32) }
    }
}

/// What a type is once it is no longer called by a special name.
pub enum Shape<'a> {
    Scalar(Scalar),
    Text,
    List(&'a Ty),
    Fields(Vec<&'a Ty>),
    Cases(Vec<Option<&'a Ty>>),
    Flags(u32),
    Handle { is_own: bool },
}

impl Ty {
    pub fn shape(&self) -> Shape<'_> {
        match self {
            Ty::Scalar(scalar) => Shape::Scalar(*scalar),
            Ty::Text => Shape::Text,
            Ty::List(element) | Ty::Map(element) => Shape::List(element),
            Ty::FixedList(element, count) => Shape::Fields(vec![element; *count as usize]),
            Ty::Record(fields) | Ty::Tuple(fields) => Shape::Fields(fields.iter().collect()),
            Ty::Variant(cases) => Shape::Cases(cases.iter().map(Option::as_ref).collect()),
            Ty::Enum(count) => Shape::Cases(vec![None; *count as usize]),
            Ty::Option(some) => Shape::Cases(vec![None, Some(some)]),
            Ty::Result(ok, err) => Shape::Cases(vec![ok.as_deref(), err.as_deref()]),
            Ty::Flags(count) => Shape::Flags(*count),
            Ty::Handle { is_own } => Shape::Handle { is_own: *is_own },
        }
    }

    pub fn size(&self, pointers: Pointers) -> u32 {
        match self.shape() {
            Shape::Scalar(scalar) => scalar.bytes(),
            Shape::Text | Shape::List(_) => 2 * pointers.bytes(),
            Shape::Fields(fields) => {
                let place = |at, ty: &Ty| align_to(at, ty.align(pointers)) + ty.size(pointers);
                let end = fields.into_iter().fold(0, place);
                align_to(end, self.align(pointers))
            }
            Shape::Cases(cases) => {
                let payload = cases.iter().flatten().map(|ty| ty.size(pointers)).max().unwrap_or(0);
                align_to(payload_offset(&cases, pointers) + payload, self.align(pointers))
            }
            Shape::Flags(count) => flags_bytes(count),
            Shape::Handle { .. } => 4,
        }
    }

    pub fn align(&self, pointers: Pointers) -> u32 {
        match self.shape() {
            Shape::Scalar(scalar) => scalar.bytes(),
            Shape::Text | Shape::List(_) => pointers.bytes(),
            Shape::Fields(fields) => fields.iter().map(|ty| ty.align(pointers)).max().unwrap_or(1),
            Shape::Cases(cases) => {
                discriminant_bytes(cases.len()).max(payload_align(&cases, pointers))
            }
            Shape::Flags(count) => flags_bytes(count),
            Shape::Handle { .. } => 4,
        }
    }

    pub fn flat(&self, pointers: Pointers) -> Vec<Core> {
        match self.shape() {
            Shape::Scalar(scalar) => vec![scalar.core()],
            Shape::Text | Shape::List(_) => vec![pointers.core(); 2],
            Shape::Fields(fields) => fields.iter().flat_map(|ty| ty.flat(pointers)).collect(),
            Shape::Flags(_) | Shape::Handle { .. } => vec![Core::I32],
            Shape::Cases(cases) => {
                let mut joined = Vec::<Core>::new();
                for ty in cases.into_iter().flatten() {
                    for (at, core) in ty.flat(pointers).into_iter().enumerate() {
                        match joined.get_mut(at) {
                            Some(known) => *known = known.join(core),
                            None => joined.push(core),
                        }
                    }
                }
                [vec![Core::I32], joined].concat()
            }
        }
    }
}

pub fn align_to(offset: u32, align: u32) -> u32 {
    offset.next_multiple_of(align)
}

pub fn discriminant_bytes(cases: usize) -> u32 {
    match cases {
        0..=256 => 1,
        257..=65536 => 2,
        _ => 4,
    }
}

fn payload_align(cases: &[Option<&Ty>], pointers: Pointers) -> u32 {
    cases.iter().flatten().map(|ty| ty.align(pointers)).max().unwrap_or(1)
}

pub fn payload_offset(cases: &[Option<&Ty>], pointers: Pointers) -> u32 {
    align_to(discriminant_bytes(cases.len()), payload_align(cases, pointers))
}

pub fn flags_bytes(count: u32) -> u32 {
    match count {
        0..=8 => 1,
        9..=16 => 2,
        _ => 4,
    }
}

/// A value, as both sides mean it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The value's bits: signed integers are extended to 64 bits; a handle is what it stands for.
    Number(u64),
    Text(Text),
    List(Vec<Value>),
    Fields(Vec<Value>),
    Case(u32, Option<Box<Value>>),
    Flags(u32),
}

/// A string, and how its bytes came: what `realloc` sees depends on that, what the string means
/// does not.
#[derive(Clone, Debug)]
pub struct Text {
    pub text: String,
    pub form: Form,
    /// Code units of the source.
    pub units: u32,
}

impl PartialEq for Text {
    fn eq(&self, other: &Text) -> bool {
        self.text == other.text
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    Utf8,
    Utf16,
    /// latin1+utf16 without the tag, and with it.
    Latin1,
    Tagged,
}

/// The types of a signature in text form: those that need names by the names that they get.
#[derive(Default)]
pub struct Names {
    /// Definitions of the named types, in an order in which each comes after what it uses.
    pub definitions: Vec<String>,
}

impl Names {
    pub fn name(&mut self, ty: &Ty) -> String {
        match ty {
            Ty::Scalar(scalar) => format!("{scalar:?}").to_lowercase(),
            Ty::Text => "string".to_owned(),
            Ty::Handle { is_own: true } => "(own $r)".to_owned(),
            Ty::Handle { is_own: false } => "(borrow $r)".to_owned(),
            Ty::List(element) => format!("(list {})", self.name(element)),
            Ty::FixedList(element, count) => format!("(list {} {count})", self.name(element)),
            Ty::Map(entry) => {
                let Ty::Tuple(pair) = &**entry else { panic!("an entry is a pair") };
                format!("(map {} {})", self.name(&pair[0]), self.name(&pair[1]))
            }
            Ty::Tuple(fields) => {
                let fields = fields.iter().map(|ty| self.name(ty)).collect::<Vec<_>>();
                format!("(tuple {})", fields.join(" "))
            }
            Ty::Option(some) => format!("(option {})", self.name(some)),
            Ty::Result(ok, err) => {
                let ok = ok.as_ref().map(|ty| format!(" {}", self.name(ty)));
                let err = err.as_ref().map(|ty| format!(" (error {})", self.name(ty)));
                format!("(result{}{})", ok.unwrap_or_default(), err.unwrap_or_default())
            }
            Ty::Record(_) | Ty::Variant(_) | Ty::Enum(_) | Ty::Flags(_) => self.define(ty),
        }
    }

    fn define(&mut self, ty: &Ty) -> String {
        let mut text = String::new();
        match ty {
            Ty::Record(fields) => {
                text.push_str("(record");
                for (index, ty) in fields.iter().enumerate() {
                    let ty = self.name(ty);
                    write!(text, " (field \"f{index}\" {ty})").expect("strings grow");
                }
            }
            Ty::Variant(cases) => {
                text.push_str("(variant");
                for (index, ty) in cases.iter().enumerate() {
                    let ty = ty.as_ref().map(|ty| self.name(ty)).unwrap_or_default();
                    write!(text, " (case \"c{index}\" {ty})").expect("strings grow");
                }
            }
            Ty::Enum(count) | Ty::Flags(count) => {
                text.push_str(if matches!(ty, Ty::Enum(_)) { "(enum" } else { "(flags" });
                for index in 0..*count {
                    write!(text, " \"l{index}\"").expect("strings grow");
                }
            }
            _ => unreachable!("only these types need names"),
        }
        self.definitions.push(text + ")");
        format!("$t{}", self.definitions.len() - 1)
    }
}
