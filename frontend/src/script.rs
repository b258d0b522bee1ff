//! Test scripts (`.wast`) as plain data.
//!
//! A script is a list of directives: definitions of modules and components, their
//! instantiation, and assertions about what happens. What can be decided without
//! running anything (does this module parse, is it valid) is decided here; the
//! rest is kept for flattening, which links the script into one closed world.

mod features;
mod read;
mod values;

use crate::composition::{ComponentId, Composition};
use crate::error::Error;
use crate::module::ModuleId;
pub use read::{parse_script, read_script};

/// A script, read and validated.
#[derive(Debug)]
pub struct Script {
    /// The modules and components that the directives name, in one session.
    pub composition: Composition,
    /// The module that scripts import under the name `spectest`.
    pub spectest: ModuleId,
    /// A component whose exports components import, if the script mentions it.
    pub host: Option<ComponentId>,
    /// The directives, in order.
    pub directives: Vec<Directive>,
}

/// A directive and where it stands.
#[derive(Debug)]
pub struct Directive {
    /// The line in the script, counted from 1.
    pub line: u32,
    /// What it says.
    pub kind: DirectiveKind,
}

/// What a directive says.
#[derive(Debug)]
pub enum DirectiveKind {
    /// Defines a module and instantiates it.
    Module {
        /// The name of both the definition and the instance.
        name: Option<String>,
        /// What is defined.
        definition: Definition,
    },
    /// Defines a module, to be instantiated by `Instance`.
    Definition {
        /// Its name.
        name: Option<String>,
        /// What is defined.
        definition: Definition,
    },
    /// Instantiates a definition; without a name the latest.
    Instance {
        /// The instance's name.
        name: Option<String>,
        /// The definition's name.
        definition: Option<String>,
    },
    /// Makes the exports of an instance importable.
    Register {
        /// The name that imports use.
        name: String,
        /// The instance's name; the latest one if there is none.
        instance: Option<String>,
    },
    /// An action without an assertion: it has to succeed.
    Perform(Execute),
    /// The action yields these results.
    AssertReturn(Execute, Vec<Expected>),
    /// The action traps.
    AssertTrap(Execute),
    /// The action exhausts the call stack.
    AssertExhaustion(Execute),
    /// The action ends with an exception that nothing catches.
    AssertException(Execute),
    /// The action suspends outside of any handler.
    AssertSuspension(Execute),
    /// The module is valid, but its imports cannot be satisfied.
    AssertUnlinkable(Definition),
    /// `assert_invalid` or `assert_malformed`: the verdict, since nothing has to run.
    AssertRejected {
        /// The directive's keyword.
        keyword: &'static str,
        /// Whether the input was rejected.
        rejected: bool,
    },
    /// The directives of another thread. Nothing in the script can tell whether they happen here,
    /// all at once, or between the directives up to the matching `wait`.
    Thread {
        /// The instance that the thread sees of those defined so far.
        shared: Option<String>,
        /// Whether it may wait for others, so that it cannot simply run to its end.
        waits: bool,
        /// What the thread does.
        directives: Vec<Directive>,
    },
    /// A directive that is not implemented: its keyword.
    Unsupported(&'static str),
}

/// A definition of a module or component.
#[derive(Debug)]
pub enum Definition {
    /// A core module.
    Module(ModuleId),
    /// A component.
    Component(ComponentId),
    /// Valid, but it needs something that is not implemented: what.
    Unsupported(String),
    /// It was rejected, though the script expects it to be valid.
    Rejected(Error),
}

/// An action.
#[derive(Debug)]
pub enum Execute {
    /// Calls an exported function.
    Invoke {
        /// The instance's name; the latest one if there is none.
        instance: Option<String>,
        /// The export's name.
        export: String,
        /// The arguments.
        args: Vec<Argument>,
    },
    /// Reads an exported global.
    Get {
        /// The instance's name; the latest one if there is none.
        instance: Option<String>,
        /// The export's name.
        export: String,
    },
    /// Instantiates a module.
    Instantiate(Definition),
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// A core value.
    Core(CoreValue),
    /// A component value.
    Component(Value),
}

/// A core value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is named after its type")]
pub enum CoreValue {
    I32(u32),
    I64(u64),
    /// The bits of the float.
    F32(u32),
    /// The bits of the float.
    F64(u64),
    /// Little-endian bytes, lane 0 first.
    V128([u8; 16]),
    /// A null reference.
    Null,
    /// A reference to the host's thing of that number.
    Host(u32),
}

/// What a result has to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// A core value.
    Core(CorePattern),
    /// A component value.
    Component(Value),
}

/// What a core result has to be.
#[derive(Clone, Debug, PartialEq)]
pub enum CorePattern {
    /// The bits under the mask are these.
    Bits {
        /// How wide the value is.
        shape: Shape,
        /// Little-endian bytes; those beyond the value's width are 0.
        bits: u128,
        /// Which bits count.
        mask: u128,
    },
    /// A null reference.
    Null,
    /// A reference that is not null.
    NotNull,
    /// A reference to the host's thing of that number.
    Host(u32),
    /// A reference of a kind that is not implemented.
    Unsupported(&'static str),
    /// One of these.
    Either(Vec<CorePattern>),
}

/// How the bits of a pattern are to be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is named after its type")]
pub enum Shape {
    I32,
    I64,
    F32,
    F64,
    I8x16,
    I16x8,
    I32x4,
    I64x2,
    F32x4,
    F64x2,
}

/// A component value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is named after its type")]
pub enum Value {
    Bool(bool),
    U8(u8),
    S8(i8),
    U16(u16),
    S16(i16),
    U32(u32),
    S32(i32),
    U64(u64),
    S64(i64),
    /// The bits of the float.
    F32(u32),
    /// The bits of the float.
    F64(u64),
    Char(char),
    String(String),
    List(Vec<Value>),
    Record(Vec<(String, Value)>),
    Tuple(Vec<Value>),
    Variant(String, Option<Box<Value>>),
    Enum(String),
    Option(Option<Box<Value>>),
    Result(Result<Option<Box<Value>>, Option<Box<Value>>>),
    Flags(Vec<String>),
}

impl DirectiveKind {
    /// The directive's keyword, for reports.
    pub fn keyword(&self) -> &'static str {
        match self {
            DirectiveKind::Module { .. } => "module",
            DirectiveKind::Definition { .. } => "module definition",
            DirectiveKind::Instance { .. } => "module instance",
            DirectiveKind::Register { .. } => "register",
            DirectiveKind::Perform(_) => "invoke",
            DirectiveKind::AssertReturn(..) => "assert_return",
            DirectiveKind::AssertTrap(_) => "assert_trap",
            DirectiveKind::AssertExhaustion(_) => "assert_exhaustion",
            DirectiveKind::AssertException(_) => "assert_exception",
            DirectiveKind::AssertSuspension(_) => "assert_suspension",
            DirectiveKind::AssertUnlinkable(_) => "assert_unlinkable",
            DirectiveKind::Thread { .. } => "thread",
            DirectiveKind::AssertRejected { keyword, .. } | DirectiveKind::Unsupported(keyword) => {
                keyword
            }
        }
    }
}
