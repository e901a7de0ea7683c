//! One event of the controller at work.
//!
//! Kafka's controller thread blocks while ZooKeeper answers. Here an event is worked on as far as the answers that have
//! come reach; when one is missing the work stops, and is done over from the state before the event once it is there.
//! What was done on the way is remembered as deeds, and those that were carried out before are not carried out again:
//! the same answers lead to the same deeds.

use super::context::Context;
use super::elections::ElectionOutcome;
use super::{ControllerRequest, Facts, Task};
use crate::event::{ControllerEvent, EventKind, ZooKeeperEvent};
use crate::node::RequestId;
use crate::zk_client::{Answer, Call};
use crate::zk_data;
use wire::zookeeper::{Operation, OperationResult, Stat, ZnodeData, ZnodePath, ZnodeVersion, ZooKeeperError};
use wire::{BrokerId, Endpoint, Request, Response, Timestamp};

/// Why work on an event stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Answers of ZooKeeper are missing.
    Waiting,
    /// ZooKeeper says that another controller was elected (`ControllerMovedException`).
    ControllerMoved,
    /// Any other exception: it is logged, and what was not done yet stays undone.
    Failed,
}

/// Something that an event brings about outside of the controller's context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    AddBroker(BrokerId, Endpoint),
    RemoveBroker(BrokerId),
    RemoveAllBrokers,
    Send(BrokerId, Request),
    Respond(RequestId, Response),
    Refuse(RequestId, ControllerRequest),
    Elected(RequestId, ElectionOutcome),
    /// Something to do after everything that waits already.
    Put(Task),
    Note(EventKind),
    ScheduleRebalance {
        after_ms: i64,
    },
    CancelRebalance,
}

/// What the controller knows between two events.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) context: Context,
    /// Who `/controller` named last.
    pub(super) active_controller: Option<BrokerId>,
}

/// The work on one event.
pub(super) struct Work<'a> {
    pub(super) facts: &'a Facts,
    pub(super) at: Timestamp,
    pub(super) state: State,
    pub(super) deeds: Vec<Deed>,
    answers: &'a [Answer],
    asked: usize,
    /// What is to be asked when the work stops with [`Stop::Waiting`].
    pub(super) missing: Vec<Call>,
}

/// What ZooKeeper said to one operation.
pub(super) type Outcome = Result<OperationResult, ZooKeeperError>;

