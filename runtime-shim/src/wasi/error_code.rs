//! `wasi:filesystem/types.error-code`, from and as text for the system's error numbers.

use rustix::io::Errno;

macro_rules! error_codes {
    ($($name:ident = $text:literal: $($errno:ident)|*;)*) => {
        /// An error, in the order of its declaration.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        #[expect(missing_docs, reason = "each case is named after its error number")]
        pub enum ErrorCode { $($name,)* }

        impl ErrorCode {
            /// The code that stands for that error number, if one does.
            pub fn of(errno: Errno) -> Option<ErrorCode> {
                $($(if errno == Errno::$errno { return Some(ErrorCode::$name); })*)*
                None
            }

            /// What a message says.
            pub fn message(self) -> &'static str {
                match self { $(ErrorCode::$name => $text,)* }
            }
        }
    };
}

error_codes! {
    Access = "permission denied": ACCESS;
    WouldBlock = "resource temporarily unavailable": AGAIN;
    Already = "connection already in progress": ALREADY;
    BadDescriptor = "bad descriptor": BADF;
    Busy = "device or resource busy": BUSY;
    Deadlock = "resource deadlock would occur": DEADLK;
    Quota = "storage quota exceeded": DQUOT;
    Exist = "file exists": EXIST;
    FileTooLarge = "file too large": FBIG;
    IllegalByteSequence = "illegal byte sequence": ILSEQ;
    InProgress = "operation in progress": INPROGRESS;
    Interrupted = "interrupted function": INTR;
    Invalid = "invalid argument": INVAL;
    Io = "input or output error": IO;
    IsDirectory = "is a directory": ISDIR;
    Loop = "too many levels of symbolic links": LOOP;
    TooManyLinks = "too many links": MLINK;
    MessageSize = "message too large": MSGSIZE;
    NameTooLong = "file name too long": NAMETOOLONG;
    NoDevice = "no such device": NODEV;
    NoEntry = "no such file or directory": NOENT;
    NoLock = "no locks available": NOLCK;
    InsufficientMemory = "not enough memory": NOMEM;
    InsufficientSpace = "no space left on device": NOSPC;
    NotDirectory = "not a directory": NOTDIR;
    NotEmpty = "directory not empty": NOTEMPTY;
    NotRecoverable = "state not recoverable": NOTRECOVERABLE;
    Unsupported = "not supported": NOTSUP | NOSYS;
    NoTty = "not a terminal": NOTTY;
    NoSuchDevice = "no such device or address": NXIO;
    Overflow = "value too large": OVERFLOW;
    NotPermitted = "operation not permitted": PERM;
    Pipe = "broken pipe": PIPE;
    ReadOnly = "read-only file system": ROFS;
    InvalidSeek = "invalid seek": SPIPE;
    TextFileBusy = "text file busy": TXTBSY;
    CrossDevice = "cross-device link": XDEV;
}

impl From<Errno> for ErrorCode {
    /// What has no code of its own is an input or output error.
    fn from(errno: Errno) -> ErrorCode {
        ErrorCode::of(errno).unwrap_or(ErrorCode::Io)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_place_in_the_declaration() {
        let codes = [
            (Errno::ACCESS, 0),
            (Errno::EXIST, 7),
            (Errno::ISDIR, 14),
            (Errno::NOENT, 20),
            (Errno::NOTDIR, 24),
            (Errno::NOSYS, 27),
            (Errno::PERM, 31),
            (Errno::XDEV, 36),
            (Errno::MFILE, ErrorCode::Io as u8),
        ];
        for (errno, code) in codes {
            assert_eq!(ErrorCode::from(errno) as u8, code, "{errno}");
        }
    }
}
