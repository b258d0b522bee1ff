//! The code that runs first: what is left of instantiation, and `wasmelt_main`.
//!
//! Flattening has turned nearly all of instantiation into initial contents. What is
//! left here are start functions and the active segments that must be seen to
//! trap, or to be written, at their moment.

use crate::data::InitialData;
use crate::env::{
    Env, GUEST_CALL_CONV, NAMESPACE_ACTIONS, NAMESPACE_COPIED, NAMESPACE_DATA, NAMESPACE_ELEM,
    trap_code,
};
use crate::layout::TablePlace;
use crate::memory;
use crate::program::{DataId, ElemId, FuncId, FuncKind, InitStep, MemoryId, TableId};
use crate::regions::{self, Region};
use crate::targets;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self, ExternalName, GlobalValueData, InstBuilder, Signature, UserExternalName, UserFuncName,
    Value, types,
};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use wasmelt_abi::state::TableState;
use wasmelt_abi::trap::Trap;

/// Generates a `FuncKind::Init`: its steps, one after the other.
pub fn build_init(
    env: Env<'_>,
    func: FuncId,
    scratch: &mut FunctionBuilderContext,
) -> ir::Function {
    let signature = Signature::new(GUEST_CALL_CONV);
    let mut clif = ir::Function::with_name_signature(UserFuncName::default(), signature);
    let mut b = FunctionBuilder::new(&mut clif, scratch);
    start_body(&mut b);
    let FuncKind::Init(steps) = &env.program.funcs[func].kind else {
        panic!("{func} is not what runs at instantiation");
    };
    for step in steps {
        match *step {
            InitStep::Call(callee) => {
                call(&mut b, env, callee);
            }
            InitStep::InitMemory { memory, offset, data } => {
                init_memory(&mut b, env, memory, offset, data);
            }
            InitStep::InitTable { table, offset, elem } => {
                init_table(&mut b, env, table, offset, elem);
            }
            InitStep::RequireMemory { memory, min_pages } => {
                let page_size_log2 = env.program.memories[memory].ty.page_size_log2;
                let size = memory::memory_size_bytes(&mut b, env, memory);
                let pages = b.ins().ushr_imm_u(size, i64::from(page_size_log2));
                require(&mut b, pages, min_pages, Trap::Unlinkable);
            }
            InitStep::RequireTable { table, min } => {
                let size = table_size(&mut b, env, table);
                require(&mut b, size, min, Trap::Unlinkable);
            }
        }
    }
    b.ins().return_(&[]);
    b.finalize(env.isa.frontend_config());
    clif
}

/// Generates `wasmelt_main`: `extern "C" fn() -> u32`.
pub fn build_main(
    env: Env<'_>,
    initial: &InitialData,
    scratch: &mut FunctionBuilderContext,
) -> ir::Function {
    let mut signature = Signature::new(env.host_call_conv());
    signature.returns.push(env.host_param(types::I32));
    let mut clif = ir::Function::with_name_signature(UserFuncName::default(), signature);
    let mut b = FunctionBuilder::new(&mut clif, scratch);
    start_body(&mut b);
    require_processor(&mut b, env);
    for (index, run) in initial.copied.iter().enumerate() {
        let to = constant(&mut b, run.address);
        let from = constant_address(&mut b, NAMESPACE_COPIED, index as u32);
        copy(&mut b, env, to, from, run.bytes.len() as u64);
    }
    if let Some(init) = env.program.init {
        call(&mut b, env, init);
    }
    let result = match env.program.entry {
        Some(entry) => {
            let results = call(&mut b, env, entry);
            b.inst_results(results).first().copied()
        }
        None => None,
    };
    let result = match env.program.actions.len() {
        0 => result,
        count => Some(run_actions(&mut b, env, count)),
    };
    let code = result.unwrap_or_else(|| b.ins().iconst(types::I32, 0));
    b.ins().return_(&[code]);
    b.finalize(env.isa.frontend_config());
    clif
}

/// Asks for the processor's features that the code may use, if those are more than every processor
/// has.
fn require_processor(b: &mut FunctionBuilder<'_>, env: Env<'_>) {
    let features = targets::required_features(env.isa);
    if features == 0 {
        return;
    }
    let require = env.shim_symbol(wasmelt_abi::symbols::REQUIRE_PROCESSOR);
    let require = env.import_symbol(b.func, require, &[types::I64], &[]);
    let features = constant(b, features);
    b.ins().call(require, &[features]);
}

