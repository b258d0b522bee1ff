//! x86-64 Linux.

use core::arch::{asm, naked_asm};

/// Size of a page of the kernel.
pub const PAGE_BYTES: usize = 4096;

/// Number of the system call.
pub const SYS_RT_SIGACTION: usize = 13;
/// Number of the system call.
pub const SYS_SIGALTSTACK: usize = 131;
const SYS_EXIT_GROUP: usize = 231;

/// Where `ucontext_t` holds the program counter.
pub const CONTEXT_PC_OFFSET: usize = 168;

/// The flag without which this kernel refuses a handler: that the record has a restorer.
pub const RESTORER_FLAG: usize = 0x400_0000;

/// Where a handler returns to: the kernel demands one although ours do not return.
pub fn restorer() -> usize {
    restore as *const () as usize
}

/// The address that the compiler's table has for a trap that the kernel reports at `pc`.
pub fn adjust_pc(_signal: i32, pc: u64) -> u64 {
    pc
}

/// The number of the feature that is registers of 32 bytes.
pub const AVX: usize = 6;

/// Whether the processor, and the kernel, have that feature of `wasmelt_abi::processor`.
pub fn has_feature(index: usize) -> bool {
    use core::arch::x86_64::__cpuid_count;
    /// Leaf and register (1 `ebx`, 2 `ecx`) of CPUID, and the bit, of each feature in the list's order.
    const BITS: [(u32, u32, u32); 17] = [
        (1, 2, 0),
        (1, 2, 9),
        (1, 2, 19),
        (1, 2, 20),
        (1, 2, 23),
        (1, 2, 13),
        (1, 2, 28),
        (7, 1, 5),
        (7, 1, 3),
        (7, 1, 8),
        (1, 2, 12),
        (0x8000_0001, 2, 5),
        (7, 2, 12),
        (7, 1, 17),
        (7, 1, 16),
        (7, 2, 1),
        (7, 1, 31),
    ];
    const { assert!(BITS.len() == wasmelt_abi::processor::X86_64.len()) };
    const AVX2: usize = 7;
    const FMA: usize = 10;
    const AVX512: usize = 12;
    let Some((leaf, register, bit)) = BITS.get(index).copied() else { return false };
    let is_listed = __cpuid_count(leaf & 0x8000_0000, 0).eax >= leaf && {
        let found = __cpuid_count(leaf, 0);
        (if register == 1 { found.ebx } else { found.ecx }) >> bit & 1 == 1
    };
    // The kernel must save the wide registers, too.
    is_listed
        && match index {
            AVX512.. => saved_registers() & 0xe6 == 0xe6,
            AVX | AVX2 | FMA => saved_registers() & 0x6 == 0x6,
            _ => true,
        }
}

/// The register sets that the kernel saves, one bit each.
fn saved_registers() -> u32 {
    const OSXSAVE: u32 = 1 << 27;
    if core::arch::x86_64::__cpuid_count(1, 0).ecx & OSXSAVE == 0 {
        return 0;
    }
    let low: u32;
    // SAFETY: the instruction exists where the kernel says that it uses it, and only reads.
    unsafe {
        asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") _, options(nomem, nostack));
    }
    low
}

/// Ends the process.
pub fn exit(code: i32) -> ! {
    // SAFETY: the call does not return and reads no memory.
    unsafe {
        asm!("syscall", "ud2", in("rax") SYS_EXIT_GROUP, in("rdi") code, options(noreturn, nostack))
    }
}

/// Issues a system call.
///
/// # Safety
///
/// As that call.
pub unsafe fn syscall4(number: usize, a: usize, b: usize, c: usize, d: usize) -> isize {
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

/// Returns from a signal handler.
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
        // Nobody called it: here unwinding ends.
        ".cfi_startproc",
        ".cfi_undefined rip",
        "mov rdi, rsp",
        "movabs rsp, {stack_top}",
        "xor ebp, ebp",
        "call {begin}",
        ".cfi_endproc",
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
        "mov rdi, rsp",
        "xor ebp, ebp",
        "call {begin}",
        begin = sym crate::library::begin,
    )
}

core::arch::global_asm!(
    ".section .text.wasmelt_script_try,\"ax\",@progbits",
    ".globl wasmelt_script_try",
    ".globl wasmelt_script_resume",
    "wasmelt_script_try:",
    "push rbp",
    "push rbx",
    "push r12",
    "push r13",
    "push r14",
    "push r15",
    // The call below needs a stack pointer that is a multiple of 16.
    "sub rsp, 8",
    "mov [rdi], rsp",
    "mov rax, rsi",
    "mov rdi, rdx",
    "mov rsi, rcx",
    "mov rdx, r8",
    "call rax",
    "xor eax, eax",
    "2:",
    "add rsp, 8",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbx",
    "pop rbp",
    "ret",
    "wasmelt_script_resume:",
    "mov rsp, rdi",
    "mov eax, esi",
    "jmp 2b",
    ".text",
);
