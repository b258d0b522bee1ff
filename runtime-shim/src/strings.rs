//! Conversions between the string encodings of the canonical ABI.
//!
//! An adapter has checked that the source is there and that the destination has room for the
//! longest result. Sources and destinations lie in different memories, except where a function
//! says that it works in place. UTF-16 is little-endian on every target and need not be aligned.
//!
//! What is invalid is reported, not replaced: the adapter traps. The `prefix` functions convert
//! as far as the text is simple, and the adapter then makes room for the general case; an invalid
//! sequence ends a prefix, and the function that goes on from there finds it.

use crate::utf8;

/// What a conversion returns for invalid text.
const INVALID: u64 = u64::MAX;

/// Copies UTF-16, and 1 if it has no unpaired surrogate.
///
/// # Safety
///
/// `2 * units` bytes must be readable at `src` and writable at `dst`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmelt_utf16_copy(dst: *mut u8, src: *const u8, units: usize) -> u32 {
    // SAFETY: the caller's.
    unsafe {
        core::ptr::copy(src, dst, 2 * units);
        is_valid_utf16(src, units).into()
    }
}

/// Copies UTF-16: the number of code units, or `u64::MAX` if one is an unpaired surrogate.
///
/// # Safety
///
/// As for `wasmelt_utf16_copy`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmelt_utf16_to_utf16(dst: *mut u8, src: *const u8, units: usize) -> u64 {
    // SAFETY: the caller's.
    match unsafe { wasmelt_utf16_copy(dst, src, units) } {
        0 => INVALID,
        _ => units as u64,
    }
}

/// Widens Latin-1 to UTF-16; `dst` may be `src`. Always 1.
///
/// # Safety
///
/// `len` bytes must be readable at `src` and `2 * len` writable at `dst`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmelt_latin1_to_utf16(dst: *mut u8, src: *const u8, len: usize) -> u32 {
    // From the end, so that in place no byte is overwritten before it is read.
    for at in (0..len).rev() {
        // SAFETY: the caller's; `at` is less than `len`.
        unsafe { put_unit(dst, at, u16::from(src.add(at).read())) };
    }
    1
}

/// UTF-8 to UTF-16: the number of code units, or `u64::MAX` if the text is invalid.
///
/// # Safety
///
/// `len` bytes must be readable at `src` and `2 * len` writable at `dst`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmelt_utf8_to_utf16(dst: *mut u8, src: *const u8, len: usize) -> u64 {
    if len == 0 {
        return 0;
    }
    // SAFETY: the caller's.
    let bytes = unsafe { core::slice::from_raw_parts(src, len) };
    if !utf8::is_valid(bytes) {
        return INVALID;
    }
    // SAFETY: the bytes were just validated.
    let text = unsafe { core::str::from_utf8_unchecked(bytes) };
    let mut units = 0;
    for character in text.chars() {
        let code = u32::from(character);
        // SAFETY: a character has at most as many code units as it has bytes in UTF-8.
        unsafe {
            if let Ok(unit) = u16::try_from(code) {
                put_unit(dst, units, unit);
                units += 1;
            } else {
                let above = code - 0x1_0000;
                put_unit(dst, units, 0xd800 | (above >> 10) as u16);
                put_unit(dst, units + 1, 0xdc00 | (above & 0x3ff) as u16);
                units += 2;
            }
        }
    }
    units as u64
}

/// UTF-16 to UTF-8: the number of bytes, or `u64::MAX` if the text is invalid.
///
/// # Safety
///
/// `2 * units` bytes must be readable at `src` and `3 * units` writable at `dst`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmelt_utf16_to_utf8(dst: *mut u8, src: *const u8, units: usize) -> u64 {
    // SAFETY: the caller's.
    let all = (0..units).map(|at| unsafe { unit(src, at) });
    let mut len = 0;
    for character in char::decode_utf16(all) {
        let Ok(character) = character else { return INVALID };
        // SAFETY: one code unit becomes at most three bytes, two become four.
        len += unsafe { put_char(dst.add(len), character) };
    }
    len as u64
}

/// Latin-1 to UTF-8: the number of bytes.
///
/// # Safety
///
/// `len` bytes must be readable at `src` and `2 * len` writable at `dst`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmelt_latin1_to_utf8(dst: *mut u8, src: *const u8, len: usize) -> u64 {
    let mut written = 0;
    for at in 0..len {
        // SAFETY: the caller's; every byte becomes at most two.
        written += unsafe { put_char(dst.add(written), char::from(src.add(at).read())) };
    }
    written as u64
}

/// Copies bytes up to the first beyond ASCII: their number.
///
/// # Safety
///
/// `len` bytes must be readable at `src` and writable at `dst`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmelt_ascii_prefix(dst: *mut u8, src: *const u8, len: usize) -> u64 {
    for at in 0..len {
        // SAFETY: the caller's; `at` is less than `len`.
        unsafe {
            let byte = src.add(at).read();
            if byte >= 0x80 {
                return at as u64;
            }
            dst.add(at).write(byte);
        }
    }
    len as u64
}

