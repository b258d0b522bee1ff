//! Calls of the shim that move a block of bytes, or check one: what they read and what they write.
//!
//! Adapters make them for strings and for lists whose elements need no look. Each stands behind the
//! checks of both of its ranges (A1 of `docs/safety.md`), so whatever runs behind it knows that they
//! lie in their memories. Other instructions that move bytes are loads and stores like any.

use super::address::{Address, constant_value, definition, find_address, find_memory};
use crate::env::{Env, NAMESPACE_SYMBOL, SHIM_SYMBOLS};
use crate::program::MemoryId;
use cranelift_codegen::ir::{self, ExternalName, Inst, InstructionData, Opcode, Value};
use wasmelt_abi::symbols;

/// The encodings of text that the shim checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Utf16,
}

/// One end of a move.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// Its native address.
    pub value: Value,
    /// The same, taken apart.
    pub address: Address,
    /// The linear memory that it lies in, if it is one that 32 bits index and that no other thread
    /// can change.
    pub memory: Option<MemoryId>,
}

/// The length of a block.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    /// How many units, an `i64`.
    pub units: Value,
    /// The length of one.
    pub unit_bytes: u32,
    /// All of it in bytes, if that is known.
    pub bytes: Option<u32>,
}

/// A call that moves or checks a block.
#[derive(Clone, Copy, Debug)]
pub struct BlockCall {
    /// Where the bytes go; `None` if they are only looked at.
    pub to: Option<End>,
    /// Where they are.
    pub from: End,
    /// How many they are.
    pub len: Length,
    /// What text they are checked to be: then the result is 1 if they are, and 0 if not.
    pub text: Option<Encoding>,
}

/// Longer blocks count as blocks of unknown length; no adapter moves any.
pub const BLOCK_BYTES_MAX: u32 = i32::MAX as u32;
/// How deep the expressions are that are compared.
const DEPTH_MAX: u32 = 6;
/// How many hops of a chain a length is followed back.
const HOPS_MAX: u32 = 64;

/// What the instruction moves or checks, if it is such a call.
pub fn find_block_call(env: Env<'_>, func: &ir::Function, inst: Inst) -> Option<BlockCall> {
    let InstructionData::Call { opcode: Opcode::Call, func_ref, ref args, .. } =
        func.dfg.insts[inst]
    else {
        return None;
    };
    let ExternalName::User(name) = func.dfg.ext_funcs[func_ref].name else { return None };
    let name = &func.params.user_named_funcs()[name];
    if name.namespace != NAMESPACE_SYMBOL {
        return None;
    }
    let args = args.as_slice(&func.dfg.value_lists);
    let end = |at: usize| find_end(env, func, args[at]);
    let (text, unit_bytes) = match SHIM_SYMBOLS.get(name.index as usize)?.0 {
        "memcpy" | "memmove" => (None, 1),
        symbols::UTF8_COPY => (Some(Encoding::Utf8), 1),
        symbols::UTF16_COPY => (Some(Encoding::Utf16), 2),
        symbols::UTF8_VALIDATE => {
            let len = find_length(env, func, args[1], 1);
            return Some(BlockCall { to: None, from: end(0), len, text: Some(Encoding::Utf8) });
        }
        _ => return None,
    };
    let len = find_length(env, func, args[2], unit_bytes);
    Some(BlockCall { to: Some(end(0)), from: end(1), len, text })
}

fn find_end(env: Env<'_>, func: &ir::Function, value: Value) -> End {
    let value = func.dfg.resolve_aliases(value);
    let address = find_address(env, func, value, 0, true);
    let memory = find_memory(env, address).flatten().filter(|memory| {
        let ty = &env.program.memories[*memory].ty;
        !ty.memory64 && !ty.shared
    });
    End { value, address, memory }
}

