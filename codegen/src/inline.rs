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
    /// How many calls and references name the callee in the whole program.
    pub callee_uses: u32,
    /// Whether caller and callee belong to different component instances, or one of them is the
    /// adapter between two.
    pub crosses_component: bool,
    /// How many arguments are constants: what they decide disappears from the copy.
    pub constant_args: u32,
    /// Whether the call is inside a loop of its function.
    pub is_in_loop: bool,
    /// Whether the call is where its function seldom gets.
    pub is_cold: bool,
    /// Whether the program may still grow by copies.
    pub may_grow: bool,
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
    /// How much more a call inside a loop is worth.
    pub loop_bonus: u32,
    /// How much more a call is worth for each constant argument, up to `CONSTANT_ARGS_MAX`.
    pub constant_arg_bonus: u32,
    /// No caller grows beyond this size, because optimising takes more than linear time.
    pub caller_insts_max: u32,
    /// Nor beyond this by calls across a boundary: a chain of components and the adapters between
    /// them is one function. Cranelift takes time in proportion to the blocks and the memories that they
    /// access, so a longer chain of variants would take quadratic time.
    pub chain_insts_max: u32,
    /// Copies of callees with other callers may grow a caller by its own size and this much.
    pub growth_insts_max: u32,
    /// Such copies may grow the program by an instruction for each byte of its bodies, and by this
    /// much.
    pub program_growth_insts_max: u64,
}

/// Constant arguments beyond these do not count.
const CONSTANT_ARGS_MAX: u32 = 4;

impl InlineLimits {
    /// The limits of an optimisation level; `enabled` overrides whether it inlines at all.
    pub fn of(opt_level: OptLevel, enabled: Option<bool>) -> InlineLimits {
        let full = InlineLimits {
            enabled: enabled.unwrap_or(opt_level != OptLevel::None),
            call_cost: 16,
            boundary_bonus: 240,
            loop_bonus: 16,
            constant_arg_bonus: 4,
            caller_insts_max: 8_000,
            chain_insts_max: 12_000,
            growth_insts_max: 2_000,
            program_growth_insts_max: 50_000,
        };
        match opt_level {
            OptLevel::Less => {
                let (loop_bonus, constant_arg_bonus) = (0, 0);
                let boundary_bonus = 60;
                let growth_insts_max = 500;
                InlineLimits {
                    boundary_bonus,
                    loop_bonus,
                    constant_arg_bonus,
                    growth_insts_max,
                    ..full
                }
            }
            OptLevel::None | OptLevel::Full => full,
            OptLevel::Size => {
                let (loop_bonus, constant_arg_bonus) = (0, 2);
                let (call_cost, boundary_bonus, growth_insts_max) = (10, 20, 200);
                InlineLimits {
                    call_cost,
                    boundary_bonus,
                    loop_bonus,
                    constant_arg_bonus,
                    growth_insts_max,
                    ..full
                }
            }
        }
    }
}

/// Whether to replace the call by the callee's body.
pub fn should_inline(site: CallSite, limits: &InlineLimits) -> bool {
    let size = site.caller_insts.saturating_add(site.callee_insts);
    let size_max = match site.crosses_component {
        true => limits.chain_insts_max,
        false => limits.caller_insts_max,
    };
    if !limits.enabled || size > size_max {
        return false;
    }
    if site.callee_uses <= 1 {
        return true; // The out-of-line copy disappears, so nothing grows.
    }
    let size_max = site.caller_insts_before.saturating_mul(2) + limits.growth_insts_max;
    site.callee_insts <= weigh_call(site, limits) && size <= size_max
}

/// By how many instructions the copy of a callee grows the program.
pub fn growth_insts(site: CallSite, limits: &InlineLimits) -> u32 {
    match site.callee_uses {
        0 | 1 => 0,
        _ => site.callee_insts.saturating_sub(limits.call_cost),
    }
}

/// Whether copies may grow the program further, whose bodies have that many bytes.
pub fn may_grow(grown_insts: u64, body_bytes: u64, limits: &InlineLimits) -> bool {
    grown_insts < body_bytes.saturating_add(limits.program_growth_insts_max)
}

/// How large a callee with other callers may be to go in.
fn weigh_call(site: CallSite, limits: &InlineLimits) -> u32 {
    if site.is_cold || !site.may_grow {
        return limits.call_cost;
    }
    let boundary_bonus = if site.crosses_component { limits.boundary_bonus } else { 0 };
    let loop_bonus = if site.is_in_loop { limits.loop_bonus } else { 0 };
    let constant_args = site.constant_args.min(CONSTANT_ARGS_MAX);
    limits.call_cost + boundary_bonus + loop_bonus + constant_args * limits.constant_arg_bonus
}

