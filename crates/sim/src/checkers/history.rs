//! What checkers remember of each partition. A topic that was made anew has another id and begins anew.

use super::sight::{LogGlance, epoch_at};
use kafka::instant::Instant;
use kafka::metadata::PartitionRegistration;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::{
    BrokerEpoch, BrokerId, LeaderEpoch, Offset, PartitionEpoch, PartitionIndex, TopicId, TopicName, TopicPartition,
};

/// All partitions that exist or have existed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Histories {
    by_partition: Arc<BTreeMap<TopicPartition, Arc<History>>>,
}

/// One partition.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) topic_id: TopicId,
    /// How many topics of this name there have been.
    pub(crate) lives: u32,
    /// A controller has deleted it, which not everybody need have heard of.
    pub(crate) is_deleted: bool,
    /// Up to here records are committed: the highest high watermark that a leader has had.
    pub(crate) committed: Mark,
    /// Up to where any leader has ever held records for committed.
    pub(crate) committed_ever: Offset,
    /// Up to here a replica may lack what others have: compaction has been there.
    pub(crate) compacted_to: Offset,
    /// Up to here some replica has deleted records, as retention or a user wanted: others may lack them, too.
    pub(crate) deleted_to: Offset,
    /// The same, also where a leader that was elected uncleanly has the records still.
    pub(crate) deleted_ever: Offset,
    /// Up to here consumers have read.
    pub(crate) read: Mark,
    /// From here on records were lost to an unclean election or a power loss, if there was one.
    pub(crate) weakened_from: Option<Offset>,
    /// Leaders of earlier epochs may differ from what is committed now.
    pub(crate) weakened_before: LeaderEpoch,
    /// Who was elected for that epoch uncleanly and does not know it yet: it may still cut what it has, as a follower.
    pub(crate) unaware: Option<BrokerId>,
    /// Replicas that lost records with their power, and have not got back what was committed.
    pub(crate) damaged: Vec<BrokerId>,
    /// From here on some replica has lost records with its power.
    pub(crate) lost_from: Option<Offset>,
    /// From here on a leader that had lost records with its power went on in an epoch in which it had led before, and which.
    pub(crate) resumed: Option<(Offset, LeaderEpoch)>,
    /// Up to here some log has reached.
    pub(crate) written_to: Offset,
    /// Who led in which epoch.
    pub(crate) leaders: BTreeMap<LeaderEpoch, BrokerId>,
    /// The leadership seen last.
    pub(crate) term: Option<Term>,
    /// The leader that was looked at last, its epoch, how many were in sync then, and how many had to be.
    pub(crate) in_sync: Option<(BrokerId, LeaderEpoch, usize, usize)>,
    /// How many were in sync when records were committed: the newest stretches.
    commits: Vec<Commit>,
    /// What each broker proposed last.
    pub(crate) proposals: BTreeMap<BrokerId, Proposed>,
    /// The controller's state as it was seen last, and the quorum epoch in which that was.
    pub(crate) state: Option<(LeaderEpoch, PartitionRegistration)>,
    /// A leader has not proposed to go on without a replica that lags.
    pub(crate) overdue: Option<Overdue>,
}

/// The end of a stretch of records, and the epoch of the last one in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) end: Offset,
    pub(crate) epoch: LeaderEpoch,
}

/// Neighbouring records that were committed while as many were in sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Commit {
    end: Offset,
    in_sync: u8,
}

/// So many stretches are remembered; what was committed before them counts to the oldest.
const MOST_COMMITS: usize = 8;

/// A leader's proposal for the in-sync replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proposed {
    /// The in-sync replicas for which it was made.
    pub(crate) from: Vec<BrokerId>,
    /// The state for which it was made.
    pub(crate) partition_epoch: PartitionEpoch,
    /// The members, each with the registration that the leader saw, or -1.
    pub(crate) members: Vec<(BrokerId, BrokerEpoch)>,
}

