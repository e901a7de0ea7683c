//! What the page is, and what it does not simulate: said on the screen, never faked.

use super::Language;

/// The text of the panel.
pub(crate) struct About {
    pub(crate) intro: &'static str,
    pub(crate) honest: &'static str,
    pub(crate) left_out_title: &'static str,
    pub(crate) left_out: &'static [&'static str],
    pub(crate) different_title: &'static str,
    pub(crate) different: &'static [&'static str],
}

/// The panel's text in that language.
pub(crate) fn about(language: Language) -> &'static About {
    match language {
        Language::English => &ENGLISH,
        Language::Korean => &KOREAN,
    }
}

const ENGLISH: About = About {
    intro: "Kafkascope runs brokers, KRaft controllers or ZooKeeper, producers, consumers and Kafka's tools as state machines inside this tab. Behaviour, defaults, error codes and the tools' output follow Apache Kafka 3.9. Nothing is sent to a server.",
    honest: "Nothing moves for show: a dot is a message, and its place follows from when it was sent and when it will arrive. The same seed and the same actions give the same run, to the bit.",
    left_out_title: "What is not simulated",
    left_out: &[
        "Consumer groups: a consumer reads all partitions by itself and commits nothing.",
        "Idempotent producers and transactions (the producer behaves as with enable.idempotence=false).",
        "Compression, quotas and security.",
        "What makes an ensemble of ZooKeeper: one process stands for all of its servers.",
    ],
    different_title: "What differs",
    different: &[
        "The network is slower than a data centre's, so that messages can be seen.",
        "No JVM starts: a console tool starts at once.",
    ],
};

const KOREAN: About = About {
    intro: "Kafkascope는 브로커, KRaft 컨트롤러나 ZooKeeper, 프로듀서, 컨슈머, Kafka 도구를 이 탭 안에서 상태 기계로 실행합니다. 동작, 기본값, 오류 코드, 도구의 출력은 Apache Kafka 3.9를 따릅니다. 서버로 전송되는 것은 없습니다.",
    honest: "보여 주기 위해 움직이는 것은 없습니다. 점 하나가 메시지 하나이고, 점의 위치는 보낸 시각과 도착할 시각으로 정해집니다. 시드와 조작이 같으면 실행 결과는 비트 하나까지 같습니다.",
    left_out_title: "시뮬레이션하지 않는 것",
    left_out: &[
        "컨슈머 그룹: 컨슈머는 모든 파티션을 직접 읽고 오프셋을 커밋하지 않습니다.",
        "멱등 프로듀서와 트랜잭션 (프로듀서는 enable.idempotence=false처럼 동작합니다).",
        "압축, 쿼터, 보안.",
        "ZooKeeper 앙상블의 내부: 프로세스 하나가 모든 ZooKeeper 서버를 대신합니다.",
    ],
    different_title: "다른 점",
    different: &[
        "메시지를 볼 수 있도록 네트워크가 데이터 센터보다 느립니다.",
        "JVM이 뜨는 시간이 없어 콘솔 도구가 바로 시작됩니다.",
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_equally_much() {
        assert_eq!(ENGLISH.left_out.len(), KOREAN.left_out.len());
        assert_eq!(ENGLISH.different.len(), KOREAN.different.len());
    }
}
