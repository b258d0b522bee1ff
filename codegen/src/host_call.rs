//! A core module's import of a host function: its parameters as they are, behind the record of the
//! memory that they point into.

use crate::env::{Env, NAMESPACE_FUNC, clif_type};
use crate::program::{FuncId, FuncKind};
use cranelift_codegen::ir::{self, InstBuilder, UserFuncName, types};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

/// Generates the function of a `FuncKind::HostCall`.
pub fn build_host_call(
    env: Env<'_>,
    func: FuncId,
    scratch: &mut FunctionBuilderContext,
) -> ir::Function {
    let FuncKind::HostCall { host, memory } = env.program.funcs[func].kind else {
        panic!("{func} is no call of the host")
    };
    let ty = env.program.funcs[func].ty;
    let name = UserFuncName::user(NAMESPACE_FUNC, func.as_u32());
    let mut body = ir::Function::with_name_signature(name, env.guest_signature(ty));
    let mut b = FunctionBuilder::new(&mut body, scratch);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);

    let state = b.ins().iconst(types::I64, env.layout.memories[memory].state.cast_signed());
    let args: Vec<_> =
        std::iter::once(state).chain(b.block_params(entry).iter().copied()).collect();
    let ty = env.func_type(ty);
    let params = ty.params.iter().map(|ty| clif_type(*ty));
    let params: Vec<_> = std::iter::once(types::I64).chain(params).collect();
    let returns: Vec<_> = ty.results.iter().map(|ty| clif_type(*ty)).collect();
    let callee = env.import_symbol(b.func, env.host_symbol(host), &params, &returns);
    let call = b.ins().call(callee, &args);
    let results = b.inst_results(call).to_vec();
    b.ins().return_(&results);
    b.finalize(env.isa.frontend_config());
    body
}
