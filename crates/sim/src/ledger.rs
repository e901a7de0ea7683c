//! The promise ledger: every acknowledgement that a producer received, and which acknowledged records are gone, by which
//! event, and whether Kafka broke a promise by that or the user's configuration allowed it.
//!
//! A record is gone when no replica that can become leader has it any more: none of the in-sync or eligible replicas that
//! the controller knows, and where unclean elections are allowed none at all, on whatever disk. What is known of a record
//! is its partition, offset and epoch, which by log matching identify it. Acknowledgements of neighbouring records are
//! one entry. What retention, compaction, a deletion of records or that of a topic took was not promised and does not
//! count.
//!
//! A loss is excused by what took the very records: an unclean leader without them, a replica in sync that lost them with
//! its power, a disk that was taken away.

mod excuses;

use crate::checkers::history::{Histories, History};
use crate::checkers::sight::{LogGlance, Sight, StateGlance};
use crate::trace::EventId;
use excuses::{Excuse, Excuses};
use kafka::chunks::Chunks;
use kafka::instant::Instant;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use wire::request::Acks;
use wire::{BrokerId, LeaderEpoch, Offset, RecordBatch, TopicId, TopicName, TopicPartition};

/// The ledger.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    accounts: Arc<BTreeMap<TopicPartition, Arc<Account>>>,
    losses: Chunks<Loss>,
    counts: LedgerCounts,
}

/// How many records were acknowledged, and how many of them are lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerCounts {
    /// Sent with `acks=0`: nobody answered, nothing was promised.
    pub unanswered: u64,
    /// Acknowledged by the leader alone (`acks=1`).
    pub acknowledged_by_leader: u64,
    /// Acknowledged by all in-sync replicas (`acks=all`).
    pub acknowledged_by_all: u64,
    lost: [u64; Verdict::ALL.len()],
}

/// Whether losing an acknowledged record broke a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Kafka promises that this does not happen.
    PromiseBroken,
    /// `acks=1`: the leader alone had answered for it.
    AcksLeader,
    /// There was one replica.
    SingleReplica,
    /// One replica was in sync when it was committed, which `min.insync.replicas` allowed, and that one was passed over or
    /// lost it.
    OneInSyncReplica,
    /// A replica without it was elected, which `unclean.leader.election.enable` allowed.
    UncleanElection,
    /// Who was still in sync lost it with its power before it was flushed.
    PowerLoss,
    /// The disk of who was still in sync was taken away.
    DiskRemoved,
    /// A reassignment was cancelled, which took the replicas that were in sync: a ZooKeeper controller does not refuse that
    /// (`KafkaController.maybeBuildReassignment`), as one of a quorum does unless unclean elections are allowed.
    ReassignmentCancelled,
}

/// A stretch of acknowledged records that are gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The partition.
    pub partition: TopicPartition,
    /// Its topic's id.
    pub topic_id: TopicId,
    /// The epoch in which they were written.
    pub leader_epoch: LeaderEpoch,
    /// The first.
    pub first_offset: Offset,
    /// The last.
    pub last_offset: Offset,
    /// What was promised.
    pub promise: Promise,
    /// Whether it was broken.
    pub verdict: Verdict,
    /// When they were gone.
    pub at: Instant,
    /// The event that took them; none if that was noticed later.
    pub event: Option<EventId>,
}

/// Whether what was promised of a partition is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing was promised that need be there still, or nobody can tell.
    Unknown,
    /// It is there, or is gone by what the user's configuration allowed.
    Kept,
    /// Records are gone that Kafka promised to keep.
    Broken {
        /// The first.
        first_offset: Offset,
        /// The last.
        last_offset: Offset,
    },
}

/// What an acknowledgement was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// What the producer had asked for.
    pub acks: Acks,
    /// How many replicas there were.
    pub replicas: u8,
    /// How many of them were in sync when all of these had the records (`acks=all`), or when the producer got the answer.
    pub in_sync: u8,
}

/// One partition.
#[derive(Clone, Debug)]
struct Account {
    topic_id: TopicId,
    /// In the order in which they were acknowledged, but for the last.
    entries: Chunks<Entry>,
    last: Option<Entry>,
    epochs: BTreeMap<LeaderEpoch, EpochAccount>,
    /// The end of what was acknowledged by all in-sync replicas.
    promised_to: Offset,
}

