//! What is left after the process or the power went.

use super::*;
use crate::storage::DiskWrite;

fn size() -> i32 {
    records(1, 0).size_in_bytes()
}

#[test]
fn a_killed_process_loses_nothing_that_it_wrote() {
    let mut bench = Bench::new();
    bench.config.segment_bytes = 3 * size();
    bench.append_singly(8, 0);
    bench.restart(false);
    assert_eq!((bench.offsets(), bench.log.recovery_point()), ((0, 0, 8), Offset(0)));
    assert_eq!(bench.log.segments().count(), 3);
    assert_eq!(bench.events, []);
}

#[test]
fn a_power_loss_leaves_what_was_flushed_when_segments_rolled() {
    let mut bench = Bench::new();
    bench.config.segment_bytes = 3 * size();
    bench.append_singly(6, 0);
    bench.append_singly(2, 1);
    bench.disk.lose_power();
    bench.restart(false);
    assert_eq!((bench.offsets(), bench.epochs()), ((0, 0, 6), vec![(0, 0)]));
    let torn_bytes = size() / 2;
    let cut = BrokerEvent::TornBatchCut { partition: partition(), log_end_offset: Offset(6), torn_bytes };
    assert_eq!(bench.events, [cut]);
    bench.append_singly(1, 2);
    assert_eq!(bench.epochs(), [(0, 0), (2, 6)]);
    assert_eq!(bench.disk.logs[&partition()].torn_bytes, 0);
    bench.disk.lose_power();
    bench.restart(false);
    assert_eq!(bench.offsets(), (0, 0, 6));
}

#[test]
fn flush_messages_and_flush_ms_bound_what_a_power_loss_takes() {
    let mut bench = Bench::new();
    bench.config.flush_messages = 4;
    bench.append_singly(7, 0);
    assert_eq!(bench.log.recovery_point(), Offset(4));
    bench.config.flush_messages = i64::MAX;
    bench.config.flush_ms = 100;
    for (wait_ms, expected) in [(99, 4), (100, 7)] {
        let context = LogContext { config: &bench.config, wall_time: Timestamp(NOW.0 + wait_ms) };
        bench.log.flush_if_due(&context, &mut bench.effects);
        bench.flush();
        assert_eq!(bench.log.recovery_point(), Offset(expected), "after {wait_ms} ms");
    }
    bench.append_singly(1, 0);
    bench.disk.lose_power();
    bench.restart(false);
    assert_eq!(bench.offsets(), (0, 0, 7));
}

#[test]
fn a_clean_shutdown_leaves_nothing_to_a_power_loss() {
    let mut bench = Bench::new();
    bench.append_singly(5, 0);
    bench.log.close(NOW, &mut bench.effects);
    bench.flush();
    bench.disk.lose_power();
    bench.restart(true);
    assert_eq!((bench.offsets(), bench.log.recovery_point()), ((0, 0, 5), Offset(5)));
    assert_eq!(bench.events, []);
}

#[test]
fn what_was_cut_off_is_not_flushed_any_more() {
    let mut bench = Bench::new();
    bench.append_singly(5, 0);
    bench.log.flush(NOW, &mut bench.effects);
    bench.flush();
    bench.truncate_to(3);
    bench.append_singly(3, 1);
    bench.disk.lose_power();
    bench.restart(false);
    assert_eq!((bench.offsets(), bench.epochs()), ((0, 0, 3), vec![(0, 0)]));
}

#[test]
fn a_log_that_ends_below_its_checkpointed_start_begins_there() {
    let mut bench = Bench::new();
    bench.append_singly(5, 0);
    bench.disk.apply(DiskWrite::LogStartOffsets(vec![(partition(), Offset(4))]));
    bench.disk.lose_power();
    bench.restart(false);
    assert_eq!((bench.offsets(), bench.epochs()), ((4, 4, 4), vec![]));
    bench.append_singly(1, 1);
    assert_eq!(offsets(&bench.restarted()), (4, 4, 5));
}

#[test]
fn the_checkpointed_recovery_point_is_where_recovery_begins() {
    let mut bench = Bench::new();
    bench.append_singly(5, 0);
    bench.log.flush(NOW, &mut bench.effects);
    bench.flush();
    bench.disk.apply(DiskWrite::RecoveryPoints(vec![(partition(), Offset(3))]));
    assert_eq!(bench.restarted().recovery_point(), Offset(3));
    bench.restart(true);
    assert_eq!(bench.log.recovery_point(), Offset(5));
}

/// Where all records are deleted, the last epoch begins at the end of the log, and is forgotten by a restart.
#[test]
fn epochs_that_are_missing_are_read_back_from_records_after_a_kill_only() {
    for (had_clean_shutdown, expected) in [(true, vec![]), (false, vec![(3, 0), (4, 2)])] {
        let mut bench = Bench::new();
        bench.append_singly(2, 3);
        bench.append_singly(2, 4);
        bench.log.update_high_watermark(Offset(4));
        bench.log.maybe_increment_log_start_offset(Offset(4), &mut bench.effects).unwrap();
        bench.flush();
        assert_eq!(bench.epochs(), [(4, 4)]);
        bench.restart(false);
        assert_eq!((bench.log.log_start_offset(), bench.epochs()), (Offset(0), vec![]), "the start was not written");
        bench.restart(had_clean_shutdown);
        assert_eq!(bench.epochs(), expected);
    }
}
