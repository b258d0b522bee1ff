//! Performs a test script's actions, one after the other, and reports what became of each.
//!
//! A trap ends an action, not the program: the driver leaves a recovery point on the
//! stack before it enters guest code, and the trap handler continues there. Guest code
//! holds no locks and no resources of ours, so nothing has to be undone. Programs that
//! are no scripts do not reach this module, and it is not linked into them.

use core::cell::UnsafeCell;
use core::ptr;
use wasmelt_abi::script::{Action, RESULTS_MAX, Report, SLOT_BYTES};

/// A result's slot, aligned as vectors want it.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
struct Slot([u8; SLOT_BYTES]);

/// What is alive between a call and its end: one per process, which has one thread.
struct Driver {
    /// The stack pointer to continue with when the running action traps; 0: none is running.
    recovery: UnsafeCell<usize>,
    results: UnsafeCell<[Slot; RESULTS_MAX]>,
}

// SAFETY: the process has one thread.
unsafe impl Sync for Driver {}

static DRIVER: Driver = Driver {
    recovery: UnsafeCell::new(0),
    results: UnsafeCell::new([Slot([0; SLOT_BYTES]); RESULTS_MAX]),
};

/// Performs the actions; see [`wasmelt_abi::symbols::SCRIPT_RUN`].
///
/// # Safety
/// `actions` points to `count` records that the compiler wrote for this program.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmelt_script_run(actions: *const Action, count: u64) -> u32 {
    crate::traps::set_recovery(recover);
    for index in 0..count as usize {
        // SAFETY: the index is below the count.
        let action = unsafe { &*actions.add(index) };
        // SAFETY: the compiler wrote the record for this program.
        let trap = unsafe { perform(action) };
        let results = if trap == 0 { action.results } else { 0 };
        let report = Report { action: index as u32, trap: trap as u16, results: results as u16 };
        write_all((&raw const report).cast(), Report::BYTES);
        write_all(DRIVER.results.get().cast(), results as usize * SLOT_BYTES);
    }
    0
}

/// Leaves the action's results in the driver's slots; its trap's code, or 0.
///
/// # Safety
/// The compiler wrote the record for this program.
unsafe fn perform(action: &Action) -> u32 {
    let results: *mut u8 = DRIVER.results.get().cast();
    if action.trampoline == 0 {
        // SAFETY: `target` is a live global's address, which has that many bytes.
        unsafe {
            ptr::copy_nonoverlapping(
                action.target as *const u8,
                results,
                action.global_bytes as usize,
            );
        }
        return 0;
    }
    // SAFETY: the trampoline has the type of the code that `target` points to; the compiler
    // refuses functions of more results than there are slots.
    let trap = unsafe {
        wasmelt_script_try(
            DRIVER.recovery.get(),
            action.trampoline,
            action.target,
            action.args as *const u8,
            results,
        )
    };
    // SAFETY: only this thread looks at it.
    unsafe { *DRIVER.recovery.get() = 0 };
    trap
}

/// Called by the trap handler on whatever stack it has. Does nothing if no action is running.
fn recover(trap: u32) {
    // SAFETY: only this thread looks at it.
    let stack = unsafe { *DRIVER.recovery.get() };
    if stack != 0 {
        // SAFETY: `wasmelt_script_try` stored it and has not returned since.
        unsafe { wasmelt_script_resume(stack, trap) }
    }
}

/// One system call for each report, so that nothing is lost whatever happens next.
fn write_all(bytes: *const u8, len: usize) {
    let mut done = 0;
    while done < len {
        // SAFETY: the callers pass memory of that length; standard output stays open.
        let written = unsafe {
            let rest = core::slice::from_raw_parts(bytes.add(done), len - done);
            rustix::io::write(rustix::stdio::stdout(), rest)
        };
        match written {
            Ok(written) => done += written,
            Err(rustix::io::Errno::INTR) => {}
            // Nobody reads the reports any more.
            Err(_) => crate::exit(70),
        }
    }
}

unsafe extern "C" {
    /// Calls `trampoline(target, args, results)` after storing at `recovery` where to continue
    /// if it traps; 0, or the code that `wasmelt_script_resume` was given.
    fn wasmelt_script_try(
        recovery: *mut usize,
        trampoline: u64,
        target: u64,
        args: *const u8,
        results: *mut u8,
    ) -> u32;

    /// Makes the `wasmelt_script_try` that stored `stack` return `trap`.
    fn wasmelt_script_resume(stack: usize, trap: u32) -> !;
}

#[cfg(target_arch = "x86_64")]
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
