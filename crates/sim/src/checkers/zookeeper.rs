//! A ZooKeeper cluster: what the znodes say of it, in the shape that all checkers know, and that one controller acts at a
//! time and is obeyed (`/controller_epoch`, KIP-497's conditional writes, KIP-380).

use super::findings::Findings;
use super::sight::Sight;
use super::violation::{Checker, Details, Number};
use crate::machine::Machine;
use crate::world::Host;
use kafka::metadata::{BrokerRegistration, ClusterImage, PartitionRegistration};
use kafka::node::NodeId;
use kafka::view::Obeyed;
use kafka::zk_data;
use kafka::zookeeper::Database;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::zookeeper::{PartitionStateData, ZnodeData, ZnodePath, Zxid};
use wire::{
    BrokerEpoch, BrokerId, IncarnationId, LeaderEpoch, LeaderRecoveryState, PartitionEpoch, PartitionIndex, TopicName,
    TopicPartition,
};

/// What is remembered of the ensemble.
#[derive(Clone, Debug, Default)]
pub(crate) struct ZooKeeperHistory {
    /// The cluster as of `zxid`; nothing in a cluster without ZooKeeper.
    image: Option<Arc<ClusterImage>>,
    zxid: Option<Zxid>,
    /// Which broker was the controller of which epoch.
    controllers: BTreeMap<i32, NodeId>,
    /// What `/controller_epoch` said last.
    controller_epoch: i32,
    /// What each broker's process has obeyed last.
    obeyed: BTreeMap<BrokerId, Obeyed>,
}

/// A partition whose state znode has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChangedState {
    pub(super) partition: TopicPartition,
    /// A leader that was not in sync has been elected.
    pub(super) unclean: Option<(BrokerId, LeaderEpoch)>,
}

impl ZooKeeperHistory {
    /// The cluster as its znodes say; nothing in a cluster without ZooKeeper.
    pub(super) fn image(&self) -> Option<&Arc<ClusterImage>> {
        self.image.as_ref()
    }

    /// Whether the ensemble has changed since.
    pub(super) fn is_behind(&self, hosts: &BTreeMap<NodeId, Host>) -> bool {
        database(hosts).is_some_and(|database| self.zxid != Some(database.last_zxid()))
    }

    /// Reads the tree anew. A tree that is read for the first time has changed nothing.
    pub(super) fn read(&mut self, findings: &mut Findings, sight: &Sight<'_>) -> Vec<ChangedState> {
        let Some(database) = database(sight.hosts) else { return Vec::new() };
        let since = self.zxid.replace(database.last_zxid());
        self.check_epochs(findings, sight, database, since);
        let image = Arc::new(image_of(database));
        let before = self.image.replace(image.clone()).unwrap_or_default();
        changes(&before, &image)
    }

    fn check_epochs(&mut self, findings: &mut Findings, sight: &Sight<'_>, database: &Database, since: Option<Zxid>) {
        let epoch = match database.znode(&ZnodePath::new(zk_data::CONTROLLER_EPOCH)).map(|znode| &znode.data) {
            Some(ZnodeData::ControllerEpoch(epoch)) => *epoch,
            _ => return,
        };
        let before = std::mem::replace(&mut self.controller_epoch, epoch);
        fell(findings, sight, NodeId::ZooKeeper, (before, epoch));
        for znode in database.znodes().values().filter(|znode| since.is_some_and(|since| znode.modified.0 > since)) {
            if let ZnodeData::PartitionState(state) = &znode.data {
                fell(findings, sight, NodeId::ZooKeeper, (epoch, state.controller_epoch));
            }
        }
    }

    /// Whether a broker's process has obeyed something else than was known.
    pub(super) fn is_news(&self, broker: BrokerId, obeyed: Option<Obeyed>) -> bool {
        self.obeyed.get(&broker).copied() != obeyed
    }

