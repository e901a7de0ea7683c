//! What becomes of what producers send. Once all is well, what was sent before is taken, refused or given up, and so is what
//! is sent then; and every record ends once: it is not forgotten, and nobody hears twice of it.

use crate::consumers::Past;
use crate::health::{cluster_image, is_well, knows_only_gone};
use kafka::event::{ClientEvent, EventKind, SendFailure};
use kafka::instant::Instant;
use kafka::metadata::TopicImage;
use kafka::node::NodeId;
use kafka::spec::ProducerConfig;
use kafka::view::{NodeView, ProducerView};
use sim::{EventId, Frame, Session};
use std::collections::{BTreeMap, BTreeSet};
use wire::request::Acks;
use wire::{ErrorCode, RecordBatch, TopicName};

/// What the values of records begin with that producers make; the record's number follows.
pub(crate) const VALUE_PREFIX: &str = "record ";

/// With these a broker refuses records for good.
const REFUSALS: [ErrorCode; 4] =
    [ErrorCode::MessageTooLarge, ErrorCode::RecordListTooLarge, ErrorCode::InvalidTimestamp, ErrorCode::InvalidRecord];

/// Whether a broker took or refused what a producer had sent.
#[must_use]
pub fn is_answer(event: &EventKind) -> bool {
    match event {
        EventKind::Client(ClientEvent::BatchAcknowledged { .. }) => true,
        EventKind::Client(ClientEvent::RecordFailed { failure: SendFailure::Error { error, .. }, .. }) => {
            REFUSALS.contains(error)
        }
        EventKind::Client(_)
        | EventKind::Broker(_)
        | EventKind::Controller(_)
        | EventKind::ZooKeeper(_)
        | EventKind::Operator(_) => false,
    }
}

/// A producer that waits for something sent before all was well, or whose later records nobody took or refused. Who sends to
/// a topic that is not well (see `health`) waits as long as that stays so. One that last heard of no brokers but such as were
/// taken away asks those for ever (`metadata.recovery.strategy=none`).
///
/// Where a topic was deleted, batches wait for `delivery.timeout.ms`, also when there is a new topic of that name: for
/// partitions that it does not have (`RecordAccumulator.ready`), or because a broker that has not heard of it yet told who led
/// the earlier one, in a later epoch than the new one has (`KafkaApis.getCurrentLeader`, `Metadata.updatePartitionLeadership`,
/// `Metadata.updateLatestMetadata`).
#[must_use]
pub fn what_is_unanswered(
    frame: &Frame,
    topics: &BTreeMap<String, TopicName>,
    past: &Past,
    well_since: Instant,
) -> Option<String> {
    let image = cluster_image(frame)?;
    let is_sound = |topic: &&TopicName| image.topics().get(*topic).is_some_and(|topic| takes_batches(topic));
    for node in &frame.nodes {
        let Some(NodeView::Producer(view)) = &node.process else { continue };
        let topic = topics.get(&view.client_id).filter(|topic| !past.deleted.contains(*topic));
        let is_served = topic.filter(is_sound).is_some() && !knows_only_gone(frame, &view.known_brokers);
        if is_served && let Some(wrong) = unanswered(view, past.answered.get(&node.id).copied(), well_since) {
            return Some(format!("{} {wrong}", node.id));
        }
    }
    None
}

/// Whether all partitions are well, and take what a producer puts into one batch: what is too large for them is split into
/// batches that may be as large, again and again until it is given up (`RecordAccumulator.splitAndReenqueue`).
fn takes_batches(topic: &TopicImage) -> bool {
    let most = topic.configs.get("max.message.bytes").and_then(|bytes| bytes.parse::<i32>().ok());
    let is_split_in_vain = most.is_some_and(|most| most < ProducerConfig::default().batch_size);
    !is_split_in_vain && topic.partitions.values().all(is_well)
}

fn unanswered(view: &ProducerView, answered: Option<Instant>, well_since: Instant) -> Option<String> {
    if let Some(open) = view.open.filter(|open| open.since < well_since) {
        return Some(format!("has heard nothing of what it sent at {}", open.since));
    }
    let is_owed_answers = view.acks != Acks::None && answered.is_none_or(|at| at < well_since);
    is_owed_answers.then(|| format!("was last answered at {answered:?}"))
}

/// What a producer heard of its records.
#[derive(Clone, Debug, Default)]
struct Sends {
    /// The numbers of those that were acknowledged.
    acknowledged: BTreeSet<u64>,
    /// So many were given up.
    failed: u64,
}

