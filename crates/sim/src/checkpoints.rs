//! Which worlds of the past are kept: one about every thousand steps near the present, fewer the further away. In a large
//! world a checkpoint costs more, for whatever changes behind it is copied once: there are fewer of them.

use crate::world::World;
use kafka::instant::Instant;
use std::collections::BTreeMap;

/// Steps between two checkpoints near the present.
pub(crate) const STEPS_APART: u64 = 1_000;

/// However far away, and until a run is very long, no more than so many times [`STEPS_APART`] lie between two of them.
const WIDEST_OF_A_SHORT_RUN: u64 = 8;

/// A world with more than so many replicas has wider gaps near the present, too.
const REPLICAS_OF_A_SMALL_WORLD: u64 = 32;

/// However large it is, no wider than this.
const WIDEST_NEAR_THE_PRESENT: u64 = 64;

/// A run so long that it would have more than so many of the widest gaps gets wider ones.
const WIDE_GAPS: u64 = 256;

/// Worlds of one history, by their number of steps divided by [`STEPS_APART`]. The beginning is always among them.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoints {
    worlds: BTreeMap<u64, World>,
}

impl Checkpoints {
    /// The beginning only.
    pub(crate) fn new(beginning: World) -> Checkpoints {
        Checkpoints { worlds: BTreeMap::from([(0, beginning)]) }
    }

    /// Keeps a world whose steps are a multiple of [`STEPS_APART`], as the present, and lets go of some that lie far
    /// from it in a history of `known_steps`.
    pub(crate) fn keep(&mut self, world: &World, known_steps: u64) {
        let present = world.steps() / STEPS_APART;
        let least = least_gap(world.checkers().replicas());
        if present.is_multiple_of(least) {
            self.worlds.entry(present).or_insert_with(|| world.clone());
            let widest = widest_gap(known_steps / STEPS_APART);
            self.worlds.retain(|place, _| place.is_multiple_of(gap_at(present.abs_diff(*place), widest).max(least)));
        }
    }

    /// Forgets what lies behind `steps`.
    pub(crate) fn cut_after(&mut self, steps: u64) {
        self.worlds.retain(|_, world| world.steps() <= steps);
    }

    /// The last one that had taken at most so many steps.
    pub(crate) fn before_step(&self, steps: u64) -> &World {
        let (_, world) = self.worlds.range(..=steps / STEPS_APART).next_back().expect("the beginning is always kept");
        world
    }

    /// The last one whose last step was at `instant` or before.
    pub(crate) fn before_instant(&self, instant: Instant) -> &World {
        let before = self.worlds.values().rev().find(|world| world.now() <= instant);
        before.expect("the beginning is always kept, and it is at instant 0")
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.worlds.len()
    }
}

/// A power of two.
fn least_gap(replicas: u64) -> u64 {
    let gap = (replicas / REPLICAS_OF_A_SMALL_WORLD).max(1);
    (1 << gap.ilog2()).min(WIDEST_NEAR_THE_PRESENT)
}

fn widest_gap(length: u64) -> u64 {
    WIDEST_OF_A_SHORT_RUN.max((length / WIDE_GAPS).next_power_of_two())
}

/// At a distance the gap is about an eighth of the distance: a power of two, so that what is kept stays kept.
fn gap_at(distance: u64, widest: u64) -> u64 {
    let eighth = (distance / 8).max(1);
    (1 << eighth.ilog2()).min(widest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_grow_with_the_distance_up_to_a_limit_that_grows_with_the_run() {
        let gaps: Vec<u64> = [0, 1, 15, 16, 31, 32, 63, 64, 1_000].map(|distance| gap_at(distance, 8)).to_vec();
        assert_eq!(gaps, [1, 1, 1, 2, 2, 4, 4, 8, 8]);
        assert_eq!([0, 1_000, 2_048, 2_049, 100_000].map(widest_gap), [8, 8, 8, 8, 512]);
        assert_eq!(gap_at(100_000, 512), 512);
        assert_eq!([0, 63, 64, 150, 30_000].map(least_gap), [1, 1, 2, 4, 64]);
    }
}
