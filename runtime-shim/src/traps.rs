//! Traps: guest faults arrive as signals and leave as one line and an exit code.
//!
//! A fault is classified by its address first, because a memory access that faults in a window of
//! a memory is out of bounds whatever instruction made it: below the stack, in a memory's window,
//! and only then by the instruction that raised it, which the compiler's table lists. What is none
//! of these happened in the runtime and is a mistake of ours.

use crate::single::Single;
use crate::trap_table::{Found, find};
use crate::{abort, arch, line, start};
use core::ffi::CStr;
use wasmelt_abi::addresses::{MEMORY_WINDOW_BYTES, STACK_BASE};
use wasmelt_abi::image::{Image, traps};
use wasmelt_abi::trap::Trap;

/// The exit code of a program that trapped: as a shell reports a process that aborted.
pub const EXIT_TRAPPED: i32 = 134;

const SIGILL: i32 = 4;
const SIGTRAP: i32 = 5;
const SIGBUS: i32 = 7;
const SIGFPE: i32 = 8;
const SIGSEGV: i32 = 11;
const SIGPIPE: i32 = 13;

/// Size of the stack that handlers run on: above what any processor's registers need.
const SIGNAL_STACK_BYTES: usize = 0x1_0000;

/// What is certainly unmapped below the guest's stack, so that a large frame cannot step over it.
const STACK_GAP_BYTES: u64 = 0x4000_0000;

#[repr(align(64))]
struct SignalStack([u8; SIGNAL_STACK_BYTES]);

static SIGNAL_STACK: Single<SignalStack> = Single::new(SignalStack([0; SIGNAL_STACK_BYTES]));

/// What a trap does instead of ending the program, if set: it gets the cause and must leave by a
/// jump. A driver of test scripts sets it.
pub static RECOVERY: Single<Option<fn(Trap) -> !>> = Single::new(None);

const SIGNALS: [i32; 5] = [SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV];

/// What the signals did in the process before a library began to handle them.
static PREVIOUS: Single<[arch::SignalAction; SIGNALS.len()]> =
    Single::new([const { arch::SignalAction::default_of_system() }; SIGNALS.len()]);

/// Installs the handlers of a library: what is not the guest's goes on to those of the process. The
/// signal stack is this thread's, unless it has one.
pub fn install_library_handlers() {
    SIGNAL_STACK.with(|stack| {
        // SAFETY: the static is used for nothing else.
        unsafe { arch::set_signal_stack_if_none(stack.0.as_mut_ptr(), SIGNAL_STACK_BYTES) }
    });
    let action = arch::SignalAction::call(handle_library_signal);
    PREVIOUS.with(|previous| {
        for (signal, previous) in SIGNALS.iter().zip(previous) {
            arch::replace_signal_action(*signal, &action, previous);
        }
    });
}

extern "C" fn handle_library_signal(signal: i32, info: *const u8, context: *const u8) {
    // SAFETY: the kernel hands these over.
    let (fault, pc) = unsafe { read_fault(signal, info, context) };
    let image = start::image();
    let found = find_at(image, pc);
    let trap = classify_in_windows(image, fault, &found).or_else(|| {
        // The guest runs on its caller's stack, and accesses nothing but that and its memories.
        let is_stack = fault.is_some() && guest_offset(image, pc).is_some();
        is_stack.then_some(Trap::StackOverflow)
    });
    if let Some(trap) = trap {
        report(image, trap, &found)
    }
    let index = SIGNALS.iter().position(|known| *known == signal).unwrap_or_default();
    PREVIOUS.with(|previous| {
        if let Some(previous) = previous.get(index) {
            // SAFETY: these are the handler's own arguments.
            unsafe { previous.handle(signal, info, context) }
        }
    });
}

/// Installs the handlers. Writing to a pipe without a reader becomes an ordinary error, which a
/// stream reports to the guest: what the guest does then is the guest's affair.
pub fn install_handlers() {
    SIGNAL_STACK.with(|stack| {
        // SAFETY: the static is used for nothing else.
        unsafe { arch::set_signal_stack(stack.0.as_mut_ptr(), SIGNAL_STACK_BYTES) }
    });
    let action = arch::SignalAction::call(handle_signal);
    for signal in SIGNALS {
        arch::set_signal_action(signal, &action);
    }
    arch::set_signal_action(SIGPIPE, &arch::SignalAction::ignore());
}

/// Stops the program because the guest called a shim function as it must not.
#[cold]
#[inline(never)]
pub fn raise(trap: Trap) -> ! {
    recover(trap);
    line::push("trap: ");
    line::push_message(trap);
    line::finish(EXIT_TRAPPED)
}

/// As `raise`, for a host function's own rules: `what` says which was broken.
#[cold]
#[inline(never)]
pub fn raise_host(what: &str) -> ! {
    recover(Trap::HostContract);
    line::push("trap: ");
    line::push_message(Trap::HostContract);
    line::push(": ");
    line::push(what);
    line::finish(EXIT_TRAPPED)
}

