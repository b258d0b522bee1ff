//! Which bytes an access touches, as far as its address says.
//!
//! An address is taken apart into a root, which is all that cannot be computed now, and a distance
//! from it. Two accesses with one root can be compared exactly. What makes that possible for
//! indices of 32 bits, whose arithmetic wraps, is that the window of a memory is longer than they
//! reach: see [`Span::is_disjoint`] and [`Span::covers`].

use crate::env::Env;
use crate::program::MemoryId;
use crate::regions::{REGIONS_PER_KIND_MAX, Region, region_kind};
use cranelift_codegen::ir::{
    self, AliasRegion, Inst, InstructionData, Opcode, StackSlot, Value, ValueDef, types,
};
use wasmelt_abi::addresses::STATE_BASE;
use wasmelt_abi::state::MemoryState;

/// How many instructions are looked through for one address.
const LINKS_MAX: u32 = 16;
/// How deep the expressions are that are looked at for constants.
const DEPTH_MAX: u32 = 6;

/// Distances below this cannot be the work of a 32-bit index that wraps around.
pub const DISTANCE_MAX: u64 = 1 << 31;

/// The part of an address that is not known now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// Nothing: the address is a constant.
    Absolute,
    /// The start of a stack slot.
    Slot(StackSlot),
    /// A 32-bit value, extended after a constant may have been added to it.
    Index(Value),
    /// A 64-bit value.
    Value(Value),
}

/// A native address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// Its unknown part.
    pub root: Root,
    /// Of an index: the constant that was added in 32 bits. It is part of `at` too.
    pub wrap: i32,
    /// The distance from the root.
    pub at: i64,
}

/// The bytes that an access touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Their alias region.
    pub region: AliasRegion,
    /// The first one.
    pub address: Address,
    /// How many.
    pub len_bytes: u32,
}

impl Span {
    /// Whether no byte belongs to both.
    ///
    /// Indices `x + a` and `x + b` differ by `a - b`, or, if one of the sums has wrapped around, by
    /// that and 2^32 more or less. A distance below 2^31 that keeps the spans apart does so in
    /// either case.
    pub fn is_disjoint(&self, other: &Span) -> bool {
        if self.region != other.region {
            return true;
        }
        match (self.address.root, other.address.root) {
            (Root::Slot(a), Root::Slot(b)) if a != b => true,
            (a, b) if a == b => self.distance_to(other).is_some_and(|distance| {
                distance >= i64::from(self.len_bytes) || -distance >= i64::from(other.len_bytes)
            }),
            _ => false,
        }
    }

    /// Whether all bytes of `other` belong to this span, given that neither access traps.
    ///
    /// If one of the indices `x + a` and `x + b` has wrapped around and the other has not, they lie
    /// 2^32 bytes further apart than it seems: the one that has not wrapped reaches beyond 4 GiB
    /// and traps, because memories with 32-bit indices end there. So if both accesses succeed,
    /// neither or both have wrapped.
    pub fn covers(&self, other: &Span) -> bool {
        self.offset_of(other).is_some()
    }

    /// Where in this span `other` starts, if all of it belongs to this span: see [`Self::covers`].
    pub fn offset_of(&self, other: &Span) -> Option<u32> {
        if self.region != other.region || self.address.root != other.address.root {
            return None;
        }
        let offset = u32::try_from(self.distance_to(other)?).ok()?;
        (offset.checked_add(other.len_bytes)? <= self.len_bytes).then_some(offset)
    }

    /// Whether the accesses have one address whatever wraps, but for a constant: if one of them
    /// does not trap, neither does the other within the same bytes.
    pub fn wraps_like(&self, other: &Span) -> bool {
        self.address.wrap == other.address.wrap
    }

    fn distance_to(&self, other: &Span) -> Option<i64> {
        let distance = other.address.at.checked_sub(self.address.at)?;
        (distance.unsigned_abs() < DISTANCE_MAX).then_some(distance)
    }

    /// The value that the address depends on.
    pub fn leaf(&self) -> Option<Value> {
        match self.address.root {
            Root::Absolute | Root::Slot(_) => None,
            Root::Index(value) | Root::Value(value) => Some(value),
        }
    }
}

/// Takes the address `value + offset` apart. `is_memory32` says that it lies in a linear memory
/// that 32 bits index, which the rule about wrapping relies on.
pub fn find_address(
    env: Env<'_>,
    func: &ir::Function,
    value: Value,
    offset: i32,
    is_memory32: bool,
) -> Address {
    let mut at = i64::from(offset);
    let mut value = func.dfg.resolve_aliases(value);
    for _ in 0..LINKS_MAX {
        let Some(data) = definition(func, value) else { break };
        match *data {
            // If both are constants, the one that is left is found in the next round.
            InstructionData::Binary { opcode: Opcode::Iadd, args: [a, b] } => {
                if let Some(constant) = constant64(env, func, b, DEPTH_MAX) {
                    at = at.wrapping_add(constant);
                    value = func.dfg.resolve_aliases(a);
                } else if let Some(constant) = constant64(env, func, a, DEPTH_MAX) {
                    at = at.wrapping_add(constant);
                    value = func.dfg.resolve_aliases(b);
                } else {
                    break;
                }
            }
            _ if let Some(constant) = constant64(env, func, value, DEPTH_MAX) => {
                return Address { root: Root::Absolute, wrap: 0, at: at.wrapping_add(constant) };
            }
            InstructionData::Unary { opcode: Opcode::Uextend, arg }
                if is_memory32 && func.dfg.value_type(arg) == types::I32 =>
            {
                let (leaf, wrap) = split_index(env, func, arg);
                let at = at.wrapping_add(i64::from(wrap));
                return Address { root: Root::Index(leaf), wrap, at };
            }
            InstructionData::StackAddr { stack_slot, offset, .. } => {
                let at = at.wrapping_add(i64::from(i32::from(offset)));
                return Address { root: Root::Slot(stack_slot), wrap: 0, at };
            }
            _ => break,
        }
    }
    Address { root: Root::Value(value), wrap: 0, at }
}

