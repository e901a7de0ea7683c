//! A KRaft controller (`org.apache.kafka.controller.QuorumController` over `KafkaRaftClient`; KIP-500, KIP-631). It keeps
//! the metadata log and serves brokers: registrations, heartbeats, in-sync replicas, topics, and the log itself.
//!
//! This file takes inputs apart and hands them on; what happens then is in the files beside it. How the voters
//! agree is in `raft`. Left out: everything that clients ask brokers for.

mod activation;
mod admin_requests;
mod alter_partition;
mod cluster;
mod configs;
mod elections;
mod features;
mod heartbeats;
mod partition_change;
mod placement;
mod reassignment;
mod refusals;
mod registration;
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
use crate::instant::Instant;
use crate::metadata::ClusterImage;
use crate::node::{ConnectionId, Effects, ExitStatus, Identity, Input, Instruction, Message, Node, Timer};
use crate::raft::{QuorumConfig, RaftClient, RaftSetup, RaftStep, SnapshotSchedule};
use crate::server_channels::ServerChannels;
use crate::spec::{HistoricalFaults, ServerSpec};
use crate::storage::Disk;
use crate::view::{ControllerView, QuorumView};
use activation::Active;
pub(crate) use configs::{check_changes, check_dynamic_configs, new_value, set};
use registration::Registration;
use std::collections::BTreeMap;
use std::sync::Arc;
pub(crate) use topic_names::{check_name, collide, has_collision_characters};
pub(crate) use topics::random_topic_id;
use wire::{BrokerId, Endpoint, LeaderEpoch, Offset};

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
    rng: Rng,
    raft: RaftClient,
    /// What replaying the log up to `replayed_to` adds up to.
    image: Arc<ClusterImage>,
    /// Where each broker's registration stands in the log.
    registration_offsets: BTreeMap<BrokerId, Offset>,
    replayed_to: Offset,
    channels: ServerChannels,
    snapshots: SnapshotSchedule,
    registration: Registration,
    /// Where it listens.
    endpoint: Endpoint,
    /// What only the active controller has.
    active: Option<Active>,
    is_shutting_down: bool,
}

/// The kinds of the controller's timers begin here: a combined server has a broker's beside them.
pub(crate) const FIRST_TIMER_KIND: u8 = 64;

/// The controller's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TimerKind {
    /// Something is due in the quorum.
    Quorum,
    /// A broker's session may have run out.
    SessionCheck,
    /// Time for a `NoOpRecord`.
    NoOp,
    /// Time to give leaderships back to preferred replicas.
    LeaderRebalance,
    /// Time to look for unclean leaders.
    UncleanElection,
    /// Its own registration has something to do.
    Registration,
}

impl TimerKind {
    const ALL: [TimerKind; 6] = [
        TimerKind::Quorum,
        TimerKind::SessionCheck,
        TimerKind::NoOp,
        TimerKind::LeaderRebalance,
        TimerKind::UncleanElection,
        TimerKind::Registration,
    ];

    /// The timers that only the active controller sets.
    const OF_ACTIVE: [TimerKind; 4] =
        [TimerKind::SessionCheck, TimerKind::NoOp, TimerKind::LeaderRebalance, TimerKind::UncleanElection];

    fn timer(self, key: u64) -> Timer {
        Timer { kind: FIRST_TIMER_KIND + self as u8, key }
    }

