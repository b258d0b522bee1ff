//! Counts machine instructions.
//!
//! Cranelift says where the code of a source place starts and ends, in bytes, and where each
//! block starts. Within a block instructions lie side by side; behind the jump at the end of a
//! `br_table` lies the table, which holds none.

use iced_x86::{Code, Decoder, DecoderOptions, OpKind};
use target_lexicon::Architecture;

/// Whether the machine's instructions can be told from data here.
pub(super) fn is_countable(architecture: Architecture) -> bool {
    matches!(architecture, Architecture::X86_64 | Architecture::Aarch64(_))
}

/// Where each instruction of a function starts, in bytes; `None` where they are
/// not countable.
pub(super) fn find_insts(
    architecture: Architecture,
    code: &[u8],
    block_starts: &[u32],
) -> Option<Vec<u32>> {
    let mut insts = Vec::new();
    let ends = block_starts.iter().copied().skip(1).chain([code.len() as u32]);
    for (start, end) in block_starts.iter().copied().zip(ends) {
        let Some(block) = code.get(start as usize..end as usize) else { continue };
        match architecture {
            Architecture::X86_64 => find_x86_64(block, start, &mut insts),
            Architecture::Aarch64(_) => find_aarch64(block, start, &mut insts),
            _ => return None,
        }
    }
    Some(insts)
}

fn find_x86_64(block: &[u8], start: u32, insts: &mut Vec<u32>) {
    let mut decoder = Decoder::with_ip(64, block, u64::from(start), DecoderOptions::NONE);
    while decoder.can_decode() {
        let inst = decoder.decode();
        // Constants behind the last block need not be instructions.
        if inst.code() == Code::INVALID {
            return;
        }
        insts.push(inst.ip() as u32);
        if inst.code() == Code::Jmp_rm64 && inst.op0_kind() == OpKind::Register {
            return;
        }
    }
}

fn find_aarch64(block: &[u8], start: u32, insts: &mut Vec<u32>) {
    const BR_MASK: u32 = 0xffff_fc1f;
    const BR: u32 = 0xd61f_0000;
    for (at, word) in block.as_chunks::<4>().0.iter().enumerate() {
        insts.push(start + at as u32 * 4);
        if u32::from_le_bytes(*word) & BR_MASK == BR {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use target_lexicon::Aarch64Architecture;

    #[test]
    fn instructions_of_x86_64_differ_in_length() {
        // push rbp; mov rbp, rsp; movabs rax, 0x0102030405060708; ret
        let code = [0x55, 0x48, 0x89, 0xe5, 0x48, 0xb8, 8, 7, 6, 5, 4, 3, 2, 1, 0xc3];
        assert_eq!(find_insts(Architecture::X86_64, &code, &[0]), Some(vec![0, 1, 4, 14]));
    }

    #[test]
    fn tables_behind_jumps_are_no_instructions() {
        // jmp rax; four bytes of a table; then a block: ret
        let code = [0xff, 0xe0, 0x90, 0x90, 0x90, 0x90, 0xc3];
        assert_eq!(find_insts(Architecture::X86_64, &code, &[0, 6]), Some(vec![0, 6]));
        let br_x1 = 0xd61f_0020u32.to_le_bytes();
        let ret = 0xd65f_03c0u32.to_le_bytes();
        let code = [br_x1, [1, 0, 0, 0], ret].concat();
        let aarch64 = Architecture::Aarch64(Aarch64Architecture::Aarch64);
        assert_eq!(find_insts(aarch64, &code, &[0, 8]), Some(vec![0, 8]));
    }

    #[test]
    fn other_machines_are_not_guessed_at() {
        assert_eq!(find_insts(Architecture::S390x, &[0x07, 0xfe], &[0]), None);
        assert!(!is_countable(Architecture::S390x));
    }
}