/// The memory that a native address lies in; `None` if it cannot be told, and `Some(None)` for an
/// address in none of them.
pub fn find_memory(env: Env<'_>, address: Address) -> Option<Option<MemoryId>> {
    match address.root {
        Root::Value(_) => None,
        Root::Slot(_) => Some(None),
        Root::Absolute => Some(memory_at(env, address.at.cast_unsigned())),
        Root::Index(_) => {
            // What the index is added to: the base, and an offset that the window has room for.
            let start = address.at.wrapping_sub(i64::from(address.wrap)).cast_unsigned();
            if start < STATE_BASE {
                return Some(None); // Nothing was added, so this is a number, not an address.
            }
            memory_at(env, start).map(Some)
        }
    }
}

/// The memory in whose address space a constant address lies.
fn memory_at(env: Env<'_>, at: u64) -> Option<MemoryId> {
    let memories = env.program.memories.iter().filter(|(_, memory)| memory.live);
    let mut holders = memories.map(|(id, _)| id).filter(|id| {
        let place = env.layout.memories[*id];
        at >= place.base && at - place.base <= place.max_bytes
    });
    holders.next()
}

/// Splits a 32-bit value into another one and the constant that is added to it.
fn split_index(env: Env<'_>, func: &ir::Function, value: Value) -> (Value, i32) {
    let mut value = func.dfg.resolve_aliases(value);
    let mut wrap = 0i32;
    for _ in 0..LINKS_MAX {
        let Some(data) = definition(func, value) else { break };
        let (next, constant) = match *data {
            InstructionData::Binary { opcode: Opcode::Iadd, args: [a, b] } => {
                match (constant32(env, func, a), constant32(env, func, b)) {
                    (_, Some(constant)) => (a, constant),
                    (Some(constant), None) => (b, constant),
                    (None, None) => break,
                }
            }
            InstructionData::Binary { opcode: Opcode::Isub, args: [a, b] } => {
                match constant32(env, func, b) {
                    Some(constant) => (a, constant.wrapping_neg()),
                    None => break,
                }
            }
            _ => break,
        };
        wrap = wrap.wrapping_add(constant);
        value = func.dfg.resolve_aliases(next);
    }
    (value, wrap)
}

/// The instruction whose first result a value is.
pub fn definition(func: &ir::Function, value: Value) -> Option<&InstructionData> {
    match func.dfg.value_def(value) {
        ValueDef::Result(inst, 0) => Some(&func.dfg.insts[inst]),
        _ => None,
    }
}

fn constant32(env: Env<'_>, func: &ir::Function, value: Value) -> Option<i32> {
    // Truncation commutes with the operations that are looked through.
    constant64(env, func, value, DEPTH_MAX).map(|constant| constant as i32)
}

/// The value of a constant expression, as it is or sign-extended from 32 bits.
pub fn constant_value(env: Env<'_>, func: &ir::Function, value: Value) -> Option<i64> {
    constant64(env, func, value, DEPTH_MAX)
}

/// The value of a constant expression, as it is or sign-extended from 32 bits. The optimiser would
/// fold it too, but it comes later.
fn constant64(env: Env<'_>, func: &ir::Function, value: Value, depth: u32) -> Option<i64> {
    let value = func.dfg.resolve_aliases(value);
    let depth = depth.checked_sub(1)?;
    let is_narrow = match func.dfg.value_type(value) {
        types::I32 => true,
        types::I64 => false,
        _ => return None,
    };
    let constant = match *definition(func, value)? {
        InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => imm.bits(),
        InstructionData::Binary { opcode: Opcode::Iadd, args: [a, b] } => {
            // The right one first: it is the constant, if there is one.
            let b = constant64(env, func, b, depth)?;
            constant64(env, func, a, depth)?.wrapping_add(b)
        }
        InstructionData::Binary { opcode: Opcode::Isub, args: [a, b] } => {
            let b = constant64(env, func, b, depth)?;
            constant64(env, func, a, depth)?.wrapping_sub(b)
        }
        InstructionData::Unary { opcode: Opcode::Uextend, arg }
            if func.dfg.value_type(arg) == types::I32 =>
        {
            i64::from((constant64(env, func, arg, depth)? as i32).cast_unsigned())
        }
        InstructionData::Load { opcode: Opcode::Load, .. } => {
            let ValueDef::Result(inst, _) = func.dfg.value_def(value) else { return None };
            loaded_base(env, func, inst)?
        }
        _ => return None,
    };
    Some(if is_narrow { i64::from(constant as i32) } else { constant })
}

/// The base of a memory, if that is what an instruction loads.
fn loaded_base(env: Env<'_>, func: &ir::Function, inst: Inst) -> Option<i64> {
    let InstructionData::Load { arg, offset, flags, .. } = func.dfg.insts[inst] else {
        return None;
    };
    let flags = func.dfg.mem_flags[flags];
    let region = flags.alias_region().filter(|_| flags.readonly())?;
    let Region::MemoryState(memory) = region_kind(func, region) else { return None };
    if env.program.memories.len() > REGIONS_PER_KIND_MAX || i32::from(offset) != MemoryState::BASE {
        return None;
    }
    let InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } =
        *definition(func, func.dfg.resolve_aliases(arg))?
    else {
        return None;
    };
    let place = env.layout.memories[memory];
    (place.state.cast_signed() == imm.bits()).then_some(place.base.cast_signed())
}
