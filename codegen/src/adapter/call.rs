//! A whole call through an adapter, in the order of `canon_lower` and `canon_lift`.
//!
//! Guards are there only where flattening could not prove that nobody observes them
//! (`needs_may_leave`, `needs_may_enter` of the component instance).

use super::abi_layout::PointerSize;
use super::copy::{Passing, Route, Source, Target};
use super::endpoint::{Endpoint, Place};
use super::generator::{Generator, build_func};
use super::shape::{Call, Mentions, entered_instances, is_call_between_relatives};
use crate::env::{Env, trap_code};
use crate::error::Result;
use crate::interface::TypeId;
use crate::program::{ComponentInstanceId, FuncId, FuncKind, Lift, StringEncoding};
use cranelift_codegen::ir::{self, InstBuilder, StackSlotData, StackSlotKind, Value, types};
use cranelift_frontend::FunctionBuilderContext;
use wasmelt_abi::handles::ComponentState;
use wasmelt_abi::symbols;
use wasmelt_abi::trap::Trap;

/// Generates the function of an adapter. Its signature is that of the function's core type.
///
/// # Errors
///
/// `Unsupported` if a type exceeds what the generator handles.
pub fn build_adapter(
    env: Env<'_>,
    func: FuncId,
    scratch: &mut FunctionBuilderContext,
) -> Result<ir::Function> {
    let FuncKind::Adapter(adapter) = &env.program.funcs[func].kind else {
        panic!("{func} is no adapter")
    };
    build_func(env, func, scratch, |generator, params| {
        let mut call = Call::new(generator, adapter)?;
        call.passing = generator.find_passing(&call, func);
        // Both follow from the same component function type.
        assert_eq!(generator.b.func.signature, call.signature(), "the core type of {func}");
        generator.generate_call(&call, params)
    })
}

