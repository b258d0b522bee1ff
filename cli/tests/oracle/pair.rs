//! One case: a caller and a callee around a drawn function type, and what the reference says
//! will become of a call.

use crate::draw::{Mischief, Random, draw_habit, draw_type, draw_value};
use crate::guest::{CALLS_MAX, Encoding, Guest, HEAP_AT, MEMORY_BYTES, Result};
use crate::lift::{lift_flat, load};
use crate::lower::Lowering;
use crate::types::{Core, Ty, Value};
use wasmelt_abi::trap::Trap;

const FLAT_PARAMS_MAX: usize = 16;
const FLAT_RESULTS_MAX: usize = 1;
/// What the parameters and the result may have together, without what lists and strings hold.
pub const TYPE_BYTES_MAX: u32 = 1500;

/// A case before the call, and the prediction.
#[derive(Debug)]
pub struct Pair {
    pub params: Vec<Ty>,
    pub result: Option<Ty>,
    pub has_post_return: bool,
    pub caller: Guest,
    pub callee: Guest,
    /// What the caller's core module passes: flat parameters, then the pointer for the result.
    pub passed: Vec<u64>,
    /// What the callee's core function returns.
    pub returned: Vec<u64>,
    pub expected: Expected,
}

#[derive(Debug)]
pub enum Expected {
    /// A trap; `any` if two mistakes are met at once, whose order is not observable otherwise.
    Trap { trap: Trap, any: bool },
    /// Both sides after the call.
    Done(Box<Done>),
}

#[derive(Debug)]
pub struct Done {
    pub caller: Guest,
    pub callee: Guest,
    /// The flat values that the callee was given, and those that the caller was given back.
    pub received: Vec<u64>,
    pub given_back: Vec<u64>,
    /// What both sides must mean.
    pub argument: Value,
    pub result: Option<Value>,
}

impl Pair {
    /// The parameters as one type, which is how they are passed if they are too many.
    pub fn params_type(&self) -> Ty {
        Ty::Tuple(self.params.clone())
    }

    pub fn core_params(&self) -> Vec<Core> {
        pass_as(&self.params_type(), FLAT_PARAMS_MAX)
    }

    pub fn core_results(&self) -> Vec<Core> {
        self.result.as_ref().map(|ty| pass_as(ty, FLAT_RESULTS_MAX)).unwrap_or_default()
    }

    pub fn has_result_pointer(&self) -> bool {
        self.result.as_ref().is_some_and(|ty| ty.flat().len() > FLAT_RESULTS_MAX)
    }
}

fn pass_as(ty: &Ty, flat_max: usize) -> Vec<Core> {
    let flat = ty.flat();
    if flat.len() > flat_max { vec![Core::I32] } else { flat }
}

/// Draws a case. The same seed gives the same case.
pub fn draw_pair(seed: u64) -> Pair {
    let mut random = Random(seed);
    loop {
        if let Some(pair) = try_pair(&mut random) {
            return pair;
        }
    }
}

/// `None` if the case is too large to be noted.
fn try_pair(random: &mut Random) -> Option<Pair> {
    let count = if random.once_in(12) { 9 } else { random.below(4) };
    let params = (0..count).map(|_| draw_type(random, 3)).collect::<Vec<_>>();
    let result = (!random.once_in(5)).then(|| draw_type(random, 3));
    let params_type = Ty::Tuple(params.clone());
    let sizes = [Some(&params_type), result.as_ref()].into_iter().flatten().map(Ty::size);
    if sizes.sum::<u32>() > TYPE_BYTES_MAX {
        return None;
    }
    let mut caller = draw_guest(random);
    let mut callee = draw_guest(random);
    let mut caller_mischief = draw_mischief(random, &caller);
    let mut callee_mischief = draw_mischief(random, &callee);

    let argument = draw_value(random, &params_type);
    let mut passed =
        prepare(&mut caller, &mut caller_mischief, &params_type, &argument, FLAT_PARAMS_MAX);
    let mut returned = Vec::new();
    if let Some(ty) = &result {
        let value = draw_value(random, ty);
        returned = prepare(&mut callee, &mut callee_mischief, ty, &value, FLAT_RESULTS_MAX);
        if ty.flat().len() > FLAT_RESULTS_MAX {
            let pointer = caller.place(ty.size(), ty.align());
            let (pointer, _) = caller_mischief.disturb_content(pointer, 0, ty.align());
            caller.writable.push((pointer, ty.size()));
            passed.push(u64::from(pointer));
        }
    }
    let has_post_return = random.once_in(2);
    let expected = Expected::Trap { trap: Trap::Internal, any: false };
    let mut pair =
        Pair { params, result, has_post_return, caller, callee, passed, returned, expected };
    pair.expected = predict(&pair);
    match &pair.expected {
        Expected::Done(done) if done.is_too_large() => None,
        _ => Some(pair),
    }
}

impl Done {
    fn is_too_large(&self) -> bool {
        [&self.caller, &self.callee].iter().any(|guest| guest.calls.len() > CALLS_MAX)
    }
}

