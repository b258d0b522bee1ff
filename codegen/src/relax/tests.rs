//! Functions written by hand and drawn at random. `check` compares each with what it was.

use super::place::LoopPlaces;
use super::scan::Source;
use super::{LOOP_PLACES, Relaxed, check, place, relax_bytes, rewrite, scan};

const JE: &[u8] = &[0x0f, 0x84];
const JMP: &[u8] = &[0xe9];
const ADD: &[u8] = &[0x48, 0x83, 0xc0, 0x01];
const RET: u8 = 0xc3;

/// A function under construction.
#[derive(Default)]
struct Code {
    bytes: Vec<u8>,
    fields: Vec<u32>,
    block_starts: Vec<u32>,
    prologue_end: u32,
}

impl Code {
    fn put(&mut self, bytes: &[u8]) -> &mut Code {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// An instruction that ends with the distance to `target`.
    fn put_distance(&mut self, opcode: &[u8], target: usize) -> &mut Code {
        let end = self.bytes.len() + opcode.len() + 4;
        let distance = target as i64 - end as i64;
        self.put(opcode).put(&(distance as i32).to_le_bytes())
    }

    fn source(&self) -> Source<'_> {
        Source {
            bytes: &self.bytes,
            fields: &self.fields,
            block_starts: &self.block_starts,
            prologue_end: self.prologue_end,
        }
    }

    fn relax(&self, loops: Option<LoopPlaces>) -> Option<Relaxed> {
        relax_bytes(self.source(), 16, loops)
    }

    fn relaxed_bytes(&self) -> Option<Vec<u8>> {
        self.relax(None).map(|relaxed| relaxed.bytes)
    }
}

/// Numbers that look random and are the same each time.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

#[test]
fn near_branches_become_short() {
    let mut code = Code::default();
    code.put_distance(JE, 15).put_distance(JMP, 0).put(ADD).put(&[RET]);
    let relaxed = code.relax(None).unwrap();
    assert_eq!(relaxed.bytes, [0x74, 6, 0xeb, 0xfc, 0x48, 0x83, 0xc0, 0x01, RET]);
}

#[test]
fn a_branch_is_short_as_long_as_it_reaches() {
    for (between, len) in [(127, 2), (128, 6)] {
        let mut code = Code::default();
        code.put_distance(JE, 6 + between).put(&vec![0x90; between]).put(&[RET]);
        assert_eq!(code.relaxed_bytes().unwrap().len(), len + between + 1, "{between}");
    }
    for (before, len) in [(126, 2), (127, 6)] {
        let mut code = Code::default();
        code.put(&vec![0x90; before]).put_distance(JE, 0).put(&[RET]);
        assert_eq!(code.relaxed_bytes().unwrap().len(), before + len + 1, "{before}");
    }
}

#[test]
fn branches_that_grow_make_others_grow() {
    // Each reaches just behind the next one, if that is short; the last is not. One grows in a round,
    // until all do.
    for (last_reaches, len) in [(true, 2), (false, 6)] {
        let mut code = Code::default();
        for index in 1..100 {
            code.put_distance(JE, index * 131 + 6).put(&[0x90; 125]);
        }
        let end = 99 * 131 + 6;
        code.put_distance(JE, if last_reaches { end } else { 0 }).put(&[RET]);
        assert_eq!(code.relaxed_bytes().unwrap().len(), 99 * 125 + 100 * len + 1);
    }
}

/// A jump by a table of three.
fn jump_by_table(ends_block: bool) -> Code {
    let mut code = Code::default();
    let first = if ends_block { 34 } else { 6 };
    code.put_distance(JE, first);
    // lea rcx, [rip + table]; movsxd rdx, [rcx + rdi * 4]; add rcx, rdx; jmp rcx
    code.put_distance(&[0x48, 0x8d, 0x0d], 22);
    code.put(&[0x48, 0x63, 0x14, 0xb9, 0x48, 0x01, 0xd1, 0xff, 0xe1]);
    let table = code.bytes.len();
    assert_eq!(table, 22);
    let targets: [usize; 3] = if ends_block { [34, 41, 34] } else { [6, 6, 6] };
    for target in targets {
        code.put(&(target as i32 - table as i32).to_le_bytes());
    }
    if ends_block {
        code.put_distance(JE, 41).put(&[RET]).put(ADD).put(&[RET]);
    }
    code.block_starts = if ends_block { vec![0, 6, 34, 41] } else { vec![0, 6] };
    code
}

#[test]
fn tables_of_jumps_follow_their_targets() {
    let relaxed = jump_by_table(true).relax(None).unwrap();
    let table = relaxed.moves.find(22) as usize;
    assert_eq!(table, 18);
    let entries: Vec<u8> = [12_i32, 15, 12].iter().flat_map(|it| it.to_le_bytes()).collect();
    assert_eq!(relaxed.bytes[table..][..12], entries);
    assert_eq!(relaxed.moves.find(34), 30);
    assert_eq!(relaxed.moves.find(41), 33);
}

