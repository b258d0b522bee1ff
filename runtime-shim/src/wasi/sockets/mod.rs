//! `wasi:sockets`.
//!
//! All sockets are non-blocking. What the interface splits into a start and a finish is one system
//! call at the start, except for connecting; its outcome is kept until the guest asks for it.
//!
//! A socket, its streams and the pollables of all of them share the file, and each may be dropped
//! before the others: the file is closed with the last.
//!
//! | module | functions |
//! |---|---|
//! | `network` | what was granted; errors of streams |
//! | `tcp` | TCP sockets: binding, connecting, listening, accepting |
//! | `tcp_options`, `options` | what can be set on sockets |
//! | `udp`, `datagrams` | UDP sockets, their streams |
//! | `lookup` | looking up names |

pub mod address;
pub mod datagrams;
pub mod error_code;
pub mod lookup;
pub mod network;
mod options;
pub mod tcp;
pub mod tcp_options;
pub mod udp;

use crate::wasi::abi::{Out, Outcome};
use crate::wasi::files::{self, FileId};
use address::{Family, SocketAddress};
use core::net::SocketAddr;
use error_code::ErrorCode;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{SocketAddrAny, SocketFlags, SocketType, getsockname, socket_with, sockopt};

/// What most functions here return.
type Reply<'a, T> = Out<'a, Outcome<T, ErrorCode>>;

/// Writes a result.
fn reply<T: Copy>(out: Reply<T>, result: Result<T, ErrorCode>) {
    out.write(result.into());
}

/// Creates a socket and adds it to the files.
fn create(family: Family, ty: SocketType) -> Result<FileId, ErrorCode> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let fd = retry_on_intr(|| socket_with(family.for_system(), ty, flags, None))?;
    if family == Family::V6 {
        sockopt::set_ipv6_v6only(&fd, true)?;
    }
    Ok(files::add(fd))
}

/// Where a socket is.
fn local_address(file: FileId) -> Result<SocketAddr, ErrorCode> {
    from_system(getsockname(files::fd(file)?)?)
}

/// An address that the system gave, which is one of the socket's family.
fn from_system(address: SocketAddrAny) -> Result<SocketAddr, ErrorCode> {
    SocketAddr::try_from(address).map_err(|errno: Errno| ErrorCode::from(errno))
}

/// As `from_system`, for a guest.
fn for_guest(address: SocketAddr) -> SocketAddress {
    SocketAddress::from(address)
}

#[cfg(test)]
mod tests;
