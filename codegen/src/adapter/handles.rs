//! Handle tables as inline code.
//!
//! A table is an array of `abi::handles::Handle` at a fixed address, so taking a handle out or
//! looking at one is a handful of instructions without a call. Follows `CanonicalABI.md`,
//! "Table State", "Resource State", `lift_own`, `lift_borrow`, `lower_own`, `lower_borrow`.
//!
//! Rules for what is left out:
//! - **Lend counts.** A handle that is lent cannot be given away or dropped until the call
//!   returns. Who could do so? The lender's own code, which runs during the call only if its
//!   component instance can be entered; and the rest of the same parameter list, if it gives away
//!   an own handle to the same resource. Where neither is possible, nothing is counted. A host
//!   function cannot reach the table at all.
//! - **Where the counts are undone.** A handle lent in any case is remembered in a value. One that
//!   is lent in a list or a variant's case joins a chain through the entries themselves
//!   (`Handle::CHAIN`), which needs no memory: a component instance has at most one call out at a
//!   time, so an entry is in at most one chain.

use super::copy::Route;
use super::endpoint::Endpoint;
use super::generator::Generator;
use crate::env::trap_code;
use crate::program::{ComponentInstanceId, ResourceId, ResourceKind};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, Value, types};
use wasmelt_abi::handles::{ComponentState, Handle};
use wasmelt_abi::symbols;
use wasmelt_abi::trap::Trap;

/// The end of a chain of lent handles: index 0, which is no handle, in the chain's notation.
const CHAIN_END: i64 = 1;