/// What was written in one epoch.
#[derive(Clone, Copy, Debug)]
struct EpochAccount {
    /// The end of what was acknowledged.
    end: Offset,
    /// From here on it is lost.
    lost_from: Offset,
    /// What may be lost without a promise being broken.
    excuses: Excuses,
}

/// Neighbouring records acknowledged on the same terms.
#[derive(Clone, Copy, Debug)]
struct Entry {
    leader_epoch: LeaderEpoch,
    promise: Promise,
    first: Offset,
    end: Offset,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Verdict; 8] = [
        Verdict::PromiseBroken,
        Verdict::AcksLeader,
        Verdict::SingleReplica,
        Verdict::OneInSyncReplica,
        Verdict::UncleanElection,
        Verdict::PowerLoss,
        Verdict::DiskRemoved,
        Verdict::ReassignmentCancelled,
    ];
}

impl LedgerCounts {
    /// How many acknowledged records are lost, with that verdict.
    #[must_use]
    pub fn lost(&self, verdict: Verdict) -> u64 {
        self.lost[verdict as usize]
    }
}

impl Loss {
    fn standing(&self) -> Standing {
        let Loss { first_offset, last_offset, .. } = *self;
        match self.verdict {
            Verdict::PromiseBroken => Standing::Broken { first_offset, last_offset },
            Verdict::AcksLeader
            | Verdict::SingleReplica
            | Verdict::OneInSyncReplica
            | Verdict::UncleanElection
            | Verdict::PowerLoss
            | Verdict::DiskRemoved
            | Verdict::ReassignmentCancelled => Standing::Kept,
        }
    }
}

impl Ledger {
    /// How many records were acknowledged and lost.
    #[must_use]
    pub fn counts(&self) -> LedgerCounts {
        self.counts
    }

    /// How many stretches of records are lost.
    #[must_use]
    pub fn losses_len(&self) -> usize {
        self.losses.len()
    }

    /// Some of the lost stretches, in the order in which they were lost.
    pub fn losses(&self, window: Range<usize>) -> impl Iterator<Item = &Loss> {
        self.losses.iter_from(window.start).take(window.len())
    }

    /// A producer was told that a batch is stored, from `first_offset` on (-1 if the leader did not say where). Tells whether it
    /// is there.
    pub(crate) fn on_acknowledged(
        &mut self,
        sight: &Sight<'_>,
        history: Option<&History>,
        (partition, first_offset): (&TopicPartition, Offset),
        acks: Acks,
        batch: &RecordBatch,
    ) -> Standing {
        let records = batch.records().len() as u64;
        match acks {
            Acks::None => self.counts.unanswered += records,
            Acks::Leader => self.counts.acknowledged_by_leader += records,
            Acks::All => self.counts.acknowledged_by_all += records,
        }
        let Some(glance) = sight.known_state(partition).filter(|_| first_offset >= Offset::ZERO) else {
            return Standing::Unknown;
        };
        let replicas = glance.state.replicas.len() as u8;
        let end = first_offset + i64::from(batch.last_offset_delta) + 1;
        let of_this_topic = history.filter(|history| history.topic_id == glance.topic_id && acks == Acks::All);
        let at_commit = of_this_topic.and_then(|history| history.in_sync_at_commit(end));
        let in_sync = at_commit.unwrap_or_else(|| in_sync(sight, &glance, partition));
        let promise = Promise { acks, replicas, in_sync };
        let stored = stored_in_epoch(sight, &glance, partition, first_offset, batch);
        if stored.is_none() && is_not_promised(sight, history, &glance, partition, first_offset) {
            return Standing::Unknown;
        }
        let entry = Entry { leader_epoch: stored.unwrap_or(LeaderEpoch::NONE), promise, first: first_offset, end };
        let is_kept = || Kept::new(sight, history, &glance, partition).end_of_epoch(entry.leader_epoch) >= end;
        let account = account(Arc::make_mut(&mut self.accounts), partition, glance.topic_id);
        if stored.is_some() && account.has_lost_below(&entry) && is_kept() {
            account.resume(entry.leader_epoch);
        }
        let gone_from = if stored.is_some() { account.add(entry) } else { first_offset };
        if gone_from >= end {
            return if acks == Acks::All { Standing::Kept } else { Standing::Unknown };
        }
        let lost = Entry { first: gone_from.max(first_offset), ..entry };
        let loss = account.loss(sight, partition, &lost);
        let standing = loss.standing();
        self.write_down(loss);
        standing
    }

