//! Strings: from any of the three encodings to any of them.
//!
//! Which `realloc` calls the lowering guest sees, with which sizes, follows from the pair of
//! encodings and the contents (`CanonicalABI.md`, "Storing", the `store_string` functions): a copy
//! allocates once; a conversion allocates what the text would need if it were simple, reallocates
//! for the worst case at the first character that is not, and gives back what is too much. The
//! conversions themselves are functions of the shim (`abi::symbols`), each of which also validates
//! what it reads.

use super::copy::Route;
use super::endpoint::Endpoint;
use super::generator::Generator;
use crate::env::trap_code;
use crate::error::Result;
use crate::program::StringEncoding;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use wasmelt_abi::symbols;
use wasmelt_abi::trap::Trap;

/// A source string: its encoding is known, its bytes are checked to be there.
#[derive(Clone, Copy)]
struct Text {
    form: Form,
    /// Native address.
    address: Value,
    /// Number of code units, an `i64`.
    units: Value,
    /// Whether it has been validated.
    is_valid: bool,
}

/// The encoding of a source string, the tag of latin1+utf16 resolved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Utf8,
    Utf16,
    /// The latin1+utf16 encoding without the tag.
    Latin1,
    /// The latin1+utf16 encoding with the tag: it may turn out to fit Latin-1.
    TaggedUtf16,
}

impl Form {
    fn unit_bytes(self) -> u64 {
        match self {
            Form::Utf8 | Form::Latin1 => 1,
            Form::Utf16 | Form::TaggedUtf16 => 2,
        }
    }
}

