//! Replication in whole clusters: what travels while nothing happens, where consumers read, and what the faults of earlier
//! releases cost.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test names what it expects; the rest is of no interest")]

use acceptance::clients;
use kafka::event::{BrokerEvent, ClientEvent, EventKind};
use kafka::fault::{LinkChange, Links};
use kafka::instant::Instant;
use kafka::node::{Message, NodeId};
use kafka::spec::{ClientSpec, HistoricalFaults, Program};
use kafka::view::{NodeView, ReplicaView};
use sim::frame::FlightContent;
use sim::world_shape::WorldShape;
use sim::{Budget, Command, Event, EventId, Session};
use wire::request::Acks;
use wire::{BrokerId, Offset, Request, Response};

const TOPIC: &str = "orders";
const FIRST: NodeId = NodeId::Server(1);
const SECOND: NodeId = NodeId::Server(2);
const THIRD: NodeId = NodeId::Server(3);

struct Cluster {
    session: Session,
}

impl Cluster {
    fn new(shape: &WorldShape, clients: Vec<ClientSpec>) -> Cluster {
        let mut spec = shape.spec();
        spec.clients = clients;
        Cluster { session: Session::new(spec, 1) }
    }

    fn run_to(&mut self, seconds: u64) {
        self.session.run(Budget { until: Instant(seconds * 1_000_000), steps: 10_000_000 });
        assert_eq!(self.session.now(), Instant(seconds * 1_000_000), "ten million steps should be enough");
    }

    fn apply(&mut self, command: Command) {
        self.session.apply(command).expect("the command fits the world");
    }

    fn events_after(&self, seconds: u64) -> impl Iterator<Item = Event> {
        self.session.events(EventId(0)).filter(move |event| event.at > Instant(seconds * 1_000_000))
    }

    fn consumed_after(&self, seconds: u64) -> Vec<i64> {
        let offset = |event: &Event| match &event.kind {
            EventKind::Client(ClientEvent::RecordConsumed { offset, .. }) => Some(offset.0),
            _ => None,
        };
        self.events_after(seconds).filter_map(|event| offset(&event)).collect()
    }

    fn resets_after(&self, seconds: u64) -> Vec<i64> {
        let offset = |event: &Event| match &event.kind {
            EventKind::Client(ClientEvent::PositionReset { offset, .. }) => Some(offset.0),
            _ => None,
        };
        self.events_after(seconds).filter_map(|event| offset(&event)).collect()
    }

    /// To which replicas consumers were sent.
    fn redirections(&self) -> Vec<BrokerId> {
        let replica = |event: &Event| match &event.kind {
            EventKind::Broker(BrokerEvent::PreferredReadReplicaChosen { replica, .. }) => Some(*replica),
            _ => None,
        };
        self.session.events(EventId(0)).filter_map(|event| replica(&event)).collect()
    }

    /// Where a broker's log ended when it took the lead the last time.
    fn led_from(&self, node: NodeId) -> Offset {
        let log_end_offset = |event: &Event| match &event.kind {
            EventKind::Broker(BrokerEvent::BecameLeader { log_end_offset, .. }) if event.node == node => {
                Some(*log_end_offset)
            }
            _ => None,
        };
        self.session.events(EventId(0)).filter_map(|event| log_end_offset(&event)).last().expect("it has led")
    }

    fn replica_on(&mut self, node: NodeId) -> ReplicaView {
        let frame = self.session.frame();
        let view = frame.nodes.iter().find(|host| host.id == node).and_then(|host| host.process.as_ref());
        let Some(NodeView::Broker(broker)) = view else { panic!("{node} is no running broker") };
        let replica = broker.replicas.iter().find(|replica| replica.partition.topic.as_str() == TOPIC);
        replica.expect("it has a replica").clone()
    }

    /// Messages of followers' fetch sessions that are on their way now: how many, and how many of them name a partition.
    fn session_messages(&mut self) -> (u32, u32) {
        let frame = self.session.frame();
        let (mut messages, mut naming) = (0, 0);
        for flight in &frame.messages {
            let FlightContent::Message(message) = &flight.content else { continue };
            let named = match &**message {
                Message::Request { request: Request::Fetch(fetch), .. } if !fetch.metadata.is_full() => {
                    fetch.partitions.len()
                }
                Message::Response { response: Response::Fetch(fetch), .. } if fetch.session_id != 0 => {
                    fetch.partitions.len()
                }
                _ => continue,
            };
            messages += 1;
            naming += u32::from(named > 0);
        }
        (messages, naming)
    }
}

