//! The relocatable object: what has been compiled, with its tables and its contents.
//!
//! All guest code is one section, in the order of the function ids, so that offsets
//! in it are known here: calls between guest functions are resolved at once, and
//! the tables hold 32-bit offsets. What start-up needs to know stands in the
//! `wasmelt_image` record. State and memory images are sections of their own, each
//! at an address that the program's layout fixed before.

pub(crate) mod format;
mod windows;

use self::format::{Kind, Reference};
use crate::data::{Constants, InitialData, Words, build_constants, build_elem};
use crate::emit::{CodeRelocation, CompiledFunc, Target};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::library::{Contents, Step, plan_steps};
use crate::link::machine::{Machine, Values};
use crate::options::{OptLevel, Options};
use crate::program::{DataId, ElemId, Func, FuncId, FuncKind, Program};
use crate::relax::{Relaxing, choose_relaxing};
use crate::script::{Pointee, build_actions};
use crate::tables::{Tables, build_tables};
use crate::unwind::{FrameTable, build_frame_table};
use crate::versions::Version;
use cranelift_entity::SecondaryMap;
use object::write::{Object, SectionId, StandardSection, Symbol, SymbolId, SymbolSection};
use object::{BinaryFormat, SectionKind, SymbolFlags, SymbolKind, SymbolScope};
use std::collections::BTreeMap;
use wasmelt_abi::addresses::{STACK_BASE, STACK_BYTES};
use wasmelt_abi::image::Image;
use wasmelt_abi::library::Step as StepRecord;
use wasmelt_abi::symbols;

/// An object, and what a linker must know that no object format says.
#[derive(Clone, Debug)]
pub struct ObjectFile {
    /// The file.
    pub bytes: Vec<u8>,
    /// The address space that must exist when the program starts, in ascending order.
    pub fixed: Vec<FixedRange>,
    /// The host functions that can be called, `interface#function`, sorted.
    pub host_funcs: Vec<String>,
    /// The symbols of a library's functions.
    pub exports: Vec<String>,
}

/// A part of the address space whose place the layout decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedRange {
    /// Address of the first byte.
    pub address: u64,
    /// Its size in bytes; what no section fills is zero.
    pub size_bytes: u64,
    /// Whether the program writes to it.
    pub is_writable: bool,
    /// The object's sections that lie in it, and their addresses, ascending.
    pub sections: Vec<(String, u64)>,
}

/// Writes the object.
///
/// # Errors
///
/// `Unsupported` if the code is too large or the target has no object writer yet.
pub fn write_object(
    env: Env<'_>,
    compiled: &[CompiledFunc],
    initial: &InitialData,
    options: &Options,
) -> Result<ObjectFile> {
    let machine = Machine::of(&options.target.triple)?;
    let format = format::format_of(&options.target.triple)?;
    let text = Text::lay_out(compiled, choose_packing(options))?;
    let frames = build_frame_table(env, compiled, &text.starts);
    let starts = text.starts.clone();
    let tables = build_tables(env, compiled, &text.starts, options.strip);
    let mut writer = Writer::new(env, options, (machine, format), text);
    let constants = build_constants(env.program, env.layout, options);
    let steps = plan_steps(env.program, env.layout, initial, &constants, options);
    writer.write_constants(&constants);
    let steps = writer.write_steps(&steps);
    writer.write_tables(&tables, steps);
    writer.write_code(compiled, initial)?;
    match format {
        BinaryFormat::Coff => writer.write_windows_frames(compiled, &starts)?,
        _ => writer.write_frames(&frames),
    }
    let fixed = match options.embedding {
        None => writer.write_fixed(initial),
        Some(_) => Vec::new(),
    };
    format::write_references(&mut writer.object, &writer.references)?;
    let bytes = writer.object.write();
    let bytes = bytes.map_err(|error| Error::unsupported(format!("an object file: {error}")))?;
    let (host_funcs, exports) = (list_host_funcs(env.program), list_exports(env.program));
    Ok(ObjectFile { bytes, fixed, host_funcs, exports })
}

fn list_host_funcs(program: &Program) -> Vec<String> {
    let live = program.hosts.values().filter(|host| host.live);
    let mut names: Vec<String> =
        live.map(|host| format!("{}#{}", host.interface, host.name)).collect();
    names.sort();
    names.dedup();
    names
}

