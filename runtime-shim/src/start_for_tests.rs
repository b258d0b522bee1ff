//! What the tests of this crate have instead of a program.

use core::cell::Cell;
use core::ffi::CStr;
use wasmelt_abi::image::Image;
use wasmelt_abi::state::MemoryState;

/// An empty program without grants.
pub fn image() -> &'static Image {
    // SAFETY: a record of numbers, of which all may be 0.
    static IMAGE: Image = unsafe { core::mem::zeroed() };
    &IMAGE
}

/// No memories.
pub fn memories(_: &Image) -> &[MemoryState] {
    &[]
}

/// Some arguments.
pub fn arguments() -> impl Iterator<Item = &'static CStr> + Clone {
    [c"program", c"first", c"caf\xc3\xa9", c"bad\xff!"].into_iter()
}

/// Some environment.
pub fn environment() -> impl Iterator<Item = &'static CStr> + Clone {
    [c"HOME=/root", c"EMPTY=", c"odd", c"TERM=dumb=er"].into_iter().chain(MORE.get())
}

thread_local! {
    /// A variable that only this test's environment has.
    static MORE: Cell<Option<&'static CStr>> = const { Cell::new(None) };
}

/// Adds a variable to this test's environment, in the place of the one that was added before.
pub fn set_variable(variable: &'static CStr) {
    MORE.set(Some(variable));
}

/// They have no more authority than who started them.
pub fn is_privileged() -> bool {
    false
}

/// The key of the processor's features.
pub const AT_HWCAP: usize = 16;

/// The kernel says nothing.
pub fn auxiliary(_key: usize) -> u64 {
    0
}
