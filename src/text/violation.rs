//! What was found broken, in a sentence.

use super::Language;
use super::josa::{Josa, with_josa};
use sim::checkers::violation::{Details, Number};

/// What is wrong.
pub(crate) fn violation_sentence(details: &Details, language: Language) -> String {
    match language {
        Language::English => english(details),
        Language::Korean => korean(details),
    }
}

fn english(details: &Details) -> String {
    match details {
        Details::LogsDiffer { broker, other, offset } => {
            format!("The logs of brokers {broker} and {other} differ at offset {offset}.")
        }
        Details::Lacks { broker, log_end_offset, offset, leader_epoch } => format!(
            "Broker {broker} lacks records below offset {offset} (epoch {leader_epoch}); its log ends at {log_end_offset}."
        ),
        Details::DoesNotWaitFor { leader, broker } => format!("Leader {leader} does not wait for broker {broker}."),
        Details::NotProposed { in_sync } => {
            format!("The {in_sync} in-sync replicas were changed by a proposal that was made for others.")
        }
        Details::NotAsProposed(broker) => {
            format!("Broker {broker} is in the ISR by a proposal, but has gone or registered anew since.")
        }
        Details::LaggardStays { leader, broker } => {
            format!("Leader {leader} keeps broker {broker} in the ISR although it lags.")
        }
        Details::RecordsLost { first_offset, last_offset } => {
            format!("Acknowledged offsets {first_offset} to {last_offset} are lost.")
        }
        Details::ReadDiffers { offset } => {
            format!("A consumer read something else at offset {offset} than the leader has.")
        }
        Details::CompactedTooFar { broker, to, limit } => {
            format!("Broker {broker} compacted its log up to offset {to}, but may only up to {limit}.")
        }
        Details::CompactedAway { broker, offset } => {
            format!("Broker {broker} lost the last record of a key, at offset {offset}.")
        }
        Details::NotCompacted { broker, offset } => {
            format!("Broker {broker} compacted its log, but kept offset {offset}, which is not the last of its key.")
        }
        Details::LeaderOutOfSync(leader) => format!("Leader {leader} is not in the ISR."),
        Details::ElectedOutOfSync(leader) => {
            format!("Leader {leader} was not in the ISR, and unclean elections are not allowed.")
        }
        Details::MisplacedMember(broker) => {
            format!("Broker {broker} is no replica, is listed twice, or is both in the ISR and in the ELR.")
        }
        Details::InactiveMember(broker) => {
            format!("Broker {broker} leads or is in the ISR although it is fenced or shutting down.")
        }
        Details::NobodyInSync => "ISR and ELR are empty.".to_owned(),
        Details::NeedlessEligible => "The ISR is large enough, but the ELR is not empty.".to_owned(),
        Details::Fell { node, number, from, to } => {
            format!("{} fell from {from} to {to} on process {node}.", english_number(*number))
        }
        Details::OutOfOrder { broker, log_start_offset, last_stable_offset, high_watermark, log_end_offset } => {
            format!(
                "On broker {broker} the log starts at {log_start_offset} and ends at {log_end_offset}, with last stable offset {last_stable_offset} and high watermark {high_watermark}."
            )
        }
        Details::DoesNotAscend { broker, offset } => {
            format!("Offsets or epochs do not ascend on broker {broker} at offset {offset}.")
        }
        Details::TwoLeaders { one, other, leader_epoch } => {
            format!("Processes {one} and {other} both lead in epoch {leader_epoch}.")
        }
        Details::ObeyedForEarlierRun { broker, controller } => format!(
            "Broker {broker} obeyed a request of controller {controller} that was meant for its earlier registration."
        ),
        Details::VotedTwice { voter, candidate, leader_epoch } => {
            format!("Process {voter} voted once more in epoch {leader_epoch}, for {candidate}.")
        }
        Details::VotedForWhoIsBehind { voter, candidate } => {
            format!("Process {voter} voted for {candidate}, whose metadata log is behind its own.")
        }
        Details::RoseBelowMinIsr { broker, isr, min_isr } => {
            format!("Leader {broker} raised the high watermark with {isr} in sync, where {min_isr} are needed.")
        }
        Details::NotAPrefix { node, offset } => {
            format!("The metadata log of process {node} differs from the committed one at offset {offset}.")
        }
        Details::NoSnapshot { node, log_start_offset } => {
            format!("No snapshot on process {node} ends at {log_start_offset}, where its metadata log begins.")
        }
        Details::NotOnMajority { voters, committed } => {
            format!("Metadata below offset {committed} counts as committed, but only {voters} voters have it.")
        }
        Details::NotCommitted { last_offset, committed } => {
            format!("Offset {last_offset} was acknowledged, but only what lies below {committed} is committed.")
        }
        Details::NotGivenUp { producer, given_up_at } => {
            format!("Producer {producer} still waits for what it should have given up at {given_up_at} s.")
        }
    }
}

