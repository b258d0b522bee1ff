//! Copies in registers of 32 bytes, where the processor has them.
//!
//! Guests are compiled for a processor that is chosen when they are built, and so is this crate:
//! for the least of its kind. Copying is the exception, because it takes twice as long without
//! these registers. Asking the processor takes as long as hundreds of copies where a hypervisor
//! answers, so it is asked once, and only after so many copies that more can be expected.

use crate::arch;
use core::arch::asm;
use core::arch::x86_64::{__m256i, _mm256_loadu_si256, _mm256_storeu_si256};
use core::sync::atomic::{AtomicU8, Ordering};

/// From here on it is worth asking.
pub const BYTES_MIN: usize = 2 * ROUND_BYTES;
/// Ranges that do not overlap copy faster by the string instruction from here on.
pub const BYTES_MAX: usize = 0x4000;

const ROUND_BYTES: usize = size_of::<Round>();

/// How many copies there are before the processor is asked.
const COPIES_BEFORE_ASKING: u8 = 200;
const NO: u8 = 254;
const YES: u8 = 255;

/// The number of copies until the processor was asked, then its answer.
static ANSWER: AtomicU8 = AtomicU8::new(0);

/// Whether it is known that the processor has the registers, and that the kernel saves them.
#[inline(always)]
pub fn is_there() -> bool {
    match ANSWER.load(Ordering::Relaxed) {
        YES => true,
        NO => false,
        copies => count(copies),
    }
}

#[cold]
#[inline(never)]
fn count(copies: u8) -> bool {
    if copies < COPIES_BEFORE_ASKING {
        ANSWER.store(copies + 1, Ordering::Relaxed);
        return false;
    }
    let is_there = arch::has_wide_registers();
    ANSWER.store(if is_there { YES } else { NO }, Ordering::Relaxed);
    is_there
}

/// What a round of a loop moves.
#[derive(Clone, Copy)]
struct Round(__m256i, __m256i, __m256i, __m256i);

impl Round {
    #[target_feature(enable = "avx")]
    #[inline]
    unsafe fn read(src: *const u8) -> Round {
        let src = src.cast::<__m256i>();
        // SAFETY: the caller has a round's bytes there.
        unsafe {
            Round(
                _mm256_loadu_si256(src),
                _mm256_loadu_si256(src.add(1)),
                _mm256_loadu_si256(src.add(2)),
                _mm256_loadu_si256(src.add(3)),
            )
        }
    }

    #[target_feature(enable = "avx")]
    #[inline]
    unsafe fn write(self, dst: *mut u8) {
        let dst = dst.cast::<__m256i>();
        // SAFETY: the caller has room for a round there.
        unsafe {
            _mm256_storeu_si256(dst, self.0);
            _mm256_storeu_si256(dst.add(1), self.1);
            _mm256_storeu_si256(dst.add(2), self.2);
            _mm256_storeu_si256(dst.add(3), self.3);
        }
    }
}

/// Copies at least `BYTES_MIN` bytes to where none of the source's lies behind the first.
///
/// # Safety
///
/// As `memmove`, and the registers are there.
#[target_feature(enable = "avx")]
#[inline(never)]
pub unsafe fn copy_forwards(dst: *mut u8, src: *const u8, len: usize) {
    let last = len - ROUND_BYTES;
    let mut at = 0;
    // SAFETY: more than a round long. The stores of a round hit only what has been read, and the
    // last round is read before anything is written.
    unsafe {
        let tail = Round::read(src.add(last));
        while at < last {
            asm!("", options(nostack, preserves_flags));
            Round::read(src.add(at)).write(dst.add(at));
            at += ROUND_BYTES;
        }
        tail.write(dst.add(last));
    }
}

/// Copies at least `BYTES_MIN` bytes to where some of the source's lie behind the first.
///
/// # Safety
///
/// As `memmove`, and the registers are there.
#[target_feature(enable = "avx")]
#[inline(never)]
pub unsafe fn copy_backwards(dst: *mut u8, src: *const u8, len: usize) {
    let mut at = len;
    // SAFETY: as forwards, from the other end.
    unsafe {
        let head = Round::read(src);
        while at > ROUND_BYTES {
            asm!("", options(nostack, preserves_flags));
            at -= ROUND_BYTES;
            Round::read(src.add(at)).write(dst.add(at));
        }
        head.write(dst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_asked_after_some_copies() {
        let answers: Vec<bool> = (0..=COPIES_BEFORE_ASKING).map(|_| is_there()).collect();
        assert_eq!(answers.last(), Some(&std::is_x86_feature_detected!("avx")));
    }
}
