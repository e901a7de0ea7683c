//! Where replicas are put round robin (`org.apache.kafka.admin.AdminUtils`): by `kafka-reassign-partitions --generate`.

use crate::Rng;
use rand::RngExt;
use std::collections::{BTreeMap, BTreeSet};
use wire::BrokerId;

/// A broker that may hold replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerPlace {
    /// The broker.
    pub broker: BrokerId,
    /// Its rack, unless racks do not count.
    pub rack: Option<String>,
}

/// For each partition its replicas: the leaders go round the brokers from a drawn one on, and the distance of the
/// followers grows with each round.
///
/// # Errors
/// There are fewer brokers than replicas, or only some of them have racks; with the message of the real thing.
pub fn assign_replicas(
    brokers: &[BrokerPlace],
    partitions: usize,
    replication_factor: usize,
    rng: &mut Rng,
) -> Result<Vec<Vec<BrokerId>>, String> {
    if replication_factor > brokers.len() {
        let available = brokers.len();
        return Err(format!("Replication factor: {replication_factor} larger than available brokers: {available}."));
    }
    let racks: BTreeSet<&str> = brokers.iter().filter_map(|place| place.rack.as_deref()).collect();
    let mut circle = Circle {
        brokers: if racks.is_empty() { brokers.to_vec() } else { rack_alternated(brokers) },
        racks: racks.len(),
        start: 0,
        shift: 0,
    };
    circle.start = circle.draw(rng);
    circle.shift = circle.draw(rng);
    Ok((0..partitions).map(|partition| circle.place(partition, replication_factor)).collect())
}

/// One broker of each rack in turn, the racks by name and the brokers by number.
fn rack_alternated(brokers: &[BrokerPlace]) -> Vec<BrokerPlace> {
    let mut by_rack: BTreeMap<&str, BTreeSet<BrokerId>> = BTreeMap::new();
    for place in brokers {
        by_rack.entry(place.rack.as_deref().unwrap_or_default()).or_default().insert(place.broker);
    }
    let mut alternated = Vec::new();
    while alternated.len() < brokers.len() {
        for (rack, ids) in &mut by_rack {
            alternated.extend(ids.pop_first().map(|broker| BrokerPlace { broker, rack: Some((*rack).to_owned()) }));
        }
    }
    alternated
}

/// The brokers in their order, and where the round begins.
struct Circle {
    brokers: Vec<BrokerPlace>,
    racks: usize,
    start: usize,
    shift: usize,
}

impl Circle {
    fn draw(&self, rng: &mut Rng) -> usize {
        rng.random_range(0..self.brokers.len() as u32) as usize
    }

    fn place(&mut self, partition: usize, replication_factor: usize) -> Vec<BrokerId> {
        let count = self.brokers.len();
        if partition > 0 && partition.is_multiple_of(count) {
            self.shift += 1;
        }
        let first = (partition + self.start) % count;
        let mut replicas = vec![&self.brokers[first]];
        let mut step = 0;
        while replicas.len() < replication_factor {
            let candidate = &self.brokers[self.follower(first, step)];
            step += 1;
            if self.is_wanted(candidate, &replicas) {
                replicas.push(candidate);
            }
        }
        replicas.iter().map(|place| place.broker).collect()
    }

    fn follower(&self, first: usize, step: usize) -> usize {
        let shift = self.shift * self.racks.max(1);
        (first + 1 + (shift + step) % (self.brokers.len() - 1)) % self.brokers.len()
    }

    /// A broker holds a partition once, and each rack gets a replica before one gets a second.
    fn is_wanted(&self, candidate: &BrokerPlace, replicas: &[&BrokerPlace]) -> bool {
        let racks: BTreeSet<&Option<String>> = replicas.iter().map(|place| &place.rack).collect();
        let is_new_rack = self.racks == 0 || !racks.contains(&candidate.rack) || racks.len() == self.racks;
        is_new_rack && replicas.iter().all(|place| place.broker != candidate.broker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn places(racks: &[Option<&str>]) -> Vec<BrokerPlace> {
        let place =
            |(id, rack): (i32, &Option<&str>)| BrokerPlace { broker: BrokerId(id), rack: rack.map(str::to_owned) };
        (0..).zip(racks).map(place).collect()
    }

    fn numbers(brokers: &[BrokerPlace], start: usize, shift: usize, replication_factor: usize) -> Vec<Vec<i32>> {
        let racks: BTreeSet<&str> = brokers.iter().filter_map(|place| place.rack.as_deref()).collect();
        let mut circle = Circle { brokers: brokers.to_vec(), racks: racks.len(), start, shift };
        let row = |brokers: Vec<BrokerId>| brokers.iter().map(|broker| broker.0).collect();
        (0..10).map(|partition| row(circle.place(partition, replication_factor))).collect()
    }

    #[test]
    fn replicas_are_spread_as_in_the_documentation_of_the_real_thing() {
        let expected = [
            [0, 1, 2],
            [1, 2, 3],
            [2, 3, 4],
            [3, 4, 0],
            [4, 0, 1],
            [0, 2, 3],
            [1, 3, 4],
            [2, 4, 0],
            [3, 0, 1],
            [4, 1, 2],
        ];
        assert_eq!(numbers(&places(&[None; 5]), 0, 0, 3), expected);
    }

    #[test]
    fn each_rack_gets_a_replica() {
        let racks = [Some("rack1"), Some("rack1"), Some("rack2"), Some("rack2"), Some("rack3"), Some("rack3")];
        let brokers = rack_alternated(&places(&racks));
        let order: Vec<i32> = brokers.iter().map(|place| place.broker.0).collect();
        assert_eq!(order, [0, 2, 4, 1, 3, 5]);
        for replicas in numbers(&brokers, 0, 0, 3) {
            let held: BTreeSet<i32> = replicas.iter().map(|broker| broker / 2).collect();
            assert_eq!(held.len(), 3, "{replicas:?}");
        }
    }

    #[test]
    fn there_must_be_a_broker_for_each_replica() {
        let refusal = assign_replicas(&places(&[None, None]), 1, 3, &mut Rng::seed_from_u64(1));
        assert_eq!(refusal, Err("Replication factor: 3 larger than available brokers: 2.".to_owned()));
    }
}
