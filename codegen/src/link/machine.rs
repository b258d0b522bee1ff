//! What differs between architectures: numbers and the way an address is written.

use super::{aarch64, riscv64, s390x, x86_64};
use crate::error::{Error, Result};
use cranelift_codegen::binemit::Reloc;
use object::{Architecture, Endianness, elf};
use target_lexicon::{Architecture as TripleArchitecture, OperatingSystem, Triple};

/// An architecture that can be linked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// x86-64.
    X86_64,
    /// AArch64, little-endian.
    Aarch64,
    /// RISC-V with 64-bit registers.
    Riscv64,
    /// z/Architecture.
    S390x,
}

/// What a relocation computes with.
#[derive(Clone, Copy, Debug)]
pub struct Values {
    /// Address of the symbol.
    pub symbol: u64,
    /// What is added to it.
    pub addend: i64,
    /// Address of the place that is written.
    pub place: u64,
    /// Address of the word that holds the symbol's address, if there is one.
    pub got: Option<u64>,
}

/// Why a relocation cannot be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The value does not fit.
    OutOfRange,
    /// The kind is not known.
    UnknownKind,
}

impl Machine {
    /// The machine of a target.
    ///
    /// # Errors
    ///
    /// `Unsupported` for targets whose objects and executables cannot be written yet.
    pub fn of(triple: &Triple) -> Result<Machine> {
        use TripleArchitecture as Arch;
        match (triple.architecture, triple.operating_system) {
            (Arch::X86_64, OperatingSystem::Linux) => Ok(Machine::X86_64),
            (Arch::Aarch64(_), OperatingSystem::Linux) => Ok(Machine::Aarch64),
            (Arch::Riscv64(_), OperatingSystem::Linux) => Ok(Machine::Riscv64),
            (Arch::S390x, OperatingSystem::Linux) => Ok(Machine::S390x),
            // Objects alone are made for these.
            (Arch::X86_64, OperatingSystem::Darwin(_) | OperatingSystem::Windows) => {
                Ok(Machine::X86_64)
            }
            (Arch::Aarch64(_), OperatingSystem::Darwin(_) | OperatingSystem::Windows) => {
                Ok(Machine::Aarch64)
            }
            _ => Err(Error::unsupported(format!("the target `{triple}`"))
                .help("`wasmelt targets` lists those that work")),
        }
    }

    /// How the `object` crate calls it.
    pub fn object_target(self) -> (Architecture, Endianness) {
        match self {
            Machine::X86_64 => (Architecture::X86_64, Endianness::Little),
            Machine::Aarch64 => (Architecture::Aarch64, Endianness::Little),
            Machine::Riscv64 => (Architecture::Riscv64, Endianness::Little),
            Machine::S390x => (Architecture::S390x, Endianness::Big),
        }
    }

    /// The `e_machine` of an ELF file.
    pub fn elf_machine(self) -> u16 {
        match self {
            Machine::X86_64 => elf::EM_X86_64.0,
            Machine::Aarch64 => elf::EM_AARCH64.0,
            Machine::Riscv64 => elf::EM_RISCV.0,
            Machine::S390x => elf::EM_S390.0,
        }
    }

    /// The `e_flags` of an ELF file: on RISC-V, which extensions and which calling convention.
    pub fn elf_flags(self) -> u32 {
        match self {
            Machine::Riscv64 => elf::EF_RISCV_RVC.0 | elf::EF_RISCV_FLOAT_ABI_DOUBLE.0,
            _ => 0,
        }
    }

    /// The kind of relocation that writes a 64-bit address.
    pub fn absolute_relocation(self) -> u32 {
        match self {
            Machine::X86_64 => x86_64::ABSOLUTE,
            Machine::Aarch64 => aarch64::ABSOLUTE,
            Machine::Riscv64 => riscv64::ABSOLUTE,
            Machine::S390x => s390x::ABSOLUTE,
        }
    }

