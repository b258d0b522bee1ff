//! Arguments, environment, exit, clocks and random bytes.

use super::flags::{check_case, check_clock, clock};
use super::memory::Memory;
use super::status;
use crate::wasi::{clocks, grants, random};
use crate::{arch, start};
use rustix::io::Errno;
use rustix::time::ClockId;
use wasmelt_abi::state::MemoryState;

/// Writes texts one behind the other, each ended by a zero byte, and a list of where they begin.
struct TextWriter {
    memory: Memory,
    /// Where the next place goes.
    list: u64,
    /// Where the next byte goes.
    at: u32,
}

impl TextWriter {
    fn begin(&mut self) {
        self.memory.write_u32(self.list, self.at);
        self.list += 4;
    }

    fn push(&mut self, bytes: &[u8]) {
        self.memory.write_bytes(self.at, bytes);
        // It has been written, so its end is an address.
        self.at = self.at.wrapping_add(bytes.len() as u32);
    }
}

/// `args_get`.
#[unsafe(export_name = "wasi_snapshot_preview1__args_get")]
pub extern "C" fn args_get(memory: &MemoryState, list: u32, buffer: u32) -> u32 {
    let mut texts = TextWriter { memory: Memory::of(memory), list: list.into(), at: buffer };
    for argument in start::arguments() {
        texts.begin();
        texts.push(argument.to_bytes_with_nul());
    }
    0
}

/// `args_sizes_get`.
#[unsafe(export_name = "wasi_snapshot_preview1__args_sizes_get")]
pub extern "C" fn args_sizes_get(memory: &MemoryState, count_at: u32, bytes_at: u32) -> u32 {
    let (mut count, mut bytes) = (0, 0);
    for argument in start::arguments() {
        count += 1;
        bytes += argument.to_bytes_with_nul().len();
    }
    write_sizes(memory, (count_at, count), (bytes_at, bytes))
}

/// Writes two sizes. Neither is beyond 32 bits, because the kernel passes on a few MiB at most.
fn write_sizes(memory: &MemoryState, count: (u32, usize), bytes: (u32, usize)) -> u32 {
    let memory = Memory::of(memory);
    for (at, size) in [count, bytes] {
        memory.write_u32(at.into(), size as u32);
    }
    0
}

/// `environ_get`.
#[unsafe(export_name = "wasi_snapshot_preview1__environ_get")]
pub extern "C" fn environ_get(memory: &MemoryState, list: u32, buffer: u32) -> u32 {
    let mut texts = TextWriter { memory: Memory::of(memory), list: list.into(), at: buffer };
    grants::visit_environment(&mut |name, value| {
        texts.begin();
        for part in [name, b"=", value, b"\0"] {
            texts.push(part);
        }
    });
    0
}

/// `environ_sizes_get`.
#[unsafe(export_name = "wasi_snapshot_preview1__environ_sizes_get")]
pub extern "C" fn environ_sizes_get(memory: &MemoryState, count_at: u32, bytes_at: u32) -> u32 {
    let (mut count, mut bytes) = (0, 0);
    grants::visit_environment(&mut |name, value| {
        count += 1;
        bytes += name.len() + 1 + value.len() + 1;
    });
    write_sizes(memory, (count_at, count), (bytes_at, bytes))
}

/// `clock_res_get`.
#[unsafe(export_name = "wasi_snapshot_preview1__clock_res_get")]
pub extern "C" fn clock_res_get(memory: &MemoryState, id: u32, out: u32) -> u32 {
    status(check_clock(id).and_then(|id| {
        let resolution_ns = match id {
            clock::REALTIME => clocks::resolution_ns(ClockId::Realtime),
            clock::MONOTONIC => clocks::resolution_ns(ClockId::Monotonic),
            _ => return Err(Errno::BADF),
        };
        Memory::of(memory).write_u64(out.into(), resolution_ns);
        Ok(())
    }))
}

/// `clock_time_get`. It is as precise as the system can be.
#[unsafe(export_name = "wasi_snapshot_preview1__clock_time_get")]
pub extern "C" fn clock_time_get(memory: &MemoryState, id: u32, _precision: u64, out: u32) -> u32 {
    status(check_clock(id).and_then(|id| {
        let now_ns = match id {
            clock::REALTIME => clocks::realtime_ns(),
            clock::MONOTONIC => clocks::monotonic_ns(),
            _ => return Err(Errno::BADF),
        };
        Memory::of(memory).write_u64(out.into(), now_ns);
        Ok(())
    }))
}

/// `proc_exit`. The system passes on the code's low 8 bits.
#[unsafe(export_name = "wasi_snapshot_preview1__proc_exit")]
pub extern "C" fn proc_exit(_memory: &MemoryState, code: u32) {
    arch::exit(code as i32)
}

/// `proc_raise`: there are no signals.
#[unsafe(export_name = "wasi_snapshot_preview1__proc_raise")]
pub extern "C" fn proc_raise(_memory: &MemoryState, signal: u32) -> u32 {
    const SIGNALS: u32 = 31;
    status(check_case(signal, SIGNALS).and(Err(Errno::NOTSUP)))
}

/// `sched_yield`: there are no other threads.
#[unsafe(export_name = "wasi_snapshot_preview1__sched_yield")]
pub extern "C" fn sched_yield(_memory: &MemoryState) -> u32 {
    0
}

/// `random_get`.
#[unsafe(export_name = "wasi_snapshot_preview1__random_get")]
pub extern "C" fn random_get(memory: &MemoryState, buffer: u32, len: u32) -> u32 {
    random::fill(Memory::of(memory).bytes_mut(buffer, len));
    0
}