/// The site with the largest weight.
const BEST_SITE: CallSite = CallSite {
    caller_insts: 0,
    caller_insts_before: 0,
    callee_insts: 0,
    callee_uses: 2,
    crosses_component: true,
    constant_args: CONSTANT_ARGS_MAX,
    is_in_loop: true,
    is_cold: false,
    may_grow: true,
};

/// Whether a function of that size can be inlined into any other: if not, its body need not be
/// kept once its machine code exists.
pub fn is_candidate(insts: u32, uses: u32, limits: &InlineLimits) -> bool {
    let size_max = match uses {
        0 | 1 => limits.chain_insts_max,
        _ => weigh_call(BEST_SITE, limits),
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
        callee_uses: 5,
        crosses_component: false,
        constant_args: 0,
        is_in_loop: false,
        is_cold: false,
        may_grow: true,
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
    fn what_pays_more_may_be_larger() {
        let limits = InlineLimits::of(OptLevel::Full, None);
        let (call, boundary) = (limits.call_cost, limits.boundary_bonus);
        let (in_loop, constant) = (limits.loop_bonus, limits.constant_arg_bonus);
        // Crosses, in a loop, cold, constant arguments: the largest callee that goes in.
        let table = [
            (false, false, false, 0, call),
            (true, false, false, 0, call + boundary),
            (false, true, false, 0, call + in_loop),
            (false, false, false, 1, call + constant),
            (false, false, false, 4, call + 4 * constant),
            (false, false, false, 9, call + 4 * constant),
            (true, true, false, 2, call + boundary + in_loop + 2 * constant),
            (true, true, true, 2, call),
            (false, false, true, 0, call),
        ];
        for (crosses_component, is_in_loop, is_cold, constant_args, largest) in table {
            let site = CallSite { crosses_component, is_in_loop, is_cold, constant_args, ..SITE };
            assert!(decide(CallSite { callee_insts: largest, ..site }), "{site:?}");
            assert!(!decide(CallSite { callee_insts: largest + 1, ..site }), "{site:?}");
        }
        assert!(in_loop > 0 && constant > 0);
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
    fn a_chain_of_components_is_one_function() {
        // A virtualizer that passes on records, and the adapters around it.
        let link_insts = 250;
        let site = CallSite { callee_uses: 1, crosses_component: true, ..SITE };
        let links = (1..).take_while(|links| {
            decide(CallSite { caller_insts: link_insts, callee_insts: links * link_insts, ..site })
        });
        let links = links.count();
        assert!(links > 32, "{links} links are one function");
        assert!(links < 200, "two hundred links are several");
        let inside = CallSite { crosses_component: false, callee_insts: 8_000, ..site };
        assert!(!decide(inside), "the input's compiler decided that it does not go in");
    }

    #[test]
    fn a_program_that_has_grown_takes_in_what_costs_no_more_than_a_call() {
        let limits = InlineLimits::of(OptLevel::Full, None);
        assert!(may_grow(51_999, 2_000, &limits));
        assert!(!may_grow(52_000, 2_000, &limits));
        let site = CallSite { crosses_component: true, may_grow: false, ..SITE };
        assert!(decide(CallSite { callee_insts: limits.call_cost, ..site }));
        assert!(!decide(CallSite { callee_insts: limits.call_cost + 1, ..site }));
        assert!(decide(CallSite { callee_insts: 500, callee_uses: 1, ..site }));
        assert_eq!(growth_insts(CallSite { callee_insts: 100, ..SITE }, &limits), 84);
        assert_eq!(growth_insts(CallSite { callee_uses: 1, ..SITE }, &limits), 0);
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
            for callee_insts in (0..13_000).step_by(7) {
                for (callee_uses, crosses_component) in
                    [(1, false), (1, true), (2, true), (3, false)]
                {
                    let (is_in_loop, constant_args) = (true, callee_insts % 9);
                    let site = CallSite { is_in_loop, constant_args, ..SITE };
                    let site = CallSite { callee_insts, callee_uses, crosses_component, ..site };
                    let accepted = should_inline(site, &limits);
                    assert!(!accepted || is_candidate(callee_insts, callee_uses, &limits));
                }
            }
        }
    }
}
