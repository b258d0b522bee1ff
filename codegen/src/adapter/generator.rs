//! The state of one adapter's generation, and the small things that every part of it does.

use super::abi_layout::Layouts;
use crate::env::{Env, NAMESPACE_FUNC, SymbolId, trap_code};
use crate::error::{Error, Result};
use crate::places::ELEMENT_LOCATION;
use crate::program::{ComponentInstanceId, FuncId};
use crate::regions::{self, Region};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self, BlockArg, FuncRef, InstBuilder, MemFlagsData, Signature, SourceLoc, UserFuncName, Value,
    types,
};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};
use std::collections::HashMap;
use wasmelt_abi::trap::Trap;

/// Values that one adapter may handle one by one. An interface type can have a million parts, each
/// of which is a few instructions; nobody writes such a type but to see the compiler fail.
const VALUES_MAX: u32 = 50_000;

/// Generates one function.
pub(super) struct Generator<'a, 'f> {
    pub env: Env<'a>,
    pub b: FunctionBuilder<'f>,
    pub layouts: Layouts<'a>,
    /// How many branches and loops of the value enclose the current place.
    pub conditions: u32,
    /// How many loops over elements enclose the current place.
    loops: u32,
    /// Indices of the handles that the caller has lent in any case.
    pub lent: Vec<Value>,
    /// The first of the handles that the caller has lent in a branch or a loop, once there is one.
    pub lent_chain: Option<Variable>,
    values_left: u32,
    funcs: HashMap<FuncId, FuncRef>,
    symbols: HashMap<SymbolId, FuncRef>,
}

/// Makes the function `func`: `generate` gets its parameters and ends its last block.
///
/// # Errors
///
/// Those of `generate`.
pub(super) fn build_func<'a>(
    env: Env<'a>,
    func: FuncId,
    scratch: &mut FunctionBuilderContext,
    generate: impl FnOnce(&mut Generator<'a, '_>, &[Value]) -> Result<()>,
) -> Result<ir::Function> {
    let signature = env.guest_signature(env.program.funcs[func].ty);
    let name = UserFuncName::user(NAMESPACE_FUNC, func.as_u32());
    let mut body = ir::Function::with_name_signature(name, signature);
    let mut generator = Generator::new(env, FunctionBuilder::new(&mut body, scratch));
    let entry = generator.b.create_block();
    generator.b.append_block_params_for_function_params(entry);
    generator.b.switch_to_block(entry);
    let params = generator.b.block_params(entry).to_vec();
    generate(&mut generator, &params)?;
    generator.finish();
    Ok(body)
}

impl<'a, 'f> Generator<'a, 'f> {
    pub(super) fn new(env: Env<'a>, b: FunctionBuilder<'f>) -> Generator<'a, 'f> {
        Generator {
            env,
            b,
            layouts: Layouts::new(&env.program.types),
            conditions: 0,
            loops: 0,
            lent: Vec::new(),
            lent_chain: None,
            values_left: VALUES_MAX,
            funcs: HashMap::new(),
            symbols: HashMap::new(),
        }
    }

    /// Ends the function: its last block has its terminator.
    fn finish(mut self) {
        self.b.seal_all_blocks();
        self.b.finalize(self.env.isa.frontend_config());
    }

    /// Counts a value that gets instructions of its own.
    pub(super) fn count_value(&mut self) -> Result<()> {
        self.values_left = self.values_left.checked_sub(1).ok_or_else(|| {
            Error::unsupported(format!("an interface type of more than {VALUES_MAX} parts"))
        })?;
        Ok(())
    }

    /// Marks what comes as code that runs once per element: reports tell it from the rest.
    pub(super) fn enter_loop(&mut self) {
        self.loops += 1;
        self.b.set_srcloc(SourceLoc::new(ELEMENT_LOCATION));
    }

    /// The end of what [`Self::enter_loop`] began.
    pub(super) fn leave_loop(&mut self) {
        self.loops -= 1;
        if self.loops == 0 {
            self.b.set_srcloc(SourceLoc::default());
        }
    }

    /// Calls a function of the program.
    pub(super) fn call_func(&mut self, callee: FuncId, args: &[Value]) -> Vec<Value> {
        let env = self.env;
        let known = self.funcs.entry(callee);
        let callee = *known.or_insert_with(|| env.import_func(self.b.func, callee));
        let call = self.b.ins().call(callee, args);
        self.b.inst_results(call).to_vec()
    }

