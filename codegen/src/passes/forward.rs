//! Loads of bytes that are known get what was stored (rule M4 of `docs/safety.md`).
//!
//! Walks the blocks in reverse postorder with the list of *pieces* of memory whose contents are
//! values of the function: what was stored there, or what was loaded. A block starts with what all
//! of its predecessors agree on; a loop's header starts with nothing.
//!
//! - A load of bytes that one piece covers becomes that piece's value, shifted and narrowed as
//!   needed (little-endian accesses only). The access cannot trap, because the same bytes have been
//!   accessed before and memories never shrink. If the two addresses may differ by 2^32, because
//!   different constants were added to a 32-bit index, the load stays for its trap and only its
//!   result is replaced: a load that comes to its end has read these very bytes (`Span::covers`).
//! - A load of bytes that several pieces cover side by side becomes a combination of them.
//! - A store of the value that the bytes already have is removed.
//!
//! A store ends the pieces that it may overlap, and what is not looked into ends all that it may
//! touch (`effects`). A value in a list dominates the place where the list holds: it was an operand
//! or a result of an instruction on every path there.

use super::address::Span;
use super::effects::{Access, Effect, Facts, find_effect};
use super::events::{Event, Events};
use super::flow::Leaving;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::dominator_tree::DominatorTree;
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::{
    self, Endianness, Inst, InstBuilder, MemFlagsData, Opcode, Type, Value, types,
};

/// How many pieces are remembered; the oldest are forgotten.
const PIECES_MAX: usize = 64;
/// A load combines at most this many pieces.
const PARTS_MAX: usize = 8;

/// Bytes whose contents are known: the low bytes of a value, in their order.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    span: Span,
    value: Value,
    endianness: Endianness,
}

type Pieces = Vec<Piece>;

/// Replaces loads in the whole function, and takes down in `events` what is left; whether anything
/// was replaced.
pub fn forward_stores(
    facts: Facts<'_>,
    func: &mut ir::Function,
    cfg: &ControlFlowGraph,
    domtree: &DominatorTree,
    events: &mut Events,
) -> bool {
    let mut changed = false;
    let mut leaving = Leaving::<Piece>::default();
    for block in domtree.cfg_rpo().copied() {
        let mut pieces = leaving.entry_facts(cfg, block);
        events.begin_block(block);
        let mut next = func.layout.first_inst(block);
        while let Some(inst) = next {
            next = func.layout.next_inst(inst);
            let (event, is_change) = visit_inst(facts, func, &mut pieces, inst);
            changed |= is_change;
            if let Some(event) = event {
                events.push(block, event);
            }
        }
        leaving.finish(cfg, block, pieces);
    }
    changed
}

/// Visits one instruction: what of it is left, and whether it was changed.
fn visit_inst(
    facts: Facts<'_>,
    func: &mut ir::Function,
    pieces: &mut Pieces,
    inst: Inst,
) -> (Option<Event>, bool) {
    match find_effect(facts, func, inst) {
        Effect::None => {
            let can_trap = func.dfg.insts[inst].opcode().can_trap();
            (can_trap.then_some(Event::MayTrap), false)
        }
        Effect::Touch(touch) => {
            pieces.retain(|piece| !touch.touches(func, piece.span.region));
            (Some(Event::Touch(touch)), false)
        }
        Effect::Load(access) => visit_load(func, pieces, inst, access),
        Effect::Store(access) => visit_store(func, pieces, inst, access),
    }
}

fn visit_load(
    func: &mut ir::Function,
    pieces: &mut Pieces,
    inst: Inst,
    access: Access,
) -> (Option<Event>, bool) {
    let is_plain = func.dfg.insts[inst].opcode() == Opcode::Load;
    if access.is_readonly || (!is_plain && !is_extending(func.dfg.insts[inst].opcode())) {
        return (Some(Event::Load(inst, access)), false);
    }
    if let Some(known) = find_known(func, pieces, inst, access) {
        let result = func.dfg.first_result(inst);
        let event = known.keeps_trap.then_some(Event::IdleLoad(access));
        if known.keeps_trap {
            let ty = func.dfg.value_type(result);
            func.dfg.replace_result(result, ty);
        } else {
            func.dfg.clear_results(inst);
            func.layout.remove_inst(inst);
        }
        func.dfg.change_to_alias(result, known.value);
        return (event, true);
    }
    let value = func.dfg.first_result(inst);
    remember(pieces, Piece { span: access.span, value, endianness: access.endianness });
    (Some(Event::Load(inst, access)), false)
}

fn visit_store(
    func: &mut ir::Function,
    pieces: &mut Pieces,
    inst: Inst,
    access: Access,
) -> (Option<Event>, bool) {
    let stored = access.stored.expect("a store has a value");
    let value = func.dfg.resolve_aliases(stored);
    let piece = Piece { span: access.span, value, endianness: access.endianness };
    if pieces.contains(&piece) {
        func.layout.remove_inst(inst);
        return (None, true);
    }
    pieces.retain(|piece| piece.span.is_disjoint(&access.span));
    remember(pieces, piece);
    (Some(Event::Store(inst, access)), false)
}

fn remember(pieces: &mut Pieces, piece: Piece) {
    if pieces.len() == PIECES_MAX {
        pieces.remove(0);
    }
    pieces.push(piece);
}

fn is_extending(opcode: Opcode) -> bool {
    use Opcode::{Sload8, Sload16, Sload32, Uload8, Uload16, Uload32};
    matches!(opcode, Sload8 | Sload16 | Sload32 | Uload8 | Uload16 | Uload32)
}

