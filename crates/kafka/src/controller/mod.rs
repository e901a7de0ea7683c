//! A KRaft controller (`org.apache.kafka.controller.QuorumController` over `KafkaRaftClient`; KIP-500, KIP-631). It keeps
//! the metadata log and serves brokers: registrations, heartbeats, in-sync replicas, topics, and the log itself.
//!
//! This file takes inputs apart and hands them on; what happens then is in the files beside it. Left out: snapshots of
//! the metadata log, elections between several voters (see `quorum`), and everything that clients ask brokers for.

mod activation;
mod admin_requests;
mod alter_partition;
mod cluster;
mod configs;
mod elections;
mod features;
mod fetches;
mod heartbeats;
mod metadata_log;
mod partition_change;
mod placement;
mod quorum;
mod reassignment;
mod replication;
mod requests;
mod telling;
#[cfg(test)]
mod testing;
mod topic_names;
mod topics;
mod writes;

use crate::Rng;
use crate::config::BrokerConfig;
use crate::instant::{Instant, WallClock};
use crate::metadata::ClusterImage;
use crate::node::{ConnectionId, Effects, ExitStatus, Identity, Input, Instruction, Message, Node, Timer};
use crate::server_channels::ServerChannels;
use crate::spec::{HistoricalFaults, ServerSpec};
use crate::storage::Disk;
use crate::view::{ControllerView, QuorumView};
use activation::Active;
use fetches::ParkedFetches;
use quorum::Quorum;
use std::collections::BTreeMap;
use std::sync::Arc;
pub(crate) use topic_names::{check_name, collide, has_collision_characters};
pub(crate) use topics::random_topic_id;
use wire::{BrokerId, LeaderEpoch, Offset};

/// A KRaft controller.
#[derive(Clone, Debug)]
pub struct Controller {
    spec: ServerSpec,
    identity: Identity,
    rng: Rng,
    running: Option<Running>,
}

/// A process that has started.
#[derive(Clone, Debug)]
struct Running {
    node_id: BrokerId,
    /// The properties file.
    static_config: BrokerConfig,
    /// The same with what was set while the controller runs.
    config: BrokerConfig,
    faults: HistoricalFaults,
    clock: WallClock,
    rng: Rng,
    quorum: Quorum,
    /// What replaying the log up to `replayed_to` adds up to.
    image: Arc<ClusterImage>,
    /// Where each broker's registration stands in the log.
    registration_offsets: BTreeMap<BrokerId, Offset>,
    replayed_to: Offset,
    channels: ServerChannels,
    parked: ParkedFetches,
    /// What only the active controller has.
    active: Option<Active>,
}

/// The controller's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TimerKind {
    /// A parked fetch has waited long enough; the key is its number.
    FetchWait,
    /// A broker's session may have run out.
    SessionCheck,
    /// Time for a `NoOpRecord`.
    NoOp,
    /// Time to give leaderships back to preferred replicas.
    LeaderRebalance,
    /// Time to look for unclean leaders.
    UncleanElection,
}

impl TimerKind {
    const ALL: [TimerKind; 5] = [
        TimerKind::FetchWait,
        TimerKind::SessionCheck,
        TimerKind::NoOp,
        TimerKind::LeaderRebalance,
        TimerKind::UncleanElection,
    ];

    fn timer(self, key: u64) -> Timer {
        Timer { kind: self as u8, key }
    }

    fn of(timer: Timer) -> TimerKind {
        *TimerKind::ALL.get(usize::from(timer.kind)).expect("only timers that were set fire")
    }
}

/// Exit status of a process whose properties are wrong.
const EXIT_ON_CONFIG_ERROR: ExitStatus = ExitStatus(1);

/// Exit status of a Java process that SIGTERM has ended.
const EXIT_ON_SIGTERM: ExitStatus = ExitStatus(143);

impl Controller {
    /// A process that has not started yet: its first input is `Input::Started`.
    #[must_use]
    pub fn new(spec: ServerSpec, identity: Identity, rng: Rng) -> Controller {
        Controller { spec, identity, rng, running: None }
    }

    /// What an onlooker may see.
    #[must_use]
    pub fn view(&self) -> ControllerView {
        match &self.running {
            Some(running) => running.view(),
            None => ControllerView {
                is_active: false,
                epoch: LeaderEpoch::ZERO,
                log_end_offset: Offset::ZERO,
                high_watermark: Offset::ZERO,
                image: Arc::default(),
                quorum: QuorumView::of_nobody(),
            },
        }
    }

