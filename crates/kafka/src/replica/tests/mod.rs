//! Numbers of Kafka's own `PartitionTest` and `AbstractFetcherThreadTest`, told with the vocabulary of [`Bench`].

mod elections;
mod following;
mod historical_faults;
mod leading;
mod read_replica;
mod record_deletion;
mod serving;

use super::*;
use crate::Rng;
use crate::config::{BrokerConfig, TopicConfig};
use crate::event::{BrokerEvent, EventKind};
use crate::instant::{Duration, Instant, WallClock};
use crate::log::{LogContext, LogSettings, ReadLimit};
use crate::metadata::{ClusterImage, ImageDelta, PartitionRegistration};
use crate::node::{Effect, Effects};
use crate::spec::HistoricalFaults;
use crate::storage::{Disk, DiskWrite};
use rand::SeedableRng;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::request::{Acks, FetchPartition, IsolationLevel, ListOffsetsPartition, OffsetSpec, ReplicaState};
use wire::response::{AlterPartitionResult, FetchPartitionResult, ListOffsetsResult};
use wire::{
    BrokerEpoch, BrokerId, Endpoint, ErrorCode, IncarnationId, LeaderEpoch, LeaderRecoveryState, MetadataRecord,
    Offset, PartitionEpoch, PartitionIndex, Record, RecordBatch, Timestamp, TopicId, TopicName, TopicPartition,
};

const TOPIC_ID: TopicId = TopicId(7);
const ALL: ReadLimit = ReadLimit { max_bytes: i32::MAX, at_least_one_batch: true };
const CONSUMER: Reader = Reader::Consumer(IsolationLevel::ReadUncommitted);
const CLOCK: WallClock = WallClock { epoch: Timestamp(1_000_000) };

fn partition() -> TopicPartition {
    TopicPartition::new(TopicName::new("t"), PartitionIndex(0))
}

fn brokers(ids: &[i32]) -> Vec<BrokerId> {
    ids.iter().copied().map(BrokerId).collect()
}

fn log_settings() -> LogSettings {
    LogSettings::new(&BrokerConfig::default(), &Rng::seed_from_u64(1))
}

fn records(count: usize) -> RecordBatch {
    RecordBatch::from_producer(vec![Record::new(None, Some(b"value"), Timestamp(0)); count])
}

fn timestamped(timestamps: &[i64]) -> RecordBatch {
    let record = |timestamp: &i64| Record::new(None, Some(b"value"), Timestamp(*timestamp));
    RecordBatch::from_producer(timestamps.iter().map(record).collect())
}

/// A partition's state in metadata.
fn state(leader: Option<i32>, leader_epoch: i32, partition_epoch: i32, isr: &[i32]) -> PartitionRegistration {
    PartitionRegistration {
        replicas: brokers(&[1, 2, 3]),
        isr: brokers(isr),
        adding_replicas: Vec::new(),
        removing_replicas: Vec::new(),
        leader: leader.map(BrokerId),
        leader_recovery_state: LeaderRecoveryState::Recovered,
        leader_epoch: LeaderEpoch(leader_epoch),
        partition_epoch: PartitionEpoch(partition_epoch),
        eligible_leader_replicas: Vec::new(),
        last_known_elr: Vec::new(),
    }
}

/// The registration epoch of a broker that has not restarted.
fn broker_epoch(broker: i32) -> BrokerEpoch {
    BrokerEpoch(i64::from(100 + broker))
}

/// One replica with its disk, in a cluster of three unfenced brokers.
struct Bench {
    broker: i32,
    partition: Partition,
    disk: Disk,
    effects: Effects,
    image: ClusterImage,
    now: Instant,
    events: Vec<BrokerEvent>,
}

impl Bench {
    /// Broker `broker` with an empty log, at a time that is no special one.
    fn new(broker: i32) -> Bench {
        let mut effects = Effects::new();
        let settings = ReplicaSettings::new(
            BrokerId(broker),
            &BrokerConfig::default(),
            log_settings(),
            HistoricalFaults::default(),
        );
        let partition = Partition::create(partition(), TOPIC_ID, topic_config(1), settings, Timestamp(0), &mut effects);
        let (disk, image) = (Disk::default(), ClusterImage::default());
        let now = Instant::ZERO + Duration::from_ms(5_000);
        let mut bench = Bench { broker, partition, disk, effects, image, now, events: Vec::new() };
        [1, 2, 3].into_iter().for_each(|id| bench.register(id, broker_epoch(id)));
        bench.flush();
        bench
    }