/// Narrows UTF-16 up to the first unit beyond ASCII: the number of units.
///
/// # Safety
///
/// `2 * units` bytes must be readable at `src` and `units` writable at `dst`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmelt_utf16_ascii_prefix(
    dst: *mut u8,
    src: *const u8,
    units: usize,
) -> u64 {
    // SAFETY: the caller's.
    unsafe { narrow_prefix(dst, src, units, 0x80) as u64 }
}

/// Narrows UTF-16 up to the first unit beyond Latin-1: the number of units, in both halves.
///
/// # Safety
///
/// As for `wasmelt_utf16_ascii_prefix`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmelt_utf16_latin1_prefix(
    dst: *mut u8,
    src: *const u8,
    units: usize,
) -> u64 {
    // SAFETY: the caller's.
    let count = unsafe { narrow_prefix(dst, src, units, 0x100) } as u64;
    count << 32 | count
}

/// UTF-8 to Latin-1 up to the first character that is beyond it or invalid: the number of bytes
/// read in the upper half, of bytes written in the lower.
///
/// # Safety
///
/// `len` bytes must be readable at `src` and writable at `dst`; `len` must be below 2 to the 32nd.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmelt_utf8_latin1_prefix(
    dst: *mut u8,
    src: *const u8,
    len: usize,
) -> u64 {
    let (mut read, mut written) = (0, 0);
    while read < len {
        // SAFETY: the caller's; `read` is less than `len`, and `written` not above `read`.
        unsafe {
            let first = src.add(read).read();
            let character = match first {
                0..0x80 => first,
                // The lead bytes of U+0080 to U+00FF.
                0xc2 | 0xc3 if read + 1 < len && is_continuation(src.add(read + 1).read()) => {
                    read += 1;
                    first << 6 | (src.add(read).read() & 0x3f)
                }
                _ => break,
            };
            dst.add(written).write(character);
        }
        read += 1;
        written += 1;
    }
    (read as u64) << 32 | written as u64
}

/// 1 if no unit of a UTF-16 text is beyond Latin-1; they are then narrowed in place.
///
/// # Safety
///
/// `2 * units` bytes must be readable and writable at `text`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmelt_utf16_narrow(text: *mut u8, units: usize) -> u32 {
    // SAFETY: the caller's. In place is fine: a unit is read before anything behind it is written.
    unsafe {
        if (0..units).any(|at| unit(text, at) >= 0x100) {
            return 0;
        }
        narrow_prefix(text, text, units, 0x100);
    }
    1
}

/// Narrows code units up to the first that is not below `limit`; how many.
///
/// # Safety
///
/// As for `wasmelt_utf16_ascii_prefix`.
unsafe fn narrow_prefix(dst: *mut u8, src: *const u8, units: usize, limit: u16) -> usize {
    for at in 0..units {
        // SAFETY: the caller's; `at` is less than `units`.
        unsafe {
            let unit = unit(src, at);
            if unit >= limit {
                return at;
            }
            dst.add(at).write(unit as u8);
        }
    }
    units
}