/// Since when a leader could have proposed to go on without a replica that lags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overdue {
    pub(crate) leader: BrokerId,
    pub(crate) leader_epoch: LeaderEpoch,
    pub(crate) since: Instant,
}

/// One leadership of one run of a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) broker: BrokerId,
    pub(crate) broker_epoch: BrokerEpoch,
    pub(crate) leader_epoch: LeaderEpoch,
    pub(crate) high_watermark: Offset,
    pub(crate) last_stable_offset: Offset,
    pub(crate) log_start_offset: Offset,
}

impl Mark {
    const NOTHING: Mark = Mark { end: Offset::ZERO, epoch: LeaderEpoch::NONE };
}

impl Histories {
    /// A topic was made; what was known of an earlier one of its name does not count any more.
    pub(crate) fn on_topic_created(&mut self, topic: &TopicName, topic_id: TopicId, partitions: i32) {
        for index in 0..partitions {
            self.begin_unless_known(TopicPartition::new(topic.clone(), PartitionIndex(index)), topic_id);
        }
    }

    /// A topic was deleted.
    pub(crate) fn on_topic_deleted(&mut self, topic: &TopicName) {
        let by_partition = Arc::make_mut(&mut self.by_partition).iter_mut();
        let deleted = by_partition.filter(|(partition, _)| partition.topic == *topic);
        deleted.for_each(|(_, history)| Arc::make_mut(history).is_deleted = true);
    }

    /// A topic has so many partitions now.
    pub(crate) fn on_partitions_added(&mut self, topic: &TopicName, partitions: i32) {
        let first = TopicPartition::new(topic.clone(), PartitionIndex(0));
        let Some(topic_id) = self.by_partition.get(&first).map(|history| history.topic_id) else { return };
        for index in 0..partitions {
            self.begin_unless_known(TopicPartition::new(topic.clone(), PartitionIndex(index)), topic_id);
        }
    }

    /// The partition of that topic exists, maybe for some time already.
    pub(crate) fn begin_unless_known(&mut self, partition: TopicPartition, topic_id: TopicId) {
        if self.get(&partition, topic_id).is_some() {
            return;
        }
        let lives = self.by_partition.get(&partition).map_or(0, |history| history.lives) + 1;
        Arc::make_mut(&mut self.by_partition).insert(partition, Arc::new(History::new(topic_id, lives)));
    }

    /// What is known of a partition of that topic.
    pub(crate) fn get(&self, partition: &TopicPartition, topic_id: TopicId) -> Option<&History> {
        self.by_partition.get(partition).map(Arc::as_ref).filter(|history| history.topic_id == topic_id)
    }

    /// The partitions of which something is known.
    pub(crate) fn partitions(&self) -> Vec<TopicPartition> {
        self.by_partition.keys().cloned().collect()
    }

    /// What is known of a partition, whichever topic of its name it belonged to last.
    pub(crate) fn last(&self, partition: &TopicPartition) -> Option<&History> {
        self.by_partition.get(partition).map(Arc::as_ref)
    }

    /// `broker` has stood still, or is another process now: it had no time to look for replicas that lag.
    pub(crate) fn give_time_to(&mut self, broker: BrokerId) {
        let is_overdue = |history: &History| history.overdue.is_some_and(|overdue| overdue.leader == broker);
        if self.by_partition.values().any(|history| is_overdue(history)) {
            let histories = Arc::make_mut(&mut self.by_partition).values_mut();
            histories.filter(|history| is_overdue(history)).for_each(|history| Arc::make_mut(history).overdue = None);
        }
    }

    /// The same as `get`, to change it.
    pub(crate) fn get_mut(&mut self, partition: &TopicPartition, topic_id: TopicId) -> Option<&mut History> {
        let history = Arc::make_mut(&mut self.by_partition).get_mut(partition)?;
        (history.topic_id == topic_id).then(|| Arc::make_mut(history))
    }
}

