//! An administrative tool as a process: it makes one call of the admin client after another, as its task says, notes what
//! came of it, and exits.

use super::admin_client::{AdminClient, CallOutcome, NodeChoice};
use super::cluster::ClusterTask;
use super::configs::ConfigsTask;
use super::delete_records::DeleteRecordsTask;
use super::elect_leaders::ElectLeadersTask;
use super::features::FeaturesTask;
use super::get_offsets::GetOffsetsTask;
use super::log_dirs::LogDirsTask;
use super::quorum::QuorumTask;
use super::reassign::ReassignTask;
use super::topics::TopicsTask;
use crate::Rng;
use crate::client::alarm::Alarm;
use crate::client::cluster_client::NO_METADATA;
use crate::client::network_client::log;
use crate::client::split_rng;
use crate::event::{AdminFailure, ClientEvent, ClientLog, EventKind};
use crate::instant::Instant;
use crate::node::{Effects, ExitStatus, Identity, Input, Instruction};
use crate::spec::{AdminAction, ClientSpec, TopicsAction};
use crate::view::AdminView;
use wire::{Endpoint, ErrorCode, Request, Response, TopicName};

/// One call of the admin client.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The admin client's name for it, for example `listTopics`.
    pub(super) name: &'static str,
    /// What is asked.
    pub(super) request: Request,
    /// Whom.
    pub(super) to: NodeChoice,
}

/// What a task does next.
#[derive(Clone, Debug)]
pub(super) enum Next {
    /// Makes a call.
    Call(Call),
    /// Makes another call for the same purpose, within the time of the one before.
    Continue(Call),
    /// Makes this call for the same purpose after a back-off: the answer to the one before was an error that passes.
    Retry(Call),
    /// The answer was `NOT_CONTROLLER`: makes the last call again once the controller is known.
    RetryWithOtherController,
    /// Ends, with what there is to tell.
    Finish {
        /// What came of it.
        event: Option<ClientEvent>,
        /// The exit status.
        status: ExitStatus,
    },
    /// Ends with exit status 1.
    Fail(AdminFailure),
}

impl Next {
    /// Ends well, with nothing to tell.
    pub(super) fn done() -> Next {
        Next::Finish { event: None, status: ExitStatus(0) }
    }

    /// Ends well.
    pub(super) fn finish(event: ClientEvent) -> Next {
        Next::Finish { event: Some(event), status: ExitStatus(0) }
    }
}

/// What a tool does: one variant and one file for each tool.
#[derive(Clone, Debug)]
enum Task {
    Topics(TopicsTask),
    GetOffsets(GetOffsetsTask),
    DeleteRecords(DeleteRecordsTask),
    LogDirs(LogDirsTask),
    Cluster(ClusterTask),
    Features(FeaturesTask),
    Quorum(QuorumTask),
    ElectLeaders(ElectLeadersTask),
    Reassign(Box<ReassignTask>),
    Configs(ConfigsTask),
}

impl Task {
    fn new(action: AdminAction, rng: &mut Rng) -> Task {
        match action {
            AdminAction::GetOffsets(action) => Task::GetOffsets(GetOffsetsTask::new(action)),
            AdminAction::DeleteRecords(partitions) => Task::DeleteRecords(DeleteRecordsTask::new(partitions)),
            AdminAction::LogDirs(brokers) => Task::LogDirs(LogDirsTask::new(brokers)),
            AdminAction::ApiVersions | AdminAction::ZooKeeper(_) => {
                unreachable!("these tools have clients of their own")
            }
            AdminAction::Cluster(action) => Task::Cluster(ClusterTask::new(action)),
            AdminAction::Features(action) => Task::Features(FeaturesTask::new(action)),
            AdminAction::Quorum(action) => Task::Quorum(QuorumTask::new(action)),
            AdminAction::ElectLeaders(action) => Task::ElectLeaders(ElectLeadersTask::new(action)),
            AdminAction::Reassign(action) => Task::Reassign(Box::new(ReassignTask::new(action, split_rng(rng)))),
            AdminAction::Configs(action) => Task::Configs(ConfigsTask::new(action)),
        }
    }

