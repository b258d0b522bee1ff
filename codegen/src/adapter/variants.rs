//! Variants, options and results: one branch per distinct payload.
//!
//! Cases whose payloads have the same type share a block, because a payload's place does not
//! depend on the case: an error code with forty cases without payload costs as much as one.

use super::abi_layout::cases_of;
use super::copy::{Route, Source, Target};
use super::generator::Generator;
use crate::error::Result;
use crate::interface::{Type, TypeId};
use cranelift_codegen::ir::{self, InstBuilder, JumpTableData, MemFlagsData, Value, types};

impl<'a> Generator<'a, '_> {
    /// Moves a variant; returns its flat values if that is where it goes.
    pub(super) fn copy_variant(
        &mut self,
        route: Route<'a>,
        ty: &Type,
        from: Source<'_>,
        to: Target,
    ) -> Result<Vec<Value>> {
        let cases = cases_of(ty);
        let discriminant = match from {
            Source::Flat(values) => values[0],
            Source::Memory(place) => self.load_discriminant(cases.len(), place),
        };
        self.check_discriminant(discriminant, cases.len());
        if let Target::Memory(place) = to {
            self.store_discriminant(cases.len(), discriminant, place);
        }
        let slots = match to {
            Target::Flat => {
                let joined = self.layouts.joined_payload(&cases, route.to.pointer());
                joined.expect("parts of a flat value are flat")
            }
            Target::Memory(_) => Vec::new(),
        };
        let payload = self.copy_payload(route, &cases, discriminant, from, to, &slots)?;
        Ok(match to {
            Target::Flat => [discriminant].into_iter().chain(payload).collect(),
            Target::Memory(_) => Vec::new(),
        })
    }

    /// Moves the payload of the case that a valid discriminant names; `slots` are the flat values
    /// that come out.
    fn copy_payload(
        &mut self,
        route: Route<'a>,
        cases: &[Option<TypeId>],
        discriminant: Value,
        from: Source<'_>,
        to: Target,
        slots: &[ir::Type],
    ) -> Result<Vec<Value>> {
        let mut payloads: Vec<Option<TypeId>> = Vec::new();
        for case in cases {
            if !payloads.contains(case) {
                payloads.push(*case);
            }
        }
        if let [payload] = payloads[..] {
            return self.copy_case(route, cases, payload, from, to, slots);
        }
        let blocks = payloads.iter().map(|_| self.b.create_block()).collect::<Vec<_>>();
        let done = self.b.create_block();
        for slot in slots {
            self.b.append_block_param(done, *slot);
        }
        let block_of = |case: &Option<TypeId>| {
            let index = payloads.iter().position(|payload| payload == case);
            blocks[index.expect("every case's payload is listed")]
        };
        self.branch(discriminant, &cases.iter().map(block_of).collect::<Vec<_>>());
        self.conditions += 1;
        for (payload, block) in payloads.iter().zip(&blocks) {
            self.b.switch_to_block(*block);
            let values = self.copy_case(route, cases, *payload, from, to, slots)?;
            self.jump(done, &values);
        }
        self.conditions -= 1;
        self.b.switch_to_block(done);
        Ok(self.b.block_params(done).to_vec())
    }

    /// Goes to the block of the case; `discriminant` is in range.
    fn branch(&mut self, discriminant: Value, blocks: &[ir::Block]) {
        if let [first, second] = blocks {
            self.b.ins().brif(discriminant, *second, &[], *first, &[]);
            return;
        }
        let calls = blocks.iter().map(|block| self.b.func.dfg.block_call(*block, &[]));
        let calls = calls.collect::<Vec<_>>();
        // The last case is the default: it takes what is left.
        let (last, rest) = calls.split_last().expect("a variant has a case");
        let table = self.b.create_jump_table(JumpTableData::new(*last, rest));
        self.b.ins().br_table(discriminant, table);
    }

    /// Moves a payload of that type, if it is one, to the flat values `slots`.
    fn copy_case(
        &mut self,
        route: Route<'a>,
        cases: &[Option<TypeId>],
        payload: Option<TypeId>,
        from: Source<'_>,
        to: Target,
        slots: &[ir::Type],
    ) -> Result<Vec<Value>> {
        let mut values = Vec::new();
        if let Some(ty) = payload {
            let target = to.at(self.layouts.payload_offset(cases, route.to.pointer()));
            values = match from {
                Source::Flat(flat) => {
                    let types = self.layouts.get(ty, route.from.pointer()).flat.clone();
                    let types = types.expect("parts of a flat value are flat");
                    let slots = flat[1..].iter().zip(types);
                    let own = slots.map(|(slot, ty)| self.take_slot(*slot, ty));
                    let own = own.collect::<Vec<_>>();
                    self.copy_value(route, ty, Source::Flat(&own), target)?
                }
                Source::Memory(place) => {
                    let offset = self.layouts.payload_offset(cases, route.from.pointer());
                    self.copy_value(route, ty, Source::Memory(place.at(offset)), target)?
                }
            };
        }
        // What a case does not use is 0.
        for (index, slot) in slots.iter().enumerate() {
            match values.get(index) {
                Some(value) => values[index] = self.fill_slot(*value, *slot),
                None => values.push(self.zero(*slot)),
            }
        }
        Ok(values)
    }

    /// The value of type `ty` that a slot shared by several cases holds.
    fn take_slot(&mut self, slot: Value, ty: ir::Type) -> Value {
        let slot_type = self.b.func.dfg.value_type(slot);
        match (slot_type, ty) {
            _ if slot_type == ty => slot,
            (types::I64, types::I32) => self.b.ins().ireduce(types::I32, slot),
            (types::I64, types::F32) => {
                let low = self.b.ins().ireduce(types::I32, slot);
                self.b.ins().bitcast(types::F32, MemFlagsData::new(), low)
            }
            (types::I32, types::F32) | (types::I64, types::F64) => {
                self.b.ins().bitcast(ty, MemFlagsData::new(), slot)
            }
            other => unreachable!("no slot holds {other:?}"),
        }
    }

    /// A value as the slot that it shares with other cases.
    fn fill_slot(&mut self, value: Value, slot_type: ir::Type) -> Value {
        let ty = self.b.func.dfg.value_type(value);
        match (ty, slot_type) {
            _ if ty == slot_type => value,
            (types::I32, types::I64) => self.b.ins().uextend(types::I64, value),
            (types::F32, types::I64) => {
                let bits = self.b.ins().bitcast(types::I32, MemFlagsData::new(), value);
                self.b.ins().uextend(types::I64, bits)
            }
            (types::F32, types::I32) | (types::F64, types::I64) => {
                self.b.ins().bitcast(slot_type, MemFlagsData::new(), value)
            }
            other => unreachable!("no slot holds {other:?}"),
        }
    }

    fn zero(&mut self, ty: ir::Type) -> Value {
        match ty {
            types::F32 => self.b.ins().f32const(0.0),
            types::F64 => self.b.ins().f64const(0.0),
            ty => self.b.ins().iconst(ty, 0),
        }
    }
}
