//! Validation of UTF-8, alone and together with a copy.
//!
//! Most strings are ASCII: then every byte is looked at once, and a copy moves it while it is in a
//! register. What begins with the first block that holds anything else is left to the standard
//! library's validator.

use core::ptr::{read_unaligned, write_unaligned};

/// What one register holds.
#[cfg(target_arch = "x86_64")]
type Vector = core::arch::x86_64::__m128i;
#[cfg(not(target_arch = "x86_64"))]
type Vector = u64;

/// How much is looked at together in a long string.
type Block = [Vector; 64 / size_of::<Vector>()];
const BLOCK_BYTES: usize = size_of::<Block>();
/// A quarter of it.
type Quarter = [Vector; 16 / size_of::<Vector>()];

/// 1 if the bytes are valid UTF-8.
///
/// # Safety
///
/// `[src, src + len)` must be readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmelt_utf8_validate(src: *const u8, len: usize) -> u32 {
    // SAFETY: the caller's; nothing is written.
    unsafe {
        let ascii = scan_ascii::<false>(core::ptr::null_mut(), src, len);
        (ascii == len || is_valid_rest(src, ascii, len)).into()
    }
}

/// Copies, and 1 if the bytes are valid UTF-8.
///
/// # Safety
///
/// `[src, src + len)` must be readable and `[dst, dst + len)` writable; they may overlap only if
/// they are of one memory, and then the source is validated as it was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmelt_utf8_copy(dst: *mut u8, src: *const u8, len: usize) -> u32 {
    // SAFETY: the caller's.
    unsafe {
        let distance = (dst as usize).abs_diff(src as usize);
        if distance < len {
            return copy_within_memory(dst, src, len);
        }
        let ascii = scan_ascii::<true>(dst, src, len);
        (ascii == len || copy_and_validate_rest(dst, src, ascii, len)).into()
    }
}

/// Whether the bytes are valid UTF-8.
pub fn is_valid(bytes: &[u8]) -> bool {
    // SAFETY: the slice is readable.
    unsafe { wasmelt_utf8_validate(bytes.as_ptr(), bytes.len()) != 0 }
}

/// Ranges that overlap: the copy would change what is still to be validated.
#[cold]
unsafe fn copy_within_memory(dst: *mut u8, src: *const u8, len: usize) -> u32 {
    // SAFETY: the caller's.
    unsafe {
        let valid = wasmelt_utf8_validate(src, len);
        core::ptr::copy(src, dst, len);
        valid
    }
}

#[inline(never)]
unsafe fn copy_and_validate_rest(dst: *mut u8, src: *const u8, from: usize, len: usize) -> bool {
    // SAFETY: the caller's; the ranges do not overlap.
    unsafe {
        core::ptr::copy_nonoverlapping(src.add(from), dst.add(from), len - from);
        is_valid_rest(src, from, len)
    }
}

#[inline(never)]
unsafe fn is_valid_rest(src: *const u8, from: usize, len: usize) -> bool {
    // SAFETY: the caller's.
    let rest = unsafe { core::slice::from_raw_parts(src.add(from), len - from) };
    core::str::from_utf8(rest).is_ok()
}

/// Looks at the bytes, and copies them if `COPY` is set, until something is not ASCII. Returns how
/// many at the start are ASCII: all of them, or what comes before a block that is not; a short
/// string is one block.
///
/// # Safety
///
/// As the exported functions; ranges to copy between must not overlap.
#[inline(always)]
unsafe fn scan_ascii<const COPY: bool>(dst: *mut u8, src: *const u8, len: usize) -> usize {
    // SAFETY: each arm touches `len` bytes of either range at most.
    let ascii = unsafe {
        match len {
            0 => true,
            1..4 => {
                // The middle one is the first or the last of fewer than three.
                let bytes = [0, len / 2, len - 1].map(|at| (at, src.add(at).read()));
                if COPY {
                    bytes.iter().for_each(|(at, byte)| dst.add(*at).write(*byte));
                }
                bytes.iter().fold(0, |all, (_, byte)| all | byte) < 0x80
            }
            4..8 => scan_ends::<COPY, u32>(dst, src, len),
            8..16 => scan_ends::<COPY, u64>(dst, src, len),
            16..=32 => scan_ends::<COPY, Quarter>(dst, src, len),
            33..=64 => scan_ends::<COPY, [Quarter; 2]>(dst, src, len),
            _ => return scan_blocks::<COPY>(dst, src, len),
        }
    };
    if ascii { len } else { 0 }
}

/// What is moved and tested together.
trait Bits: Copy {
    /// The bits that are set in either.
    fn or(self, other: Self) -> Self;

    /// Whether no byte has its high bit set.
    fn is_ascii(self) -> bool;
}

impl Bits for u32 {
    #[inline(always)]
    fn or(self, other: u32) -> u32 {
        self | other
    }