fn recover(trap: Trap) {
    if let Some(recovery) = RECOVERY.with(|recovery| *recovery) {
        recovery(trap)
    }
}

extern "C" fn handle_signal(signal: i32, info: *const u8, context: *const u8) {
    // SAFETY: the kernel hands these over.
    let (fault, pc) = unsafe { read_fault(signal, info, context) };
    let image = start::image();
    let found = find_at(image, pc);
    match classify(image, fault, &found) {
        Some(trap) => {
            recover(trap);
            report(image, trap, &found)
        }
        None => report_fatal(signal, pc, fault),
    }
}

/// The cause of a fault; `None` if it is not the guest's.
fn classify(image: &Image, fault: Option<u64>, found: &Found) -> Option<Trap> {
    if let Some(address) = fault
        && (STACK_BASE - STACK_GAP_BYTES..STACK_BASE).contains(&address)
    {
        return Some(Trap::StackOverflow);
    }
    classify_in_windows(image, fault, found)
}

/// As `classify`, but for the executable's stack.
fn classify_in_windows(image: &Image, fault: Option<u64>, found: &Found) -> Option<Trap> {
    let in_window = |base, address: u64| address.wrapping_sub(base) < MEMORY_WINDOW_BYTES;
    if let Some(address) = fault
        && start::memories(image).iter().any(|memory| in_window(memory.base, address))
    {
        return Some(Trap::MemoryOutOfBounds);
    }
    Trap::from_code(found.code)
}

/// The address that a fault is about, if there is one, and the instruction's.
///
/// # Safety
///
/// They must be the arguments of a signal handler.
unsafe fn read_fault(signal: i32, info: *const u8, context: *const u8) -> (Option<u64>, u64) {
    // SAFETY: in a `siginfo_t` the code lies at 8 and for these signals the address at 16; the
    // context is a `ucontext_t`.
    let (code, address, pc) = unsafe {
        (
            info.add(8).cast::<i32>().read(),
            info.add(16).cast::<u64>().read(),
            arch::context_pc(signal, context),
        )
    };
    // A positive code is the kernel's; 128 is a fault without an address.
    let has_address = matches!(signal, SIGSEGV | SIGBUS) && code > 0 && code != 128;
    (has_address.then_some(address), pc)
}

/// What the compiler's table says about an instruction.
fn find_at(image: &Image, pc: u64) -> Found {
    match guest_offset(image, pc) {
        Some(offset) => find(table(image), offset),
        None => Found::default(),
    }
}

/// Where in guest code `pc` lies.
fn guest_offset(image: &Image, pc: u64) -> Option<u32> {
    let offset = pc.wrapping_sub(image.text_start);
    (offset < image.text_bytes).then_some(offset as u32)
}

/// The compiler's table.
fn table(image: &Image) -> &'static [u8] {
    if image.traps_bytes == 0 {
        return &[];
    }
    // SAFETY: the table is a constant of the executable, as long as the image says.
    unsafe { core::slice::from_raw_parts(image.traps as *const u8, image.traps_bytes as usize) }
}

/// Names the trap, the component and the function on standard error, and exits.
fn report(image: &Image, trap: Trap, found: &Found) -> ! {
    line::push("trap: ");
    line::push_message(trap);
    let mut before = " in";
    if found.component != 0 {
        line::push(" in component `");
        line::push_bytes(name_at(image, found.component));
        line::push("`");
        before = ",";
    }
    if found.func_kind == traps::NAMED {
        line::push(before);
        line::push(" function `");
        line::push_bytes(name_at(image, found.func));
        line::push("`");
    } else if found.func_kind == traps::NUMBERED && found.func != 0 {
        line::push(before);
        line::push(" function ");
        line::push_decimal(found.func - 1);
    }
    // Running off the stack happens wherever a function is entered.
    if found.place != 0 && trap != Trap::StackOverflow {
        line::push(" (wasm offset ");
        line::push_hex(found.place.into());
        line::push(")");
    }
    line::finish(EXIT_TRAPPED)
}

fn name_at(image: &Image, offset: u32) -> &'static [u8] {
    // SAFETY: the compiler ends each name with a zero byte and gives offsets of such names only.
    unsafe { CStr::from_ptr((image.names + u64::from(offset)) as *const _) }.to_bytes()
}

fn report_fatal(signal: i32, pc: u64, fault: Option<u64>) -> ! {
    line::push("wasmelt: fatal signal ");
    line::push_decimal(signal.cast_unsigned());
    line::push(" in the runtime at ");
    line::push_hex(pc);
    if let Some(address) = fault {
        line::push(", address ");
        line::push_hex(address);
    }
    line::finish(abort::EXIT_RUNTIME_FAILED)
}
