//! What the user chose, as data.

use crate::error::{Error, Result};
use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use target_lexicon::{Architecture, OperatingSystem, Triple};

/// Everything that the input does not determine.
#[derive(Clone, Debug)]
pub struct Options {
    /// The machine that the code runs on.
    pub target: Target,
    /// How hard to try.
    pub opt_level: OptLevel,
    /// Whether calls are replaced by what they call; `None` leaves it to the optimisation level.
    pub inline: Option<bool>,
    /// Which functions are compiled for newer processors too, if the target is the baseline.
    pub versions: Versions,
    /// How accesses to linear memories are checked.
    pub memory_mode: MemoryMode,
    /// Number of threads that compile; 0 is one per core.
    pub threads: usize,
    /// What is made for someone else's program, if it is no executable.
    pub embedding: Option<LibraryOptions>,
    /// Whether the executable has no symbol table.
    pub strip: bool,
    /// What the builder grants: records as `abi::image::Grant` says.
    pub grants: Vec<u8>,
    /// Whether Cranelift verifies every function that it gets.
    pub verify: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            target: Target::default(),
            opt_level: OptLevel::default(),
            inline: None,
            versions: Versions::WherePaying,
            memory_mode: MemoryMode::default(),
            threads: 0,
            embedding: None,
            strip: false,
            grants: Vec::new(),
            verify: cfg!(debug_assertions),
        }
    }
}

/// What the builder of a library chooses.
#[derive(Clone, Copy, Debug, Default)]
pub struct LibraryOptions {
    /// The slot of the address space that it lies in; by default one that follows from its contents.
    pub slot: Option<u32>,
}

/// A machine: its triple and what its processor has beyond the architecture's baseline.
#[derive(Clone, Debug)]
pub struct Target {
    /// Architecture and operating system.
    pub triple: Triple,
    /// Cranelift's names of processor features, `has_sse41` for instance.
    pub features: Vec<String>,
}

impl Default for Target {
    /// The machine that the compiler runs on, without what only some of its kind have.
    fn default() -> Target {
        crate::targets::host_target()
    }
}

impl Target {
    /// Whether the machine has the high byte of a number first. Linear memories have it last
    /// everywhere.
    pub fn is_big_endian(&self) -> bool {
        self.triple.endianness() == Ok(target_lexicon::Endianness::Big)
    }

    /// The page size that every kernel for this architecture accepts as alignment.
    pub fn page_bytes(&self) -> u64 {
        if self.triple.operating_system != OperatingSystem::Linux {
            return wasmelt_abi::addresses::PAGE_BYTES_MAX;
        }
        match self.triple.architecture {
            Architecture::X86_64 | Architecture::S390x | Architecture::Riscv64(_) => 0x1000,
            _ => wasmelt_abi::addresses::PAGE_BYTES_MAX,
        }
    }
}

/// How much time compiling may take for faster or smaller code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OptLevel {
    /// `-O 0`: as fast as possible to compile, nothing inlined.
    None,
    /// `-O 1`: optimised functions, and across component boundaries only small ones inlined.
    Less,
    /// `-O 2`: the default.
    #[default]
    Full,
    /// `-O s`: small before fast.
    Size,
}

/// Which functions have versions for newer processors. Only x86-64 has any, and only at `-O 2`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Versions {
    /// None.
    None,
    /// Those that newer processors are estimated to run faster.
    #[default]
    WherePaying,
    /// All, for tests.
    Everywhere,
}

/// How accesses to linear memories are checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemoryMode {
    /// Unmapped address space stands behind each memory that 32 bits can index.
    #[default]
    Guard,
    /// Every access compares with the memory's size.
    Bounds,
}

/// The instruction set that the options describe.
///
/// # Errors
///
/// `Unsupported` for an architecture or a feature that Cranelift does not know.
pub fn build_isa(options: &Options) -> Result<OwnedTargetIsa> {
    let flags = shared_settings(options);
    let triple = &options.target.triple;
    let mut isa = isa::lookup(triple.clone())
        .map_err(|_| Error::unsupported(format!("the target `{triple}`")))?;
    for feature in &options.target.features {
        isa.enable(feature).map_err(|_| {
            Error::unsupported(format!("the processor feature `{feature}` of `{triple}`"))
        })?;
    }
    isa.finish(settings::Flags::new(flags))
        .map_err(|error| Error::unsupported(format!("the target `{triple}`: {error}")))
}

fn shared_settings(options: &Options) -> settings::Builder {
    let mut flags = settings::builder();
    let mut set = |name: &str, value: &str| {
        flags.set(name, value).expect("Cranelift of this version has these settings");
    };
    let (opt_level, allocator) = match options.opt_level {
        OptLevel::None => ("none", "single_pass"),
        OptLevel::Less | OptLevel::Full => ("speed", "backtracking"),
        OptLevel::Size => ("speed_and_size", "backtracking"),
    };
    set("opt_level", opt_level);
    set("regalloc_algorithm", allocator);
    set("enable_verifier", if options.verify { "true" } else { "false" });
    // A frame larger than a page touches each of its pages, so that it cannot step over the
    // unmapped gap below the stack.
    set("enable_probestack", "true");
    set("probestack_strategy", "inline");
    // Everything is linked into one file, so calls need no indirection.
    set("use_colocated_libcalls", "true");
    // The process is the boundary: it holds one program and no one else's secrets.
    set("enable_heap_access_spectre_mitigation", "false");
    set("enable_table_access_spectre_mitigation", "false");
    // A function with more results than registers writes the rest where its caller says.
    set("enable_multi_ret_implicit_sret", "true");
    // Tail calls on x86-64 rely on frame pointers; there every function has one in any case.
    let is_x64 = matches!(options.target.triple.architecture, Architecture::X86_64);
    set("preserve_frame_pointers", if is_x64 { "true" } else { "false" });
    // Debuggers and profilers read it.
    set("unwind_info", "true");
    // Where blocks start tells code from data.
    set("machine_code_cfg_info", "true");
    flags
}
