//! Runs of one seed or of thousands of them, and how to run again the one that failed.

use std::fmt::Debug;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use glacier_core::clock::Instant;

/// The seed asked for by `SIM_SEED`.
pub fn named() -> Option<u64> {
    variable("SIM_SEED")
}

/// As many seeds as `SIM_SEEDS` says, or 6,000.
pub fn all() -> Range<u64> {
    0..variable("SIM_SEEDS").unwrap_or(6_000)
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs a seed, and says how to run it again where that fails: by `test` of the tests in `file`.
pub fn run<T>(seed: u64, file: &str, test: &str, run: impl FnOnce(u64) -> T) -> T {
    catch_unwind(AssertUnwindSafe(|| run(seed))).unwrap_or_else(|panic| {
        eprintln!("replay: SIM_SEED={seed} cargo test -p glacier-core --test {file} {test}");
        std::panic::resume_unwind(panic)
    })
}

/// Prints what was commanded when, and how it ended, if the seed was asked for by name.
pub fn show(seed: u64, trace: &[(Instant, impl Debug)], end: &impl Debug) {
    if named() == Some(seed) {
        for (at, command) in trace {
            println!("{:>9} {command:?}", at.0);
        }
        println!("{end:#?}");
    }
}
