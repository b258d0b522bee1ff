//! The list of expected failures. A listed failure that does not happen is a failure, so
//! that the list can only shrink.

use crate::corpora::repository;
use std::collections::{BTreeMap, BTreeSet};
use wasmelt::wast::Outcome;

/// The list of expected failures.
pub struct Expectations {
    /// `FILE:LINE`.
    fail: BTreeSet<String>,
    /// Files of which some assertions need what is not implemented.
    unsupported: BTreeSet<String>,
}

impl Expectations {
    /// The list in the repository.
    pub fn read() -> Expectations {
        let path = repository().join("tests/suites/expected-failures.txt");
        let text = std::fs::read_to_string(path).expect("the list is part of the repository");
        let mut list = Expectations { fail: BTreeSet::new(), unsupported: BTreeSet::new() };
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match line.split_once(' ').map(|(word, name)| (word, name.trim())) {
                Some(("fail", name)) => list.fail.insert(name.to_owned()),
                Some(("unsupported", name)) => list.unsupported.insert(name.to_owned()),
                _ => panic!("no entry of the list of expected failures: {line}"),
            };
        }
        list
    }

    /// What differs, in either direction.
    pub fn compare(mut self, outcomes: &BTreeMap<String, Outcome>) -> Vec<String> {
        let mut problems = Vec::new();
        let mut passed = 0;
        for (file, outcome) in outcomes {
            passed += outcome.passed;
            for failure in &outcome.failures {
                let line = failure.split(':').next().unwrap_or_default();
                if !self.fail.remove(&format!("{file}:{line}")) {
                    problems.push(format!("{file}:{failure}"));
                }
            }
            if outcome.unsupported > 0 && !self.unsupported.remove(file) {
                problems.push(format!("{file}: unsupported: {:?}", outcome.missing));
            }
        }
        let stale = self.fail.iter().chain(&self.unsupported);
        problems.extend(stale.map(|entry| format!("{entry}: listed, but it passes: delete it")));
        println!("{passed} assertions of {} files passed", outcomes.len());
        problems
    }
}
