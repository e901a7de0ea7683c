//! 이벤트를 한국어로. Events in Korean.

use crate::text::josa::{Josa, with_josa};
use crate::text::{admin_failure_text, failure_text};
use crate::view::format;
use kafka::event::{
    AdminAnswer, BrokerEvent, ChangeReason, ClientEvent, ClientLog, ConfigsOutcome, ControllerEvent, DeletionReason,
    EventKind, OperatorEvent, ReassignOutcome, TruncationReason, ZooKeeperEvent, ZooKeeperTold,
};
use kafka::fault::{DiskCondition, LinkChange, Links};
use kafka::node::NodeId;
use wire::request::ConfigResource;
use wire::zookeeper::ZnodePath;
use wire::{BrokerId, LeaderEpoch, Offset, TopicPartition};

pub(super) fn sentence(kind: &EventKind, node: &str) -> String {
    match kind {
        EventKind::Operator(event) => operator(event, node),
        EventKind::Controller(event) => controller(event, node),
        EventKind::Broker(event) => broker(event, node),
        EventKind::ZooKeeper(event) => zookeeper(event, node),
        EventKind::Client(event) => client(event, node),
    }
}

fn subject(word: &str) -> String {
    with_josa(word, Josa::Subject)
}

fn object(word: &str) -> String {
    with_josa(word, Josa::Object)
}

fn named(broker: BrokerId) -> String {
    format!("브로커 {broker}")
}

fn operator(event: &OperatorEvent, node: &str) -> String {
    match event {
        OperatorEvent::ProcessStarted | OperatorEvent::ClientStarted { .. } => {
            format!("{} 시작되었습니다.", subject(node))
        }
        OperatorEvent::ProcessKilled => format!("{} 강제 종료했습니다 (SIGKILL).", object(node)),
        OperatorEvent::ShutdownRequested => format!("{node}에 종료를 요청했습니다 (SIGTERM)."),
        OperatorEvent::ProcessExited { status } => {
            let status = with_josa(&status.0.to_string(), Josa::Toward);
            format!("{} 종료 코드 {status} 끝났습니다.", subject(node))
        }
        OperatorEvent::ProcessFrozen => format!("{} 멈춰 세웠습니다 (SIGSTOP).", object(node)),
        OperatorEvent::ProcessThawed => format!("{} 다시 움직입니다 (SIGCONT).", subject(node)),
        OperatorEvent::PowerLost => {
            format!("{node}의 전원이 끊겼습니다. 디스크에 플러시되지 않은 데이터도 함께 사라졌습니다.")
        }
        OperatorEvent::DiskChanged { condition } => format!("{node}: {}", disk(*condition)),
        OperatorEvent::DiskWriteFailed => {
            format!("{} 디스크가 가득 차서 쓰지 못했습니다.", with_josa(node, Josa::Topic))
        }
        OperatorEvent::ClockSet { offset_ms } => format!(
            "{node}의 시계를 {}ms {}했습니다.",
            offset_ms.abs(),
            if *offset_ms < 0 { "느리게" } else { "빠르게" }
        ),
        OperatorEvent::LinksChanged { links, change } => format!("{}: {}", links_named(*links), link_change(*change)),
        OperatorEvent::ServerAdded => format!("{} 추가되었습니다.", subject(node)),
        OperatorEvent::ServerRemoved => format!("{} 디스크와 함께 제거했습니다.", object(node)),
    }
}

fn disk(condition: DiskCondition) -> String {
    match condition {
        DiskCondition::Sound => "디스크가 다시 정상입니다.".to_owned(),
        DiskCondition::Slow(delay) => {
            format!("디스크 쓰기가 한 번에 {}ms씩 걸립니다.", format::milliseconds(delay))
        }
        DiskCondition::Full => "디스크가 가득 찼습니다.".to_owned(),
    }
}

