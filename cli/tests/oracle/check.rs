//! What both sides saw against what the reference predicts.

use crate::guest::{COUNT_AT, FLAT_AT, Guest, HEAP_AT, POST_RETURN_AT, REPS_AT, TRACE_AT};
use crate::handles::handles_of;
use crate::lift::load;
use crate::pair::{Done, Expected, Pair, lift_params};
use crate::types::{Core, Ty, Value};
use wasmelt::wast::run::Report;
use wasmelt_abi::trap::Trap;
use wasmelt_flatten::script::Value as ScriptValue;

type Check = Result<(), String>;

/// The reports are those of the call and of reading the callee's memory.
pub fn check_pair(pair: &Pair, reports: &[Option<Report>]) -> Check {
    let [Some(run), Some(dump)] = reports else {
        return Err("the program ended before".to_owned());
    };
    match (&pair.expected, run) {
        (Expected::Trap { trap, any }, Report::Trapped(code)) => {
            let got = Trap::from_code(*code).ok_or("an unknown trap")?;
            let holds = (*any && is_of_canonical_abi(got)) || class_of(got) == class_of(*trap);
            if holds { Ok(()) } else { Err(format!("expected {trap:?}, got {got:?}")) }
        }
        (Expected::Trap { trap, .. }, _) => Err(format!("expected {trap:?}, but it returned")),
        (Expected::Done(_), Report::Trapped(code)) => {
            Err(format!("expected no trap, got {:?}", Trap::from_code(*code)))
        }
        (Expected::Done(done), run) => {
            let mut caller = dumped(run, &done.caller)?;
            let mut callee = dumped(dump, &done.callee)?;
            check_callee(pair, done, &mut callee).map_err(|e| format!("in the callee: {e}"))?;
            check_caller(pair, done, &mut caller).map_err(|e| format!("in the caller: {e}"))
        }
    }
}

/// What is too long is out of bounds, too.
fn class_of(trap: Trap) -> Trap {
    if trap == Trap::TooLong { Trap::PointerOutOfBounds } else { trap }
}

fn is_of_canonical_abi(trap: Trap) -> bool {
    (Trap::Misaligned as u8..=Trap::BorrowsLeft as u8).contains(&(trap as u8))
}

/// The guest as it is after the call: the bytes that it shows, zeros behind them.
fn dumped(report: &Report, expected: &Guest) -> Result<Guest, String> {
    let Report::ReturnedValue(Some(ScriptValue::List(bytes))) = report else {
        return Err(format!("no memory was returned, but {report:?}"));
    };
    let mut guest = expected.clone();
    guest.memory.fill(0);
    guest.table.is_over = true;
    for (at, byte) in bytes.iter().enumerate() {
        let ScriptValue::U8(byte) = byte else { return Err(format!("{byte:?} is no byte")) };
        guest.memory[at] = *byte;
    }
    guest.next = bytes.len() as u32;
    Ok(guest)
}

fn check_callee(pair: &Pair, done: &Done, seen: &mut Guest) -> Check {
    check_calls(&done.callee, seen)?;
    check_reps(&pair.params_type(), &done.argument, seen)?;
    let received = read_flat(seen, &pair.core_params(seen.pointers), FLAT_AT);
    check_equal("flat parameters", &done.received, &received)?;
    seen.table = done.receiving_table.clone();
    seen.table.is_over = true;
    let argument = lift_params(seen, &pair.params_type(), &received);
    check_equal("the argument", &Ok(&done.argument), &argument.as_ref())?;
    if pair.has_post_return {
        check_equal("post-return calls", &1, &seen.load(POST_RETURN_AT, 4))?;
        let masks = pair.core_results(seen.pointers);
        let results = read_flat(seen, &masks, POST_RETURN_AT + 8);
        let returned = pair.returned.iter().zip(&masks).map(|(bits, core)| mask(*bits, *core));
        check_equal("post-return's arguments", &returned.collect::<Vec<_>>(), &results)?;
    }
    check_untouched(&pair.callee, &done.callee, seen)
}

fn check_caller(pair: &Pair, done: &Done, seen: &mut Guest) -> Check {
    check_calls(&done.caller, seen)?;
    if let (Some(ty), Some(value)) = (&pair.result, &done.result) {
        check_reps(ty, value, seen)?;
        let result = if pair.has_result_pointer() {
            let pointer = pair.passed.last().map_or(0, |&pointer| pointer as u32);
            load(seen, ty, pointer)
        } else {
            let flat = read_flat(seen, &pair.core_results(seen.pointers), FLAT_AT);
            check_equal("flat results", &done.given_back, &flat)?;
            crate::lift::lift_flat(seen, ty, &mut &flat[..])
        };
        check_equal("the result", &Ok(value), &result.as_ref())?;
    }
    check_untouched(&pair.caller, &done.caller, seen)
}

fn check_calls(expected: &Guest, seen: &Guest) -> Check {
    let count = seen.load(COUNT_AT, 4) as u32;
    let word = |call: u32, at: u32| seen.load(TRACE_AT + 32 * call + 8 * at, 8);
    let calls = (0..count.min(crate::guest::CALLS_MAX as u32 + 1))
        .map(|call| [0, 1, 2, 3].map(|at| word(call, at)))
        .collect::<Vec<_>>();
    check_equal("calls of realloc", &expected.calls, &calls)
}

/// What the guest has been told that its new handles stand for.
fn check_reps(ty: &Ty, value: &Value, seen: &Guest) -> Check {
    let expected = handles_of(ty, value).into_iter().map(|(rep, _)| rep).collect::<Vec<_>>();
    let slots = (REPS_AT..).step_by(4).take(expected.len());
    let got = slots.map(|at| seen.load(at, 4) as u32).collect::<Vec<_>>();
    check_equal("representations of handles", &expected, &got)
}

/// Nothing may be written but what was allocated for it.
fn check_untouched(before: &Guest, after: &Guest, seen: &Guest) -> Check {
    let mut is_writable = vec![false; seen.memory.len()];
    for &(start, size) in &after.writable {
        is_writable[start as usize..][..size as usize].fill(true);
    }
    for at in HEAP_AT..seen.next {
        let was = before.memory.get(at as usize).copied().unwrap_or(0);
        let is = seen.memory[at as usize];
        if was != is && !is_writable[at as usize] {
            return Err(format!("the byte at {at} was {was:#x} and is {is:#x}"));
        }
    }
    Ok(())
}

fn read_flat(guest: &Guest, cores: &[Core], start: u32) -> Vec<u64> {
    let slots = (start..).step_by(8);
    cores.iter().zip(slots).map(|(core, at)| mask(guest.load(at, 8), *core)).collect()
}

fn mask(bits: u64, core: Core) -> u64 {
    match core {
        Core::I32 | Core::F32 => u64::from(bits as u32),
        Core::I64 | Core::F64 => bits,
    }
}

fn check_equal<T: PartialEq + std::fmt::Debug>(what: &str, expected: &T, got: &T) -> Check {
    if expected == got {
        return Ok(());
    }
    Err(format!("{what}: expected {expected:?}, got {got:?}"))
}