fn find_length(env: Env<'_>, func: &ir::Function, units: Value, unit_bytes: u32) -> Length {
    let units = strip_extension(func, units);
    let known = constant_value(env, func, units).and_then(|count| u32::try_from(count).ok());
    let bytes = known.and_then(|count| count.checked_mul(unit_bytes));
    Length { units, unit_bytes, bytes: bytes.filter(|bytes| *bytes <= BLOCK_BYTES_MAX) }
}

impl End {
    /// Whether both are one native address.
    pub fn is_same(&self, other: &End) -> bool {
        self.value == other.value || self.address == other.address
    }
}

impl Length {
    /// Whether both are the same number of bytes.
    pub fn is_same(&self, other: &Length, env: Env<'_>, func: &ir::Function) -> bool {
        match (self.bytes, other.bytes) {
            (Some(one), Some(other)) => one == other,
            (None, None) => {
                self.unit_bytes == other.unit_bytes
                    && is_same_value(env, func, self.units, other.units, DEPTH_MAX)
            }
            _ => false,
        }
    }
}

/// Whether two values of one moment are the same number, as far as the instructions tell that make
/// them. The optimiser would have given them one name, but it comes later.
fn is_same_value(env: Env<'_>, func: &ir::Function, a: Value, b: Value, depth: u32) -> bool {
    let (a, b) = (strip_extension(func, a), strip_extension(func, b));
    if a == b {
        return true;
    }
    let Some(depth) = depth.checked_sub(1) else { return false };
    if func.dfg.value_type(a) != func.dfg.value_type(b) {
        return false;
    }
    match (constant_value(env, func, a), constant_value(env, func, b)) {
        (Some(a), Some(b)) => return a == b,
        (None, None) => {}
        _ => return false,
    }
    let same = |a: Value, b: Value| is_same_value(env, func, a, b, depth);
    match (definition(func, a), definition(func, b)) {
        (
            Some(InstructionData::Unary { opcode: Opcode::Uextend, arg: a }),
            Some(InstructionData::Unary { opcode: Opcode::Uextend, arg: b }),
        ) => same(*a, *b),
        (
            Some(InstructionData::Binary { opcode: one, args: a }),
            Some(InstructionData::Binary { opcode: other, args: b }),
        ) => {
            use Opcode::{Iadd, Imul, Ishl, Isub};
            one == other
                && matches!(one, Iadd | Imul | Ishl | Isub)
                && same(a[0], b[0])
                && same(a[1], b[1])
        }
        _ => false,
    }
}

/// A value without detours through a width of 32 or 64 bits that change nothing: each hop of a chain
/// makes an address of 64 bits of a length and a parameter of 32 bits of that.
fn strip_extension(func: &ir::Function, value: Value) -> Value {
    let mut value = func.dfg.resolve_aliases(value);
    for _ in 0..HOPS_MAX {
        let Some(inner) = strip_detour(func, value) else { break };
        value = inner;
    }
    value
}

/// The number that was extended and cut again, or cut and extended though it had been extended.
fn strip_detour(func: &ir::Function, value: Value) -> Option<Value> {
    let narrow_of = |value: Value| match definition(func, func.dfg.resolve_aliases(value)) {
        Some(InstructionData::Unary { opcode: Opcode::Uextend, arg }) => Some(*arg),
        _ => None,
    };
    let wide_of = |value: Value| match definition(func, func.dfg.resolve_aliases(value)) {
        Some(InstructionData::Unary { opcode: Opcode::Ireduce, arg }) => Some(*arg),
        _ => None,
    };
    let ty = func.dfg.value_type(value);
    let same_type = |found: Value| {
        let found = func.dfg.resolve_aliases(found);
        (func.dfg.value_type(found) == ty).then_some(found)
    };
    if let Some(wide) = wide_of(value) {
        return same_type(narrow_of(wide)?);
    }
    let cut = narrow_of(value)?;
    let wide = wide_of(cut)?;
    let narrow = func.dfg.resolve_aliases(narrow_of(wide)?);
    let is_exact = func.dfg.value_type(narrow) == func.dfg.value_type(cut);
    same_type(wide).filter(|_| is_exact)
}
