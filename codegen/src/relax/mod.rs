//! Shorter branches and aligned loops, for x86-64: a pass over a finished function.
//!
//! Cranelift makes every branch 5 or 6 bytes long, though most targets are so near that 2 suffice, and
//! lets loops lie anywhere, though how fast a small one runs depends on how many lines of the cache it
//! lies in. Here branches become as short as they can be, instructions that do nothing go, and some room
//! is left before loops.
//!
//! The pass knows no more of a function than its bytes, where relocations fill them in, and where its
//! blocks start. `scan` follows the code from the entry: what it finds are all instructions that can
//! ever run, because control goes on behind an instruction, to a branch's target or to what a table
//! lists, and Cranelift has no other jumps within a function. `place` decides, `rewrite` copies. That is
//! sound because
//!
//! - an instruction's meaning depends on its own address in two ways only, by the distance to a
//!   branch's target and to an operand: both are found as instructions are read, and written anew;
//! - tables of jumps hold distances from their own start, and are found with the jump by them; other
//!   addresses within the function are those of constants;
//! - constants keep their distance from each other, and their place relative to the alignment that the
//!   function demands;
//! - what is not reached never runs, so it may go or keep its bytes: a block that is not reached is a
//!   mere jump, or something has not been understood;
//! - flags and registers are the same before and after: short branches do what long ones do, and
//!   what fills the room before loops does nothing;
//! - everything else that names an offset goes through [`Moves`].
//!
//! If anything is not as expected the function stays as Cranelift made it. In debug builds that is an
//! assertion, and `check` compares the two functions instruction by instruction.

mod check;
mod place;
mod rewrite;
mod scan;
#[cfg(test)]
mod tests;

pub use self::place::{LoopPlaces, Moves};
pub use self::scan::Source;

use crate::options::{OptLevel, Options};
use cranelift_codegen::CompiledCode;
use target_lexicon::Architecture;

/// Whether a function's branches become shorter, and how its loops are placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relaxing {
    /// It stays as it is.
    Off,
    /// Branches become shorter; loops are placed unless small comes before fast.
    On(Option<LoopPlaces>),
}

/// A function's final bytes.
#[derive(Clone, Debug)]
pub struct Relaxed {
    /// Code and the constants behind it.
    pub bytes: Vec<u8>,
    /// At a multiple of what it must start.
    pub align: u32,
    /// Where the bytes are that Cranelift made.
    pub moves: Moves,
}

/// What the options ask for.
pub fn choose_relaxing(options: &Options) -> Relaxing {
    let is_x64 = matches!(options.target.triple.architecture, Architecture::X86_64);
    match options.opt_level {
        _ if !is_x64 => Relaxing::Off,
        OptLevel::None => Relaxing::Off,
        OptLevel::Size => Relaxing::On(None),
        OptLevel::Less | OptLevel::Full => Relaxing::On(Some(LOOP_PLACES)),
    }
}

const LOOP_PLACES: LoopPlaces =
    LoopPlaces { line_bytes: 64, loop_bytes_max: 128, room_bytes_max: 63 };

/// The final bytes of what Cranelift has made; `bytes` are those, but for what has been replaced in place.
pub fn relax(relaxing: Relaxing, bytes: Vec<u8>, compiled: &CompiledCode, align: u32) -> Relaxed {
    if let Relaxing::On(loops) = relaxing {
        let mut fields: Vec<u32> =
            compiled.buffer.relocs().iter().map(|reloc| reloc.offset).collect();
        fields.sort_unstable();
        let prologue_end = compiled.buffer.unwind_info.last().map_or(0, |(offset, _)| *offset);
        let block_starts = &compiled.bb_starts;
        let source = Source { bytes: &bytes, fields: &fields, block_starts, prologue_end };
        let relaxed = relax_bytes(source, align, loops);
        debug_assert!(relaxed.is_some(), "not as expected: {bytes:02x?}");
        if let Some(relaxed) = relaxed {
            return relaxed;
        }
    }
    Relaxed { bytes, align, moves: Moves::default() }
}

/// As [`relax`]; `None` if the function must stay as it is.
fn relax_bytes(source: Source<'_>, align: u32, loops: Option<LoopPlaces>) -> Option<Relaxed> {
    let anatomy = scan::scan(source)?;
    let plan = place::place(&anatomy, align, loops);
    let bytes = rewrite::rewrite(source, &anatomy, &plan);
    if cfg!(debug_assertions) {
        check::check(source, &anatomy, &bytes, &plan.moves);
    }
    Some(Relaxed { bytes, align: plan.align, moves: plan.moves })
}
