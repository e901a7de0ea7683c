//! Fetches from one source broker for all partitions that it leads and this broker follows
//! (`kafka.server.ReplicaFetcherThread`, `BrokerBlockingSender`): one connection, one request at a time, the next one as
//! soon as the answer is there. What an answer means for a replica is in `replica`.

use super::backoff::ExponentialBackoff;
use super::channel::{Channel, ChannelId, Readiness};
use super::fetch_sessions::Asked;
use super::{Broker, Step, timers};
use crate::fetch_session_handler::{FetchSessionHandler, SessionRequest};
use crate::instant::{Duration, Instant};
use crate::node::{ConnectionId, Effects};
use crate::replica::{Changes, Context, FollowerRequest, Partition};
use std::collections::BTreeSet;
use std::sync::Arc;
use wire::request::{
    FetchPartition, FetchRequest, IsolationLevel, ListOffsetsPartition, ListOffsetsRequest, ReplicaState,
};
use wire::response::{FetchResponse, ListOffsetsResponse};
use wire::{BrokerId, Endpoint, Request, Response, TopicPartition};

/// A fetcher's connection has no back-off of its own: its partitions have one (`replica.fetch.backoff.ms`).
const NO_BACKOFF: ExponentialBackoff = ExponentialBackoff { initial_ms: 0, max_ms: 0, jitter_permille: 0 };

/// What the source was asked last.
#[derive(Clone, Debug, PartialEq, Eq)]
enum InFlight {
    Nothing,
    Fetch(Asked),
    ListOffsets(Vec<ListOffsetsPartition>),
}

/// The fetcher of one source broker.
#[derive(Clone, Debug)]
pub(super) struct ReplicaFetcher {
    /// The channel to the source.
    pub(super) channel: Channel,
    endpoint: Endpoint,
    partitions: BTreeSet<TopicPartition>,
    session: FetchSessionHandler,
    /// What was fetched last, if that was all, and when the replicas had changed so often.
    last_fetch: Option<(u64, Asked)>,
    in_flight: InFlight,
}

/// What a fetcher's partitions want to ask now.
#[derive(Default)]
struct Wanted {
    fetches: Vec<FetchPartition>,
    list_offsets: Vec<ListOffsetsPartition>,
    earliest_retry: Option<Instant>,
}

impl Broker {
    /// Follows a partition's leader from the next fetch on.
    pub(super) fn add_to_fetcher(&mut self, source: BrokerId, endpoint: Endpoint, partition: TopicPartition) {
        let request_timeout = Duration::from_ms(self.setup.config.replica_socket_timeout_ms);
        let fetcher = self.fetchers.entry(source).or_insert_with(|| ReplicaFetcher {
            channel: Channel::new(ChannelId::ReplicaFetcher(source), NO_BACKOFF, request_timeout),
            endpoint,
            partitions: BTreeSet::new(),
            session: FetchSessionHandler::new(),
            last_fetch: None,
            in_flight: InFlight::Nothing,
        });
        fetcher.partitions.insert(partition);
        fetcher.last_fetch = None;
    }

    /// Follows no leader of that partition any more. An answer that is still to come is ignored.
    pub(super) fn remove_from_fetchers(&mut self, partition: &TopicPartition) {
        for fetcher in self.fetchers.values_mut() {
            if fetcher.partitions.remove(partition) {
                fetcher.last_fetch = None;
            }
        }
    }

    /// Closes the fetchers that have nothing to do, and lets the others go on.
    pub(super) fn advance_fetchers(&mut self, step: &mut Step<'_>) {
        let outbound = &mut self.outbound;
        self.fetchers.retain(|source, fetcher| {
            let is_in_use = !fetcher.partitions.is_empty();
            if !is_in_use {
                fetcher.channel.close(outbound, step);
                step.effects.cancel_timer(timers::of_fetcher(*source));
            }
            is_in_use
        });
        let sources: Vec<BrokerId> = self.fetchers.keys().copied().collect();
        for source in sources {
            self.advance_fetcher(source, step);
        }
    }

