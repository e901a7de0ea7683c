//! The controller of a ZooKeeper cluster (`kafka.controller.KafkaController`), a part of every broker process: one of them
//! holds `/controller`, elects leaders, and tells brokers what to lead and what to tell clients.
//!
//! Events are worked on one at a time, in order, and an event that asks ZooKeeper something keeps all others waiting. The
//! process passes on what happens to it: call the methods below, and carry out what [`ZooKeeperController::drain_outputs`]
//! gives after each. The registration of the broker is the process's own affair; so is its session, which the two share.
//! Failed log directories, finalized features and ACLs are not modelled.

mod batch;
mod brokers;
mod channels;
mod context;
mod elections;
mod office;
mod partitions;
mod reassignment;
mod rebalance;
mod replicas;
mod requests;
mod state_znodes;
#[cfg(test)]
mod tests;
mod topics;
mod work;

use crate::config::BrokerConfig;
use crate::instant::Duration;
use crate::node::{ConnectionId, RequestId};
use crate::spec::HistoricalFaults;
use crate::view::ZooKeeperControllerView;
use crate::zk_client::{Answer, Call, Host, HostTimer};
use crate::zk_data;
use channels::Channels;
pub use elections::ElectionOutcome;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use wire::request::{
    AlterPartitionReassignmentsRequest, AlterPartitionRequest, ControlledShutdownRequest, ElectionType,
    ListPartitionReassignmentsRequest,
};
use wire::zookeeper::{WatchedEvent, WatchedEventKind};
use wire::{BrokerId, ErrorCode, Request, Response, Timestamp, TopicName, TopicPartition};
use work::{Deed, State, Stop, Work};

/// What the controller wants of the process around it, beside connections and timers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControllerOutput {
    /// Ask ZooKeeper, and give the answer with the same tag to [`ZooKeeperController::on_answer`].
    Ask {
        /// The question's number.
        tag: ControllerTag,
        /// The question.
        call: Call,
    },
    /// Answer a request that was handed in.
    Respond {
        /// Which.
        id: RequestId,
        /// The answer.
        response: Response,
    },
    /// Leaders were elected, or not. To be answered when the process's own metadata shows them.
    Elected {
        /// The request that asked for it.
        id: RequestId,
        /// What came of it.
        outcome: ElectionOutcome,
    },
    /// The event of the expired session has been worked on: the session may be begun anew
    /// ([`crate::zk_client::ZooKeeperClient::begin`]).
    BeginSession,
}

/// Numbers the controller's questions to ZooKeeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ControllerTag {
    event: u64,
    place: u32,
}

/// A request for the controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControllerRequest {
    /// Other in-sync replicas.
    AlterPartition(AlterPartitionRequest),
    /// A broker wants to go.
    ControlledShutdown(ControlledShutdownRequest),
    /// Replicas shall move.
    AlterPartitionReassignments(AlterPartitionReassignmentsRequest),
    /// Which replicas move?
    ListPartitionReassignments(ListPartitionReassignmentsRequest),
    /// Leaders shall be elected.
    ElectLeaders {
        /// Of these partitions.
        partitions: BTreeSet<TopicPartition>,
        /// Which leaders.
        election_type: ElectionType,
        /// They are all that there are: what needs no election is not told.
        is_for_all: bool,
    },
}

/// `ControllerEvent`: what waits in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Task {
    Startup,
    Reelect,
    ControllerChange,
    Expire,
    BrokerChange,
    TopicChange,
    PartitionModifications(TopicName),
    TopicDeletion,
    ReplicasDeleted { broker: BrokerId, results: Vec<(TopicPartition, ErrorCode)> },
    Reassignment,
    PreferredElection,
    AutoRebalance,
    UncleanElectionEnabled(Option<TopicName>),
    Request { id: RequestId, request: ControllerRequest },
}

/// An event that is being worked on, and the answers it got so far.
#[derive(Clone, Debug)]
struct Current {
    task: Task,
    facts: Arc<Facts>,
    number: u64,
    at: Timestamp,
    before: State,
    answers: Vec<Answer>,
    asked: u32,
    carried_out: usize,
}

/// What does not change while an event is worked on.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    broker_id: BrokerId,
    config: BrokerConfig,
    is_unfenced: bool,
    is_blind_to_bounces: bool,
}

