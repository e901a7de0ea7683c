//! `kafka-delete-records`: each partition's leader is asked to drop its first records (`DeleteRecordsHandler`).

use super::admin_client::NodeChoice;
use super::leaders::{Leaders, leaders, look_up};
use super::program::{Call, Next};
use crate::event::{AdminAnswer, AdminFailure, ClientEvent};
use std::collections::BTreeMap;
use wire::request::{DeleteRecordsPartition, DeleteRecordsRequest};
use wire::response::{DeleteRecordsResponse, DeleteRecordsResult, MetadataResponse};
use wire::{ErrorCode, Offset, Request, Response, TopicPartition};

/// The admin client's names for the calls.
const LOOK_UP: &str = "deleteRecords(api=METADATA)";
const DELETE: &str = "deleteRecords(api=DELETE_RECORDS)";
/// `request.timeout.ms`: how long a leader may wait for the other replicas.
const TIMEOUT_MS: i32 = 30_000;

/// What is called at present.
#[derive(Clone, Debug)]
enum Stage {
    LookingUp,
    Asking { leaders: Leaders },
}

/// A `kafka-delete-records` call under way.
#[derive(Clone, Debug)]
pub(super) struct DeleteRecordsTask {
    stage: Stage,
    wanted: BTreeMap<TopicPartition, Offset>,
    results: BTreeMap<TopicPartition, Result<Offset, AdminFailure>>,
}

impl DeleteRecordsTask {
    /// Nothing has been asked yet.
    pub(super) fn new(partitions: Vec<DeleteRecordsPartition>) -> DeleteRecordsTask {
        let wanted = partitions.into_iter().map(|wanted| (wanted.partition, wanted.offset)).collect();
        DeleteRecordsTask { stage: Stage::LookingUp, wanted, results: BTreeMap::new() }
    }

    /// The first call.
    pub(super) fn start(&mut self) -> Next {
        if self.wanted.is_empty() { self.finish() } else { Next::Call(self.look_up()) }
    }

    /// What follows from the answer to the last call.
    pub(super) fn on_response(&mut self, response: Response) -> Next {
        match (std::mem::replace(&mut self.stage, Stage::LookingUp), response) {
            (Stage::LookingUp, Response::Metadata(metadata)) => self.on_looked_up(&metadata),
            (Stage::Asking { leaders }, Response::DeleteRecords(response)) => self.on_deleted(leaders, response),
            (stage, response) => panic!("a broker answered {stage:?} with {response:?}"),
        }
    }

    /// A leader is gone: looks who leads now.
    pub(super) fn on_disconnected(&mut self) -> Next {
        Next::Retry(self.look_up())
    }

    /// Time is up for the partitions that are left.
    pub(super) fn on_failure(&mut self, failure: AdminFailure) -> Next {
        let rest = std::mem::take(&mut self.wanted).into_keys();
        self.results.extend(rest.map(|partition| (partition, Err(failure.clone()))));
        self.finish()
    }

    fn look_up(&mut self) -> Call {
        self.stage = Stage::LookingUp;
        Call { name: LOOK_UP, request: look_up(self.wanted.keys()), to: NodeChoice::LeastLoaded }
    }

    /// What is wrong with a topic for good fails its partitions; everything else may pass.
    fn on_looked_up(&mut self, metadata: &MetadataResponse) -> Next {
        for topic in metadata.topics.iter().filter(|topic| !may_pass(topic.error)) {
            let lost: Vec<TopicPartition> =
                self.wanted.keys().filter(|partition| partition.topic == topic.name).cloned().collect();
            lost.into_iter().for_each(|partition| self.fail(partition, topic.error));
        }
        self.ask(leaders(metadata, |partition| self.wanted.contains_key(partition)))
    }

    fn fail(&mut self, partition: TopicPartition, error: ErrorCode) {
        self.wanted.remove(&partition);
        let failure = AdminFailure::Refused { error, message: error.message().to_owned() };
        self.results.insert(partition, Err(failure));
    }

    /// Asks the next leader; when there is none, looks again for those of the partitions that are left.
    fn ask(&mut self, leaders: Leaders) -> Next {
        let Some((leader, partitions)) = leaders.first_key_value() else {
            return if self.wanted.is_empty() { self.finish() } else { Next::Retry(self.look_up()) };
        };
        let partitions = partitions
            .iter()
            .map(|partition| DeleteRecordsPartition { partition: partition.clone(), offset: self.wanted[partition] });
        let request = DeleteRecordsRequest { partitions: partitions.collect(), timeout_ms: TIMEOUT_MS };
        let to = NodeChoice::Broker(*leader);
        self.stage = Stage::Asking { leaders };
        Next::Continue(Call { name: DELETE, request: Request::DeleteRecords(request), to })
    }

    fn on_deleted(&mut self, mut leaders: Leaders, response: DeleteRecordsResponse) -> Next {
        leaders.pop_first();
        for DeleteRecordsResult { partition, low_watermark, error } in response.results {
            if error == ErrorCode::None {
                self.wanted.remove(&partition);
                self.results.insert(partition, Ok(low_watermark));
            } else if !error.is_retriable() {
                self.fail(partition, error);
            }
        }
        self.ask(leaders)
    }

    fn finish(&mut self) -> Next {
        let results = std::mem::take(&mut self.results).into_iter().collect();
        Next::finish(ClientEvent::AdminAnswered(Box::new(AdminAnswer::RecordsDeleted(results))))
    }
}

fn may_pass(error: ErrorCode) -> bool {
    error == ErrorCode::None || error.is_retriable()
}
