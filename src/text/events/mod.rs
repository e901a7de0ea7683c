//! What happened, as sentences in plain words. The names of Kafka's states and errors stay as they are.

mod english;
mod korean;

use super::Language;
use kafka::event::EventKind;

/// The sentence for one event; `node` is the name of the process that noted it.
pub(crate) fn event_sentence(kind: &EventKind, node: &str, language: Language) -> String {
    match language {
        Language::English => english::sentence(kind, node),
        Language::Korean => korean::sentence(kind, node),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka::event::{BrokerEvent, ChangeReason, ControllerEvent, OperatorEvent};
    use wire::{BrokerId, LeaderEpoch, Offset, PartitionIndex, TopicName, TopicPartition};

    fn partition() -> TopicPartition {
        TopicPartition::new(TopicName::new("orders"), PartitionIndex(1))
    }

    #[test]
    fn an_election_tells_who_follows_whom_and_why() {
        let event = EventKind::Controller(ControllerEvent::LeaderElected {
            partition: partition(),
            leader: BrokerId(2),
            previous_leader: Some(BrokerId(1)),
            leader_epoch: LeaderEpoch(1),
            isr: vec![BrokerId(2), BrokerId(3)],
            is_unclean: false,
            reason: Some(ChangeReason::BrokerFenced),
        });
        assert_eq!(
            event_sentence(&event, "controller 100", Language::English),
            "orders-1: broker 2 was elected leader in place of broker 1 (epoch 1, ISR 2, 3), because a broker was fenced."
        );
        assert_eq!(
            event_sentence(&event, "컨트롤러 100", Language::Korean),
            "orders-1: 브로커 1 대신 브로커 2가 리더로 선출되었습니다 (에포크 1, ISR 2, 3). 이유: 브로커가 fenced 상태가 됨."
        );
    }

    #[test]
    fn where_no_broker_is_left_that_is_said() {
        let event = |from, to| {
            EventKind::Controller(ControllerEvent::EligibleLeadersChanged { partition: partition(), from, to })
        };
        assert_eq!(
            event_sentence(&event(vec![], vec![BrokerId(2)]), "controller 100", Language::English),
            "orders-1: the eligible leader replicas outside the ISR changed from none to 2."
        );
        assert_eq!(
            event_sentence(&event(vec![BrokerId(2)], vec![]), "컨트롤러 100", Language::Korean),
            "orders-1: ISR 밖에서 리더가 될 수 있는 레플리카(ELR)가 2에서 없음으로 변경되었습니다."
        );
    }

    #[test]
    fn korean_particles_follow_the_name_before_them() {
        let killed = EventKind::Operator(OperatorEvent::ProcessKilled);
        assert_eq!(event_sentence(&killed, "브로커 2", Language::Korean), "브로커 2를 강제 종료했습니다 (SIGKILL).");
        assert_eq!(event_sentence(&killed, "브로커 3", Language::Korean), "브로커 3을 강제 종료했습니다 (SIGKILL).");
    }

    #[test]
    fn one_record_is_told_by_its_offset_and_several_by_their_range() {
        let appended = |last| {
            let event = BrokerEvent::RecordsAppended {
                partition: partition(),
                first_offset: Offset(5),
                last_offset: Offset(last),
            };
            event_sentence(&EventKind::Broker(event), "broker 1", Language::English)
        };
        assert_eq!(appended(5), "Broker 1 appended offset 5 to orders-1.");
        assert_eq!(appended(7), "Broker 1 appended offsets 5 to 7 to orders-1.");
    }
}
