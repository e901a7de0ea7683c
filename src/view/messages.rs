//! Messages on their way. Where one is drawn follows from when it was sent and when it will arrive, and from nothing else.

use super::Scene;
use super::cluster::{self, Cast, ServerKind};
use super::draw_list::{Anchor, DrawList, Font, Ink, Shape};
use super::geometry::{Path, Point, Rect};
use crate::store::Selection;
use crate::text::Label;
use kafka::instant::Instant;
use kafka::node::{Message, NodeId};
use sim::frame::{Delivery, FlightContent, MessageInFlight};
use std::collections::BTreeMap;
use wire::{Request, Response};

/// What a message is about; each kind has a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MessageKind {
    Produce,
    ConsumerFetch,
    Replication,
    MetadataLog,
    Control,
    ClientCall,
    Connection,
}

impl MessageKind {
    pub(crate) const ALL: [MessageKind; 7] = [
        MessageKind::Produce,
        MessageKind::ConsumerFetch,
        MessageKind::Replication,
        MessageKind::MetadataLog,
        MessageKind::Control,
        MessageKind::ClientCall,
        MessageKind::Connection,
    ];

    pub(crate) fn ink(self) -> Ink {
        match self {
            MessageKind::Produce => Ink::Produce,
            MessageKind::ConsumerFetch => Ink::ConsumerFetch,
            MessageKind::Replication => Ink::Replication,
            MessageKind::MetadataLog => Ink::MetadataLog,
            MessageKind::Control => Ink::Control,
            MessageKind::ClientCall => Ink::ClientCall,
            MessageKind::Connection => Ink::Connection,
        }
    }

    pub(crate) fn label(self) -> Label {
        match self {
            MessageKind::Produce => Label::LegendProduce,
            MessageKind::ConsumerFetch => Label::LegendConsumerFetch,
            MessageKind::Replication => Label::LegendReplication,
            MessageKind::MetadataLog => Label::LegendMetadataLog,
            MessageKind::Control => Label::LegendControl,
            MessageKind::ClientCall => Label::LegendClientCall,
            MessageKind::Connection => Label::LegendConnection,
        }
    }
}

/// What kind of message it is: by its content, and for a fetch by who reads what.
pub(crate) fn kind(flight: &MessageInFlight, cast: &Cast) -> MessageKind {
    let FlightContent::Message(message) = &flight.content else { return MessageKind::Connection };
    match api(message) {
        "Produce" => MessageKind::Produce,
        "Fetch" => fetch_kind(flight, message, cast),
        _ if is_between_servers(flight) => MessageKind::Control,
        _ => MessageKind::ClientCall,
    }
}

fn fetch_kind(flight: &MessageInFlight, message: &Message, cast: &Cast) -> MessageKind {
    let is_controller = |node: NodeId| match node {
        NodeId::Server(id) => cluster::kind_of(id, cast) == ServerKind::Controller,
        NodeId::ZooKeeper | NodeId::Client(_) => false,
    };
    match flight.connection.opener {
        NodeId::ZooKeeper | NodeId::Client(_) => MessageKind::ConsumerFetch,
        NodeId::Server(_) if is_controller(flight.from) || is_controller(flight.to) => MessageKind::MetadataLog,
        NodeId::Server(_) if is_about_metadata_log(message) => MessageKind::MetadataLog,
        NodeId::Server(_) => MessageKind::Replication,
    }
}

/// Between combined servers both kinds of fetches travel.
fn is_about_metadata_log(message: &Message) -> bool {
    let partition = if let Message::Request { request: Request::Fetch(fetch), .. } = message {
        fetch.partitions.first().map(|wanted| &wanted.partition)
    } else if let Message::Response { response: Response::Fetch(fetch), .. } = message {
        fetch.partitions.first().map(|result| &result.partition)
    } else {
        None
    };
    partition.is_some_and(|partition| partition.topic.as_str() == cluster::METADATA_TOPIC)
}

fn is_between_servers(flight: &MessageInFlight) -> bool {
    match flight.connection.opener {
        NodeId::Server(_) | NodeId::ZooKeeper => true,
        NodeId::Client(_) => false,
    }
}

