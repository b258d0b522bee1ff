//! The text format: text to the binary form, with the places of its items.
//!
//! Besides translating, this gives imports that are written with a path in place
//! of a name a legal name (see [`import_names`]), and keeps the line and column
//! of each item so that later errors can speak of the text.

mod import_names;
mod marks;

use crate::composition::Mark;
use crate::error::{Error, Position, Result};
use std::cell::OnceCell;
use wast::Wat;
use wast::component::ComponentKind;
use wast::parser::{ParseBuffer, parse};

/// Translates the text of a module or a component.
pub fn translate_text(text: &str) -> Result<(Vec<u8>, Vec<Mark>)> {
    let fail = |error: wast::Error| {
        let (line, column) = error.span().linecol_in(text);
        Error::invalid(error.message()).at(Position::LineColumn(line + 1, column + 1))
    };
    // New names must outlive the syntax tree that will refer to them.
    let legal_names = OnceCell::new();
    let buffer = ParseBuffer::new(text).map_err(fail)?;
    let mut wat = parse::<Wat<'_>>(&buffer).map_err(fail)?;
    if let Wat::Component(component) = &mut wat {
        // Resolving turns every inline import into an import field.
        component.resolve().map_err(fail)?;
        if let ComponentKind::Text(fields) = &mut component.kind {
            let names = legal_names.get_or_init(|| import_names::choose_legal_names(fields));
            import_names::replace_names(fields, names);
        }
    }
    let bytes = wat.encode().map_err(fail)?;
    let marks = marks::mark_items(text, &wat, &bytes);
    Ok((bytes, marks))
}
