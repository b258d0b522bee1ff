//! What `/etc/hosts` and `/etc/resolv.conf` say, read from their text.

use super::message::NAME_BYTES_MAX;
use core::net::{IpAddr, Ipv4Addr};

/// Servers beyond the third are not asked.
const SERVERS_MAX: usize = 3;
/// How many suffixes are tried.
const SUFFIXES_MAX: usize = 6;

/// How names are looked up with servers.
#[derive(Clone, Debug)]
pub struct Config {
    servers: [IpAddr; SERVERS_MAX],
    server_count: usize,
    suffixes: [Name; SUFFIXES_MAX],
    suffix_count: usize,
    /// A name with as many dots is tried as it is before suffixes are.
    dots_min: u32,
    /// How long a server has to answer, in seconds.
    pub timeout_s: u32,
    /// How often all servers are asked.
    pub rounds: u32,
}

/// A name, without a dot at its end.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    bytes: [u8; NAME_BYTES_MAX],
    len: usize,
    /// Whether there was one, so that no suffix belongs to it.
    is_full: bool,
}

impl Name {
    const EMPTY: Name = Name { bytes: [0; NAME_BYTES_MAX], len: 0, is_full: false };

    /// A name; `None` if it is too long.
    pub fn new(text: &[u8]) -> Option<Name> {
        let (text, is_full) = match text.strip_suffix(b".") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let mut name = Name { is_full, ..Name::EMPTY };
        name.append(text)?;
        Some(name)
    }

    /// Its text.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn append(&mut self, text: &[u8]) -> Option<()> {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end)?.copy_from_slice(text);
        self.len = end;
        Some(())
    }
}

impl Config {
    /// Reads a `resolv.conf`. Without any server in it, there is one on this machine.
    pub fn parse(text: &[u8]) -> Config {
        let mut config = Config {
            servers: [IpAddr::V4(Ipv4Addr::LOCALHOST); SERVERS_MAX],
            server_count: 0,
            suffixes: [Name::EMPTY; SUFFIXES_MAX],
            suffix_count: 0,
            dots_min: 1,
            timeout_s: 5,
            rounds: 2,
        };
        for line in lines(text, b"#;") {
            let mut words = words(line);
            match words.next() {
                Some(b"nameserver") => {
                    if let Some(server) = words.next().and_then(parse_address) {
                        config.add_server(server);
                    }
                }
                Some(b"search" | b"domain") => config.set_suffixes(words),
                Some(b"options") => words.for_each(|word| config.set_option(word)),
                _ => {}
            }
        }
        config.server_count = config.server_count.max(1);
        config
    }

    fn add_server(&mut self, server: IpAddr) {
        if let Some(slot) = self.servers.get_mut(self.server_count) {
            *slot = server;
            self.server_count += 1;
        }
    }

    /// The last line of the kind holds.
    fn set_suffixes<'a>(&mut self, words: impl Iterator<Item = &'a [u8]>) {
        self.suffix_count = 0;
        let names = words.filter_map(Name::new).filter(|name| name.len > 0);
        for (slot, name) in self.suffixes.iter_mut().zip(names) {
            *slot = name;
            self.suffix_count += 1;
        }
    }

    fn set_option(&mut self, word: &[u8]) {
        let number = |prefix: &[u8]| {
            let digits = core::str::from_utf8(word.strip_prefix(prefix)?).ok()?;
            digits.parse::<u32>().ok()
        };
        if let Some(dots) = number(b"ndots:") {
            self.dots_min = dots.min(15);
        } else if let Some(seconds) = number(b"timeout:") {
            self.timeout_s = seconds.clamp(1, 30);
        } else if let Some(rounds) = number(b"attempts:") {
            self.rounds = rounds.clamp(1, 5);
        }
    }

    /// The servers, in order.
    pub fn servers(&self) -> &[IpAddr] {
        self.servers.get(..self.server_count).unwrap_or_default()
    }

    /// The full name to try as the `index`th for what a program calls `name`; `None` behind the
    /// last.
    pub fn candidate(&self, name: &Name, index: usize) -> Option<Name> {
        let itself = *name;
        if name.is_full {
            return (index == 0).then_some(itself);
        }
        let dots = name.as_bytes().iter().filter(|byte| **byte == b'.').count();
        let itself_at = if dots >= self.dots_min as usize { 0 } else { self.suffix_count };
        if index == itself_at {
            return Some(itself);
        }
        let suffix = if index > itself_at { index - 1 } else { index };
        let suffix = self.suffixes.get(..self.suffix_count)?.get(suffix)?;
        let mut full = itself;
        let appended = full.append(b".").and_then(|()| full.append(suffix.as_bytes()));
        // What would be too long does not exist, and neither does the name itself a second time.
        Some(if appended.is_some() { full } else { itself })
    }
}

