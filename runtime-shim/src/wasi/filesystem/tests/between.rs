//! What happens between two granted folders, and to files of one granted for reading.

use super::*;

/// Two folders, the first granted for reading, and each granted once.
fn two_folders(sandbox: &Sandbox) -> (u32, u32) {
    for name in ["kept", "open"] {
        std::fs::create_dir(sandbox.inside.join(name)).unwrap();
        std::fs::write(sandbox.inside.join(name).join("file"), name).unwrap();
    }
    let grant = |name: &str, read_only| {
        let host = sandbox.inside.join(name);
        let host = host.as_os_str().as_bytes();
        super::super::add(open_granted(&Folder { host, guest: b"/", read_only }))
    };
    (grant("kept", true), grant("open", false))
}

fn rename(from: u32, old: &str, to: u32, new: &str) -> Answer<()> {
    // SAFETY: the paths are valid during the call.
    with_path(old, |at, len, out| unsafe {
        paths::rename_at(from, at, len, to, new.as_ptr(), new.len(), out)
    })
}

fn link(from: u32, old: &str, to: u32, new: &str) -> Answer<()> {
    // SAFETY: the paths are valid during the call.
    with_path(old, |at, len, out| unsafe {
        paths::link_at(from, 0, at, len, to, new.as_ptr(), new.len(), out)
    })
}

#[test]
fn files_are_neither_moved_nor_linked_out_of_a_folder_granted_for_reading() {
    let sandbox = Sandbox::new();
    let (kept, open) = two_folders(&sandbox);
    // A link in the other folder would make the file writable.
    assert_eq!(link(kept, "file", open, "stolen"), Err(ErrorCode::ReadOnly));
    assert_eq!(rename(kept, "file", open, "stolen"), Err(ErrorCode::ReadOnly));
    assert_eq!(link(open, "file", kept, "planted"), Err(ErrorCode::ReadOnly));
    assert_eq!(rename(open, "file", kept, "file"), Err(ErrorCode::ReadOnly));
    let names = |name: &str| std::fs::read_dir(sandbox.inside.join(name)).unwrap().count();
    assert_eq!((names("kept"), names("open")), (1, 1));
    assert_eq!(std::fs::read(sandbox.inside.join("kept/file")).unwrap(), b"kept");
}

#[test]
fn files_move_between_folders_granted_for_writing() {
    let sandbox = Sandbox::new();
    let (_, open) = two_folders(&sandbox);
    let all = sandbox.grant(false);
    assert_eq!(rename(all, "kept/file", open, "moved"), Ok(()));
    assert_eq!(link(open, "moved", all, "linked"), Ok(()));
    assert_eq!(std::fs::read(sandbox.inside.join("open/moved")).unwrap(), b"kept");
    assert_eq!(std::fs::read(sandbox.inside.join("linked")).unwrap(), b"kept");
    for (old, new) in [("moved", "../kept/x"), ("../kept", "x"), ("moved", "/x")] {
        assert_eq!(rename(open, old, open, new), Err(ErrorCode::NotPermitted), "{old} to {new}");
    }
}

#[test]
fn truncating_needs_a_folder_granted_for_writing() {
    let sandbox = Sandbox::new();
    let (kept, writable) = two_folders(&sandbox);
    for wanted in [flags::READ, flags::WRITE, flags::READ | flags::WRITE] {
        assert_eq!(open(kept, "file", TRUNCATE, wanted), Err(ErrorCode::ReadOnly));
        assert_eq!(open(kept, "file", CREATE | TRUNCATE, wanted), Err(ErrorCode::ReadOnly));
    }
    assert_eq!(std::fs::read(sandbox.inside.join("kept/file")).unwrap(), b"kept");
    open(writable, "file", TRUNCATE, flags::WRITE).unwrap();
    assert_eq!(std::fs::read(sandbox.inside.join("open/file")).unwrap(), b"");
}

#[test]
fn a_slash_behind_a_name_asks_for_a_folder() {
    let sandbox = Sandbox::new();
    let (_, open_folder) = two_folders(&sandbox);
    assert!(open(open_folder, "file/", 0, flags::READ).is_err());
    assert!(open(open_folder, "new/", CREATE, flags::WRITE).is_err());
    assert!(rename(open_folder, "file/", open_folder, "x").is_err());
    assert!(rename(open_folder, "file", open_folder, "x/").is_err());
    assert!(link(open_folder, "file", open_folder, "x/").is_err());
    // SAFETY: the path is valid during the call.
    let removed = with_path("file/", |at, len, out| unsafe {
        paths::unlink_file_at(open_folder, at, len, out)
    });
    assert!(removed.is_err());
    assert_eq!(std::fs::read_dir(sandbox.inside.join("open")).unwrap().count(), 1);
}
