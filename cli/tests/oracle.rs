//! The second oracle: calls between components against a reference interpreter.
//!
//! Each case draws a function type, values, the sides' string encodings, the width of their
//! pointers, who defines the resource type of the handles, how their `realloc` behaves, and
//! sometimes a mistake of either side. The reference, written after
//! `CanonicalABI.md` over plain values, predicts what each side sees; a pair of components makes
//! the call natively and shows its memory. `WASMELT_ORACLE_CASES` and `WASMELT_ORACLE_SEED`
//! choose how many cases are drawn and from where; a case that fails prints the seed that draws
//! it alone, and leaves its text behind.

#[path = "oracle/check.rs"]
mod check;
#[path = "oracle/draw.rs"]
mod draw;
#[path = "oracle/guest.rs"]
mod guest;
#[path = "oracle/handles.rs"]
mod handles;
#[path = "oracle/lift.rs"]
mod lift;
#[path = "oracle/lower.rs"]
mod lower;
#[path = "oracle/pair.rs"]
mod pair;
#[path = "oracle/strings.rs"]
mod strings;
#[path = "oracle/text.rs"]
mod text;
#[path = "oracle/types.rs"]
mod types;

use check::check_pair;
use pair::{Expected, draw_pair};
use std::path::{Path, PathBuf};
use wasmelt::wast::run::{Report, run_actions};
use wasmelt_abi::trap::Trap;
use wasmelt_codegen::options::{MemoryMode, OptLevel, Options, Versions};
use wasmelt_flatten::script::{Verdict, link_script, read_script};

/// Cases of one program: enough that starting it costs nothing, few enough to be found.
const BATCH_CASES: u64 = 40;

#[test]
fn calls_are_what_the_reference_predicts() {
    let number = |name, default| match std::env::var(name) {
        Ok(text) => text.parse().expect("the variable is a number"),
        Err(_) => default,
    };
    let cases = number("WASMELT_ORACLE_CASES", 2000);
    let seed = number("WASMELT_ORACLE_SEED", 1);
    let mut problems = Vec::new();
    let (mut done, mut trapped) = (0u64, Vec::new());
    for start in (0..cases).step_by(BATCH_CASES as usize) {
        let seeds = (start..cases.min(start + BATCH_CASES)).map(|case| seed.wrapping_add(case));
        let seeds = seeds.collect::<Vec<_>>();
        let pairs = seeds.iter().map(|&seed| draw_pair(seed)).collect::<Vec<_>>();
        for pair in &pairs {
            match pair.expected {
                Expected::Done(_) => done += 1,
                Expected::Trap { trap, .. } => trapped.push(trap),
            }
        }
        let options = choose_options(start / BATCH_CASES);
        let texts = pairs.iter().enumerate().map(|(at, pair)| text::write_pair(pair, at));
        let texts = texts.collect::<Vec<_>>();
        let reports = run_script(&texts.concat(), &options);
        for (at, pair) in pairs.iter().enumerate() {
            let reports = reports.as_ref().map(|reports| &reports[2 * at..2 * at + 2]);
            let result = reports.map_err(Clone::clone).and_then(|both| check_pair(pair, both));
            if let Err(problem) = result {
                let path = keep_text(&texts[at], seeds[at]);
                problems.push(format!(
                    "WASMELT_ORACLE_SEED={} WASMELT_ORACLE_CASES=1: {problem} ({:?}, {:?}; {})",
                    seeds[at],
                    options.opt_level,
                    options.memory_mode,
                    path.display()
                ));
            }
        }
    }
    let shown = problems.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(problems.is_empty(), "{} of {cases} cases:\n{shown}", problems.len());
    if cases >= 1000 {
        // A test that never meets a mistake, or meets nothing else, would be worth nothing.
        assert!(done > cases / 3, "only {done} calls of {cases} returned");
        let mistakes = [
            Trap::Misaligned,
            Trap::PointerOutOfBounds,
            Trap::InvalidString,
            Trap::InvalidChar,
            Trap::InvalidDiscriminant,
            Trap::TooLong,
            Trap::UnknownHandle,
            Trap::HandleLent,
            Trap::BorrowsLeft,
        ];
        let absent = mistakes.iter().filter(|mistake| !trapped.contains(mistake));
        assert_eq!(absent.collect::<Vec<_>>(), [&Trap::Misaligned; 0], "are never made");
    }
}

/// Every way of generating code gets its turn.
fn choose_options(batch: u64) -> Options {
    let levels = [OptLevel::None, OptLevel::Less, OptLevel::Full, OptLevel::Size];
    let modes = [MemoryMode::Guard, MemoryMode::Bounds];
    Options {
        opt_level: levels[(batch % 4) as usize],
        memory_mode: modes[(batch / 4 % 2) as usize],
        inline: Some((batch / 8).is_multiple_of(2)),
        versions: [Versions::WherePaying, Versions::Everywhere][(batch / 4 % 2) as usize],
        ..Options::default()
    }
}

/// What became of each call, two of each case; an error if the script is not even compiled.
fn run_script(text: &str, options: &Options) -> Result<Vec<Option<Report>>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("oracle.wast");
    std::fs::write(&path, text).map_err(|error| error.to_string())?;
    let script = read_script(&path).and_then(link_script).map_err(|error| error.to_string())?;
    let reports = run_actions(&script.program, options).map_err(|error| error.to_string())?;
    let mut calls = Vec::new();
    for check in &script.checks {
        match (&check.verdict, check.keyword) {
            (Verdict::Run { action, .. }, "assert_return") => {
                calls.push(reports.get(*action).cloned());
            }
            (Verdict::Run { .. } | Verdict::Passed, _) => {}
            (verdict, keyword) => return Err(format!("{}: {keyword}: {verdict:?}", check.line)),
        }
    }
    Ok(calls)
}

fn keep_text(text: &str, seed: u64) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("oracle-{seed}.wast"));
    std::fs::write(&path, text).expect("the target folder can be written to");
    path
}
