//! The command line's grammar.

use crate::grants::{self, DirGrant, EnvGrant, Grants, Network};
use crate::pipeline::{Emit, Options};
use crate::policy::read_policy;
use crate::{Error, Result};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;
use wasmelt_codegen::options::{
    LibraryOptions, MemoryMode, OptLevel, Options as CodegenOptions, Target, Versions,
};
use wasmelt_codegen::targets;
use wasmelt_frontend::ReadOptions;

/// Compiles a graph of WebAssembly components to one native executable.
#[derive(Debug, Parser)]
#[command(name = "wasmelt", version, about, arg_required_else_help = true)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a native executable, or what --emit says.
    Build(BuildArgs),
    /// Build into a temporary file and execute it.
    Run(RunArgs),
    /// Print what an executable is granted, and which of the host's functions it can call.
    Inspect(InspectArgs),
    /// Report what is left of the calls between component instances.
    Calls(CallsArgs),
    /// Run test scripts, each as one native program.
    Wast(WastArgs),
    /// List the machines that programs can be built for, and their processors.
    Targets,
}

/// Arguments of `build`.
#[derive(Debug, ClapArgs)]
pub struct BuildArgs {
    /// What `build` and `run` have in common.
    #[command(flatten)]
    pub common: CommonArgs,
    /// The file to write; by default the input's stem in the current directory, and standard
    /// output for text.
    #[arg(short, long, value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// What to write.
    #[arg(long, value_enum, default_value_t = Emit::Exe, value_name = "WHAT")]
    pub emit: Emit,
    /// Write a C header for a library too.
    #[arg(long, value_name = "FILE")]
    pub header: Option<PathBuf>,
    /// Let this program link: cc, ld.lld, mold or the like. By default the compiler does.
    #[arg(long, value_name = "PATH")]
    pub linker: Option<PathBuf>,
    /// The slot of the address space that a library takes: for two libraries whose addresses are
    /// the same by chance.
    #[arg(long, value_name = "NUMBER")]
    pub slot: Option<u32>,
    /// Leave out the symbol table and, in messages of traps, the names of functions.
    #[arg(long)]
    pub strip: bool,
}

/// Arguments of `run`.
#[derive(Debug, ClapArgs)]
pub struct RunArgs {
    /// What `build` and `run` have in common.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Call this export instead of the program's entry, and print its result: a function's name,
    /// or INSTANCE#FUNCTION, and the arguments in parentheses, as WAVE writes values.
    #[arg(long, value_name = "NAME(ARGS)")]
    pub invoke: Option<String>,
    /// The program's own arguments.
    #[arg(last = true, value_name = "ARGS")]
    pub args: Vec<OsString>,
}

/// Arguments of `calls`.
#[derive(Debug, ClapArgs)]
pub struct CallsArgs {
    /// What it has in common with `build`.
    #[command(flatten)]
    pub common: CommonArgs,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Table, value_name = "HOW")]
    pub format: Format,
}

/// `--format`'s values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Lines for people.
    Table,
    /// One object for each edge.
    Json,
}

/// Arguments of `inspect`.
#[derive(Debug, ClapArgs)]
pub struct InspectArgs {
    /// An executable that `wasmelt build` wrote.
    pub program: PathBuf,
}

/// Arguments of `wast`.
#[derive(Debug, ClapArgs)]
pub struct WastArgs {
    /// The scripts.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Print one line of JSON for each script.
    #[arg(long)]
    pub json: bool,
    /// How to generate code.
    #[command(flatten)]
    pub code: CodeArgs,
}

/// Arguments of every command that compiles.
#[derive(Debug, ClapArgs)]
pub struct CommonArgs {
    /// A component or a core module, in binary or text form.
    pub input: PathBuf,
    /// Take an imported component, core module or instance from this file.
    #[arg(long, value_name = "IMPORT=PATH", value_parser = parse_with)]
    pub with: Vec<(String, PathBuf)>,
    /// What the program may use.
    #[command(flatten)]
    pub grants: GrantArgs,
    /// How to generate code.
    #[command(flatten)]
    pub code: CodeArgs,
    /// Say on stderr what each phase did and how long it took.
    #[arg(short, long)]
    pub verbose: bool,
}

/// Arguments that grant something.
#[derive(Debug, ClapArgs)]
pub struct GrantArgs {
    /// Let the program use a directory; HOST is resolved when the program runs.
    #[arg(long, value_name = "HOST[::GUEST][:ro]", value_parser = grants::parse_dir)]
    pub dir: Vec<DirGrant>,
    /// Set a variable of the program's environment, or let it see the caller's.
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = grants::parse_env)]
    pub env: Vec<EnvGrant>,
    /// Let the program see the caller's whole environment.
    #[arg(long)]
    pub inherit_env: bool,
    /// Let the program use the network.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub network: Option<Network>,
    /// Grant also what this file says, in TOML and the same words.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

