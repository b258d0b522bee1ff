//! A script's actions: the trampolines that its driver calls through, and the table
//! that tells the driver what to do.
//!
//! Tens of thousands of calls become constant data, not code: only one trampoline for
//! each type of function that the script calls is compiled.

mod shape;
mod values;

use crate::env::{Env, GUEST_CALL_CONV, clif_type};
use crate::error::Result;
use crate::interface::FuncTypeId;
use crate::program::{Action, Argument, ConstValue, FuncId, GlobalId};
use crate::regions::{Region, state_flags};
use crate::types::ValType;
use cranelift_codegen::ir::{self, AbiParam, InstBuilder, Signature, types};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use wasmelt_abi::script::{Action as ActionRecord, SLOT_BYTES};
use wasmelt_flatten::script::Value;

/// Builds a `FuncKind::Trampoline`: `fn(code, args, results)` in the host's calling convention,
/// which calls `code` with what the slots at `args` hold and stores what it returns.
pub fn build_trampoline(
    env: Env<'_>,
    func: FuncId,
    context: &mut FunctionBuilderContext,
) -> ir::Function {
    let ty = env.program.funcs[func].ty;
    let mut signature = Signature::new(env.host_call_conv());
    signature.params.extend([AbiParam::new(types::I64); 3]);
    let name = ir::UserFuncName::user(crate::env::NAMESPACE_FUNC, func.as_u32());
    let mut function = ir::Function::with_name_signature(name, signature);
    let callee = env.guest_signature(ty);
    debug_assert_eq!(callee.call_conv, GUEST_CALL_CONV);
    let flags = state_flags(&mut function, Region::Native);

    let mut b = FunctionBuilder::new(&mut function, context);
    let block = b.create_block();
    b.append_block_params_for_function_params(block);
    b.switch_to_block(block);
    b.seal_block(block);
    let [code, args, results] = *b.block_params(block) else {
        unreachable!("the signature has three parameters")
    };
    let slot = |at: usize| (at * SLOT_BYTES) as i32;
    let ty = env.func_type(ty);
    let values = ty.params.iter().enumerate();
    let values = values
        .map(|(at, ty)| b.ins().load(clif_type(*ty), flags, args, slot(at)))
        .collect::<Vec<_>>();
    let callee = b.import_signature(callee);
    let call = b.ins().call_indirect(callee, code, &values);
    let values = b.inst_results(call).to_vec();
    for (at, value) in values.into_iter().enumerate() {
        b.ins().store(flags, value, results, slot(at));
    }
    b.ins().return_(&[]);
    b.finalize(env.isa.frontend_config());
    function
}

/// Constant bytes with addresses in them that only linking knows.
#[derive(Clone, Debug, Default)]
pub struct ActionTable {
    /// The records, in order, and behind them what they point at. Alignment is 16.
    pub bytes: Vec<u8>,
    /// Byte offset of an 8-byte address, and what it is the address of.
    pub addresses: Vec<(u32, Pointee)>,
    big_endian: bool,
}

/// What an address in an [`ActionTable`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointee {
    /// The code of a function.
    Code(FuncId),
    /// The byte at that offset of the table itself.
    Table(u32),
}

/// The records of the program's actions.
///
/// # Errors
///
/// `Unsupported` for a component function whose result is too large to be reported.
pub fn build_actions(env: Env<'_>) -> Result<ActionTable> {
    let actions = &env.program.actions;
    let mut table = ActionTable { big_endian: is_big_endian(env), ..ActionTable::default() };
    table.bytes.resize(actions.len() * ActionRecord::BYTES as usize, 0);
    let report = env.program.report.as_ref();
    let report = report.map(|path| table.append(path.bytes().chain([0])));
    for (index, action) in actions.iter().enumerate() {
        let at = index * ActionRecord::BYTES as usize;
        if let Some(path) = report {
            table.point(at + REPORT, path);
        }
        match action {
            Action::Call { func, trampoline, args } => {
                write_call(env, &mut table, at, *func, *trampoline);
                let slots = args.iter().map(|arg| argument_slot(env, arg));
                let target = table.append(slots.flatten());
                table.point(at + ARGS, target);
                table.put_number(at + ARG_COUNT, args.len() as u64, 4);
            }
            Action::CallComponent { func, trampoline, ty, args } => {
                write_call(env, &mut table, at, *func, *trampoline);
                write_component_call(env, &mut table, at, (*func, *ty), args)?;
            }
            Action::Get(global) => {
                match env.layout.globals[*global] {
                    // A frozen global is nowhere: its value is a constant.
                    0 => {
                        let slot = constant_slot(env, env.program.globals[*global].init);
                        let target = table.append(slot);
                        table.point(at + TARGET, target);
                    }
                    address => table.put_number(at + TARGET, address, 8),
                }
                table.put_number(at + RESULTS, 1, 4);
                table.put_number(at + GLOBAL_BYTES, global_bytes(env, *global), 4);
            }
        }
    }
    Ok(table)
}

