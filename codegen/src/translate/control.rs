//! Blocks, loops, branches and code that cannot be reached.
//!
//! A control frame names the CLIF block that follows its `end` and, for a loop,
//! the one that begins it; operands cross as block parameters. Code that cannot
//! be reached is not translated at all, only its blocks are counted.

use super::Translator;
use crate::env::trap_code;
use crate::error::Result;
use crate::program::FuncId;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, Block, BlockArg, InstBuilder, JumpTableData, Value};
use std::collections::HashMap;
use wasmelt_abi::trap::Trap;
use wasmparser::{BlockType, BrTable, Operator};

/// An enclosing block.
pub(super) struct Frame {
    kind: FrameKind,
    /// Number of operands below its own.
    height: usize,
    /// Number of its parameters.
    params: usize,
    /// Number of its results.
    results: usize,
    /// Where its `end` leads; has the results as parameters.
    next: Block,
    /// Whether anything leads there.
    next_used: bool,
}

enum FrameKind {
    /// The whole body.
    Body,
    Block,
    Loop {
        /// Where a branch to it goes; has its parameters as parameters.
        header: Block,
    },
    /// The first arm of an `if`.
    Then {
        /// Where the second arm begins.
        otherwise: Block,
        /// The parameters' values, which the second arm begins with too.
        params: Box<[Value]>,
    },
    /// The second arm of an `if`.
    Else,
}