fn links_named(links: Links) -> String {
    match links {
        Links::All => "모든 링크".to_owned(),
        Links::Of(node) => format!("{node}의 모든 링크"),
        Links::Between(one, other) => format!("{} {other} 사이의 링크", with_josa(&one.to_string(), Josa::And)),
        Links::OneWay { from, to } => {
            format!("{from}에서 {} 가는 링크", with_josa(&to.to_string(), Josa::Toward))
        }
    }
}

fn link_change(change: LinkChange) -> String {
    match change {
        LinkChange::Cut => "끊어졌습니다.".to_owned(),
        LinkChange::Heal => "처음 상태로 돌아왔습니다.".to_owned(),
        LinkChange::Delay(delay) => {
            format!("메시지가 도착하기까지 적어도 {}ms 걸립니다.", format::milliseconds(delay))
        }
        LinkChange::Jitter(jitter) => {
            format!("메시지가 최대 {}ms 더 늦게 도착합니다.", format::milliseconds(jitter))
        }
        LinkChange::Loss(permille) => format!("전송 중 {}가 유실됩니다.", format::permille(permille)),
    }
}

fn controller(event: &ControllerEvent, node: &str) -> String {
    match event {
        ControllerEvent::BecameActive { epoch } => {
            format!("{} 에포크 {epoch}에서 활성 컨트롤러가 되었습니다.", subject(node))
        }
        ControllerEvent::NoLongerActive { epoch } => format!(
            "{} 더 이상 에포크 {epoch}의 활성 컨트롤러가 아닙니다. 커밋되지 않은 변경은 되돌립니다.",
            with_josa(node, Josa::Topic)
        ),
        ControllerEvent::BecameCandidate { epoch } => {
            format!("{} 에포크 {epoch}에서 메타데이터 쿼럼의 리더 후보로 나섰습니다.", subject(node))
        }
        ControllerEvent::VoteGranted { candidate, epoch } => {
            format!("{} 에포크 {epoch}에서 컨트롤러 {candidate}에 투표했습니다.", subject(node))
        }
        ControllerEvent::VoteRejected { candidate, epoch } => {
            format!("{} 에포크 {epoch}에서 컨트롤러 {candidate}의 투표 요청을 거절했습니다.", subject(node))
        }
        ControllerEvent::WonElection { epoch, granted_by } => {
            let votes: Vec<String> = granted_by.iter().map(i32::to_string).collect();
            format!("{} 에포크 {epoch}의 선거에서 이겼습니다 (찬성: {}).", subject(node), votes.join(", "))
        }
        ControllerEvent::LostElection { epoch } => {
            format!("{} 에포크 {epoch}에서 과반수를 얻지 못했습니다. 잠시 뒤 다시 나섭니다.", subject(node))
        }
        ControllerEvent::LeaderResigned { epoch } => {
            format!("{} 에포크 {epoch}에서 메타데이터 쿼럼의 리더를 그만두었습니다.", subject(node))
        }
        ControllerEvent::FollowsQuorumLeader { leader, epoch } => {
            let leader = object(&format!("컨트롤러 {leader}"));
            format!("{} 에포크 {epoch}에서 {leader} 메타데이터 쿼럼의 리더로 따릅니다.", subject(node))
        }
        ControllerEvent::MetadataLogTruncated { from, to } => {
            let to = with_josa(&to.to_string(), Josa::Toward);
            format!(
                "{} 메타데이터 로그의 끝을 {from}에서 {to} 되돌렸습니다. 잘린 부분은 커밋된 적이 없습니다.",
                subject(node)
            )
        }
        ControllerEvent::SnapshotWritten { end_offset } => {
            format!("{} 오프셋 {end_offset} 앞까지의 메타데이터 스냅샷을 썼습니다.", subject(node))
        }
        ControllerEvent::SnapshotLoaded { end_offset } => {
            format!("{} 리더에게서 오프셋 {end_offset} 앞까지의 메타데이터 스냅샷을 받아 적용했습니다.", subject(node))
        }
        ControllerEvent::BrokerRegistered { broker, broker_epoch } => {
            format!("컨트롤러가 {} 등록했습니다 (브로커 에포크 {broker_epoch}).", object(&named(*broker)))
        }
        ControllerEvent::BrokerUnfenced { broker } => {
            format!(
                "컨트롤러가 {}의 fence를 해제했습니다. 이제 리더가 될 수 있고 ISR에 들어갈 수 있습니다.",
                named(*broker)
            )
        }
        ControllerEvent::BrokerFenced { broker } => {
            format!(
                "컨트롤러가 {} fence 처리했습니다. 이제 리더가 될 수 없고 ISR에도 들어갈 수 없습니다.",
                object(&named(*broker))
            )
        }
        ControllerEvent::ControlledShutdownStarted { broker } => {
            format!("{} 종료하려고 하므로 컨트롤러가 리더를 다른 브로커로 옮깁니다.", subject(&named(*broker)))
        }
        ControllerEvent::TopicCreated { topic, topic_id, partitions } => {
            format!("토픽 {} 파티션 {partitions}개로 생성되었습니다 (id {topic_id}).", subject(topic.as_str()))
        }
        ControllerEvent::PartitionsAdded { topic, partitions } => {
            format!("토픽 {}의 파티션이 {partitions}개가 되었습니다.", topic)
        }
        ControllerEvent::TopicDeleted { topic } => format!("토픽 {} 삭제되었습니다.", subject(topic.as_str())),
        ControllerEvent::LeaderElected {
            partition,
            leader,
            previous_leader,
            leader_epoch,
            isr,
            is_unclean,
            reason,
        } => {
            let change = (*leader, *previous_leader);
            elected(partition, change, *leader_epoch, isr, *is_unclean, *reason)
        }
        ControllerEvent::PartitionWentOffline { partition, leader_epoch, isr, reason } => format!(
            "{partition}의 리더가 없어졌습니다 (에포크 {leader_epoch}, ISR {}). 이유: {}.",
            brokers(isr),
            because(*reason)
        ),
        ControllerEvent::IsrChanged { partition, from, to, reason, .. } => format!(
            "{partition}: ISR이 {}에서 {} 변경되었습니다. 이유: {}.",
            brokers(from),
            with_josa(&brokers(to), Josa::Toward),
            because(*reason)
        ),
        ControllerEvent::EligibleLeadersChanged { partition, from, to } => format!(
            "{partition}: ISR 밖에서 리더가 될 수 있는 레플리카(ELR)가 {}에서 {} 변경되었습니다.",
            brokers(from),
            with_josa(&brokers(to), Josa::Toward)
        ),
        ControllerEvent::ReassignmentStarted { partition, adding, removing } => {
            format!("{partition}: 재할당을 시작했습니다 (추가 {}, 제거 {}).", brokers(adding), brokers(removing))
        }
        ControllerEvent::ReassignmentCompleted { partition, replicas } => {
            format!("{partition}: 재할당이 끝났습니다. 레플리카: {}.", brokers(replicas))
        }
        ControllerEvent::ReassignmentCancelled { partition, replicas } => {
            format!("{partition}: 재할당이 취소되었습니다. 레플리카: {}.", brokers(replicas))
        }
        ControllerEvent::ConfigChanged { resource, key, value } => config_changed(resource, key, value.as_deref()),
        ControllerEvent::FeatureLevelChanged { feature, level } => {
            format!("기능 {feature}의 레벨이 {} 변경되었습니다.", with_josa(&level.to_string(), Josa::Toward))
        }
        ControllerEvent::BrokerUnregistered { broker } => {
            format!("컨트롤러가 {}의 등록을 해제했습니다. 이제 클러스터에 속하지 않습니다.", named(*broker))
        }
        ControllerEvent::AlterPartitionRejected { partition, broker, error } => {
            format!("{partition}: 컨트롤러가 {}의 ISR 변경을 거부했습니다: {}.", named(*broker), error.name())
        }
    }
}

