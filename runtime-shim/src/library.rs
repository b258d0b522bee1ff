//! A program inside someone else's process: what an executable's `start` is for the kernel, this is
//! for whoever calls a library's functions.
//!
//! Nobody has mapped the memories, so the first call does, as the image's steps say; the guest runs
//! on its caller's stack; the process's signal handlers stay in charge of what is not the guest's;
//! and what happens after a trap is the caller's affair. `docs/native-abi.md` is for that caller.

use crate::single::Single;
use crate::{abort, block, line, pages, scratch, start, traps};
use core::ffi::{c_char, c_void};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect};
use wasmelt_abi::image::Image;
use wasmelt_abi::library::{Step, StepKind};
use wasmelt_abi::trap::Trap;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing has been called.
    New,
    /// A call may begin.
    Ready,
    /// A call has begun, and has not ended: it runs, or it has trapped.
    Called,
}

static STATE: Single<State> = Single::new(State::New);

/// What every exported function begins with.
#[unsafe(no_mangle)]
pub extern "C" fn wasmelt_library_enter() {
    let before = STATE.with(|state| core::mem::replace(state, State::Called));
    if before != State::Ready {
        enter_first(before);
    }
}

/// What every exported function ends with.
#[unsafe(no_mangle)]
pub extern "C" fn wasmelt_library_leave() {
    STATE.with(|state| *state = State::Ready);
}

#[cold]
fn enter_first(before: State) {
    match before {
        State::New if prepare(start::image()) => run_start_functions(),
        State::New => abort::stop(
            "wasmelt: the addresses of this library are taken: build it with another `--slot`\n",
        ),
        _ => traps::raise(Trap::CannotEnter),
    }
}

/// `wasmelt_init`: prepares the library, unless that is done; 0, or 1 if its addresses are taken.
#[unsafe(no_mangle)]
pub extern "C" fn wasmelt_init() -> i32 {
    if STATE.with(|state| *state) != State::New {
        return 0;
    }
    if !prepare(start::image()) {
        return 1;
    }
    STATE.with(|state| *state = State::Called);
    run_start_functions();
    STATE.with(|state| *state = State::Ready);
    0
}

/// `wasmelt_alloc`: memory for the result of a native import.
#[unsafe(no_mangle)]
pub extern "C" fn wasmelt_alloc(size_bytes: usize) -> *mut c_void {
    const ALIGN: usize = 16;
    scratch::wasmelt_scratch_alloc(size_bytes, ALIGN).cast()
}

/// `wasmelt_release`: gives back what the last call's result points at.
#[unsafe(no_mangle)]
pub extern "C" fn wasmelt_release() {
    scratch::wasmelt_scratch_reset();
}

/// `wasmelt_on_trap`: what to call with the message before a trap ends the process.
#[unsafe(no_mangle)]
pub extern "C" fn wasmelt_on_trap(hook: Option<extern "C" fn(*const c_char)>) {
    line::HOOK.with(|current| *current = hook);
}

fn run_start_functions() {
    // SAFETY: the compiler defines it with this signature, and everything it needs is in place.
    unsafe { start::wasmelt_main() };
}

/// Makes the memories and watches for traps; `false`, and nothing has changed, if there is no room.
fn prepare(image: &Image) -> bool {
    if !take_steps(steps(image)) {
        return false;
    }
    start::map_large_memories(image);
    make_initial_stack();
    traps::install_library_handlers();
    true
}

/// The image's steps.
fn steps(image: &Image) -> &[Step] {
    // SAFETY: the compiler puts that many records there, at least one.
    unsafe { core::slice::from_raw_parts(image.steps as *const Step, image.step_count as usize) }
}

fn take_steps(steps: &[Step]) -> bool {
    for (index, step) in steps.iter().enumerate() {
        let (address, size_bytes) = (step.address as *mut c_void, step.size_bytes as usize);
        // SAFETY: what is reserved is the library's own from then on, and the other steps stay
        // inside; the contents are constants of the library.
        let is_done = unsafe {
            match step.kind {
                kind if kind == StepKind::Reserve as u64 => reserve(address, size_bytes),
                kind if kind == StepKind::Map as u64 => {
                    pages::map_fixed(step.address, step.size_bytes, true)
                }
                kind if kind == StepKind::Copy as u64 => {
                    block::memcpy(address.cast(), step.source as *const u8, size_bytes);
                    true
                }
                _ => mprotect(address, size_bytes, MprotectFlags::READ).is_ok(),
            }
        };
        if !is_done {
            give_back(&steps[..index]);
            return false;
        }
    }
    true
}

/// Takes address space if it is free.
///
/// # Safety
///
/// None beyond that of the system call: what is mapped there stays.
unsafe fn reserve(address: *mut c_void, size_bytes: usize) -> bool {
    let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED_NOREPLACE;
    // SAFETY: nothing is replaced.
    match unsafe { mmap_anonymous(address, size_bytes, ProtFlags::empty(), flags) } {
        Ok(found) if found == address => true,
        Ok(elsewhere) => {
            // A kernel that does not know the flag takes the address as a wish.
            // SAFETY: the mapping is new.
            unsafe { pages::unmap(elsewhere.cast(), size_bytes) };
            false
        }
        Err(_) => false,
    }
}

/// Gives back the reservations among these steps.
#[cold]
fn give_back(steps: &[Step]) {
    for step in steps.iter().filter(|step| step.kind == StepKind::Reserve as u64) {
        // SAFETY: nothing has been done with it yet.
        unsafe { pages::unmap(step.address as *mut u8, step.size_bytes as usize) };
    }
}

unsafe extern "C" {
    /// The program's entry, an exported function.
    fn wasmelt_run() -> u32;
}

/// `main` of an object that holds a command: whoever links it with a C library calls this.
#[unsafe(no_mangle)]
pub extern "C" fn wasmelt_library_main(_count: i32, arguments: *const *const c_char) -> i32 {
    // The arguments are still where the kernel put them, their number before them.
    start::set_initial_stack(arguments.wrapping_sub(1) as usize);
    // SAFETY: the compiler defines it with this signature.
    unsafe { wasmelt_run() as i32 }
}

/// Continues `wasmelt_library_start`: the entry of such an object that is linked with nothing else.
pub(crate) extern "C" fn begin(initial_stack: usize) -> ! {
    start::set_initial_stack(initial_stack);
    // SAFETY: the compiler defines it with this signature.
    let code = unsafe { wasmelt_run() };
    crate::arch::exit(code as i32)
}

/// What stands for the initial stack if the process was not started by this library: no arguments, no
/// environment, and what the kernel says about the process.
static NO_STACK: Single<[usize; 3 + KERNEL_WORDS]> = Single::new([0; 3 + KERNEL_WORDS]);
/// The kernel says less, and the last two words stay 0.
const KERNEL_WORDS: usize = 96;

fn make_initial_stack() {
    if start::has_initial_stack() {
        return;
    }
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC;
    let file = rustix::fs::open(c"/proc/self/auxv", flags, rustix::fs::Mode::empty());
    NO_STACK.with(|words| {
        if let Ok(file) = file {
            let bytes = (KERNEL_WORDS - 2) * size_of::<usize>();
            let start = words.as_mut_ptr().wrapping_add(3).cast::<u8>();
            // SAFETY: the words are that long, and every number is a word.
            let room = unsafe { core::slice::from_raw_parts_mut(start, bytes) };
            // Without an answer the guest gets what a process without a kernel's page gets.
            let _ = rustix::io::read(&file, room);
        }
        start::set_initial_stack(words.as_ptr() as usize);
    });
}