/// Calls `found` with each address that a `hosts` file has for a name.
pub fn search_hosts(text: &[u8], name: &[u8], mut found: impl FnMut(IpAddr)) {
    let name = name.strip_suffix(b".").unwrap_or(name);
    for line in lines(text, b"#") {
        let mut words = words(line);
        let Some(address) = words.next().and_then(parse_address) else { continue };
        if words.any(|word| word.eq_ignore_ascii_case(name)) {
            found(address);
        }
    }
}

/// The addresses that a name has by its meaning (RFC 6761): those of this machine.
pub fn is_this_machine(name: &[u8]) -> bool {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let mut labels = name.rsplit(|byte| *byte == b'.');
    labels.next().is_some_and(|last| last.eq_ignore_ascii_case(b"localhost"))
}

/// An address from its text.
pub fn parse_address(text: &[u8]) -> Option<IpAddr> {
    core::str::from_utf8(text).ok()?.parse().ok()
}

/// The lines of a text without comments.
fn lines<'a>(text: &'a [u8], comment: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
    text.split(|byte| *byte == b'\n').map(move |line| {
        let end = line.iter().position(|byte| comment.contains(byte)).unwrap_or(line.len());
        line.get(..end).unwrap_or_default()
    })
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(config: &Config, name: &str) -> Vec<String> {
        let name = Name::new(name.as_bytes()).unwrap();
        (0..)
            .map_while(|index| config.candidate(&name, index))
            .map(|name| String::from_utf8(name.as_bytes().to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn resolver_configurations_are_read() {
        let config = Config::parse(
            b"# a comment\nsearch old\nnameserver 10.0.0.1 ; first\nnameserver nonsense\n\
              nameserver ::1\nnameserver 10.0.0.3\nnameserver 10.0.0.4\n\
              search a.example b.example.\noptions ndots:2 timeout:3 attempts:9 edns0 timeout:x\n",
        );
        let servers: Vec<String> = config.servers().iter().map(IpAddr::to_string).collect();
        assert_eq!(servers, ["10.0.0.1", "::1", "10.0.0.3"]);
        assert_eq!((config.timeout_s, config.rounds), (3, 5));
        assert_eq!(candidates(&config, "x.y"), ["x.y.a.example", "x.y.b.example", "x.y"]);
        assert_eq!(candidates(&config, "x.y.z"), ["x.y.z", "x.y.z.a.example", "x.y.z.b.example"]);
        assert_eq!(candidates(&config, "x."), ["x"]);
    }

    #[test]
    fn nothing_configured_is_this_machine() {
        let config = Config::parse(b"");
        assert_eq!(config.servers(), [IpAddr::V4(Ipv4Addr::LOCALHOST)]);
        assert_eq!((config.timeout_s, config.rounds), (5, 2));
        assert_eq!(candidates(&config, "x"), ["x"]);
    }

    #[test]
    fn hosts_are_found_under_each_name() {
        let text = b"127.0.0.1 localhost\n::1\tLocalhost ip6-localhost # localhost\n\
                     10.0.0.1 a a.example # b\nfe80::1%lo a\nnonsense a\n";
        let find = |name: &str| {
            let mut found = Vec::new();
            search_hosts(text, name.as_bytes(), |address| found.push(address.to_string()));
            found
        };
        assert_eq!(find("localhost"), ["127.0.0.1", "::1"]);
        assert_eq!(find("A.example."), ["10.0.0.1"]);
        assert_eq!(find("a"), ["10.0.0.1"]);
        assert_eq!(find("b"), [""; 0]);
        assert!(is_this_machine(b"x.LOCALHOST.") && !is_this_machine(b"localhost.example"));
    }
}