    /// A broker has obeyed a controller: none of an earlier epoch than one that it has obeyed before, and nothing that was
    /// meant for an earlier registration of its (KIP-380).
    pub(super) fn on_obeyed(
        &mut self,
        findings: &mut Findings,
        sight: &Sight<'_>,
        broker: BrokerId,
        obeyed: Option<Obeyed>,
    ) {
        let before = self.obeyed.remove(&broker);
        let Some(obeyed) = obeyed else { return };
        self.obeyed.insert(broker, obeyed);
        let from = before.map_or(0, |before| before.header.controller_epoch);
        fell(findings, sight, NodeId::Server(broker.0), (from, obeyed.header.controller_epoch));
        let is_meant = [BrokerEpoch::NONE, obeyed.broker_epoch].contains(&obeyed.header.broker_epoch)
            || obeyed.header.broker_epoch > obeyed.broker_epoch;
        findings.require(Checker::OneController, sight, None, is_meant, || Details::ObeyedForEarlierRun {
            broker,
            controller: obeyed.header.controller_id,
        });
    }

    /// A broker has become the controller.
    pub(super) fn on_elected(&mut self, findings: &mut Findings, sight: &Sight<'_>, node: NodeId, epoch: i32) {
        let other = *self.controllers.entry(epoch).or_insert(node);
        findings.require(Checker::OneController, sight, None, other == node, || Details::TwoLeaders {
            one: other,
            other: node,
            leader_epoch: LeaderEpoch(epoch),
        });
    }
}

/// A controller writes in its epoch, which is not below the one before.
fn fell(findings: &mut Findings, sight: &Sight<'_>, node: NodeId, (from, to): (i32, i32)) {
    findings.require(Checker::OneController, sight, None, from <= to, || Details::Fell {
        node,
        number: Number::ControllerEpoch,
        from: i64::from(from),
        to: i64::from(to),
    });
}

fn database(hosts: &BTreeMap<NodeId, Host>) -> Option<&Database> {
    match hosts.get(&NodeId::ZooKeeper)?.process.as_ref()? {
        Machine::ZooKeeper(zookeeper) => Some(zookeeper.database()),
        Machine::Broker(_) | Machine::Controller(_) | Machine::Combined(_) | Machine::Client(_) => None,
        #[cfg(test)]
        Machine::Toy(_) => None,
    }
}

fn changes(before: &ClusterImage, now: &ClusterImage) -> Vec<ChangedState> {
    let changed = now.partitions().filter_map(|(partition, state)| {
        let old = before.partition(&partition);
        let is_recovering = state.leader_recovery_state == LeaderRecoveryState::Recovering;
        let is_outsider = |leader: &BrokerId| old.is_some_and(|old| !old.isr.contains(leader));
        let unclean = state.leader.filter(|leader| is_recovering && is_outsider(leader));
        let unclean = unclean.map(|leader| (leader, state.leader_epoch));
        (old != Some(state)).then_some(ChangedState { partition, unclean })
    });
    changed.collect()
}

/// The cluster as the znodes describe it. Topics that are marked for deletion are as good as gone.
#[must_use]
pub fn image_of(database: &Database) -> ClusterImage {
    let mut image = ClusterImage::default();
    image.set_live_brokers(
        children(database, zk_data::BROKER_IDS).filter_map(|id| registration(database, id)).collect(),
    );
    for name in children(database, zk_data::TOPICS) {
        let topic = TopicName::new(name);
        if database.znode(&zk_data::marked_for_deletion(&topic)).is_none() {
            put_topic(&mut image, database, &topic);
        }
    }
    image
}

/// The brokers that topics have replicas on, some of them more than once. A topic that is marked for deletion is gone only
/// when all of them have been there.
#[must_use]
pub fn brokers_with_replicas(database: &Database) -> Vec<BrokerId> {
    let topics = children(database, zk_data::TOPICS).map(|name| zk_data::topic(&TopicName::new(name)));
    let replicas = topics.filter_map(|path| {
        let ZnodeData::Topic { partitions, .. } = &database.znode(&path)?.data else { return None };
        Some(partitions.values().flatten().copied())
    });
    replicas.flatten().collect()
}

fn children<'a>(database: &'a Database, path: &str) -> impl Iterator<Item = &'a String> {
    database.znode(&ZnodePath::new(path)).into_iter().flat_map(|znode| &znode.children)
}

