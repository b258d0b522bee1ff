//! What differs between object formats: sections' names, symbols that stand for places, and the
//! kinds of references.
//!
//! Code has references as ELF numbers them, whatever the format. Some formats keep part of a
//! reference in the contents, so references are written last.

use crate::error::{Error, Result};
use crate::link::machine::Machine;
use object::write::{
    MachOBuildVersion, Object, Relocation, SectionId, StandardSegment, Symbol, SymbolId,
    SymbolSection,
};
use object::{
    BinaryFormat, FileFlags, RelocationEncoding, RelocationFlags, RelocationKind, SectionFlags,
    SectionKind, SymbolFlags, SymbolKind, SymbolScope, elf, macho,
};
use std::collections::BTreeMap;
use target_lexicon::Triple;

/// A reference from a section to a symbol.
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    /// The section that refers.
    pub section: SectionId,
    /// Where in it.
    pub offset: u64,
    /// To what.
    pub symbol: SymbolId,
    /// What is added to the symbol's address.
    pub addend: i64,
    /// How the address is written.
    pub kind: Kind,
}

/// How an address is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As ELF's relocation of that number does.
    Elf(u32),
    /// Mach-O: 64 bits, the distance from the place, whose section that symbol starts.
    Distance(SymbolId),
    /// COFF: 32 bits, the distance from the start of the loaded file.
    FromImage,
}

/// The format of a target's objects.
///
/// # Errors
///
/// `Unsupported` for targets whose objects cannot be written.
pub fn format_of(triple: &Triple) -> Result<BinaryFormat> {
    match triple.binary_format {
        target_lexicon::BinaryFormat::Elf => Ok(BinaryFormat::Elf),
        target_lexicon::BinaryFormat::Macho => Ok(BinaryFormat::MachO),
        target_lexicon::BinaryFormat::Coff => Ok(BinaryFormat::Coff),
        _ => Err(Error::unsupported(format!("objects for `{triple}`"))),
    }
}

/// An object without contents.
pub fn new_object(machine: Machine, format: BinaryFormat) -> Object<'static> {
    let (architecture, endianness) = machine.object_target();
    let mut object = Object::new(format, architecture, endianness);
    match format {
        BinaryFormat::Elf => {
            object.flags = FileFlags::Elf {
                os_abi: elf::ELFOSABI_SYSV,
                abi_version: 0,
                e_flags: elf::FileFlags(machine.elf_flags()),
            };
        }
        BinaryFormat::MachO => {
            // Linkers refuse objects that do not say what they are for. Version 11 is the first for
            // both kinds of machine.
            let mut version = MachOBuildVersion::default();
            version.platform = macho::PLATFORM_MACOS;
            version.minos = macho::Version(11 << 16);
            object.set_macho_build_version(version);
        }
        _ => {}
    }
    object
}

/// The section for frame tables.
pub fn add_frame_section(object: &mut Object<'_>) -> SectionId {
    let kind = SectionKind::ReadOnlyData;
    if object.format() != BinaryFormat::MachO {
        return object.add_section(Vec::new(), b".eh_frame".to_vec(), kind);
    }
    let segment = object.segment_name(StandardSegment::Text).to_vec();
    let section = object.add_section(segment, b"__eh_frame".to_vec(), kind);
    object.section_mut(section).flags = SectionFlags::MachO {
        flags: macho::S_COALESCED
            | macho::S_ATTR_NO_TOC
            | macho::S_ATTR_STRIP_STATIC_SYMS
            | macho::S_ATTR_LIVE_SUPPORT,
        reserved2: 0,
    };
    section
}

/// The symbol by which a section's contents are referred to.
pub fn start_symbol(object: &mut Object<'_>, section: SectionId, name: &str) -> SymbolId {
    match object.format() {
        BinaryFormat::Elf => object.section_symbol(section),
        // There a reference to a section itself counts from elsewhere, or has no room for an addend.
        _ => add_label(object, section, 0, format!("lwasmelt_{name}")),
    }
}

fn add_label(object: &mut Object<'_>, section: SectionId, at: u64, name: String) -> SymbolId {
    object.add_symbol(Symbol {
        name: name.into_bytes(),
        value: at,
        size: 0,
        // Mach-O knows no labels.
        kind: SymbolKind::Data,
        scope: SymbolScope::Compilation,
        weak: false,
        section: SymbolSection::Section(section),
        flags: SymbolFlags::None,
    })
}

