//! The runtime shim's objects, as the build script made or found them.

use crate::error::{Error, Result};
use target_lexicon::{Architecture, OperatingSystem, Triple};

const X86_64: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/shim-x86_64-unknown-linux-gnu.o"));
const AARCH64: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/shim-aarch64-unknown-linux-gnu.o"));
const RISCV64: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/shim-riscv64gc-unknown-linux-gnu.o"));
const S390X: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/shim-s390x-unknown-linux-gnu.o"));

/// The shim's object for a target.
///
/// # Errors
///
/// `Unsupported` if this build of the compiler has none.
pub fn shim_object(triple: &Triple) -> Result<&'static [u8]> {
    let object = match (triple.architecture, triple.operating_system) {
        (Architecture::X86_64, OperatingSystem::Linux) => X86_64,
        (Architecture::Aarch64(_), OperatingSystem::Linux) => AARCH64,
        (Architecture::Riscv64(_), OperatingSystem::Linux) => RISCV64,
        (Architecture::S390x, OperatingSystem::Linux) => S390X,
        _ => &[],
    };
    if object.is_empty() {
        return Err(Error::unsupported(format!(
            "executables for `{triple}`: this compiler was built without the runtime shim for it"
        ))
        .help("`wasmelt targets` lists those that work"));
    }
    Ok(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::MACHINES;
    use std::path::Path;

    /// Nothing of a program but its shim could depend on where its compiler was built.
    #[test]
    fn the_objects_are_those_that_every_build_of_the_compiler_has() {
        let shim = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime-shim");
        let check = ["--check", "--status", "prebuilt/SOURCES"];
        let status =
            std::process::Command::new("sha256sum").args(check).current_dir(&shim).status();
        if !status.is_ok_and(|status| status.success()) {
            // While the shim is being changed the one for this machine is built with the compiler.
            println!("skipped: the shim's sources have changed");
            return;
        }
        for machine in MACHINES {
            let triple = machine.target().triple;
            let path = shim.join(format!("prebuilt/{triple}.o"));
            let name =
                path.file_name().unwrap().to_string_lossy().replace("riscv64-", "riscv64gc-");
            let prebuilt = std::fs::read(path.with_file_name(name)).unwrap();
            assert!(shim_object(&triple).unwrap() == prebuilt, "{triple}");
        }
    }
}
