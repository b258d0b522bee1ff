//! One side of a call: a guest's memory and how its `realloc` behaves.

use crate::handles::Table;
use crate::types::{Pointers, align_to};
use wasmelt_abi::trap::Trap;

/// Bytes of a page of linear memory.
pub const PAGE_BYTES: u32 = 65536;
/// Pages of a guest's memory at first. The types of a case have `pair::TYPE_BYTES_MAX` bytes,
/// the values `draw::FUEL` elements and strings: less than a page on either way of the call, with
/// everything that widening a string allocates.
pub const MEMORY_PAGES: u32 = 2;
/// Bytes of a guest's memory at first.
pub const MEMORY_BYTES: u32 = MEMORY_PAGES * PAGE_BYTES;
/// Where a guest counts the calls of its `realloc`.
pub const COUNT_AT: u32 = 48;
/// Where it notes what its `post-return` was called with, after a 1.
pub const POST_RETURN_AT: u32 = 24;
/// Where it stores the flat values that it was given, 8 bytes each.
pub const FLAT_AT: u32 = 64;
/// Where it notes the arguments of its `realloc`, 32 bytes for each call.
pub const TRACE_AT: u32 = 512;
/// Where it notes what the handles stand for that it was given, 4 bytes each.
pub const REPS_AT: u32 = 7168;
/// Where everything else begins.
pub const HEAP_AT: u32 = 8192;
/// Calls of `realloc` that can be noted.
pub const CALLS_MAX: usize = 200;
/// Handles that can be noted.
pub const REPS_MAX: usize = 256;

pub type Result<T> = std::result::Result<T, Trap>;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Encoding {
    Utf8,
    Utf16,
    Latin1Utf16,
}

/// How a guest's `realloc` behaves. All of them allocate upwards.
#[derive(Clone, Debug)]
pub struct Habit {
    /// Alignments that each allocation leaves unused, so that it is aligned to no more.
    pub skip: u32,
    /// Whether what does not become larger stays in place.
    pub in_place: bool,
    /// Whether the first call grows the memory, and all allocations are in the new page.
    pub grows: bool,
    /// Which call misbehaves, if any, and how.
    pub fault: Option<(u32, Misbehaviour)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Misbehaviour {
    Misaligned,
    Far,
}

#[derive(Clone, Debug)]
pub struct Guest {
    pub memory: Vec<u8>,
    pub pointers: Pointers,
    pub encoding: Encoding,
    pub table: Table,
    /// Whether it defines the resource type.
    pub is_owner: bool,
    /// What the handles stand for that it makes before it passes or returns them.
    pub makes: Vec<u32>,
    pub habit: Habit,
    /// Where the next allocation may begin.
    pub next: u32,
    /// The arguments of each call of `realloc`: old pointer, old size, alignment, new size.
    pub calls: Vec<[u64; 4]>,
    /// Start and size of what adapters may write.
    pub writable: Vec<(u32, u32)>,
}

impl Guest {
    pub fn new(pointers: Pointers, encoding: Encoding, habit: Habit, start: u32) -> Guest {
        Guest {
            memory: vec![0; MEMORY_BYTES as usize],
            pointers,
            encoding,
            table: Table::default(),
            is_owner: false,
            makes: Vec::new(),
            habit,
            next: start,
            calls: Vec::new(),
            writable: Vec::new(),
        }
    }

    /// A pointer beyond every memory, aligned to everything. A wide one would be inside if someone
    /// looked at its lower half only.
    pub fn far_pointer(&self) -> u64 {
        match self.pointers {
            Pointers::Narrow => 0xffff_fff0,
            Pointers::Wide => 0x1_0000_0000 + u64::from(HEAP_AT),
        }
    }

    /// Makes an own handle.
    pub fn make(&mut self, rep: u32) -> u32 {
        self.makes.push(rep);
        self.table.add(rep, true)
    }

    /// Where the memory ends when it has become as large as it will.
    pub fn memory_end(&self) -> u32 {
        if self.habit.grows { MEMORY_BYTES + PAGE_BYTES } else { MEMORY_BYTES }
    }

    /// Room for the guest's own data: nothing is noted.
    pub fn place(&mut self, size: u32, align: u32) -> u32 {
        let pointer = align_to(self.next, align);
        self.next = pointer + size;
        assert!(self.next < MEMORY_BYTES, "the values are small");
        pointer
    }

    /// What an adapter does: calls the guest's `realloc` and checks what it returns.
    pub fn realloc(&mut self, old: u32, old_size: u32, align: u32, new_size: u32) -> Result<u32> {
        let pointer = self.run_realloc(old, old_size, align, new_size);
        self.check(pointer, new_size.into(), align)?;
        let pointer = pointer as u32;
        self.writable.push((pointer, new_size));
        Ok(pointer)
    }

    /// The twin of the function that `pair::write_realloc` writes.
    fn run_realloc(&mut self, old: u32, old_size: u32, align: u32, new_size: u32) -> u64 {
        self.calls.push([old, old_size, align, new_size].map(u64::from));
        let count = self.calls.len() as u32;
        if self.habit.fault == Some((count, Misbehaviour::Far)) {
            return self.far_pointer();
        }
        if self.habit.grows && count == 1 {
            self.next = self.memory.len() as u32;
            self.memory.resize(self.memory.len() + PAGE_BYTES as usize, 0);
        }
        if self.habit.in_place && old != 0 && new_size <= old_size {
            return old.into();
        }
        let mut pointer = align_to(self.next, align) + self.habit.skip * align;
        if self.habit.fault == Some((count, Misbehaviour::Misaligned)) {
            pointer += 1;
        }
        self.next = pointer + new_size;
        assert!(self.next as usize <= self.memory.len(), "the values are small");
        let kept = old as usize..(old + old_size.min(new_size)) as usize;
        self.memory.copy_within(kept, pointer as usize);
        pointer.into()
    }

    pub fn check(&self, pointer: u64, size: u64, align: u32) -> Result<()> {
        if !pointer.is_multiple_of(align.into()) {
            return Err(Trap::Misaligned);
        }
        if pointer.saturating_add(size) > self.memory.len() as u64 {
            return Err(Trap::PointerOutOfBounds);
        }
        Ok(())
    }

    pub fn bytes(&self, pointer: u32, len: u32) -> &[u8] {
        &self.memory[pointer as usize..][..len as usize]
    }

    /// An address or a length.
    pub fn load_word(&self, pointer: u32) -> u64 {
        self.load(pointer, self.pointers.bytes())
    }

    pub fn write(&mut self, pointer: u32, bytes: &[u8]) {
        self.memory[pointer as usize..][..bytes.len()].copy_from_slice(bytes);
    }

    pub fn load(&self, pointer: u32, bytes: u32) -> u64 {
        let mut word = [0; 8];
        word[..bytes as usize].copy_from_slice(self.bytes(pointer, bytes));
        u64::from_le_bytes(word)
    }

    pub fn store(&mut self, pointer: u32, value: u64, bytes: u32) {
        self.write(pointer, &value.to_le_bytes()[..bytes as usize]);
    }
}
