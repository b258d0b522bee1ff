//! Relocations of RISC-V ("RISC-V ELF Specification", section "Relocations").
//!
//! Nothing is relaxed, so that code keeps its size: the marks that would allow it are ignored.

use super::machine::{Failure, Values, fits, read_u32, write_bytes};
use cranelift_codegen::binemit::Reloc;
use object::elf;

/// The kind that writes a 64-bit address.
pub const ABSOLUTE: u32 = elf::R_RISCV_64.0;
/// The kind that writes a distance of 32 bits.
pub const DISTANCE: u32 = elf::R_RISCV_32_PCREL.0;

const NONE: u32 = elf::R_RISCV_NONE.0;
const BRANCH: u32 = elf::R_RISCV_BRANCH.0;
const JAL: u32 = elf::R_RISCV_JAL.0;
const CALL: u32 = elf::R_RISCV_CALL.0;
const CALL_PLT: u32 = elf::R_RISCV_CALL_PLT.0;
const GOT_HI20: u32 = elf::R_RISCV_GOT_HI20.0;
const PCREL_HI20: u32 = elf::R_RISCV_PCREL_HI20.0;
const PCREL_LO12_I: u32 = elf::R_RISCV_PCREL_LO12_I.0;
const PCREL_LO12_S: u32 = elf::R_RISCV_PCREL_LO12_S.0;
const HI20: u32 = elf::R_RISCV_HI20.0;
const LO12_I: u32 = elf::R_RISCV_LO12_I.0;
const LO12_S: u32 = elf::R_RISCV_LO12_S.0;
const ALIGN: u32 = elf::R_RISCV_ALIGN.0;
const RVC_BRANCH: u32 = elf::R_RISCV_RVC_BRANCH.0;
const RVC_JUMP: u32 = elf::R_RISCV_RVC_JUMP.0;
const RELAX: u32 = elf::R_RISCV_RELAX.0;
const PCREL_32: u32 = elf::R_RISCV_32_PCREL.0;

/// The ELF kind of a relocation of Cranelift's.
pub fn code_relocation(kind: Reloc) -> u32 {
    match kind {
        Reloc::Abs8 => ABSOLUTE,
        Reloc::RiscvCallPlt => CALL_PLT,
        Reloc::RiscvPCRelHi20 => PCREL_HI20,
        Reloc::RiscvPCRelLo12I => PCREL_LO12_I,
        Reloc::RiscvGotHi20 => GOT_HI20,
        other => panic!("the settings exclude the relocation {other:?}"),
    }
}

/// Whether a relocation needs a word that holds the symbol's address.
pub fn needs_got(kind: u32) -> bool {
    kind == GOT_HI20
}

/// Whether a relocation is the second of a pair. Its symbol is then the place of the first, and
/// the first has the symbol that both stand for: `apply` wants the first one's values.
pub fn is_second_of_pair(kind: u32) -> bool {
    matches!(kind, PCREL_LO12_I | PCREL_LO12_S)
}

/// Whether a relocation is the first of a pair.
pub fn is_first_of_pair(kind: u32) -> bool {
    matches!(kind, PCREL_HI20 | GOT_HI20)
}

/// Applies a relocation at `offset` of `bytes`.
pub fn apply(kind: u32, bytes: &mut [u8], offset: usize, values: Values) -> Result<(), Failure> {
    let Values { symbol, addend, place, got } = values;
    let absolute = symbol.wrapping_add_signed(addend);
    let relative = absolute.wrapping_sub(place).cast_signed();
    // The second of a pair does not know which kind the first is; only a word of its own has one.
    let to_word = |got: u64| got.wrapping_sub(place).cast_signed();
    match kind {
        NONE | ALIGN | RELAX => Ok(()),
        ABSOLUTE => write_bytes(bytes, offset, absolute.to_le_bytes()),
        PCREL_32 => {
            let value = i32::try_from(relative).map_err(|_| Failure::OutOfRange)?;
            write_bytes(bytes, offset, value.to_le_bytes())
        }
        PCREL_HI20 => put_high(bytes, offset, relative),
        GOT_HI20 => put_high(bytes, offset, to_word(got.ok_or(Failure::UnknownKind)?)),
        PCREL_LO12_I => put_low(bytes, offset, got.map_or(relative, to_word)),
        PCREL_LO12_S => put_low_store(bytes, offset, got.map_or(relative, to_word)),
        HI20 => put_high(bytes, offset, absolute.cast_signed()),
        LO12_I => put_low(bytes, offset, absolute.cast_signed()),
        LO12_S => put_low_store(bytes, offset, absolute.cast_signed()),
        CALL | CALL_PLT => {
            put_high(bytes, offset, relative)?;
            put_low(bytes, offset + 4, relative)
        }
        BRANCH => put_scattered(bytes, offset, relative, BRANCH_BITS, 13),
        JAL => put_scattered(bytes, offset, relative, JAL_BITS, 21),
        RVC_BRANCH => put_scattered_half(bytes, offset, relative, RVC_BRANCH_BITS, 9),
        RVC_JUMP => put_scattered_half(bytes, offset, relative, RVC_JUMP_BITS, 12),
        _ => Err(Failure::UnknownKind),
    }
}