impl<'a> Generator<'a, '_> {
    /// Takes an own handle away from a side; gives back the representation.
    pub(super) fn lift_own(
        &mut self,
        from: Endpoint<'a>,
        resource: ResourceId,
        index: Value,
    ) -> Value {
        let Endpoint::Guest { instance, .. } = from else { return index };
        let entry = self.find_entry(instance, index);
        let kind = self.load_entry(instance, entry, Handle::KIND);
        let own = u64::from(Handle::kind_of(resource.as_u32(), false));
        let is_own = self.compare(IntCC::Equal, kind, own);
        self.unless(is_own, |g| {
            g.trap_if_no_handle(kind, resource);
            let lends = g.load_entry(instance, entry, Handle::LENDS);
            g.trap_if(lends, Trap::HandleLent);
            g.b.ins().trap(trap_code(Trap::NotOwned));
        });
        let lends = self.load_entry(instance, entry, Handle::LENDS);
        self.trap_if(lends, Trap::HandleLent);
        let rep = self.load_entry(instance, entry, Handle::REP);
        self.free_entry(instance, entry, index);
        rep
    }

    /// Lends a handle of a side for the time of the call; gives back the representation.
    pub(super) fn lift_borrow(
        &mut self,
        route: Route<'a>,
        resource: ResourceId,
        index: Value,
    ) -> Value {
        let Endpoint::Guest { instance, .. } = route.from else { return index };
        let entry = self.find_handle(instance, resource, index);
        if route.counts_lends {
            match self.conditions {
                0 => {
                    self.add_to_lends(instance, entry, 1);
                    self.lent.push(index);
                }
                _ => self.chain_lent(instance, entry, index),
            }
        }
        self.load_entry(instance, entry, Handle::REP)
    }

    /// Gives a side an own handle.
    pub(super) fn lower_own(
        &mut self,
        to: Endpoint<'a>,
        resource: ResourceId,
        rep: Value,
    ) -> Value {
        match to {
            Endpoint::Guest { instance, .. } => self.add_handle(instance, resource, false, rep),
            Endpoint::Native => rep,
        }
    }

    /// Gives a side a borrow handle for the time of the call. The instance that defines the
    /// resource gets the representation itself.
    pub(super) fn lower_borrow(
        &mut self,
        to: Endpoint<'a>,
        resource: ResourceId,
        rep: Value,
    ) -> Value {
        match to {
            Endpoint::Guest { instance, .. } if !self.defines(instance, resource) => {
                let borrows = self.load_state(instance, ComponentState::BORROWS);
                let borrows = self.b.ins().iadd_imm_u(borrows, 1);
                self.store_state(instance, ComponentState::BORROWS, borrows);
                self.add_handle(instance, resource, true, rep)
            }
            _ => rep,
        }
    }

    /// Whether a component instance defines a resource type.
    pub(super) fn defines(&self, instance: ComponentInstanceId, resource: ResourceId) -> bool {
        match &self.env.program.resources[resource].kind {
            ResourceKind::Guest { instance: owner, .. } => *owner == instance,
            ResourceKind::Host { .. } => false,
        }
    }

    /// Undoes the lend counts of this call.
    pub(super) fn release_lent(&mut self, instance: ComponentInstanceId) {
        for index in std::mem::take(&mut self.lent) {
            let entry = self.entry_address(instance, index);
            self.add_to_lends(instance, entry, -1);
        }
        let Some(chain) = self.lent_chain.take() else { return };
        let (header, body, done) =
            (self.b.create_block(), self.b.create_block(), self.b.create_block());
        let link = self.b.append_block_param(header, types::I32);
        let first = self.b.use_var(chain);
        self.jump(header, &[first]);

        self.b.switch_to_block(header);
        let is_end = self.compare(IntCC::Equal, link, CHAIN_END.cast_unsigned());
        self.b.ins().brif(is_end, done, &[], body, &[]);

        self.b.switch_to_block(body);
        let index = self.b.ins().iadd_imm_s(link, -1);
        let entry = self.entry_address(instance, index);
        self.add_to_lends(instance, entry, -1);
        let next = self.load_entry(instance, entry, Handle::CHAIN);
        let none = self.b.ins().iconst(types::I32, 0);
        self.store_entry(instance, entry, Handle::CHAIN, none);
        self.jump(header, &[next]);

        self.b.switch_to_block(done);
    }

    /// Declares the chain of handles that are lent in lists and variants: empty so far.
    pub(super) fn start_chain(&mut self) {
        let chain = self.b.declare_var(types::I32);
        let end = self.b.ins().iconst(types::I32, CHAIN_END);
        self.b.def_var(chain, end);
        self.lent_chain = Some(chain);
    }

    /// Puts a handle into a table: at the index that was freed last, else at the end.
    pub(super) fn add_handle(
        &mut self,
        instance: ComponentInstanceId,
        resource: ResourceId,
        borrow: bool,
        rep: Value,
    ) -> Value {
        let free = self.load_state(instance, ComponentState::FREE);
        let added = self
            .choose(
                free,
                &[types::I32],
                |g| {
                    let entry = g.entry_address(instance, free);
                    let next_free = g.load_entry(instance, entry, Handle::REP);
                    g.store_state(instance, ComponentState::FREE, next_free);
                    Ok(vec![free])
                },
                |g| Ok(vec![g.extend_table(instance)]),
            )
            .expect("nothing in the branches fails");
        let index = added[0];
        let entry = self.entry_address(instance, index);
        let kind = Handle::kind_of(resource.as_u32(), borrow);
        let kind = self.b.ins().iconst(types::I32, i64::from(kind));
        self.store_entry(instance, entry, Handle::REP, rep);
        self.store_entry(instance, entry, Handle::KIND, kind);
        index
    }

    /// The entry of a handle, own or borrowed, to that resource; its native address.
    pub(super) fn find_handle(
        &mut self,
        instance: ComponentInstanceId,
        resource: ResourceId,
        index: Value,
    ) -> Value {
        let entry = self.find_entry(instance, index);
        let kind = self.load_entry(instance, entry, Handle::KIND);
        let either = self.b.ins().bor_imm_u(kind, 1);
        let expected = u64::from(Handle::kind_of(resource.as_u32(), true));
        let is_right = self.compare(IntCC::Equal, either, expected);
        self.unless(is_right, |g| {
            g.trap_if(kind, Trap::WrongHandleType);
            g.b.ins().trap(trap_code(Trap::UnknownHandle));
        });
        entry
    }

    /// Takes an entry, which is in use, out of the table.
    pub(super) fn free_entry(&mut self, instance: ComponentInstanceId, entry: Value, index: Value) {
        let next_free = self.load_state(instance, ComponentState::FREE);
        let none = self.b.ins().iconst(types::I32, 0);
        self.store_entry(instance, entry, Handle::REP, next_free);
        self.store_entry(instance, entry, Handle::KIND, none);
        self.store_state(instance, ComponentState::FREE, index);
    }

    /// Reads a field of an entry.
    pub(super) fn load_entry(
        &mut self,
        instance: ComponentInstanceId,
        entry: Value,
        offset: i32,
    ) -> Value {
        let flags = self.component_flags(instance);
        self.b.ins().load(types::I32, flags, entry, offset)
    }

    fn store_entry(
        &mut self,
        instance: ComponentInstanceId,
        entry: Value,
        offset: i32,
        value: Value,
    ) {
        let flags = self.component_flags(instance);
        self.b.ins().store(flags, value, entry, offset);
    }

    /// The entry of an index that may be anything; one that was never used traps. Entries that are
    /// free, and entry 0, have kind 0.
    fn find_entry(&mut self, instance: ComponentInstanceId, index: Value) -> Value {
        let next = self.load_state(instance, ComponentState::NEXT);
        let unused = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, index, next);
        self.trap_if(unused, Trap::UnknownHandle);
        self.entry_address(instance, index)
    }

    /// The native address of an entry whose index is known to be within the table.
    fn entry_address(&mut self, instance: ComponentInstanceId, index: Value) -> Value {
        let (state, flags) = (self.component_state(instance), self.component_flags(instance));
        let entries = self.b.ins().load(types::I64, flags, state, ComponentState::ENTRIES);
        let index = self.b.ins().uextend(types::I64, index);
        let offset = self.b.ins().ishl_imm_u(index, i64::from(Handle::BYTES.trailing_zeros()));
        self.b.ins().iadd(entries, offset)
    }

    /// Takes the index behind the last used one, making room first if there is none.
    fn extend_table(&mut self, instance: ComponentInstanceId) -> Value {
        let index = self.load_state(instance, ComponentState::NEXT);
        let capacity = self.load_state(instance, ComponentState::CAPACITY);
        let has_room = self.b.ins().icmp(IntCC::UnsignedLessThan, index, capacity);
        let (full, done) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(full);
        self.b.ins().brif(has_room, done, &[], full, &[]);
        self.b.switch_to_block(full);
        let state = self.component_state(instance);
        self.call_shim(symbols::HANDLES_GROW, &[state], &[]);
        self.jump(done, &[]);
        self.b.switch_to_block(done);
        let next = self.b.ins().iadd_imm_u(index, 1);
        self.store_state(instance, ComponentState::NEXT, next);
        index
    }

    fn add_to_lends(&mut self, instance: ComponentInstanceId, entry: Value, change: i64) {
        let lends = self.load_entry(instance, entry, Handle::LENDS);
        let lends = self.b.ins().iadd_imm_s(lends, change);
        self.store_entry(instance, entry, Handle::LENDS, lends);
    }

    /// Lends a handle that is met in a branch or a loop: once, however often it is met.
    fn chain_lent(&mut self, instance: ComponentInstanceId, entry: Value, index: Value) {
        let chain = self.lent_chain.expect("a chain is started where one may be needed");
        let link = self.load_entry(instance, entry, Handle::CHAIN);
        let (new, done) = (self.b.create_block(), self.b.create_block());
        self.b.ins().brif(link, done, &[], new, &[]);
        self.b.switch_to_block(new);
        let first = self.b.use_var(chain);
        self.store_entry(instance, entry, Handle::CHAIN, first);
        self.add_to_lends(instance, entry, 1);
        let link = self.b.ins().iadd_imm_u(index, 1);
        self.b.def_var(chain, link);
        self.jump(done, &[]);
        self.b.switch_to_block(done);
    }

    /// Traps if an entry of that kind is no handle to that resource.
    fn trap_if_no_handle(&mut self, kind: Value, resource: ResourceId) {
        self.trap_if_compare(IntCC::Equal, kind, 0, Trap::UnknownHandle);
        let either = self.b.ins().bor_imm_u(kind, 1);
        let expected = u64::from(Handle::kind_of(resource.as_u32(), true));
        self.trap_if_compare(IntCC::NotEqual, either, expected, Trap::WrongHandleType);
    }

    /// Goes on if `condition` is not 0, else to a block off the path that ends with a trap.
    fn unless(&mut self, condition: Value, trap: impl FnOnce(&mut Self)) {
        let (bad, good): (ir::Block, ir::Block) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(bad);
        self.b.ins().brif(condition, good, &[], bad, &[]);
        self.b.switch_to_block(bad);
        trap(self);
        self.b.switch_to_block(good);
    }
}
