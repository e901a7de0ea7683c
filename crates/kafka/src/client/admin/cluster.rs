//! `kafka-cluster`: the cluster's id, and brokers that are gone for good (`ClusterTool`).

use super::admin_client::NodeChoice;
use super::program::{Call, Next};
use crate::event::{AdminAnswer, AdminFailure, ClientEvent};
use crate::spec::ClusterAction;
use wire::request::UnregisterBrokerRequest;
use wire::response::UnregisterBrokerResponse;
use wire::{BrokerId, ErrorCode, Request, Response};

/// A `kafka-cluster` call under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClusterTask {
    action: ClusterAction,
}

impl ClusterTask {
    /// Nothing has been asked yet.
    pub(super) fn new(action: ClusterAction) -> ClusterTask {
        ClusterTask { action }
    }

    /// The only call.
    pub(super) fn start(self) -> Next {
        Next::Call(self.call())
    }

    /// What follows from the answer.
    pub(super) fn on_response(self, response: Response) -> Next {
        match (self.action, response) {
            (ClusterAction::Id, Response::DescribeCluster(cluster)) => {
                answer(AdminAnswer::ClusterId(cluster.cluster_id))
            }
            (ClusterAction::Unregister(broker), Response::UnregisterBroker(response)) => {
                self.on_unregistered(broker, response)
            }
            (action, response) => panic!("a broker answered {action:?} with {response:?}"),
        }
    }

    fn on_unregistered(self, broker: BrokerId, response: UnregisterBrokerResponse) -> Next {
        let error = response.error;
        if error == ErrorCode::None {
            return answer(AdminAnswer::BrokerUnregistered(broker));
        }
        if error == ErrorCode::RequestTimedOut {
            return Next::Retry(self.call());
        }
        Next::Fail(AdminFailure::Refused { error, message: error.message().to_owned() })
    }

    fn call(self) -> Call {
        let (name, request) = match self.action {
            ClusterAction::Id => ("listNodes", Request::DescribeCluster),
            ClusterAction::Unregister(broker_id) => {
                ("unregisterBroker", Request::UnregisterBroker(UnregisterBrokerRequest { broker_id }))
            }
        };
        Call { name, request, to: NodeChoice::LeastLoaded }
    }
}

fn answer(answer: AdminAnswer) -> Next {
    Next::finish(ClientEvent::AdminAnswered(Box::new(answer)))
}
