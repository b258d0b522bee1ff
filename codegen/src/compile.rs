//! All functions to machine code: bottom-up over the call graph, in parallel.
//!
//! One stratum of the call graph after the other: each function is generated, the
//! bodies of finished callees are put in place of calls, and then either machine
//! code is made at once or, if the function itself may go into a later caller, its
//! body is kept until the last of its callers is done. By then it is known whether
//! any call is left, and only then is it compiled. So no function is compiled
//! that nobody calls, and no body is held longer than it can be of use.
//!
//! Every decision falls between strata, where only one thread runs, or depends on
//! earlier strata alone: the result is the same whatever the number of threads.

use crate::call_graph::{CallGraph, build_call_graph, main_func};
use crate::data::InitialData;
use crate::edges::parts::{Part, collect_generated, is_reported};
use crate::edges::{SiteTable, Sites};
use crate::emit::{CompiledFunc, Target, emit_function};
use crate::env::{Env, NAMESPACE_FUNC};
use crate::error::{Error, Result};
use crate::generate::{GenerateScratch, generate};
use crate::inline::{CallSite, InlineLimits, is_candidate, should_inline};
use crate::options::Options;
use crate::passes::{
    Events, Facts, Summaries, Touch, narrow_products, remove_memory_traffic, summarize,
};
use crate::places::{Places, copy_places, number_places, set_places};
use crate::program::{Func, FuncId, FuncKind, Program};
use crate::versions::{Levels, Version, separate_versions};
use cranelift_codegen::inline::{Inline, InlineCommand};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::{Context, ir};
use cranelift_entity::{EntitySet, SecondaryMap};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// What text to keep beside, or instead of, machine code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listing {
    /// None.
    #[default]
    None,
    /// Each function after inlining and optimisation.
    Clif,
    /// Assembly.
    Assembly,
    /// What is left of adapters (`edges`).
    Edges,
}

/// What comes out.
#[derive(Debug, Default)]
pub struct Compiled {
    /// Every function that is needed, in the order of their ids.
    pub funcs: Vec<CompiledFunc>,
    /// With [`Listing::Edges`], the calls of each pair of functions and how many were inlined.
    pub sites: SiteTable,
    /// With [`Listing::Edges`], what the adapters and built-ins were that were compiled.
    pub generated: BTreeMap<FuncId, Part>,
    /// With [`Listing::Edges`], which of them references lead to.
    pub roots: BTreeSet<FuncId>,
}

/// Compiles all functions that the program needs.
///
/// # Errors
///
/// `Unsupported` for constructs that are not implemented and functions that are too large.
pub fn compile_functions(
    env: Env<'_>,
    initial: &InitialData,
    options: &Options,
    listing: Listing,
) -> Result<Compiled> {
    let graph = build_call_graph(env.program, env.layout);
    let compiler = Compiler {
        env,
        initial,
        is_small: is_small(env.program, &graph),
        graph,
        limits: InlineLimits::of(options.opt_level, options.inline),
        levels: Levels::of(options, listing)?,
        has_exports: env.program.funcs.values().any(is_export),
        places: number_places(env.program),
        listing,
        scratch: ScratchPool::default(),
    };
    let mut compiled = match compiler.is_small {
        true => compiler.run(),
        false => run_in_pool(options.threads, || compiler.run()),
    }?;
    compiled.funcs = drop_unreached(&compiler.graph, compiled.funcs);
    compiled.funcs = separate_versions(compiled.funcs, main_func(env.program));
    let is_root = |func: &&FuncId| compiler.graph.is_root[**func];
    compiled.roots = compiled.generated.keys().filter(is_root).copied().collect();
    Ok(compiled)
}

/// Programs with fewer bytes of bodies are compiled sooner than threads are started.
const PARALLEL_BYTES_MIN: usize = 1 << 11;
/// What a function counts at least: adapters have no body.
const FUNC_BYTES_MIN: usize = 1 << 6;
/// Types cannot nest deeper than there are types.
const SHALLOW_TYPES_MAX: usize = 1 << 6;

/// Whether the program is not worth threads, and compiling it needs no large stack.
fn is_small(program: &Program, graph: &CallGraph) -> bool {
    let funcs = graph.strata.iter().flatten();
    let bytes = funcs.map(|func| body_len_bytes(program, *func).max(FUNC_BYTES_MIN));
    program.types.len() <= SHALLOW_TYPES_MAX && bytes.sum::<usize>() < PARALLEL_BYTES_MIN
}

