//! The leader's side of a partition: appends, the high watermark and the in-sync replicas.
//!
//! Follows `kafka.cluster.Partition` (KIP-497, KIP-841, KIP-903, and of KIP-966 that the high watermark stands still
//! below `min.insync.replicas`).

use super::context::{Changes, Context, ReplicaSettings};
use super::follower_progress::{FollowerFetch, FollowerProgress};
use super::isr_state::{IsrState, Proposal};
use super::partition::{Partition, Role};
use crate::config::TopicConfig;
use crate::event::BrokerEvent;
use crate::instant::Instant;
use crate::log::{AppendError, AppendInfo, LeaderAppend, LogContext};
use crate::metadata::PartitionRegistration;
use crate::node::Effects;
use crate::view::{Laggard, LeadershipGlance, ReplicaRole};
use wire::request::{Acks, AlterPartitionData};
use wire::response::AlterPartitionResult;
use wire::{BrokerEpoch, BrokerId, ErrorCode, LeaderRecoveryState, Offset, PartitionEpoch, RecordBatch};

/// A producer's batch was appended by the leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Where. The request is complete once the high watermark reaches one above the last offset (`acks=all`).
    pub info: AppendInfo,
    /// What changed.
    pub changes: Changes,
}

/// How a produce request with `acks=all` stands in this partition (`checkEnoughReplicasReachOffset`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParkedProduce {
    /// Not yet replicated.
    Waiting,
    /// Replicated to enough in-sync replicas.
    Replicated,
    /// Over: `NOT_ENOUGH_REPLICAS_AFTER_APPEND` or `NOT_LEADER_OR_FOLLOWER`.
    Failed(ErrorCode),
}

/// What became of a proposal for the in-sync replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlterPartitionOutcome {
    /// The answer is for a proposal that does not stand any more.
    Ignored,
    /// The in-sync replicas are as the controller says.
    Committed,
    /// The controller refused; the committed in-sync replicas hold.
    Reverted,
    /// The proposal stands until metadata says more.
    AwaitingMetadata,
    /// Send the same proposal again.
    Resend,
}

/// What a leader knows beyond its log.
#[derive(Clone, Debug)]
pub(super) struct Leader {
    /// Where its log ended when its epoch began.
    pub(super) epoch_start_offset: Offset,
    isr: IsrState,
    followers: Vec<FollowerProgress>,
}

impl Leader {
    /// Takes replicas and in-sync replicas from metadata; followers that stay keep their progress.
    pub(super) fn with_assignment(
        previous: Option<&Leader>,
        state: &PartitionRegistration,
        broker_id: BrokerId,
        log_end_offset: Offset,
    ) -> Leader {
        let followers = state.replicas.iter().copied().filter(|replica| *replica != broker_id);
        let progress = |replica| {
            let known = previous.and_then(|leader| leader.follower(replica)).copied();
            known.unwrap_or(FollowerProgress::unknown(replica))
        };
        Leader {
            epoch_start_offset: previous.map_or(log_end_offset, |leader| leader.epoch_start_offset),
            isr: IsrState::Committed(state.isr.clone()),
            followers: followers.map(progress).collect(),
        }
    }

    /// A leader epoch begins where the log ends.
    pub(super) fn begin_epoch(&mut self, start_offset: Offset, now: Instant, is_new_leader: bool) {
        self.epoch_start_offset = start_offset;
        for follower in &mut self.followers {
            let is_in_sync = self.isr.committed().contains(&follower.broker);
            if is_new_leader {
                follower.reset_for_new_leader(now, is_in_sync);
            } else {
                follower.reset_for_new_epoch(now, start_offset, is_in_sync);
            }
        }
    }

    /// What it knows of `broker`, if that is a replica.
    pub(super) fn follower(&self, broker: BrokerId) -> Option<&FollowerProgress> {
        self.followers.iter().find(|follower| follower.broker == broker)
    }

    /// All of them.
    pub(super) fn followers(&self) -> &[FollowerProgress] {
        &self.followers
    }