impl GrantArgs {
    /// Everything that is granted, the policy's grants first.
    fn collect(&self) -> Result<Grants> {
        let mut grants = match &self.policy {
            Some(path) => read_policy(path)?,
            None => Grants::default(),
        };
        grants.extend(Grants {
            dirs: self.dir.clone(),
            envs: self.env.clone(),
            inherit_env: self.inherit_env,
            network: self.network.unwrap_or_default(),
        });
        Ok(grants)
    }
}

/// Arguments that change the generated code.
#[derive(Debug, ClapArgs)]
pub struct CodeArgs {
    /// The machine that the program is for; `wasmelt targets` lists them. By default this one.
    #[arg(long, value_name = "TRIPLE", value_parser = parse_target)]
    pub target: Option<Target>,
    /// What the machine's processor has beyond what all have: a name, `native`, or `+FEATURE`.
    #[arg(long, value_name = "NAME|+FEATURE,...", allow_hyphen_values = true)]
    pub cpu: Option<String>,
    /// How hard to optimise.
    #[arg(short = 'O', value_enum, default_value_t = Level::Two, value_name = "LEVEL")]
    pub opt_level: Level,
    /// How to keep accesses inside a memory: unmapped pages behind it, or a comparison.
    #[arg(long, value_enum, default_value_t = Memory::Guard, value_name = "HOW")]
    pub memory: Memory,
    /// Whether to replace calls by what they call, whatever the optimisation level.
    #[arg(long, value_enum, value_name = "WHETHER")]
    pub inline: Option<Switch>,
}

impl CodeArgs {
    /// The code generator's options.
    ///
    /// # Errors
    ///
    /// A processor or feature that the target does not have.
    pub fn to_codegen(&self) -> Result<CodegenOptions> {
        let mut target = self.target.clone().unwrap_or_default();
        if let Some(cpu) = &self.cpu {
            targets::add_cpu(&mut target, cpu)?;
        }
        Ok(CodegenOptions {
            target,
            opt_level: self.opt_level.to_codegen(),
            memory_mode: match self.memory {
                Memory::Guard => MemoryMode::Guard,
                Memory::Bounds => MemoryMode::Bounds,
            },
            inline: self.inline.map(|switch| switch == Switch::On),
            // Who names a processor gets code for that one alone.
            versions: match self.cpu {
                None => Versions::WherePaying,
                Some(_) => Versions::None,
            },
            ..CodegenOptions::default()
        })
    }
}

/// The target of that name, for the argument parser.
fn parse_target(text: &str) -> std::result::Result<Target, String> {
    targets::parse_target(text).map_err(|error| error.to_string())
}

/// `--memory`'s values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Memory {
    /// Unmapped address space stands behind each memory.
    Guard,
    /// Each access compares with the memory's size.
    Bounds,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Switch {
    On,
    Off,
}

/// `-O`'s values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Compile fast, inline nothing.
    #[value(name = "0")]
    Zero,
    /// Optimise each function.
    #[value(name = "1")]
    One,
    /// Optimise the whole program.
    #[value(name = "2")]
    Two,
    /// Small before fast.
    #[value(name = "s")]
    Size,
}

impl Level {
    /// The code generator's name of it.
    pub fn to_codegen(self) -> OptLevel {
        match self {
            Level::Zero => OptLevel::None,
            Level::One => OptLevel::Less,
            Level::Two => OptLevel::Full,
            Level::Size => OptLevel::Size,
        }
    }
}

impl CommonArgs {
    /// The pipeline's options.
    ///
    /// # Errors
    ///
    /// A grant that cannot be recorded, or a policy that cannot be read.
    pub fn pipeline_options(&self, emit: Emit, strip: bool) -> Result<Options> {
        let granted = self.grants.collect()?;
        let grants = grants::encode(&granted).map_err(Error::environment)?;
        Ok(Options {
            emit,
            needs_entry: false,
            header: None,
            read: ReadOptions { with: self.with.clone(), wants_component: emit.is_library() },
            codegen: CodegenOptions {
                strip,
                grants,
                embedding: emit.is_library().then(LibraryOptions::default),
                ..self.code.to_codegen()?
            },
            grants_dirs: !granted.dirs.is_empty(),
            grants_network: granted.network != Network::None,
        })
    }
}

/// Splits `IMPORT=PATH`. An import's name may itself hold a `=`, but only in names of the form
/// `key=<value>`.
fn parse_with(text: &str) -> std::result::Result<(String, PathBuf), String> {
    let split = match text.rfind(">=") {
        Some(at) => Some((&text[..=at], &text[at + 2..])),
        None => text.split_once('='),
    };
    match split {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.to_string(), PathBuf::from(path)))
        }
        _ => Err("expected IMPORT=PATH".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_splits_behind_the_name() {
        let path = |text: &str| parse_with(text).map(|(name, path)| (name, path.into_os_string()));
        assert_eq!(path("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(path("url=<x=y>=z.wasm"), Ok(("url=<x=y>".into(), "z.wasm".into())));
        assert!(path("a").is_err());
        assert!(path("=b").is_err());
        assert!(path("a=").is_err());
    }

    #[test]
    fn grammar_is_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }
}
