//! Configurations of topics and brokers, which a ZooKeeper-mode broker reads from `/config` itself: those of brokers when
//! it starts, those of a topic when a request first needs them, and both again when `/config/changes` tells of a change
//! (`kafka.server.ZkConfigManager`, `kafka.server.ConfigHandler`, `kafka.server.metadata.ZkConfigRepository`). A request that needs what is still being read waits for it, as the thread
//! of a real broker would.

use super::super::{Broker, Step};
use super::Ask;
use crate::config::TopicConfig;
use crate::node::RequestId;
use crate::zk_data;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wire::request::{ConfigResource, DescribeConfigsRequest, DescribeConfigsResource, LeaderAndIsrRequest};
use wire::zookeeper::{Operation, ZnodePath};
use wire::{BrokerId, Timestamp, TopicName, TopicPartition};

/// How long announcements of changes stay.
const CHANGE_EXPIRATION_MS: i64 = 15 * 60 * 1_000;

const UNCLEAN: &str = "unclean.leader.election.enable";

/// A topic's own configurations.
type Configs = BTreeMap<String, String>;

/// What was read, and who waits for more.
#[derive(Clone, Debug, Default)]
pub(super) struct TopicConfigs {
    known: BTreeMap<TopicName, Arc<Configs>>,
    being_read: BTreeSet<TopicName>,
    waiting: Vec<(BTreeSet<TopicName>, Waiting)>,
    /// The announcement that was read last; their names count up.
    last_change: Option<String>,
    none: Configs,
}

/// A request that waits.
#[derive(Clone, Debug)]
pub(super) enum Waiting {
    /// Replicas take roles, and new ones make logs.
    LeaderAndIsr(RequestId, LeaderAndIsrRequest),
    /// A client asks for the configurations themselves.
    Describe(RequestId, DescribeConfigsRequest),
}

impl TopicConfigs {
    /// A topic's own configurations, as far as they were read.
    pub(super) fn of(&self, topic: &TopicName) -> &Configs {
        self.known.get(topic).map_or(&self.none, |configs| &**configs)
    }
}

impl Broker {
    /// Goes on with a request once the configurations of these topics have been read.
    pub(super) fn once_configured(&mut self, topics: BTreeSet<TopicName>, waiting: Waiting, step: &mut Step<'_>) {
        let configs = &mut self.membership.zookeeper_mut().configs;
        let missing: BTreeSet<TopicName> =
            topics.into_iter().filter(|topic| !configs.known.contains_key(topic)).collect();
        if missing.is_empty() {
            return self.go_on(waiting, step);
        }
        let unasked: Vec<TopicName> =
            missing.iter().filter(|topic| configs.being_read.insert((*topic).clone())).cloned().collect();
        configs.waiting.push((missing, waiting));
        for topic in unasked {
            self.read_configs(topic, step);
        }
    }

    /// A client asks for configurations.
    pub(in super::super) fn read_and_describe_configs(
        &mut self,
        id: RequestId,
        request: DescribeConfigsRequest,
        step: &mut Step<'_>,
    ) {
        let topic = |wanted: &DescribeConfigsResource| match &wanted.resource {
            ConfigResource::Topic(name) => Some(name.clone()),
            ConfigResource::Broker(_) => None,
        };
        let topics = request.resources.iter().filter_map(topic);
        let topics = topics.filter(|topic| self.image.topics().contains_key(topic)).collect();
        self.once_configured(topics, Waiting::Describe(id, request), step);
    }

    fn go_on(&mut self, waiting: Waiting, step: &mut Step<'_>) {
        match waiting {
            Waiting::LeaderAndIsr(id, request) => self.become_leader_or_follower(id, &request, step),
            Waiting::Describe(id, request) => self.describe_configs(id, &request, step),
        }
    }

    /// Reads a topic's configurations.
    pub(super) fn read_configs(&mut self, topic: TopicName, step: &mut Step<'_>) {
        let path = zk_data::topic_config(&topic);
        self.ask_zookeeper(Ask::TopicConfigs(topic), Operation::GetData { path, watch: false }, step);
    }

    /// Reads a topic's configurations because they have changed.
    pub(super) fn read_changed_configs(&mut self, topic: TopicName, step: &mut Step<'_>) {
        let path = zk_data::topic_config(&topic);
        self.ask_zookeeper(Ask::ChangedTopicConfigs(topic), Operation::GetData { path, watch: false }, step);
    }

    /// Reads what is set on this broker, or on all.
    pub(super) fn read_broker_configs(&mut self, broker: Option<BrokerId>, step: &mut Step<'_>) {
        let path = zk_data::config_of(&ConfigResource::Broker(broker));
        self.ask_zookeeper(Ask::BrokerConfigs(broker), Operation::GetData { path, watch: false }, step);
    }

    /// A topic's configurations were read again. Where unclean elections are allowed now, the controller hears of it.
    pub(super) fn on_changed_topic_configs(&mut self, topic: TopicName, read: Configs, step: &mut Step<'_>) {
        let allows_unclean = read.get(UNCLEAN).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
        self.on_topic_configs(&topic, read, step);
        if allows_unclean {
            self.at_controller(step, |controller, process| {
                controller.on_unclean_election_enabled(Some(topic), process);
            });
        }
    }

