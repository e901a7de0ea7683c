//! The timers of a broker: what each kind means and what its key counts.

use super::Step;
use super::channel::ChannelId;
use crate::instant::Duration;
use crate::node::Timer;
use crate::zk_client::HostTimer;
use wire::BrokerId;

/// Registration or heartbeat is due.
pub(super) const COMMUNICATION: u8 = 1;
/// The first registration has taken too long (`initial.broker.registration.timeout.ms`).
pub(super) const REGISTRATION_TIMEOUT: u8 = 2;
/// Controlled shutdown has taken too long.
pub(super) const SHUTDOWN_TIMEOUT: u8 = 3;
/// A channel may connect again. The key is the channel's.
pub(super) const RECONNECT: u8 = 4;
/// A channel's connection or request may have taken too long. The key is the channel's.
pub(super) const CHANNEL_TIMEOUT: u8 = 5;
/// Something is due in the metadata quorum.
pub(super) const METADATA_QUORUM: u8 = 6;
/// Partitions that a fetcher had put off are due again. The key is the source broker's id.
pub(super) const FETCH_BACKOFF: u8 = 7;
/// Time to look for followers that lag (`replica.lag.time.max.ms` / 2).
pub(super) const ISR_EXPIRATION: u8 = 8;
/// Time to write high watermarks down (`replica.high.watermark.checkpoint.interval.ms`).
pub(super) const HIGH_WATERMARK_CHECKPOINT: u8 = 9;
/// AlterPartition may be sent again after an error of the whole request.
pub(super) const ALTER_PARTITION: u8 = 10;
/// A parked request has waited long enough. The key is the operation's.
pub(super) const DELAYED_OPERATION: u8 = 11;
/// Controlled shutdown may be asked for again.
pub(super) const CONTROLLED_SHUTDOWN: u8 = 12;
/// Metadata has not shown in time what a request about topics did. The key is the job's.
pub(super) const ADMIN_JOB: u8 = 13;
/// The session with ZooKeeper wants to ping, to give up or to connect again.
pub(super) const ZOOKEEPER_SESSION: u8 = 14;
/// The controller may try a broker again. The key is the broker's id.
pub(super) const CONTROLLER_CHANNEL: u8 = 15;
/// The controller looks for leaders that are not the preferred ones.
pub(super) const AUTO_LEADER_REBALANCE: u8 = 16;
/// Metadata has not shown in time who was elected by command. The key is the election's.
pub(super) const LEADER_ELECTION: u8 = 17;
/// Time to write recovery points and log start offsets down (`log.flush.offset.checkpoint.interval.ms`).
pub(super) const LOG_CHECKPOINT: u8 = 20;
/// Time to look for logs to flush (`log.flush.scheduler.interval.ms`).
pub(super) const LOG_FLUSH: u8 = 21;
/// Time to forget silent producers (`producer.id.expiration.check.interval.ms`).
pub(super) const PRODUCER_EXPIRATION: u8 = 22;
/// Time to delete old segments (`log.retention.check.interval.ms`).
pub(super) const LOG_RETENTION: u8 = 23;
/// Time to compact logs (`log.cleaner.backoff.ms`).
pub(super) const LOG_CLEANER: u8 = 24;

/// Sets the timer of what is done every so often. An interval that is no positive number lets it be, as `KafkaScheduler`
/// does.
pub(super) fn set_again(kind: u8, interval_ms: i64, step: &mut Step<'_>) {
    if interval_ms > 0 {
        step.effects.set_timer(single(kind), step.now + Duration::from_ms(interval_ms));
    }
}

/// The one timer of a kind that has one only.
pub(super) fn single(kind: u8) -> Timer {
    Timer { kind, key: 0 }
}

/// A channel's timer.
pub(super) fn of_channel(kind: u8, channel: ChannelId) -> Timer {
    Timer { kind, key: channel.timer_key() }
}

/// The timer after which a fetcher tries failed partitions again.
pub(super) fn of_fetcher(source: BrokerId) -> Timer {
    Timer { kind: FETCH_BACKOFF, key: u64::from(source.0.unsigned_abs()) }
}

/// The timer of a request about topics.
pub(super) fn of_admin_job(job: u64) -> Timer {
    Timer { kind: ADMIN_JOB, key: job }
}

/// The timer of an election by command.
pub(super) fn of_leader_election(election: u64) -> Timer {
    Timer { kind: LEADER_ELECTION, key: election }
}

/// A timer of a part that does not know the broker around it.
pub(super) fn of_part(timer: HostTimer) -> Timer {
    match timer {
        HostTimer::ZooKeeperSession => single(ZOOKEEPER_SESSION),
        HostTimer::ControllerChannel(broker) => {
            Timer { kind: CONTROLLER_CHANNEL, key: u64::from(broker.0.unsigned_abs()) }
        }
        HostTimer::AutoLeaderRebalance => single(AUTO_LEADER_REBALANCE),
    }
}

/// A parked request's timer.
pub(super) fn of_operation(operation: u64) -> Timer {
    Timer { kind: DELAYED_OPERATION, key: operation }
}
