//! Epilogues that restore the stack pointer once, for x86-64.
//!
//! Cranelift ends a function with `add $N,%rsp; mov %rbp,%rsp; pop %rbp; ret`. The `mov` writes what
//! is there: the prologue is `push %rbp; mov %rsp,%rbp; sub $N,%rsp`, without the `sub` if the frame is
//! empty, and what lies between them leaves both registers as they were (callee-saved registers are
//! restored from offsets of the stack pointer, so Cranelift relies on that itself). But it costs:
//! returns wait for the sum and then for the copy, and a recursive function that does little else took
//! a third longer.
//!
//! The three bytes become an instruction that does nothing, so nothing moves: not the traps, nor the
//! relocations, nor the frames' description, which goes by the frame pointer up to the `pop`. Windows
//! finds frames by reading the epilogue, so there it stays.
//!
//! An epilogue is changed only if it is one: instructions read from the start of its block on lead to
//! it, and what it adds is what the prologue subtracts. Bytes of a constant or of a table of jumps that
//! look like one are not reached that way.

use iced_x86::{Code, Decoder, DecoderOptions, Instruction, Register};

/// `push %rbp; mov %rsp,%rbp`.
const PROLOGUE: &[u8] = &[0x55, 0x48, 0x89, 0xe5];
/// `mov %rbp,%rsp; pop %rbp`.
const RESTORE: &[u8] = &[0x48, 0x89, 0xec, 0x5d];
/// An instruction of three bytes that does nothing.
const NOP: &[u8] = &[0x0f, 0x1f, 0x00];

/// Changes the epilogues in a function's bytes; its blocks start at `block_starts`, ascending.
pub fn simplify_epilogues(code: &mut [u8], block_starts: &[u32]) {
    if !code.starts_with(PROLOGUE) {
        return;
    }
    let (_, body) = code.split_at(PROLOGUE.len());
    let frame = read_adjustment(&decode(body), Code::Sub_rm64_imm8, Code::Sub_rm64_imm32);
    let found: Vec<usize> = find_restores(code)
        .filter(|at| {
            let block =
                block_starts[..block_starts.partition_point(|start| *start as usize <= *at)].last();
            block.is_some_and(|start| is_epilogue(code, (*start as usize, *at), frame))
        })
        .collect();
    for at in found {
        code[at..at + NOP.len()].copy_from_slice(NOP);
    }
}

/// Where the bytes of an epilogue are, or others that look like it.
fn find_restores(code: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let windows = code.windows(RESTORE.len() + 1).enumerate();
    let is_found =
        |window: &[u8]| window.starts_with(RESTORE) && matches!(window[RESTORE.len()], 0xc2 | 0xc3);
    windows.filter(move |(_, window)| is_found(window)).map(|(at, _)| at)
}

/// Whether the processor gets from the start of the block to those bytes, and the instruction before
/// them gives back a frame of that size.
fn is_epilogue(code: &[u8], (start, at): (usize, usize), frame: Option<u64>) -> bool {
    let mut decoder = Decoder::new(64, &code[start..], DecoderOptions::NONE);
    let mut last = Instruction::default();
    while start + decoder.position() < at {
        decoder.decode_out(&mut last);
        let ends = matches!(
            last.code(),
            Code::INVALID
                | Code::Jmp_rel8_64
                | Code::Jmp_rel32_64
                | Code::Jmp_rm64
                | Code::Retnq
                | Code::Retnq_imm16
                | Code::Ud2
        );
        if ends {
            return false;
        }
    }
    let is_reached = start + decoder.position() == at;
    is_reached && read_adjustment(&last, Code::Add_rm64_imm8, Code::Add_rm64_imm32) == frame
}

/// By how much an instruction with one of these codes moves the stack pointer.
fn read_adjustment(inst: &Instruction, short: Code, long: Code) -> Option<u64> {
    let is_adjustment =
        (inst.code() == short || inst.code() == long) && inst.op0_register() == Register::RSP;
    is_adjustment.then(|| inst.immediate(1))
}

