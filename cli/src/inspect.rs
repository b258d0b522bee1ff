//! `wasmelt inspect`: what an executable is granted and what it can call, out of its notes.

use crate::grants::{Grants, Network, decode};
use crate::output::{describe, write_stdout};
use crate::{Error, Result};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use wasmelt_codegen::read_notes;

/// Prints what the notes of an executable say.
///
/// # Errors
///
/// The file cannot be read, or is nothing that this compiler made.
pub fn inspect(program: &Path) -> Result<()> {
    let bytes = fs::read(program).map_err(|error| {
        Error::environment(format!("cannot read the program: {}", describe(&error)))
            .in_file(program)
    })?;
    let no_program =
        || Error::invalid("the file is no executable that `wasmelt build` wrote").in_file(program);
    let notes = read_notes(&bytes).ok_or_else(no_program)?;
    let grants = decode(&notes.grants).ok_or_else(no_program)?;
    let mut text = String::new();
    print_grants(&mut text, &grants);
    print_host_funcs(&mut text, &notes.host_funcs);
    write_stdout(text.as_bytes())
}

/// One line for each grant. Names can hold anything, so they are quoted.
fn print_grants(text: &mut String, grants: &Grants) {
    let mut line = |words: String| writeln!(text, "{words}").expect("a string takes everything");
    line("grants".into());
    for dir in &grants.dirs {
        let access = if dir.read_only { ", to be read only" } else { "" };
        line(format!("  directory {:?} as {:?}{access}", dir.host, dir.guest));
    }
    if grants.inherit_env {
        line("  the caller's whole environment".into());
    }
    for env in &grants.envs {
        line(match &env.value {
            Some(value) => format!("  environment variable {:?} = {value:?}", env.name),
            None => format!("  environment variable {:?} of the caller", env.name),
        });
    }
    match grants.network {
        Network::None => {}
        Network::Outbound => line("  network, outbound".into()),
        Network::All => line("  network, outbound and inbound".into()),
    }
    if *grants == Grants::default() {
        line("  none".into());
    }
}

/// The functions below their interfaces; names come sorted.
fn print_host_funcs(text: &mut String, names: &[String]) {
    let mut line = |words: String| writeln!(text, "{words}").expect("a string takes everything");
    line("host functions".into());
    let mut last = "";
    for name in names {
        let (interface, func) = name.split_once('#').unwrap_or(("", name));
        if interface != last {
            line(format!("  {interface}"));
            last = interface;
        }
        line(format!("    {func}"));
    }
    if names.is_empty() {
        line("  none".into());
    }
}
