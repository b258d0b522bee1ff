//! What the tests of this crate have instead of a program.

use core::ffi::CStr;
use wasmelt_abi::image::Image;
use wasmelt_abi::state::MemoryState;

/// No program.
pub fn image() -> &'static Image {
    unimplemented!("the tests have no program")
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
    [c"HOME=/root", c"EMPTY=", c"odd", c"TERM=dumb=er"].into_iter()
}

/// They have no more authority than who started them.
pub fn is_privileged() -> bool {
    false
}
