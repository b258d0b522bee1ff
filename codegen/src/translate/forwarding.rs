//! What a body passes on to a function that it calls, as far as single instructions tell.

use wasmparser::{BinaryReader, FunctionBody, Operator};

/// What stands right before a body's only call of a function: a parameter that is never assigned to,
/// or another value that one instruction makes. The last is the last argument.
pub fn read_forwarding(bytes: &[u8], is_out: impl Fn(u32) -> bool) -> Option<Vec<Option<u32>>> {
    let body = FunctionBody::new(BinaryReader::new(bytes, 0));
    let mut pushes = Vec::new();
    let mut found = None;
    let mut assigned = Vec::new();
    for operator in body.get_operators_reader().ok()? {
        match operator.ok()? {
            Operator::LocalGet { local_index } => pushes.push(Some(local_index)),
            Operator::I32Const { .. } | Operator::I64Const { .. } | Operator::GlobalGet { .. } => {
                pushes.push(None);
            }
            Operator::Call { function_index } if is_out(function_index) => {
                if found.replace(std::mem::take(&mut pushes)).is_some() {
                    return None;
                }
            }
            Operator::ReturnCall { function_index } if is_out(function_index) => return None,
            operator => {
                if let Operator::LocalSet { local_index } | Operator::LocalTee { local_index } =
                    operator
                {
                    assigned.push(local_index);
                }
                pushes.clear();
            }
        }
    }
    let mut found = found?;
    for push in &mut found {
        *push = push.filter(|local| !assigned.contains(local));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found in a body of these instructions, without locals, that calls function 7.
    fn read(instructions: &[u8]) -> Option<Vec<Option<u32>>> {
        let body = [&[0], instructions, &[0x0b]].concat();
        read_forwarding(&body, |callee| callee == 7)
    }

    #[test]
    fn arguments_are_parameters_or_something_else() {
        // local.get 0, i32.const 1, local.get 2, call 7
        assert_eq!(read(&[0x20, 0, 0x41, 1, 0x20, 2, 0x10, 7]), Some(vec![Some(0), None, Some(2)]));
        // A sum is not what was pushed before it.
        assert_eq!(read(&[0x20, 0, 0x20, 1, 0x6a, 0x10, 7]), Some(vec![]));
        // Another call takes what was pushed before it.
        assert_eq!(read(&[0x20, 0, 0x10, 6, 0x20, 1, 0x10, 7]), Some(vec![Some(1)]));
    }

    #[test]
    fn what_is_assigned_to_is_not_passed_on() {
        // local.get 0, local.get 1, call 7, local.set 0
        assert_eq!(read(&[0x20, 0, 0x20, 1, 0x10, 7, 0x21, 0]), Some(vec![None, Some(1)]));
        // local.tee 1
        assert_eq!(read(&[0x20, 0, 0x22, 1, 0x10, 7]), Some(vec![]));
    }

    #[test]
    fn one_call_is_looked_for() {
        assert_eq!(read(&[0x20, 0]), None);
        assert_eq!(read(&[0x20, 0, 0x10, 7, 0x20, 0, 0x10, 7]), None);
        // return_call 7
        assert_eq!(read(&[0x20, 0, 0x12, 7]), None);
        assert_eq!(read(&[0x20]), None);
    }
}
