//! One case: a caller and a callee around a drawn function type, and what the reference says
//! will become of a call.

use crate::draw::{Mischief, Random, draw_habit, draw_type, draw_value, without_borrows};
use crate::guest::{CALLS_MAX, Encoding, Guest, HEAP_AT, MEMORY_BYTES, REPS_MAX, Result};
use crate::handles::{Owner, Table, handles_of, has_handles};
use crate::lift::{lift_flat, load};
use crate::lower::Lowering;
use crate::types::{Core, Pointers, Ty, Value};
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
    /// Who defines the resource type, if there are handles.
    pub owner: Option<Owner>,
    /// Indices of the handles that the callee drops before it returns.
    pub drops: Vec<u32>,
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
    /// The handles that each of them was given, and the callee's when it was given them.
    pub received_handles: Vec<u32>,
    pub handles_given_back: Vec<u32>,
    pub receiving_table: Table,
    /// What both sides must mean.
    pub argument: Value,
    pub result: Option<Value>,
}

impl Pair {
    /// The parameters as one type, which is how they are passed if they are too many.
    pub fn params_type(&self) -> Ty {
        Ty::Tuple(self.params.clone())
    }

    /// The core parameters on a side, without the caller's pointer for the result.
    pub fn core_params(&self, pointers: Pointers) -> Vec<Core> {
        pass_as(&self.params_type(), FLAT_PARAMS_MAX, pointers)
    }

    pub fn core_results(&self, pointers: Pointers) -> Vec<Core> {
        let pass = |ty| pass_as(ty, FLAT_RESULTS_MAX, pointers);
        self.result.as_ref().map(pass).unwrap_or_default()
    }

    pub fn has_result_pointer(&self) -> bool {
        self.result.as_ref().is_some_and(|ty| !fits(ty, FLAT_RESULTS_MAX))
    }
}

/// Whether a value is passed flat, which does not depend on the pointers.
fn fits(ty: &Ty, flat_max: usize) -> bool {
    ty.flat(Pointers::Narrow).len() <= flat_max
}

fn pass_as(ty: &Ty, flat_max: usize, pointers: Pointers) -> Vec<Core> {
    if fits(ty, flat_max) { ty.flat(pointers) } else { vec![pointers.core()] }
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
    let result = (!random.once_in(5)).then(|| without_borrows(draw_type(random, 3)));
    let params_type = Ty::Tuple(params.clone());
    let types = || [Some(&params_type), result.as_ref()].into_iter().flatten();
    if types().map(|ty| ty.size(Pointers::Wide)).sum::<u32>() > TYPE_BYTES_MAX {
        return None;
    }
    let owner = types().any(has_handles).then(|| random.pick(&[Owner::Third, Owner::Callee]));
    let mut caller = draw_guest(random);
    let mut callee = draw_guest(random);
    callee.is_owner = owner == Some(Owner::Callee);
    let mut caller_mischief = draw_mischief(random, &caller);
    let mut callee_mischief = draw_mischief(random, &callee);

    let argument = draw_value(random, &params_type);
    let mut passed =
        prepare(&mut caller, &mut caller_mischief, &params_type, &argument, FLAT_PARAMS_MAX);
    let before = table_before(&callee, &caller);
    let drops = receive_handles(&mut callee, before.clone(), &params_type, &argument);
    let mut returned = Vec::new();
    if let Some(ty) = &result {
        let value = draw_value(random, ty);
        returned = prepare(&mut callee, &mut callee_mischief, ty, &value, FLAT_RESULTS_MAX);
        if !fits(ty, FLAT_RESULTS_MAX) {
            let (size, align) = (ty.size(caller.pointers), ty.align(caller.pointers));
            let place = caller.place(size, align);
            let (pointer, _) = caller_mischief.disturb_content(place, 0, align);
            caller.writable.push((pointer as u32, size));
            passed.push(pointer);
        }
    }
    callee.table = before;
    let drops = callee_mischief.forget_last(drops);
    let has_post_return = random.once_in(2);
    let expected = Expected::Trap { trap: Trap::Internal, any: false };
    let mut pair = Pair {
        params,
        result,
        has_post_return,
        owner,
        drops,
        caller,
        callee,
        passed,
        returned,
        expected,
    };
    pair.expected = predict(&pair);
    match &pair.expected {
        Expected::Done(done) if done.is_too_large() => None,
        _ => Some(pair),
    }
}

