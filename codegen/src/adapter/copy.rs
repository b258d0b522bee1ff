//! Moves a value from one side of an adapter to the other: the recursion over its type.

use super::abi_layout::{Movable, fields_of};
use super::endpoint::{Endpoint, Place};
use super::generator::Generator;
use crate::error::Result;
use crate::interface::{Type, TypeId};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Endianness, InstBuilder, Value, types};

/// Blocks of up to this many bytes are moved by loads and stores, larger ones by a call.
const INLINE_BYTES_MAX: u32 = 64;
/// Runs of fields of up to this many bytes are moved field by field.
const TYPED_BYTES_MAX: u32 = 128;
/// Fixed-length lists of up to this many elements are unrolled in memory.
const UNROLLED_ELEMENTS_MAX: u32 = 4;

/// From where to where values move.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route<'a> {
    /// The side that lifts.
    pub from: Endpoint<'a>,
    /// The side that lowers.
    pub to: Endpoint<'a>,
    /// Whether the handles that are lent must be counted while the call runs.
    pub counts_lends: bool,
    /// Whether what native code gets has to outlive the call: then it gets copies, never addresses
    /// in a guest's memory.
    pub outlives_call: bool,
    /// Whether the value that moves, a string or a list, is one that a component only passes on.
    pub passing: Passing,
}

/// The cells that hold the address of a string's or a list's bytes, if the memory that they would
/// be in does not have them (`passing`).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Passing {
    /// The lifting side has passed it on: the bytes are at the address that this cell holds.
    pub from: Option<u64>,
    /// The lowering side will pass it on: it gets a pointer and a length, this cell the address.
    pub into: Option<u64>,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'v> {
    /// Its flat values.
    Flat(&'v [Value]),
    /// Its bytes.
    Memory(Place),
}

/// Where a value goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// Into flat values, which the moving function returns.
    Flat,
    /// To these bytes; nothing is returned.
    Memory(Place),
}

/// Fields that move as bytes and lie side by side on both sides.
#[derive(Default)]
struct Run {
    /// Each with its place on both sides.
    fields: Vec<(TypeId, (Place, Place))>,
    len_bytes: u32,
    /// The offsets of what would come next.
    end: Option<(i32, i32)>,
}

impl<'a> Route<'a> {
    /// From one side to the other, with nothing special about it.
    pub(super) fn new(from: Endpoint<'a>, to: Endpoint<'a>) -> Route<'a> {
        let passing = Passing::default();
        Route { from, to, counts_lends: false, outlives_call: false, passing }
    }
}

impl Source<'_> {
    /// Part of a source in memory; flat parts are taken apart by those who know the types.
    fn at(&self, offset_bytes: u32) -> Self {
        match self {
            Source::Flat(values) => Source::Flat(values),
            Source::Memory(place) => Source::Memory(place.at(offset_bytes)),
        }
    }
}

impl Target {
    pub(super) fn at(&self, offset_bytes: u32) -> Target {
        match self {
            Target::Flat => Target::Flat,
            Target::Memory(place) => Target::Memory(place.at(offset_bytes)),
        }
    }
}

