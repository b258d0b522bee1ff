//! Reads the compiler's trap table; its form stands at `wasmelt_abi::image::traps`.

use wasmelt_abi::image::traps;

/// What the table says about an instruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Where the name of its component instance lies among the names.
    pub component: u32,
    /// The kind of the entry that names the function that it stems from; 0 is none.
    pub func_kind: u32,
    /// That entry's number.
    pub func: u32,
    /// The trap's code, or 0 if it does not trap by itself.
    pub code: u8,
    /// The trap's wasm offset, or 0.
    pub place: u32,
}

/// Looks up the instruction at that offset in the text.
#[cold]
#[inline(never)]
pub fn find(table: &[u8], offset: u32) -> Found {
    let mut found = Found::default();
    let mut rest = table;
    let mut at = 0u64;
    let mut place = 0u32;
    while !rest.is_empty() {
        let head = take_number(&mut rest);
        at += head >> 2;
        if at > u64::from(offset) {
            break;
        }
        let kind = (head & 3) as u32;
        let code = if kind == traps::TRAP { take_byte(&mut rest) } else { 0 };
        let value = take_number(&mut rest) as u32;
        if kind == traps::TRAP {
            place = place.wrapping_add((value >> 1) ^ (value & 1).wrapping_neg());
            if at == u64::from(offset) {
                (found.code, found.place) = (code, place);
            }
        } else if kind == traps::COMPONENT {
            found.component = value;
        } else {
            (found.func_kind, found.func) = (kind, value);
        }
    }
    found
}

/// Every program contains this, so it is written for size: what is missing reads as zeros.
#[inline(never)]
fn take_number(rest: &mut &[u8]) -> u64 {
    let mut value = 0;
    let mut shift = 0;
    loop {
        let byte = take_byte(rest);
        value |= u64::from(byte & 0x7f).wrapping_shl(shift);
        shift += 7;
        if byte & 0x80 == 0 {
            return value;
        }
    }
}

#[inline]
fn take_byte(rest: &mut &[u8]) -> u8 {
    let Some((byte, behind)) = rest.split_first() else { return 0 };
    *rest = behind;
    *byte
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component and a function at 0, a trap at 3, another function at 300, a trap there with a
    /// smaller offset in its file.
    const TABLE: &[u8] = &[
        0x01, 0x02, // At 0: the component named at 2.
        0x02, 0x05, // Still at 0: the function named at 5.
        0x0c, 0x07, 0xc8, 0x01, // At 3: trap 7, offset 100.
        0xa7, 0x09, 0x03, // At 300: function 2.
        0x00, 0x08, 0x03, // Still there: trap 8, offset 98.
    ];

    #[test]
    fn entries_apply_from_where_they_stand() {
        let first = Found { component: 2, func_kind: traps::NAMED, func: 5, ..Found::default() };
        assert_eq!(find(TABLE, 0), first);
        assert_eq!(find(TABLE, 3), Found { code: 7, place: 100, ..first });
        assert_eq!(find(TABLE, 299), first);
        let second = Found { func_kind: traps::NUMBERED, func: 3, ..first };
        assert_eq!(find(TABLE, 300), Found { code: 8, place: 98, ..second });
        assert_eq!(find(TABLE, u32::MAX), second);
        assert_eq!(find(&[], 0), Found::default());
    }
}
