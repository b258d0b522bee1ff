//! Bodies of wasm functions to CLIF.
//!
//! One walk over a validated body: an operand stack of CLIF values, a stack of
//! control frames on the heap, locals as the frontend's variables. Each topic's
//! instructions are one file; each of them answers whether an operator was its own.
//! Everything that the program's closed world makes constant is a constant here:
//! callees, addresses, sizes of memories that do not grow, elements of frozen
//! tables, values of frozen globals.
//!
//! Every instruction carries the byte offset of its operator in the module's file.
//! Holds afterwards: the function is legal CLIF in the guest calling convention,
//! not optimised. What is left out of checks is decided in [`crate::memory`] and
//! `tables.rs` and nowhere else.

mod atomics;
mod calls;
mod control;
mod forwarding;
mod memory_ops;
mod numeric;
mod refs;
mod simd;
mod simd_memory;
mod tables;
mod variables;

pub use self::forwarding::read_forwarding;

use crate::env::{Env, NAMESPACE_FUNC, SymbolId, clif_type};
use crate::error::{Error, Position, Result};
use crate::module::{BranchHint, Module};
use crate::program::{CoreInstance, FuncId, FuncKind, MemoryId};
use crate::types::CoreTypeId;
use control::Frame;
use cranelift_codegen::ir::{
    self, BlockArg, Endianness, FuncRef, InstBuilder, MemFlagsData, SigRef, SourceLoc,
    UserFuncName, Value, types,
};
use cranelift_frontend::{FuncInstBuilder, FunctionBuilder, FunctionBuilderContext};
use std::collections::HashMap;
use target_lexicon::Architecture;
use wasmparser::{BinaryReader, FunctionBody, Operator};

/// What one translation leaves for the next, so that allocations and facts are reused.
#[derive(Default)]
pub struct TranslateScratch {
    builder: FunctionBuilderContext,
    stack: Vec<Value>,
    frames: Vec<Frame>,
    args: Vec<BlockArg>,
    /// A function whose allocations the next one takes over.
    pub spare: Option<ir::Function>,
}

/// Translates the body of a function of kind `Wasm`. A scratch belongs to one program.
///
/// Fails with `Unsupported` at the operator that is not implemented.
pub fn translate_body(
    env: Env<'_>,
    func: FuncId,
    scratch: &mut TranslateScratch,
) -> Result<ir::Function> {
    let FuncKind::Wasm { instance, body: body_index } = env.program.funcs[func].kind else {
        panic!("{func} has no body to translate");
    };
    let instance = &env.program.core_instances[instance];
    let module = &env.program.modules[instance.module];
    let body = &module.bodies[body_index as usize];
    if body.summary.uses_simd && !has_vectors(env) {
        return Err(Error::unsupported("vector instructions on riscv64 without the V extension")
            .help("enable the processor feature `has_v`"));
    }
    let file = &env.program.files[body.bytes.file];
    let bytes = &file.bytes[body.bytes.range.clone()];
    let reader = FunctionBody::new(BinaryReader::new(bytes, body.bytes.range.start as u64));

    let name = UserFuncName::user(NAMESPACE_FUNC, func.as_u32());
    let signature = env.guest_signature(env.program.funcs[func].ty);
    let mut out = scratch.spare.take().unwrap_or_else(ir::Function::new);
    out.clear();
    out.dfg.exception_tables.clear();
    (out.name, out.signature) = (name, signature);
    scratch.stack.clear();
    scratch.frames.clear();
    let translator = Translator {
        env,
        instance,
        module,
        b: FunctionBuilder::new(&mut out, &mut scratch.builder),
        stack: &mut scratch.stack,
        frames: &mut scratch.frames,
        args: &mut scratch.args,
        hints: hints_of(module, body_index),
        offset: 0,
        reachable: true,
        dead_depth: 0,
        callees: HashMap::new(),
        signatures: HashMap::new(),
        shim_callees: Vec::new(),
    };
    match translator.run(func, &reader) {
        Ok(()) => Ok(out),
        Err(error) => {
            // The builder's context still holds half a function.
            scratch.builder = FunctionBuilderContext::new();
            Err(error
                .in_file(&file.path)
                .context(format!("the function `{}`", env.program.funcs[func].name)))
        }
    }
}

