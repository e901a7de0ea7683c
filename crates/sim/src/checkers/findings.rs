//! What checkers write down: how often each had something to check, and what it found broken.

use super::sight::Sight;
use super::violation::{Checker, Details, Violation};
use kafka::chunks::Chunks;
use wire::TopicPartition;

/// So many violations are kept; whoever finds that many knows enough.
const MOST_VIOLATIONS: usize = 100;

/// Counters and violations.
#[derive(Clone, Debug)]
pub(crate) struct Findings {
    checked: [u64; Checker::ALL.len()],
    violations: Chunks<Violation>,
}

impl Default for Findings {
    fn default() -> Self {
        Findings { checked: [0; Checker::ALL.len()], violations: Chunks::new() }
    }
}

impl Findings {
    /// A checker has something to check.
    pub(crate) fn count(&mut self, checker: Checker) {
        self.checked[checker as usize] += 1;
    }

    /// How often a checker had something to check.
    pub(crate) fn times_checked(&self, checker: Checker) -> u64 {
        self.checked[checker as usize]
    }

    /// Everything that was found broken, in order.
    pub(crate) fn violations(&self) -> &Chunks<Violation> {
        &self.violations
    }

    /// Counts the check, and writes down what is wrong unless it `holds`.
    pub(crate) fn require(
        &mut self,
        checker: Checker,
        sight: &Sight<'_>,
        partition: Option<&TopicPartition>,
        holds: bool,
        details: impl FnOnce() -> Details,
    ) {
        self.count(checker);
        if !holds {
            self.write_down(checker, sight, partition, details());
        }
    }

    /// A checker that complains of a partition once is not asked again about it.
    fn write_down(
        &mut self,
        checker: Checker,
        sight: &Sight<'_>,
        partition: Option<&TopicPartition>,
        details: Details,
    ) {
        let is_known = |known: &Violation| known.checker == checker && known.partition.as_ref() == partition;
        if self.violations.len() >= MOST_VIOLATIONS || self.violations.iter().any(is_known) {
            return;
        }
        self.violations.push(Violation {
            checker,
            at: sight.now,
            step: sight.step,
            event: sight.event,
            partition: partition.cloned(),
            details,
        });
    }
}
