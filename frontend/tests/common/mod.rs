//! Inputs in a temporary folder, and errors as text without that folder's name.
#![allow(dead_code, reason = "each test file uses a part of this")]

use std::path::{Path, PathBuf};
use tempfile::TempDir;
use wasmelt_frontend::composition::{Component, ComponentId, Composition, Def, Import, Root};
use wasmelt_frontend::module::{Module, ModuleId};
use wasmelt_frontend::{ReadOptions, read};

/// A folder with input files.
pub struct Folder(TempDir);

impl Folder {
    /// Writes files; a name may have folders in it.
    pub fn new(files: &[(&str, &str)]) -> Folder {
        let folder = Folder(TempDir::new().unwrap());
        for (name, text) in files {
            folder.write(name, text.as_bytes());
        }
        folder
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Reads a file of the folder; `with` holds pairs of an import's name and a file's.
    pub fn read(&self, name: &str, with: &[(&str, &str)]) -> Result<Composition, String> {
        let with = with.iter().map(|(key, file)| ((*key).to_owned(), self.path(file))).collect();
        let folder = format!("{}/", self.0.path().display());
        read(&self.path(name), &ReadOptions { with, ..ReadOptions::default() })
            .map_err(|error| error.to_string().replace(&folder, ""))
    }

    /// Reads a file that must be accepted.
    pub fn accept(&self, name: &str) -> Composition {
        self.read(name, &[]).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Reads a file that must be refused, and returns the message.
    pub fn refuse(&self, name: &str, with: &[(&str, &str)]) -> String {
        self.read(name, with).expect_err("the input should be refused")
    }
}

/// Reads one text that must be accepted.
pub fn accept(text: &str) -> Composition {
    Folder::new(&[("main.wat", text)]).accept("main.wat")
}

/// Reads one text that must be refused.
pub fn refuse(text: &str) -> String {
    Folder::new(&[("main.wat", text)]).refuse("main.wat", &[])
}

/// The component to build.
pub fn root(composition: &Composition) -> &Component {
    match composition.root {
        Some(Root::Component(root)) => &composition.components[root],
        other => panic!("no component is built: {other:?}"),
    }
}

/// The imports of a component.
pub fn imports(component: &Component) -> Vec<&Import> {
    let imports = component.defs.iter().filter_map(|def| match def {
        Def::Import(import) => Some(import),
        _ => None,
    });
    imports.collect()
}

/// The first module of a composition.
pub fn first_module(composition: &Composition) -> &Module {
    &composition.modules[ModuleId::from_u32(0)]
}

/// The name of the file that a component comes from.
pub fn file_name(composition: &Composition, component: ComponentId) -> String {
    let file = composition.components[component].file;
    let path: &Path = &composition.files[file].path;
    path.file_name().unwrap().to_string_lossy().into_owned()
}
