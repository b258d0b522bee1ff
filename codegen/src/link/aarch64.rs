//! Relocations of AArch64 ("ELF for the Arm 64-bit Architecture", section "Relocation").

use super::machine::{Failure, Values, fits, read_u32, write_bytes};
use cranelift_codegen::binemit::Reloc;
use object::elf;

/// The kind that writes a 64-bit address.
pub const ABSOLUTE: u32 = elf::R_AARCH64_ABS64.0;
/// The kind that writes a distance of 32 bits.
pub const DISTANCE: u32 = elf::R_AARCH64_PREL32.0;

const NONE: u32 = elf::R_AARCH64_NONE.0;
const PREL64: u32 = elf::R_AARCH64_PREL64.0;
const PREL32: u32 = elf::R_AARCH64_PREL32.0;
const MOVW_G0: u32 = elf::R_AARCH64_MOVW_UABS_G0.0;
const MOVW_G3: u32 = elf::R_AARCH64_MOVW_UABS_G3.0;
const LD_PREL_LO19: u32 = elf::R_AARCH64_LD_PREL_LO19.0;
const ADR_PREL_LO21: u32 = elf::R_AARCH64_ADR_PREL_LO21.0;
const ADR_PAGE: u32 = elf::R_AARCH64_ADR_PREL_PG_HI21.0;
const ADR_PAGE_NC: u32 = elf::R_AARCH64_ADR_PREL_PG_HI21_NC.0;
const ADD_LO12: u32 = elf::R_AARCH64_ADD_ABS_LO12_NC.0;
const LDST8_LO12: u32 = elf::R_AARCH64_LDST8_ABS_LO12_NC.0;
const LDST16_LO12: u32 = elf::R_AARCH64_LDST16_ABS_LO12_NC.0;
const LDST32_LO12: u32 = elf::R_AARCH64_LDST32_ABS_LO12_NC.0;
const LDST64_LO12: u32 = elf::R_AARCH64_LDST64_ABS_LO12_NC.0;
const LDST128_LO12: u32 = elf::R_AARCH64_LDST128_ABS_LO12_NC.0;
const TSTBR14: u32 = elf::R_AARCH64_TSTBR14.0;
const CONDBR19: u32 = elf::R_AARCH64_CONDBR19.0;
const JUMP26: u32 = elf::R_AARCH64_JUMP26.0;
const CALL26: u32 = elf::R_AARCH64_CALL26.0;
const GOT_PAGE: u32 = elf::R_AARCH64_ADR_GOT_PAGE.0;
const GOT_LO12: u32 = elf::R_AARCH64_LD64_GOT_LO12_NC.0;

/// The ELF kind of a relocation of Cranelift's.
pub fn code_relocation(kind: Reloc) -> u32 {
    match kind {
        Reloc::Abs8 => ABSOLUTE,
        Reloc::Arm64Call => CALL26,
        Reloc::Aarch64AdrPrelPgHi21 => ADR_PAGE,
        Reloc::Aarch64AddAbsLo12Nc => ADD_LO12,
        Reloc::Aarch64AdrGotPage21 => GOT_PAGE,
        Reloc::Aarch64Ld64GotLo12Nc => GOT_LO12,
        other => panic!("the settings exclude the relocation {other:?}"),
    }
}

/// Whether a relocation needs a word that holds the symbol's address.
pub fn needs_got(kind: u32) -> bool {
    matches!(kind, GOT_PAGE | GOT_LO12)
}

/// Applies a relocation at `offset` of `bytes`.
pub fn apply(kind: u32, bytes: &mut [u8], offset: usize, values: Values) -> Result<(), Failure> {
    let Values { symbol, addend, place, got } = values;
    let absolute = symbol.wrapping_add_signed(addend);
    let relative = absolute.wrapping_sub(place).cast_signed();
    let mut instruction = Instruction { bytes, offset };
    match kind {
        NONE => Ok(()),
        ABSOLUTE => write_bytes(instruction.bytes, offset, absolute.to_le_bytes()),
        PREL64 => write_bytes(instruction.bytes, offset, relative.to_le_bytes()),
        PREL32 => {
            let value = i32::try_from(relative).map_err(|_| Failure::OutOfRange)?;
            write_bytes(instruction.bytes, offset, value.to_le_bytes())
        }
        MOVW_G0..=MOVW_G3 => instruction.put_movw(kind, absolute),
        LD_PREL_LO19 | CONDBR19 => instruction.put_distance(relative, 19, 5),
        TSTBR14 => instruction.put_distance(relative, 14, 5),
        JUMP26 | CALL26 => instruction.put_distance(relative, 26, 0),
        ADR_PREL_LO21 => instruction.put_adr(relative),
        ADR_PAGE | ADR_PAGE_NC => instruction.put_adr(page_distance(absolute, place)),
        ADD_LO12 | LDST8_LO12 => instruction.put_low12(absolute, 0),
        LDST16_LO12 => instruction.put_low12(absolute, 1),
        LDST32_LO12 => instruction.put_low12(absolute, 2),
        LDST64_LO12 => instruction.put_low12(absolute, 3),
        LDST128_LO12 => instruction.put_low12(absolute, 4),
        GOT_PAGE => {
            let got = got.ok_or(Failure::UnknownKind)?;
            instruction.put_adr(page_distance(got, place))
        }
        GOT_LO12 => instruction.put_low12(got.ok_or(Failure::UnknownKind)?, 3),
        _ => Err(Failure::UnknownKind),
    }
}