    /// The in-sync replicas that the controller knows.
    pub(super) fn committed_isr(&self) -> &[BrokerId] {
        self.isr.committed()
    }

    /// What an onlooker may see.
    pub(super) fn view(&self, partition_epoch: PartitionEpoch) -> ReplicaRole {
        let followers = self.followers.iter();
        ReplicaRole::Leader {
            isr: self.isr.committed().to_vec(),
            maximal_isr: self.isr.maximal().collect(),
            has_proposal: self.isr.proposal().is_some(),
            partition_epoch,
            followers: followers.map(FollowerProgress::view).collect(),
        }
    }

    /// The same, borrowed.
    pub(super) fn glance(&self, partition_epoch: PartitionEpoch, config: &TopicConfig) -> LeadershipGlance<'_> {
        LeadershipGlance {
            isr: self.isr.committed(),
            joining: self.isr.joining(),
            proposal: self.isr.proposal().map(Vec::as_slice),
            partition_epoch,
            effective_min_isr: self.effective_min_isr(config),
        }
    }

    /// `min.insync.replicas`, but never more than there are replicas.
    fn effective_min_isr(&self, config: &TopicConfig) -> usize {
        let configured = usize::try_from(config.min_insync_replicas).unwrap_or(0);
        configured.min(self.followers.len() + 1)
    }

    fn is_under_min_isr(&self, config: &TopicConfig) -> bool {
        self.isr.committed().len() < self.effective_min_isr(config)
    }

    /// The least log end offset among the leader, the followers that may be in sync, and those about to be.
    fn high_watermark_candidate(
        &self,
        log_end_offset: Offset,
        settings: &ReplicaSettings,
        context: &Context<'_>,
    ) -> Offset {
        let must_wait_for = |follower: &FollowerProgress| {
            self.isr.maximal().any(|member| member == follower.broker)
                || follower.is_caught_up(log_end_offset, context.now, settings.replica_lag_time_max)
                    && may_be_in_sync(follower, settings, context)
        };
        let lagging = self.followers.iter().filter(|follower| follower.log_end_offset < log_end_offset);
        let waited_for = lagging.filter(|follower| must_wait_for(follower));
        waited_for.map(|follower| follower.log_end_offset).min().unwrap_or(log_end_offset)
    }

    /// Whether `broker` has what it takes to become an in-sync replica, and no change is under way.
    fn may_expand_isr_by(
        &self,
        broker: BrokerId,
        high_watermark: Offset,
        settings: &ReplicaSettings,
        context: &Context<'_>,
    ) -> bool {
        let is_settled = self.isr.proposal().is_none();
        if !is_settled || self.isr.committed().contains(&broker) {
            return false;
        }
        self.follower(broker).is_some_and(|follower| {
            follower.log_end_offset >= high_watermark.max(self.epoch_start_offset)
                && may_be_in_sync(follower, settings, context)
        })
    }

    /// In-sync replicas that are not caught up; none while a change is under way.
    fn out_of_sync(&self, log_end_offset: Offset, settings: &ReplicaSettings, now: Instant) -> Vec<BrokerId> {
        if self.isr.proposal().is_some() {
            return Vec::new();
        }
        let is_out = |member: &BrokerId| {
            *member != settings.broker_id
                && !self
                    .follower(*member)
                    .is_some_and(|follower| follower.is_caught_up(log_end_offset, now, settings.replica_lag_time_max))
        };
        self.isr.committed().iter().copied().filter(is_out).collect()
    }

    /// Members with the epochs in which they fetch; the leader's own is `own_epoch`. Before KIP-903 there were none.
    fn with_epochs(&self, members: &[BrokerId], own_epoch: BrokerEpoch, settings: &ReplicaSettings) -> Proposal {
        let epoch_of = |member: BrokerId| {
            if settings.historical_faults.isr_without_broker_epochs {
                return BrokerEpoch::NONE;
            }
            if member == settings.broker_id {
                return own_epoch;
            }
            self.follower(member).and_then(|follower| follower.broker_epoch).unwrap_or(BrokerEpoch::NONE)
        };
        members.iter().map(|member| (*member, epoch_of(*member))).collect()
    }
}

