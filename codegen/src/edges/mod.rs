//! What is left of the calls between component instances, once they are compiled.
//!
//! From the program to one [`Edge`] for each adapter that was compiled, whatever became of it:
//! how many calls of it the code has and how many of these were inlined (`compile`), what of it
//! stands in the machine code of which function (`parts`), and which guards it has and why it
//! lacks the others (`adapter::guards`). Nothing is estimated: the numbers come from a compilation
//! of the program with the options given, and are the same each time.

mod count;
pub mod parts;
mod rules;

use crate::adapter::{Guard, is_foreign_drop, list_drop_guards, list_guards};
use crate::compile::{Compiled, Listing, compile_functions};
use crate::emit::Target;
use crate::env::Env;
use crate::error::Result;
use crate::options::Options;
use crate::program::{
    Adapter, ComponentInstanceId, FuncId, FuncKind, Lift, Lower, Program, ResourceKind,
};
use crate::{data, layout, options};
use cranelift_entity::EntityRef;
use cranelift_frontend::FunctionBuilderContext;
use parts::Part;
pub use rules::{check_name, rule_text};
use std::collections::BTreeMap;
use wasmelt_abi::trap::Trap;

/// Calls of one function in another's code, before and after inlining.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sites {
    /// How many calls the code has.
    pub calls: u32,
    /// How many of them the callee's body replaced.
    pub inlined: u32,
}

/// The calls of each pair of caller and callee.
pub type SiteTable = BTreeMap<(FuncId, FuncId), Sites>;

/// A function of one component instance that another one calls.
#[derive(Clone, Debug)]
pub struct Edge {
    /// The calling component instance.
    pub caller: String,
    /// The component instance that is called; `None` is the host.
    pub callee: Option<String>,
    /// The function.
    pub function: String,
    /// The calls of the adapter in the caller's code.
    pub sites: Sites,
    /// Whether calls also come through tables or references, where nothing can be inlined.
    pub is_called_indirectly: bool,
    /// The adapter's own call of the callee's function; `None` is a call of a host function, which
    /// is always direct.
    pub inner: Option<Sites>,
    /// The adapter before anything was inlined or optimised.
    pub generated: Part,
    /// What is left of it in the machine code, all copies together.
    pub left: Part,
    /// The direct calls that are left, by the callee's name, besides that of the callee's function.
    pub calls: BTreeMap<String, u32>,
    /// The checks.
    pub checks: Vec<Check>,
    /// The guards.
    pub guards: Vec<Guard>,
}

/// A check of what crosses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What it is called.
    pub name: &'static str,
    /// The rule of `docs/safety.md` that demands it.
    pub rule: &'static str,
    /// How many instructions of the adapter trap for it before inlining and optimisation.
    pub generated: u32,
    /// How many are left in the machine code, all copies together.
    pub kept: u32,
}

/// Compiles a program and reports what is left of the calls between its component instances.
///
/// # Errors
///
/// As for compiling it.
pub fn report_edges(program: &Program, options: &Options) -> Result<Vec<Edge>> {
    let isa = options::build_isa(options)?;
    let layout = layout::plan_layout(program, options)?;
    let env = Env { program, layout: &layout, isa: &*isa };
    let initial = data::build_initial_data(program, &layout, options);
    let compiled = compile_functions(env, &initial, options, Listing::Edges)?;
    let mut left: BTreeMap<FuncId, Part> = BTreeMap::new();
    for func in &compiled.funcs {
        for (of, part) in &func.parts {
            left.entry(*of).or_default().add(part);
        }
    }
    let mut totals: BTreeMap<FuncId, Sites> = BTreeMap::new();
    for ((_, callee), sites) in &compiled.sites {
        let total = totals.entry(*callee).or_default();
        total.calls += sites.calls;
        total.inlined += sites.inlined;
    }
    let mut scratch = FunctionBuilderContext::new();
    let mut edges = Vec::new();
    for (func, generated) in &compiled.generated {
        let mut left = left.remove(func).unwrap_or_default();
        if count::is_countable(isa.triple().architecture) {
            // Of an adapter that disappeared no function says anything.
            left.insts.get_or_insert(0);
        }
        let ends = match &program.funcs[*func].kind {
            FuncKind::Adapter(adapter) => Ends::of_adapter(env, adapter, &mut scratch)?,
            FuncKind::Resource { resource, instance, .. } if is_foreign_drop(program, *func) => {
                let guards = list_drop_guards(program, *resource, *instance);
                Some(Ends::of_drop(program, *func, guards))
            }
            _ => None,
        };
        if let Some(ends) = ends {
            let sites = totals.get(func).copied().unwrap_or_default();
            edges.push(ends.describe(env, &compiled, *func, sites, (generated, left)));
        }
    }
    Ok(edges)
}

