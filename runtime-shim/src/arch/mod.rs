//! What differs between instruction sets: the entry point, the signal frame, three system calls
//! that have no home in `rustix`, the page size.
//!
//! Each file supplies the same names, which are documented in `x86_64.rs`.

#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
pub use x86_64::*;