/// Whether the target has a vector unit: on RISC-V that is an extension.
fn has_vectors(env: Env<'_>) -> bool {
    let is_riscv = matches!(env.isa.triple().architecture, Architecture::Riscv64(_));
    let is_extension = |flag: &cranelift_codegen::settings::Value| {
        flag.name == "has_v" && flag.as_bool() == Some(true)
    };
    !is_riscv || env.isa.isa_flags().iter().any(is_extension)
}

/// The hints for a body. A section out of order loses its effect, nothing else.
fn hints_of(module: &Module, body: u32) -> &[BranchHint] {
    let func = module.imported.funcs + body;
    let start = module.branch_hints.partition_point(|hint| hint.func < func);
    let rest = &module.branch_hints[start..];
    &rest[..rest.partition_point(|hint| hint.func == func)]
}

/// The state of one body's translation.
struct Translator<'a, 'b> {
    env: Env<'a>,
    instance: &'a CoreInstance,
    module: &'a Module,
    b: FunctionBuilder<'b>,
    /// The operand stack. A vector may have any lane type: see [`Translator::pop_vector`].
    stack: &'b mut Vec<Value>,
    /// The enclosing blocks, the body itself first.
    frames: &'b mut Vec<Frame>,
    /// Arguments of the branch that is being made.
    args: &'b mut Vec<BlockArg>,
    /// The module's branch hints for this body.
    hints: &'a [BranchHint],
    /// Byte offset of the current operator from the start of the body.
    offset: u32,
    /// Whether the current position can be reached.
    reachable: bool,
    /// How many blocks were opened since it no longer could.
    dead_depth: u32,
    callees: HashMap<FuncId, FuncRef>,
    signatures: HashMap<CoreTypeId, SigRef>,
    shim_callees: Vec<(SymbolId, FuncRef)>,
}