fn elected(
    partition: &TopicPartition,
    (leader, previous_leader): (BrokerId, Option<BrokerId>),
    leader_epoch: LeaderEpoch,
    isr: &[BrokerId],
    is_unclean: bool,
    reason: Option<ChangeReason>,
) -> String {
    let isr = brokers(isr);
    let because = reason.map_or_else(String::new, |reason| format!(" 이유: {}.", because(reason)));
    let loss = if is_unclean {
        " ISR에 없던 레플리카이므로, 이 레플리카에 없는 레코드는 유실됩니다."
    } else {
        ""
    };
    let leader_name = subject(&named(leader));
    match previous_leader.filter(|previous| *previous != leader) {
        Some(previous) => format!(
            "{partition}: {} 대신 {leader_name} 리더로 선출되었습니다 (에포크 {leader_epoch}, ISR {isr}).{because}{loss}",
            named(previous)
        ),
        None => format!("{partition}: {leader_name} 리더입니다 (에포크 {leader_epoch}, ISR {isr}).{because}{loss}"),
    }
}

fn config_changed(resource: &ConfigResource, key: &str, value: Option<&str>) -> String {
    let resource = match resource {
        ConfigResource::Topic(topic) => format!("토픽 {topic}"),
        ConfigResource::Broker(Some(broker)) => named(*broker),
        ConfigResource::Broker(None) => "모든 브로커".to_owned(),
    };
    match value {
        Some(value) => format!("{resource}: {key} 설정이 {} 변경되었습니다.", with_josa(value, Josa::Toward)),
        None => format!("{resource}: {key} 설정이 기본값으로 돌아갔습니다."),
    }
}

