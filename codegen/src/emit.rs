//! One function's CLIF to machine code, in plain data.

use crate::edges::parts::{Parts, collect_parts};
use crate::env::{
    Env, NAMESPACE_ACTIONS, NAMESPACE_COPIED, NAMESPACE_DATA, NAMESPACE_ELEM, NAMESPACE_FUNC,
    NAMESPACE_IMPORT, NAMESPACE_SYMBOL, SymbolId,
};
use crate::epilogues::simplify_epilogues;
use crate::error::{Error, Result};
use crate::passes::finish_optimising;
use crate::places::{Place, Places};
use crate::program::{DataId, ElemId, FuncId};
use crate::relax::{Moves, Relaxed, Relaxing, relax};
use crate::unwind::{Unwind, describe_frame};
use crate::versions::Version;
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{self, ExternalName, LibCall, TrapCode};
use cranelift_codegen::{CodegenError, CodegenResult, CompiledCode, Context, FinalizedRelocTarget};
use target_lexicon::{Architecture, OperatingSystem};
use wasmelt_abi::trap::Trap;

/// A function's machine code.
#[derive(Clone, Debug)]
pub struct CompiledFunc {
    /// The function; `main_func` is `wasmelt_main`.
    pub func: FuncId,
    /// Which of the function's versions it is.
    pub version: Version,
    /// Versions for newer processors, until they stand beside it.
    pub versions: Vec<CompiledFunc>,
    /// Code and the constants behind it.
    pub code: Vec<u8>,
    /// Alignment in bytes.
    pub align: u32,
    /// References to what lies outside of it.
    pub relocations: Vec<CodeRelocation>,
    /// Instructions that trap, ascending.
    pub traps: Vec<CodeTrap>,
    /// How to find its caller's frame.
    pub unwind: Option<Unwind>,
    /// Assembly text, if it was asked for.
    pub listing: Option<String>,
    /// What it holds of which adapter, if that was asked for.
    pub parts: Parts,
}

/// A reference from code.
#[derive(Clone, Debug)]
pub struct CodeRelocation {
    /// Where, in bytes from the function's start.
    pub offset: u32,
    /// How the address is written.
    pub kind: Reloc,
    /// To what.
    pub target: Target,
    /// What is added to the address.
    pub addend: i64,
}

/// What code refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A function of the program.
    Func(FuncId),
    /// One version of a function that has several.
    Version(FuncId, Version),
    /// A byte of the function itself.
    Own(u32),
    /// A symbol of the shim.
    Symbol(SymbolId),
    /// A function of the shim that Cranelift calls for an operation the processor lacks.
    Library(&'static str),
    /// The bytes of a data segment.
    Data(DataId),
    /// The elements of an element segment.
    Elem(ElemId),
    /// Initial contents that start-up copies, by index.
    Copied(u32),
    /// The table of a script's actions.
    Actions,
    /// The word that holds the address of an undefined function.
    Import(SymbolId),
}

/// An instruction that may trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeTrap {
    /// Its offset from the function's start.
    pub offset: u32,
    /// The cause; `None` is an access to guest memory, whose fault address says it all.
    pub cause: Option<Trap>,
    /// Where it stems from.
    pub place: Option<Place>,
    /// Where the code that stems from the same place starts, in bytes from the function's start.
    pub place_start: u32,
}

/// Optimises and compiles the function in `context`, and places its code; `wants_parts` is whether to
/// say what stems from which adapter.
///
/// # Errors
///
/// `Unsupported` if the function is larger than Cranelift can compile.
pub fn emit_function(
    env: Env<'_>,
    places: &Places,
    func: FuncId,
    context: &mut Context,
    allocator: &mut regalloc2::Ctx,
    relaxing: Relaxing,
    wants_parts: bool,
) -> Result<CompiledFunc> {
    refuse_vectors(env, &context.func)?;
    let mut compiled = compile(env, context, allocator).map_err(|error| describe(&error))?;
    let align = compiled.buffer.alignment.max(env.isa.function_alignment().minimum);
    let mut code = compiled.buffer.data().to_vec();
    let triple = env.isa.triple();
    if triple.architecture == Architecture::X86_64
        && triple.operating_system != OperatingSystem::Windows
    {
        simplify_epilogues(&mut code, &compiled.bb_starts);
    }
    let Relaxed { bytes: code, align, moves } = relax(relaxing, code, &compiled, align);
    for (offset, _) in &mut compiled.buffer.unwind_info {
        *offset = moves.find_end(*offset);
    }
    let buffer = &compiled.buffer;
    let traps = collect_traps(env, places, &compiled, &moves);
    let names = context.func.params.user_named_funcs();
    let relocations = buffer.relocs().iter().map(|reloc| {
        let target = match &reloc.target {
            FinalizedRelocTarget::Func(offset) => Target::Own(moves.find(*offset)),
            FinalizedRelocTarget::ExternalName(name) => find_target(name, names),
        };
        let offset = moves.find(reloc.offset);
        CodeRelocation { offset, kind: reloc.kind, target, addend: reloc.addend }
    });
    let relocations = relocations.collect();
    let parts = match wants_parts {
        true => collect_parts(env, places, &context.func, (&compiled, &moves), &traps),
        false => Parts::new(),
    };
    let unwind = describe_frame(env.isa, &compiled)?;
    let listing = compiled.vcode;
    Ok(CompiledFunc {
        func,
        version: Version::Entry,
        versions: Vec::new(),
        code,
        align,
        relocations,
        traps,
        unwind,
        listing,
        parts,
    })
}

