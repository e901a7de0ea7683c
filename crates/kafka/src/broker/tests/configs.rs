//! Configurations that change while the broker runs.

use super::scene::{Scene, client};
use wire::request::{ConfigResource, DescribeConfigsRequest, DescribeConfigsResource};
use wire::response::ConfigSource;
use wire::{BrokerId, ErrorCode, MetadataRecord, Request, Response, TopicName};

fn set_on_all_brokers(key: &str, value: &str) -> MetadataRecord {
    let resource = ConfigResource::Broker(None);
    MetadataRecord::Config { resource, key: key.to_owned(), value: Some(value.to_owned()) }
}

/// The error, and the value and source of one configuration.
fn described(
    scene: &mut Scene,
    resource: ConfigResource,
    name: &str,
) -> (ErrorCode, Option<(Option<String>, ConfigSource)>) {
    let names = Some(vec![name.to_owned()]);
    let resources = vec![DescribeConfigsResource { resource, names }];
    let request = Request::DescribeConfigs(DescribeConfigsRequest { resources, include_synonyms: false });
    let Response::DescribeConfigs(mut response) = scene.answer_to(client(1), request) else {
        panic!("not the answer to this request")
    };
    let mut result = response.results.remove(0);
    assert!(result.entries.iter().all(|entry| entry.synonyms.is_empty()));
    (result.error, result.entries.pop().map(|entry| (entry.value, entry.source)))
}

#[test]
fn what_is_set_on_all_brokers_counts_for_topics_that_do_not_say() {
    let mut scene = Scene::leading();
    scene.metadata(vec![set_on_all_brokers("min.insync.replicas", "2")]);
    let expected = (Some("2".to_owned()), ConfigSource::DynamicDefaultBrokerConfig);
    let topic = ConfigResource::Topic(TopicName::new("t"));
    assert_eq!(described(&mut scene, topic, "min.insync.replicas"), (ErrorCode::None, Some(expected.clone())));
    let own = ConfigResource::Broker(Some(BrokerId(1)));
    assert_eq!(described(&mut scene, own, "min.insync.replicas"), (ErrorCode::None, Some(expected)));
}

#[test]
fn only_a_brokers_own_configurations_are_told() {
    let mut scene = Scene::leading();
    let other = ConfigResource::Broker(Some(BrokerId(2)));
    assert_eq!(described(&mut scene, other, "num.partitions"), (ErrorCode::InvalidRequest, None));
    let absent = ConfigResource::Topic(TopicName::new("nope"));
    assert_eq!(described(&mut scene, absent, "retention.ms"), (ErrorCode::UnknownTopicOrPartition, None));
}
