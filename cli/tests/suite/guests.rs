//! Guests for tests of the host functions: core modules in `tests/sockets`, with the names that
//! bindings have, made components by the declarations of the shim.

use crate::support::{repository, wasmelt};
use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, UnresolvedPackageGroup};

/// All interfaces that these guests use.
const WORLD: &str = "
    package test:guest;
    world guest {
        import wasi:cli/exit@0.2.12;
        import wasi:cli/stdout@0.2.12;
        import wasi:io/poll@0.2.12;
        import wasi:io/streams@0.2.12;
        import wasi:filesystem/preopens@0.2.12;
        import wasi:filesystem/types@0.2.12;
        import wasi:sockets/instance-network@0.2.12;
        import wasi:sockets/ip-name-lookup@0.2.12;
        import wasi:sockets/network@0.2.12;
        import wasi:sockets/tcp@0.2.12;
        import wasi:sockets/tcp-create-socket@0.2.12;
        import wasi:sockets/udp@0.2.12;
        import wasi:sockets/udp-create-socket@0.2.12;
        export wasi:cli/run@0.2.12;
    }";

/// A guest's component. Each `{NAME}` in its text is replaced.
fn componentize(name: &str, replacements: &[(&str, u64)]) -> Vec<u8> {
    let path = repository().join("tests/sockets").join(name);
    let mut text = fs::read_to_string(&path).expect("the guest is there");
    for (name, value) in replacements {
        text = text.replace(&format!("{{{name}}}"), &value.to_string());
    }
    let mut resolve = Resolve::new();
    for (path, text) in wasmelt_abi::wit::FILES {
        let group = UnresolvedPackageGroup::parse(path, text).expect("the shim's declarations");
        resolve.push_group(group).expect("the shim's declarations");
    }
    let package = resolve.push_str("guest.wit", WORLD).expect("the world is well formed");
    let world = resolve.select_world(&[package], None).expect("there is one world");
    let mut module = wat::parse_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .expect("the module has no metadata yet");
    let mut encoder = ComponentEncoder::default();
    let encoded = encoder.module(&module).and_then(|encoder| encoder.encode());
    encoded.unwrap_or_else(|error| panic!("{name}: {error:#}"))
}

/// Builds a guest into `directory`. Returns the program's path.
pub fn build(
    directory: &Path,
    name: &str,
    replacements: &[(&str, u64)],
    options: &[&str],
) -> PathBuf {
    let input = directory.join("guest.wasm");
    fs::write(&input, componentize(name, replacements)).expect("tests can write temporary files");
    let program = directory.join("guest");
    let output = wasmelt()
        .arg("build")
        .arg(&input)
        .arg("-o")
        .arg(&program)
        .args(options)
        .output()
        .expect("the compiler can be run");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    program
}

/// An address for a server, and what it replaces in the server's text. A port that is free now may
/// be another test's by the time that the server is there; the whole network 127 is this machine's,
/// so every server has an address to itself.
pub fn own_address() -> (SocketAddrV4, [(&'static str, u64); 4]) {
    static COUNT: AtomicU8 = AtomicU8::new(1);
    const PORT: u16 = 40_000;
    let process = std::process::id();
    let [a, b] = [(process >> 8) as u8 | 0x80, process as u8];
    let c = COUNT.fetch_add(1, Ordering::Relaxed);
    let replacements = [("PORT", PORT.into()), ("A", a.into()), ("B", b.into()), ("C", c.into())];
    (SocketAddrV4::new(Ipv4Addr::new(127, a, b, c), PORT), replacements)
}