impl<'a> Work<'a> {
    pub(super) fn new(facts: &'a Facts, at: Timestamp, state: State, answers: &'a [Answer]) -> Work<'a> {
        Work { facts, at, state, deeds: Vec::new(), answers, asked: 0, missing: Vec::new() }
    }

    pub(super) fn context(&mut self) -> &mut Context {
        &mut self.state.context
    }

    pub(super) fn is_active(&self) -> bool {
        self.state.active_controller == Some(self.facts.broker_id)
    }

    pub(super) fn note(&mut self, event: ControllerEvent) {
        self.deeds.push(Deed::Note(EventKind::Controller(event)));
    }

    pub(super) fn note_office(&mut self, event: ZooKeeperEvent) {
        self.deeds.push(Deed::Note(EventKind::ZooKeeper(event)));
    }

    pub(super) fn respond(&mut self, id: RequestId, response: Response) {
        self.deeds.push(Deed::Respond(id, response));
    }

    /// Asks ZooKeeper several things at once.
    pub(super) fn ask_all(&mut self, calls: Vec<Call>) -> Result<Vec<Answer>, Stop> {
        let answers = self.answers.get(self.asked..self.asked + calls.len());
        let Some(answers) = answers else {
            self.missing = calls;
            return Err(Stop::Waiting);
        };
        self.asked += calls.len();
        Ok(answers.to_vec())
    }

    /// Asks ZooKeeper one thing after all others.
    pub(super) fn ask(&mut self, operation: Operation) -> Result<Outcome, Stop> {
        Ok(self.read_all(vec![operation])?.remove(0))
    }

    /// Reads several things at once.
    pub(super) fn read_all(&mut self, operations: Vec<Operation>) -> Result<Vec<Outcome>, Stop> {
        let answers = self.ask_all(operations.into_iter().map(Call::Operation).collect())?;
        Ok(answers.into_iter().map(outcome).collect())
    }

    /// Carries out several operations together or not at all.
    pub(super) fn ask_multi(
        &mut self,
        operations: Vec<Operation>,
    ) -> Result<Result<Vec<OperationResult>, (u32, ZooKeeperError)>, Stop> {
        match self.ask_all(vec![Call::Multi(operations)])?.remove(0) {
            Answer::Multi(result) => Ok(result),
            answer @ (Answer::Operation(_) | Answer::SessionExpired) => unreachable!("a multi got {answer:?}"),
        }
    }

    /// Writes several things, each under the condition that nobody was elected controller meanwhile.
    pub(super) fn write_all(&mut self, operations: Vec<Operation>) -> Result<Vec<Outcome>, Stop> {
        if self.facts.is_unfenced {
            return self.read_all(operations);
        }
        let version = self.state.context.epoch_version.unwrap_or(ZnodeVersion(0));
        let check = Operation::Check { path: ZnodePath::new(zk_data::CONTROLLER_EPOCH), version };
        let fenced = |operation| Call::Multi(vec![check.clone(), operation]);
        let answers = self.ask_all(operations.into_iter().map(fenced).collect())?;
        answers.into_iter().map(fenced_outcome).collect()
    }

    /// The version that a write of a state demands; none for a controller that nothing fences.
    pub(super) fn demanded(&self, version: ZnodeVersion) -> Option<ZnodeVersion> {
        (!self.facts.is_unfenced).then_some(version)
    }

    /// A znode's data and version.
    pub(super) fn get_data(&mut self, path: &str, watch: bool) -> Result<Option<(ZnodeData, Stat)>, Stop> {
        let outcome = self.ask(Operation::GetData { path: ZnodePath::new(path), watch })?;
        Ok(data_of(outcome))
    }

    /// A znode's children, none if it is not there; leaves a watch.
    pub(super) fn get_children(&mut self, path: &str) -> Result<Vec<String>, Stop> {
        match self.ask(Operation::GetChildren { path: ZnodePath::new(path), watch: true })? {
            Ok(OperationResult::Children { names, .. }) => Ok(names),
            _ => Ok(Vec::new()),
        }
    }

    /// Leaves a watch that fires when a znode is made, changed or removed.
    pub(super) fn watch(&mut self, path: &str) -> Result<(), Stop> {
        self.ask(Operation::Exists { path: ZnodePath::new(path), watch: true }).map(drop)
    }

    /// Removes znodes; those that are not there do not matter.
    pub(super) fn delete_all(&mut self, paths: Vec<ZnodePath>) -> Result<(), Stop> {
        if paths.is_empty() {
            return Ok(());
        }
        self.write_all(paths.into_iter().map(|path| Operation::Delete { path, version: None }).collect()).map(drop)
    }
}

/// The data that a read brought.
pub(super) fn data_of(outcome: Outcome) -> Option<(ZnodeData, Stat)> {
    match outcome {
        Ok(OperationResult::Data { data, stat }) => Some((data, stat)),
        Ok(_) | Err(_) => None,
    }
}

fn outcome(answer: Answer) -> Outcome {
    match answer {
        Answer::Operation(outcome) => outcome,
        Answer::Multi(_) | Answer::SessionExpired => unreachable!("an operation got {answer:?}"),
    }
}

/// The first operation is the check of the epoch, the second the write.
fn fenced_outcome(answer: Answer) -> Result<Outcome, Stop> {
    match answer {
        Answer::Multi(Ok(mut results)) => Ok(Ok(results.remove(1))),
        Answer::Multi(Err((0, _))) => Err(Stop::ControllerMoved),
        Answer::Multi(Err((_, error))) => Ok(Err(error)),
        Answer::Operation(_) | Answer::SessionExpired => unreachable!("a multi got {answer:?}"),
    }
}
