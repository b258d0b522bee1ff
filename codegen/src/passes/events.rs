//! What a function does to memory, in order: read once, for all passes.

use super::effects::{Access, Touch};
use cranelift_codegen::ir::{Block, Inst};
use cranelift_entity::SecondaryMap;
use std::ops::Range;

/// One thing that an instruction does.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// Writes bytes.
    Store(Inst, Access),
    /// Reads bytes.
    Load(Inst, Access),
    /// Reads bytes that nobody needs; it may still trap.
    IdleLoad(Access),
    /// Reads and writes what only regions tell.
    Touch(Touch),
    /// Can trap, other than by an access.
    MayTrap,
    /// Was a store, and has been removed.
    Removed,
}

/// The events of a function, block by block.
#[derive(Default)]
pub struct Events {
    list: Vec<Event>,
    ranges: SecondaryMap<Block, (u32, u32)>,
}

impl Events {
    /// Forgets everything, so that another function can be read.
    pub fn clear(&mut self) {
        self.list.clear();
        self.ranges.clear();
    }

    /// Begins a block: what is added from here on belongs to it.
    pub fn begin_block(&mut self, block: Block) {
        let start = self.list.len() as u32;
        self.ranges[block] = (start, start);
    }

    /// Adds an event to the block that was begun last.
    pub fn push(&mut self, block: Block, event: Event) {
        self.list.push(event);
        self.ranges[block].1 = self.list.len() as u32;
    }

    fn range(&self, block: Block) -> Range<usize> {
        let (start, end) = self.ranges[block];
        start as usize..end as usize
    }

    /// A block's events in their order.
    pub fn of_block(&self, block: Block) -> &[Event] {
        &self.list[self.range(block)]
    }

    /// A block's events in their order, to change.
    pub fn of_block_mut(&mut self, block: Block) -> &mut [Event] {
        let range = self.range(block);
        &mut self.list[range]
    }

    /// The events of all blocks.
    pub fn all(&self) -> &[Event] {
        &self.list
    }

    /// The events of all blocks, to change.
    pub fn all_mut(&mut self) -> &mut [Event] {
        &mut self.list
    }
}