/// The name of the API in Kafka's protocol guide.
pub(crate) fn api(message: &Message) -> &'static str {
    match message {
        Message::Request { request, .. } => request_api(request),
        Message::Response { response, .. } => response_api(response),
    }
}

fn request_api(request: &Request) -> &'static str {
    match request {
        Request::ApiVersions => "ApiVersions",
        Request::Metadata(_) => "Metadata",
        Request::Produce(_) => "Produce",
        Request::Fetch(_) => "Fetch",
        Request::ListOffsets(_) => "ListOffsets",
        Request::OffsetForLeaderEpoch(_) => "OffsetForLeaderEpoch",
        Request::CreateTopics(_) => "CreateTopics",
        Request::CreatePartitions(_) => "CreatePartitions",
        Request::DeleteTopics(_) => "DeleteTopics",
        Request::DescribeTopicPartitions(_) => "DescribeTopicPartitions",
        Request::ElectLeaders(_) => "ElectLeaders",
        Request::AlterPartitionReassignments(_) => "AlterPartitionReassignments",
        Request::ListPartitionReassignments(_) => "ListPartitionReassignments",
        Request::IncrementalAlterConfigs(_) => "IncrementalAlterConfigs",
        Request::DescribeConfigs(_) => "DescribeConfigs",
        Request::DeleteRecords(_) => "DeleteRecords",
        Request::DescribeLogDirs(_) => "DescribeLogDirs",
        Request::DescribeCluster => "DescribeCluster",
        Request::UpdateFeatures(_) => "UpdateFeatures",
        Request::UnregisterBroker(_) => "UnregisterBroker",
        Request::InitProducerId(_) => "InitProducerId",
        Request::AllocateProducerIds(_) => "AllocateProducerIds",
        Request::ControllerRegistration(_) => "ControllerRegistration",
        Request::BrokerRegistration(_) => "BrokerRegistration",
        Request::BrokerHeartbeat(_) => "BrokerHeartbeat",
        Request::AlterPartition(_) => "AlterPartition",
        Request::Vote(_) => "Vote",
        Request::BeginQuorumEpoch(_) => "BeginQuorumEpoch",
        Request::EndQuorumEpoch(_) => "EndQuorumEpoch",
        Request::FetchSnapshot(_) => "FetchSnapshot",
        Request::DescribeQuorum => "DescribeQuorum",
        Request::LeaderAndIsr(_) => "LeaderAndIsr",
        Request::UpdateMetadata(_) => "UpdateMetadata",
        Request::StopReplica(_) => "StopReplica",
        Request::ControlledShutdown(_) => "ControlledShutdown",
        Request::ZooKeeper(_) => "ZooKeeper",
    }
}

fn response_api(response: &Response) -> &'static str {
    match response {
        Response::ApiVersions(_) => "ApiVersions",
        Response::Metadata(_) => "Metadata",
        Response::Produce(_) => "Produce",
        Response::Fetch(_) => "Fetch",
        Response::ListOffsets(_) => "ListOffsets",
        Response::OffsetForLeaderEpoch(_) => "OffsetForLeaderEpoch",
        Response::CreateTopics(_) => "CreateTopics",
        Response::CreatePartitions(_) => "CreatePartitions",
        Response::DeleteTopics(_) => "DeleteTopics",
        Response::DescribeTopicPartitions(_) => "DescribeTopicPartitions",
        Response::ElectLeaders(_) => "ElectLeaders",
        Response::AlterPartitionReassignments(_) => "AlterPartitionReassignments",
        Response::ListPartitionReassignments(_) => "ListPartitionReassignments",
        Response::IncrementalAlterConfigs(_) => "IncrementalAlterConfigs",
        Response::DescribeConfigs(_) => "DescribeConfigs",
        Response::DeleteRecords(_) => "DeleteRecords",
        Response::DescribeLogDirs(_) => "DescribeLogDirs",
        Response::DescribeCluster(_) => "DescribeCluster",
        Response::UpdateFeatures(_) => "UpdateFeatures",
        Response::UnregisterBroker(_) => "UnregisterBroker",
        Response::InitProducerId(_) => "InitProducerId",
        Response::AllocateProducerIds(_) => "AllocateProducerIds",
        Response::ControllerRegistration(_) => "ControllerRegistration",
        Response::BrokerRegistration(_) => "BrokerRegistration",
        Response::BrokerHeartbeat(_) => "BrokerHeartbeat",
        Response::AlterPartition(_) => "AlterPartition",
        Response::Vote(_) => "Vote",
        Response::BeginQuorumEpoch(_) => "BeginQuorumEpoch",
        Response::EndQuorumEpoch(_) => "EndQuorumEpoch",
        Response::FetchSnapshot(_) => "FetchSnapshot",
        Response::DescribeQuorum(_) => "DescribeQuorum",
        Response::LeaderAndIsr(_) => "LeaderAndIsr",
        Response::UpdateMetadata(_) => "UpdateMetadata",
        Response::StopReplica(_) => "StopReplica",
        Response::ControlledShutdown(_) => "ControlledShutdown",
        Response::ZooKeeper(_) => "ZooKeeper",
    }
}

