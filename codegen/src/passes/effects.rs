//! What instructions do to memory.

use super::address::{Address, Root, Span, find_address, find_memory};
use crate::env::{Env, NAMESPACE_FUNC, NAMESPACE_SYMBOL, SHIM_SYMBOLS, ShimEffect, SymbolId};
use crate::program::{FuncId, HostType, MemoryId, Program};
use crate::regions::{REGIONS_PER_KIND_MAX, Region, region_kind};
use cranelift_codegen::ir::{
    self, AliasRegion, Endianness, ExternalName, Inst, InstructionData, LibCall, Opcode, Type,
    Value, types,
};
use cranelift_entity::{EntityRef, SecondaryMap};

/// An instruction's effect on memory.
#[derive(Clone, Copy, Debug)]
pub enum Effect {
    /// None.
    None,
    /// Reads these bytes.
    Load(Access),
    /// Writes these bytes.
    Store(Access),
    /// Reads and writes what only regions tell.
    Touch(Touch),
}

/// A load or a store whose bytes are known.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// The bytes.
    pub span: Span,
    /// What is stored; `None` for a load.
    pub stored: Option<Value>,
    /// Whether it can trap.
    pub can_trap: bool,
    /// Their order.
    pub endianness: Endianness,
    /// Whether the bytes never change.
    pub is_readonly: bool,
}

/// What a call, or an instruction that is not looked into, may read and write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    /// Which linear memories.
    pub memories: Memories,
    /// Whether globals.
    pub globals: bool,
    /// Whether anything else.
    pub others: bool,
}

/// What is known about functions whose bodies are finished; `None` if nothing is.
pub type Summaries = SecondaryMap<FuncId, Option<Touch>>;

/// What the passes read.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The program.
    pub env: Env<'a>,
    /// What its functions touch.
    pub summaries: &'a Summaries,
}

/// A set of linear memories, one bit for each. Beyond 128 of them some share a bit and are not told
/// apart: sets are made for every call, so they have to be small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memories(u128);

// Memories that share a region have to share a bit, because a region's number is all that is left.
const _: () = assert!(REGIONS_PER_KIND_MAX.is_multiple_of(u128::BITS as usize));

impl Memories {
    /// All.
    pub const ALL: Memories = Memories(u128::MAX);
    /// None.
    pub const NONE: Memories = Memories(0);

    fn bit(memory: MemoryId) -> u128 {
        1 << (memory.index() % u128::BITS as usize)
    }

    /// Whether the memory is in the set.
    pub fn contains(self, memory: MemoryId) -> bool {
        self.0 & Memories::bit(memory) != 0
    }

    /// Adds a memory.
    pub fn insert(&mut self, memory: MemoryId) {
        self.0 |= Memories::bit(memory);
    }
}

impl Touch {
    /// Anything at all.
    pub const ALL: Touch = Touch { memories: Memories::ALL, globals: true, others: true };

    /// Nothing.
    pub const NOTHING: Touch = Touch { memories: Memories::NONE, globals: false, others: false };

    /// Whether it may read or write a region.
    pub fn touches(&self, func: &ir::Function, region: AliasRegion) -> bool {
        match region_kind(func, region) {
            Region::Memory(memory) => self.memories.contains(memory),
            Region::Global(_) => self.globals,
            _ => self.others,
        }
    }

    /// Adds what something else touches.
    fn extend(&mut self, other: &Touch) {
        self.globals |= other.globals;
        self.others |= other.others;
        self.memories.0 |= other.memories.0;
    }
}

/// What the function `id` may touch, itself and by what it calls: every region that its body names.
pub fn summarize(facts: Facts<'_>, id: FuncId, func: &ir::Function) -> Touch {
    let mut touch = Touch::NOTHING;
    for (region, _) in func.dfg.alias_regions.iter() {
        match region_kind(func, region) {
            Region::Memory(memory) => touch.memories.insert(memory),
            Region::Global(_) => touch.globals = true,
            _ => touch.others = true,
        }
    }
    for block in func.layout.blocks() {
        for inst in func.layout.block_insts(block) {
            // What it touches by calling itself it touches anyway.
            if func.dfg.insts[inst].opcode().is_call()
                && called_func(func, inst) != Some(id)
                && let Effect::Touch(called) = find_effect(facts, func, inst)
            {
                touch.extend(&called);
            }
        }
    }
    touch
}

