//! What a seed makes of an upload's surroundings: what there is room for, what goes wrong, and what the user does.

use glacier_core::upload::{Event, Limits};

use crate::faults::{Intensities, Rng};
use crate::world::{Happening, World};

/// Another share of the budget for every seed.
pub fn limits(rng: &mut Rng) -> Limits {
    Limits { in_flight: u32::try_from(1 + rng.below(6)).unwrap(), hash_ahead: u32::try_from(1 + rng.below(4)).unwrap() }
}

/// Faults of network, gateway, store and browser.
pub fn faults(world: &mut World, rng: &mut Rng) {
    if rng.chance(900) {
        world.intensities = Intensities::swarm(rng);
    }
    if rng.chance(200) {
        world.lifetime_ms = rng.below(3_000);
    }
    world.journal_works = rng.chance(900);
    world.guesses = rng.chance(500);
}

/// Up to three things that happen from outside, at moments of `moment`. What is neither of every upload is made by `others`.
pub fn happenings(
    world: &mut World,
    rng: &mut Rng,
    moment: impl Fn(&mut Rng) -> u64,
    others: impl Fn(&mut World, &mut Rng, u64),
) {
    for _ in 0..rng.below(4) {
        let (begin, end) = (moment(rng), moment(rng));
        match rng.below(10) {
            0 | 1 => {
                world.user(begin, Event::Pause);
                world.user(begin + end, Event::Resume);
            }
            2 | 3 => {
                world.user(begin, Event::Offline);
                world.user(begin + end, Event::Online);
            }
            4 => world.at(begin, Happening::Expiry),
            5 => world.at(begin, Happening::LostPart),
            _ => others(world, rng, begin),
        }
    }
    world.at(crate::QUIET_MS, Happening::Quiet);
}

/// What happens to a file besides.
pub fn of_a_file(world: &mut World, rng: &mut Rng, begin: u64) {
    match rng.below(4) {
        0 | 1 if world.journal_works => world.at(begin, Happening::Crash),
        _ if rng.chance(300) => world.user(begin, Event::Abort),
        _ if rng.chance(300) => world.at(begin, Happening::FileChange),
        _ => {}
    }
}