    /// What is set on brokers was read: it counts from now on, for topics that do not say otherwise too.
    pub(super) fn on_broker_configs(&mut self, broker: Option<BrokerId>, read: Configs, step: &mut Step<'_>) {
        Arc::make_mut(&mut self.image).set_broker_configs(broker, read);
        let layers = [self.image.broker_configs(None), self.image.broker_configs(Some(self.setup.broker_id))];
        let config = self.setup.config.with_dynamic(&layers);
        let allows_unclean = config.unclean_leader_election_enable && !self.config.unclean_leader_election_enable;
        self.config = Arc::new(config.clone());
        let known = self.membership.zookeeper().configs.known.clone();
        for (topic, configs) in &known {
            self.configure_replicas_of(topic, configs);
        }
        self.at_controller(step, |controller, process| {
            controller.configure(config);
            if allows_unclean {
                controller.on_unclean_election_enabled(None, process);
            }
        });
    }

    /// A topic's configurations were read; a topic without a znode has none of its own.
    pub(super) fn on_topic_configs(&mut self, topic: &TopicName, read: Configs, step: &mut Step<'_>) {
        self.configure_replicas_of(topic, &read);
        Arc::make_mut(&mut self.image).set_configs(topic, &read);
        let configs = &mut self.membership.zookeeper_mut().configs;
        configs.being_read.remove(topic);
        configs.known.insert(topic.clone(), Arc::new(read));
        for (missing, _) in &mut configs.waiting {
            missing.remove(topic);
        }
        let (ready, waiting) =
            std::mem::take(&mut configs.waiting).into_iter().partition(|(missing, _)| missing.is_empty());
        configs.waiting = waiting;
        let ready: Vec<(BTreeSet<TopicName>, Waiting)> = ready;
        for (_, request) in ready {
            self.go_on(request, step);
        }
    }

    fn configure_replicas_of(&mut self, topic: &TopicName, configs: &Configs) {
        let config = Arc::new(TopicConfig::resolve(configs, &self.config));
        let here: Vec<TopicPartition> = self.replicas.of_topic(topic).cloned().collect();
        for partition in here {
            let replica = self.replicas.get_mut(&partition).expect("the replica was just seen");
            replica.set_config(Arc::clone(&config));
        }
    }

    /// The image shows what is known of its topics; what is known of others is forgotten.
    pub(super) fn match_configs_with_image(&mut self) {
        let configs = &mut self.membership.zookeeper_mut().configs;
        let (image, replicas) = (Arc::make_mut(&mut self.image), &self.replicas);
        configs
            .known
            .retain(|topic, _| image.topics().contains_key(topic) || replicas.of_topic(topic).next().is_some());
        for (topic, known) in &configs.known {
            image.set_configs(topic, known);
        }
    }

    /// Looks for changes that were announced, and is told of the next one.
    pub(super) fn look_for_config_changes(&mut self, step: &mut Step<'_>) {
        let path = ZnodePath::new(zk_data::CONFIG_CHANGES);
        self.ask_zookeeper(Ask::ConfigChanges, Operation::GetChildren { path, watch: true }, step);
    }

    /// Announcements that are new are read in their order. Then all are looked at, and old ones go.
    pub(super) fn on_config_changes(&mut self, names: &[String], step: &mut Step<'_>) {
        let configs = &mut self.membership.zookeeper_mut().configs;
        let new: Vec<String> =
            names.iter().filter(|name| configs.last_change.as_ref() < Some(*name)).cloned().collect();
        configs.last_change = new.last().cloned().or(configs.last_change.take());
        for name in new {
            let path = ZnodePath::new(&format!("{}/{name}", zk_data::CONFIG_CHANGES));
            self.ask_zookeeper(Ask::ConfigChange, Operation::GetData { path, watch: false }, step);
        }
        for name in names {
            let path = ZnodePath::new(&format!("{}/{name}", zk_data::CONFIG_CHANGES));
            let ask = Ask::OldConfigChange(name.clone());
            self.ask_zookeeper(ask, Operation::GetData { path, watch: false }, step);
        }
    }

    /// An announcement goes when everybody has had time to read it (`purgeObsoleteNotifications`).
    pub(super) fn purge_config_change(&mut self, name: &str, made_at: Timestamp, step: &mut Step<'_>) {
        if self.setup.wall_clock.at(step.now).0 - made_at.0 > CHANGE_EXPIRATION_MS {
            let path = ZnodePath::new(&format!("{}/{name}", zk_data::CONFIG_CHANGES));
            self.ask_zookeeper(Ask::ObsoleteConfigChange, Operation::Delete { path, version: None }, step);
        }
    }

    /// An announcement was read: so are the configurations that it names.
    pub(super) fn on_config_change(&mut self, entity_path: &str, step: &mut Step<'_>) {
        let own = self.setup.broker_id;
        match entity_path.split_once('/') {
            Some(("topics", topic)) => self.read_changed_configs(TopicName::new(topic), step),
            Some(("brokers", "<default>")) => self.read_broker_configs(None, step),
            Some(("brokers", broker)) if broker.parse() == Ok(own.0) => self.read_broker_configs(Some(own), step),
            Some(_) | None => {}
        }
    }
}
