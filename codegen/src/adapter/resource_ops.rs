//! The canonical built-ins for resources: `resource.new`, `resource.rep`, `resource.drop`.

use super::generator::{Generator, build_func};
use crate::env::Env;
use crate::error::Result;
use crate::program::{ComponentInstanceId, FuncId, FuncKind, ResourceId, ResourceKind, ResourceOp};
use cranelift_codegen::ir::{self, InstBuilder, Value};
use cranelift_frontend::FunctionBuilderContext;
use wasmelt_abi::handles::{ComponentState, Handle};
use wasmelt_abi::trap::Trap;

/// Generates the function of a canonical built-in for resources.
///
/// # Errors
///
/// None today; the signature is that of all generators.
pub fn build_resource_op(
    env: Env<'_>,
    func: FuncId,
    scratch: &mut FunctionBuilderContext,
) -> Result<ir::Function> {
    let FuncKind::Resource { op, resource, instance } = env.program.funcs[func].kind else {
        panic!("{func} is no built-in for resources")
    };
    build_func(env, func, scratch, |g, params| {
        let operand = params[0];
        let results = match op {
            ResourceOp::New => {
                g.check_may_leave(instance);
                vec![g.add_handle(instance, resource, false, operand)]
            }
            ResourceOp::Rep => {
                let entry = g.find_handle(instance, resource, operand);
                vec![g.load_entry(instance, entry, Handle::REP)]
            }
            ResourceOp::Drop => {
                g.drop_handle(instance, resource, operand)?;
                Vec::new()
            }
        };
        g.b.ins().return_(&results);
        Ok(())
    })
}

impl Generator<'_, '_> {
    /// Takes a handle out of its table: an own handle is the end of its resource.
    fn drop_handle(
        &mut self,
        instance: ComponentInstanceId,
        resource: ResourceId,
        index: Value,
    ) -> Result<()> {
        self.check_may_leave(instance);
        let entry = self.find_handle(instance, resource, index);
        let lends = self.load_entry(instance, entry, Handle::LENDS);
        self.trap_if(lends, Trap::HandleLent);
        let kind = self.load_entry(instance, entry, Handle::KIND);
        let rep = self.load_entry(instance, entry, Handle::REP);
        self.free_entry(instance, entry, index);
        if self.defines(instance, resource) {
            // Where the resource is defined, borrows are representations, not handles.
            self.destroy(instance, resource, rep);
            return Ok(());
        }
        let is_borrow = self.b.ins().band_imm_u(kind, 1);
        self.choose(
            is_borrow,
            &[],
            |g| {
                let borrows = g.load_state(instance, ComponentState::BORROWS);
                let borrows = g.b.ins().iadd_imm_s(borrows, -1);
                g.store_state(instance, ComponentState::BORROWS, borrows);
                Ok(Vec::new())
            },
            |g| {
                g.destroy(instance, resource, rep);
                Ok(Vec::new())
            },
        )?;
        Ok(())
    }

    /// Calls a resource's destructor, if it has one, in the instance that defines it.
    fn destroy(&mut self, dropper: ComponentInstanceId, resource: ResourceId, rep: Value) {
        match &self.env.program.resources[resource].kind {
            ResourceKind::Host { .. } => {
                self.call_symbol(self.env.drop_symbol(resource), &[rep], &[]);
            }
            ResourceKind::Guest { instance: owner, dtor } => {
                // In the instance that defines it, this is a plain call.
                let is_guarded = *owner != dropper
                    && self.env.program.component_instances[*owner].needs_may_enter;
                let entered = if is_guarded { std::slice::from_ref(owner) } else { &[] };
                self.enter(entered);
                if let Some(dtor) = dtor {
                    // Another component's drop is a task of the one that destroys.
                    let is_own = *owner == dropper;
                    let outer_task = if is_own { Vec::new() } else { self.begin_task(*owner) };
                    self.call_func(*dtor, &[rep]);
                    self.end_task(&outer_task);
                }
                self.leave(entered);
            }
        }
    }
}
