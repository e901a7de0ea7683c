//! Configurations that a broker of a ZooKeeper cluster changes, and hears of.

use super::scene::{produce, t0};
use super::zookeeper_scene::{HEADER, ZooKeeperScene, leader_and_isr_with, leader_state};
use std::collections::BTreeMap;
use wire::request::AlterConfigOperation::{self, Append, Delete, Set};
use wire::request::{
    Acks, AlterConfigsResource, AlterableConfig, ConfigResource, DescribeConfigsRequest, DescribeConfigsResource,
    IncrementalAlterConfigsRequest, LeaderAndIsrPartition,
};
use wire::response::ConfigSource;
use wire::zookeeper::{CreateMode, Operation, ZnodeData, ZnodePath};
use wire::{BrokerId, ErrorCode, Request, Response, TopicName};

type Changes<'a> = &'a [(&'a str, AlterConfigOperation, Option<&'a str>)];

fn topic(name: &str) -> ConfigResource {
    ConfigResource::Topic(TopicName::new(name))
}

fn own() -> ConfigResource {
    ConfigResource::Broker(Some(BrokerId(1)))
}

fn altered(resource: ConfigResource, changes: Changes) -> AlterConfigsResource {
    let change = |(name, operation, value): &(&str, AlterConfigOperation, Option<&str>)| AlterableConfig {
        name: (*name).to_owned(),
        operation: *operation,
        value: value.map(str::to_owned),
    };
    AlterConfigsResource { resource, configs: changes.iter().map(change).collect() }
}

fn alter_all(scene: &mut ZooKeeperScene, resources: Vec<AlterConfigsResource>) -> Vec<(ErrorCode, Option<String>)> {
    let request = Request::IncrementalAlterConfigs(IncrementalAlterConfigsRequest { resources, validate_only: false });
    let Response::IncrementalAlterConfigs(response) = scene.answer_to(request) else {
        panic!("not the answer to this request")
    };
    response.results.into_iter().map(|result| (result.error, result.error_message)).collect()
}

fn alter(scene: &mut ZooKeeperScene, resource: ConfigResource, changes: Changes) -> (ErrorCode, Option<String>) {
    alter_all(scene, vec![altered(resource, changes)]).remove(0)
}

fn znode(scene: &ZooKeeperScene, path: &str) -> Option<ZnodeData> {
    scene.ensemble.view().database.znode(&ZnodePath::new(path)).map(|znode| znode.data.clone())
}

fn config(entries: &[(&str, &str)]) -> Option<ZnodeData> {
    let owned = entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Some(ZnodeData::Config(owned.collect::<BTreeMap<_, _>>()))
}

fn change(entity_path: &str) -> Option<ZnodeData> {
    Some(ZnodeData::ConfigChange { entity_path: entity_path.to_owned() })
}

/// Value and source of one configuration.
fn described(scene: &mut ZooKeeperScene, resource: ConfigResource, name: &str) -> Option<(String, ConfigSource)> {
    let resources = vec![DescribeConfigsResource { resource, names: Some(vec![name.to_owned()]) }];
    let request = Request::DescribeConfigs(DescribeConfigsRequest { resources, include_synonyms: false });
    let Response::DescribeConfigs(mut response) = scene.answer_to(request) else {
        panic!("not the answer to this request")
    };
    response.results.remove(0).entries.pop().and_then(|entry| Some((entry.value?, entry.source)))
}

#[test]
fn a_change_is_written_announced_and_counts() {
    let mut scene = ZooKeeperScene::leading();
    let alone = LeaderAndIsrPartition { isr: vec![BrokerId(1)], ..leader_state(Some(1), 1) };
    scene.controller_says(leader_and_isr_with(HEADER, alone));
    assert!(scene.ask(produce(Acks::All)).contains(&format!("note appended {} 0..0", t0())));
    let set = [("min.insync.replicas", Set, Some("2")), ("retention.ms", Set, Some("1000"))];
    assert_eq!(alter(&mut scene, topic("t"), &set), (ErrorCode::None, None));
    assert_eq!(znode(&scene, "/config/topics/t"), config(&[("min.insync.replicas", "2"), ("retention.ms", "1000")]));
    assert_eq!(znode(&scene, "/config/changes/config_change_0000000000"), change("topics/t"));
    assert_eq!(scene.ask(produce(Acks::All))[0], format!("note rejected {} NOT_ENOUGH_REPLICAS", t0()));
    let expected = ("1000".to_owned(), ConfigSource::DynamicTopicConfig);
    assert_eq!(described(&mut scene, topic("t"), "retention.ms"), Some(expected));
    let edit = [("retention.ms", Delete, None), ("cleanup.policy", Append, Some("compact"))];
    assert_eq!(alter(&mut scene, topic("t"), &edit), (ErrorCode::None, None));
    let left = [("cleanup.policy", "delete,compact"), ("min.insync.replicas", "2")];
    assert_eq!(znode(&scene, "/config/topics/t"), config(&left));
    assert_eq!(znode(&scene, "/config/changes/config_change_0000000001"), change("topics/t"));
}

