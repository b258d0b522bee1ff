//! Calls host functions as adapters do, on folders of the test's own.

mod between;

use super::contents::{self, Chunk};
use super::entries;
use super::metadata::{self, DescriptorType};
use super::preopens::open_granted;
use super::{ErrorCode, Reply, descriptor_flags as flags, paths, resolve, walk};
use crate::single::take_turn;
use crate::wasi::abi::{List, Outcome, StreamError};
use crate::wasi::grants::Folder;
use crate::wasi::io::{input, output};
use core::mem::MaybeUninit;
use rustix::fs::{Mode, OFlags, fstat};
use rustix::io::Errno;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::MutexGuard;
use std::sync::atomic::{AtomicU32, Ordering};

const CREATE: u32 = 1;
const DIRECTORY: u32 = 2;
const EXCLUSIVE: u32 = 4;
const TRUNCATE: u32 = 8;

type Answer<T> = Result<T, ErrorCode>;

/// A folder that a test may fill, and what is outside of it.
struct Sandbox {
    _turn: MutexGuard<'static, ()>,
    outside: PathBuf,
    inside: PathBuf,
}

impl Sandbox {
    fn new() -> Sandbox {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let turn = take_turn();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("wasmelt-shim-{}-{count}", std::process::id());
        let outside = std::env::temp_dir().join(name);
        let inside = outside.join("inside");
        std::fs::create_dir_all(&inside).unwrap();
        std::fs::write(outside.join("secret"), "secret").unwrap();
        Sandbox { _turn: turn, outside, inside }
    }

    fn grant(&self, read_only: bool) -> u32 {
        let host = self.inside.as_os_str().as_bytes();
        super::add(open_granted(&Folder { host, guest: b"/", read_only }))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.outside);
    }
}

/// Calls a function that returns a `result`.
fn call<T: Copy, E: Copy>(function: impl FnOnce(&mut MaybeUninit<Outcome<T, E>>)) -> Result<T, E> {
    let mut out = MaybeUninit::uninit();
    function(&mut out);
    // SAFETY: every function writes its result.
    unsafe { out.assume_init() }.into_result()
}

fn with_path<T: Copy>(path: &str, function: impl FnOnce(*const u8, usize, Reply<T>)) -> Answer<T> {
    call(|out| function(path.as_ptr(), path.len(), out))
}

fn open(folder: u32, path: &str, how: u32, wanted: u32) -> Answer<u32> {
    // SAFETY: the path is valid during the call.
    with_path(path, |at, len, out| unsafe { paths::open_at(folder, 1, at, len, how, wanted, out) })
}

fn write(file: u32, text: &str, offset: u64) -> Answer<u64> {
    // SAFETY: the text is valid during the call.
    call(|out| unsafe { contents::write(file, text.as_ptr(), text.len(), offset, out) })
}

fn read(file: u32, length: u64, offset: u64) -> Answer<(&'static str, bool)> {
    let chunk: Answer<Chunk> = call(|out| contents::read(file, length, offset, out));
    chunk.map(|chunk| (text(&chunk.bytes), chunk.at_end != 0))
}

fn text(list: &List<u8>) -> &'static str {
    core::str::from_utf8(list.as_slice()).unwrap()
}

fn put(stream: u32, text: &str) -> Result<(), StreamError> {
    // SAFETY: the text is valid during the call.
    call(|out| unsafe { output::blocking_write_and_flush(stream, text.as_ptr(), text.len(), out) })
}

fn take(stream: u32, len: u64) -> Result<&'static str, StreamError> {
    call(|out| input::blocking_read(stream, len, out)).map(|list| text(&list))
}

