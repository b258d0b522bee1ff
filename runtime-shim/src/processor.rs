//! What the processor has. Programs that were built with `--cpu` ask whether it is what they were built
//! for, and first of all: an instruction that it lacks would end them without a word. Others ask if
//! they have functions in several versions, and nobody else does.

use crate::{abort, arch, line};
#[cfg(target_arch = "x86_64")]
use core::sync::atomic::{AtomicU8, Ordering};
use wasmelt_abi::processor::OWN;

/// How many of `wasmelt_abi::processor::X86_64_LEVELS` the processor is known to have.
#[cfg(target_arch = "x86_64")]
#[cfg_attr(not(test), unsafe(export_name = "wasmelt_processor_level"))]
static LEVEL: AtomicU8 = AtomicU8::new(0);

/// Asks for the processor's level.
#[cfg(target_arch = "x86_64")]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn wasmelt_find_processor_level() {
    let found = arch::find_features();
    let levels = wasmelt_abi::processor::X86_64_LEVELS.iter();
    let level = levels.take_while(|features| found & **features == **features).count();
    LEVEL.store(level as u8, Ordering::Relaxed);
}

/// Ends the program if the processor lacks one of the features: bit `n` stands for the `n`th of the
/// architecture's list.
#[unsafe(no_mangle)]
pub extern "C" fn wasmelt_require_processor(features: u64) {
    let found = arch::find_features();
    let mut lacks = false;
    for (index, name) in OWN.iter().enumerate() {
        if (features & !found) >> index & 1 == 0 {
            continue;
        }
        line::push(if lacks { ", " } else { "wasmelt: this program needs a processor with " });
        line::push(name);
        lacks = true;
    }
    if lacks {
        line::push("; build it with another --cpu, or without, for this one");
        line::finish(abort::EXIT_RUNTIME_FAILED)
    }
}
