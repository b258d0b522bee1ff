//! A session reads any number of modules and components into one composition.
//!
//! One validator serves the whole session, so that types of different files can
//! be compared. A file whose type is going to be compared is validated as the
//! only child of a virtual component: that makes the validator keep the type of a
//! core module in the same form as that of a module import, and nothing is
//! re-encoded for it. A core module on its own stays outside, because a component
//! allows less (no two imports of one name).
//!
//! Nested modules and components are read on an explicit stack of frames.

use crate::component_reader::{ComponentReader, check_type_nesting, refuse_unsupported_section};
use crate::composition::{Composition, Def, Root, SourceFile};
use crate::error::{Error, Position, Result};
use crate::features::FEATURES;
use crate::limits::{COMPONENT_DEPTH_MAX, FILES_MAX};
use crate::module::FileId;
use crate::module_reader::{CoreTypeInterner, ModuleReader, read_bodies};
use crate::preview1::{componentize_module, is_command};
use crate::source::{byte_offset, byte_range, make_source, read_source, wasm_error};
use crate::value_size::ValueSizes;
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use wasmparser::component_types::ComponentEntityType;
use wasmparser::types::{Types, TypesRef};
use wasmparser::{Encoding, Parser, Payload, ValidPayload, Validator};

/// The version number in the header of a component.
const COMPONENT_VERSION: u16 = 0xd;

/// Where a file's module or component is going to stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nowhere: it is the program, or a script's.
    Alone,
    /// In place of an import.
    Imported,
}

/// Reads modules and components into one composition.
///
/// A file that fails leaves the session usable, but what was read before it can
/// no longer be bound to imports: the validator is left in the middle of the file
/// and a new one takes its place.
pub struct Session {
    pub(crate) composition: Composition,
    validator: Validator,
    /// What has been measured of that validator's types.
    sizes: ValueSizes,
    interner: CoreTypeInterner,
    /// The validator's types as of the last file; ids of earlier files are valid in it.
    types: Option<Types>,
    /// The validator's type of each file's module or component.
    root_types: HashMap<FileId, ComponentEntityType>,
}

impl Default for Session {
    fn default() -> Session {
        Session::new()
    }
}

impl Session {
    /// Starts a session with an empty composition.
    pub fn new() -> Session {
        Session {
            composition: Composition::default(),
            validator: Validator::new_with_features(FEATURES),
            sizes: ValueSizes::default(),
            interner: CoreTypeInterner::default(),
            types: None,
            root_types: HashMap::new(),
        }
    }

    /// Reads and validates a file. Imports are not bound yet.
    pub fn add_file(&mut self, path: &Path) -> Result<Root> {
        self.add_source(read_source(path)?, Place::Alone)
    }

    /// Reads and validates bytes, binary or text; `path` is for messages.
    pub fn add_bytes(&mut self, path: &Path, bytes: Vec<u8>) -> Result<Root> {
        self.add_source(make_source(path, bytes)?, Place::Alone)
    }

    /// What is built of a file: the component or the command that it is, or the component that is
    /// made around a core module with a world, or around any if one is wanted.
    pub fn prepare_root(&mut self, root: Root, wants_component: bool) -> Result<Root> {
        let Root::Module(id) = root else { return Ok(root) };
        let Composition { core_types, modules, files, .. } = &self.composition;
        let (module, file) = (&modules[id], &files[modules[id].bytes.file]);
        let component = match is_command(core_types, module, &file.bytes) {
            Ok(true) if !wants_component => return Ok(root),
            Ok(_) => componentize_module(module, &file.bytes),
            Err(error) => Err(error),
        };
        let component = component.map_err(|error| error.in_file(&file.path))?;
        let source = SourceFile {
            path: file.path.clone(),
            marks: file.marks.clone(),
            wrapped: find_module(&component, file.bytes.len()),
            bytes: component,
        };
        self.add_source(source, Place::Alone)
    }

    /// Reads and validates a file that an import is going to be bound to.
    pub(crate) fn add_imported_file(&mut self, path: &Path) -> Result<Root> {
        self.add_source(read_source(path)?, Place::Imported)
    }

    /// What was read so far.
    pub fn composition(&self) -> &Composition {
        &self.composition
    }

    /// Ends the session; `root` is what to build, if there is such a thing.
    pub fn finish(mut self, root: Option<Root>) -> Composition {
        self.composition.root = root;
        self.composition
    }

