//! From the kernel to the program and back.
//!
//! Before: the kernel has mapped the executable's segments; `_start` (in `arch`) has switched to
//! the guest's stack. After: `wasmelt_main` has run and its result is the exit code. Everything
//! that only some programs need (arguments, environment, clocks, granted folders) is looked up
//! when it is first used.

use crate::single::Single;
use crate::{abort, arch, pages, traps};
use core::ffi::CStr;
use wasmelt_abi::image::Image;
use wasmelt_abi::state::MemoryState;

unsafe extern "C" {
    /// What the compiler says about the program.
    #[link_name = "wasmelt_image"]
    static IMAGE: Image;
    /// The program.
    pub(crate) fn wasmelt_main() -> u32;
}

/// What the compiler says about the program.
pub fn image() -> &'static Image {
    // SAFETY: the compiler defines the symbol as a constant record of this type.
    unsafe { &IMAGE }
}

/// What the kernel left on the initial stack: the number of arguments, the arguments, a null, the
/// environment, a null, the auxiliary vector.
static INITIAL_STACK: Single<usize> = Single::new(0);

/// Says where the arguments are.
pub(crate) fn set_initial_stack(initial_stack: usize) {
    INITIAL_STACK.with(|at| *at = initial_stack);
}

/// Whether somebody has said where the arguments are.
pub(crate) fn has_initial_stack() -> bool {
    INITIAL_STACK.with(|at| *at != 0)
}

/// Continues `_start`.
pub(crate) extern "C" fn begin(initial_stack: usize) -> ! {
    set_initial_stack(initial_stack);
    traps::install_handlers();
    map_large_memories(image());
    // SAFETY: the compiler defines it with this signature, and everything it needs is in place.
    let code = unsafe { wasmelt_main() };
    arch::exit(code as i32)
}

/// Maps what the executable's segments leave out of large memories.
pub(crate) fn map_large_memories(image: &Image) {
    for memory in memories(image) {
        let mapped = memory.mapped_bytes;
        if mapped < memory.size_bytes
            // SAFETY: a memory's window belongs to it alone, and nothing is mapped there yet.
            && !unsafe { pages::map_fixed(memory.base + mapped, memory.size_bytes - mapped, true) }
        {
            abort::out_of_memory();
        }
    }
}

/// The program's memories.
pub fn memories(image: &Image) -> &[MemoryState] {
    let count = image.memory_count as usize;
    if count == 0 {
        return &[];
    }
    // SAFETY: the compiler puts that many records there, for as long as the process lives. Only
    // shim functions write them, and none does while such a slice is in use.
    unsafe { core::slice::from_raw_parts(image.memories as *const MemoryState, count) }
}

/// The command line's arguments, the program's own name first.
pub fn arguments() -> impl Iterator<Item = &'static CStr> + Clone {
    let at = INITIAL_STACK.with(|at| *at) as *const *const core::ffi::c_char;
    strings_until_null(at.wrapping_add(1))
}

/// The caller's environment, `NAME=VALUE` each.
pub fn environment() -> impl Iterator<Item = &'static CStr> + Clone {
    strings_until_null(environment_pointer().cast())
}

/// Address of the pointer to the first environment variable.
pub fn environment_pointer() -> *mut *mut u8 {
    let at = INITIAL_STACK.with(|at| *at) as *mut *mut u8;
    // SAFETY: the number of arguments lies there.
    let count = unsafe { at.cast::<usize>().read() };
    at.wrapping_add(count + 2)
}

/// Whether the program has authority that its caller lacks, because it is set-user-id or the like.
pub fn is_privileged() -> bool {
    auxiliary(AT_SECURE) != 0
}

/// Which features the processor has, in bits that each architecture numbers its own way.
pub const AT_HWCAP: usize = 16;
const AT_SECURE: usize = 23;

/// What the kernel says about the process under that key; 0 if it says nothing.
pub fn auxiliary(key: usize) -> u64 {
    const AT_NULL: usize = 0;
    let mut at = environment_pointer().cast_const().cast::<usize>();
    // SAFETY: the kernel ends the environment with a null, puts pairs of numbers behind it and ends
    // those with `AT_NULL`; the pointer stays within.
    unsafe {
        while at.read() != 0 {
            at = at.add(1);
        }
        at = at.add(1);
        loop {
            match at.read() {
                AT_NULL => return 0,
                found if found == key => return at.add(1).read() as u64,
                _ => at = at.add(2),
            }
        }
    }
}

fn strings_until_null(
    mut at: *const *const core::ffi::c_char,
) -> impl Iterator<Item = &'static CStr> + Clone {
    core::iter::from_fn(move || {
        // SAFETY: `at` stays within the kernel's null-terminated array, because the iterator does
        // not step over the null; each element is a C string that nothing changes.
        unsafe {
            let string = at.read();
            if string.is_null() {
                return None;
            }
            at = at.add(1);
            Some(CStr::from_ptr(string))
        }
    })
}