/// The controller's part of a broker process.
#[derive(Clone, Debug)]
pub struct ZooKeeperController {
    facts: Arc<Facts>,
    state: State,
    queue: VecDeque<Task>,
    current: Option<Current>,
    next_number: u64,
    channels: Channels,
    outputs: Vec<ControllerOutput>,
}

impl ZooKeeperController {
    /// A part that does nothing before the broker has registered.
    #[must_use]
    pub fn new(broker_id: BrokerId, config: BrokerConfig, faults: HistoricalFaults) -> ZooKeeperController {
        let channels = Channels::new(&config);
        let facts = Facts {
            broker_id,
            config,
            is_unfenced: faults.unfenced_zookeeper_controllers,
            is_blind_to_bounces: faults.unnoticed_broker_bounces,
        };
        ZooKeeperController {
            facts: Arc::new(facts),
            state: State::default(),
            queue: VecDeque::new(),
            current: None,
            next_number: 0,
            channels,
            outputs: Vec::new(),
        }
    }

    /// Whether this broker is the controller, as far as it knows.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state.active_controller == Some(self.facts.broker_id)
    }

    /// What an onlooker may see; nothing while this broker is not the controller.
    #[must_use]
    pub fn view(&self) -> Option<ZooKeeperControllerView> {
        self.is_active().then_some(ZooKeeperControllerView {
            controller_epoch: self.state.context.epoch,
            waiting_events: self.queue.len() as u32,
        })
    }

    /// Whether `broker` is live, as far as it knows; nothing while this broker is not the controller.
    #[must_use]
    pub fn knows_as_live(&self, broker: BrokerId) -> Option<bool> {
        self.is_active().then(|| self.state.context.is_live(broker))
    }

    /// What the process is to do now, in order. Call it after each of the methods below.
    pub fn drain_outputs(&mut self) -> Vec<ControllerOutput> {
        std::mem::take(&mut self.outputs)
    }

    /// The broker has registered in its session, for the first time or anew.
    pub fn on_registered(&mut self, host: &mut impl Host) {
        self.put(Task::Startup, host);
    }

    /// The session has expired. The event at work and those that wait are given up, and the office with them.
    pub fn on_session_expired(&mut self, host: &mut impl Host) {
        let at_work = self.current.take().map(|current| current.task);
        let given_up: Vec<Task> = at_work.into_iter().chain(self.queue.drain(..)).collect();
        given_up.iter().for_each(|task| self.refuse(task));
        self.put(Task::Expire, host);
    }

    /// ZooKeeper has answered.
    pub fn on_answer(&mut self, tag: ControllerTag, answer: Answer, host: &mut impl Host) {
        let Some(current) = self.current.as_mut().filter(|current| current.number == tag.event) else { return };
        assert_eq!(current.answers.len(), tag.place as usize, "ZooKeeper answers in order");
        current.answers.push(answer);
        self.run(host);
    }

    /// A watch fired; those of others do not matter.
    pub fn on_watched(&mut self, event: &WatchedEvent, host: &mut impl Host) {
        if let Some(task) = task_of_watch(event) {
            self.put(task, host);
        }
    }

    /// A broker asks something of the controller.
    pub fn on_request(&mut self, id: RequestId, request: ControllerRequest, host: &mut impl Host) {
        self.put(Task::Request { id, request }, host);
    }

    /// `unclean.leader.election.enable` was switched on, for a topic or for all that do not say otherwise.
    pub fn on_unclean_election_enabled(&mut self, topic: Option<TopicName>, host: &mut impl Host) {
        self.put(Task::UncleanElectionEnabled(topic), host);
    }

    /// Configurations were changed. Events that begin from now on follow them.
    pub fn configure(&mut self, config: BrokerConfig) {
        Arc::make_mut(&mut self.facts).config = config;
    }

    /// A channel's connection is established.
    pub fn on_connected(&mut self, broker: BrokerId, connection: ConnectionId, host: &mut impl Host) {
        self.channels.on_connected(broker, connection, host);
    }

    /// A channel's connection is gone.
    pub fn on_disconnected(&mut self, broker: BrokerId, connection: ConnectionId, host: &mut impl Host) {
        self.channels.on_disconnected(broker, connection, host);
    }

    /// A broker has answered on a channel.
    pub fn on_response(
        &mut self,
        broker: BrokerId,
        (connection, correlation_id): (ConnectionId, i32),
        response: &Response,
        host: &mut impl Host,
    ) {
        let answered = self.channels.on_response(broker, (connection, correlation_id), host);
        if let (Some(Request::StopReplica(request)), Response::StopReplica(response)) = (answered, response) {
            let deletions = request.partitions.iter().filter(|asked| asked.delete && asked.leader_epoch.is_none());
            let error_of = |partition: &TopicPartition| {
                let own = response.partitions.iter().find(|(its, _)| its == partition).map(|(_, error)| *error);
                if response.error.is_none() { own.unwrap_or(ErrorCode::None) } else { response.error }
            };
            let results: Vec<(TopicPartition, ErrorCode)> =
                deletions.map(|asked| (asked.partition.clone(), error_of(&asked.partition))).collect();
            if !results.is_empty() {
                self.put(Task::ReplicasDeleted { broker, results }, host);
            }
        }
    }

    /// A timer of the controller fired.
    pub fn on_timer(&mut self, timer: HostTimer, host: &mut impl Host) {
        match timer {
            HostTimer::ControllerChannel(broker) => self.channels.on_timer(broker, host),
            HostTimer::AutoLeaderRebalance => self.put(Task::AutoRebalance, host),
            HostTimer::ZooKeeperSession => {}
        }
    }

    fn put(&mut self, task: Task, host: &mut impl Host) {
        self.queue.push_back(task);
        self.run(host);
    }

    /// Works on events until one has to wait or none is left.
    fn run(&mut self, host: &mut impl Host) {
        loop {
            if self.current.is_none() {
                let Some(task) = self.queue.pop_front() else { return };
                self.begin(task, host);
            }
            let current = self.current.as_ref().expect("an event was begun");
            if current.answers.len() < current.asked as usize || !self.work(host) {
                return;
            }
        }
    }

    fn begin(&mut self, task: Task, host: &mut impl Host) {
        let number = self.next_number;
        self.next_number += 1;
        let at = host.clock().at(host.now());
        let (facts, before) = (Arc::clone(&self.facts), self.state.clone());
        self.current = Some(Current { task, facts, number, at, before, answers: Vec::new(), asked: 0, carried_out: 0 });
    }

    /// Works on the current event as far as it goes. Returns whether it is done.
    fn work(&mut self, host: &mut impl Host) -> bool {
        let mut current = self.current.take().expect("there is an event to work on");
        let facts = Arc::clone(&current.facts);
        let mut work = Work::new(&facts, current.at, current.before.clone(), &current.answers);
        let stopped = work.process(&current.task).err();
        let Work { state, deeds, missing, .. } = work;
        let is_done = stopped != Some(Stop::Waiting);
        let new_deeds = deeds.into_iter().skip(current.carried_out).collect::<Vec<Deed>>();
        current.carried_out += new_deeds.len();
        new_deeds.into_iter().for_each(|deed| self.carry_out(deed, host));
        if is_done {
            self.state = state;
            if current.task == Task::Expire {
                self.outputs.push(ControllerOutput::BeginSession);
            }
            return true;
        }
        for call in missing {
            let tag = ControllerTag { event: current.number, place: current.asked };
            current.asked += 1;
            self.outputs.push(ControllerOutput::Ask { tag, call });
        }
        self.current = Some(current);
        false
    }

    fn carry_out(&mut self, deed: Deed, host: &mut impl Host) {
        match deed {
            Deed::AddBroker(broker, endpoint) => self.channels.add(broker, endpoint),
            Deed::RemoveBroker(broker) => self.channels.remove(broker, host),
            Deed::RemoveAllBrokers => self.channels.remove_all(host),
            Deed::Send(broker, request) => self.channels.send(broker, request, host),
            Deed::Respond(id, response) => self.outputs.push(ControllerOutput::Respond { id, response }),
            Deed::Refuse(id, request) => self.outputs.push(requests::refuse(id, &request)),
            Deed::Elected(id, outcome) => self.outputs.push(ControllerOutput::Elected { id, outcome }),
            Deed::Put(task) => self.queue.push_back(task),
            Deed::Note(event) => host.note(event),
            Deed::ScheduleRebalance { after_ms } => {
                host.set_timer(HostTimer::AutoLeaderRebalance, host.now() + Duration::from_ms(after_ms));
            }
            Deed::CancelRebalance => host.cancel_timer(HostTimer::AutoLeaderRebalance),
        }
    }

    /// An event that came to nothing: whoever waits for an answer gets one.
    fn refuse(&mut self, task: &Task) {
        if let Task::Request { id, request } = task {
            self.outputs.push(requests::refuse(*id, request));
        }
    }
}