fn english_number(number: Number) -> &'static str {
    match number {
        Number::LeaderEpoch => "The leader epoch",
        Number::PartitionEpoch => "The partition epoch",
        Number::BrokerEpoch => "The broker epoch",
        Number::HighWatermark => "The high watermark",
        Number::LastStableOffset => "The last stable offset",
        Number::LogStartOffset => "The log start offset",
        Number::ControllerEpoch => "The controller epoch",
        Number::MetadataHighWatermark => "The metadata log's high watermark",
        Number::QuorumEpoch => "The quorum's epoch",
    }
}

fn korean(details: &Details) -> String {
    match details {
        Details::LogsDiffer { broker, other, offset } => {
            let brokers = format!("{} {other}", with_josa(&format!("브로커 {broker}"), Josa::And));
            format!("{brokers}의 로그가 오프셋 {offset}에서 서로 다릅니다.")
        }
        Details::Lacks { broker, log_end_offset, offset, leader_epoch } => format!(
            "브로커 {broker}에 오프셋 {offset} 앞의 레코드가 없습니다 (에포크 {leader_epoch}). 로그가 {log_end_offset}에서 끝납니다."
        ),
        Details::DoesNotWaitFor { leader, broker } => {
            let broker = with_josa(&format!("브로커 {broker}"), Josa::Object);
            format!("{} {broker} 기다리지 않습니다.", with_josa(&format!("리더 {leader}"), Josa::Subject))
        }
        Details::NotProposed { in_sync } => {
            format!("다른 ISR을 두고 한 제안이 지금의 ISR({in_sync}개)을 바꾸었습니다.")
        }
        Details::NotAsProposed(broker) => format!(
            "{} 제안으로 ISR에 들어왔지만 그사이 종료되었거나 다시 등록했습니다.",
            with_josa(&format!("브로커 {broker}"), Josa::Subject)
        ),
        Details::LaggardStays { leader, broker } => {
            let broker = with_josa(&format!("브로커 {broker}"), Josa::Object);
            format!("{} 뒤처진 {broker} ISR에서 빼지 않습니다.", with_josa(&format!("리더 {leader}"), Josa::Subject))
        }
        Details::RecordsLost { first_offset, last_offset } => {
            format!("전송이 확인된 오프셋 {first_offset}~{last_offset}의 레코드가 유실되었습니다.")
        }
        Details::ReadDiffers { offset } => {
            format!("컨슈머가 오프셋 {offset}에서 읽은 레코드가 리더의 레코드와 다릅니다.")
        }
        Details::CompactedTooFar { broker, to, limit } => {
            format!("브로커 {broker}의 압축 정리가 오프셋 {limit}까지만 가능한데 {to}까지 진행되었습니다.")
        }
        Details::CompactedAway { broker, offset } => {
            format!("브로커 {broker}에서 오프셋 {offset}에 있던 어느 키의 마지막 레코드가 사라졌습니다.")
        }
        Details::NotCompacted { broker, offset } => {
            format!("브로커 {broker}의 압축 정리 뒤에도 키의 마지막이 아닌 오프셋 {offset}의 레코드가 남아 있습니다.")
        }
        Details::LeaderOutOfSync(leader) => {
            format!("{} ISR에 없습니다.", with_josa(&format!("리더 {leader}"), Josa::Subject))
        }
        Details::ElectedOutOfSync(leader) => format!(
            "{} ISR에 없었는데 선출되었습니다. unclean 선출은 허용되지 않았습니다.",
            with_josa(&format!("리더 {leader}"), Josa::Subject)
        ),
        Details::MisplacedMember(broker) => format!(
            "{} 레플리카가 아니거나, 두 번 들어 있거나, ISR과 ELR에 함께 들어 있습니다.",
            with_josa(&format!("브로커 {broker}"), Josa::Subject)
        ),
        Details::InactiveMember(broker) => format!(
            "{} fenced 상태이거나 종료 중인데 리더이거나 ISR에 있습니다.",
            with_josa(&format!("브로커 {broker}"), Josa::Subject)
        ),
        Details::NobodyInSync => "ISR과 ELR이 모두 비어 있습니다.".to_owned(),
        Details::NeedlessEligible => "ISR이 충분한데 ELR이 비어 있지 않습니다.".to_owned(),
        Details::Fell { node, number, from, to } => {
            let number = with_josa(korean_number(*number), Josa::Subject);
            format!("프로세스 {node}에서 {number} {from}에서 {} 줄었습니다.", with_josa(&to.to_string(), Josa::Toward))
        }
        Details::OutOfOrder { broker, log_start_offset, last_stable_offset, high_watermark, log_end_offset } => {
            format!(
                "브로커 {broker}의 로그 시작은 {log_start_offset}, 마지막 안정 오프셋은 {last_stable_offset}, 하이 워터마크는 {high_watermark}, 로그 끝은 {log_end_offset}입니다."
            )
        }
        Details::DoesNotAscend { broker, offset } => {
            format!("브로커 {broker}의 오프셋 {offset}에서 오프셋이나 에포크가 커지지 않습니다.")
        }
        Details::TwoLeaders { one, other, leader_epoch } => {
            let one = with_josa(&format!("프로세스 {one}"), Josa::And);
            format!("{one} {} 모두 에포크 {leader_epoch}의 리더입니다.", with_josa(&other.to_string(), Josa::Subject))
        }
        Details::ObeyedForEarlierRun { broker, controller } => format!(
            "{} 이전 등록에 보낸 컨트롤러 {controller}의 요청을 따랐습니다.",
            with_josa(&format!("브로커 {broker}"), Josa::Subject)
        ),
        Details::VotedTwice { voter, candidate, leader_epoch } => format!(
            "{} 에포크 {leader_epoch}에서 {candidate}에 한 번 더 투표했습니다.",
            with_josa(&format!("프로세스 {voter}"), Josa::Subject)
        ),
        Details::VotedForWhoIsBehind { voter, candidate } => format!(
            "{} 자기보다 메타데이터 로그가 뒤처진 {candidate}에 투표했습니다.",
            with_josa(&format!("프로세스 {voter}"), Josa::Subject)
        ),
        Details::RoseBelowMinIsr { broker, isr, min_isr } => format!(
            "ISR이 {min_isr}개여야 하는데 {isr}개일 때 {} 하이 워터마크를 올렸습니다.",
            with_josa(&format!("리더 {broker}"), Josa::Subject)
        ),
        Details::NotAPrefix { node, offset } => {
            format!("프로세스 {node}의 메타데이터 로그가 커밋된 로그와 오프셋 {offset}에서 다릅니다.")
        }
        Details::NoSnapshot { node, log_start_offset } => {
            format!(
                "프로세스 {node}의 메타데이터 로그는 {log_start_offset}에서 시작하지만, 그곳에서 끝나는 스냅샷이 없습니다."
            )
        }
        Details::NotOnMajority { voters, committed } => {
            format!("오프셋 {committed} 앞의 메타데이터가 커밋되었다고 하지만 투표자 {voters}개에만 있습니다.")
        }
        Details::NotCommitted { last_offset, committed } => format!(
            "오프셋 {} 전송 확인을 받았지만 커밋된 것은 {committed} 앞까지입니다.",
            with_josa(&last_offset.to_string(), Josa::Topic)
        ),
        Details::NotGivenUp { producer, given_up_at } => format!(
            "{} {given_up_at}초에 포기했어야 할 레코드를 아직 기다립니다.",
            with_josa(&format!("프로듀서 {producer}"), Josa::Subject)
        ),
    }
}

fn korean_number(number: Number) -> &'static str {
    match number {
        Number::LeaderEpoch => "리더 에포크",
        Number::PartitionEpoch => "파티션 에포크",
        Number::BrokerEpoch => "브로커 에포크",
        Number::HighWatermark => "하이 워터마크",
        Number::LastStableOffset => "마지막 안정 오프셋",
        Number::LogStartOffset => "로그 시작 오프셋",
        Number::ControllerEpoch => "컨트롤러 에포크",
        Number::MetadataHighWatermark => "메타데이터 로그의 하이 워터마크",
        Number::QuorumEpoch => "쿼럼 에포크",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{BrokerId, Offset};

    #[test]
    fn what_is_wrong_is_said_with_its_numbers() {
        let details = Details::LogsDiffer { broker: BrokerId(2), other: BrokerId(3), offset: Offset(7) };
        assert_eq!(violation_sentence(&details, Language::English), "The logs of brokers 2 and 3 differ at offset 7.");
        assert_eq!(violation_sentence(&details, Language::Korean), "브로커 2와 3의 로그가 오프셋 7에서 서로 다릅니다.");
    }
}