#[test]
fn files_are_written_and_read() {
    let sandbox = Sandbox::new();
    let folder = sandbox.grant(false);
    assert_eq!(open(folder, "a", 0, flags::READ), Err(ErrorCode::NoEntry));
    let file = open(folder, "a", CREATE | EXCLUSIVE, flags::READ | flags::WRITE).unwrap();
    assert_eq!(write(file, "hello", 2), Ok(5));
    assert_eq!(read(file, 100, 0), Ok(("\0\0hello", false)));
    assert_eq!(read(file, 3, 3), Ok(("ell", false)));
    assert_eq!(read(file, 3, 7), Ok(("", true)));
    assert_eq!(call(|out| contents::set_size(file, 4, out)), Ok(()));
    assert_eq!(call(|out| contents::sync(file, out)), Ok(()));
    let stat = call(|out| metadata::stat(file, out)).unwrap();
    assert_eq!((stat.ty, stat.size, stat.link_count), (DescriptorType::RegularFile, 4, 1));
    assert_eq!(open(folder, "a", CREATE | EXCLUSIVE, flags::WRITE), Err(ErrorCode::Exist));
    let read_only = open(folder, "a", 0, flags::READ).unwrap();
    assert_eq!(write(read_only, "x", 0), Err(ErrorCode::NotPermitted));
    assert_eq!(
        call(|out| contents::write_via_stream(read_only, 0, out)),
        Err(ErrorCode::BadDescriptor)
    );
    assert_eq!(metadata::is_same_object(file, read_only), 1);
    let truncated = open(folder, "a", TRUNCATE, flags::WRITE).unwrap();
    assert_eq!(read(file, 10, 0), Ok(("", true)));
    assert_eq!(read(truncated, 10, 0), Err(ErrorCode::NotPermitted));
    for descriptor in [file, read_only, truncated, folder] {
        super::drop(descriptor);
    }
}

#[test]
fn streams_keep_their_positions() {
    let sandbox = Sandbox::new();
    let folder = sandbox.grant(false);
    let file = open(folder, "a", CREATE, flags::READ | flags::WRITE).unwrap();
    let out = call(|out| contents::write_via_stream(file, 0, out)).unwrap();
    let end = call(|out| contents::append_via_stream(file, out)).unwrap();
    assert_eq!((put(out, "one "), put(end, "two "), put(out, "six ")), (Ok(()), Ok(()), Ok(())));
    assert_eq!(put(end, "ten"), Ok(()));
    let source = call(|out| contents::read_via_stream(file, 0, out)).unwrap();
    // A stream does not need its descriptor.
    super::drop(file);
    assert_eq!(take(source, 4), Ok("one "));
    assert_eq!(call(|out| input::skip(source, 4, out)), Ok(4));
    assert_eq!(take(source, 100), Ok("ten"));
    assert_eq!(take(source, 100), Err(StreamError::CLOSED));
    assert_eq!(take(source, 100), Err(StreamError::CLOSED));

    let other = open(folder, "b", CREATE, flags::READ | flags::WRITE).unwrap();
    let copy = call(|out| contents::write_via_stream(other, 0, out)).unwrap();
    let again = open(folder, "a", 0, flags::READ).unwrap();
    let source_again = call(|out| contents::read_via_stream(again, 4, out)).unwrap();
    assert_eq!(call(|out| output::splice(copy, source_again, 100, out)), Ok(7));
    assert_eq!(call(|out| output::write_zeroes(copy, 0, out)), Ok(()));
    assert_eq!(call(|out| output::blocking_write_zeroes_and_flush(copy, 600, out)), Ok(()));
    assert_eq!(read(other, 9, 0), Ok(("six ten\0\0", false)));
    assert_eq!(read(other, 9, 605), Ok(("\0\0", false)));
    for stream in [out, end, copy] {
        output::drop(stream);
    }
    for stream in [source, source_again] {
        input::drop(stream);
    }
}

