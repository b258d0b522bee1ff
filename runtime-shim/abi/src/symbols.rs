//! Symbols that one side defines and the other uses.
//!
//! A host function's symbol follows from its WIT name, see `host_symbol_rules` in
//! `docs/native-abi.md`: `wasi:io/streams` and `[method]output-stream.check-write`
//! become `wasi_io_streams__output_stream__check_write`.

/// Defined by the compiler: the [`crate::image::Image`].
pub const IMAGE: &str = "wasmelt_image";
/// Defined by the compiler: `extern "C" fn() -> u32`, which finishes instantiation, runs the
/// program and returns its exit code.
pub const MAIN: &str = "wasmelt_main";
/// Defined by the shim: where the kernel starts the process.
pub const START: &str = "_start";

/// `extern "C" fn(memory: *mut MemoryState, delta_pages: u64) -> u64`: the old number of pages,
/// or `u64::MAX`.
pub const MEMORY_GROW: &str = "wasmelt_memory_grow";
/// `extern "C" fn(table: *mut TableState, delta: u64, value: u64) -> u64`: the old number of
/// elements, or `u64::MAX`.
pub const TABLE_GROW: &str = "wasmelt_table_grow";
/// `extern "C" fn(component: *mut ComponentState)`: makes room for more handles, all
/// zero; aborts the program with `Trap::TooManyHandles` if there can be no more.
pub const HANDLES_GROW: &str = "wasmelt_handles_grow";
/// `extern "C" fn()`: gives back all scratch memory of the previous host call.
pub const SCRATCH_RESET: &str = "wasmelt_scratch_reset";
/// `extern "C" fn(size_bytes: usize, align: usize) -> *mut u8`: memory that stays valid until the
/// next `SCRATCH_RESET`.
pub const SCRATCH_ALLOC: &str = "wasmelt_scratch_alloc";
/// `extern "C" fn(src: *const u8, len: usize) -> u32`: 1 if the bytes are valid UTF-8.
pub const UTF8_VALIDATE: &str = "wasmelt_utf8_validate";
/// `extern "C" fn(dst: *mut u8, src: *const u8, len: usize) -> u32`: copies, and 1 if the bytes
/// are valid UTF-8.
pub const UTF8_COPY: &str = "wasmelt_utf8_copy";
/// `extern "C" fn(dst: *mut u8, src: *const u8, units: usize) -> u32`: copies UTF-16, and 1 if it
/// has no unpaired surrogate.
pub const UTF16_COPY: &str = "wasmelt_utf16_copy";
/// `extern "C" fn(dst: *mut u8, src: *const u8, len: usize) -> u32`: widens Latin-1 to UTF-16;
/// `dst` may be `src`. Always 1.
pub const LATIN1_TO_UTF16: &str = "wasmelt_latin1_to_utf16";
/// `extern "C" fn(dst: *mut u8, src: *const u8, len: usize) -> u64`: UTF-8 to UTF-16. The number of
/// code units, or `u64::MAX` if the text is invalid.
pub const UTF8_TO_UTF16: &str = "wasmelt_utf8_to_utf16";
/// `extern "C" fn(dst: *mut u8, src: *const u8, units: usize) -> u64`: copies UTF-16. The number of
/// code units, or `u64::MAX` if the text is invalid.
pub const UTF16_TO_UTF16: &str = "wasmelt_utf16_to_utf16";
/// `extern "C" fn(dst: *mut u8, src: *const u8, units: usize) -> u64`: UTF-16 to UTF-8. The number
/// of bytes, or `u64::MAX` if the text is invalid.
pub const UTF16_TO_UTF8: &str = "wasmelt_utf16_to_utf8";
/// `extern "C" fn(dst: *mut u8, src: *const u8, len: usize) -> u64`: Latin-1 to UTF-8. The number
/// of bytes.
pub const LATIN1_TO_UTF8: &str = "wasmelt_latin1_to_utf8";
/// `extern "C" fn(dst: *mut u8, src: *const u8, len: usize) -> u64`: copies bytes up to the first
/// beyond ASCII. Their number.
pub const ASCII_PREFIX: &str = "wasmelt_ascii_prefix";
/// `extern "C" fn(dst: *mut u8, src: *const u8, units: usize) -> u64`: narrows UTF-16 up to the
/// first unit beyond ASCII. The number of units.
pub const UTF16_ASCII_PREFIX: &str = "wasmelt_utf16_ascii_prefix";
/// `extern "C" fn(dst: *mut u8, src: *const u8, len: usize) -> u64`: UTF-8 to Latin-1 up to the
/// first character that is beyond it or invalid. The number of bytes read, times 2 to the 32nd,
/// plus the number of bytes written; at most 2 to the 31st bytes are read.
pub const UTF8_LATIN1_PREFIX: &str = "wasmelt_utf8_latin1_prefix";
/// `extern "C" fn(dst: *mut u8, src: *const u8, units: usize) -> u64`: narrows UTF-16 up to the
/// first unit beyond Latin-1. The number of units, twice, as above.
pub const UTF16_LATIN1_PREFIX: &str = "wasmelt_utf16_latin1_prefix";
/// `extern "C" fn(text: *mut u8, units: usize) -> u32`: 1 if no unit is beyond Latin-1; they are
/// then narrowed in place.
pub const UTF16_NARROW: &str = "wasmelt_utf16_narrow";
/// `extern "C" fn(address: *const u8, expected: u64, timeout_ns: i64, is_64_bit: u32) -> u32`:
/// `memory.atomic.wait` in a program with one thread.
pub const ATOMIC_WAIT: &str = "wasmelt_atomic_wait";
/// `extern "C" fn(features: u64)`: ends the program if the processor lacks one of the features,
/// which are bits as `crate::processor` numbers them.
pub const REQUIRE_PROCESSOR: &str = "wasmelt_require_processor";
/// `extern "C" fn()`: finds out what `PROCESSOR_LEVEL` is. Only x86-64 has it.
pub const FIND_PROCESSOR_LEVEL: &str = "wasmelt_find_processor_level";
/// A byte: how many of `crate::processor::X86_64_LEVELS` the processor is known to have.
pub const PROCESSOR_LEVEL: &str = "wasmelt_processor_level";
/// `extern "C" fn(actions: *const Action, count: u64) -> u32`: performs a script's actions and
/// writes a `Report` for each to standard output; 0.
pub const SCRIPT_RUN: &str = "wasmelt_script_run";
/// `extern "C" fn(bytes: [u8; 16], indices: [u8; 16]) -> [u8; 16]` in vector registers: what
/// `pshufb` does, for x86-64 processors without it.
pub const X86_PSHUFB: &str = "wasmelt_x86_pshufb";
/// `extern "C" fn()`: what an exported function of a library begins with. Prepares the library if
/// this is its first call; traps if a call is active or has trapped.
pub const LIBRARY_ENTER: &str = "wasmelt_library_enter";
/// `extern "C" fn()`: what an exported function of a library ends with.
pub const LIBRARY_LEAVE: &str = "wasmelt_library_leave";
/// The functions of every library, for who calls it: `docs/native-abi.md`.
pub const LIBRARY_FUNCS: &[&str] =
    &["wasmelt_init", "wasmelt_alloc", "wasmelt_release", "wasmelt_on_trap"];
