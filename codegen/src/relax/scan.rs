//! What a function's bytes are: instructions, tables of jumps, and constants.
//!
//! Code is found by following it: from the entry on, instruction by instruction, to wherever a branch
//! leads or a table of jumps says. What nothing leads to is not touched, whether it is data or code
//! that never runs.

use iced_x86::{Code, Decoder, DecoderOptions, Instruction, OpKind};

/// A function as Cranelift made it.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Code and the constants behind it.
    pub bytes: &'a [u8],
    /// Where the fields lie that relocations fill in, ascending.
    pub fields: &'a [u32],
    /// Where its blocks start, ascending. The last may be empty.
    pub block_starts: &'a [u32],
    /// Where its prologue ends.
    pub prologue_end: u32,
}

/// What must change when instructions move, each list ascending.
#[derive(Clone, Debug, Default)]
pub struct Anatomy {
    /// Branches within the function.
    pub branches: Vec<Branch>,
    /// Instructions with an operand in the function that is named by its distance.
    pub operands: Vec<Operand>,
    /// Where calls start.
    pub calls: Vec<u32>,
    /// Tables of jumps.
    pub tables: Vec<Table>,
    /// Instructions that do nothing or never run, from where to where. Not ascending.
    pub idle: Vec<(u32, u32)>,
    /// The constants that instructions read, if there are any.
    pub constants: Option<Constants>,
    /// Where the prologue ends.
    pub prologue_end: u32,
    /// Where instructions and tables end.
    code_end: u32,
    /// For each byte, whether an instruction starts there: [`START`].
    pub marks: Vec<u8>,
}

/// A branch with a distance of 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Where it starts.
    pub at: u32,
    /// Where it ends.
    pub end: u32,
    /// Where it leads.
    pub target: u32,
}

/// An operand in memory at a distance of 32 bits from the instruction's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    /// Where the distance stands.
    pub field: u32,
    /// Where the instruction ends.
    pub end: u32,
    /// Where the operand is.
    pub target: u32,
    /// Whether its address is taken.
    is_address: bool,
}

/// Distances of 32 bits from the table's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Where it starts.
    pub at: u32,
    /// How many there are.
    pub len: u32,
}

/// What lies behind the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constants {
    /// Where the first constant starts.
    pub start: u32,
    /// Where the room before it starts that only serves to align it.
    pub room_start: u32,
}

/// The instruction that jumps by a distance of 32 bits.
const JMP: u8 = 0xe9;
/// Its length.
const JMP_BYTES: u32 = 5;
/// An instruction that does nothing, as `epilogues` writes it.
const NOP: &[u8] = &[0x0f, 0x1f, 0x00];

/// An instruction starts at this byte.
pub const START: u8 = 1;
/// The byte belongs to an instruction or a table that starts before it.
const INSIDE: u8 = 2;
/// A relocation fills in what starts at this byte.
const FIELD: u8 = 4;

/// Finds out what the bytes of a function are; `None` if they are not what is expected of Cranelift.
pub fn scan(source: Source<'_>) -> Option<Anatomy> {
    let mut marks = vec![0; source.bytes.len()];
    for field in source.fields {
        *marks.get_mut(*field as usize)? |= FIELD;
    }
    let anatomy = Anatomy { marks, ..Anatomy::default() };
    let mut scanner = Scanner { source, anatomy, open: vec![0] };
    let mut decoder = Decoder::new(64, source.bytes, DecoderOptions::NONE);
    let mut inst = Instruction::default();
    while let Some(from) = scanner.open.pop() {
        scanner.follow(&mut decoder, &mut inst, from)?;
    }
    scanner.finish()
}

struct Scanner<'a> {
    source: Source<'a>,
    anatomy: Anatomy,
    /// Where else code starts.
    open: Vec<u32>,
}

/// Where the processor goes on after an instruction.
enum Next {
    /// Behind it.
    Behind,
    /// Elsewhere, and that is known.
    Elsewhere,
}

