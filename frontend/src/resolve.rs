//! Import resolution: binds what components import to other files.
//!
//! Files are visited depth first, on an explicit stack: a file is read, then its
//! imports are bound one after the other, and a file that is met for the first
//! time is visited before the next import. A file that is met again while it is
//! still on the stack closes a cycle.
//!
//! Imports of components and core modules must be found. Imports of instances
//! are the host's, unless the command line names a file for them.

mod compare;
mod locate;
mod overrides;
mod print;

use crate::composition::Root;
use crate::composition::{Binding, ComponentId, Composition, Def, ExternType, Import};
use crate::error::{Error, Result};
use crate::module::FileId;
use crate::session::Session;
use compare::{Comparison, Mismatch};
use locate::{Located, locate_import};
use overrides::{Overrides, list_names};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use wasmparser::component_types::{ComponentEntityType, ComponentTypeId};

/// How `read` finds what a component imports.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Pairs of an import's name and the file that it comes from.
    pub with: Vec<(String, PathBuf)>,
    /// Whether a core module that is a command becomes a component, too: a library exports its `run`.
    pub wants_component: bool,
}

/// Reads a component and everything it imports from files.
pub fn read(input: &Path, options: &ReadOptions) -> Result<Composition> {
    let mut session = Session::new();
    let root = session.add_file(input)?;
    let root = session.prepare_root(root, options.wants_component)?;
    match root {
        Root::Component(id) => bind_imports(&mut session, id, options)?,
        Root::Module(_) => {
            let overrides = Overrides::new(&options.with);
            overrides.check_all_used().map_err(|error| error.in_file(input))?;
        }
    }
    Ok(session.finish(Some(root)))
}

/// Binds the imports of a component of the session, and those of the files that this loads.
pub fn bind_imports(session: &mut Session, root: ComponentId, options: &ReadOptions) -> Result<()> {
    let mut overrides = Overrides::new(&options.with);
    let mut resolver =
        Resolver { session, loaded: HashMap::new(), visits: Vec::new(), fits: Vec::new() };
    let path = resolver.path_of(resolver.session.composition.components[root].file);
    resolver.loaded.insert(identify(&path), Root::Component(root));
    resolver.open_visit(root, true);
    while let Some(visit) = resolver.visits.last_mut() {
        match visit.requests.next() {
            Some(request) => resolver.bind_request(request, &mut overrides)?,
            None => drop(resolver.visits.pop()),
        }
    }
    // Past this line every import of a component or a core module is bound, or left to whoever
    // instantiates the importing component.
    for fit in &resolver.fits {
        resolver.check_fit(fit)?;
    }
    overrides.check_all_used().map_err(|error| error.in_file(path))
}

/// An import that may be bound to a file.
struct Request {
    /// Its position among the importing component's definitions.
    def: usize,
    name: String,
    external_id: Option<String>,
    wanted: Wanted,
    /// The importing file.
    file: FileId,
    /// Where the import stands in it.
    offset: usize,
}

/// A binding whose types are compared once all bindings are known: what a component takes from
/// files by itself, its importer does not have to declare.
struct Fit {
    request: Request,
    root: Root,
    path: PathBuf,
}

/// What sort of thing an import asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Component,
    Module,
    Instance,
}

/// A component whose imports are being bound.
struct Visit {
    component: ComponentId,
    file: FileId,
    requests: std::vec::IntoIter<Request>,
    /// Whether its instance imports are the program's own, which the command line may bind.
    ///
    /// Those of an imported component are given by whoever instantiates it.
    faces_host: bool,
}

struct Resolver<'s> {
    session: &'s mut Session,
    /// What each file holds, by the path that identifies it.
    loaded: HashMap<PathBuf, Root>,
    /// The files that are being visited, each imported by the one before.
    visits: Vec<Visit>,
    /// What is to be compared in the end.
    fits: Vec<Fit>,
}

