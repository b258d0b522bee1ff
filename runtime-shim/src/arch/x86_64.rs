//! x86-64 Linux.

use core::arch::{asm, naked_asm};

/// Size of a page of the kernel.
pub const PAGE_BYTES: usize = 4096;

const SYS_RT_SIGACTION: usize = 13;
const SYS_SIGALTSTACK: usize = 131;
const SYS_EXIT_GROUP: usize = 231;

/// Where `ucontext_t` holds the program counter.
const CONTEXT_PC_OFFSET: usize = 168;

/// Ends the process.
pub fn exit(code: i32) -> ! {
    // SAFETY: the call does not return and reads no memory.
    unsafe {
        asm!("syscall", "ud2", in("rax") SYS_EXIT_GROUP, in("rdi") code, options(noreturn, nostack))
    }
}

/// The kernel's `struct sigaction`.
#[repr(C)]
pub struct SignalAction {
    handler: usize,
    flags: usize,
    restorer: usize,
    mask: u64,
}

impl SignalAction {
    const SIGINFO: usize = 0x4;
    const RESTORER: usize = 0x400_0000;
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
            flags: Self::SIGINFO | Self::RESTORER | Self::ONSTACK | Self::NODEFER,
            restorer: restore as *const () as usize,
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
        syscall4(SYS_RT_SIGACTION, signal as usize, action as *const _ as usize, 0, 8);
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
        syscall4(SYS_SIGALTSTACK, &raw const stack as usize, 0, 0, 0);
    }
}

/// The program counter of a signal frame.
///
/// # Safety
///
/// `context` must be the `ucontext_t` that the kernel gave to a handler.
pub unsafe fn context_pc(context: *const u8) -> u64 {
    // SAFETY: the register lies there in every `ucontext_t` of this architecture.
    unsafe { context.add(CONTEXT_PC_OFFSET).cast::<u64>().read() }
}

/// Issues a system call.
///
/// # Safety
///
/// As that call.
unsafe fn syscall4(number: usize, a: usize, b: usize, c: usize, d: usize) -> isize {
    let result;
    // SAFETY: the caller's; the instruction itself changes the registers named here alone.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// Returns from a signal handler: the kernel demands one although ours do not return.
#[unsafe(naked)]
extern "C" fn restore() {
    naked_asm!("mov eax, 15", "syscall")
}

/// Where the kernel starts the process: goes to the guest's stack at once and hands over the
/// address of the argument count.
#[cfg(not(test))]
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    use wasmelt_abi::addresses::{STACK_BASE, STACK_BYTES};
    naked_asm!(
        "mov rdi, rsp",
        "movabs rsp, {stack_top}",
        "xor ebp, ebp",
        "call {begin}",
        stack_top = const STACK_BASE + STACK_BYTES,
        begin = sym crate::start::begin,
    )
}
