//! What there is to know about a call before it is generated: both sides' core signatures, what
//! the types mention, and how the two component instances are related.

use super::abi_layout::PointerSize;
use super::copy::Passing;
use super::endpoint::Endpoint;
use super::generator::Generator;
use crate::env::GUEST_CALL_CONV;
use crate::error::Result;
use crate::interface::{Type, TypeId};
use crate::program::{Adapter, ComponentInstanceId, Lift, Lower, Program, ResourceId};
use cranelift_codegen::ir::{self, AbiParam, Signature};
use std::collections::HashSet;
use wasmelt_flatten::flat::{MAX_FLAT_RESULTS, is_by_address, is_returned_by_address};

/// What the generation of a call needs to know about both sides.
pub(super) struct Call<'a> {
    pub caller: Endpoint<'a>,
    pub callee: Endpoint<'a>,
    pub lift: &'a Lift,
    pub params: Vec<TypeId>,
    pub result: Option<TypeId>,
    /// The core values of each side.
    pub caller_shape: Shape,
    pub callee_shape: Shape,
    /// What the parameters' types mention, at whatever depth.
    pub mentions: Mentions,
    /// How each parameter is passed on; empty if none is.
    pub passing: Vec<Passing>,
}

/// How a component function type looks as core values on one side.
pub(super) struct Shape {
    /// Whether the parameters go through memory.
    pub params_in_memory: bool,
    /// The core parameters, without the pointer to the result.
    pub params: Vec<ir::Type>,
    /// The core result. `None` with `result_in_memory` unset is no result at all.
    pub result: Option<ir::Type>,
    /// Whether the result goes through memory.
    pub result_in_memory: bool,
    pub pointer: PointerSize,
    /// Which parameters are passed by their addresses, if the side is in C.
    pub by_address: Option<Vec<bool>>,
}

impl Shape {
    pub(super) fn new(
        g: &Generator<'_, '_>,
        params: &[TypeId],
        result: Option<TypeId>,
        pointer: PointerSize,
    ) -> Result<Shape> {
        let flat_params = g.layouts.record(params, pointer)?.flat;
        let params_in_memory = flat_params.is_none();
        let flat_result = result.map(|ty| g.layouts.get(ty, pointer).flat.clone());
        let flat_result = flat_result.unwrap_or(Some(Vec::new()));
        let flat_result = flat_result.filter(|flat| flat.len() <= MAX_FLAT_RESULTS);
        Ok(Shape {
            params_in_memory,
            params: flat_params.unwrap_or_else(|| vec![pointer.clif_type()]),
            result: flat_result.as_ref().and_then(|flat| flat.first().copied()),
            result_in_memory: flat_result.is_none(),
            pointer,
            by_address: None,
        })
    }

    /// The shape of a side in C: each parameter is passed by itself, a struct by its address.
    fn new_in_c(g: &Generator<'_, '_>, params: &[TypeId], result: Option<TypeId>) -> Shape {
        let types = &g.env.program.types;
        let pointer = PointerSize::P64;
        let flat = |ty: TypeId| {
            let flat = g.layouts.get(ty, pointer).flat.clone();
            flat.expect("what is passed by value is at most a pointer and a length")
        };
        let by_address: Vec<bool> = params.iter().map(|ty| is_by_address(types, *ty)).collect();
        let each = params.iter().zip(&by_address);
        let each = each.flat_map(|(ty, by_address)| match by_address {
            true => vec![pointer.clif_type()],
            false => flat(*ty),
        });
        let result_in_memory = result.is_some_and(|ty| is_returned_by_address(types, ty));
        let returned = result.filter(|_| !result_in_memory);
        Shape {
            params_in_memory: false,
            params: each.collect(),
            result: returned.and_then(|ty| flat(ty).first().copied()),
            result_in_memory,
            pointer,
            by_address: Some(by_address),
        }
    }
}