/// Runs the work on threads of their own. Translating nests as deep as the input's types and
/// blocks, within limits; the pool's threads get the stack for it whatever the machine's default
/// is.
fn run_in_pool<T: Send>(threads: usize, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(16 << 20)
        .build()
        .map_err(|error| Error::environment(format!("cannot start threads: {error}")))?;
    pool.install(work)
}

/// What all threads read.
struct Compiler<'a> {
    env: Env<'a>,
    initial: &'a InitialData,
    is_small: bool,
    graph: CallGraph,
    limits: InlineLimits,
    levels: Levels,
    /// Whether native code calls functions of the program.
    has_exports: bool,
    places: Places,
    listing: Listing,
    scratch: ScratchPool,
}

/// Hardly any body has more bytes per instruction of CLIF.
const BYTES_PER_INST_MAX: usize = 8;

/// A body that may go into callers.
#[derive(Clone)]
struct Body {
    clif: ir::Function,
    insts: u32,
    /// How many instructions were copied to make it.
    copied_insts: u32,
    /// How many copies of which function it holds, if that is to be reported.
    copies: Copies,
    /// Whether newer processors get versions of it, if that matters to a caller.
    has_versions: bool,
}

/// How many copies of other functions a body holds.
type Copies = BTreeMap<FuncId, u32>;

/// Bodies that are kept, by function.
type Bodies = SecondaryMap<FuncId, Option<Box<Body>>>;

/// What one thread does at a time.
enum Job {
    /// Generates a function and inlines into it.
    Build(FuncId),
    /// Compiles a body whose callers are done.
    Finish(FuncId, Box<Body>),
}

/// What a job leaves.
enum Done {
    /// A body that may go into callers.
    Kept(Built, Box<Body>),
    /// Code of a function that goes into no caller.
    Compiled(Built, Box<CompiledFunc>),
    /// Code of a body that was kept before.
    Finished(Box<CompiledFunc>),
}

/// What is known of a function once all that goes into it is there.
struct Built {
    func: FuncId,
    /// The functions that it still calls.
    calls: Vec<FuncId>,
    /// What it and they may read and write.
    touch: Touch,
    /// Its calls before and after inlining, and what it was before, if that is to be reported.
    sites: BTreeMap<FuncId, Sites>,
    generated: Option<Box<Part>>,
}

/// What a thread reuses from function to function.
struct Scratch {
    context: Context,
    generate: GenerateScratch,
    events: Events,
    /// The last function that was compiled: its allocations serve again.
    spare: Option<ir::Function>,
}

/// The working memory of threads that have nothing to do.
#[derive(Default)]
struct ScratchPool(Mutex<Vec<Scratch>>);

impl ScratchPool {
    fn take(&self) -> Scratch {
        let new = || Scratch {
            context: Context::new(),
            generate: GenerateScratch::default(),
            events: Events::default(),
            spare: None,
        };
        self.lock().pop().unwrap_or_else(new)
    }

    fn give_back(&self, scratch: Scratch) {
        self.lock().push(scratch);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Scratch>> {
        self.0.lock().expect("no thread panics while it holds the lock")
    }
}

/// What only the thread between strata changes.
struct Progress {
    bodies: Bodies,
    summaries: Summaries,
    /// How many callers of each function are not built yet.
    callers_left: SecondaryMap<FuncId, u32>,
    /// Whether a call of the function is left somewhere.
    is_called: SecondaryMap<FuncId, bool>,
    compiled: Compiled,
    /// Bodies to compile together with the next stratum.
    pending: Vec<Job>,
}

impl Compiler<'_> {
    fn run(&self) -> Result<Compiled> {
        let mut progress = Progress {
            bodies: Bodies::new(),
            summaries: Summaries::new(),
            callers_left: self.graph.callers.clone(),
            is_called: SecondaryMap::new(),
            compiled: Compiled::default(),
            pending: Vec::new(),
        };
        for stratum in &self.graph.strata {
            let mut jobs = std::mem::take(&mut progress.pending);
            jobs.extend(stratum.iter().copied().map(Job::Build));
            self.run_jobs(&mut progress, jobs)?;
        }
        let jobs = std::mem::take(&mut progress.pending);
        self.run_jobs(&mut progress, jobs)?;
        Ok(progress.compiled)
    }

