//! What the program may use: the image's grant records, as `abi::image::Grant` describes them, and
//! what the caller adds to them and takes away with variables of its environment.

use crate::start;
use core::ffi::CStr;
use wasmelt_abi::image::{Grant, variables};

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

/// How much of the network a program may use, ascending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Network {
    /// Nothing.
    None,
    /// What it begins itself: connections, datagrams, looking up names.
    Outbound,
    /// Also waiting for others.
    All,
}

/// A record.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Record<'a> {
    Folder(Folder<'a>),
    Variable { name: &'a [u8], value: &'a [u8] },
    Inherit { name: &'a [u8] },
    InheritAll,
    Network(Network),
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
        const NETWORK_OUTBOUND: u8 = Grant::NetworkOutbound as u8;
        const NETWORK_ALL: u8 = Grant::NetworkAll as u8;
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
            NETWORK_OUTBOUND => Record::Network(Network::Outbound),
            NETWORK_ALL => Record::Network(Network::All),
            _ => return None,
        })
    }
}

/// The builder's records.
fn built_in() -> Records<'static> {
    let image = start::image();
    if image.grants_bytes == 0 {
        return Records(&[]);
    }
    // SAFETY: the compiler puts that many constant bytes there.
    Records(unsafe {
        core::slice::from_raw_parts(image.grants as *const u8, image.grants_bytes as usize)
    })
}

/// What the caller adds and takes away. Its authority is its own, so it may pass on what it has;
/// a set-user-id program has more than its caller, and does not listen.
#[derive(Clone, Copy, Default)]
struct Caller<'a> {
    dir: &'a [u8],
    env: &'a [u8],
    network: &'a [u8],
    deny: &'a [u8],
}

impl<'a> Caller<'a> {
    fn read(is_privileged: bool, environment: impl Iterator<Item = &'a CStr>) -> Caller<'a> {
        let mut caller = Caller::default();
        if is_privileged {
            return caller;
        }
        for (name, value) in environment.filter_map(|text| split_variable(text.to_bytes())) {
            for (wanted, slot) in [
                (variables::DIR, &mut caller.dir),
                (variables::ENV, &mut caller.env),
                (variables::NETWORK, &mut caller.network),
                (variables::DENY, &mut caller.deny),
            ] {
                if name == wanted.as_bytes() {
                    *slot = value;
                }
            }
        }
        caller
    }

    fn records(self) -> impl Iterator<Item = Record<'a>> + Clone {
        let folders = parts(self.dir).filter_map(parse_folder).map(Record::Folder);
        folders.chain(parts(self.env).filter_map(parse_variable)).chain(parse_network(self.network))
    }

    /// Whether a record stays. What is denied is a word, or a word and `=` and a name.
    fn allows(self, record: &Record<'_>) -> bool {
        let (word, name) = match record {
            Record::Folder(folder) => (&b"dir"[..], folder.guest),
            Record::Variable { name, .. } | Record::Inherit { name } => (&b"env"[..], *name),
            Record::InheritAll => (&b"env"[..], &b"*"[..]),
            Record::Network(_) => (&b"network"[..], &b""[..]),
        };
        !parts(self.deny).any(|part| match split_variable(part) {
            Some((denied, denied_name)) => denied == word && denied_name == name,
            None => part == word,
        })
    }

    /// Whether a variable that a record grants by name or with all others is denied by name.
    fn denies_variable(self, wanted: &[u8]) -> bool {
        parts(self.deny).any(|part| split_variable(part) == Some((b"env", wanted)))
    }
}

/// The parts of a list that are not empty.
fn parts(list: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    list.split(|byte| *byte == variables::SEPARATOR).filter(|part| !part.is_empty())
}

/// Parses `HOST[::GUEST][:ro]`; `None` if it is nothing like that.
fn parse_folder(text: &[u8]) -> Option<Folder<'_>> {
    let (paths, read_only) = match text.strip_suffix(b":ro") {
        Some(paths) => (paths, true),
        None => (text, false),
    };
    let colons = paths.windows(2).position(|pair| pair == b"::");
    let (host, guest) = match colons {
        Some(at) => (paths.get(..at)?, paths.get(at + 2..)?),
        None => (paths, paths),
    };
    let is_complete = !host.is_empty() && !guest.is_empty();
    is_complete.then_some(Folder { host, guest, read_only })
}

/// Parses `NAME[=VALUE]`, or `*` for all.
fn parse_variable(text: &[u8]) -> Option<Record<'_>> {
    match split_variable(text) {
        Some((b"", _)) => None,
        Some((name, value)) => Some(Record::Variable { name, value }),
        None if text == b"*" => Some(Record::InheritAll),
        None => Some(Record::Inherit { name: text }),
    }
}

fn parse_network<'a>(word: &[u8]) -> Option<Record<'a>> {
    match word {
        b"outbound" => Some(Record::Network(Network::Outbound)),
        b"all" => Some(Record::Network(Network::All)),
        _ => None,
    }
}

fn caller() -> Caller<'static> {
    Caller::read(start::is_privileged(), start::environment())
}