    /// The kind of relocation that writes a distance of 32 bits.
    pub fn distance_relocation(self) -> u32 {
        match self {
            Machine::X86_64 => x86_64::DISTANCE,
            Machine::Aarch64 => aarch64::DISTANCE,
            Machine::Riscv64 => riscv64::DISTANCE,
            Machine::S390x => s390x::DISTANCE,
        }
    }

    /// The kind of relocation by which a loader adds the address where a file was loaded.
    pub fn relative_relocation(self) -> u32 {
        match self {
            Machine::X86_64 => elf::R_X86_64_RELATIVE.0,
            Machine::Aarch64 => elf::R_AARCH64_RELATIVE.0,
            Machine::Riscv64 => elf::R_RISCV_RELATIVE.0,
            Machine::S390x => elf::R_390_RELATIVE.0,
        }
    }

    /// The ELF kind of a relocation of Cranelift's.
    pub fn code_relocation(self, kind: Reloc) -> u32 {
        match self {
            Machine::X86_64 => x86_64::code_relocation(kind),
            Machine::Aarch64 => aarch64::code_relocation(kind),
            Machine::Riscv64 => riscv64::code_relocation(kind),
            Machine::S390x => s390x::code_relocation(kind),
        }
    }

    /// Whether a relocation needs a word that holds the symbol's address. `bytes` is the section,
    /// `offset` the place in it.
    pub fn needs_got(self, kind: u32, bytes: &[u8], offset: usize) -> bool {
        match self {
            Machine::X86_64 => x86_64::needs_got(kind, bytes, offset),
            Machine::Aarch64 => aarch64::needs_got(kind),
            Machine::Riscv64 => riscv64::needs_got(kind),
            Machine::S390x => s390x::needs_got(kind),
        }
    }

    /// Whether a relocation is the second of a pair: its symbol is the place of the first, and
    /// `apply` wants the first one's values.
    pub fn is_second_of_pair(self, kind: u32) -> bool {
        self == Machine::Riscv64 && riscv64::is_second_of_pair(kind)
    }

    /// Whether a relocation is the first of a pair.
    pub fn is_first_of_pair(self, kind: u32) -> bool {
        self == Machine::Riscv64 && riscv64::is_first_of_pair(kind)
    }

    /// Applies a relocation at `offset` of `bytes`.
    ///
    /// # Errors
    ///
    /// If the value does not fit the place, or the kind is unknown.
    pub fn apply(
        self,
        kind: u32,
        bytes: &mut [u8],
        offset: usize,
        values: Values,
    ) -> std::result::Result<(), Failure> {
        match self {
            Machine::X86_64 => x86_64::apply(kind, bytes, offset, values),
            Machine::Aarch64 => aarch64::apply(kind, bytes, offset, values),
            Machine::Riscv64 => riscv64::apply(kind, bytes, offset, values),
            Machine::S390x => s390x::apply(kind, bytes, offset, values),
        }
    }
}

/// Whether a signed number of that many bits can be `value`.
pub fn fits(value: i64, bits: u32) -> bool {
    let unused = 64 - bits;
    value << unused >> unused == value
}

/// A little-endian word of code.
///
/// # Errors
///
/// `OutOfRange` if it does not lie in the section.
pub fn read_u32(bytes: &[u8], offset: usize) -> std::result::Result<u32, Failure> {
    let word = bytes.get(offset..offset + 4).and_then(|word| word.try_into().ok());
    word.map(u32::from_le_bytes).ok_or(Failure::OutOfRange)
}

/// Writes bytes into a section.
///
/// # Errors
///
/// `OutOfRange` if they do not lie in it.
pub fn write_bytes<const N: usize>(
    bytes: &mut [u8],
    offset: usize,
    value: [u8; N],
) -> std::result::Result<(), Failure> {
    let place = bytes.get_mut(offset..offset + N).ok_or(Failure::OutOfRange)?;
    place.copy_from_slice(&value);
    Ok(())
}
