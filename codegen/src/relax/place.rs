//! Where each byte goes: how long branches are, and how much room is before loops and constants.
//!
//! All branches are short at first. Those whose target turns out to be too far away grow, until none
//! does; no branch ever shrinks again, so there is an end to it. The room before a loop follows from
//! where the loop would begin, and is found anew each time.

use super::scan::{Anatomy, Branch};

/// After that many rounds all branches become long that are not. Real functions take fewer than ten.
const ROUNDS_MAX: u32 = 50;

/// How far a branch of 8 bits reaches from its end.
const SHORT: std::ops::RangeInclusive<i64> = -128..=127;

/// The length of a short branch.
pub const SHORT_BYTES: u32 = 2;

/// How loops are placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoopPlaces {
    /// What the processor fetches at once: a loop should lie in as few as possible.
    pub line_bytes: u32,
    /// Longer loops lie anywhere.
    pub loop_bytes_max: u32,
    /// How much room may be left before one.
    pub room_bytes_max: u32,
}

/// A place where bytes are added or taken away.
#[derive(Clone, Copy, Debug)]
pub struct Edit {
    /// Where, in the function as it was.
    pub at: u32,
    /// What.
    pub kind: Kind,
    /// The other place that matters for it, in the function as it was.
    pub far: u32,
    /// How many edits move that place.
    far_edits: usize,
}

/// What happens at an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Room before the head of a loop. Far is where the last branch back to the head ends.
    Loop,
    /// A branch that becomes short. Far is where it leads.
    Short {
        /// Where it ended.
        end: u32,
    },
    /// A branch that keeps its length. Far is where it leads.
    Long {
        /// Where it ended.
        end: u32,
    },
    /// What does nothing, and goes. Far is the same place.
    Idle {
        /// Where it ended.
        end: u32,
    },
    /// Room before the constants. Far is where the room started that was there.
    Constants,
}

impl Edit {
    fn new(at: u32, far: u32, kind: Kind) -> Edit {
        Edit { at, kind, far, far_edits: 0 }
    }

    /// The first byte that it moves.
    fn moves_from(&self) -> u32 {
        match self.kind {
            Kind::Loop | Kind::Constants => self.at,
            Kind::Short { .. } | Kind::Long { .. } | Kind::Idle { .. } => self.at + 1,
        }
    }

    /// By how much longer the function's code becomes here, if that is not room.
    fn growth(&self) -> i32 {
        match self.kind {
            Kind::Short { end } => SHORT_BYTES as i32 - (end - self.at) as i32,
            Kind::Idle { end } => -((end - self.at) as i32),
            Kind::Long { .. } | Kind::Loop | Kind::Constants => 0,
        }
    }
}

/// Where the bytes of a function have gone.
#[derive(Clone, Debug, Default)]
pub struct Moves {
    /// From which byte on, ascending, and how far from there on.
    steps: Vec<(u32, i32)>,
}

impl Moves {
    /// Where the byte is now that was at `offset`.
    pub fn find(&self, offset: u32) -> u32 {
        let behind = self.steps.partition_point(|(from, _)| *from <= offset);
        let by = behind.checked_sub(1).map_or(0, |step| self.steps[step].1);
        offset.wrapping_add_signed(by)
    }

    /// Where what ended at `offset` ends now: room that is left there lies behind it.
    pub fn find_end(&self, offset: u32) -> u32 {
        offset.checked_sub(1).map_or(0, |last| self.find(last).wrapping_add(1))
    }
}

/// The decisions about a function.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What changes, ascending.
    pub edits: Vec<Edit>,
    /// What follows from it.
    pub moves: Moves,
    /// At a multiple of what the function must start.
    pub align: u32,
}

/// Decides. The function must start at a multiple of `align`.
pub fn place(anatomy: &Anatomy, align: u32, loops: Option<LoopPlaces>) -> Plan {
    let mut edits = list_edits(anatomy, loops);
    let has_loops = edits.iter().any(|edit| edit.kind == Kind::Loop);
    let line_bytes = loops.filter(|_| has_loops).map_or(1, |loops| loops.line_bytes);
    let mut placer =
        Placer { align, loops, growth: vec![0; edits.len() + 1], moved: vec![0; edits.len() + 1] };
    let mut round = 0;
    loop {
        placer.compute(&edits);
        if !placer.grow(&mut edits, round == ROUNDS_MAX) {
            break;
        }
        round += 1;
    }
    let moved = placer.moved[1..].iter();
    let steps = edits.iter().zip(moved).map(|(edit, by)| (edit.moves_from(), *by));
    let moves = Moves { steps: steps.collect() };
    Plan { edits, moves, align: align.max(line_bytes) }
}