/// Writes the references.
///
/// # Errors
///
/// `Unsupported` for those that the format cannot express.
pub fn write_references(object: &mut Object<'_>, references: &[Reference]) -> Result<()> {
    let mut labels = BTreeMap::new();
    for reference in references {
        let mut to = (reference.symbol, reference.addend);
        let (flags, subtractor) = match reference.kind {
            Kind::Elf(kind) if object.format() == BinaryFormat::Elf => {
                (RelocationFlags::Elf { r_type: elf::RelocationType(kind) }, None)
            }
            Kind::Elf(kind) => {
                if !has_room_for_addend(object, kind) {
                    to = (label_for(object, &mut labels, to), 0);
                }
                (translate(object, kind)?, None)
            }
            Kind::Distance(start) => {
                // From the section's start it is the place's offset more.
                to.1 -= reference.offset.cast_signed();
                (generic(RelocationKind::Absolute, RelocationEncoding::Generic, 64), Some(start))
            }
            Kind::FromImage => {
                (generic(RelocationKind::ImageOffset, RelocationEncoding::Generic, 32), None)
            }
        };
        let relocation = Relocation { offset: reference.offset, symbol: to.0, addend: to.1, flags };
        object
            .add_relocation_with_subtractor(reference.section, relocation, subtractor)
            .map_err(|error| Error::unsupported(format!("an object file: {error}")))?;
    }
    Ok(())
}

/// Whether the format has a place for what is added to a symbol: AArch64's instructions hold only
/// parts of an address.
fn has_room_for_addend(object: &Object<'_>, kind: u32) -> bool {
    object.architecture() != object::Architecture::Aarch64 || kind == elf::R_AARCH64_ABS64.0
}

/// A symbol for the place that a symbol and an addend stand for.
fn label_for(
    object: &mut Object<'_>,
    labels: &mut BTreeMap<(SectionId, u64), SymbolId>,
    (symbol, addend): (SymbolId, i64),
) -> SymbolId {
    let known = object.symbol(symbol);
    let (SymbolSection::Section(section), true) = (known.section, addend != 0) else {
        return symbol;
    };
    let at = known.value.wrapping_add_signed(addend);
    let count = labels.len();
    *labels
        .entry((section, at))
        .or_insert_with(|| add_label(object, section, at, format!("lwasmelt_{count}")))
}

fn generic(kind: RelocationKind, encoding: RelocationEncoding, size: u8) -> RelocationFlags {
    RelocationFlags::Generic { kind, encoding, size }
}

/// What the format calls ELF's kind of a reference.
fn translate(object: &Object<'_>, kind: u32) -> Result<RelocationFlags> {
    use RelocationEncoding as E;
    use RelocationKind as K;
    let is_macho = object.format() == BinaryFormat::MachO;
    let page = |r_type, r_pcrel| RelocationFlags::MachO { r_type, r_pcrel, r_length: 2 };
    let coff = |typ| RelocationFlags::Coff { typ };
    let flags = match (object.architecture(), elf::RelocationType(kind)) {
        (object::Architecture::X86_64, elf::R_X86_64_64) => generic(K::Absolute, E::Generic, 64),
        (object::Architecture::X86_64, elf::R_X86_64_PC32) => {
            generic(K::Relative, E::X86RipRelative, 32)
        }
        (object::Architecture::X86_64, elf::R_X86_64_PLT32) => {
            generic(K::Relative, E::X86Branch, 32)
        }
        (object::Architecture::Aarch64, elf::R_AARCH64_ABS64) => {
            generic(K::Absolute, E::Generic, 64)
        }
        (object::Architecture::Aarch64, elf::R_AARCH64_CALL26) => {
            generic(K::Relative, E::AArch64Call, 26)
        }
        (object::Architecture::Aarch64, elf::R_AARCH64_ADR_PREL_PG_HI21) => match is_macho {
            true => page(macho::ARM64_RELOC_PAGE21, true),
            false => coff(object::pe::IMAGE_REL_ARM64_PAGEBASE_REL21),
        },
        (object::Architecture::Aarch64, elf::R_AARCH64_ADD_ABS_LO12_NC) => match is_macho {
            true => page(macho::ARM64_RELOC_PAGEOFF12, false),
            false => coff(object::pe::IMAGE_REL_ARM64_PAGEOFFSET_12A),
        },
        (architecture, other) => {
            return Err(Error::unsupported(format!(
                "the reference {} of {architecture:?} in an object that is not ELF",
                other.0
            )));
        }
    };
    Ok(flags)
}