    /// Calls a symbol of the shim; parameter types are those of the arguments.
    pub(super) fn call_symbol(
        &mut self,
        symbol: SymbolId,
        args: &[Value],
        returns: &[ir::Type],
    ) -> Vec<Value> {
        let env = self.env;
        if env.is_native(symbol) {
            return self.call_native(symbol, args, returns);
        }
        let callee = match self.symbols.get(&symbol) {
            Some(known) => *known,
            None => {
                let params = args.iter().map(|arg| self.b.func.dfg.value_type(*arg));
                let params = params.collect::<Vec<_>>();
                env.import_symbol(self.b.func, symbol, &params, returns)
            }
        };
        self.symbols.insert(symbol, callee);
        let call = self.b.ins().call(callee, args);
        self.b.inst_results(call).to_vec()
    }

    /// Calls a function that someone else links. It may lie anywhere, so its address stands in a
    /// word that whoever links fills in.
    fn call_native(
        &mut self,
        symbol: SymbolId,
        args: &[Value],
        returns: &[ir::Type],
    ) -> Vec<Value> {
        let env = self.env;
        let mut signature = Signature::new(env.host_call_conv());
        let types = args.iter().map(|arg| self.b.func.dfg.value_type(*arg));
        signature.params.extend(types.map(|ty| env.host_param(ty)));
        signature.returns.extend(returns.iter().map(|ty| env.host_param(*ty)));
        let signature = self.b.import_signature(signature);
        let word = env.import_word(self.b.func, symbol, signature);
        let word = self.b.ins().func_addr(types::I64, word);
        let flags = regions::state_flags(self.b.func, Region::Native);
        let callee = self.b.ins().load(types::I64, flags, word, 0);
        let call = self.b.ins().call_indirect(signature, callee, args);
        self.b.inst_results(call).to_vec()
    }

    /// Calls one of `SHIM_SYMBOLS`.
    pub(super) fn call_shim(
        &mut self,
        name: &str,
        args: &[Value],
        returns: &[ir::Type],
    ) -> Vec<Value> {
        self.call_symbol(self.env.shim_symbol(name), args, returns)
    }

    /// An `i64` constant.
    pub(super) fn word(&mut self, value: u64) -> Value {
        self.b.ins().iconst(types::I64, value.cast_signed())
    }

    /// Traps if `condition` is not 0.
    pub(super) fn trap_if(&mut self, condition: Value, trap: Trap) {
        self.b.ins().trapnz(condition, trap_code(trap));
    }

    /// Traps if the comparison with a constant holds.
    pub(super) fn trap_if_compare(&mut self, cond: IntCC, value: Value, other: u64, trap: Trap) {
        let condition = self.compare(cond, value, other);
        self.trap_if(condition, trap);
    }

    /// Compares with a constant.
    pub(super) fn compare(&mut self, cond: IntCC, value: Value, other: u64) -> Value {
        self.b.ins().icmp_imm_u(cond, value, other.cast_signed())
    }

    /// Two ways to the same values, whose types are given.
    pub(super) fn choose(
        &mut self,
        condition: Value,
        result_types: &[ir::Type],
        then: impl FnOnce(&mut Self) -> Result<Vec<Value>>,
        otherwise: impl FnOnce(&mut Self) -> Result<Vec<Value>>,
    ) -> Result<Vec<Value>> {
        let (yes, no, done) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        for ty in result_types {
            self.b.append_block_param(done, *ty);
        }
        self.b.ins().brif(condition, yes, &[], no, &[]);
        self.b.switch_to_block(yes);
        let values = then(self)?;
        self.jump(done, &values);
        self.b.switch_to_block(no);
        let values = otherwise(self)?;
        self.jump(done, &values);
        self.b.switch_to_block(done);
        Ok(self.b.block_params(done).to_vec())
    }

    /// Jumps to a block with arguments.
    pub(super) fn jump(&mut self, block: ir::Block, args: &[Value]) {
        let args = args.iter().map(|arg| BlockArg::Value(*arg)).collect::<Vec<_>>();
        self.b.ins().jump(block, &args);
    }

    /// The address of a component instance's `ComponentState`.
    pub(super) fn component_state(&mut self, instance: ComponentInstanceId) -> Value {
        self.word(self.env.layout.components[instance])
    }

    /// The flags of accesses to a component instance's state and handle table.
    pub(super) fn component_flags(&mut self, instance: ComponentInstanceId) -> MemFlagsData {
        regions::state_flags(self.b.func, Region::Component(instance))
    }

    /// Reads a `u32` field of a component instance's state.
    pub(super) fn load_state(&mut self, instance: ComponentInstanceId, offset: i32) -> Value {
        let (state, flags) = (self.component_state(instance), self.component_flags(instance));
        self.b.ins().load(types::I32, flags, state, offset)
    }

    /// Writes a `u32` field of a component instance's state.
    pub(super) fn store_state(&mut self, instance: ComponentInstanceId, offset: i32, value: Value) {
        let (state, flags) = (self.component_state(instance), self.component_flags(instance));
        self.b.ins().store(flags, value, state, offset);
    }
}
