//! Whether the processor has what a program was built for. Only programs that were built with
//! `--cpu` ask, and first of all: an instruction that the processor lacks would end them without a
//! word.

use crate::{abort, arch, line};
use wasmelt_abi::processor::OWN;

/// Ends the program if the processor lacks one of the features: bit `n` stands for the `n`th of the
/// architecture's list.
#[unsafe(no_mangle)]
pub extern "C" fn wasmelt_require_processor(features: u64) {
    let mut lacks = false;
    for (index, name) in OWN.iter().enumerate() {
        if features >> index & 1 == 0 || arch::has_feature(index) {
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
