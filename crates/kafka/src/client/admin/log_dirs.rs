//! `kafka-log-dirs`: brokers are listed, then each tells what lies in its log directories (`LogDirsCommand`).

use super::admin_client::NodeChoice;
use super::program::{Call, Next};
use crate::event::{AdminAnswer, AdminFailure, ClientEvent, Objection};
use std::collections::BTreeSet;
use wire::request::DescribeLogDirsRequest;
use wire::response::{DescribeClusterResponse, DescribeLogDirsResponse, DescribedLogDir};
use wire::{BrokerId, ErrorCode, Request, Response};

/// A `kafka-log-dirs` call under way.
#[derive(Clone, Debug)]
pub(super) struct LogDirsTask {
    /// `--broker-list`; empty for all brokers.
    wanted: BTreeSet<BrokerId>,
    /// The brokers that are still to be asked, the one that is asked first; `None` until the cluster has been described.
    to_ask: Option<BTreeSet<BrokerId>>,
    answers: Vec<(BrokerId, Vec<DescribedLogDir>)>,
}

impl LogDirsTask {
    /// Nothing has been asked yet.
    pub(super) fn new(wanted: BTreeSet<BrokerId>) -> LogDirsTask {
        LogDirsTask { wanted, to_ask: None, answers: Vec::new() }
    }

    /// The first call.
    pub(super) fn start(&mut self) -> Next {
        let to = NodeChoice::LeastLoaded;
        Next::Call(Call { name: "listNodes", request: Request::DescribeCluster, to })
    }

    /// What follows from the answer to the last call.
    pub(super) fn on_response(&mut self, response: Response) -> Next {
        match (self.to_ask.take(), response) {
            (None, Response::DescribeCluster(cluster)) => self.on_cluster(&cluster),
            (Some(to_ask), Response::DescribeLogDirs(response)) => self.on_log_dirs(to_ask, response),
            (to_ask, response) => panic!("a broker answered {to_ask:?} with {response:?}"),
        }
    }

    /// The broker may come back within the time of the call.
    pub(super) fn on_disconnected(&mut self) -> Next {
        match self.to_ask.as_ref().and_then(BTreeSet::first) {
            Some(broker) => Next::Retry(describe(*broker)),
            None => unreachable!("any broker can describe the cluster"),
        }
    }

    fn on_cluster(&mut self, cluster: &DescribeClusterResponse) -> Next {
        let known: BTreeSet<BrokerId> = cluster.brokers.iter().map(|broker| broker.broker_id).collect();
        if !self.wanted.is_subset(&known) {
            return Next::Fail(not_there(&(&self.wanted - &known), &known));
        }
        self.ask(if self.wanted.is_empty() { known } else { self.wanted.clone() })
    }

    fn on_log_dirs(&mut self, mut to_ask: BTreeSet<BrokerId>, response: DescribeLogDirsResponse) -> Next {
        let broker = to_ask.pop_first().expect("the broker that answered was to be asked");
        let error = response.error;
        if error != ErrorCode::None {
            return Next::Fail(AdminFailure::Refused { error, message: error.message().to_owned() });
        }
        self.answers.push((broker, response.log_dirs));
        self.ask(to_ask)
    }

    fn ask(&mut self, to_ask: BTreeSet<BrokerId>) -> Next {
        let Some(broker) = to_ask.first().copied() else {
            let brokers = std::mem::take(&mut self.answers);
            return Next::finish(ClientEvent::AdminAnswered(Box::new(AdminAnswer::LogDirs(brokers))));
        };
        self.to_ask = Some(to_ask);
        Next::Call(describe(broker))
    }
}

fn not_there(wanted: &BTreeSet<BrokerId>, known: &BTreeSet<BrokerId>) -> AdminFailure {
    let list = |brokers: &BTreeSet<BrokerId>| brokers.iter().map(BrokerId::to_string).collect::<Vec<_>>().join(",");
    let message = format!(
        "ERROR: The given brokers do not exist from --broker-list: {}. Current existent brokers: {}",
        list(wanted),
        list(known)
    );
    AdminFailure::Objected { objection: Objection::Terse, message }
}

fn describe(broker: BrokerId) -> Call {
    let request = Request::DescribeLogDirs(DescribeLogDirsRequest { partitions: None });
    Call { name: "describeLogDirs", request, to: NodeChoice::Broker(broker) }
}
