//! Runs a script's program and reads what it reports.

use crate::run::emulator_for;
use crate::wast::compare::result_types;
use crate::wast::values::{Cursor, lift_slot};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use wasmelt_abi::script::{Report as ReportRecord, SLOT_BYTES};
use wasmelt_codegen::options::Options;
use wasmelt_flatten::program::{Action, Program};
use wasmelt_flatten::script::Value;
use wasmelt_flatten::types::ValType;
use wasmelt_frontend::error::{Error, Result};

/// How long a script's program may run. The longest of the official suite takes a second.
const RUN_TIME_MAX: Duration = Duration::from_secs(120);

/// What became of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// It returned these core values.
    Returned(Vec<[u8; SLOT_BYTES]>),
    /// It returned this component value, or nothing.
    ReturnedValue(Option<Value>),
    /// It ended with the trap of that code.
    Trapped(u8),
}

/// Compiles and runs the program; the reports of its actions, in order. There are fewer than
/// actions if the program did not live to the end.
pub fn run_actions(program: &Program, options: &Options) -> Result<Vec<Report>> {
    let executable = crate::pipeline::compile_program(program, options)?;
    let cannot = |what: &str, error: io::Error| Error::environment(format!("{what}: {error}"));
    let folder = tempfile::tempdir().map_err(|e| cannot("no temporary folder", e))?;
    let path = folder.path().join("script");
    crate::output::write_executable(&path, &executable)?;
    let mut output = tempfile::tempfile().map_err(|e| cannot("no temporary file", e))?;
    let stdout = output.try_clone().map_err(|e| cannot("no temporary file", e))?;
    let command = match emulator_for(&options.target) {
        Some(emulator) => {
            let mut command = Command::new(emulator);
            // Its usual processor has no vectors.
            if options.target.features.iter().any(|feature| feature == "has_v") {
                command.env("QEMU_CPU", "rv64,v=true,vlen=128");
            }
            command.arg(&path);
            command
        }
        None => Command::new(&path),
    };
    run_to_end(command, stdout).map_err(|e| cannot("the script's program does not run", e))?;
    let mut bytes = Vec::new();
    output
        .rewind()
        .and_then(|()| output.read_to_end(&mut bytes))
        .map_err(|e| cannot("the reports cannot be read", e))?;
    Ok(parse_reports(program, &bytes, options.target.is_big_endian()))
}

/// How the program ends does not matter: what it did until then is in its reports.
fn run_to_end(command: Command, stdout: File) -> io::Result<()> {
    let mut child = spawn(command, stdout)?;
    let start = Instant::now();
    let mut pause = Duration::from_micros(500);
    while child.try_wait()?.is_none() {
        if start.elapsed() > RUN_TIME_MAX {
            child.kill()?;
            child.wait()?;
            return Ok(());
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    Ok(())
}

/// Starts the program. Another thread that was just starting a process of its own may have
/// inherited the file as it was being written, and the system executes no file that is open for
/// writing: it is closed as soon as that process has begun.
fn spawn(mut command: Command, stdout: File) -> io::Result<Child> {
    command.stdin(Stdio::null()).stdout(Stdio::from(stdout)).stderr(Stdio::null());
    for _ in 0..1000 {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(Duration::from_millis(1));
            }
            result => return result,
        }
    }
    command.spawn()
}

/// The reports that are whole.
pub fn parse_reports(program: &Program, bytes: &[u8], big_endian: bool) -> Vec<Report> {
    let mut cursor = Cursor { bytes, big_endian };
    program.actions.iter().map_while(|action| parse_report(program, action, &mut cursor)).collect()
}

fn parse_report(program: &Program, action: &Action, cursor: &mut Cursor<'_>) -> Option<Report> {
    const { assert!(ReportRecord::BYTES == 8) };
    cursor.number(4)?;
    let (trap, results) = (cursor.number(2)?, cursor.number(2)? as usize);
    if trap != 0 {
        return Some(Report::Trapped(trap as u8));
    }
    let slots = cursor.take(results * SLOT_BYTES)?.chunks_exact(SLOT_BYTES);
    let slots = slots.map(|slot| slot.try_into().expect("the chunks have that length"));
    let mut slots = slots.collect::<Vec<[u8; SLOT_BYTES]>>();
    if cursor.big_endian {
        let types = result_types(program, action);
        types.iter().zip(&mut slots).for_each(|(ty, slot)| swap_bytes(*ty, slot));
    }
    let Action::CallComponent { ty, .. } = action else { return Some(Report::Returned(slots)) };
    let value = match (program.func_types[*ty].result, slots.first()) {
        (Some(ty), Some(slot)) => Some(lift_slot(&program.types, ty, slot)?),
        (Some(ty), None) => Some(cursor.read(&program.types, ty)?),
        (None, _) => None,
    };
    Some(Report::ReturnedValue(value))
}

/// Turns a big-endian value at the start of its slot into a little-endian one. A vector has its
/// lanes in the order of memory on every target.
fn swap_bytes(ty: ValType, slot: &mut [u8; SLOT_BYTES]) {
    let size_bytes = match ty {
        ValType::I32 | ValType::F32 => 4,
        ValType::I64 | ValType::F64 | ValType::Ref(_) => 8,
        ValType::V128 => return,
    };
    slot[..size_bytes].reverse();
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmelt_flatten::program::GlobalId;

    #[test]
    fn reports_end_where_the_program_died() {
        let actions = vec![Action::Get(GlobalId::from_u32(0)); 3];
        let program = Program { actions, ..Program::default() };
        let mut bytes = vec![0, 0, 0, 0, 0, 0, 1, 0];
        bytes.extend([7; SLOT_BYTES]);
        bytes.extend([1, 0, 0, 0, 8, 0, 0, 0]);
        bytes.extend([2, 0, 0, 0, 0, 0, 1, 0, 1, 2]);
        let whole = [Report::Returned(vec![[7; SLOT_BYTES]]), Report::Trapped(8)];
        assert_eq!(parse_reports(&program, &bytes, false), whole);
    }
}