/// What a load yields.
struct Known {
    value: Value,
    /// Whether the load itself must stay, because it may trap where the earlier access did not.
    keeps_trap: bool,
}

fn find_known(
    func: &mut ir::Function,
    pieces: &Pieces,
    inst: Inst,
    access: Access,
) -> Option<Known> {
    // The youngest first: a store is usually read soon.
    let usable = pieces.iter().rev().filter(|piece| piece.endianness == access.endianness);
    let keeps_trap = |piece: &Piece| access.can_trap && !piece.span.wraps_like(&access.span);
    for piece in usable.clone() {
        let Some(offset) = piece.span.offset_of(&access.span) else { continue };
        let mut cursor = FuncCursor::new(func).at_inst(inst);
        cursor.use_srcloc(inst);
        if let Some(value) = extract(&mut cursor, piece, offset, access.span.len_bytes, inst) {
            return Some(Known { value, keeps_trap: keeps_trap(piece) });
        }
    }
    let parts: Vec<Piece> =
        usable.filter(|piece| access.span.covers(&piece.span)).copied().collect();
    let parts = tile(func, &access, parts)?;
    let mut cursor = FuncCursor::new(func).at_inst(inst);
    cursor.use_srcloc(inst);
    let whole = combine(&mut cursor, &parts);
    let value = finish_load(&mut cursor, whole, access.span.len_bytes, inst);
    Some(Known { value, keeps_trap: parts.iter().any(keeps_trap) })
}

fn result_type(cursor: &FuncCursor<'_>, inst: Inst) -> Type {
    cursor.func.dfg.value_type(cursor.func.dfg.first_result(inst))
}

/// The `len_bytes` bytes from `offset` of a piece on, as the load `inst` would yield them.
fn extract(
    cursor: &mut FuncCursor<'_>,
    piece: &Piece,
    offset: u32,
    len_bytes: u32,
    inst: Inst,
) -> Option<Value> {
    let opcode = cursor.func.dfg.insts[inst].opcode();
    let ty = result_type(cursor, inst);
    let have = cursor.func.dfg.value_type(piece.value);
    if opcode == Opcode::Load && have == ty && offset == 0 && piece.span.len_bytes == len_bytes {
        return Some(piece.value);
    }
    let is_scalar = |ty: Type| (ty.is_int() || ty.is_float()) && (1..=8).contains(&ty.bytes());
    if piece.endianness == Endianness::Big || !is_scalar(have) || !is_scalar(ty) {
        return None;
    }
    let mut value = piece.value;
    if have.is_float() {
        value = cursor.ins().bitcast(have.as_int(), MemFlagsData::new(), value);
    }
    if offset > 0 {
        value = cursor.ins().ushr_imm_u(value, i64::from(offset) * 8);
    }
    Some(finish_load(cursor, value, len_bytes, inst))
}

/// What the load `inst` makes of the low `len_bytes` bytes of an integer.
fn finish_load(cursor: &mut FuncCursor<'_>, value: Value, len_bytes: u32, inst: Inst) -> Value {
    let opcode = cursor.func.dfg.insts[inst].opcode();
    let ty = result_type(cursor, inst);
    let is_signed = matches!(opcode, Opcode::Sload8 | Opcode::Sload16 | Opcode::Sload32);
    let value = resize(cursor, value, int_type(len_bytes), false);
    let value = resize(cursor, value, ty.as_int(), is_signed);
    match ty.is_float() {
        true => cursor.ins().bitcast(ty, MemFlagsData::new(), value),
        false => value,
    }
}

fn int_type(len_bytes: u32) -> Type {
    Type::int_with_byte_size(len_bytes as u16).expect("accesses have the lengths of types")
}

/// An integer as one of another size.
fn resize(cursor: &mut FuncCursor<'_>, value: Value, ty: Type, is_signed: bool) -> Value {
    let have = cursor.func.dfg.value_type(value);
    match have.bits().cmp(&ty.bits()) {
        std::cmp::Ordering::Equal => value,
        std::cmp::Ordering::Greater => cursor.ins().ireduce(ty, value),
        std::cmp::Ordering::Less if is_signed => cursor.ins().sextend(ty, value),
        std::cmp::Ordering::Less => cursor.ins().uextend(ty, value),
    }
}

/// Those of the pieces that lie side by side and make up the whole access, in order.
fn tile(func: &ir::Function, access: &Access, parts: Vec<Piece>) -> Option<Vec<Piece>> {
    if access.endianness == Endianness::Big || access.span.len_bytes > 8 {
        return None;
    }
    let mut chosen = Vec::new();
    let mut end = 0;
    while end < access.span.len_bytes {
        let part = parts.iter().find(|part| {
            let is_whole = func.dfg.value_type(part.value).is_int();
            is_whole && access.span.offset_of(&part.span) == Some(end)
        })?;
        end += part.span.len_bytes;
        chosen.push(*part);
    }
    (chosen.len() <= PARTS_MAX).then_some(chosen)
}

/// Integers side by side as one of 64 bits.
fn combine(cursor: &mut FuncCursor<'_>, parts: &[Piece]) -> Value {
    let mut whole: Option<Value> = None;
    let mut offset = 0;
    for part in parts {
        let value = resize(cursor, part.value, int_type(part.span.len_bytes), false);
        let value = resize(cursor, value, types::I64, false);
        let value = match offset {
            0 => value,
            offset => cursor.ins().ishl_imm_u(value, i64::from(offset) * 8),
        };
        whole = Some(whole.map_or(value, |whole| cursor.ins().bor(whole, value)));
        offset += part.span.len_bytes;
    }
    whole.expect("an access has at least one byte")
}