impl<'a> Generator<'a, '_> {
    /// Moves one value; returns its flat values if that is where it goes.
    pub(super) fn copy_value(
        &mut self,
        route: Route<'a>,
        ty: TypeId,
        from: Source<'_>,
        to: Target,
    ) -> Result<Vec<Value>> {
        self.count_value()?;
        match &self.env.program.types[ty] {
            record @ (Type::Record(_) | Type::Tuple(_)) => {
                self.copy_fields(route, &fields_of(record), from, to)
            }
            variant @ (Type::Variant(_) | Type::Option(_) | Type::Result { .. }) => {
                self.copy_variant(route, variant, from, to)
            }
            Type::String => self
                .copy_pair(route, from, to, |g, pointer, len| g.copy_string(route, pointer, len)),
            Type::List(element) => self.copy_pair(route, from, to, |g, pointer, len| {
                g.copy_list(route, &[*element], pointer, len)
            }),
            Type::Map(key, value) => self.copy_pair(route, from, to, |g, pointer, len| {
                g.copy_list(route, &[*key, *value], pointer, len)
            }),
            Type::FixedList(element, len) => self.copy_fixed_list(route, *element, *len, from, to),
            Type::Own(resource) => {
                let index = self.load_word(from);
                let rep = self.lift_own(route.from, *resource, index);
                let value = self.lower_own(route.to, *resource, rep);
                Ok(self.put_word(value, to))
            }
            Type::Borrow(resource) => {
                let index = self.load_word(from);
                let rep = self.lift_borrow(route, *resource, index);
                let value = self.lower_borrow(route.to, *resource, rep);
                Ok(self.put_word(value, to))
            }
            scalar => {
                let value = self.lift_scalar(scalar, from);
                Ok(self.lower_scalar(scalar, value, to))
            }
        }
    }

    /// Moves values side by side: the fields of a record or tuple, or a list of parameters.
    pub(super) fn copy_fields(
        &mut self,
        route: Route<'a>,
        fields: &[TypeId],
        from: Source<'_>,
        to: Target,
    ) -> Result<Vec<Value>> {
        let from_offsets = self.layouts.field_offsets(fields, route.from.pointer());
        let to_offsets = self.layouts.field_offsets(fields, route.to.pointer());
        let offsets = from_offsets.into_iter().zip(to_offsets);
        if let (Source::Memory(from), Target::Memory(to)) = (from, to) {
            self.copy_fields_in_memory(route, fields, offsets.collect(), from, to)?;
            return Ok(Vec::new());
        }
        let mut results = Vec::new();
        let mut slots_used = 0;
        for (field, (from_offset, to_offset)) in fields.iter().zip(offsets) {
            let source = match from {
                Source::Flat(values) => {
                    let flat = self.layouts.get(*field, route.from.pointer()).flat.as_ref();
                    let count = flat.expect("parts of a flat value are flat").len();
                    slots_used += count;
                    Source::Flat(&values[slots_used - count..slots_used])
                }
                Source::Memory(_) => from.at(from_offset),
            };
            results.extend(self.copy_value(route, *field, source, to.at(to_offset))?);
        }
        Ok(results)
    }

    /// As [`Self::copy_fields`]; long runs of fields without holes between them move as blocks.
    ///
    /// Short ones do not: their fields were mostly stored one by one a moment ago and are about to
    /// be loaded one by one. With accesses of the same widths, Cranelift sees through the copy once
    /// the callee is inlined, and where it does not, the processor forwards each store.
    fn copy_fields_in_memory(
        &mut self,
        route: Route<'a>,
        fields: &[TypeId],
        offsets: Vec<(u32, u32)>,
        from: Place,
        to: Place,
    ) -> Result<()> {
        let mut run = Run::default();
        for (field, (from_offset, to_offset)) in fields.iter().zip(offsets) {
            let place = (from.at(from_offset), to.at(to_offset));
            let size = self.layouts.get(*field, route.from.pointer()).size;
            if !self.is_block(route, *field) {
                self.copy_run(route, std::mem::take(&mut run))?;
                self.copy_in_memory(route, *field, place)?;
                continue;
            }
            if run.end != Some((place.0.offset, place.1.offset)) {
                self.copy_run(route, std::mem::take(&mut run))?;
            }
            run.fields.push((*field, place));
            run.len_bytes += size;
            run.end = Some((place.0.at(size).offset, place.1.at(size).offset));
        }
        self.copy_run(route, run)
    }

    fn copy_run(&mut self, route: Route<'a>, run: Run) -> Result<()> {
        if run.len_bytes > TYPED_BYTES_MAX {
            let (from, to) = run.fields[0].1;
            self.copy_block(route, from, to, run.len_bytes);
            return Ok(());
        }
        for (field, place) in run.fields {
            self.copy_in_memory(route, field, place)?;
        }
        Ok(())
    }

    fn copy_in_memory(
        &mut self,
        route: Route<'a>,
        ty: TypeId,
        (from, to): (Place, Place),
    ) -> Result<()> {
        self.copy_value(route, ty, Source::Memory(from), Target::Memory(to))?;
        Ok(())
    }

    /// Whether a value in memory moves as bytes. Such a type has no pointers, so its layout is the
    /// same on both sides.
    pub(super) fn is_block(&self, route: Route<'a>, ty: TypeId) -> bool {
        match self.layouts.get(ty, route.from.pointer()).movable {
            Movable::No => false,
            Movable::SameByteOrder => !self.swaps_bytes(route),
            Movable::Always => true,
        }
    }

    /// Whether the sides differ in byte order: linear memories are little-endian everywhere.
    fn swaps_bytes(&self, route: Route<'a>) -> bool {
        self.env.isa.endianness() == Endianness::Big
            && route.from.memory().is_some() != route.to.memory().is_some()
    }

    /// Moves bytes between places that do not overlap.
    fn copy_block(&mut self, route: Route<'a>, from: Place, to: Place, len_bytes: u32) {
        if len_bytes > INLINE_BYTES_MAX || self.swaps_bytes(route) {
            let from = self.whole_address(from);
            let to = self.whole_address(to);
            let len = self.word(u64::from(len_bytes));
            self.copy_bytes(to, from, len);
            return;
        }
        let mut done = 0;
        for (ty, chunk) in [(types::I64, 8), (types::I32, 4), (types::I16, 2), (types::I8, 1)] {
            while len_bytes - done >= chunk {
                let value = self.load(ty, from.at(done));
                self.store(value, to.at(done));
                done += chunk;
            }
        }
    }

    /// Calls `memcpy`; all are `i64`s. No two sides share memory, so nothing overlaps.
    pub(super) fn copy_bytes(&mut self, to: Value, from: Value, len_bytes: Value) {
        self.call_shim("memcpy", &[to, from, len_bytes], &[types::I64]);
    }

    fn whole_address(&mut self, place: Place) -> Value {
        match place.offset {
            0 => place.address,
            offset => self.b.ins().iadd_imm_s(place.address, i64::from(offset)),
        }
    }

    /// Moves an address and a length by way of `convert`.
    fn copy_pair(
        &mut self,
        route: Route<'a>,
        from: Source<'_>,
        to: Target,
        convert: impl FnOnce(&mut Self, Value, Value) -> Result<(Value, Value)>,
    ) -> Result<Vec<Value>> {
        let (pointer, len) = match from {
            Source::Flat(values) => (values[0], values[1]),
            Source::Memory(place) => {
                let size = route.from.pointer();
                let pointer = self.load(size.clif_type(), place);
                (pointer, self.load(size.clif_type(), place.at(size.bytes())))
            }
        };
        let (pointer, len) = convert(self, pointer, len)?;
        match to {
            Target::Flat => Ok(vec![pointer, len]),
            Target::Memory(place) => {
                self.store(pointer, place);
                self.store(len, place.at(route.to.pointer().bytes()));
                Ok(Vec::new())
            }
        }
    }

    fn copy_fixed_list(
        &mut self,
        route: Route<'a>,
        element: TypeId,
        len: u32,
        from: Source<'_>,
        to: Target,
    ) -> Result<Vec<Value>> {
        let (Source::Memory(from), Target::Memory(to)) = (from, to) else {
            // One of the sides is flat, so the elements are few.
            return self.copy_fields(route, &vec![element; len as usize], from, to);
        };
        let size = self.layouts.get(element, route.from.pointer()).size;
        if self.is_block(route, element) {
            self.copy_block(route, from, to, size * len);
        } else if len <= UNROLLED_ELEMENTS_MAX {
            let fields = vec![element; len as usize];
            self.copy_fields(route, &fields, Source::Memory(from), Target::Memory(to))?;
        } else {
            let from_start = self.whole_address(from);
            let to_start = self.whole_address(to);
            let from_bytes = self.word(u64::from(size) * u64::from(len));
            let from = Place { address: from_start, offset: 0, ..from };
            let to = Place { address: to_start, offset: 0, ..to };
            self.copy_elements(route, &[element], from, to, from_bytes)?;
        }
        Ok(Vec::new())
    }

    /// Moves elements one by one: those in the `from_bytes` bytes (an `i64`) from `from` on.
    pub(super) fn copy_elements(
        &mut self,
        route: Route<'a>,
        element: &[TypeId],
        from: Place,
        to: Place,
        from_bytes: Value,
    ) -> Result<()> {
        let from_size = self.layouts.record(element, route.from.pointer())?.size;
        let to_size = self.layouts.record(element, route.to.pointer())?.size;
        let end = self.b.ins().iadd(from.address, from_bytes);
        let (header, body, done) =
            (self.b.create_block(), self.b.create_block(), self.b.create_block());
        let from_address = self.b.append_block_param(header, types::I64);
        let to_address = self.b.append_block_param(header, types::I64);
        self.jump(header, &[from.address, to.address]);

        self.b.switch_to_block(header);
        let is_done = self.b.ins().icmp(IntCC::Equal, from_address, end);
        self.b.ins().brif(is_done, done, &[], body, &[]);

        self.b.switch_to_block(body);
        let source = Source::Memory(Place { address: from_address, ..from });
        let target = Target::Memory(Place { address: to_address, ..to });
        self.conditions += 1;
        self.enter_loop();
        self.copy_fields(route, element, source, target)?;
        self.leave_loop();
        self.conditions -= 1;
        let from_next = self.b.ins().iadd_imm_u(from_address, i64::from(from_size));
        let to_next = self.b.ins().iadd_imm_u(to_address, i64::from(to_size));
        self.jump(header, &[from_next, to_next]);

        self.b.switch_to_block(done);
        Ok(())
    }

    /// A 32-bit word of a source: a handle.
    fn load_word(&mut self, from: Source<'_>) -> Value {
        match from {
            Source::Flat(values) => values[0],
            Source::Memory(place) => self.load(types::I32, place),
        }
    }

    fn put_word(&mut self, value: Value, to: Target) -> Vec<Value> {
        match to {
            Target::Flat => vec![value],
            Target::Memory(place) => {
                self.store(value, place);
                Vec::new()
            }
        }
    }
}