/// Hands a script's actions to its driver.
fn run_actions(b: &mut FunctionBuilder<'_>, env: Env<'_>, count: usize) -> Value {
    let run = env.shim_symbol(wasmelt_abi::symbols::SCRIPT_RUN);
    let run = env.import_symbol(b.func, run, &[types::I64; 2], &[types::I32]);
    let actions = constant_address(b, NAMESPACE_ACTIONS, 0);
    let count = constant(b, count as u64);
    let call = b.ins().call(run, &[actions, count]);
    b.inst_results(call)[0]
}

fn start_body(b: &mut FunctionBuilder<'_>) {
    let block = b.create_block();
    b.switch_to_block(block);
    b.seal_block(block);
}

fn call(b: &mut FunctionBuilder<'_>, env: Env<'_>, callee: FuncId) -> ir::Inst {
    let callee = env.import_func(b.func, callee);
    b.ins().call(callee, &[])
}

/// An active data segment: checked against the memory's size now, then copied.
fn init_memory(
    b: &mut FunctionBuilder<'_>,
    env: Env<'_>,
    memory: MemoryId,
    offset: u64,
    data: DataId,
) {
    let len = env.program.data[data].bytes.range.len() as u64;
    let size = memory::memory_size_bytes(b, env, memory);
    // The sum cannot be compared if it does not fit 64 bits: no memory is that large.
    require(b, size, offset.saturating_add(len), Trap::MemoryOutOfBounds);
    if len > 0 {
        let to = constant(b, env.layout.memories[memory].base.wrapping_add(offset));
        let from = constant_address(b, NAMESPACE_DATA, data.as_u32());
        copy(b, env, to, from, len);
    }
}

/// An active element segment: checked against the table's size now, then copied.
fn init_table(
    b: &mut FunctionBuilder<'_>,
    env: Env<'_>,
    table: TableId,
    offset: u64,
    elem: ElemId,
) {
    let len = env.program.elems[elem].items.len() as u64;
    let size = table_size(b, env, table);
    require(b, size, offset.saturating_add(len), Trap::TableOutOfBounds);
    if len == 0 {
        return;
    }
    let TablePlace::Mutable { state, .. } = env.layout.tables[table] else {
        panic!("{table} is written at run time and yet not mutable");
    };
    let state = constant(b, state);
    let flags = regions::state_flags(b.func, Region::TableState(table));
    let elements = b.ins().load(types::I64, flags, state, TableState::ELEMENTS);
    let to = b.ins().iadd_imm_u(elements, offset.wrapping_mul(8).cast_signed());
    let from = constant_address(b, NAMESPACE_ELEM, elem.as_u32());
    copy(b, env, to, from, len * 8);
}

/// The current number of elements of a table.
fn table_size(b: &mut FunctionBuilder<'_>, env: Env<'_>, table: TableId) -> Value {
    match env.layout.tables[table] {
        TablePlace::Mutable { state, fixed: None, .. } => {
            let state = constant(b, state);
            let flags = regions::state_flags(b.func, Region::TableState(table));
            b.ins().load(types::I64, flags, state, TableState::SIZE)
        }
        _ => constant(b, env.program.tables[table].ty.min),
    }
}

/// Traps if `size` is below `min`.
fn require(b: &mut FunctionBuilder<'_>, size: Value, min: u64, trap: Trap) {
    let min = constant(b, min);
    let is_small = b.ins().icmp(IntCC::UnsignedLessThan, size, min);
    b.ins().trapnz(is_small, trap_code(trap));
}

fn constant(b: &mut FunctionBuilder<'_>, value: u64) -> Value {
    b.ins().iconst(types::I64, value.cast_signed())
}

/// The address of constant bytes that the object holds.
fn constant_address(b: &mut FunctionBuilder<'_>, namespace: u32, index: u32) -> Value {
    let name = b.func.declare_imported_user_function(UserExternalName { namespace, index });
    let global = b.create_global_value(GlobalValueData::Symbol {
        name: ExternalName::user(name),
        offset: 0.into(),
        colocated: true,
        tls: false,
    });
    b.ins().symbol_value(types::I64, global)
}

fn copy(b: &mut FunctionBuilder<'_>, env: Env<'_>, to: Value, from: Value, len: u64) {
    let memcpy = env.shim_symbol("memcpy");
    let memcpy = env.import_symbol(b.func, memcpy, &[types::I64; 3], &[types::I64]);
    let len = constant(b, len);
    b.ins().call(memcpy, &[to, from, len]);
}
