//! A script to one program: every instantiation, call and read of the script becomes
//! an action of the program, in script order.
//!
//! Names are resolved here, at compile time. What an instantiation still has to do at
//! run time is a function of its own, so that it happens between the assertions around
//! it. Holds afterwards: each directive has a verdict, or an action and what is
//! expected of it. One definition that cannot be compiled or linked takes the
//! directives that depend on it with it, and no others.

mod component;
mod core;

use crate::error::{self, Error, Kind};
use crate::module::ModuleId;
use crate::program::{Action, ComponentInstanceId, CoreInstanceId, FuncId, FuncKind, Program};
use crate::scope::{CoreItem, InstanceId};
use crate::types::CoreTypeId;
use crate::{Flattener, Observer};
use indexmap::IndexMap;
use wasmelt_frontend::composition::{ComponentId, Composition};
pub use wasmelt_frontend::script::{
    Argument, CorePattern, CoreValue, Definition, Directive, DirectiveKind, Execute, Expected,
    Script, Shape, Value, parse_script, read_script,
};

/// A script's program, and what to make of what it reports.
#[derive(Debug)]
pub struct ScriptProgram {
    /// The program; its `actions` are the script's.
    pub program: Program,
    /// The directives that can fail, in order.
    pub checks: Vec<Check>,
}

/// A directive that can fail.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its line in the script.
    pub line: u32,
    /// Its keyword.
    pub keyword: &'static str,
    /// What became of it.
    pub verdict: Verdict,
}

/// What became of a directive.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It holds.
    Passed,
    /// It does not hold: why.
    Failed(String),
    /// It needs something that is not implemented: what.
    Unsupported(String),
    /// It depends on what the program reports.
    Run {
        /// Index of the program's action.
        action: usize,
        /// What has to be reported.
        expectation: Expectation,
    },
}

/// What has to be reported of an action.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each variant is named after its directive")]
pub enum Expectation {
    /// It does not trap.
    Completes,
    Returns(Vec<Expected>),
    Traps,
    Exhausts,
    Unlinkable,
}

/// Links a script into one closed world.
pub fn link_script(script: Script) -> error::Result<ScriptProgram> {
    let Script { composition, spectest, host, directives } = script;
    let Composition { files, core_types, modules, components, root: _ } = composition;
    let program = Program { files, core_types, modules, ..Program::default() };
    let mut flattener = Flattener::new(program, &components, wasmelt_abi::wit::FILES);
    let component = flattener.add_component_instance("script".to_owned(), None)?;
    let mut linker = Linker {
        flattener,
        component,
        checks: Vec::new(),
        definitions: IndexMap::new(),
        latest_definition: None,
        instances: IndexMap::new(),
        latest_instance: None,
        registered: IndexMap::new(),
        trampolines: IndexMap::new(),
        host: None,
        without_thread: false,
    };
    let spectest = linker.instantiate(Definable::Module(spectest), Some("spectest"));
    let spectest = spectest.map(|(instance, _)| instance);
    linker.registered.insert("spectest".to_owned(), spectest);
    let guests_from = linker.instantiate_host(host)?;
    linker.link_directives(directives);
    let Linker { flattener, checks, .. } = linker;
    // The actions are the roots.
    let mut program = crate::finish(flattener, [], Observer::Script)?;
    // The stand-in for the host survives traps, as the host does; nothing calls back into it.
    for (id, component) in program.component_instances.iter_mut() {
        component.needs_may_enter &= id >= guests_from;
    }
    Ok(ScriptProgram { program, checks })
}