    /// Something has happened that may have taken records: looks for what is gone. Tells whether promises were kept.
    pub(crate) fn settle(
        &mut self,
        sight: &Sight<'_>,
        history: Option<&History>,
        partition: &TopicPartition,
    ) -> Standing {
        let (Some(account), Some(glance)) = (self.accounts.get(partition), sight.known_state(partition)) else {
            return Standing::Unknown;
        };
        // Without an active controller, it may be that nobody who has heard the latest runs.
        let latest = history.and_then(|history| history.state.as_ref()).map(|(_, state)| state.partition_epoch);
        let is_outdated = sight.image().is_none() && latest.is_some_and(|latest| glance.state.partition_epoch < latest);
        if account.topic_id != glance.topic_id || is_outdated {
            return Standing::Unknown;
        }
        let kept = Kept::new(sight, history, &glance, partition);
        let is_judged = account.promised_to > kept.needed_from && kept.is_known();
        let gone: Vec<(LeaderEpoch, Range<Offset>)> = account.gone(&kept).collect();
        let known = self.losses.len();
        for (leader_epoch, range) in gone {
            self.lose(sight, partition, leader_epoch, range);
        }
        match self.losses.iter_from(known).find(|loss| loss.verdict == Verdict::PromiseBroken) {
            Some(loss) => loss.standing(),
            None if is_judged => Standing::Kept,
            None => Standing::Unknown,
        }
    }

    fn lose(&mut self, sight: &Sight<'_>, partition: &TopicPartition, leader_epoch: LeaderEpoch, range: Range<Offset>) {
        let account = Arc::make_mut(&mut self.accounts).get_mut(partition).expect("the account was just looked at");
        let account = Arc::make_mut(account);
        if let Some(epoch) = account.epochs.get_mut(&leader_epoch) {
            epoch.lost_from = range.start;
        }
        let entries = account.entries.iter().chain(&account.last).filter(|entry| entry.leader_epoch == leader_epoch);
        let cut =
            entries.map(|entry| Entry { first: entry.first.max(range.start), end: entry.end.min(range.end), ..*entry });
        let lost: Vec<Loss> =
            cut.filter(|entry| entry.first < entry.end).map(|entry| account.loss(sight, partition, &entry)).collect();
        lost.into_iter().for_each(|loss| self.write_down(loss));
    }

    fn write_down(&mut self, loss: Loss) {
        self.counts.lost[loss.verdict as usize] += (loss.last_offset - loss.first_offset) as u64 + 1;
        self.losses.push(loss);
    }

    /// A leader was elected that was not in sync: what it lacks may be lost, and so may what leaders of earlier epochs still
    /// append that have not heard of it.
    pub(crate) fn on_unclean_election(
        &mut self,
        sight: &Sight<'_>,
        partition: &TopicPartition,
        (leader, leader_epoch): (BrokerId, LeaderEpoch),
    ) {
        let topic_id = sight.known_state(partition).map(|glance| glance.topic_id);
        let known = self.accounts.get(partition).map(|account| account.topic_id);
        let Some(topic_id) = topic_id.or(known) else { return };
        let account = account(Arc::make_mut(&mut self.accounts), partition, topic_id);
        for epoch in (0..leader_epoch.0).map(LeaderEpoch) {
            account.epochs.entry(epoch).or_insert(EpochAccount::NOTHING);
        }
        self.excuse(sight, (partition, topic_id), None, Some(leader), Excuse::UncleanElection);
    }

    /// A host with a replica of that topic lost its power: what its disk had not flushed is gone from it. If it was in sync,
    /// that may be lost.
    pub(crate) fn on_power_loss(
        &mut self,
        sight: &Sight<'_>,
        history: &History,
        (partition, topic_id): (&TopicPartition, TopicId),
        broker: BrokerId,
    ) {
        if may_lead(sight, partition, broker) {
            self.excuse(sight, (partition, topic_id), Some(history), Some(broker), Excuse::PowerLoss);
        }
    }

