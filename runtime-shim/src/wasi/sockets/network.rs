//! `instance-network` and `network`: there is one network, and the grants say how much of it.

use super::error_code::ErrorCode;
use crate::wasi::abi::{Maybe, Out};
use crate::wasi::grants::{self, Network};
use rustix::io::Errno;

/// The error unless that much of the network was granted.
pub fn require(wanted: Network) -> Result<(), ErrorCode> {
    if grants::network() >= wanted { Ok(()) } else { Err(ErrorCode::AccessDenied) }
}

/// `instance-network`.
#[unsafe(export_name = "wasi_sockets_instance_network__instance_network")]
pub extern "C" fn instance_network() -> u32 {
    0
}

/// Drops a `network`.
#[unsafe(export_name = "wasi_sockets_network__network__drop")]
pub extern "C" fn drop(_network: u32) {}

/// `network-error-code`.
#[unsafe(export_name = "wasi_sockets_network__network_error_code")]
pub extern "C" fn network_error_code(error: u32, out: Out<Maybe<ErrorCode>>) {
    out.write(ErrorCode::of(Errno::from_raw_os_error(error as i32)).into());
}
