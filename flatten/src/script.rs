//! A script to one program: every instantiation, call and read of the script becomes
//! an action of the program, in script order.
//!
//! Names are resolved here, at compile time. What an instantiation still has to do at
//! run time is a function of its own, so that it happens between the assertions around
//! it. Holds afterwards: each directive has a verdict, or an action and what is
//! expected of it. One definition that cannot be compiled or linked takes the
//! directives that depend on it with it, and no others.

use crate::error::{self, Error, Kind};
use crate::link_core::match_import;
use crate::module::{MemoryType, Module, ModuleId};
use crate::program::{
    Action, Argument as ProgramArgument, ComponentInstanceId, ConstValue, CoreInstanceId, FuncId,
    FuncKind, InitStep, Program,
};
use crate::scope::{CoreInstanceValue, CoreItem};
use crate::types::{CoreTypeId, ValType};
use crate::{Flattener, Observer, instantiate_module, limits};
use indexmap::IndexMap;
use wasmelt_abi::script::RESULTS_MAX;
use wasmelt_frontend::composition::Composition;
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
    let Script { composition, spectest, directives } = script;
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
        without_thread: false,
    };
    let spectest = linker.instantiate(spectest, Some("spectest")).map(|(instance, _)| instance);
    linker.registered.insert("spectest".to_owned(), spectest);
    linker.link_directives(directives);
    let Linker { flattener, checks, .. } = linker;
    // The actions are the roots.
    let program = crate::finish(flattener, [], Observer::Script)?;
    Ok(ScriptProgram { program, checks })
}

/// Why something is not there.
#[derive(Clone, Debug)]
enum Absent {
    Failed(String),
    Unsupported(String),
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

impl From<Absent> for Verdict {
    fn from(absent: Absent) -> Verdict {
        match absent {
            Absent::Failed(reason) => Verdict::Failed(reason),
            Absent::Unsupported(reason) => Verdict::Unsupported(reason),
            Absent::TooLarge(what) => Verdict::Failed(format!("{what} is too large")),
        }
    }
}

/// An instance, or why it does not exist.
type Instance = Result<CoreInstanceId, Absent>;

struct Linker<'a> {
    flattener: Flattener<'a>,
    /// The component instance that all core instances of the script are charged to.
    component: ComponentInstanceId,
    checks: Vec<Check>,
    /// The definitions by name, and the latest.
    definitions: IndexMap<String, Result<ModuleId, Absent>>,
    latest_definition: Option<Result<ModuleId, Absent>>,
    /// The instances by name, and the latest.
    instances: IndexMap<String, Instance>,
    latest_instance: Option<Instance>,
    /// The instances by the name that imports use.
    registered: IndexMap<String, Instance>,
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
                Some(self.link_instance(name, definition))
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

    fn bind_definition(&mut self, name: Option<String>, definition: Result<ModuleId, Absent>) {
        if let Some(name) = name {
            self.definitions.insert(name, definition.clone());
        }
        self.latest_definition = Some(definition);
    }

    fn find_definition(&self, name: Option<&str>) -> Result<ModuleId, Absent> {
        let found = match name {
            Some(name) => self.definitions.get(name),
            None => self.latest_definition.as_ref(),
        };
        found.cloned().unwrap_or_else(|| Err(Absent::Failed("no such definition".to_owned())))
    }

    fn find_instance(&self, name: Option<&str>) -> Instance {
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
        definition: Result<ModuleId, Absent>,
    ) -> Verdict {
        let linked = definition.and_then(|module| self.instantiate(module, name.as_deref()));
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
        module: ModuleId,
        name: Option<&str>,
    ) -> Result<(CoreInstanceId, FuncId), Absent> {
        let (imports, steps) = self.resolve_imports(module)?;
        check_sizes(&self.flattener.program.modules[module])?;
        for step in steps {
            self.flattener.add_step(step);
        }
        let name = name.unwrap_or("module").to_owned();
        let flattener = &mut self.flattener;
        let instance = instantiate_module(flattener, module, self.component, name, &imports);
        // The steps of an instantiation that failed must not become the next one's.
        let init = flattener.finish_steps();
        Ok((instance.map_err(Absent::from)?, init))
    }

    /// What each import of a module is, and what has to be checked at run time.
    fn resolve_imports(&self, id: ModuleId) -> Result<(Vec<CoreItem>, Vec<InitStep>), Absent> {
        let module = &self.flattener.program.modules[id];
        let mut items = Vec::with_capacity(module.imports.len());
        let mut steps = Vec::new();
        for import in &module.imports {
            let failed = |what: String| {
                Absent::Failed(format!(
                    "the import {:?} {:?} is {what}",
                    import.module, import.name
                ))
            };
            // Some suites import from an instance by its own name, without registering it.
            let instance = self
                .registered
                .get(&import.module)
                .or_else(|| self.instances.get(&import.module))
                .cloned()
                .unwrap_or_else(|| Err(failed("of an unknown module".to_owned())))?;
            let item = self
                .find_export(instance, &import.name)
                .ok_or_else(|| failed("not exported".to_owned()))?;
            let step = match_import(&self.flattener.program, module, import.item, item);
            steps.extend(step.map_err(failed)?);
            items.push(item);
        }
        Ok((items, steps))
    }

    fn find_export(&self, instance: CoreInstanceId, name: &str) -> Option<CoreItem> {
        self.flattener.core_export(&CoreInstanceValue::Module(instance), name)
    }

