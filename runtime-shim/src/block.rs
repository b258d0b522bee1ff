//! `memcpy` and its kin: compiled code calls them, the guest's bulk instructions as well as what
//! the Rust compiler makes of this crate.
//!
//! Up to 128 bytes: a fixed number of loads, then as many stores, overlapping in the middle, so
//! there is no loop and source and destination may overlap. Above: 64 bytes per round, or 128 where
//! the processor has wide registers, and from `STRING_BYTES_MIN` or `FILL_BYTES_MIN` on the
//! processor's string instruction where it is fast. `memcpy` is `memmove`, because the difference
//! is one comparison.
//!
//! Loops are written so that the compiler does not recognise them as what they implement.

#[cfg(target_arch = "x86_64")]
mod wide;

use core::arch::asm;
use core::ptr::{read_unaligned, write_unaligned};

/// What one load moves, or two where there are no vectors.
#[cfg(target_arch = "x86_64")]
type Vector = core::arch::x86_64::__m128i;
#[cfg(not(target_arch = "x86_64"))]
type Vector = u128;
const ROUND_BYTES: usize = size_of::<Round>();
/// From here on a string instruction is at least as fast as the loop, where there is one.
const STRING_BYTES_MIN: usize = if cfg!(target_arch = "x86_64") { 2048 } else { usize::MAX };
/// The same for filling.
const FILL_BYTES_MIN: usize = if cfg!(target_arch = "x86_64") { 1024 } else { usize::MAX };

/// Copies `len` bytes; the ranges may overlap.
///
/// # Safety
///
/// As the C function.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn memcpy(dst: *mut u8, src: *const u8, len: usize) -> *mut u8 {
    // SAFETY: the caller's.
    unsafe {
        copy(dst, src, len);
    }
    dst
}

/// Copies `len` bytes; the ranges may overlap.
///
/// # Safety
///
/// As the C function.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn memmove(dst: *mut u8, src: *const u8, len: usize) -> *mut u8 {
    // SAFETY: the caller's.
    unsafe {
        copy(dst, src, len);
    }
    dst
}

#[inline(always)]
unsafe fn copy(dst: *mut u8, src: *const u8, len: usize) {
    // SAFETY: each arm touches `len` bytes of either range at most; all its loads come before its
    // stores.
    unsafe {
        match len {
            0 => {}
            1 => dst.write(src.read()),
            2..4 => copy_ends::<u16>(dst, src, len),
            4..8 => copy_ends::<u32>(dst, src, len),
            8..16 => copy_ends::<u64>(dst, src, len),
            16..=32 => copy_ends::<Vector>(dst, src, len),
            33..=64 => copy_ends::<[Vector; 2]>(dst, src, len),
            65..=128 => copy_ends::<[Vector; 4]>(dst, src, len),
            _ => copy_long(dst, src, len),
        }
    }
}

/// Copies a length from one to two `T`s: the first and the last, which may overlap.
#[inline(always)]
unsafe fn copy_ends<T: Copy>(dst: *mut u8, src: *const u8, len: usize) {
    let last = len - size_of::<T>();
    // SAFETY: the length is at least one `T`.
    unsafe {
        let head = read_unaligned(src.cast::<T>());
        let tail = read_unaligned(src.add(last).cast::<T>());
        write_unaligned(dst.cast::<T>(), head);
        write_unaligned(dst.add(last).cast::<T>(), tail);
    }
}

#[inline(never)]
unsafe fn copy_long(dst: *mut u8, src: *const u8, len: usize) {
    let last = len - ROUND_BYTES;
    // SAFETY: more than two rounds long. Forwards, when no byte of the source lies behind the
    // destination's start: a round's stores then hit only what has been read, and the last round
    // is read before anything is written. Backwards likewise.
    unsafe {
        if (dst as usize).wrapping_sub(src as usize) >= len {
            // The string instruction falls back to single bytes where the ranges overlap.
            let is_apart = (src as usize).wrapping_sub(dst as usize) >= len;
            #[cfg(target_arch = "x86_64")]
            if len >= wide::BYTES_MIN && !(is_apart && len >= wide::BYTES_MAX) && wide::is_there() {
                return wide::copy_forwards(dst, src, len);
            }
            if is_apart && len >= STRING_BYTES_MIN {
                return copy_string(dst, src, len);
            }
            let tail = Round::read(src.add(last));
            let mut at = 0;
            while at < last {
                asm!("", options(nostack, preserves_flags));
                Round::read(src.add(at)).write(dst.add(at));
                at += ROUND_BYTES;
            }
            tail.write(dst.add(last));
        } else {
            #[cfg(target_arch = "x86_64")]
            if len >= wide::BYTES_MIN && wide::is_there() {
                return wide::copy_backwards(dst, src, len);
            }
            let head = Round::read(src);
            let mut at = len;
            while at > ROUND_BYTES {
                asm!("", options(nostack, preserves_flags));
                at -= ROUND_BYTES;
                Round::read(src.add(at)).write(dst.add(at));
            }
            head.write(dst);
        }
    }
}