#[test]
fn folders_are_changed_and_listed() {
    let sandbox = Sandbox::new();
    let folder = sandbox.grant(false);
    // SAFETY: the paths are valid during the calls.
    unsafe {
        let create =
            |path| with_path(path, |at, len, out| paths::create_directory_at(folder, at, len, out));
        assert_eq!(
            (create("d"), create("d/e/"), create("d")),
            (Ok(()), Ok(()), Err(ErrorCode::Exist))
        );
        open(folder, "d/f", CREATE, flags::WRITE).unwrap();
        let rename = |from: &str, to: &str| {
            with_path(from, |at, len, out| {
                paths::rename_at(folder, at, len, folder, to.as_ptr(), to.len(), out)
            })
        };
        assert_eq!(rename("d/f", "g"), Ok(()));
        assert_eq!(rename("g", "nowhere/g"), Err(ErrorCode::NoEntry));
        let link = |from: &str, to: &str, follow| {
            with_path(from, |at, len, out| {
                paths::link_at(folder, follow, at, len, folder, to.as_ptr(), to.len(), out)
            })
        };
        assert_eq!(link("g", "h", 0), Ok(()));
        assert_eq!(link("g", "i", 1), Err(ErrorCode::Invalid));
        let symlink = |target: &str, path: &str| {
            with_path(target, |at, len, out| {
                paths::symlink_at(folder, at, len, path.as_ptr(), path.len(), out)
            })
        };
        assert_eq!(symlink("g", "s"), Ok(()));
        assert_eq!(symlink("/etc", "t"), Err(ErrorCode::NotPermitted));
        let read_link =
            |path| with_path(path, |at, len, out| paths::readlink_at(folder, at, len, out));
        assert_eq!(read_link("s").map(|list| text(&list)), Ok("g"));
        assert!(matches!(read_link("g"), Err(ErrorCode::Invalid)));
        let unlink =
            |path| with_path(path, |at, len, out| paths::unlink_file_at(folder, at, len, out));
        assert_eq!((unlink("h"), unlink("d")), (Ok(()), Err(ErrorCode::IsDirectory)));
        assert_eq!(unlink("g/"), Err(ErrorCode::NotDirectory));
        let remove =
            |path| with_path(path, |at, len, out| paths::remove_directory_at(folder, at, len, out));
        assert_eq!(remove("d"), Err(ErrorCode::NotEmpty));
        assert_eq!((remove("d/e"), remove("g")), (Ok(()), Err(ErrorCode::NotDirectory)));
    }
    assert_eq!(
        list(folder),
        [
            ("d", DescriptorType::Directory),
            ("g", DescriptorType::RegularFile),
            ("s", DescriptorType::SymbolicLink)
        ]
    );
    let file = open(folder, "g", 0, flags::READ).unwrap();
    assert_eq!(call(|out| entries::read_directory(file, out)), Err(ErrorCode::NotDirectory));
    assert_eq!(call(|out| contents::sync_data(folder, out)), Ok(()));
}

fn list(folder: u32) -> Vec<(&'static str, DescriptorType)> {
    let stream = call(|out| entries::read_directory(folder, out)).unwrap();
    let mut names = Vec::new();
    while let Some(entry) =
        call(|out| entries::read_directory_entry(stream, out)).unwrap().into_option()
    {
        names.push((text(&entry.name).to_string().leak() as &str, entry.ty));
    }
    entries::drop(stream);
    names.sort_unstable_by_key(|(name, _)| *name);
    names
}

#[test]
fn large_folders_are_listed_whole() {
    let sandbox = Sandbox::new();
    for index in 0..1500 {
        std::fs::write(sandbox.inside.join(format!("file-with-a-longer-name-{index}")), "")
            .unwrap();
    }
    assert_eq!(list(sandbox.grant(true)).len(), 1500);
}

