//! Unwind information for Windows: what `.xdata` holds of each function, and `.pdata` lists.
//!
//! x86-64 ("x64 exception handling"): codes that undo the prologue, in descending order of their
//! instructions. The frame pointer is set right behind its own push; the registers that are saved
//! lie below it, while the format counts from below upwards. So the description lets the same
//! instruction move the stack pointer below the saved registers, which it need not really do:
//! whoever unwinds computes it from the frame pointer.
//!
//! AArch64 ("ARM64 exception handling"): Cranelift's codes behind a header.

use crate::emit::CompiledFunc;
use crate::error::{Error, Result};
use crate::unwind::Unwind;
use cranelift_codegen::RegClass;
use cranelift_codegen::isa::unwind::{UnwindInfo, UnwindInst};

const RBP: u8 = 5;

/// The code of AArch64 that no other follows.
const END: u8 = 0xe4;

/// The operations of x86-64's codes.
const PUSH: u8 = 0;
const ALLOC_LARGE: u8 = 1;
const ALLOC_SMALL: u8 = 2;
const SET_FRAME: u8 = 3;
const SAVE: u8 = 4;
const SAVE_XMM: u8 = 8;

/// What `.xdata` holds of a function; `None` if nothing has to be undone to leave it.
///
/// # Errors
///
/// `Unsupported` if the function is beyond what the format can say.
pub fn unwind_data(func: &CompiledFunc) -> Result<Option<Vec<u8>>> {
    match &func.unwind {
        None => Ok(None),
        Some(Unwind::Prologue(steps)) if steps.is_empty() => Ok(None),
        Some(Unwind::Prologue(steps)) => x86_64_data(steps).map(Some),
        Some(Unwind::Info(UnwindInfo::WindowsArm64(info))) => {
            // What stands behind the codes ends them, however many words those fill.
            let mut codes = vec![END; (usize::from(info.code_words()) + 1) * 4];
            info.emit(&mut codes);
            aarch64_data(func.code.len(), codes).map(Some)
        }
        Some(Unwind::Info(other)) => panic!("{other:?} is not for Windows"),
    }
}

fn too_large() -> Error {
    Error::unsupported("a function that is too large for Windows' unwind information")
}

/// Version 1, no handler; the prologue's size, the number of codes, the frame register.
fn x86_64_data(steps: &[(u32, UnwindInst)]) -> Result<Vec<u8>> {
    // Each code is a list of 16-bit words; the last instruction's come first.
    let mut codes: Vec<Vec<u16>> = Vec::new();
    let mut frame = 0;
    let mut prologue_bytes = 0;
    for (offset, step) in steps {
        let at = u8::try_from(*offset).map_err(|_| too_large())?;
        prologue_bytes = at;
        let code = |operation: u8, info: u8| u16::from_le_bytes([at, info << 4 | operation]);
        match *step {
            UnwindInst::PushFrameRegs { .. } => codes.push(vec![code(PUSH, RBP)]),
            UnwindInst::DefineNewFrame { offset_downward_to_clobbers: below, .. } => {
                frame =
                    u8::try_from(below / 16).ok().filter(|it| *it < 16).ok_or_else(too_large)?;
                assert!(below.is_multiple_of(16), "saved registers take {below} bytes");
                match below {
                    0 => {}
                    8..=128 => codes.push(vec![code(ALLOC_SMALL, (below / 8 - 1) as u8)]),
                    _ => codes.push(vec![code(ALLOC_LARGE, 0), (below / 8) as u16]),
                }
                codes.push(vec![code(SET_FRAME, 0)]);
            }
            // The frame pointer says where the frame is.
            UnwindInst::StackAlloc { .. } => {}
            UnwindInst::SaveReg { clobber_offset, reg } => {
                let (operation, unit) = match reg.class() {
                    RegClass::Int => (SAVE, 8),
                    _ => (SAVE_XMM, 16),
                };
                let place = u16::try_from(clobber_offset / unit).map_err(|_| too_large())?;
                codes.push(vec![code(operation, reg.hw_enc()), place]);
            }
            UnwindInst::RegStackOffset { .. } | UnwindInst::Aarch64SetPointerAuth { .. } => {
                panic!("no prologue of x86-64 has {step:?}")
            }
        }
    }
    let count: usize = codes.iter().map(Vec::len).sum();
    let count = u8::try_from(count).map_err(|_| too_large())?;
    let mut data = vec![1, prologue_bytes, count, frame << 4 | RBP];
    let words = codes.iter().rev().flatten();
    data.extend(words.flat_map(|word| word.to_le_bytes()));
    data.resize(data.len().next_multiple_of(4), 0);
    Ok(data)
}

/// The header says how many instructions the function has and how many words of codes follow; if
/// those are many, a second word does.
fn aarch64_data(code_bytes: usize, codes: Vec<u8>) -> Result<Vec<u8>> {
    const LENGTH_BITS: u32 = 18;
    const WORDS_MAX: u32 = 31;
    let length = (code_bytes / 4) as u32;
    if length >> LENGTH_BITS != 0 {
        return Err(too_large());
    }
    let words = (codes.len() / 4) as u32;
    let mut data = match words {
        0..=WORDS_MAX => (length | words << 27).to_le_bytes().to_vec(),
        _ => [length.to_le_bytes(), (words << 16).to_le_bytes()].concat(),
    };
    data.extend(codes);
    Ok(data)
}