    #[inline(always)]
    fn is_ascii(self) -> bool {
        self & 0x8080_8080 == 0
    }
}

impl Bits for u64 {
    #[inline(always)]
    fn or(self, other: u64) -> u64 {
        self | other
    }

    #[inline(always)]
    fn is_ascii(self) -> bool {
        self & 0x8080_8080_8080_8080 == 0
    }
}

#[cfg(target_arch = "x86_64")]
impl Bits for Vector {
    #[inline(always)]
    fn or(self, other: Vector) -> Vector {
        // SAFETY: every processor of this architecture has the instruction.
        unsafe { core::arch::x86_64::_mm_or_si128(self, other) }
    }

    #[inline(always)]
    fn is_ascii(self) -> bool {
        // SAFETY: every processor of this architecture has the instruction.
        unsafe { core::arch::x86_64::_mm_movemask_epi8(self) == 0 }
    }
}

impl<T: Bits, const N: usize> Bits for [T; N] {
    #[inline(always)]
    fn or(mut self, other: [T; N]) -> [T; N] {
        for (to, from) in self.iter_mut().zip(other) {
            *to = to.or(from);
        }
        self
    }

    #[inline(always)]
    fn is_ascii(self) -> bool {
        let [first, rest @ ..] = self.as_slice() else { return true };
        rest.iter().fold(*first, |all, bits| all.or(*bits)).is_ascii()
    }
}

/// A length from one to two `T`s: the first and the last, which may overlap.
#[inline(always)]
unsafe fn scan_ends<const COPY: bool, T: Bits>(dst: *mut u8, src: *const u8, len: usize) -> bool {
    let last = len - size_of::<T>();
    // SAFETY: the length is at least one `T`.
    unsafe { take::<COPY, T>(dst, src, 0).or(take::<COPY, T>(dst, src, last)).is_ascii() }
}

#[inline(always)]
unsafe fn take<const COPY: bool, T: Bits>(dst: *mut u8, src: *const u8, at: usize) -> T {
    // SAFETY: the caller's.
    unsafe {
        let bits = read_unaligned(src.add(at).cast::<T>());
        if COPY {
            write_unaligned(dst.add(at).cast::<T>(), bits);
        }
        bits
    }
}

/// A length of more than a block. The last block may overlap the one before.
#[inline(always)]
unsafe fn scan_blocks<const COPY: bool>(dst: *mut u8, src: *const u8, len: usize) -> usize {
    let last = len - BLOCK_BYTES;
    let mut at = 0;
    // SAFETY: no block ends behind `len`.
    unsafe {
        while at < last {
            if !take::<COPY, Block>(dst, src, at).is_ascii() {
                return at;
            }
            at += BLOCK_BYTES;
        }
        if take::<COPY, Block>(dst, src, last).is_ascii() { len } else { at.min(last) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Strings of every length up to a few blocks, with a few bytes changed.
    fn samples() -> Vec<Vec<u8>> {
        let mut samples = Vec::new();
        for len in 0..=200 {
            let plain: Vec<u8> = (0..len).map(|i| b'a' + i as u8 % 26).collect();
            for at in 0..len {
                for change in [&b"\x80"[..], b"\xc3\xa9", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80"] {
                    let mut bytes = plain.clone();
                    for (to, from) in bytes.iter_mut().skip(at).zip(change) {
                        *to = *from;
                    }
                    samples.push(bytes);
                }
            }
            samples.push(plain);
        }
        samples
    }

    #[test]
    fn agrees_with_the_standard_library() {
        for bytes in samples() {
            assert_eq!(is_valid(&bytes), core::str::from_utf8(&bytes).is_ok(), "{bytes:?}");
        }
    }

    #[test]
    fn copies_everything_and_nothing_else() {
        for bytes in samples() {
            let mut got = vec![1; bytes.len() + 2];
            // SAFETY: both ranges lie within their vectors.
            let valid =
                unsafe { wasmelt_utf8_copy(got.as_mut_ptr().add(1), bytes.as_ptr(), bytes.len()) };
            assert_eq!(valid != 0, core::str::from_utf8(&bytes).is_ok());
            assert_eq!(got[1..=bytes.len()], bytes);
            assert_eq!((got[0], got[bytes.len() + 1]), (1, 1));
        }
    }

    #[test]
    fn overlapping_copies_validate_the_source() {
        let text = "ab\u{e9}".repeat(50);
        for (from, to) in [(0, 1), (1, 0), (0, 70), (70, 0)] {
            let mut buffer = vec![0xff; text.len() + 70];
            buffer[from..from + text.len()].copy_from_slice(text.as_bytes());
            let start = buffer.as_mut_ptr();
            // SAFETY: both ranges lie within the vector.
            let valid = unsafe { wasmelt_utf8_copy(start.add(to), start.add(from), text.len()) };
            assert_eq!(valid, 1);
            assert_eq!(&buffer[to..to + text.len()], text.as_bytes());
        }
    }
}
