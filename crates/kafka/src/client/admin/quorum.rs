//! `kafka-metadata-quorum describe`: how far the members of the metadata quorum are (KIP-836, `MetadataQuorumCommand`).

use super::admin_client::NodeChoice;
use super::program::{Call, Next};
use crate::event::{AdminAnswer, AdminFailure, ClientEvent};
use crate::spec::QuorumAction;
use wire::response::DescribeQuorumResponse;
use wire::{ErrorCode, Request, Response};

/// A `kafka-metadata-quorum` call under way.
#[derive(Clone, Debug)]
pub(super) struct QuorumTask {
    action: QuorumAction,
    /// Known once the cluster has been described, which `--status` asks for.
    cluster_id: Option<String>,
}

impl QuorumTask {
    /// Nothing has been asked yet.
    pub(super) fn new(action: QuorumAction) -> QuorumTask {
        QuorumTask { action, cluster_id: None }
    }

    /// The first call.
    pub(super) fn start(&self) -> Next {
        Next::Call(match self.action {
            QuorumAction::Status => {
                Call { name: "listNodes", request: Request::DescribeCluster, to: NodeChoice::LeastLoaded }
            }
            QuorumAction::Replication => describe(),
        })
    }

    /// What follows from the answer to the last call.
    pub(super) fn on_response(&mut self, response: Response) -> Next {
        match (self.action, response) {
            (QuorumAction::Status, Response::DescribeCluster(cluster)) => {
                self.cluster_id = Some(cluster.cluster_id);
                Next::Call(describe())
            }
            (QuorumAction::Status | QuorumAction::Replication, Response::DescribeQuorum(quorum)) => {
                self.on_quorum(quorum)
            }
            (action, response) => panic!("a broker answered {action:?} with {response:?}"),
        }
    }

    fn on_quorum(&mut self, quorum: DescribeQuorumResponse) -> Next {
        let error = quorum.error;
        if error.is_retriable() {
            return Next::Retry(describe());
        }
        if error != ErrorCode::None {
            return Next::Fail(AdminFailure::Refused { error, message: error.message().to_owned() });
        }
        let cluster_id = self.cluster_id.take();
        Next::finish(ClientEvent::AdminAnswered(Box::new(AdminAnswer::Quorum { cluster_id, quorum })))
    }
}

fn describe() -> Call {
    Call { name: "describeMetadataQuorum", request: Request::DescribeQuorum, to: NodeChoice::LeastLoaded }
}
