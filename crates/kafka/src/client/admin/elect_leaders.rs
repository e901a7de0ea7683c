//! `kafka-leader-election`: one call (`LeaderElectionCommand`).

use super::admin_client::NodeChoice;
use super::program::{Call, Next};
use crate::event::{AdminAnswer, AdminFailure, ClientEvent};
use crate::node::ExitStatus;
use crate::spec::ElectLeadersAction;
use wire::request::ElectLeadersRequest;
use wire::response::PartitionResult;
use wire::{ErrorCode, Request, Response};

/// A `kafka-leader-election` call under way.
#[derive(Clone, Debug)]
pub(super) struct ElectLeadersTask {
    action: ElectLeadersAction,
}

impl ElectLeadersTask {
    /// Nothing has been asked yet.
    pub(super) fn new(action: ElectLeadersAction) -> ElectLeadersTask {
        ElectLeadersTask { action }
    }

    /// The only call.
    pub(super) fn start(&self) -> Next {
        let ElectLeadersAction { election_type, partitions } = self.action.clone();
        let request = Request::ElectLeaders(ElectLeadersRequest { election_type, partitions });
        Next::Call(Call { name: "electLeaders", request, to: NodeChoice::Controller })
    }

    /// What follows from the answer.
    pub(super) fn on_response(&self, response: Response) -> Next {
        let Response::ElectLeaders(elected) = response else { panic!("a broker answered with {response:?}") };
        if elected.error == ErrorCode::NotController {
            return Next::RetryWithOtherController;
        }
        if !elected.error.is_none() {
            let (error, message) = (elected.error, elected.error.message().to_owned());
            return Next::Fail(AdminFailure::Refused { error, message });
        }
        let status = ExitStatus(i32::from(elected.results.iter().any(has_failed)));
        let election_type = self.action.election_type;
        let answer = AdminAnswer::LeadersElected { election_type, results: elected.results };
        Next::Finish { event: Some(ClientEvent::AdminAnswered(Box::new(answer))), status }
    }
}

fn has_failed(result: &PartitionResult) -> bool {
    !result.error.is_none() && result.error != ErrorCode::ElectionNotNeeded
}
