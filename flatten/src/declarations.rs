//! What the host declares, parsed as far as the program asks.
//!
//! The declarations are the WIT files of the runtime shim. Parsing all of them would take longer
//! than all else that is done for a small program, so the files are cut into their interfaces, and
//! only those are parsed that the components import, with those that they `use`. What is asked for
//! later, as for a message, is parsed then, together with what was before.
//!
//! Cutting needs no more of the syntax than braces, comments and the first words of a line. A file
//! in which anything but interfaces stands is one piece.

use crate::error::{Error, Result};
use crate::host::interface_key;
use indexmap::IndexMap;
use wit_parser::{InterfaceId, Resolve, SourceMap, UnresolvedPackageGroup};

/// The declarations, and the part of them that is parsed.
#[derive(Default)]
pub(crate) struct Declarations {
    files: Vec<File>,
    /// The interfaces by their keys: the file, and the interface in it.
    by_key: IndexMap<String, (usize, usize)>,
    world: Option<World>,
}

/// Declarations that are parsed.
pub(crate) struct World {
    pub(crate) resolve: Resolve,
    /// By interface key.
    pub(crate) interfaces: IndexMap<String, InterfaceId>,
}

/// A file of WIT.
struct File {
    path: String,
    text: String,
    /// Where its interfaces stand; none if it was not cut.
    pieces: Vec<Piece>,
    /// The end of what stands before the first of them.
    header_end: usize,
}

/// An interface in a file.
struct Piece {
    range: std::ops::Range<usize>,
    /// The keys of the interfaces that it uses.
    uses: Vec<String>,
    is_wanted: bool,
}

impl Declarations {
    pub(crate) fn new(wit: &[(&str, &str)]) -> Declarations {
        let mut declarations = Declarations::default();
        for (path, text) in wit {
            let (pieces, header_end) = cut(text).unwrap_or_default();
            let mut file =
                File { path: path.to_string(), text: text.to_string(), pieces: vec![], header_end };
            for (key, piece) in pieces {
                let place = (declarations.files.len(), file.pieces.len());
                declarations.by_key.insert(key, place);
                file.pieces.push(piece);
            }
            declarations.files.push(file);
        }
        declarations
    }

    /// Says that an interface will be asked for. The more is known before the first question, the
    /// fewer times is parsed.
    pub(crate) fn want(&mut self, key: &str) {
        let mut work = vec![key.to_owned()];
        while let Some(key) = work.pop() {
            let Some((file, piece)) = self.by_key.get(&key) else { continue };
            let piece = &mut self.files[*file].pieces[*piece];
            if !std::mem::replace(&mut piece.is_wanted, true) {
                self.world = None;
                work.extend(piece.uses.iter().cloned());
            }
        }
    }

    /// Says that every interface will be asked for.
    pub(crate) fn want_all(&mut self) {
        for key in self.by_key.keys().cloned().collect::<Vec<_>>() {
            self.want(&key);
        }
    }

    /// The declarations that are wanted.
    pub(crate) fn world(&mut self) -> Result<&World> {
        if self.world.is_none() {
            self.world = Some(parse_world(&self.files)?);
        }
        Ok(self.world.as_ref().expect("it was set just before"))
    }

    /// The interface of that key, if it is declared.
    pub(crate) fn find(&mut self, key: &str) -> Result<Option<(&World, InterfaceId)>> {
        self.want(key);
        let world = self.world()?;
        Ok(world.interfaces.get(key).map(|id| (world, *id)))
    }
}

/// Parses what is wanted. The declarations are the shim's own, so what is wrong with them is our
/// fault.
fn parse_world(files: &[File]) -> Result<World> {
    let broken = |path: &str, error: String| {
        Error::environment(format!("the host's declarations in `{path}` are broken: {error}"))
    };
    let mut groups: Vec<UnresolvedPackageGroup> = Vec::with_capacity(files.len());
    for file in files {
        let Some(text) = wanted_text(file) else { continue };
        let mut source = SourceMap::new();
        source.push_str(&file.path, text);
        let parsed = source.parse();
        groups.push(parsed.map_err(|(map, error)| broken(&file.path, error.render(&map)))?);
    }
    let mut resolve = Resolve::new();
    if let Some(main) = groups.pop() {
        let pushed = resolve.push_groups(main, groups);
        pushed.map_err(|error| broken("*", error.to_string()))?;
    }
    let mut interfaces = IndexMap::new();
    for (id, interface) in resolve.interfaces.iter() {
        if interface.name.is_some()
            && let Some(name) = resolve.id_of(id)
        {
            interfaces.insert(interface_key(&name), id);
        }
    }
    Ok(World { resolve, interfaces })
}

/// What is to be parsed of a file, if anything is.
fn wanted_text(file: &File) -> Option<String> {
    if file.pieces.is_empty() {
        return Some(file.text.clone());
    }
    let wanted: Vec<&Piece> = file.pieces.iter().filter(|piece| piece.is_wanted).collect();
    if wanted.is_empty() {
        return None;
    }
    let mut text = file.text[..file.header_end].to_owned();
    for piece in wanted {
        text.push_str(&file.text[piece.range.clone()]);
    }
    Some(text)
}