    /// Connects or fetches, as far as that is possible now.
    pub(super) fn advance_fetcher(&mut self, source: BrokerId, step: &mut Step<'_>) {
        let Some(fetcher) = self.fetchers.get(&source) else { return };
        let readiness = fetcher.channel.readiness();
        if readiness == Readiness::Busy {
            return;
        }
        if readiness == Readiness::Ready && self.fetch_the_same(source, step) {
            return;
        }
        let Some(fetcher) = self.fetchers.get(&source) else { return };
        let wanted = self.wanted(&fetcher.partitions, step.now);
        if wanted.fetches.is_empty() && wanted.list_offsets.is_empty() {
            return put_off(source, wanted.earliest_retry, step);
        }
        if readiness == Readiness::Disconnected {
            let fetcher = self.fetchers.get_mut(&source).expect("the fetcher was just seen");
            return fetcher.channel.connect(fetcher.endpoint.clone(), &mut self.outbound, step);
        }
        self.send_wanted(source, wanted, step);
    }

    /// As long as nothing has happened to the replicas, the next fetch asks what the last one asked. Tells whether it was
    /// sent.
    fn fetch_the_same(&mut self, source: BrokerId, step: &mut Step<'_>) -> bool {
        let Some(fetcher) = self.fetchers.get(&source) else { return false };
        let last_fetch = fetcher.last_fetch.as_ref();
        let unchanged = last_fetch.filter(|(changes, _)| *changes == self.replicas.changes_of_followers());
        let (Some((_, asked)), Some(request)) = (unchanged, fetcher.session.next_of_the_same()) else { return false };
        let in_flight = InFlight::Fetch(Arc::clone(asked));
        let request = self.replica_fetch(request);
        self.send_to_source(source, in_flight, request, step);
        true
    }

    /// Offsets that are needed first come first.
    fn send_wanted(&mut self, source: BrokerId, wanted: Wanted, step: &mut Step<'_>) {
        let changes = self.replicas.changes_of_followers();
        let fetcher = self.fetchers.get_mut(&source).expect("only a fetcher's partitions want something");
        if !wanted.list_offsets.is_empty() {
            fetcher.last_fetch = None;
            let request = self.replica_list_offsets(wanted.list_offsets.clone());
            return self.send_to_source(source, InFlight::ListOffsets(wanted.list_offsets), request, step);
        }
        let session_request = fetcher.session.next_request(&wanted.fetches);
        let asked = Arc::new(wanted.fetches);
        fetcher.last_fetch = wanted.earliest_retry.is_none().then(|| (changes, Arc::clone(&asked)));
        let request = self.replica_fetch(session_request);
        self.send_to_source(source, InFlight::Fetch(asked), request, step);
    }

    fn send_to_source(&mut self, source: BrokerId, in_flight: InFlight, request: Request, step: &mut Step<'_>) {
        let fetcher = self.fetchers.get_mut(&source).expect("the fetcher was just seen");
        fetcher.in_flight = in_flight;
        fetcher.channel.send(request, step);
    }

    fn wanted(&self, partitions: &BTreeSet<TopicPartition>, now: Instant) -> Wanted {
        let mut wanted = Wanted { fetches: Vec::with_capacity(partitions.len()), ..Wanted::default() };
        for replica in partitions.iter().filter_map(|partition| self.replicas.get(partition)) {
            match replica.next_request(now) {
                Some(FollowerRequest::Fetch(fetch)) => wanted.fetches.push(fetch),
                Some(FollowerRequest::ListOffsets(list_offsets)) => wanted.list_offsets.push(list_offsets),
                None => {
                    let retries = [wanted.earliest_retry, replica.backs_off_until()];
                    wanted.earliest_retry = retries.into_iter().flatten().min();
                }
            }
        }
        wanted
    }

    fn replica_fetch(&self, session_request: SessionRequest) -> Request {
        let SessionRequest { metadata, partitions, forgotten } = session_request;
        let config = &self.setup.config;
        Request::Fetch(Box::new(FetchRequest {
            replica: Some(ReplicaState {
                replica_id: self.setup.broker_id,
                replica_epoch: self.broker_epoch_or_none(),
            }),
            max_wait_ms: i32::try_from(config.replica_fetch_wait_max_ms).unwrap_or(i32::MAX),
            min_bytes: config.replica_fetch_min_bytes,
            max_bytes: config.replica_fetch_response_max_bytes,
            isolation_level: IsolationLevel::ReadUncommitted,
            metadata,
            partitions,
            forgotten,
            rack_id: None,
        }))
    }

