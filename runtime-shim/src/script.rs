//! Performs a test script's actions, one after the other, and reports what became of each.
//!
//! A trap ends an action, not the program: the driver leaves a recovery point on the
//! stack before it enters guest code, and the trap handler continues there. Guest code
//! holds no locks and no resources of ours, so nothing has to be undone. Programs that
//! are no scripts do not reach this module, and it is not linked into them.

use crate::single::Single;
use crate::traps::RECOVERY;
use crate::{abort, arch};
use core::ffi::{CStr, c_char};
use core::ptr;
use rustix::fd::{BorrowedFd, IntoRawFd, RawFd};
use rustix::fs::{Mode, OFlags};
use wasmelt_abi::script::{AREA_ARGS_MAX, Action, RESULTS_MAX, Report, SLOT_BYTES, shape};
use wasmelt_abi::trap::Trap;

/// A result's slot, aligned as vectors want it.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
struct Slot([u8; SLOT_BYTES]);

/// What calls guest code: the code's address, the arguments, the results.
type Trampoline = unsafe extern "C" fn(u64, *const u8, *mut u8);

/// The arguments of an action whose result lies in memory.
static ARGS: Single<[Slot; AREA_ARGS_MAX]> = Single::new([Slot([0; SLOT_BYTES]); AREA_ARGS_MAX]);

/// The running action's results, or the area where its result lies.
static RESULTS: Single<[Slot; RESULTS_MAX]> = Single::new([Slot([0; SLOT_BYTES]); RESULTS_MAX]);

/// Where reports go: standard output at first.
static OUTPUT: Single<RawFd> = Single::new(1);

/// The stack pointer to continue with when the running action traps.
static RECOVERY_POINT: Single<usize> = Single::new(0);

/// Performs the actions; see [`wasmelt_abi::symbols::SCRIPT_RUN`].
///
/// # Safety
/// `actions` points to `count` records that the compiler wrote for this program.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmelt_script_run(actions: *const Action, count: u64) -> u32 {
    let results = RESULTS.with(|slots| slots.as_mut_ptr().cast::<u8>());
    for index in 0..count as usize {
        // SAFETY: the index is below the count, and the compiler wrote the record.
        let (action, trap) = unsafe {
            let action = &*actions.add(index);
            (action, perform(action, results))
        };
        if action.report != 0 {
            // SAFETY: it is the address of a path that ends with a zero byte.
            unsafe { open_output(action.report as *const c_char) };
        }
        let count = if trap == 0 { action.results } else { 0 };
        let report = Report { action: index as u32, trap: trap as u16, results: count as u16 };
        write_all((&raw const report).cast(), Report::BYTES);
        write_all(results, count as usize * SLOT_BYTES);
        if trap == 0 && action.shape != 0 {
            // SAFETY: the shape is that of the type of the result, which the adapter has stored.
            unsafe { report_shaped(action.shape as *const u32, 0, results) };
        }
    }
    0
}

/// Reports go to that file from now on.
///
/// # Safety
/// A string that ends with a zero byte lies at `path`.
unsafe fn open_output(path: *const c_char) {
    // SAFETY: the caller has promised it.
    let path = unsafe { CStr::from_ptr(path) };
    match rustix::fs::open(path, OFlags::WRONLY | OFlags::APPEND, Mode::empty()) {
        Ok(file) => OUTPUT.with(|output| *output = file.into_raw_fd()),
        // Whoever asked for the report has removed the file.
        Err(_) => arch::exit(abort::EXIT_RUNTIME_FAILED),
    }
}

/// Reports what lies in memory. The compiler limits how deep shapes nest.
///
/// # Safety
/// `nodes` is the array of a shape, `node` the index of a node, and a value of that shape lies at
/// `at`.
unsafe fn report_shaped(nodes: *const u32, node: u32, at: *const u8) {
    // SAFETY: the operands follow their node, as the shape's description says.
    let operand = |index: usize| unsafe { *nodes.add(node as usize + index) };
    // SAFETY: a value of the node's shape lies at `at`, and so do its parts where the node says.
    unsafe {
        match operand(0) {
            shape::PLAIN => write_all(at, operand(1) as usize),
            shape::LIST => {
                let elements = at.cast::<*const u8>().read();
                let count = at.add(8).cast::<usize>().read();
                write_all(at.add(8), 8);
                report_elements(nodes, operand(2), elements, count, operand(1) as usize);
            }
            shape::ARRAY => {
                let (count, size) = (operand(1) as usize, operand(2) as usize);
                report_elements(nodes, operand(3), at, count, size);
            }
            shape::FIELDS => {
                for field in 0..operand(1) as usize {
                    let offset = operand(2 + 2 * field) as usize;
                    report_shaped(nodes, operand(3 + 2 * field), at.add(offset));
                }
            }
            _ => {
                let discriminant_bytes = operand(1) as usize;
                write_all(at, discriminant_bytes);
                let case = match discriminant_bytes {
                    1 => usize::from(*at),
                    2 => usize::from(at.cast::<u16>().read()),
                    _ => at.cast::<u32>().read() as usize,
                };
                let child = operand(4 + 2 * case);
                if child != shape::NOTHING {
                    report_shaped(nodes, child, at.add(operand(3 + 2 * case) as usize));
                }
            }
        }
    }
}

