//! The rules of `docs/safety.md` behind the checks that calls between components keep.

use wasmelt_abi::trap::Trap;

/// What a check is called in a report, and the rule that demands it.
pub fn check_name(cause: Trap) -> (&'static str, &'static str) {
    match cause {
        Trap::PointerOutOfBounds => ("range", "A1"),
        Trap::Misaligned => ("alignment", "A1"),
        Trap::TooLong => ("length", "A1"),
        Trap::InvalidString => ("text", "A5"),
        Trap::InvalidChar => ("char", "A5"),
        Trap::InvalidDiscriminant => ("discriminant", "A5"),
        Trap::UnknownHandle | Trap::WrongHandleType | Trap::NotOwned => ("handle", "A6"),
        Trap::HandleLent => ("lent handle", "A3"),
        Trap::BorrowsLeft => ("borrows left", "A3"),
        Trap::CannotLeave => ("may leave", "A4"),
        Trap::CannotEnter => ("may enter", "A4"),
        // An adapter generates no other; should one ever do, the report names the cause.
        other => (other.message(), "-"),
    }
}

/// A rule in one sentence.
pub fn rule_text(rule: &str) -> &'static str {
    match rule {
        "A1" => "pointers that cross are checked for alignment, length and range",
        "A3" => "what is lent or borrowed is counted only where someone could break it",
        "A4" => "may-leave and may-enter flags exist only where they can be observed",
        "A5" => "what crosses must be a value of its type",
        "A6" => "a handle's index must be in use, and for that resource",
        _ => "no rule: it cannot be left out",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_are_those_of_the_document() {
        let document = include_str!("../../../docs/safety.md");
        for cause in Trap::ALL {
            let (_, rule) = check_name(*cause);
            if rule != "-" {
                assert!(document.contains(&format!("**{rule}: ")), "{rule} is not documented");
                assert_ne!(rule_text(rule), rule_text("-"));
            }
        }
    }
}
