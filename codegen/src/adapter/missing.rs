//! What is not implemented, in the program of a script.
//!
//! A script's other assertions count all the same, so a built-in or an import that is missing
//! becomes a function that traps. It keeps the one check that comes first in every built-in
//! that is missing and in every lowered import: whether the component instance may call out at all.

use super::generator::Generator;
use crate::env::{Env, NAMESPACE_FUNC, trap_code};
use crate::program::FuncId;
use cranelift_codegen::ir::{self, InstBuilder, UserFuncName};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use wasmelt_abi::trap::Trap;

/// Generates the function of a `FuncKind::Missing`.
pub fn build_missing(
    env: Env<'_>,
    func: FuncId,
    scratch: &mut FunctionBuilderContext,
) -> ir::Function {
    let signature = env.guest_signature(env.program.funcs[func].ty);
    let name = UserFuncName::user(NAMESPACE_FUNC, func.as_u32());
    let mut body = ir::Function::with_name_signature(name, signature);
    let b = FunctionBuilder::new(&mut body, scratch);
    let mut g = Generator::new(env, b);
    let entry = g.b.create_block();
    g.b.append_block_params_for_function_params(entry);
    g.b.switch_to_block(entry);
    if let Some(instance) = env.program.funcs[func].component {
        g.check_may_leave(instance);
    }
    g.b.ins().trap(trap_code(Trap::Unsupported));
    g.finish();
    body
}