    fn replica_list_offsets(&self, partitions: Vec<ListOffsetsPartition>) -> Request {
        Request::ListOffsets(ListOffsetsRequest {
            replica_id: Some(self.setup.broker_id),
            isolation_level: IsolationLevel::ReadUncommitted,
            partitions,
        })
    }

    /// The source answered.
    pub(super) fn on_fetcher_response(
        &mut self,
        source: BrokerId,
        (connection, correlation_id): (ConnectionId, i32),
        response: Response,
        step: &mut Step<'_>,
    ) {
        let Some(fetcher) = self.fetchers.get_mut(&source) else { return };
        if !fetcher.channel.on_response(connection, correlation_id) {
            return;
        }
        match (std::mem::replace(&mut fetcher.in_flight, InFlight::Nothing), response) {
            (InFlight::Fetch(sent), Response::Fetch(response)) => self.on_fetched(source, &sent, &response, step),
            (InFlight::ListOffsets(sent), Response::ListOffsets(response)) => {
                self.on_offsets_listed(source, &sent, &response, step);
            }
            (sent, response) => unreachable!("{sent:?} was answered with {response:?}"),
        }
        self.advance_fetcher(source, step);
    }

    fn on_fetched(&mut self, source: BrokerId, sent: &[FetchPartition], response: &FetchResponse, step: &mut Step<'_>) {
        let Some(fetcher) = self.fetchers.get_mut(&source) else { return };
        if !fetcher.session.on_response(response) {
            return;
        }
        for result in &response.partitions {
            let place = sent.binary_search_by(|sent| sent.partition.cmp(&result.partition));
            let sent = &sent[place.expect("an answer has results for partitions of the session only")];
            self.on_partition_result(source, &sent.partition, step, |replica, context, effects| {
                replica.on_fetch_result(sent, result, context, effects)
            });
        }
    }

    fn on_offsets_listed(
        &mut self,
        source: BrokerId,
        sent: &[ListOffsetsPartition],
        response: &ListOffsetsResponse,
        step: &mut Step<'_>,
    ) {
        for sent in sent {
            let result = response.partitions.iter().find(|result| result.partition == sent.partition);
            let result = result.expect("an answer has a result for each partition of the request");
            self.on_partition_result(source, &sent.partition, step, |replica, context, effects| {
                replica.on_list_offsets_result(sent, result, context, effects)
            });
        }
    }

    /// Hands a result to the partition's replica, unless the partition has meanwhile gone from this fetcher.
    fn on_partition_result(
        &mut self,
        source: BrokerId,
        partition: &TopicPartition,
        step: &mut Step<'_>,
        take_in: impl FnOnce(&mut Partition, &Context<'_>, &mut Effects) -> Changes,
    ) {
        if !self.fetches(source, partition) {
            return;
        }
        let (context, replicas) = self.context(step.now);
        let replica = replicas.get_mut(partition).expect("a fetcher's partitions have replicas");
        let changes = take_in(replica, &context, step.effects);
        self.on_changes(partition, changes, step);
    }

    fn fetches(&self, source: BrokerId, partition: &TopicPartition) -> bool {
        self.fetchers.get(&source).is_some_and(|fetcher| fetcher.partitions.contains(partition))
    }

    /// The connection to the source is gone: all of its partitions back off.
    pub(super) fn fetcher_disconnected(&mut self, source: BrokerId, step: &mut Step<'_>) {
        let Some(fetcher) = self.fetchers.get_mut(&source) else { return };
        fetcher.in_flight = InFlight::Nothing;
        fetcher.session.on_error();
        for partition in &fetcher.partitions {
            let replica = self.replicas.get_mut(partition).expect("a fetcher's partitions have replicas");
            if replica.backs_off_until().is_none_or(|until| until <= step.now) {
                replica.on_request_failed(step.now);
            }
        }
    }
}

fn put_off(source: BrokerId, until: Option<Instant>, step: &mut Step<'_>) {
    if let Some(until) = until {
        step.effects.set_timer(timers::of_fetcher(source), until);
    }
}