#[test]
fn what_is_set_on_brokers_counts_for_topics_and_survives_a_restart() {
    let mut scene = ZooKeeperScene::leading();
    assert_eq!(
        alter(&mut scene, ConfigResource::Broker(None), &[("log.retention.ms", Set, Some("5"))]),
        (ErrorCode::None, None)
    );
    assert_eq!(alter(&mut scene, own(), &[("log.cleaner.threads", Set, Some("2"))]), (ErrorCode::None, None));
    assert_eq!(znode(&scene, "/config/brokers/<default>"), config(&[("log.retention.ms", "5")]));
    assert_eq!(znode(&scene, "/config/brokers/1"), config(&[("log.cleaner.threads", "2")]));
    assert_eq!(znode(&scene, "/config/changes/config_change_0000000000"), change("brokers/<default>"));
    assert_eq!(znode(&scene, "/config/changes/config_change_0000000001"), change("brokers/1"));
    let threads = ("2".to_owned(), ConfigSource::DynamicBrokerConfig);
    let retention = ("5".to_owned(), ConfigSource::DynamicDefaultBrokerConfig);
    assert_eq!(described(&mut scene, own(), "log.cleaner.threads"), Some(threads.clone()));
    assert_eq!(described(&mut scene, topic("t"), "retention.ms"), Some(retention.clone()));
    assert_eq!(scene.broker.replicas.get(&t0()).map(|replica| replica.config().retention_ms), Some(5));
    scene.restart();
    assert_eq!(described(&mut scene, own(), "log.cleaner.threads"), Some(threads));
    assert_eq!(described(&mut scene, own(), "log.retention.ms"), Some(retention));
}

#[test]
fn what_is_set_on_other_brokers_does_not_concern_this_one() {
    let mut scene = ZooKeeperScene::leading();
    scene.elsewhere(vec![
        Operation::Create {
            path: ZnodePath::new("/config/brokers/2"),
            data: config(&[("log.cleaner.threads", "7")]).expect("it is set"),
            mode: CreateMode::Persistent,
        },
        Operation::Create {
            path: ZnodePath::new("/config/changes/config_change_"),
            data: change("brokers/2").expect("it is announced"),
            mode: CreateMode::PersistentSequential,
        },
    ]);
    let expected = ("1".to_owned(), ConfigSource::DefaultConfig);
    assert_eq!(described(&mut scene, own(), "log.cleaner.threads"), Some(expected));
}

#[test]
fn wrong_changes_are_refused_in_kafkas_words_and_leave_nothing() {
    let invalid = "Invalid config value for resource ConfigResource(type=TOPIC, name='t'): \
                   Invalid value x for configuration retention.ms: Not a number of type LONG";
    let cases: [(ConfigResource, Changes, ErrorCode, &str); 8] = [
        (
            topic("t"),
            &[("retention.msx", Set, Some("1"))],
            ErrorCode::InvalidConfig,
            "Unknown topic config name: retention.msx",
        ),
        (topic("t"), &[("retention.ms", Set, Some("x"))], ErrorCode::InvalidConfig, invalid),
        (
            topic("t"),
            &[("retention.ms", Append, Some("1"))],
            ErrorCode::InvalidConfig,
            "Config value append is not allowed for config key: retention.ms",
        ),
        (
            topic("u"),
            &[("retention.ms", Set, Some("1"))],
            ErrorCode::UnknownTopicOrPartition,
            "The topic 'u' does not exist.",
        ),
        (
            topic("t"),
            &[("retention.ms", Set, None)],
            ErrorCode::InvalidRequest,
            "Null value not supported for : retention.ms",
        ),
        (
            own(),
            &[("broker.id", Set, Some("5"))],
            ErrorCode::InvalidRequest,
            "Cannot update these configs dynamically: Set(broker.id)",
        ),
        (
            ConfigResource::Broker(None),
            &[("log.cleaner.threads", Set, Some("many"))],
            ErrorCode::InvalidRequest,
            "Invalid value many for configuration log.cleaner.threads: Not a number of type INT",
        ),
        (
            ConfigResource::Broker(Some(BrokerId(2))),
            &[("log.cleaner.threads", Set, Some("2"))],
            ErrorCode::InvalidRequest,
            "Unexpected broker id, expected 1, but received 2",
        ),
    ];
    for (resource, changes, error, message) in cases {
        let mut scene = ZooKeeperScene::leading();
        assert_eq!(alter(&mut scene, resource, changes), (error, Some(message.to_owned())));
        assert_eq!(znode(&scene, "/config/changes/config_change_0000000000"), None);
    }
}

#[test]
fn each_resource_of_a_request_succeeds_or_fails_for_itself() {
    let mut scene = ZooKeeperScene::leading();
    let twice = || altered(own(), &[("log.cleaner.threads", Set, Some("2"))]);
    let resources = vec![twice(), altered(topic("t"), &[("retention.ms", Set, Some("1"))]), twice()];
    let repeated = || (ErrorCode::InvalidRequest, Some("Each resource must appear at most once.".to_owned()));
    assert_eq!(alter_all(&mut scene, resources), [repeated(), (ErrorCode::None, None), repeated()]);
    assert_eq!(znode(&scene, "/config/topics/t"), config(&[("retention.ms", "1")]));
}

#[test]
fn announcements_go_after_a_quarter_of_an_hour_when_the_next_one_comes() {
    let mut scene = ZooKeeperScene::leading();
    let set = |value| [("retention.ms", Set, Some(value))];
    alter(&mut scene, topic("t"), &set("1"));
    scene.wait(15 * 60 * 1_000);
    alter(&mut scene, topic("t"), &set("2"));
    assert_eq!(znode(&scene, "/config/changes/config_change_0000000000"), change("topics/t"));
    scene.wait(1);
    alter(&mut scene, topic("t"), &set("3"));
    assert_eq!(znode(&scene, "/config/changes/config_change_0000000000"), None);
    assert_eq!(znode(&scene, "/config/changes/config_change_0000000001"), change("topics/t"));
    assert_eq!(znode(&scene, "/config/changes/config_change_0000000002"), change("topics/t"));
}