const TRAMPOLINE: usize = std::mem::offset_of!(ActionRecord, trampoline);
const TARGET: usize = std::mem::offset_of!(ActionRecord, target);
const ARGS: usize = std::mem::offset_of!(ActionRecord, args);
const SHAPE: usize = std::mem::offset_of!(ActionRecord, shape);
const REPORT: usize = std::mem::offset_of!(ActionRecord, report);
const RESULTS: usize = std::mem::offset_of!(ActionRecord, results);
const GLOBAL_BYTES: usize = std::mem::offset_of!(ActionRecord, global_bytes);
const ARG_COUNT: usize = std::mem::offset_of!(ActionRecord, arg_count);

/// What every call has.
fn write_call(env: Env<'_>, table: &mut ActionTable, at: usize, func: FuncId, trampoline: FuncId) {
    table.point(at + TRAMPOLINE, Pointee::Code(trampoline));
    table.point(at + TARGET, Pointee::Code(func));
    let results = env.func_type(env.program.funcs[func].ty).results.len();
    table.put_number(at + RESULTS, results as u64, 4);
}

/// The arguments as the native ABI passes them, and the shape of a result in memory.
fn write_component_call(
    env: Env<'_>,
    table: &mut ActionTable,
    at: usize,
    (func, ty): (FuncId, FuncTypeId),
    args: &[Value],
) -> Result<()> {
    let params = &env.func_type(env.program.funcs[func].ty).params;
    let ty = &env.program.func_types[ty];
    let mut words = values::lower_arguments(&env.program.types, table, ty, args)?;
    if let Some(shape) = shape::build_result_shape(&env.program.types, ty)? {
        let big_endian = table.big_endian;
        let to_bytes = |node: u32| if big_endian { node.to_be_bytes() } else { node.to_le_bytes() };
        let shape = table.append(shape.into_iter().flat_map(to_bytes));
        table.point(at + SHAPE, shape);
        // The driver puts the address of its result area here.
        words.push(values::Word::Number(0));
    }
    table.put_number(at + ARG_COUNT, words.len() as u64, 4);
    let Pointee::Table(slots) = table.reserve(words.len() * SLOT_BYTES, SLOT_BYTES) else {
        unreachable!("room in the table lies in the table")
    };
    for (index, word) in words.into_iter().enumerate() {
        let slot = slots as usize + index * SLOT_BYTES;
        match (word, params.get(index)) {
            (values::Word::Number(number), Some(ValType::I32 | ValType::F32)) => {
                table.put_number(slot, number, 4);
            }
            (word, _) => table.write_word(slot, word),
        }
    }
    table.point(at + ARGS, Pointee::Table(slots));
    Ok(())
}

impl ActionTable {
    /// Writes the low `size_bytes` bytes of a number, in the target's byte order.
    fn put_number(&mut self, at: usize, number: u64, size_bytes: usize) {
        let (big, little) = (number.to_be_bytes(), number.to_le_bytes());
        let bytes = if self.big_endian { &big[8 - size_bytes..] } else { &little[..size_bytes] };
        self.bytes[at..at + size_bytes].copy_from_slice(bytes);
    }

    fn point(&mut self, at: usize, target: Pointee) {
        self.addresses.push((at as u32, target));
    }

    fn append(&mut self, bytes: impl IntoIterator<Item = u8>) -> Pointee {
        let start = self.reserve(0, SLOT_BYTES);
        self.bytes.extend(bytes);
        start
    }

    /// Room for that many bytes, zeros so far.
    fn reserve(&mut self, size: usize, align: usize) -> Pointee {
        let at = self.bytes.len().next_multiple_of(align);
        self.bytes.resize(at + size, 0);
        Pointee::Table(at as u32)
    }

    fn write_word(&mut self, at: usize, word: values::Word) {
        match word {
            values::Word::Number(number) => self.put_number(at, number, 8),
            values::Word::Address(target) => self.point(at, target),
        }
    }
}

fn global_bytes(env: Env<'_>, global: GlobalId) -> u64 {
    if env.program.globals[global].ty.value == ValType::V128 { 16 } else { 8 }
}

fn is_big_endian(env: Env<'_>) -> bool {
    env.isa.endianness() == ir::Endianness::Big
}

fn argument_slot(env: Env<'_>, arg: &Argument) -> [u8; SLOT_BYTES] {
    match arg {
        Argument::Value(value) => constant_slot(env, *value),
        Argument::Host(number) => number_slot(env, u64::from(*number) + 1, 8),
    }
}

fn constant_slot(env: Env<'_>, value: ConstValue) -> [u8; SLOT_BYTES] {
    match value {
        ConstValue::I32(value) => number_slot(env, u64::from(value.cast_unsigned()), 4),
        ConstValue::I64(value) => number_slot(env, value.cast_unsigned(), 8),
        ConstValue::F32(bits) => number_slot(env, u64::from(bits), 4),
        ConstValue::F64(bits) => number_slot(env, bits, 8),
        ConstValue::V128(bytes) => bytes,
        ConstValue::Null => number_slot(env, 0, 8),
        ConstValue::Func(func) => number_slot(env, env.layout.func_refs[func], 8),
    }
}

/// A number at the start of its slot, in the target's byte order.
fn number_slot(env: Env<'_>, value: u64, size_bytes: usize) -> [u8; SLOT_BYTES] {
    let mut slot = ActionTable { big_endian: is_big_endian(env), ..ActionTable::default() };
    slot.bytes.resize(SLOT_BYTES, 0);
    slot.put_number(0, value, size_bytes);
    slot.bytes.try_into().expect("a slot's size was asked for")
}
