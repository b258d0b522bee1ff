//! Direct, indirect and tail calls, and calls of the shim.
//!
//! A direct call names the function it reaches, whatever module or adapter that is
//! in. Indirect calls are resolved in `tables.rs`: one that can only reach one
//! function is a direct call too.

use super::Translator;
use crate::env::trap_code;
use crate::error::Result;
use crate::program::FuncId;
use crate::regions::{self, Region};
use crate::types::CoreTypeId;
use cranelift_codegen::ir::{self, FuncRef, InstBuilder, SigRef, Value, types};
use wasmelt_abi::state;
use wasmelt_abi::trap::Trap;
use wasmparser::Operator;

/// What a call reaches.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// A function of the program.
    Direct(FuncId),
    /// The code at an address.
    Address(Value),
}

impl Translator<'_, '_> {
    pub(super) fn translate_call(&mut self, operator: &Operator<'_>) -> Result<bool> {
        match operator {
            Operator::Call { function_index } => {
                let callee = self.instance.funcs[*function_index as usize];
                self.call(Target::Direct(callee), self.env.program.funcs[callee].ty);
            }
            Operator::CallIndirect { type_index, table_index } => {
                let ty = self.core_type(*type_index);
                let target = self.indirect_target(*table_index, ty)?;
                self.call(target, ty);
            }
            Operator::CallRef { type_index } => {
                let target = self.reference_target();
                self.call(target, self.core_type(*type_index));
            }
            Operator::ReturnCall { function_index } => {
                let callee = self.instance.funcs[*function_index as usize];
                self.return_call(Target::Direct(callee), self.env.program.funcs[callee].ty);
            }
            Operator::ReturnCallIndirect { type_index, table_index } => {
                let ty = self.core_type(*type_index);
                let target = self.indirect_target(*table_index, ty)?;
                self.return_call(target, ty);
            }
            Operator::ReturnCallRef { type_index } => {
                let target = self.reference_target();
                self.return_call(target, self.core_type(*type_index));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Calls a function of type `ty` with the upmost operands and pushes its results.
    fn call(&mut self, target: Target, ty: CoreTypeId) {
        let (params, _) = self.arity(ty);
        let start = self.plain_top(params);
        let call = match target {
            Target::Direct(callee) => {
                let callee = self.import_func(callee);
                self.b.ins().call(callee, &self.stack[start..])
            }
            Target::Address(address) => {
                let signature = self.import_signature(ty);
                self.b.ins().call_indirect(signature, address, &self.stack[start..])
            }
        };
        self.stack.truncate(start);
        self.stack.extend_from_slice(self.b.inst_results(call));
    }

    fn return_call(&mut self, target: Target, ty: CoreTypeId) {
        let (params, _) = self.arity(ty);
        let start = self.plain_top(params);
        match target {
            Target::Direct(callee) => {
                let callee = self.import_func(callee);
                self.b.ins().return_call(callee, &self.stack[start..]);
            }
            Target::Address(address) => {
                let signature = self.import_signature(ty);
                self.b.ins().return_call_indirect(signature, address, &self.stack[start..]);
            }
        }
        self.reachable = false;
    }

    /// Pops a function reference; its type was validated (T3), so null is all that can be wrong, and
    /// the load finds it (R1).
    fn reference_target(&mut self) -> Target {
        let reference = self.pop();
        let flags = regions::null_checking_flags(self.b.func, trap_code(Trap::NullReference));
        let code = self.b.ins().load(types::I64, flags, reference, state::FuncRef::CODE);
        Target::Address(code)
    }

    /// The code address in the `FuncRef` at `reference`, which is not null.
    pub(super) fn load_code(&mut self, reference: Value) -> Value {
        let flags = regions::checked_constant_flags(self.b.func, Region::Constants);
        self.b.ins().load(types::I64, flags, reference, state::FuncRef::CODE)
    }

    fn import_func(&mut self, callee: FuncId) -> FuncRef {
        let (env, func) = (self.env, &mut *self.b.func);
        *self.callees.entry(callee).or_insert_with(|| env.import_func(func, callee))
    }

    fn import_signature(&mut self, ty: CoreTypeId) -> SigRef {
        let (env, func) = (self.env, &mut *self.b.func);
        *self.signatures.entry(ty).or_insert_with(|| func.import_signature(env.guest_signature(ty)))
    }

    /// Calls a function of the shim that has one result.
    pub(super) fn call_shim(
        &mut self,
        symbol: &str,
        params: &[ir::Type],
        result: ir::Type,
        args: &[Value],
    ) -> Value {
        let symbol = self.env.shim_symbol(symbol);
        let callee = match self.shim_callees.iter().find(|known| known.0 == symbol) {
            Some(known) => known.1,
            None => {
                let callee = self.env.import_symbol(self.b.func, symbol, params, &[result]);
                self.shim_callees.push((symbol, callee));
                callee
            }
        };
        let call = self.b.ins().call(callee, args);
        self.b.inst_results(call)[0]
    }
}