/// How many offsets' worth of records a message carries.
pub(crate) fn records_in(content: &FlightContent) -> i64 {
    let FlightContent::Message(message) = content else { return 0 };
    let count = |batch: &wire::RecordBatch| i64::from(batch.last_offset_delta) + 1;
    match &**message {
        Message::Request { request: Request::Produce(request), .. } => {
            request.partitions.iter().map(|partition| count(&partition.batch)).sum()
        }
        Message::Response { response: Response::Fetch(response), .. } => {
            response.partitions.iter().flat_map(|partition| &partition.batches).map(|batch| count(batch)).sum()
        }
        Message::Request { .. } | Message::Response { .. } => 0,
    }
}

/// A message that does not get through waits at its sender, a little way out so that it is seen.
const HELD_BACK: f64 = 0.1;

/// How much of its way a message has behind it at an instant, from 0 to 1.
pub(crate) fn progress(flight: &MessageInFlight, now: Instant) -> f64 {
    let arrives_at = match flight.delivery {
        Delivery::At(instant) => instant,
        Delivery::HeldBack => return HELD_BACK,
        Delivery::Unread => return 1.0,
    };
    let whole = arrives_at.since(flight.sent_at).0;
    if whole == 0 { 1.0 } else { (now.since(flight.sent_at).0 as f64 / whole as f64).min(1.0) }
}

type Ways = BTreeMap<(NodeId, NodeId), Option<Path>>;

fn ways(scene: Scene<'_>) -> Ways {
    let mut ways = Ways::new();
    for flight in &scene.frame.messages {
        ways.entry((flight.from, flight.to)).or_insert_with(|| scene.layout.path(flight.from, flight.to));
    }
    ways
}

/// The messages themselves.
pub(super) fn draw_dots(scene: Scene<'_>, list: &mut DrawList) {
    let ways = ways(scene);
    for flight in &scene.frame.messages {
        if let Some(Some(path)) = ways.get(&(flight.from, flight.to)) {
            draw_dot(scene, list, flight, path);
        }
    }
    draw_waiting(scene, list, &ways);
}

/// Messages that do not move: how many there are at one place, and a ring that says that something keeps them.
fn draw_waiting(scene: Scene<'_>, list: &mut DrawList, ways: &Ways) {
    let mut waiting: BTreeMap<(NodeId, NodeId, Delivery), usize> = BTreeMap::new();
    for flight in &scene.frame.messages {
        match flight.delivery {
            Delivery::At(_) => {}
            Delivery::HeldBack | Delivery::Unread => {
                *waiting.entry((flight.from, flight.to, flight.delivery)).or_default() += 1;
            }
        }
    }
    for ((from, to, delivery), count) in waiting {
        if let Some(Some(path)) = ways.get(&(from, to)) {
            draw_held(list, path.at(if delivery == Delivery::HeldBack { HELD_BACK } else { 1.0 }), count);
        }
    }
}

fn draw_held(list: &mut DrawList, center: Point, count: usize) {
    const RADIUS: f64 = 8.0;
    list.push(Ink::Danger, Shape::Ring { center, radius: RADIUS });
    if count > 1 {
        let at = Point::new(center.x - RADIUS - 2.0, center.y - RADIUS);
        list.text(Ink::Danger, Font::Tiny, at, Anchor::End, format!("×{count}"));
    }
}

