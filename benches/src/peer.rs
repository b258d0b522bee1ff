//! The reference engine, in its default configuration and in its best one.

use crate::componentize::is_core_module;
use std::path::Path;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Inlining, Result, Store};
use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

/// How the reference engine is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Configuration {
    /// As it comes ("W").
    Default,
    /// Inlining on, no support for concurrent tasks ("N").
    Best,
}

impl Configuration {
    /// Both, with the names that the command line uses.
    pub const ALL: [(Configuration, &'static str); 2] =
        [(Configuration::Default, "default"), (Configuration::Best, "best")];

    /// The configuration of that name.
    pub fn from_name(name: &str) -> Option<Configuration> {
        Configuration::ALL.iter().find(|(_, known)| *known == name).map(|(it, _)| *it)
    }

    /// What reports call it.
    pub fn title(self) -> &'static str {
        match self {
            Configuration::Default => "wasmtime",
            Configuration::Best => "best wasmtime",
        }
    }

    fn engine(self) -> Result<Engine> {
        let mut config = Config::new();
        if self == Configuration::Best {
            config.compiler_inlining(Inlining::Yes);
            config.concurrency_support(false);
        }
        Engine::new(&config)
    }
}

struct Host {
    ctx: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.ctx, table: &mut self.table }
    }
}

/// Compiles a component or a core module, ahead of time.
pub fn precompile(configuration: Configuration, input: &Path, output: &Path) -> Result<()> {
    let input = std::fs::read(input)?;
    let input = wat::parse_bytes(&input)?;
    let engine = configuration.engine()?;
    let compiled = match is_core_module(&input) {
        true => engine.precompile_module(&input)?,
        false => engine.precompile_component(&input)?,
    };
    std::fs::write(output, compiled)?;
    Ok(())
}

/// Compiles a command and runs it with this process's standard streams; whether it succeeded.
pub fn run(configuration: Configuration, input: &Path) -> Result<bool> {
    let engine = configuration.engine()?;
    let component = Component::from_file(&engine, input)?;
    run_component(&engine, &component)
}

/// Runs a command that was compiled before, which may use the current folder.
#[allow(unsafe_code, reason = "whoever loads a file must trust that the engine made it")]
pub fn load(configuration: Configuration, compiled: &Path) -> Result<bool> {
    let engine = configuration.engine()?;
    // SAFETY: the file was written by `precompile` of this program a moment ago, into a folder of
    // its own.
    let component = unsafe { Component::deserialize_file(&engine, compiled)? };
    run_component(&engine, &component)
}

fn run_component(engine: &Engine, component: &Component) -> Result<bool> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    let mut ctx = WasiCtxBuilder::new();
    ctx.inherit_stdio().preopened_dir(".", ".", FsPerms::ReadWrite)?;
    let mut store = Store::new(engine, Host { ctx: ctx.build(), table: ResourceTable::new() });
    let command = Command::instantiate(&mut store, component, &linker)?;
    Ok(command.wasi_cli_run().call_run(&mut store)?.is_ok())
}
