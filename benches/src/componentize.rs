//! Core modules for WASI preview 1 as components, so that every engine gets the same input.

use crate::workshop::Workshop;
use std::fs;
use std::path::{Path, PathBuf};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// What stands before the time in what a timed module writes to standard error.
const MARK: &[u8; 8] = b"_NANOS__";

/// The interfaces that the stopwatch needs.
const STOPWATCH_WIT: &str = "
    package benches:stopwatch;
    world stopwatch {
        import wasi:clocks/monotonic-clock@0.2.0;
        import wasi:cli/stderr@0.2.0;
        import wasi:io/streams@0.2.0;
    }
    package wasi:io@0.2.0 {
        interface error { resource error; }
        interface streams {
            use error.{error};
            variant stream-error { last-operation-failed(error), closed }
            resource output-stream {
                blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
            }
        }
    }
    package wasi:cli@0.2.0 {
        interface stderr {
            use wasi:io/streams@0.2.0.{output-stream};
            get-stderr: func() -> output-stream;
        }
    }
    package wasi:clocks@0.2.0 {
        interface monotonic-clock { type instant = u64; now: func() -> instant; }
    }";

/// What the modules of sightglass import to mark the part that counts. It has no memory of its own,
/// so it borrows 32 bytes of the module's while it writes the time.
const STOPWATCH: &str = r#"
(module
  (import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $now (result i64)))
  (import "wasi:cli/stderr@0.2.0" "get-stderr" (func $stderr (result i32)))
  (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
    (func $write (param i32 i32 i32 i32)))
  (import "env" "memory" (memory 0))
  (global $start (mut i64) (i64.const 0))
  (func (export "start") (global.set $start (call $now)))
  (func (export "end")
    (local $nanos i64) (local $0 i64) (local $1 i64) (local $2 i64) (local $3 i64)
    (local.set $nanos (i64.sub (call $now) (global.get $start)))
    (local.set $0 (i64.load (i32.const 16)))
    (local.set $1 (i64.load (i32.const 24)))
    (local.set $2 (i64.load (i32.const 32)))
    (local.set $3 (i64.load (i32.const 40)))
    (i64.store (i32.const 16) (i64.const 0x5f5f534f4e414e5f))
    (i64.store (i32.const 24) (local.get $nanos))
    (call $write (call $stderr) (i32.const 16) (i32.const 16) (i32.const 32))
    (i64.store (i32.const 16) (local.get $0))
    (i64.store (i32.const 24) (local.get $1))
    (i64.store (i32.const 32) (local.get $2))
    (i64.store (i32.const 40) (local.get $3))))
"#;

/// The time that a timed module wrote to standard error.
pub fn find_nanos(stderr: &[u8]) -> Option<f64> {
    let at = stderr.windows(MARK.len()).rposition(|window| window == MARK)?;
    let nanos = stderr.get(at + 8..at + 16)?.first_chunk::<8>()?;
    Some(u64::from_le_bytes(*nanos) as f64)
}

/// Whether a file is a core module in binary form.
#[cfg(feature = "wasmtime")]
pub fn is_core_module(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm\x01\0\0\0")
}

impl Workshop {
    /// A component of the same behaviour: the file itself, unless it is a core module.
    #[cfg(feature = "wasmtime")]
    pub fn componentize(&self, input: &Path) -> Result<PathBuf, String> {
        let bytes = fs::read(input).map_err(|error| format!("{}: {error}", input.display()))?;
        if !is_core_module(&bytes) {
            return Ok(input.to_path_buf());
        }
        let name = input.file_stem().map_or_else(String::new, |stem| stem.display().to_string());
        let component = encode(&bytes, None).map_err(|error| format!("{name}: {error:?}"))?;
        self.write(&format!("{name}.component.wasm"), component)
    }

    /// A component of a module that marks the part of it that counts.
    pub fn componentize_timed(&self, input: &Path, name: &str) -> Result<PathBuf, String> {
        let bytes = fs::read(input).map_err(|error| format!("{}: {error}", input.display()))?;
        let stopwatch = stopwatch().map_err(|error| format!("{error:?}"))?;
        let component = encode(&bytes, Some(&stopwatch));
        let component = component.map_err(|error| format!("{name}: {error:?}"))?;
        self.write(&format!("{name}.component.wasm"), component)
    }
}

fn stopwatch() -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut resolve = Resolve::new();
    let package = resolve.push_str("stopwatch.wit", STOPWATCH_WIT)?;
    let world = resolve.select_world(&[package], None)?;
    let mut module = wat::parse_str(STOPWATCH)?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    Ok(module)
}

fn encode(module: &[u8], stopwatch: Option<&[u8]>) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut encoder = ComponentEncoder::default();
    encoder.module(module)?;
    encoder.adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER)?;
    if let Some(stopwatch) = stopwatch {
        encoder.adapter("bench", stopwatch)?;
    }
    Ok(encoder.encode()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_what_the_stopwatch_writes() {
        assert!(STOPWATCH.contains(&format!("{:#x}", u64::from_le_bytes(*MARK))));
        let mut stderr = b"noise _NANOS__".to_vec();
        stderr.extend(1234u64.to_le_bytes());
        stderr.push(b'\n');
        assert_eq!(find_nanos(&stderr), Some(1234.0));
        assert_eq!(find_nanos(b"_NANOS__123"), None);
    }
}