/// Both ends of an edge.
struct Ends {
    caller: ComponentInstanceId,
    callee: Option<(ComponentInstanceId, Option<FuncId>)>,
    guards: Vec<Guard>,
}

impl Ends {
    /// Calls from the outside are no edges.
    fn of_adapter(
        env: Env<'_>,
        adapter: &Adapter,
        scratch: &mut FunctionBuilderContext,
    ) -> Result<Option<Ends>> {
        let Lower::Guest { instance: caller, .. } = adapter.lower else { return Ok(None) };
        let callee = match &adapter.lift {
            Lift::Guest { instance, func, .. } => Some((*instance, Some(*func))),
            Lift::Host(_) => None,
        };
        Ok(Some(Ends { caller, callee, guards: list_guards(env, adapter, scratch)? }))
    }

    fn of_drop(program: &Program, func: FuncId, guards: Vec<Guard>) -> Ends {
        let FuncKind::Resource { resource, instance, .. } = program.funcs[func].kind else {
            panic!("{func} is no built-in for resources")
        };
        let ResourceKind::Guest { instance: owner, dtor } = program.resources[resource].kind else {
            panic!("{func} drops what no component destroys")
        };
        Ends { caller: instance, callee: Some((owner, dtor)), guards }
    }

    fn describe(
        self,
        env: Env<'_>,
        compiled: &Compiled,
        func: FuncId,
        sites: Sites,
        (generated, left): (&Part, Part),
    ) -> Edge {
        let program = env.program;
        let name_of =
            |instance: ComponentInstanceId| program.component_instances[instance].name.clone();
        let called = self.callee.and_then(|(_, called)| called);
        // The callee may have the code of an equal function.
        let called = called.map(|called| env.layout.folding.code_of(called));
        let site =
            |caller, callee| compiled.sites.get(&(caller, callee)).copied().unwrap_or_default();
        let mut calls = BTreeMap::new();
        for (target, count) in &left.calls {
            if called.is_none_or(|called| *target != Target::Func(called)) {
                *calls.entry(target_name(env, *target)).or_default() += count;
            }
        }
        Edge {
            caller: name_of(self.caller),
            callee: self.callee.map(|(instance, _)| name_of(instance)),
            function: function_name(program, func, self.callee.map(|(instance, _)| instance)),
            sites,
            is_called_indirectly: compiled.roots.contains(&func),
            inner: called.map(|called| site(func, called)),
            checks: list_checks(generated, &left),
            generated: generated.clone(),
            calls,
            left,
            guards: self.guards,
        }
    }
}

/// The function's name without the component instances' names, which the edge has apart.
fn function_name(program: &Program, func: FuncId, callee: Option<ComponentInstanceId>) -> String {
    let name = program.funcs[func].name.as_str();
    let name = name.split_once("=>").map_or(name, |(_, name)| name);
    let callee = callee.map(|callee| program.component_instances[callee].name.as_str());
    let short = callee.and_then(|callee| name.strip_prefix(callee)?.strip_prefix("::"));
    short.unwrap_or(name).to_string()
}

fn target_name(env: Env<'_>, target: Target) -> String {
    match target {
        Target::Func(func) if func.index() < env.program.funcs.len() => {
            env.program.funcs[func].name.clone()
        }
        Target::Symbol(symbol) => env.symbol_name(symbol).to_string(),
        Target::Library(name) => name.to_string(),
        other => format!("{other:?}"),
    }
}

fn list_checks(generated: &Part, left: &Part) -> Vec<Check> {
    let mut checks: Vec<Check> = Vec::new();
    let causes = generated.checks.keys().chain(left.checks.keys());
    let mut causes: Vec<u8> = causes.copied().collect();
    causes.sort_unstable();
    causes.dedup();
    for code in causes {
        let Some(cause) = Trap::from_code(code) else { continue };
        let (name, rule) = check_name(cause);
        let count = |part: &Part| part.checks.get(&code).copied().unwrap_or(0);
        let (generated, kept) = (count(generated), count(left));
        match checks.iter_mut().find(|check| check.name == name) {
            Some(check) => {
                check.generated += generated;
                check.kept += kept;
            }
            None => checks.push(Check { name, rule, generated, kept }),
        }
    }
    checks
}