impl<'b> Translator<'_, 'b> {
    fn run(mut self, func: FuncId, body: &FunctionBody<'_>) -> Result<()> {
        let entry = self.b.create_block();
        self.b.append_block_params_for_function_params(entry);
        self.b.switch_to_block(entry);
        self.b.seal_block(entry);
        self.declare_locals(func, entry, body)?;
        self.push_body_frame(func);
        let mut operators = body.get_operators_reader().map_err(decode_error)?;
        while !operators.eof() {
            let (operator, offset) = operators.read_with_offset().map_err(decode_error)?;
            self.b.set_srcloc(SourceLoc::new(offset as u32));
            self.offset = (offset - body.range().start) as u32;
            self.translate(&operator).map_err(|error| {
                error.at(Position::Offset(usize::try_from(offset).unwrap_or(usize::MAX)))
            })?;
        }
        assert!(self.frames.is_empty(), "{func}: validation balances the blocks");
        let config = self.env.isa.frontend_config();
        self.b.finalize(config);
        Ok(())
    }

    fn translate(&mut self, operator: &Operator<'_>) -> Result<()> {
        if !self.reachable {
            self.skip(operator);
            return Ok(());
        }
        let known = self.translate_variable(operator)
            || self.translate_numeric(operator)
            || self.translate_memory(operator)
            || self.translate_control(operator)?
            || self.translate_call(operator)?
            || self.translate_ref(operator)
            || self.translate_table(operator)
            || self.translate_simd(operator)
            || self.translate_simd_memory(operator)
            || self.translate_atomic(operator);
        if known { Ok(()) } else { Err(unsupported_operator(operator)) }
    }

    fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    /// Pops a value; a vector may have any lane type.
    fn pop(&mut self) -> Value {
        self.stack.pop().expect("validation balances the stack")
    }

    /// Pops a value in the form that leaves the operand stack: vectors as bytes.
    fn pop_plain(&mut self) -> Value {
        let value = self.pop();
        self.plain(value)
    }

    /// Pops a vector as one of that lane type.
    fn pop_vector(&mut self, ty: ir::Type) -> Value {
        let value = self.pop();
        self.cast_vector(value, ty)
    }

    /// Locals, parameters, results and globals hold vectors as bytes. On the operand stack they keep
    /// the lane type of the instruction that made them, since most are used by one like it.
    fn plain(&mut self, value: Value) -> Value {
        match self.b.func.dfg.value_type(value).is_vector() {
            true => self.cast_vector(value, types::I8X16),
            false => value,
        }
    }

    fn cast_vector(&mut self, value: Value, ty: ir::Type) -> Value {
        if self.b.func.dfg.value_type(value) == ty {
            return value;
        }
        // Lane 0 holds the first bytes, whatever the target's byte order.
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        self.b.ins().bitcast(ty, flags, value)
    }

    /// Makes the upmost `count` operands plain and returns where they begin.
    fn plain_top(&mut self, count: usize) -> usize {
        let start = self.stack.len() - count;
        for at in start..self.stack.len() {
            self.stack[at] = self.plain(self.stack[at]);
        }
        start
    }

    /// Replaces one operand by a value made from it.
    fn unary(&mut self, make: impl FnOnce(FuncInstBuilder<'_, 'b>, Value) -> Value) {
        let x = self.pop();
        let value = make(self.b.ins(), x);
        self.push(value);
    }

    /// Replaces two operands by a value made from them.
    fn binary(&mut self, make: impl FnOnce(FuncInstBuilder<'_, 'b>, Value, Value) -> Value) {
        let y = self.pop();
        let x = self.pop();
        let value = make(self.b.ins(), x, y);
        self.push(value);
    }

    /// Pushes a truth value of CLIF as the guest's `i32`.
    fn push_bool(&mut self, value: Value) {
        let value = self.b.ins().uextend(types::I32, value);
        self.push(value);
    }

    /// Pushes an address-wide constant.
    fn iconst64(&mut self, value: u64) -> Value {
        self.b.ins().iconst(types::I64, value.cast_signed())
    }

    /// The memory of that index.
    fn memory(&self, index: u32) -> MemoryId {
        self.instance.memories[index as usize]
    }

    /// The type of that index.
    fn core_type(&self, index: u32) -> CoreTypeId {
        self.module.types[index as usize]
    }

    /// The CLIF type of a value type in the body.
    fn value_type(ty: wasmparser::ValType) -> ir::Type {
        match ty {
            wasmparser::ValType::I32 => types::I32,
            wasmparser::ValType::I64 => types::I64,
            wasmparser::ValType::F32 => types::F32,
            wasmparser::ValType::F64 => types::F64,
            wasmparser::ValType::V128 => types::I8X16,
            wasmparser::ValType::Ref(_) => types::I64,
        }
    }

    /// The numbers of parameters and results of a function type.
    fn arity(&self, ty: CoreTypeId) -> (usize, usize) {
        let ty = self.env.func_type(ty);
        (ty.params.len(), ty.results.len())
    }

    /// The CLIF types of a function type's parameters or results.
    fn clif_types(types: &[crate::types::ValType]) -> impl Iterator<Item = ir::Type> {
        types.iter().map(|ty| clif_type(*ty))
    }
}

fn decode_error(error: wasmparser::BinaryReaderError) -> Error {
    Error::invalid(error.message().to_string())
        .at(Position::Offset(usize::try_from(error.offset()).unwrap_or(usize::MAX)))
}

/// The error for a valid operator that has no translation.
fn unsupported_operator(operator: &Operator<'_>) -> Error {
    let text = format!("{operator:?}");
    let name = text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    Error::unsupported(format!("the instruction {name}"))
}
