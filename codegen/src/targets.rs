//! The machines that this compiler makes programs for, by the names that users know.

use crate::error::{Error, Result};
use crate::options::Target;
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::settings::{Configurable, SetResult};
use target_lexicon::{Architecture, OperatingSystem, Triple};
use wasmelt_abi::processor;

/// A machine.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Its triple, without what only matters to programs that use a libc.
    pub triple: &'static str,
    /// Other first parts of its triple.
    pub aliases: &'static [&'static str],
    /// Features that everything built for it may use, as Cranelift calls them.
    baseline: &'static [&'static str],
    /// Processors and levels, with their features beyond the baseline.
    cpus: &'static [(&'static str, &'static [&'static str])],
    /// The features that can be named one by one.
    features: &'static [&'static str],
    /// The program that runs its executables on other machines.
    pub emulator: &'static str,
}

/// The levels of the x86-64 psABI supplement: the list of features has them in that order.
const X86_64_V2: &[&str] = processor::X86_64.split_at(6).0;
const X86_64_V3: &[&str] = processor::X86_64.split_at(12).0;

/// What generated code uses of level 4.
const X86_64_V4: &[&str] = &[
    "sse3",
    "ssse3",
    "sse41",
    "sse42",
    "popcnt",
    "cmpxchg16b",
    "avx",
    "avx2",
    "bmi1",
    "bmi2",
    "fma",
    "lzcnt",
    "avx512dq",
    "avx512f",
    "avx512vl",
];

/// Cranelift's names of the features of one of `wasmelt_abi::processor::X86_64_LEVELS`.
pub fn level_features(level: u64) -> Vec<String> {
    let names = processor::X86_64.iter().enumerate();
    let has = names.filter(|(index, _)| level >> index & 1 == 1);
    has.map(|(_, name)| format!("has_{name}")).collect()
}

/// All of them.
pub const MACHINES: &[Machine] = &[
    Machine {
        triple: "x86_64-unknown-linux",
        aliases: &["amd64", "x64"],
        baseline: &[],
        cpus: &[
            ("x86-64", &[]),
            ("x86-64-v2", X86_64_V2),
            ("x86-64-v3", X86_64_V3),
            ("x86-64-v4", X86_64_V4),
        ],
        features: X86_64_V3,
        emulator: "qemu-x86_64",
    },
    Machine {
        triple: "aarch64-unknown-linux",
        aliases: &["arm64"],
        baseline: &[],
        cpus: &[("armv8-a", &[]), ("armv8.1-a", &["lse"])],
        features: &["lse", "fp16"],
        emulator: "qemu-aarch64",
    },
    Machine {
        triple: "riscv64gc-unknown-linux",
        aliases: &["riscv64"],
        baseline: &["m", "a", "f", "d", "zicsr", "zifencei", "zca", "zcd"],
        cpus: &[("rv64gc", &[]), ("rva22u64", &["zba", "zbb", "zbs"])],
        features: &["v", "zba", "zbb", "zbc", "zbs", "zbkb", "zcb", "zfa", "zicond", "zvl128b"],
        emulator: "qemu-riscv64",
    },
    Machine {
        triple: "s390x-unknown-linux",
        aliases: &["systemz"],
        baseline: &[],
        cpus: &[("z14", &[]), ("z15", &["mie3", "vxrs_ext2"])],
        features: &["mie3", "mie4", "vxrs_ext2", "vxrs_ext3"],
        emulator: "qemu-s390x",
    },
];

/// A system that objects are made for, but no executables.
#[derive(Clone, Copy, Debug)]
pub struct ForeignSystem {
    /// Its triple.
    pub triple: &'static str,
    /// Other names of it.
    pub aliases: &'static [&'static str],
}

/// All of them. Their processors are those of `MACHINES`.
pub const FOREIGN_SYSTEMS: &[ForeignSystem] = &[
    ForeignSystem { triple: "x86_64-apple-darwin", aliases: &["x86_64-macos"] },
    ForeignSystem {
        triple: "aarch64-apple-darwin",
        aliases: &["arm64-apple-darwin", "aarch64-macos", "arm64-macos"],
    },
    ForeignSystem { triple: "x86_64-pc-windows-msvc", aliases: &["x86_64-windows"] },
    ForeignSystem { triple: "x86_64-pc-windows-gnu", aliases: &[] },
    ForeignSystem {
        triple: "aarch64-pc-windows-msvc",
        aliases: &["aarch64-windows", "arm64-windows"],
    },
    ForeignSystem { triple: "aarch64-pc-windows-gnu", aliases: &["aarch64-pc-windows-gnullvm"] },
];

impl ForeignSystem {
    /// The target, with the baseline of its processor.
    pub fn target(&self) -> Target {
        let triple: Triple = self.triple.parse().expect("the list's triples are well formed");
        let target = Target { triple, features: Vec::new() };
        let machine = machine_of(&target).expect("its processors are listed");
        Target { features: machine.target().features, ..target }
    }
}