    /// Types for comparing the types of files with each other.
    pub(crate) fn types(&self) -> Option<TypesRef<'_>> {
        self.types.as_ref().map(Types::as_ref)
    }

    /// The validator's type of a file's module or component, unless a later file failed.
    pub(crate) fn root_type(&self, file: FileId) -> Option<ComponentEntityType> {
        self.root_types.get(&file).copied()
    }

    /// The file of a module or component.
    pub(crate) fn file_of(&self, root: Root) -> FileId {
        match root {
            Root::Module(id) => self.composition.modules[id].bytes.file,
            Root::Component(id) => self.composition.components[id].file,
        }
    }

    fn add_source(&mut self, source: SourceFile, place: Place) -> Result<Root> {
        if self.composition.files.len() >= FILES_MAX {
            return Err(Error::unsupported(format!("more than {FILES_MAX} files in one build"))
                .in_file(&source.path));
        }
        let file = self.composition.files.next_key();
        let root = self.read_file(file, &source, place);
        if root.is_err() {
            self.validator = Validator::new_with_features(FEATURES);
            self.sizes = ValueSizes::default();
            self.interner.forget_validator();
            self.types = None;
            self.root_types.clear();
        }
        let root = root.map_err(|error| {
            error.map_offset(|offset| source.position(offset)).in_file(&source.path)
        });
        // Even of a bad file some nested modules may have been read, which refer to it.
        self.composition.files.push(source);
        root
    }

    /// Reads a file, if its type is going to be compared inside a virtual component.
    fn read_file(&mut self, file: FileId, source: &SourceFile, place: Place) -> Result<Root> {
        self.validator.reset();
        // The header says what the file is; the validator must be told beforehand.
        let is_component = source.bytes.get(6..8) == Some(&[1, 0]);
        if !is_component && place == Place::Alone {
            return self.read_payloads(file, source);
        }
        let whole = 0..source.bytes.len() as u64;
        let header = self.validator.version(COMPONENT_VERSION, Encoding::Component, &(0..0));
        header.map_err(wasm_error)?;
        let child = match is_component {
            true => self.validator.component_section(&whole),
            false => self.validator.module_section(&whole),
        };
        child.map_err(wasm_error)?;

        let root = self.read_payloads(file, source)?;
        let scope = self.validator.types(0).expect("the virtual component is open");
        let ty = match root {
            Root::Module(_) => ComponentEntityType::Module(scope.module_at(0)),
            Root::Component(_) => ComponentEntityType::Component(scope.component_at(0)),
        };
        self.root_types.insert(file, ty);
        self.types = Some(self.validator.end(whole.end).map_err(wasm_error)?);
        Ok(root)
    }

    /// Reads a file's payloads, on a stack of the modules and components that are open.
    fn read_payloads(&mut self, file: FileId, source: &SourceFile) -> Result<Root> {
        let bytes = &source.bytes[..];
        let stem = || source.path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let mut frames = Vec::new();
        let mut parser = Parser::new(0);
        parser.set_features(FEATURES);
        for payload in parser.parse_all(bytes) {
            let payload = payload.map_err(wasm_error)?;
            check_payload(bytes, &payload)?;
            match self.validator.payload(&payload).map_err(wasm_error)? {
                ValidPayload::Func(func, body) => match frames.last_mut() {
                    Some(Frame::Module(reader)) => reader.add_body((func, body)),
                    _ => unreachable!("only a module has bodies"),
                },
                ValidPayload::End(_) => {
                    let end = match payload {
                        Payload::End(offset) => byte_offset(offset),
                        _ => unreachable!("only the end ends"),
                    };
                    let frame = frames.pop().expect("each end has a header");
                    let done = self.finish_frame(frame, end)?;
                    match (frames.last_mut(), done) {
                        (None, root) => return Ok(root),
                        (Some(Frame::Component(parent)), Root::Module(id)) => {
                            parent.add(Def::CoreModule(id));
                        }
                        (Some(Frame::Component(parent)), Root::Component(id)) => {
                            parent.add(Def::Component(id));
                        }
                        (Some(Frame::Module(_)), _) => unreachable!("modules do not nest"),
                    }
                }
                ValidPayload::Ok | ValidPayload::Parser(_) => {
                    if let Payload::Version { encoding, range, .. } = &payload {
                        let name = if frames.is_empty() { stem() } else { None };
                        let start = byte_offset(range.start);
                        frames.push(Frame::open(*encoding, file, start, name));
                        check_depth(frames.len(), start)?;
                    } else if let Some(frame) = frames.last_mut() {
                        self.read_section(frame, &payload)?;
                    }
                }
            }
        }
        unreachable!("the parser ends with an end or an error")
    }

    fn read_section<'a>(&mut self, frame: &mut Frame<'a>, payload: &Payload<'a>) -> Result<()> {
        match (frame, payload) {
            (Frame::Module(reader), Payload::TypeSection(_)) => {
                let types = self.validator.types(0).expect("a module is open");
                reader.add_types(&mut self.interner, &mut self.composition.core_types, types)
            }
            (Frame::Module(reader), _) => reader.read_section(payload),
            (
                Frame::Component(reader),
                Payload::ComponentTypeSection(_) | Payload::ComponentImportSection(_),
            ) => {
                if let Payload::ComponentTypeSection(section) = payload {
                    self.sizes.check_section(&self.validator, section)?;
                }
                let types = self.validator.types(0).expect("a component is open");
                let core_types = &mut self.composition.core_types;
                reader.read_types_or_imports(payload, types, &mut self.interner, core_types)
            }
            (Frame::Component(reader), _) => reader.read_section(payload),
        }
    }

    fn finish_frame(&mut self, frame: Frame<'_>, end: usize) -> Result<Root> {
        Ok(match frame {
            Frame::Module(reader) => {
                Root::Module(self.composition.modules.push(reader.finish(end)?))
            }
            Frame::Component(reader) => {
                Root::Component(self.composition.components.push(reader.finish()))
            }
        })
    }
}

