//! One side of an adapter: where its values lie, and how room for new ones is made.

use super::abi_layout::PointerSize;
use super::copy::Route;
use super::generator::Generator;
use crate::env::Env;
use crate::memory::{self, Address};
use crate::program::{CanonOptions, ComponentInstanceId, FuncId, MemoryId, StringEncoding};
use crate::regions::{self, Region};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, Value, types};
use wasmelt_abi::handles::ComponentState;
use wasmelt_abi::symbols;
use wasmelt_abi::trap::Trap;

/// Most bytes that a string or a list may have. The specification's limit is lower, but programs
/// that exceed it work elsewhere; from here on a length in bytes would need a 32nd bit, which in
/// the latin1+utf16 encoding is the tag.
const CONTENT_BYTES_MAX: u64 = (1 << 31) - 1;

/// A side of an adapter.
#[derive(Clone, Copy, Debug)]
pub(super) enum Endpoint<'a> {
    /// Guest code.
    Guest {
        /// The component instance.
        instance: ComponentInstanceId,
        /// The options of its `canon lift` or `canon lower`.
        options: &'a CanonOptions,
        /// The width of addresses in its memory.
        pointer: PointerSize,
    },
    /// Native code: the host, or the outside.
    Native,
}

/// Bytes that are there: checked if they are a guest's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The native address, less `offset`; an `i64`.
    pub address: Value,
    /// Distance in bytes of the first byte from `address`.
    pub offset: i32,
    /// The memory they lie in; `None` is native memory.
    pub memory: Option<MemoryId>,
}

impl Place {
    /// The place that many bytes further on. Layouts stay below 256 MiB, so sums fit.
    pub(super) fn at(self, offset_bytes: u32) -> Place {
        Place { offset: self.offset + offset_bytes.cast_signed(), ..self }
    }

    /// The flags of an access inside it.
    pub(super) fn flags(&self, func: &mut ir::Function) -> MemFlagsData {
        match self.memory {
            // M3: a place is made by the check of a range that contains every access to it.
            Some(memory) => {
                let (value, offset) = (self.address, self.offset);
                Address { value, offset, memory, in_bounds: true }.load_flags(func)
            }
            None => regions::state_flags(func, Region::Native),
        }
    }
}

impl<'a> Endpoint<'a> {
    pub(super) fn guest(
        env: Env<'_>,
        instance: ComponentInstanceId,
        options: &'a CanonOptions,
    ) -> Endpoint<'a> {
        let is_wide = options.memory.is_some_and(|memory| env.program.memories[memory].ty.memory64);
        let pointer = if is_wide { PointerSize::P64 } else { PointerSize::P32 };
        Endpoint::Guest { instance, options, pointer }
    }

    /// The width of its addresses.
    pub(super) fn pointer(&self) -> PointerSize {
        match self {
            Endpoint::Guest { pointer, .. } => *pointer,
            Endpoint::Native => PointerSize::P64,
        }
    }

    /// How its strings are encoded.
    pub(super) fn encoding(&self) -> StringEncoding {
        match self {
            Endpoint::Guest { options, .. } => options.encoding,
            Endpoint::Native => StringEncoding::Utf8,
        }
    }

    /// Its memory; `None` is native memory.
    pub(super) fn memory(&self) -> Option<MemoryId> {
        match self {
            Endpoint::Guest { options, .. } => {
                Some(options.memory.expect("validation asks for a memory where one is used"))
            }
            Endpoint::Native => None,
        }
    }

    fn realloc(&self) -> (ComponentInstanceId, FuncId) {
        let Endpoint::Guest { instance, options, .. } = self else {
            unreachable!("native memory has no realloc")
        };
        (*instance, options.realloc.expect("validation asks for a realloc where one is used"))
    }
}