/// Reports values side by side: numbers and the bytes of strings all at once.
///
/// # Safety
/// As [`report_shaped`], for `count` values of `size` bytes each.
unsafe fn report_elements(nodes: *const u32, node: u32, at: *const u8, count: usize, size: usize) {
    // SAFETY: the caller has promised that the values lie there.
    unsafe {
        if *nodes.add(node as usize) == shape::PLAIN {
            return write_all(at, count * size);
        }
        for index in 0..count {
            report_shaped(nodes, node, at.add(index * size));
        }
    }
}

/// Leaves the action's results in the slots; its trap's code, or 0.
///
/// # Safety
/// The compiler wrote the record for this program, and `results` has room for `RESULTS_MAX` slots.
unsafe fn perform(action: &Action, results: *mut u8) -> u32 {
    if action.trampoline == 0 {
        // SAFETY: `target` is a live global's address, which has that many bytes: at most a slot.
        unsafe {
            let size = action.global_bytes as usize;
            ptr::copy_nonoverlapping(action.target as *const u8, results, size);
        }
        return 0;
    }
    let mut args = action.args as *const u8;
    if action.shape != 0 {
        // SAFETY: there are that many arguments, and the last stands for the result's address.
        args = unsafe { prepare_args(args, action.arg_count as usize, results) };
    }
    if action.report != 0 {
        let trampoline = action.trampoline as usize;
        // SAFETY: the compiler wrote the address of a trampoline, which has this type.
        let trampoline = unsafe { core::mem::transmute::<usize, Trampoline>(trampoline) };
        // SAFETY: as below; a trap does not come back.
        unsafe { trampoline(action.target, args, results) };
        return 0;
    }
    let point = RECOVERY_POINT.with(|point| &raw mut *point);
    RECOVERY.with(|recovery| *recovery = Some(recover));
    // SAFETY: the trampoline has the type of the code that `target` points to; the compiler
    // refuses functions of more results than there are slots.
    let trap =
        unsafe { wasmelt_script_try(point, action.trampoline, action.target, args, results) };
    RECOVERY.with(|recovery| *recovery = None);
    trap
}

/// The arguments with the address of the result's area as the last.
///
/// # Safety
/// There are `count` slots at `args`, at least 1 and at most `AREA_ARGS_MAX`.
unsafe fn prepare_args(args: *const u8, count: usize, area: *mut u8) -> *const u8 {
    ARGS.with(|slots| {
        let copied = slots.as_mut_ptr().cast::<u8>();
        // SAFETY: both hold that many slots, and a slot holds an address.
        unsafe {
            ptr::copy_nonoverlapping(args, copied, count * SLOT_BYTES);
            copied.add((count - 1) * SLOT_BYTES).cast::<*mut u8>().write(area);
        }
        copied.cast_const()
    })
}

/// Called by the trap handler, on whatever stack it has, while an action is running.
fn recover(trap: Trap) -> ! {
    let stack = RECOVERY_POINT.with(|point| *point);
    // SAFETY: `wasmelt_script_try` stored it and has not returned since.
    unsafe { wasmelt_script_resume(stack, trap as u32) }
}

/// Each report goes out at once, so that none is lost whatever happens next.
fn write_all(bytes: *const u8, len: usize) {
    if len == 0 {
        return; // An empty list's address may be anything.
    }
    // SAFETY: the callers pass memory of that length.
    let mut rest = unsafe { core::slice::from_raw_parts(bytes, len) };
    while !rest.is_empty() {
        // SAFETY: nothing here closes standard output, or the file that took its place.
        let output = unsafe { BorrowedFd::borrow_raw(OUTPUT.with(|output| *output)) };
        match rustix::io::retry_on_intr(|| rustix::io::write(output, rest)) {
            Ok(written @ 1..) => rest = rest.get(written..).unwrap_or_default(),
            // Nobody reads the reports any more.
            _ => arch::exit(abort::EXIT_RUNTIME_FAILED),
        }
    }
}

// Each machine's file in `arch` defines these.
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
