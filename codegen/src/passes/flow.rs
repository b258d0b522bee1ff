//! What is known at each place of a function, for passes that walk it once.
//!
//! A pass visits the blocks in reverse postorder with a list of facts. A block starts with those that
//! all of its predecessors agree on; a loop's header starts with none, because one of its
//! predecessors has not been visited. So no fact outlives a turn of a loop, and the values that a
//! fact names are the same for as long as it holds.

use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::Block;
use cranelift_entity::SecondaryMap;

/// What holds at the ends of blocks, until the last of their successors has been visited.
pub struct Leaving<T: Copy> {
    /// `None` before the block is visited.
    facts: SecondaryMap<Block, Option<Vec<T>>>,
    /// How many of a visited block's successors are still to be visited.
    succs_left: SecondaryMap<Block, u32>,
    /// Lists that are no longer needed.
    spare: Vec<Vec<T>>,
}

impl<T: Copy> Default for Leaving<T> {
    fn default() -> Leaving<T> {
        Leaving { facts: SecondaryMap::new(), succs_left: SecondaryMap::new(), spare: Vec::new() }
    }
}

impl<T: Copy + PartialEq> Leaving<T> {
    /// What holds at a block's start.
    pub fn entry_facts(&mut self, cfg: &ControlFlowGraph, block: Block) -> Vec<T> {
        let mut preds = cfg.pred_iter(block).map(|pred| pred.block);
        let mut common = self.spare.pop().unwrap_or_default();
        common.clear();
        let Some(first) = preds.next() else { return common };
        match &mut self.facts[first] {
            // The block that needs the list last gets the list itself.
            Some(facts) if self.succs_left[first] == 1 && cfg.pred_iter(block).count() == 1 => {
                std::mem::swap(facts, &mut common);
            }
            Some(facts) => common.extend_from_slice(facts),
            None => return common,
        }
        for pred in preds {
            if common.is_empty() {
                break;
            }
            match &self.facts[pred] {
                Some(facts) => common.retain(|fact| facts.contains(fact)),
                None => common.clear(),
            }
        }
        common
    }

    /// Takes down what holds at a block's end, and lets go of lists that have been needed for the
    /// last time.
    pub fn finish(&mut self, cfg: &ControlFlowGraph, block: Block, facts: Vec<T>) {
        self.facts[block] = Some(facts);
        for pred in cfg.pred_iter(block).map(|pred| pred.block) {
            if self.facts[pred].is_some() && pred != block {
                self.succs_left[pred] -= 1;
                self.let_go(pred);
            }
        }
        let is_open = |succ: &Block| self.facts[*succ].is_none();
        self.succs_left[block] = cfg.succ_iter(block).filter(is_open).count() as u32;
        self.let_go(block);
    }

    fn let_go(&mut self, block: Block) {
        if self.succs_left[block] == 0
            && let Some(facts) = &mut self.facts[block]
        {
            // Not `None`, which stands for a block that is still to come.
            self.spare.push(std::mem::take(facts));
        }
    }
}
