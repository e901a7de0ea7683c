//! The quorum as a whole, in the manner of Kafka's `RaftEventSimulationTest`: voters and an observer on a network with
//! delays and cuts, from several seeds. After every event the invariants of Raft are checked.

mod member;
mod network;

use crate::event::ControllerEvent;
use crate::view::QuorumRole;
use network::Network;

/// The seeds from which every story is told.
const SEEDS: std::ops::Range<u64> = 0..25;

#[test]
fn an_initial_leader_is_elected() {
    for seed in SEEDS {
        for voters in [1, 3, 5] {
            let mut network = Network::started(voters, seed);
            network.run_until_committed_everywhere(voters, 10);
        }
    }
}

#[test]
fn a_new_leader_is_elected_after_the_old_one_failed() {
    for seed in SEEDS {
        for voters in [3, 5] {
            let mut network = Network::started(voters, seed);
            network.run_until_committed_everywhere(voters, 5);
            let failed = network.leader().expect("somebody leads");
            let before = network.high_watermark();
            network.kill(failed);
            network.run_until(|network| network.leader().is_some_and(|leader| leader != failed));
            network.run_until_committed_everywhere(voters - 1, before + 10);
        }
    }
}

#[test]
fn leaders_may_fail_back_to_back() {
    for seed in SEEDS {
        let mut network = Network::started(5, seed);
        for _ in 0..2 {
            network.run_until(|network| network.leader().is_some());
            let before = network.high_watermark();
            network.run_until(|network| network.high_watermark() > before + 3);
            let leader = network.leader().expect("somebody leads");
            network.kill(leader);
        }
        let before = network.high_watermark();
        network.run_until_committed_everywhere(3, before + 10);
    }
}

#[test]
fn all_nodes_may_be_killed_and_come_back() {
    for seed in SEEDS {
        let mut network = Network::started(5, seed);
        network.run_until_committed_everywhere(5, 5);
        let before = network.high_watermark();
        (0..5).for_each(|voter| network.kill(voter));
        (0..3).for_each(|voter| network.start(voter));
        network.run_until_committed_everywhere(3, before + 10);
    }
}

#[test]
fn a_leader_that_is_cut_off_is_replaced_resigns_and_follows_when_it_is_back() {
    for seed in SEEDS {
        let mut network = Network::started(5, seed);
        network.run_until_committed_everywhere(5, 5);
        let old = network.leader().expect("somebody leads");
        network.isolate(old);
        network.run_until(|network| network.leaders().iter().any(|leader| *leader != old));
        let before = network.high_watermark();
        network.run_until_committed_everywhere(4, before + 5);
        network.run_until(|network| network.role(old) != QuorumRole::Leader);
        assert!(
            network
                .notes
                .iter()
                .any(|(node, note)| *node == old && matches!(note, ControllerEvent::LeaderResigned { .. }))
        );
        network.heal();
        let before = network.high_watermark();
        network.run_until_committed_everywhere(5, before + 5);
    }
}

#[test]
fn progress_is_made_while_a_majority_is_reachable() {
    for seed in SEEDS {
        let mut network = Network::started(5, seed);
        network.run_until_committed_everywhere(5, 5);
        network.isolate(0);
        network.isolate(1);
        let before = network.high_watermark();
        network.run_until_committed_everywhere(3, before + 10);
        network.heal();
        let before = network.high_watermark();
        network.run_until_committed_everywhere(5, before + 10);
    }
}

#[test]
fn without_a_majority_nothing_is_committed() {
    for seed in SEEDS {
        let mut network = Network::started(5, seed);
        network.run_until_committed_everywhere(5, 5);
        network.kill(0);
        network.kill(1);
        network.kill(2);
        network.run_for(500);
        let before = network.high_watermark();
        network.run_for(20_000);
        assert_eq!(network.high_watermark(), before);
        network.start(0);
        network.run_until_committed_everywhere(3, before + 5);
    }
}

#[test]
fn a_single_node_may_lose_its_disk() {
    for seed in SEEDS {
        let mut network = Network::started(5, seed);
        network.run_until_committed_everywhere(5, 10);
        let lost = network.leader().expect("somebody leads");
        network.kill(lost);
        network.wipe(lost);
        network.run_until(|network| network.leader().is_some_and(|leader| leader != lost));
        network.start(lost);
        let before = network.high_watermark();
        network.run_until_committed_everywhere(5, before + 5);
    }
}

#[test]
fn a_leader_that_shuts_down_hands_over_at_once() {
    for seed in SEEDS {
        let mut network = Network::started(3, seed);
        network.run_until_committed_everywhere(3, 5);
        let old = network.leader().expect("somebody leads");
        let epoch = network.epoch(old);
        network.shut_down(old);
        network.run_for(300);
        let new = network.leader().expect("the first successor stands at once and wins");
        assert!(new != old && network.epoch(new) == epoch.next(), "nobody waits for a time-out");
        assert!(network.has_exited(old));
        assert_eq!(network.fetched_by(old, new), None, "who has found its successor asks it for nothing");
    }
}

#[test]
fn a_replica_that_is_behind_the_log_loads_a_snapshot() {
    for seed in SEEDS {
        let mut network = Network::started(3, seed);
        network.run_until_committed_everywhere(3, 5);
        let leader = network.leader().expect("somebody leads");
        let follower = (leader + 1) % 3;
        network.kill(follower);
        network.wipe(follower);
        network.run_until(|network| network.high_watermark() > 40);
        network.snapshot(leader);
        network.start(follower);
        let before = network.high_watermark();
        network.run_until_committed_everywhere(3, before + 10);
        assert!(
            network
                .notes
                .iter()
                .any(|(node, note)| *node == follower && matches!(note, ControllerEvent::SnapshotLoaded { .. }))
        );
        assert!(network.log_start_offset(follower) > 40);
    }
}

#[test]
fn an_observer_follows_whoever_leads_and_never_stands_for_election() {
    for seed in SEEDS {
        let mut network = Network::started(3, seed);
        network.add_observer(9);
        network.run_until_committed_everywhere(4, 10);
        let failed = network.leader().expect("somebody leads");
        network.kill(failed);
        let before = network.high_watermark();
        network.run_until_committed_everywhere(3, before + 10);
        network.kill((failed + 1) % 3);
        network.run_for(20_000);
        assert!(matches!(network.role(9), QuorumRole::Follower | QuorumRole::Unattached));
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = || {
        let mut network = Network::started(5, 7);
        network.run_until_committed_everywhere(5, 20);
        let leader = network.leader().expect("somebody leads");
        network.kill(leader);
        network.run_for(10_000);
        network.notes
    };
    assert_eq!(run(), run());
}
