//! x86-64 Linux.

use core::arch::x86_64::CpuidResult;
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

/// The features of `wasmelt_abi::processor` that the processor, and the kernel, have: bits by their
/// numbers. Each question is asked once, because under some hypervisors an answer takes long.
pub fn find_features() -> u64 {
    use core::arch::x86_64::__cpuid_count;
    /// The answer, of those below, and the bit of each feature in the list's order.
    const BITS: [(usize, u32); 17] = [
        (BASIC, 0),
        (BASIC, 9),
        (BASIC, 19),
        (BASIC, 20),
        (BASIC, 23),
        (BASIC, 13),
        (BASIC, 28),
        (MORE, 5),
        (MORE, 3),
        (MORE, 8),
        (BASIC, 12),
        (EXTENDED, 5),
        (LATER, 12),
        (MORE, 17),
        (MORE, 16),
        (LATER, 1),
        (MORE, 31),
    ];
    const { assert!(BITS.len() == wasmelt_abi::processor::X86_64.len()) };
    const BASIC: usize = 0;
    const MORE: usize = 1;
    const LATER: usize = 2;
    const EXTENDED: usize = 3;
    const MORE_LEAF: u32 = 7;
    /// Every 64-bit processor has this leaf, as it says there that it is one.
    const EXTENDED_LEAF: u32 = 0x8000_0001;
    const AVX: u64 = 1 << 6 | 1 << 7 | 1 << 10;
    const AVX512: u64 = 0x1f << 12;
    let basic = __cpuid_count(1, 0).ecx;
    let more = match __cpuid_count(0, 0).eax >= MORE_LEAF {
        true => __cpuid_count(MORE_LEAF, 0),
        false => CpuidResult { eax: 0, ebx: 0, ecx: 0, edx: 0 },
    };
    let answers = [basic, more.ebx, more.ecx, __cpuid_count(EXTENDED_LEAF, 0).ecx];
    let has = |(answer, bit): (usize, u32)| u64::from(answers[answer] >> bit & 1);
    let found = BITS.iter().enumerate().map(|(index, at)| has(*at) << index).sum::<u64>();
    // The kernel must save the wide registers, too.
    let saved = saved_registers(basic);
    let unsaved = match saved {
        _ if saved & 0xe6 == 0xe6 => 0,
        _ if saved & 0x6 == 0x6 => AVX512,
        _ => AVX | AVX512,
    };
    found & !unsaved
}

/// Whether the processor has registers of 32 bytes, and the kernel saves them.
pub fn has_wide_registers() -> bool {
    const AVX: u32 = 1 << 28;
    let basic = core::arch::x86_64::__cpuid_count(1, 0).ecx;
    basic & AVX != 0 && saved_registers(basic) & 0x6 == 0x6
}

/// The register sets that the kernel saves, one bit each; `basic` is the first answer's `ecx`.
fn saved_registers(basic: u32) -> u32 {
    const OSXSAVE: u32 = 1 << 27;
    if basic & OSXSAVE == 0 {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::is_x86_feature_detected as detect;

    #[test]
    fn features_are_those_that_others_find() {
        let found = find_features();
        let has = |name| {
            let names = wasmelt_abi::processor::X86_64;
            found >> names.iter().position(|it| *it == name).unwrap() & 1 == 1
        };
        let known = [
            ("sse3", detect!("sse3")),
            ("ssse3", detect!("ssse3")),
            ("sse41", detect!("sse4.1")),
            ("sse42", detect!("sse4.2")),
            ("popcnt", detect!("popcnt")),
            ("cmpxchg16b", detect!("cmpxchg16b")),
            ("avx", detect!("avx")),
            ("avx2", detect!("avx2")),
            ("bmi1", detect!("bmi1")),
            ("bmi2", detect!("bmi2")),
            ("fma", detect!("fma")),
            ("lzcnt", detect!("lzcnt")),
            ("avx512bitalg", detect!("avx512bitalg")),
            ("avx512dq", detect!("avx512dq")),
            ("avx512f", detect!("avx512f")),
            ("avx512vbmi", detect!("avx512vbmi")),
            ("avx512vl", detect!("avx512vl")),
        ];
        assert_eq!(known.len(), wasmelt_abi::processor::X86_64.len());
        for (name, is_there) in known {
            assert_eq!(has(name), is_there, "{name}");
        }
        assert_eq!(has_wide_registers(), detect!("avx"));
    }
}
