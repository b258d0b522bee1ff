//! How to unwind the stack through generated code: one entry of a DWARF frame table for each
//! function, from what Cranelift says about its prologue.
//!
//! Debuggers and profilers read the table; the program itself never does, because a trap ends it.
//! Epilogues are not described, so an unwinder that stops a program between the last two
//! instructions of a function may lose the caller.

use crate::emit::CompiledFunc;
use crate::env::Env;
use crate::error::{Error, Result};
use cranelift_codegen::CompiledCode;
use cranelift_codegen::gimli::constants::{DW_EH_PE_absptr, DW_EH_PE_pcrel, DW_EH_PE_sdata4};
use cranelift_codegen::gimli::write::{
    Address, EhFrame, EndianVec, FrameTable as Entries, RelocateWriter, Relocation,
};
use cranelift_codegen::gimli::{DwEhPe, RunTimeEndian};
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::isa::unwind::{UnwindInfo, UnwindInst};
use target_lexicon::{Architecture, BinaryFormat, Endianness, OperatingSystem};

/// How to leave a function's frame.
#[derive(Clone, Debug)]
pub enum Unwind {
    /// As the platform's tables have it.
    Info(UnwindInfo),
    /// The steps of the prologue, and how far in bytes each has come: for Windows on x86-64.
    Prologue(Vec<(u32, UnwindInst)>),
}

/// Describes the frame of a compiled function.
///
/// # Errors
///
/// `Unsupported` if the platform's tables cannot describe it.
pub fn describe_frame(isa: &dyn TargetIsa, compiled: &CompiledCode) -> Result<Option<Unwind>> {
    let steps = &compiled.buffer.unwind_info;
    if isa.triple().operating_system == OperatingSystem::Windows {
        if isa.triple().architecture == Architecture::X86_64 {
            return Ok(Some(Unwind::Prologue(steps.to_vec())));
        }
        require_small_frame(steps)?;
    }
    let info = compiled.create_unwind_info(isa);
    let info = info.map_err(|error| Error::unsupported(format!("unwinding: {error}")))?;
    Ok(info.map(Unwind::Info))
}

/// What Windows' tables for AArch64 have no codes for.
fn require_small_frame(steps: &[(u32, UnwindInst)]) -> Result<()> {
    const BEFORE_FRAME_MAX: u32 = 1 << 11;
    const FRAME_MAX: u32 = 1 << 28;
    let mut before = 0;
    for (_, step) in steps {
        let is_described = match step {
            UnwindInst::StackAlloc { size } => {
                before = *size;
                *size < FRAME_MAX
            }
            UnwindInst::DefineNewFrame { .. } => before < BEFORE_FRAME_MAX,
            _ => true,
        };
        if !is_described {
            return Err(Error::unsupported("a frame that is too large for Windows on AArch64"));
        }
    }
    Ok(())
}

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
    let mut lens = Vec::with_capacity(compiled.len());
    for (func, start) in compiled.iter().zip(starts) {
        if let Some(Unwind::Info(UnwindInfo::SystemV(info))) = &func.unwind {
            let address = Address::Symbol { symbol: 0, addend: i64::from(*start) };
            entries.add_fde(common, info.to_fde(address));
            lens.push(func.code.len() as u64);
        }
    }
    let endian = match env.isa.triple().endianness() {
        Ok(Endianness::Big) => RunTimeEndian::Big,
        _ => RunTimeEndian::Little,
    };
    let mut out = EhFrame(Recorder { bytes: EndianVec::new(endian), references: Vec::new() });
    entries.write_eh_frame(&mut out).expect("Cranelift's frames can be written");
    let Recorder { bytes, references } = out.0;
    let mut bytes = bytes.into_vec();
    assert_eq!(references.len(), lens.len(), "each entry has one address");
    for (reference, len) in references.iter().zip(lens) {
        write_len(&mut bytes, reference, len, endian);
    }
    FrameTable { bytes, references }
}

/// Writes how long a function is, which stands behind its address and is as wide: Cranelift says how
/// long it was before its branches became shorter.
fn write_len(bytes: &mut [u8], reference: &FrameReference, len: u64, endian: RunTimeEndian) {
    let width = usize::from(reference.size_bytes);
    let field = &mut bytes[reference.offset as usize + width..][..width];
    match endian {
        RunTimeEndian::Little => field.copy_from_slice(&len.to_le_bytes()[..width]),
        RunTimeEndian::Big => field.copy_from_slice(&len.to_be_bytes()[8 - width..]),
    }
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
