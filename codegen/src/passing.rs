//! Strings and lists that a component only passes on: rule A7 of `docs/safety.md`.
//!
//! A virtualizer's function often gets a string and hands it to the next component as it is. The
//! canonical ABI has it copied into the virtualizer's memory and out again. Here it is proved that
//! nobody reads that copy; then it is not made, and the next component gets its own from the first
//! caller's memory. What the virtualizer can see stays: its `realloc` is called, and it gets the
//! pointer and the length. Instead of the bytes the adapter leaves their address in a cell of the
//! program's state, and the adapter behind the virtualizer takes it from there; inlined into one
//! function the two need no cell.
//!
//! **Nobody reads the copy** if nobody uses the virtualizer's memory at all. No instruction of any
//! function that has the memory may read or write it, and no adapter may read it but for parameters
//! that are found here. Shared memories, and those that a host function for core modules gets, count
//! as used.
//!
//! **The bytes are the first caller's.** The adapter `out` reads at a pointer that its caller gives
//! it. All its callers are one function, which
//!
//! - passes its own parameters for pointer and length, to which it never assigns, so the copy would
//!   be where the adapter `into` that called it has put it, and as long. It is the only parameter that
//!   `into` puts into the memory, whatever its `realloc` returns, so nothing else would be there;
//! - is called by nothing but such adapters: the cell was written for this call. Nothing writes it
//!   again before it is read, since a component instance is not entered twice;
//! - calls nothing else but functions that call nothing, and goes round no loop. So no code of
//!   another component instance runs between `into` and `out`, and the first caller's bytes are still
//!   what they were. (In between are the virtualizer's `realloc`, which cannot call out, and what was
//!   just said.)
//!
//! Text was checked to be UTF-8 by `into`, so `out` need not; both sides use UTF-8, and elements of
//! lists are numbers, which every side has in the same bytes. Only little-endian machines are asked
//! about: native code has numbers in its own order.

use crate::adapter::abi_layout::{Layouts, Movable, PointerSize};
use crate::call_graph::root_funcs;
use crate::interface::{Type, TypeId};
use crate::options::{OptLevel, Options};
use crate::program::{
    Adapter, CanonOptions, FuncId, FuncKind, Lift, Lower, MemoryId, Program, StringEncoding,
};
use crate::translate::read_forwarding;
use cranelift_entity::{EntitySet, SecondaryMap};
use std::collections::BTreeMap;
use wasmelt_flatten::flat::{MAX_FLAT_PARAMS, MAX_FLAT_RESULTS};

/// A parameter of a function: the function, and which of its core parameters the pointer is.
pub type Param = (FuncId, u32);

/// A string or a list that is passed on without a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Of the core function that passes it on, as adapters call it.
    pub into: Param,
    /// Of the adapter that it calls.
    pub out: Param,
}

/// What is passed on, in the order of the functions. The result depends on the program alone.
pub fn find_passed(program: &Program, options: &Options) -> Vec<Passed> {
    let is_wanted = matches!(options.opt_level, OptLevel::Full | OptLevel::Size);
    if !is_wanted || options.target.is_big_endian() {
        return Vec::new();
    }
    let mut search = Search::new(program);
    let reads = search.list_adapter_reads();
    let wanted = reads.iter().any(|(memory, read)| !search.is_used[*memory] && read.is_some());
    if !wanted {
        return Vec::new();
    }
    search.find_callers();
    let mut passed: BTreeMap<MemoryId, Vec<Passed>> = BTreeMap::new();
    for (memory, read) in reads {
        match read.and_then(|read| search.find_source(memory, &read)) {
            Some(found) => passed.entry(memory).or_default().push(found),
            None => search.is_used[memory] = true,
        }
    }
    passed.retain(|memory, _| !search.is_used[*memory]);
    let mut passed: Vec<Passed> = passed.into_values().flatten().collect();
    passed.sort_unstable_by_key(|passed| passed.out);
    passed
}

/// A parameter that an adapter reads from the caller's memory.
#[derive(Clone, Copy)]
struct Read {
    out: Param,
    ty: TypeId,
}

