//! Reads a script: parses the text, defines its modules in one session, and decides
//! what needs no run.

use super::features::{find_unsupported, is_valid_elsewhere};
use super::values::{read_argument, read_expected};
use super::{Definition, Directive, DirectiveKind, Execute, Script};
use crate::composition::Root;
use crate::error::{Error, Kind, Position, Result};
use crate::session::Session;
use std::path::Path;
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::token::{Id, Span};
use wast::{QuoteWat, Wast, WastDirective, WastExecute, WastInvoke};

/// What scripts import under the name `spectest`.
const SPECTEST: &str = include_str!("spectest.wat");
/// What components in scripts import from the host.
const HOST: &str = include_str!("host.wat");

/// Reads a script. An error is one of the whole file: it cannot be read, or its text does not
/// parse. A definition that is rejected is not an error, but part of the result.
pub fn read_script(path: &Path) -> Result<Script> {
    let bytes = std::fs::read(path).map_err(|error| {
        Error::environment(format!("cannot read the script: {error}")).in_file(path)
    })?;
    parse_script(path, &bytes)
}

/// As [`read_script`]; the path is for messages.
pub fn parse_script(path: &Path, bytes: &[u8]) -> Result<Script> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Error::invalid("the script is not valid UTF-8")
            .in_file(path)
            .at(Position::Offset(error.valid_up_to()))
    })?;
    let lines = Lines::new(text);
    let at = |error: wast::Error| {
        let (line, column) = lines.locate(error.span());
        Error::invalid(error.message())
            .in_file(path)
            .at(Position::LineColumn(line as usize, column as usize))
    };
    // Some scripts test exactly the characters that a reader could confuse.
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).map_err(at)?;
    let script = parser::parse::<Wast<'_>>(&buffer).map_err(at)?;

    // Threads take turns, each running to its end: a thread that waits for another would do so
    // forever.
    let threads_wait = text.contains("memory.atomic.wait");
    let mut reader = Reader { path, lines: &lines, session: Session::new(), threads_wait };
    let spectest = reader.define_spectest()?;
    let host = match text.contains("\"host") {
        true => Some(reader.define_host()?),
        false => None,
    };
    let directives = reader.read_directives(script.directives);
    Ok(Script { composition: reader.session.finish(None), spectest, host, directives })
}

struct Reader<'a> {
    path: &'a Path,
    lines: &'a Lines,
    session: Session,
    threads_wait: bool,
}