/// Why something is not there.
#[derive(Clone, Debug)]
enum Absent {
    Failed(String),
    Unsupported(String),
    /// A component that imports what no script supplies: what is wrong with it. To define such a
    /// component says only that it is valid.
    NotSupplied(String),
    /// It needs more than there can be: what. The specification lets instantiation trap then.
    TooLarge(&'static str),
}

impl From<Error> for Absent {
    fn from(error: Error) -> Absent {
        match error.kind() {
            Kind::Unsupported => Absent::Unsupported(error.message().to_owned()),
            _ => Absent::Failed(error.to_string()),
        }
    }
}

impl From<Absent> for Error {
    fn from(absent: Absent) -> Error {
        match absent {
            Absent::Failed(reason) | Absent::NotSupplied(reason) => Error::invalid(reason),
            Absent::Unsupported(what) => Error::unsupported(what),
            Absent::TooLarge(what) => Error::unsupported(format!("{what} of that size")),
        }
    }
}

impl From<Absent> for Verdict {
    fn from(absent: Absent) -> Verdict {
        match absent {
            Absent::Failed(reason) | Absent::NotSupplied(reason) => Verdict::Failed(reason),
            Absent::Unsupported(reason) => Verdict::Unsupported(reason),
            Absent::TooLarge(what) => Verdict::Failed(format!("{what} is too large")),
        }
    }
}

/// What can be instantiated.
#[derive(Clone, Copy, Debug)]
enum Definable {
    Module(ModuleId),
    Component(ComponentId),
}

/// An instance of a core module or of a component.
#[derive(Clone, Copy, Debug)]
enum Instance {
    Core(CoreInstanceId),
    Component(InstanceId),
}

struct Linker<'a> {
    flattener: Flattener<'a>,
    /// The component instance that all core instances of the script are charged to.
    component: ComponentInstanceId,
    checks: Vec<Check>,
    /// The definitions by name, and the latest.
    definitions: IndexMap<String, Result<Definable, Absent>>,
    latest_definition: Option<Result<Definable, Absent>>,
    /// The instances by name, and the latest.
    instances: IndexMap<String, Result<Instance, Absent>>,
    latest_instance: Option<Result<Instance, Absent>>,
    /// The instances by the name that imports use.
    registered: IndexMap<String, Result<Instance, Absent>>,
    /// The instance whose exports every component may import.
    host: Option<InstanceId>,
    /// The trampolines by the type of the functions that they call.
    trampolines: IndexMap<CoreTypeId, FuncId>,
    /// Whether a thread is left out, so that nothing after it means what it should.
    without_thread: bool,
}