#[test]
fn a_table_may_end_a_function() {
    let relaxed = jump_by_table(false).relax(None).unwrap();
    let entries: Vec<u8> = [-16_i32; 3].iter().flat_map(|it| it.to_le_bytes()).collect();
    assert_eq!(relaxed.bytes[18..], entries);
}

#[test]
fn what_does_nothing_goes() {
    let mut code = Code::default();
    code.put(ADD).put(&[0x0f, 0x1f, 0]).put_distance(JE, 4).put(&[0x0f, 0x1f, 0, RET]);
    let relaxed = code.relax(Some(LOOP_PLACES)).unwrap();
    assert_eq!(relaxed.bytes, [ADD, &[0x74, 0xfe, RET]].concat());
    let ends = [7, 13, 16].map(|end| relaxed.moves.find_end(end));
    assert_eq!(ends, [4, 6, 6]);
}

#[test]
fn constants_stay_aligned() {
    let mut code = Code::default();
    // je +1; addsd xmm0, [rip + constant]; ret
    code.put_distance(JE, 6).put_distance(&[0xf2, 0x0f, 0x58, 0x05], 16).put(&[RET]);
    assert_eq!(code.bytes.len(), 15);
    code.put(&[0]).put(&1.5_f64.to_le_bytes());
    let relaxed = code.relax(None).unwrap();
    assert_eq!(relaxed.moves.find(16), 16);
    assert_eq!(
        relaxed.bytes[2..],
        *[0xf2, 0x0f, 0x58, 0x05, 6, 0, 0, 0, RET]
            .iter()
            .chain(&[0; 5])
            .chain(&1.5_f64.to_le_bytes())
            .copied()
            .collect::<Vec<u8>>()
    );
}

#[test]
fn addresses_of_constants_are_taken() {
    let mut code = Code::default();
    code.put_distance(JE, 6).put_distance(&[0x48, 0x8d, 0x05], 16).put(&[RET, 0, 0]).put(&[7; 16]);
    let relaxed = code.relax(None).unwrap();
    assert_eq!(relaxed.moves.find(16), 16);
    assert_eq!(relaxed.bytes[..10], [0x74, 0, 0x48, 0x8d, 0x05, 7, 0, 0, 0, RET]);
}

#[test]
fn a_block_that_nothing_leads_to_is_a_jump() {
    for (unreached, is_expected) in [(0xe9, true), (0x90, false)] {
        let mut code = Code::default();
        code.put_distance(JMP, 10).put(&[unreached, 0, 0, 0, 0]).put(&[RET]);
        code.block_starts = vec![0, 5, 5, 10];
        assert_eq!(code.relaxed_bytes(), is_expected.then(|| vec![0xeb, 0, RET]));
    }
}

#[test]
fn a_small_loop_lies_in_one_line() {
    let mut code = Code::default();
    code.put(&[0x90; 60]).put(ADD).put_distance(JE, 60).put(&[RET]);
    code.prologue_end = 60;
    let relaxed = code.relax(Some(LOOP_PLACES)).unwrap();
    assert_eq!((relaxed.moves.find(60), relaxed.align), (64, 64));
    assert_eq!(relaxed.moves.find_end(60), 60, "the prologue ends before the room");
    assert_eq!(relaxed.bytes[60..], [0x0f, 0x1f, 0x40, 0, 0x48, 0x83, 0xc0, 1, 0x74, 0xfa, RET]);
    assert_eq!(code.relax(None).unwrap().moves.find(60), 60, "small comes before fast");
}

#[test]
fn other_loops_lie_anywhere() {
    let mut outer = Code::default();
    outer.put(&[0x90; 60]).put(ADD).put(ADD).put_distance(JE, 64).put_distance(JE, 60);
    let relaxed = outer.put(&[RET]).relax(Some(LOOP_PLACES)).unwrap();
    assert_eq!((relaxed.moves.find(60), relaxed.moves.find(64)), (60, 64));
    let mut long = Code::default();
    long.put(&[0x90; 60]).put(&[0x90; 300]).put_distance(JE, 60).put(&[RET]);
    assert_eq!(long.relax(Some(LOOP_PLACES)).unwrap().moves.find(60), 60);
    let mut calling = Code::default();
    calling.put(&[0x90; 60]).put(&[0xff, 0xd0, 0x90]).put_distance(JE, 60).put(&[RET]);
    assert_eq!(calling.relax(Some(LOOP_PLACES)).unwrap().moves.find(60), 60);
    calling.bytes[60..62].copy_from_slice(&[0x90; 2]);
    assert_eq!(calling.relax(Some(LOOP_PLACES)).unwrap().moves.find(60), 64);
}

