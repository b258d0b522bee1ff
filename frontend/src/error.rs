//! The one error type of the compiler.
//!
//! An error says what is wrong, where (file and byte offset, or line and column
//! of a text file), in what (a chain of noun phrases, innermost first) and,
//! where there is one, the remedy. It is boxed so that a `Result` stays small.

use std::fmt;
use std::path::PathBuf;

/// The result of every fallible function of the compiler.
pub type Result<T> = std::result::Result<T, Error>;

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The input breaks the specification.
    Invalid,
    /// The input is valid, but this compiler does not implement it (yet).
    Unsupported,
    /// A file, a disk, a permission: nothing is wrong with the input.
    Environment,
}

/// Where in an input an error was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// A byte offset from the start of a binary file.
    Offset(usize),
    /// A line and a column of a text file, both counted from 1.
    LineColumn(usize, usize),
}

/// An error with its place and its contexts.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    message: String,
    file: Option<PathBuf>,
    position: Option<Position>,
    contexts: Vec<String>,
    help: Option<String>,
}

impl Error {
    /// An error of the given kind; `message` is one lower-case sentence without a full stop.
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            file: None,
            position: None,
            contexts: Vec::new(),
            help: None,
        }))
    }

    /// The input breaks the specification.
    pub fn invalid(message: impl Into<String>) -> Error {
        Error::new(Kind::Invalid, message)
    }

    /// The input is valid but needs something that is not implemented.
    pub fn unsupported(message: impl Into<String>) -> Error {
        Error::new(Kind::Unsupported, message)
    }

    /// A file or another thing outside the input is at fault.
    pub fn environment(message: impl Into<String>) -> Error {
        Error::new(Kind::Environment, message)
    }

    /// Adds a noun phrase that says in what the error happened, innermost first.
    pub fn context(mut self, phrase: impl Into<String>) -> Error {
        self.0.contexts.push(phrase.into());
        self
    }

    /// Sets the file unless one is already known.
    pub fn in_file(mut self, path: impl Into<PathBuf>) -> Error {
        self.0.file.get_or_insert_with(|| path.into());
        self
    }

    /// Sets the position unless one is already known.
    pub fn at(mut self, position: Position) -> Error {
        self.0.position.get_or_insert(position);
        self
    }

    /// Replaces a byte offset by what `translate` makes of it, where the file's form is known.
    pub(crate) fn map_offset(mut self, translate: impl FnOnce(usize) -> Position) -> Error {
        if let Some(Position::Offset(offset)) = self.0.position {
            self.0.position = Some(translate(offset));
        }
        self
    }

    /// Says what the user can do about it.
    pub fn help(mut self, remedy: impl Into<String>) -> Error {
        self.0.help = Some(remedy.into());
        self
    }

    /// Whose fault it is.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The message alone, without place and contexts.
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Display for Error {
    /// `FILE:PLACE: MESSAGE`, then a line `  in CONTEXT` for each context and `  help: REMEDY`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, message, file, position, contexts, help } = &*self.0;
        if let Some(file) = file {
            write!(f, "{}", file.display())?;
            match position {
                Some(Position::Offset(at)) => write!(f, ":{at:#x}")?,
                Some(Position::LineColumn(line, column)) => write!(f, ":{line}:{column}")?,
                None => {}
            }
            write!(f, ": ")?;
        }
        if *kind == Kind::Unsupported {
            write!(f, "unsupported: ")?;
        }
        write!(f, "{message}")?;
        for context in contexts {
            write!(f, "\n  in {context}")?;
        }
        if let Some(help) = help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