/// Where parts of a value stand in an instruction: the value's lowest bit of the part, the number
/// of bits, the instruction's lowest bit.
type Parts = &'static [(u32, u32, u32)];

const BRANCH_BITS: Parts = &[(11, 1, 7), (1, 4, 8), (5, 6, 25), (12, 1, 31)];
const JAL_BITS: Parts = &[(12, 8, 12), (11, 1, 20), (1, 10, 21), (20, 1, 31)];
const STORE_BITS: Parts = &[(0, 5, 7), (5, 7, 25)];
const RVC_BRANCH_BITS: Parts = &[(5, 1, 2), (1, 2, 3), (6, 2, 5), (3, 2, 10), (8, 1, 12)];
const RVC_JUMP_BITS: Parts =
    &[(5, 1, 2), (1, 3, 3), (7, 1, 6), (6, 1, 7), (10, 1, 8), (8, 2, 9), (4, 1, 11), (11, 1, 12)];

fn scatter(old: u32, value: i64, parts: Parts) -> u32 {
    parts.iter().fold(old, |code, (from, width, to)| {
        let mask = (1u32 << width) - 1;
        code & !(mask << to) | ((value >> from) as u32 & mask) << to
    })
}

fn put_scattered(
    bytes: &mut [u8],
    offset: usize,
    value: i64,
    parts: Parts,
    width: u32,
) -> Result<(), Failure> {
    if !fits(value, width) {
        return Err(Failure::OutOfRange);
    }
    let code = scatter(read_u32(bytes, offset)?, value, parts);
    write_bytes(bytes, offset, code.to_le_bytes())
}

fn put_scattered_half(
    bytes: &mut [u8],
    offset: usize,
    value: i64,
    parts: Parts,
    width: u32,
) -> Result<(), Failure> {
    if !fits(value, width) {
        return Err(Failure::OutOfRange);
    }
    let half = bytes.get(offset..offset + 2).ok_or(Failure::OutOfRange)?;
    let code = scatter(u32::from(u16::from_le_bytes([half[0], half[1]])), value, parts);
    write_bytes(bytes, offset, (code as u16).to_le_bytes())
}

/// The upper 20 bits, such that the sign-extended lower 12 complete them.
fn put_high(bytes: &mut [u8], offset: usize, value: i64) -> Result<(), Failure> {
    let high = value.wrapping_add(0x800);
    if !fits(high, 32) {
        return Err(Failure::OutOfRange);
    }
    let code = read_u32(bytes, offset)? & 0xfff | high as u32 & !0xfff;
    write_bytes(bytes, offset, code.to_le_bytes())
}

/// The lower 12 bits, where most instructions have them.
fn put_low(bytes: &mut [u8], offset: usize, value: i64) -> Result<(), Failure> {
    let code = read_u32(bytes, offset)? & 0xf_ffff | (value as u32) << 20;
    write_bytes(bytes, offset, code.to_le_bytes())
}

/// The lower 12 bits, where stores have them.
fn put_low_store(bytes: &mut [u8], offset: usize, value: i64) -> Result<(), Failure> {
    let code = scatter(read_u32(bytes, offset)?, value, STORE_BITS);
    write_bytes(bytes, offset, code.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply_to(code: u64, kind: u32, symbol: u64, place: u64) -> Result<u64, Failure> {
        let mut bytes = code.to_le_bytes();
        apply(kind, &mut bytes, 0, Values { symbol, addend: 0, place, got: None })?;
        Ok(u64::from_le_bytes(bytes))
    }

    #[test]
    fn halves_of_an_address_add_up() {
        // auipc ra, 0; jalr ra: 0x1800 on is one page more, and 0x800 back.
        let call = 0x0000_80e7_0000_0097;
        assert_eq!(apply_to(call, CALL_PLT, 0x2800, 0x1000), Ok(0x8000_80e7_0000_2097));
        assert_eq!(apply_to(call, CALL_PLT, 0x1_0000_0000, 0), Err(Failure::OutOfRange));
        // The upper half rounds, so the last 2 KiB below 2 GiB are out of reach.
        assert_eq!(apply_to(call, CALL_PLT, 0x7fff_f800, 0), Err(Failure::OutOfRange));
        // sd a0, 0(a1)
        assert_eq!(apply_to(0x00a5_b023, PCREL_LO12_S, 0x1abc, 0x1000), Ok(0xaaa5_be23));
    }

    #[test]
    fn branches_reach_as_far_as_their_fields() {
        // j .; beqz a0, .; c.j .; c.beqz a0, .
        assert_eq!(apply_to(0x6f, JAL, 0x1800, 0x1000), Ok(0x0010_006f));
        assert_eq!(apply_to(0x0005_0063, BRANCH, 0x0ff0, 0x1000), Ok(0xfe05_08e3));
        assert_eq!(apply_to(0xa001, RVC_JUMP, 0x0ffe, 0x1000), Ok(0xbffd));
        assert_eq!(apply_to(0xc101, RVC_BRANCH, 0x1010, 0x1000), Ok(0xc901));
        assert_eq!(apply_to(0xc101, RVC_BRANCH, 0x1100, 0x1000), Err(Failure::OutOfRange));
    }
}
