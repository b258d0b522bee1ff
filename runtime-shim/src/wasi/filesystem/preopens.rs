//! `wasi:filesystem/preopens`: the folders that were granted.

use super::resolve::to_c_string;
use super::{Descriptor, add, descriptor_flags};
use crate::wasi::abi::{List, ListBuilder, Out, string_from};
use crate::wasi::files;
use crate::wasi::grants::{self, Folder};
use rustix::fd::OwnedFd;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

/// A granted folder.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Preopen {
    descriptor: u32,
    name: List<u8>,
}

/// `get-directories`.
#[unsafe(export_name = "wasi_filesystem_preopens__get_directories")]
pub extern "C" fn get_directories(out: Out<List<Preopen>>) {
    let mut preopens = ListBuilder::with_capacity(grants::folders().count());
    for folder in grants::folders() {
        let descriptor = add(open_granted(&folder));
        preopens.push(Preopen { descriptor, name: string_from(folder.guest) });
    }
    out.write(preopens.finish());
}

/// Opens a granted folder. One that cannot be opened is there all the same, and whatever the guest
/// does with it yields the reason: a missing folder is told apart from one that was not granted.
pub fn open_granted(folder: &Folder<'_>) -> Descriptor {
    let file = match open_host_folder(folder.host) {
        Ok(fd) => files::add(fd),
        Err(errno) => files::add_failed(errno),
    };
    let change = if folder.read_only { 0 } else { descriptor_flags::MUTATE_DIRECTORY };
    let flags = descriptor_flags::READ | change;
    Descriptor { file, is_folder: true, flags, read_only: folder.read_only }
}

fn open_host_folder(path: &[u8]) -> Result<OwnedFd, Errno> {
    let path = to_c_string(path)?;
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    match openat(CWD, path, flags | OFlags::RDONLY, Mode::empty()) {
        // It may still be allowed to reach what lies in it.
        Err(Errno::ACCESS) => openat(CWD, path, flags | OFlags::PATH, Mode::empty()),
        opened => opened,
    }
}
