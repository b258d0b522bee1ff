//! The places of a text file's items in its binary form.
//!
//! The translated syntax tree lists items in the order in which the binary has
//! them, so walking both side by side gives each item of the binary its line and
//! column. Where the two do not line up (a component quoted as bytes) there are
//! fewer marks, and an error speaks of the nearest item before it.

use crate::composition::Mark;
use crate::features::FEATURES;
use crate::source::byte_offset;
use wasmparser::{FromReader, Parser, Payload, SectionLimited};
use wast::Wat;
use wast::component::{ComponentField, ComponentKind, CoreModuleKind, NestedComponentKind};
use wast::core::{FuncKind, ModuleField, ModuleKind};

/// The text offsets of one component's or module's items.
#[derive(Default)]
struct Items {
    /// Of the whole.
    start: usize,
    /// Of each definition of a component, or of each function body of a module.
    items: Vec<Option<usize>>,
}

/// The items of all modules and components, each in the order in which they begin.
#[derive(Default)]
struct Outline {
    scopes: Vec<Items>,
}

/// Finds the place of each item of `bytes`, which is the translation of `wat`.
pub fn mark_items(text: &str, wat: &Wat<'_>, bytes: &[u8]) -> Vec<Mark> {
    let mut outline = Outline::default();
    match wat {
        Wat::Module(module) => match &module.kind {
            ModuleKind::Text(fields) => outline.add_module(module.span.offset(), fields),
            ModuleKind::Binary(_) => return Vec::new(),
        },
        Wat::Component(component) => match &component.kind {
            ComponentKind::Text(fields) => outline.add_component(component.span.offset(), fields),
            ComponentKind::Binary(_) => return Vec::new(),
        },
    }
    let lines = LineIndex::new(text);
    let mut marks: Vec<Mark> = pair_offsets(&outline, bytes)
        .into_iter()
        .map(|(offset, text_offset)| {
            let (line, column) = lines.line_and_column(text_offset);
            Mark { offset, line, column }
        })
        .collect();
    marks.sort_by_key(|mark| mark.offset);
    marks
}

impl Outline {
    // Recursion over nested components is bounded by the text parser's own limit.
    fn add_component(&mut self, start: usize, fields: &[ComponentField<'_>]) {
        let scope = self.scopes.len();
        self.scopes.push(Items { start, items: Vec::new() });
        for field in fields {
            let span = match field {
                ComponentField::Custom(_) | ComponentField::Producers(_) => continue,
                ComponentField::CoreModule(module) => Some(module.span),
                ComponentField::CoreInstance(instance) => Some(instance.span),
                ComponentField::CoreType(ty) => Some(ty.span),
                ComponentField::CoreRec(rec) => Some(rec.span),
                ComponentField::Component(component) => Some(component.span),
                ComponentField::Instance(instance) => Some(instance.span),
                ComponentField::Alias(alias) => Some(alias.span),
                ComponentField::Type(ty) => Some(ty.span),
                ComponentField::CanonicalFunc(func) => Some(func.span),
                ComponentField::CoreFunc(func) => Some(func.span),
                ComponentField::Func(func) => Some(func.span),
                ComponentField::Start(_) => None,
                ComponentField::Import(import) => Some(import.span),
                ComponentField::Export(export) => Some(export.span),
            };
            // Items that the translation made up have an offset of zero.
            let text_offset = span.map(|span| span.offset()).filter(|offset| *offset > 0);
            self.scopes[scope].items.push(text_offset);
            match field {
                ComponentField::CoreModule(module) => {
                    if let CoreModuleKind::Inline { fields } = &module.kind {
                        self.add_module(module.span.offset(), fields);
                    }
                }
                ComponentField::Component(component) => {
                    if let NestedComponentKind::Inline(fields) = &component.kind {
                        self.add_component(component.span.offset(), fields);
                    }
                }
                _ => {}
            }
        }
    }

    fn add_module(&mut self, start: usize, fields: &[ModuleField<'_>]) {
        let bodies = fields.iter().filter_map(|field| match field {
            ModuleField::Func(func) if matches!(func.kind, FuncKind::Inline { .. }) => {
                Some(Some(func.span.offset()))
            }
            _ => None,
        });
        self.scopes.push(Items { start, items: bodies.collect() });
    }
}

/// A module or component of the binary that is being walked.
struct Open<'a> {
    items: &'a Items,
    /// How many of the items have been met.
    met: usize,
}

/// Walks the binary beside the outline and pairs their offsets: (in the binary, in the text).
fn pair_offsets(outline: &Outline, bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let mut scopes = outline.scopes.iter();
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut parser = Parser::new(0);
    parser.set_features(FEATURES);
    for payload in parser.parse_all(bytes) {
        let Ok(payload) = payload else { break };
        if let Payload::Version { range, .. } = &payload {
            let Some(items) = scopes.next() else { break };
            pairs.push((byte_offset(range.start), items.start));
            open.push(Open { items, met: 0 });
            continue;
        }
        let Some(scope) = open.last_mut() else { break };
        match &payload {
            Payload::End(_) => drop(open.pop()),
            Payload::CodeSectionEntry(body) => scope.meet([body.range().start], &mut pairs),
            Payload::ModuleSection { unchecked_range, .. }
            | Payload::ComponentSection { unchecked_range, .. } => {
                scope.meet([unchecked_range.start], &mut pairs);
            }
            Payload::ComponentStartSection { range, .. } => scope.meet([range.start], &mut pairs),
            Payload::InstanceSection(section) => scope.meet(offsets(section), &mut pairs),
            Payload::CoreTypeSection(section) => scope.meet(offsets(section), &mut pairs),
            Payload::ComponentInstanceSection(section) => scope.meet(offsets(section), &mut pairs),
            Payload::ComponentAliasSection(section) => scope.meet(offsets(section), &mut pairs),
            Payload::ComponentTypeSection(section) => scope.meet(offsets(section), &mut pairs),
            Payload::ComponentCanonicalSection(section) => {
                scope.meet(offsets(section), &mut pairs);
            }
            Payload::ComponentImportSection(section) => scope.meet(offsets(section), &mut pairs),
            Payload::ComponentExportSection(section) => scope.meet(offsets(section), &mut pairs),
            // Sections of a module other than its code belong to no function.
            other => {
                if let Some((_, range)) = other.as_section() {
                    pairs.push((byte_offset(range.start), scope.items.start));
                }
            }
        }
    }
    pairs
}

impl Open<'_> {
    /// Pairs the next items with the offsets at which the binary has them.
    fn meet(&mut self, offsets: impl IntoIterator<Item = u64>, pairs: &mut Vec<(usize, usize)>) {
        for offset in offsets {
            if let Some(Some(text_offset)) = self.items.items.get(self.met) {
                pairs.push((byte_offset(offset), *text_offset));
            }
            self.met += 1;
        }
    }
}

/// The offsets of a section's items; ends at the first that cannot be read.
fn offsets<'a, T: FromReader<'a>>(section: &SectionLimited<'a, T>) -> Vec<u64> {
    let items = section.clone().into_iter_with_offsets();
    items.map_while(|item| item.ok()).map(|(offset, _)| offset).collect()
}

/// Where the lines of a text begin.
struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    fn new(text: &str) -> LineIndex {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        LineIndex { starts: std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect() }
    }

    /// Line and column of a byte offset, counted from 1; columns are bytes.
    fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset);
        (line, offset - self.starts[line - 1] + 1)
    }
}