/// What a round of a loop moves, in variables of its own, because the compiler keeps an array that
/// lives across the loop on the stack.
#[derive(Clone, Copy)]
struct Round(Vector, Vector, Vector, Vector);

impl Round {
    #[inline(always)]
    unsafe fn read(src: *const u8) -> Round {
        let src = src.cast::<Vector>();
        // SAFETY: the caller has a round's bytes there.
        unsafe {
            Round(
                read_unaligned(src),
                read_unaligned(src.add(1)),
                read_unaligned(src.add(2)),
                read_unaligned(src.add(3)),
            )
        }
    }

    #[inline(always)]
    unsafe fn write(self, dst: *mut u8) {
        let dst = dst.cast::<Vector>();
        // SAFETY: the caller has room for a round there.
        unsafe {
            write_unaligned(dst, self.0);
            write_unaligned(dst.add(1), self.1);
            write_unaligned(dst.add(2), self.2);
            write_unaligned(dst.add(3), self.3);
        }
    }
}

/// Copies `len` bytes forwards by the string instruction: for rare copies, which then do not link
/// the fast ones.
///
/// # Safety
///
/// As `memmove`; a destination that overlaps the source begins before it.
#[cfg(target_arch = "x86_64")]
pub unsafe fn copy_string(dst: *mut u8, src: *const u8, len: usize) {
    // SAFETY: the caller's; the direction flag is clear at every call.
    unsafe {
        asm!(
            "rep movsb",
            inout("rcx") len => _, inout("rdi") dst => _, inout("rsi") src => _,
            options(nostack, preserves_flags),
        );
    }
}

/// Copies `len` bytes forwards, a word at a time: for rare copies, which then do not link the fast
/// ones.
///
/// # Safety
///
/// As `memmove`; a destination that overlaps the source begins before it.
#[cfg(not(target_arch = "x86_64"))]
pub unsafe fn copy_string(dst: *mut u8, src: *const u8, len: usize) {
    let mut at = 0;
    // SAFETY: every access lies within `len`.
    unsafe {
        while len - at >= 8 {
            asm!("");
            let word = read_unaligned(src.add(at).cast::<u64>());
            write_unaligned(dst.add(at).cast::<u64>(), word);
            at += 8;
        }
        while at < len {
            asm!("");
            dst.add(at).write(src.add(at).read());
            at += 1;
        }
    }
}

/// Sets `len` bytes.
///
/// # Safety
///
/// As the C function.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn memset(dst: *mut u8, byte: i32, len: usize) -> *mut u8 {
    let word = u64::from(byte as u8).wrapping_mul(0x0101_0101_0101_0101);
    // SAFETY: each arm touches `len` bytes at most.
    unsafe {
        match len {
            0 => {}
            1 => dst.write(word as u8),
            2..4 => set_ends(dst, len, word as u16),
            4..8 => set_ends(dst, len, word as u32),
            8..16 => set_ends(dst, len, word),
            16..=32 => set_ends(dst, len, [word; 2]),
            33..=64 => set_ends(dst, len, [[word; 2]; 2]),
            65..=128 => set_ends(dst, len, [[word; 2]; 4]),
            FILL_BYTES_MIN.. => set_string(dst, word as u8, len),
            _ => set_long(dst, word, len),
        }
    }
    dst
}

#[inline(always)]
unsafe fn set_ends<T: Copy>(dst: *mut u8, len: usize, value: T) {
    // SAFETY: the length is from one to two `T`s.
    unsafe {
        write_unaligned(dst.cast::<T>(), value);
        write_unaligned(dst.add(len - size_of::<T>()).cast::<T>(), value);
    }
}

/// Sets more than two rounds.
#[inline(never)]
unsafe fn set_long(dst: *mut u8, word: u64, len: usize) {
    let bytes = [word; ROUND_BYTES / size_of::<u64>()];
    let last = len - ROUND_BYTES;
    let mut at = 0;
    // SAFETY: the caller's; no round ends behind `len`.
    unsafe {
        let round = Round::read(bytes.as_ptr().cast());
        while at < last {
            asm!("", options(nostack, preserves_flags));
            round.write(dst.add(at));
            at += ROUND_BYTES;
        }
        round.write(dst.add(last));
    }
}