    /// A replica that lost records with its power and is down is in sync all the same: a leader has proposed it before, or for a
    /// fetch that was under way then.
    pub(crate) fn on_loser_joined(
        &mut self,
        sight: &Sight<'_>,
        history: &History,
        place: (&TopicPartition, TopicId),
        broker: BrokerId,
    ) {
        self.excuse(sight, place, Some(history), Some(broker), Excuse::PowerLoss);
    }

    /// A server left the world with its disk.
    pub(crate) fn on_server_removed(&mut self, sight: &Sight<'_>, histories: &Histories, broker: BrokerId) {
        let accounts = self.accounts.clone();
        for (partition, account) in accounts.iter().filter(|(partition, _)| may_lead(sight, partition, broker)) {
            let history = histories.get(partition, account.topic_id);
            self.excuse(sight, (partition, account.topic_id), history, Some(broker), Excuse::DiskRemoved);
        }
    }

    /// A reassignment took a partition its leader. If none of its replicas is in sync, it was cancelled, and none may lead.
    pub(crate) fn on_offline_by_reassignment(&mut self, sight: &Sight<'_>, partition: &TopicPartition) {
        let Some(glance) = sight.known_state(partition).filter(|_| sight.zookeeper.is_some()) else { return };
        if !glance.state.replicas.iter().any(|replica| glance.state.isr.contains(replica)) {
            self.excuse(sight, (partition, glance.topic_id), None, None, Excuse::ReassignmentCancelled);
        }
    }

    /// What others have, or have acknowledged, or what was committed, of which the producer may hear yet, and `broker`, if
    /// anybody, has not; after an unclean election whatever comes there.
    fn excuse(
        &mut self,
        sight: &Sight<'_>,
        (partition, topic_id): (&TopicPartition, TopicId),
        history: Option<&History>,
        broker: Option<BrokerId>,
        excuse: Excuse,
    ) {
        let servers = sight.servers().map(|(id, _)| BrokerId(id));
        let logs: Vec<LogGlance<'_>> = sight.logs_of(servers, partition, topic_id).collect();
        let own = broker.and_then(|broker| sight.log_of(broker, partition, topic_id));
        let account = account(Arc::make_mut(&mut self.accounts), partition, topic_id);
        for (epoch, _) in logs.iter().flat_map(|log| log.leader_epochs) {
            account.epochs.entry(*epoch).or_insert(EpochAccount::NOTHING);
        }
        let committed = history.map_or(Offset::ZERO, |history| history.committed.end);
        for (epoch, known) in &mut account.epochs {
            let from = own.map_or(Offset::ZERO, |log| log.end_of_epoch(*epoch));
            let ends = logs.iter().map(|log| log.end_of_epoch(*epoch));
            let to = if excuse == Excuse::UncleanElection {
                Offset(i64::MAX)
            } else {
                ends.fold(known.end.max(committed), Offset::max)
            };
            known.excuses.add(excuse, from..to);
        }
    }

    /// A topic was deleted, with all that was promised of it.
    pub(crate) fn on_topic_deleted(&mut self, topic: &TopicName) {
        Arc::make_mut(&mut self.accounts).retain(|partition, _| partition.topic != *topic);
    }

    /// The partitions of which something was acknowledged.
    pub(crate) fn partitions(&self) -> Vec<TopicPartition> {
        self.accounts.keys().cloned().collect()
    }
}

fn account<'a>(
    accounts: &'a mut BTreeMap<TopicPartition, Arc<Account>>,
    partition: &TopicPartition,
    topic_id: TopicId,
) -> &'a mut Account {
    let account = accounts.entry(partition.clone()).or_insert_with(|| Arc::new(Account::new(topic_id)));
    if account.topic_id != topic_id {
        *account = Arc::new(Account::new(topic_id));
    }
    Arc::make_mut(account)
}

/// Whether a broker may become leader; nobody can tell while no controller is active. What an active controller has decided
/// may come to nothing: so it counts, too, what others know.
fn may_lead(sight: &Sight<'_>, partition: &TopicPartition, broker: BrokerId) -> bool {
    let decided = sight.state(partition);
    decided.is_none_or(|glance| {
        sight.candidates(&glance).contains(&broker)
            || sight.states_of_all(partition).any(|glance| sight.candidates(&glance).contains(&broker))
    })
}