/// Whether there is a runtime shim for the target, and a linker.
pub fn has_shim(target: &Target) -> bool {
    target.triple.operating_system == OperatingSystem::Linux
}

/// # Errors
///
/// `Unsupported` if the target gets objects only; `what` says what was asked for.
pub fn require_shim(target: &Target, what: &str) -> Result<()> {
    if has_shim(target) {
        return Ok(());
    }
    Err(Error::unsupported(format!("{what} for `{}`", target.triple))
        .help("`--emit obj` makes an object for the linkers of that system"))
}

/// The target of that name: a triple with or without vendor and libc.
///
/// # Errors
///
/// `Unsupported` for other machines, with the names of all.
pub fn parse_target(text: &str) -> Result<Target> {
    let unknown = || {
        let machines = MACHINES.iter().map(|machine| machine.triple);
        let foreign = FOREIGN_SYSTEMS.iter().map(|system| system.triple);
        let names: Vec<&str> = machines.chain(foreign).collect();
        Error::unsupported(format!("the target `{text}`"))
            .help(format!("the targets are {}", names.join(", ")))
    };
    let is_named = |it: &&ForeignSystem| it.triple == text || it.aliases.contains(&text);
    if let Some(system) = FOREIGN_SYSTEMS.iter().find(is_named) {
        return Ok(system.target());
    }
    let (architecture, rest) = text.split_once('-').ok_or_else(unknown)?;
    // A vendor is one of a few words, and what stands behind `linux` chooses a libc: there is none.
    let rest = rest.strip_prefix("unknown-").or_else(|| rest.strip_prefix("pc-")).unwrap_or(rest);
    let libc = rest.strip_prefix("linux").ok_or_else(unknown)?;
    if !["", "-gnu", "-musl", "-none"].contains(&libc) {
        return Err(unknown());
    }
    let named = |machine: &&Machine| {
        let own = machine.triple.split('-').next();
        own == Some(architecture) || machine.aliases.contains(&architecture)
    };
    Ok(MACHINES.iter().find(named).ok_or_else(unknown)?.target())
}

impl Machine {
    /// The target with the baseline's features.
    pub fn target(&self) -> Target {
        let triple = format!("{}-gnu", self.triple);
        let features = self.baseline.iter().map(|name| format!("has_{name}")).collect();
        Target { triple: triple.parse().expect("the list's triples are well formed"), features }
    }

    /// The names that `--cpu` knows: processors, and features with a `+`.
    pub fn cpu_names(&self) -> Vec<String> {
        let cpus = self.cpus.iter().map(|(name, _)| (*name).to_owned());
        cpus.chain(self.features.iter().map(|name| format!("+{name}"))).collect()
    }
}

/// The machine of a target; `None` for one that did not come from here.
pub fn machine_of(target: &Target) -> Option<&'static Machine> {
    let is_it = |machine: &&Machine| {
        let triple: std::result::Result<Triple, _> = machine.triple.parse();
        triple.is_ok_and(|triple| triple.architecture == target.triple.architecture)
    };
    MACHINES.iter().find(is_it)
}

/// The machine that this compiler runs on, or the first if it makes nothing for that.
pub fn host_target() -> Target {
    let host = Triple::host();
    let is_host = |machine: &&Machine| machine.target().triple.architecture == host.architecture;
    MACHINES.iter().find(is_host).unwrap_or(&MACHINES[0]).target()
}

/// Adds what `--cpu` lists: a processor, `native`, features with a `+`, separated by commas.
///
/// # Errors
///
/// `Unsupported` for names that the target does not have, with those that it has.
pub fn add_cpu(target: &mut Target, list: &str) -> Result<()> {
    let machine = machine_of(target)
        .ok_or_else(|| Error::unsupported(format!("processors of `{}`", target.triple)))?;
    for name in list.split(',') {
        let cpu = machine.cpus.iter().find(|(cpu, _)| *cpu == name);
        let features = match (name.strip_prefix('+'), cpu) {
            _ if name == "native" => find_native(target)?,
            (Some("v"), _) if machine.emulator == "qemu-riscv64" => {
                vec!["has_v".to_owned(), "has_zvl128b".to_owned()]
            }
            (Some(name), _) if machine.features.contains(&name) => vec![format!("has_{name}")],
            (_, Some((_, features))) => features.iter().map(|it| format!("has_{it}")).collect(),
            _ => {
                let names = machine.cpu_names().join(", ");
                return Err(Error::unsupported(format!(
                    "the processor or feature `{name}` of `{}`",
                    machine.triple
                ))
                .help(format!("`--cpu` takes native, {names}")));
            }
        };
        for feature in features {
            if !target.features.contains(&feature) {
                target.features.push(feature);
            }
        }
    }
    Ok(())
}

