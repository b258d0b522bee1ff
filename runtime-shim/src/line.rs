//! The line of text that a program leaves on standard error when the runtime ends it: there is one
//! at most, so it is a static, and no formatting machinery, which is larger than most programs.

use crate::single::Single;
use crate::{abort, arch};
use wasmelt_abi::trap::Trap;

const BYTES_MAX: usize = 1024;

/// The line, cut off where it becomes too long. It is written by one system call, so that lines of
/// several processes do not mix.
struct Line {
    bytes: [u8; BYTES_MAX],
    len: usize,
}

/// What gets the line, ended by a zero byte, before it is written: only a library's caller sets it. It
/// may leave by a jump.
pub static HOOK: Single<Option<extern "C" fn(*const core::ffi::c_char)>> = Single::new(None);

static LINE: Single<Line> = Single::new(Line { bytes: [0; BYTES_MAX], len: 0 });

impl Line {
    /// The line as a C string, and its length. The next one begins anew, in case whoever reads this
    /// one never returns.
    fn take_for_c(&mut self) -> (*const core::ffi::c_char, usize) {
        if let Some(end) = self.bytes.get_mut(self.len) {
            *end = 0;
        }
        (self.bytes.as_ptr().cast(), core::mem::take(&mut self.len))
    }
}

/// Appends text.
pub fn push(text: &str) {
    push_bytes(text.as_bytes());
}

/// Appends text that need not be valid.
#[inline(never)]
pub fn push_bytes(bytes: &[u8]) {
    LINE.with(|line| {
        for byte in bytes {
            // One byte stays free for the line's end.
            if line.len + 1 < BYTES_MAX {
                line.bytes[line.len] = *byte;
                line.len += 1;
            }
        }
    });
}

/// Appends what a message calls a trap.
#[inline(never)]
pub fn push_message(trap: Trap) {
    let bytes = trap.message_bytes();
    let end = bytes.iter().position(|byte| *byte == 0);
    push_bytes(bytes.get(..end.unwrap_or_default()).unwrap_or_default());
}

/// Appends a number in hexadecimal digits.
#[inline(never)]
pub fn push_hex(value: u64) {
    push("0x");
    let digits = (64 - value.leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        let digit = (value >> (digit * 4)) as u8 & 0xf;
        push_bytes(&[if digit < 10 { b'0' + digit } else { b'a' - 10 + digit }]);
    }
}

/// Appends a number in decimal digits.
#[inline(never)]
pub fn push_decimal(value: u32) {
    let mut digits = [0; 10];
    let mut at = digits.len();
    let mut rest = value;
    loop {
        at -= 1;
        if let Some(digit) = digits.get_mut(at) {
            *digit = b'0' + (rest % 10) as u8;
        }
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    push_bytes(digits.get(at..).unwrap_or_default());
}

/// Ends and writes the line, and ends the process with it.
#[inline(never)]
pub fn finish(code: i32) -> ! {
    if let Some(hook) = HOOK.with(|hook| *hook) {
        let (text, len) = LINE.with(Line::take_for_c);
        hook(text);
        LINE.with(|line| line.len = len);
    }
    LINE.with(|line| {
        if let Some(end) = line.bytes.get_mut(line.len) {
            *end = b'\n';
        }
        abort::write_stderr(line.bytes.get(..line.len + 1).unwrap_or_default());
    });
    arch::exit(code)
}