impl History {
    fn new(topic_id: TopicId, lives: u32) -> History {
        History {
            topic_id,
            lives,
            is_deleted: false,
            committed: Mark::NOTHING,
            committed_ever: Offset::ZERO,
            compacted_to: Offset::ZERO,
            deleted_to: Offset::ZERO,
            deleted_ever: Offset::ZERO,
            read: Mark::NOTHING,
            weakened_from: None,
            weakened_before: LeaderEpoch::NONE,
            unaware: None,
            damaged: Vec::new(),
            lost_from: None,
            resumed: None,
            written_to: Offset::ZERO,
            leaders: BTreeMap::new(),
            term: None,
            in_sync: None,
            commits: Vec::new(),
            proposals: BTreeMap::new(),
            state: None,
            overdue: None,
        }
    }

    /// A leader, be it one that was deposed and does not know it, tells clients that all below is committed.
    pub(crate) fn claim(&mut self, end: Offset) {
        self.committed_ever = self.committed_ever.max(end);
    }

    /// Whether the last proposal that any leader made has that member: the leader waits for it from then on
    /// (`PartitionState.maximalIsr`), though no living controller may know.
    pub(crate) fn is_proposed(&self, member: BrokerId) -> bool {
        let last = self.proposals.values().max_by_key(|proposed| proposed.partition_epoch);
        last.is_some_and(|proposed| proposed.members.iter().any(|(broker, _)| *broker == member))
    }

    /// A leader that has lost records with its power goes on from `end` in an epoch in which it had led before.
    pub(crate) fn resume(&mut self, end: Offset, leader_epoch: LeaderEpoch) {
        let (from, epoch) = self.resumed.unwrap_or((end, leader_epoch));
        self.resumed = Some((from.min(end), epoch.max(leader_epoch)));
    }

    /// Whether a leader that went on without what its power took may be the reason why records of that epoch below `end` are
    /// not everywhere.
    pub(crate) fn has_resumed_below(&self, mark: Mark) -> bool {
        self.resumed.is_some_and(|(from, epoch)| mark.end > from && mark.epoch <= epoch)
    }

    /// Whether a replica had deleted the record at `offset` once, and shows it again after a restart: its epoch cache does
    /// not know of it (`LeaderEpochFileCache.truncateFromStart`), so it is compared with nothing.
    pub(crate) fn is_back(&self, log: &LogGlance<'_>, offset: Offset) -> bool {
        offset < log.end && offset < self.deleted_ever && !log.epoch_at(offset).is_known()
    }

    /// The high watermark of a leader with so many in sync has risen.
    pub(crate) fn commit(&mut self, end: Offset, in_sync: usize, leader_epochs: &[(LeaderEpoch, Offset)]) {
        if end <= self.committed.end {
            return;
        }
        self.committed = Mark { end, epoch: epoch_at(leader_epochs, end + -1) };
        let commit = Commit { end, in_sync: in_sync as u8 };
        match self.commits.last_mut() {
            Some(last) if last.in_sync == commit.in_sync => *last = commit,
            Some(_) | None => {
                if self.commits.len() == MOST_COMMITS {
                    self.commits.remove(0);
                }
                self.commits.push(commit);
            }
        }
    }

    /// How many were in sync when the record below `end` was committed, if that has been seen.
    pub(crate) fn in_sync_at_commit(&self, end: Offset) -> Option<u8> {
        let place = self.commits.partition_point(|commit| commit.end < end);
        self.commits.get(place).map(|commit| commit.in_sync)
    }

    /// A host lost its power, and this is what its disk still has; `end` is where the longest log of others ends. What
    /// nobody else has may arrive yet, as it was sent before.
    pub(crate) fn lose_power(&mut self, broker: BrokerId, log: &LogGlance<'_>, end: Offset) {
        if log.end < end.max(self.written_to) || !log.reaches(self.committed.end, self.committed.epoch) {
            self.lost_from = Some(self.lost_from.map_or(log.end, |from| from.min(log.end)));
            if !self.damaged.contains(&broker) {
                self.damaged.push(broker);
            }
        }
    }