fn list_exports(program: &Program) -> Vec<String> {
    let symbol_of = |func: &Func| match &func.kind {
        FuncKind::Export { symbol, .. } if func.live => Some(symbol.clone()),
        _ => None,
    };
    program.funcs.values().filter_map(symbol_of).collect()
}

/// Where each function lies in the text.
struct Text {
    starts: Vec<u32>,
    by_func: SecondaryMap<FuncId, u32>,
    /// The versions of functions that have several.
    by_version: BTreeMap<(FuncId, Version), u32>,
    bytes: Vec<u8>,
}

/// How functions lie that do not ask for more.
fn choose_packing(options: &Options) -> Packing {
    match (choose_relaxing(options), options.opt_level) {
        (_, OptLevel::Size) => Packing::Dense,
        (Relaxing::On(_), _) => Packing::Heads,
        (Relaxing::Off, _) => Packing::Lines,
    }
}

/// How functions lie in the lines of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    /// Side by side.
    Dense,
    /// What is fetched first of a function lies in one line. The pass that places loops knows which
    /// functions must start at a line.
    Heads,
    /// Each starts at a line. How a loop lies in the lines should not depend on the functions before it:
    /// the same loop took up to a fifth longer or shorter behind others.
    Lines,
}

impl Packing {
    /// Where a function of that length starts behind `end`.
    fn find_start(self, end: usize, func_bytes: usize) -> usize {
        let line = end.next_multiple_of(LINE_BYTES);
        match self {
            Packing::Dense => end,
            Packing::Heads if end + func_bytes.min(HEAD_BYTES) <= line => end,
            Packing::Heads | Packing::Lines => line,
        }
    }
}

/// A line of the cache: nothing needs a larger alignment.
const LINE_BYTES: usize = 64;
/// How many bytes of a function are fetched first.
const HEAD_BYTES: usize = 16;

impl Text {
    fn lay_out(compiled: &[CompiledFunc], packing: Packing) -> Result<Text> {
        let mut text = Text {
            starts: Vec::new(),
            by_func: SecondaryMap::new(),
            by_version: BTreeMap::new(),
            bytes: Vec::new(),
        };
        for func in compiled {
            let end = text.bytes.len().next_multiple_of(func.align as usize);
            let start = packing.find_start(end, func.code.len());
            text.bytes.resize(start.next_multiple_of(func.align as usize), 0);
            let start = i32::try_from(text.bytes.len()).ok();
            let start = start.ok_or_else(|| Error::unsupported("more than 2 GiB of code"))?;
            let start = start.cast_unsigned();
            text.starts.push(start);
            match func.version {
                Version::Entry => text.by_func[func.func] = start,
                version => {
                    text.by_version.insert((func.func, version), start);
                }
            }
            text.bytes.extend_from_slice(&func.code);
        }
        Ok(text)
    }
}

/// What is written so far.
struct Writer<'a> {
    env: Env<'a>,
    options: &'a Options,
    machine: Machine,
    object: Object<'static>,
    text: Text,
    text_section: SectionId,
    text_symbol: SymbolId,
    rodata: SectionId,
    rodata_symbol: SymbolId,
    constants: Option<SectionId>,
    /// In a library, the constants that hold addresses.
    relocated: Option<(SectionId, SymbolId)>,
    /// Symbols of the shim that code refers to.
    imported: BTreeMap<String, SymbolId>,
    /// Where constant bytes that code refers to lie in the read-only data.
    placed: BTreeMap<Target, u64>,
    /// What refers to what; written last.
    references: Vec<Reference>,
}

