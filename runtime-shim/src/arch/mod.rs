//! What differs between instruction sets: the entry point, system calls, the signal frame, and how
//! a test script's driver leaves guest code.
//!
//! `signals` is what they have in common. Each machine's file supplies the same names, which are
//! documented in `x86_64.rs`.

#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "riscv64", path = "riscv64.rs")]
#[cfg_attr(target_arch = "s390x", path = "s390x.rs")]
mod machine;
mod signals;

pub use machine::{PAGE_BYTES, exit};
#[cfg(target_arch = "x86_64")]
pub use machine::{find_features, has_wide_registers};
pub use signals::{
    SignalAction, context_pc, replace_signal_action, set_signal_action, set_signal_stack,
    set_signal_stack_if_none,
};

/// The features of `wasmelt_abi::processor` that the processor has: bits by their numbers.
#[cfg(not(target_arch = "x86_64"))]
pub fn find_features() -> u64 {
    let indices = 0..wasmelt_abi::processor::OWN.len();
    indices.filter(|index| machine::has_feature(*index)).map(|index| 1 << index).sum()
}
