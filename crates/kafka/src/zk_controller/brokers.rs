//! Brokers that come, go, and do both before anybody looks (`BrokerChange` of `kafka.controller.KafkaController`).

use super::batch::Batch;
use super::context::{RegisteredBroker, Replica};
use super::work::{Deed, Stop, Work, data_of};
use crate::event::ChangeReason;
use crate::zk_data;
use std::collections::{BTreeMap, BTreeSet};
use wire::zookeeper::{Operation, ZnodeData};
use wire::{BrokerEpoch, BrokerId, TopicName, TopicPartition};

impl Work<'_> {
    /// The list of registrations changed: new brokers first, then those that are there anew, then those that are gone.
    pub(super) fn on_broker_change(&mut self) -> Result<(), Stop> {
        let current = self.read_brokers()?;
        let known = self.context().brokers.clone();
        let is_blind = self.facts.is_blind_to_bounces;
        let is_bounced = |id: &BrokerId| {
            let (now, before) = (current.get(id), known.get(id));
            !is_blind && now.zip(before).is_some_and(|(now, before)| now.epoch > before.epoch)
        };
        let new: Vec<BrokerId> = current.keys().filter(|id| !known.contains_key(id)).copied().collect();
        let bounced: Vec<BrokerId> = current.keys().filter(|id| is_bounced(id)).copied().collect();
        let dead: Vec<BrokerId> = known.keys().filter(|id| !current.contains_key(id)).copied().collect();
        self.arrive(&new, &current)?;
        if !bounced.is_empty() {
            self.depart(&bounced)?;
            self.arrive(&bounced, &current)?;
        }
        self.depart(&dead)
    }

    /// Reads all registrations; leaves a watch on the list.
    pub(super) fn read_brokers(&mut self) -> Result<BTreeMap<BrokerId, RegisteredBroker>, Stop> {
        let names = self.get_children(zk_data::BROKER_IDS)?;
        let ids: Vec<BrokerId> = names.iter().filter_map(|name| name.parse().ok().map(BrokerId)).collect();
        let read = |id: &BrokerId| Operation::GetData { path: zk_data::broker(*id), watch: false };
        let outcomes = self.read_all(ids.iter().map(read).collect())?;
        let brokers = ids.into_iter().zip(outcomes).filter_map(|(id, outcome)| match data_of(outcome)? {
            (ZnodeData::Broker { endpoint, rack, .. }, stat) => {
                Some((id, RegisteredBroker { endpoint, rack, epoch: BrokerEpoch(stat.czxid.0) }))
            }
            _ => None,
        });
        Ok(brokers.collect())
    }

    /// `onBrokerStartup`.
    fn arrive(&mut self, new: &[BrokerId], current: &BTreeMap<BrokerId, RegisteredBroker>) -> Result<(), Stop> {
        if new.is_empty() {
            return Ok(());
        }
        let others = self.context().registered();
        for id in new {
            self.deeds.push(Deed::AddBroker(*id, current[id].endpoint.clone()));
            self.context().brokers.insert(*id, current[id].clone());
        }
        self.tell_who_is_there(&others);
        self.tell_everything(new);
        let replicas = self.context().replicas_on(new);
        self.replicas_come_online(&replicas);
        self.bring_partitions_online(Some(ChangeReason::BrokerUnfenced))?;
        self.resume_reassignments(|_, assignment| assignment.target().iter().any(|target| new.contains(target)))?;
        self.resume_deletions_of(topics_of(&replicas))
    }

    /// `onBrokerFailure`.
    fn depart(&mut self, dead: &[BrokerId]) -> Result<(), Stop> {
        if dead.is_empty() {
            return Ok(());
        }
        for id in dead {
            self.deeds.push(Deed::RemoveBroker(*id));
            self.context().brokers.remove(id);
            self.context().shutting_down.remove(id);
        }
        let replicas = self.context().replicas_on(dead);
        self.on_replicas_offline(replicas)
    }

    /// `onReplicasBecomeOffline`.
    fn on_replicas_offline(&mut self, replicas: Vec<Replica>) -> Result<(), Stop> {
        let context = self.context();
        let (to_go, others): (Vec<Replica>, Vec<Replica>) =
            replicas.into_iter().partition(|(partition, _)| context.is_queued_for_deletion(&partition.topic));
        let leaderless: Vec<TopicPartition> = context
            .leaderships
            .iter()
            .filter(|(_, leadership)| leadership.state.leader.is_none_or(|leader| !context.is_live(leader)))
            .map(|(partition, _)| partition.clone())
            .filter(|partition| !context.is_queued_for_deletion(&partition.topic))
            .collect();
        let reason = Some(ChangeReason::BrokerFenced);
        self.partitions_go_offline(&leaderless);
        let elections = self.bring_partitions_online(reason)?;
        self.replicas_go_offline(&others, reason)?;
        self.fail_deletion(to_go)?;
        // Where anything else has changed, everybody has been told with it.
        if others.is_empty() && elections.values().all(Result::is_err) {
            let everybody = self.context().registered();
            self.tell_who_is_there(&everybody);
        }
        Ok(())
    }

    /// Tells brokers which brokers there are.
    pub(super) fn tell_who_is_there(&mut self, brokers: &[BrokerId]) {
        let mut batch = Batch::default();
        batch.tell_clients_of(&[], brokers, self.context());
        batch.send(self);
    }

    /// Tells brokers about every partition.
    fn tell_everything(&mut self, brokers: &[BrokerId]) {
        let mut batch = Batch::default();
        let context = self.context();
        batch.tell_clients_of(&context.partitions(), brokers, context);
        batch.send(self);
    }
}

fn topics_of(replicas: &[Replica]) -> BTreeSet<TopicName> {
    replicas.iter().map(|(partition, _)| partition.topic.clone()).collect()
}
