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