impl Done {
    fn is_too_large(&self) -> bool {
        let is_too_large =
            |guest: &Guest| guest.calls.len() > CALLS_MAX || guest.table.log.len() > REPS_MAX;
        is_too_large(&self.caller) || is_too_large(&self.callee)
    }
}

/// The callee's handles when it is called. If it defines the resource type, then it has made those
/// that the caller has, and given them away.
fn table_before(callee: &Guest, caller: &Guest) -> Table {
    let mut table = callee.table.clone();
    if callee.is_owner {
        for rep in &caller.makes {
            let index = table.add(*rep, true);
            table.remove(index);
        }
    }
    table
}

/// The callee takes the handles of the argument, which no mistake concerns if it gets that far, and
/// drops those that are lent to it; their indices.
fn receive_handles(callee: &mut Guest, before: Table, ty: &Ty, argument: &Value) -> Vec<u32> {
    callee.table = before;
    let mut lent = Vec::new();
    for (rep, is_own) in handles_of(ty, argument) {
        if is_own || !callee.is_owner {
            let index = callee.table.add(rep, is_own);
            lent.extend((!is_own).then_some(index));
        }
    }
    lent.iter().for_each(|index| callee.table.remove(*index));
    lent
}

fn draw_guest(random: &mut Random) -> Guest {
    let encoding = random.pick(&[Encoding::Utf8, Encoding::Utf16, Encoding::Latin1Utf16]);
    let pointers = random.pick(&[Pointers::Narrow, Pointers::Narrow, Pointers::Wide]);
    let habit = draw_habit(random);
    Guest::new(pointers, encoding, habit, HEAP_AT + random.below(64))
}

fn draw_mischief(random: &mut Random, guest: &Guest) -> Mischief {
    let mistake_in = random.once_in(5).then(|| random.below(6));
    Mischief {
        random: Random(random.next()),
        mistake_in,
        memory_end: guest.memory_end().into(),
        far_pointer: guest.far_pointer(),
        too_long: match guest.pointers {
            Pointers::Narrow => &[0x7fff_ffff],
            // With sizes of 4 and 8 some of these are nothing in 64 bits.
            Pointers::Wide => &[0x7fff_ffff, 1 << 32, 1 << 61, 1 << 62, (1 << 63) - 1],
        },
    }
}

/// What a guest passes: flat values, or a pointer to where it has stored them.
fn prepare(
    guest: &mut Guest,
    mischief: &mut Mischief,
    ty: &Ty,
    value: &Value,
    flat_max: usize,
) -> Vec<u64> {
    let (size, align) = (ty.size(guest.pointers), ty.align(guest.pointers));
    let is_flat = fits(ty, flat_max);
    let pointer = if is_flat { 0 } else { guest.place(size, align) };
    let mut flat = Vec::new();
    let mut lowering = Lowering { guest, mischief: Some(mischief) };
    let stored = match is_flat {
        true => lowering.lower_flat(ty, value, &mut flat),
        false => lowering.store(ty, value, pointer),
    };
    stored.expect("a guest's own data need no realloc");
    if !is_flat {
        let (pointer, _) = mischief.disturb_content(pointer, 0, align);
        flat.push(pointer);
    }
    flat
}

