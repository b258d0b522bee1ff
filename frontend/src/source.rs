//! Input files: bytes from disk, to the binary form with the text's places beside it.

use crate::composition::{Mark, SourceFile};
use crate::error::{Error, Position, Result};
use crate::limits::FILE_SIZE_MAX_BYTES;
use crate::text;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

/// The first bytes of every binary module and component.
const MAGIC: &[u8] = b"\0asm";

/// Reads a file and, if it is text, translates it.
pub fn read_source(path: &Path) -> Result<SourceFile> {
    let bytes = read_file(path).map_err(|error| error.in_file(path))?;
    make_source(path, bytes)
}

/// Makes a source file of bytes that are binary or text; `path` is for messages.
pub fn make_source(path: &Path, bytes: Vec<u8>) -> Result<SourceFile> {
    let (bytes, marks) = translate(bytes).map_err(|error| error.in_file(path))?;
    Ok(SourceFile { path: path.to_owned(), bytes, marks, wrapped: None })
}

fn read_file(path: &Path) -> Result<Vec<u8>> {
    let fail = |error: std::io::Error| Error::environment(describe_io_error(&error));
    let file = File::open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    if metadata.is_dir() {
        return Err(Error::environment("is a directory, not a WebAssembly file"));
    }
    // A pipe has no size to ask for beforehand, hence the limit on the reader.
    let mut bytes = Vec::new();
    file.take(FILE_SIZE_MAX_BYTES + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > FILE_SIZE_MAX_BYTES {
        return Err(Error::unsupported(format!(
            "a file larger than {} MiB",
            FILE_SIZE_MAX_BYTES >> 20
        )));
    }
    Ok(bytes)
}

/// The operating system's words without its number, in our style.
pub fn describe_io_error(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "the file may not be read".to_owned(),
        _ => {
            let words = error.to_string();
            let words = words.split(" (os error").next().unwrap_or(&words);
            format!("the file cannot be read: {words}")
        }
    }
}

/// Returns the binary form, and the marks if the input was text.
fn translate(bytes: Vec<u8>) -> Result<(Vec<u8>, Vec<Mark>)> {
    if bytes.starts_with(MAGIC) {
        return Ok((bytes, Vec::new()));
    }
    if bytes.is_empty() {
        return Err(Error::invalid("the file is empty"));
    }
    // Text starts with a parenthesis or a comment; a truncated header does not, though it is UTF-8.
    match std::str::from_utf8(&bytes) {
        Ok(text) if text.trim_start().starts_with(['(', ';']) => text::translate_text(text),
        Ok(text) if text.trim().is_empty() => Err(Error::invalid("the file is empty")),
        _ => Err(Error::invalid("the file is neither a WebAssembly binary nor text")
            .help("a binary starts with the bytes 00 61 73 6d, text with a parenthesis")),
    }
}

/// An error of the validator as one of ours; its offset is from the start of the file.
pub fn wasm_error(error: wasmparser::Error) -> Error {
    // Some messages of the validator are laid out in lines and columns.
    let lines = error.message().lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let message = lines.map(|words| words.join(" ")).collect::<Vec<_>>().join(", ");
    let placed = Error::invalid(message).at(Position::Offset(byte_offset(error.offset())));
    if error.message().starts_with("unexpected end") {
        return placed.help("the file may be truncated");
    }
    placed
}

/// A file offset of the validator, which counts in `u64`.
pub fn byte_offset(offset: u64) -> usize {
    usize::try_from(offset).expect("offsets lie in a file that is in memory")
}

/// A byte range of the validator, which counts in `u64`.
pub fn byte_range(range: Range<u64>) -> Range<usize> {
    byte_offset(range.start)..byte_offset(range.end)
}