    fn of(timer: Timer) -> TimerKind {
        let place = usize::from(timer.kind - FIRST_TIMER_KIND);
        *TimerKind::ALL.get(place).expect("only timers that were set fire")
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

    /// Its part in the quorum, once the process has started.
    #[must_use]
    pub fn raft(&self) -> Option<&RaftClient> {
        self.running.as_ref().map(|running| &running.raft)
    }

    /// Whether the metadata log shows this very process.
    pub(crate) fn is_registered(&self) -> bool {
        self.running.as_ref().is_some_and(Running::is_registered)
    }

    /// The quorum epoch and the cluster as it stands, if this is an active controller.
    #[must_use]
    pub fn active_image(&self) -> Option<(LeaderEpoch, &ClusterImage)> {
        let running = self.running.as_ref().filter(|running| running.active.is_some())?;
        Some((running.raft.epoch(), &running.image))
    }

    /// The cluster as it knows it, active or not.
    #[must_use]
    pub fn image(&self) -> Option<&ClusterImage> {
        self.running.as_ref().map(|running| &*running.image)
    }

    fn start(&mut self, now: Instant, disk: &Disk, effects: &mut Effects) {
        assert!(self.running.is_none(), "a process starts once");
        match BrokerConfig::from_properties(&self.spec.properties) {
            Ok(config) => {
                let mut running = self.load(now, config, disk, effects);
                running.start(now, effects);
                self.running = Some(running);
            }
            Err(_) => effects.exit(EXIT_ON_CONFIG_ERROR),
        }
    }

    fn load(&self, now: Instant, config: BrokerConfig, disk: &Disk, effects: &mut Effects) -> Running {
        let mut channels = ServerChannels::default();
        let mut step = RaftStep { now, channels: &mut channels, effects };
        Running {
            snapshots: SnapshotSchedule::new(&config, now),
            raft: RaftClient::open(self.raft_setup(&config), disk, self.raft_rng(), &mut step),
            node_id: BrokerId(self.spec.node_id),
            static_config: config.clone(),
            config,
            faults: self.spec.historical_faults,
            rng: self.rng.clone(),
            image: Arc::default(),
            registration_offsets: BTreeMap::new(),
            replayed_to: Offset::ZERO,
            channels,
            registration: self.registration(),
            endpoint: self.spec.controller_endpoint().unwrap_or(&self.spec.endpoint).clone(),
            active: None,
            is_shutting_down: false,
        }
    }

    /// From a stream of its own.
    fn registration(&self) -> Registration {
        let mut rng = self.rng.clone();
        rng.long_jump();
        Registration::new(self.identity.clone(), self.spec.coordination.voters(), rng)
    }

    fn raft_setup(&self, config: &BrokerConfig) -> RaftSetup {
        RaftSetup {
            node_id: self.spec.node_id,
            identity: self.identity.clone(),
            voters: self.spec.coordination.voters().to_vec(),
            config: QuorumConfig::of(config),
            timer: TimerKind::Quorum.timer(0),
        }
    }

    /// A stream of its own, so that elections and placement do not shift each other's draws.
    fn raft_rng(&self) -> Rng {
        let mut rng = self.rng.clone();
        rng.jump();
        rng
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
            Input::Connected { connection } => {
                self.on_registration_connected(now, connection, effects);
                self.with_raft(now, effects, |raft, step| raft.on_connected(connection, step));
            }
            Input::Disconnected { connection } => self.on_disconnected(now, connection, effects),
            Input::Received { connection, message, .. } => self.on_message(now, connection, message, effects),
            Input::TimerFired { timer } => self.on_timer(now, timer, effects),
            Input::Told(instruction) => self.on_instruction(now, &instruction, effects),
            Input::ClockSet(clock) => self.raft.set_clock(clock),
        }
    }

    fn view(&self) -> ControllerView {
        ControllerView {
            is_active: self.active.is_some(),
            epoch: self.raft.epoch(),
            log_end_offset: self.raft.log().end_offset(),
            high_watermark: self.raft.high_watermark().unwrap_or(Offset::ZERO),
            image: Arc::clone(&self.image),
            quorum: self.raft.view(),
        }
    }

    /// Lets the quorum do something, and follows it.
    fn with_raft(&mut self, now: Instant, effects: &mut Effects, act: impl FnOnce(&mut RaftClient, &mut RaftStep<'_>)) {
        act(&mut self.raft, &mut RaftStep { now, channels: &mut self.channels, effects });
        self.follow_quorum(now, effects);
        self.exit_if_shut_down(now, effects);
    }

    fn on_disconnected(&mut self, now: Instant, connection: ConnectionId, effects: &mut Effects) {
        self.channels.disconnected(connection);
        self.on_registration_disconnected(now, connection);
        self.with_raft(now, effects, |raft, step| raft.on_disconnected(connection, step));
    }

    fn on_message(&mut self, now: Instant, connection: ConnectionId, message: Message, effects: &mut Effects) {
        match message {
            Message::Request { correlation_id, request } => {
                self.channels.receive(connection, correlation_id, request);
                self.work_on_requests(now, effects);
            }
            Message::Response { correlation_id, response } => {
                let answer = (connection, correlation_id);
                self.on_registration_response(now, answer, &response, effects);
                self.with_raft(now, effects, |raft, step| raft.on_response(answer, response, step));
            }
        }
    }

    fn on_instruction(&mut self, now: Instant, instruction: &Instruction, effects: &mut Effects) {
        match instruction {
            Instruction::ShutDown | Instruction::Interrupt => {
                self.is_shutting_down = true;
                self.with_raft(now, effects, |raft, step| raft.shut_down(step));
            }
            Instruction::Produce(_) | Instruction::EndOfInput => {}
        }
    }

    fn exit_if_shut_down(&self, now: Instant, effects: &mut Effects) {
        if self.is_shutting_down && self.raft.may_exit(now) {
            effects.exit(EXIT_ON_SIGTERM);
        }
    }

    fn work_on_requests(&mut self, now: Instant, effects: &mut Effects) {
        while let Some((id, request)) = self.channels.next_ready() {
            self.on_request(now, id, request, effects);
        }
    }

    fn on_timer(&mut self, now: Instant, timer: Timer, effects: &mut Effects) {
        match TimerKind::of(timer) {
            TimerKind::Quorum => self.with_raft(now, effects, |raft, step| raft.on_timer(step)),
            TimerKind::SessionCheck => self.on_session_check(now, effects),
            TimerKind::NoOp => self.on_no_op(now, effects),
            TimerKind::LeaderRebalance => self.on_leader_rebalance(now, effects),
            TimerKind::UncleanElection => self.on_unclean_election(now, effects),
            TimerKind::Registration => self.on_registration_timer(now, effects),
        }
        self.work_on_requests(now, effects);
    }
}

#[cfg(test)]
mod tests;