    /// A replica has got records: it may have all again.
    pub(crate) fn maybe_repair(&mut self, broker: BrokerId, log: &LogGlance<'_>) {
        if log.reaches(self.committed.end, self.committed.epoch) {
            self.damaged.retain(|damaged| *damaged != broker);
        }
    }

    /// A leader was elected that need not have what was committed: only what it has counts from now on; nothing if it has
    /// no log. `whole` is the log that has it all, or the newest: what the leader has beside that, it may yet cut.
    /// `prefix` is what all logs have in common: who led before may not know it yet, and go on from where its log ends.
    pub(crate) fn weaken(
        &mut self,
        leader_epoch: LeaderEpoch,
        log: Option<&LogGlance<'_>>,
        whole: Option<LogGlance<'_>>,
        prefix: Offset,
    ) {
        let common = log.map_or(Offset::ZERO, |log| whole.map_or(log.end, |whole| log.common_end(&whole)));
        let shortened = |mark: Mark| {
            let end = mark.end.min(common);
            Mark { end, epoch: log.map_or(LeaderEpoch::NONE, |log| log.epoch_at(end + -1)) }
        };
        self.committed = shortened(self.committed);
        self.commits.iter_mut().for_each(|commit| commit.end = commit.end.min(self.committed.end));
        self.read = shortened(self.read);
        self.deleted_to = self.deleted_to.min(common);
        self.written_to = self.written_to.min(common);
        let from = common.min(prefix);
        self.weakened_from = Some(self.weakened_from.map_or(from, |known| known.min(from)));
        self.weakened_before = leader_epoch;
    }
}

#[cfg(test)]
mod tests {
    use super::super::sight::LogByHand;
    use super::*;

    fn mark(end: i64, epoch: i32) -> Mark {
        Mark { end: Offset(end), epoch: LeaderEpoch(epoch) }
    }

    #[test]
    fn behind_an_unclean_election_only_what_the_leader_has_in_common_with_the_whole_log_counts() {
        let whole = LogByHand::of(&[(0, 4), (1, 6)]);
        for (elected, prefix, committed, weakened_from) in [
            (Some(vec![(0, 4), (1, 2)]), 10, mark(6, 1), 6),
            (Some(vec![(0, 4)]), 10, mark(4, 0), 4),
            (Some(vec![(0, 3), (2, 9)]), 10, mark(3, 0), 3),
            (Some(vec![(0, 4)]), 2, mark(4, 0), 2),
            (None, 10, mark(0, -1), 0),
        ] {
            let mut history = History::new(TopicId(7), 1);
            (history.committed, history.read, history.deleted_to) = (mark(9, 1), mark(8, 1), Offset(7));
            let elected = elected.map(|epochs| LogByHand::of(&epochs));
            let log = elected.as_ref().map(|log| log.from(0));
            history.weaken(LeaderEpoch(5), log.as_ref(), Some(whole.from(0)), Offset(prefix));
            assert_eq!((history.committed, history.read), (committed, committed));
            assert_eq!(history.deleted_to, committed.end, "what was deleted may be there again");
            assert_eq!((history.weakened_from, history.weakened_before), (Some(Offset(weakened_from)), LeaderEpoch(5)));
            history.weaken(LeaderEpoch(6), Some(&whole.from(0)), None, Offset(20));
            assert_eq!(history.weakened_from, Some(Offset(weakened_from)), "it never rises");
        }
    }

    #[test]
    fn only_what_was_deleted_and_has_no_epoch_any_more_is_back() {
        let mut history = History::new(TopicId(7), 1);
        let log = LogByHand::of(&[(0, 4), (1, 6)]).with_epochs_from(5);
        let is_back = |history: &History| {
            let offsets = (0..10).filter(|offset| history.is_back(&log.from(0), Offset(*offset)));
            offsets.collect::<Vec<_>>()
        };
        assert_eq!(is_back(&history), [], "nothing was deleted");
        history.deleted_ever = Offset(3);
        assert_eq!(is_back(&history), [0, 1, 2]);
        history.deleted_ever = Offset(8);
        assert_eq!(is_back(&history), [0, 1, 2, 3, 4], "of the rest it knows the epoch");
        assert!(!history.is_back(&LogByHand::of(&[]).from(0), Offset(0)), "an empty log shows nothing");
    }