/// Everything that holds: the builder's records, then the caller's, without what is denied.
fn records(caller: Caller<'static>) -> impl Iterator<Item = Record<'static>> + Clone {
    Held(built_in().chain(caller.records()).filter(move |record| caller.allows(record)))
}

/// An iterator whose code is there once, however many loops go over it: loops over chains would
/// each repeat what all of the chain's parts do.
#[derive(Clone)]
struct Held<I>(I);

impl<I: Iterator> Iterator for Held<I> {
    type Item = I::Item;

    #[inline(never)]
    fn next(&mut self) -> Option<I::Item> {
        self.0.next()
    }
}

/// The folders, in the order of their grants.
pub fn folders() -> impl Iterator<Item = Folder<'static>> + Clone {
    records(caller()).filter_map(|record| match record {
        Record::Folder(folder) => Some(folder),
        _ => None,
    })
}

/// How much of the network the program may use.
pub fn network() -> Network {
    widest_network(records(caller()))
}

fn widest_network<'a>(records: impl Iterator<Item = Record<'a>>) -> Network {
    records.fold(Network::None, |widest, record| match record {
        Record::Network(network) => widest.max(network),
        _ => widest,
    })
}

/// Calls `visit` with name and value of each environment variable.
#[inline(never)]
pub fn visit_environment(visit: &mut dyn FnMut(&'static [u8], &'static [u8])) {
    let caller = caller();
    merge_environment(records(caller), start::environment(), |name, value| {
        if !caller.denies_variable(name) {
            visit(name, value);
        }
    });
}

/// Merges grants and the caller's environment: of several grants of one name the last holds, and
/// a grant by name goes before the grant of everything.
fn merge_environment<'a>(
    mut records: impl Iterator<Item = Record<'a>> + Clone,
    environment: impl Iterator<Item = &'a CStr> + Clone,
    mut visit: impl FnMut(&'a [u8], &'a [u8]),
) {
    let caller = || environment.clone().filter_map(|variable| split_variable(variable.to_bytes()));
    let all = records.clone();
    let mut inherited = false;
    while let Some(record) = records.next() {
        match record {
            Record::Folder(_) | Record::Network(_) => {}
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
fn grants_name<'a>(mut records: impl Iterator<Item = Record<'a>>, wanted: &[u8]) -> bool {
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

    fn caller_of(variables: &[&CStr], is_privileged: bool) -> Caller<'static> {
        let variables: Vec<&'static CStr> =
            variables.iter().map(|text| &*Box::leak(text.to_owned().into())).collect();
        Caller::read(is_privileged, variables.into_iter())
    }

    fn held(records: &[Vec<u8>], caller: Caller<'static>) -> Vec<Record<'static>> {
        let bytes: &'static [u8] = records.concat().leak();
        Records(bytes).chain(caller.records()).filter(|record| caller.allows(record)).collect()
    }

    #[test]
    fn the_caller_adds() {
        let caller = caller_of(&[c"WASMELT_DIR=/a::/b:ro;;c", c"WASMELT_ENV=X;Y=1;*;=z"], false);
        let a = Folder { host: b"/a", guest: b"/b", read_only: true };
        let c = Folder { host: b"c", guest: b"c", read_only: false };
        let wanted = [
            Record::Folder(a),
            Record::Folder(c),
            Record::Inherit { name: b"X" },
            Record::Variable { name: b"Y", value: b"1" },
            Record::InheritAll,
        ];
        assert_eq!(held(&[], caller), wanted);
        assert_eq!(parse_folder(b"::x"), None);
        assert_eq!(parse_folder(b"x::"), None);
    }

    #[test]
    fn the_caller_takes_away() {
        let records = [
            record(Grant::Dir, &["/a", "/a"]),
            record(Grant::Dir, &["/b", "/b"]),
            record(Grant::Env, &["A", "1"]),
            record(Grant::NetworkAll, &[]),
        ];
        assert_eq!(held(&records, Caller::default()).len(), 4);
        let caller = caller_of(&[c"WASMELT_DENY=dir=/a;network"], false);
        assert_eq!(held(&records, caller).len(), 2);
        assert_eq!(widest_network(held(&records, caller).into_iter()), Network::None);
        let caller = caller_of(&[c"WASMELT_DENY=dir;env", c"WASMELT_DIR=/c"], false);
        assert_eq!(held(&records, caller), [Record::Network(Network::All)]);
        let caller = caller_of(&[c"WASMELT_DENY=env=A"], false);
        assert!(caller.denies_variable(b"A") && !caller.denies_variable(b"B"));
    }

    #[test]
    fn a_privileged_program_does_not_listen() {
        let caller = caller_of(&[c"WASMELT_DIR=/", c"WASMELT_NETWORK=all"], true);
        assert!(held(&[], caller).is_empty());
    }

    #[test]
    fn the_widest_network_holds() {
        let network = |records: &[Vec<u8>], variable: &CStr| {
            widest_network(held(records, caller_of(&[variable], false)).into_iter())
        };
        let outbound = [record(Grant::NetworkOutbound, &[])];
        assert_eq!(network(&[], c"WASMELT_NETWORK=none"), Network::None);
        assert_eq!(network(&outbound, c"WASMELT_NETWORK=none"), Network::Outbound);
        assert_eq!(network(&outbound, c"WASMELT_NETWORK=all"), Network::All);
        assert_eq!(network(&[], c"WASMELT_NETWORK=outbound"), Network::Outbound);
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
