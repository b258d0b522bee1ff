//! What is drawn at random: types, values, and what a guest does with its freedom.

use crate::guest::{Habit, Misbehaviour};
use crate::types::{Form, Scalar, Text, Ty, Value};

/// SplitMix64: a few lines, and the same numbers everywhere.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than the bound.
    pub fn below(&mut self, bound: u32) -> u32 {
        (((self.next() >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// Whether something happens that happens once in `odds` times.
    pub fn once_in(&mut self, odds: u32) -> bool {
        self.below(odds) == 0
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u32) as usize]
    }
}

pub fn draw_type(random: &mut Random, depth: u32) -> Ty {
    let some = |random: &mut Random| Box::new(draw_type(random, depth - 1));
    match random.below(if depth == 0 { 8 } else { 18 }) {
        0..=3 => Ty::Scalar(random.pick(&Scalar::ALL)),
        4 => Ty::Text,
        5 => Ty::Flags(1 + random.below(32)),
        6 => Ty::Enum(if random.once_in(8) { 250 + random.below(12) } else { 1 + random.below(5) }),
        7 => Ty::Handle { is_own: random.once_in(2) },
        8 | 9 => Ty::List(some(random)),
        10 => Ty::FixedList(some(random), 1 + random.below(3)),
        11 => {
            let key = random.pick(&Scalar::ALL);
            let key = match key {
                Scalar::F32 | Scalar::F64 => Ty::Text,
                key => Ty::Scalar(key),
            };
            Ty::Map(Box::new(Ty::Tuple(vec![key, *some(random)])))
        }
        12 => Ty::Option(some(random)),
        13 => {
            let ok = (!random.once_in(3)).then(|| some(random));
            let err = (!random.once_in(3)).then(|| some(random));
            Ty::Result(ok, err)
        }
        14 => Ty::Variant(draw_cases(random, depth)),
        15 => Ty::Tuple(draw_fields(random, depth)),
        _ => Ty::Record(draw_fields(random, depth)),
    }
}

/// The same type with own handles for borrowed ones, which results cannot have.
pub fn without_borrows(ty: Ty) -> Ty {
    let boxed = |ty: Box<Ty>| Box::new(without_borrows(*ty));
    let all = |types: Vec<Ty>| types.into_iter().map(without_borrows).collect();
    match ty {
        Ty::Handle { .. } => Ty::Handle { is_own: true },
        Ty::List(element) => Ty::List(boxed(element)),
        Ty::FixedList(element, count) => Ty::FixedList(boxed(element), count),
        Ty::Map(entry) => Ty::Map(boxed(entry)),
        Ty::Record(fields) => Ty::Record(all(fields)),
        Ty::Tuple(fields) => Ty::Tuple(all(fields)),
        Ty::Variant(cases) => {
            Ty::Variant(cases.into_iter().map(|case| case.map(without_borrows)).collect())
        }
        Ty::Option(some) => Ty::Option(boxed(some)),
        Ty::Result(ok, err) => Ty::Result(ok.map(boxed), err.map(boxed)),
        Ty::Scalar(_) | Ty::Text | Ty::Enum(_) | Ty::Flags(_) => ty,
    }
}

fn draw_fields(random: &mut Random, depth: u32) -> Vec<Ty> {
    let count = 1 + random.below(4);
    (0..count).map(|_| draw_type(random, depth - 1)).collect()
}

fn draw_cases(random: &mut Random, depth: u32) -> Vec<Option<Ty>> {
    let count = 1 + random.below(4);
    let draw = |random: &mut Random| (!random.once_in(4)).then(|| draw_type(random, depth - 1));
    let mut cases = (0..count).map(|_| draw(random)).collect::<Vec<_>>();
    if random.once_in(10) {
        // More cases than a byte can tell apart, with the payloads at both ends.
        cases.resize(256, None);
        cases.push(draw(random));
    }
    cases
}

/// Elements and strings that a value may have in all.
pub const FUEL: u32 = 30;

pub fn draw_value(random: &mut Random, ty: &Ty) -> Value {
    let mut fuel = FUEL;
    spend(random, ty, &mut fuel)
}

/// A value out of what is left of the fuel.
fn spend(random: &mut Random, ty: &Ty, fuel: &mut u32) -> Value {
    match ty {
        Ty::Scalar(scalar) => Value::Number(draw_number(random, *scalar)),
        Ty::Text => Value::Text(draw_text(random, fuel)),
        Ty::List(element) | Ty::Map(element) => {
            let count = random.below(6).min(*fuel);
            *fuel -= count;
            Value::List((0..count).map(|_| spend(random, element, fuel)).collect())
        }
        Ty::FixedList(element, count) => {
            Value::Fields((0..*count).map(|_| spend(random, element, fuel)).collect())
        }
        Ty::Record(fields) | Ty::Tuple(fields) => {
            Value::Fields(fields.iter().map(|ty| spend(random, ty, fuel)).collect())
        }
        Ty::Variant(cases) => {
            let case = match random.below(3) {
                0 => cases.len() as u32 - 1,
                _ => random.below(cases.len() as u32),
            };
            spend_case(random, case, cases[case as usize].as_ref(), fuel)
        }
        Ty::Enum(count) => Value::Case(random.below(*count), None),
        Ty::Option(some) => match random.below(3) {
            0 => Value::Case(0, None),
            _ => spend_case(random, 1, Some(some), fuel),
        },
        Ty::Result(ok, err) => match random.below(2) {
            0 => spend_case(random, 0, ok.as_deref(), fuel),
            _ => spend_case(random, 1, err.as_deref(), fuel),
        },
        Ty::Flags(count) => Value::Flags((random.next() & ((1 << count) - 1)) as u32),
        Ty::Handle { .. } => Value::Number(random.next() >> 32),
    }
}

fn spend_case(random: &mut Random, case: u32, ty: Option<&Ty>, fuel: &mut u32) -> Value {
    Value::Case(case, ty.map(|ty| Box::new(spend(random, ty, fuel))))
}

/// All NaNs are one value, so only the canonical one is drawn.
fn draw_number(random: &mut Random, scalar: Scalar) -> u64 {
    let bits = match random.below(4) {
        0 => random.pick(&[0, 1, 127, 128, 255, 32767, 32768, 65535, 1 << 31, u64::MAX]),
        _ => random.next(),
    };
    match scalar {
        Scalar::Bool => bits & 1,
        Scalar::Char => u64::from(u32::from(draw_char(random, 3))),
        Scalar::F32 if f32::from_bits(bits as u32).is_nan() => 0x7fc0_0000,
        Scalar::F64 if f64::from_bits(bits).is_nan() => 0x7ff8_0000_0000_0000,
        Scalar::U64 | Scalar::S64 | Scalar::F64 => bits,
        _ => bits & ((1 << (8 * scalar.bytes())) - 1),
    }
}

fn draw_text(random: &mut Random, fuel: &mut u32) -> Text {
    let longest = if random.once_in(6) { 80 } else { 9 };
    let len = if *fuel == 0 { 0 } else { random.below(longest) };
    *fuel = fuel.saturating_sub(1);
    let widest = random.below(4);
    // Characters of the widest kind are rare in most texts: they end the fast ways.
    let rarity = random.pick(&[1, 3, 12]);
    let text = (0..len).map(|_| {
        let kind = if random.once_in(rarity) { widest } else { random.below(2).min(widest) };
        draw_char(random, kind)
    });
    Text { text: text.collect(), form: Form::Utf8, units: 0 }
}

/// A character of ASCII, of Latin-1, of the first plane, or of the others.
fn draw_char(random: &mut Random, kind: u32) -> char {
    let drawn = match kind {
        0 => random.below(0x80),
        1 => 0x80 + random.below(0x80),
        2 => {
            let any = 0x100 + random.below(9999);
            random.pick(&[0x100, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, any])
        }
        _ => {
            let any = 0x10000 + random.below(0x10_0000);
            random.pick(&[0x10000, 0x10_ffff, any])
        }
    };
    char::from_u32(drawn).expect("these are scalar values")
}

pub fn draw_habit(random: &mut Random) -> Habit {
    let misbehaviour = random.pick(&[Misbehaviour::Misaligned, Misbehaviour::Far]);
    Habit {
        skip: random.below(3),
        in_place: random.once_in(2),
        grows: random.once_in(20),
        fault: random.once_in(8).then(|| (1 + random.below(3), misbehaviour)),
    }
}

/// What a guest makes of what the canonical ABI leaves to it, and at most one mistake.
#[derive(Clone, Debug)]
pub struct Mischief {
    pub random: Random,
    /// How many opportunities for a mistake pass before it is made.
    pub mistake_in: Option<u32>,
    /// Where the guest's memory ends once it has grown. A wrong pointer is never between the two
    /// ends: what an adapter would read there has no bound.
    pub memory_end: u64,
    pub far_pointer: u64,
    /// Lengths that no string or list has.
    pub too_long: &'static [u64],
}

impl Mischief {
    pub fn flip(&mut self) -> bool {
        self.random.once_in(2)
    }

    /// Bits that nobody looks at: zero as from a compiler, or anything.
    pub fn noise(&mut self) -> u64 {
        if self.flip() { 0 } else { self.random.next() }
    }

    fn errs(&mut self) -> bool {
        let errs = self.mistake_in == Some(0);
        self.mistake_in = self.mistake_in.and_then(|left| left.checked_sub(1));
        errs
    }

    pub fn disturb_scalar(&mut self, scalar: Scalar, bits: u64) -> u64 {
        match scalar {
            Scalar::Char if self.errs() => {
                self.random.pick(&[0xd800, 0xdbff, 0xdfff, 0x11_0000, 0x11_d800, 0xffff_ffff])
            }
            Scalar::Bool if bits != 0 => u64::from(self.noise() as u32 | 1),
            _ if scalar.bytes() < 4 => {
                u64::from(self.disturb_above(bits as u32, 8 * scalar.bytes()))
            }
            _ => bits,
        }
    }

    pub fn disturb_above(&mut self, value: u32, bits: u32) -> u32 {
        value | ((self.noise() << bits) as u32)
    }

    pub fn disturb_discriminant(&mut self, case: u32, cases: u32, bits: u32) -> u32 {
        if !self.errs() {
            return case;
        }
        let wrong = cases + self.random.pick(&[0, 1, 100]);
        if u64::from(wrong) < 1 << bits { wrong } else { case }
    }

    pub fn disturb_text(&mut self, bytes: &mut Vec<u8>, form: Form) {
        if form == Form::Latin1 || !self.errs() {
            return;
        }
        let units = if form == Form::Utf8 { bytes.len() } else { bytes.len() / 2 };
        let at = self.random.below(units as u32 + 1) as usize;
        if form == Form::Utf8 {
            const WRONG: [&[u8]; 7] = [
                &[0x80],
                &[0xc0, 0x80],
                &[0xed, 0xa0, 0x80],
                &[0xe0, 0x9f, 0xbf],
                &[0xf4, 0x90, 0x80, 0x80],
                &[0xe2, 0x82],
                &[0xff],
            ];
            bytes.splice(at..at, self.random.pick(&WRONG).iter().copied());
        } else {
            let lone = self.random.pick(&[0xd800u16, 0xdbff, 0xdc00, 0xdfff]);
            bytes.splice(2 * at..2 * at, lone.to_le_bytes());
        }
    }

    /// Whether a guest passes the handle that it made last once more: to lend it again is its right.
    pub fn passes_again(&mut self, is_own: bool) -> bool {
        // Types with several handles are rare, so this mistake comes in addition to others.
        if is_own { self.mistake_in.is_none() && self.random.once_in(10) } else { self.flip() }
    }

    /// An index of a handle that the guest has just made.
    pub fn disturb_handle(&mut self, index: u32) -> u32 {
        if self.errs() { self.random.pick(&[0, 1, 77_777, u32::MAX]) } else { index }
    }

    /// What a guest gives back of what is lent to it.
    pub fn forget_last(&mut self, mut indices: Vec<u32>) -> Vec<u32> {
        if !indices.is_empty() && self.errs() {
            indices.pop();
        }
        indices
    }

    /// A pointer and a length, the length in elements or code units.
    pub fn disturb_content(&mut self, pointer: u32, len: u32, align: u32) -> (u64, u64) {
        let (pointer, len) = (u64::from(pointer), u64::from(len));
        if !self.errs() {
            return (pointer, len);
        }
        match self.random.below(5) {
            0 => (pointer + 1, len),
            1 => (self.far_pointer, len),
            2 => (self.memory_end, len),
            3 => (self.memory_end + u64::from(align), 0),
            _ => (pointer, self.random.pick(self.too_long)),
        }
    }
}
