//! What the builder lets the program use, and the bytes that say so in the executable.
//!
//! `docs/grants.md` describes both sides. Nothing is resolved here: a relative
//! host path means the directory of whoever runs the program.

use wasmelt_abi::image::Grant;

/// A directory, from `--dir HOST[::GUEST][:ro]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirGrant {
    /// Its path for the operating system.
    pub host: String,
    /// Its path for the program.
    pub guest: String,
    /// Whether the program may only read it.
    pub read_only: bool,
}

/// An environment variable, from `--env NAME[=VALUE]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvGrant {
    /// Its name.
    pub name: String,
    /// Its value; `None` is the caller's.
    pub value: Option<String>,
}

/// Parses `--dir`'s value.
///
/// # Errors
///
/// A sentence for the usage message.
pub fn parse_dir(text: &str) -> Result<DirGrant, String> {
    let (paths, read_only) = match text.strip_suffix(":ro") {
        Some(paths) => (paths, true),
        None => (text, false),
    };
    let (host, guest) = paths.split_once("::").unwrap_or((paths, paths));
    if host.is_empty() || guest.is_empty() {
        return Err("expected HOST[::GUEST][:ro], and neither path may be empty".to_string());
    }
    Ok(DirGrant { host: host.to_string(), guest: guest.to_string(), read_only })
}

/// Parses `--env`'s value.
///
/// # Errors
///
/// A sentence for the usage message.
pub fn parse_env(text: &str) -> Result<EnvGrant, String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_string())),
        None => (text, None),
    };
    if name.is_empty() {
        return Err("expected NAME[=VALUE]".to_string());
    }
    Ok(EnvGrant { name: name.to_string(), value })
}

/// Encodes grants as `wasmelt_abi::image::Grant` says, in the order they were given.
///
/// # Errors
///
/// A sentence that names a string of 4 GiB or more.
pub fn encode(dirs: &[DirGrant], envs: &[EnvGrant], inherit_env: bool) -> Result<Vec<u8>, String> {
    let mut blob = Vec::new();
    for dir in dirs {
        let kind = if dir.read_only { Grant::DirReadOnly } else { Grant::Dir };
        encode_record(&mut blob, kind, &[&dir.host, &dir.guest])?;
    }
    if inherit_env {
        encode_record(&mut blob, Grant::EnvInheritAll, &[])?;
    }
    for env in envs {
        match &env.value {
            Some(value) => encode_record(&mut blob, Grant::Env, &[&env.name, value])?,
            None => encode_record(&mut blob, Grant::EnvInherit, &[&env.name])?,
        }
    }
    Ok(blob)
}

fn encode_record(blob: &mut Vec<u8>, kind: Grant, strings: &[&str]) -> Result<(), String> {
    blob.push(kind as u8);
    for string in strings {
        let len_bytes = u32::try_from(string.len())
            .map_err(|_| format!("a grant of {} bytes is too long", string.len()))?;
        blob.extend_from_slice(&len_bytes.to_le_bytes());
        blob.extend_from_slice(string.as_bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dir(host: &str, guest: &str, read_only: bool) -> Result<DirGrant, String> {
        Ok(DirGrant { host: host.into(), guest: guest.into(), read_only })
    }

    #[test]
    fn directories() {
        assert_eq!(parse_dir("data"), dir("data", "data", false));
        assert_eq!(parse_dir("data::/"), dir("data", "/", false));
        assert_eq!(parse_dir("data:ro"), dir("data", "data", true));
        assert_eq!(parse_dir("a:b::/c:ro"), dir("a:b", "/c", true));
        assert!(parse_dir("::/").is_err());
        assert!(parse_dir("data::").is_err());
        assert!(parse_dir("").is_err());
        assert!(parse_dir(":ro").is_err());
    }

    #[test]
    fn records() {
        let dirs = [parse_dir("h::g:ro").expect("well formed")];
        let envs = [parse_env("A=").expect("well formed"), parse_env("B").expect("well formed")];
        let blob = encode(&dirs, &envs, true).expect("short");
        assert_eq!(blob, b"\x02\x01\0\0\0h\x01\0\0\0g\x05\x03\x01\0\0\0A\0\0\0\0\x04\x01\0\0\0B");
    }
}