impl Reader<'_> {
    fn define_spectest(&mut self) -> Result<crate::module::ModuleId> {
        let bytes = wat::parse_str(SPECTEST).expect("our own module is well-formed");
        match self.session.add_bytes(Path::new("spectest"), bytes)? {
            Root::Module(module) => Ok(module),
            Root::Component(_) => unreachable!("our own module is no component"),
        }
    }

    fn define_host(&mut self) -> Result<crate::composition::ComponentId> {
        let bytes = wat::parse_str(HOST).expect("our own component is well-formed");
        match self.session.add_bytes(Path::new("host"), bytes)? {
            Root::Component(component) => Ok(component),
            Root::Module(_) => unreachable!("our own component is no module"),
        }
    }

    /// The text parser limits how deep threads nest.
    fn read_directives(&mut self, directives: Vec<WastDirective<'_>>) -> Vec<Directive> {
        let mut read = Vec::with_capacity(directives.len());
        for directive in directives {
            let (line, _) = self.lines.locate(directive.span());
            if let Some(kind) = self.read_directive(directive, line) {
                read.push(Directive { line, kind });
            }
        }
        read
    }

    /// `None`: there is nothing to do.
    fn read_directive(&mut self, directive: WastDirective<'_>, line: u32) -> Option<DirectiveKind> {
        Some(match directive {
            WastDirective::Module(module) => DirectiveKind::Module {
                name: own_id(module.name()),
                definition: self.define(module, line),
            },
            WastDirective::ModuleDefinition(module) => DirectiveKind::Definition {
                name: own_id(module.name()),
                definition: self.define(module, line),
            },
            WastDirective::ModuleInstance { instance, module, .. } => {
                DirectiveKind::Instance { name: own_id(instance), definition: own_id(module) }
            }
            WastDirective::Register { name, module, .. } => {
                DirectiveKind::Register { name: name.to_owned(), instance: own_id(module) }
            }
            WastDirective::Invoke(invoke) => match read_invoke(&invoke) {
                Some(execute) => DirectiveKind::Perform(execute),
                None => DirectiveKind::Unsupported("invoke"),
            },
            WastDirective::AssertMalformed { module, .. } => reject("assert_malformed", module),
            WastDirective::AssertMalformedCustom { module, .. } => {
                reject("assert_malformed_custom", module)
            }
            WastDirective::AssertInvalid { module, .. } => reject("assert_invalid", module),
            WastDirective::AssertInvalidCustom { module, .. } => {
                reject("assert_invalid_custom", module)
            }
            WastDirective::AssertUnlinkable { module, .. } => {
                DirectiveKind::AssertUnlinkable(self.define(QuoteWat::Wat(module), line))
            }
            WastDirective::Thread(thread) => DirectiveKind::Thread {
                waits: self.threads_wait,
                shared: own_id(thread.shared_module),
                directives: self.read_directives(thread.directives),
            },
            WastDirective::Wait { .. } => return None,
            assertion => self.read_assertion(assertion, line),
        })
    }

    fn read_assertion(&mut self, assertion: WastDirective<'_>, line: u32) -> DirectiveKind {
        let mut on = |exec, make: fn(Execute) -> DirectiveKind, keyword| {
            self.read_execute(exec, line).map_or(DirectiveKind::Unsupported(keyword), make)
        };
        match assertion {
            WastDirective::AssertReturn { exec, results, .. } => {
                let execute = self.read_execute(exec, line);
                let results = results.iter().map(read_expected).collect::<Option<Vec<_>>>();
                match (execute, results) {
                    (Some(execute), Some(results)) => DirectiveKind::AssertReturn(execute, results),
                    _ => DirectiveKind::Unsupported("assert_return"),
                }
            }
            WastDirective::AssertTrap { exec, .. } => {
                on(exec, DirectiveKind::AssertTrap, "assert_trap")
            }
            WastDirective::AssertExhaustion { call, .. } => {
                let exec = WastExecute::Invoke(call);
                on(exec, DirectiveKind::AssertExhaustion, "assert_exhaustion")
            }
            WastDirective::AssertException { exec, .. } => {
                on(exec, DirectiveKind::AssertException, "assert_exception")
            }
            WastDirective::AssertSuspension { exec, .. } => {
                on(exec, DirectiveKind::AssertSuspension, "assert_suspension")
            }
            _ => DirectiveKind::Unsupported("directive"),
        }
    }

    /// `None`: an argument is of a kind that this reader does not know.
    fn read_execute(&mut self, execute: WastExecute<'_>, line: u32) -> Option<Execute> {
        match execute {
            WastExecute::Invoke(invoke) => read_invoke(&invoke),
            WastExecute::Get { module, global, .. } => {
                Some(Execute::Get { instance: own_id(module), export: global.to_owned() })
            }
            WastExecute::Wat(module) => {
                Some(Execute::Instantiate(self.define(QuoteWat::Wat(module), line)))
            }
        }
    }

    /// Adds a module or a component to the session.
    fn define(&mut self, mut module: QuoteWat<'_>, line: u32) -> Definition {
        let bytes = match module.encode() {
            Ok(bytes) => bytes,
            Err(error) => return Definition::Rejected(Error::invalid(error.message())),
        };
        if wasmparser::Parser::is_core_wasm(&bytes)
            && let Some(reason) = find_unsupported(&bytes)
        {
            return Definition::Unsupported(reason);
        }
        let name = format!("{}:{line}", self.path.display());
        match self.session.add_bytes(Path::new(&name), bytes.clone()) {
            Ok(Root::Module(module)) => Definition::Module(module),
            Ok(Root::Component(component)) => Definition::Component(component),
            Err(error) if error.kind() == Kind::Unsupported || is_valid_elsewhere(&bytes) => {
                Definition::Unsupported(error.message().to_owned())
            }
            Err(error) => Definition::Rejected(error),
        }
    }
}

/// Messages differ between implementations, and so does the line between what does not parse and
/// what is not valid: any rejection is the right one.
fn reject(keyword: &'static str, mut module: QuoteWat<'_>) -> DirectiveKind {
    let rejected = match module.encode() {
        Ok(bytes) => crate::validate(&bytes).is_err(),
        Err(_) => true,
    };
    DirectiveKind::AssertRejected { keyword, rejected }
}

fn read_invoke(invoke: &WastInvoke<'_>) -> Option<Execute> {
    Some(Execute::Invoke {
        instance: own_id(invoke.module),
        export: invoke.name.to_owned(),
        args: invoke.args.iter().map(read_argument).collect::<Option<_>>()?,
    })
}

fn own_id(id: Option<Id<'_>>) -> Option<String> {
    id.map(|id| id.name().to_owned())
}

/// Where lines begin, because a script has tens of thousands of directives and looking each one's
/// line up from the start of the text would be quadratic.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Lines {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Lines(std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect())
    }

    /// Line and column, counted from 1.
    fn locate(&self, span: Span) -> (u32, u32) {
        let line = self.0.partition_point(|start| *start <= span.offset());
        (line as u32, (span.offset() - self.0[line - 1] + 1) as u32)
    }
}
