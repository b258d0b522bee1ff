//! The functions of WASI preview 1: what the compiler checks a core module's imports against, and
//! what the shim implements.
//!
//! The symbol of a function is `wasi_snapshot_preview1__` and its name. Natively it is
//! `extern "C" fn(memory: &MemoryState, ...)`: the memory of the core instance that calls, then the
//! function's own parameters. All are unsigned; the result is an error number, 0 for none.

/// What core modules import the functions from.
pub const MODULE: &str = "wasi_snapshot_preview1";

/// What a module exports the memory as that the functions work on.
pub const MEMORY: &str = "memory";

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is named after its type")]
pub enum Param {
    I32,
    I64,
}

/// A function.
#[derive(Clone, Copy, Debug)]
pub struct Func {
    /// Its name.
    pub name: &'static str,
    /// Its parameters.
    pub params: &'static [Param],
    /// Whether it returns an error number, an `i32`; else nothing.
    pub has_result: bool,
    /// Whether it finds something by a path, which takes a directory that was granted.
    pub takes_path: bool,
}

impl Func {
    const fn new(name: &'static str, params: &'static [Param]) -> Func {
        Func { name, params, has_result: true, takes_path: false }
    }

    const fn of_path(name: &'static str, params: &'static [Param]) -> Func {
        Func { takes_path: true, ..Func::new(name, params) }
    }
}

/// The function of that name.
pub fn find(name: &str) -> Option<&'static Func> {
    FUNCS.iter().find(|func| func.name == name)
}

use Param::{I32, I64};

/// All functions.
pub const FUNCS: &[Func] = &[
    Func::new("args_get", &[I32, I32]),
    Func::new("args_sizes_get", &[I32, I32]),
    Func::new("environ_get", &[I32, I32]),
    Func::new("environ_sizes_get", &[I32, I32]),
    Func::new("clock_res_get", &[I32, I32]),
    Func::new("clock_time_get", &[I32, I64, I32]),
    Func::new("fd_advise", &[I32, I64, I64, I32]),
    Func::new("fd_allocate", &[I32, I64, I64]),
    Func::new("fd_close", &[I32]),
    Func::new("fd_datasync", &[I32]),
    Func::new("fd_fdstat_get", &[I32, I32]),
    Func::new("fd_fdstat_set_flags", &[I32, I32]),
    Func::new("fd_fdstat_set_rights", &[I32, I64, I64]),
    Func::new("fd_filestat_get", &[I32, I32]),
    Func::new("fd_filestat_set_size", &[I32, I64]),
    Func::new("fd_filestat_set_times", &[I32, I64, I64, I32]),
    Func::new("fd_pread", &[I32, I32, I32, I64, I32]),
    Func::new("fd_prestat_dir_name", &[I32, I32, I32]),
    Func::new("fd_prestat_get", &[I32, I32]),
    Func::new("fd_pwrite", &[I32, I32, I32, I64, I32]),
    Func::new("fd_read", &[I32, I32, I32, I32]),
    Func::new("fd_readdir", &[I32, I32, I32, I64, I32]),
    Func::new("fd_renumber", &[I32, I32]),
    Func::new("fd_seek", &[I32, I64, I32, I32]),
    Func::new("fd_sync", &[I32]),
    Func::new("fd_tell", &[I32, I32]),
    Func::new("fd_write", &[I32, I32, I32, I32]),
    Func::of_path("path_create_directory", &[I32, I32, I32]),
    Func::of_path("path_filestat_get", &[I32, I32, I32, I32, I32]),
    Func::of_path("path_filestat_set_times", &[I32, I32, I32, I32, I64, I64, I32]),
    Func::of_path("path_link", &[I32, I32, I32, I32, I32, I32, I32]),
    Func::of_path("path_open", &[I32, I32, I32, I32, I32, I64, I64, I32, I32]),
    Func::of_path("path_readlink", &[I32, I32, I32, I32, I32, I32]),
    Func::of_path("path_remove_directory", &[I32, I32, I32]),
    Func::of_path("path_rename", &[I32, I32, I32, I32, I32, I32]),
    Func::of_path("path_symlink", &[I32, I32, I32, I32, I32]),
    Func::of_path("path_unlink_file", &[I32, I32, I32]),
    Func::new("poll_oneoff", &[I32, I32, I32, I32]),
    Func { has_result: false, ..Func::new("proc_exit", &[I32]) },
    Func::new("proc_raise", &[I32]),
    Func::new("random_get", &[I32, I32]),
    Func::new("sched_yield", &[]),
    Func::new("sock_accept", &[I32, I32, I32]),
    Func::new("sock_recv", &[I32, I32, I32, I32, I32, I32]),
    Func::new("sock_send", &[I32, I32, I32, I32, I32]),
    Func::new("sock_shutdown", &[I32, I32]),
];