    fn run_jobs(&self, progress: &mut Progress, jobs: Vec<Job>) -> Result<()> {
        let before = &*progress;
        let run = |job| {
            let mut scratch = self.scratch.take();
            let done = self.run_job(&mut scratch, before, job);
            self.scratch.give_back(scratch);
            done
        };
        let done: Vec<Result<Done>> = match self.is_small {
            true => jobs.into_iter().map(run).collect(),
            // The jobs differ in size by orders of magnitude, so they are handed out one by one.
            false => jobs.into_par_iter().with_max_len(1).map(run).collect(),
        };
        for done in done {
            self.record(progress, done?);
        }
        Ok(())
    }

    fn run_job(&self, scratch: &mut Scratch, before: &Progress, job: Job) -> Result<Done> {
        scratch.context.clear();
        let (func, done) = match job {
            Job::Build(func) => (func, self.build(scratch, before, func)),
            Job::Finish(func, body) => {
                scratch.context.func = body.clif;
                let has_copies = body.copied_insts > 0;
                let emitted = self.emit(scratch, before, func, has_copies, &body.copies);
                (func, emitted.map(Done::Finished))
            }
        };
        done.map_err(|error| error.context(format!("function `{}`", self.name(func))))
    }

    fn name(&self, func: FuncId) -> &str {
        self.env.program.funcs.get(func).map_or(wasmelt_abi::symbols::MAIN, |func| &func.name)
    }

    fn build(&self, scratch: &mut Scratch, before: &Progress, func: FuncId) -> Result<Done> {
        if !self.is_likely_kept(func) {
            scratch.generate.recycle(scratch.spare.take());
        }
        let mut clif = generate(self.env, self.initial, func, &mut scratch.generate)?;
        let is_reported = self.listing == Listing::Edges && is_reported(self.env.program, func);
        let generated = is_reported.then(|| Box::new(collect_generated(self.env, func, &clif)));
        set_places(&self.places, self.env.program, func, &mut clif);
        scratch.context.func = clif;
        let insts_before = count_insts(&scratch.context.func);
        let mut sites = self.list_sites(&scratch.context.func);
        let mut grown = Grown { insts: insts_before, ..Grown::default() };
        if self.limits.enabled {
            grown = self.inline_calls(&mut scratch.context, &before.bodies, func, insts_before);
        }
        for (callee, _) in &grown.inlined {
            sites.entry(*callee).and_modify(|sites| sites.inlined += 1);
        }
        let copies = self.count_copies(&before.bodies, &grown.inlined);
        let calls = count_calls(&scratch.context.func).into_keys().collect();
        let facts = Facts { env: self.env, summaries: &before.summaries };
        let touch = summarize(facts, func, &scratch.context.func);
        let built = Built { func, calls, touch, sites, generated };
        if self.may_go_in(func, grown.insts) {
            let has_versions =
                self.has_exports && !self.levels.choose(&mut scratch.context).is_empty();
            let clif = std::mem::replace(&mut scratch.context.func, ir::Function::new());
            let Grown { insts, copied_insts, .. } = grown;
            let body = Body { clif, insts, copied_insts, copies, has_versions };
            return Ok(Done::Kept(built, Box::new(body)));
        }
        let has_copies = grown.copied_insts > 0;
        let compiled = self.emit(scratch, before, func, has_copies, &copies)?;
        scratch.spare = Some(std::mem::replace(&mut scratch.context.func, ir::Function::new()));
        Ok(Done::Compiled(built, compiled))
    }

    /// The calls of a function before any is inlined, if that is to be reported.
    fn list_sites(&self, clif: &ir::Function) -> BTreeMap<FuncId, Sites> {
        if self.listing != Listing::Edges {
            return BTreeMap::new();
        }
        let calls = count_calls(clif).into_iter();
        calls.map(|(callee, calls)| (callee, Sites { calls, inlined: 0 })).collect()
    }

    /// The copies that these bodies bring with them, if that is to be reported.
    fn count_copies(&self, bodies: &Bodies, inlined: &[(FuncId, usize)]) -> Copies {
        let mut copies = Copies::new();
        if self.listing == Listing::Edges {
            for (callee, _) in inlined {
                *copies.entry(*callee).or_default() += 1;
                let body = bodies[*callee].as_ref().expect("an inlined callee has a body");
                for (inner, count) in &body.copies {
                    *copies.entry(*inner).or_default() += count;
                }
            }
        }
        copies
    }

