//! A static library: a Unix archive with one member.
//!
//! The format is the one that GNU's and LLVM's tools agree on: an index of the global symbols, a
//! table of long names if one is needed, the member. Dates, owners and rights are constants, so
//! that the same library is the same file.

const HEADER_BYTES: usize = 60;
/// Names up to this length stand in the header, with a slash behind them.
const SHORT_NAME_BYTES: usize = 15;

/// Writes an archive of one object that defines these global symbols.
pub fn write_archive(name: &str, object: &[u8], symbols: &[String]) -> Vec<u8> {
    let mut index = Vec::new();
    let mut names = Vec::new();
    let mut member_name = format!("{name}/");
    if name.len() > SHORT_NAME_BYTES {
        names = format!("{name}/\n").into_bytes();
        member_name = "/0".to_owned();
    }
    let strings: usize = symbols.iter().map(|symbol| symbol.len() + 1).sum();
    let index_bytes = 4 + symbols.len() * 4 + strings;
    let padded = |bytes: usize| HEADER_BYTES + bytes.next_multiple_of(2);
    let names_bytes = if names.is_empty() { 0 } else { padded(names.len()) };
    let member_at = MAGIC.len() + padded(index_bytes) + names_bytes;
    index.extend((symbols.len() as u32).to_be_bytes());
    for _ in symbols {
        index.extend((member_at as u32).to_be_bytes());
    }
    for symbol in symbols {
        index.extend(symbol.bytes());
        index.push(0);
    }
    let mut out = MAGIC.to_vec();
    append_member(&mut out, "/", &index);
    if !names.is_empty() {
        append_member(&mut out, "//", &names);
    }
    assert_eq!(out.len(), member_at, "the index says where the member is");
    append_member(&mut out, &member_name, object);
    out
}

const MAGIC: &[u8] = b"!<arch>\n";

fn append_member(out: &mut Vec<u8>, name: &str, contents: &[u8]) {
    let size = contents.len();
    let header = format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, "100644");
    assert_eq!(header.len(), HEADER_BYTES, "{name} has a name of fitting length");
    out.extend(header.bytes());
    out.extend(contents);
    if !size.is_multiple_of(2) {
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_leads_to_the_member() {
        let long = "a-name-longer-than-the-header-holds.o";
        for (name, in_header) in [("short.o", "short.o/        "), (long, "/0              ")] {
            let symbols = ["one".to_owned(), "another".to_owned()];
            let bytes = write_archive(name, b"odd", &symbols);
            assert_eq!(&bytes[..24], b"!<arch>\n/               ");
            let index = &bytes[MAGIC.len() + HEADER_BYTES..];
            assert_eq!(&index[..4], 2u32.to_be_bytes());
            assert_eq!(&index[12..24], b"one\0another\0");
            let at = u32::from_be_bytes(index[4..8].try_into().unwrap()) as usize;
            assert_eq!(&bytes[at..at + 16], in_header.as_bytes());
            assert_eq!(&bytes[at + HEADER_BYTES..], b"odd\n");
            assert!(at.is_multiple_of(2));
        }
    }
}
