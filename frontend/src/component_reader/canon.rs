//! Canonical definitions: lift, lower and the built-ins.

use crate::composition::{CanonOptions, CellKind, CellOp, Def, ResourceOp, StringEncoding};
use wasmparser::{CanonicalFunction, CanonicalOption, ValType};

/// Reads one definition of a canonical section.
pub fn read_canonical_function(func: CanonicalFunction) -> Def {
    match func {
        CanonicalFunction::Lift { core_func_index, type_index, options } => Def::Lift {
            core_func: core_func_index,
            ty: type_index,
            options: read_options(&options),
        },
        CanonicalFunction::Lower { func_index, options } => {
            Def::Lower { func: func_index, options: read_options(&options) }
        }
        CanonicalFunction::ResourceNew { resource } => {
            Def::Resource { op: ResourceOp::New, ty: resource }
        }
        CanonicalFunction::ResourceRep { resource } => {
            Def::Resource { op: ResourceOp::Rep, ty: resource }
        }
        CanonicalFunction::ResourceDrop { resource } => {
            Def::Resource { op: ResourceOp::Drop, ty: resource }
        }
        CanonicalFunction::ContextGet { ty, slot } => Def::Cell {
            kind: CellKind::Context(slot),
            op: CellOp::Get { wide: ty == ValType::I64 },
        },
        CanonicalFunction::ContextSet { ty, slot } => Def::Cell {
            kind: CellKind::Context(slot),
            op: CellOp::Set { wide: ty == ValType::I64 },
        },
        CanonicalFunction::BackpressureInc => {
            Def::Cell { kind: CellKind::Backpressure, op: CellOp::Increment }
        }
        CanonicalFunction::BackpressureDec => {
            Def::Cell { kind: CellKind::Backpressure, op: CellOp::Decrement }
        }
        other => Def::UnsupportedBuiltin(builtin_name(&other).to_owned()),
    }
}

fn read_options(options: &[CanonicalOption]) -> CanonOptions {
    let mut read = CanonOptions::default();
    for option in options {
        let unsupported = match *option {
            CanonicalOption::UTF8 => {
                read.encoding = StringEncoding::Utf8;
                None
            }
            CanonicalOption::UTF16 => {
                read.encoding = StringEncoding::Utf16;
                None
            }
            CanonicalOption::CompactUTF16 => {
                read.encoding = StringEncoding::Latin1Utf16;
                None
            }
            CanonicalOption::Memory(memory) => {
                read.memory = Some(memory);
                None
            }
            CanonicalOption::Realloc(func) => {
                read.realloc = Some(func);
                None
            }
            CanonicalOption::PostReturn(func) => {
                read.post_return = Some(func);
                None
            }
            CanonicalOption::Async => Some("async"),
            CanonicalOption::Callback(_) => Some("callback"),
            CanonicalOption::CoreType(_) => Some("core-type"),
            CanonicalOption::Gc => Some("gc"),
        };
        read.unsupported = read.unsupported.or(unsupported);
    }
    read
}

/// The name that the specification's text format gives a built-in.
fn builtin_name(func: &CanonicalFunction) -> &'static str {
    match func {
        CanonicalFunction::Lift { .. } => "lift",
        CanonicalFunction::Lower { .. } => "lower",
        CanonicalFunction::ResourceNew { .. } => "resource.new",
        CanonicalFunction::ResourceDrop { .. } => "resource.drop",
        CanonicalFunction::ResourceRep { .. } => "resource.rep",
        CanonicalFunction::ThreadSpawnRef { .. } => "thread.spawn-ref",
        CanonicalFunction::ThreadSpawnIndirect { .. } => "thread.spawn-indirect",
        CanonicalFunction::ThreadAvailableParallelism => "thread.available-parallelism",
        CanonicalFunction::BackpressureInc => "backpressure.inc",
        CanonicalFunction::BackpressureDec => "backpressure.dec",
        CanonicalFunction::TaskReturn { .. } => "task.return",
        CanonicalFunction::TaskCancel => "task.cancel",
        CanonicalFunction::ContextGet { .. } => "context.get",
        CanonicalFunction::ContextSet { .. } => "context.set",
        CanonicalFunction::ThreadYield { .. } => "thread.yield",
        CanonicalFunction::SubtaskDrop => "subtask.drop",
        CanonicalFunction::SubtaskCancel { .. } => "subtask.cancel",
        CanonicalFunction::StreamNew { .. } => "stream.new",
        CanonicalFunction::StreamRead { .. } => "stream.read",
        CanonicalFunction::StreamWrite { .. } => "stream.write",
        CanonicalFunction::StreamCancelRead { .. } => "stream.cancel-read",
        CanonicalFunction::StreamCancelWrite { .. } => "stream.cancel-write",
        CanonicalFunction::StreamDropReadable { .. } => "stream.drop-readable",
        CanonicalFunction::StreamDropWritable { .. } => "stream.drop-writable",
        CanonicalFunction::FutureNew { .. } => "future.new",
        CanonicalFunction::FutureRead { .. } => "future.read",
        CanonicalFunction::FutureWrite { .. } => "future.write",
        CanonicalFunction::FutureCancelRead { .. } => "future.cancel-read",
        CanonicalFunction::FutureCancelWrite { .. } => "future.cancel-write",
        CanonicalFunction::FutureDropReadable { .. } => "future.drop-readable",
        CanonicalFunction::FutureDropWritable { .. } => "future.drop-writable",
        CanonicalFunction::ErrorContextNew { .. } => "error-context.new",
        CanonicalFunction::ErrorContextDebugMessage { .. } => "error-context.debug-message",
        CanonicalFunction::ErrorContextDrop => "error-context.drop",
        CanonicalFunction::WaitableSetNew => "waitable-set.new",
        CanonicalFunction::WaitableSetWait { .. } => "waitable-set.wait",
        CanonicalFunction::WaitableSetPoll { .. } => "waitable-set.poll",
        CanonicalFunction::WaitableSetDrop => "waitable-set.drop",
        CanonicalFunction::WaitableJoin => "waitable.join",
        CanonicalFunction::ThreadIndex => "thread.index",
        CanonicalFunction::ThreadNewIndirect { .. } => "thread.new-indirect",
        CanonicalFunction::ThreadResumeLater => "thread.resume-later",
        CanonicalFunction::ThreadSuspend { .. } => "thread.suspend",
        CanonicalFunction::ThreadSuspendThenResume { .. } => "thread.suspend-then-resume",
        CanonicalFunction::ThreadYieldThenResume { .. } => "thread.yield-then-resume",
        CanonicalFunction::ThreadSuspendThenPromote { .. } => "thread.suspend-then-promote",
        CanonicalFunction::ThreadYieldThenPromote { .. } => "thread.yield-then-promote",
    }
}
