//! Where the replicas of new partitions go (`org.apache.kafka.metadata.placement.StripedReplicaPlacer`): racks and
//! brokers in stripes, leaders on unfenced brokers only, fenced ones last.

use crate::Rng;
use rand::RngExt;
use std::collections::BTreeMap;
use wire::BrokerId;

/// A broker that may get replicas: registered, and not shutting down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UsableBroker {
    pub(super) id: BrokerId,
    pub(super) rack: Option<String>,
    pub(super) fenced: bool,
}

/// Where random numbers come from.
pub(super) trait Draws {
    /// A number from 0 up to below `bound`, which is at least 1.
    fn next_below(&mut self, bound: usize) -> usize;
}

impl Draws for Rng {
    fn next_below(&mut self, bound: usize) -> usize {
        self.random_range(0..bound as u32) as usize
    }
}

/// What is to be placed.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlacementSpec {
    pub(super) partitions: i32,
    pub(super) replication_factor: i32,
}

/// Places partitions one after another; the first of each partition's replicas is its preferred leader.
///
/// # Errors
/// Why it is impossible, in Kafka's words (`INVALID_REPLICATION_FACTOR`).
pub(super) fn place(
    spec: PlacementSpec,
    brokers: &[UsableBroker],
    draws: &mut impl Draws,
) -> Result<Vec<Vec<BrokerId>>, String> {
    let mut racks = RackList::new(brokers, draws);
    check_is_positive(spec.replication_factor)?;
    check_any_unfenced(racks.unfenced_brokers)?;
    check_enough_brokers(spec.replication_factor, racks.total_brokers)?;
    (0..spec.partitions).map(|_| racks.place(spec.replication_factor, draws)).collect()
}

fn check_is_positive(replication_factor: i32) -> Result<(), String> {
    if replication_factor > 0 {
        return Ok(());
    }
    Err(format!("Invalid replication factor {replication_factor}: the replication factor must be positive."))
}

fn check_any_unfenced(unfenced_brokers: usize) -> Result<(), String> {
    if unfenced_brokers > 0 { Ok(()) } else { Err("All brokers are currently fenced.".to_owned()) }
}

fn check_enough_brokers(replication_factor: i32, total_brokers: usize) -> Result<(), String> {
    if replication_factor as usize <= total_brokers {
        return Ok(());
    }
    Err(format!(
        "The target replication factor of {replication_factor} cannot be reached because only {total_brokers} \
         broker(s) are registered."
    ))
}

fn shuffle<T>(items: &mut [T], draws: &mut impl Draws) {
    for index in (1..items.len()).rev() {
        let other = draws.next_below(index + 1);
        items.swap(index, other);
    }
}

/// Brokers to take turns. A new epoch starts over, one broker further on.
#[derive(Clone, Debug, Default)]
struct BrokerList {
    brokers: Vec<BrokerId>,
    index: usize,
    offset: usize,
    epoch: usize,
}

impl BrokerList {
    fn initialize(&mut self, draws: &mut impl Draws) {
        if !self.brokers.is_empty() {
            self.brokers.sort_unstable();
            self.offset = draws.next_below(self.brokers.len());
        }
    }

    fn next(&mut self, epoch: usize) -> Option<BrokerId> {
        if self.brokers.is_empty() {
            return None;
        }
        if self.epoch != epoch {
            self.epoch = epoch;
            self.index = 0;
            self.offset = (self.offset + 1) % self.brokers.len();
        }
        if self.index >= self.brokers.len() {
            return None;
        }
        let broker = self.brokers[(self.index + self.offset) % self.brokers.len()];
        self.index += 1;
        Some(broker)
    }
}

#[derive(Clone, Debug, Default)]
struct Rack {
    fenced: BrokerList,
    unfenced: BrokerList,
}

impl Rack {
    fn next(&mut self, epoch: usize) -> Option<BrokerId> {
        self.unfenced.next(epoch).or_else(|| self.fenced.next(epoch))
    }
}

/// All racks, in the order in which they take turns.
#[derive(Clone, Debug)]
struct RackList {
    racks: BTreeMap<Option<String>, Rack>,
    names: Vec<Option<String>>,
    total_brokers: usize,
    unfenced_brokers: usize,
    epoch: usize,
    offset: usize,
}

impl RackList {
    fn new(brokers: &[UsableBroker], draws: &mut impl Draws) -> RackList {
        let mut racks: BTreeMap<Option<String>, Rack> = BTreeMap::new();
        for broker in brokers {
            let rack = racks.entry(broker.rack.clone()).or_default();
            let list = if broker.fenced { &mut rack.fenced } else { &mut rack.unfenced };
            list.brokers.push(broker.id);
        }
        for rack in racks.values_mut() {
            rack.fenced.initialize(draws);
            rack.unfenced.initialize(draws);
        }
        let names: Vec<Option<String>> = racks.keys().cloned().collect();
        let offset = if names.is_empty() { 0 } else { draws.next_below(names.len()) };
        let unfenced_brokers = brokers.iter().filter(|broker| !broker.fenced).count();
        RackList { racks, names, total_brokers: brokers.len(), unfenced_brokers, epoch: 0, offset }
    }

