//! What the builder granted: the image's grant records, as `abi::image::Grant` describes them.

use crate::start;
use core::ffi::CStr;
use wasmelt_abi::image::Grant;

/// A folder that the guest may use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Folder<'a> {
    /// Where it is; relative to the folder that the program was started in.
    pub host: &'a [u8],
    /// What the guest calls it.
    pub guest: &'a [u8],
    /// Whether nothing in it may be changed.
    pub read_only: bool,
}

/// A record.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Record<'a> {
    Folder(Folder<'a>),
    Variable { name: &'a [u8], value: &'a [u8] },
    Inherit { name: &'a [u8] },
    InheritAll,
}

/// Reads records; stops at anything that is none.
#[derive(Clone)]
struct Records<'a>(&'a [u8]);

impl<'a> Records<'a> {
    fn string(&mut self) -> Option<&'a [u8]> {
        let (len, rest) = self.0.split_first_chunk()?;
        let (string, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        self.0 = rest;
        Some(string)
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        const DIR: u8 = Grant::Dir as u8;
        const DIR_READ_ONLY: u8 = Grant::DirReadOnly as u8;
        const ENV: u8 = Grant::Env as u8;
        const ENV_INHERIT: u8 = Grant::EnvInherit as u8;
        const ENV_INHERIT_ALL: u8 = Grant::EnvInheritAll as u8;
        let (kind, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(match *kind {
            DIR | DIR_READ_ONLY => Record::Folder(Folder {
                host: self.string()?,
                guest: self.string()?,
                read_only: *kind == DIR_READ_ONLY,
            }),
            ENV => Record::Variable { name: self.string()?, value: self.string()? },
            ENV_INHERIT => Record::Inherit { name: self.string()? },
            ENV_INHERIT_ALL => Record::InheritAll,
            _ => return None,
        })
    }
}

fn records() -> Records<'static> {
    let image = start::image();
    if image.grants_bytes == 0 {
        return Records(&[]);
    }
    // SAFETY: the compiler puts that many constant bytes there.
    Records(unsafe {
        core::slice::from_raw_parts(image.grants as *const u8, image.grants_bytes as usize)
    })
}

/// The folders, in the order of their grants.
pub fn folders() -> impl Iterator<Item = Folder<'static>> + Clone {
    records().filter_map(|record| match record {
        Record::Folder(folder) => Some(folder),
        _ => None,
    })
}

/// Calls `visit` with name and value of each environment variable.
pub fn visit_environment(visit: impl FnMut(&'static [u8], &'static [u8])) {
    merge_environment(records(), start::environment(), visit);
}

/// Merges grants and the caller's environment: of several grants of one name the last holds, and
/// a grant by name goes before the grant of everything.
fn merge_environment<'a>(
    mut records: Records<'a>,
    environment: impl Iterator<Item = &'a CStr> + Clone,
    mut visit: impl FnMut(&'a [u8], &'a [u8]),
) {
    let caller = || environment.clone().filter_map(|variable| split_variable(variable.to_bytes()));
    let all = records.clone();
    let mut inherited = false;
    while let Some(record) = records.next() {
        match record {
            Record::Folder(_) => {}
            Record::Variable { name, value } => {
                if !grants_name(records.clone(), name) {
                    visit(name, value);
                }
            }
            Record::Inherit { name } => {
                let found = caller().find(|(caller_name, _)| *caller_name == name);
                if let Some((_, value)) = found.filter(|_| !grants_name(records.clone(), name)) {
                    visit(name, value);
                }
            }
            Record::InheritAll if inherited => {}
            Record::InheritAll => {
                inherited = true;
                caller()
                    .filter(|(name, _)| !grants_name(all.clone(), name))
                    .for_each(|(name, value)| visit(name, value));
            }
        }
    }
}

/// Whether a record grants that variable by name.
fn grants_name(mut records: Records<'_>, wanted: &[u8]) -> bool {
    records.any(|record| match record {
        Record::Variable { name, .. } | Record::Inherit { name } => name == wanted,
        _ => false,
    })
}

/// Splits `NAME=VALUE`.
fn split_variable(variable: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = variable.iter().position(|byte| *byte == b'=')?;
    Some((variable.get(..at)?, variable.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: Grant, strings: &[&str]) -> Vec<u8> {
        let mut bytes = vec![kind as u8];
        for string in strings {
            bytes.extend((string.len() as u32).to_le_bytes());
            bytes.extend(string.bytes());
        }
        bytes
    }

    fn environment_of(records: &[Vec<u8>]) -> Vec<String> {
        let bytes: &[u8] = records.concat().leak();
        let mut got = Vec::new();
        merge_environment(Records(bytes), start::environment(), |name, value| {
            got.push(format!("{}={}", name.escape_ascii(), value.escape_ascii()));
        });
        got
    }

    #[test]
    fn nothing_granted_is_nothing() {
        assert!(environment_of(&[]).is_empty());
        assert!(environment_of(&[record(Grant::Dir, &["/", "/"])]).is_empty());
    }

    #[test]
    fn the_last_grant_of_a_name_holds() {
        let records = [
            record(Grant::Env, &["A", "1"]),
            record(Grant::EnvInherit, &["HOME"]),
            record(Grant::EnvInherit, &["MISSING"]),
            record(Grant::Env, &["A", "2"]),
        ];
        assert_eq!(environment_of(&records), ["HOME=/root", "A=2"]);
    }

    #[test]
    fn a_name_goes_before_everything() {
        let records = [record(Grant::EnvInheritAll, &[]), record(Grant::Env, &["TERM", "vt100"])];
        assert_eq!(environment_of(&records), ["HOME=/root", "EMPTY=", "TERM=vt100"]);
        let records = [record(Grant::EnvInheritAll, &[])];
        assert_eq!(environment_of(&records), ["HOME=/root", "EMPTY=", "TERM=dumb=er"]);
    }

    #[test]
    fn folders_keep_their_order() {
        let bytes = [
            record(Grant::DirReadOnly, &["data", "/data"]),
            record(Grant::Env, &["A", "1"]),
            record(Grant::Dir, &[".", "/"]),
        ]
        .concat();
        let folders: Vec<_> = Records(&bytes).collect();
        let data = Folder { host: b"data", guest: b"/data", read_only: true };
        assert_eq!(folders[0], Record::Folder(data));
        assert_eq!(folders.len(), 3);
        let cut = bytes.len() - 1;
        assert_eq!(Records(&bytes[..cut]).count(), 2, "a cut record is none");
    }
}