/// Whether native code can call functions of the program: its exports, or the destructors of
/// resources that it only passes on.
pub fn has_native_callers(program: &Program) -> bool {
    let mut resources = program.interface.resources.iter();
    !program.exports.is_empty() || resources.any(|resource| resource.drop.is_some())
}

/// The effect of an instruction.
pub fn find_effect(facts: Facts<'_>, func: &ir::Function, inst: Inst) -> Effect {
    let data = &func.dfg.insts[inst];
    let opcode = data.opcode();
    match *data {
        InstructionData::Load { arg, offset, .. } => {
            let Some(ty) = loaded_type(func, inst) else { return Effect::None };
            match find_access(facts.env, func, inst, arg, offset.into(), ty) {
                Some(access) => Effect::Load(access),
                None => Effect::Touch(Touch::ALL),
            }
        }
        InstructionData::Store { args: [value, address], offset, .. } => {
            let ty = stored_type(opcode, func.dfg.value_type(value));
            match find_access(facts.env, func, inst, address, offset.into(), ty) {
                Some(access) => Effect::Store(Access { stored: Some(value), ..access }),
                None => Effect::Touch(Touch::ALL),
            }
        }
        InstructionData::Call { opcode: Opcode::Call, func_ref, ref args, .. } => {
            let args = args.as_slice(&func.dfg.value_lists);
            Effect::Touch(call_effect(facts, func, func_ref, args))
        }
        _ if opcode.is_call()
            || opcode.can_load()
            || opcode.can_store()
            || opcode.other_side_effects() =>
        {
            Effect::Touch(Touch::ALL)
        }
        _ => Effect::None,
    }
}

fn find_access(
    env: Env<'_>,
    func: &ir::Function,
    inst: Inst,
    address: Value,
    offset: i32,
    ty: Type,
) -> Option<Access> {
    let flags = func.dfg.insts[inst].memflags_data(&func.dfg)?;
    let region = flags.alias_region()?;
    let is_memory32 = match region_kind(func, region) {
        // Of memories that share a region, one may have 64-bit indices.
        Region::Memory(memory) if env.program.memories.len() <= REGIONS_PER_KIND_MAX => {
            !env.program.memories[memory].ty.memory64
        }
        _ => false,
    };
    let address = find_address(env, func, address, offset, is_memory32);
    Some(Access {
        span: Span { region, address, len_bytes: ty.bytes() },
        stored: None,
        can_trap: !flags.notrap(),
        endianness: flags.endianness(env.isa.endianness()),
        is_readonly: flags.readonly(),
    })
}

/// The type of the bytes that a load reads.
fn loaded_type(func: &ir::Function, inst: Inst) -> Option<Type> {
    Some(match func.dfg.insts[inst].opcode() {
        Opcode::Load => func.dfg.value_type(func.dfg.first_result(inst)),
        Opcode::Uload8 | Opcode::Sload8 => types::I8,
        Opcode::Uload16 | Opcode::Sload16 => types::I16,
        Opcode::Uload32 | Opcode::Sload32 => types::I32,
        // The loads that widen vectors.
        _ => types::I64,
    })
}

/// The type of the bytes that a store writes.
fn stored_type(opcode: Opcode, value: Type) -> Type {
    match opcode {
        Opcode::Istore8 => types::I8,
        Opcode::Istore16 => types::I16,
        Opcode::Istore32 => types::I32,
        _ => value,
    }
}

/// The function of the program that an instruction calls directly.
fn called_func(func: &ir::Function, inst: Inst) -> Option<FuncId> {
    let InstructionData::Call { func_ref, .. } = func.dfg.insts[inst] else { return None };
    let ExternalName::User(name) = func.dfg.ext_funcs[func_ref].name else { return None };
    let name = &func.params.user_named_funcs()[name];
    (name.namespace == NAMESPACE_FUNC).then(|| FuncId::from_u32(name.index))
}

