//! What a script expects against what its program reports.

use crate::wast::run::Report;
use crate::wast::values::{is_equal, print_value};
use wasmelt_abi::script::SLOT_BYTES;
use wasmelt_abi::trap::Trap;
use wasmelt_flatten::program::{Action, FuncKind, Missing, Program};
use wasmelt_flatten::script::{Check, CorePattern, Expectation, Expected, Shape, Value, Verdict};
use wasmelt_flatten::types::ValType;

/// The final verdict on a check.
pub fn check_report(program: &Program, check: &Check, reports: &[Report]) -> Verdict {
    let Verdict::Run { action, expectation } = &check.verdict else {
        return check.verdict.clone();
    };
    let Some(report) = reports.get(*action) else {
        return Verdict::Failed("the program ended before".to_owned());
    };
    let trap = match report {
        Report::Trapped(code) => Some(*code),
        Report::Returned(_) | Report::ReturnedValue(_) => None,
    };
    // What is not implemented ends an action like a trap, after which its instance is closed.
    let unsupported = Report::Trapped(Trap::Unsupported as u8);
    let closed = Report::Trapped(Trap::CannotEnter as u8);
    if *report == unsupported || (*report == closed && reports[..*action].contains(&unsupported)) {
        return Verdict::Unsupported(name_missing(program));
    }
    let holds = match (expectation, report) {
        (Expectation::Completes, _) => trap.is_none(),
        (Expectation::Traps, _) => trap.is_some(),
        (Expectation::Exhausts, _) => trap == Some(Trap::StackOverflow as u8),
        (Expectation::Unlinkable, _) => trap == Some(Trap::Unlinkable as u8),
        (Expectation::Returns(expected), Report::Returned(results)) => {
            expected.len() == results.len()
                && expected.iter().zip(results).all(|(expected, result)| match expected {
                    Expected::Core(pattern) => matches(pattern, result),
                    Expected::Component(_) => false,
                })
        }
        (Expectation::Returns(expected), Report::ReturnedValue(result)) => {
            match (&expected[..], result) {
                ([Expected::Component(expected)], Some(result)) => is_equal(expected, result),
                // Floats are written as for core functions, and NaNs may be patterns there.
                ([Expected::Core(pattern)], Some(result)) => matches_float(pattern, result),
                ([], None) => true,
                _ => false,
            }
        }
        (Expectation::Returns(_), Report::Trapped(_)) => false,
    };
    if holds {
        return Verdict::Passed;
    }
    let got = match report {
        Report::Trapped(code) => format!("a trap: {}", trap_message(*code)),
        Report::Returned(results) => {
            print_results(&result_types(program, &program.actions[*action]), results)
        }
        Report::ReturnedValue(result) => print_list(result.iter().map(print_value)),
    };
    Verdict::Failed(format!("expected {}, got {got}", print_expectation(expectation)))
}

/// What is not implemented and yet reachable, by name.
fn name_missing(program: &Program) -> String {
    let missing =
        program.funcs.values().filter(|func| func.live).find_map(|func| match &func.kind {
            FuncKind::Missing(Missing::Construct(name) | Missing::Import(name)) => {
                Some(name.clone())
            }
            FuncKind::Missing(Missing::HostFunc { interface, name }) => {
                Some(format!("{interface}#{name}"))
            }
            FuncKind::Missing(Missing::HostType(message)) => Some(message.clone()),
            _ => None,
        });
    missing.unwrap_or_else(|| "a construct".to_owned())
}

/// All NaNs of components are one value.
fn matches_float(pattern: &CorePattern, result: &Value) -> bool {
    match (pattern, result) {
        (CorePattern::Bits { shape: Shape::F32, bits, .. }, Value::F32(_)) => {
            is_equal(&Value::F32(*bits as u32), result)
        }
        (CorePattern::Bits { shape: Shape::F64, bits, .. }, Value::F64(_)) => {
            is_equal(&Value::F64(*bits as u64), result)
        }
        _ => false,
    }
}

fn matches(pattern: &CorePattern, slot: &[u8; SLOT_BYTES]) -> bool {
    let word = u64::from_le_bytes(slot[..8].try_into().expect("8 bytes are 8 bytes"));
    match pattern {
        CorePattern::Bits { bits, mask, .. } => u128::from_le_bytes(*slot) & mask == bits & mask,
        CorePattern::Null => word == 0,
        CorePattern::NotNull => word != 0,
        CorePattern::Host(number) => word == u64::from(*number) + 1,
        CorePattern::Unsupported(_) => false,
        CorePattern::Either(cases) => cases.iter().any(|case| matches(case, slot)),
    }
}

fn trap_message(code: u8) -> &'static str {
    Trap::from_code(code).map_or("of an unknown code", Trap::message)
}

/// The core types of what an action leaves in slots.
pub fn result_types(program: &Program, action: &Action) -> Vec<ValType> {
    match action {
        Action::Get(global) => vec![program.globals[*global].ty.value],
        Action::Call { func, .. } | Action::CallComponent { func, .. } => {
            let ty = program.core_types[program.funcs[*func].ty].func();
            ty.map_or_else(Vec::new, |ty| ty.results.to_vec())
        }
    }
}