fn decode(bytes: &[u8]) -> Instruction {
    Decoder::new(64, bytes, DecoderOptions::NONE).decode()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `sub $16,%rsp` and `add $16,%rsp`.
    const SUB: &[u8] = &[0x48, 0x83, 0xec, 0x10];
    const ADD: &[u8] = &[0x48, 0x83, 0xc4, 0x10];
    const RET: &[u8] = &[0xc3];

    /// What becomes of these bytes, if that is anything else.
    fn simplify(parts: &[&[u8]], block_starts: &[u32]) -> Option<Vec<u8>> {
        let before = parts.concat();
        let mut after = before.clone();
        simplify_epilogues(&mut after, block_starts);
        (before != after).then_some(after)
    }

    #[test]
    fn the_copy_goes_and_nothing_moves() {
        let expected = [PROLOGUE, SUB, ADD, NOP, &[0x5d], RET].concat();
        assert_eq!(simplify(&[PROLOGUE, SUB, ADD, RESTORE, RET], &[0]), Some(expected));
        let expected = [PROLOGUE, NOP, &[0x5d], RET].concat();
        assert_eq!(simplify(&[PROLOGUE, RESTORE, RET], &[0]), Some(expected));
        let pops = [0xc2, 0x20, 0x00];
        let expected = [PROLOGUE, SUB, ADD, NOP, &[0x5d], &pops].concat();
        assert_eq!(simplify(&[PROLOGUE, SUB, ADD, RESTORE, &pops], &[0]), Some(expected));
    }

    #[test]
    fn every_epilogue_is_found() {
        let half: &[&[u8]] = &[ADD, RESTORE, RET];
        let code = [&[PROLOGUE, SUB], half, half].concat();
        let second = (PROLOGUE.len() + SUB.len() + half.concat().len()) as u32;
        let after = simplify(&code, &[0, 8, second]).expect("both change");
        assert_eq!(find_restores(&after).count(), 0);
    }

    #[test]
    fn frames_must_match() {
        let other = [0x48, 0x83, 0xc4, 0x20];
        assert_eq!(simplify(&[PROLOGUE, SUB, &other, RESTORE, RET], &[0]), None);
        assert_eq!(simplify(&[PROLOGUE, SUB, RESTORE, RET], &[0]), None);
        assert_eq!(simplify(&[PROLOGUE, ADD, RESTORE, RET], &[0]), None);
        assert_eq!(simplify(&[SUB, ADD, RESTORE, RET], &[0]), None);
    }

    #[test]
    fn data_that_looks_like_code_stays() {
        // Behind a return; inside an instruction, `mov $imm,%rax`; behind an indirect jump.
        let constant = [&[0x90], RESTORE, RET].concat();
        let code: &[&[u8]] = &[PROLOGUE, &[0x0f, 0x0b], &constant];
        assert_eq!(simplify(code, &[0]), None);
        let immediate = [&[0x48, 0xb8], RESTORE, RET, &[0, 0, 0]].concat();
        assert_eq!(simplify(&[PROLOGUE, &immediate, &[0x0f, 0x0b]], &[0]), None);
        let jump = [0xff, 0xe0];
        assert_eq!(simplify(&[PROLOGUE, &jump, RESTORE, RET], &[0]), None);
        assert!(simplify(&[PROLOGUE, &[0x90], RESTORE, RET], &[0]).is_some());
    }

    #[test]
    fn odd_bytes_are_no_trouble() {
        assert_eq!(simplify(&[], &[]), None);
        assert_eq!(simplify(&[PROLOGUE], &[0]), None);
        assert_eq!(simplify(&[PROLOGUE, RESTORE], &[0]), None);
        assert_eq!(simplify(&[PROLOGUE, RESTORE, RET], &[]), None);
        assert_eq!(simplify(&[PROLOGUE, &[0x06], RESTORE, RET], &[0]), None);
    }
}