/// What a direct call may touch.
fn call_effect(
    facts: Facts<'_>,
    func: &ir::Function,
    callee: ir::FuncRef,
    args: &[Value],
) -> Touch {
    let name = match func.dfg.ext_funcs[callee].name {
        ExternalName::User(name) => &func.params.user_named_funcs()[name],
        ExternalName::LibCall(
            LibCall::Memcpy | LibCall::Memset | LibCall::Memmove | LibCall::Memcmp,
        ) => return Touch::ALL,
        // Arithmetic that the processor lacks.
        ExternalName::LibCall(_) => return Touch::NOTHING,
        _ => return Touch::ALL,
    };
    match name.namespace {
        NAMESPACE_SYMBOL => symbol_effect(facts.env, func, SymbolId(name.index), args),
        NAMESPACE_FUNC => {
            let summary = &facts.summaries[FuncId::from_u32(name.index)];
            summary.unwrap_or(Touch::ALL)
        }
        _ => Touch::ALL,
    }
}

/// What a call of the shim may touch.
fn symbol_effect(env: Env<'_>, func: &ir::Function, symbol: SymbolId, args: &[Value]) -> Touch {
    if symbol.0 as usize >= SHIM_SYMBOLS.len() {
        // Our shim never calls back. Of systems that it is not made for someone else supplies what it
        // has, who can call exports. (Native imports are indirect calls.)
        if has_native_callers(env.program) {
            return Touch::ALL;
        }
        let memories = match env.host_func(symbol).map(|host| host.ty) {
            Some(HostType::Core(_)) => record_memory(env, func, args),
            _ => host_memories(env, func, args),
        };
        return Touch { memories, globals: false, others: true };
    }
    let memories = match SHIM_SYMBOLS[symbol.0 as usize].1 {
        ShimEffect::State => Memories::NONE,
        ShimEffect::Pointers(count) => pointed_memories(env, func, &args[..count]),
        ShimEffect::Anything => return Touch::ALL,
    };
    Touch { memories, globals: false, others: true }
}

/// The memories that a host function may touch: it reaches them through its arguments alone, and
/// what they point at, if that holds pointers in turn (`docs/native-abi.md`).
fn host_memories(env: Env<'_>, func: &ir::Function, args: &[Value]) -> Memories {
    let wide = args.iter().copied().filter(|arg| func.dfg.value_type(*arg) == types::I64);
    let wide: Vec<Value> = wide.collect();
    // A record of parameters stands for more than can be passed one by one, so it comes with
    // nothing but the place of the result. Records in scratch memory have no known address.
    let is_slot =
        |arg: &Value| matches!(find_address(env, func, *arg, 0, true).root, Root::Slot(_));
    if args.len() <= 2 && wide.iter().any(is_slot) {
        return Memories::ALL;
    }
    pointed_memories(env, func, &wide)
}

/// The memory that a function for core modules touches: it gets the memory's record first.
fn record_memory(env: Env<'_>, func: &ir::Function, args: &[Value]) -> Memories {
    let Address { root: Root::Absolute, at, .. } = find_address(env, func, args[0], 0, false)
    else {
        return Memories::ALL;
    };
    let mut memories = env.program.memories.iter().filter(|(_, memory)| memory.live);
    let Some((id, _)) = memories.find(|(id, _)| env.layout.memories[*id].state.cast_signed() == at)
    else {
        return Memories::ALL;
    };
    let mut memories = Memories::NONE;
    memories.insert(id);
    memories
}

/// The memories that pointers lead into.
fn pointed_memories(env: Env<'_>, func: &ir::Function, pointers: &[Value]) -> Memories {
    let mut memories = Memories::NONE;
    for pointer in pointers {
        match find_memory(env, find_address(env, func, *pointer, 0, true)) {
            None => return Memories::ALL,
            Some(Some(memory)) => memories.insert(memory),
            Some(None) => {}
        }
    }
    memories
}