    /// Whether a function of that size may go into callers.
    fn may_go_in(&self, func: FuncId, insts: u32) -> bool {
        self.graph.callers[func] > 0
            && !self.graph.is_recursive[func]
            && is_candidate(insts, self.uses_at_least(func), &self.limits)
    }

    /// Whether a function's body will probably be kept, before it is generated. Large allocations of
    /// others are wasted on a body that is kept.
    fn is_likely_kept(&self, func: FuncId) -> bool {
        let insts_min = body_len_bytes(self.env.program, func) / BYTES_PER_INST_MAX;
        self.may_go_in(func, u32::try_from(insts_min).unwrap_or(u32::MAX))
    }

    /// How many calls and references name the function, as far as the call graph knows.
    fn uses_at_least(&self, func: FuncId) -> u32 {
        self.graph.callers[func] + u32::from(self.graph.is_root[func])
    }

    /// Inlines callees into the context's function; returns what became of it.
    fn inline_calls(
        &self,
        context: &mut Context,
        bodies: &Bodies,
        func: FuncId,
        insts_before: u32,
    ) -> Grown {
        let sites = count_calls(&context.func);
        for callee in sites.keys() {
            let known = self.graph.callers[*callee] > 0 || self.graph.is_root[*callee];
            assert!(known, "the call graph lacks {callee}, which {func} calls");
        }
        if sites.keys().all(|callee| bodies[*callee].is_none()) {
            return Grown { insts: insts_before, ..Grown::default() };
        }
        let mut inliner = Inliner {
            compiler: self,
            bodies,
            func,
            sites,
            insts_before,
            in_loops: find_calls_in_loops(&context.func),
            is_in_export: self.env.program.funcs.get(func).is_some_and(is_export),
            grown: Grown { insts: insts_before, ..Grown::default() },
        };
        let result = context.inline(&mut inliner);
        result.expect("inlining fails only beyond limits that growth stays below");
        let grown = inliner.grown;
        for (callee, blocks_before) in &grown.inlined {
            let body = bodies[*callee].as_ref().expect("an inlined callee has a body");
            copy_places(&mut context.func, &body.clif, *blocks_before);
        }
        grown
    }

    fn emit(
        &self,
        scratch: &mut Scratch,
        before: &Progress,
        func: FuncId,
        has_copies: bool,
        copies: &Copies,
    ) -> Result<Box<CompiledFunc>> {
        let context = &mut scratch.context;
        context.set_disasm(self.listing == Listing::Assembly);
        let facts = Facts { env: self.env, summaries: &before.summaries };
        remove_memory_traffic(facts, func, has_copies, context, &mut scratch.events);
        let versions = self.emit_versions(func, context)?;
        narrow_products(self.env.isa, &mut context.func);
        let wants_parts = self.listing == Listing::Edges;
        let mut compiled = emit_function(self.env, &self.places, func, context, wants_parts)?;
        compiled.versions = versions;
        if wants_parts {
            let itself = std::iter::once((&func, &1));
            for (copied, count) in copies.iter().chain(itself) {
                if is_reported(self.env.program, *copied) {
                    compiled.parts.entry(*copied).or_default().copies += count;
                }
            }
        }
        if self.listing == Listing::Clif {
            compiled.listing = Some(context.func.display().to_string());
        }
        Ok(Box::new(compiled))
    }

    /// Compiles the context's function, which stays as it is, for those newer processors that make a
    /// difference to it.
    fn emit_versions(&self, func: FuncId, context: &mut Context) -> Result<Vec<CompiledFunc>> {
        let levels = self.levels.choose(context);
        let emit = |(version, isa): &(Version, OwnedTargetIsa)| {
            let env = Env { isa: &**isa, ..self.env };
            let mut context = Context::for_function(context.func.clone());
            context.set_disasm(self.listing == Listing::Assembly);
            narrow_products(env.isa, &mut context.func);
            let compiled = emit_function(env, &self.places, func, &mut context, false)?;
            Ok(CompiledFunc { version: *version, ..compiled })
        };
        levels.iter().map(emit).collect()
    }