/// Whether a follower may be in sync as far as the cluster goes. Before KIP-841 and KIP-903 its fetches were enough.
fn may_be_in_sync(follower: &FollowerProgress, settings: &ReplicaSettings, context: &Context<'_>) -> bool {
    settings.historical_faults.isr_without_broker_epochs
        || context.may_be_in_sync(follower.broker, follower.broker_epoch)
}

impl Partition {
    pub(super) fn as_leader(&self) -> Option<&Leader> {
        match &self.role {
            Role::Leader(leader) => Some(leader),
            Role::Follower(_) => None,
        }
    }

    fn as_leader_mut(&mut self) -> Option<&mut Leader> {
        match &mut self.role {
            Role::Leader(leader) => Some(leader),
            Role::Follower(_) => None,
        }
    }

    /// Appends a producer's batch (`appendRecordsToLeader`); notes `RecordsAppended` or `ProduceRejected`.
    ///
    /// # Errors
    /// `NOT_LEADER_OR_FOLLOWER`, `NOT_ENOUGH_REPLICAS`, or what is wrong with the batch. Nothing was appended then.
    pub fn append(
        &mut self,
        batch: &RecordBatch,
        acks: Acks,
        context: &Context<'_>,
        effects: &mut Effects,
    ) -> Result<Appended, AppendError> {
        let mark = self.mark();
        match self.append_to_log(batch, acks, context, effects) {
            Ok(info) => {
                let (first_offset, last_offset) = (info.first_offset, info.last_offset);
                self.note(effects, |partition| match info.is_duplicate {
                    true => BrokerEvent::DuplicateFound { partition, first_offset, last_offset },
                    false => BrokerEvent::RecordsAppended { partition, first_offset, last_offset },
                });
                self.maybe_increment_leader_high_watermark(context, effects);
                Ok(Appended { info, changes: self.changes_since(mark) })
            }
            Err(refusal) => {
                let error = refusal.error;
                self.note(effects, |partition| BrokerEvent::ProduceRejected { partition, error });
                Err(refusal)
            }
        }
    }

    fn append_to_log(
        &mut self,
        batch: &RecordBatch,
        acks: Acks,
        context: &Context<'_>,
        effects: &mut Effects,
    ) -> Result<AppendInfo, AppendError> {
        let leader = self.as_leader().ok_or(AppendError::plain(ErrorCode::NotLeaderOrFollower))?;
        if acks == Acks::All && leader.is_under_min_isr(&self.config) {
            return Err(AppendError::plain(ErrorCode::NotEnoughReplicas));
        }
        let context = LogContext { config: &self.config, wall_time: context.wall_time() };
        self.log.append_as_leader(batch, &LeaderAppend::of_client(self.leader_epoch, context), effects)
    }

    /// How a produce request with `acks=all` stands whose last record in this partition is just below
    /// `required_offset`.
    #[must_use]
    pub fn parked_produce(&self, required_offset: Offset) -> ParkedProduce {
        let Some(leader) = self.as_leader() else { return ParkedProduce::Failed(ErrorCode::NotLeaderOrFollower) };
        if self.log.high_watermark() < required_offset {
            return ParkedProduce::Waiting;
        }
        if leader.isr.maximal().count() < leader.effective_min_isr(&self.config) {
            return ParkedProduce::Failed(ErrorCode::NotEnoughReplicasAfterAppend);
        }
        ParkedProduce::Replicated
    }

    /// The in-sync follower that has lacked something for longest, if any does.
    #[must_use]
    pub fn laggard(&self) -> Option<Laggard> {
        let (leader, max_lag, log_end_offset) =
            (self.as_leader()?, self.settings.replica_lag_time_max, self.log.log_end_offset());
        let lagging = leader.followers.iter().filter(|follower| {
            follower.log_end_offset < log_end_offset && leader.isr.committed().contains(&follower.broker)
        });
        let laggards = lagging.map(|follower| Laggard {
            broker: follower.broker,
            caught_up_at: follower.last_caught_up_time.unwrap_or(Instant::ZERO),
            max_lag,
        });
        laggards.min_by_key(|laggard| laggard.caught_up_at)
    }