/// # Safety
///
/// `2 * units` bytes must be readable at `src`.
unsafe fn is_valid_utf16(src: *const u8, units: usize) -> bool {
    // SAFETY: the caller's.
    let all = (0..units).map(|at| unsafe { unit(src, at) });
    char::decode_utf16(all).all(|character| character.is_ok())
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// # Safety
///
/// `2 * at + 2` bytes must be readable at `src`.
unsafe fn unit(src: *const u8, at: usize) -> u16 {
    // SAFETY: the caller's.
    u16::from_le(unsafe { src.cast::<u16>().add(at).read_unaligned() })
}

/// # Safety
///
/// `2 * at + 2` bytes must be writable at `dst`.
unsafe fn put_unit(dst: *mut u8, at: usize, unit: u16) {
    // SAFETY: the caller's.
    unsafe { dst.cast::<u16>().add(at).write_unaligned(unit.to_le()) }
}

/// Writes a character as UTF-8; how many bytes it took.
///
/// # Safety
///
/// As many bytes as the character has must be writable at `dst`.
unsafe fn put_char(dst: *mut u8, character: char) -> usize {
    let code = u32::from(character);
    let len = character.len_utf8();
    let tail = |shift: u32| 0x80 | (code >> shift & 0x3f) as u8;
    // SAFETY: the caller's.
    unsafe {
        match len {
            1 => dst.write(code as u8),
            2 => dst.cast::<[u8; 2]>().write([0xc0 | (code >> 6) as u8, tail(0)]),
            3 => dst.cast::<[u8; 3]>().write([0xe0 | (code >> 12) as u8, tail(6), tail(0)]),
            _ => {
                let bytes = [0xf0 | (code >> 18) as u8, tail(12), tail(6), tail(0)];
                dst.cast::<[u8; 4]>().write(bytes);
            }
        }
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 6] =
        ["", "plain", "naïve café", "ÿ and then €", "😀 first", "all of it: a é € 😀 z"];

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn to_utf16_and_back() {
        for text in TEXTS {
            let wide = utf16(text);
            let mut out = vec![0; 2 * text.len()];
            // SAFETY: the buffers have the sizes that are asked for.
            let units = unsafe {
                wasmelt_utf8_to_utf16(out.as_mut_ptr(), text.as_ptr(), text.len()) as usize
            };
            assert_eq!(&out[..2 * units], wide);
            let mut back = vec![0; 3 * units];
            // SAFETY: as above.
            let len =
                unsafe { wasmelt_utf16_to_utf8(back.as_mut_ptr(), wide.as_ptr(), units) as usize };
            assert_eq!(&back[..len], text.as_bytes());
        }
    }

    #[test]
    fn prefixes_and_the_rest_make_the_whole() {
        for text in TEXTS {
            let mut out = vec![0; text.len()];
            // SAFETY: as above.
            let packed =
                unsafe { wasmelt_utf8_latin1_prefix(out.as_mut_ptr(), text.as_ptr(), text.len()) };
            let (read, written) = ((packed >> 32) as usize, (packed & 0xffff_ffff) as usize);
            let latin1 = text.chars().take_while(|c| u32::from(*c) < 256).collect::<String>();
            assert_eq!(read, latin1.len());
            assert!(out[..written].iter().map(|byte| char::from(*byte)).eq(latin1.chars()));

            let wide = utf16(text);
            let mut narrow = vec![0; wide.len() / 2];
            // SAFETY: as above.
            let packed = unsafe {
                wasmelt_utf16_latin1_prefix(narrow.as_mut_ptr(), wide.as_ptr(), wide.len() / 2)
            };
            assert_eq!(packed & 0xffff_ffff, written as u64);
            assert_eq!(narrow[..written], out[..written]);

            let mut bytes = vec![0; 2 * written];
            // SAFETY: as above.
            let len = unsafe {
                wasmelt_latin1_to_utf8(bytes.as_mut_ptr(), out.as_ptr(), written) as usize
            };
            assert_eq!(&bytes[..len], latin1.as_bytes());
        }
    }

    #[test]
    fn works_in_place() {
        let mut text = b"caf\xe9\0\0\0\0".to_vec();
        // SAFETY: there is room for four code units.
        unsafe { wasmelt_latin1_to_utf16(text.as_mut_ptr(), text.as_ptr(), 4) };
        assert_eq!(text, utf16("café"));
        // SAFETY: there are four code units.
        assert_eq!(unsafe { wasmelt_utf16_narrow(text.as_mut_ptr(), 4) }, 1);
        assert_eq!(&text[..4], b"caf\xe9");
        let mut text = utf16("caf€");
        // SAFETY: there are four code units.
        assert_eq!(unsafe { wasmelt_utf16_narrow(text.as_mut_ptr(), 4) }, 0);
        assert_eq!(text, utf16("caf€"));
    }

    #[test]
    fn invalid_text_is_reported() {
        let mut out = [0; 16];
        for bad in [&b"\xc0\x80"[..], b"a\xff", b"\xed\xa0\x80", b"\xe2\x82"] {
            // SAFETY: the buffer is large enough.
            let result =
                unsafe { wasmelt_utf8_to_utf16(out.as_mut_ptr(), bad.as_ptr(), bad.len()) };
            assert_eq!(result, u64::MAX);
        }
        for bad in [&b"\x00\xd8"[..], b"\x00\xdc", b"\x00\xd8a\0"] {
            let units = bad.len() / 2;
            // SAFETY: the buffer is large enough.
            unsafe {
                assert_eq!(wasmelt_utf16_copy(out.as_mut_ptr(), bad.as_ptr(), units), 0);
                assert_eq!(wasmelt_utf16_to_utf8(out.as_mut_ptr(), bad.as_ptr(), units), u64::MAX);
                assert_eq!(wasmelt_utf16_to_utf16(out.as_mut_ptr(), bad.as_ptr(), units), u64::MAX);
            }
        }
        // SAFETY: the buffer is large enough.
        let packed = unsafe { wasmelt_utf8_latin1_prefix(out.as_mut_ptr(), b"ab\xc3".as_ptr(), 3) };
        assert_eq!(packed, 2 << 32 | 2);
    }

    #[test]
    fn ascii_ends_where_it_ends() {
        let mut out = [0; 8];
        // SAFETY: the buffer is large enough.
        unsafe {
            assert_eq!(wasmelt_ascii_prefix(out.as_mut_ptr(), b"ab\xe9c".as_ptr(), 4), 2);
            let wide = utf16("abc€");
            assert_eq!(wasmelt_utf16_ascii_prefix(out.as_mut_ptr(), wide.as_ptr(), 4), 3);
        }
        assert_eq!(&out[..3], b"abc");
    }
}