    fn record(&self, progress: &mut Progress, done: Done) {
        let Built { func, calls, touch, sites, generated } = match done {
            Done::Kept(built, body) => {
                progress.bodies[built.func] = Some(body);
                built
            }
            Done::Compiled(built, compiled) => {
                progress.compiled.funcs.push(*compiled);
                built
            }
            Done::Finished(compiled) => return progress.compiled.funcs.push(*compiled),
        };
        let sites = sites.into_iter().map(|(callee, sites)| ((func, callee), sites));
        progress.compiled.sites.extend(sites);
        if let Some(generated) = generated {
            progress.compiled.generated.insert(func, *generated);
        }
        progress.summaries[func] = Some(touch);
        for callee in calls {
            progress.is_called[callee] = true;
        }
        for callee in &self.graph.callees[func] {
            progress.callers_left[*callee] -= 1;
            if progress.callers_left[*callee] > 0 {
                continue;
            }
            // The last caller is done: compile the body if a call is left, and let go of it.
            let is_needed = progress.is_called[*callee] || self.graph.is_root[*callee];
            if let Some(body) = progress.bodies[*callee].take()
                && is_needed
            {
                progress.pending.push(Job::Finish(*callee, body));
            }
        }
    }
}

/// Answers Cranelift's question at each call: keep it or put the body in its place.
struct Inliner<'a> {
    compiler: &'a Compiler<'a>,
    bodies: &'a Bodies,
    func: FuncId,
    /// The callees, and how many calls of each there were at first.
    sites: BTreeMap<FuncId, u32>,
    insts_before: u32,
    /// The calls that are inside loops.
    in_loops: EntitySet<ir::Inst>,
    /// Whether native code calls the caller. The first such call prepares the library, and only then
    /// is it known what the processor has: what has versions is chosen behind that.
    is_in_export: bool,
    grown: Grown,
}

/// What inlining makes of a function.
#[derive(Default)]
struct Grown {
    /// Its size.
    insts: u32,
    /// How many instructions were copied to make it.
    copied_insts: u32,
    /// What went in, and how many blocks the caller had before.
    inlined: Vec<(FuncId, usize)>,
}

impl Inline for Inliner<'_> {
    fn inline(
        &mut self,
        caller: &ir::Function,
        inst: ir::Inst,
        _opcode: ir::Opcode,
        callee: ir::FuncRef,
        args: &[ir::Value],
    ) -> InlineCommand<'_> {
        let Some(callee) = find_callee(caller, callee) else { return InlineCommand::KeepCall };
        let Some(body) = &self.bodies[callee] else { return InlineCommand::KeepCall };
        if body.has_versions && self.is_in_export {
            return InlineCommand::KeepCall;
        }
        let site = CallSite {
            caller_insts: self.grown.insts,
            caller_insts_before: self.insts_before,
            callee_insts: body.insts,
            callee_copied_insts: body.copied_insts,
            callee_uses: self.count_uses(callee),
            crosses_component: self.crosses_component(callee),
            constant_args: args.iter().filter(|arg| is_constant(caller, **arg)).count() as u32,
            is_in_loop: self.in_loops.contains(inst),
            is_cold: caller.layout.inst_block(inst).is_some_and(|it| caller.layout.is_cold(it)),
        };
        if !should_inline(site, &self.compiler.limits) {
            return InlineCommand::KeepCall;
        }
        let grown = &mut self.grown;
        grown.insts += body.insts;
        let copied_insts = body.insts.saturating_add(body.copied_insts);
        grown.copied_insts = grown.copied_insts.saturating_add(copied_insts);
        grown.inlined.push((callee, caller.dfg.num_blocks()));
        // The callee's own calls have been decided when it was built.
        InlineCommand::Inline { callee: Cow::Borrowed(&body.clif), visit_callee: false }
    }
}

impl Inliner<'_> {
    /// The graph counts callers; a single caller may still call twice.
    fn count_uses(&self, callee: FuncId) -> u32 {
        match self.compiler.uses_at_least(callee) {
            1 => self.sites.get(&callee).copied().unwrap_or(1),
            uses => uses,
        }
    }

    fn crosses_component(&self, callee: FuncId) -> bool {
        let funcs = &self.compiler.env.program.funcs;
        let Some(caller) = funcs.get(self.func) else { return true };
        let callee = &funcs[callee];
        let is_adapter = |kind: &FuncKind| matches!(kind, FuncKind::Adapter(_));
        caller.component != callee.component
            || is_adapter(&caller.kind)
            || is_adapter(&callee.kind)
            || matches!(
                callee.kind,
                FuncKind::Resource { .. } | FuncKind::Cell { .. } | FuncKind::HostCall { .. }
            )
    }
}