/// How many replicas are in sync as the leader knows them, else as the controller does.
fn in_sync(sight: &Sight<'_>, glance: &StateGlance<'_>, partition: &TopicPartition) -> u8 {
    let leader = glance.state.leader.and_then(|leader| sight.replica(leader, partition)?.leadership);
    leader.map_or(glance.state.isr.len(), |leadership| leadership.isr.len()) as u8
}

/// The epoch in which an acknowledged batch was written, if some replica still has it. A leader that was deposed may have it,
/// too, at the same offset, where it was sent first and not acknowledged.
fn stored_in_epoch(
    sight: &Sight<'_>,
    glance: &StateGlance<'_>,
    partition: &TopicPartition,
    first_offset: Offset,
    batch: &RecordBatch,
) -> Option<LeaderEpoch> {
    let stored = |log: LogGlance<'_>| {
        let there = log.batches_from(first_offset).next()?;
        let is_same = there.base_offset == first_offset && there.body == batch.body;
        is_same.then_some(there.partition_leader_epoch)
    };
    let by_leader = sight.logs_of(glance.state.leader, partition, glance.topic_id).find_map(stored);
    let replicas = || sight.logs_of(glance.state.replicas.iter().copied(), partition, glance.topic_id);
    by_leader.or_else(|| replicas().filter_map(stored).max())
}

/// Whether what is not there need not be: retention or compaction has taken it before the answer arrived, or its topic was
/// deleted.
fn is_not_promised(
    sight: &Sight<'_>,
    history: Option<&History>,
    glance: &StateGlance<'_>,
    partition: &TopicPartition,
    first_offset: Offset,
) -> bool {
    let may_be_gone =
        |history: &History| history.is_deleted || history.lives > 1 || history.compacted_to > first_offset;
    let replicas = || sight.logs_of(glance.state.replicas.iter().copied(), partition, glance.topic_id);
    history.is_none_or(may_be_gone) || replicas().any(|log| log.start > first_offset)
}

/// What those have who can become leader.
struct Kept<'a> {
    logs: Vec<LogGlance<'a>>,
    /// Without any log, how far records may still be somewhere: nowhere if that is certain.
    without_logs: Offset,
    /// What lies below need not be there: it was deleted, or compaction may have taken a whole epoch.
    needed_from: Offset,
}

impl<'a> Kept<'a> {
    /// With ZooKeeper, logs go before the controller says that their topic is deleted.
    fn new(
        sight: &Sight<'a>,
        history: Option<&History>,
        glance: &StateGlance<'a>,
        partition: &TopicPartition,
    ) -> Kept<'a> {
        let needed_from = history.map_or(Offset::ZERO, |history| history.compacted_to.max(history.deleted_to));
        let candidates = sight.candidates(glance);
        let is_certain = !candidates.is_empty()
            && (sight.image().is_some() || candidates.iter().all(|broker| !sight.is_in_world(*broker)));
        let without_logs = if is_certain { Offset::ZERO } else { Offset(i64::MAX) };
        let logs = sight.logs_of(candidates, partition, glance.topic_id).collect();
        Kept { logs, without_logs, needed_from }
    }

    fn is_known(&self) -> bool {
        !self.logs.is_empty() || self.without_logs == Offset::ZERO
    }

    fn end_of_epoch(&self, epoch: LeaderEpoch) -> Offset {
        let ends = self.logs.iter().map(|log| log.end_of_epoch(epoch));
        ends.max().unwrap_or(self.without_logs).max(self.needed_from)
    }
}

impl EpochAccount {
    const NOTHING: EpochAccount =
        EpochAccount { end: Offset::ZERO, lost_from: Offset(i64::MAX), excuses: Excuses::NONE };
}

impl Account {
    fn new(topic_id: TopicId) -> Account {
        Account { topic_id, entries: Chunks::new(), last: None, epochs: BTreeMap::new(), promised_to: Offset::ZERO }
    }

