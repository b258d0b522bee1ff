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

#[cfg(target_arch = "x86_64")]
pub use machine::AVX;
pub use machine::{PAGE_BYTES, exit, has_feature};
pub use signals::{
    SignalAction, context_pc, replace_signal_action, set_signal_action, set_signal_stack,
    set_signal_stack_if_none,
};