impl<'a> Writer<'a> {
    fn new(
        env: Env<'a>,
        options: &'a Options,
        (machine, format): (Machine, BinaryFormat),
        text: Text,
    ) -> Writer<'a> {
        let mut object = format::new_object(machine, format);
        let text_section = object.section_id(StandardSection::Text);
        let rodata = object.section_id(StandardSection::ReadOnlyData);
        let text_symbol = format::start_symbol(&mut object, text_section, "text");
        let rodata_symbol = format::start_symbol(&mut object, rodata, "constants");
        Writer {
            env,
            options,
            machine,
            object,
            text,
            text_section,
            text_symbol,
            rodata,
            rodata_symbol,
            constants: None,
            relocated: None,
            imported: BTreeMap::new(),
            placed: BTreeMap::new(),
            references: Vec::new(),
        }
    }

    fn add_relocation(
        &mut self,
        section: SectionId,
        offset: u64,
        (symbol, addend): (SymbolId, i64),
        kind: u32,
    ) {
        let kind = Kind::Elf(kind);
        self.references.push(Reference { section, offset, symbol, addend, kind });
    }

    /// An 8-byte word that holds an address.
    fn add_address(&mut self, section: SectionId, offset: u64, to: (SymbolId, i64)) {
        self.add_relocation(section, offset, to, self.machine.absolute_relocation());
    }

    fn code_address(&self, func: FuncId) -> (SymbolId, i64) {
        let code = self.env.layout.folding.code_of(func);
        (self.text_symbol, i64::from(self.text.by_func[code]))
    }

    fn write_constants(&mut self, constants: &Constants) {
        if constants.bytes.is_empty() {
            return;
        }
        let section = match self.options.embedding {
            // Whoever links it decides where it goes; the library copies it.
            Some(_) => self.relocated_section(),
            None => {
                let name = b".wasmelt.constants".to_vec();
                self.object.add_section(Vec::new(), name, SectionKind::ReadOnlyData)
            }
        };
        let start = self.object.append_section_data(section, &constants.bytes, 16);
        for (offset, func) in &constants.code_addresses {
            self.add_address(section, start + *offset as u64, self.code_address(*func));
        }
        self.constants = Some(section);
    }

    /// Writes the tables and the image record, which points at them.
    fn write_tables(&mut self, tables: &Tables, steps: (u64, usize)) {
        // Where code may lie anywhere, the addresses in the record are not constant.
        let holder = match self.options.embedding {
            Some(_) => self.relocated_section(),
            None => self.rodata,
        };
        let record = self.object.append_section_data(holder, &[0; Image::WORDS * 8], 8);
        let traps = self.append_rodata(&tables.traps, 1);
        let names = self.append_rodata(&tables.names, 1);
        let grants = self.append_rodata(&self.options.grants, 1);
        let live = self.env.program.memories.values().filter(|memory| memory.live);
        let words = [
            Word::Text,
            Word::Number(self.text.bytes.len() as u64),
            Word::Rodata(traps),
            Word::Number(tables.traps.len() as u64),
            Word::Rodata(names),
            Word::Number(self.env.layout.state_start),
            Word::Number(live.count() as u64),
            Word::Rodata(grants),
            Word::Number(self.options.grants.len() as u64),
            Word::Relocated(steps.0),
            Word::Number(steps.1 as u64),
        ];
        const { assert!(Image::WORDS == 11) };
        let mut numbers = Words::new(0, self.options);
        for (index, word) in words.iter().enumerate() {
            let offset = index as u64 * 8;
            numbers.put_u64(offset, if let Word::Number(number) = word { *number } else { 0 });
            match word {
                Word::Number(_) => {}
                Word::Text => self.add_address(holder, record + offset, (self.text_symbol, 0)),
                Word::Relocated(at) => {
                    if let Some((_, symbol)) = self.relocated {
                        let to = (symbol, at.cast_signed());
                        self.add_address(holder, record + offset, to);
                    }
                }
                Word::Rodata(at) => {
                    let to = (self.rodata_symbol, at.cast_signed());
                    self.add_address(holder, record + offset, to);
                }
            }
        }
        let section = self.object.section_mut(holder);
        section.data_mut()[record as usize..][..numbers.bytes.len()]
            .copy_from_slice(&numbers.bytes);
        let size = (Image::WORDS * 8) as u64;
        let range = record..record + size;
        self.define_symbol(symbols::IMAGE, holder, range, SymbolKind::Data, true);
    }

    /// The section of constants that hold addresses: read-only once whoever loads the library has
    /// filled them in.
    fn relocated_section(&mut self) -> SectionId {
        if let Some((section, _)) = self.relocated {
            return section;
        }
        let section = self.object.section_id(StandardSection::ReadOnlyDataWithRel);
        let symbol = format::start_symbol(&mut self.object, section, "addresses");
        self.relocated = Some((section, symbol));
        section
    }

    /// Writes the steps of a library and what they copy; where they are, and how many.
    fn write_steps(&mut self, steps: &[Step<'_>]) -> (u64, usize) {
        if steps.is_empty() {
            return (0, 0);
        }
        let section = self.relocated_section();
        let record_bytes = StepRecord::WORDS as u64 * 8;
        let room = vec![0; steps.len() * record_bytes as usize];
        let start = self.object.append_section_data(section, &room, 8);
        for (index, step) in steps.iter().enumerate() {
            let at = start + index as u64 * record_bytes;
            let mut words = Words::new(0, self.options);
            words.put_u64(0, step.kind as u64);
            words.put_u64(8, step.address);
            words.put_u64(16, step.size_bytes);
            let record = &mut self.object.section_mut(section).data_mut()[at as usize..];
            record[..words.bytes.len()].copy_from_slice(&words.bytes);
            let source = match step.contents {
                Contents::None => continue,
                Contents::Bytes(bytes) => {
                    (self.rodata_symbol, self.append_rodata(bytes, 16).cast_signed())
                }
                // They were the first to be written there.
                Contents::Constants => (self.relocated.expect("it has been made").1, 0),
            };
            self.add_address(section, at + 24, source);
        }
        (start, steps.len())
    }

    fn append_rodata(&mut self, bytes: &[u8], align: u64) -> u64 {
        self.object.append_section_data(self.rodata, bytes, align)
    }

    fn define_symbol(
        &mut self,
        name: &str,
        section: SectionId,
        range: std::ops::Range<u64>,
        kind: SymbolKind,
        is_public: bool,
    ) {
        let scope = if is_public { SymbolScope::Linkage } else { SymbolScope::Compilation };
        self.object.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value: range.start,
            size: range.end - range.start,
            kind,
            scope,
            weak: false,
            section: SymbolSection::Section(section),
            flags: SymbolFlags::None,
        });
    }

    fn write_code(&mut self, compiled: &[CompiledFunc], initial: &InitialData) -> Result<()> {
        let starts = std::mem::take(&mut self.text.starts);
        let folded = self.env.layout.folding.by_code();
        for (func, start) in compiled.iter().zip(starts) {
            let item = self.env.program.funcs.get(func.func);
            let name = item.map_or(symbols::MAIN, |func| &func.name);
            let name = &format!("{name}{}", func.version.suffix());
            let is_public = func.version == Version::Entry
                && item.is_none_or(|func| matches!(func.kind, FuncKind::Export { .. }));
            let start = u64::from(start);
            let range = start..start + func.code.len() as u64;
            self.define_symbol(name, self.text_section, range.clone(), SymbolKind::Text, is_public);
            for other in folded.get(&func.func).into_iter().flatten() {
                // Functions of modules only, which nobody outside knows.
                let name = &self.env.program.funcs[*other].name;
                let kind = SymbolKind::Text;
                self.define_symbol(name, self.text_section, range.clone(), kind, false);
            }
            for relocation in &func.relocations {
                let kind = self.machine.code_relocation(relocation.kind);
                let offset = start + u64::from(relocation.offset);
                let (relocation, place) = match find_first_of_pair(self.machine, func, relocation) {
                    Some(first) => (first, start + u64::from(first.offset)),
                    None => (relocation, offset),
                };
                let to = match relocation.target {
                    Target::Func(callee) => Some(u64::from(self.text.by_func[callee])),
                    Target::Version(func, version) => {
                        Some(u64::from(self.text.by_version[&(func, version)]))
                    }
                    Target::Own(own) => Some(start + u64::from(own)),
                    _ => None,
                };
                if let Some(to) = to {
                    // Both ends lie in the text, so their distance is known.
                    let values = Values { symbol: to, addend: relocation.addend, place, got: None };
                    self.machine
                        .apply(kind, &mut self.text.bytes, offset as usize, values)
                        .map_err(|_| describe_far_call(self.machine))?;
                    continue;
                }
                let to = match place == offset {
                    true => {
                        let (symbol, addend) = self.place_target(relocation.target, initial)?;
                        (symbol, addend + relocation.addend)
                    }
                    false => (self.define_label(place), 0),
                };
                self.add_relocation(self.text_section, offset, to, kind);
            }
        }
        let text = std::mem::take(&mut self.text.bytes);
        self.object.append_section_data(self.text_section, &text, LINE_BYTES as u64);
        Ok(())
    }

    /// Writes the table that unwinders read.
    fn write_frames(&mut self, frames: &FrameTable) {
        let section = format::add_frame_section(&mut self.object);
        self.object.append_section_data(section, &frames.bytes, 8);
        let kind = match self.object.format() {
            BinaryFormat::Elf => Kind::Elf(self.machine.distance_relocation()),
            _ => Kind::Distance(format::start_symbol(&mut self.object, section, "frames")),
        };
        for reference in &frames.references {
            self.references.push(Reference {
                section,
                offset: reference.offset,
                symbol: self.text_symbol,
                addend: i64::from(reference.text_offset),
                kind,
            });
        }
    }

    /// Writes the two tables that Windows has in the place of one: each function's frame, and the
    /// functions.
    fn write_windows_frames(&mut self, compiled: &[CompiledFunc], starts: &[u32]) -> Result<()> {
        let kind = SectionKind::ReadOnlyData;
        let frames = self.object.add_section(Vec::new(), b".xdata".to_vec(), kind);
        let funcs = self.object.add_section(Vec::new(), b".pdata".to_vec(), kind);
        let frames_symbol = format::start_symbol(&mut self.object, frames, "frames");
        // The end of a function follows from its frame's description on AArch64.
        let has_end = self.machine == Machine::X86_64;
        for (func, start) in compiled.iter().zip(starts) {
            let Some(data) = windows::unwind_data(func)? else { continue };
            let frame = self.object.append_section_data(frames, &data, 4);
            let end = u64::from(*start) + func.code.len() as u64;
            let mut fields = vec![(self.text_symbol, u64::from(*start))];
            fields.extend(has_end.then_some((self.text_symbol, end)));
            fields.push((frames_symbol, frame));
            let record = self.object.append_section_data(funcs, &vec![0; fields.len() * 4], 4);
            for (index, (symbol, addend)) in fields.into_iter().enumerate() {
                self.references.push(Reference {
                    section: funcs,
                    offset: record + index as u64 * 4,
                    symbol,
                    addend: addend.cast_signed(),
                    kind: Kind::FromImage,
                });
            }
        }
        Ok(())
    }

    /// A nameless symbol for a place in the text: the second relocation of a pair names the first
    /// by it.
    fn define_label(&mut self, offset: u64) -> SymbolId {
        self.object.add_symbol(Symbol {
            name: Vec::new(),
            value: offset,
            size: 0,
            kind: SymbolKind::Label,
            scope: SymbolScope::Compilation,
            weak: false,
            section: SymbolSection::Section(self.text_section),
            flags: SymbolFlags::None,
        })
    }

    /// The symbol and offset of what code refers to outside of the text.
    fn place_target(&mut self, target: Target, initial: &InitialData) -> Result<(SymbolId, i64)> {
        let name = match target {
            Target::Symbol(symbol) => self.env.symbol_name(symbol),
            Target::Import(symbol) => return Ok(self.place_import(symbol)),
            Target::Library(name) => name,
            _ => {
                let at = self.place_bytes(target, initial)?;
                return Ok((self.rodata_symbol, at.cast_signed()));
            }
        };
        Ok((self.import_symbol(name.to_owned()), 0))
    }

    /// An undefined symbol.
    fn import_symbol(&mut self, name: String) -> SymbolId {
        if let Some(known) = self.imported.get(&name) {
            return *known;
        }
        let symbol = self.object.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value: 0,
            size: 0,
            kind: SymbolKind::Text,
            scope: SymbolScope::Unknown,
            weak: false,
            section: SymbolSection::Undefined,
            flags: SymbolFlags::None,
        });
        self.imported.insert(name, symbol);
        symbol
    }

    /// The word that holds the address of someone else's function.
    fn place_import(&mut self, symbol: crate::env::SymbolId) -> (SymbolId, i64) {
        let section = self.relocated_section();
        let at = match self.placed.get(&Target::Import(symbol)) {
            Some(known) => *known,
            None => {
                let at = self.object.append_section_data(section, &[0; 8], 8);
                let function = self.import_symbol(self.env.symbol_name(symbol).to_owned());
                self.add_address(section, at, (function, 0));
                self.placed.insert(Target::Import(symbol), at);
                at
            }
        };
        let (_, symbol) = self.relocated.expect("its section has been made");
        (symbol, at.cast_signed())
    }

    /// The offset in the read-only data of bytes that code refers to; writes them the first time.
    fn place_bytes(&mut self, target: Target, initial: &InitialData) -> Result<u64> {
        if let Some(known) = self.placed.get(&target) {
            return Ok(*known);
        }
        let at = match target {
            Target::Data(data) => self.place_data(data),
            Target::Elem(elem) => self.place_elem(elem),
            Target::Copied(index) => self.append_rodata(&initial.copied[index as usize].bytes, 16),
            Target::Actions => self.place_actions()?,
            other => panic!("{other:?} is not constant data"),
        };
        self.placed.insert(target, at);
        Ok(at)
    }

    fn place_data(&mut self, data: DataId) -> u64 {
        let bytes = &self.env.program.data[data].bytes;
        let file = &self.env.program.files[bytes.file];
        self.append_rodata(&file.bytes[bytes.range.clone()], 16)
    }

    fn place_elem(&mut self, elem: ElemId) -> u64 {
        let bytes = build_elem(self.env.program, self.env.layout, self.options, elem);
        self.append_rodata(&bytes, 16)
    }

    fn place_actions(&mut self) -> Result<u64> {
        let table = build_actions(self.env)?;
        let start = self.append_rodata(&table.bytes, 16);
        for (offset, pointee) in &table.addresses {
            let to = match pointee {
                Pointee::Code(func) => self.code_address(*func),
                Pointee::Table(at) => (self.rodata_symbol, (start + u64::from(*at)).cast_signed()),
            };
            self.add_address(self.rodata, start + u64::from(*offset), to);
        }
        Ok(start)
    }

    /// Writes the sections with fixed addresses; returns the whole fixed address space.
    fn write_fixed(&mut self, initial: &InitialData) -> Vec<FixedRange> {
        let layout = self.env.layout;
        let mut fixed = Vec::new();
        if self.constants.is_some() {
            let start = layout.constants_start;
            fixed.push(FixedRange {
                address: start,
                size_bytes: layout.constants_end - start,
                is_writable: false,
                sections: vec![(".wasmelt.constants".to_owned(), start)],
            });
        }
        for region in &initial.regions {
            let mut sections = Vec::new();
            for (index, run) in region.mapped.iter().enumerate() {
                let name = match index {
                    0 => format!(".wasmelt.{}", region.name),
                    _ => format!(".wasmelt.{}.{index}", region.name),
                };
                let section =
                    self.object.add_section(Vec::new(), name.clone().into(), SectionKind::Data);
                self.object.append_section_data(section, &run.bytes, 16);
                sections.push((name, run.address));
            }
            fixed.push(FixedRange {
                address: region.address,
                size_bytes: region.size_bytes,
                is_writable: true,
                sections,
            });
        }
        fixed.push(FixedRange {
            address: STACK_BASE,
            size_bytes: STACK_BYTES,
            is_writable: true,
            sections: Vec::new(),
        });
        fixed.sort_by_key(|range| range.address);
        fixed
    }
}

/// The first relocation of the pair that `relocation` is the second of: its target is the place of
/// the first, which has the target that both stand for.
fn find_first_of_pair<'f>(
    machine: Machine,
    func: &'f CompiledFunc,
    relocation: &CodeRelocation,
) -> Option<&'f CodeRelocation> {
    if !machine.is_second_of_pair(machine.code_relocation(relocation.kind)) {
        return None;
    }
    let Target::Own(first) = relocation.target else { return None };
    func.relocations.iter().find(|other| {
        other.offset == first && machine.is_first_of_pair(machine.code_relocation(other.kind))
    })
}

/// A call spans everything that has been inlined into the functions between.
fn describe_far_call(machine: Machine) -> Error {
    let reach = match machine {
        Machine::Aarch64 => "128 MiB",
        _ => "2 GiB",
    };
    Error::unsupported(format!("code of more than {reach}, which is as far as a call reaches"))
        .help("`-O s` makes less code")
}

/// A word of the image record.
enum Word {
    Number(u64),
    /// The address of the text.
    Text,
    /// The address of that byte of the read-only data.
    Rodata(u64),
    /// The address of that byte of the constants that hold addresses.
    Relocated(u64),
}
