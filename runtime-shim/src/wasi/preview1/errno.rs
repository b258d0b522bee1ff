//! Error numbers.

use rustix::io::Errno;

/// Linux's error numbers in the order of preview 1's, which begin with 1. What has no number of its
/// own is an input or output error.
const IN_ORDER: [Errno; 75] = [
    Errno::TOOBIG,
    Errno::ACCESS,
    Errno::ADDRINUSE,
    Errno::ADDRNOTAVAIL,
    Errno::AFNOSUPPORT,
    Errno::AGAIN,
    Errno::ALREADY,
    Errno::BADF,
    Errno::BADMSG,
    Errno::BUSY,
    Errno::CANCELED,
    Errno::CHILD,
    Errno::CONNABORTED,
    Errno::CONNREFUSED,
    Errno::CONNRESET,
    Errno::DEADLK,
    Errno::DESTADDRREQ,
    Errno::DOM,
    Errno::DQUOT,
    Errno::EXIST,
    Errno::FAULT,
    Errno::FBIG,
    Errno::HOSTUNREACH,
    Errno::IDRM,
    Errno::ILSEQ,
    Errno::INPROGRESS,
    Errno::INTR,
    Errno::INVAL,
    Errno::IO,
    Errno::ISCONN,
    Errno::ISDIR,
    Errno::LOOP,
    Errno::MFILE,
    Errno::MLINK,
    Errno::MSGSIZE,
    Errno::MULTIHOP,
    Errno::NAMETOOLONG,
    Errno::NETDOWN,
    Errno::NETRESET,
    Errno::NETUNREACH,
    Errno::NFILE,
    Errno::NOBUFS,
    Errno::NODEV,
    Errno::NOENT,
    Errno::NOEXEC,
    Errno::NOLCK,
    Errno::NOLINK,
    Errno::NOMEM,
    Errno::NOMSG,
    Errno::NOPROTOOPT,
    Errno::NOSPC,
    Errno::NOSYS,
    Errno::NOTCONN,
    Errno::NOTDIR,
    Errno::NOTEMPTY,
    Errno::NOTRECOVERABLE,
    Errno::NOTSOCK,
    Errno::NOTSUP,
    Errno::NOTTY,
    Errno::NXIO,
    Errno::OVERFLOW,
    Errno::OWNERDEAD,
    Errno::PERM,
    Errno::PIPE,
    Errno::PROTO,
    Errno::PROTONOSUPPORT,
    Errno::PROTOTYPE,
    Errno::RANGE,
    Errno::ROFS,
    Errno::SPIPE,
    Errno::SRCH,
    Errno::STALE,
    Errno::TIMEDOUT,
    Errno::TXTBSY,
    Errno::XDEV,
];

/// The highest error number of Linux that is in the list, plus one.
const LINUX_ERRNO_END: usize = 134;

/// The number for each of Linux's; 0 where there is none.
const NUMBERS: [u8; LINUX_ERRNO_END] = {
    let mut numbers = [0; LINUX_ERRNO_END];
    let mut at = 0;
    while at < IN_ORDER.len() {
        numbers[IN_ORDER[at].raw_os_error() as usize] = at as u8 + 1;
        at += 1;
    }
    numbers
};

const IO: u32 = 29;

/// The error number for one of Linux's.
pub fn number(errno: Errno) -> u32 {
    match NUMBERS.get(errno.raw_os_error() as usize) {
        None | Some(0) => IO,
        Some(number) => (*number).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_interface() {
        let numbers = [
            (Errno::TOOBIG, 1),
            (Errno::BADF, 8),
            (Errno::EXIST, 20),
            (Errno::INVAL, 28),
            (Errno::IO, IO),
            (Errno::ISDIR, 31),
            (Errno::NOENT, 44),
            (Errno::NOTDIR, 54),
            (Errno::NOTEMPTY, 55),
            (Errno::NOTSUP, 58),
            (Errno::PERM, 63),
            (Errno::PIPE, 64),
            (Errno::SPIPE, 70),
            (Errno::XDEV, 75),
            (Errno::KEYEXPIRED, IO),
        ];
        for (errno, wanted) in numbers {
            assert_eq!(number(errno), wanted, "{errno}");
        }
    }
}
