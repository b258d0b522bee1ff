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
        "mov rdi, rsp",
        "movabs rsp, {stack_top}",
        "xor ebp, ebp",
        "call {begin}",
        stack_top = const STACK_BASE + STACK_BYTES,
        begin = sym crate::start::begin,
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
