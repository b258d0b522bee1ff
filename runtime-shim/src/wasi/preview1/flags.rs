//! Sets of flags and enumerations, as parameters. A parameter is 32 or 64 bits wide; what its type
//! has no room for is an overflow, and what its type has no name for is invalid.

use rustix::io::Errno;

/// Checks flags of a type that is `bits` wide and has the first `count` of them.
pub fn check_flags(value: u32, bits: u32, count: u32) -> Result<u32, Errno> {
    // Parameters are signed, so that the highest bit makes them no number of any unsigned type.
    if value > i32::MAX as u32 || bits < 32 && value >> bits != 0 {
        return Err(Errno::OVERFLOW);
    }
    if value >> count != 0 { Err(Errno::INVAL) } else { Ok(value) }
}

/// Checks an enumeration's case; `count` is their number, and 8 bits hold them.
pub fn check_case(value: u32, count: u32) -> Result<u32, Errno> {
    match value {
        256.. => Err(Errno::OVERFLOW),
        _ if value >= count => Err(Errno::INVAL),
        _ => Ok(value),
    }
}

/// Checks `rights`.
pub fn check_rights(value: u64) -> Result<u64, Errno> {
    match value {
        _ if value > i64::MAX as u64 => Err(Errno::OVERFLOW),
        _ if value & !rights::ALL != 0 => Err(Errno::INVAL),
        _ => Ok(value),
    }
}

/// Checks `clockid`: the realtime clock, the monotonic one, and two that count processor time.
pub fn check_clock(value: u32) -> Result<u32, Errno> {
    match value {
        0..4 => Ok(value),
        _ if value > i32::MAX as u32 => Err(Errno::OVERFLOW),
        _ => Err(Errno::INVAL),
    }
}

/// Checks `lookupflags`.
pub fn check_lookup(value: u32) -> Result<u32, Errno> {
    check_flags(value, 32, 1)
}

/// `clockid`.
pub mod clock {
    /// `realtime`
    pub const REALTIME: u32 = 0;
    /// `monotonic`
    pub const MONOTONIC: u32 = 1;
}

/// `fdflags`.
pub mod fd {
    /// How many there are.
    pub const COUNT: u32 = 5;
    /// `append`
    pub const APPEND: u32 = 1 << 0;
    /// `dsync`
    pub const DSYNC: u32 = 1 << 1;
    /// `nonblock`
    pub const NONBLOCK: u32 = 1 << 2;
    /// `rsync`
    pub const RSYNC: u32 = 1 << 3;
    /// `sync`
    pub const SYNC: u32 = 1 << 4;
}

/// `rights`.
pub mod rights {
    /// All of them.
    pub const ALL: u64 = (1 << 30) - 1;
    /// `fd_datasync`
    pub const FD_DATASYNC: u64 = 1 << 0;
    /// `fd_read`
    pub const FD_READ: u64 = 1 << 1;
    /// `fd_seek`
    pub const FD_SEEK: u64 = 1 << 2;
    /// `fd_fdstat_set_flags`
    pub const FD_FDSTAT_SET_FLAGS: u64 = 1 << 3;
    /// `fd_sync`
    pub const FD_SYNC: u64 = 1 << 4;
    /// `fd_tell`
    pub const FD_TELL: u64 = 1 << 5;
    /// `fd_write`
    pub const FD_WRITE: u64 = 1 << 6;
    /// `fd_advise`
    pub const FD_ADVISE: u64 = 1 << 7;
    /// `fd_allocate`
    pub const FD_ALLOCATE: u64 = 1 << 8;
    /// Those from `path_create_directory` to `path_open`.
    pub const PATHS: u64 = 0x1f << 9;
    /// `fd_readdir`
    pub const FD_READDIR: u64 = 1 << 14;
    /// Those from `path_readlink` to `path_filestat_get`.
    pub const MORE_PATHS: u64 = 0xf << 15;
    /// `path_filestat_set_size`
    pub const PATH_FILESTAT_SET_SIZE: u64 = 1 << 19;
    /// `path_filestat_set_times`
    pub const PATH_FILESTAT_SET_TIMES: u64 = 1 << 20;
    /// `fd_filestat_get`
    pub const FD_FILESTAT_GET: u64 = 1 << 21;
    /// `fd_filestat_set_size`
    pub const FD_FILESTAT_SET_SIZE: u64 = 1 << 22;
    /// `fd_filestat_set_times`
    pub const FD_FILESTAT_SET_TIMES: u64 = 1 << 23;
    /// `path_symlink`, `path_remove_directory` and `path_unlink_file`
    pub const LAST_PATHS: u64 = 0x7 << 24;
    /// `poll_fd_readwrite`
    pub const POLL_FD_READWRITE: u64 = 1 << 27;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_name_is_refused() {
        assert_eq!(check_flags(0x1f, 16, 5), Ok(0x1f));
        assert_eq!(check_flags(0x20, 16, 5), Err(Errno::INVAL));
        assert_eq!(check_flags(0x1_0000, 16, 5), Err(Errno::OVERFLOW));
        assert_eq!(check_lookup(2), Err(Errno::INVAL));
        assert_eq!(check_lookup(u32::MAX), Err(Errno::OVERFLOW));
        assert_eq!(check_case(2, 3), Ok(2));
        assert_eq!(
            (check_case(3, 3), check_case(256, 3)),
            (Err(Errno::INVAL), Err(Errno::OVERFLOW))
        );
        assert_eq!(check_rights(1 << 30), Err(Errno::INVAL));
        assert_eq!(check_rights(u64::MAX), Err(Errno::OVERFLOW));
        assert_eq!((check_clock(3), check_clock(4)), (Ok(3), Err(Errno::INVAL)));
    }
}
