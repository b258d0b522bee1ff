//! Relocations of x86-64 (System V ABI, AMD64 supplement, section "Relocation").

use super::machine::{Failure, Values, write_bytes};
use cranelift_codegen::binemit::Reloc;
use object::elf;

/// The kind that writes a 64-bit address.
pub const ABSOLUTE: u32 = elf::R_X86_64_64.0;
/// The kind that writes a distance of 32 bits.
pub const DISTANCE: u32 = elf::R_X86_64_PC32.0;

const NONE: u32 = elf::R_X86_64_NONE.0;
const PC32: u32 = elf::R_X86_64_PC32.0;
const PLT32: u32 = elf::R_X86_64_PLT32.0;
const GOTPCREL: u32 = elf::R_X86_64_GOTPCREL.0;
const ABSOLUTE_32: u32 = elf::R_X86_64_32.0;
const ABSOLUTE_32_SIGNED: u32 = elf::R_X86_64_32S.0;
const PC64: u32 = elf::R_X86_64_PC64.0;
const GOTPCRELX: u32 = elf::R_X86_64_GOTPCRELX.0;
const REX_GOTPCRELX: u32 = elf::R_X86_64_REX_GOTPCRELX.0;

/// The ELF kind of a relocation of Cranelift's.
pub fn code_relocation(kind: Reloc) -> u32 {
    match kind {
        Reloc::Abs4 => ABSOLUTE_32,
        Reloc::Abs8 => ABSOLUTE,
        Reloc::X86PCRel4 => PC32,
        Reloc::X86CallPCRel4 | Reloc::X86CallPLTRel4 => PLT32,
        Reloc::X86GOTPCRel4 => GOTPCREL,
        other => panic!("the settings exclude the relocation {other:?}"),
    }
}

/// An instruction that reads a symbol's address from a word, and can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relaxed {
    /// `mov` from the word becomes `lea` of the symbol.
    Lea,
    /// An indirect call becomes a direct one.
    Call,
    /// An indirect jump becomes a direct one.
    Jump,
}

fn find_relaxed(kind: u32, bytes: &[u8], offset: usize) -> Option<Relaxed> {
    if kind != GOTPCRELX && kind != REX_GOTPCRELX {
        return None;
    }
    let start = offset.checked_sub(2)?;
    match (bytes.get(start)?, bytes.get(start + 1)?) {
        (0x8b, _) => Some(Relaxed::Lea),
        (0xff, 0x15) => Some(Relaxed::Call),
        (0xff, 0x25) => Some(Relaxed::Jump),
        _ => None,
    }
}

/// Whether a relocation needs a word that holds the symbol's address.
pub fn needs_got(kind: u32, bytes: &[u8], offset: usize) -> bool {
    let reads_word = matches!(kind, GOTPCREL | GOTPCRELX | REX_GOTPCRELX);
    reads_word && find_relaxed(kind, bytes, offset).is_none()
}

/// Applies a relocation at `offset` of `bytes`.
pub fn apply(kind: u32, bytes: &mut [u8], offset: usize, values: Values) -> Result<(), Failure> {
    let Values { symbol, addend, place, got } = values;
    let absolute = symbol.wrapping_add_signed(addend);
    let relative = absolute.wrapping_sub(place).cast_signed();
    match kind {
        NONE => Ok(()),
        ABSOLUTE => write_bytes(bytes, offset, absolute.to_le_bytes()),
        PC64 => write_bytes(bytes, offset, relative.to_le_bytes()),
        PC32 | PLT32 => put_i32(bytes, offset, relative),
        ABSOLUTE_32_SIGNED => put_i32(bytes, offset, absolute.cast_signed()),
        ABSOLUTE_32 => {
            let value = u32::try_from(absolute).map_err(|_| Failure::OutOfRange)?;
            write_bytes(bytes, offset, value.to_le_bytes())
        }
        GOTPCREL | GOTPCRELX | REX_GOTPCRELX => match find_relaxed(kind, bytes, offset) {
            Some(relaxed) => relax(relaxed, bytes, offset, relative),
            None => {
                let got = got.ok_or(Failure::UnknownKind)?;
                let distance = got.wrapping_add_signed(addend).wrapping_sub(place);
                put_i32(bytes, offset, distance.cast_signed())
            }
        },
        _ => Err(Failure::UnknownKind),
    }
}