fn because(reason: ChangeReason) -> &'static str {
    match reason {
        ChangeReason::BrokerFenced => "브로커가 fenced 상태가 됨",
        ChangeReason::BrokerUnfenced => "브로커가 돌아옴",
        ChangeReason::ControlledShutdown => "브로커가 종료 중",
        ChangeReason::AlterPartition => "리더가 변경을 요청함",
        ChangeReason::LeaderRebalance => "선호 레플리카가 다시 리더를 맡음",
        ChangeReason::UncleanElection => "unclean 리더 선출이 켜져 있음",
        ChangeReason::ElectionByCommand => "명령으로 리더 선출을 요청함",
        ChangeReason::Reassignment => "레플리카를 옮기는 중",
        ChangeReason::BrokerUnregistered => "브로커 등록이 해제됨",
    }
}

fn broker(event: &BrokerEvent, node: &str) -> String {
    match event {
        BrokerEvent::Registered { broker_epoch } => {
            format!("{} 등록되었습니다 (브로커 에포크 {broker_epoch}).", subject(node))
        }
        BrokerEvent::BecameReady => format!("{} 클라이언트 요청을 받을 준비가 되었습니다.", subject(node)),
        BrokerEvent::BecameFenced => format!("{} 자신이 fenced 상태임을 알게 되었습니다.", subject(node)),
        BrokerEvent::ControlledShutdownStarted => format!("{} controlled shutdown을 시작했습니다.", subject(node)),
        BrokerEvent::ControlledShutdownCompleted => format!("{} controlled shutdown을 마쳤습니다.", subject(node)),
        BrokerEvent::ControlledShutdownFailed => {
            format!("{} 컨트롤러가 리더를 모두 옮기지 못했지만 그대로 종료합니다.", subject(node))
        }
        BrokerEvent::SessionExpired => {
            format!("{node}: ZooKeeper 세션이 만료되어 브로커 등록이 사라졌습니다.")
        }
        BrokerEvent::RegistrationRefused => {
            format!(
                "{} 시작할 수 없습니다. 이전 실행의 ZooKeeper 세션에 브로커 등록이 아직 남아 있습니다.",
                subject(node)
            )
        }
        BrokerEvent::ControllerFenced { controller, controller_epoch, error } => format!(
            "{} 에포크 {controller_epoch}의 컨트롤러인 {} 보낸 요청을 거부했습니다: {}.",
            subject(node),
            subject(&named(*controller)),
            error.name()
        ),
        BrokerEvent::BecameLeader { partition, leader_epoch, log_end_offset } => format!(
            "{} 에포크 {leader_epoch}에서 {partition}의 리더가 되었습니다 (로그 끝 오프셋 {log_end_offset}).",
            subject(node)
        ),
        BrokerEvent::BecameFollower { partition, leader: Some(leader), leader_epoch, log_end_offset } => format!(
            "{} 에포크 {leader_epoch}에서 {partition}의 리더인 {} 따릅니다 (로그 끝 오프셋 {log_end_offset}).",
            subject(node),
            object(&named(*leader))
        ),
        BrokerEvent::BecameFollower { partition, leader: None, leader_epoch, .. } => {
            format!("{}: 에포크 {leader_epoch}에서 {partition}의 리더가 없습니다.", node)
        }
        BrokerEvent::RecordsAppended { partition, first_offset, last_offset } => {
            format!("{} {partition}에 {} 추가했습니다.", subject(node), object(&offsets(*first_offset, *last_offset)))
        }
        BrokerEvent::RecordsReplicated { partition, first_offset, last_offset } => {
            format!(
                "{} {partition}의 {} 리더에게서 복제했습니다.",
                subject(node),
                object(&offsets(*first_offset, *last_offset))
            )
        }
        BrokerEvent::DuplicateFound { partition, first_offset, last_offset } => format!(
            "{} 프로듀서가 다시 보낸 배치를 {partition}에서 찾았습니다 ({}). 새로 추가하지 않았습니다.",
            subject(node),
            offsets(*first_offset, *last_offset)
        ),
        BrokerEvent::TornBatchCut { partition, log_end_offset, torn_bytes } => format!(
            "{} 전원이 끊긴 뒤 {partition} 로그를 복구했습니다. 쓰다 만 배치 {torn_bytes}바이트를 잘랐고, 로그 끝 오프셋은 \
             {log_end_offset}입니다.",
            subject(node)
        ),
        BrokerEvent::HighWatermarkAdvanced { partition, from, to } => format!(
            "{node}: {partition}의 하이 워터마크가 {from}에서 {} 올랐습니다.",
            with_josa(&to.to_string(), Josa::Toward)
        ),
        BrokerEvent::LogTruncated { partition, from, to, reason } => format!(
            "{} {partition} 로그를 로그 끝 오프셋 {from}에서 {} 잘랐습니다. 이유: {}.",
            subject(node),
            with_josa(&to.to_string(), Josa::Toward),
            truncated_because(*reason)
        ),
        BrokerEvent::SegmentsDeleted { partition, segments, log_start_offset, reason } => format!(
            "{} {partition}의 가장 오래된 세그먼트 {segments}개를 삭제했습니다. 이유: {}. 로그 시작 오프셋은 \
             {log_start_offset}입니다.",
            subject(node),
            deleted_because(*reason)
        ),
        BrokerEvent::LogCompacted { partition, from, to, records, bytes } => format!(
            "{} {partition} 로그를 오프셋 {to}까지 압축 정리했습니다 (이전: {from}까지). 레코드 {}개 중 {}개, {}바이트 중 \
             {}바이트가 남았습니다.",
            subject(node),
            records.0,
            records.1,
            bytes.0,
            bytes.1
        ),
        BrokerEvent::RecordsDeleted { partition, from, to } => {
            format!("{} 요청에 따라 {partition}의 오프셋 {from}부터 {to} 앞까지 레코드를 삭제했습니다.", subject(node))
        }
        BrokerEvent::IsrChangeProposed { partition, from, to } => format!(
            "{} {partition}의 ISR을 {}에서 {} 변경하도록 요청합니다.",
            subject(node),
            brokers(from),
            with_josa(&brokers(to), Josa::Toward)
        ),
        BrokerEvent::PreferredReadReplicaChosen { partition, replica, rack } => format!(
            "{} 랙 {rack}에 있는 컨슈머에게 {} {}에서 읽으라고 안내했습니다.",
            subject(node),
            object(&partition.to_string()),
            named(*replica)
        ),
        BrokerEvent::FetchSessionEvicted { session_id, partitions } => {
            format!(
                "{} 다른 페치 세션을 위해 세션 {session_id}번(파티션 {partitions}개)을 제거했습니다.",
                subject(node)
            )
        }
        BrokerEvent::ProduceRejected { partition, error } => {
            format!("{} {partition}에 온 레코드를 거부했습니다: {}.", subject(node), error.name())
        }
    }
}