    /// Raises the high watermark as far as the in-sync replicas allow (`maybeIncrementLeaderHW`).
    pub(super) fn maybe_increment_leader_high_watermark(&mut self, context: &Context<'_>, effects: &mut Effects) {
        let Some(leader) = self.as_leader() else { return };
        let may_advance_below = self.settings.historical_faults.high_watermark_below_min_isr;
        if leader.is_under_min_isr(&self.config) && !may_advance_below {
            return;
        }
        let candidate = leader.high_watermark_candidate(self.log.log_end_offset(), &self.settings, context);
        let from = self.log.high_watermark();
        if self.log.maybe_increment_high_watermark(candidate) {
            self.note_high_watermark(from, effects);
        }
    }

    /// Takes a fetch of a follower that has been read for (`updateFollowerFetchState`).
    ///
    /// # Errors
    /// `NOT_LEADER_OR_FOLLOWER` when the fetch comes from an earlier run of the follower's process.
    pub(super) fn update_follower_progress(
        &mut self,
        broker: BrokerId,
        fetch: FollowerFetch,
        context: &Context<'_>,
        effects: &mut Effects,
    ) -> Result<Changes, ErrorCode> {
        let is_stale = !self.settings.historical_faults.isr_without_broker_epochs
            && fetch.broker_epoch != BrokerEpoch::NONE
            && context.alive_broker_epoch(broker).is_some_and(|epoch| epoch > fetch.broker_epoch);
        let mark = self.mark();
        let leader = self.as_leader_mut().ok_or(ErrorCode::NotLeaderOrFollower)?;
        let follower = leader.followers.iter_mut().find(|follower| follower.broker == broker);
        let follower = follower.filter(|_| !is_stale).ok_or(ErrorCode::NotLeaderOrFollower)?;
        let (previous_start, previous_end) = (follower.log_start_offset, follower.log_end_offset);
        follower.on_fetch(fetch);
        let isr_proposed = self.maybe_expand_isr(broker, context, effects);
        if previous_end != fetch.fetch_offset {
            self.maybe_increment_leader_high_watermark(context, effects);
        }
        let log_start_offset = previous_start != fetch.log_start_offset;
        Ok(Changes { isr_proposed, log_start_offset, ..self.changes_since(mark) })
    }

    /// A follower has asked for the same as before, and had all that there is then.
    pub fn on_still_fetch(&mut self, broker: BrokerId, time: Instant) {
        let followers = self.as_leader_mut().into_iter().flat_map(|leader| &mut leader.followers);
        followers.filter(|follower| follower.broker == broker).for_each(|follower| follower.on_still_fetch(time));
    }

    /// Proposes a follower that has caught up; tells whether it did.
    fn maybe_expand_isr(&mut self, broker: BrokerId, context: &Context<'_>, effects: &mut Effects) -> bool {
        let (high_watermark, settings) = (self.log.high_watermark(), self.settings);
        let Some(leader) = self.as_leader_mut() else { return false };
        if !leader.may_expand_isr_by(broker, high_watermark, &settings, context) {
            return false;
        }
        let committed = leader.isr.committed().to_vec();
        let members: Vec<BrokerId> = committed.iter().copied().chain([broker]).collect();
        let proposal = leader.with_epochs(&members, context.broker_epoch, &settings);
        leader.isr = IsrState::PendingExpand { committed: committed.clone(), new_member: broker, proposal };
        self.note_proposal(committed, members, effects);
        true
    }