#[cfg(target_arch = "x86_64")]
unsafe fn set_string(dst: *mut u8, byte: u8, len: usize) {
    // SAFETY: the caller's; the direction flag is clear at every call.
    unsafe {
        asm!(
            "rep stosb",
            inout("rcx") len => _, inout("rdi") dst => _, in("al") byte,
            options(nostack, preserves_flags),
        );
    }
}

#[cfg(not(target_arch = "x86_64"))]
unsafe fn set_string(dst: *mut u8, byte: u8, len: usize) {
    // SAFETY: the caller's.
    unsafe { set_long(dst, u64::from(byte).wrapping_mul(0x0101_0101_0101_0101), len) }
}

/// Compares `len` bytes.
///
/// # Safety
///
/// As the C function.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, len: usize) -> i32 {
    let mut at = 0;
    // SAFETY: every read lies within `len`.
    unsafe {
        while len - at >= 8 {
            asm!("");
            let x = read_unaligned(a.add(at).cast::<u64>());
            let y = read_unaligned(b.add(at).cast::<u64>());
            if x != y {
                let (x, y) =
                    (u64::from_be_bytes(x.to_ne_bytes()), u64::from_be_bytes(y.to_ne_bytes()));
                return if x < y { -1 } else { 1 };
            }
            at += 8;
        }
        while at < len {
            asm!("");
            let (x, y) = (a.add(at).read(), b.add(at).read());
            if x != y {
                return i32::from(x) - i32::from(y);
            }
            at += 1;
        }
    }
    0
}

/// Whether `len` bytes differ.
///
/// # Safety
///
/// As the C function.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, len: usize) -> i32 {
    // SAFETY: the caller's.
    unsafe { memcmp(a, b, len) }
}

/// Length of a C string.
///
/// # Safety
///
/// As the C function.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strlen(string: *const u8) -> usize {
    let mut len = 0;
    // SAFETY: no read is behind the zero byte.
    while unsafe { string.add(len).read() } != 0 {
        // SAFETY: does nothing.
        unsafe { asm!("") };
        len += 1;
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [usize; 31] = [
        0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 65, 127, 128, 129, 191, 192, 200, 255,
        256, 257, 383, 384, 1023, 1024, 2047, 3000,
    ];

    fn pattern(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i * 7 + i / 256) as u8).collect()
    }

    #[test]
    fn moves_overlapping_ranges_both_ways() {
        for len in SIZES.into_iter().chain([0x4000, 0x4001]) {
            for distance in [0, 1, 3, 16, 63, 64, 65, 200] {
                for (from, to) in [(distance, 0), (0, distance)] {
                    let mut got = pattern(len + distance);
                    let mut want = got.clone();
                    want.copy_within(from..from + len, to);
                    // SAFETY: both ranges lie within the vector.
                    unsafe { memmove(got.as_mut_ptr().add(to), got.as_ptr().add(from), len) };
                    assert_eq!(got, want, "{len} bytes, {from} to {to}");
                }
            }
        }
    }

    #[test]
    fn sets_exactly_the_range() {
        for len in SIZES {
            let mut got = vec![1; len + 2];
            // SAFETY: the range lies within the vector.
            unsafe { memset(got.as_mut_ptr().add(1), 0x1ab, len) };
            assert!(got[1..=len].iter().all(|byte| *byte == 0xab), "{len} bytes");
            assert_eq!((got[0], got[len + 1]), (1, 1));
        }
    }

    #[test]
    fn compares_like_slices() {
        for len in SIZES {
            let a = pattern(len);
            for at in 0..len {
                let mut b = a.clone();
                b[at] ^= 0x80;
                // SAFETY: both have `len` bytes.
                let got = unsafe { memcmp(a.as_ptr(), b.as_ptr(), len) };
                assert_eq!(got.signum() as i8, a.cmp(&b) as i8);
            }
            // SAFETY: as above.
            assert_eq!(unsafe { bcmp(a.as_ptr(), a.as_ptr(), len) }, 0);
        }
    }

    #[test]
    fn measures_strings() {
        // SAFETY: both end with a zero byte.
        unsafe {
            assert_eq!(strlen(c"".as_ptr().cast()), 0);
            assert_eq!(strlen(c"eleven byte".as_ptr().cast()), 11);
        }
    }
}