fn draw_dot(scene: Scene<'_>, list: &mut DrawList, flight: &MessageInFlight, path: &Path) {
    let center = path.at(progress(flight, scene.frame.now));
    let radius = if records_in(&flight.content) > 0 { 6.0 } else { 3.5 };
    let ink = kind(flight, scene.cast).ink();
    if is_filled(&flight.content) {
        list.push(ink, Shape::Disc { center, radius });
    } else {
        list.push(ink, Shape::Ring { center, radius });
    }
    let selection = Selection::Message(flight.id);
    if scene.store.selection == selection {
        list.push(Ink::Accent, Shape::Ring { center, radius: radius + 4.0 });
    }
    list.target(Rect::around(center, radius.max(5.0) + 2.0), selection);
}

/// Requests are filled, everything else is a ring.
fn is_filled(content: &FlightContent) -> bool {
    match content {
        FlightContent::Message(message) => match **message {
            Message::Request { .. } => true,
            Message::Response { .. } => false,
        },
        FlightContent::Connecting | FlightContent::Closing => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::view::fixture;
    use crate::view::layout::Layout;

    #[test]
    fn a_message_is_where_its_times_say() {
        let flight = fixture::fetch_request(1, 3, 1_000, 2_000);
        for (now, expected) in [(0, 0.0), (1_000, 0.0), (1_250, 0.25), (2_000, 1.0), (9_000, 1.0)] {
            assert_eq!(progress(&flight, Instant(now)), expected);
        }
    }

    #[test]
    fn what_is_held_back_stays_near_its_sender_and_what_is_unread_has_arrived() {
        let mut flight = fixture::fetch_request(1, 3, 1_000, 2_000);
        for (delivery, expected) in [(Delivery::HeldBack, HELD_BACK), (Delivery::Unread, 1.0)] {
            flight.delivery = delivery;
            assert_eq!(progress(&flight, Instant(1_500)), expected);
        }
    }

    #[test]
    fn a_fetch_is_told_by_who_reads_what() {
        let cast = fixture::cast();
        assert_eq!(kind(&fixture::fetch_request(1, 3, 0, 1), &cast), MessageKind::Replication);
        assert_eq!(kind(&fixture::fetch_request(1, 100, 0, 1), &cast), MessageKind::MetadataLog);
        let mut by_client = fixture::fetch_request(1, 3, 0, 1);
        by_client.from = NodeId::Client(2);
        by_client.connection.opener = NodeId::Client(2);
        assert_eq!(kind(&by_client, &cast), MessageKind::ConsumerFetch);
    }

    #[test]
    fn messages_that_are_held_back_are_counted_where_they_wait() {
        let held = |id| MessageInFlight { id, delivery: Delivery::HeldBack, ..fixture::fetch_request(1, 3, 0, 10) };
        let texts = |messages: Vec<MessageInFlight>| {
            let frame = sim::Frame { messages, ..fixture::frame(1) };
            let (cast, store) = (fixture::cast(), Store::default());
            let layout = Layout::arrange(&frame, &cast, &store, 860.0);
            let list = crate::view::draw(Scene { frame: &frame, cast: &cast, store: &store, layout: &layout });
            list.texts().into_iter().map(str::to_owned).collect::<Vec<String>>()
        };
        assert!(texts(vec![held(1), held(2)]).contains(&"×2".to_owned()));
        assert!(!texts(vec![fixture::fetch_request(1, 3, 0, 10)]).iter().any(|text| text.starts_with('×')));
    }

    #[test]
    fn every_message_between_drawn_nodes_can_be_clicked_where_it_is() {
        let mut frame = fixture::frame(3);
        frame.messages.push(fixture::fetch_request(1, 3, 0, 10));
        frame.now = Instant(5);
        let (cast, store) = (fixture::cast(), Store::default());
        let layout = Layout::arrange(&frame, &cast, &store, 860.0);
        let list = crate::view::draw(Scene { frame: &frame, cast: &cast, store: &store, layout: &layout });
        let place = layout.path(NodeId::Server(1), NodeId::Server(3)).expect("both are drawn").at(0.5);
        assert_eq!(list.hit(place), Some(&Selection::Message(1)));
    }
}