impl<'a> Call<'a> {
    pub(super) fn new(g: &mut Generator<'a, '_>, adapter: &'a Adapter) -> Result<Call<'a>> {
        let env = g.env;
        let ty = &env.program.func_types[adapter.ty];
        let params = ty.params.iter().map(|(_, ty)| *ty).collect::<Vec<_>>();
        for part in params.iter().chain(&ty.result) {
            g.layouts.prepare(*part)?;
        }
        let caller = match &adapter.lower {
            Lower::Guest { instance, options } => Endpoint::guest(env, *instance, options),
            Lower::Native | Lower::C => Endpoint::Native,
        };
        let callee = match &adapter.lift {
            Lift::Guest { instance, options, .. } => Endpoint::guest(env, *instance, options),
            Lift::Host(_) => Endpoint::Native,
        };
        let caller_shape = match adapter.lower {
            Lower::C => Shape::new_in_c(g, &params, ty.result),
            _ => Shape::new(g, &params, ty.result, caller.pointer())?,
        };
        let callee_shape = match adapter.lift {
            Lift::Host(host) if env.program.hosts[host].is_native => {
                Shape::new_in_c(g, &params, ty.result)
            }
            _ => Shape::new(g, &params, ty.result, callee.pointer())?,
        };
        Ok(Call {
            caller_shape,
            callee_shape,
            mentions: Mentions::of(env.program, &params),
            passing: Vec::new(),
            caller,
            callee,
            lift: &adapter.lift,
            params,
            result: ty.result,
        })
    }

    /// The adapter's own signature.
    pub(super) fn signature(&self) -> Signature {
        let shape = &self.caller_shape;
        let mut signature = Signature::new(GUEST_CALL_CONV);
        signature.params.extend(shape.params.iter().map(|ty| AbiParam::new(*ty)));
        if shape.result_in_memory {
            signature.params.push(AbiParam::new(shape.pointer.clif_type()));
        }
        signature.returns.extend(shape.result.map(AbiParam::new));
        signature
    }

    /// Whether borrow handles are put into the callee's table.
    pub(super) fn lends_handles(&self, g: &Generator<'_, '_>) -> bool {
        let Endpoint::Guest { instance, .. } = self.callee else { return false };
        self.mentions.borrows.iter().any(|resource| !g.defines(instance, *resource))
    }

    /// Whether the caller's handles must be counted while they are lent; see `handles`.
    pub(super) fn counts_lends(&self, program: &Program) -> bool {
        let Endpoint::Guest { instance, .. } = self.caller else { return false };
        let is_given_away = !self.mentions.borrows.is_disjoint(&self.mentions.owns);
        let is_guest_called = matches!(self.callee, Endpoint::Guest { .. });
        let can_run = program.component_instances[instance].needs_may_enter;
        is_given_away || (is_guest_called && can_run && !self.mentions.borrows.is_empty())
    }
}

/// What types mention, at whatever depth.
#[derive(Default)]
pub(super) struct Mentions {
    pub owns: HashSet<ResourceId>,
    pub borrows: HashSet<ResourceId>,
    pub strings: bool,
    pub maps: bool,
    /// The types of lists' elements.
    pub elements: Vec<TypeId>,
}

impl Mentions {
    pub(super) fn of(program: &Program, roots: &[TypeId]) -> Mentions {
        let mut mentions = Mentions::default();
        let mut seen = HashSet::new();
        let mut rest = roots.to_vec();
        while let Some(ty) = rest.pop() {
            if !seen.insert(ty) {
                continue;
            }
            match &program.types[ty] {
                Type::Own(resource) => drop(mentions.owns.insert(*resource)),
                Type::Borrow(resource) => drop(mentions.borrows.insert(*resource)),
                Type::String => mentions.strings = true,
                Type::List(element) => {
                    mentions.elements.push(*element);
                    rest.push(*element);
                }
                Type::Map(key, value) => {
                    mentions.maps = true;
                    rest.extend([*key, *value]);
                }
                Type::FixedList(element, _) => rest.push(*element),
                Type::Record(fields) => rest.extend(fields.iter().map(|(_, ty)| *ty)),
                Type::Tuple(fields) => rest.extend(fields),
                Type::Variant(cases) => rest.extend(cases.iter().filter_map(|(_, ty)| *ty)),
                Type::Option(payload) => rest.push(*payload),
                Type::Result { ok, err } => rest.extend(ok.iter().chain(err)),
                _ => {}
            }
        }
        mentions
    }
}

/// Whether a call goes to its own component instance, to one around it or to one inside it. Such
/// calls always trap: the specification is about to allow some of them, but no engine does yet.
pub(super) fn is_call_between_relatives(program: &Program, call: &Call<'_>) -> bool {
    match (call.caller, call.callee) {
        (Endpoint::Guest { instance: a, .. }, Endpoint::Guest { instance: b, .. }) => {
            ancestors(program, a).any(|outer| outer == b)
                || ancestors(program, b).any(|outer| outer == a)
        }
        _ => false,
    }
}

/// The component instances that a call enters and that can tell: the callee and what is around
/// it, but not around the caller.
pub(super) fn entered_instances(program: &Program, call: &Call<'_>) -> Vec<ComponentInstanceId> {
    let Endpoint::Guest { instance: callee, .. } = call.callee else { return Vec::new() };
    let inside: HashSet<_> = match call.caller {
        Endpoint::Guest { instance, .. } => ancestors(program, instance).collect(),
        Endpoint::Native => HashSet::new(),
    };
    ancestors(program, callee)
        .filter(|outer| !inside.contains(outer))
        .filter(|outer| program.component_instances[*outer].needs_may_enter)
        .collect()
}

/// A component instance and those around it, innermost first.
fn ancestors(
    program: &Program,
    instance: ComponentInstanceId,
) -> impl Iterator<Item = ComponentInstanceId> {
    let parent = |at: &ComponentInstanceId| program.component_instances[*at].parent;
    std::iter::successors(Some(instance), parent)
}