impl Sends {
    /// Takes in an acknowledgement; returns a record of which there was one before.
    fn acknowledge(&mut self, batch: &RecordBatch) -> Option<u64> {
        batch
            .records()
            .iter()
            .filter_map(|record| number_of(record.value.as_deref()?))
            .find(|number| !self.acknowledged.insert(*number))
    }

    /// What the producer holds for done and for open is what became of all that it made, up to the last one acknowledged.
    fn wrong(&self, view: &ProducerView) -> Option<String> {
        let acknowledged = self.acknowledged.len() as u64;
        if (acknowledged, self.failed) != (view.acknowledged, view.failed) {
            let (counted, failed) = (view.acknowledged, view.failed);
            return Some(format!("counts {counted} and {failed}, not {acknowledged} and {}", self.failed));
        }
        let made = self.acknowledged.last().copied().unwrap_or(0);
        let others = view.failed + view.pending + view.waiting;
        (made > acknowledged + others).then(|| format!("made {made}, of which {acknowledged} and {others} are left"))
    }
}

/// The number of a record that a producer has made of itself.
fn number_of(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.strip_prefix(VALUE_PREFIX)?.parse().ok()
}

/// A producer of which a record was forgotten, or ended twice.
#[must_use]
pub fn what_did_not_end_once(session: &Session, frame: &Frame) -> Option<String> {
    let mut sends: BTreeMap<NodeId, Sends> = BTreeMap::new();
    for event in session.events(EventId(0)) {
        match &event.kind {
            EventKind::Client(ClientEvent::BatchAcknowledged { batch, .. }) => {
                if let Some(twice) = sends.entry(event.node).or_default().acknowledge(batch) {
                    return Some(format!("{} heard twice of record {twice}, at {}", event.node, event.at));
                }
            }
            EventKind::Client(ClientEvent::RecordFailed { .. }) => sends.entry(event.node).or_default().failed += 1,
            EventKind::Client(_)
            | EventKind::Broker(_)
            | EventKind::Controller(_)
            | EventKind::ZooKeeper(_)
            | EventKind::Operator(_) => {}
        }
    }
    frame.nodes.iter().find_map(|node| {
        let Some(NodeView::Producer(view)) = &node.process else { return None };
        let wrong = sends.get(&node.id)?.wrong(view)?;
        Some(format!("{} {wrong}", node.id))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka::view::OpenSends;
    use wire::{Record, Timestamp};

    fn view(acks: Acks) -> ProducerView {
        ProducerView {
            client_id: "produce-safe".to_owned(),
            acks,
            waiting: 1,
            pending: 2,
            acknowledged: 3,
            failed: 1,
            last_offsets: Vec::new(),
            open: Some(OpenSends { since: Instant(50), given_up_at: Instant(120_000_050) }),
            known_brokers: vec![1],
        }
    }

    #[test]
    fn a_producer_is_owed_answers_to_what_it_sent_before_and_sends_now() {
        for (acks, answered, well_since, is_wrong) in [
            (Acks::All, Some(60), 50, false),
            (Acks::All, Some(60), 51, true),
            (Acks::All, Some(40), 50, true),
            (Acks::Leader, None, 50, true),
            (Acks::None, None, 50, false),
            (Acks::None, None, 51, true),
        ] {
            let wrong = unanswered(&view(acks), answered.map(Instant), Instant(well_since));
            assert_eq!(wrong.is_some(), is_wrong, "{acks:?} {answered:?} {well_since}: {wrong:?}");
        }
    }

    fn batch(numbers: &[u64]) -> RecordBatch {
        let value = |number| format!("{VALUE_PREFIX}{number}");
        let record = |number| Record::new(None, Some(value(number).as_bytes()), Timestamp(0));
        RecordBatch::from_producer(numbers.iter().copied().map(record).collect())
    }

    #[test]
    fn a_record_ends_once_and_is_not_forgotten() {
        let mut sends = Sends { failed: 1, ..Sends::default() };
        assert_eq!(sends.acknowledge(&batch(&[1, 2])), None);
        assert_eq!(sends.clone().acknowledge(&batch(&[2])), Some(2), "it was acknowledged before");
        assert!(sends.wrong(&view(Acks::All)).is_some(), "the producer counts three");
        let mut far = sends.clone();
        assert_eq!(far.acknowledge(&batch(&[8])), None);
        assert!(far.wrong(&view(Acks::All)).is_some(), "of eight one is nowhere");
        assert_eq!(sends.acknowledge(&batch(&[7])), None);
        assert_eq!(sends.wrong(&view(Acks::All)), None, "one failed, two are on their way and one waits");
    }
}