/// The interfaces of a file by their keys, and the end of what stands before them; `None` if there
/// is anything else in it.
fn cut(text: &str) -> Option<(IndexMap<String, Piece>, usize)> {
    let mut package = None;
    let mut header_end = 0;
    let mut pieces = IndexMap::new();
    // The interface whose end has not come yet: its key, and where it starts.
    let mut open: Option<(String, Piece)> = None;
    let mut depth = 0_usize;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        let code = without_comment(line)?;
        match &mut open {
            None => {
                if let Some(name) = code.strip_prefix("package ") {
                    package = Some(name.strip_suffix(';')?);
                    header_end = end;
                } else if let Some(name) = code.strip_prefix("interface ") {
                    let key = local_key(package?, name.strip_suffix('{')?.trim());
                    open = Some((key, Piece { range: at..end, uses: vec![], is_wanted: false }));
                    depth = 1;
                } else if !code.is_empty() {
                    return None;
                }
            }
            Some((_, piece)) => {
                if let Some(rest) = code.strip_prefix("use ") {
                    piece.uses.push(used_key(package?, rest)?);
                }
                depth = (depth + count(code, b'{')).checked_sub(count(code, b'}'))?;
                piece.range.end = end;
            }
        }
        if depth == 0 {
            pieces.extend(open.take());
        }
        at = end;
    }
    (depth == 0 && !pieces.is_empty()).then_some((pieces, header_end))
}

/// A line without white space around it and the comment at its end; `None` if a comment starts that
/// may have several lines.
fn without_comment(line: &str) -> Option<&str> {
    let code = match line.contains('/') {
        true if line.contains("/*") => return None,
        true => line.split("//").next().unwrap_or(line),
        false => line,
    };
    Some(code.trim_ascii())
}

fn count(code: &str, brace: u8) -> usize {
    code.bytes().filter(|byte| *byte == brace).count()
}

/// The key of an interface of that package.
fn local_key(package: &str, name: &str) -> String {
    match package.split_once('@') {
        Some((package, version)) => interface_key(&format!("{package}/{name}@{version}")),
        None => format!("{package}/{name}"),
    }
}

/// The key of the interface that such a statement of an interface in that package uses:
/// `types.{a, b};` or `wasi:io/streams@0.2.0.{a};`.
fn used_key(package: &str, statement: &str) -> Option<String> {
    let (name, _) = statement.split_once(".{")?;
    Some(if name.contains('/') { interface_key(name) } else { local_key(package, name) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_parsed_with_what_it_uses() {
        let mut declarations = Declarations::new(wasmelt_abi::wit::FILES);
        assert!(declarations.find("wasi:cli/stdout@0.2").unwrap().is_some());
        let world = declarations.world().unwrap();
        let mut keys: Vec<&str> = world.interfaces.keys().map(String::as_str).collect();
        keys.sort_unstable();
        let io = ["wasi:io/error@0.2", "wasi:io/poll@0.2", "wasi:io/streams@0.2"];
        assert_eq!(keys, [&["wasi:cli/stdout@0.2"], io.as_slice()].concat());
        assert!(declarations.find("wasi:cli/stdut@0.2").unwrap().is_none());
        assert!(declarations.find("wasi:sockets/tcp@0.2").unwrap().is_some());
        assert!(declarations.find("wasi:cli/stdout@0.2").unwrap().is_some());
    }

    /// No interface of the shim's own files is missed.
    #[test]
    fn cut_files_are_whole_ones() {
        let mut cut = Declarations::new(wasmelt_abi::wit::FILES);
        assert!(cut.files.iter().all(|file| !file.pieces.is_empty()));
        cut.want_all();
        let mut whole = Declarations::new(wasmelt_abi::wit::FILES);
        for file in &mut whole.files {
            file.pieces.clear();
        }
        let (cut, whole) = (cut.world().unwrap(), whole.world().unwrap());
        assert!(cut.interfaces.keys().eq(whole.interfaces.keys()));
        for (key, id) in &whole.interfaces {
            let functions = |world: &World, id: InterfaceId| {
                world.resolve.interfaces[id].functions.keys().cloned().collect::<Vec<_>>()
            };
            assert_eq!(functions(cut, cut.interfaces[key]), functions(whole, *id), "{key}");
        }
    }

    #[test]
    fn other_files_are_one_piece() {
        for text in [
            "package a:b;\nworld w {}\ninterface i {\n}\n",
            "package a:b;\n/* { */\ninterface i {\n}\n",
            "package a:b;\ninterface i\n{\n}\n",
            "interface i {\n}\n",
            "package a:b;\ninterface i {\n",
        ] {
            assert!(cut(text).is_none(), "{text}");
        }
        let (pieces, header_end) = cut("package a:b; // c\ninterface i { // {\n}\n").unwrap();
        assert_eq!((pieces["a:b/i"].range.clone(), header_end), (18..39, 18));
    }
}
