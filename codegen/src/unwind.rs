//! How to unwind the stack through generated code: one entry of a DWARF frame table for each
//! function, from what Cranelift says about its prologue.
//!
//! Debuggers and profilers read the table; the program itself never does, because a trap ends it.
//! Epilogues are not described, so an unwinder that stops a program between the last two
//! instructions of a function may lose the caller.

use crate::emit::CompiledFunc;
use crate::env::Env;
use cranelift_codegen::gimli::constants::{DW_EH_PE_absptr, DW_EH_PE_pcrel, DW_EH_PE_sdata4};
use cranelift_codegen::gimli::write::{
    Address, EhFrame, EndianVec, FrameTable as Entries, RelocateWriter, Relocation,
};
use cranelift_codegen::gimli::{DwEhPe, RunTimeEndian};
use cranelift_codegen::isa::unwind::UnwindInfo;
use target_lexicon::{BinaryFormat, Endianness};

/// The contents of an `.eh_frame` section.
#[derive(Debug, Default)]
pub struct FrameTable {
    /// The bytes, with zeros where functions' addresses belong.
    pub bytes: Vec<u8>,
    /// Where a function's address belongs, and the function's offset in the text.
    pub references: Vec<FrameReference>,
}

/// A place that holds the distance from itself to a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameReference {
    /// Offset of the place in the table.
    pub offset: u64,
    /// Its size in bytes.
    pub size_bytes: u8,
    /// Where in the text the function starts.
    pub text_offset: u32,
}

/// Describes every function's frame; `starts` are the functions' offsets in the text.
pub fn build_frame_table(env: Env<'_>, compiled: &[CompiledFunc], starts: &[u32]) -> FrameTable {
    let Some(mut common) = env.isa.create_systemv_cie() else { return FrameTable::default() };
    common.fde_address_encoding = pointer_encoding(env);
    let mut entries = Entries::default();
    let common = entries.add_cie(common);
    for (func, start) in compiled.iter().zip(starts) {
        if let Some(UnwindInfo::SystemV(info)) = &func.unwind {
            let address = Address::Symbol { symbol: 0, addend: i64::from(*start) };
            entries.add_fde(common, info.to_fde(address));
        }
    }
    let endian = match env.isa.triple().endianness() {
        Ok(Endianness::Big) => RunTimeEndian::Big,
        _ => RunTimeEndian::Little,
    };
    let mut out = EhFrame(Recorder { bytes: EndianVec::new(endian), references: Vec::new() });
    entries.write_eh_frame(&mut out).expect("Cranelift's frames can be written");
    let Recorder { bytes, references } = out.0;
    FrameTable { bytes: bytes.into_vec(), references }
}

/// Distances of 32 bits, as all text lies near; but the linkers of Mach-O want 64.
fn pointer_encoding(env: Env<'_>) -> DwEhPe {
    match env.isa.triple().binary_format {
        BinaryFormat::Macho => DwEhPe(DW_EH_PE_pcrel.0 | DW_EH_PE_absptr.0),
        _ => DwEhPe(DW_EH_PE_pcrel.0 | DW_EH_PE_sdata4.0),
    }
}

/// Takes down what refers to functions.
#[derive(Clone)]
struct Recorder {
    bytes: EndianVec<RunTimeEndian>,
    references: Vec<FrameReference>,
}

impl RelocateWriter for Recorder {
    type Writer = EndianVec<RunTimeEndian>;

    fn writer(&self) -> &Self::Writer {
        &self.bytes
    }

    fn writer_mut(&mut self) -> &mut Self::Writer {
        &mut self.bytes
    }

    fn relocate(&mut self, relocation: Relocation) {
        self.references.push(FrameReference {
            offset: relocation.offset as u64,
            size_bytes: relocation.size,
            text_offset: u32::try_from(relocation.addend).expect("a text has less than 4 GiB"),
        });
    }
}
