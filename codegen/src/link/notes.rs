//! The notes of an executable: what it is granted, and what it can call at all.
//!
//! They are for people and tools that look at the file (`wasmelt inspect`, `readelf -n`); the
//! program itself never reads them, so no segment loads them. Their place is the file's end,
//! before the symbol table.

use super::elf::{Fields, HEADER_BYTES, PROGRAM_HEADER_BYTES};
use super::machine::Machine;
use super::place::Plan;
use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};
use object::{Endianness, elf};

/// Who defines the notes' types.
const OWNER: &str = "wasmelt";
/// The type of the note that holds the grants. The low numbers have general names, which tools
/// would print.
const GRANTS: u32 = 0x100;
/// The type of the note that holds the host functions' names, each ended by a zero byte.
const HOST_FUNCS: u32 = 0x101;
/// Contents are padded to a multiple of this.
const ALIGN: usize = 4;

/// What the notes say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Grant records, as `wasmelt_abi::image::Grant` says.
    pub grants: Vec<u8>,
    /// The host functions that can be called, `interface#function`.
    pub host_funcs: Vec<String>,
}

/// Appends the notes and fills in the last program header, which was left empty for them.
pub fn append_notes(machine: Machine, notes: &Notes, plan: &Plan, bytes: &mut Vec<u8>) {
    let mut names = Vec::new();
    for name in &notes.host_funcs {
        names.extend(name.bytes());
        names.push(0);
    }
    bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
    let start = bytes.len();
    append_note(machine, GRANTS, &notes.grants, bytes);
    append_note(machine, HOST_FUNCS, &names, bytes);

    let size_bytes = (bytes.len() - start) as u64;
    let mut header = Fields::new(machine);
    header.u32(elf::PT_NOTE.0);
    header.u32(elf::PF_R.0);
    // No address: it is not loaded.
    for field in [start as u64, 0, 0, size_bytes, 0, ALIGN as u64] {
        header.u64(field);
    }
    let at = HEADER_BYTES + usize::from(PROGRAM_HEADER_BYTES) * (plan.header_count() - 1);
    bytes[at..at + header.bytes.len()].copy_from_slice(&header.bytes);
}

fn append_note(machine: Machine, kind: u32, contents: &[u8], bytes: &mut Vec<u8>) {
    let mut note = Fields::new(machine);
    note.u32(OWNER.len() as u32 + 1);
    note.u32(contents.len() as u32);
    note.u32(kind);
    note.bytes.extend(OWNER.bytes());
    note.bytes.push(0);
    note.bytes.extend(contents);
    bytes.extend(note.bytes);
    bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
}

/// Reads the notes of an executable; `None` if it is none, or has none of ours.
pub fn read_notes(bytes: &[u8]) -> Option<Notes> {
    let file = ElfFile64::<Endianness>::parse(bytes).ok()?;
    let endian = file.endian();
    let mut found = None;
    for header in file.elf_header().program_headers(endian, bytes).ok()? {
        let mut notes = match header.notes(endian, bytes) {
            Ok(Some(notes)) => notes,
            _ => continue,
        };
        while let Ok(Some(note)) = notes.next() {
            if note.name() != OWNER.as_bytes() {
                continue;
            }
            let notes = found.get_or_insert_with(Notes::default);
            match note.n_type(endian) {
                elf::NoteType(GRANTS) => notes.grants = note.desc().to_vec(),
                elf::NoteType(HOST_FUNCS) => notes.host_funcs = split_names(note.desc()),
                _ => {}
            }
        }
    }
    found
}

fn split_names(names: &[u8]) -> Vec<String> {
    let names = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    names.map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}
