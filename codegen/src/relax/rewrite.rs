//! Writes a function with its bytes where they belong.

use super::place::{Kind, Moves, Plan, SHORT_BYTES};
use super::scan::{Anatomy, Source};

/// Instructions that do nothing, by their length in bytes: those that the manufacturers recommend.
const NOPS: [&[u8]; 9] = [
    &[0x90],
    &[0x66, 0x90],
    &[0x0f, 0x1f, 0x00],
    &[0x0f, 0x1f, 0x40, 0x00],
    &[0x0f, 0x1f, 0x44, 0x00, 0x00],
    &[0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
    &[0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00],
    &[0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
    &[0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
];

/// The new bytes.
pub fn rewrite(source: Source<'_>, anatomy: &Anatomy, plan: &Plan) -> Vec<u8> {
    let Plan { edits, moves, .. } = plan;
    let bytes = source.bytes;
    let mut out = Vec::with_capacity(bytes.len() + 64);
    let mut copied = 0;
    let mut copy = |out: &mut Vec<u8>, end: u32, next: u32| {
        out.extend_from_slice(&bytes[copied as usize..end as usize]);
        copied = next;
    };
    for edit in edits {
        match edit.kind {
            Kind::Loop => {
                copy(&mut out, edit.at, edit.at);
                put_nops(&mut out, moves.find(edit.at) as usize);
            }
            Kind::Constants => {
                copy(&mut out, edit.far, edit.at);
                out.resize(moves.find(edit.at) as usize, 0);
            }
            Kind::Idle { end } => copy(&mut out, edit.at, end),
            Kind::Short { end } => {
                copy(&mut out, edit.at, end);
                let opcode = match bytes[edit.at as usize..end as usize] {
                    // `jcc` has its condition in the lower half of either opcode.
                    [0x0f, opcode, ..] => opcode - 0x10,
                    _ => 0xeb,
                };
                let from = out.len() as u32 + SHORT_BYTES;
                let distance = moves.find(edit.far).wrapping_sub(from);
                out.extend([opcode, distance as u8]);
            }
            Kind::Long { end } => {
                copy(&mut out, end, end);
                patch_distance(&mut out, moves, end - 4, (edit.far, 4));
            }
        }
    }
    copy(&mut out, bytes.len() as u32, 0);
    for operand in &anatomy.operands {
        let behind = operand.end - operand.field;
        patch_distance(&mut out, moves, operand.field, (operand.target, behind));
    }
    for table in &anatomy.tables {
        let entries = bytes[table.at as usize..][..table.len as usize * 4].as_chunks::<4>().0;
        for (index, entry) in entries.iter().enumerate() {
            let target = table.at.wrapping_add(u32::from_le_bytes(*entry));
            let before = index as u32 * 4;
            patch_distance(&mut out, moves, table.at + before, (target, before.wrapping_neg()));
        }
    }
    out
}

/// Writes into a field how far the target is from what lies so many bytes behind the field's start.
/// Both are named by where they were before.
fn patch_distance(out: &mut [u8], moves: &Moves, field: u32, (target, behind): (u32, u32)) {
    let field = moves.find(field);
    let distance = moves.find(target).wrapping_sub(field.wrapping_add(behind));
    out[field as usize..][..4].copy_from_slice(&distance.to_le_bytes());
}

/// Fills up to that length with as few instructions as possible.
fn put_nops(out: &mut Vec<u8>, end: usize) {
    while out.len() < end {
        let len = (end - out.len()).min(NOPS.len());
        out.extend_from_slice(NOPS[len - 1]);
    }
}
