//! The run with which the page begins: a small cluster that lives, made only of what a user could do too.

use crate::view::cluster::{Cast, ServerKind};
use kafka::instant::Instant;
use kafka::spec::{
    AutoOffsetReset, ClientSpec, ConsumerConfig, ConsumerSpec, ProducerConfig, ProducerSpec, Program, ServerRole,
    Subscription, TopicsAction, Workload,
};
use sim::world_spec::NetworkSpec;
use sim::{Budget, Session, WorldSpec};
use std::collections::BTreeMap;
use wire::request::CreatableTopic;
use wire::{Endpoint, TopicName};

/// The seed of the run unless the address names another.
pub(crate) const DEFAULT_SEED: u64 = 1;

/// Messages are slow enough to be followed by eye at the speed with which the page begins.
const NETWORK: NetworkSpec = NetworkSpec { delay_us: 80_000, jitter_us: 40_000 };

/// How far the run has come when the page is first shown: the cluster stands, and a few records are there.
const HEAD_START: Instant = Instant(14_000_000);

const TOPIC: &str = "orders";

/// The servers, their network, and the programs: the topic is created by a real `kafka-topics` call.
pub(crate) fn world() -> WorldSpec {
    let mut spec = WorldSpec::three_brokers(BTreeMap::new());
    spec.network = NETWORK;
    spec.clients = vec![
        client("kafka-topics", Program::Topics(create_topic())),
        client("orders-producer", producer()),
        client("orders-consumer", consumer()),
    ];
    spec
}

/// What each server of Kafka's is.
pub(crate) fn cast(spec: &WorldSpec) -> Cast {
    let kind = |role: ServerRole| match role {
        ServerRole::Broker => Some(ServerKind::Broker),
        ServerRole::Controller => Some(ServerKind::Controller),
        ServerRole::ZooKeeper => None,
    };
    spec.servers.iter().filter_map(|server| Some((server.node_id, kind(server.role)?))).collect()
}

/// Begins a run, and lets it go on for a while.
pub(crate) fn begin(spec: WorldSpec, seed: u64) -> Session {
    let mut session = Session::new(spec, seed);
    session.run(Budget { until: HEAD_START, steps: u64::MAX });
    session
}

/// A client program that knows all three brokers.
pub(crate) fn client(client_id: &str, program: Program) -> ClientSpec {
    let bootstrap_servers = [9092, 9093, 9094].map(|port| Endpoint::new("localhost", port)).into();
    ClientSpec { client_id: client_id.to_owned(), bootstrap_servers, program }
}

fn create_topic() -> TopicsAction {
    let topic = CreatableTopic {
        name: TopicName::new(TOPIC),
        num_partitions: Some(3),
        replication_factor: Some(3),
        assignments: Vec::new(),
        configs: vec![("min.insync.replicas".to_owned(), "2".to_owned())],
    };
    TopicsAction::Create { topic, if_not_exists: false }
}

fn producer() -> Program {
    let workload = Workload {
        topic: TopicName::new(TOPIC),
        interval_ms: 1_000,
        // One or two for each partition.
        keys: ["ann", "bob", "joe", "mia"].map(str::to_owned).into(),
        value_prefix: "o".to_owned(),
    };
    Program::Producer(ProducerSpec {
        config: ProducerConfig::default(),
        is_synchronous: false,
        workload: Some(workload),
    })
}

fn consumer() -> Program {
    let config = ConsumerConfig { auto_offset_reset: AutoOffsetReset::Earliest, ..ConsumerConfig::default() };
    let subscription = Subscription::Topic(TopicName::new(TOPIC));
    Program::Consumer(ConsumerSpec { config, subscription, group_id: None, max_messages: None, timeout_ms: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::cluster;

    #[test]
    fn when_the_page_is_first_shown_records_have_been_stored_and_read() {
        for seed in [DEFAULT_SEED, 2, 3, u64::MAX] {
            let mut session = begin(world(), seed);
            let frame = session.frame();
            assert_eq!(cluster::partitions(&frame, None).len(), 3, "seed {seed}");
            let consumed = frame.nodes.iter().filter_map(cluster::client_view).map(|client| match client {
                cluster::ClientView::Consumer(view) => view.consumed,
                cluster::ClientView::Producer(_) | cluster::ClientView::Admin(_) => 0,
            });
            assert!(consumed.sum::<u64>() >= 2, "seed {seed}");
        }
    }
}
