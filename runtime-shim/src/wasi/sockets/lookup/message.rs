//! Questions to name servers and their answers (RFC 1035, RFC 3596). Nothing here has effects.

use core::net::IpAddr;

/// The longest message that this asks for; servers cut what would be longer.
pub const MESSAGE_BYTES_MAX: usize = 512;
/// The longest name, as text.
pub const NAME_BYTES_MAX: usize = 253;

const HEADER_BYTES: usize = 12;
const CLASS_INTERNET: u16 = 1;

const FLAG_RESPONSE: u16 = 0x8000;
const FLAG_TRUNCATED: u16 = 0x0200;
const FLAG_RECURSION_DESIRED: u16 = 0x0100;
const CODE_NAME_ERROR: u16 = 3;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordType {
    /// An IPv4 address.
    A = 1,
    /// An IPv6 address.
    Aaaa = 28,
}

/// What a server says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The name exists; these are its addresses, if it has any of the kind.
    Exists,
    /// There is no such name.
    NoSuchName,
    /// The server cannot tell.
    Failed,
}

/// Whether it has the form of a host's name: labels of letters, digits, `-` and `_`.
pub fn is_host_name(name: &[u8]) -> bool {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let is_label = |label: &[u8]| {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=63).contains(&label.len()) && label.iter().all(is_plain)
    };
    name.len() <= NAME_BYTES_MAX && name.split(|byte| *byte == b'.').all(is_label)
}

/// Writes the question for a name into `buffer`. Returns its length; `None` if the name is too
/// long.
pub fn write_question(
    buffer: &mut [u8; MESSAGE_BYTES_MAX],
    id: u16,
    name: &[u8],
    ty: RecordType,
) -> Option<usize> {
    let mut writer = Writer { buffer, len: 0 };
    let header = [id, FLAG_RECURSION_DESIRED, 1, 0, 0, 0];
    for word in header {
        writer.put(&word.to_be_bytes())?;
    }
    for label in name.split(|byte| *byte == b'.') {
        writer.put(&[u8::try_from(label.len()).ok()?])?;
        writer.put(label)?;
    }
    writer.put(&[0])?;
    writer.put(&(ty as u16).to_be_bytes())?;
    writer.put(&CLASS_INTERNET.to_be_bytes())?;
    Some(writer.len)
}

struct Writer<'a> {
    buffer: &'a mut [u8; MESSAGE_BYTES_MAX],
    len: usize,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.len + bytes.len();
        self.buffer.get_mut(self.len..end)?.copy_from_slice(bytes);
        self.len = end;
        Some(())
    }
}

/// Reads the answer to the question that `question` is; calls `found` with each address. `None` if
/// it is no answer to that.
pub fn read_answer(
    message: &[u8],
    question: &[u8],
    ty: RecordType,
    mut found: impl FnMut(IpAddr),
) -> Option<Answer> {
    let word = |at: usize| Some(u16::from_be_bytes(*message.get(at..)?.first_chunk()?));
    let flags = word(2)?;
    let is_echo = message.get(..2)? == question.get(..2)?
        && word(4)? == 1
        && message
            .get(HEADER_BYTES..question.len())?
            .eq_ignore_ascii_case(question.get(HEADER_BYTES..)?);
    if flags & FLAG_RESPONSE == 0 || !is_echo {
        return None;
    }
    match flags & 0xf {
        0 => {}
        CODE_NAME_ERROR => return Some(Answer::NoSuchName),
        _ => return Some(Answer::Failed),
    }
    let mut reader = Reader { message, at: question.len() };
    let mut count = 0;
    for _ in 0..word(6)? {
        // What a truncated message ends with is incomplete.
        let Some((record_type, data)) = reader.record() else { break };
        if record_type == ty as u16
            && let Some(address) = address(ty, data)
        {
            found(address);
            count += 1;
        }
    }
    let is_cut = flags & FLAG_TRUNCATED != 0 && count == 0;
    Some(if is_cut { Answer::Failed } else { Answer::Exists })
}

fn address(ty: RecordType, data: &[u8]) -> Option<IpAddr> {
    match ty {
        RecordType::A => Some(IpAddr::from(<[u8; 4]>::try_from(data).ok()?)),
        RecordType::Aaaa => {
            let bytes = <[u8; 16]>::try_from(data).ok()?;
            let address = core::net::Ipv6Addr::from(bytes);
            // One that stands for an IPv4 address is of no use to an IPv6 socket.
            address.to_ipv4_mapped().is_none().then_some(IpAddr::V6(address))
        }
    }
}

struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let taken = self.message.get(self.at..)?.get(..len)?;
        self.at += len;
        Some(taken)
    }

    fn word(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(*self.take(2)?.first_chunk()?))
    }

    /// Skips a name: labels up to an empty one, or up to a reference to the rest.
    fn skip_name(&mut self) -> Option<()> {
        loop {
            match *self.take(1)?.first()? {
                0 => return Some(()),
                len if len < 0x40 => self.take(len.into())?,
                len if len >= 0xc0 => return self.take(1).map(|_| ()),
                _ => return None,
            };
        }
    }

    /// The type and data of a record of the internet's class; another class's has the type 0.
    fn record(&mut self) -> Option<(u16, &'a [u8])> {
        self.skip_name()?;
        let (ty, class) = (self.word()?, self.word()?);
        let _seconds_to_live = self.take(4)?;
        let len = self.word()?;
        let data = self.take(len.into())?;
        Some((if class == CLASS_INTERNET { ty } else { 0 }, data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(name: &[u8], ty: RecordType) -> Vec<u8> {
        let mut buffer = [0; MESSAGE_BYTES_MAX];
        let len = write_question(&mut buffer, 0x1234, name, ty).unwrap();
        buffer[..len].to_vec()
    }

    /// An answer with these records: type, data.
    fn answer(question: &[u8], flags: u16, records: &[(u16, &[u8])]) -> Vec<u8> {
        let mut message = question.to_vec();
        message[2..4].copy_from_slice(&(0x8180 | flags).to_be_bytes());
        message[6..8].copy_from_slice(&(records.len() as u16).to_be_bytes());
        for (ty, data) in records {
            message.extend([0xc0, 12]);
            message.extend(ty.to_be_bytes());
            message.extend([0, 1, 0, 0, 0, 60]);
            message.extend((data.len() as u16).to_be_bytes());
            message.extend(*data);
        }
        message
    }

    fn read(message: &[u8], question: &[u8], ty: RecordType) -> (Option<Answer>, Vec<String>) {
        let mut found = Vec::new();
        let answer = read_answer(message, question, ty, |address| found.push(address.to_string()));
        (answer, found)
    }

    #[test]
    fn questions_are_encoded() {
        let wanted = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x02ab\x01c\0\0\x1c\0\x01";
        assert_eq!(question(b"ab.c", RecordType::Aaaa), wanted);
        let mut buffer = [0; MESSAGE_BYTES_MAX];
        assert_eq!(write_question(&mut buffer, 1, &[b'a'; 300], RecordType::A), None);
    }

    #[test]
    fn answers_are_decoded() {
        let asked = question(b"ab.c", RecordType::A);
        let alias: &[u8] = b"\x01x\xc0\x0c";
        let records = [(5, alias), (1, &[10, 0, 0, 1]), (28, &[0; 16]), (1, &[10, 0, 0, 2])];
        let message = answer(&asked, 0, &records);
        let found = vec!["10.0.0.1".to_string(), "10.0.0.2".to_string()];
        assert_eq!(read(&message, &asked, RecordType::A), (Some(Answer::Exists), found));
        let upper: Vec<u8> = message.iter().map(u8::to_ascii_uppercase).collect();
        assert_eq!(read(&upper, &asked, RecordType::A).0, Some(Answer::Exists));

        let asked = question(b"ab.c", RecordType::Aaaa);
        let mut mapped = [0; 16];
        mapped[10..].copy_from_slice(&[0xff, 0xff, 10, 0, 0, 1]);
        let mut own = [0; 16];
        own[15] = 1;
        let message = answer(&asked, 0, &[(28, &mapped), (28, &own)]);
        let found = vec!["::1".to_string()];
        assert_eq!(read(&message, &asked, RecordType::Aaaa), (Some(Answer::Exists), found));
    }

    #[test]
    fn failures_are_told_apart() {
        let asked = question(b"ab.c", RecordType::A);
        let outcome = |flags, records: &[(u16, &[u8])]| {
            read(&answer(&asked, flags, records), &asked, RecordType::A).0
        };
        assert_eq!(outcome(3, &[]), Some(Answer::NoSuchName));
        assert_eq!(outcome(2, &[]), Some(Answer::Failed));
        assert_eq!(outcome(0, &[]), Some(Answer::Exists));
        assert_eq!(outcome(FLAG_TRUNCATED, &[]), Some(Answer::Failed));
        assert_eq!(outcome(FLAG_TRUNCATED, &[(1, &[1, 2, 3, 4])]), Some(Answer::Exists));
        assert_eq!(read(&asked, &asked, RecordType::A).0, None, "the question is no answer");
        let other = question(b"ab.d", RecordType::A);
        assert_eq!(read(&answer(&other, 0, &[]), &asked, RecordType::A).0, None);
    }

    #[test]
    fn damaged_answers_do_no_harm() {
        let asked = question(b"ab.c", RecordType::A);
        let message = answer(&asked, 0, &[(1, &[10, 0, 0, 1]), (1, &[10, 0, 0, 2])]);
        for cut in 0..message.len() {
            let (_, found) = read(&message[..cut], &asked, RecordType::A);
            assert!(found.len() <= 1, "{cut}");
        }
        for at in 0..message.len() {
            for bit in 0..8 {
                let mut damaged = message.clone();
                damaged[at] ^= 1 << bit;
                let (_, found) = read(&damaged, &asked, RecordType::A);
                assert!(found.len() <= 2);
            }
        }
    }

    #[test]
    fn host_names_have_a_form() {
        for name in ["a", "a.b-c.example", "_srv.x", "example.com.", "1a"] {
            assert!(is_host_name(name.as_bytes()), "{name}");
        }
        let long = "a".repeat(64);
        let longer = "a.".repeat(127) + "a";
        for name in ["", ".", "a..b", "a b", "http://a", "a:80", "é.com", &long, &longer] {
            assert!(!is_host_name(name.as_bytes()), "{name}");
        }
    }
}
