//! Anonymous mappings.

use crate::abort;
use core::ffi::c_void;
use core::ptr::null_mut;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

/// Maps zeroed, writable memory at an address of the kernel's choice. The kernel never chooses one
/// in a memory's window: those lie below where it begins to look.
pub fn try_map(size_bytes: usize) -> Option<*mut u8> {
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a new mapping at a free address affects nobody.
    let mapped = unsafe { mmap_anonymous(null_mut(), size_bytes, protection, MapFlags::PRIVATE) };
    mapped.ok().map(|address| address.cast())
}

/// As `try_map`; ends the program if there is no memory.
pub fn map(size_bytes: usize) -> *mut u8 {
    match try_map(size_bytes) {
        Some(address) => address,
        None => abort::out_of_memory(),
    }
}

/// Gives back what `map` returned.
///
/// # Safety
///
/// Nothing may use the memory any more.
pub unsafe fn unmap(address: *mut u8, size_bytes: usize) {
    // SAFETY: the caller's.
    if unsafe { munmap(address.cast(), size_bytes) }.is_err() {
        abort::broken_invariant();
    }
}

/// Maps zeroed, writable memory at `address`; `false` if the system gives none. `lazily` does not
/// count it as used before it is touched.
///
/// # Safety
///
/// The range must belong to the caller, and what it holds is lost.
pub unsafe fn map_fixed(address: u64, size_bytes: u64, lazily: bool) -> bool {
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    let mut flags = MapFlags::PRIVATE | MapFlags::FIXED;
    if lazily {
        flags |= MapFlags::NORESERVE;
    }
    let address = address as *mut c_void;
    // SAFETY: the caller's.
    unsafe { mmap_anonymous(address, size_bytes as usize, protection, flags) }.is_ok()
}