/// What Cranelift's `Context::compile` does, and between its optimiser and its code generator what
/// needs to come there.
fn compile(
    env: Env<'_>,
    context: &mut Context,
    allocator: &mut regalloc2::Ctx,
) -> CodegenResult<CompiledCode> {
    let control = &mut ControlPlane::default();
    context.verify_if(env.isa)?;
    context.optimize(env.isa, control)?;
    finish_optimising(env.isa, context);
    context.verify_if(env.isa)?;
    let Context { func, domtree, want_disasm, .. } = context;
    let stencil = env.isa.compile_function(func, domtree, allocator, *want_disasm, control)?;
    Ok(stencil.apply_params(&func.params))
}

/// RISC-V has vectors only with an extension that the baseline leaves out.
fn refuse_vectors(env: Env<'_>, func: &ir::Function) -> Result<()> {
    if !matches!(env.isa.triple().architecture, Architecture::Riscv64(_)) {
        return Ok(());
    }
    let has_vectors =
        env.isa.isa_flags().iter().any(|flag| flag.name == "has_v" && flag.as_bool() == Some(true));
    let uses_vectors = || func.dfg.values().any(|value| func.dfg.value_type(value).is_vector());
    if !has_vectors && uses_vectors() {
        return Err(Error::unsupported("SIMD on a RISC-V processor without the V extension")
            .help("add `--cpu +v` if the program will run only on processors that have it"));
    }
    Ok(())
}

type Names = cranelift_entity::PrimaryMap<ir::UserExternalNameRef, ir::UserExternalName>;

/// What a name in a function's CLIF stands for.
pub(crate) fn find_target(name: &ExternalName, names: &Names) -> Target {
    match name {
        ExternalName::User(name) => {
            let ir::UserExternalName { namespace, index } = names[*name];
            match namespace {
                NAMESPACE_FUNC => Target::Func(FuncId::from_u32(index)),
                NAMESPACE_SYMBOL => Target::Symbol(SymbolId(index)),
                NAMESPACE_DATA => Target::Data(DataId::from_u32(index)),
                NAMESPACE_ELEM => Target::Elem(ElemId::from_u32(index)),
                NAMESPACE_COPIED => Target::Copied(index),
                NAMESPACE_ACTIONS => Target::Actions,
                NAMESPACE_IMPORT => Target::Import(SymbolId(index)),
                _ => panic!("no function generator uses name space {namespace}"),
            }
        }
        ExternalName::LibCall(call) => Target::Library(library_symbol(*call)),
        ExternalName::TestCase(_) | ExternalName::KnownSymbol(_) => {
            panic!("no function generator names {name:?}")
        }
    }
}

/// The shim's symbol for an operation that the processor may lack.
fn library_symbol(call: LibCall) -> &'static str {
    match call {
        LibCall::CeilF32 => "ceilf",
        LibCall::CeilF64 => "ceil",
        LibCall::FloorF32 => "floorf",
        LibCall::FloorF64 => "floor",
        LibCall::TruncF32 => "truncf",
        LibCall::TruncF64 => "trunc",
        LibCall::NearestF32 => "nearbyintf",
        LibCall::NearestF64 => "nearbyint",
        LibCall::FmaF32 => "fmaf",
        LibCall::FmaF64 => "fma",
        LibCall::Memcpy => "memcpy",
        LibCall::Memset => "memset",
        LibCall::Memmove => "memmove",
        LibCall::Memcmp => "memcmp",
        LibCall::X86Pshufb => wasmelt_abi::symbols::X86_PSHUFB,
        LibCall::Probestack | LibCall::ElfTlsGetAddr | LibCall::ElfTlsGetOffset => {
            panic!("the settings exclude {call}")
        }
    }
}

fn collect_traps(
    env: Env<'_>,
    places: &Places,
    compiled: &cranelift_codegen::CompiledCode,
    moves: &Moves,
) -> Vec<CodeTrap> {
    let locations = compiled.buffer.get_srclocs_sorted();
    let find_place = |offset: u32| {
        let at = locations.partition_point(|range| range.start <= offset).checked_sub(1)?;
        let range = &locations[at];
        let place = places.find(env.program, range.loc)?;
        // On s390x a trap is recorded on the last byte of its instruction.
        (offset < range.end).then_some((range.start, place))
    };
    let mut traps = Vec::with_capacity(compiled.buffer.traps().len());
    for trap in compiled.buffer.traps() {
        let found = find_place(trap.offset);
        traps.push(CodeTrap {
            offset: moves.find(trap.offset),
            cause: trap_cause(trap.code),
            place: found.map(|(_, place)| place),
            place_start: moves.find(found.map_or(trap.offset, |(start, _)| start)),
        });
    }
    traps.sort_by_key(|trap| trap.offset);
    traps
}

/// The cause that a Cranelift trap code stands for; `None` is an access to guest memory.
pub(crate) fn trap_cause(code: TrapCode) -> Option<Trap> {
    Some(match code {
        TrapCode::HEAP_OUT_OF_BOUNDS => return None,
        TrapCode::STACK_OVERFLOW => Trap::StackOverflow,
        TrapCode::INTEGER_OVERFLOW => Trap::IntegerOverflow,
        TrapCode::INTEGER_DIVISION_BY_ZERO => Trap::DivideByZero,
        TrapCode::BAD_CONVERSION_TO_INTEGER => Trap::InvalidConversion,
        code => Trap::from_code(code.as_raw().get()).unwrap_or(Trap::Internal),
    })
}

/// The error for a function that Cranelift refuses; other failures are our own.
fn describe(error: &CodegenError) -> Error {
    match error {
        CodegenError::ImplLimitExceeded | CodegenError::CodeTooLarge => {
            Error::unsupported("a function that is too large for the code generator")
        }
        CodegenError::Unsupported(what) => Error::unsupported(what.clone()),
        other => panic!("the generated function is not valid: {other}"),
    }
}
