//! Which guards a call between component instances has, and why it lacks the others: the same
//! questions that the generator asks, answered in words.

use super::endpoint::Endpoint;
use super::generator::Generator;
use super::shape::{Call, entered_instances, is_call_between_relatives};
use crate::env::Env;
use crate::error::Result;
use crate::program::{
    Adapter, CanonOptions, ComponentInstanceId, FuncId, FuncKind, Lift, Lower, Program, ResourceId,
    ResourceKind,
};
use cranelift_codegen::ir;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

/// A guard of the canonical ABI, kept or left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// What it is called.
    pub name: &'static str,
    /// Whether there is code for it.
    pub is_kept: bool,
    /// The rule of `docs/safety.md` that decides.
    pub rule: &'static str,
    /// Why, in this program.
    pub reason: String,
}

/// The guards of an adapter.
///
/// # Errors
///
/// As for generating it.
pub fn list_guards(
    env: Env<'_>,
    adapter: &Adapter,
    scratch: &mut FunctionBuilderContext,
) -> Result<Vec<Guard>> {
    let mut body = ir::Function::new();
    let mut g = Generator::new(env, FunctionBuilder::new(&mut body, scratch));
    let call = Call::new(&mut g, adapter)?;
    let program = env.program;
    if is_call_between_relatives(program, &call) {
        return Ok(vec![Guard {
            name: "call between relatives",
            is_kept: true,
            rule: "A4",
            reason: "a call to the same, an outer or an inner component instance traps".into(),
        }]);
    }
    let mut guards = Vec::new();
    guards.extend(caller_leaves(program, adapter));
    guards.extend(callee_leaves(program, adapter));
    guards.extend(may_enter(program, &call));
    guards.extend(lend_counts(program, &call));
    guards.extend(borrow_scope(&g, &call));
    Ok(guards)
}

/// The guards of dropping a handle whose resource another component instance destroys.
pub fn list_drop_guards(
    program: &Program,
    resource: ResourceId,
    dropper: ComponentInstanceId,
) -> Vec<Guard> {
    let mut guards = vec![may_leave(program, dropper, "may leave")];
    if let ResourceKind::Guest { instance: owner, .. } = program.resources[resource].kind
        && owner != dropper
    {
        let is_kept = program.component_instances[owner].needs_may_enter;
        guards.push(enter_guard(program, owner, is_kept));
    }
    guards
}

fn caller_leaves(program: &Program, adapter: &Adapter) -> Option<Guard> {
    match &adapter.lower {
        Lower::Guest { instance, .. } => Some(may_leave(program, *instance, "may leave")),
        Lower::Native | Lower::C => None,
    }
}

fn callee_leaves(program: &Program, adapter: &Adapter) -> Option<Guard> {
    let Lift::Guest { instance, options, .. } = &adapter.lift else { return None };
    let CanonOptions { realloc, post_return, .. } = options;
    let runs = |func: &Option<FuncId>| func.is_some();
    (runs(realloc) || runs(post_return)).then(|| may_leave(program, *instance, "callee may leave"))
}

fn may_leave(program: &Program, instance: ComponentInstanceId, name: &'static str) -> Guard {
    let instance = &program.component_instances[instance];
    let is_kept = instance.needs_may_leave;
    let can = if is_kept { "a" } else { "no" };
    let reason = format!(
        "{can} realloc or post-return of `{}` reaches an import or a built-in",
        instance.name
    );
    Guard { name, is_kept, rule: "A4", reason }
}

fn may_enter(program: &Program, call: &Call<'_>) -> Option<Guard> {
    let Endpoint::Guest { instance, .. } = call.callee else { return None };
    let entered = entered_instances(program, call);
    let guarded = entered.first().copied().unwrap_or(instance);
    Some(enter_guard(program, guarded, !entered.is_empty()))
}

fn enter_guard(program: &Program, instance: ComponentInstanceId, is_kept: bool) -> Guard {
    let name = &program.component_instances[instance].name;
    let reason = match is_kept {
        true => format!("a cycle of calls goes through `{name}`"),
        false => format!("no cycle of calls goes through `{name}`"),
    };
    Guard { name: "may enter", is_kept, rule: "A4", reason }
}

fn lend_counts(program: &Program, call: &Call<'_>) -> Option<Guard> {
    let Endpoint::Guest { instance, .. } = call.caller else { return None };
    if call.mentions.borrows.is_empty() {
        return None;
    }
    let is_kept = call.counts_lends(program);
    let name = &program.component_instances[instance].name;
    let reason = match (is_kept, call.callee) {
        (true, _) if !call.mentions.borrows.is_disjoint(&call.mentions.owns) => {
            "the same call gives away own handles to the resource".into()
        }
        (true, _) => format!("`{name}` can be entered during the call"),
        (false, Endpoint::Native) => "the host cannot reach the handle table".into(),
        (false, _) => format!("nothing enters `{name}` during the call"),
    };
    Some(Guard { name: "lend counts", is_kept, rule: "A3", reason })
}

fn borrow_scope(g: &Generator<'_, '_>, call: &Call<'_>) -> Option<Guard> {
    let Endpoint::Guest { instance, .. } = call.callee else { return None };
    if call.mentions.borrows.is_empty() {
        return None;
    }
    let is_kept = call.lends_handles(g);
    let name = &g.env.program.component_instances[instance].name;
    let reason = match is_kept {
        true => format!("borrow handles enter the table of `{name}`"),
        false => format!("`{name}` defines the resource and gets the representation"),
    };
    Some(Guard { name: "borrow scope", is_kept, rule: "A3", reason })
}

/// Whether a built-in drops handles whose resource's destructor is another component instance's:
/// such a drop is a call.
pub fn is_foreign_drop(program: &Program, func: FuncId) -> bool {
    let FuncKind::Resource { op, resource, instance } = program.funcs[func].kind else {
        return false;
    };
    op == crate::program::ResourceOp::Drop
        && matches!(program.resources[resource].kind,
            ResourceKind::Guest { instance: owner, dtor: Some(_) } if owner != instance)
}