/// Follows the call step by step (`CanonicalABI.md`, `canon lift` and `canon lower`).
fn predict(pair: &Pair) -> Expected {
    let (mut caller, mut callee) = (pair.caller.clone(), pair.callee.clone());
    let params_type = pair.params_type();
    let argument = match lift(&mut caller, &params_type, &pair.passed, FLAT_PARAMS_MAX) {
        Ok(argument) => argument,
        // An adapter may meet the callee's mistakes while it still reads the caller's values.
        Err(trap) => return Expected::Trap { trap, any: callee.habit.fault.is_some() },
    };
    let strict = |trap| Expected::Trap { trap, any: false };
    let known = callee.table.log.len();
    let received = match lower_params(&mut callee, &params_type, &argument) {
        Ok(received) => received,
        Err(trap) => return strict(trap),
    };
    let receiving_table = callee.table.clone();
    let received_handles = receiving_table.log[known..].to_vec();
    let lent = handles_of(&params_type, &argument).iter().filter(|(_, is_own)| !is_own).count();
    pair.drops.iter().for_each(|index| callee.table.remove(*index));
    for rep in &pair.callee.makes {
        callee.table.add(*rep, true);
    }
    if !callee.is_owner && lent > pair.drops.len() {
        return Expected::Trap { trap: Trap::BorrowsLeft, any: true };
    }
    let (mut result, mut given_back) = (None, Vec::new());
    let known = caller.table.log.len();
    if let Some(ty) = &pair.result {
        let value = match lift(&mut callee, ty, &pair.returned, FLAT_RESULTS_MAX) {
            Ok(value) => value,
            Err(trap) => {
                let pointer = pair.passed.last().copied().unwrap_or(0);
                let any = caller.habit.fault.is_some()
                    || (pair.has_result_pointer() && check_place(&caller, ty, pointer).is_err());
                return Expected::Trap { trap, any };
            }
        };
        match lower_result(&mut caller, ty, &value, &pair.passed) {
            Ok(flat) => given_back = flat,
            Err(trap) => return strict(trap),
        }
        result = Some(value);
    }
    caller.table.take_back();
    let handles_given_back = caller.table.log[known..].to_vec();
    let done = Done {
        caller,
        callee,
        received,
        given_back,
        received_handles,
        handles_given_back,
        receiving_table,
        argument,
        result,
    };
    Expected::Done(Box::new(done))
}

pub fn lift(guest: &mut Guest, ty: &Ty, mut flat: &[u64], flat_max: usize) -> Result<Value> {
    if fits(ty, flat_max) {
        return lift_flat(guest, ty, &mut flat);
    }
    check_place(guest, ty, flat[0])?;
    load(guest, ty, flat[0] as u32)
}

fn check_place(guest: &Guest, ty: &Ty, pointer: u64) -> Result<()> {
    guest.check(pointer, ty.size(guest.pointers).into(), ty.align(guest.pointers))
}

/// What the callee means by the parameters that it got.
pub fn lift_params(guest: &mut Guest, ty: &Ty, flat: &[u64]) -> Result<Value> {
    lift(guest, ty, flat, FLAT_PARAMS_MAX)
}

fn lower_params(callee: &mut Guest, ty: &Ty, value: &Value) -> Result<Vec<u64>> {
    let mut flat = Vec::new();
    let (size, align) = (ty.size(callee.pointers), ty.align(callee.pointers));
    if fits(ty, FLAT_PARAMS_MAX) {
        Lowering { guest: callee, mischief: None }.lower_flat(ty, value, &mut flat)?;
    } else {
        let pointer = callee.realloc(0, 0, align, size)?;
        Lowering { guest: callee, mischief: None }.store(ty, value, pointer)?;
        flat.push(u64::from(pointer));
    }
    Ok(flat)
}

fn lower_result(caller: &mut Guest, ty: &Ty, value: &Value, passed: &[u64]) -> Result<Vec<u64>> {
    let mut flat = Vec::new();
    if fits(ty, FLAT_RESULTS_MAX) {
        Lowering { guest: caller, mischief: None }.lower_flat(ty, value, &mut flat)?;
        return Ok(flat);
    }
    let pointer = passed.last().copied().unwrap_or(0);
    check_place(caller, ty, pointer)?;
    Lowering { guest: caller, mischief: None }.store(ty, value, pointer as u32)?;
    Ok(flat)
}

/// How much of a guest's memory is looked at.
pub fn dump_bytes(before: &Guest, after: Option<&Guest>) -> u32 {
    let end = after.unwrap_or(before).next + 64;
    let memory = after.map_or(MEMORY_BYTES, |after| after.memory.len() as u32);
    end.min(memory)
}