/// Rewrites an instruction to use the symbol's address itself. `relative` is the distance as
/// the field at `offset` would hold it.
fn relax(relaxed: Relaxed, bytes: &mut [u8], offset: usize, relative: i64) -> Result<(), Failure> {
    match relaxed {
        Relaxed::Lea => {
            bytes[offset - 2] = 0x8d;
            put_i32(bytes, offset, relative)
        }
        Relaxed::Call => {
            // A prefix without meaning fills the sixth byte.
            bytes[offset - 2] = 0x67;
            bytes[offset - 1] = 0xe8;
            put_i32(bytes, offset, relative)
        }
        Relaxed::Jump => {
            bytes[offset - 2] = 0xe9;
            put_i32(bytes, offset - 1, relative + 1)?;
            bytes[offset + 3] = 0x90;
            Ok(())
        }
    }
}

fn put_i32(bytes: &mut [u8], offset: usize, value: i64) -> Result<(), Failure> {
    let value = i32::try_from(value).map_err(|_| Failure::OutOfRange)?;
    write_bytes(bytes, offset, value.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(symbol: u64, addend: i64, place: u64) -> Values {
        Values { symbol, addend, place, got: None }
    }

    #[test]
    fn distances_that_do_not_fit_are_found() {
        let mut bytes = [0; 8];
        let far = values(0x1_0000_0000, -4, 0);
        assert_eq!(apply(PC32, &mut bytes, 0, far), Err(Failure::OutOfRange));
        assert_eq!(apply(ABSOLUTE_32, &mut bytes, 0, far), Ok(()));
        let far = values(0x1_0000_0000, 0, 0);
        assert_eq!(apply(ABSOLUTE_32, &mut bytes, 0, far), Err(Failure::OutOfRange));
        let low = values(0x8000_0000, 0, 0);
        assert_eq!(apply(ABSOLUTE_32_SIGNED, &mut bytes, 0, low), Err(Failure::OutOfRange));
        assert_eq!(apply(ABSOLUTE, &mut bytes, 0, low), Ok(()));
        assert_eq!(bytes, 0x8000_0000u64.to_le_bytes());
    }

    #[test]
    fn a_place_outside_the_section_is_found() {
        let mut bytes = [0; 6];
        assert_eq!(apply(PC32, &mut bytes, 3, values(0, 0, 0)), Err(Failure::OutOfRange));
    }

    #[test]
    fn loads_of_addresses_become_computations() {
        // mov rax, [rip + x]
        let mut bytes = [0x48, 0x8b, 0x05, 0, 0, 0, 0];
        assert!(!needs_got(REX_GOTPCRELX, &bytes, 3));
        apply(REX_GOTPCRELX, &mut bytes, 3, values(0x2000, -4, 0x1003)).unwrap();
        assert_eq!(bytes, [0x48, 0x8d, 0x05, 0xf9, 0x0f, 0, 0]);
    }

    #[test]
    fn indirect_calls_and_jumps_become_direct() {
        let mut call = [0xff, 0x15, 0, 0, 0, 0];
        apply(GOTPCRELX, &mut call, 2, values(0x2000, -4, 0x1002)).unwrap();
        assert_eq!(call, [0x67, 0xe8, 0xfa, 0x0f, 0, 0]);
        let mut jump = [0xff, 0x25, 0, 0, 0, 0];
        apply(GOTPCRELX, &mut jump, 2, values(0x2000, -4, 0x1002)).unwrap();
        assert_eq!(jump, [0xe9, 0xfb, 0x0f, 0, 0, 0x90]);
    }

    #[test]
    fn other_uses_of_the_word_keep_it() {
        // cmp [rip + x], rax
        let mut bytes = [0x48, 0x39, 0x05, 0, 0, 0, 0];
        assert!(needs_got(REX_GOTPCRELX, &bytes, 3));
        let values = Values { got: Some(0x3000), ..values(0x2000, -4, 0x1003) };
        apply(REX_GOTPCRELX, &mut bytes, 3, values).unwrap();
        assert_eq!(bytes[3..], 0x1ff9u32.to_le_bytes());
    }
}
