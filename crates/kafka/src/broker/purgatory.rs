//! Requests that wait for something to happen in a partition (`kafka.server.DelayedOperationPurgatory`), each with a
//! timer. There are never more than connections, so the ones that watch a partition are found by looking at all.

use super::delete_records::DelayedDeleteRecords;
use super::fetch::DelayedFetch;
use super::produce::DelayedProduce;
use super::{Broker, Step, timers};
use crate::instant::Duration;
use crate::node::{ConnectionId, RequestId};
use std::collections::BTreeMap;
use wire::TopicPartition;

/// A request that waits.
#[derive(Clone, Debug)]
pub(super) enum Delayed {
    /// `acks=all`, until the in-sync replicas have the records.
    Produce(DelayedProduce),
    /// Until there is enough to read.
    Fetch(DelayedFetch),
    /// Until all live replicas start where the request says.
    DeleteRecords(DelayedDeleteRecords),
}

impl Delayed {
    fn request(&self) -> RequestId {
        match self {
            Delayed::Produce(produce) => produce.id,
            Delayed::Fetch(fetch) => fetch.id,
            Delayed::DeleteRecords(deletion) => deletion.id,
        }
    }

    fn watches(&self, partition: &TopicPartition) -> bool {
        match self {
            Delayed::Produce(produce) => produce.watches(partition),
            Delayed::Fetch(fetch) => fetch.watches(partition),
            Delayed::DeleteRecords(deletion) => deletion.watches(partition),
        }
    }
}

/// What became of an attempt to complete a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Completion {
    /// It still waits.
    Waiting,
    /// It can be answered.
    Complete,
}

/// All requests that wait.
#[derive(Clone, Debug, Default)]
pub(super) struct Purgatory {
    /// Boxed: what is put into a map or taken out moves its neighbours.
    parked: BTreeMap<u64, Box<Delayed>>,
    last: u64,
    /// In order, each once. A vector keeps its memory from step to step.
    touched: Vec<TopicPartition>,
}

impl Purgatory {
    /// Something happened in a partition: the requests that watch it are looked at before the step ends.
    pub(super) fn touch(&mut self, partition: &TopicPartition) {
        if !self.parked.is_empty()
            && let Err(place) = self.touched.binary_search(partition)
        {
            self.touched.insert(place, partition.clone());
        }
    }

    fn next_touched(&mut self) -> Option<TopicPartition> {
        (!self.touched.is_empty()).then(|| self.touched.remove(0))
    }

    /// Parks a request for at most `wait_ms`.
    pub(super) fn park(&mut self, delayed: Delayed, wait_ms: i32, step: &mut Step<'_>) {
        self.last += 1;
        self.parked.insert(self.last, Box::new(delayed));
        let at = step.now + Duration::from_ms(i64::from(wait_ms));
        step.effects.set_timer(timers::of_operation(self.last), at);
    }

    /// Drops the requests of a connection that is gone.
    pub(super) fn forget_connection(&mut self, connection: ConnectionId, step: &mut Step<'_>) {
        self.parked.retain(|operation, delayed| {
            let stays = delayed.request().connection != connection;
            if !stays {
                step.effects.cancel_timer(timers::of_operation(*operation));
            }
            stays
        });
    }

    fn next_watching(&self, partition: &TopicPartition, from: u64) -> Option<u64> {
        self.parked.range(from..).find(|(_, delayed)| delayed.watches(partition)).map(|(operation, _)| *operation)
    }
}

impl Broker {
    /// Answers the parked requests that have become complete. Call it until nothing changes any more.
    pub(super) fn complete_parked(&mut self, step: &mut Step<'_>) {
        while let Some(partition) = self.purgatory.next_touched() {
            let mut from = 0;
            while let Some(operation) = self.purgatory.next_watching(&partition, from) {
                from = operation + 1;
                self.try_complete(operation, step);
            }
        }
    }

    fn try_complete(&mut self, operation: u64, step: &mut Step<'_>) {
        if let Some(Delayed::Fetch(fetch)) = self.purgatory.parked.get(&operation).map(|delayed| &**delayed)
            && self.check_fetch(fetch) == Completion::Waiting
        {
            return;
        }
        let Some(mut delayed) = self.purgatory.parked.remove(&operation) else { return };
        if self.check(&mut delayed, step) == Completion::Waiting {
            self.purgatory.parked.insert(operation, delayed);
            return;
        }
        step.effects.cancel_timer(timers::of_operation(operation));
        self.complete(*delayed, step);
    }

    fn check(&self, delayed: &mut Delayed, step: &mut Step<'_>) -> Completion {
        match delayed {
            Delayed::Produce(produce) => self.check_produce(produce, step),
            Delayed::DeleteRecords(deletion) => self.check_deletion(deletion, step.now),
            Delayed::Fetch(_) => Completion::Complete,
        }
    }

    /// A parked request has waited long enough: it is answered with what there is.
    pub(super) fn on_operation_expired(&mut self, operation: u64, step: &mut Step<'_>) {
        match self.purgatory.parked.remove(&operation).map(|delayed| *delayed) {
            Some(Delayed::Produce(produce)) => self.expire_produce(produce, step),
            Some(Delayed::DeleteRecords(deletion)) => self.expire_deletion(deletion, step),
            Some(fetch @ Delayed::Fetch(_)) => self.complete(fetch, step),
            None => {}
        }
    }

    fn complete(&mut self, delayed: Delayed, step: &mut Step<'_>) {
        match delayed {
            Delayed::Produce(produce) => self.respond_to_produce(produce.id, produce.results, step),
            Delayed::Fetch(fetch) => self.complete_fetch(fetch, step),
            Delayed::DeleteRecords(deletion) => self.respond_to_deletion(deletion, step),
        }
    }
}
