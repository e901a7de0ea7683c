//! Three replicas under random elections, appends, lagging followers and restarts.

use super::*;
use rand::{RngExt, SeedableRng};

/// Three replicas and the controller's record of who leads.
struct Group {
    benches: Vec<Bench>,
    leader: usize,
    leader_epoch: i32,
    partition_epoch: i32,
    isr: Vec<i32>,
}

impl Group {
    fn new() -> Group {
        let benches = [1, 2, 3].into_iter().map(Bench::new).collect();
        let mut group = Group { benches, leader: 0, leader_epoch: -1, partition_epoch: -1, isr: vec![1, 2, 3] };
        group.elect(0);
        group
    }

    fn elect(&mut self, index: usize) {
        self.leader = index;
        self.leader_epoch += 1;
        if !self.isr.contains(&(index as i32 + 1)) {
            self.isr = vec![index as i32 + 1];
        }
        self.publish();
    }

    fn publish(&mut self) {
        self.partition_epoch += 1;
        let leader = Some(self.leader as i32 + 1);
        let state = state(leader, self.leader_epoch, self.partition_epoch, &self.isr);
        for bench in &mut self.benches {
            bench.metadata(&state);
        }
    }

    fn sync(&mut self, follower: usize) {
        if follower == self.leader {
            return;
        }
        let mut leader = std::mem::replace(&mut self.benches[self.leader], Bench::new(9));
        self.benches[follower].sync_once(&mut leader);
        if leader.partition.proposed_isr().is_some() {
            self.partition_epoch += 1;
            leader.complete_isr(self.partition_epoch);
            self.isr = leader.isr().0;
        }
        self.benches[self.leader] = leader;
    }

    fn shrink(&mut self) {
        let leader = &mut self.benches[self.leader];
        leader.sleep(31_000);
        if leader.shrink().isr_proposed {
            self.partition_epoch += 1;
            leader.complete_isr(self.partition_epoch);
            self.isr = leader.isr().0;
        }
    }

    /// A process dies and comes back with what its disk has.
    fn restart(&mut self, index: usize) {
        self.benches[index].restart();
        self.publish();
        if index == self.leader {
            self.elect(index);
        }
    }

    fn count_cuts(&self) -> usize {
        self.benches.iter().flat_map(|bench| &bench.events).filter(|event| is_cut(event)).count()
    }

    /// What a follower calls committed is what the leader has there.
    fn check_committed(&self) {
        let leader = self.benches[self.leader].epochs();
        for bench in &self.benches {
            let committed = &bench.epochs()[..bench.high_watermark() as usize];
            assert!(leader.starts_with(committed), "{committed:?} of {leader:?}");
        }
    }
}

fn is_cut(event: &BrokerEvent) -> bool {
    matches!(event, BrokerEvent::LogTruncated { .. })
}

/// One random step. Elections choose among the in-sync replicas.
fn step(group: &mut Group, rng: &mut Rng) {
    let index = rng.random_range(0..3usize);
    match rng.random_range(0..20u32) {
        0 if group.isr.contains(&(index as i32 + 1)) => group.elect(index),
        1 => group.restart(index),
        2 => group.shrink(),
        3..=8 => {
            let leader = group.leader;
            group.benches[leader].append(&records(1), Acks::Leader).map(drop).unwrap();
        }
        _ => group.sync(index),
    }
}

#[test]
fn clean_elections_never_lose_what_was_committed() {
    let mut cuts = 0;
    for seed in 0..150 {
        let mut rng = Rng::seed_from_u64(seed);
        let mut group = Group::new();
        let mut committed: Vec<i32> = Vec::new();
        for _ in 0..300 {
            step(&mut group, &mut rng);
            group.check_committed();
            let leader = &group.benches[group.leader];
            assert!(leader.log_end_offset() >= committed.len() as i64, "seed {seed}");
            assert_eq!(leader.epochs()[..committed.len()], committed, "seed {seed}");
            let high_watermark = leader.high_watermark() as usize;
            if high_watermark > committed.len() {
                committed = leader.epochs()[..high_watermark].to_vec();
            }
        }
        cuts += group.count_cuts();
    }
    assert!(cuts > 100, "too few truncations to mean anything: {cuts}");
}

#[test]
fn logs_converge_after_unclean_elections() {
    let mut cuts = 0;
    for seed in 0..100 {
        let mut rng = Rng::seed_from_u64(seed);
        let mut group = Group::new();
        for _ in 0..40 {
            let leader = rng.random_range(0..3usize);
            group.isr = vec![leader as i32 + 1];
            group.elect(leader);
            for _ in 0..rng.random_range(0..4u32) {
                group.benches[leader].append(&records(1), Acks::Leader).map(drop).unwrap();
            }
            let follower = rng.random_range(0..3usize);
            for _ in 0..rng.random_range(0..6u32) {
                group.benches[follower].sleep(1_000);
                group.sync(follower);
            }
        }
        for _ in 0..100 {
            (0..3).for_each(|follower| group.sync(follower));
        }
        let logs: Vec<Vec<i32>> = group.benches.iter().map(Bench::epochs).collect();
        assert!(logs[0] == logs[1] && logs[1] == logs[2], "seed {seed}: {logs:?}");
        cuts += group.count_cuts();
    }
    assert!(cuts > 100, "too few truncations to mean anything: {cuts}");
}
