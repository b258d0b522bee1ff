//! Which generator makes which function.

use crate::adapter::{build_adapter, build_cell_op, build_missing, build_resource_op};
use crate::call_graph::main_func;
use crate::data::InitialData;
use crate::env::Env;
use crate::error::Result;
use crate::export::build_export;
use crate::host_call::build_host_call;
use crate::init;
use crate::program::{FuncId, FuncKind};
use crate::script::build_trampoline;
use crate::translate::{TranslateScratch, translate_body};
use cranelift_codegen::ir;
use cranelift_frontend::FunctionBuilderContext;

/// Working memory that the generators reuse from function to function.
#[derive(Default)]
pub struct GenerateScratch {
    builder: FunctionBuilderContext,
    translate: TranslateScratch,
}

impl GenerateScratch {
    /// Takes over the allocations of a function that is done with.
    pub fn recycle(&mut self, func: Option<ir::Function>) {
        self.translate.spare = func;
    }
}

/// Generates a function's CLIF.
///
/// # Errors
///
/// `Unsupported` for constructs that are not implemented.
pub fn generate(
    env: Env<'_>,
    initial: &InitialData,
    func: FuncId,
    scratch: &mut GenerateScratch,
) -> Result<ir::Function> {
    if func == main_func(env.program) {
        return Ok(init::build_main(env, initial, &mut scratch.builder));
    }
    match &env.program.funcs[func].kind {
        FuncKind::Wasm { .. } => translate_body(env, func, &mut scratch.translate),
        FuncKind::Adapter(_) => build_adapter(env, func, &mut scratch.builder),
        FuncKind::Resource { .. } => build_resource_op(env, func, &mut scratch.builder),
        FuncKind::Cell { .. } => build_cell_op(env, func, &mut scratch.builder),
        FuncKind::HostCall { .. } => Ok(build_host_call(env, func, &mut scratch.builder)),
        FuncKind::Init(_) => Ok(init::build_init(env, func, &mut scratch.builder)),
        FuncKind::Export { callee, .. } => {
            Ok(build_export(env, func, *callee, &mut scratch.builder))
        }
        FuncKind::Trampoline => Ok(build_trampoline(env, func, &mut scratch.builder)),
        FuncKind::Missing(missing) => {
            // Only a script may reach it, and learns so by a trap of its own.
            assert!(!env.program.actions.is_empty(), "{func} is missing and live: {missing:?}");
            build_missing(env, func, &mut scratch.builder)
        }
    }
}