fn registration(database: &Database, id: &str) -> Option<(BrokerId, BrokerRegistration)> {
    let broker = BrokerId(id.parse().ok()?);
    let znode = database.znode(&zk_data::broker(broker))?;
    let ZnodeData::Broker { endpoint, rack, .. } = &znode.data else { return None };
    let registration = BrokerRegistration {
        incarnation_id: IncarnationId(0),
        broker_epoch: BrokerEpoch(znode.created.0.0),
        endpoint: endpoint.clone(),
        rack: rack.clone(),
        fenced: false,
        in_controlled_shutdown: false,
    };
    Some((broker, registration))
}

fn put_topic(image: &mut ClusterImage, database: &Database, topic: &TopicName) {
    let znode = database.znode(&zk_data::topic(topic));
    let Some(ZnodeData::Topic { topic_id, partitions, adding_replicas, removing_replicas }) =
        znode.map(|znode| &znode.data)
    else {
        return;
    };
    let of = |map: &BTreeMap<PartitionIndex, Vec<BrokerId>>, index| map.get(index).cloned().unwrap_or_default();
    for (index, replicas) in partitions {
        let place = TopicPartition::new(topic.clone(), *index);
        let Some(znode) = database.znode(&zk_data::partition_state(&place)) else { continue };
        let ZnodeData::PartitionState(state) = &znode.data else { continue };
        let moved = (of(adding_replicas, index), of(removing_replicas, index));
        let state = partition(state, replicas.clone(), moved, PartitionEpoch(znode.version.0));
        image.put_partition(&place, *topic_id, state);
    }
    let configs = database.znode(&zk_data::topic_config(topic)).map(|znode| &znode.data);
    if let Some(ZnodeData::Config(configs)) = configs {
        image.set_configs(topic, configs);
    }
}

fn partition(
    state: &PartitionStateData,
    replicas: Vec<BrokerId>,
    (adding_replicas, removing_replicas): (Vec<BrokerId>, Vec<BrokerId>),
    partition_epoch: PartitionEpoch,
) -> PartitionRegistration {
    PartitionRegistration {
        replicas,
        isr: state.isr.clone(),
        adding_replicas,
        removing_replicas,
        leader: state.leader,
        leader_recovery_state: match state.is_recovering {
            true => LeaderRecoveryState::Recovering,
            false => LeaderRecoveryState::Recovered,
        },
        leader_epoch: state.leader_epoch,
        partition_epoch,
        eligible_leader_replicas: Vec::new(),
        last_known_elr: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::request::ControllerHeader;

    /// What a broker that is registered as 50 obeys.
    fn obeyed(controller_epoch: i32, broker_epoch: i64) -> Option<Obeyed> {
        let broker_epoch = BrokerEpoch(broker_epoch);
        let header = ControllerHeader { controller_id: BrokerId(1), controller_epoch, broker_epoch };
        Some(Obeyed { header, broker_epoch: BrokerEpoch(50) })
    }

    fn complaints(orders: &[Option<Obeyed>]) -> Vec<Details> {
        let (hosts, mut history, mut findings) = (BTreeMap::new(), ZooKeeperHistory::default(), Findings::default());
        let sight = Sight::of_nothing(&hosts);
        orders.iter().for_each(|order| history.on_obeyed(&mut findings, &sight, BrokerId(2), *order));
        findings.violations().iter().map(|violation| violation.details.clone()).collect()
    }

    #[test]
    fn a_broker_obeys_no_earlier_controller_and_nothing_that_was_meant_for_an_earlier_registration() {
        assert_eq!(complaints(&[obeyed(2, 50), obeyed(3, 50), obeyed(3, -1)]), []);
        let (node, number) = (NodeId::Server(2), Number::ControllerEpoch);
        assert_eq!(complaints(&[obeyed(3, 50), obeyed(2, 50)]), [Details::Fell { node, number, from: 3, to: 2 }]);
        assert_eq!(complaints(&[obeyed(3, 50), None, obeyed(2, 50)]), [], "another process knows nothing");
        let (broker, controller) = (BrokerId(2), BrokerId(1));
        assert_eq!(complaints(&[obeyed(3, 49)]), [Details::ObeyedForEarlierRun { broker, controller }]);
    }
}