fn draw_guest(random: &mut Random) -> Guest {
    let encoding = random.pick(&[Encoding::Utf8, Encoding::Utf16, Encoding::Latin1Utf16]);
    let habit = draw_habit(random);
    Guest::new(encoding, habit, HEAP_AT + random.below(64))
}

fn draw_mischief(random: &mut Random, guest: &Guest) -> Mischief {
    let mistake_in = random.once_in(5).then(|| random.below(6));
    let memory_end = guest.memory_end();
    Mischief { random: Random(random.next()), mistake_in, memory_end }
}

/// What a guest passes: flat values, or a pointer to where it has stored them.
fn prepare(
    guest: &mut Guest,
    mischief: &mut Mischief,
    ty: &Ty,
    value: &Value,
    flat_max: usize,
) -> Vec<u64> {
    let fits = ty.flat().len() <= flat_max;
    let pointer = if fits { 0 } else { guest.place(ty.size(), ty.align()) };
    let mut flat = Vec::new();
    let mut lowering = Lowering { guest, mischief: Some(mischief) };
    let stored = match fits {
        true => lowering.lower_flat(ty, value, &mut flat),
        false => lowering.store(ty, value, pointer),
    };
    stored.expect("a guest's own data need no realloc");
    if !fits {
        let (pointer, _) = mischief.disturb_content(pointer, 0, ty.align());
        flat.push(u64::from(pointer));
    }
    flat
}

/// Follows the call step by step (`CanonicalABI.md`, `canon lift` and `canon lower`).
fn predict(pair: &Pair) -> Expected {
    let (mut caller, mut callee) = (pair.caller.clone(), pair.callee.clone());
    let params_type = pair.params_type();
    let argument = match lift(&caller, &params_type, &pair.passed, FLAT_PARAMS_MAX) {
        Ok(argument) => argument,
        // An adapter may meet the callee's mistakes while it still reads the caller's values.
        Err(trap) => return Expected::Trap { trap, any: callee.habit.fault.is_some() },
    };
    let strict = |trap| Expected::Trap { trap, any: false };
    let received = match lower_params(&mut callee, &params_type, &argument) {
        Ok(received) => received,
        Err(trap) => return strict(trap),
    };
    let (mut result, mut given_back) = (None, Vec::new());
    if let Some(ty) = &pair.result {
        let value = match lift(&callee, ty, &pair.returned, FLAT_RESULTS_MAX) {
            Ok(value) => value,
            Err(trap) => {
                let pointer = pair.passed.last().map_or(0, |&pointer| pointer as u32);
                let any = caller.habit.fault.is_some()
                    || (pair.has_result_pointer()
                        && caller.check(pointer, ty.size(), ty.align()).is_err());
                return Expected::Trap { trap, any };
            }
        };
        match lower_result(&mut caller, ty, &value, &pair.passed) {
            Ok(flat) => given_back = flat,
            Err(trap) => return strict(trap),
        }
        result = Some(value);
    }
    let done = Done { caller, callee, received, given_back, argument, result };
    Expected::Done(Box::new(done))
}

pub fn lift(guest: &Guest, ty: &Ty, mut flat: &[u64], flat_max: usize) -> Result<Value> {
    if ty.flat().len() <= flat_max {
        return lift_flat(guest, ty, &mut flat);
    }
    let pointer = flat[0] as u32;
    guest.check(pointer, ty.size(), ty.align())?;
    load(guest, ty, pointer)
}

/// What the callee means by the parameters that it got.
pub fn lift_params(guest: &Guest, ty: &Ty, flat: &[u64]) -> Result<Value> {
    lift(guest, ty, flat, FLAT_PARAMS_MAX)
}

fn lower_params(callee: &mut Guest, ty: &Ty, value: &Value) -> Result<Vec<u64>> {
    let mut flat = Vec::new();
    let fits = ty.flat().len() <= FLAT_PARAMS_MAX;
    let pointer = if fits { 0 } else { callee.realloc(0, 0, ty.align(), ty.size())? };
    let mut lowering = Lowering { guest: callee, mischief: None };
    if fits {
        lowering.lower_flat(ty, value, &mut flat)?;
    } else {
        lowering.store(ty, value, pointer)?;
        flat.push(u64::from(pointer));
    }
    Ok(flat)
}

fn lower_result(caller: &mut Guest, ty: &Ty, value: &Value, passed: &[u64]) -> Result<Vec<u64>> {
    let mut flat = Vec::new();
    if ty.flat().len() <= FLAT_RESULTS_MAX {
        Lowering { guest: caller, mischief: None }.lower_flat(ty, value, &mut flat)?;
        return Ok(flat);
    }
    let pointer = passed.last().map_or(0, |&pointer| pointer as u32);
    caller.check(pointer, ty.size(), ty.align())?;
    Lowering { guest: caller, mischief: None }.store(ty, value, pointer)?;
    Ok(flat)
}

/// How much of a guest's memory is looked at.
pub fn dump_bytes(before: &Guest, after: Option<&Guest>) -> u32 {
    let end = after.unwrap_or(before).next + 64;
    let memory = after.map_or(MEMORY_BYTES, |after| after.memory.len() as u32);
    end.min(memory)
}
