//! Where the replicas of new partitions go with ZooKeeper (`org.apache.kafka.admin.AdminUtils`): leaders in turn, and the
//! followers of each round shifted against those of the round before; with racks, a partition's replicas on as many of
//! them as there are.

use crate::Rng;
use rand::RngExt;
use std::collections::{BTreeMap, BTreeSet};
use wire::{BrokerId, ErrorCode};

/// A broker that is alive, and its rack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LiveBroker {
    pub(super) id: BrokerId,
    pub(super) rack: Option<String>,
}

/// What is to be placed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placement {
    pub(super) partitions: i32,
    pub(super) replication_factor: i32,
    /// The first partition's number: partitions are added behind existing ones.
    pub(super) first_partition: u32,
}

/// Where the turns begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    /// The place of the first leader among the brokers.
    index: usize,
    /// How far the followers are shifted against it.
    shift: usize,
}

/// Why nothing can be placed.
pub(super) type Refusal = (ErrorCode, String);

impl Start {
    /// Both at random, as for a new topic.
    pub(super) fn drawn(brokers: usize, rng: &mut Rng) -> Start {
        let mut draw = || rng.random_range(0..brokers.max(1) as u32) as usize;
        Start { index: draw(), shift: draw() }
    }

    /// Both the same, as for partitions that are added.
    pub(super) fn fixed(index: usize) -> Start {
        Start { index, shift: index }
    }
}

/// The replicas of each partition, the preferred leader first. The brokers come in order of their ids.
///
/// # Errors
/// Why it is impossible, in Kafka's words.
pub(super) fn place(placement: Placement, brokers: &[LiveBroker], start: Start) -> Result<Vec<Vec<BrokerId>>, Refusal> {
    check(placement, brokers)?;
    let racks = racks(brokers)?;
    let turns = Turns { brokers: alternating(brokers, &racks), racks, start };
    let numbers = (0..placement.partitions.unsigned_abs()).map(|index| placement.first_partition + index);
    let followers = placement.replication_factor.unsigned_abs() as usize - 1;
    Ok(numbers.map(|partition| turns.replicas(partition, placement.first_partition, followers)).collect())
}

/// More new partitions of a topic than these are refused, as they are with KRaft. With ZooKeeper Kafka has no such limit
/// and goes on until its memory is full: who asks for that is told whose limit this is.
const MAX_NEW_PARTITIONS: i32 = 10_000;

fn check(placement: Placement, brokers: &[LiveBroker]) -> Result<(), Refusal> {
    let Placement { partitions, replication_factor, .. } = placement;
    let available = brokers.len();
    if partitions <= 0 {
        return Err((ErrorCode::InvalidPartitions, "Number of partitions must be larger than 0.".to_owned()));
    }
    if partitions > MAX_NEW_PARTITIONS {
        let message = format!(
            "Kafkascope makes at most {MAX_NEW_PARTITIONS} partitions of a topic at once. Apache Kafka with ZooKeeper would \
             try, however many they are."
        );
        return Err((ErrorCode::PolicyViolation, message));
    }
    if replication_factor <= 0 {
        return Err((ErrorCode::InvalidReplicationFactor, "Replication factor must be larger than 0.".to_owned()));
    }
    if replication_factor.unsigned_abs() as usize > available {
        let message = format!("Replication factor: {replication_factor} larger than available brokers: {available}.");
        return Err((ErrorCode::InvalidReplicationFactor, message));
    }
    Ok(())
}

/// The brokers' racks; none if no broker has one.
fn racks(brokers: &[LiveBroker]) -> Result<BTreeMap<BrokerId, &str>, Refusal> {
    let racks: BTreeMap<BrokerId, &str> =
        brokers.iter().filter_map(|broker| Some((broker.id, broker.rack.as_deref()?))).collect();
    if racks.is_empty() || racks.len() == brokers.len() {
        return Ok(racks);
    }
    let message = "Not all brokers have rack information for replica rack aware assignment.";
    Err((ErrorCode::UnknownServerError, message.to_owned()))
}

