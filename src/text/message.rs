//! Texts with something in them, each in every language.

use super::Language;
use super::josa::{Josa, with_josa};
use crate::address::BadWish;
use crate::view::faults::FaultMark;
use crate::view::format;
use kafka::fault::LinkCondition;
use kafka::instant::{Duration, Instant};
use kafka::view::{QuorumRole, QuorumView};
use sim::CommandError;
use sim::frame::BranchId;
use swarm::world_plan::Historical;
use wire::{BrokerId, LeaderEpoch, Offset, TopicPartition};

/// A text with something in it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Message<'a> {
    /// How long messages travel, and why so long.
    NetworkDelay { delay: Duration, jitter: Duration },
    /// The run was started ahead of the viewer.
    RanAhead { until: Instant },
    /// `now` of `known_until`.
    InstantOf { now: Instant, known_until: Instant },
    /// So many partitions do not fit into the drawing.
    MorePartitions { count: usize },
    /// So many clients do not fit into the drawing.
    MoreClients { count: usize },
    /// So many rows of a table are not shown.
    MoreRows { count: usize },
    /// A log that ends before the offsets which are drawn.
    EndsBefore { end: Offset },
    /// A leader, short, for a row of the drawing.
    LeaderIn { epoch: LeaderEpoch },
    /// A follower, short, for a row of the drawing.
    FollowerOf { leader: Option<BrokerId>, epoch: LeaderEpoch },
    /// The in-sync replicas as the leader has them, and as it proposes them.
    LeadersIsr { isr: &'a [BrokerId], maximal_isr: &'a [BrokerId] },
    /// A name for a broker's button.
    SelectNode { name: &'a str },
    /// A command was refused.
    Refused(&'a CommandError),
    /// Acting in the past began a new history.
    NewHistory { branch: BranchId, at: Instant },
    /// A history's name.
    History { branch: BranchId },
    /// Where a history left another.
    ForkedFrom { branch: BranchId, at: Instant },
    /// How far a history is known.
    KnownUntil { until: Instant },
    /// A record of the form arrived.
    StoredAt { partition: &'a TopicPartition, offset: Offset },
    /// One thing that is wrong with a node, short, for a badge.
    Fault(FaultMark),
    /// How a link is that is not as usual, short.
    Link(LinkCondition),
    /// The two ends of a link.
    LinkBetween { one: &'a str, other: &'a str },
    /// One direction of a link.
    LinkFromTo { from: &'a str, to: &'a str },
    /// What a controller is in the quorum, short.
    QuorumState { is_active: bool, quorum: &'a QuorumView, epoch: LeaderEpoch },
    /// How a metadata quorum is chosen.
    Quorum { controllers: i32 },
    /// A quorum of so many servers that are brokers too.
    CombinedQuorum { controllers: i32 },
    /// A broker that is the controller of a ZooKeeper cluster, short, for a badge.
    Office { epoch: i32 },
    /// ZooKeeper's tally.
    Sessions { count: usize },
    /// So many records behind.
    Behind { count: i64 },
    /// So many checks have failed.
    BrokenChecks { count: usize },
    /// So many acknowledged records are lost.
    LostCount { count: u64 },
    /// Some stretch of records of a partition.
    RecordsOf { partition: &'a TopicPartition, first: Offset, last: Offset },
    /// How often something was checked.
    TimesChecked { count: u64 },
    /// The seed of the run.
    Seed { seed: u64, is_swarm: bool },
    /// The address asks for a run that there is not.
    BadWish(&'a BadWish),
    /// A producer's tally.
    ProducedCount { acknowledged: u64 },
    /// A consumer's tally.
    ConsumedCount { consumed: u64 },
}

impl Message<'_> {
    /// The text in that language.
    pub(crate) fn text(&self, language: Language) -> String {
        match language {
            Language::English => self.english(),
            Language::Korean => self.korean(),
        }
    }

    fn english(&self) -> String {
        match self {
            Message::NetworkDelay { delay, jitter } => format!(
                "A message travels {} to {} ms{}.",
                format::milliseconds(*delay),
                format::milliseconds(Duration(delay.0 + jitter.0)),
                if is_slow(*delay) {
                    ": hundreds of times slower than in a data centre, so that you can watch"
                } else {
                    ""
                }
            ),
            Message::RanAhead { until } => {
                format!(
                    "The first {} s have already run: drag the slider left to watch the cluster start.",
                    until.0 / 1_000_000
                )
            }
            Message::InstantOf { now, known_until } => {
                format!("{} of {}", format::exact_instant(*now), format::instant(*known_until))
            }
            Message::MorePartitions { count } => format!("+{count} more partitions"),
            Message::MoreClients { count } => format!("+{count} more programs"),
            Message::MoreRows { count } => format!("+{count} more; choose a topic to narrow the list"),
            Message::EndsBefore { end } => format!("this log ends at {end}, before the offsets shown here"),
            Message::LeaderIn { epoch } => format!("leader · epoch {epoch}"),
            Message::FollowerOf { leader: Some(leader), epoch } => format!("follows {leader} · epoch {epoch}"),
            Message::FollowerOf { leader: None, epoch } => format!("no leader · epoch {epoch}"),
            Message::LeadersIsr { isr, maximal_isr } => {
                format!("{}{}", format::broker_ids(isr), english_proposal(isr, maximal_isr))
            }
            Message::SelectNode { name } => format!("Show {name}"),
            Message::Refused(error) => english_refusal(error),
            Message::NewHistory { branch, at } => {
                format!(
                    "{} begins at {}. What came after in the earlier one stays there.",
                    english_history(*branch),
                    format::instant(*at)
                )
            }
            Message::History { branch } => english_history(*branch),
            Message::ForkedFrom { branch, at } => {
                format!("branched off {} at {}", english_history(*branch), format::instant(*at))
            }
            Message::KnownUntil { until } => format!("has run until {}", format::instant(*until)),
            Message::StoredAt { partition, offset } => format!("acknowledged: {partition}, offset {offset}"),
            Message::Fault(mark) => english_fault(*mark),
            Message::Link(condition) => english_link(*condition),
            Message::LinkBetween { one, other } => format!("Link between {one} and {other}"),
            Message::LinkFromTo { from, to } => format!("{from} → {to}"),
            Message::QuorumState { is_active, quorum, epoch } => english_quorum(*is_active, quorum, *epoch),
            Message::Quorum { controllers: 1 } => "KRaft, 1 controller".to_owned(),
            Message::Quorum { controllers } => format!("KRaft, {controllers} controllers"),
            Message::CombinedQuorum { controllers } => {
                format!("KRaft, combined: {controllers} brokers are controllers too")
            }
            Message::Office { epoch } => format!("controller · epoch {epoch}"),
            Message::Sessions { count: 1 } => "1 session".to_owned(),
            Message::Sessions { count } => format!("{count} sessions"),
            Message::Behind { count: 1 } => "1 record".to_owned(),
            Message::Behind { count } => format!("{count} records"),
            Message::BrokenChecks { count: 1 } => "1 check broken".to_owned(),
            Message::BrokenChecks { count } => format!("{count} checks broken"),
            Message::LostCount { count } => format!("{count} lost"),
            Message::RecordsOf { partition, first, last } if first == last => format!("{partition}, offset {first}"),
            Message::RecordsOf { partition, first, last } => format!("{partition}, offsets {first} to {last}"),
            Message::TimesChecked { count } => format!("checked {count}×"),
            Message::Seed { seed, is_swarm: true } => format!("swarm seed {seed}"),
            Message::Seed { seed, is_swarm: false } => format!("seed {seed}"),
            Message::BadWish(wish) => english_bad_wish(wish),
            Message::ProducedCount { acknowledged } => format!("{acknowledged} acknowledged"),
            Message::ConsumedCount { consumed } => format!("{consumed} consumed"),
        }
    }

    fn korean(&self) -> String {
        match self {
            Message::NetworkDelay { delay, jitter } => format!(
                "메시지는 편도 {}~{} ms가 걸립니다.{}",
                format::milliseconds(*delay),
                format::milliseconds(Duration(delay.0 + jitter.0)),
                if is_slow(*delay) {
                    " 눈에 보이도록 데이터 센터보다 수백 배 느립니다."
                } else {
                    ""
                }
            ),
            Message::RanAhead { until } => {
                format!(
                    "처음 {}초는 이미 실행되었습니다. 슬라이더를 왼쪽으로 끌면 클러스터가 시작되는 과정을 볼 수 있습니다.",
                    until.0 / 1_000_000
                )
            }
            Message::InstantOf { now, known_until } => {
                format!("{} / {}", format::exact_instant(*now), format::instant(*known_until))
            }
            Message::MorePartitions { count } => format!("파티션 {count}개 더 있음"),
            Message::MoreClients { count } => format!("프로그램 {count}개 더 있음"),
            Message::MoreRows { count } => format!("{count}개 더 있습니다. 토픽을 고르면 목록이 줄어듭니다."),
            Message::EndsBefore { end } => format!("이 로그는 여기 보이는 구간보다 앞인 {end}에서 끝남"),
            Message::LeaderIn { epoch } => format!("리더 · 에포크 {epoch}"),
            Message::FollowerOf { leader: Some(leader), epoch } => {
                format!("{} 따름 · 에포크 {epoch}", with_josa(&leader.to_string(), Josa::Object))
            }
            Message::FollowerOf { leader: None, epoch } => format!("리더 없음 · 에포크 {epoch}"),
            Message::LeadersIsr { isr, maximal_isr } => {
                format!("{}{}", format::broker_ids(isr), korean_proposal(isr, maximal_isr))
            }
            Message::SelectNode { name } => format!("{name} 보기"),
            Message::Refused(error) => korean_refusal(error),
            Message::NewHistory { branch, at } => {
                let history = with_josa(&korean_history(*branch), Josa::Subject);
                format!("{}에서 {history} 시작됩니다. 그 뒤에 있던 일은 이전 타임라인에 남습니다.", korean_instant(*at))
            }
            Message::History { branch } => korean_history(*branch),
            Message::ForkedFrom { branch, at } => {
                format!("{} 시점에 {}에서 갈라짐", korean_instant(*at), korean_history(*branch))
            }
            Message::KnownUntil { until } => format!("{}까지 진행됨", korean_instant(*until)),
            Message::StoredAt { partition, offset } => format!("저장 확인: {partition}, 오프셋 {offset}"),
            Message::Fault(mark) => korean_fault(*mark),
            Message::Link(condition) => korean_link(*condition),
            Message::LinkBetween { one, other } => format!("{} {other} 사이의 링크", with_josa(one, Josa::And)),
            Message::LinkFromTo { from, to } => format!("{from} → {to}"),
            Message::QuorumState { is_active, quorum, epoch } => korean_quorum(*is_active, quorum, *epoch),
            Message::Quorum { controllers } => format!("KRaft, 컨트롤러 {controllers}대"),
            Message::CombinedQuorum { controllers } => {
                format!("KRaft 결합 모드: 브로커 {controllers}대가 컨트롤러 겸임")
            }
            Message::Office { epoch } => format!("컨트롤러 · 에포크 {epoch}"),
            Message::Sessions { count } => format!("세션 {count}개"),
            Message::Behind { count } => format!("레코드 {count}개"),
            Message::BrokenChecks { count } => format!("검사 {count}개 어긋남"),
            Message::LostCount { count } => format!("유실 {count}건"),
            Message::RecordsOf { partition, first, last } if first == last => format!("{partition}, 오프셋 {first}"),
            Message::RecordsOf { partition, first, last } => format!("{partition}, 오프셋 {first}~{last}"),
            Message::TimesChecked { count } => format!("{count}번 검사"),
            Message::Seed { seed, is_swarm: true } => format!("스웜 시드 {seed}"),
            Message::Seed { seed, is_swarm: false } => format!("시드 {seed}"),
            Message::BadWish(wish) => korean_bad_wish(wish),
            Message::ProducedCount { acknowledged } => format!("전송 확인 {acknowledged}건"),
            Message::ConsumedCount { consumed } => format!("소비 {consumed}건"),
        }
    }
}

/// Slow enough to be followed by eye, and so no data centre's; the swarm's networks are not.
fn is_slow(delay: Duration) -> bool {
    delay >= Duration(50_000)
}

fn english_bad_wish(wish: &BadWish) -> String {
    match wish {
        BadWish::Swarm(value) => format!(
            "The address asks for swarm={}, which is no seed: seeds are whole numbers from 0 on. This is the usual run.",
            format::shortened(value, 40)
        ),
        BadWish::Historical(value) => format!(
            "The address asks for historical={}, which is no fault of an earlier release: there are {}. This is the usual run.",
            format::shortened(value, 40),
            historical_names()
        ),
        BadWish::HistoricalAlone => {
            "In the address, historical=NAME needs swarm=SEED beside it. This is the usual run.".to_owned()
        }
    }
}

fn korean_bad_wish(wish: &BadWish) -> String {
    match wish {
        BadWish::Swarm(value) => format!(
            "주소에 적힌 swarm={} 값은 시드가 아닙니다. 시드는 0 이상의 정수입니다. 대신 기본 실행을 보여 줍니다.",
            format::shortened(value, 40)
        ),
        BadWish::Historical(value) => format!(
            "주소에 적힌 historical={} 값은 옛 결함의 이름이 아닙니다. 가능한 이름: {}. 대신 기본 실행을 보여 줍니다.",
            format::shortened(value, 40),
            historical_names()
        ),
        BadWish::HistoricalAlone => {
            "주소의 historical=NAME은 swarm=SEED와 함께 써야 합니다. 대신 기본 실행을 보여 줍니다.".to_owned()
        }
    }
}

fn historical_names() -> String {
    Historical::ALL.map(Historical::name).join(", ")
}

fn english_fault(mark: FaultMark) -> String {
    match mark {
        FaultMark::Frozen => "frozen".to_owned(),
        FaultMark::NoPower => "no power".to_owned(),
        FaultMark::SlowDisk(delay) => format!("disk +{} ms", format::milliseconds(delay)),
        FaultMark::FullDisk => "disk full".to_owned(),
        FaultMark::ClockOff(offset_ms) => format!("clock {}", format::offset(offset_ms)),
    }
}

fn korean_fault(mark: FaultMark) -> String {
    match mark {
        FaultMark::Frozen => "멈춤".to_owned(),
        FaultMark::NoPower => "전원 끊김".to_owned(),
        FaultMark::SlowDisk(delay) => format!("디스크 +{} ms", format::milliseconds(delay)),
        FaultMark::FullDisk => "디스크 가득 참".to_owned(),
        FaultMark::ClockOff(offset_ms) => format!("시계 {}", format::offset(offset_ms)),
    }
}

fn english_link(condition: LinkCondition) -> String {
    let LinkCondition { is_cut, delay, jitter, loss_permille } = condition;
    let parts = [
        is_cut.then(|| "cut".to_owned()),
        delay.map(|delay| format!("≥ {} ms", format::milliseconds(delay))),
        jitter.map(|jitter| format!("jitter {} ms", format::milliseconds(jitter))),
        (loss_permille > 0).then(|| format!("{} lost", format::permille(loss_permille))),
    ];
    parts.into_iter().flatten().collect::<Vec<String>>().join(", ")
}

fn korean_link(condition: LinkCondition) -> String {
    let LinkCondition { is_cut, delay, jitter, loss_permille } = condition;
    let parts = [
        is_cut.then(|| "끊김".to_owned()),
        delay.map(|delay| format!("≥ {} ms", format::milliseconds(delay))),
        jitter.map(|jitter| format!("지터 {} ms", format::milliseconds(jitter))),
        (loss_permille > 0).then(|| format!("유실 {}", format::permille(loss_permille))),
    ];
    parts.into_iter().flatten().collect::<Vec<String>>().join(", ")
}

fn english_quorum(is_active: bool, quorum: &QuorumView, epoch: LeaderEpoch) -> String {
    match (quorum.role, quorum.leader) {
        (_, _) if is_active => format!("active · quorum epoch {epoch}"),
        (QuorumRole::Leader, _) => format!("leads, not active yet · epoch {epoch}"),
        (QuorumRole::Follower, Some(leader)) => format!("follows {leader} · epoch {epoch}"),
        (QuorumRole::Candidate, _) => format!("candidate · epoch {epoch}"),
        (QuorumRole::Resigned, _) => format!("resigned · epoch {epoch}"),
        (QuorumRole::Unattached | QuorumRole::Follower, _) => format!("no leader known · epoch {epoch}"),
    }
}

fn korean_quorum(is_active: bool, quorum: &QuorumView, epoch: LeaderEpoch) -> String {
    match (quorum.role, quorum.leader) {
        (_, _) if is_active => format!("활성 · 쿼럼 에포크 {epoch}"),
        (QuorumRole::Leader, _) => format!("쿼럼 리더, 활성 전 · 에포크 {epoch}"),
        (QuorumRole::Follower, Some(leader)) => {
            format!("{} 따름 · 에포크 {epoch}", with_josa(&leader.to_string(), Josa::Object))
        }
        (QuorumRole::Candidate, _) => format!("후보 · 에포크 {epoch}"),
        (QuorumRole::Resigned, _) => format!("사임 · 에포크 {epoch}"),
        (QuorumRole::Unattached | QuorumRole::Follower, _) => format!("아는 리더 없음 · 에포크 {epoch}"),
    }
}

/// People count from one.
fn english_history(branch: BranchId) -> String {
    format!("History {}", branch.0 + 1)
}

fn korean_history(branch: BranchId) -> String {
    format!("타임라인 {}", branch.0 + 1)
}

fn korean_instant(instant: Instant) -> String {
    format!("{}초", format::instant(instant).trim_end_matches(" s"))
}

fn english_proposal(isr: &[BrokerId], maximal_isr: &[BrokerId]) -> String {
    if isr == maximal_isr { String::new() } else { format!(" (change to {} pending)", format::broker_ids(maximal_isr)) }
}

fn korean_proposal(isr: &[BrokerId], maximal_isr: &[BrokerId]) -> String {
    if isr == maximal_isr { String::new() } else { format!(" (변경 대기: {})", format::broker_ids(maximal_isr)) }
}

fn english_refusal(error: &CommandError) -> String {
    match error {
        CommandError::UnknownNode(node) => format!("There is no process {node} at this moment."),
        CommandError::NotRunning(node) => format!("Process {node} is not running at this moment."),
        CommandError::AlreadyRunning(node) => format!("Process {node} is already running."),
        CommandError::NotAServer(node) => format!("{node} is a program that has ended; it cannot be started again."),
        CommandError::NotAClient(node) => format!("{node} is not a client program."),
        CommandError::AlreadyFrozen(node) => format!("Process {node} is frozen already."),
        CommandError::NotFrozen(node) => format!("Process {node} is not frozen."),
        CommandError::StillRunning(node) => format!("Process {node} is still running: stop it first."),
        CommandError::AlreadyThere(node) => format!("There is a server {node} already."),
        CommandError::AddressInUse(endpoint) => format!("Another server listens at {endpoint}."),
        CommandError::NoLink(node) => format!("There is no link from {node} to itself."),
        CommandError::LossOutOfRange => {
            "At most 999 of 1000 transmissions can be lost; cut the link instead.".to_owned()
        }
    }
}

fn korean_refusal(error: &CommandError) -> String {
    let topic = |node: &kafka::node::NodeId| with_josa(&node.to_string(), Josa::Topic);
    match error {
        CommandError::UnknownNode(node) => {
            format!("이 시각에는 프로세스 {} 없습니다.", with_josa(&node.to_string(), Josa::Subject))
        }
        CommandError::NotRunning(node) => format!("이 시각에 프로세스 {} 실행되고 있지 않습니다.", topic(node)),
        CommandError::AlreadyRunning(node) => format!("프로세스 {} 이미 실행 중입니다.", topic(node)),
        CommandError::NotAServer(node) => format!("{} 이미 끝난 프로그램이라 다시 시작할 수 없습니다.", topic(node)),
        CommandError::NotAClient(node) => format!("{} 클라이언트 프로그램이 아닙니다.", topic(node)),
        CommandError::AlreadyFrozen(node) => format!("프로세스 {} 이미 멈춰 있습니다.", topic(node)),
        CommandError::NotFrozen(node) => format!("프로세스 {} 멈춰 있지 않습니다.", topic(node)),
        CommandError::StillRunning(node) => {
            format!("프로세스 {} 아직 실행 중입니다. 먼저 종료해야 합니다.", topic(node))
        }
        CommandError::AlreadyThere(node) => format!("서버 {} 이미 있습니다.", topic(node)),
        CommandError::AddressInUse(endpoint) => format!("다른 서버가 이미 {endpoint}에서 연결을 받고 있습니다."),
        CommandError::NoLink(node) => format!("{node}에서 자기 자신으로 가는 링크는 없습니다."),
        CommandError::LossOutOfRange => {
            "유실은 전송 1000번에 999번까지만 정할 수 있습니다. 그 이상이면 링크를 끊어야 합니다.".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka::node::NodeId;

    #[test]
    fn particles_fit_the_numbers_in_korean_messages() {
        let follower =
            |id| Message::FollowerOf { leader: Some(BrokerId(id)), epoch: LeaderEpoch(0) }.text(Language::Korean);
        assert_eq!(follower(1), "1을 따름 · 에포크 0");
        assert_eq!(follower(2), "2를 따름 · 에포크 0");
        let error = CommandError::NotRunning(NodeId::Server(3));
        assert_eq!(Message::Refused(&error).text(Language::Korean), "이 시각에 프로세스 3은 실행되고 있지 않습니다.");
    }

    #[test]
    fn a_pending_change_of_the_isr_is_said() {
        let isr = [BrokerId(1), BrokerId(2)];
        let message = Message::LeadersIsr { isr: &isr, maximal_isr: &isr };
        assert_eq!(message.text(Language::English), "1, 2");
        let message = Message::LeadersIsr { isr: &isr[..1], maximal_isr: &isr };
        assert_eq!(message.text(Language::English), "1 (change to 1, 2 pending)");
    }
}
