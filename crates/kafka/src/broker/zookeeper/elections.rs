//! `ElectLeaders` as the broker that is the controller serves it: answered once its own metadata shows the leaders that
//! were elected (`ReplicaManager.electLeaders`, `DelayedElectLeader`; KIP-460).

use super::super::{Broker, Step, timers};
use super::admin::TIMEOUT_MS;
use crate::instant::Duration;
use crate::node::RequestId;
use crate::zk_controller::{ControllerRequest, ElectionOutcome};
use std::collections::BTreeMap;
use wire::request::ElectLeadersRequest;
use wire::response::{ElectLeadersResponse, PartitionResult};
use wire::{ErrorCode, Response};

/// Elections that are not answered yet.
#[derive(Clone, Debug, Default)]
pub(super) struct PendingElections {
    pending: BTreeMap<u64, (RequestId, ElectionOutcome)>,
    last: u64,
}

impl Broker {
    /// A client wants leaders; without any named, for all partitions that this broker knows.
    pub(super) fn elect_leaders(&mut self, id: RequestId, request: ElectLeadersRequest, step: &mut Step<'_>) {
        let is_for_all = request.partitions.is_none();
        let all = || self.image.partitions().map(|(partition, _)| partition).collect();
        let partitions = request.partitions.map_or_else(all, |named| named.into_iter().collect());
        let election_type = request.election_type;
        self.ask_controller(id, ControllerRequest::ElectLeaders { partitions, election_type, is_for_all }, step);
    }

    /// The controller here has elected leaders.
    pub(super) fn on_leaders_elected(&mut self, id: RequestId, outcome: ElectionOutcome, step: &mut Step<'_>) {
        let elections = &mut self.membership.zookeeper_mut().elections;
        elections.last += 1;
        let number = elections.last;
        elections.pending.insert(number, (id, outcome));
        step.effects.set_timer(timers::of_leader_election(number), step.now + Duration::from_ms(TIMEOUT_MS));
        self.complete_elections(step);
    }

    /// Answers elections whose leaders this broker knows now.
    pub(super) fn complete_elections(&mut self, step: &mut Step<'_>) {
        let is_shown =
            |outcome: &ElectionOutcome| outcome.leaders.keys().all(|partition| self.knows(partition, outcome));
        let pending = &self.membership.zookeeper().elections.pending;
        let done = pending.iter().filter(|(_, (_, outcome))| is_shown(outcome)).map(|(number, _)| *number);
        let done: Vec<u64> = done.collect();
        for number in done {
            step.effects.cancel_timer(timers::of_leader_election(number));
            self.answer_election(number, step);
        }
    }

    fn knows(&self, partition: &wire::TopicPartition, outcome: &ElectionOutcome) -> bool {
        self.image.partition(partition).is_some_and(|state| state.leader == outcome.leaders.get(partition).copied())
    }

    /// What metadata shows by now is a success, the rest has timed out.
    pub(in super::super) fn answer_election(&mut self, number: u64, step: &mut Step<'_>) {
        let elections = &mut self.membership.zookeeper_mut().elections;
        let Some((id, outcome)) = elections.pending.remove(&number) else { return };
        let elected = outcome.leaders.keys().map(|partition| PartitionResult {
            partition: partition.clone(),
            error: if self.knows(partition, &outcome) { ErrorCode::None } else { ErrorCode::RequestTimedOut },
            error_message: None,
        });
        let mut results: Vec<PartitionResult> = elected.chain(outcome.failures.iter().cloned()).collect();
        results.sort_by(|left, right| left.partition.cmp(&right.partition));
        let response = ElectLeadersResponse { error: ErrorCode::None, results };
        self.server.respond(id, Response::ElectLeaders(response), step.effects);
    }
}
