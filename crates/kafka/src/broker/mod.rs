//! A broker: it registers, learns of its cluster, keeps replicas, and serves clients and other brokers. With whom it
//! registers and from whom it learns is its `membership`.
//!
//! The struct only holds the parts and passes each input to the one that is concerned; every file beside this one is one
//! responsibility. Follows `kafka.server.BrokerServer`. Consumer groups, transactions, quotas, authorization and dynamic
//! broker configurations are not modelled.

mod alter_partition;
mod backoff;
mod channel;
mod connections;
mod controller_channel;
mod delete_records;
mod describe_broker;
mod describe_configs;
mod fetch;
mod fetch_sessions;
mod forwarding;
mod lifecycle;
mod list_offsets;
mod log_cleaner;
mod log_manager;
mod membership;
mod metadata_follower;
mod metadata_publisher;
mod produce;
mod purgatory;
mod replica_fetcher;
mod replica_manager;
mod requests;
mod still_fetches;
#[cfg(test)]
mod tests;
mod timers;
mod topics;
mod view;
mod zookeeper;

use crate::Rng;
use crate::config::BrokerConfig;
use crate::instant::{Instant, WallClock};
use crate::log::LogSettings;
use crate::metadata::ClusterImage;
use crate::node::{ConnectionId, Effects, Identity, Input, Instruction, Listener, Message, Node, Timer};
use crate::raft::RaftClient;
use crate::server_channels::ServerChannels;
use crate::spec::ServerSpec;
use crate::storage::Disk;
use crate::view::BrokerState;
use crate::zk_client::HostTimer;
use alter_partition::AlterPartitionManager;
use channel::{ChannelId, Outbound};
use controller_channel::Controllers;
use fetch_sessions::FetchSessions;
use forwarding::ForwardingManager;
use membership::Membership;
use purgatory::Purgatory;
use rand::SeedableRng;
use replica_fetcher::ReplicaFetcher;
use replica_manager::ReplicaManager;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::{BrokerEpoch, BrokerId};

/// A broker.
#[derive(Clone, Debug)]
pub struct Broker {
    setup: Arc<Setup>,
    /// The properties with what was set while the broker runs.
    config: Arc<BrokerConfig>,
    outbound: Outbound,
    controllers: Controllers,
    membership: Membership,
    /// The state that it shows.
    state: BrokerState,
    /// Its registration, once it has one.
    broker_epoch: Option<BrokerEpoch>,
    /// The cluster as it knows it.
    image: Arc<ClusterImage>,
    replicas: ReplicaManager,
    fetchers: BTreeMap<BrokerId, ReplicaFetcher>,
    alter_partition: AlterPartitionManager,
    forwarding: ForwardingManager,
    server: ServerChannels,
    purgatory: Purgatory,
    fetch_sessions: FetchSessions,
}

/// What stays the same as long as the process runs and nobody sets the clock.
#[derive(Clone, Debug)]
struct Setup {
    broker_id: BrokerId,
    spec: ServerSpec,
    config: BrokerConfig,
    is_misconfigured: bool,
    wall_clock: WallClock,
}

/// One step: when it happens, and what it does.
struct Step<'a> {
    now: Instant,
    effects: &'a mut Effects,
}

impl Broker {
    /// A process that has not started yet: its first input is `Input::Started`. With properties that Kafka refuses, it
    /// exits then.
    #[must_use]
    pub fn new(spec: ServerSpec, identity: Identity, rng: Rng) -> Broker {
        let checked = BrokerConfig::from_properties(&spec.properties);
        let is_misconfigured = checked.is_err();
        let config = checked.unwrap_or_default();
        let wall_clock = identity.clock;
        let mut outbound = Outbound::new(identity, rng);
        Broker {
            controllers: Controllers::new(spec.coordination.voters().to_vec()),
            membership: Membership::new(&spec, &config, &mut outbound.rng),
            state: BrokerState::Starting,
            broker_epoch: None,
            image: Arc::default(),
            replicas: ReplicaManager::new(
                BrokerId(spec.node_id),
                &config,
                LogSettings::new(&config, &outbound.rng),
                spec.historical_faults,
            ),
            fetchers: BTreeMap::new(),
            alter_partition: AlterPartitionManager::new(&config),
            forwarding: ForwardingManager::new(&config),
            server: ServerChannels::default(),
            purgatory: Purgatory::default(),
            fetch_sessions: FetchSessions::new(
                config.max_incremental_fetch_session_cache_slots,
                Rng::from_rng(&mut outbound.rng),
            ),
            outbound,
            config: Arc::new(config.clone()),
            setup: Arc::new(Setup { broker_id: BrokerId(spec.node_id), spec, config, is_misconfigured, wall_clock }),
        }
    }

