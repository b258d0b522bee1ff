//! Options that TCP and UDP sockets have in common.

use super::address::Family;
use super::error_code::ErrorCode;
use crate::wasi::files::{self, FileId};
use rustix::net::sockopt;

/// The system doubles what is set, to have room for its own records, and reports that.
const BUFFER_FACTOR: usize = 2;
/// The largest buffer that can be asked for; the system lowers it to its own limit.
const BUFFER_BYTES_MAX: u64 = i32::MAX as u64 / BUFFER_FACTOR as u64;

/// How many routers a packet may pass.
pub fn hop_limit(file: FileId, family: Family) -> Result<u8, ErrorCode> {
    let fd = files::fd(file)?;
    Ok(match family {
        Family::V4 => sockopt::ip_ttl(fd)? as u8,
        Family::V6 => sockopt::ipv6_unicast_hops(fd)?,
    })
}

/// Sets the hop limit.
pub fn set_hop_limit(file: FileId, family: Family, value: u32) -> Result<(), ErrorCode> {
    let value = value as u8;
    let fd = files::fd(file)?;
    if value == 0 {
        return Err(ErrorCode::InvalidArgument);
    }
    match family {
        Family::V4 => sockopt::set_ip_ttl(fd, value.into())?,
        Family::V6 => sockopt::set_ipv6_unicast_hops(fd, Some(value))?,
    }
    Ok(())
}

/// Size of the receive buffer, in bytes.
pub fn receive_buffer_size(file: FileId) -> Result<u64, ErrorCode> {
    let size = sockopt::socket_recv_buffer_size(files::fd(file)?)?;
    Ok((size / BUFFER_FACTOR) as u64)
}

/// Sets the size of the receive buffer.
pub fn set_receive_buffer_size(file: FileId, value: u64) -> Result<(), ErrorCode> {
    let size = buffer_size(value)?;
    Ok(sockopt::set_socket_recv_buffer_size(files::fd(file)?, size)?)
}

/// Size of the send buffer, in bytes.
pub fn send_buffer_size(file: FileId) -> Result<u64, ErrorCode> {
    let size = sockopt::socket_send_buffer_size(files::fd(file)?)?;
    Ok((size / BUFFER_FACTOR) as u64)
}

/// Sets the size of the send buffer.
pub fn set_send_buffer_size(file: FileId, value: u64) -> Result<(), ErrorCode> {
    let size = buffer_size(value)?;
    Ok(sockopt::set_socket_send_buffer_size(files::fd(file)?, size)?)
}

fn buffer_size(value: u64) -> Result<usize, ErrorCode> {
    match value {
        0 => Err(ErrorCode::InvalidArgument),
        size => Ok(size.min(BUFFER_BYTES_MAX) as usize),
    }
}
