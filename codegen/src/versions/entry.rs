//! What stands in the place of a function that has versions: a look at the processor's level, and jumps.
//!
//! ```text
//! cmp byte ptr [rip + level], highest level
//! jae version for it
//!     ..and so on for the lower levels that there are versions for
//! jmp baseline
//! ```
//!
//! No register and no byte of the stack changes, and flags mean nothing at a call, so every version
//! begins as if it had been called itself, whatever the calling convention.
//!
//! In front of `wasmelt_main` the processor is asked, if any function has versions:
//!
//! ```text
//! push rbp
//! mov  rbp, rsp
//! call wasmelt_find_processor_level
//! pop  rbp
//! ```
//!
//! Nothing of this traps, and nobody unwinds through it but a debugger, which finds the caller by the
//! frame pointer.

use super::Version;
use crate::edges::parts::Parts;
use crate::emit::{CodeRelocation, CompiledFunc, Target};
use crate::program::FuncId;
use cranelift_codegen::binemit::Reloc;
use wasmelt_abi::symbols;

/// Every function's versions side by side, and what chooses between them in their place; `main` asks
/// for the processor's level. The order is that of the ids.
pub fn separate_versions(compiled: Vec<CompiledFunc>, main: FuncId) -> Vec<CompiledFunc> {
    if compiled.iter().all(|func| func.versions.is_empty()) {
        return compiled;
    }
    let mut all = Vec::with_capacity(compiled.len() + 2);
    for mut func in compiled {
        let versions = std::mem::take(&mut func.versions);
        if versions.is_empty() && func.func != main {
            all.push(func);
            continue;
        }
        let rest = if versions.is_empty() { Version::Body } else { Version::Baseline };
        let levels: Vec<Version> = versions.iter().map(|func| func.version).collect();
        all.push(build_entry(func.func, func.func == main, &levels, rest));
        all.push(CompiledFunc { version: rest, ..func });
        all.extend(versions);
    }
    all
}

/// The instructions that ask, choose between versions for ascending levels, and go to the rest.
fn build_entry(func: FuncId, asks: bool, versions: &[Version], rest: Version) -> CompiledFunc {
    let mut entry = CompiledFunc {
        func,
        version: Version::Entry,
        versions: Vec::new(),
        code: Vec::new(),
        align: 16,
        relocations: Vec::new(),
        traps: Vec::new(),
        unwind: None,
        listing: Some("  ; jumps to the version for the processor".to_owned()),
        parts: Parts::new(),
    };
    if asks {
        put(&mut entry, &[0x55, 0x48, 0x89, 0xe5, 0xe8]);
        put_distance(&mut entry, Target::Library(symbols::FIND_PROCESSOR_LEVEL), 0);
        put(&mut entry, &[0x5d]);
    }
    for version in versions.iter().rev() {
        put(&mut entry, &[0x80, 0x3d]);
        // The operand behind the distance is a byte.
        put_distance(&mut entry, Target::Library(symbols::PROCESSOR_LEVEL), 1);
        put(&mut entry, &[version.level(), 0x0f, 0x83]);
        put_distance(&mut entry, Target::Version(func, *version), 0);
    }
    put(&mut entry, &[0xe9]);
    put_distance(&mut entry, Target::Version(func, rest), 0);
    entry
}

fn put(entry: &mut CompiledFunc, bytes: &[u8]) {
    entry.code.extend_from_slice(bytes);
}

/// The distance to the target from the instruction's end, which is so many bytes behind it.
fn put_distance(entry: &mut CompiledFunc, target: Target, bytes_behind: i64) {
    let offset = u32::try_from(entry.code.len()).expect("an entry is short");
    let addend = -4 - bytes_behind;
    entry.relocations.push(CodeRelocation { offset, kind: Reloc::X86PCRel4, target, addend });
    put(entry, &[0; 4]);
}
