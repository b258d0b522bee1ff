//! Where test scripts are found. Not every test uses all of this.

#![allow(dead_code)]

use std::path::{Path, PathBuf};

/// The corpora's folder: what the environment variable `WASMELT_CORPORA` says, or
/// `../shared/corpora` beside the repository. Without one the caller is skipped, except under
/// `CI=true`, where that is a failure.
pub fn find_corpora() -> Option<PathBuf> {
    let path = match std::env::var_os("WASMELT_CORPORA") {
        Some(path) => PathBuf::from(path),
        None => repository().join("../shared/corpora"),
    };
    if path.is_dir() {
        return Some(path);
    }
    let message = format!("skipped: there are no corpora at {}", path.display());
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{message}");
    println!("{message}");
    None
}

/// The repository's root.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The scripts of a folder.
pub fn scripts_in(folder: &Path) -> Vec<PathBuf> {
    let is_script = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "wast");
    let mut files = entries(folder).into_iter().filter(is_script).collect::<Vec<_>>();
    files.sort();
    files
}

/// The scripts of a folder and of the folders in it.
pub fn scripts_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        files.extend(scripts_in(&folder));
        folders.extend(entries(&folder).into_iter().filter(|path| path.is_dir()));
    }
    files.sort();
    files
}

/// What a folder holds.
pub fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()));
    entries.map(|entry| entry.expect("the folder stays readable").path()).collect()
}
