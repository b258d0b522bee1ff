//! The calling instance's memory: every access is checked against its size, and its numbers are
//! little-endian whatever the machine's are.

use crate::{traps, utf8};
use core::mem::MaybeUninit;
use rustix::io::Errno;
use wasmelt_abi::state::MemoryState;
use wasmelt_abi::trap::Trap;

/// The memory of the core instance that calls, during the call.
#[derive(Clone, Copy)]
pub struct Memory {
    base: *mut u8,
    size_bytes: u64,
}

impl Memory {
    /// The memory of that record.
    pub fn of(state: &MemoryState) -> Memory {
        Memory { base: state.base as *mut u8, size_bytes: state.size_bytes }
    }

    /// Whether that many bytes from `at` on belong to the memory.
    pub fn contains(self, at: u64, len: u64) -> bool {
        at.checked_add(len).is_some_and(|end| end <= self.size_bytes)
    }

    /// The address of bytes that must belong to the memory.
    fn check(self, at: u64, len: u64) -> *mut u8 {
        if !self.contains(at, len) {
            traps::raise(Trap::MemoryOutOfBounds);
        }
        self.base.wrapping_add(at as usize)
    }

    /// The bytes from `at` on.
    pub fn bytes(self, at: u32, len: u32) -> &'static [u8] {
        let address = self.check(at.into(), len.into());
        // SAFETY: they belong to the memory, whose bytes are all initialised and which never gets
        // smaller; no guest code runs before the call is over.
        unsafe { core::slice::from_raw_parts(address, len as usize) }
    }

    /// The bytes from `at` on, to be written.
    pub fn bytes_mut(self, at: u32, len: u32) -> &'static mut [MaybeUninit<u8>] {
        let address = self.check(at.into(), len.into());
        // SAFETY: as in `bytes`; whoever writes them reads nothing else of the memory meanwhile.
        unsafe { core::slice::from_raw_parts_mut(address.cast(), len as usize) }
    }

    /// A text: a path.
    pub fn text(self, at: u32, len: u32) -> Result<&'static [u8], Errno> {
        let bytes = self.bytes(at, len);
        if utf8::is_valid(bytes) { Ok(bytes) } else { Err(Errno::ILSEQ) }
    }

    fn aligned(self, at: u64, size_bytes: u64) -> *mut u8 {
        if !at.is_multiple_of(size_bytes) {
            traps::raise_host("a pointer that is not aligned");
        }
        self.check(at, size_bytes)
    }

    fn read<const SIZE: usize>(self, at: u64) -> [u8; SIZE] {
        // SAFETY: the bytes belong to the memory, and arrays of bytes need no alignment.
        unsafe { self.aligned(at, SIZE as u64).cast::<[u8; SIZE]>().read() }
    }

    fn write<const SIZE: usize>(self, at: u64, bytes: [u8; SIZE]) {
        // SAFETY: as in `read`.
        unsafe { self.aligned(at, SIZE as u64).cast::<[u8; SIZE]>().write(bytes) }
    }

    /// Reads a number of 8 bits.
    pub fn read_u8(self, at: u64) -> u8 {
        u8::from_le_bytes(self.read(at))
    }

    /// Reads a number of 16 bits.
    pub fn read_u16(self, at: u64) -> u16 {
        u16::from_le_bytes(self.read(at))
    }

    /// Reads a number of 32 bits.
    pub fn read_u32(self, at: u64) -> u32 {
        u32::from_le_bytes(self.read(at))
    }

    /// Reads a number of 64 bits.
    pub fn read_u64(self, at: u64) -> u64 {
        u64::from_le_bytes(self.read(at))
    }

    /// Writes a number of 8 bits.
    pub fn write_u8(self, at: u64, value: u8) {
        self.write(at, value.to_le_bytes());
    }

    /// Writes a number of 16 bits.
    pub fn write_u16(self, at: u64, value: u16) {
        self.write(at, value.to_le_bytes());
    }

    /// Writes a number of 32 bits.
    pub fn write_u32(self, at: u64, value: u32) {
        self.write(at, value.to_le_bytes());
    }

    /// Writes a number of 64 bits.
    pub fn write_u64(self, at: u64, value: u64) {
        self.write(at, value.to_le_bytes());
    }

    /// Writes bytes from `at` on.
    pub fn write_bytes(self, at: u32, bytes: &[u8]) {
        let len = bytes.len();
        let room = self.check(at.into(), len as u64);
        // SAFETY: the room belongs to the memory; the bytes are the system's or scratch memory's.
        unsafe { crate::block::copy_string(room, bytes.as_ptr(), len) };
    }
}