impl Work<'_> {
    /// Works on an event; a controller that was deposed meanwhile resigns. Whoever asked for it hears nothing then.
    fn process(&mut self, task: &Task) -> Result<(), Stop> {
        match self.handle(task) {
            Err(Stop::ControllerMoved) => self.maybe_resign(),
            other => other,
        }
    }

    fn handle(&mut self, task: &Task) -> Result<(), Stop> {
        match task {
            Task::Startup => self.on_startup(),
            Task::Reelect => self.on_reelect(),
            Task::ControllerChange => self.maybe_resign(),
            Task::Expire => {
                self.on_expired();
                Ok(())
            }
            Task::Request { id, request } => self.on_request(*id, request),
            // All others are for the controller alone.
            _ if !self.is_active() => Ok(()),
            Task::BrokerChange => self.on_broker_change(),
            Task::TopicChange => self.on_topic_change(),
            Task::PartitionModifications(topic) => self.on_partition_modifications(topic),
            Task::TopicDeletion => self.on_topic_deletion(),
            Task::ReplicasDeleted { broker, results } => self.on_replicas_deleted(*broker, results),
            Task::Reassignment => self.on_zookeeper_reassignment().map(drop),
            Task::PreferredElection => self.on_preferred_election(),
            Task::AutoRebalance => self.on_auto_rebalance(),
            Task::UncleanElectionEnabled(Some(topic)) => self.on_unclean_election_enabled(topic),
            Task::UncleanElectionEnabled(None) => self.on_unclean_election_enabled_by_default(),
        }
    }

    fn on_request(&mut self, id: RequestId, request: &ControllerRequest) -> Result<(), Stop> {
        match request {
            ControllerRequest::AlterPartition(request) => self.on_alter_partition(id, request),
            ControllerRequest::ControlledShutdown(request) => self.on_controlled_shutdown(id, request),
            _ if !self.is_active() => {
                self.deeds.push(Deed::Refuse(id, request.clone()));
                Ok(())
            }
            ControllerRequest::AlterPartitionReassignments(request) => self.on_alter_reassignments(id, request),
            ControllerRequest::ListPartitionReassignments(request) => {
                self.on_list_reassignments(id, request);
                Ok(())
            }
            ControllerRequest::ElectLeaders { partitions, election_type, is_for_all } => {
                self.on_elect_leaders(id, partitions, *election_type, *is_for_all)
            }
        }
    }
}

