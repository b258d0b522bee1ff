//! What differs between architectures: numbers and the way an address is written.

use super::x86_64;
use crate::error::{Error, Result};
use cranelift_codegen::binemit::Reloc;
use object::{Architecture, Endianness};
use target_lexicon::{Architecture as TripleArchitecture, OperatingSystem, Triple};

/// An architecture that can be linked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// x86-64.
    X86_64,
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
        match (triple.architecture, triple.operating_system) {
            (TripleArchitecture::X86_64, OperatingSystem::Linux) => Ok(Machine::X86_64),
            _ => Err(Error::unsupported(format!("the target `{triple}`"))
                .help("this version makes executables for x86_64-unknown-linux")),
        }
    }

    /// How the `object` crate calls it.
    pub fn object_target(self) -> (Architecture, Endianness) {
        match self {
            Machine::X86_64 => (Architecture::X86_64, Endianness::Little),
        }
    }

    /// The `e_machine` of an ELF file.
    pub fn elf_machine(self) -> u16 {
        match self {
            Machine::X86_64 => object::elf::EM_X86_64.0,
        }
    }

    /// The kind of relocation that writes a 64-bit address.
    pub fn absolute_relocation(self) -> u32 {
        match self {
            Machine::X86_64 => x86_64::ABSOLUTE,
        }
    }

    /// The ELF kind of a relocation of Cranelift's.
    pub fn code_relocation(self, kind: Reloc) -> u32 {
        match self {
            Machine::X86_64 => x86_64::code_relocation(kind),
        }
    }

    /// Whether a relocation needs a word that holds the symbol's address. `bytes` is the section,
    /// `offset` the place in it.
    pub fn needs_got(self, kind: u32, bytes: &[u8], offset: usize) -> bool {
        match self {
            Machine::X86_64 => x86_64::needs_got(kind, bytes, offset),
        }
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
        }
    }
}
