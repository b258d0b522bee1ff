//! Validation of UTF-8, alone and together with a copy.
//!
//! Most strings are ASCII. Whole blocks are tested by their high bits, which the compiler turns
//! into vector instructions of the baseline; what is behind the first block with anything else is
//! left to the standard library's validator.

const BLOCK_BYTES: usize = 64;

/// 1 if the bytes are valid UTF-8.
///
/// # Safety
///
/// `[src, src + len)` must be readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmelt_utf8_validate(src: *const u8, len: usize) -> u32 {
    if len == 0 {
        return 1;
    }
    // SAFETY: the caller's.
    is_valid(unsafe { core::slice::from_raw_parts(src, len) }).into()
}

/// Copies, and 1 if the bytes are valid UTF-8.
///
/// # Safety
///
/// `[src, src + len)` must be readable and `[dst, dst + len)` writable; they may overlap only if
/// they are of one memory, and then the source is validated as it was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmelt_utf8_copy(dst: *mut u8, src: *const u8, len: usize) -> u32 {
    // The source is still in the cache when it is copied, so two passes over it cost little more
    // than a fused one, and the copy is the one that suits the processor best.
    // SAFETY: the caller's.
    unsafe {
        let valid = wasmelt_utf8_validate(src, len);
        core::ptr::copy(src, dst, len);
        valid
    }
}

/// Whether the bytes are valid UTF-8.
pub fn is_valid(bytes: &[u8]) -> bool {
    let ascii = count_ascii_blocks(bytes) * BLOCK_BYTES;
    let rest = bytes.get(ascii..).unwrap_or_default();
    core::str::from_utf8(rest).is_ok()
}

/// How many blocks at the start are ASCII.
fn count_ascii_blocks(bytes: &[u8]) -> usize {
    let blocks = bytes.as_chunks::<BLOCK_BYTES>().0;
    let is_ascii = |block: &&[u8; BLOCK_BYTES]| block.iter().fold(0, |all, byte| all | byte) < 0x80;
    blocks.iter().take_while(is_ascii).count()
}