struct Search<'a> {
    program: &'a Program,
    layouts: Layouts<'a>,
    /// Whether anything uses the memory that is not known to pass on.
    is_used: SecondaryMap<MemoryId, bool>,
    /// Functions that something else than a direct call leads to.
    roots: EntitySet<FuncId>,
    /// Who calls a function directly, each once.
    callers: SecondaryMap<FuncId, Vec<FuncId>>,
}

impl<'a> Search<'a> {
    fn new(program: &'a Program) -> Search<'a> {
        let mut is_used = SecondaryMap::new();
        for (id, memory) in program.memories.iter() {
            is_used[id] = memory.ty.shared || memory.ty.memory64;
        }
        for func in program.funcs.values().filter(|func| func.live) {
            match func.kind {
                FuncKind::Wasm { instance, body } => {
                    let instance = &program.core_instances[instance];
                    let summary = &program.modules[instance.module].bodies[body as usize].summary;
                    for memory in summary.memories_read.iter().chain(&summary.memories_written) {
                        is_used[instance.memories[*memory as usize]] = true;
                    }
                }
                FuncKind::HostCall { memory, .. } => is_used[memory] = true,
                _ => {}
            }
        }
        let (roots, callers) = (EntitySet::new(), SecondaryMap::new());
        Search { program, layouts: Layouts::new(&program.types), is_used, roots, callers }
    }

    fn adapters(&self) -> impl Iterator<Item = (FuncId, &'a Adapter)> + use<'a> {
        let live = self.program.funcs.iter().filter(|(_, func)| func.live);
        live.filter_map(|(id, func)| match &func.kind {
            FuncKind::Adapter(adapter) => Some((id, adapter)),
            _ => None,
        })
    }

    /// What adapters read from the memories of guests; `None` is what cannot be passed on.
    fn list_adapter_reads(&mut self) -> Vec<(MemoryId, Option<Read>)> {
        let mut reads = Vec::new();
        for (id, adapter) in self.adapters() {
            let ty = &self.program.func_types[adapter.ty];
            let parts = ty.params.iter().map(|(_, ty)| *ty).chain(ty.result);
            if parts.into_iter().any(|part| self.layouts.prepare(part).is_err()) {
                let sides = [adapter.lower_options(), adapter.lift_options()];
                reads.extend(sides.into_iter().flatten().filter_map(|it| Some((it.memory?, None))));
                continue;
            }
            if let Some(memory) = adapter.lift_options().and_then(|options| options.memory)
                && ty.result.is_some_and(|ty| self.flat_len(ty) > MAX_FLAT_RESULTS)
            {
                reads.push((memory, None));
            }
            let Some(options) = adapter.lower_options() else { continue };
            let Some(memory) = options.memory else { continue };
            let params = self.list_params(adapter);
            if params.iter().map(|(ty, _)| self.flat_len(*ty)).sum::<usize>() > MAX_FLAT_PARAMS {
                reads.push((memory, None));
                continue;
            }
            for (ty, at) in params {
                if self.layouts.get(ty, PointerSize::P32).has_pointers {
                    let read = Read { out: (id, at), ty };
                    reads.push((memory, self.is_passable(ty, options).then_some(read)));
                }
            }
        }
        reads
    }

    /// The parameters of a call, and which core parameter each starts at if all are flat.
    fn list_params(&self, adapter: &Adapter) -> Vec<(TypeId, u32)> {
        let mut at = 0;
        let params = self.program.func_types[adapter.ty].params.iter();
        let place = |(_, ty): &(String, TypeId)| {
            at += self.flat_len(*ty) as u32;
            (*ty, at - self.flat_len(*ty) as u32)
        };
        params.map(place).collect()
    }

    /// How many core values a type has; more than any side takes if they are too many.
    fn flat_len(&self, ty: TypeId) -> usize {
        let layout = self.layouts.get(ty, PointerSize::P32);
        layout.flat.as_ref().map_or(MAX_FLAT_PARAMS + 1, Vec::len)
    }

    /// Whether values of the type are bytes that mean the same on all sides.
    fn is_passable(&self, ty: TypeId, options: &CanonOptions) -> bool {
        match self.program.types[ty] {
            Type::String => options.encoding == StringEncoding::Utf8,
            Type::List(element) => {
                self.layouts.get(element, PointerSize::P32).movable != Movable::No
            }
            _ => false,
        }
    }

    fn find_callers(&mut self) {
        self.roots.extend(root_funcs(self.program));
        for (caller, func) in self.program.funcs.iter() {
            if func.live {
                for callee in wasmelt_flatten::callees(self.program, caller) {
                    self.callers[callee].push(caller);
                }
            }
        }
    }

    /// Where what the adapter reads comes from, if it is passed on.
    fn find_source(&mut self, memory: MemoryId, read: &Read) -> Option<Passed> {
        let (out, out_param) = read.out;
        let [caller] = self.callers[out][..] else { return None };
        if self.roots.contains(out) || self.roots.contains(caller) {
            return None;
        }
        let param = self.find_forwarded(caller, out, out_param)?;
        let callers = &self.callers[caller];
        let all = !callers.is_empty()
            && callers.iter().all(|it| self.lifts_into(*it, (caller, param), memory, read.ty));
        all.then_some(Passed { into: (caller, param), out: read.out })
    }

    /// Whether a function is an adapter that calls `func` to hand over a parameter of that type
    /// there, and does nothing else with it.
    fn lifts_into(
        &self,
        caller: FuncId,
        (func, param): Param,
        memory: MemoryId,
        ty: TypeId,
    ) -> bool {
        let FuncKind::Adapter(adapter) = &self.program.funcs[caller].kind else { return false };
        let Lift::Guest { options, func: lifted, .. } = &adapter.lift else { return false };
        let is_called_otherwise = [options.realloc, options.post_return].contains(&Some(func))
            || adapter.lower_options().is_some_and(|options| options.realloc == Some(func));
        let params = self.list_params(adapter);
        let len: usize = params.iter().map(|(ty, _)| self.flat_len(*ty)).sum();
        let pointers = params.iter().filter(|(ty, _)| {
            let layout = self.layouts.get(*ty, PointerSize::P32);
            layout.has_pointers
        });
        // C passes some parameters in ways of its own.
        *lifted == func
            && !is_called_otherwise
            && options.memory == Some(memory)
            && !matches!(adapter.lower, Lower::C)
            && len <= MAX_FLAT_PARAMS
            && pointers.count() == 1
            && params.contains(&(ty, param))
            && self.is_passable(ty, options)
            && adapter.lower_options().is_none_or(|options| self.is_passable(ty, options))
    }

    /// Which two parameters of its own a function passes to `out` for the two from `out_param` on, if
    /// it does nothing that matters besides.
    fn find_forwarded(&self, func: FuncId, out: FuncId, out_param: u32) -> Option<u32> {
        let program = self.program;
        let FuncKind::Wasm { instance, body } = program.funcs[func].kind else { return None };
        let instance = &program.core_instances[instance];
        let module = &program.modules[instance.module];
        let body = &module.bodies[body as usize];
        let summary = &body.summary;
        let others = summary.calls.iter().map(|index| instance.funcs[*index as usize]);
        let is_quiet = !summary.has_loop
            && summary.indirect_calls.is_empty()
            && summary.call_refs.is_empty()
            && others.filter(|callee| *callee != out).all(|callee| self.calls_nothing(callee));
        if !is_quiet {
            return None;
        }
        let bytes = &program.files[body.bytes.file].bytes[body.bytes.range.clone()];
        let calls_out = |index: u32| instance.funcs[index as usize] == out;
        let pushes = read_forwarding(bytes, calls_out)?;
        let from_end = self.count_params(out)?.checked_sub(out_param as usize)?;
        let start = pushes.len().checked_sub(from_end)?;
        let (pointer, len) = (pushes[start]?, pushes.get(start + 1).copied().flatten()?);
        let is_own = (len as usize) < self.count_params(func)?;
        (len == pointer + 1 && is_own).then_some(pointer)
    }

    fn count_params(&self, func: FuncId) -> Option<usize> {
        let ty = self.program.core_types[self.program.funcs[func].ty].func()?;
        Some(ty.params.len())
    }

    fn calls_nothing(&self, func: FuncId) -> bool {
        let FuncKind::Wasm { instance, body } = self.program.funcs[func].kind else { return false };
        let module = self.program.core_instances[instance].module;
        let summary = &self.program.modules[module].bodies[body as usize].summary;
        summary.calls.is_empty()
            && summary.indirect_calls.is_empty()
            && summary.call_refs.is_empty()
    }
}