#[test]
fn times_are_set() {
    let sandbox = Sandbox::new();
    let folder = sandbox.grant(false);
    let file = open(folder, "a", CREATE, flags::WRITE).unwrap();
    symlink("a", sandbox.inside.join("s")).unwrap();
    assert_eq!(call(|out| metadata::set_times(file, 2, 1000, 5, 0, 0, 0, out)), Ok(()));
    // SAFETY: the paths are valid during the calls.
    unsafe {
        let set = |path, follow, seconds| {
            with_path(path, |at, len, out| {
                metadata::set_times_at(folder, follow, at, len, 0, 0, 0, 2, seconds, 7, out)
            })
        };
        assert_eq!((set("s", 1, 2000), set("s", 0, 3000)), (Ok(()), Ok(())));
        assert_eq!(set("../secret", 1, 1), Err(ErrorCode::NotPermitted));
        let modified = |path, follow| {
            let stat =
                with_path(path, |at, len, out| metadata::stat_at(folder, follow, at, len, out));
            stat.unwrap().modified.into_option().unwrap().seconds
        };
        assert_eq!((modified("a", 0), modified("s", 1), modified("s", 0)), (2000, 2000, 3000));
    }
    let stat = call(|out| metadata::stat(file, out)).unwrap();
    assert_eq!(stat.accessed.into_option().unwrap().seconds, 1000);
    assert_eq!(
        call(|out| metadata::set_times(file, 2, 0, 1_000_000_000, 0, 0, 0, out)),
        Err(ErrorCode::Invalid)
    );
}

#[test]
fn nothing_is_changed_in_a_folder_granted_for_reading() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.inside.join("a"), "text").unwrap();
    std::fs::create_dir(sandbox.inside.join("d")).unwrap();
    let folder = sandbox.grant(true);
    let file = open(folder, "a", 0, flags::READ).unwrap();
    assert_eq!(read(file, 9, 0), Ok(("text", false)));
    let below = open(folder, "d", DIRECTORY, flags::READ | flags::MUTATE_DIRECTORY).unwrap();
    assert_eq!(call(|out| metadata::get_flags(below, out)), Ok(flags::READ as u8));
    for folder in [folder, below] {
        assert_eq!(open(folder, "b", CREATE, flags::READ), Err(ErrorCode::ReadOnly));
        assert_eq!(open(folder, "b", TRUNCATE, flags::READ), Err(ErrorCode::ReadOnly));
        assert_eq!(open(folder, "b", 0, flags::WRITE), Err(ErrorCode::ReadOnly));
        // SAFETY: the path is valid during the call.
        let made = with_path("x", |at, len, out| unsafe {
            paths::create_directory_at(folder, at, len, out)
        });
        assert_eq!(made, Err(ErrorCode::ReadOnly));
    }
    assert_eq!(
        call(|out| metadata::set_times(file, 1, 0, 0, 1, 0, 0, out)),
        Err(ErrorCode::ReadOnly)
    );
}

#[test]
fn a_missing_folder_says_so_when_it_is_used() {
    let sandbox = Sandbox::new();
    let host = sandbox.outside.join("missing");
    let host = host.as_os_str().as_bytes();
    let folder = super::add(open_granted(&Folder { host, guest: b"/", read_only: false }));
    assert_eq!(open(folder, "a", CREATE, flags::WRITE), Err(ErrorCode::NoEntry));
    assert!(matches!(call(|out| metadata::stat(folder, out)), Err(ErrorCode::NoEntry)));
    super::drop(folder);
}

/// What a path leads to, or why it does not.
fn outcome(opened: Result<rustix::fd::OwnedFd, Errno>) -> Result<u64, Errno> {
    Ok(fstat(opened?)?.st_ino)
}

