//! Leaves the runtime shim as one relocatable object per target.
//!
//! The objects are in the repository, made by `runtime-shim/build-prebuilt`, so that a
//! program has the same bytes whichever machine its compiler was built on. While the
//! shim is being changed they do not fit its sources; then the one for this machine is
//! built here. It is freestanding: compiled for Linux it needs neither a linker nor a C
//! compiler, only the standard library's `core`, which a toolchain has for its host.
//! With link-time optimisation over everything the archive that rustc writes has one
//! member of interest, the shim with all it uses.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The targets of the shim, as `src/shim.rs` names them.
const TARGETS: &[&str] = &[
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "riscv64gc-unknown-linux-gnu",
    "s390x-unknown-linux-gnu",
];

/// What changes the shim's object, relative to the workspace.
const SOURCES: &[&str] = &["runtime-shim", "Cargo.toml", "Cargo.lock"];

fn main() {
    let workspace = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("..");
    let out = PathBuf::from(variable("OUT_DIR"));
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", workspace.join(source).display());
    }
    let host = variable("HOST");
    let is_changed = !fits_prebuilt(&workspace.join("runtime-shim"));
    for target in TARGETS {
        let object = match *target == host && is_changed {
            true => build_shim(&workspace, &out, target),
            // The compiler builds everywhere; without a shim it can write objects only.
            false => fs::read(workspace.join(format!("runtime-shim/prebuilt/{target}.o")))
                .unwrap_or_default(),
        };
        let path = out.join(format!("shim-{target}.o"));
        fs::write(&path, object).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

/// Whether the prebuilt objects are made from the sources as they are now. Where that cannot be
/// found out nobody is changing them.
fn fits_prebuilt(shim: &Path) -> bool {
    let check = "sha256sum --check --status prebuilt/SOURCES";
    let status = Command::new("sh").args(["-c", check]).current_dir(shim).status();
    // The shell's own code for a program that it does not find.
    status.map_or(true, |status| status.success() || status.code() == Some(127))
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name} for build scripts"))
}

/// Compiles the shim and returns its object file.
fn build_shim(workspace: &Path, out: &Path, target: &str) -> Vec<u8> {
    let target_dir = out.join("shim");
    let mut cargo = Command::new(variable("CARGO"));
    cargo
        .current_dir(workspace)
        .args(["rustc", "--package", "wasmelt-shim", "--lib", "--profile", "shim"])
        .args(["--crate-type", "staticlib", "--target", target, "--target-dir"])
        .arg(&target_dir)
        // Tables for unwinding, which debuggers read; and code that runs at any address,
        // because it lies above 4 GiB.
        .env("RUSTFLAGS", "-Cforce-unwind-tables=yes -Crelocation-model=pic");
    // What the outer build was started with is not for this one.
    for name in [
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "CARGO_TARGET_DIR",
        "CARGO_MAKEFLAGS",
        "MAKEFLAGS",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_WRAPPER",
        "CLIPPY_ARGS",
    ] {
        cargo.env_remove(name);
    }
    let output = cargo.output().unwrap_or_else(|error| panic!("cannot start cargo: {error}"));
    if !output.status.success() {
        panic!("the runtime shim does not build:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let archive = target_dir.join(target).join("shim/libwasmelt_shim.a");
    let bytes = fs::read(&archive).unwrap_or_else(|error| panic!("{}: {error}", archive.display()));
    let member = find_member(&bytes, "wasmelt_shim");
    member.unwrap_or_else(|| panic!("{} has no object of the shim", archive.display())).to_vec()
}

/// The first member of a Unix archive whose name begins like that.
///
/// A member is a header of 60 bytes and its contents, padded to an even size. A name that is
/// longer than 15 bytes stands in the member `//`, and the header holds its offset there.
fn find_member<'a>(archive: &'a [u8], prefix: &str) -> Option<&'a [u8]> {
    let mut rest = archive.strip_prefix(b"!<arch>\n")?;
    let mut long_names: &[u8] = &[];
    while rest.len() >= 60 {
        let (header, after) = rest.split_at(60);
        let size: usize = std::str::from_utf8(&header[48..58]).ok()?.trim().parse().ok()?;
        let contents = after.get(..size)?;
        let name = std::str::from_utf8(&header[..16]).ok()?.trim_end();
        let name = match name.strip_prefix('/').map(str::parse::<usize>) {
            Some(Ok(offset)) => long_names.get(offset..)?,
            _ => name.as_bytes(),
        };
        if header.starts_with(b"// ") {
            long_names = contents;
        } else if name.starts_with(prefix.as_bytes()) {
            return Some(contents);
        }
        rest = after.get(size.next_multiple_of(2)..)?;
    }
    None
}