fn deleted_because(reason: DeletionReason) -> String {
    match reason {
        DeletionReason::LogStartOffset => "로그 시작 오프셋보다 앞에 있습니다".to_owned(),
        DeletionReason::Size { retention_bytes } => format!("로그가 retention.bytes({retention_bytes})보다 큽니다"),
        DeletionReason::Time { retention_ms } => format!("레코드가 retention.ms({retention_ms})보다 오래되었습니다"),
    }
}

fn truncated_because(reason: TruncationReason) -> &'static str {
    match reason {
        TruncationReason::DivergingEpoch => "그 지점부터 리더의 로그와 다름",
        TruncationReason::HighWatermark => "하이 워터마크 아래의 레코드만 신뢰함",
        TruncationReason::OffsetOutOfRange => "리더의 오프셋 범위를 벗어남",
    }
}

fn zookeeper(event: &ZooKeeperEvent, node: &str) -> String {
    match event {
        ZooKeeperEvent::SessionCreated { client, timeout_ms, .. } => {
            let owner = with_josa(&session_owner(*client), Josa::And);
            format!("ZooKeeper가 {owner} 세션을 시작했습니다 (제한 시간 {timeout_ms}ms).")
        }
        ZooKeeperEvent::SessionClosed { session, ephemerals } => {
            format!("ZooKeeper 세션 {} 닫혔습니다.{}", subject(&format::session(*session)), vanished(ephemerals))
        }
        ZooKeeperEvent::SessionExpired { session, ephemerals } => {
            format!("ZooKeeper 세션 {} 만료되었습니다.{}", subject(&format::session(*session)), vanished(ephemerals))
        }
        ZooKeeperEvent::ControllerElected { controller_epoch } => {
            format!("{} 에포크 {controller_epoch}의 컨트롤러가 되었습니다.", subject(node))
        }
        ZooKeeperEvent::ControllerResigned { controller_epoch } => {
            format!("{} 컨트롤러에서 물러났습니다 (에포크 {controller_epoch}).", subject(node))
        }
    }
}