impl<'a> Generator<'a, '_> {
    fn generate_call(&mut self, call: &Call<'a>, params: &[Value]) -> Result<()> {
        if is_call_between_relatives(self.env.program, call) {
            self.b.ins().trap(trap_code(Trap::CannotEnter));
            return Ok(());
        }
        if let Endpoint::Guest { instance, .. } = call.caller {
            self.check_may_leave(instance);
        }
        let entered = entered_instances(self.env.program, call);
        self.enter(&entered);
        self.reset_scratch_before(call);
        let outer_task = match call.callee {
            Endpoint::Guest { instance, .. } => self.begin_task(instance),
            Endpoint::Native => Vec::new(),
        };
        let borrows = self.open_borrow_scope(call);

        let mut args = self.pass_params(call, params)?;
        let results = self.call_callee(call, &mut args);
        self.close_borrow_scope(call, borrows);

        if matches!(call.caller, Endpoint::Native) && self.has_pointers(call.result) {
            // Host functions that ran inside the call have used it until now.
            self.call_shim(symbols::SCRATCH_RESET, &[], &[]);
        }
        // `post-return` may free what the results point at, so the results are moved first.
        let out = self.pass_result(call, &results, args.result_place, params.last().copied())?;
        if let Lift::Guest { instance, options, .. } = call.lift
            && let Some(post_return) = options.post_return
        {
            self.call_without_leaving(*instance, post_return, &results);
        }
        self.end_task(&outer_task);
        if let Endpoint::Guest { instance, .. } = call.caller {
            self.release_lent(instance);
        }
        self.leave(&entered);
        self.b.ins().return_(&out);
        Ok(())
    }

    /// Moves the parameters to the callee's side.
    fn pass_params(&mut self, call: &Call<'a>, params: &[Value]) -> Result<Args> {
        let counts_lends = call.counts_lends(self.env.program);
        if counts_lends {
            self.start_chain();
        }
        let route = Route { counts_lends, ..Route::new(call.caller, call.callee) };
        let is_in_c =
            call.caller_shape.by_address.is_some() || call.callee_shape.by_address.is_some();
        if is_in_c || !call.passing.is_empty() {
            return self.pass_each_param(call, route, params);
        }
        let source_place;
        let source = if call.caller_shape.params_in_memory {
            let layout = self.layouts.record(&call.params, call.caller.pointer())?;
            source_place = self.check_record(call.caller, params[0], layout.size, layout.align);
            Source::Memory(source_place)
        } else {
            Source::Flat(&params[..call.caller_shape.params.len()])
        };
        let mut args = Args::default();
        if !call.callee_shape.params_in_memory {
            args.values = self.copy_fields(route, &call.params, source, Target::Flat)?;
            return Ok(args);
        }
        let (pointer, place) = self.make_param_record(call)?;
        self.copy_fields(route, &call.params, source, Target::Memory(place))?;
        args.values = vec![pointer];
        Ok(args)
    }

    /// Room on the callee's side for a record of all parameters.
    fn make_param_record(&mut self, call: &Call<'a>) -> Result<(Value, Place)> {
        let layout = self.layouts.record(&call.params, call.callee.pointer())?;
        Ok(match call.callee {
            Endpoint::Native => self.stack_record(layout.size, layout.align),
            Endpoint::Guest { .. } => {
                let size = self.word(u64::from(layout.size));
                let (pointer, address) = self.allocate(call.callee, size, layout.align);
                (pointer, Place { address, offset: 0, memory: call.callee.memory() })
            }
        })
    }

    /// As [`Self::pass_params`], one parameter after the other: where one side at least is in C, or
    /// some parameters are only passed on.
    fn pass_each_param(
        &mut self,
        call: &Call<'a>,
        route: Route<'a>,
        params: &[Value],
    ) -> Result<Args> {
        let sources = self.find_param_sources(call, params)?;
        let mut args = Args::default();
        let mut record = None;
        if call.callee_shape.params_in_memory {
            let (pointer, place) = self.make_param_record(call)?;
            args.values.push(pointer);
            record = Some(place);
        }
        let offsets = self.layouts.field_offsets(&call.params, call.callee.pointer());
        for (index, (ty, source)) in call.params.iter().zip(sources).enumerate() {
            let by_address = call.callee_shape.by_address.as_ref().is_some_and(|by| by[index]);
            let target = match record {
                Some(place) => Target::Memory(place.at(offsets[index])),
                None if by_address => {
                    let layout = self.layouts.get(*ty, PointerSize::P64);
                    let (size, align) = (layout.size, layout.align);
                    let (pointer, place) = self.stack_record(size, align);
                    args.values.push(pointer);
                    Target::Memory(place)
                }
                None => Target::Flat,
            };
            let passing = call.passing.get(index).copied().unwrap_or_default();
            let route = Route { passing, ..route };
            args.values.extend(self.copy_value(route, *ty, source, target)?);
        }
        Ok(args)
    }

    /// How each parameter of the adapter `func` is passed on; nothing if none is.
    fn find_passing(&self, call: &Call<'a>, func: FuncId) -> Vec<Passing> {
        let layout = self.env.layout;
        let callee = match call.lift {
            Lift::Guest { func, .. } => Some(*func),
            Lift::Host(_) => None,
        };
        let mut at = 0;
        let each = call.params.iter().map(|ty| {
            let param = at;
            let flat = self.layouts.get(*ty, PointerSize::P32).flat.as_ref();
            // Where not all are flat none is passed on.
            at += flat.map_or(0, |flat| flat.len() as u32);
            Passing {
                from: layout.passed_out.get(&(func, param)).copied(),
                into: callee.and_then(|callee| layout.passed_into.get(&(callee, param)).copied()),
            }
        });
        let each: Vec<Passing> = each.collect();
        let is_passed = each.iter().any(|it| it.from.is_some() || it.into.is_some());
        if is_passed { each } else { Vec::new() }
    }

    /// Where the caller has each parameter.
    fn find_param_sources<'v>(
        &mut self,
        call: &Call<'a>,
        params: &'v [Value],
    ) -> Result<Vec<Source<'v>>> {
        if call.caller_shape.params_in_memory {
            let layout = self.layouts.record(&call.params, call.caller.pointer())?;
            let place = self.check_record(call.caller, params[0], layout.size, layout.align);
            let offsets = self.layouts.field_offsets(&call.params, call.caller.pointer());
            let at = |offset: u32| Source::Memory(place.at(offset));
            return Ok(offsets.into_iter().map(at).collect());
        }
        let mut sources = Vec::with_capacity(call.params.len());
        let mut used = 0;
        for (index, ty) in call.params.iter().enumerate() {
            if call.caller_shape.by_address.as_ref().is_some_and(|by| by[index]) {
                let place = Place { address: params[used], offset: 0, memory: None };
                sources.push(Source::Memory(place));
                used += 1;
                continue;
            }
            let flat = self.layouts.get(*ty, call.caller.pointer()).flat.as_ref();
            let count = flat.expect("parts of flat parameters are flat").len();
            sources.push(Source::Flat(&params[used..used + count]));
            used += count;
        }
        Ok(sources)
    }

    /// Calls the callee's function; its core results.
    fn call_callee(&mut self, call: &Call<'a>, args: &mut Args) -> Vec<Value> {
        match call.lift {
            Lift::Guest { func, .. } => self.call_func(*func, &args.values),
            Lift::Host(host) => {
                if let (true, Some(result)) = (call.callee_shape.result_in_memory, call.result) {
                    let layout = self.layouts.get(result, PointerSize::P64);
                    let (size, align) = (layout.size, layout.align);
                    let (pointer, place) = self.stack_record(size, align);
                    args.values.push(pointer);
                    args.result_place = Some(place);
                }
                let returns = call.callee_shape.result.as_slice();
                self.call_symbol(self.env.host_symbol(*host), &args.values, returns)
            }
        }
    }

    /// Moves the result to the caller's side. `results` are the callee's core results;
    /// `host_place` is where a host function has put its result; `out_pointer` is the adapter's
    /// last parameter.
    fn pass_result(
        &mut self,
        call: &Call<'a>,
        results: &[Value],
        host_place: Option<Place>,
        out_pointer: Option<Value>,
    ) -> Result<Vec<Value>> {
        let Some(result) = call.result else { return Ok(Vec::new()) };
        let (from, to) = (call.callee, call.caller);
        // A host function's result lies in memory that the outside may keep looking at.
        let outlives_call = matches!(from, Endpoint::Guest { .. });
        let route = Route { outlives_call, ..Route::new(from, to) };
        let source = match (call.callee_shape.result_in_memory, host_place) {
            (false, _) => Source::Flat(results),
            (true, Some(place)) => Source::Memory(place),
            (true, None) => {
                let layout = self.layouts.get(result, call.callee.pointer());
                let (size, align) = (layout.size, layout.align);
                Source::Memory(self.check_record(call.callee, results[0], size, align))
            }
        };
        if !call.caller_shape.result_in_memory {
            return self.copy_value(route, result, source, Target::Flat);
        }
        let layout = self.layouts.get(result, call.caller.pointer());
        let (size, align) = (layout.size, layout.align);
        let pointer = out_pointer.expect("a result in memory has a parameter that points there");
        let place = self.check_record(call.caller, pointer, size, align);
        self.copy_value(route, result, source, Target::Memory(place))
    }

    /// Room for a native record on the stack: its address, twice.
    fn stack_record(&mut self, size_bytes: u32, align: u32) -> (Value, Place) {
        let align_log2 = align.trailing_zeros() as u8;
        let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, size_bytes, align_log2);
        let slot = self.b.create_sized_stack_slot(slot);
        let address = self.b.ins().stack_addr(types::I64, slot, 0);
        (address, Place { address, offset: 0, memory: None })
    }

    /// A call of the host starts with empty scratch memory, if its parameters must be converted
    /// into some or its result points at some.
    fn reset_scratch_before(&mut self, call: &Call<'a>) {
        let (from, to) = (call.caller, call.callee);
        let route = Route::new(from, to);
        let Mentions { strings, maps, elements, .. } = &call.mentions;
        let is_converted = *maps
            || (*strings && call.caller.encoding() != StringEncoding::Utf8)
            || elements.iter().any(|element| !self.is_block(route, *element));
        let is_host = matches!(call.callee, Endpoint::Native);
        if is_host && (is_converted || self.has_pointers(call.result)) {
            self.call_shim(symbols::SCRATCH_RESET, &[], &[]);
        }
    }

    fn has_pointers(&self, ty: Option<TypeId>) -> bool {
        ty.is_some_and(|ty| self.layouts.get(ty, PointerSize::P64).has_pointers)
    }

    /// Starts counting the callee's borrow handles from 0; gives back the count until now.
    fn open_borrow_scope(&mut self, call: &Call<'a>) -> Option<Value> {
        let Endpoint::Guest { instance, .. } = call.callee else { return None };
        if !call.lends_handles(self) {
            return None;
        }
        let outer = self.load_state(instance, ComponentState::BORROWS);
        let zero = self.b.ins().iconst(types::I32, 0);
        self.store_state(instance, ComponentState::BORROWS, zero);
        Some(outer)
    }

    /// Traps if the callee has kept a borrow handle.
    fn close_borrow_scope(&mut self, call: &Call<'a>, outer: Option<Value>) {
        if let (Endpoint::Guest { instance, .. }, Some(outer)) = (call.callee, outer) {
            let left = self.load_state(instance, ComponentState::BORROWS);
            self.trap_if(left, Trap::BorrowsLeft);
            self.store_state(instance, ComponentState::BORROWS, outer);
        }
    }

    /// Traps if the instance must not call out now.
    pub(super) fn check_may_leave(&mut self, instance: ComponentInstanceId) {
        if self.env.program.component_instances[instance].needs_may_leave {
            let may_leave = self.load_state(instance, ComponentState::MAY_LEAVE);
            self.b.ins().trapz(may_leave, trap_code(Trap::CannotLeave));
        }
    }

    /// Enters component instances; traps if one of them must not be entered now.
    pub(super) fn enter(&mut self, instances: &[ComponentInstanceId]) {
        for instance in instances {
            let may_enter = self.load_state(*instance, ComponentState::MAY_ENTER);
            self.b.ins().trapz(may_enter, trap_code(Trap::CannotEnter));
            let no = self.b.ins().iconst(types::I32, 0);
            self.store_state(*instance, ComponentState::MAY_ENTER, no);
        }
    }

    /// Undoes [`Self::enter`].
    pub(super) fn leave(&mut self, instances: &[ComponentInstanceId]) {
        for instance in instances {
            let yes = self.b.ins().iconst(types::I32, 1);
            self.store_state(*instance, ComponentState::MAY_ENTER, yes);
        }
    }
}

/// The core arguments of the callee.
#[derive(Default)]
struct Args {
    values: Vec<Value>,
    /// Where a host function puts its result.
    result_place: Option<Place>,
}
