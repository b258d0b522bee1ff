//! All functions to machine code: bottom-up over the call graph, in parallel.
//!
//! One stratum of the call graph after the other: each function is generated, and
//! the calls are marked that the bodies of finished callees are to replace. Then
//! either that is done and machine code made at once or, if the function itself may
//! go into a later caller, its body is kept until the last of its callers is done. By
//! then it is known whether any call is left, and only then is it compiled. So no
//! function is compiled that nobody calls, and no body is held longer than it can be
//! of use.
//!
//! Every decision falls between strata, where only one thread runs, or depends on
//! earlier strata alone: the result is the same whatever the number of threads.

use crate::bodies::{Bodies, Body};
use crate::call_graph::{CallGraph, build_call_graph, main_func};
use crate::data::InitialData;
use crate::edges::parts::{Part, collect_generated, is_reported};
use crate::edges::{SiteTable, Sites};
use crate::emit::{CompiledFunc, Target, emit_function};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::expand::{Call, expand_marks, find_calls_in_loops, list_calls, mark_calls};
use crate::generate::{GenerateScratch, generate};
use crate::inline::{CallSite, InlineLimits, growth_insts, is_candidate, may_grow, should_inline};
use crate::options::Options;
use crate::passes::{
    Events, Facts, Summaries, Touch, narrow_products, remove_memory_traffic, summarize,
};
use crate::places::{Places, number_places, set_places};
use crate::program::{Func, FuncId, FuncKind, Program};
use crate::relax::{Relaxing, choose_relaxing};
use crate::versions::{Levels, Version, separate_versions};
use cranelift_codegen::{Context, ir};
use cranelift_entity::SecondaryMap;
use rayon::prelude::*;
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
        body_bytes: count_body_bytes(env.program, &graph),
        graph,
        limits: InlineLimits::of(options.opt_level, options.inline),
        levels: Levels::of(options, listing)?,
        relaxing: choose_relaxing(options),
        has_exports: env.program.funcs.values().any(is_export),
        places: number_places(env.program),
        listing,
        scratch: ScratchPool::default(),
    };
    let mut compiled = match compiler.is_small() {
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
const PARALLEL_BYTES_MIN: u64 = 1 << 11;
/// Fewer bytes of bodies in one stratum are compiled sooner than other threads wake up.
const STRATUM_BYTES_MIN: usize = 1 << 9;
/// What a function counts at least: adapters have no body.
const FUNC_BYTES_MIN: usize = 1 << 6;
/// Types cannot nest deeper than there are types.
const SHALLOW_TYPES_MAX: usize = 1 << 6;

/// How many bytes the bodies have of the functions that are compiled.
fn count_body_bytes(program: &Program, graph: &CallGraph) -> u64 {
    let funcs = graph.strata.iter().flatten();
    funcs.map(|func| body_len_bytes(program, *func).max(FUNC_BYTES_MIN) as u64).sum()
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
    body_bytes: u64,
    graph: CallGraph,
    limits: InlineLimits,
    levels: Levels,
    relaxing: Relaxing,
    /// Whether native code calls functions of the program.
    has_exports: bool,
    places: Places,
    listing: Listing,
    scratch: ScratchPool,
}

/// Hardly any body has more bytes per instruction of CLIF.
const BYTES_PER_INST_MAX: usize = 8;

/// What one thread does at a time.
enum Job {
    /// Generates a function and inlines into it.
    Build(FuncId),
    /// Compiles a body whose callers are done.
    Finish(FuncId),
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
    /// The functions that it still calls, each once.
    calls: Vec<FuncId>,
    /// What it and they may read and write.
    touch: Touch,
    /// How much the program has grown by what goes into it.
    growth_insts: u32,
    /// Its calls before and after inlining, and what it was before, if that is to be reported.
    sites: BTreeMap<FuncId, Sites>,
    generated: Option<Box<Part>>,
}

/// What a thread reuses from function to function.
struct Scratch {
    context: Context,
    allocator: regalloc2::Ctx,
    generate: GenerateScratch,
    events: Events,
    /// The last function that was compiled: its allocations serve again.
    spare: Option<ir::Function>,
}

/// The working memory of threads that have nothing to do. It is large, so that moving it would take
/// longer than the lock may be held.
#[derive(Default)]
struct ScratchPool(Mutex<Vec<Box<Scratch>>>);

impl ScratchPool {
    fn take(&self) -> Box<Scratch> {
        let new = || {
            Box::new(Scratch {
                context: Context::new(),
                allocator: regalloc2::Ctx::default(),
                generate: GenerateScratch::default(),
                events: Events::default(),
                spare: None,
            })
        };
        self.lock().pop().unwrap_or_else(new)
    }

    fn give_back(&self, scratch: Box<Scratch>) {
        self.lock().push(scratch);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Box<Scratch>>> {
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
    /// How much copies have grown the program in earlier strata.
    grown_insts: u64,
    /// Bodies to compile together with the next stratum.
    pending: Vec<Job>,
}

impl Compiler<'_> {
    fn run(&self) -> Result<Compiled> {
        let mut progress = Progress {
            bodies: Bodies::default(),
            summaries: Summaries::new(),
            callers_left: self.graph.callers.clone(),
            is_called: SecondaryMap::new(),
            compiled: Compiled::default(),
            grown_insts: 0,
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
        let is_alone = self.is_small() || self.count_job_bytes(&jobs) < STRATUM_BYTES_MIN;
        let done: Vec<Result<Done>> = match is_alone {
            true => jobs.into_iter().map(run).collect(),
            // The jobs differ in size by orders of magnitude, so they are handed out one by one.
            false => jobs.into_par_iter().with_max_len(1).map(run).collect(),
        };
        for done in done {
            self.record(progress, done?);
        }
        Ok(())
    }

    fn count_job_bytes(&self, jobs: &[Job]) -> usize {
        let funcs = jobs.iter().map(|job| match job {
            Job::Build(func) | Job::Finish(func) => *func,
        });
        funcs.map(|func| body_len_bytes(self.env.program, func).max(FUNC_BYTES_MIN)).sum()
    }

    fn run_job(&self, scratch: &mut Scratch, before: &Progress, job: Job) -> Result<Done> {
        scratch.context.clear();
        let (func, done) = match job {
            Job::Build(func) => (func, self.build(scratch, before, func)),
            Job::Finish(func) => {
                // Bodies that are still to be compiled may be marked in it, and it in them.
                let Body { clif, marked, .. } = before.bodies.get(func);
                scratch.context.func = clif.clone();
                (func, self.emit(scratch, before, func, !marked.is_empty()).map(Done::Finished))
            }
        };
        done.map_err(|error| error.context(format!("function `{}`", self.name(func))))
    }

    /// Whether the program is not worth threads, and compiling it needs no large stack.
    fn is_small(&self) -> bool {
        let types = self.env.program.types.len();
        types <= SHALLOW_TYPES_MAX && self.body_bytes < PARALLEL_BYTES_MIN
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
        let facts = Facts { env: self.env, summaries: &before.summaries };
        let touch = summarize(facts, func, &clif);
        let Marks { insts, growth_insts, marked, sites, calls } =
            self.mark(before, func, &mut clif);
        let built = Built { func, calls, touch, growth_insts, sites, generated };
        scratch.context.func = clif;
        if self.may_go_in(func, insts) {
            let has_versions = self.has_exports && self.has_versions(before, scratch, &marked);
            let clif = std::mem::replace(&mut scratch.context.func, ir::Function::new());
            return Ok(Done::Kept(built, Box::new(Body { clif, insts, marked, has_versions })));
        }
        let compiled = self.emit(scratch, before, func, !marked.is_empty())?;
        scratch.spare = Some(std::mem::replace(&mut scratch.context.func, ir::Function::new()));
        Ok(Done::Compiled(built, compiled))
    }

    /// Whether newer processors get versions of the code of the context's function, or of what goes
    /// into it.
    fn has_versions(&self, before: &Progress, scratch: &mut Scratch, marked: &[FuncId]) -> bool {
        let bodies = &before.bodies;
        marked.iter().any(|callee| bodies.get(*callee).has_versions)
            || self.levels.choose(&mut scratch.context).next().is_some()
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

    /// Decides which calls of a function are replaced, and marks them.
    fn mark(&self, before: &Progress, func: FuncId, clif: &mut ir::Function) -> Marks {
        let calls = list_calls(clif);
        let mut sites: BTreeMap<FuncId, Sites> = BTreeMap::new();
        for call in &calls {
            let known = self.graph.callers[call.callee] > 0 || self.graph.is_root[call.callee];
            assert!(known, "the call graph lacks {}, which {func} calls", call.callee);
            sites.entry(call.callee).or_default().calls += 1;
        }
        let insts = count_insts(clif);
        let mut marks = Marks { insts, sites, ..Marks::default() };
        let has_body = |call: &Call| before.bodies.find(call.callee).is_some();
        if self.limits.enabled && calls.iter().any(has_body) {
            let picked = self.pick(before, func, clif, calls, &mut marks);
            mark_calls(clif, &picked);
        }
        let left = marks.sites.iter().filter(|(_, sites)| sites.inlined < sites.calls);
        marks.calls = left.map(|(callee, _)| *callee).collect();
        let gone = marks.sites.iter().filter(|(_, sites)| sites.inlined > 0);
        marks.marked = gone.map(|(callee, _)| *callee).collect();
        if self.listing != Listing::Edges {
            marks.sites = BTreeMap::new();
        }
        marks
    }

    /// The calls that are worth it, in the order of the code.
    fn pick(
        &self,
        before: &Progress,
        func: FuncId,
        clif: &ir::Function,
        mut calls: Vec<Call>,
        marks: &mut Marks,
    ) -> Vec<Call> {
        let caller_insts_before = marks.insts;
        let may_grow = may_grow(before.grown_insts, self.body_bytes, &self.limits);
        let in_loops = find_calls_in_loops(clif);
        // The first call by native code prepares the library, and only then is it known what the
        // processor has: what has versions is chosen behind that.
        let is_in_export = self.env.program.funcs.get(func).is_some_and(is_export);
        calls.retain(|Call { inst, callee }| {
            let Some(body) = before.bodies.find(*callee) else { return false };
            if is_in_export && body.has_versions {
                return false;
            }
            let args = clif.dfg.inst_args(*inst);
            let sites = marks.sites.get_mut(callee).expect("its calls have been counted");
            let site = CallSite {
                caller_insts: marks.insts,
                caller_insts_before,
                callee_insts: body.insts,
                callee_uses: match self.uses_at_least(*callee) {
                    // The graph counts callers; a single caller may still call twice.
                    1 => sites.calls,
                    uses => uses,
                },
                crosses_component: self.crosses_component(func, *callee),
                constant_args: args.iter().filter(|arg| is_constant(clif, **arg)).count() as u32,
                is_in_loop: in_loops.contains(*inst),
                is_cold: clif.layout.inst_block(*inst).is_some_and(|it| clif.layout.is_cold(it)),
                may_grow,
            };
            let is_picked = should_inline(site, &self.limits);
            if is_picked {
                marks.insts += body.insts;
                marks.growth_insts += growth_insts(site, &self.limits);
                sites.inlined += 1;
            }
            is_picked
        });
        calls
    }

    fn crosses_component(&self, caller: FuncId, callee: FuncId) -> bool {
        let funcs = &self.env.program.funcs;
        let Some(caller) = funcs.get(caller) else { return true };
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

    fn emit(
        &self,
        scratch: &mut Scratch,
        before: &Progress,
        func: FuncId,
        has_marks: bool,
    ) -> Result<Box<CompiledFunc>> {
        let Scratch { context, allocator, events, .. } = scratch;
        let copies = match has_marks {
            true => expand_marks(context, &before.bodies),
            false => BTreeMap::new(),
        };
        context.set_disasm(self.listing == Listing::Assembly);
        let facts = Facts { env: self.env, summaries: &before.summaries };
        remove_memory_traffic(facts, func, has_marks, context, events);
        let versions = self.emit_versions(func, context, allocator)?;
        narrow_products(self.env.isa, &mut context.func);
        let wants_parts = self.listing == Listing::Edges;
        let relaxing = self.relaxing;
        let mut compiled =
            emit_function(self.env, &self.places, func, context, allocator, relaxing, wants_parts)?;
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
    fn emit_versions(
        &self,
        func: FuncId,
        context: &mut Context,
        allocator: &mut regalloc2::Ctx,
    ) -> Result<Vec<CompiledFunc>> {
        let levels = self.levels.choose(context);
        let emit = |(version, isa): (Version, _)| {
            let env = Env { isa, ..self.env };
            let mut context = Context::for_function(context.func.clone());
            context.set_disasm(self.listing == Listing::Assembly);
            narrow_products(env.isa, &mut context.func);
            let compiled = emit_function(
                env,
                &self.places,
                func,
                &mut context,
                allocator,
                self.relaxing,
                false,
            )?;
            Ok(CompiledFunc { version, ..compiled })
        };
        levels.map(emit).collect()
    }

    fn record(&self, progress: &mut Progress, done: Done) {
        let Built { func, calls, touch, growth_insts, sites, generated } = match done {
            Done::Kept(built, body) => {
                progress.bodies.insert(built.func, body);
                built
            }
            Done::Compiled(built, compiled) => {
                progress.compiled.funcs.push(*compiled);
                built
            }
            Done::Finished(compiled) => {
                progress.bodies.release(compiled.func);
                progress.compiled.funcs.push(*compiled);
                return;
            }
        };
        let sites = sites.into_iter().map(|(callee, sites)| ((func, callee), sites));
        progress.compiled.sites.extend(sites);
        if let Some(generated) = generated {
            progress.compiled.generated.insert(func, *generated);
        }
        progress.summaries[func] = Some(touch);
        progress.grown_insts += u64::from(growth_insts);
        for callee in calls {
            progress.is_called[callee] = true;
        }
        for callee in &self.graph.callees[func] {
            progress.callers_left[*callee] -= 1;
            if progress.callers_left[*callee] > 0 {
                continue;
            }
            if progress.bodies.find(*callee).is_none() {
                continue;
            }
            // The last caller is done: compile the body if a call is left, and let go of it.
            if progress.is_called[*callee] || self.graph.is_root[*callee] {
                progress.bodies.hold(*callee);
                progress.pending.push(Job::Finish(*callee));
            }
            progress.bodies.release(*callee);
        }
    }
}

/// What becomes of a function's calls.
#[derive(Default)]
struct Marks {
    /// The function's size with all that goes into it.
    insts: u32,
    /// How much of that the program has more than before.
    growth_insts: u32,
    /// The functions that marked calls call, each once.
    marked: Vec<FuncId>,
    /// Those that the others call, each once.
    calls: Vec<FuncId>,
    /// How many of the calls of each are marked, if that is to be reported.
    sites: BTreeMap<FuncId, Sites>,
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

/// The length of a function's body in its file; 0 if it has none.
fn body_len_bytes(program: &Program, func: FuncId) -> usize {
    let Some(FuncKind::Wasm { instance, body }) = program.funcs.get(func).map(|func| &func.kind)
    else {
        return 0;
    };
    let module = &program.modules[program.core_instances[*instance].module];
    module.bodies[*body as usize].bytes.range.len()
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