fn session_owner(client: NodeId) -> String {
    match client {
        NodeId::Server(id) => named(BrokerId(id)),
        NodeId::ZooKeeper | NodeId::Client(_) => client.to_string(),
    }
}

fn vanished(ephemerals: &[ZnodePath]) -> String {
    if ephemerals.is_empty() {
        String::new()
    } else {
        format!(" 함께 사라진 znode: {}.", format::paths(ephemerals))
    }
}

fn client(event: &ClientEvent, node: &str) -> String {
    match event {
        ClientEvent::BatchAcknowledged { partition, first_offset, last_offset, acks, .. } => format!(
            "{} {partition}의 {} 확인 응답을 받았습니다 (acks={}).",
            subject(node),
            offsets(*first_offset, *last_offset),
            format::acks(*acks)
        ),
        ClientEvent::RecordFailed { topic, failure, .. } => {
            format!("{} {topic}에 보낼 레코드를 포기했습니다: {}", subject(node), failure_text(topic, failure))
        }
        ClientEvent::RecordConsumed { partition, offset, record, .. } => format!(
            "{} {partition} 오프셋 {} 소비했습니다: {} = {}.",
            subject(node),
            object(&offset.to_string()),
            format::excerpt(record.key.as_ref()),
            format::excerpt(record.value.as_ref())
        ),
        ClientEvent::PositionReset { partition, offset } => {
            format!("{} {} 오프셋 {offset}부터 읽습니다.", subject(node), object(&partition.to_string()))
        }
        ClientEvent::LeaderDiscovered { partition, leader, leader_epoch } => format!(
            "{} {partition}의 리더가 {}임을 알게 되었습니다 (에포크 {leader_epoch}).",
            subject(node),
            named(*leader)
        ),
        ClientEvent::Logged(log) => format!("{node}의 로그: {}", logged(log)),
        ClientEvent::ConsumerTimedOut => format!("{} 정해진 시간 안에 레코드가 오지 않아 끝났습니다.", subject(node)),
        ClientEvent::ConsumerFinished { messages } => {
            format!("{} 레코드 {messages}개를 읽고 끝났습니다.", subject(node))
        }
        ClientEvent::ConsumerFailed { exception, message } => {
            format!("{} 실패했습니다: {exception}: {message}", subject(node))
        }
        ClientEvent::TopicCreated(topic) => format!("{} 토픽 {} 생성했습니다.", subject(node), object(topic.as_str())),
        ClientEvent::TopicsListed(topics) => format!("{} 토픽 {}개의 목록을 받았습니다.", subject(node), topics.len()),
        ClientEvent::TopicsDescribed(topics) => {
            format!("{} 토픽 {}개의 상세 정보를 받았습니다.", subject(node), topics.len())
        }
        ClientEvent::AdminAnswered(answer) => format!("{} {}", subject(node), administered(answer)),
        ClientEvent::AdminFailed(failure) => {
            format!("{} 실패했습니다: {}", subject(node), admin_failure_text(failure))
        }
    }
}

