//! RISC-V Linux with 64-bit registers and the G and C extensions.

use core::arch::asm;
#[cfg(not(test))]
use core::arch::naked_asm;

/// Size of a page of the kernel.
pub const PAGE_BYTES: usize = 4096;

/// Number of the system call.
pub const SYS_RT_SIGACTION: usize = 134;
/// Number of the system call.
pub const SYS_SIGALTSTACK: usize = 132;
const SYS_EXIT_GROUP: usize = 94;

/// Where `ucontext_t` holds the program counter.
pub const CONTEXT_PC_OFFSET: usize = 176;

/// This kernel brings its own.
pub const RESTORER_FLAG: usize = 0;

/// This kernel brings its own, and the record has the mask there.
pub fn restorer() -> usize {
    0
}

/// The address that the compiler's table has for a trap that the kernel reports at `pc`.
pub fn adjust_pc(_signal: i32, pc: u64) -> u64 {
    pc
}

/// Whether the processor has that feature of `wasmelt_abi::processor`. Kernels before 6.4 cannot
/// say it of any but the first: there it counts as present.
pub fn has_feature(index: usize) -> bool {
    /// The bits of the kernel's answer, in our list's order.
    const BITS: [u64; 9] =
        [1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 7, 1 << 8, 1 << 44, 1 << 32, 1 << 35];
    const { assert!(BITS.len() == wasmelt_abi::processor::RISCV64.len()) };
    const SYS_RISCV_HWPROBE: usize = 258;
    const KEY_IMA_EXTENSIONS: i64 = 4;
    const LETTER_V: u64 = 1 << (b'V' - b'A');
    if index == 0 && crate::start::auxiliary(crate::start::AT_HWCAP) & LETTER_V != 0 {
        return true;
    }
    let mut pair = [KEY_IMA_EXTENSIONS, 0];
    // SAFETY: the kernel writes to that one pair of a key and a value, which is -1 and 0 where it
    // does not know the key.
    let result = unsafe { syscall4(SYS_RISCV_HWPROBE, pair.as_mut_ptr() as usize, 1, 0, 0) };
    if result != 0 || pair[0] != KEY_IMA_EXTENSIONS {
        return index != 0;
    }
    BITS.get(index).is_some_and(|bit| pair[1].cast_unsigned() & bit != 0)
}

/// Ends the process.
pub fn exit(code: i32) -> ! {
    // SAFETY: the call does not return and reads no memory.
    unsafe {
        asm!("ecall", "unimp", in("a7") SYS_EXIT_GROUP, in("a0") code, options(noreturn, nostack))
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
            "ecall",
            in("a7") number,
            inlateout("a0") a => result,
            in("a1") b, in("a2") c, in("a3") d,
            options(nostack),
        );
    }
    result
}

/// Where the kernel starts the process: goes to the guest's stack at once and hands over the
/// address of the argument count. There is no global pointer, because nothing is linked that uses
/// it.
#[cfg(not(test))]
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    use wasmelt_abi::addresses::{STACK_BASE, STACK_BYTES};
    naked_asm!(
        "mv a0, sp",
        "li sp, {stack_top}",
        "li ra, 0",
        "li s0, 0",
        "tail {begin}",
        stack_top = const STACK_BASE + STACK_BYTES,
        begin = sym crate::start::begin,
    )
}

/// As `_start`, in an object that someone else links without a C library: stays on the kernel's stack.
#[cfg(not(test))]
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn wasmelt_library_start() -> ! {
    naked_asm!(
        "mv a0, sp",
        "li ra, 0",
        "li s0, 0",
        "tail {begin}",
        begin = sym crate::library::begin,
    )
}

core::arch::global_asm!(
    ".section .text.wasmelt_script_try,\"ax\",@progbits",
    ".globl wasmelt_script_try",
    ".globl wasmelt_script_resume",
    ".option push",
    ".option norelax",
    ".option norvc",
    ".p2align 2",
    "wasmelt_script_try:",
    "addi sp, sp, -208",
    "sd ra, 0(sp)",
    "sd s0, 8(sp)",
    "sd s1, 16(sp)",
    "sd s2, 24(sp)",
    "sd s3, 32(sp)",
    "sd s4, 40(sp)",
    "sd s5, 48(sp)",
    "sd s6, 56(sp)",
    "sd s7, 64(sp)",
    "sd s8, 72(sp)",
    "sd s9, 80(sp)",
    "sd s10, 88(sp)",
    "sd s11, 96(sp)",
    "fsd fs0, 104(sp)",
    "fsd fs1, 112(sp)",
    "fsd fs2, 120(sp)",
    "fsd fs3, 128(sp)",
    "fsd fs4, 136(sp)",
    "fsd fs5, 144(sp)",
    "fsd fs6, 152(sp)",
    "fsd fs7, 160(sp)",
    "fsd fs8, 168(sp)",
    "fsd fs9, 176(sp)",
    "fsd fs10, 184(sp)",
    "fsd fs11, 192(sp)",
    "sd sp, 0(a0)",
    "mv t0, a1",
    "mv a0, a2",
    "mv a1, a3",
    "mv a2, a4",
    "jalr t0",
    "li a0, 0",
    "2:",
    "ld ra, 0(sp)",
    "ld s0, 8(sp)",
    "ld s1, 16(sp)",
    "ld s2, 24(sp)",
    "ld s3, 32(sp)",
    "ld s4, 40(sp)",
    "ld s5, 48(sp)",
    "ld s6, 56(sp)",
    "ld s7, 64(sp)",
    "ld s8, 72(sp)",
    "ld s9, 80(sp)",
    "ld s10, 88(sp)",
    "ld s11, 96(sp)",
    "fld fs0, 104(sp)",
    "fld fs1, 112(sp)",
    "fld fs2, 120(sp)",
    "fld fs3, 128(sp)",
    "fld fs4, 136(sp)",
    "fld fs5, 144(sp)",
    "fld fs6, 152(sp)",
    "fld fs7, 160(sp)",
    "fld fs8, 168(sp)",
    "fld fs9, 176(sp)",
    "fld fs10, 184(sp)",
    "fld fs11, 192(sp)",
    "addi sp, sp, 208",
    "ret",
    "wasmelt_script_resume:",
    "mv sp, a0",
    "mv a0, a1",
    "j 2b",
    ".option pop",
    ".text",
);
