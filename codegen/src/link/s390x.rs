//! Relocations of s390x ("ELF Application Binary Interface, s390x Supplement").
//!
//! Everything is big-endian; distances of instructions count in units of two bytes.

use super::machine::{Failure, Values, write_bytes};
use cranelift_codegen::binemit::Reloc;
use object::elf;

/// The kind that writes a 64-bit address.
pub const ABSOLUTE: u32 = elf::R_390_64.0;
/// The kind that writes a distance of 32 bits.
pub const DISTANCE: u32 = elf::R_390_PC32.0;

const NONE: u32 = elf::R_390_NONE.0;
const ABSOLUTE_32: u32 = elf::R_390_32.0;
const PC32: u32 = elf::R_390_PC32.0;
const PC16: u32 = elf::R_390_PC16.0;
const PC16_DOUBLE: u32 = elf::R_390_PC16DBL.0;
const PC32_DOUBLE: u32 = elf::R_390_PC32DBL.0;
const PLT32_DOUBLE: u32 = elf::R_390_PLT32DBL.0;
const PC64: u32 = elf::R_390_PC64.0;
const GOT_ENTRY: u32 = elf::R_390_GOTENT.0;

/// The ELF kind of a relocation of Cranelift's.
pub fn code_relocation(kind: Reloc) -> u32 {
    match kind {
        Reloc::Abs8 => ABSOLUTE,
        Reloc::S390xPCRel32Dbl => PC32_DOUBLE,
        Reloc::S390xPLTRel32Dbl => PLT32_DOUBLE,
        other => panic!("the settings exclude the relocation {other:?}"),
    }
}

/// Whether a relocation needs a word that holds the symbol's address.
pub fn needs_got(kind: u32) -> bool {
    kind == GOT_ENTRY
}

/// Applies a relocation at `offset` of `bytes`.
pub fn apply(kind: u32, bytes: &mut [u8], offset: usize, values: Values) -> Result<(), Failure> {
    let Values { symbol, addend, place, got } = values;
    let absolute = symbol.wrapping_add_signed(addend);
    let relative = absolute.wrapping_sub(place).cast_signed();
    match kind {
        NONE => Ok(()),
        ABSOLUTE => write_bytes(bytes, offset, absolute.to_be_bytes()),
        PC64 => write_bytes(bytes, offset, relative.to_be_bytes()),
        ABSOLUTE_32 => {
            let value = u32::try_from(absolute).map_err(|_| Failure::OutOfRange)?;
            write_bytes(bytes, offset, value.to_be_bytes())
        }
        PC32 => put_32(bytes, offset, relative),
        PC16 => put_16(bytes, offset, relative),
        PC32_DOUBLE | PLT32_DOUBLE => put_32(bytes, offset, halve(relative)?),
        PC16_DOUBLE => put_16(bytes, offset, halve(relative)?),
        GOT_ENTRY => {
            let got = got.ok_or(Failure::UnknownKind)?;
            let distance = got.wrapping_add_signed(addend).wrapping_sub(place).cast_signed();
            put_32(bytes, offset, halve(distance)?)
        }
        _ => Err(Failure::UnknownKind),
    }
}

fn halve(distance: i64) -> Result<i64, Failure> {
    if distance % 2 == 0 { Ok(distance / 2) } else { Err(Failure::OutOfRange) }
}

fn put_32(bytes: &mut [u8], offset: usize, value: i64) -> Result<(), Failure> {
    let value = i32::try_from(value).map_err(|_| Failure::OutOfRange)?;
    write_bytes(bytes, offset, value.to_be_bytes())
}

fn put_16(bytes: &mut [u8], offset: usize, value: i64) -> Result<(), Failure> {
    let value = i16::try_from(value).map_err(|_| Failure::OutOfRange)?;
    write_bytes(bytes, offset, value.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(symbol: u64, addend: i64, place: u64) -> Values {
        Values { symbol, addend, place, got: None }
    }

    #[test]
    fn distances_count_half_words() {
        // brasl %r14, .: the field follows two bytes.
        let mut bytes = [0xc0, 0xe5, 0, 0, 0, 0];
        apply(PLT32_DOUBLE, &mut bytes, 2, values(0x2000, 2, 0x1002)).unwrap();
        assert_eq!(bytes, [0xc0, 0xe5, 0, 0, 0x08, 0]);
        let odd = values(0x2001, 2, 0x1002);
        assert_eq!(apply(PC32_DOUBLE, &mut bytes, 2, odd), Err(Failure::OutOfRange));
        let far = values(0x2_0000_1002, 0, 0x1002);
        assert_eq!(apply(PC32_DOUBLE, &mut bytes, 2, far), Err(Failure::OutOfRange));
    }

    #[test]
    fn words_are_big_endian() {
        let mut bytes = [0; 8];
        apply(ABSOLUTE, &mut bytes, 0, values(0x2_0010_0000, 4, 0)).unwrap();
        assert_eq!(bytes, [0, 0, 0, 2, 0, 0x10, 0, 4]);
    }
}
