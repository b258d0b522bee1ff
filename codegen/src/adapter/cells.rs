//! The numbers that canonical built-ins keep: a task's own storage (`context.get`, `context.set`)
//! and a component instance's backpressure.
//!
//! Follows `CanonicalABI.md`, `canon context.get` and the sections after it. Without asynchronous
//! calls the tasks of a component instance are nested, so one number for each instance and slot is
//! enough: whoever begins a task sets the numbers of the outer one aside. Nobody but asynchronous
//! calls, which are not implemented, asks for the backpressure; that it is counted shows only in
//! the traps.

use super::generator::{Generator, build_func};
use crate::env::Env;
use crate::error::Result;
use crate::program::{CellId, CellKind, CellOp, ComponentInstanceId, FuncId, FuncKind};
use crate::regions::{self, Region};
use cranelift_codegen::ir::{self, InstBuilder, Value, types};
use cranelift_frontend::FunctionBuilderContext;
use wasmelt_abi::trap::Trap;

/// The largest backpressure.
const BACKPRESSURE_MAX: u64 = u16::MAX as u64;

/// Generates the function of a `FuncKind::Cell`.
///
/// # Errors
///
/// None today; the signature is that of all generators.
pub fn build_cell_op(
    env: Env<'_>,
    func: FuncId,
    scratch: &mut FunctionBuilderContext,
) -> Result<ir::Function> {
    let FuncKind::Cell { cell, op } = env.program.funcs[func].kind else {
        panic!("{func} is no built-in for a number")
    };
    build_func(env, func, scratch, |g, params| {
        let results = g.apply_cell_op(cell, op, params.first().copied());
        g.b.ins().return_(&results);
        Ok(())
    })
}

impl Generator<'_, '_> {
    fn apply_cell_op(&mut self, cell: CellId, op: CellOp, operand: Option<Value>) -> Vec<Value> {
        match (op, operand) {
            (CellOp::Get { wide }, _) => {
                let value = self.load_cell(cell);
                vec![if wide { value } else { self.b.ins().ireduce(types::I32, value) }]
            }
            (CellOp::Set { wide }, Some(value)) => {
                let value = if wide { value } else { self.b.ins().uextend(types::I64, value) };
                self.store_cell(cell, value);
                Vec::new()
            }
            (CellOp::Set { .. }, None) => unreachable!("what sets a number has it as an operand"),
            (CellOp::Increment, _) => {
                self.count(cell, BACKPRESSURE_MAX, 1);
                Vec::new()
            }
            (CellOp::Decrement, _) => {
                self.count(cell, 0, -1);
                Vec::new()
            }
        }
    }

    /// Changes a counter; traps if it is at its end already.
    fn count(&mut self, cell: CellId, end: u64, change: i64) {
        let value = self.load_cell(cell);
        self.trap_if_compare(ir::condcodes::IntCC::Equal, value, end, Trap::IntegerOverflow);
        let value = self.b.ins().iadd_imm_s(value, change);
        self.store_cell(cell, value);
    }

    /// Begins a task of a component instance, whose own numbers are 0; gives back those of the task
    /// that it interrupts.
    pub(super) fn begin_task(&mut self, instance: ComponentInstanceId) -> Vec<(CellId, Value)> {
        let is_own = |kind: &CellKind| matches!(kind, CellKind::Context(_));
        let cells = self.env.program.cells.iter();
        let own =
            cells.filter(|(_, cell)| cell.live && cell.component == instance && is_own(&cell.kind));
        let own = own.map(|(id, _)| id).collect::<Vec<_>>();
        let set_aside = |cell| {
            let outer = self.load_cell(cell);
            let zero = self.word(0);
            self.store_cell(cell, zero);
            (cell, outer)
        };
        own.into_iter().map(set_aside).collect()
    }

    /// Ends a task: the one that it interrupted has its numbers back.
    pub(super) fn end_task(&mut self, outer: &[(CellId, Value)]) {
        for (cell, value) in outer {
            self.store_cell(*cell, *value);
        }
    }

    fn load_cell(&mut self, cell: CellId) -> Value {
        let (address, flags) = self.cell_place(cell);
        self.b.ins().load(types::I64, flags, address, 0)
    }

    fn store_cell(&mut self, cell: CellId, value: Value) {
        let (address, flags) = self.cell_place(cell);
        self.b.ins().store(flags, value, address, 0);
    }

    fn cell_place(&mut self, cell: CellId) -> (Value, ir::MemFlagsData) {
        let component = self.env.program.cells[cell].component;
        let flags = regions::state_flags(self.b.func, Region::Component(component));
        (self.word(self.env.layout.cells[cell]), flags)
    }
}