    #[test]
    fn each_record_has_as_many_in_sync_as_when_it_was_committed() {
        let mut history = History::new(TopicId(7), 1);
        let seen = |history: &History| [1, 4, 5, 6, 9, 10].map(|end| history.in_sync_at_commit(Offset(end)));
        for (end, in_sync) in [(4, 3), (5, 3), (9, 1)] {
            history.commit(Offset(end), in_sync, &[(LeaderEpoch(0), Offset(0))]);
        }
        assert_eq!(seen(&history), [Some(3), Some(3), Some(3), Some(1), Some(1), None]);
        history.commit(Offset(8), 2, &[]);
        assert_eq!(seen(&history)[3..], [Some(1), Some(1), None], "it was committed before");
        let elected = LogByHand::of(&[(0, 4)]);
        history.weaken(LeaderEpoch(1), Some(&elected.from(0)), None, Offset(4));
        assert_eq!(seen(&history)[1..], [Some(3), None, None, None, None]);
        history.commit(Offset(6), 2, &[]);
        assert_eq!(seen(&history)[1..], [Some(3), Some(2), Some(2), None, None]);
        (0..20).for_each(|one| history.commit(Offset(10 + one), 2 - one as usize % 2, &[]));
        assert_eq!(history.commits.len(), MOST_COMMITS);
        assert_eq!([28, 29].map(|end| history.in_sync_at_commit(Offset(end))), [Some(2), Some(1)]);
    }

    #[test]
    fn who_has_all_that_was_written_has_lost_nothing_with_its_power() {
        let (log, shorter) = (LogByHand::of(&[(0, 6)]), LogByHand::of(&[(0, 4)]));
        let lost_from = |lost: &LogByHand, written_to: i64, others: i64| {
            let mut history = History::new(TopicId(7), 1);
            (history.committed, history.written_to) = (mark(3, 0), Offset(written_to));
            history.lose_power(BrokerId(1), &lost.from(0), Offset(others));
            history.lost_from.map(|offset| offset.0)
        };
        assert_eq!(lost_from(&log, 6, 6), None);
        assert_eq!(lost_from(&shorter, 4, 6), Some(4), "another one has more");
        assert_eq!(lost_from(&shorter, 6, 4), Some(4), "nobody has it yet, but it was written");
        assert_eq!(lost_from(&LogByHand::of(&[(0, 2)]), 2, 2), Some(2), "it was committed");
    }

    #[test]
    fn only_the_last_proposal_of_all_leaders_is_waited_for() {
        let mut history = History::new(TopicId(7), 1);
        let proposed = |members: &[i32], partition_epoch| Proposed {
            from: Vec::new(),
            partition_epoch: PartitionEpoch(partition_epoch),
            members: members.iter().map(|id| (BrokerId(*id), BrokerEpoch(1))).collect(),
        };
        history.proposals.insert(BrokerId(2), proposed(&[1, 2, 3], 4));
        assert!(history.is_proposed(BrokerId(3)));
        history.proposals.insert(BrokerId(1), proposed(&[1, 2], 6));
        assert!(!history.is_proposed(BrokerId(3)), "another leader has gone on without it");
    }

    #[test]
    fn what_was_written_in_later_epochs_than_a_leader_resumed_in_is_demanded() {
        let mut history = History::new(TopicId(7), 1);
        assert!(!history.has_resumed_below(mark(9, 0)));
        history.resume(Offset(5), LeaderEpoch(2));
        let cases = [(mark(6, 2), true), (mark(6, 0), true), (mark(5, 2), false), (mark(6, 3), false)];
        cases.into_iter().for_each(|(mark, resumed)| assert_eq!(history.has_resumed_below(mark), resumed, "{mark:?}"));
    }
}
