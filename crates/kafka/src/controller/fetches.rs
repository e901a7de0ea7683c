//! Fetches of the metadata log that wait for records (`KafkaRaftClient.handleFetchRequest` and its purgatory).

use super::TimerKind;
use super::quorum::Quorum;
use crate::instant::{Duration, Instant};
use crate::node::{ConnectionId, Effects, RequestId};
use crate::server_channels::ServerChannels;
use std::collections::BTreeMap;
use wire::Response;
use wire::request::FetchRequest;
use wire::response::{FetchPartitionResult, FetchResponse};

/// The fetches that wait, by the number of their timers. A connection has at most one.
#[derive(Clone, Debug, Default)]
pub(super) struct ParkedFetches {
    waiting: BTreeMap<u64, (RequestId, FetchRequest)>,
    next_number: u64,
}

impl ParkedFetches {
    /// Answers a fetch at once if there is something to say, or parks it.
    pub(super) fn on_fetch(
        &mut self,
        id: RequestId,
        request: FetchRequest,
        quorum: &Quorum,
        now: Instant,
        channels: &mut ServerChannels,
        effects: &mut Effects,
    ) {
        let results = read(&request, quorum);
        if request.max_wait_ms <= 0 || results.iter().any(is_worth_telling) {
            return respond(id, results, channels, effects);
        }
        let number = self.next_number;
        self.next_number += 1;
        let deadline = now + Duration::from_ms(i64::from(request.max_wait_ms));
        effects.set_timer(TimerKind::FetchWait.timer(number), deadline);
        self.waiting.insert(number, (id, request));
    }

    /// Answers what waits and can be answered now.
    pub(super) fn wake(&mut self, quorum: &Quorum, channels: &mut ServerChannels, effects: &mut Effects) {
        let waiting = std::mem::take(&mut self.waiting);
        for (number, (id, request)) in waiting {
            let results = read(&request, quorum);
            if results.iter().any(is_worth_telling) {
                effects.cancel_timer(TimerKind::FetchWait.timer(number));
                respond(id, results, channels, effects);
            } else {
                self.waiting.insert(number, (id, request));
            }
        }
    }

    /// A fetch has waited long enough.
    pub(super) fn on_timeout(
        &mut self,
        number: u64,
        quorum: &Quorum,
        channels: &mut ServerChannels,
        effects: &mut Effects,
    ) {
        if let Some((id, request)) = self.waiting.remove(&number) {
            respond(id, read(&request, quorum), channels, effects);
        }
    }

    /// Nobody waits there any more.
    pub(super) fn on_disconnected(&mut self, connection: ConnectionId, effects: &mut Effects) {
        self.waiting.retain(|number, (id, _)| {
            let is_gone = id.connection == connection;
            if is_gone {
                effects.cancel_timer(TimerKind::FetchWait.timer(*number));
            }
            !is_gone
        });
    }
}

fn read(request: &FetchRequest, quorum: &Quorum) -> Vec<FetchPartitionResult> {
    request.partitions.iter().map(|partition| quorum.fetch(partition)).collect()
}

fn is_worth_telling(result: &FetchPartitionResult) -> bool {
    !result.error.is_none() || result.diverging_epoch.is_some() || !result.batches.is_empty()
}

fn respond(id: RequestId, partitions: Vec<FetchPartitionResult>, channels: &mut ServerChannels, effects: &mut Effects) {
    channels.respond(id, Response::Fetch(FetchResponse::sessionless(partitions)), effects);
}