impl Translator<'_, '_> {
    pub(super) fn translate_control(&mut self, operator: &Operator<'_>) -> Result<bool> {
        match operator {
            Operator::Nop => {}
            Operator::Unreachable => self.trap(Trap::Unreachable),
            Operator::Block { blockty } => self.begin_block(*blockty),
            Operator::Loop { blockty } => self.begin_loop(*blockty),
            Operator::If { blockty } => self.begin_if(*blockty),
            Operator::Else => self.begin_else(),
            Operator::End => self.end(),
            Operator::Br { relative_depth } => self.branch(*relative_depth),
            Operator::BrIf { relative_depth } => {
                let condition = self.pop();
                self.branch_if(condition, *relative_depth);
            }
            Operator::BrTable { targets } => self.branch_table(targets)?,
            Operator::BrOnNull { relative_depth } => {
                let reference = self.pop();
                let is_null = self.b.ins().icmp_imm_s(IntCC::Equal, reference, 0);
                self.branch_if(is_null, *relative_depth);
                self.push(reference);
            }
            Operator::BrOnNonNull { relative_depth } => {
                let reference = *self.stack.last().expect("validation balances the stack");
                self.branch_if(reference, *relative_depth);
                self.pop();
            }
            Operator::Return => self.return_values(),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Follows the block structure where nothing is translated.
    pub(super) fn skip(&mut self, operator: &Operator<'_>) {
        match operator {
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Try { .. }
            | Operator::TryTable { .. } => self.dead_depth += 1,
            Operator::End if self.dead_depth > 0 => self.dead_depth -= 1,
            Operator::End => self.end(),
            Operator::Else if self.dead_depth == 0 => self.begin_else(),
            _ => {}
        }
    }

    /// Opens the frame of the whole body.
    pub(super) fn push_body_frame(&mut self, func: FuncId) {
        let ty = self.env.func_type(self.env.program.funcs[func].ty);
        let next = self.block_with_params(Self::clif_types(&ty.results));
        let results = ty.results.len();
        let kind = FrameKind::Body;
        self.frames.push(Frame { kind, height: 0, params: 0, results, next, next_used: false });
    }

    /// Ends the current block with a trap; what follows cannot be reached.
    pub(super) fn trap(&mut self, trap: Trap) {
        self.b.ins().trap(trap_code(trap));
        self.reachable = false;
    }

    /// Returns the upmost operands from the function.
    fn return_values(&mut self) {
        let start = self.plain_top(self.frames[0].results);
        self.b.ins().return_(&self.stack[start..]);
        self.reachable = false;
    }

    fn block_with_params(&mut self, types: impl Iterator<Item = ir::Type>) -> Block {
        let block = self.b.create_block();
        for ty in types {
            self.b.append_block_param(block, ty);
        }
        block
    }

    /// Numbers of parameters and results of a block type, and a new block that takes the results.
    fn open(&mut self, ty: BlockType) -> (usize, usize, Block) {
        match ty {
            BlockType::Empty => (0, 0, self.b.create_block()),
            BlockType::Type(ty) => {
                (0, 1, self.block_with_params([Self::value_type(ty)].into_iter()))
            }
            BlockType::FuncType(index) => {
                let ty = self.env.func_type(self.core_type(index));
                let next = self.block_with_params(Self::clif_types(&ty.results));
                (ty.params.len(), ty.results.len(), next)
            }
        }
    }

    fn push_frame(&mut self, kind: FrameKind, (params, results, next): (usize, usize, Block)) {
        let height = self.stack.len() - params;
        self.frames.push(Frame { kind, height, params, results, next, next_used: false });
    }

    fn begin_block(&mut self, ty: BlockType) {
        let shape = self.open(ty);
        self.push_frame(FrameKind::Block, shape);
    }

    fn begin_loop(&mut self, ty: BlockType) {
        let shape = self.open(ty);
        let header = match ty {
            BlockType::FuncType(index) => {
                let ty = self.env.func_type(self.core_type(index));
                self.block_with_params(Self::clif_types(&ty.params))
            }
            BlockType::Empty | BlockType::Type(_) => self.b.create_block(),
        };
        let start = self.plain_top(shape.0);
        self.collect_args(start);
        self.b.ins().jump(header, &*self.args);
        self.stack.truncate(start);
        self.push_frame_at(FrameKind::Loop { header }, shape, start);
        // The header is sealed at the loop's end, when all branches to it are known.
        self.b.switch_to_block(header);
        self.stack.extend_from_slice(self.b.block_params(header));
    }

    fn push_frame_at(
        &mut self,
        kind: FrameKind,
        (params, results, next): (usize, usize, Block),
        height: usize,
    ) {
        self.frames.push(Frame { kind, height, params, results, next, next_used: false });
    }

    fn begin_if(&mut self, ty: BlockType) {
        let condition = self.pop();
        let shape = self.open(ty);
        let then = self.b.create_block();
        let otherwise = self.b.create_block();
        match self.is_likely() {
            Some(true) => self.b.set_cold_block(otherwise),
            Some(false) => self.b.set_cold_block(then),
            None => {}
        }
        // Both arms have this block as their only predecessor, so operands need no parameters.
        self.b.ins().brif(condition, then, &[], otherwise, &[]);
        self.b.seal_block(then);
        self.b.seal_block(otherwise);
        self.b.switch_to_block(then);
        let params = self.stack[self.stack.len() - shape.0..].into();
        self.push_frame(FrameKind::Then { otherwise, params }, shape);
    }

    fn begin_else(&mut self) {
        self.fall_through();
        let frame = self.frames.last_mut().expect("validation balances the blocks");
        let kind = std::mem::replace(&mut frame.kind, FrameKind::Else);
        let FrameKind::Then { otherwise, params } = kind else {
            panic!("validation lets `else` only end the first arm of an `if`");
        };
        self.stack.truncate(frame.height);
        self.stack.extend_from_slice(&params);
        self.b.switch_to_block(otherwise);
        self.reachable = true;
    }

    /// Leads the end of a block's code to what follows the block.
    fn fall_through(&mut self) {
        if !self.reachable {
            return;
        }
        let frame = self.frames.last_mut().expect("validation balances the blocks");
        frame.next_used = true;
        let (next, results) = (frame.next, frame.results);
        self.jump(next, results);
    }

    /// Jumps with the upmost `count` operands as arguments.
    fn jump(&mut self, block: Block, count: usize) {
        let start = self.plain_top(count);
        self.collect_args(start);
        self.b.ins().jump(block, &*self.args);
    }

    /// Makes the operands from `start` on the arguments of the next branch.
    fn collect_args(&mut self, start: usize) {
        self.args.clear();
        self.args.extend(self.stack[start..].iter().map(|value| BlockArg::Value(*value)));
    }

    fn end(&mut self) {
        let is_plain_return = {
            let frame = self.frames.last().expect("validation balances the blocks");
            matches!(frame.kind, FrameKind::Body) && !frame.next_used
        };
        if is_plain_return {
            if self.reachable {
                self.return_values();
            }
            self.frames.pop();
            return;
        }
        self.fall_through();
        let mut frame = self.frames.pop().expect("validation balances the blocks");
        self.stack.truncate(frame.height);
        let is_body = matches!(frame.kind, FrameKind::Body);
        match frame.kind {
            FrameKind::Loop { header } => self.b.seal_block(header),
            FrameKind::Then { otherwise, params } => {
                // An absent second arm passes the parameters on as results.
                self.b.switch_to_block(otherwise);
                self.stack.extend_from_slice(&params);
                self.jump(frame.next, frame.results);
                self.stack.truncate(frame.height);
                frame.next_used = true;
            }
            FrameKind::Body | FrameKind::Block | FrameKind::Else => {}
        }
        self.reachable = frame.next_used;
        if !self.reachable {
            return;
        }
        self.b.switch_to_block(frame.next);
        self.b.seal_block(frame.next);
        self.stack.extend_from_slice(self.b.block_params(frame.next));
        if is_body {
            self.b.ins().return_(&self.stack[frame.height..]);
        }
    }

    /// The block that a branch of that depth goes to, and the number of its arguments.
    fn target(&mut self, depth: u32) -> (Block, usize) {
        let at = self.frames.len() - 1 - depth as usize;
        let frame = &mut self.frames[at];
        match frame.kind {
            FrameKind::Loop { header } => (header, frame.params),
            _ => {
                frame.next_used = true;
                (frame.next, frame.results)
            }
        }
    }

    fn branch(&mut self, depth: u32) {
        let (block, count) = self.target(depth);
        self.jump(block, count);
        self.reachable = false;
    }

    /// Branches with the upmost operands if `condition` is not 0, else goes on.
    fn branch_if(&mut self, condition: Value, depth: u32) {
        let (block, count) = self.target(depth);
        let start = self.plain_top(count);
        self.collect_args(start);
        let next = self.b.create_block();
        match self.is_likely() {
            Some(false) => {
                // The target itself may be hot by other ways, so a cold block leads there.
                let bridge = self.b.create_block();
                self.b.set_cold_block(bridge);
                self.b.ins().brif(condition, bridge, &[], next, &[]);
                self.b.switch_to_block(bridge);
                self.b.seal_block(bridge);
                self.b.ins().jump(block, &*self.args);
            }
            hint => {
                if hint == Some(true) {
                    self.b.set_cold_block(next);
                }
                self.b.ins().brif(condition, block, &*self.args, next, &[]);
            }
        }
        self.b.seal_block(next);
        self.b.switch_to_block(next);
    }

    /// The hint for the branch at hand, if the module has one.
    fn is_likely(&self) -> Option<bool> {
        let at = self.hints.binary_search_by_key(&self.offset, |hint| hint.offset).ok()?;
        Some(self.hints[at].is_likely)
    }

    fn branch_table(&mut self, targets: &BrTable<'_>) -> Result<()> {
        let index = self.pop();
        let (_, count) = self.target(targets.default());
        // With operands each distinct target gets a block that passes them, so that a table of many
        // entries does not repeat them.
        let mut bridges: HashMap<u32, Block> = HashMap::new();
        let mut order = Vec::new();
        let mut calls = Vec::with_capacity(targets.len() as usize);
        for depth in targets.targets().chain([Ok(targets.default())]) {
            let depth = depth.map_err(super::decode_error)?;
            let block = if count == 0 {
                self.target(depth).0
            } else {
                *bridges.entry(depth).or_insert_with(|| {
                    let block = self.b.create_block();
                    order.push((depth, block));
                    block
                })
            };
            calls.push(self.b.func.dfg.block_call(block, &[]));
        }
        let default = calls.pop().expect("the default is last");
        let table = self.b.create_jump_table(JumpTableData::new(default, &calls));
        self.b.ins().br_table(index, table);
        for (depth, block) in order {
            self.b.switch_to_block(block);
            self.b.seal_block(block);
            let (target, count) = self.target(depth);
            self.jump(target, count);
        }
        self.reachable = false;
        Ok(())
    }
}
