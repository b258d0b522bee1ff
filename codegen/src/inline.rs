//! Which calls to inline: pure functions of plain numbers.
//!
//! Mechanism lives in `compile`; here is nothing but the weighing. Sizes are
//! numbers of CLIF instructions before optimisation, which is about one and a half
//! times what is left of them afterwards.

use crate::options::OptLevel;

/// What is known about a direct call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallSite {
    /// Size of the caller now, with what was inlined into it so far.
    pub caller_insts: u32,
    /// Size of the caller before anything was inlined into it.
    pub caller_insts_before: u32,
    /// Size of the callee, with what was inlined into it.
    pub callee_insts: u32,
    /// How many instructions were copied to make the callee what it is: what went into it, what
    /// went into that, and so on.
    pub callee_copied_insts: u32,
    /// How many calls and references name the callee in the whole program.
    pub callee_uses: u32,
    /// Whether caller and callee belong to different component instances, or one of them is the
    /// adapter between two.
    pub crosses_component: bool,
}

/// What the decisions are measured against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InlineLimits {
    /// Whether anything is inlined.
    pub enabled: bool,
    /// Instructions that a call itself costs: arguments, the call, prologue and epilogue.
    pub call_cost: u32,
    /// How much more a call across a boundary is worth, because the input's own compilers never
    /// saw both sides of it.
    pub boundary_bonus: u32,
    /// No caller grows beyond this size, because optimising takes more than linear time.
    pub caller_insts_max: u32,
    /// Copies of callees with other callers may grow a caller by its own size and this much.
    pub growth_insts_max: u32,
    /// A callee of which more instructions were copied than it has left, by this factor, stays out
    /// of line: along a chain of single callers every body would be copied once per link.
    pub copies_max: u32,
}

impl InlineLimits {
    /// The limits of an optimisation level; `enabled` overrides whether it inlines at all.
    pub fn of(opt_level: OptLevel, enabled: Option<bool>) -> InlineLimits {
        let full = InlineLimits {
            enabled: enabled.unwrap_or(opt_level != OptLevel::None),
            call_cost: 16,
            boundary_bonus: 240,
            caller_insts_max: 8_000,
            growth_insts_max: 2_000,
            copies_max: 40,
        };
        match opt_level {
            OptLevel::Less => InlineLimits { boundary_bonus: 60, growth_insts_max: 500, ..full },
            OptLevel::None | OptLevel::Full => full,
            OptLevel::Size => {
                InlineLimits { call_cost: 10, boundary_bonus: 20, growth_insts_max: 200, ..full }
            }
        }
    }
}

/// Whether to replace the call by the callee's body.
pub fn should_inline(site: CallSite, limits: &InlineLimits) -> bool {
    let size = site.caller_insts.saturating_add(site.callee_insts);
    let copied_max = site.callee_insts.saturating_mul(limits.copies_max);
    if !limits.enabled || size > limits.caller_insts_max || site.callee_copied_insts > copied_max {
        return false;
    }
    if site.callee_uses <= 1 {
        return true; // The out-of-line copy disappears, so nothing grows.
    }
    let bonus = if site.crosses_component { limits.boundary_bonus } else { 0 };
    let size_max = site.caller_insts_before.saturating_mul(2) + limits.growth_insts_max;
    site.callee_insts <= limits.call_cost + bonus && size <= size_max
}

/// Whether a function of that size can be inlined into any other: if not, its body need not be
/// kept once its machine code exists.
pub fn is_candidate(insts: u32, uses: u32, limits: &InlineLimits) -> bool {
    let size_max = match uses {
        0 | 1 => limits.caller_insts_max,
        _ => limits.call_cost + limits.boundary_bonus,
    };
    limits.enabled && insts <= size_max
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: CallSite = CallSite {
        caller_insts: 100,
        caller_insts_before: 100,
        callee_insts: 10,
        callee_copied_insts: 0,
        callee_uses: 5,
        crosses_component: false,
    };

    fn decide(site: CallSite) -> bool {
        should_inline(site, &InlineLimits::of(OptLevel::Full, None))
    }

    #[test]
    fn small_callees_go_in() {
        assert!(decide(SITE));
        assert!(!decide(CallSite { callee_insts: 17, ..SITE }));
    }

    #[test]
    fn boundaries_are_worth_more() {
        assert!(decide(CallSite { callee_insts: 200, crosses_component: true, ..SITE }));
        assert!(!decide(CallSite { callee_insts: 300, crosses_component: true, ..SITE }));
    }

    #[test]
    fn single_use_goes_in_up_to_the_callers_limit() {
        assert!(decide(CallSite { callee_insts: 5_000, callee_uses: 1, ..SITE }));
        assert!(!decide(CallSite { callee_insts: 7_901, callee_uses: 1, ..SITE }));
    }

    #[test]
    fn growth_is_bounded() {
        let grown = CallSite { caller_insts: 2_195, ..SITE };
        assert!(!decide(grown));
        assert!(decide(CallSite { caller_insts: 2_190, ..SITE }));
    }

    #[test]
    fn a_chain_is_cut_before_its_copies_cost_more_than_its_code() {
        let mut copied_insts = 0;
        let mut body_insts = 10;
        for links in 1u32.. {
            let callee = (body_insts, copied_insts);
            let site = CallSite {
                callee_insts: callee.0,
                callee_copied_insts: callee.1,
                callee_uses: 1,
                ..SITE
            };
            if !decide(site) {
                assert!(links > 32, "sixteen components and their adapters are one function");
                assert!(links < 200, "a thousand are not");
                return;
            }
            copied_insts += body_insts;
            body_insts += 10;
        }
    }

    #[test]
    fn nothing_goes_in_without_optimisation() {
        assert!(!should_inline(SITE, &InlineLimits::of(OptLevel::None, None)));
        assert!(!should_inline(SITE, &InlineLimits::of(OptLevel::Full, Some(false))));
        assert!(should_inline(SITE, &InlineLimits::of(OptLevel::None, Some(true))));
    }

    #[test]
    fn what_should_inline_accepts_is_a_candidate() {
        for level in [OptLevel::None, OptLevel::Less, OptLevel::Full, OptLevel::Size] {
            let limits = InlineLimits::of(level, None);
            for callee_insts in (0..9_000).step_by(7) {
                for (callee_uses, crosses_component) in [(1, false), (2, true), (3, false)] {
                    let site = CallSite { callee_insts, callee_uses, crosses_component, ..SITE };
                    let accepted = should_inline(site, &limits);
                    assert!(!accepted || is_candidate(callee_insts, callee_uses, &limits));
                }
            }
        }
    }
}
