//! `wasi:sockets/network.error-code`, from the system's error numbers.

use rustix::io::Errno;

macro_rules! error_codes {
    ($($name:ident: $($errno:ident)|*;)*) => {
        /// An error, in the order of its declaration.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        #[expect(missing_docs, reason = "each case is named as in the declaration")]
        pub enum ErrorCode { $($name,)* }

        impl ErrorCode {
            /// The code that stands for that error number, if one does.
            pub fn of(errno: Errno) -> Option<ErrorCode> {
                $($(if errno == Errno::$errno { return Some(ErrorCode::$name); })*)*
                None
            }
        }
    };
}

error_codes! {
    Unknown:;
    AccessDenied: ACCESS | PERM;
    NotSupported: OPNOTSUPP | NOPROTOOPT | PFNOSUPPORT | PROTONOSUPPORT | PROTOTYPE
        | SOCKTNOSUPPORT | AFNOSUPPORT;
    InvalidArgument: INVAL;
    OutOfMemory: NOMEM | NOBUFS;
    Timeout: TIMEDOUT;
    ConcurrencyConflict: ALREADY;
    NotInProgress:;
    WouldBlock: AGAIN | INTR | INPROGRESS;
    InvalidState: ISCONN | NOTCONN | DESTADDRREQ;
    NewSocketLimit: MFILE | NFILE;
    AddressNotBindable: ADDRNOTAVAIL;
    AddressInUse: ADDRINUSE;
    RemoteUnreachable: HOSTUNREACH | HOSTDOWN | NETDOWN | NETUNREACH | NONET;
    ConnectionRefused: CONNREFUSED;
    ConnectionReset: CONNRESET | PIPE;
    ConnectionAborted: CONNABORTED;
    DatagramTooLarge: MSGSIZE;
    NameUnresolvable:;
    TemporaryResolverFailure:;
    PermanentResolverFailure:;
}

impl From<Errno> for ErrorCode {
    fn from(errno: Errno) -> ErrorCode {
        ErrorCode::of(errno).unwrap_or(ErrorCode::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_place_in_the_declaration() {
        let codes = [
            (Errno::ACCESS, 1),
            (Errno::AFNOSUPPORT, 2),
            (Errno::NOBUFS, 4),
            (Errno::AGAIN, 8),
            (Errno::MFILE, 10),
            (Errno::ADDRINUSE, 12),
            (Errno::CONNREFUSED, 14),
            (Errno::CONNRESET, 15),
            (Errno::MSGSIZE, 17),
            (Errno::IO, 0),
        ];
        for (errno, code) in codes {
            assert_eq!(ErrorCode::from(errno) as u8, code, "{errno}");
        }
        assert_eq!(ErrorCode::PermanentResolverFailure as u8, 20);
    }
}
