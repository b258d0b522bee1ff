//! Functions in several versions, for x86-64.
//!
//! A program is built for every processor of its kind, and what only newer ones have it does without:
//! where the baseline has no instruction, several stand for it, or a call. Where that costs much, a
//! function is compiled for a newer level too, and for one beyond if that brings as much again.
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
use cranelift_codegen::isa::{OwnedTargetIsa, TargetIsa};
use target_lexicon::Architecture;
use wasmelt_abi::processor::X86_64_LEVELS;

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
    /// That, and what counts the bits of bytes.
    Bitalg,
}

impl Version {
    /// How many of `wasmelt_abi::processor::X86_64_LEVELS` it needs.
    pub fn level(self) -> u8 {
        match self {
            Version::Entry | Version::Body | Version::Baseline => 0,
            Version::V3 => 1,
            Version::V4 => 2,
            Version::Bitalg => 3,
        }
    }

    /// What follows the function's name in the version's symbol.
    pub fn suffix(self) -> &'static str {
        match self {
            Version::Entry => "",
            Version::Body => ".body",
            Version::Baseline => ".x86-64",
            Version::V3 => ".x86-64-v3",
            Version::V4 => ".x86-64-v4",
            Version::Bitalg => ".x86-64-bitalg",
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
        for version in [Version::V3, Version::V4, Version::Bitalg] {
            let level = X86_64_LEVELS[usize::from(version.level()) - 1];
            let target = Target { features: level_features(level), ..options.target.clone() };
            let options = Options { target, ..options.clone() };
            levels.push((version, build_isa(&options)?));
        }
        Ok(Levels { levels, is_everywhere: options.versions == Versions::Everywhere })
    }

    /// The levels that the context's function is compiled for, ascending.
    pub fn choose<'a>(
        &'a self,
        context: &mut Context,
    ) -> impl Iterator<Item = (Version, &'a dyn TargetIsa)> + use<'a> {
        let chosen = match self.levels.is_empty() {
            true => &[],
            false => choose_versions(measure_profile(context)),
        };
        let levels = self.levels.iter();
        let chosen = levels.filter(|(it, _)| self.is_everywhere || chosen.contains(it));
        chosen.map(|(version, isa)| (*version, &**isa))
    }
}

/// For which levels beyond the baseline a function is compiled.
fn choose_versions(profile: Profile) -> &'static [Version] {
    /// A version is worth its size if it saves at least this part of what the baseline executes.
    const PART_MIN: u64 = 16;
    /// Below so many instructions the way to the version costs as much as it saves.
    const SAVED_MIN: u64 = 4;
    let pays = |quarters: u64| {
        let saved = quarters / 4;
        saved >= SAVED_MIN && saved * PART_MIN >= profile.insts
    };
    if pays(profile.saved_bitalg) {
        &[Version::V3, Version::Bitalg]
    } else if pays(profile.saved_v4) {
        &[Version::V3, Version::V4]
    } else if pays(profile.saved_v3) {
        &[Version::V3]
    } else {
        &[]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(insts: u64, saved_v3: u64, saved_v4: u64) -> &'static [Version] {
        choose_versions(Profile { insts, saved_v3, saved_v4, saved_bitalg: 0 })
    }

    #[test]
    fn a_version_saves_a_sixteenth() {
        assert_eq!(choose(160, 40, 0), [Version::V3]);
        assert_eq!(choose(161, 40, 0), []);
        assert_eq!(choose(160, 40, 39), [Version::V3]);
        assert_eq!(choose(160, 0, 40), [Version::V3, Version::V4]);
        assert_eq!(choose(0, 0, 0), []);
        let counts = Profile { insts: 160, saved_v3: 0, saved_v4: 40, saved_bitalg: 40 };
        assert_eq!(choose_versions(counts), [Version::V3, Version::Bitalg]);
    }

    #[test]
    fn a_version_saves_more_than_the_way_to_it() {
        assert_eq!(choose(10, 15, 0), []);
        assert_eq!(choose(10, 16, 0), [Version::V3]);
    }

    #[test]
    fn only_the_default_options_have_versions() {
        let count = |options: &Options, listing| Levels::of(options, listing).unwrap().levels.len();
        let target = crate::targets::parse_target("x86_64-linux").unwrap();
        let options = Options { target, ..Options::default() };
        assert_eq!(count(&options, Listing::None), X86_64_LEVELS.len());
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
        assert_eq!(masks.collect::<Vec<_>>(), X86_64_LEVELS);
    }
}