    /// The quorum epoch and the cluster as it stands, if this is an active controller.
    #[must_use]
    pub fn active_image(&self) -> Option<(LeaderEpoch, &ClusterImage)> {
        let running = self.running.as_ref().filter(|running| running.active.is_some())?;
        Some((running.quorum.epoch(), &running.image))
    }

    fn start(&mut self, now: Instant, disk: &Disk, effects: &mut Effects) {
        assert!(self.running.is_none(), "a process starts once");
        match BrokerConfig::from_properties(&self.spec.properties) {
            Ok(config) => {
                let mut running = self.load(config, disk, effects);
                running.start(now, effects);
                self.running = Some(running);
            }
            Err(_) => effects.exit(EXIT_ON_CONFIG_ERROR),
        }
    }

    fn load(&self, config: BrokerConfig, disk: &Disk, effects: &mut Effects) -> Running {
        Running {
            node_id: BrokerId(self.spec.node_id),
            static_config: config.clone(),
            config,
            faults: self.spec.historical_faults,
            clock: self.identity.clock,
            rng: self.rng.clone(),
            quorum: Quorum::open(self.spec.node_id, self.spec.coordination.voters(), disk, effects),
            image: Arc::default(),
            registration_offsets: BTreeMap::new(),
            replayed_to: Offset::ZERO,
            channels: ServerChannels::default(),
            parked: ParkedFetches::default(),
            active: None,
        }
    }
}

impl Node for Controller {
    fn step(&mut self, now: Instant, input: Input, effects: &mut Effects) {
        match (input, self.running.as_mut()) {
            (Input::Started { disk }, _) => self.start(now, &disk, effects),
            (input, Some(running)) => running.step(now, input, effects),
            (_, None) => {}
        }
    }
}

impl Running {
    fn step(&mut self, now: Instant, input: Input, effects: &mut Effects) {
        match input {
            Input::Started { .. } => unreachable!("a process starts once"),
            Input::Connected { .. } => unreachable!("a controller opens no connections"),
            Input::Disconnected { connection } => self.on_disconnected(connection, effects),
            Input::Received { connection, message } => self.on_message(now, connection, message, effects),
            Input::TimerFired { timer } => self.on_timer(now, timer, effects),
            Input::Told(instruction) => on_instruction(&instruction, effects),
            Input::ClockSet(clock) => self.clock = clock,
        }
    }

    fn view(&self) -> ControllerView {
        ControllerView {
            is_active: self.active.is_some(),
            epoch: self.quorum.epoch(),
            log_end_offset: self.quorum.log().end_offset(),
            high_watermark: self.quorum.high_watermark().unwrap_or(Offset::ZERO),
            image: Arc::clone(&self.image),
            quorum: QuorumView::of_nobody(),
        }
    }

    fn on_disconnected(&mut self, connection: ConnectionId, effects: &mut Effects) {
        self.parked.on_disconnected(connection, effects);
        self.channels.disconnected(connection);
    }

    fn on_message(&mut self, now: Instant, connection: ConnectionId, message: Message, effects: &mut Effects) {
        match message {
            Message::Request { correlation_id, request } => {
                self.channels.receive(connection, correlation_id, request);
                self.work_on_requests(now, effects);
            }
            Message::Response { .. } => unreachable!("a controller sends no requests"),
        }
    }

    fn work_on_requests(&mut self, now: Instant, effects: &mut Effects) {
        while let Some((id, request)) = self.channels.next_ready() {
            self.on_request(now, id, request, effects);
        }
    }

    fn on_timer(&mut self, now: Instant, timer: Timer, effects: &mut Effects) {
        match TimerKind::of(timer) {
            TimerKind::FetchWait => self.parked.on_timeout(timer.key, &self.quorum, &mut self.channels, effects),
            TimerKind::SessionCheck => self.on_session_check(now, effects),
            TimerKind::NoOp => self.on_no_op(now, effects),
            TimerKind::LeaderRebalance => self.on_leader_rebalance(now, effects),
            TimerKind::UncleanElection => self.on_unclean_election(now, effects),
        }
        self.work_on_requests(now, effects);
    }
}

fn on_instruction(instruction: &Instruction, effects: &mut Effects) {
    match instruction {
        Instruction::ShutDown | Instruction::Interrupt => effects.exit(EXIT_ON_SIGTERM),
        Instruction::Produce(_) | Instruction::EndOfInput => {}
    }
}

#[cfg(test)]
mod tests;
