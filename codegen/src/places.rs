//! Places: one 32-bit number for each function and wasm offset of the program.
//!
//! After inlining, a function's machine code stems from many functions, in many
//! files. So what Cranelift carries as the source location of an instruction is not
//! an offset in a file but a place: each function owns a range of numbers, one for
//! the function as a whole and one for each byte of its body. An adapter has no body;
//! its second number stands for the code that runs once per element of a list.

use crate::program::{FuncId, FuncKind, Program};
use cranelift_codegen::ir::{self, SourceLoc};
use cranelift_entity::{EntityRef, SecondaryMap};
use std::collections::BTreeMap;

/// The numbering.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The first number of each function; of one that is not live that of the next.
    first: SecondaryMap<FuncId, u32>,
    /// How many functions have a range.
    funcs: usize,
}

/// What a place stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The function as it is in the program, whatever it was inlined into.
    pub func: FuncId,
    /// The byte offset in the function's file, as the user has it; 0 is unknown.
    pub offset: u32,
}

/// What an adapter's generator gives the code of its loops as a source location.
pub const ELEMENT_LOCATION: u32 = 1;

/// Numbers the places of all live functions.
pub fn number_places(program: &Program) -> Places {
    let mut places = Places { first: SecondaryMap::new(), funcs: program.funcs.len() };
    let mut next = 0u32;
    for (id, func) in program.funcs.iter() {
        places.first[id] = next;
        // A program with more than 4 GiB of code has functions without places: messages say less.
        let len = if func.live { location_range(program, id).len() } else { 0 };
        let end = u32::try_from(len + 1).ok().and_then(|len| next.checked_add(len));
        next = end.filter(|end| *end < u32::MAX).unwrap_or(next);
    }
    places.first[FuncId::new(program.funcs.len())] = next;
    places
}

/// The source locations that a function's generator uses: where its body lies in its file, or the
/// parts of an adapter.
fn location_range(program: &Program, func: FuncId) -> std::ops::Range<usize> {
    match program.funcs.get(func).map(|func| &func.kind) {
        Some(FuncKind::Wasm { instance, body }) => {
            let module = &program.modules[program.core_instances[*instance].module];
            module.bodies[*body as usize].bytes.range.clone()
        }
        Some(FuncKind::Adapter(_)) => ELEMENT_LOCATION as usize..ELEMENT_LOCATION as usize + 1,
        _ => 0..0,
    }
}

/// A file offset as the user has it, or 0.
fn user_offset(program: &Program, func: FuncId, offset: usize) -> u32 {
    let FuncKind::Wasm { instance, body } = program.funcs[func].kind else { return 0 };
    let module = &program.modules[program.core_instances[instance].module];
    let file = &program.files[module.bodies[body as usize].bytes.file];
    file.user_offset(offset).and_then(|offset| u32::try_from(offset).ok()).unwrap_or(0)
}

/// Turns the file offsets that a function was generated with into places.
pub fn set_places(places: &Places, program: &Program, func: FuncId, clif: &mut ir::Function) {
    let first = places.first[func];
    let body = location_range(program, func);
    let blocks: Vec<ir::Block> = clif.layout.blocks().collect();
    for block in blocks {
        let mut next = clif.layout.first_inst(block);
        while let Some(inst) = next {
            let offset = clif.srcloc(inst);
            let inside = body.contains(&(offset.bits() as usize)) && !offset.is_default();
            let at = if inside { offset.bits() - body.start as u32 + 1 } else { 0 };
            clif.set_srcloc(inst, SourceLoc::new(first + at));
            next = clif.layout.next_inst(inst);
        }
    }
}

/// Gives the copies of a callee's instructions their places. `blocks_before` is the number of
/// blocks that the caller had before: the copies of the callee's blocks follow, in its order.
/// `returns` says where code goes on behind the calls that were replaced, in the caller.
pub fn copy_places(
    caller: &mut ir::Function,
    callee: &ir::Function,
    blocks_before: usize,
    returns: &BTreeMap<ir::Inst, ir::Block>,
) {
    for block in callee.layout.blocks() {
        let copy = ir::Block::from_u32((blocks_before + block.index()) as u32);
        let mut inst = callee.layout.first_inst(block);
        let mut inst_copy = match caller.layout.is_block_inserted(copy) {
            true => caller.layout.first_inst(copy),
            false => None,
        };
        while let (Some(original), Some(copied)) = (inst, inst_copy) {
            let place = callee.srcloc(original);
            caller.set_srcloc(copied, place);
            inst = callee.layout.next_inst(original);
            inst_copy = caller.layout.next_inst(copied);
            if inst_copy.is_none() && inst.is_some() {
                // The copy of the call has become a jump, and the rest of its block another one.
                let rest = returns.get(&copied).copied();
                inst_copy = rest.and_then(|rest| caller.layout.first_inst(rest));
            }
        }
    }
}

impl Places {
    /// What a place stands for; `None` if the instruction has none.
    pub fn find(&self, program: &Program, place: SourceLoc) -> Option<Place> {
        let (func, at) = self.find_part(place)?;
        let offset = match at.checked_sub(1) {
            Some(at) => {
                let start = location_range(program, func).start;
                user_offset(program, func, start + at as usize)
            }
            None => 0,
        };
        Some(Place { func, offset })
    }

    /// The function that a place belongs to, and the place's number among the function's: 0 is
    /// the function as a whole.
    pub fn find_part(&self, place: SourceLoc) -> Option<(FuncId, u32)> {
        if place.is_default() {
            return None;
        }
        // The last function whose range starts at or before the place: empty ranges come first.
        let (mut low, mut high) = (0, self.funcs + 1);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match self.first[FuncId::new(middle)] <= place.bits() {
                true => low = middle,
                false => high = middle,
            }
        }
        let func = FuncId::new(low);
        Some((func, place.bits() - self.first[func]))
    }
}
