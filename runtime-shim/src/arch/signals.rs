//! Signal handlers: three records of the kernel's that no crate without libc has.

use super::machine::{self, CONTEXT_PC_OFFSET, SYS_RT_SIGACTION, SYS_SIGALTSTACK};

/// The kernel's `struct sigaction`. On RISC-V the mask stands in the restorer's place, and nothing
/// behind it: both are 0.
#[repr(C)]
pub struct SignalAction {
    handler: usize,
    flags: usize,
    restorer: usize,
    mask: u64,
}

impl SignalAction {
    const SIGINFO: usize = 0x4;
    const ONSTACK: usize = 0x800_0000;
    const NODEFER: usize = 0x4000_0000;

    /// Ignores the signal.
    pub const fn ignore() -> SignalAction {
        SignalAction { handler: 1, flags: 0, restorer: 0, mask: 0 }
    }

    /// Calls `handler` on the signal stack, with the signal unblocked, so that a handler may leave
    /// by a jump.
    pub fn call(handler: SignalHandler) -> SignalAction {
        SignalAction {
            handler: handler as usize,
            flags: Self::SIGINFO | Self::ONSTACK | Self::NODEFER | machine::RESTORER_FLAG,
            restorer: machine::restorer(),
            mask: 0,
        }
    }
}

/// A signal handler: the signal's number, `siginfo_t`, `ucontext_t`.
pub type SignalHandler = extern "C" fn(i32, *const u8, *const u8);

/// Sets what a signal does.
pub fn set_signal_action(signal: i32, action: &SignalAction) {
    // SAFETY: the record is valid during the call, and the kernel keeps no pointer to it.
    unsafe {
        machine::syscall4(SYS_RT_SIGACTION, signal as usize, action as *const _ as usize, 0, 8);
    }
}

/// Makes the kernel run handlers on `[base, base + size_bytes)`.
///
/// # Safety
///
/// Nothing else may ever use that memory.
pub unsafe fn set_signal_stack(base: *mut u8, size_bytes: usize) {
    #[repr(C)]
    struct SignalStack {
        base: *mut u8,
        flags: i32,
        size_bytes: usize,
    }
    let stack = SignalStack { base, flags: 0, size_bytes };
    // SAFETY: the record is valid during the call; the caller gives the memory away.
    unsafe {
        machine::syscall4(SYS_SIGALTSTACK, &raw const stack as usize, 0, 0, 0);
    }
}

/// The program counter of a signal frame: of the instruction that faulted, as the compiler's table
/// has it.
///
/// # Safety
///
/// `context` must be the `ucontext_t` that the kernel gave to a handler of `signal`.
pub unsafe fn context_pc(signal: i32, context: *const u8) -> u64 {
    // SAFETY: the register lies there in every `ucontext_t` of this architecture.
    let pc = unsafe { context.add(CONTEXT_PC_OFFSET).cast::<u64>().read() };
    machine::adjust_pc(signal, pc)
}
