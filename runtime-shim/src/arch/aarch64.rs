//! AArch64 Linux.

use core::arch::asm;
#[cfg(not(test))]
use core::arch::naked_asm;

/// Size of a page of the kernel: the largest that one can be built with. What is mapped in such
/// steps is right on kernels with smaller pages too.
pub const PAGE_BYTES: usize = 0x1_0000;

/// Number of the system call.
pub const SYS_RT_SIGACTION: usize = 134;
/// Number of the system call.
pub const SYS_SIGALTSTACK: usize = 132;
const SYS_EXIT_GROUP: usize = 94;

/// Where `ucontext_t` holds the program counter.
pub const CONTEXT_PC_OFFSET: usize = 440;

/// This kernel brings its own.
pub const RESTORER_FLAG: usize = 0;

/// This kernel brings its own.
pub fn restorer() -> usize {
    0
}

/// The address that the compiler's table has for a trap that the kernel reports at `pc`.
pub fn adjust_pc(_signal: i32, pc: u64) -> u64 {
    pc
}

/// Whether the processor has that feature of `wasmelt_abi::processor`.
pub fn has_feature(index: usize) -> bool {
    /// The bits of the kernel's list, in our list's order.
    const BITS: [u64; 3] = [1 << 8, 1 << 9 | 1 << 10, 1 << 30];
    const { assert!(BITS.len() == wasmelt_abi::processor::AARCH64.len()) };
    let wanted = BITS.get(index).copied().unwrap_or(u64::MAX);
    crate::start::auxiliary(crate::start::AT_HWCAP) & wanted == wanted
}

/// Ends the process.
pub fn exit(code: i32) -> ! {
    // SAFETY: the call does not return and reads no memory.
    unsafe {
        asm!("svc 0", "udf 0", in("x8") SYS_EXIT_GROUP, in("x0") code, options(noreturn, nostack))
    }
}

/// Issues a system call.
///
/// # Safety
///
/// As that call.
pub unsafe fn syscall4(number: usize, a: usize, b: usize, c: usize, d: usize) -> isize {
    let result;
    // SAFETY: the caller's; the kernel preserves all other registers.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") a => result,
            in("x1") b, in("x2") c, in("x3") d,
            options(nostack),
        );
    }
    result
}

/// Where the kernel starts the process: goes to the guest's stack at once and hands over the
/// address of the argument count.
#[cfg(not(test))]
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    use wasmelt_abi::addresses::{STACK_BASE, STACK_BYTES};
    naked_asm!(
        "mov x0, sp",
        "movz x9, {low}",
        "movk x9, {middle}, lsl 16",
        "movk x9, {high}, lsl 32",
        "mov sp, x9",
        "mov x29, xzr",
        "mov x30, xzr",
        "b {begin}",
        low = const (STACK_BASE + STACK_BYTES) & 0xffff,
        middle = const ((STACK_BASE + STACK_BYTES) >> 16) & 0xffff,
        high = const ((STACK_BASE + STACK_BYTES) >> 32) & 0xffff,
        begin = sym crate::start::begin,
    )
}

/// As `_start`, in an object that someone else links without a C library: stays on the kernel's stack.
#[cfg(not(test))]
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn wasmelt_library_start() -> ! {
    naked_asm!(
        "mov x0, sp",
        "mov x29, xzr",
        "mov x30, xzr",
        "b {begin}",
        begin = sym crate::library::begin,
    )
}

core::arch::global_asm!(
    ".section .text.wasmelt_script_try,\"ax\",@progbits",
    ".globl wasmelt_script_try",
    ".globl wasmelt_script_resume",
    ".p2align 2",
    "wasmelt_script_try:",
    "stp x29, x30, [sp, -160]!",
    "stp x19, x20, [sp, 16]",
    "stp x21, x22, [sp, 32]",
    "stp x23, x24, [sp, 48]",
    "stp x25, x26, [sp, 64]",
    "stp x27, x28, [sp, 80]",
    "stp d8, d9, [sp, 96]",
    "stp d10, d11, [sp, 112]",
    "stp d12, d13, [sp, 128]",
    "stp d14, d15, [sp, 144]",
    "mov x9, sp",
    "str x9, [x0]",
    "mov x9, x1",
    "mov x0, x2",
    "mov x1, x3",
    "mov x2, x4",
    "blr x9",
    "mov w0, wzr",
    "2:",
    "ldp x19, x20, [sp, 16]",
    "ldp x21, x22, [sp, 32]",
    "ldp x23, x24, [sp, 48]",
    "ldp x25, x26, [sp, 64]",
    "ldp x27, x28, [sp, 80]",
    "ldp d8, d9, [sp, 96]",
    "ldp d10, d11, [sp, 112]",
    "ldp d12, d13, [sp, 128]",
    "ldp d14, d15, [sp, 144]",
    "ldp x29, x30, [sp], 160",
    "ret",
    "wasmelt_script_resume:",
    "mov sp, x0",
    "mov w0, w1",
    "b 2b",
    ".text",
);