#[test]
fn the_walk_agrees_with_the_kernel() {
    let sandbox = Sandbox::new();
    let at = |path: &str| sandbox.inside.join(path);
    std::fs::create_dir_all(at("d/e/f")).unwrap();
    std::fs::write(at("d/file"), "").unwrap();
    for (target, link) in [
        ("d", "to-d"),
        ("d/file", "to-file"),
        ("to-d/e/../file", "round"),
        ("../inside/d", "out-and-in"),
        ("..", "out"),
        ("/etc", "absolute"),
        ("loop", "loop"),
        ("missing", "dangling"),
        ("../../d/file", "d/e/up"),
        ("d/", "to-d-slash"),
        ("e/../../../secret", "d/escape"),
    ] {
        symlink(target, at(link)).unwrap();
    }
    let start =
        rustix::fs::open(sandbox.inside.as_os_str().as_bytes(), OFlags::DIRECTORY, Mode::empty())
            .unwrap();
    let start = rustix::fd::AsFd::as_fd(&start);
    let paths = [
        "",
        "/",
        "/etc",
        ".",
        "./",
        "./.",
        "d",
        "d/",
        "d//",
        "d/.",
        "d/e/..",
        "d/..",
        "d/../d/e/../file",
        "..",
        "../inside",
        "d/../..",
        "d/e/../../..",
        "missing",
        "missing/",
        "missing/x",
        "d/file",
        "d/file/",
        "d/file/x",
        "d/file/..",
        "to-d",
        "to-d/",
        "to-d/file",
        "to-d/..",
        "to-file",
        "to-file/",
        "round",
        "out-and-in",
        "out",
        "out/secret",
        "out/inside",
        "absolute",
        "absolute/passwd",
        "loop",
        "loop/",
        "dangling",
        "dangling/",
        "d/e/up",
        "d/e/f/../up",
        "to-d-slash",
        "to-d-slash/e",
        "to-d-slash/",
        "d/escape",
        "to-d/e/f/../../../to-d",
    ];
    for path in paths {
        for flags in [
            OFlags::PATH,
            OFlags::PATH | OFlags::NOFOLLOW,
            OFlags::PATH | OFlags::DIRECTORY,
            OFlags::RDONLY,
            OFlags::RDONLY | OFlags::NOFOLLOW,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW,
        ] {
            let kernel = outcome(resolve::open(start, path.as_bytes(), flags, Mode::empty()));
            let walk = outcome(walk::open(start, path.as_bytes(), flags, Mode::empty()));
            assert_eq!(walk, kernel, "`{path}` with {flags:?}");
        }
    }
    crate::scratch::wasmelt_scratch_reset();
}

#[test]
fn no_function_leaves_the_folder() {
    let sandbox = Sandbox::new();
    let folder = sandbox.grant(false);
    symlink("..", sandbox.inside.join("out")).unwrap();
    symlink("../secret", sandbox.inside.join("link")).unwrap();
    let escapes = ["../secret", "out/secret", "/etc/passwd", "out/../../secret", "./../secret"];
    // SAFETY: the paths are valid during the calls.
    unsafe {
        for path in escapes {
            let refused = Err(ErrorCode::NotPermitted);
            assert_eq!(open(folder, path, 0, flags::READ), refused, "{path}");
            assert_eq!(open(folder, path, CREATE, flags::WRITE), refused, "{path}");
            let answers: [Answer<()>; 5] = [
                with_path(path, |at, len, out| paths::unlink_file_at(folder, at, len, out)),
                with_path(path, |at, len, out| paths::remove_directory_at(folder, at, len, out)),
                with_path(path, |at, len, out| paths::create_directory_at(folder, at, len, out)),
                with_path(path, |at, len, out| metadata::stat_at(folder, 0, at, len, out))
                    .map(|_| ()),
                with_path(path, |at, len, out| paths::readlink_at(folder, at, len, out))
                    .map(|_| ()),
            ];
            assert_eq!(answers, [Err(ErrorCode::NotPermitted); 5], "{path}");
            let moved = with_path(path, |at, len, out| {
                paths::rename_at(folder, at, len, folder, "x".as_ptr(), 1, out)
            });
            assert_eq!(moved, Err(ErrorCode::NotPermitted), "{path}");
            let linked = with_path("link", |at, len, out| {
                paths::link_at(folder, 0, at, len, folder, path.as_ptr(), path.len(), out)
            });
            assert_eq!(linked, Err(ErrorCode::NotPermitted), "{path}");
        }
        for path in ["link", "out/", "link/"] {
            let stat = with_path(path, |at, len, out| metadata::stat_at(folder, 1, at, len, out));
            assert!(stat.is_err(), "{path}");
        }
        let slash = with_path("out/", |at, len, out| metadata::stat_at(folder, 0, at, len, out));
        assert!(slash.is_err(), "a slash follows the link");
        let hash =
            with_path("out/", |at, len, out| metadata::metadata_hash_at(folder, 0, at, len, out));
        assert!(hash.is_err());
    }
    assert_eq!(std::fs::read(sandbox.outside.join("secret")).unwrap(), b"secret");
}