/// The number of 4 KiB pages between two addresses.
fn page_distance(to: u64, from: u64) -> i64 {
    (to >> 12).cast_signed() - (from >> 12).cast_signed()
}

/// An instruction with a field for an address.
struct Instruction<'a> {
    bytes: &'a mut [u8],
    offset: usize,
}

impl Instruction<'_> {
    /// Replaces the `width` bits from bit `at` on.
    fn put(&mut self, value: u32, width: u32, at: u32) -> Result<(), Failure> {
        let mask = ((1u32 << width) - 1) << at;
        let old = read_u32(self.bytes, self.offset)?;
        let new = old & !mask | value << at & mask;
        write_bytes(self.bytes, self.offset, new.to_le_bytes())
    }

    /// A signed distance in instructions.
    fn put_distance(&mut self, distance: i64, width: u32, at: u32) -> Result<(), Failure> {
        if distance % 4 != 0 || !fits(distance >> 2, width) {
            return Err(Failure::OutOfRange);
        }
        self.put((distance >> 2) as u32, width, at)
    }

    /// The two parts of the 21 bits of `adr` and `adrp`.
    fn put_adr(&mut self, value: i64) -> Result<(), Failure> {
        if !fits(value, 21) {
            return Err(Failure::OutOfRange);
        }
        self.put(value as u32, 2, 29)?;
        self.put((value >> 2) as u32, 19, 5)
    }

    /// The offset in a page, in units of 2 to the `scale` bytes.
    fn put_low12(&mut self, address: u64, scale: u32) -> Result<(), Failure> {
        let low = (address & 0xfff) as u32;
        if low & ((1 << scale) - 1) != 0 {
            return Err(Failure::OutOfRange);
        }
        self.put(low >> scale, 12, 10)
    }

    /// 16 bits of an address; the kinds come in pairs, with and without a check of the rest.
    fn put_movw(&mut self, kind: u32, address: u64) -> Result<(), Failure> {
        let shift = (kind - MOVW_G0) / 2 * 16;
        let is_checked = (kind - MOVW_G0).is_multiple_of(2) && kind != MOVW_G3;
        if is_checked && address >> shift > 0xffff {
            return Err(Failure::OutOfRange);
        }
        self.put((address >> shift) as u32 & 0xffff, 16, 5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply_to(code: u32, kind: u32, symbol: u64, place: u64) -> Result<u32, Failure> {
        let mut bytes = code.to_le_bytes();
        apply(kind, &mut bytes, 0, Values { symbol, addend: 0, place, got: Some(symbol) })?;
        Ok(u32::from_le_bytes(bytes))
    }

    #[test]
    fn branches_reach_as_far_as_their_fields() {
        // bl .+0x1000; b.eq .-4
        assert_eq!(apply_to(0x9400_0000, CALL26, 0x2000, 0x1000), Ok(0x9400_0400));
        assert_eq!(apply_to(0x5400_0000, CONDBR19, 0x0ffc, 0x1000), Ok(0x54ff_ffe0));
        assert_eq!(apply_to(0x9400_0000, CALL26, 0x800_0000, 0), Err(Failure::OutOfRange));
        assert_eq!(apply_to(0x9400_0000, CALL26, 0x7ff_fffc, 0), Ok(0x95ff_ffff));
    }

    #[test]
    fn pages_and_offsets_make_addresses() {
        // adrp x0, three pages on; add x0, x0, 0x678; ldr x0, [x0, 0x678]
        assert_eq!(apply_to(0x9000_0000, ADR_PAGE, 0x4678, 0x1ffc), Ok(0xf000_0000));
        assert_eq!(apply_to(0x9100_0000, ADD_LO12, 0x4678, 0), Ok(0x9119_e000));
        assert_eq!(apply_to(0xf940_0000, LDST64_LO12, 0x4678, 0), Ok(0xf943_3c00));
        assert_eq!(apply_to(0xf940_0000, LDST64_LO12, 0x4674, 0), Err(Failure::OutOfRange));
        assert_eq!(apply_to(0xf940_0000, GOT_LO12, 0x4678, 0), Ok(0xf943_3c00));
    }

    #[test]
    fn moves_take_sixteen_bits() {
        let middle = elf::R_AARCH64_MOVW_UABS_G1_NC.0;
        assert_eq!(apply_to(0xf2a0_0000, middle, 0x2_0010_0000, 0), Ok(0xf2a0_0200));
        let checked = elf::R_AARCH64_MOVW_UABS_G1.0;
        assert_eq!(apply_to(0xf2a0_0000, checked, 0x2_0010_0000, 0), Err(Failure::OutOfRange));
    }
}