fn shape(properties: &[(&str, &str)]) -> WorldShape {
    let owned = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    WorldShape { properties: owned.collect(), ..WorldShape::default() }
}

fn is_every_offset_once(consumed: &[i64]) -> bool {
    consumed.iter().copied().eq(0..i64::try_from(consumed.len()).expect("there are not so many"))
}

#[test]
fn idle_followers_and_leaders_name_no_partition() {
    let mut cluster = Cluster::new(&shape(&[]), vec![clients::create_topic(TOPIC, 3, &[])]);
    cluster.run_to(20);
    let (mut messages, mut naming) = (0, 0);
    for _ in 0..300 {
        assert!(cluster.session.step());
        let (seen, named) = cluster.session_messages();
        messages += seen;
        naming += named;
    }
    assert!(messages > 50, "only {messages} messages of sessions were seen");
    assert_eq!(naming, 0, "of {messages}");
}

#[test]
fn sessions_outlive_neither_followers_nor_leaders_and_no_record_is_lost() {
    let clients =
        vec![clients::create_topic(TOPIC, 3, &[]), clients::producer(TOPIC, Acks::All, 20), clients::consumer(TOPIC)];
    let mut cluster = Cluster::new(&shape(&[("broker.session.timeout.ms", "3000")]), clients);
    for (seconds, command) in [
        (10, Command::Kill(SECOND)),
        (14, Command::Start(SECOND)),
        (20, Command::Kill(FIRST)),
        (26, Command::Start(FIRST)),
        (32, Command::Freeze(SECOND)),
        (38, Command::Thaw(SECOND)),
    ] {
        cluster.run_to(seconds);
        cluster.apply(command);
    }
    cluster.run_to(60);
    assert_eq!(cluster.session.ledger().losses_len(), 0);
    assert_eq!(cluster.session.violations().count(), 0);
    let consumed = cluster.consumed_after(0);
    assert!(consumed.len() > 1_500, "only {} records were consumed", consumed.len());
    assert!(is_every_offset_once(&consumed));
    let ends: Vec<usize> = [1, 2, 3].map(|id| cluster.replica_on(NodeId::Server(id)).segments.len()).to_vec();
    assert!(ends.iter().all(|end| *end > 1_000), "{ends:?}");
}

#[test]
fn a_consumer_reads_in_its_rack_and_from_the_leader_when_that_replica_dies() {
    let mut near = clients::consumer(TOPIC);
    let Program::Consumer(consumer) = &mut near.program else { unreachable!("it is a consumer") };
    consumer.config.client_rack = Some("b".to_owned());
    let selector = ("replica.selector.class", "org.apache.kafka.common.replica.RackAwareReplicaSelector");
    let racks = ["a", "b", "c"].map(str::to_owned).to_vec();
    let shape = WorldShape { racks, ..shape(&[selector, ("broker.session.timeout.ms", "3000")]) };
    let topic = clients::create_topic(TOPIC, 3, &[]);
    let mut cluster = Cluster::new(&shape, vec![topic, clients::producer(TOPIC, Acks::All, 50), near]);
    cluster.run_to(15);
    assert_eq!(cluster.redirections(), [BrokerId(2)], "once, for as long as metadata is young");
    assert!(cluster.consumed_after(10).len() > 50);
    cluster.apply(Command::Kill(SECOND));
    cluster.run_to(30);
    assert!(cluster.consumed_after(20).len() > 50, "it reads on from the leader");
    cluster.apply(Command::Start(SECOND));
    cluster.run_to(45);
    assert!(cluster.consumed_after(40).len() > 50);
    assert!(is_every_offset_once(&cluster.consumed_after(0)));
    assert_eq!(cluster.session.violations().count(), 0);
}

