//! The functions of a library that native code calls.

use crate::env::{Env, NAMESPACE_FUNC, clif_type};
use crate::program::FuncId;
use cranelift_codegen::ir::{self, InstBuilder, Signature, UserFuncName, Value};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use wasmelt_abi::symbols;

/// Generates a `FuncKind::Export`: the callee in the target's C calling convention, between the
/// shim's checks that nothing else of the library runs. Without a callee it does nothing.
pub fn build_export(
    env: Env<'_>,
    func: FuncId,
    callee: Option<FuncId>,
    scratch: &mut FunctionBuilderContext,
) -> ir::Function {
    let ty = env.func_type(env.program.funcs[func].ty);
    let mut signature = Signature::new(env.host_call_conv());
    signature.params.extend(ty.params.iter().map(|ty| env.host_param(clif_type(*ty))));
    signature.returns.extend(ty.results.iter().map(|ty| env.host_param(clif_type(*ty))));
    let name = UserFuncName::user(NAMESPACE_FUNC, func.as_u32());
    let mut clif = ir::Function::with_name_signature(name, signature);
    let mut b = FunctionBuilder::new(&mut clif, scratch);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    let params = b.block_params(entry).to_vec();
    let mut results: Vec<Value> = Vec::new();
    if let Some(callee) = callee {
        call_shim(&mut b, env, symbols::LIBRARY_ENTER);
        let callee = env.import_func(b.func, callee);
        let call = b.ins().call(callee, &params);
        results = b.inst_results(call).to_vec();
        call_shim(&mut b, env, symbols::LIBRARY_LEAVE);
    }
    b.ins().return_(&results);
    b.finalize(env.isa.frontend_config());
    clif
}

fn call_shim(b: &mut FunctionBuilder<'_>, env: Env<'_>, name: &str) {
    let symbol = env.import_symbol(b.func, env.shim_symbol(name), &[], &[]);
    b.ins().call(symbol, &[]);
}
