//! Fixed texts, each in every language.

use super::Language;

macro_rules! labels {
    ($($name:ident = $english:literal, $korean:literal;)+) => {
        /// A fixed text.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Label { $($name,)+ }

        impl Label {
            #[cfg(test)]
            const ALL: &'static [Label] = &[$(Label::$name,)+];

            /// The text in that language.
            pub(crate) fn text(self, language: Language) -> &'static str {
                match language {
                    Language::English => match self { $(Label::$name => $english,)+ },
                    Language::Korean => match self { $(Label::$name => $korean,)+ },
                }
            }
        }
    };
}

labels! {
    Tagline = "A whole Apache Kafka cluster in this tab", "이 탭 안에서 돌아가는 Apache Kafka 클러스터";
    LanguageChoice = "Language", "언어";
    ThemeChoice = "Theme", "테마";
    ThemeSystem = "system", "시스템";
    ThemeLight = "light", "밝음";
    ThemeDark = "dark", "어두움";
    Panels = "Panels", "패널";
    Close = "Close", "닫기";
    ClusterDrawing = "Drawing of the cluster. The tables below show the same as text.", "클러스터 그림입니다. 같은 내용이 아래 표에 글로 있습니다.";

    Play = "Play", "재생";
    Pause = "Pause", "일시 정지";
    StepBack = "One step back", "한 단계 뒤로";
    StepForward = "One step forward", "한 단계 앞으로";
    GoToEnd = "Go to the end", "끝으로";
    SpeedChoice = "Speed", "속도";
    TimeControls = "Time", "시간";
    TimeSlider = "Moment shown", "보고 있는 시각";
    KeyboardHelp = "Space: play or pause. ← →: one step.", "스페이스: 재생/일시 정지. ← →: 한 단계씩.";

    Events = "Events", "이벤트";
    Details = "Details", "상세";
    Produce = "Produce", "보내기";
    Terminal = "Terminal", "터미널";
    Histories = "Histories", "타임라인";
    AboutTitle = "About", "안내";

    Broker = "broker", "브로커";
    Controller = "controller", "컨트롤러";
    ZooKeeper = "ZooKeeper", "ZooKeeper";
    Producer = "producer", "프로듀서";
    Consumer = "consumer", "컨슈머";
    TopicsTool = "kafka-topics", "kafka-topics";
    ActiveController = "active", "활성";
    InactiveController = "not active", "비활성";
    Sessions = "Sessions", "세션";
    Znodes = "Znodes", "znode";
    Down = "down", "중단됨";
    Running = "running", "실행 중";
    Starting = "starting", "시작 중";
    Recovery = "recovery, still fenced", "복구 중, 아직 fenced";
    RunningButFenced = "running, but fenced", "실행 중이지만 fenced";
    ControlledShutdown = "controlled shutdown", "controlled shutdown 중";
    ShuttingDown = "shutting down", "종료 중";
    Ended = "This program is not running at this moment.", "이 시각에는 이 프로그램이 실행되고 있지 않습니다.";

    Kill = "Kill (SIGKILL)", "강제 종료 (SIGKILL)";
    Stop = "Stop (SIGTERM)", "정상 종료 (SIGTERM)";
    Start = "Start", "시작";
    Interrupt = "Ctrl-C", "Ctrl-C";

    NodesTable = "Processes", "프로세스";
    PartitionsTable = "Partitions", "파티션";
    PartitionsTableNote = "Leader, epoch and ISR as the active controller has them; offsets as each broker has them.", "리더, 에포크, ISR은 활성 컨트롤러의 기록이고, 오프셋은 각 브로커의 것입니다.";
    NoController = "No controller is active, so leader and ISR are not known here.", "활성 컨트롤러가 없어 리더와 ISR을 알 수 없습니다.";
    NoPartitions = "There are no topics yet.", "아직 토픽이 없습니다.";
    Node = "Process", "프로세스";
    Kind = "Kind", "종류";
    Address = "Address", "주소";
    State = "State", "상태";
    Partition = "Partition", "파티션";
    Leader = "leader", "리더";
    Follower = "follower", "팔로워";
    NoLeader = "no leader", "리더 없음";
    LeaderEpoch = "Leader epoch", "리더 에포크";
    PartitionEpoch = "Partition epoch", "파티션 에포크";
    Isr = "ISR", "ISR";
    NoReplicaHere = "no replica here", "이 브로커에 레플리카 없음";
    NotInIsr = "not in ISR", "ISR 밖";
    OnDisk = "on disk", "디스크에 있음";
    Role = "Role", "역할";
    LogStartOffset = "Log start offset", "로그 시작 오프셋";
    LogEndOffset = "Log end offset", "로그 끝 오프셋";
    HighWatermark = "High watermark", "하이 워터마크";
    EpochsOfLog = "Epochs in the log", "로그의 에포크";
    BrokerEpoch = "Broker epoch", "브로커 에포크";
    MetadataOffset = "Metadata offset", "메타데이터 오프셋";
    QuorumEpoch = "Quorum epoch", "쿼럼 에포크";
    FencedByController = "Fenced (controller)", "Fenced (컨트롤러 기준)";
    FollowersSeen = "Followers, as the leader sees them", "리더가 본 팔로워";
    Yes = "yes", "예";
    No = "no", "아니요";
    Unknown = "not known", "알 수 없음";

    Offset = "Offset", "오프셋";
    Key = "Key", "키";
    Value = "Value", "값";
    Timestamp = "Timestamp", "타임스탬프";
    Committed = "Committed on this replica", "이 레플리카에서 커밋됨";
    RecordGone = "There is no such record on this broker at this moment.", "이 시각에는 이 브로커에 그 레코드가 없습니다.";
    ReplicaGone = "There is no such replica at this moment.", "이 시각에는 그 레플리카가 없습니다.";
    MessageGone = "This message is not on its way at this moment.", "이 시각에는 이 메시지가 전송 중이 아닙니다.";
    NothingSelected = "Choose a process, a log or a record in the drawing, or in the tables.", "그림이나 표에서 프로세스, 로그, 레코드를 골라 보세요.";

    MessageTitle = "Message", "메시지";
    From = "From", "보낸 쪽";
    To = "To", "받는 쪽";
    SentAt = "Sent at", "보낸 시각";
    ArrivesAt = "Arrives at", "도착 시각";
    HeldBack = "held back: it does not get through", "보류됨: 도달하지 못하는 중";
    Unread = "has arrived; the process does not read it yet", "도착함: 프로세스가 아직 읽지 않음";
    Contents = "Contents", "내용";
    Request = "request", "요청";
    Response = "response", "응답";
    Connecting = "connection being opened", "연결을 여는 중";
    Closing = "connection closed or refused", "연결이 닫히거나 거부됨";
    RecordsInside = "Records in it", "실린 레코드";

    Acks = "acks", "acks";
    Waiting = "Not sent yet", "아직 보내지 않음";
    Pending = "Sent, no answer yet", "보냈지만 아직 응답 없음";
    Acknowledged = "Acknowledged", "전송 확인";
    Failed = "Failed", "실패";
    Consumed = "Consumed", "소비";
    Positions = "position", "다음에 읽을 오프셋";
    LastAcknowledged = "last acknowledged offset", "마지막으로 확인된 오프셋";
    Call = "Call", "호출";
    Topic = "Topic", "토픽";

    LegendTitle = "Legend", "범례";
    LegendProduce = "Produce", "Produce";
    LegendConsumerFetch = "Fetch of a consumer", "컨슈머의 Fetch";
    LegendReplication = "Fetch of a follower (replication)", "팔로워의 Fetch (복제)";
    LegendMetadataLog = "Fetch of the metadata log", "메타데이터 로그 Fetch";
    LegendControl = "Broker and controller", "브로커와 컨트롤러 사이";
    LegendClientCall = "Other calls of clients", "클라이언트의 다른 호출";
    LegendConnection = "Connection opened or closed", "연결 열림/닫힘";
    LegendRequest = "filled: request; ring: response; large: carries records", "채운 점: 요청, 고리: 응답, 큰 점: 레코드가 실림";
    LegendCommitted = "committed record", "커밋된 레코드";
    LegendUncommitted = "record above the high watermark", "하이 워터마크 위의 레코드";
    LegendOnDisk = "on the disk of a broker that is down", "중단된 브로커의 디스크";
    LegendHighWatermark = "HW: high watermark", "HW: 하이 워터마크";
    LegendLogEnd = "LEO: log end offset", "LEO: 로그 끝 오프셋";
    LegendConsumerPosition = "where a consumer reads next", "컨슈머가 다음에 읽을 위치";
    LegendLastAcknowledged = "last record acknowledged to a producer", "프로듀서가 마지막으로 전송 확인을 받은 레코드";
    LegendEpochStart = "first record of a new leader epoch", "새 리더 에포크의 첫 레코드";
    LegendLeader = "L: this broker leads the partition", "L: 이 브로커가 파티션의 리더";
    LegendIsr = "ISR on a leader's row is the leader's own view; “not in ISR” is the controller's.", "리더 줄의 ISR은 리더가 아는 것이고, “ISR 밖”은 컨트롤러의 기록입니다.";

    ShownTopic = "Topic shown", "표시할 토픽";
    AllTopics = "all topics", "모든 토픽";
    EarlierPartitions = "Earlier partitions", "앞 파티션";
    LaterPartitions = "Later partitions", "뒤 파티션";

    ProduceTitle = "Send a record", "레코드 보내기";
    ProduceNote = "Starts a producer with Kafka's default settings, only without idempotence. It sends this record and ends.", "Kafka 기본 설정(멱등성만 제외)의 프로듀서가 시작되어 이 레코드를 보내고 끝납니다.";
    EmptyKeyNote = "An empty key means no key (null).", "키를 비워 두면 키 없음(null)으로 보냅니다.";
    Send = "Send", "보내기";
    SentRecords = "Results", "보낸 결과";
    OutcomeWaiting = "waiting for the answer", "응답을 기다리는 중";
    OutcomePaused = "waiting; time stands still until you press Play", "기다리는 중. 시간이 멈춰 있으니 재생을 누르세요";
    OutcomeNotYet = "not sent yet at this moment", "이 시각에는 아직 보내지 않음";
    OutcomeOtherHistory = "sent in another history", "다른 타임라인에서 보냄";
    OutcomeEnded = "the producer ended without an answer", "응답 없이 프로듀서가 끝남";
    OutcomeNoAnswer = "sent without asking for an answer (acks=0)", "응답을 요청하지 않고 보냄 (acks=0)";
    AcksAll = "all: the whole ISR", "all: ISR 전체";
    AcksLeader = "1: the leader", "1: 리더";
    AcksNone = "0: nobody", "0: 기다리지 않음";

    FilterImportant = "Important", "주요";
    FilterAll = "All", "전체";
    EventsListed = "Events listed", "표시할 이벤트";
    FollowEvents = "Back to now", "현재로 돌아가기";
    NoEvents = "Nothing has happened yet.", "아직 일어난 일이 없습니다.";
    WhyTitle = "What led to it", "이렇게 된 과정";
    NoCause = "Nothing earlier led to it.", "앞선 원인이 없습니다.";
    Ahead = "later than the moment shown", "보고 있는 시각보다 뒤";

    HistoriesNote = "If you go back and do something there, a new history begins. What came after that moment stays in the old one.", "과거로 돌아가서 무언가를 하면 새 타임라인이 시작됩니다. 그 시각 뒤에 있던 일은 원래 타임라인에 남습니다.";
    HistoryFirst = "the first one", "첫 타임라인";
    HistoryCurrent = "shown now", "지금 보는 중";
    SwitchHistory = "Switch to it", "이 타임라인으로 전환";

    TerminalInput = "Command", "명령";
    TerminalIntro = "Kafka's tools: kafka-topics, kafka-console-producer, kafka-console-consumer. Enter runs a line; Ctrl-C and Ctrl-D work.", "Kafka 도구: kafka-topics, kafka-console-producer, kafka-console-consumer. Enter로 실행하며 Ctrl-C, Ctrl-D도 쓸 수 있습니다.";
    TerminalOutput = "Output of the terminal", "터미널 출력";
    TerminalBusy = "A command is running; what you type goes to it.", "명령이 실행 중입니다. 입력한 내용은 그 명령으로 전달됩니다.";
    TerminalPaused = "A command is running, but time stands still: press Play.", "명령이 실행 중이지만 시간이 멈춰 있습니다. 재생을 누르세요.";
    CtrlD = "Ctrl-D", "Ctrl-D";

    Crash = "Kafkascope has a bug and stopped here. Please reload the page. The message for the developers: ", "Kafkascope에 버그가 있어 여기서 멈췄습니다. 페이지를 다시 열어 주세요. 개발자에게 전할 내용: ";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_says_something_in_every_language() {
        for language in Language::ALL {
            for label in Label::ALL {
                assert!(!label.text(language).trim().is_empty(), "{label:?} in {language:?}");
            }
        }
    }
}
