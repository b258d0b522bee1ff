//! Functions in several versions, for x86-64.
//!
//! A program is built for every processor of its kind, and what only newer ones have it does without:
//! where the baseline has no instruction, several stand for it, or a call. Where that costs much, a
//! function is compiled for a newer level too, and for the one after that if it brings as much again.
//! The same CLIF makes all versions. The program asks the processor for its level once, before it does
//! anything else, and remembers it in a byte (`PROCESSOR_LEVEL`); a few instructions in the place of
//! the function look at that and jump.
//!
//! - `profile` estimates what the baseline costs; [`choose_levels`] decides, by plain numbers.
//! - `entry` writes the instructions that choose.
//!
//! The versions do the same to the last bit, but for what the specification leaves open in NaNs: no
//! instruction of a newer level is used for anything but what the CLIF says, and products are not fused
//! with sums that are rounded apart. Which processor compiles makes no difference.
//!
//! Before the byte is set, the baseline runs. In a library it is set while the first call is under way,
//! so what has versions is not inlined into exports (`compile`).

mod entry;
mod profile;

pub use self::entry::separate_versions;

use self::profile::{Profile, measure_profile};
use crate::compile::Listing;
use crate::error::Result;
use crate::options::{OptLevel, Options, Target, Versions, build_isa};
use crate::targets::{has_shim, level_features};
use cranelift_codegen::Context;
use cranelift_codegen::isa::OwnedTargetIsa;
use target_lexicon::Architecture;

/// What a function was compiled for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// Whatever the program is built for: this is what calls and references reach.
    #[default]
    Entry,
    /// What follows once `wasmelt_main` has asked, if it has no versions itself.
    Body,
    /// Every processor, where other versions exist.
    Baseline,
    /// The level 3 of the psABI's supplement.
    V3,
    /// The part of level 4 that `wasmelt_abi::processor` says.
    V4,
}

impl Version {
    /// What follows the function's name in the version's symbol.
    pub fn suffix(self) -> &'static str {
        match self {
            Version::Entry => "",
            Version::Body => ".body",
            Version::Baseline => ".x86-64",
            Version::V3 => ".x86-64-v3",
            Version::V4 => ".x86-64-v4",
        }
    }
}

/// The levels that functions may have versions for, ascending.
#[derive(Default)]
pub struct Levels {
    levels: Vec<(Version, OwnedTargetIsa)>,
    /// Whether every function has a version for each.
    is_everywhere: bool,
}

impl Levels {
    /// The levels that the options allow: none if the user has chosen a processor, or wants the code
    /// small or soon, and for a report. The object formats without a shim have nobody who asks.
    ///
    /// # Errors
    ///
    /// As `build_isa`.
    pub fn of(options: &Options, listing: Listing) -> Result<Levels> {
        let is_x64 = matches!(options.target.triple.architecture, Architecture::X86_64);
        let is_wanted = options.versions != Versions::None && options.opt_level == OptLevel::Full;
        let is_shown = matches!(listing, Listing::None | Listing::Assembly);
        if !is_x64 || !is_wanted || !is_shown || !has_shim(&options.target) {
            return Ok(Levels::default());
        }
        let mut levels = Vec::new();
        for (version, level) in [(Version::V3, 0), (Version::V4, 1)] {
            let target = Target { features: level_features(level), ..options.target.clone() };
            let options = Options { target, ..options.clone() };
            levels.push((version, build_isa(&options)?));
        }
        Ok(Levels { levels, is_everywhere: options.versions == Versions::Everywhere })
    }

    /// The levels that the context's function is compiled for.
    pub fn choose(&self, context: &mut Context) -> &[(Version, OwnedTargetIsa)] {
        if self.levels.is_empty() || self.is_everywhere {
            return &self.levels;
        }
        &self.levels[..choose_levels(measure_profile(context))]
    }
}

/// How many levels beyond the baseline a function is compiled for.
fn choose_levels(profile: Profile) -> usize {
    /// A version is worth its size if it saves at least this part of what the baseline executes.
    const PART_MIN: u64 = 16;
    /// Below so many instructions the way to the version costs as much as it saves.
    const SAVED_MIN: u64 = 4;
    let pays = |quarters: u64| {
        let saved = quarters / 4;
        saved >= SAVED_MIN && saved * PART_MIN >= profile.insts
    };
    match (pays(profile.saved_v3), pays(profile.saved_v4)) {
        (_, true) => 2,
        (true, false) => 1,
        (false, false) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(insts: u64, saved_v3: u64, saved_v4: u64) -> usize {
        choose_levels(Profile { insts, saved_v3, saved_v4 })
    }

    #[test]
    fn a_version_saves_a_sixteenth() {
        assert_eq!(choose(160, 40, 0), 1);
        assert_eq!(choose(161, 40, 0), 0);
        assert_eq!(choose(160, 40, 39), 1);
        assert_eq!(choose(160, 0, 40), 2);
        assert_eq!(choose(0, 0, 0), 0);
    }

    #[test]
    fn a_version_saves_more_than_the_way_to_it() {
        assert_eq!(choose(10, 15, 0), 0);
        assert_eq!(choose(10, 16, 0), 1);
    }

    #[test]
    fn only_the_default_options_have_versions() {
        let count = |options: &Options, listing| Levels::of(options, listing).unwrap().levels.len();
        let target = crate::targets::parse_target("x86_64-linux").unwrap();
        let options = Options { target, ..Options::default() };
        assert_eq!(count(&options, Listing::None), 2);
        assert_eq!(count(&options, Listing::Edges), 0);
        assert_eq!(
            count(&Options { versions: Versions::None, ..options.clone() }, Listing::None),
            0
        );
        for opt_level in [OptLevel::None, OptLevel::Less, OptLevel::Size] {
            assert_eq!(count(&Options { opt_level, ..options.clone() }, Listing::None), 0);
        }
        for name in ["aarch64-linux", "x86_64-macos", "x86_64-windows"] {
            let target = crate::targets::parse_target(name).unwrap();
            assert_eq!(count(&Options { target, ..options.clone() }, Listing::None), 0, "{name}");
        }
    }

    #[test]
    fn levels_are_what_the_shim_asks_for() {
        let target = crate::targets::parse_target("x86_64-linux").unwrap();
        let options = Options { target, ..Options::default() };
        let levels = Levels::of(&options, Listing::None).unwrap();
        let masks = levels.levels.iter().map(|(_, isa)| crate::targets::required_features(&**isa));
        assert_eq!(masks.collect::<Vec<_>>(), wasmelt_abi::processor::X86_64_LEVELS);
    }
}