fn print_expectation(expectation: &Expectation) -> String {
    match expectation {
        Expectation::Completes => "no trap".to_owned(),
        Expectation::Traps => "a trap".to_owned(),
        Expectation::Exhausts => format!("a trap: {}", Trap::StackOverflow.message()),
        Expectation::Unlinkable => "an import that does not match".to_owned(),
        Expectation::Returns(expected) => {
            let expected = expected.iter().map(|expected| match expected {
                Expected::Core(pattern) => print_pattern(pattern),
                Expected::Component(value) => print_value(value),
            });
            print_list(expected)
        }
    }
}

fn print_list(values: impl Iterator<Item = String>) -> String {
    let values = values.collect::<Vec<_>>();
    if values.is_empty() { "no results".to_owned() } else { values.join(" ") }
}

fn print_pattern(pattern: &CorePattern) -> String {
    match pattern {
        CorePattern::Bits { shape, bits, mask } => print_bits(*shape, *bits, Some(*mask)),
        CorePattern::Null => "(ref.null)".to_owned(),
        CorePattern::NotNull => "(a reference that is not null)".to_owned(),
        CorePattern::Host(number) => format!("(ref.extern {number})"),
        CorePattern::Unsupported(what) => format!("({what})"),
        CorePattern::Either(cases) => {
            format!("(either {})", print_list(cases.iter().map(print_pattern)))
        }
    }
}

fn print_results(types: &[ValType], results: &[[u8; SLOT_BYTES]]) -> String {
    print_list(types.iter().zip(results).map(|(ty, slot)| {
        let bits = u128::from_le_bytes(*slot);
        match ty {
            ValType::I32 => print_bits(Shape::I32, bits, None),
            ValType::I64 => print_bits(Shape::I64, bits, None),
            ValType::F32 => print_bits(Shape::F32, bits, None),
            ValType::F64 => print_bits(Shape::F64, bits, None),
            ValType::V128 => print_bits(Shape::I32x4, bits, None),
            ValType::Ref(_) if bits as u64 == 0 => "(ref.null)".to_owned(),
            ValType::Ref(_) => format!("(a reference: {:#x})", bits as u64),
        }
    }))
}

/// A number as the text format writes it; a float with its bits beside it. A mask that leaves
/// bits out stands for a class of NaNs.
fn print_bits(shape: Shape, bits: u128, mask: Option<u128>) -> String {
    let (keyword, lane, count) = match shape {
        Shape::I32 => ("i32.const", 32, 1),
        Shape::I64 => ("i64.const", 64, 1),
        Shape::F32 => ("f32.const", 32, 1),
        Shape::F64 => ("f64.const", 64, 1),
        Shape::I8x16 => ("v128.const i8x16", 8, 16),
        Shape::I16x8 => ("v128.const i16x8", 16, 8),
        Shape::I32x4 => ("v128.const i32x4", 32, 4),
        Shape::I64x2 => ("v128.const i64x2", 64, 2),
        Shape::F32x4 => ("v128.const f32x4", 32, 4),
        Shape::F64x2 => ("v128.const f64x2", 64, 2),
    };
    let whole = u64::MAX >> (64 - lane);
    let is_float = matches!(shape, Shape::F32 | Shape::F64 | Shape::F32x4 | Shape::F64x2);
    let lanes = (0..count).map(|at| {
        let value = (bits >> (at * lane)) as u64 & whole;
        let mask = mask.map_or(whole, |mask| (mask >> (at * lane)) as u64 & whole);
        if !is_float {
            format!("{value:#x}")
        } else if mask == whole {
            print_float(value, lane)
        } else if mask.count_ones() == lane as u32 - 1 {
            "nan:canonical".to_owned()
        } else {
            "nan:arithmetic".to_owned()
        }
    });
    format!("({keyword} {})", lanes.collect::<Vec<_>>().join(" "))
}

fn print_float(bits: u64, width: usize) -> String {
    match width {
        32 => format!("{:?}[{bits:#x}]", f32::from_bits(bits as u32)),
        _ => format!("{:?}[{bits:#x}]", f64::from_bits(bits)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(value: u128) -> [u8; SLOT_BYTES] {
        value.to_le_bytes()
    }

    #[test]
    fn bits_beyond_the_width_do_not_count() {
        let pattern = CorePattern::Bits { shape: Shape::I32, bits: 5, mask: 0xffff_ffff };
        assert!(matches(&pattern, &slot(0xdead_0000_0005)));
        assert!(!matches(&pattern, &slot(6)));
    }

    #[test]
    fn a_canonical_nan_has_either_sign_and_no_other_payload() {
        let pattern = CorePattern::Bits { shape: Shape::F32, bits: 0x7fc0_0000, mask: 0x7fff_ffff };
        assert!(matches(&pattern, &slot(0xffc0_0000)));
        assert!(!matches(&pattern, &slot(0x7fc0_0001)));
        assert_eq!(print_pattern(&pattern), "(f32.const nan:canonical)");
    }

    #[test]
    fn host_references_are_not_null() {
        assert!(matches(&CorePattern::Host(0), &slot(1)));
        assert!(matches(&CorePattern::NotNull, &slot(1)));
        assert!(!matches(&CorePattern::Null, &slot(1)));
    }
}
