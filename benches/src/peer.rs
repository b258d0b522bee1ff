//! The reference engine, in its default configuration and in its best one.
//!
//! Compilation and execution are separate, as its command line has them: what is
//! measured at run time is a precompiled file.

use std::path::Path;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Inlining, Result, Store};
use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

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

/// Compiles a component to a file that [`run`] takes.
pub fn precompile(configuration: Configuration, input: &Path, output: &Path) -> Result<()> {
    let text_or_binary = std::fs::read(input)?;
    let compiled =
        configuration.engine()?.precompile_component(&wat::parse_bytes(&text_or_binary)?)?;
    std::fs::write(output, compiled)?;
    Ok(())
}

/// Runs a precompiled command with this process's standard streams; whether it succeeded.
pub fn run(configuration: Configuration, compiled: &Path) -> Result<bool> {
    let engine = configuration.engine()?;
    // SAFETY-relevant for the engine, not for us: the file is the one that `precompile` wrote.
    let component = load(&engine, compiled)?;
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    let ctx = WasiCtxBuilder::new().inherit_stdio().build();
    let mut store = Store::new(&engine, Host { ctx, table: ResourceTable::new() });
    let command = Command::instantiate(&mut store, &component, &linker)?;
    Ok(command.wasi_cli_run().call_run(&mut store)?.is_ok())
}

#[expect(unsafe_code, reason = "the peer's own loader is unsafe; measurements only")]
fn load(engine: &Engine, compiled: &Path) -> Result<Component> {
    // SAFETY: the file was written by `precompile` of this very build.
    unsafe { Component::deserialize_file(engine, compiled) }
}