    /// The broker of a combined server looks at what the controller beside it knows of the quorum.
    pub(crate) fn follow(&mut self, raft: &RaftClient, now: Instant, effects: &mut Effects) {
        let mut step = Step { now, effects };
        self.look_at(raft, &mut step);
        self.settle(&mut step);
    }

    /// The broker of a combined server has ended before its controller: whoever is connected is told.
    pub(crate) fn close_connections(&mut self, effects: &mut Effects) {
        let opened = self.outbound.connections().chain(self.server.connections());
        opened.for_each(|connection| effects.close(connection));
        effects.stop_listening(Listener::Plaintext);
    }

    fn on_input(&mut self, input: Input, step: &mut Step<'_>) {
        match input {
            Input::Started { disk } => self.on_started(disk, step),
            Input::Connected { connection } => self.on_connected(connection, step),
            Input::Disconnected { connection } => self.on_disconnected(connection, step),
            Input::Received { connection, message, .. } => self.on_message(connection, message, step),
            Input::TimerFired { timer } => self.on_timer(timer, step),
            Input::Told(instruction) => self.on_instruction(&instruction, step),
            Input::ClockSet(clock) => Arc::make_mut(&mut self.setup).wall_clock = clock,
        }
    }

    fn on_started(&mut self, disk: Disk, step: &mut Step<'_>) {
        if self.setup.is_misconfigured {
            return self.give_up(step);
        }
        self.replicas.take_disk(&disk);
        self.join_cluster(&disk, step);
    }

    fn on_message(&mut self, connection: ConnectionId, message: Message, step: &mut Step<'_>) {
        match message {
            Message::Request { correlation_id, request } => self.server.receive(connection, correlation_id, request),
            Message::Response { correlation_id, response } => {
                self.on_response((connection, correlation_id), response, step);
            }
        }
    }

    fn on_instruction(&mut self, instruction: &Instruction, step: &mut Step<'_>) {
        match instruction {
            Instruction::ShutDown => self.begin_shutdown(step),
            Instruction::Produce(_) | Instruction::EndOfInput | Instruction::Interrupt => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, step: &mut Step<'_>) {
        match timer.kind {
            timers::COMMUNICATION => self.on_communication_due(step),
            timers::REGISTRATION_TIMEOUT => self.give_up(step),
            timers::SHUTDOWN_TIMEOUT => self.finish_shutdown(step),
            timers::RECONNECT => self.on_reconnect(ChannelId::from_timer_key(timer.key), step),
            timers::CHANNEL_TIMEOUT => self.on_channel_timeout(ChannelId::from_timer_key(timer.key), step),
            timers::METADATA_QUORUM => self.on_quorum_timer(step),
            timers::FETCH_BACKOFF => self.advance(ChannelId::ReplicaFetcher(BrokerId(timer.key as i32)), step),
            timers::ISR_EXPIRATION => self.on_isr_expiration(step),
            timers::HIGH_WATERMARK_CHECKPOINT => self.on_high_watermark_checkpoint(step),
            timers::LOG_CHECKPOINT => self.on_log_checkpoint(step),
            timers::LOG_FLUSH => self.on_log_flush(step),
            timers::PRODUCER_EXPIRATION => self.on_producer_expiration(step),
            timers::LOG_RETENTION => self.on_log_retention(step),
            timers::LOG_CLEANER => self.on_log_cleaner(step),
            timers::ALTER_PARTITION => self.send_proposals(step),
            timers::CONTROLLED_SHUTDOWN => self.attempt_controlled_shutdown(step),
            timers::ADMIN_JOB => self.on_admin_timeout(timer.key, step),
            timers::LEADER_ELECTION => self.answer_election(timer.key, step),
            timers::ZOOKEEPER_SESSION => self.on_session_timer(step),
            timers::CONTROLLER_CHANNEL => {
                let broker = BrokerId(timer.key as i32);
                self.on_controller_timer(HostTimer::ControllerChannel(broker), step);
            }
            timers::AUTO_LEADER_REBALANCE => self.on_controller_timer(HostTimer::AutoLeaderRebalance, step),
            timers::DELAYED_OPERATION => self.on_operation_expired(timer.key, step),
            kind => unreachable!("a broker sets no timer of kind {kind}"),
        }
    }

    /// Works until nothing is left to do at this instant: parked requests that became complete, and requests that
    /// waited for the answer to the one before them.
    fn settle(&mut self, step: &mut Step<'_>) {
        loop {
            self.complete_parked(step);
            let Some((id, request)) = self.server.next_ready() else { return };
            self.on_request(id, request, step);
        }
    }
}

impl Node for Broker {
    fn step(&mut self, now: Instant, input: Input, effects: &mut Effects) {
        let mut step = Step { now, effects };
        self.on_input(input, &mut step);
        self.settle(&mut step);
    }
}