    fn topic(&self) -> Option<TopicName> {
        match self {
            Task::Topics(task) => task.topic(),
            Task::GetOffsets(_)
            | Task::ElectLeaders(_)
            | Task::Reassign(_)
            | Task::Configs(_)
            | Task::DeleteRecords(_)
            | Task::LogDirs(_)
            | Task::Cluster(_)
            | Task::Features(_)
            | Task::Quorum(_) => None,
        }
    }

    fn start(&mut self) -> Next {
        match self {
            Task::Topics(task) => task.start(),
            Task::GetOffsets(task) => task.start(),
            Task::DeleteRecords(task) => task.start(),
            Task::LogDirs(task) => task.start(),
            Task::Cluster(task) => task.start(),
            Task::Features(task) => task.start(),
            Task::Quorum(task) => task.start(),
            Task::ElectLeaders(task) => task.start(),
            Task::Reassign(task) => task.start(),
            Task::Configs(task) => task.start(),
        }
    }

    fn on_response(&mut self, response: Response) -> Next {
        match self {
            Task::Topics(task) => task.on_response(response),
            Task::GetOffsets(task) => task.on_response(response),
            Task::DeleteRecords(task) => task.on_response(response),
            Task::LogDirs(task) => task.on_response(response),
            Task::Cluster(task) => task.on_response(response),
            Task::Features(task) => task.on_response(response),
            Task::Quorum(task) => task.on_response(response),
            Task::ElectLeaders(task) => task.on_response(response),
            Task::Reassign(task) => task.on_response(response),
            Task::Configs(task) => task.on_response(response),
        }
    }

    /// A call failed: most tools fail with it.
    fn on_failure(&mut self, failure: AdminFailure) -> Next {
        match self {
            Task::ElectLeaders(_) | Task::Reassign(_) | Task::LogDirs(_) | Task::Cluster(_) | Task::Quorum(_) => {
                Next::Fail(failure)
            }
            Task::Topics(task) => task.on_failure(failure),
            Task::GetOffsets(task) => task.on_failure(failure),
            Task::DeleteRecords(task) => task.on_failure(failure),
            Task::Features(task) => task.on_failure(failure),
            Task::Configs(task) => task.on_failure(failure),
        }
    }

    /// The broker that a call was for is gone.
    fn on_disconnected(&mut self) -> Next {
        match self {
            Task::Topics(_) | Task::ElectLeaders(_) | Task::Cluster(_) | Task::Features(_) | Task::Quorum(_) => {
                unreachable!("these tools ask no broker in particular")
            }
            Task::GetOffsets(task) => task.on_disconnected(),
            Task::DeleteRecords(task) => task.on_disconnected(),
            Task::LogDirs(task) => task.on_disconnected(),
            Task::Configs(task) => task.on_disconnected(),
            Task::Reassign(task) => task.on_disconnected(),
        }
    }
}

/// A program that administers the cluster.
#[derive(Clone, Debug)]
pub(crate) struct AdminProgram {
    client_id: String,
    bootstrap_servers: Vec<Endpoint>,
    task: Task,
    admin: AdminClient,
    /// The call under way or made last; empty before the first.
    call: &'static str,
    alarm: Alarm,
    has_ended: bool,
}

impl AdminProgram {
    /// A `kafka-topics` process that has not started yet.
    pub(crate) fn topics(spec: ClientSpec, action: TopicsAction, identity: &Identity, rng: Rng) -> AdminProgram {
        AdminProgram::new(spec, Task::Topics(TopicsTask::new(action)), identity, rng)
    }

    /// A process of another tool that has not started yet.
    pub(crate) fn tool(spec: ClientSpec, action: AdminAction, identity: &Identity, mut rng: Rng) -> AdminProgram {
        let task = Task::new(action, &mut rng);
        AdminProgram::new(spec, task, identity, rng)
    }

    fn new(spec: ClientSpec, task: Task, identity: &Identity, rng: Rng) -> AdminProgram {
        AdminProgram {
            admin: AdminClient::new(&spec.bootstrap_servers, identity, rng),
            client_id: spec.client_id,
            bootstrap_servers: spec.bootstrap_servers,
            task,
            call: "",
            alarm: Alarm::default(),
            has_ended: false,
        }
    }

    /// What an onlooker may see.
    pub(crate) fn view(&self) -> AdminView {
        AdminView {
            client_id: self.client_id.clone(),
            call: self.call,
            topic: self.task.topic(),
            bootstrap_servers: self.bootstrap_servers.clone(),
        }
    }

