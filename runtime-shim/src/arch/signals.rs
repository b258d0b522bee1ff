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

    /// What the system does by itself.
    pub const fn default_of_system() -> SignalAction {
        SignalAction { handler: 0, flags: 0, restorer: 0, mask: 0 }
    }

    /// Does what the action would have done, after another handler has got the signal. If that is to
    /// end the process, a fault ends it when the handler returns and the instruction runs again.
    ///
    /// # Safety
    ///
    /// The arguments must be the handler's own.
    pub unsafe fn handle(&self, signal: i32, info: *const u8, context: *const u8) {
        // The kernel does not let a fault be ignored either.
        if self.handler <= 1 {
            set_signal_action(signal, &SignalAction::default_of_system());
            return;
        }
        // SAFETY: whoever installed it has promised as much to the kernel. A handler with one
        // parameter ignores the others.
        unsafe {
            let handler: SignalHandler = core::mem::transmute(self.handler);
            handler(signal, info, context);
        }
    }

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

/// Sets what a signal does and stores what it did before.
pub fn replace_signal_action(signal: i32, action: &SignalAction, previous: &mut SignalAction) {
    // SAFETY: both records are valid during the call, and the kernel keeps no pointer to them.
    unsafe {
        let (action, previous) = (action as *const _ as usize, previous as *mut _ as usize);
        machine::syscall4(SYS_RT_SIGACTION, signal as usize, action, previous, 8);
    }
}

/// As `set_signal_stack`, unless the thread has one.
///
/// # Safety
///
/// Nothing else may ever use that memory.
pub unsafe fn set_signal_stack_if_none(base: *mut u8, size_bytes: usize) {
    const DISABLED: u32 = 2;
    let mut current = [0u64; 3];
    // SAFETY: the record has three words; the caller gives the memory away.
    unsafe {
        machine::syscall4(SYS_SIGALTSTACK, 0, current.as_mut_ptr() as usize, 0, 0);
        // The flags are the 32 bits behind the address.
        if current.as_ptr().cast::<u32>().add(2).read() & DISABLED != 0 {
            set_signal_stack(base, size_bytes);
        }
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