impl Resolver<'_> {
    fn path_of(&self, file: FileId) -> PathBuf {
        self.session.composition.files[file].path.clone()
    }

    fn open_visit(&mut self, component: ComponentId, faces_host: bool) {
        let definition = &self.session.composition.components[component];
        let requests: Vec<_> = definition
            .defs
            .iter()
            .enumerate()
            .filter_map(|(def, item)| match item {
                Def::Import(import) => make_request(def, import, definition.file),
                _ => None,
            })
            .collect();
        let file = definition.file;
        self.visits.push(Visit { component, file, requests: requests.into_iter(), faces_host });
    }

    /// The visit on top of the stack: the importing component.
    fn importer(&self) -> &Visit {
        self.visits.last().expect("a request belongs to a visit")
    }

    /// Binds one import, and opens a visit if that loaded a component.
    fn bind_request(&mut self, request: Request, overrides: &mut Overrides<'_>) -> Result<()> {
        let Some(path) = self.find_file(&request, overrides)? else { return Ok(()) };
        let (root, is_new) = self.load(&path, &request)?;
        let binding = self.make_binding(&request, root, &path)?;

        let Visit { component, faces_host, .. } = *self.importer();
        match &mut self.session.composition.components[component].defs[request.def] {
            Def::Import(import) => import.binding = Some(binding),
            _ => unreachable!("a request is made of an import"),
        }
        if let (true, Root::Component(id)) = (is_new, root) {
            self.open_visit(id, faces_host && request.wanted == Wanted::Instance);
        }
        self.fits.push(Fit { request, root, path });
        Ok(())
    }

    /// The file for an import; `None` if it is left to the host.
    fn find_file(
        &self,
        request: &Request,
        overrides: &mut Overrides<'_>,
    ) -> Result<Option<PathBuf>> {
        let Request { name, external_id, wanted, .. } = request;
        let importer = self.importer();
        if *wanted == Wanted::Instance && !importer.faces_host {
            return Ok(None);
        }
        let path = self.path_of(importer.file);
        if let Some(file) = overrides.find(name, external_id.as_deref()) {
            // What provides an instance may import the same one: that is the host's then.
            let is_provider = *wanted == Wanted::Instance && self.visits.len() > 1;
            let is_itself = is_provider && identify(file) == identify(&path);
            return Ok((!is_itself).then(|| file.to_owned()));
        }
        if *wanted == Wanted::Instance {
            return Ok(None);
        }
        let located = locate_import(name, external_id.as_deref(), &path);
        match located.map_err(|error| self.at_import(error, request))? {
            Located::File(path) => Ok(Some(path)),
            // Whoever instantiates an imported component supplies what is not named as a file.
            Located::Nowhere(_) if self.visits.len() > 1 && external_id.is_none() => Ok(None),
            Located::Nowhere(tried) => Err(self.missing_file(request, &tried)),
        }
    }

    fn missing_file(&self, request: &Request, tried: &[PathBuf]) -> Error {
        let noun = match request.wanted {
            Wanted::Module => "core module",
            _ => "component",
        };
        let name = &request.name;
        let with = format!("name a file with `--with {name}=FILE`");
        let tried: Vec<_> = tried.iter().map(|path| path.display().to_string()).collect();
        let error = Error::environment(format!("no file has the imported {noun} `{name}`"));
        self.at_import(error, request).help(match tried.is_empty() {
            true => with,
            false => format!("looked for {}; {with}", list_names(&tried)),
        })
    }

    /// Loads a file unless it was loaded before; says whether it is new.
    fn load(&mut self, path: &Path, request: &Request) -> Result<(Root, bool)> {
        let identity = identify(path);
        if let Some(root) = self.loaded.get(&identity) {
            self.check_cycle(*root, request)?;
            return Ok((*root, false));
        }
        let root = self.session.add_imported_file(path).map_err(|error| {
            let importer = self.path_of(self.importer().file);
            error.context(format!("the import `{}` of `{}`", request.name, importer.display()))
        })?;
        self.loaded.insert(identity, root);
        Ok((root, true))
    }

    /// Refuses a file that is still being visited.
    fn check_cycle(&self, root: Root, request: &Request) -> Result<()> {
        let Root::Component(id) = root else { return Ok(()) };
        let Some(start) = self.visits.iter().position(|visit| visit.component == id) else {
            return Ok(());
        };
        let mut files: Vec<_> = self.visits[start..]
            .iter()
            .map(|visit| format!("`{}`", self.path_of(visit.file).display()))
            .collect();
        files.push(files[0].clone());
        let error = Error::invalid(format!("imports form a cycle: {}", files.join(" imports ")));
        Err(self.at_import(error, request))
    }

    /// The binding of an import to what a file holds.
    fn make_binding(&self, request: &Request, root: Root, path: &Path) -> Result<Binding> {
        let other = match (request.wanted, root) {
            (Wanted::Instance, Root::Component(id)) => return Ok(Binding::InstanceOf(id)),
            (Wanted::Component, Root::Component(id)) => return Ok(Binding::Component(id)),
            (Wanted::Module, Root::Module(id)) => return Ok(Binding::Module(id)),
            (_, Root::Module(_)) => "a core module",
            (_, Root::Component(_)) => "a component",
        };
        let mismatch = Mismatch::of(format!("the file is {other}"));
        Err(self.at_import(describe(mismatch, request, path), request))
    }

    /// Checks that what an import is bound to has the type that the import declares.
    fn check_fit(&self, Fit { request, root, path }: &Fit) -> Result<()> {
        let (importer, file) = (request.file, self.session.file_of(*root));
        let fail = |mismatch: Mismatch| self.at_import(describe(mismatch, request, path), request);
        let (Some(types), Some(file_type), Some(ComponentEntityType::Component(importer_type))) =
            (self.session.types(), self.session.root_type(file), self.session.root_type(importer))
        else {
            let error = Error::environment("a file that failed earlier leaves no types to compare");
            return Err(self.at_import(error, request));
        };
        let declared = types[importer_type].imports[&request.name].ty;
        let mut comparison = Comparison::new(types);
        if request.wanted == Wanted::Instance {
            let ComponentEntityType::Component(file_type) = file_type else {
                unreachable!("the type of a component is a component type")
            };
            let instance = self.find_exported_instance(request, file_type, path)?;
            comparison.match_imported_resources(importer_type, file_type);
            return comparison.compare(&declared, &instance).map_err(fail);
        }
        let bound = self.bound_imports(*root);
        if !bound.is_empty() {
            // The validator compares whole components, so this one is compared without it.
            return comparison.compare_without(&declared, &file_type, &bound).map_err(fail);
        }
        if ComponentEntityType::is_subtype_of(&file_type, types, &declared, types) {
            return Ok(());
        }
        let found = comparison.compare(&declared, &file_type);
        Err(fail(found.err().unwrap_or_else(Mismatch::unexplained)))
    }

    /// The names of the imports that a file takes from other files by itself.
    fn bound_imports(&self, root: Root) -> HashSet<&str> {
        let Root::Component(id) = root else { return HashSet::new() };
        let defs = &self.session.composition.components[id].defs;
        let bound = defs.iter().filter_map(|def| match def {
            Def::Import(import) if import.binding.is_some() => Some(import.name.as_str()),
            _ => None,
        });
        bound.collect()
    }

    /// The instance that a file's component exports under an import's name, or a compatible one.
    fn find_exported_instance(
        &self,
        request: &Request,
        file_type: ComponentTypeId,
        path: &Path,
    ) -> Result<ComponentEntityType> {
        let types = self.session.types().expect("the type was taken from these types");
        let exports = &types[file_type].exports;
        let compatible = || exports.iter().find(|(name, _)| is_compatible(name, &request.name));
        let found = exports.get(&request.name).or_else(|| Some(compatible()?.1));
        if let Some(item) = found {
            return Ok(item.ty);
        }
        let names: Vec<_> = exports.keys().cloned().collect();
        let message = format!("`{}` does not export `{}`", path.display(), request.name);
        Err(self.at_import(Error::invalid(message), request).help(match names.is_empty() {
            true => "it exports nothing".to_owned(),
            false => format!("it exports {}", list_names(&names)),
        }))
    }

    /// Places an error at an import.
    fn at_import(&self, error: Error, request: &Request) -> Error {
        let source = &self.session.composition.files[request.file];
        error.in_file(&source.path).at(source.position(request.offset))
    }
}