    /// Proposes to drop followers that have not caught up for `replica.lag.time.max.ms`. To be called every half of that.
    pub fn maybe_shrink_isr(&mut self, context: &Context<'_>, effects: &mut Effects) -> Changes {
        let (log_end_offset, settings) = (self.log.log_end_offset(), self.settings);
        let Some(leader) = self.as_leader_mut() else { return Changes::default() };
        let out_of_sync = leader.out_of_sync(log_end_offset, &settings, context.now);
        if out_of_sync.is_empty() {
            return Changes::default();
        }
        let committed = leader.isr.committed().to_vec();
        let stays = |member: &BrokerId| !out_of_sync.contains(member);
        let members: Vec<BrokerId> = committed.iter().copied().filter(stays).collect();
        let proposal = leader.with_epochs(&members, context.broker_epoch, &settings);
        leader.isr = IsrState::PendingShrink { committed: committed.clone(), proposal };
        self.note_proposal(committed, members, effects);
        Changes { isr_proposed: true, ..Changes::default() }
    }

    fn note_proposal(&self, from: Vec<BrokerId>, to: Vec<BrokerId>, effects: &mut Effects) {
        self.note(effects, |partition| BrokerEvent::IsrChangeProposed { partition, from, to });
    }

    /// The proposal under way, as it is sent to the controller.
    #[must_use]
    pub fn proposed_isr(&self) -> Option<AlterPartitionData> {
        let proposal = self.as_leader()?.isr.proposal()?;
        Some(AlterPartitionData {
            topic_id: self.log.topic_id(),
            partition: self.log.partition().clone(),
            leader_epoch: self.leader_epoch,
            partition_epoch: self.partition_epoch,
            new_isr: proposal.clone(),
            leader_recovery_state: LeaderRecoveryState::Recovered,
        })
    }

    /// Takes the controller's answer to `sent`. An error of the whole request is not passed here: the broker sends the
    /// proposals that still stand again.
    pub fn on_alter_partition_result(
        &mut self,
        sent: &AlterPartitionData,
        result: &AlterPartitionResult,
        context: &Context<'_>,
        effects: &mut Effects,
    ) -> (AlterPartitionOutcome, Changes) {
        if self.proposed_isr().as_ref() != Some(sent) {
            return (AlterPartitionOutcome::Ignored, Changes::default());
        }
        let outcome = self.alter_partition_outcome(result);
        let mark = self.mark();
        match outcome {
            AlterPartitionOutcome::Committed => self.commit_isr(result, context, effects),
            AlterPartitionOutcome::Reverted => self.revert_isr(),
            AlterPartitionOutcome::Ignored
            | AlterPartitionOutcome::AwaitingMetadata
            | AlterPartitionOutcome::Resend => {}
        }
        (outcome, self.changes_since(mark))
    }

    /// The controller's refusals say either that nothing was done, or that this leader's view is stale.
    fn alter_partition_outcome(&self, result: &AlterPartitionResult) -> AlterPartitionOutcome {
        const AWAITS_METADATA: [ErrorCode; 6] = [
            ErrorCode::UnknownTopicOrPartition,
            ErrorCode::UnknownTopicId,
            ErrorCode::FencedLeaderEpoch,
            ErrorCode::InvalidUpdateVersion,
            ErrorCode::InvalidRequest,
            ErrorCode::NewLeaderElected,
        ];
        if result.error.is_none() {
            let is_current = result.leader_epoch == self.leader_epoch && result.partition_epoch >= self.partition_epoch;
            return if is_current { AlterPartitionOutcome::Committed } else { AlterPartitionOutcome::AwaitingMetadata };
        }
        if result.error == ErrorCode::IneligibleReplica {
            return AlterPartitionOutcome::Reverted;
        }
        let must_wait = AWAITS_METADATA.contains(&result.error);
        if must_wait { AlterPartitionOutcome::AwaitingMetadata } else { AlterPartitionOutcome::Resend }
    }

    fn commit_isr(&mut self, result: &AlterPartitionResult, context: &Context<'_>, effects: &mut Effects) {
        self.partition_epoch = result.partition_epoch;
        if let Some(leader) = self.as_leader_mut() {
            leader.isr = IsrState::Committed(result.isr.clone());
        }
        self.maybe_increment_leader_high_watermark(context, effects);
    }

    fn revert_isr(&mut self) {
        if let Some(leader) = self.as_leader_mut() {
            leader.isr.revert();
        }
    }
}
