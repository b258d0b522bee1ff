//! Import resolution: which file an imported component or module comes from.

use crate::composition::Composition;
use crate::error::Result;
use crate::preview1::componentize_module;
use crate::session::{Root, Session};
use std::path::{Path, PathBuf};

/// How `read` finds what a component imports.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Pairs of an import's name and the file that it comes from.
    pub with: Vec<(String, PathBuf)>,
}

/// Reads a component and everything it imports from files.
pub fn read(input: &Path, _options: &ReadOptions) -> Result<Composition> {
    let mut session = Session::new();
    let root = match session.add_file(input)? {
        Root::Component(id) => id,
        Root::Module(id) => {
            let module = &session.composition().modules[id];
            let component = componentize_module(module).map_err(|error| error.in_file(input))?;
            match session.add_bytes(input, component)? {
                Root::Component(id) => id,
                Root::Module(_) => unreachable!("componentizing makes a component"),
            }
        }
    };
    Ok(session.finish(Some(root)))
}