/// The brokers as they take turns: one of each rack after the other.
fn alternating(brokers: &[LiveBroker], racks: &BTreeMap<BrokerId, &str>) -> Vec<BrokerId> {
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let mut placed: Vec<(u32, &str, BrokerId)> = Vec::new();
    for broker in brokers {
        let rack = racks.get(&broker.id).copied().unwrap_or_default();
        let round = seen.entry(rack).or_insert(0);
        placed.push((if racks.is_empty() { 0 } else { *round }, rack, broker.id));
        *round += 1;
    }
    placed.sort();
    placed.into_iter().map(|(_, _, broker)| broker).collect()
}

struct Turns<'a> {
    brokers: Vec<BrokerId>,
    racks: BTreeMap<BrokerId, &'a str>,
    start: Start,
}

impl Turns<'_> {
    fn replicas(&self, partition: u32, first_partition: u32, followers: usize) -> Vec<BrokerId> {
        let first = (partition as usize + self.start.index) % self.brokers.len();
        let shift = self.start.shift + self.rounds_begun(partition, first_partition);
        let mut replicas = vec![self.brokers[first]];
        let mut step = 0;
        while replicas.len() <= followers {
            let candidate = self.follower(first, shift, step);
            if self.may_join(candidate, &replicas) {
                replicas.push(candidate);
            }
            step += 1;
        }
        replicas
    }

    /// Each partition whose number is a multiple of the number of brokers begins a round, number 0 excepted.
    fn rounds_begun(&self, partition: u32, first_partition: u32) -> usize {
        let brokers = self.brokers.len();
        let before = (first_partition as usize).div_ceil(brokers).max(1);
        (partition as usize / brokers + 1).saturating_sub(before)
    }

    fn follower(&self, first: usize, shift: usize, step: usize) -> BrokerId {
        let others = self.brokers.len().saturating_sub(1).max(1);
        let distance = 1 + (shift * self.rack_count().max(1) + step) % others;
        self.brokers[(first + distance) % self.brokers.len()]
    }

    fn rack_count(&self) -> usize {
        self.racks.values().collect::<BTreeSet<_>>().len()
    }

    /// No broker twice, and no rack twice as long as another has none.
    fn may_join(&self, candidate: BrokerId, replicas: &[BrokerId]) -> bool {
        if replicas.contains(&candidate) {
            return false;
        }
        let used: BTreeSet<&str> = replicas.iter().filter_map(|replica| self.racks.get(replica).copied()).collect();
        let rack = self.racks.get(&candidate);
        rack.is_none_or(|rack| !used.contains(rack) || used.len() == self.rack_count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brokers(racks: &[(i32, &str)]) -> Vec<LiveBroker> {
        let rack = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        racks.iter().map(|(id, name)| LiveBroker { id: BrokerId(*id), rack: rack(name) }).collect()
    }

    fn text(placed: &[Vec<BrokerId>]) -> String {
        let digits = |replicas: &Vec<BrokerId>| replicas.iter().map(BrokerId::to_string).collect::<String>();
        placed.iter().map(digits).collect::<Vec<String>>().join(" ")
    }

    fn placed(racks: &[(i32, &str)], partitions: i32, replication_factor: i32, start: usize, first: u32) -> String {
        let placement = Placement { partitions, replication_factor, first_partition: first };
        text(&place(placement, &brokers(racks), Start::fixed(start)).expect("there are enough brokers"))
    }

    const PLAIN: [(i32, &str); 6] = [(0, ""), (1, ""), (2, ""), (3, ""), (4, ""), (5, "")];

    /// Executed with Kafka's own code, and `AdminRackAwareTest`.
    #[test]
    fn replicas_go_where_kafka_puts_them() {
        for (brokers, partitions, factor, start, first, expected) in [
            (&PLAIN[..3], 6, 3, 0, 0, "012 120 201 021 102 210"),
            (&PLAIN[1..4], 6, 2, 0, 0, "12 23 31 13 21 32"),
            (&PLAIN[..4], 8, 2, 1, 0, "13 20 31 02 10 21 32 03"),
            (&PLAIN[..5], 5, 3, 2, 10, "213 324 430 041 102"),
            (&PLAIN[..5], 10, 3, 0, 0, "012 123 234 340 401 023 134 240 301 412"),
            (&PLAIN[..1], 2, 1, 0, 0, "0 0"),
        ] {
            assert_eq!(placed(brokers, partitions, factor, start, first), expected);
        }
    }

    /// `testGetRackAlternatedBrokerListAndAssignReplicasToBrokers`.
    #[test]
    fn racks_take_turns_and_share_out_the_replicas() {
        let six = [(0, "1"), (1, "3"), (2, "3"), (3, "2"), (4, "2"), (5, "1")];
        let all = brokers(&six);
        let racks = racks(&all).expect("every broker has a rack");
        assert_eq!(text(&[alternating(&all, &racks)]), "031542");
        assert_eq!(placed(&six, 7, 3, 0, 0), "031 315 154 542 420 203 042");
        let five = brokers(&six[..5]);
        assert_eq!(text(&[alternating(&five, &super::racks(&five).expect("every broker has a rack"))]), "03142");
    }

    const IN_THREE_RACKS: [(i32, &str); 6] = [(0, "1"), (1, "2"), (2, "2"), (3, "3"), (4, "3"), (5, "1")];

    /// Executed with Kafka's own code.
    #[test]
    fn replicas_in_racks_go_where_kafka_puts_them() {
        let pairs = [(0, "a"), (1, "a"), (2, "b"), (3, "b"), (4, "c"), (5, "c")];
        let halves = [(0, "a"), (1, "a"), (2, "a"), (3, "b"), (4, "b"), (5, "b")];
        let uneven = [(0, "1"), (1, "1"), (2, "2"), (3, "3"), (4, "3"), (5, "1")];
        for (racks, factor, start, first, expected) in [
            (&IN_THREE_RACKS, 3, 2, 0, "320 541 203 415 032 154"),
            (&IN_THREE_RACKS, 3, 0, 0, "013 135 352 524 240 401 024 140 301 513 235 452 032"),
            (&pairs, 2, 0, 0, "02 24 41 13 35 50 03 25 40 12 34 51"),
            (&halves, 3, 1, 0, "325 150 403 231 514 042"),
            (&halves, 4, 0, 6, "0425 3250 1503 4031 2314 5142"),
            (&uneven, 3, 0, 0, "023 231 312 142 452 523 042 253 302 123 412 542"),
            (&pairs, 5, 0, 0, "02413 24135 41350 13502 35024 50241"),
        ] {
            let partitions = expected.split(' ').count() as i32;
            assert_eq!(placed(racks, partitions, factor, start, first), expected);
        }
    }

    /// `testAssignmentWithRackAware` and the like: leaders and replicas are shared out evenly, each in another rack.
    #[test]
    fn each_broker_gets_as_many_replicas_and_leaders_and_each_rack_one_of_three() {
        for start in 0..6 {
            for partitions in [6, 12] {
                let rows = placed(&IN_THREE_RACKS, partitions, 3, start, 0);
                let count = |broker: &str, part: fn(&str) -> &str| {
                    rows.split(' ').filter(|row| part(row).contains(broker)).count() as i32
                };
                for (broker, _) in IN_THREE_RACKS {
                    let broker = broker.to_string();
                    assert_eq!(count(&broker, |row| &row[..1]), partitions / 6, "leaders of {rows}");
                    assert_eq!(count(&broker, |row| row), partitions / 2, "replicas of {rows}");
                }
                for row in rows.split(' ') {
                    let rack = |broker: char| IN_THREE_RACKS[broker as usize - '0' as usize].1;
                    assert_eq!(row.chars().map(rack).collect::<BTreeSet<_>>().len(), 3, "{row}");
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_placed_is_refused_in_kafkas_words() {
        let refusal = |racks: &[(i32, &str)], partitions, replication_factor| {
            let placement = Placement { partitions, replication_factor, first_partition: 0 };
            place(placement, &brokers(racks), Start::fixed(0)).expect_err("it cannot be placed")
        };
        for (racks, partitions, factor, message) in [
            (&PLAIN[..3], 0, 1, "Number of partitions must be larger than 0."),
            (
                &PLAIN[..3],
                i32::MAX,
                1,
                "Kafkascope makes at most 10000 partitions of a topic at once. Apache Kafka with ZooKeeper would try, however \
                 many they are.",
            ),
            (&PLAIN[..3], 1, 0, "Replication factor must be larger than 0."),
            (&PLAIN[..3], 1, 4, "Replication factor: 4 larger than available brokers: 3."),
            (
                &[(0, "a"), (1, "")][..],
                1,
                1,
                "Not all brokers have rack information for replica rack aware assignment.",
            ),
        ] {
            assert_eq!(refusal(racks, partitions, factor).1, message);
        }
    }
}