    /// A broker whose log has one record for each of `epochs`.
    fn with_log(broker: i32, epochs: &[i32]) -> Bench {
        let mut bench = Bench::new(broker);
        for (offset, epoch) in (0..).zip(epochs) {
            let batch = Arc::new(records(1).appended_at(Offset(offset), LeaderEpoch(*epoch)));
            let config = bench.partition.config.clone();
            let context = LogContext { config: &config, wall_time: Timestamp(0) };
            bench.partition.log.append_as_follower(&[batch], &context, &mut bench.effects).unwrap();
        }
        bench.flush();
        bench
    }

    /// Leaves rules of 3.9 out.
    fn with_faults(mut self, faults: HistoricalFaults) -> Bench {
        self.partition.settings.historical_faults = faults;
        self
    }

    fn set_min_isr(&mut self, min_isr: i32) {
        self.partition.set_config(topic_config(min_isr));
    }

    fn register(&mut self, broker: i32, broker_epoch: BrokerEpoch) {
        self.replay(&MetadataRecord::RegisterBroker {
            broker_id: BrokerId(broker),
            incarnation_id: IncarnationId(1),
            broker_epoch,
            endpoint: Endpoint::new("localhost", 9092),
            rack: None,
        });
        self.change(broker, Some(false), None);
    }

    /// Fences or unfences a broker, or tells that it shuts down.
    fn change(&mut self, broker: i32, fenced: Option<bool>, in_controlled_shutdown: Option<bool>) {
        let (broker_id, broker_epoch) = (BrokerId(broker), broker_epoch(broker));
        self.replay(&MetadataRecord::BrokerRegistrationChange {
            broker_id,
            broker_epoch,
            fenced,
            in_controlled_shutdown,
        });
    }

    fn replay(&mut self, record: &MetadataRecord) {
        self.image.replay(record, &mut ImageDelta::default());
    }

    /// Carries the effects out.
    fn flush(&mut self) {
        for effect in self.effects.drain() {
            if let Effect::Write(write) = effect {
                self.disk.apply(write);
            } else if let Effect::Note(EventKind::Broker(event)) = effect {
                self.events.push(event);
            } else {
                panic!("a replica writes and notes, but did {effect:?}");
            }
        }
    }

    fn sleep(&mut self, milliseconds: i64) {
        self.now = self.now + Duration::from_ms(milliseconds);
    }

    /// Kills the process after a checkpoint of the high watermark, and starts it again.
    fn restart(&mut self) {
        self.disk.apply(DiskWrite::HighWatermarks(vec![(partition(), self.partition.log().high_watermark())]));
        let stored = &self.disk.logs[&partition()];
        let (config, settings) = (self.partition.config.clone(), self.partition.settings);
        let wall_time = CLOCK.at(self.now);
        self.partition = Partition::load(partition(), stored, config, settings, wall_time, &mut self.effects);
        self.flush();
    }

