//! Function bodies: validation and summary, in one pass over the operators.
//!
//! Bodies are independent of each other once the module's other sections are
//! known, so they are read in parallel. The error reported is always that of the
//! first bad body, whatever the number of threads.

use crate::error::Result;
use crate::features::FEATURES;
use crate::module::{Body, BodySummary, Bytes, FileId, IndirectCall};
use crate::source::{byte_range, wasm_error};
use rayon::prelude::*;
use wasmparser::{FuncToValidate, FuncValidatorAllocations, FunctionBody, MemArg, Operator};
use wasmparser::{OperatorsReader, ValidatorResources};

/// Fewer bytes of bodies are read sooner than threads are started.
const PARALLEL_BYTES_MIN: usize = 1 << 14;

/// A body that the validator has handed out for validation.
pub type PendingBody<'a> = (FuncToValidate<ValidatorResources>, FunctionBody<'a>);

/// Validates and summarises the bodies of one module; `name_func` is for messages.
pub fn read_bodies(
    file: FileId,
    pending: Vec<PendingBody<'_>>,
    name_func: impl Fn(u32) -> String,
) -> Result<Vec<Body>> {
    let read = |allocations: &mut FuncValidatorAllocations, (func, body): PendingBody<'_>| {
        let index = func.index;
        let summary = read_body(func, &body, allocations).map_err(|error| (index, error))?;
        Ok(Body { bytes: Bytes { file, range: byte_range(body.range()) }, summary })
    };
    let len_bytes: usize = pending.iter().map(|(_, body)| body.as_bytes().len()).sum();
    let read: Vec<_> = if len_bytes < PARALLEL_BYTES_MIN {
        let mut allocations = FuncValidatorAllocations::default();
        pending.into_iter().map(|body| read(&mut allocations, body)).collect()
    } else {
        let pending = pending.into_par_iter();
        pending.map_init(FuncValidatorAllocations::default, read).collect()
    };
    // Collecting into one `Result` directly would report whichever thread failed first.
    let placed = |(index, error)| wasm_error(error).context(name_func(index));
    read.into_iter().map(|body| body.map_err(placed)).collect()
}

fn read_body(
    func: FuncToValidate<ValidatorResources>,
    body: &FunctionBody<'_>,
    allocations: &mut FuncValidatorAllocations,
) -> wasmparser::Result<BodySummary> {
    let mut validator = func.into_validator(std::mem::take(allocations));
    let mut reader = body.get_binary_reader();
    validator.read_locals(&mut reader)?;
    reader.set_features(FEATURES);

    let mut summary = SummaryBuilder::default();
    let mut operators = OperatorsReader::new(reader);
    while !operators.eof() {
        let (operator, offset) = operators.read_with_offset()?;
        validator.op(offset, &operator)?;
        summary.add(&operator);
    }
    operators.finish()?;
    *allocations = validator.into_allocations();
    Ok(summary.finish())
}

/// A summary under construction: lists may still hold repetitions.
#[derive(Default)]
struct SummaryBuilder {
    calls: Vec<u32>,
    ref_funcs: Vec<u32>,
    indirect_calls: Vec<IndirectCall>,
    call_refs: Vec<u32>,
    globals_read: Vec<u32>,
    globals_written: Vec<u32>,
    tables_read: Vec<u32>,
    tables_written: Vec<u32>,
    memories: Vec<u32>,
    memories_read: Vec<u32>,
    memories_written: Vec<u32>,
    memories_grown: Vec<u32>,
    data: Vec<u32>,
    elems: Vec<u32>,
    operators: u32,
    has_loop: bool,
    uses_simd: bool,
    /// The value of the operator before the current one, if that was `i32.const`.
    last_const: Option<u32>,
}

