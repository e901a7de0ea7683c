//! What must always hold, one sentence for each checker; and what became of a promise to a producer.

use super::Language;
use crate::view::format;
use sim::Checker;
use sim::ledger::{Promise, Verdict};

/// What a checker is called: a few words, not translated further than its sentence.
pub(crate) fn checker_name(checker: Checker, language: Language) -> &'static str {
    let (english, korean) = match checker {
        Checker::LogMatching => ("Log matching", "로그 일치"),
        Checker::WeakIsr => ("Leader's ISR complete", "리더가 아는 ISR의 완전성"),
        Checker::StrongIsr => ("Controller's ISR complete", "컨트롤러가 아는 ISR의 완전성"),
        Checker::LaggardsLeave => ("Laggards leave the ISR", "뒤처지면 ISR에서 빠짐"),
        Checker::QuorumSuperset => ("Leader waits for the ISR", "리더는 ISR을 기다림"),
        Checker::LeaderCompleteness => ("Leader completeness", "리더 완전성"),
        Checker::AcknowledgedRecords => ("Acknowledged records stay", "확인된 레코드 보존"),
        Checker::ConsistentRead => ("Consistent reads", "일관된 읽기"),
        Checker::IsrStructure => ("ISR and leader fit", "ISR과 리더의 정합성"),
        Checker::Compaction => ("Latest value of a key", "키의 마지막 값 보존"),
        Checker::MonotoneNumbers => ("Numbers never fall", "번호는 줄지 않음"),
        Checker::OffsetOrder => ("Order of offsets", "오프셋 순서"),
        Checker::EpochCache => ("Ascending epochs", "에포크 증가"),
        Checker::OneLeaderPerEpoch => ("One leader per epoch", "에포크마다 한 리더"),
        Checker::HighWatermarkFrozen => ("min.insync.replicas", "min.insync.replicas"),
        Checker::MetadataPrefix => ("One metadata log", "하나의 메타데이터 로그"),
        Checker::Quorum => ("Controller elections", "컨트롤러 선거"),
        Checker::AcksAllCommitted => ("acks=all means committed", "acks=all은 커밋을 뜻함"),
        Checker::DeliveryTimeout => ("delivery.timeout.ms", "delivery.timeout.ms"),
        Checker::OneController => ("One ZooKeeper controller", "ZooKeeper 컨트롤러는 하나"),
    };
    match language {
        Language::English => english,
        Language::Korean => korean,
    }
}

/// What an acknowledgement was worth when it was given.
pub(crate) fn promise_sentence(promise: Promise, language: Language) -> String {
    let Promise { acks, replicas, in_sync } = promise;
    let acks = format::acks(acks);
    match language {
        Language::English => format!("acks={acks}, {in_sync} of {replicas} replicas in sync"),
        Language::Korean => format!("acks={acks}, 레플리카 {replicas}개 중 {in_sync}개가 ISR"),
    }
}

/// Whether losing a record broke a promise, and if not, why not.
pub(crate) fn verdict_sentence(verdict: Verdict, language: Language) -> &'static str {
    let (english, korean) = match verdict {
        Verdict::PromiseBroken => ("Kafka promises that this does not happen.", "Kafka는 이런 일이 없다고 약속합니다."),
        Verdict::AcksLeader => {
            ("Allowed by acks=1: the leader alone had answered.", "acks=1이라 리더 혼자 응답했으므로 허용됩니다.")
        }
        Verdict::SingleReplica => {
            ("Allowed: the partition has a single replica.", "파티션의 레플리카가 하나뿐이므로 허용됩니다.")
        }
        Verdict::OneInSyncReplica => (
            "Allowed by min.insync.replicas: a single replica was in sync when it was committed.",
            "커밋될 때 ISR이 하나뿐이었고 min.insync.replicas가 이를 허용했습니다.",
        ),
        Verdict::UncleanElection => (
            "Allowed by unclean.leader.election.enable: a replica without it was elected.",
            "unclean.leader.election.enable 설정에 따라 이 레코드가 없는 레플리카가 선출되었습니다.",
        ),
        Verdict::PowerLoss => (
            "Allowed: who was still in the ISR lost its power before it was flushed.",
            "ISR에 남아 있던 레플리카가 플러시하기 전에 전원이 끊겼으므로 허용됩니다.",
        ),
        Verdict::DiskRemoved => (
            "Allowed: the disk of who was still in the ISR was taken away.",
            "ISR에 남아 있던 레플리카의 디스크가 제거되었으므로 허용됩니다.",
        ),
        Verdict::ReassignmentCancelled => (
            "Allowed: a reassignment was cancelled when only its new replicas were in the ISR.",
            "ISR에 새 레플리카만 남은 상태에서 재할당이 취소되었으므로 허용됩니다.",
        ),
    };
    match language {
        Language::English => english,
        Language::Korean => korean,
    }
}

/// What a checker sees to.
pub(crate) fn checker_sentence(checker: Checker, language: Language) -> &'static str {
    match language {
        Language::English => english(checker),
        Language::Korean => korean(checker),
    }
}