    /// Takes an acknowledgement, and returns from where on its epoch's records are lost already.
    fn add(&mut self, entry: Entry) -> Offset {
        let epoch = self.epochs.entry(entry.leader_epoch).or_insert(EpochAccount::NOTHING);
        epoch.end = epoch.end.max(entry.end);
        if entry.promise.acks == Acks::All {
            self.promised_to = self.promised_to.max(entry.end);
        }
        match &mut self.last {
            Some(last) if last.is_continued_by(&entry) => last.end = entry.end,
            last => {
                if let Some(before) = last.replace(entry) {
                    self.entries.push(before);
                }
            }
        }
        epoch.lost_from
    }

    /// Whether records were lost of that epoch, from an offset below the end of these on.
    fn has_lost_below(&self, entry: &Entry) -> bool {
        self.epochs.get(&entry.leader_epoch).is_some_and(|epoch| epoch.lost_from < entry.end)
    }

    /// A leader goes on in an epoch of which it has lost records, and writes others at their offsets. Those that were lost are
    /// written down, and forgotten here.
    fn resume(&mut self, leader_epoch: LeaderEpoch) {
        let Some(epoch) = self.epochs.get_mut(&leader_epoch) else { return };
        let from = std::mem::replace(&mut epoch.lost_from, Offset(i64::MAX));
        epoch.end = epoch.end.min(from);
        self.last.take().into_iter().for_each(|last| self.entries.push(last));
        let kept =
            self.entries.iter().rev().skip_while(|entry| entry.leader_epoch == leader_epoch && entry.first >= from);
        self.entries.truncate(kept.count());
        if let Some(cut) =
            self.entries.last().copied().filter(|last| last.leader_epoch == leader_epoch && last.end > from)
        {
            self.entries.truncate(self.entries.len() - 1);
            self.entries.push(Entry { end: from, ..cut });
        }
    }

    fn loss(&self, sight: &Sight<'_>, partition: &TopicPartition, entry: &Entry) -> Loss {
        Loss {
            partition: partition.clone(),
            topic_id: self.topic_id,
            leader_epoch: entry.leader_epoch,
            first_offset: entry.first,
            last_offset: entry.end + -1,
            promise: entry.promise,
            verdict: self.verdict(entry),
            at: sight.now,
            event: sight.event,
        }
    }

    /// What is acknowledged, not yet counted as lost, and had by nobody who can become leader.
    fn gone(&self, kept: &Kept<'_>) -> impl Iterator<Item = (LeaderEpoch, Range<Offset>)> {
        self.epochs.iter().filter_map(|(leader_epoch, epoch)| {
            let kept_to = kept.end_of_epoch(*leader_epoch);
            let end = epoch.end.min(epoch.lost_from);
            (kept_to < end).then_some((*leader_epoch, kept_to..end))
        })
    }

    fn verdict(&self, entry: &Entry) -> Verdict {
        let Promise { acks, replicas, in_sync } = entry.promise;
        if acks != Acks::All {
            return Verdict::AcksLeader;
        }
        match (self.excuse(entry), replicas, in_sync) {
            (None, _, _) => Verdict::PromiseBroken,
            (Some(Excuse::ReassignmentCancelled), _, _) => Verdict::ReassignmentCancelled,
            (Some(_), 1, _) => Verdict::SingleReplica,
            (Some(_), _, 1) => Verdict::OneInSyncReplica,
            (Some(Excuse::UncleanElection), _, _) => Verdict::UncleanElection,
            (Some(Excuse::PowerLoss), _, _) => Verdict::PowerLoss,
            (Some(Excuse::DiskRemoved), _, _) => Verdict::DiskRemoved,
        }
    }

    /// What took these records; if nobody knows their epoch, what took any at these offsets.
    fn excuse(&self, entry: &Entry) -> Option<Excuse> {
        let range = entry.first..entry.end;
        match self.epochs.get(&entry.leader_epoch) {
            Some(epoch) => epoch.excuses.of(range),
            None => self.epochs.values().find_map(|epoch| epoch.excuses.of(range.clone())),
        }
    }
}

impl Entry {
    fn is_continued_by(&self, next: &Entry) -> bool {
        (self.leader_epoch, self.promise, self.end) == (next.leader_epoch, next.promise, next.first)
    }
}