impl<'a> Generator<'a, '_> {
    /// Loads from a place.
    pub(super) fn load(&mut self, ty: ir::Type, place: Place) -> Value {
        let flags = place.flags(self.b.func);
        self.b.ins().load(ty, flags, place.address, place.offset)
    }

    /// Stores to a place.
    pub(super) fn store(&mut self, value: Value, place: Place) {
        let flags = place.flags(self.b.func);
        self.b.ins().store(flags, value, place.address, place.offset);
    }

    /// A length or an address as an `i64`.
    pub(super) fn widen(&mut self, value: Value) -> Value {
        match self.b.func.dfg.value_type(value) {
            types::I32 => self.b.ins().uextend(types::I64, value),
            _ => value,
        }
    }

    /// An `i64` as an address or a length of a side, which it fits.
    pub(super) fn narrow(&mut self, side: Endpoint<'a>, value: Value) -> Value {
        match side.pointer() {
            PointerSize::P32 => self.b.ins().ireduce(types::I32, value),
            PointerSize::P64 => value,
        }
    }

    /// Checks the record of fixed size that `pointer` points at.
    pub(super) fn check_record(
        &mut self,
        side: Endpoint<'a>,
        pointer: Value,
        size_bytes: u32,
        align: u32,
    ) -> Place {
        let Some(memory) = side.memory() else {
            return Place { address: pointer, offset: 0, memory: None };
        };
        self.check_alignment(pointer, align);
        let (size, trap) = (u64::from(size_bytes), Trap::PointerOutOfBounds);
        let Address { value, offset, .. } =
            memory::checked_record(&mut self.b, self.env, memory, pointer, size, trap);
        Place { address: value, offset, memory: Some(memory) }
    }

    /// The native address of the contents of a string or a list, as [`Self::check_content`]. What was
    /// passed on was checked before: the pointer and the length are what the adapter got then, and
    /// the bytes are at the address that it left (A7).
    pub(super) fn find_content(
        &mut self,
        route: Route<'a>,
        pointer: Value,
        size_bytes: Value,
        align: u32,
    ) -> Value {
        match (route.passing.from, route.from) {
            (Some(cell), Endpoint::Guest { instance, .. }) => {
                let (cell, flags) = (self.word(cell), self.component_flags(instance));
                self.b.ins().load(types::I64, flags, cell, 0)
            }
            _ => self.check_content(route.from, pointer, size_bytes, align),
        }
    }

    /// Leaves the address of the contents of a string or a list that a side only passes on.
    pub(super) fn store_passed(&mut self, side: Endpoint<'a>, cell: u64, address: Value) {
        let Endpoint::Guest { instance, .. } = side else {
            unreachable!("native code does not pass on")
        };
        let (cell, flags) = (self.word(cell), self.component_flags(instance));
        self.b.ins().store(flags, address, cell, 0);
    }

    /// Checks the contents of a string or a list: `size_bytes` bytes (an `i64`) from `pointer` on,
    /// and gives back their native address.
    pub(super) fn check_content(
        &mut self,
        side: Endpoint<'a>,
        pointer: Value,
        size_bytes: Value,
        align: u32,
    ) -> Value {
        self.check_length(size_bytes);
        self.check_range(side, pointer, size_bytes, align)
    }

    /// Traps if that many bytes (an `i64`) are too many for a string or a list.
    pub(super) fn check_length(&mut self, size_bytes: Value) {
        let max = CONTENT_BYTES_MAX;
        self.trap_if_compare(IntCC::UnsignedGreaterThan, size_bytes, max, Trap::TooLong);
    }

    /// Traps if elements of that size are too many; what holds afterwards is that their number
    /// (an `i64`) times any element's size does not overflow.
    pub(super) fn check_count(&mut self, side: Endpoint<'a>, count: Value) {
        // A 32-bit count times a size of at most 28 bits is a number of 60 bits.
        if side.pointer() == PointerSize::P64 {
            self.check_length(count);
        }
    }

    fn check_range(
        &mut self,
        side: Endpoint<'a>,
        pointer: Value,
        size_bytes: Value,
        align: u32,
    ) -> Value {
        let Some(memory) = side.memory() else { return pointer };
        self.check_alignment(pointer, align);
        let trap = Trap::PointerOutOfBounds;
        memory::checked_range(&mut self.b, self.env, memory, pointer, size_bytes, trap)
    }

    fn check_alignment(&mut self, pointer: Value, align: u32) {
        if align > 1 {
            let low = self.b.ins().band_imm_u(pointer, i64::from(align - 1));
            self.trap_if(low, Trap::Misaligned);
        }
    }

    /// Makes room on a side for `size_bytes` bytes (an `i64`). Gives back the address as that side
    /// sees it, and the native one.
    pub(super) fn allocate(
        &mut self,
        side: Endpoint<'a>,
        size_bytes: Value,
        align: u32,
    ) -> (Value, Value) {
        if let Endpoint::Native = side {
            let align = self.word(u64::from(align));
            let args = [size_bytes, align];
            let address = self.call_shim(symbols::SCRATCH_ALLOC, &args, &[types::I64])[0];
            return (address, address);
        }
        let none = self.b.ins().iconst(side.pointer().clif_type(), 0);
        let zero = self.word(0);
        self.reallocate(side, none, zero, size_bytes, align)
    }

    /// Calls a guest's `realloc` and checks what it returns; sizes are `i64`s. The memory may have
    /// grown, so its size is read afterwards.
    pub(super) fn reallocate(
        &mut self,
        side: Endpoint<'a>,
        old_pointer: Value,
        old_size_bytes: Value,
        new_size_bytes: Value,
        align: u32,
    ) -> (Value, Value) {
        let (instance, realloc) = side.realloc();
        let ty = side.pointer().clif_type();
        let align_value = self.b.ins().iconst(ty, i64::from(align));
        let old_size = self.narrow(side, old_size_bytes);
        let new_size = self.narrow(side, new_size_bytes);
        let args = [old_pointer, old_size, align_value, new_size];
        // It is neither the caller's task nor the callee's.
        let outer_task = self.begin_task(instance);
        let pointer = self.call_without_leaving(instance, realloc, &args)[0];
        self.end_task(&outer_task);
        let address = self.check_range(side, pointer, new_size_bytes, align);
        (pointer, address)
    }

    /// Calls a `realloc` or `post-return`, during which its instance must not call out.
    pub(super) fn call_without_leaving(
        &mut self,
        instance: ComponentInstanceId,
        callee: FuncId,
        args: &[Value],
    ) -> Vec<Value> {
        let is_observable = self.env.program.component_instances[instance].needs_may_leave;
        if is_observable {
            let no = self.b.ins().iconst(types::I32, 0);
            self.store_state(instance, ComponentState::MAY_LEAVE, no);
        }
        let results = self.call_func(callee, args);
        if is_observable {
            let yes = self.b.ins().iconst(types::I32, 1);
            self.store_state(instance, ComponentState::MAY_LEAVE, yes);
        }
        results
    }
}