impl Scanner<'_> {
    /// Reads instructions from there on, until one after which the processor does not go on.
    fn follow(
        &mut self,
        decoder: &mut Decoder<'_>,
        inst: &mut Instruction,
        from: u32,
    ) -> Option<()> {
        decoder.set_position(from as usize).ok()?;
        decoder.set_ip(u64::from(from));
        loop {
            let at = decoder.position();
            let mark = *self.anatomy.marks.get(at)?;
            if mark & INSIDE != 0 {
                return None;
            }
            if mark & START != 0 {
                return Some(());
            }
            decoder.decode_out(inst);
            if inst.code() == Code::INVALID {
                return None;
            }
            let behind = decoder.position();
            self.mark(at, behind)?;
            if let Next::Elsewhere = self.read(decoder, inst, (at as u32, behind as u32))? {
                return Some(());
            }
        }
    }

    /// Notes that an instruction lies there, which nothing else may do.
    fn mark(&mut self, at: usize, behind: usize) -> Option<()> {
        let marks = self.anatomy.marks.get_mut(at..behind)?;
        let (first, rest) = marks.split_first_mut()?;
        *first |= START;
        for mark in rest {
            if *mark & (START | INSIDE) != 0 {
                return None;
            }
            *mark |= INSIDE;
        }
        self.anatomy.code_end = self.anatomy.code_end.max(behind as u32);
        Some(())
    }

    /// Takes down what of an instruction depends on where it lies.
    fn read(
        &mut self,
        decoder: &Decoder<'_>,
        inst: &Instruction,
        (at, end): (u32, u32),
    ) -> Option<Next> {
        if inst.is_ip_rel_memory_operand() {
            let offsets = decoder.get_constant_offsets(inst);
            let field = at + offsets.displacement_offset() as u32;
            if !self.is_relocated(field) {
                let target = self.inside(inst.ip_rel_memory_address())?;
                let is_address = inst.code() == Code::Lea_r64_m;
                self.anatomy.operands.push(Operand { field, end, target, is_address });
            }
        }
        if matches!(inst.code(), Code::Call_rel32_64 | Code::Call_rm64) {
            self.anatomy.calls.push(at);
        }
        if inst.op0_kind() == OpKind::NearBranch64 {
            return self.read_branch(inst, (at, end));
        }
        if self.source.bytes[at as usize..end as usize] == *NOP {
            self.anatomy.idle.push((at, end));
        }
        Some(match inst.code() {
            Code::Retnq | Code::Retnq_imm16 | Code::Ud2 => Next::Elsewhere,
            Code::Jmp_rm64 => {
                self.read_table(end)?;
                Next::Elsewhere
            }
            _ => Next::Behind,
        })
    }

    /// Calls lead outside; jumps do or do not.
    fn read_branch(&mut self, inst: &Instruction, (at, end): (u32, u32)) -> Option<Next> {
        let (next, is_inside) = match self.source.bytes.get(at as usize..end as usize)? {
            [0xe8, _, _, _, _] => (Next::Behind, !self.is_relocated(end - 4)),
            [JMP, _, _, _, _] => (Next::Elsewhere, !self.is_relocated(end - 4)),
            [0x0f, 0x80..=0x8f, _, _, _, _] => (Next::Behind, !self.is_relocated(end - 4)),
            _ => return None,
        };
        if is_inside {
            let is_jump = inst.code() != Code::Call_rel32_64;
            let target = self.inside(inst.near_branch64()).filter(|_| is_jump)?;
            self.anatomy.branches.push(Branch { at, end, target });
            self.open.push(target);
        }
        Some(next)
    }

    /// The table behind an indirect jump, if the jump has just taken its address: other indirect jumps
    /// are tail calls.
    fn read_table(&mut self, at: u32) -> Option<()> {
        // The instructions of a jump by a table are always next to each other.
        let last = self.anatomy.operands.last();
        if last.is_none_or(|operand| !operand.is_address || operand.target != at) {
            return Some(());
        }
        let starts = self.source.block_starts;
        let bytes = self.source.bytes.get(at as usize..)?;
        let next = starts.get(starts.partition_point(|start| *start <= at));
        let entries = bytes.as_chunks::<4>().0.iter().map(|entry| {
            let target = i64::from(at) + i64::from(i32::from_le_bytes(*entry));
            u32::try_from(target).ok().filter(|target| starts.binary_search(target).is_ok())
        });
        let mut len = 0;
        for target in entries.take(next.map_or(usize::MAX, |next| (next - at) as usize / 4)) {
            // A table that ends the last block ends where there are no more targets.
            let Some(target) = target else { break };
            self.open.push(target);
            len += 1;
        }
        let end = at + len * 4;
        if next.is_some_and(|next| *next != end) {
            return None;
        }
        self.mark(at as usize, end as usize)?;
        self.anatomy.marks[at as usize] ^= START | INSIDE;
        self.anatomy.tables.push(Table { at, len });
        Some(())
    }

    fn is_relocated(&self, field: u32) -> bool {
        self.anatomy.marks.get(field as usize).is_some_and(|mark| mark & FIELD != 0)
    }

    fn inside(&self, address: u64) -> Option<u32> {
        let is_inside = address < self.source.bytes.len() as u64;
        is_inside.then_some(address as u32)
    }

    fn finish(mut self) -> Option<Anatomy> {
        let anatomy = &mut self.anatomy;
        anatomy.branches.sort_unstable_by_key(|branch| branch.at);
        anatomy.calls.sort_unstable();
        anatomy.operands.sort_unstable_by_key(|operand| operand.field);
        anatomy.tables.sort_unstable_by_key(|table| table.at);
        let tables = &anatomy.tables;
        let mut constants = None;
        for operand in &anatomy.operands {
            if tables.binary_search_by_key(&operand.target, |table| table.at).is_ok() {
                continue;
            }
            // What else is named are constants, and they lie behind the code.
            if operand.target < anatomy.code_end {
                return None;
            }
            constants = Some(constants.map_or(operand.target, |it: u32| it.min(operand.target)));
        }
        if let Some(start) = constants {
            let before = &self.source.bytes[anatomy.code_end as usize..start as usize];
            let zeros = before.iter().rev().take_while(|byte| **byte == 0).count();
            anatomy.constants = Some(Constants { start, room_start: start - zeros as u32 });
        }
        anatomy.prologue_end = self.source.prologue_end;
        let is_understood = self.anatomy.tables.iter().all(|table| self.is_whole(*table));
        (is_understood && self.find_blocks()).then_some(self.anatomy)
    }

    /// Whether every block has been found. Cranelift leaves two kinds of blocks that nothing leads to:
    /// those that were only a jump, whose target is named in their place, and an empty one at the end.
    /// Any other that is not found would be one that something leads to unnoticed.
    fn find_blocks(&mut self) -> bool {
        let Anatomy { marks, code_end, idle, .. } = &mut self.anatomy;
        self.source.block_starts.iter().all(|start| {
            let at = *start as usize;
            if start == code_end || marks.get(at).is_some_and(|mark| mark & START != 0) {
                return true;
            }
            let end = start + JMP_BYTES;
            let marks = marks.get_mut(at..end as usize).filter(|marks| **marks == [0; 5]);
            if let Some(marks) = marks.filter(|_| end <= *code_end) {
                marks.fill(INSIDE);
                idle.push((*start, end));
            }
            self.source.bytes.get(at) == Some(&JMP)
        })
    }

    /// Whether something else starts where the table ends.
    fn is_whole(&self, table: Table) -> bool {
        let end = table.at + table.len * 4;
        let room_start = self.anatomy.constants.map(|constants| constants.room_start);
        self.source.block_starts.binary_search(&end).is_ok()
            || self.anatomy.marks.get(end as usize).is_none_or(|mark| mark & START != 0)
            || room_start == Some(end)
    }
}