/// A leader dies, its successor takes the lead, and that one dies before the other follower has fetched from it.
fn two_leaders_die(historical_faults: HistoricalFaults) -> Cluster {
    let shape = WorldShape { historical_faults, ..WorldShape::default() };
    let clients = vec![clients::create_topic(TOPIC, 3, &[]), clients::producer(TOPIC, Acks::All, 300)];
    let mut cluster = Cluster::new(&shape, clients);
    cluster.run_to(12);
    cluster.apply(Command::ChangeLinks { links: Links::Between(SECOND, THIRD), change: LinkChange::Cut });
    cluster.apply(Command::Kill(FIRST));
    cluster.run_to(24);
    assert!(cluster.led_from(SECOND) > Offset(0));
    cluster.apply(Command::Kill(SECOND));
    cluster.run_to(38);
    assert!(cluster.led_from(THIRD) > Offset(0), "it was in sync and takes over");
    cluster.apply(Command::ChangeLinks { links: Links::All, change: LinkChange::Heal });
    cluster.apply(Command::Start(FIRST));
    cluster.apply(Command::Start(SECOND));
    cluster.run_to(60);
    cluster
}

/// Schedule 4.1, KIP-101. KRaft takes a follower that restarts out of the in-sync replicas at once, so it is a change of
/// leaders that makes the follower cut its log.
#[test]
fn truncation_to_the_high_watermark_loses_acknowledged_records_of_a_whole_cluster() {
    let faults = HistoricalFaults { truncate_to_high_watermark: true, ..HistoricalFaults::default() };
    let cluster = two_leaders_die(faults);
    assert!(cluster.led_from(THIRD) < cluster.led_from(SECOND), "it cut what it had acknowledged");
    assert!(cluster.session.ledger().losses_len() > 0);
    let cluster = two_leaders_die(HistoricalFaults::default());
    assert_eq!(cluster.led_from(THIRD), cluster.led_from(SECOND));
    assert_eq!((cluster.session.ledger().losses_len(), cluster.session.violations().count()), (0, 0));
}

/// An unclean leader has fewer records than a consumer has read, and has more again when the consumer wakes up. Returns
/// where the new leader began, where the consumer's place was set, and what it read first.
fn consumer_meets_an_unclean_leader(historical_faults: HistoricalFaults) -> (i64, Vec<i64>, i64, i64) {
    let shape = WorldShape { brokers: 2, historical_faults, ..WorldShape::default() };
    let topic = clients::create_topic(TOPIC, 2, &[("unclean.leader.election.enable", "true")]);
    let clients = vec![topic, clients::producer(TOPIC, Acks::Leader, 20), clients::consumer(TOPIC)];
    let mut cluster = Cluster::new(&shape, clients);
    cluster.run_to(10);
    cluster.apply(Command::Kill(SECOND));
    cluster.run_to(24);
    let consumer = NodeId::Client(3);
    cluster.apply(Command::Freeze(consumer));
    cluster.apply(Command::Kill(FIRST));
    cluster.apply(Command::Start(SECOND));
    let read = cluster.consumed_after(0).len();
    cluster.run_to(70);
    let led_from = cluster.led_from(SECOND).0;
    assert!(cluster.replica_on(SECOND).high_watermark.0 > i64::try_from(read).expect("it is small"));
    cluster.apply(Command::Thaw(consumer));
    cluster.run_to(90);
    let next = cluster.consumed_after(70).first().copied().expect("it reads on");
    (led_from, cluster.resets_after(70), next, i64::try_from(read).expect("it is small"))
}

/// Schedule 4.4 of KIP-320, as a consumer meets it.
#[test]
fn without_fencing_a_consumer_does_not_notice_that_what_it_read_is_gone() {
    let faults = HistoricalFaults { unfenced_fetches: true, ..HistoricalFaults::default() };
    let (led_from, resets, next, read) = consumer_meets_an_unclean_leader(faults);
    assert!(led_from < read, "records that were read are gone: {led_from} of {read}");
    assert_eq!((resets, next), (vec![], read), "it goes on as if nothing had happened");
    let (led_from, resets, next, _) = consumer_meets_an_unclean_leader(HistoricalFaults::default());
    assert_eq!((resets, next), (vec![led_from], led_from), "it goes back to where the logs part");
}