fn administered(answer: &AdminAnswer) -> String {
    match answer {
        AdminAnswer::Offsets { found, .. } => format!("파티션 {}개의 오프셋을 알아냈습니다.", found.len()),
        AdminAnswer::RecordsDeleted(results) => {
            let done = results.iter().filter(|(_, result)| result.is_ok()).count();
            format!("파티션 {done}개의 레코드를 삭제했습니다.")
        }
        AdminAnswer::LogDirs(brokers) => format!("브로커 {}개의 로그 디렉터리 정보를 받았습니다.", brokers.len()),
        AdminAnswer::ApiVersions(brokers) => format!("브로커 {}개가 지원하는 요청을 알아냈습니다.", brokers.len()),
        AdminAnswer::ZooKeeper(told) => zookeeper_told(told).to_owned(),
        AdminAnswer::ClusterId(id) => format!("클러스터 ID를 알아냈습니다: {id}."),
        AdminAnswer::BrokerUnregistered(broker) => format!("브로커 {broker}의 등록을 해제했습니다."),
        AdminAnswer::Features { supported, .. } => format!("기능 {}개의 레벨을 알아냈습니다.", supported.len()),
        AdminAnswer::FeaturesUpdated(results) => {
            let done = results.iter().filter(|(_, failure)| failure.is_none()).count();
            format!("기능 {done}개의 레벨을 바꿨습니다.")
        }
        AdminAnswer::Quorum { quorum, .. } => {
            let (voters, observers) = (quorum.voters.len(), quorum.observers.len());
            format!("쿼럼의 투표자 {voters}개와 옵서버 {observers}개를 확인했습니다.")
        }
        AdminAnswer::LeadersElected { results, .. } => {
            let elected = results.iter().filter(|result| result.error.is_none()).count();
            format!("파티션 {elected}개의 리더를 새로 선출하게 했습니다.")
        }
        AdminAnswer::Reassignment(outcome) => reassigned(outcome),
        AdminAnswer::Configs(ConfigsOutcome::Described { described, .. }) => {
            format!("토픽 또는 브로커 {}개의 설정을 알아냈습니다.", described.len())
        }
        AdminAnswer::Configs(ConfigsOutcome::Altered(resource)) => {
            format!("{}의 설정을 바꾸었습니다.", configured(resource))
        }
    }
}

fn zookeeper_told(told: &ZooKeeperTold) -> &'static str {
    match told {
        ZooKeeperTold::Connected => "ZooKeeper에 연결되었습니다.",
        ZooKeeperTold::Disconnected { .. } => "ZooKeeper와 연결이 끊겼거나 연결하지 못했습니다.",
        ZooKeeperTold::Ended { found: Ok(_), .. } => "명령을 처리했습니다.",
        ZooKeeperTold::Ended { found: Err(_), .. } => "명령을 처리하지 못했습니다.",
        ZooKeeperTold::Closed => "ZooKeeper 세션을 닫았습니다.",
        ZooKeeperTold::Exiting(_) => "할 일을 마쳤습니다.",
    }
}