    /// The replicas of the next partition.
    fn place(&mut self, replication_factor: i32, draws: &mut impl Draws) -> Result<Vec<BrokerId>, String> {
        check_is_positive(replication_factor)?;
        check_enough_brokers(replication_factor, self.total_brokers)?;
        check_any_unfenced(self.unfenced_brokers)?;
        if self.epoch == self.unfenced_brokers && self.unfenced_brokers > 1 {
            self.shuffle(draws);
            self.epoch = 0;
        }
        if self.offset == self.names.len() {
            self.offset = 0;
        }
        let replicas = self.stripe(replication_factor as usize);
        self.epoch += 1;
        self.offset += 1;
        Ok(replicas)
    }

    /// An unfenced broker first, then one broker of each rack in turn. The first broker's rack is passed over once.
    fn stripe(&mut self, replication_factor: usize) -> Vec<BrokerId> {
        let (first_rack, first_broker) = self.first_replica();
        let mut replicas = vec![first_broker];
        let mut rack_to_skip = Some(first_rack);
        let mut rack_index = self.offset;
        while replicas.len() < replication_factor {
            if rack_to_skip == Some(rack_index) {
                rack_to_skip = None;
            } else {
                let epoch = self.epoch;
                replicas.extend(self.rack(rack_index).next(epoch));
            }
            rack_index = (rack_index + 1) % self.names.len();
        }
        replicas
    }

    fn first_replica(&mut self) -> (usize, BrokerId) {
        let (epoch, offset, racks) = (self.epoch, self.offset, self.names.len());
        for index in (0..racks).map(|step| (offset + step) % racks) {
            if let Some(broker) = self.rack(index).unfenced.next(epoch) {
                return (index, broker);
            }
        }
        unreachable!("some rack has an unfenced broker that this epoch has not used")
    }

    fn rack(&mut self, index: usize) -> &mut Rack {
        self.racks.get_mut(&self.names[index]).expect("names and racks go together")
    }