/// The features that code may use and not every processor has: bits as `wasmelt_abi::processor`
/// numbers them.
pub fn required_features(isa: &dyn TargetIsa) -> u64 {
    let names = match isa.triple().architecture {
        Architecture::X86_64 => processor::X86_64,
        Architecture::Aarch64(_) => processor::AARCH64,
        Architecture::Riscv64(_) => processor::RISCV64,
        Architecture::S390x => processor::S390X,
        _ => &[],
    };
    let flags = isa.isa_flags();
    let is_used = |name: &&str| {
        let flag = flags.iter().find(|flag| flag.name.strip_prefix("has_") == Some(name));
        flag.is_some_and(|flag| flag.as_bool() == Some(true))
    };
    let used = names.iter().enumerate().filter(|(_, name)| is_used(name));
    used.map(|(index, _)| 1 << index).sum()
}

/// The features of the processor that this compiler runs on.
fn find_native(target: &Target) -> Result<Vec<String>> {
    if Triple::host().architecture != target.triple.architecture {
        let host = Triple::host();
        return Err(Error::unsupported(format!("`--cpu native` for `{}`", target.triple))
            .help(format!("this compiler runs on `{host}`")));
    }
    let mut found = Recorder(Vec::new());
    cranelift_native::infer_native_flags(&mut found).map_err(Error::unsupported)?;
    Ok(found.0)
}

/// Takes down which settings are switched on.
struct Recorder(Vec<String>);

impl Configurable for Recorder {
    fn set(&mut self, name: &str, value: &str) -> SetResult<()> {
        if value == "true" { self.enable(name) } else { Ok(()) }
    }

    fn enable(&mut self, name: &str) -> SetResult<()> {
        self.0.push(name.to_owned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triples_with_and_without_vendor_and_libc_are_the_same() {
        for text in [
            "aarch64-unknown-linux-gnu",
            "aarch64-unknown-linux-musl",
            "aarch64-unknown-linux",
            "aarch64-linux",
            "arm64-linux",
        ] {
            let target = parse_target(text).unwrap();
            assert_eq!(target.triple.to_string(), "aarch64-unknown-linux-gnu", "{text}");
        }
        for text in ["", "x86_64", "linux", "mips-linux", "s390x-apple-darwin", "x86_64-linuxes"] {
            let error = parse_target(text).unwrap_err().to_string();
            assert!(error.contains("s390x-unknown-linux"), "{text}: {error}");
        }
    }

    #[test]
    fn levels_are_the_beginnings_of_the_list_of_features() {
        assert_eq!((X86_64_V2[0], X86_64_V2[5]), ("sse3", "cmpxchg16b"));
        assert_eq!((X86_64_V3[6], X86_64_V3[11]), ("avx", "lzcnt"));
    }

    #[test]
    fn foreign_systems_have_objects_and_no_executables() {
        for system in FOREIGN_SYSTEMS {
            for name in system.aliases.iter().chain([&system.triple]) {
                let target = parse_target(name).unwrap();
                assert_eq!(target.triple.to_string(), system.triple);
                assert!(require_shim(&target, "executables").is_err());
                add_cpu(&mut target.clone(), machine_of(&target).unwrap().cpus[1].0).unwrap();
            }
        }
        for machine in MACHINES {
            require_shim(&machine.target(), "executables").unwrap();
        }
    }

    #[test]
    fn every_name_of_every_machine_makes_an_instruction_set() {
        for machine in MACHINES {
            for cpu in machine.cpu_names() {
                let mut target = machine.target();
                add_cpu(&mut target, &cpu).unwrap();
                assert_eq!(machine_of(&target).unwrap().triple, machine.triple);
                let options = crate::Options { target, ..crate::Options::default() };
                let isa = crate::options::build_isa(&options).unwrap();
                // Whatever can be asked for by its own name is checked when a program starts; with
                // vectors come those of 128 bits.
                let is_checked = required_features(&*isa) != 0;
                assert!(is_checked || !cpu.starts_with('+') || cpu == "+zvl128b", "{cpu}");
            }
            let options = crate::Options { target: machine.target(), ..crate::Options::default() };
            let isa = crate::options::build_isa(&options).unwrap();
            assert_eq!(required_features(&*isa), 0, "{}", machine.triple);
        }
    }

    #[test]
    fn unknown_processors_are_refused_by_name() {
        let mut target = parse_target("riscv64-linux").unwrap();
        let error = add_cpu(&mut target, "+avx2").unwrap_err().to_string();
        assert!(error.contains("`+avx2`") && error.contains("+v,"), "{error}");
        assert!(add_cpu(&mut target, "native").is_err() || cfg!(target_arch = "riscv64"));
    }
}
