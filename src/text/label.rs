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
    Checks = "Checks", "검사";
    Histories = "Histories", "타임라인";
    AboutTitle = "About", "안내";

    Broker = "broker", "브로커";
    Controller = "controller", "컨트롤러";
    ZooKeeper = "ZooKeeper", "ZooKeeper";
    Producer = "producer", "프로듀서";
    Consumer = "consumer", "컨슈머";
    TopicsTool = "kafka-topics", "kafka-topics";
    Sessions = "Sessions", "세션";
    Session = "Session", "세션";
    SessionTimeout = "Timeout", "타임아웃";
    SessionExpiry = "Ends without a sign of life at", "소식이 없으면 만료되는 시각";
    SessionClient = "Held by", "연결된 프로세스";
    NotConnected = "nobody is connected", "연결된 프로세스 없음";
    Znodes = "Znodes", "znode";
    ZnodesNote = "Ephemeral znodes name their session; they vanish when it ends.", "임시(ephemeral) znode에는 세션이 적혀 있고, 세션이 끝나면 함께 사라집니다.";
    ControllerBroker = "Controller of the cluster", "클러스터의 컨트롤러";
    QuorumLeader = "Leader of the quorum", "쿼럼의 리더";
    VotedFor = "Voted for in this epoch", "이 에포크에 투표한 후보";
    Nobody = "nobody", "없음";
    Voters = "Voters, as this controller knows them", "이 컨트롤러가 아는 투표자(voter)";
    Voter = "Voter", "투표자";
    Lag = "Lag", "지연";
    SnapshotEnd = "Latest snapshot ends at", "최근 스냅샷의 끝";
    MetadataLag = "Behind the active controller", "활성 컨트롤러보다 뒤처진 정도";
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
    Freeze = "Freeze (SIGSTOP)", "멈추기 (SIGSTOP)";
    Thaw = "Continue (SIGCONT)", "계속하기 (SIGCONT)";
    PowerOff = "Power off", "전원 끊기";
    SoundDisk = "Sound disk", "디스크 정상으로";
    SlowDisk = "Slow disk", "디스크 느리게";
    FullDisk = "Full disk", "디스크 가득 채우기";
    SetClock = "Set clock", "시계 맞추기";
    RemoveServer = "Remove with its disk", "디스크와 함께 제거";
    AddBroker = "Add a broker", "브로커 추가";
    Faults = "Faults", "장애";
    FaultsTitle = "Make something go wrong", "장애 일으키기";
    DiskDelay = "Each write takes (ms)", "쓰기 한 번에 걸리는 시간 (ms)";
    ClockOffset = "Clock ahead by (ms; negative: behind)", "시계가 앞선 정도 (ms, 음수는 뒤처짐)";
    LinksTitle = "Links", "링크";
    LinksNote = "A link joins two processes' hosts. Only links with a fault are listed; choose any two to see theirs.", "링크는 두 프로세스의 호스트를 잇습니다. 목록에는 장애가 있는 링크만 나옵니다. 다른 링크는 두 프로세스를 골라 볼 수 있습니다.";
    NoBadLinks = "All links are sound.", "모든 링크가 정상입니다.";
    ShowLink = "Show link", "링크 보기";
    LinkTo = "Link to", "상대 프로세스";
    Cut = "Cut", "끊기";
    CutBoth = "Cut both ways", "양방향 끊기";
    CutFromAll = "Cut off from all others", "다른 모두와 끊기";
    Heal = "Heal", "복구";
    HealBoth = "Heal both ways", "양방향 복구";
    HealAll = "Heal all its links", "모든 링크 복구";
    LinkSound = "sound", "정상";
    Delay = "Delay", "지연";
    Jitter = "Jitter", "지터";
    Loss = "Loss", "유실";
    DelayField = "Shortest time on the way (ms)", "최소 전송 시간 (ms)";
    JitterField = "Up to so much more (ms)", "추가로 걸릴 수 있는 최대 시간 (ms)";
    LossField = "Transmissions lost (%)", "유실되는 전송 (%)";
    LinkGone = "One end of this link is not there at this moment.", "이 시각에는 링크의 한쪽 끝이 없습니다.";

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
    Elr = "ELR", "ELR";
    Eligible = "ELR, not in ISR", "ELR, ISR 밖";
    HasGivenUp = "gave up fetching", "페치 중단";
    Adding = "being added", "추가 중";
    Removing = "being removed", "제거 중";
    Replicas = "Replicas", "레플리카";
    LastKnownElr = "Last known leader (last known ELR)", "마지막으로 알려진 리더 (last known ELR)";
    RecoveryState = "Leader recovery state", "리더 복구 상태";
    Recovered = "recovered", "복구됨 (recovered)";
    Recovering = "recovering: elected uncleanly", "복구 중 (recovering): unclean 선출";
    AddingReplicas = "Being added", "추가 중인 레플리카";
    RemovingReplicas = "Being removed", "제거 중인 레플리카";
    NoneListed = "none", "없음";
    LastStableOffset = "Last stable offset", "마지막 안정 오프셋 (LSO)";
    RecoveryPoint = "Flushed up to (recovery point)", "디스크에 플러시된 곳 (recovery point)";
    SegmentsOfLog = "Segments begin at", "세그먼트의 시작 오프셋";
    AsControllerHasIt = "As the active controller has it", "활성 컨트롤러의 기록";
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
    LegendControl = "Brokers, controllers, ZooKeeper", "브로커, 컨트롤러, ZooKeeper 사이";
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
    LegendSegment = "where a new log segment begins", "새 로그 세그먼트가 시작되는 곳";
    LegendHeld = "message that is held back or not read", "보류되었거나 읽히지 않은 메시지";
    LegendCut = "dashed with a cross: link is cut; arrow: one way only", "×표가 있는 점선: 끊긴 링크, 화살표: 한 방향만";
    LegendIsr = "ISR on a leader's row is the leader's own view; ELR, “not in ISR” and reassignments are the controller's.", "리더 줄의 ISR은 리더가 아는 것이고, ELR, “ISR 밖”, 재할당은 컨트롤러의 기록입니다.";
    LegendFault = "on the time bar: something was made to go wrong (green: put right)", "시간 막대: 장애를 일으킨 때 (초록색은 복구)";
    LegendBreak = "on the time bar: a check failed", "시간 막대: 검사가 어긋난 때";

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

    NewCluster = "New cluster", "새 클러스터";
    NewClusterTitle = "Begin with another cluster", "다른 클러스터로 시작";
    NewClusterNote = "The run that you see ends, with all its histories.", "지금 보는 실행은 모든 타임라인과 함께 끝납니다.";
    Metadata = "Metadata is kept by", "메타데이터 관리";
    Brokers = "Brokers", "브로커 수";
    Seed = "Seed", "시드";
    EligibleLeaderReplicas = "Eligible leader replicas (KIP-966)", "ELR (KIP-966)";
    InScripts = "In a script these lines make the same cluster:", "스크립트에서는 다음 줄로 같은 클러스터를 만듭니다:";
    LinkToRun = "Link to this beginning", "이 시작으로 여는 링크";
    Begin = "End this run and begin", "이 실행을 끝내고 시작";
    Cancel = "Cancel", "취소";

    AllHold = "all checks hold", "검사 모두 통과";
    ChecksTitle = "What must always hold", "항상 지켜져야 하는 것";
    ChecksNote = "Checked where each event happens, and everywhere from time to time, against Kafka's formal specifications and against what clients are told. Red leads to the event that broke it.", "이벤트마다 관련된 곳을, 그리고 때때로 전체를 Kafka의 형식 명세와 클라이언트가 들은 말을 기준으로 검사합니다. 빨간색 항목을 누르면 어긋난 이벤트로 갑니다.";
    Holds = "holds", "지켜짐";
    Broken = "broken", "어긋남";
    NotYetChecked = "nothing to check yet", "아직 검사할 것이 없음";
    GoToBreak = "Go to the event that broke it", "어긋난 이벤트로 가기";
    PromisesTitle = "Promises to producers", "프로듀서에게 한 약속";
    PromisesNote = "Every acknowledged record is written down, and whether some replica that may lead still has it.", "전송이 확인된 레코드를 모두 적어 두고, 리더가 될 수 있는 레플리카에 아직 있는지 살핍니다.";
    PromisedAll = "Acknowledged (acks=all)", "전송 확인 (acks=all)";
    PromisedLeader = "Acknowledged (acks=1)", "전송 확인 (acks=1)";
    PromisedNothing = "Sent without asking for an answer (acks=0)", "응답을 요청하지 않고 보냄 (acks=0)";
    Safe = "Safe", "안전함";
    LostAllowed = "Lost, as the configuration allowed", "유실 (설정이 허용함)";
    LostBroken = "Lost although promised", "유실 (약속 위반)";
    LostRecords = "Lost records", "유실된 레코드";
    NothingLost = "No acknowledged record is lost.", "전송이 확인된 레코드 중 유실된 것이 없습니다.";
    GoToLoss = "Go to the event that lost them", "유실시킨 이벤트로 가기";

    TerminalInput = "Command", "명령";
    TerminalIntro = "Kafka's tools, such as kafka-topics or kafka-configs, and directives, such as @kill 1. Enter runs a line; Ctrl-C and Ctrl-D work.", "kafka-topics, kafka-configs 같은 Kafka 도구와 @kill 1 같은 지시문을 씁니다. Enter로 실행하며 Ctrl-C, Ctrl-D도 쓸 수 있습니다.";
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