impl<'a> Generator<'a, '_> {
    /// Moves a string; gives back the new pointer and the new (for latin1+utf16: tagged) length.
    pub(super) fn copy_string(
        &mut self,
        route: Route<'a>,
        pointer: Value,
        len: Value,
    ) -> Result<(Value, Value)> {
        let units = self.widen(len);
        let form = match route.from.encoding() {
            StringEncoding::Utf8 => Form::Utf8,
            StringEncoding::Utf16 => Form::Utf16,
            StringEncoding::Latin1Utf16 => {
                let ty = route.to.pointer().clif_type();
                let tag = utf16_tag(route.from);
                let is_utf16 = self.b.ins().band_imm_u(units, tag);
                let results = self.choose(
                    is_utf16,
                    &[ty, ty],
                    |g| {
                        let units = g.b.ins().band_imm_u(units, tag.wrapping_sub(1));
                        g.copy_text(route, Form::TaggedUtf16, pointer, units)
                    },
                    |g| g.copy_text(route, Form::Latin1, pointer, units),
                )?;
                return Ok((results[0], results[1]));
            }
        };
        let results = self.copy_text(route, form, pointer, units)?;
        Ok((results[0], results[1]))
    }

    /// Moves a string of a known form; gives back its pointer and its length.
    fn copy_text(
        &mut self,
        route: Route<'a>,
        form: Form,
        pointer: Value,
        units: Value,
    ) -> Result<Vec<Value>> {
        self.check_count(route.from, units);
        let bytes = self.scale_units(units, form.unit_bytes());
        let align = if route.from.encoding() == StringEncoding::Utf8 { 1 } else { 2 };
        let address = self.find_content(route, pointer, bytes, align);
        let text = Text { form, address, units, is_valid: route.passing.from.is_some() };
        let (pointer, units) = match (route.to, route.passing.into) {
            (Endpoint::Native, _) => self.pass_to_native(text, route.outlives_call),
            (to, Some(cell)) => {
                assert!(form == Form::Utf8, "only UTF-8 is passed on");
                let (pointer, _) = self.allocate(to, bytes, align);
                self.validate_utf8(text);
                self.store_passed(to, cell, address);
                (pointer, units)
            }
            (to, None) => self.store_text(to, text)?,
        };
        Ok(vec![pointer, self.narrow(route.to, units)])
    }

    /// Native code gets UTF-8: where it lies, or converted into scratch memory.
    fn pass_to_native(&mut self, text: Text, outlives_call: bool) -> (Value, Value) {
        let (convert, growth) = match text.form {
            Form::Utf8 => {
                self.validate_utf8(text);
                if !outlives_call {
                    return (text.address, text.units);
                }
                let (pointer, address) = self.allocate(Endpoint::Native, text.units, 1);
                self.copy_bytes(address, text.address, text.units);
                return (pointer, text.units);
            }
            Form::Utf16 | Form::TaggedUtf16 => (symbols::UTF16_TO_UTF8, 3),
            Form::Latin1 => (symbols::LATIN1_TO_UTF8, 2),
        };
        let room = self.scale_units(text.units, growth);
        let (pointer, address) = self.allocate(Endpoint::Native, room, 1);
        let len = self.convert(convert, address, text.address, text.units);
        (pointer, len)
    }

    fn validate_utf8(&mut self, text: Text) {
        if !text.is_valid {
            let args = [text.address, text.units];
            let is_valid = self.call_shim(symbols::UTF8_VALIDATE, &args, &[types::I32])[0];
            self.b.ins().trapz(is_valid, trap_code(Trap::InvalidString));
        }
    }

    /// Stores a string in a guest's encoding; the length that it gives back is an `i64`.
    fn store_text(&mut self, to: Endpoint<'a>, text: Text) -> Result<(Value, Value)> {
        use StringEncoding::{Latin1Utf16, Utf8, Utf16};
        match (text.form, to.encoding()) {
            (Form::Utf8, Utf8) => {
                let copy = if text.is_valid { None } else { Some(symbols::UTF8_COPY) };
                Ok(self.store_copy(to, text, copy, 1, 1))
            }
            (Form::Utf16 | Form::TaggedUtf16, Utf8) => {
                self.store_as_utf8(to, text, symbols::UTF16_ASCII_PREFIX, symbols::UTF16_TO_UTF8, 3)
            }
            (Form::Latin1, Utf8) => {
                self.store_as_utf8(to, text, symbols::ASCII_PREFIX, symbols::LATIN1_TO_UTF8, 2)
            }
            (Form::Utf8, Utf16) => self.store_utf8_as_utf16(to, text),
            (Form::Utf16 | Form::TaggedUtf16, Utf16) => {
                Ok(self.store_copy(to, text, Some(symbols::UTF16_COPY), 2, 2))
            }
            (Form::Latin1, Utf16) => {
                Ok(self.store_copy(to, text, Some(symbols::LATIN1_TO_UTF16), 2, 2))
            }
            (Form::Utf8, Latin1Utf16) => self.store_as_latin1_or_utf16(
                to,
                text,
                symbols::UTF8_LATIN1_PREFIX,
                symbols::UTF8_TO_UTF16,
            ),
            (Form::Utf16, Latin1Utf16) => self.store_as_latin1_or_utf16(
                to,
                text,
                symbols::UTF16_LATIN1_PREFIX,
                symbols::UTF16_TO_UTF16,
            ),
            (Form::Latin1, Latin1Utf16) => Ok(self.store_copy(to, text, None, 1, 2)),
            (Form::TaggedUtf16, Latin1Utf16) => self.store_probably_utf16(to, text),
        }
    }

    /// Every code unit becomes one: `copy` (validating; `None` is a plain copy) moves them.
    fn store_copy(
        &mut self,
        to: Endpoint<'a>,
        text: Text,
        copy: Option<&str>,
        unit_bytes: u64,
        align: u32,
    ) -> (Value, Value) {
        let bytes = self.scale_units(text.units, unit_bytes);
        if unit_bytes > text.form.unit_bytes() {
            self.check_length(bytes);
        }
        let (pointer, address) = self.allocate(to, bytes, align);
        match copy {
            None => self.copy_bytes(address, text.address, bytes),
            Some(copy) => {
                let args = [address, text.address, text.units];
                let is_valid = self.call_shim(copy, &args, &[types::I32])[0];
                self.b.ins().trapz(is_valid, trap_code(Trap::InvalidString));
            }
        }
        (pointer, text.units)
    }

    /// To UTF-8: as many bytes as code units if all is ASCII, else up to `growth` times that.
    fn store_as_utf8(
        &mut self,
        to: Endpoint<'a>,
        text: Text,
        ascii_prefix: &str,
        convert: &str,
        growth: u64,
    ) -> Result<(Value, Value)> {
        let (pointer, address) = self.allocate(to, text.units, 1);
        let args = [address, text.address, text.units];
        let prefix = self.call_shim(ascii_prefix, &args, &[types::I64])[0];
        let is_ascii = self.b.ins().icmp(IntCC::Equal, prefix, text.units);
        let results = self.choose(
            is_ascii,
            &[to.pointer().clif_type(), types::I64],
            |_| Ok(vec![pointer, text.units]),
            |g| {
                let room = g.scale_units(text.units, growth);
                g.check_length(room);
                let (pointer, address) = g.reallocate(to, pointer, text.units, room, 1);
                let to_rest = g.b.ins().iadd(address, prefix);
                let rest = g.skip_units(text, prefix);
                let rest_len = g.convert(convert, to_rest, rest.address, rest.units);
                let len = g.b.ins().iadd(prefix, rest_len);
                let pointer = g.shrink(to, pointer, room, len, 1)?;
                Ok(vec![pointer, len])
            },
        )?;
        Ok((results[0], results[1]))
    }

    /// UTF-8 to UTF-16: one code unit per byte at most.
    fn store_utf8_as_utf16(&mut self, to: Endpoint<'a>, text: Text) -> Result<(Value, Value)> {
        let room = self.scale_units(text.units, 2);
        self.check_length(room);
        let (pointer, address) = self.allocate(to, room, 2);
        let units = self.convert(symbols::UTF8_TO_UTF16, address, text.address, text.units);
        let bytes = self.scale_units(units, 2);
        let pointer = self.shrink(to, pointer, room, bytes, 2)?;
        Ok((pointer, units))
    }

    /// To latin1+utf16: bytes until the first character beyond Latin-1, which turns all before it
    /// into UTF-16 in place.
    fn store_as_latin1_or_utf16(
        &mut self,
        to: Endpoint<'a>,
        text: Text,
        latin1_prefix: &str,
        convert: &str,
    ) -> Result<(Value, Value)> {
        let (pointer, address) = self.allocate(to, text.units, 2);
        let args = [address, text.address, text.units];
        let prefix = self.call_shim(latin1_prefix, &args, &[types::I64])[0];
        // What the prefix functions return: units read above, bytes written below.
        let read = self.b.ins().ushr_imm_u(prefix, 32);
        let written = self.b.ins().band_imm_u(prefix, 0xffff_ffff);
        let is_latin1 = self.b.ins().icmp(IntCC::Equal, read, text.units);
        let results = self.choose(
            is_latin1,
            &[to.pointer().clif_type(), types::I64],
            |g| Ok(vec![g.shrink(to, pointer, text.units, written, 2)?, written]),
            |g| {
                let room = g.scale_units(text.units, 2);
                g.check_length(room);
                let (pointer, address) = g.reallocate(to, pointer, text.units, room, 2);
                let inflate = [address, address, written];
                g.call_shim(symbols::LATIN1_TO_UTF16, &inflate, &[types::I32]);
                let written_bytes = g.scale_units(written, 2);
                let to_rest = g.b.ins().iadd(address, written_bytes);
                let rest = g.skip_units(text, read);
                let rest_units = g.convert(convert, to_rest, rest.address, rest.units);
                let units = g.b.ins().iadd(written, rest_units);
                let bytes = g.scale_units(units, 2);
                let pointer = g.shrink(to, pointer, room, bytes, 2)?;
                Ok(vec![pointer, g.tagged(to, units)])
            },
        )?;
        Ok((results[0], results[1]))
    }

    /// Tagged UTF-16 to latin1+utf16: stays UTF-16 unless all of it fits Latin-1.
    fn store_probably_utf16(&mut self, to: Endpoint<'a>, text: Text) -> Result<(Value, Value)> {
        let bytes = self.scale_units(text.units, 2);
        let (pointer, address) = self.allocate(to, bytes, 2);
        let args = [address, text.address, text.units];
        let is_valid = self.call_shim(symbols::UTF16_COPY, &args, &[types::I32])[0];
        self.b.ins().trapz(is_valid, trap_code(Trap::InvalidString));
        let args = [address, text.units];
        let is_latin1 = self.call_shim(symbols::UTF16_NARROW, &args, &[types::I32])[0];
        let results = self.choose(
            is_latin1,
            &[to.pointer().clif_type(), types::I64],
            // Unlike elsewhere, this call is made even if nothing is left to give back.
            |g| Ok(vec![g.reallocate(to, pointer, bytes, text.units, 2).0, text.units]),
            |g| Ok(vec![pointer, g.tagged(to, text.units)]),
        )?;
        Ok((results[0], results[1]))
    }

    /// Calls a converting function of the shim; traps if the text is invalid. Gives back how many
    /// code units it has written.
    fn convert(&mut self, name: &str, to: Value, from: Value, units: Value) -> Value {
        let written = self.call_shim(name, &[to, from, units], &[types::I64])[0];
        self.trap_if_compare(IntCC::Equal, written, u64::MAX, Trap::InvalidString);
        written
    }

    /// Gives back room that was not needed; sizes are in bytes.
    fn shrink(
        &mut self,
        to: Endpoint<'a>,
        pointer: Value,
        room: Value,
        used: Value,
        align: u32,
    ) -> Result<Value> {
        let is_full = self.b.ins().icmp(IntCC::Equal, room, used);
        let results = self.choose(
            is_full,
            &[to.pointer().clif_type()],
            |_| Ok(vec![pointer]),
            |g| Ok(vec![g.reallocate(to, pointer, room, used, align).0]),
        )?;
        Ok(results[0])
    }

    /// What is left of a text after its first `count` code units.
    fn skip_units(&mut self, text: Text, count: Value) -> Text {
        let bytes = self.scale_units(count, text.form.unit_bytes());
        let address = self.b.ins().iadd(text.address, bytes);
        let units = self.b.ins().isub(text.units, count);
        Text { address, units, ..text }
    }

    fn scale_units(&mut self, units: Value, factor: u64) -> Value {
        match factor {
            1 => units,
            factor => self.b.ins().imul_imm_u(units, factor.cast_signed()),
        }
    }

    /// The length of a string in UTF-16, as the latin1+utf16 encoding marks it.
    fn tagged(&mut self, to: Endpoint<'a>, units: Value) -> Value {
        self.b.ins().bor_imm_u(units, utf16_tag(to))
    }
}

/// The bit of a latin1+utf16 length that says UTF-16.
fn utf16_tag(side: Endpoint<'_>) -> i64 {
    1i64 << (side.pointer().bytes() * 8 - 1)
}