    /// Handles one input completely.
    pub(crate) fn step(&mut self, now: Instant, input: Input, effects: &mut Effects) {
        if self.has_ended {
            return;
        }
        match input {
            Input::Started { .. } => {
                let next = self.task.start();
                self.follow(next, now, effects);
            }
            Input::TimerFired { .. } => self.alarm.on_fired(),
            Input::Told(Instruction::Interrupt) => self.exit(ExitStatus(130), effects),
            Input::Told(Instruction::ShutDown) => self.exit(ExitStatus(143), effects),
            Input::Told(Instruction::Produce(_) | Instruction::EndOfInput) => {}
            Input::ClockSet(clock) => self.admin.set_clock(clock),
            Input::Connected { .. } | Input::Disconnected { .. } | Input::Received { .. } => {
                if let Some(outcome) = self.admin.on_input(now, input, effects) {
                    self.on_outcome(outcome, now, effects);
                }
            }
        }
        self.poll(now, effects);
    }

    fn poll(&mut self, now: Instant, effects: &mut Effects) {
        if self.has_ended {
            return self.alarm.set(now, None, effects);
        }
        if let Some(outcome) = self.admin.poll(now, effects) {
            self.on_outcome(outcome, now, effects);
        }
        let next = if self.has_ended { None } else { self.admin.next_deadline() };
        self.alarm.set(now, next, effects);
    }

    fn follow(&mut self, next: Next, now: Instant, effects: &mut Effects) {
        match next {
            Next::Call(Call { name, request, to }) => {
                self.call = name;
                self.admin.start_call(name, request, to, now);
            }
            Next::Continue(Call { name, request, to }) => {
                self.call = name;
                self.admin.continue_call(name, request, to, now);
            }
            Next::Retry(Call { name, request, to }) => {
                self.call = name;
                if let Some(outcome) = self.admin.retry_call(name, request, to, now) {
                    self.on_outcome(outcome, now, effects);
                }
            }
            Next::RetryWithOtherController => {
                if let Some(outcome) = self.admin.retry_with_other_controller(now) {
                    self.on_outcome(outcome, now, effects);
                }
            }
            Next::Finish { event, status } => {
                event.into_iter().for_each(|event| note(effects, event));
                self.exit(status, effects);
            }
            Next::Fail(failure) => {
                note(effects, ClientEvent::AdminFailed(failure));
                self.exit(ExitStatus(1), effects);
            }
        }
    }

    fn on_outcome(&mut self, outcome: CallOutcome, now: Instant, effects: &mut Effects) {
        let call = self.call;
        let next = match outcome {
            CallOutcome::Answered(response) => self.task.on_response(response),
            CallOutcome::Disconnected => self.task.on_disconnected(),
            CallOutcome::NoNode(message) => {
                self.task.on_failure(AdminFailure::TimedOut { call, message: message.to_owned() })
            }
            CallOutcome::TimedOut(message) => {
                self.task.on_failure(AdminFailure::Refused { error: ErrorCode::RequestTimedOut, message })
            }
            CallOutcome::Unsupported(api) => {
                let message = format!("The node does not support {api}");
                self.task.on_failure(AdminFailure::Refused { error: ErrorCode::UnsupportedVersion, message })
            }
            CallOutcome::NotABroker => return self.on_not_a_broker(effects),
        };
        self.follow(next, now, effects);
    }

    /// The real client tells it twice before it gives the call up, and twice while it closes.
    fn on_not_a_broker(&mut self, effects: &mut Effects) {
        log(effects, ClientLog::NotABroker);
        log(effects, ClientLog::NotABroker);
        let message = NO_METADATA.to_owned();
        let failure = AdminFailure::Refused { error: ErrorCode::UnsupportedVersion, message };
        note(effects, ClientEvent::AdminFailed(failure));
        log(effects, ClientLog::NotABroker);
        log(effects, ClientLog::NotABroker);
        self.exit(ExitStatus(1), effects);
    }

    fn exit(&mut self, status: ExitStatus, effects: &mut Effects) {
        self.admin.close(effects);
        effects.exit(status);
        self.has_ended = true;
    }
}

fn note(effects: &mut Effects, event: ClientEvent) {
    effects.note(EventKind::Client(event));
}
