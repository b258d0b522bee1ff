//! The text format: text to the binary form, with the places of its items.

use crate::composition::Mark;
use crate::error::{Error, Position, Result};
use wast::Wat;
use wast::parser::{ParseBuffer, parse};

/// Translates the text of a module or a component.
pub fn translate_text(text: &str) -> Result<(Vec<u8>, Vec<Mark>)> {
    let fail = |error: wast::Error| {
        let (line, column) = error.span().linecol_in(text);
        Error::invalid(error.message()).at(Position::LineColumn(line + 1, column + 1))
    };
    let buffer = ParseBuffer::new(text).map_err(fail)?;
    let mut wat = parse::<Wat<'_>>(&buffer).map_err(fail)?;
    let bytes = wat.encode().map_err(fail)?;
    Ok((bytes, Vec::new()))
}