    fn run<T>(&mut self, call: impl FnOnce(&mut Partition, &Context<'_>, &mut Effects) -> T) -> T {
        let broker_epoch = broker_epoch(self.broker);
        let context = Context { now: self.now, wall_clock: CLOCK, broker_epoch, image: &self.image };
        let outcome = call(&mut self.partition, &context, &mut self.effects);
        self.flush();
        outcome
    }

    fn metadata(&mut self, state: &PartitionRegistration) -> Changes {
        self.run(|partition, context, effects| partition.apply_metadata(state, context, effects))
    }

    fn append(&mut self, batch: &RecordBatch, acks: Acks) -> Result<Appended, ErrorCode> {
        self.run(|partition, context, effects| {
            partition.append(batch, acks, context, effects).map_err(|refusal| refusal.error)
        })
    }

    /// The fetch of a follower of the current epoch that does not say which epoch it has.
    fn request(&self, fetch_offset: i64) -> FetchPartition {
        FetchPartition {
            partition: partition(),
            topic_id: Some(TOPIC_ID),
            current_leader_epoch: self.partition.leader_epoch(),
            fetch_offset: Offset(fetch_offset),
            last_fetched_epoch: LeaderEpoch::NONE,
            log_start_offset: Offset::ZERO,
            max_bytes: 1_048_576,
        }
    }

    fn fetch(&mut self, follower: i32, fetch_offset: i64) -> Changes {
        let (read, changes) = self.fetch_as(follower, broker_epoch(follower), fetch_offset);
        assert_eq!(read.result.error, ErrorCode::None);
        changes
    }

    fn fetch_as(&mut self, follower: i32, replica_epoch: BrokerEpoch, fetch_offset: i64) -> (FetchRead, Changes) {
        let request = self.request(fetch_offset);
        let replica = ReplicaState { replica_id: BrokerId(follower), replica_epoch };
        self.run(|partition, context, effects| partition.on_follower_fetch(&request, replica, ALL, context, effects))
    }

    /// The controller accepts the proposal.
    fn complete_isr(&mut self, partition_epoch: i32) -> (AlterPartitionOutcome, Changes) {
        let sent = self.partition.proposed_isr().expect("a proposal is under way");
        let members = sent.new_isr.iter().map(|(broker, _)| broker.0).collect::<Vec<_>>();
        self.answer_isr(ErrorCode::None, &members, partition_epoch)
    }

    fn answer_isr(&mut self, error: ErrorCode, isr: &[i32], partition_epoch: i32) -> (AlterPartitionOutcome, Changes) {
        let sent = self.partition.proposed_isr().expect("a proposal is under way");
        let result = AlterPartitionResult {
            partition: partition(),
            error,
            leader: Some(BrokerId(self.broker)),
            leader_epoch: self.partition.leader_epoch(),
            isr: brokers(isr),
            partition_epoch: PartitionEpoch(partition_epoch),
        };
        self.run(|partition, context, effects| partition.on_alter_partition_result(&sent, &result, context, effects))
    }

    fn shrink(&mut self) -> Changes {
        self.run(|partition, context, effects| partition.maybe_shrink_isr(context, effects))
    }

    fn proposed(&self) -> Option<Vec<(i32, i64)>> {
        let proposal = self.partition.proposed_isr()?;
        Some(proposal.new_isr.iter().map(|(broker, epoch)| (broker.0, epoch.0)).collect())
    }

    /// Committed and maximal in-sync replicas.
    fn isr(&self) -> (Vec<i32>, Vec<i32>) {
        let crate::view::ReplicaRole::Leader { isr, maximal_isr, .. } = self.partition.view().role else {
            panic!("not a leader")
        };
        (isr.iter().map(|broker| broker.0).collect(), maximal_isr.iter().map(|broker| broker.0).collect())
    }

    fn high_watermark(&self) -> i64 {
        self.partition.log().high_watermark().0
    }

    fn log_end_offset(&self) -> i64 {
        self.partition.log().log_end_offset().0
    }

    /// The epoch of every record.
    fn epochs(&self) -> Vec<i32> {
        self.partition.log().segments().iter().map(|batch| batch.partition_leader_epoch.0).collect()
    }

    /// Sends this follower's next request to `leader` and takes the answer. Tells whether there was one.
    fn sync_once(&mut self, leader: &mut Bench) -> bool {
        leader.now = leader.now.max(self.now);
        match self.partition.next_request(self.now) {
            None => return false,
            Some(FollowerRequest::Fetch(request)) => {
                let replica_id = BrokerId(self.broker);
                let replica = ReplicaState { replica_id, replica_epoch: broker_epoch(self.broker) };
                let (read, _) = leader.run(|partition, context, effects| {
                    partition.on_follower_fetch(&request, replica, ALL, context, effects)
                });
                self.take_fetch(&request, &read.result);
            }
            Some(FollowerRequest::ListOffsets(request)) => {
                let result = leader.partition.list_offsets(&request, Reader::Follower(BrokerId(self.broker)));
                self.take_list_offsets(&request, &result);
            }
        }
        true
    }

    fn take_fetch(&mut self, request: &FetchPartition, result: &FetchPartitionResult) -> Changes {
        self.run(|partition, context, effects| partition.on_fetch_result(request, result, context, effects))
    }

    fn take_list_offsets(&mut self, request: &ListOffsetsPartition, result: &ListOffsetsResult) -> Changes {
        self.run(|partition, context, effects| partition.on_list_offsets_result(request, result, context, effects))
    }

    fn next_fetch(&self) -> FetchPartition {
        match self.partition.next_request(self.now) {
            Some(FollowerRequest::Fetch(request)) => request,
            other => panic!("expected a fetch, not {other:?}"),
        }
    }
}

fn topic_config(min_isr: i32) -> Arc<TopicConfig> {
    let overrides = BTreeMap::from([("min.insync.replicas".to_owned(), min_isr.to_string())]);
    Arc::new(TopicConfig::resolve(&overrides, &BrokerConfig::default()))
}