impl Linker<'_> {
    /// The script's parser limits how deep threads nest.
    fn link_directives(&mut self, directives: Vec<Directive>) {
        for Directive { line, kind } in directives {
            let keyword = kind.keyword();
            // A directive that asserts nothing is only worth mentioning if it fails.
            let silent = !keyword.starts_with("assert_");
            if let Some(verdict) = self.link_directive(kind)
                && !(silent && matches!(verdict, Verdict::Passed | Verdict::Unsupported(_)))
            {
                self.checks.push(Check { line, keyword, verdict });
            }
        }
    }

    /// A thread has names of its own.
    fn link_thread(&mut self, shared: Option<String>, directives: Vec<Directive>) {
        let visible = shared.map(|name| (name.clone(), self.find_instance(Some(&name))));
        let visible = visible.into_iter().collect();
        let instances = std::mem::replace(&mut self.instances, visible);
        let definitions = std::mem::take(&mut self.definitions);
        let registered = self.registered.clone();
        let latest = (self.latest_definition.take(), self.latest_instance.take());
        self.link_directives(directives);
        (self.latest_definition, self.latest_instance) = latest;
        self.instances = instances;
        self.definitions = definitions;
        self.registered = registered;
    }

    /// `None`: there is nothing to say about it.
    fn link_directive(&mut self, kind: DirectiveKind) -> Option<Verdict> {
        match kind {
            DirectiveKind::Module { name, definition } => {
                let definition = define(definition);
                self.bind_definition(name.clone(), definition.clone());
                let verdict = self.link_instance(name, definition);
                let is_valid = matches!(self.latest_instance, Some(Err(Absent::NotSupplied(_))));
                if is_valid { None } else { Some(verdict) }
            }
            DirectiveKind::Definition { name, definition } => {
                let definition = define(definition);
                self.bind_definition(name, definition.clone());
                definition.err().map(Verdict::from)
            }
            DirectiveKind::Instance { name, definition } => {
                let definition = self.find_definition(definition.as_deref());
                Some(self.link_instance(name, definition))
            }
            DirectiveKind::Register { name, instance } => {
                let instance = self.find_instance(instance.as_deref());
                let absent = instance.clone().err();
                self.registered.insert(name, instance);
                absent.map(Verdict::from)
            }
            DirectiveKind::Perform(execute) => Some(self.run(execute, Expectation::Completes)),
            DirectiveKind::AssertReturn(execute, expected) => {
                Some(match find_unsupported(&expected) {
                    Some(what) => Verdict::Unsupported(what.to_owned()),
                    None => self.run(execute, Expectation::Returns(expected)),
                })
            }
            DirectiveKind::AssertTrap(execute) => Some(self.run(execute, Expectation::Traps)),
            DirectiveKind::AssertExhaustion(execute) => {
                Some(self.run(execute, Expectation::Exhausts))
            }
            DirectiveKind::AssertException(_) => Some(unsupported("exceptions")),
            DirectiveKind::AssertSuspension(_) => Some(unsupported("stack switching")),
            DirectiveKind::AssertUnlinkable(definition) => Some(self.link_unlinkable(definition)),
            DirectiveKind::AssertRejected { rejected: true, .. } => Some(Verdict::Passed),
            DirectiveKind::AssertRejected { rejected: false, .. } => {
                Some(Verdict::Failed("the input was accepted".to_owned()))
            }
            DirectiveKind::Thread { shared, waits, directives } => {
                self.without_thread |= waits;
                self.link_thread(shared, directives);
                None
            }
            DirectiveKind::Unsupported(what) => Some(unsupported(what)),
        }
    }

    fn bind_definition(&mut self, name: Option<String>, definition: Result<Definable, Absent>) {
        if let Some(name) = name {
            self.definitions.insert(name, definition.clone());
        }
        self.latest_definition = Some(definition);
    }

    fn find_definition(&self, name: Option<&str>) -> Result<Definable, Absent> {
        let found = match name {
            Some(name) => self.definitions.get(name),
            None => self.latest_definition.as_ref(),
        };
        found.cloned().unwrap_or_else(|| Err(Absent::Failed("no such definition".to_owned())))
    }

    fn find_instance(&self, name: Option<&str>) -> Result<Instance, Absent> {
        let found = match name {
            Some(name) => self.instances.get(name),
            None => self.latest_instance.as_ref(),
        };
        found.cloned().unwrap_or_else(|| Err(Absent::Failed("no such instance".to_owned())))
    }

    /// Instantiates a definition and binds the instance, even one whose instantiation will trap:
    /// what it wrote into others until then stays.
    fn link_instance(
        &mut self,
        name: Option<String>,
        definition: Result<Definable, Absent>,
    ) -> Verdict {
        let linked = definition.and_then(|what| self.instantiate(what, name.as_deref()));
        let instance = linked.clone().map(|(instance, _)| instance);
        if let Some(name) = name {
            self.instances.insert(name, instance.clone());
        }
        self.latest_instance = Some(instance);
        match linked {
            Ok((_, init)) => self.run_init(init, Expectation::Completes),
            Err(absent) => absent.into(),
        }
    }

    /// The instance, and the function that finishes its instantiation.
    fn instantiate(
        &mut self,
        what: Definable,
        name: Option<&str>,
    ) -> Result<(Instance, FuncId), Absent> {
        Ok(match what {
            Definable::Module(module) => {
                let (instance, init) = self.instantiate_module(module, name)?;
                (Instance::Core(instance), init)
            }
            Definable::Component(component) => {
                let (instance, init) = self.instantiate_component(component, name)?;
                (Instance::Component(instance), init)
            }
        })
    }

    /// `assert_unlinkable`: the imports do not match, now or once the program looks.
    fn link_unlinkable(&mut self, definition: Definition) -> Verdict {
        let linked = match define(definition) {
            Ok(Definable::Module(module)) => {
                self.resolve_imports(module).and_then(|(_, steps)| match steps.is_empty() {
                    true => Ok(None),
                    false => self.instantiate_module(module, None).map(|(_, init)| Some(init)),
                })
            }
            Ok(Definable::Component(component)) => {
                self.instantiate_component(component, None).map(|_| None)
            }
            Err(absent) => return absent.into(),
        };
        match linked {
            Err(Absent::Failed(_) | Absent::NotSupplied(_)) => Verdict::Passed,
            Err(absent) => absent.into(),
            Ok(Some(init)) => self.run_init(init, Expectation::Unlinkable),
            Ok(None) => Verdict::Failed("the imports match".to_owned()),
        }
    }

    fn run(&mut self, execute: Execute, expectation: Expectation) -> Verdict {
        let action = match execute {
            Execute::Instantiate(definition) => {
                let linked = define(definition).and_then(|what| self.instantiate(what, None));
                return match linked {
                    Ok((_, init)) => self.run_init(init, expectation),
                    Err(Absent::TooLarge(_)) if matches!(expectation, Expectation::Traps) => {
                        Verdict::Passed
                    }
                    Err(absent) => absent.into(),
                };
            }
            Execute::Invoke { instance, export, args } => {
                self.find_instance(instance.as_deref()).and_then(|instance| match instance {
                    Instance::Core(instance) => self.call_core(instance, &export, &args),
                    Instance::Component(instance) => self.call_component(instance, &export, &args),
                })
            }
            Execute::Get { instance, export } => {
                self.find_instance(instance.as_deref()).and_then(|instance| {
                    let item = match instance {
                        Instance::Core(instance) => self.find_core_export(instance, &export),
                        Instance::Component(_) => None,
                    };
                    match item {
                        Some(CoreItem::Global(global)) => Ok(Action::Get(global)),
                        _ => Err(Absent::Failed(format!("there is no global {export:?}"))),
                    }
                })
            }
        };
        match action {
            Ok(action) => self.push_action(action, expectation),
            Err(absent) => absent.into(),
        }
    }

    fn run_init(&mut self, func: FuncId, expectation: Expectation) -> Verdict {
        let ty = self.flattener.program.funcs[func].ty;
        let trampoline = self.trampoline(ty);
        self.push_action(Action::Call { func, trampoline, args: Vec::new() }, expectation)
    }

    fn push_action(&mut self, action: Action, expectation: Expectation) -> Verdict {
        if self.without_thread {
            return unsupported("threads that wait for each other");
        }
        let actions = &mut self.flattener.program.actions;
        actions.push(action);
        Verdict::Run { action: actions.len() - 1, expectation }
    }

    /// The trampoline for functions of a type.
    fn trampoline(&mut self, ty: CoreTypeId) -> FuncId {
        let flattener = &mut self.flattener;
        let define = || flattener.add_func(ty, None, FuncKind::Trampoline);
        *self.trampolines.entry(ty).or_insert_with(define)
    }
}

fn unsupported(what: &str) -> Verdict {
    Verdict::Unsupported(what.to_owned())
}

fn define(definition: Definition) -> Result<Definable, Absent> {
    match definition {
        Definition::Module(module) => Ok(Definable::Module(module)),
        Definition::Component(component) => Ok(Definable::Component(component)),
        Definition::Unsupported(what) => Err(Absent::Unsupported(what)),
        Definition::Rejected(error) => Err(error.into()),
    }
}

/// What is not implemented in a list of expectations. `either` is not looked into: it stands
/// only where every case is a number.
fn find_unsupported(expected: &[Expected]) -> Option<&'static str> {
    expected.iter().find_map(|expected| match expected {
        Expected::Core(CorePattern::Unsupported(what)) => Some(*what),
        Expected::Core(_) | Expected::Component(_) => None,
    })
}
