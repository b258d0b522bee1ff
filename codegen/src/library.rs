//! What a library does to make its memories: the steps that the image lists.
//!
//! From the layout and the initial contents to steps in order: everything is reserved before
//! anything is mapped, so that a library that finds its addresses taken changes nothing.

use crate::data::{Constants, InitialData};
use crate::layout::{BoundsCheck, Layout};
use crate::options::Options;
use crate::program::Program;
use wasmelt_abi::addresses::{MEMORY_WINDOW_BYTES, PAGE_BYTES_MAX};
use wasmelt_abi::library::StepKind;

/// A step, and what it copies.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// What it does.
    pub kind: StepKind,
    /// Address of the first byte.
    pub address: u64,
    /// How many bytes.
    pub size_bytes: u64,
    /// The contents to copy.
    pub contents: Contents<'a>,
}

/// What a step copies.
#[derive(Clone, Copy, Debug)]
pub enum Contents<'a> {
    /// Nothing.
    None,
    /// These bytes.
    Bytes(&'a [u8]),
    /// The constant part of the state, which holds addresses.
    Constants,
}

/// The steps of a library; none for an executable, whose segments say the same.
pub fn plan_steps<'a>(
    program: &Program,
    layout: &Layout,
    initial: &'a InitialData,
    constants: &Constants,
    options: &Options,
) -> Vec<Step<'a>> {
    if options.embedding.is_none() {
        return Vec::new();
    }
    let step = |kind, address: u64, size_bytes: u64, contents| Step {
        kind,
        address,
        size_bytes,
        contents,
    };
    let mut steps = Vec::new();
    let state = layout.constants_start;
    let state_bytes = (layout.state_end - state).next_multiple_of(PAGE_BYTES_MAX);
    // An empty state takes a page too, so that the shim always has a step.
    let state_bytes = state_bytes.max(PAGE_BYTES_MAX);
    steps.push(step(StepKind::Reserve, state, state_bytes, Contents::None));
    for (id, _) in program.memories.iter().filter(|(_, memory)| memory.live) {
        let place = &layout.memories[id];
        let window = match place.check {
            BoundsCheck::Guard => MEMORY_WINDOW_BYTES,
            BoundsCheck::Explicit => place.max_bytes.next_multiple_of(PAGE_BYTES_MAX),
        };
        if window > 0 {
            steps.push(step(StepKind::Reserve, place.base, window, Contents::None));
        }
    }
    steps.push(step(StepKind::Map, state, state_bytes, Contents::None));
    if !constants.bytes.is_empty() {
        let size_bytes = constants.bytes.len() as u64;
        steps.push(step(StepKind::Copy, state, size_bytes, Contents::Constants));
        let pages = layout.state_start - state;
        steps.push(step(StepKind::Protect, state, pages, Contents::None));
    }
    for region in &initial.regions {
        if region.address != layout.state_start {
            let size_bytes = region.size_bytes;
            steps.push(step(StepKind::Map, region.address, size_bytes, Contents::None));
        }
        for run in &region.mapped {
            let size_bytes = run.bytes.len() as u64;
            let contents = Contents::Bytes(&run.bytes);
            steps.push(step(StepKind::Copy, run.address, size_bytes, contents));
        }
    }
    steps
}
