//! `wasi:io/error`. An error's representation is its number.

use crate::wasi::abi::{List, Out};
use crate::wasi::error_code::ErrorCode;
use rustix::io::Errno;

/// `error.to-debug-string`.
#[unsafe(export_name = "wasi_io_error__error__to_debug_string")]
pub extern "C" fn to_debug_string(error: u32, out: Out<List<u8>>) {
    let errno = Errno::from_raw_os_error(error as i32);
    let message = match ErrorCode::of(errno) {
        Some(code) => code.message(),
        // What ends a connection has no code among those of files.
        None if errno == Errno::CONNRESET => "connection reset",
        None if errno == Errno::TIMEDOUT => "connection timed out",
        None => "system error",
    };
    out.write(List::new(message.as_bytes()));
}

/// Drops an `error`.
#[unsafe(export_name = "wasi_io_error__error__drop")]
pub extern "C" fn drop(_error: u32) {}
