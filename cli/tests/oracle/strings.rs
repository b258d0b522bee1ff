//! Strings in memory: what adapters do with `realloc` (`CanonicalABI.md`, "Storing", the
//! `store_string` functions), and what guests write themselves.

use crate::draw::Mischief;
use crate::guest::{Encoding, Guest, Result};
use crate::types::{Form, Pointers, Text};

/// The bit of a latin1+utf16 length that says UTF-16.
pub fn utf16_tag(pointers: Pointers) -> u64 {
    1 << (8 * pointers.bytes() - 1)
}

/// Stores a string as an adapter does; its pointer and its length as the guest gets it.
pub fn store_text(guest: &mut Guest, text: &Text) -> Result<(u64, u64)> {
    let stored = store_units(guest, text)?;
    let tag = if stored.is_tagged { utf16_tag(guest.pointers) } else { 0 };
    Ok((stored.pointer.into(), u64::from(stored.units) | tag))
}

/// A string that an adapter has stored.
struct Stored {
    pointer: u32,
    units: u32,
    is_tagged: bool,
}

impl Stored {
    fn plain(pointer: u32, units: u32) -> Stored {
        Stored { pointer, units, is_tagged: false }
    }

    fn tagged(pointer: u32, units: u32) -> Stored {
        Stored { pointer, units, is_tagged: true }
    }
}

fn store_units(guest: &mut Guest, text: &Text) -> Result<Stored> {
    let utf16 = encode_utf16(&text.text);
    let units = text.units;
    match (text.form, guest.encoding) {
        (Form::Utf8, Encoding::Utf8) => store_all(guest, text.text.as_bytes(), 1, units),
        (_, Encoding::Utf8) => {
            let factor = if text.form == Form::Latin1 { 2 } else { 3 };
            store_as_utf8(guest, text.text.as_bytes(), units, factor)
        }
        (Form::Utf8, Encoding::Utf16) => {
            let mut pointer = guest.realloc(0, 0, 2, 2 * units)?;
            guest.write(pointer, &utf16);
            let len = utf16.len() as u32;
            if len < 2 * units {
                pointer = guest.realloc(pointer, 2 * units, 2, len)?;
            }
            Ok(Stored::plain(pointer, len / 2))
        }
        (_, Encoding::Utf16) => store_all(guest, &utf16, 2, units),
        (Form::Latin1, Encoding::Latin1Utf16) => {
            store_all(guest, &encode_latin1(&text.text).expect("it is Latin-1"), 2, units)
        }
        (Form::Tagged, Encoding::Latin1Utf16) => store_probably_utf16(guest, text, &utf16),
        (_, Encoding::Latin1Utf16) => store_latin1_or_utf16(guest, text, &utf16),
    }
}

fn store_all(guest: &mut Guest, bytes: &[u8], align: u32, len: u32) -> Result<Stored> {
    let pointer = guest.realloc(0, 0, align, bytes.len() as u32)?;
    guest.write(pointer, bytes);
    Ok(Stored::plain(pointer, len))
}

/// Room for ASCII first, then for the worst case, then for what it has become.
fn store_as_utf8(guest: &mut Guest, utf8: &[u8], units: u32, factor: u32) -> Result<Stored> {
    let mut pointer = guest.realloc(0, 0, 1, units)?;
    let len = utf8.len() as u32;
    let ascii = utf8.iter().take_while(|byte| byte.is_ascii()).count();
    guest.write(pointer, &utf8[..ascii]);
    if ascii < utf8.len() {
        let worst = units * factor;
        pointer = guest.realloc(pointer, units, 1, worst)?;
        guest.write(pointer + ascii as u32, &utf8[ascii..]);
        if len < worst {
            pointer = guest.realloc(pointer, worst, 1, len)?;
        }
    }
    Ok(Stored::plain(pointer, len))
}

/// Room for Latin-1 first; at the first character beyond it, all becomes UTF-16.
fn store_latin1_or_utf16(guest: &mut Guest, text: &Text, utf16: &[u8]) -> Result<Stored> {
    let units = text.units;
    let mut pointer = guest.realloc(0, 0, 2, units)?;
    let narrow = text.text.chars().map_while(|scalar| u8::try_from(scalar).ok());
    let narrow = narrow.collect::<Vec<u8>>();
    guest.write(pointer, &narrow);
    if narrow.len() < text.text.chars().count() {
        pointer = guest.realloc(pointer, units, 2, 2 * units)?;
        guest.write(pointer, utf16);
        let len = utf16.len() as u32;
        if len < 2 * units {
            pointer = guest.realloc(pointer, 2 * units, 2, len)?;
        }
        return Ok(Stored::tagged(pointer, len / 2));
    }
    let len = narrow.len() as u32;
    if len < units {
        pointer = guest.realloc(pointer, units, 2, len)?;
    }
    Ok(Stored::plain(pointer, len))
}

/// The source was UTF-16 by choice, so it is taken over as that and looked at afterwards.
fn store_probably_utf16(guest: &mut Guest, text: &Text, utf16: &[u8]) -> Result<Stored> {
    let bytes = utf16.len() as u32;
    let pointer = guest.realloc(0, 0, 2, bytes)?;
    guest.write(pointer, utf16);
    let Some(latin1) = encode_latin1(&text.text) else {
        return Ok(Stored::tagged(pointer, text.units));
    };
    guest.write(pointer, &latin1);
    let pointer = guest.realloc(pointer, bytes, DEFLATE_ALIGN, text.units)?;
    Ok(Stored::plain(pointer, text.units))
}

/// The alignment with which a deflated string is reallocated. This is the one place where the
/// reference leaves the letter of `CanonicalABI.md`, which says 1: the rule since latin1+utf16 has
/// been aligned to 2 in all its forms is that no reallocation changes an alignment, because
/// allocators need the old one and are not told it.
const DEFLATE_ALIGN: u32 = 2;

/// Writes a string as a guest does, in its own memory; its pointer and its length.
pub fn encode_own(guest: &mut Guest, mischief: &mut Mischief, text: &Text) -> (u64, u64) {
    let utf16 = encode_utf16(&text.text);
    let latin1 = encode_latin1(&text.text);
    let (mut bytes, form) = match (guest.encoding, latin1) {
        (Encoding::Utf8, _) => (text.text.as_bytes().to_vec(), Form::Utf8),
        (Encoding::Utf16, _) => (utf16, Form::Utf16),
        (Encoding::Latin1Utf16, Some(latin1)) if mischief.flip() => (latin1, Form::Latin1),
        (Encoding::Latin1Utf16, _) => (utf16, Form::Tagged),
    };
    mischief.disturb_text(&mut bytes, form);
    let (align, unit_bytes, tag) = match form {
        Form::Utf8 => (1, 1, 0),
        Form::Latin1 => (2, 1, 0),
        Form::Utf16 => (2, 2, 0),
        Form::Tagged => (2, 2, utf16_tag(guest.pointers)),
    };
    let pointer = guest.place(bytes.len() as u32, align);
    guest.write(pointer, &bytes);
    let (pointer, len) = mischief.disturb_content(pointer, bytes.len() as u32 / unit_bytes, align);
    (pointer, len | tag)
}

fn encode_utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn encode_latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|scalar| u8::try_from(scalar).ok()).collect()
}
