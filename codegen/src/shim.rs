//! The runtime shim's objects, as the build script made them.

use crate::error::{Error, Result};
use target_lexicon::{Architecture, OperatingSystem, Triple};

const X86_64_LINUX: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/shim-x86_64-unknown-linux-gnu.o"));

/// The shim's object for a target.
///
/// # Errors
///
/// `Unsupported` if this build of the compiler has none.
pub fn shim_object(triple: &Triple) -> Result<&'static [u8]> {
    let object = match (triple.architecture, triple.operating_system) {
        (Architecture::X86_64, OperatingSystem::Linux) => X86_64_LINUX,
        _ => &[],
    };
    if object.is_empty() {
        return Err(Error::unsupported(format!(
            "executables for `{triple}`: this compiler was built without the runtime shim for it"
        )));
    }
    Ok(object)
}