impl SummaryBuilder {
    /// Notes what one operator does.
    fn add(&mut self, operator: &Operator<'_>) {
        self.operators = self.operators.saturating_add(1);
        let last_const = self.last_const.take();
        match *operator {
            Operator::I32Const { value } => self.last_const = Some(value.cast_unsigned()),
            Operator::Loop { .. } => self.has_loop = true,
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                self.calls.push(function_index);
            }
            Operator::CallIndirect { type_index, table_index }
            | Operator::ReturnCallIndirect { type_index, table_index } => {
                self.indirect_calls.push(IndirectCall {
                    table: table_index,
                    ty: type_index,
                    element: last_const,
                });
            }
            Operator::CallRef { type_index } | Operator::ReturnCallRef { type_index } => {
                self.call_refs.push(type_index);
            }
            Operator::RefFunc { function_index } => self.ref_funcs.push(function_index),
            Operator::GlobalGet { global_index } => self.globals_read.push(global_index),
            Operator::GlobalSet { global_index } => self.globals_written.push(global_index),
            Operator::TableGet { table } | Operator::TableSize { table } => {
                self.tables_read.push(table);
            }
            Operator::TableSet { table }
            | Operator::TableGrow { table }
            | Operator::TableFill { table } => self.tables_written.push(table),
            Operator::TableCopy { dst_table, src_table } => {
                self.tables_written.push(dst_table);
                self.tables_read.push(src_table);
            }
            Operator::TableInit { elem_index, table } => {
                self.tables_written.push(table);
                self.elems.push(elem_index);
            }
            Operator::ElemDrop { elem_index } => self.elems.push(elem_index),
            Operator::DataDrop { data_index } => self.data.push(data_index),
            _ => self.add_memory_operator(operator),
        }
    }

    /// Notes an operator on a memory; others only count as vector instructions or not.
    fn add_memory_operator(&mut self, operator: &Operator<'_>) {
        match *operator {
            Operator::MemorySize { mem } => self.memories.push(mem),
            Operator::MemoryGrow { mem } => {
                self.memories.push(mem);
                self.memories_grown.push(mem);
            }
            Operator::MemoryFill { mem } => self.add_written_memory(mem),
            Operator::MemoryCopy { dst_mem, src_mem } => {
                self.add_read_memory(src_mem);
                self.add_written_memory(dst_mem);
            }
            Operator::MemoryInit { data_index, mem } => {
                self.data.push(data_index);
                self.add_written_memory(mem);
            }
            _ => {
                let traits = classify(operator);
                self.uses_simd |= traits.is_simd;
                let Some(access) = traits.access else { return };
                if traits.reads {
                    self.add_read_memory(access.memory);
                }
                if traits.writes {
                    self.add_written_memory(access.memory);
                }
            }
        }
    }

    fn add_read_memory(&mut self, memory: u32) {
        self.memories.push(memory);
        self.memories_read.push(memory);
    }

    fn add_written_memory(&mut self, memory: u32) {
        self.memories.push(memory);
        self.memories_written.push(memory);
    }

    fn finish(self) -> BodySummary {
        BodySummary {
            calls: sort_unique(self.calls),
            ref_funcs: sort_unique(self.ref_funcs),
            indirect_calls: sort_unique(self.indirect_calls),
            call_refs: sort_unique(self.call_refs),
            globals_read: sort_unique(self.globals_read),
            globals_written: sort_unique(self.globals_written),
            tables_read: sort_unique(self.tables_read),
            tables_written: sort_unique(self.tables_written),
            memories: sort_unique(self.memories),
            memories_read: sort_unique(self.memories_read),
            memories_written: sort_unique(self.memories_written),
            memories_grown: sort_unique(self.memories_grown),
            data: sort_unique(self.data),
            elems: sort_unique(self.elems),
            operators: self.operators,
            has_loop: self.has_loop,
            uses_simd: self.uses_simd,
        }
    }
}

fn sort_unique<T: Ord>(mut list: Vec<T>) -> Box<[T]> {
    list.sort_unstable();
    list.dedup();
    list.into_boxed_slice()
}

/// What an operator's name and immediates say about it.
struct OperatorTraits<'a> {
    /// The memory operand of a load, a store or an atomic instruction.
    access: Option<&'a MemArg>,
    /// Whether that memory is looked at.
    reads: bool,
    /// Whether it changes.
    writes: bool,
    /// Whether it is a vector instruction.
    is_simd: bool,
}

/// Wraps the immediate named `memarg`; each immediate is passed twice, as name and as binding.
macro_rules! keep_memarg {
    (memarg $binding:ident) => {
        Some($binding)
    };
    ($other:ident $binding:ident) => {
        None
    };
}

/// Generates [`classify`] from the validator's list of all operators.
///
/// The list has some 600 entries; deriving from it keeps the match complete.
macro_rules! define_classify {
    ($( @$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*) )*) => {
        #[expect(unused_variables, reason = "of the immediates only `memarg` is looked at")]
        fn classify<'a>(operator: &'a Operator<'_>) -> OperatorTraits<'a> {
            match operator {
                $(
                    Operator::$op $({ $($arg),* })? => OperatorTraits {
                        access: None $( $( .or(keep_memarg!($arg $arg)) )* )?,
                        reads: const { reads_memory(stringify!($op)) },
                        writes: const { writes_memory(stringify!($op)) },
                        is_simd: const { is_simd(stringify!($proposal)) },
                    },
                )*
                _ => OperatorTraits { access: None, reads: false, writes: false, is_simd: false },
            }
        }
    };
}
wasmparser::for_each_operator!(define_classify);

/// Whether an operator with a memory operand looks at the memory, by its name: all do but stores.
const fn reads_memory(operator: &str) -> bool {
    !contains(operator.as_bytes(), b"Store")
}

/// Whether an operator with a memory operand changes the memory, by its name.
const fn writes_memory(operator: &str) -> bool {
    contains(operator.as_bytes(), b"Store") || contains(operator.as_bytes(), b"Rmw")
}

const fn is_simd(proposal: &str) -> bool {
    contains(proposal.as_bytes(), b"simd")
}

const fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    let mut start = 0;
    while start + needle.len() <= haystack.len() {
        let mut matched = 0;
        while matched < needle.len() && haystack[start + matched] == needle[matched] {
            matched += 1;
        }
        if matched == needle.len() {
            return true;
        }
        start += 1;
    }
    false
}
