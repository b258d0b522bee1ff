//! What is not implemented, in the program of a script.
//!
//! A script's other assertions count all the same, so a built-in or an import that is missing
//! becomes a function that traps. It keeps the one check that comes first in every built-in
//! that is missing and in every lowered import: whether the component instance may call out at all.

use super::generator::build_func;
use crate::env::{Env, trap_code};
use crate::error::Result;
use crate::program::FuncId;
use cranelift_codegen::ir::{self, InstBuilder};
use cranelift_frontend::FunctionBuilderContext;
use wasmelt_abi::trap::Trap;

/// Generates the function of a `FuncKind::Missing`.
///
/// # Errors
///
/// None today; the signature is that of all generators.
pub fn build_missing(
    env: Env<'_>,
    func: FuncId,
    scratch: &mut FunctionBuilderContext,
) -> Result<ir::Function> {
    build_func(env, func, scratch, |g, _| {
        if let Some(instance) = env.program.funcs[func].component {
            g.check_may_leave(instance);
        }
        g.b.ins().trap(trap_code(Trap::Unsupported));
        Ok(())
    })
}
