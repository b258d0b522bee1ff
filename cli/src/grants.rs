//! What the builder lets the program use, and the bytes that say so in the executable.
//!
//! `docs/grants.md` describes both sides. Nothing is resolved here: a relative
//! host path means the directory of whoever runs the program.

use clap::ValueEnum;
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

/// How much of the network a program may use, ascending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Network {
    /// Nothing.
    #[default]
    None,
    /// What the program begins itself: connections, datagrams, looking up names.
    Outbound,
    /// Also waiting for others.
    All,
}

/// Everything that is granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Directories, in the order that the program sees them in.
    pub dirs: Vec<DirGrant>,
    /// Environment variables; of several with one name the last holds.
    pub envs: Vec<EnvGrant>,
    /// Whether the program sees the caller's whole environment.
    pub inherit_env: bool,
    /// The network.
    pub network: Network,
}

impl Grants {
    /// Adds what others grant.
    pub fn extend(&mut self, others: Grants) {
        self.dirs.extend(others.dirs);
        self.envs.extend(others.envs);
        self.inherit_env |= others.inherit_env;
        self.network = self.network.max(others.network);
    }
}

/// Encodes grants as `wasmelt_abi::image::Grant` says, in the order they were given.
///
/// # Errors
///
/// A sentence that names a string of 4 GiB or more.
pub fn encode(grants: &Grants) -> Result<Vec<u8>, String> {
    let mut blob = Vec::new();
    for dir in &grants.dirs {
        let kind = if dir.read_only { Grant::DirReadOnly } else { Grant::Dir };
        encode_record(&mut blob, kind, &[&dir.host, &dir.guest])?;
    }
    if grants.inherit_env {
        encode_record(&mut blob, Grant::EnvInheritAll, &[])?;
    }
    for env in &grants.envs {
        match &env.value {
            Some(value) => encode_record(&mut blob, Grant::Env, &[&env.name, value])?,
            None => encode_record(&mut blob, Grant::EnvInherit, &[&env.name])?,
        }
    }
    match grants.network {
        Network::None => {}
        Network::Outbound => encode_record(&mut blob, Grant::NetworkOutbound, &[])?,
        Network::All => encode_record(&mut blob, Grant::NetworkAll, &[])?,
    }
    Ok(blob)
}

/// Decodes what [`encode`] made; `None` if the bytes are nothing like that.
pub fn decode(mut blob: &[u8]) -> Option<Grants> {
    let mut grants = Grants::default();
    while let Some((kind, rest)) = blob.split_first() {
        blob = rest;
        match *kind {
            kind if kind == Grant::Dir as u8 || kind == Grant::DirReadOnly as u8 => {
                let (host, guest) = (decode_string(&mut blob)?, decode_string(&mut blob)?);
                let read_only = kind == Grant::DirReadOnly as u8;
                grants.dirs.push(DirGrant { host, guest, read_only });
            }
            kind if kind == Grant::Env as u8 => {
                let (name, value) = (decode_string(&mut blob)?, decode_string(&mut blob)?);
                grants.envs.push(EnvGrant { name, value: Some(value) });
            }
            kind if kind == Grant::EnvInherit as u8 => {
                grants.envs.push(EnvGrant { name: decode_string(&mut blob)?, value: None });
            }
            kind if kind == Grant::EnvInheritAll as u8 => grants.inherit_env = true,
            kind if kind == Grant::NetworkOutbound as u8 => grants.network = Network::Outbound,
            kind if kind == Grant::NetworkAll as u8 => grants.network = Network::All,
            _ => return None,
        }
    }
    Some(grants)
}

fn decode_string(blob: &mut &[u8]) -> Option<String> {
    let (len_bytes, rest) = blob.split_first_chunk()?;
    let (string, rest) = rest.split_at_checked(u32::from_le_bytes(*len_bytes) as usize)?;
    *blob = rest;
    String::from_utf8(string.to_vec()).ok()
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
        let grants = Grants {
            dirs: vec![parse_dir("h::g:ro").expect("well formed")],
            envs: ["A=", "B"].map(|text| parse_env(text).expect("well formed")).to_vec(),
            inherit_env: true,
            network: Network::All,
        };
        let blob = encode(&grants).expect("short");
        let wanted = b"\x02\x01\0\0\0h\x01\0\0\0g\x05\x03\x01\0\0\0A\0\0\0\0\x04\x01\0\0\0B\x07";
        assert_eq!(blob, wanted);
        assert_eq!(decode(&blob), Some(grants));
        assert_eq!(decode(&blob[..4]), None);
        assert_eq!(decode(b"\x63"), None);
    }
}
