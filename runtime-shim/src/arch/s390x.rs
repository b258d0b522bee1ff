//! z/Architecture Linux (s390x): the one target whose byte order is not WebAssembly's.

use core::arch::asm;
#[cfg(not(test))]
use core::arch::naked_asm;

/// Size of a page of the kernel.
pub const PAGE_BYTES: usize = 4096;

/// Number of the system call.
pub const SYS_RT_SIGACTION: usize = 174;
/// Number of the system call.
pub const SYS_SIGALTSTACK: usize = 186;
const SYS_EXIT_GROUP: usize = 248;

/// Where `ucontext_t` holds the program counter.
pub const CONTEXT_PC_OFFSET: usize = 48;

/// This kernel brings its own.
pub const RESTORER_FLAG: usize = 0;

/// This kernel brings its own.
pub fn restorer() -> usize {
    0
}

/// The address that the compiler's table has for a trap that the kernel reports at `pc`. An
/// instruction that traps by itself is complete when it does: the kernel reports the address behind
/// it, and the table has that of its last byte. One that accesses memory is not, and counts from its
/// start.
pub fn adjust_pc(signal: i32, pc: u64) -> u64 {
    const SIGSEGV: i32 = 11;
    const SIGBUS: i32 = 7;
    if signal == SIGSEGV || signal == SIGBUS { pc } else { pc.wrapping_sub(1) }
}

/// Whether the processor has that feature of `wasmelt_abi::processor`.
pub fn has_feature(index: usize) -> bool {
    /// The facilities' numbers, in our list's order.
    const FACILITIES: [usize; 4] = [61, 84, 148, 198];
    const { assert!(FACILITIES.len() == wasmelt_abi::processor::S390X.len()) };
    let mut list = [0u64; 4];
    // SAFETY: the instruction writes as many words as register 0 says, less one, and the kernel
    // demands a machine that has it.
    unsafe {
        asm!(
            "stfle 0({list})",
            list = in(reg_addr) list.as_mut_ptr(),
            inout("r0") list.len() - 1 => _,
            options(nostack),
        );
    }
    // Bits count from the left.
    let facility = FACILITIES.get(index).copied().unwrap_or(usize::MAX);
    list.get(facility / 64).is_some_and(|word| word << (facility % 64) >> 63 == 1)
}

/// Ends the process.
pub fn exit(code: i32) -> ! {
    // SAFETY: the call does not return and reads no memory.
    unsafe {
        asm!(
            "svc 0",
            "j .",
            in("r1") SYS_EXIT_GROUP,
            in("r2") code as isize,
            options(noreturn, nostack),
        )
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
            in("r1") number,
            inlateout("r2") a => result,
            in("r3") b, in("r4") c, in("r5") d,
            options(nostack),
        );
    }
    result
}

/// Where the kernel starts the process: goes to the guest's stack at once, leaves room there for
/// the callee to save registers, and hands over the address of the argument count.
#[cfg(not(test))]
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    use wasmelt_abi::addresses::{STACK_BASE, STACK_BYTES};
    naked_asm!(
        "lgr %r2, %r15",
        "llihf %r15, {high}",
        "oilf %r15, {low}",
        "aghi %r15, -160",
        "xc 0(8,%r15), 0(%r15)",
        "jg {begin}",
        high = const (STACK_BASE + STACK_BYTES) >> 32,
        low = const (STACK_BASE + STACK_BYTES) & 0xffff_ffff,
        begin = sym crate::start::begin,
    )
}

/// As `_start`, in an object that someone else links without a C library: stays on the kernel's stack.
#[cfg(not(test))]
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn wasmelt_library_start() -> ! {
    naked_asm!(
        "lgr %r2, %r15",
        "aghi %r15, -160",
        "xc 0(8,%r15), 0(%r15)",
        "jg {begin}",
        begin = sym crate::library::begin,
    )
}

core::arch::global_asm!(
    ".section .text.wasmelt_script_try,\"ax\",@progbits",
    ".globl wasmelt_script_try",
    ".globl wasmelt_script_resume",
    ".p2align 2",
    "wasmelt_script_try:",
    // The caller left room for these; the fifth argument comes in one of them.
    "stmg %r6, %r15, 48(%r15)",
    "aghi %r15, -224",
    "std %f8, 160(%r15)",
    "std %f9, 168(%r15)",
    "std %f10, 176(%r15)",
    "std %f11, 184(%r15)",
    "std %f12, 192(%r15)",
    "std %f13, 200(%r15)",
    "std %f14, 208(%r15)",
    "std %f15, 216(%r15)",
    "stg %r15, 0(%r2)",
    "lgr %r1, %r3",
    "lgr %r2, %r4",
    "lgr %r3, %r5",
    "lgr %r4, %r6",
    "basr %r14, %r1",
    "lghi %r2, 0",
    "2:",
    "ld %f8, 160(%r15)",
    "ld %f9, 168(%r15)",
    "ld %f10, 176(%r15)",
    "ld %f11, 184(%r15)",
    "ld %f12, 192(%r15)",
    "ld %f13, 200(%r15)",
    "ld %f14, 208(%r15)",
    "ld %f15, 216(%r15)",
    "lmg %r6, %r15, 272(%r15)",
    "br %r14",
    "wasmelt_script_resume:",
    "lgr %r15, %r2",
    "llgfr %r2, %r3",
    "j 2b",
    ".text",
);
