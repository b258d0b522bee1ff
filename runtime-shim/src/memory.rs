//! Growth: what `memory.grow`, `table.grow` and full handle tables call.

use crate::{arch, block, pages, start, traps};
use rustix::event::Timespec;
use wasmelt_abi::addresses::STATE_BYTES_MAX;
use wasmelt_abi::handles::{ComponentState, Handle};
use wasmelt_abi::state::{MemoryState, TableState};
use wasmelt_abi::trap::Trap;

/// What a failed growth returns.
const FAILED: u64 = u64::MAX;

/// `memory.grow`: the old number of pages, or `u64::MAX`.
#[unsafe(no_mangle)]
pub extern "C" fn wasmelt_memory_grow(memory: &mut MemoryState, delta_pages: u64) -> u64 {
    let old_pages = memory.size_bytes >> memory.page_size_log2;
    if delta_pages == 0 {
        return old_pages;
    }
    let new_bytes = old_pages
        .checked_add(delta_pages)
        .filter(|pages| *pages <= memory.max_bytes >> memory.page_size_log2)
        .map(|pages| pages << memory.page_size_log2);
    let Some(new_bytes) = new_bytes else { return FAILED };
    // The kernel maps whole pages, so the last one may reach beyond the memory's end.
    let page = arch::PAGE_BYTES as u64;
    let mapped = memory.size_bytes.next_multiple_of(page);
    let wanted = new_bytes.next_multiple_of(page);
    if mapped < wanted
        // SAFETY: the window belongs to the memory, and nothing is mapped behind its end.
        && !unsafe { pages::map_fixed(memory.base + mapped, wanted - mapped, false) }
    {
        return FAILED;
    }
    memory.size_bytes = new_bytes;
    old_pages
}

/// `table.grow`: the old number of elements, or `u64::MAX`.
#[unsafe(no_mangle)]
pub extern "C" fn wasmelt_table_grow(table: &mut TableState, delta: u64, value: u64) -> u64 {
    let old = table.size;
    let Some(new) = old.checked_add(delta).filter(|new| *new <= table.max) else { return FAILED };
    if new > table.capacity {
        let moved = move_to_larger(table.elements, table.capacity, new, size_of::<u64>() as u64);
        let Some((elements, capacity)) = moved else { return FAILED };
        table.elements = elements;
        table.capacity = capacity;
    }
    for index in old..new {
        // SAFETY: the table has room for `capacity` elements.
        unsafe { (table.elements as *mut u64).add(index as usize).write(value) };
    }
    table.size = new;
    old
}

/// Makes room for more handles.
#[unsafe(no_mangle)]
pub extern "C" fn wasmelt_handles_grow(component: &mut ComponentState) {
    let capacity = u64::from(component.capacity);
    // Entry 0 is never used, so there may be one entry more than handles.
    let max = u64::from(ComponentState::HANDLES_MAX) + 1;
    if capacity >= max {
        traps::raise(Trap::TooManyHandles);
    }
    let moved = move_to_larger(component.entries, capacity, capacity + 1, Handle::BYTES);
    let Some((entries, capacity)) = moved else { traps::raise(Trap::TooManyHandles) };
    component.entries = entries;
    component.capacity = capacity.min(max) as u32;
}

/// Moves an array to a mapping with room for at least `wanted` elements, at least twice the room
/// it had; the rest is zero. Returns the new address and capacity, or `None` if there is no room.
fn move_to_larger(old: u64, capacity: u64, wanted: u64, element_bytes: u64) -> Option<(u64, u64)> {
    let page = arch::PAGE_BYTES as u64;
    let bytes = wanted.max(capacity * 2).checked_mul(element_bytes)?;
    let bytes = bytes.checked_next_multiple_of(page).filter(|bytes| *bytes <= 1 << 40)?;
    let new = pages::try_map(bytes as usize)?;
    let old_bytes = (capacity * element_bytes) as usize;
    // SAFETY: the old array has that many bytes and does not overlap the new mapping. Where it was
    // in a mapping of ours it is not used any more; the program's state is none.
    unsafe {
        block::copy_string(new, old as *const u8, old_bytes);
        if old.wrapping_sub(start::image().memories) >= STATE_BYTES_MAX {
            pages::unmap(old as *mut u8, old_bytes);
        }
    }
    Some((new as u64, bytes / element_bytes))
}

/// `memory.atomic.wait` in a program with one thread: nobody can notify it, so it either finds
/// another value (1) or waits until the timeout (2).
#[unsafe(no_mangle)]
pub extern "C" fn wasmelt_atomic_wait(
    address: *const u8,
    expected: u64,
    timeout_ns: i64,
    is_64_bit: u32,
) -> u32 {
    // SAFETY: the caller has checked the address's bounds and alignment.
    let (found, expected) = unsafe {
        match is_64_bit {
            // Linear memory is little-endian on every machine.
            0 => (u64::from(u32::from_le(address.cast::<u32>().read())), expected & 0xffff_ffff),
            _ => (u64::from_le(address.cast::<u64>().read()), expected),
        }
    };
    if found != expected {
        return 1;
    }
    if timeout_ns < 0 {
        traps::raise(Trap::Deadlock);
    }
    sleep(timeout_ns);
    2
}

/// Sleeps, however often a signal interrupts it.
fn sleep(time_ns: i64) {
    let mut left = Timespec { tv_sec: time_ns / 1_000_000_000, tv_nsec: time_ns % 1_000_000_000 };
    while let rustix::thread::NanosleepRelativeResult::Interrupted(rest) =
        rustix::thread::nanosleep(&left)
    {
        left = rest;
    }
}