/// The request of an import that may come from a file.
fn make_request(def: usize, import: &Import, file: FileId) -> Option<Request> {
    let wanted = match import.ty {
        ExternType::Component(_) => Wanted::Component,
        ExternType::CoreModule(_) => Wanted::Module,
        ExternType::Instance(_) => Wanted::Instance,
        _ => return None,
    };
    Some(Request {
        def,
        name: import.name.clone(),
        external_id: import.external_id.clone(),
        wanted,
        file,
        offset: import.offset,
    })
}

/// Whether two names are of one interface in versions that can stand for each other.
fn is_compatible(a: &str, b: &str) -> bool {
    let split = |name: &str| -> Option<(String, String)> {
        let (interface, version) = name.split_once('@')?;
        // Before 1.0 the minor version counts, and before 0.1 the patch version.
        let numbers: Vec<_> = version.split(['-', '+']).next()?.split('.').collect();
        let counting = numbers.iter().position(|number| *number != "0")?;
        let is_release = !version.contains('-');
        is_release.then(|| (interface.to_owned(), numbers[..=counting].join(".")))
    };
    split(a).is_some_and(|a| Some(a) == split(b))
}

/// The path that is the same for every way to name a file.
fn identify(path: &Path) -> PathBuf {
    // A file that cannot be found is refused when it is read.
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// The error for a file that does not fit an import.
fn describe(mismatch: Mismatch, request: &Request, path: &Path) -> Error {
    let mut error = Error::invalid(mismatch.message);
    for phrase in mismatch.contexts {
        error = error.context(phrase);
    }
    error.context(format!("`{}` as the import `{}`", path.display(), request.name))
}

#[cfg(test)]
mod tests {
    use super::is_compatible;

    #[test]
    fn versions_are_compatible_up_to_the_first_number_that_counts() {
        assert!(is_compatible("a:b/c@1.2.0", "a:b/c@1.0.7"));
        assert!(is_compatible("a:b/c@0.2.0", "a:b/c@0.2.12"));
        assert!(!is_compatible("a:b/c@0.2.0", "a:b/c@0.3.0"));
        assert!(!is_compatible("a:b/c@0.0.1", "a:b/c@0.0.2"));
        assert!(!is_compatible("a:b/c@1.0.0", "a:b/d@1.0.0"));
        assert!(!is_compatible("a:b/c", "a:b/c"));
        assert!(!is_compatible("a:b/c@1.0.0-rc.1", "a:b/c@1.0.0"));
    }
}