fn task_of_watch(event: &WatchedEvent) -> Option<Task> {
    use WatchedEventKind::{NodeChildrenChanged, NodeCreated, NodeDataChanged, NodeDeleted};
    match (&*event.path.0, event.kind) {
        (zk_data::CONTROLLER, NodeDeleted) => Some(Task::Reelect),
        (zk_data::CONTROLLER, NodeCreated | NodeDataChanged) => Some(Task::ControllerChange),
        (zk_data::BROKER_IDS, NodeChildrenChanged) => Some(Task::BrokerChange),
        (zk_data::TOPICS, NodeChildrenChanged) => Some(Task::TopicChange),
        (zk_data::DELETE_TOPICS, NodeChildrenChanged) => Some(Task::TopicDeletion),
        (zk_data::PREFERRED_ELECTION, NodeCreated) => Some(Task::PreferredElection),
        (zk_data::REASSIGN_PARTITIONS, NodeCreated) => Some(Task::Reassignment),
        (path, NodeDataChanged) => {
            let topic = path.strip_prefix(zk_data::TOPICS)?.strip_prefix('/')?;
            (!topic.contains('/')).then(|| Task::PartitionModifications(TopicName::new(topic)))
        }
        (_, NodeCreated | NodeDeleted | NodeChildrenChanged) => None,
    }
}
