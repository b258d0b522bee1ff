//! Compares a rewritten function with what it was, instruction by instruction.

use super::place::Moves;
use super::scan::{Anatomy, START, Source};
use iced_x86::{Code, Decoder, DecoderOptions, Instruction, OpKind};

/// Panics unless every instruction is where `moves` says, does the same, and names what it named.
pub fn check(source: Source<'_>, anatomy: &Anatomy, bytes: &[u8], moves: &Moves) {
    let is_start = |at: u32| anatomy.marks.get(at as usize).is_some_and(|mark| mark & START != 0);
    for at in (0..source.bytes.len() as u32).filter(|at| is_start(*at)) {
        let new_at = moves.find(at);
        let old = decode(source.bytes, at);
        let behind = at + old.len() as u32;
        if moves.find_end(behind) == new_at {
            // It has gone: what would have run behind it runs at once.
            check_room(source.bytes, at, behind);
            continue;
        }
        let new = decode(bytes, new_at);
        let (old_bytes, new_bytes) = (bytes_of(source.bytes, &old), bytes_of(bytes, &new));
        let is_external = (at..behind).any(|at| source.fields.binary_search(&at).is_ok());
        if is_external {
            assert_eq!(old_bytes, new_bytes, "at {at}");
        } else if old.op0_kind() == OpKind::NearBranch64 {
            assert_eq!(branch_kind(old_bytes), branch_kind(new_bytes), "at {at}");
            let target = moves.find(old.near_branch64() as u32);
            assert_eq!(u64::from(target), new.near_branch64(), "at {at}");
        } else if old.is_ip_rel_memory_operand() {
            let target = moves.find(old.ip_rel_memory_address() as u32);
            assert_eq!(u64::from(target), new.ip_rel_memory_address(), "at {at}");
            assert_eq!((old.code(), old.len()), (new.code(), new.len()), "at {at}");
            assert_eq!(old.op0_register(), new.op0_register(), "at {at}");
            assert_eq!(old.op1_register(), new.op1_register(), "at {at}");
        } else {
            assert_eq!(old_bytes, new_bytes, "at {at}");
        }
        if is_start(behind) {
            check_room(bytes, new_at + new.len() as u32, moves.find(behind));
        }
    }
    check_data(source, anatomy, bytes, moves);
}

/// Between two instructions that were next to each other are only such that do nothing.
fn check_room(bytes: &[u8], mut from: u32, to: u32) {
    while from < to {
        let inst = decode(bytes, from);
        let is_nop =
            matches!(inst.code(), Code::Nopd | Code::Nopw | Code::Nop_rm32 | Code::Nop_rm16);
        assert!(is_nop, "{inst:?} at {from}");
        from += inst.len() as u32;
    }
    assert_eq!(from, to);
}

/// Tables name what they named, and constants are what they were.
fn check_data(source: Source<'_>, anatomy: &Anatomy, bytes: &[u8], moves: &Moves) {
    let read = |bytes: &[u8], at: u32| {
        let field = bytes[at as usize..].first_chunk().expect("an entry has 4 bytes");
        u32::from_le_bytes(*field)
    };
    for table in &anatomy.tables {
        let new_at = moves.find(table.at);
        for before in (0..table.len * 4).step_by(4) {
            let target = table.at.wrapping_add(read(source.bytes, table.at + before));
            let new_target = new_at.wrapping_add(read(bytes, new_at + before));
            assert_eq!(moves.find(target), new_target, "the table at {}", table.at);
        }
    }
    if let Some(constants) = anatomy.constants {
        let new_start = moves.find(constants.start) as usize;
        assert_eq!(source.bytes[constants.start as usize..], bytes[new_start..]);
    }
}

fn decode(bytes: &[u8], at: u32) -> Instruction {
    let rest = &bytes[at as usize..];
    Decoder::with_ip(64, rest, u64::from(at), DecoderOptions::NONE).decode()
}

fn bytes_of<'a>(bytes: &'a [u8], inst: &Instruction) -> &'a [u8] {
    &bytes[inst.ip() as usize..][..inst.len()]
}

/// The condition of a branch, whatever its length; 16 if it has none.
fn branch_kind(bytes: &[u8]) -> u8 {
    match bytes {
        [0x0f, opcode @ 0x80..=0x8f, ..] | [opcode @ 0x70..=0x7f, _] => opcode & 15,
        [0xe9, ..] | [0xeb, _] => 16,
        _ => panic!("{bytes:x?} is no branch"),
    }
}