fn configured(resource: &ConfigResource) -> String {
    match resource {
        ConfigResource::Topic(topic) => format!("토픽 {topic}"),
        ConfigResource::Broker(Some(broker)) => format!("브로커 {broker}"),
        ConfigResource::Broker(None) => "모든 브로커".to_owned(),
    }
}

fn reassigned(outcome: &ReassignOutcome) -> String {
    match outcome {
        ReassignOutcome::Listed(ongoing) => format!("재할당 중인 파티션 {}개를 확인했습니다.", ongoing.len()),
        ReassignOutcome::Proposed { proposed, .. } => {
            format!("파티션 {}개의 레플리카 배치를 제안했습니다.", proposed.len())
        }
        ReassignOutcome::Started { before, refused } => {
            format!("파티션 {}개의 재할당을 시작했습니다.", before.len().saturating_sub(refused.len()))
        }
        ReassignOutcome::Verified { progress, .. } => {
            format!("파티션 {}개의 재할당 진행 상황을 확인했습니다.", progress.len())
        }
        ReassignOutcome::Cancelled { partitions, .. } => {
            format!("파티션 {}개의 재할당을 취소했습니다.", partitions.len())
        }
    }
}

fn logged(log: &ClientLog) -> String {
    match log {
        ClientLog::ConnectionNotEstablished { node, endpoint } => {
            format!("노드 {node} ({endpoint})에 연결하지 못했습니다.")
        }
        ClientLog::BootstrapBrokerDisconnected { endpoint, .. } => {
            format!("부트스트랩 브로커 {} 연결이 끊겼습니다.", with_josa(&endpoint.to_string(), Josa::And))
        }
        ClientLog::MetadataIssue { topics, .. } => {
            let issues: Vec<String> = topics.iter().map(|(topic, error)| format!("{topic}={}", error.name())).collect();
            format!("메타데이터에 일시적일 수 있는 문제가 있습니다: {}.", issues.join(", "))
        }
        ClientLog::InvalidTopics(topics) => {
            let names: Vec<&str> = topics.iter().map(wire::TopicName::as_str).collect();
            format!("메타데이터 응답에 잘못된 토픽이 있습니다: {}.", names.join(", "))
        }
        ClientLog::ProduceRetried { partition, error, .. } | ClientLog::ProduceSplit { partition, error, .. } => {
            format!("{}: {partition}에 다시 보냅니다.", error.name())
        }
        ClientLog::ProduceMetadataError { partition, error, .. } => {
            format!("{}: {partition}의 메타데이터가 오래되었습니다.", error.name())
        }
        ClientLog::ProduceUnknownPartition(partition) => {
            format!("쓰기 요청을 받은 브로커가 {} 모릅니다.", object(&partition.to_string()))
        }
        ClientLog::FetchUnknownPartition(partition) => {
            format!("읽기 요청을 받은 브로커가 {} 모릅니다.", object(&partition.to_string()))
        }
        ClientLog::FetchUnknownTopicId(partition) => {
            format!("읽기 요청을 받은 브로커가 {partition}의 토픽 id를 모릅니다.")
        }
        ClientLog::DisconnectedByTimeout { node } => format!("시간이 초과되어 노드 {node}의 연결을 끊었습니다."),
        ClientLog::NotABroker => "이 서버는 브로커가 아니라 컨트롤러입니다.".to_owned(),
    }
}

/// Brokers by their ids, or that there are none.
fn brokers(ids: &[BrokerId]) -> String {
    if ids.is_empty() { "없음".to_owned() } else { format::broker_ids(ids) }
}

fn offsets(first: Offset, last: Offset) -> String {
    if first == last { format!("오프셋 {first}") } else { format!("오프셋 {first}~{last}") }
}