fn list_edits(anatomy: &Anatomy, loops: Option<LoopPlaces>) -> Vec<Edit> {
    let short = |branch: &Branch| {
        let kind = Kind::Short { end: branch.end };
        Edit::new(branch.at, branch.target, kind)
    };
    let mut edits: Vec<Edit> = anatomy.branches.iter().map(short).collect();
    edits
        .extend(anatomy.idle.iter().map(|(at, end)| Edit::new(*at, *at, Kind::Idle { end: *end })));
    if let Some(loops) = loops {
        edits.extend(find_loops(anatomy, loops.loop_bytes_max));
    }
    edits.extend(
        anatomy
            .constants
            .map(|constants| Edit::new(constants.start, constants.room_start, Kind::Constants)),
    );
    edits.sort_unstable_by_key(Edit::moves_from);
    for index in 0..edits.len() {
        let far = edits[index].far;
        edits[index].far_edits = edits.partition_point(|other| other.moves_from() <= far);
    }
    edits
}

/// The innermost loops that are not too long and call nothing: where branches go back to, if nothing
/// between is gone back to.
fn find_loops(anatomy: &Anatomy, bytes_max: u32) -> Vec<Edit> {
    let back = anatomy.branches.iter().filter(|branch| branch.target <= branch.at);
    let mut loops: Vec<(u32, u32)> = back.map(|branch| (branch.target, branch.end)).collect();
    loops.sort_unstable();
    // Of those that go back to the same place the last is the longest.
    let is_last = |index: usize| loops.get(index + 1).is_none_or(|next| next.0 != loops[index].0);
    let last: Vec<(u32, u32)> =
        (0..loops.len()).filter(|index| is_last(*index)).map(|index| loops[index]).collect();
    let nexts = last.iter().skip(1).map(|next| next.0).chain([u32::MAX]);
    let innermost = last.iter().zip(nexts).filter(|((start, end), next)| {
        end <= next && end - start <= bytes_max && *start >= anatomy.prologue_end
    });
    let call_behind = |at: u32| {
        let calls = &anatomy.calls;
        calls.get(calls.partition_point(|call| *call < at)).copied().unwrap_or(u32::MAX)
    };
    let innermost = innermost.filter(|((start, end), _)| call_behind(*start) >= *end);
    innermost.map(|((start, end), _)| Edit::new(*start, *end, Kind::Loop)).collect()
}

/// One round's working memory.
struct Placer {
    align: u32,
    loops: Option<LoopPlaces>,
    /// By how much longer the code has become without room, up to each edit.
    growth: Vec<i32>,
    /// How far what lies behind each edit moves.
    moved: Vec<i32>,
}

impl Placer {
    /// Finds where everything is if branches are as long as the edits say.
    fn compute(&mut self, edits: &[Edit]) {
        for (index, edit) in edits.iter().enumerate() {
            self.growth[index + 1] = self.growth[index] + edit.growth();
        }
        for (index, edit) in edits.iter().enumerate() {
            let moved = self.moved[index];
            let by = match edit.kind {
                Kind::Short { .. } | Kind::Long { .. } | Kind::Idle { .. } => edit.growth(),
                Kind::Loop => {
                    // There is no other room within an innermost loop.
                    let growth = self.growth[edit.far_edits] - self.growth[index];
                    let len = (edit.far - edit.at).wrapping_add_signed(growth);
                    self.loop_room(edit.at.wrapping_add_signed(moved), len) as i32
                }
                Kind::Constants => {
                    let room_start = edit.far.wrapping_add_signed(moved);
                    let room = edit.at.wrapping_sub(room_start) % self.align;
                    room as i32 - (edit.at - edit.far) as i32
                }
            };
            self.moved[index + 1] = moved + by;
        }
    }

    /// How much room to leave before a loop of that length that would start there.
    fn loop_room(&self, start: u32, len: u32) -> u32 {
        let Some(LoopPlaces { line_bytes, room_bytes_max, .. }) = self.loops else { return 0 };
        let into_line = start % line_bytes;
        let lines = (into_line + len).div_ceil(line_bytes);
        let room = line_bytes - into_line;
        if lines > len.div_ceil(line_bytes) && room <= room_bytes_max { room } else { 0 }
    }

    /// Makes branches long that do not reach, or all; whether there were any.
    fn grow(&self, edits: &mut [Edit], all: bool) -> bool {
        let mut has_grown = false;
        for (index, edit) in edits.iter_mut().enumerate() {
            let Kind::Short { end } = edit.kind else { continue };
            let from = i64::from(end) + i64::from(self.moved[index + 1]);
            let to = i64::from(edit.far) + i64::from(self.moved[edit.far_edits]);
            if all || !SHORT.contains(&(to - from)) {
                edit.kind = Kind::Long { end };
                has_grown = true;
            }
        }
        has_grown
    }
}