    fn shuffle(&mut self, draws: &mut impl Draws) {
        shuffle(&mut self.names, draws);
        for rack in self.racks.values_mut() {
            shuffle(&mut rack.fenced.brokers, draws);
            shuffle(&mut rack.unfenced.brokers, draws);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `org.apache.kafka.server.util.MockRandom` with `java.util.Random.nextInt` on top.
    struct MockRandom(u64);

    impl MockRandom {
        fn new() -> MockRandom {
            MockRandom(17)
        }

        fn next(&mut self, bits: u32) -> i32 {
            self.0 = self.0.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(3_037_000_493);
            (self.0 >> (64 - bits)) as i32
        }
    }

    impl Draws for MockRandom {
        fn next_below(&mut self, bound: usize) -> usize {
            let bound = bound as i32;
            let mut drawn = self.next(31);
            if bound & (bound - 1) == 0 {
                return ((i64::from(bound) * i64::from(drawn)) >> 31) as usize;
            }
            while drawn.wrapping_sub(drawn % bound).wrapping_add(bound - 1) < 0 {
                drawn = self.next(31);
            }
            (drawn % bound) as usize
        }
    }

    fn unfenced(ids: &[i32]) -> Vec<UsableBroker> {
        ids.iter().map(|id| broker(*id, None, false)).collect()
    }

    fn broker(id: i32, rack: Option<&str>, fenced: bool) -> UsableBroker {
        UsableBroker { id: BrokerId(id), rack: rack.map(str::to_owned), fenced }
    }

    /// Rows such as `3 4 0 2` for each partition, from a list of racks.
    fn rows(brokers: &[UsableBroker], replication_factor: i32, partitions: i32) -> Vec<String> {
        let mut random = MockRandom::new();
        let mut racks = RackList::new(brokers, &mut random);
        (0..partitions).map(|_| row(&racks.place(replication_factor, &mut random).expect("it can be placed"))).collect()
    }

    fn row(replicas: &[BrokerId]) -> String {
        replicas.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    fn place_with_mock(
        brokers: &[UsableBroker],
        replication_factor: i32,
        partitions: i32,
    ) -> Result<Vec<String>, String> {
        let spec = PlacementSpec { partitions, replication_factor };
        let placed = place(spec, brokers, &mut MockRandom::new())?;
        Ok(placed.iter().map(|replicas| row(replicas)).collect())
    }

    #[test]
    fn a_broker_list_starts_one_further_on_in_each_epoch() {
        assert_eq!(BrokerList::default().next(1), None);
        let mut list = BrokerList { brokers: (0..4).map(BrokerId).collect(), ..BrokerList::default() };
        let mut take = |epoch: usize| list.next(epoch).map(|broker| broker.0);
        let first = [take(0), take(0), take(0), take(0), take(0), take(0)];
        assert_eq!(first, [Some(0), Some(1), Some(2), Some(3), None, None]);
        assert_eq!([take(1), take(1), take(1), take(1), take(1)], [Some(1), Some(2), Some(3), Some(0), None]);
    }

    #[test]
    fn fenced_brokers_are_avoided_if_possible() {
        let mut brokers = unfenced(&[3, 0, 4, 2]);
        brokers.insert(1, broker(1, None, true));
        assert_eq!(rows(&brokers, 4, 5), ["3 4 0 2", "4 0 2 3", "0 2 3 4", "2 3 4 0", "0 4 3 2"]);
    }

    #[test]
    fn fenced_brokers_are_used_last_if_necessary() {
        let brokers = [broker(3, None, false), broker(1, None, true), broker(2, None, false)];
        assert_eq!(rows(&brokers, 3, 4), ["3 2 1", "2 3 1", "3 2 1", "2 3 1"]);
    }

    #[test]
    fn a_single_unfenced_broker_leads_everything() {
        let brokers = [broker(0, None, false), broker(1, None, true)];
        assert_eq!(place_with_mock(&brokers, 1, 3), Ok(vec!["0".into(), "0".into(), "0".into()]));
    }

    #[test]
    fn racks_take_turns() {
        let brokers = [
            broker(11, Some("1"), false),
            broker(10, Some("1"), false),
            broker(30, Some("3"), false),
            broker(31, Some("3"), false),
            broker(21, Some("2"), false),
            broker(20, Some("2"), true),
        ];
        assert_eq!(rows(&brokers, 4, 3), ["11 21 31 10", "21 30 10 20", "31 11 21 30"]);
    }

    #[test]
    fn racks_without_unfenced_brokers_give_followers_only() {
        let brokers = [
            broker(11, Some("1"), false),
            broker(10, Some("1"), false),
            broker(30, Some("3"), true),
            broker(31, Some("3"), true),
            broker(20, Some("2"), true),
            broker(21, Some("2"), true),
            broker(41, Some("4"), false),
            broker(40, Some("4"), true),
        ];
        assert_eq!(rows(&brokers, 4, 3), ["41 11 21 30", "10 20 31 41", "41 21 30 11"]);
    }

    #[test]
    fn placements_are_those_of_the_real_placer() {
        let six_in_racks: Vec<UsableBroker> =
            (0..6).map(|id| broker(id, Some(["a", "b", "c"][id as usize / 2]), false)).collect();
        let three_and_a_fenced_one: Vec<UsableBroker> = (0..4).map(|id| broker(id, None, id == 3)).collect();
        for (brokers, replication_factor, expected) in [
            (unfenced(&[0, 3, 2, 1]), 3, "230 301 012 123 102"),
            (unfenced(&[0, 1, 2]), 3, "120 201 012 210 102 021"),
            (unfenced(&[1, 2, 3]), 2, "23 31 12 32 21 13"),
            (unfenced(&[0, 1, 2, 3, 4]), 3, "012 123 234 340 401 410 103 032 324 241"),
            (six_in_racks, 3, "341 502 134 250 413 025"),
            (three_and_a_fenced_one, 3, "120 201 012 012"),
        ] {
            let partitions = expected.split(' ').count() as i32;
            let placed = place_with_mock(&brokers, replication_factor, partitions).expect("it can be placed");
            assert_eq!(placed.join("-").replace(' ', "").replace('-', " "), expected);
        }
    }

    #[test]
    fn many_partitions_are_spread_evenly() {
        let placed = place_with_mock(&unfenced(&[0, 1, 2, 3]), 2, 200).expect("it can be placed");
        let mut counts: BTreeMap<String, i32> = BTreeMap::new();
        placed.iter().for_each(|replicas| *counts.entry(replicas.replace(' ', "")).or_default() += 1);
        let listed: Vec<String> = counts.iter().map(|(replicas, count)| format!("{replicas}:{count}")).collect();
        assert_eq!(listed.join(" "), "01:14 02:22 03:14 10:17 12:17 13:16 20:13 21:17 23:20 30:20 31:19 32:11");
    }

    #[test]
    fn what_is_impossible_is_refused_in_kafkas_words() {
        let fenced = [broker(11, Some("1"), true), broker(10, Some("1"), true)];
        let two = [broker(11, Some("1"), false), broker(10, Some("1"), false)];
        let too_few = "The target replication factor of 3 cannot be reached because only 2 broker(s) are registered.";
        let zero = "Invalid replication factor 0: the replication factor must be positive.";
        assert_eq!(place_with_mock(&fenced, 1, 1), Err("All brokers are currently fenced.".to_owned()));
        assert_eq!(place_with_mock(&two, 3, 1), Err(too_few.to_owned()));
        assert_eq!(place_with_mock(&two, 0, 1), Err(zero.to_owned()));
        let mut random = MockRandom::new();
        let mut racks = RackList::new(&two, &mut random);
        assert_eq!(racks.place(3, &mut random), Err(too_few.to_owned()));
        assert!(racks.place(-1, &mut random).is_err());
        let all_fenced = RackList::new(&fenced, &mut random).place(2, &mut random);
        assert_eq!(all_fenced, Err("All brokers are currently fenced.".to_owned()));
    }
}