    /// `assert_unlinkable`: the imports do not match, now or once the program looks.
    fn link_unlinkable(&mut self, definition: Definition) -> Verdict {
        let module = match define(definition) {
            Ok(module) => module,
            Err(absent) => return absent.into(),
        };
        match self.resolve_imports(module) {
            Err(Absent::Failed(_)) => Verdict::Passed,
            Err(absent) => absent.into(),
            Ok((_, steps)) if steps.is_empty() => {
                Verdict::Failed("the module can be linked".to_owned())
            }
            Ok(_) => match self.instantiate(module, None) {
                Ok((_, init)) => self.run_init(init, Expectation::Unlinkable),
                Err(absent) => absent.into(),
            },
        }
    }

    fn run(&mut self, execute: Execute, expectation: Expectation) -> Verdict {
        let action = match execute {
            Execute::Instantiate(definition) => {
                let linked = define(definition).and_then(|module| self.instantiate(module, None));
                return match linked {
                    Ok((_, init)) => self.run_init(init, expectation),
                    Err(Absent::TooLarge(_)) if matches!(expectation, Expectation::Traps) => {
                        Verdict::Passed
                    }
                    Err(absent) => absent.into(),
                };
            }
            Execute::Invoke { instance, export, args } => {
                self.call(instance.as_deref(), &export, &args)
            }
            Execute::Get { instance, export } => {
                self.find_item(instance.as_deref(), &export).and_then(|item| match item {
                    CoreItem::Global(global) => Ok(Action::Get(global)),
                    _ => Err(Absent::Failed(format!("the export {export:?} is no global"))),
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

    fn find_item(&self, instance: Option<&str>, export: &str) -> Result<CoreItem, Absent> {
        self.find_export(self.find_instance(instance)?, export)
            .ok_or_else(|| Absent::Failed(format!("there is no export {export:?}")))
    }

    /// The action that calls an export.
    fn call(
        &mut self,
        instance: Option<&str>,
        export: &str,
        args: &[Argument],
    ) -> Result<Action, Absent> {
        let CoreItem::Func(func) = self.find_item(instance, export)? else {
            return Err(Absent::Failed(format!("the export {export:?} is no function")));
        };
        let program = &self.flattener.program;
        let id = program.funcs[func].ty;
        let ty = program.core_types[id].func().expect("a function's type is a function type");
        if ty.results.len() > RESULTS_MAX {
            return Err(Absent::Unsupported(format!("more than {RESULTS_MAX} results")));
        }
        if ty.params.len() != args.len() {
            let (wanted, given) = (ty.params.len(), args.len());
            let message = format!("{export:?} takes {wanted} arguments, not {given}");
            return Err(Absent::Failed(message));
        }
        let args = ty.params.iter().zip(args).map(|(ty, arg)| {
            convert_argument(*ty, arg)
                .ok_or_else(|| Absent::Failed(format!("{arg:?} is no value of type {ty:?}")))
        });
        let args = args.collect::<Result<Vec<_>, _>>()?;
        Ok(Action::Call { func, trampoline: self.trampoline(id), args })
    }

    /// The trampoline for functions of a type.
    fn trampoline(&mut self, ty: CoreTypeId) -> FuncId {
        let flattener = &mut self.flattener;
        let define = || flattener.add_func(ty, None, FuncKind::Trampoline);
        *self.trampolines.entry(ty).or_insert_with(define)
    }
}

/// Refuses a module whose own memories or tables nothing can hold.
fn check_sizes(module: &Module) -> Result<(), Absent> {
    let mut memories = module.memories.iter().skip(module.imported.memories as usize);
    let has_byte_pages = |ty: &MemoryType| !ty.memory64 && ty.page_size_log2 == 0;
    if memories.any(|ty| has_byte_pages(ty) && ty.min_pages > limits::BYTE_PAGES_MAX) {
        return Err(Absent::TooLarge("a memory"));
    }
    let mut tables = module.tables.iter().skip(module.imported.tables as usize);
    if tables.any(|table| table.ty.min > limits::TABLE_SIZE_MAX) {
        return Err(Absent::TooLarge("a table"));
    }
    Ok(())
}

fn unsupported(what: &str) -> Verdict {
    Verdict::Unsupported(what.to_owned())
}

fn define(definition: Definition) -> Result<ModuleId, Absent> {
    match definition {
        Definition::Module(module) => Ok(module),
        Definition::Component(_) => Err(Absent::Unsupported("components in scripts".to_owned())),
        Definition::Unsupported(what) => Err(Absent::Unsupported(what)),
        Definition::Rejected(error) => Err(error.into()),
    }
}

/// What is not implemented in a list of expectations. `either` is not looked into: it stands
/// only where every case is a number.
fn find_unsupported(expected: &[Expected]) -> Option<&'static str> {
    expected.iter().find_map(|expected| match expected {
        Expected::Core(CorePattern::Unsupported(what)) => Some(*what),
        Expected::Core(_) => None,
        Expected::Component(_) => Some("component values in scripts"),
    })
}

fn convert_argument(ty: ValType, arg: &Argument) -> Option<ProgramArgument> {
    let Argument::Core(value) = arg else { return None };
    Some(ProgramArgument::Value(match (ty, *value) {
        (ValType::I32, CoreValue::I32(value)) => ConstValue::I32(value as i32),
        (ValType::I64, CoreValue::I64(value)) => ConstValue::I64(value as i64),
        (ValType::F32, CoreValue::F32(bits)) => ConstValue::F32(bits),
        (ValType::F64, CoreValue::F64(bits)) => ConstValue::F64(bits),
        (ValType::V128, CoreValue::V128(bytes)) => ConstValue::V128(bytes),
        (ValType::Ref(_), CoreValue::Null) => ConstValue::Null,
        (ValType::Ref(_), CoreValue::Host(number)) => return Some(ProgramArgument::Host(number)),
        _ => return None,
    }))
}