/// Whether native code calls the function.
fn is_export(func: &Func) -> bool {
    matches!(func.kind, FuncKind::Export { .. })
}

/// Whether a value is an integer constant.
fn is_constant(func: &ir::Function, value: ir::Value) -> bool {
    let inst = func.dfg.value_def(value).inst();
    inst.is_some_and(|inst| func.dfg.insts[inst].opcode() == ir::Opcode::Iconst)
}

/// The direct calls inside loops. The generators lay out a loop's blocks side by side, its header
/// first, so what lies between the target and the source of a branch backwards is the loop.
fn find_calls_in_loops(func: &ir::Function) -> EntitySet<ir::Inst> {
    let blocks: Vec<ir::Block> = func.layout.blocks().collect();
    let mut position = SecondaryMap::<ir::Block, u32>::new();
    for (at, block) in blocks.iter().enumerate() {
        position[*block] = at as u32;
    }
    // At each header, how far its loop reaches.
    let mut ends = vec![0; blocks.len()];
    for (at, block) in blocks.iter().enumerate() {
        for target in func.block_successors(*block) {
            let header = position[target] as usize;
            if header <= at {
                ends[header] = ends[header].max(at + 1);
            }
        }
    }
    let mut calls = EntitySet::new();
    let mut loop_end = 0;
    for (at, block) in blocks.iter().enumerate() {
        loop_end = loop_end.max(ends[at]);
        if at < loop_end {
            let insts = func.layout.block_insts(*block);
            calls.extend(insts.filter(|inst| func.dfg.insts[*inst].opcode() == ir::Opcode::Call));
        }
    }
    calls
}

/// The function of the program that a reference names, if it names one.
fn find_callee(caller: &ir::Function, callee: ir::FuncRef) -> Option<FuncId> {
    let ir::ExternalName::User(name) = caller.dfg.ext_funcs[callee].name else { return None };
    let name = &caller.params.user_named_funcs()[name];
    (name.namespace == NAMESPACE_FUNC).then(|| FuncId::from_u32(name.index))
}

/// The length of a function's body in its file; 0 if it has none.
fn body_len_bytes(program: &Program, func: FuncId) -> usize {
    let Some(FuncKind::Wasm { instance, body }) = program.funcs.get(func).map(|func| &func.kind)
    else {
        return 0;
    };
    let module = &program.modules[program.core_instances[*instance].module];
    module.bodies[*body as usize].bytes.range.len()
}

/// How often each function is called directly.
fn count_calls(func: &ir::Function) -> BTreeMap<FuncId, u32> {
    let mut calls = BTreeMap::new();
    for block in func.layout.blocks() {
        for inst in func.layout.block_insts(block) {
            if let ir::InstructionData::Call { func_ref, .. }
            | ir::InstructionData::TryCall { func_ref, .. } = func.dfg.insts[inst]
                && let Some(callee) = find_callee(func, func_ref)
            {
                *calls.entry(callee).or_default() += 1;
            }
        }
    }
    calls
}

fn count_insts(func: &ir::Function) -> u32 {
    let count = |block| func.layout.block_insts(block).count() as u32;
    func.layout.blocks().map(count).sum()
}

/// Keeps what roots reach through the machine code's references, in the order of the ids. What
/// optimisation found to be unreachable code may have been the last to call something.
fn drop_unreached(graph: &CallGraph, compiled: Vec<CompiledFunc>) -> Vec<CompiledFunc> {
    let mut funcs = SecondaryMap::<FuncId, Option<CompiledFunc>>::new();
    let mut work = Vec::new();
    for func in compiled {
        if graph.is_root[func.func] {
            work.push(func.func);
        }
        let id = func.func;
        funcs[id] = Some(func);
    }
    let mut kept = Vec::new();
    while let Some(id) = work.pop() {
        let Some(func) = funcs[id].take() else { continue };
        let all = std::iter::once(&func).chain(&func.versions);
        let relocations = all.flat_map(|version| &version.relocations);
        work.extend(relocations.filter_map(|reloc| match reloc.target {
            Target::Func(callee) => Some(callee),
            _ => None,
        }));
        kept.push(func);
    }
    kept.sort_unstable_by_key(|func| func.func);
    kept
}
