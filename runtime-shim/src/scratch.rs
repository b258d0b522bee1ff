//! Memory that lasts for one host call.
//!
//! Host functions return lists and strings in it, and adapters convert lists into it. It is given
//! back as a whole when the next host call that needs some begins. A bump pointer in a block; a
//! block that is full is kept in a chain until the reset, which keeps only the largest.

use crate::single::Single;
use crate::{pages, traps};
use core::mem::MaybeUninit;
use core::ptr::null_mut;
use wasmelt_abi::trap::Trap;

/// Size of the first block.
const BLOCK_BYTES_MIN: usize = 0x1_0000;
/// A block above this size does not outlive its call.
const BLOCK_BYTES_KEPT_MAX: usize = 0x40_0000;
/// No list or string is longer, so a larger request is the guest's mistake.
const REQUEST_BYTES_MAX: usize = 1 << 32;

/// The beginning of each block.
struct Header {
    previous: *mut Header,
    size_bytes: usize,
}

struct Scratch {
    block: *mut Header,
    /// The first free byte.
    at: usize,
    /// The end of the block.
    end: usize,
}

static SCRATCH: Single<Scratch> = Single::new(Scratch { block: null_mut(), at: 0, end: 0 });

/// Gives back everything.
#[unsafe(no_mangle)]
pub extern "C" fn wasmelt_scratch_reset() {
    SCRATCH.with(Scratch::reset);
}

/// Memory that stays valid until the next reset. `align` is a power of two up to 4096.
#[unsafe(no_mangle)]
pub extern "C" fn wasmelt_scratch_alloc(size_bytes: usize, align: usize) -> *mut u8 {
    SCRATCH.with(|scratch| scratch.alloc(size_bytes, align))
}

/// Room for `count` values, valid until the next reset. The caller must not hold it beyond.
pub fn slice<T>(count: usize) -> &'static mut [MaybeUninit<T>] {
    let Some(size_bytes) = count.checked_mul(size_of::<T>()) else { traps::raise(Trap::TooLong) };
    let address = wasmelt_scratch_alloc(size_bytes, align_of::<T>());
    // SAFETY: the memory is aligned, large enough, and nobody else's until the reset.
    unsafe { core::slice::from_raw_parts_mut(address.cast(), count) }
}

/// Gives back what `work` takes, as soon as it is done: for functions that return no pointers, whose
/// callers therefore reset nothing.
pub fn temporary<R>(work: impl FnOnce() -> R) -> R {
    let before = SCRATCH.with(|scratch| (scratch.block, scratch.at));
    let result = work();
    SCRATCH.with(|scratch| {
        if scratch.block == before.0 {
            scratch.at = before.1;
        } else {
            // All of the newest block was taken by `work`; the old ones hold what came before.
            scratch.at = scratch.block as usize + size_of::<Header>();
        }
    });
    result
}

impl Scratch {
    #[inline]
    fn alloc(&mut self, size_bytes: usize, align: usize) -> *mut u8 {
        let start = self.at.next_multiple_of(align);
        if self.end.saturating_sub(start) < size_bytes || self.block.is_null() {
            return self.alloc_in_new_block(size_bytes, align);
        }
        self.at = start + size_bytes;
        start as *mut u8
    }

    #[cold]
    fn alloc_in_new_block(&mut self, size_bytes: usize, align: usize) -> *mut u8 {
        if size_bytes > REQUEST_BYTES_MAX {
            traps::raise(Trap::TooLong);
        }
        let wanted = size_bytes + align + size_of::<Header>();
        let block_bytes = wanted.next_power_of_two().max(BLOCK_BYTES_MIN);
        let block = pages::map(block_bytes).cast::<Header>();
        // SAFETY: the block is new and larger than a header.
        unsafe { block.write(Header { previous: self.block, size_bytes: block_bytes }) };
        self.block = block;
        self.at = block as usize + size_of::<Header>();
        self.end = block as usize + block_bytes;
        let start = self.at.next_multiple_of(align);
        self.at = start + size_bytes;
        start as *mut u8
    }

    #[inline]
    fn reset(&mut self) {
        if self.block.is_null() {
            return;
        }
        // SAFETY: blocks in the chain are mapped and begin with a header.
        let Header { previous, size_bytes } = unsafe { self.block.read() };
        if !previous.is_null() || size_bytes > BLOCK_BYTES_KEPT_MAX {
            self.release_blocks();
        }
        if !self.block.is_null() {
            self.at = self.block as usize + size_of::<Header>();
        }
    }

    /// Keeps the largest block that may be kept and unmaps the others.
    #[cold]
    fn release_blocks(&mut self) {
        let mut kept: (*mut Header, usize) = (null_mut(), 0);
        let mut block = self.block;
        while !block.is_null() {
            // SAFETY: as in `reset`; nothing uses the memory of a call that is over.
            unsafe {
                let Header { previous, size_bytes } = block.read();
                let release = if size_bytes <= BLOCK_BYTES_KEPT_MAX && size_bytes > kept.1 {
                    core::mem::replace(&mut kept, (block, size_bytes))
                } else {
                    (block, size_bytes)
                };
                if !release.0.is_null() {
                    pages::unmap(release.0.cast(), release.1);
                }
                block = previous;
            }
        }
        self.block = kept.0;
        self.end = kept.0 as usize + kept.1;
        if !self.block.is_null() {
            // SAFETY: the kept block is mapped.
            unsafe { self.block.write(Header { previous: null_mut(), size_bytes: kept.1 }) };
        } else {
            self.at = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_and_keeps_the_largest_block() {
        let mut scratch = Scratch { block: null_mut(), at: 0, end: 0 };
        scratch.reset();
        let first = scratch.alloc(100, 1);
        let second = scratch.alloc(8, 8) as usize;
        assert!(second >= first as usize + 100 && second.is_multiple_of(8));
        let large = scratch.alloc(1 << 20, 16);
        let huge = scratch.alloc(1 << 26, 4096);
        for (address, len) in [(first, 100), (large, 1 << 20), (huge, 1 << 26)] {
            // SAFETY: allocated above with that size.
            unsafe { address.write_bytes(1, len) };
        }
        scratch.reset();
        // SAFETY: the block that was kept is mapped.
        let Header { previous, size_bytes } = unsafe { scratch.block.read() };
        assert!(previous.is_null());
        assert_eq!(size_bytes, 1 << 21);
        assert_eq!(scratch.alloc(1 << 20, 1) as usize, scratch.block as usize + 16);
    }

    #[test]
    fn forgets_a_huge_block_that_is_alone() {
        let mut scratch = Scratch { block: null_mut(), at: 0, end: 0 };
        scratch.alloc(1 << 26, 1);
        scratch.reset();
        assert!(scratch.block.is_null());
        assert!(!scratch.alloc(1, 1).is_null());
    }
}