fn english(checker: Checker) -> &'static str {
    match checker {
        Checker::LogMatching => {
            "Where two replicas have the same epoch at the same offset, their logs are the same up to there."
        }
        Checker::WeakIsr => "The in-sync replicas that a leader knows have everything below its high watermark.",
        Checker::StrongIsr => {
            "The in-sync replicas that the controller knows have everything that any leader has committed."
        }
        Checker::LaggardsLeave => {
            "A leader takes a replica that lags for longer than replica.lag.time.max.ms out of the ISR."
        }
        Checker::QuorumSuperset => {
            "A leader waits for at least those replicas that the controller has in the ISR or ELR."
        }
        Checker::LeaderCompleteness => "A new leader has every committed record.",
        Checker::AcknowledgedRecords => "A record acknowledged with acks=all by enough in-sync replicas is never lost.",
        Checker::ConsistentRead => "What a consumer has read at an offset is what the leader has there.",
        Checker::IsrStructure => {
            "Every leader is an in-sync replica, and every in-sync replica an active one of the partition."
        }
        Checker::Compaction => "Compaction keeps the last record of each key, at its offset.",
        Checker::MonotoneNumbers => {
            "Epochs never fall, nor do a leader's high watermark and last stable offset while it leads."
        }
        Checker::OffsetOrder => {
            "Log start offset ≤ last stable offset ≤ high watermark ≤ log end offset, on every replica."
        }
        Checker::EpochCache => "Offsets and epochs ascend along every log.",
        Checker::OneLeaderPerEpoch => "A partition has at most one leader in each leader epoch.",
        Checker::HighWatermarkFrozen => {
            "The high watermark does not advance while fewer than min.insync.replicas are in sync."
        }
        Checker::MetadataPrefix => "Every server's metadata log is a prefix of the committed one.",
        Checker::Quorum => {
            "There is at most one active controller in each epoch; each voter of a quorum votes once, for a log that is not behind."
        }
        Checker::AcksAllCommitted => "A producer with acks=all is answered only once its records are committed.",
        Checker::DeliveryTimeout => {
            "Whatever a producer sends is acknowledged, refused or given up within delivery.timeout.ms."
        }
        Checker::OneController => {
            "In ZooKeeper, only the controller of the latest controller epoch writes the state of partitions and is obeyed."
        }
    }
}

fn korean(checker: Checker) -> &'static str {
    match checker {
        Checker::LogMatching => "두 레플리카의 같은 오프셋에 같은 에포크가 있으면, 그 앞의 로그도 모두 같습니다.",
        Checker::WeakIsr => "리더가 아는 ISR의 레플리카에는 리더의 하이 워터마크 아래 레코드가 모두 있습니다.",
        Checker::StrongIsr => "컨트롤러가 아는 ISR의 레플리카에는 어느 리더가 커밋한 레코드든 모두 있습니다.",
        Checker::LaggardsLeave => "리더는 replica.lag.time.max.ms보다 오래 뒤처진 레플리카를 ISR에서 뺍니다.",
        Checker::QuorumSuperset => "리더는 적어도 컨트롤러가 ISR이나 ELR로 아는 레플리카 모두를 기다립니다.",
        Checker::LeaderCompleteness => "새 리더에는 커밋된 레코드가 모두 있습니다.",
        Checker::AcknowledgedRecords => "충분한 ISR이 acks=all로 응답한 레코드는 유실되지 않습니다.",
        Checker::ConsistentRead => "컨슈머가 어느 오프셋에서 읽은 레코드는 리더의 그 오프셋에 있는 레코드와 같습니다.",
        Checker::IsrStructure => "리더는 항상 ISR에 있고, ISR에는 그 파티션의 활성 레플리카만 있습니다.",
        Checker::Compaction => "로그 압축 정리는 키마다 마지막 레코드를 제 오프셋에 남깁니다.",
        Checker::MonotoneNumbers => {
            "에포크는 줄지 않으며, 한 리더의 하이 워터마크와 마지막 안정 오프셋도 리더로 있는 동안 줄지 않습니다."
        }
        Checker::OffsetOrder => {
            "모든 레플리카에서 로그 시작 오프셋 ≤ 마지막 안정 오프셋 ≤ 하이 워터마크 ≤ 로그 끝 오프셋입니다."
        }
        Checker::EpochCache => "모든 로그에서 오프셋과 에포크는 뒤로 갈수록 커집니다.",
        Checker::OneLeaderPerEpoch => "파티션의 리더는 리더 에포크마다 많아야 하나입니다.",
        Checker::HighWatermarkFrozen => "ISR이 min.insync.replicas보다 적은 동안 하이 워터마크는 올라가지 않습니다.",
        Checker::MetadataPrefix => "모든 서버의 메타데이터 로그는 커밋된 메타데이터 로그의 앞부분과 같습니다.",
        Checker::Quorum => {
            "활성 컨트롤러는 에포크마다 많아야 하나이고, 쿼럼의 각 투표자는 에포크마다 한 번만, 로그가 뒤처지지 않은 후보에 투표합니다."
        }
        Checker::AcksAllCommitted => "acks=all 프로듀서는 레코드가 커밋된 뒤에만 응답을 받습니다.",
        Checker::DeliveryTimeout => {
            "프로듀서가 보낸 레코드는 delivery.timeout.ms 안에 확인되거나 거부되거나 전송이 포기됩니다."
        }
        Checker::OneController => {
            "ZooKeeper에는 최신 컨트롤러 에포크의 컨트롤러만 파티션 상태를 쓰고, 브로커는 그 지시만 따릅니다."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_checker_has_a_sentence_of_its_own_in_each_language() {
        for language in Language::ALL {
            let sentences: BTreeSet<_> =
                Checker::ALL.into_iter().map(|checker| checker_sentence(checker, language)).collect();
            assert_eq!(sentences.len(), Checker::ALL.len());
        }
    }
}
