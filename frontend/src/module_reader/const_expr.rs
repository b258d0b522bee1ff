//! Constant expressions to data.

use crate::error::{Error, Position, Result};
use crate::module::{ConstExpr, ConstOp};
use crate::source::wasm_error;
use wasmparser::Operator;

/// Reads a validated constant expression, without its `end`.
pub fn read_const_expr(expr: &wasmparser::ConstExpr<'_>) -> Result<ConstExpr> {
    let mut ops = Vec::new();
    let mut reader = expr.get_operators_reader();
    while !reader.eof() {
        let (operator, offset) = reader.read_with_offset().map_err(wasm_error)?;
        if matches!(operator, Operator::End) {
            break;
        }
        let op = convert_operator(&operator).map_err(|error| {
            let offset = usize::try_from(offset).unwrap_or(usize::MAX);
            error.at(Position::Offset(offset))
        })?;
        ops.push(op);
    }
    Ok(ops)
}

fn convert_operator(operator: &Operator<'_>) -> Result<ConstOp> {
    Ok(match operator {
        Operator::I32Const { value } => ConstOp::I32(*value),
        Operator::I64Const { value } => ConstOp::I64(*value),
        Operator::F32Const { value } => ConstOp::F32(value.bits()),
        Operator::F64Const { value } => ConstOp::F64(value.bits()),
        Operator::V128Const { value } => ConstOp::V128(*value.bytes()),
        Operator::GlobalGet { global_index } => ConstOp::GlobalGet(*global_index),
        Operator::RefNull { .. } => ConstOp::RefNull,
        Operator::RefFunc { function_index } => ConstOp::RefFunc(*function_index),
        Operator::I32Add => ConstOp::I32Add,
        Operator::I32Sub => ConstOp::I32Sub,
        Operator::I32Mul => ConstOp::I32Mul,
        Operator::I64Add => ConstOp::I64Add,
        Operator::I64Sub => ConstOp::I64Sub,
        Operator::I64Mul => ConstOp::I64Mul,
        // Validation leaves only the garbage collector's instructions.
        _ => return Err(Error::unsupported("a garbage-collected value in a constant expression")),
    })
}