#[test]
fn what_relocations_fill_in_keeps_its_length() {
    let mut code = Code::default();
    code.put_distance(JE, 11).put(&[0xe8, 0, 0, 0, 0]).put(&[0xe9, 0xfc, 0xff, 0xff, 0xff]);
    code.fields = vec![7, 12];
    let relaxed = code.relax(None).unwrap();
    assert_eq!(relaxed.bytes, [0x74, 5, 0xe8, 0, 0, 0, 0, 0xe9, 0xfc, 0xff, 0xff, 0xff]);
    assert_eq!((relaxed.moves.find(7), relaxed.moves.find(12)), (3, 8));
}

#[test]
fn what_is_not_expected_stays() {
    let refused: [&[u8]; 9] = [
        // Runs off the end; leads outside; leads into an instruction.
        &[0x90],
        &[0xe9, 0x10, 0, 0, 0],
        &[0xe9, 0xfc, 0xff, 0xff, 0xff],
        // A call within the function; short branches; no instruction.
        &[0xe8, 0, 0, 0, 0, RET],
        &[0xeb, 0, RET],
        &[0xe3, 0, RET],
        &[0x06, RET],
        // Takes the address of code; reads code.
        &[0x48, 0x8d, 0x05, 0, 0, 0, 0, RET],
        &[0x48, 0x8b, 0x05, 0, 0, 0, 0, RET],
    ];
    for bytes in refused {
        let code = Code { bytes: bytes.to_vec(), ..Code::default() };
        assert_eq!(code.relaxed_bytes(), None, "{bytes:02x?}");
    }
    let mut code = jump_by_table(true);
    code.block_starts[2] = 33;
    assert_eq!(code.relaxed_bytes(), None, "the table ends within an entry");
}

#[test]
fn drawn_functions_mean_the_same() {
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    let mut shorter = 0;
    for _ in 0..300 {
        let code = draw_code(&mut draw);
        let relaxed = code.relax(Some(LOOP_PLACES)).expect("it holds what is expected");
        shorter += usize::from(relaxed.bytes.len() < code.bytes.len());
    }
    assert!(shorter > 200, "{shorter}");
}

#[test]
fn drawn_bytes_are_refused_or_mean_the_same() {
    let mut draw = Draw(0x2545_f491_4f6c_dd1d);
    for _ in 0..20_000 {
        let mut code = draw_code(&mut draw);
        for _ in 0..=draw.below(4) {
            let at = draw.below(code.bytes.len());
            code.bytes[at] = draw.below(256) as u8;
        }
        code.relax(Some(LOOP_PLACES));
    }
}

#[test]
#[should_panic(expected = "at 0")]
fn a_wrong_distance_is_found() {
    let mut code = Code::default();
    code.put_distance(JE, 6).put(&[RET]);
    let anatomy = scan::scan(code.source()).unwrap();
    let plan = place::place(&anatomy, 16, None);
    let mut bytes = rewrite::rewrite(code.source(), &anatomy, &plan);
    bytes[1] = 1;
    check::check(code.source(), &anatomy, &bytes, &plan.moves);
}

/// Instructions and branches between them, at most 400.
fn draw_code(draw: &mut Draw) -> Code {
    let lens = [1, 4, 6, 5, 8, 7, 3];
    let insts: Vec<usize> = (0..=draw.below(400)).map(|_| draw.below(10)).collect();
    let len_of = |inst: &usize| lens[inst % lens.len()];
    let mut starts = vec![0];
    for inst in &insts {
        starts.push(starts[starts.len() - 1] + len_of(inst));
    }
    let mut code = Code::default();
    let reach = 1 + draw.below(60);
    for (index, inst) in insts.iter().enumerate() {
        let near = (index + draw.below(2 * reach)).saturating_sub(reach).min(insts.len());
        let constant = starts[insts.len()] + 1;
        match len_of(inst) {
            1 => code.put(&[0x90]),
            3 => code.put(&[0x0f, 0x1f, 0]),
            4 => code.put(ADD),
            6 => code.put_distance(&[0x0f, 0x80 + draw.below(16) as u8], starts[near]),
            5 => code.put_distance(JMP, starts[near]),
            8 => code.put_distance(&[0xf2, 0x0f, 0x58, 0x05], constant.next_multiple_of(16)),
            _ => code.put(&[0x48, 0x8d, 0x80, 0, 1, 0, 0]),
        };
    }
    code.put(&[RET]);
    let len = code.bytes.len().next_multiple_of(16) + 16;
    code.bytes.resize(len, 0);
    code
}