/// A module or component that is being read.
enum Frame<'a> {
    Module(Box<ModuleReader<'a>>),
    Component(ComponentReader),
}

impl<'a> Frame<'a> {
    fn open(encoding: Encoding, file: FileId, start: usize, name: Option<String>) -> Frame<'a> {
        match encoding {
            Encoding::Module => Frame::Module(Box::new(ModuleReader::new(file, start))),
            Encoding::Component => Frame::Component(ComponentReader::new(file, name)),
        }
    }
}

/// Checks of ours that must come before the validator sees a payload.
fn check_payload(bytes: &[u8], payload: &Payload<'_>) -> Result<()> {
    if let Payload::ComponentTypeSection(section) = payload {
        check_type_nesting(bytes, section)?;
    }
    refuse_unsupported_section(payload)
}

/// Where a component's first module lies, which is the one that it was made around. With another
/// size it has lost sections, and offsets in it are no longer those of the user's file.
fn find_module(component: &[u8], size_bytes: usize) -> Option<Range<usize>> {
    let modules = Parser::new(0).parse_all(component).filter_map(|payload| match payload {
        Ok(Payload::ModuleSection { unchecked_range, .. }) => Some(byte_range(unchecked_range)),
        _ => None,
    });
    modules.take(1).find(|range| range.len() == size_bytes)
}

fn check_depth(depth: usize, offset: usize) -> Result<()> {
    if depth <= COMPONENT_DEPTH_MAX {
        return Ok(());
    }
    Err(Error::unsupported(format!(
        "components that nest more than {COMPONENT_DEPTH_MAX} levels deep"
    ))
    .at(Position::Offset(offset)))
}

/// Validates a binary module or component on its own, with every feature this compiler knows.
pub fn validate(bytes: &[u8]) -> Result<()> {
    let mut validator = Validator::new_with_features(FEATURES);
    let mut parser = Parser::new(0);
    parser.set_features(FEATURES);
    let mut sizes = ValueSizes::default();
    let mut bodies = Vec::new();
    let mut depth = 0;
    for payload in parser.parse_all(bytes) {
        let payload = payload.map_err(wasm_error)?;
        match &payload {
            Payload::ComponentTypeSection(section) => check_type_nesting(bytes, section)?,
            Payload::Version { range, .. } => {
                depth += 1;
                check_depth(depth, byte_offset(range.start))?;
            }
            Payload::End(_) => depth -= 1,
            _ => {}
        }
        if let ValidPayload::Func(func, body) = validator.payload(&payload).map_err(wasm_error)? {
            bodies.push((func, body));
        }
        if let Payload::ComponentTypeSection(section) = &payload {
            sizes.check_section(&validator, section)?;
        }
    }
    // Without a session there are no names, and no file for the bodies to refer to.
    let file = FileId::from_u32(0);
    read_bodies(file, bodies, |index| format!("function {index}")).map(drop)
}
