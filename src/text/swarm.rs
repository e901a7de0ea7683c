//! What is said about runs of the swarm.

use super::violation::violation_sentence;
use super::{Language, checker_name};
use crate::view::format;
use kafka::instant::Duration;
use swarm::plan::Plan;
use swarm::run::Failure;
use swarm::world_plan::Historical;

/// A text about a run of the swarm.
pub(crate) enum SwarmText<'a> {
    /// The world that was drawn.
    World(&'a Plan),
    /// How the run ended.
    Verdict(&'a Result<(), Failure>),
    /// So many things were done from outside.
    Journal(usize),
}

impl SwarmText<'_> {
    /// The text in that language.
    pub(crate) fn text(&self, language: Language) -> String {
        match self {
            SwarmText::World(plan) => world(plan, language),
            SwarmText::Verdict(outcome) => verdict(outcome, language),
            SwarmText::Journal(count) => match language {
                Language::English => format!("What was done from outside ({count}), and the brokers' settings"),
                Language::Korean => format!("바깥에서 한 일 {count}가지와 브로커 설정"),
            },
        }
    }
}

fn world(plan: &Plan, language: Language) -> String {
    let (seed, world) = (plan.seed, &plan.world);
    let (brokers, racks) = (world.brokers, world.racks);
    let shortest = format::milliseconds(Duration(world.delay_us));
    let longest = format::milliseconds(Duration(world.delay_us + world.jitter_us));
    let coordination = coordination(plan, language);
    match (language, racks) {
        (Language::English, 0) => format!(
            "Swarm seed {seed} drew {brokers} brokers{coordination}; a message travels {shortest} to {longest} ms."
        ),
        (Language::English, _) => format!(
            "Swarm seed {seed} drew {brokers} brokers in {racks} racks{coordination}; a message travels {shortest} to {longest} ms."
        ),
        (Language::Korean, 0) => {
            format!(
                "스웜 시드 {seed}: 브로커 {brokers}대{coordination}, 메시지 전송 시간 {shortest}~{longest} ms입니다."
            )
        }
        (Language::Korean, _) => format!(
            "스웜 시드 {seed}: 랙 {racks}개에 나뉜 브로커 {brokers}대{coordination}, 메시지 전송 시간 {shortest}~{longest} ms입니다."
        ),
    }
}

/// Who coordinates the brokers: some of them, controllers of their own, or ZooKeeper.
fn coordination(plan: &Plan, language: Language) -> String {
    let (controllers, is_combined) = (plan.world.controllers, plan.world.combined);
    let plural = if controllers == 1 { "" } else { "s" };
    match (language, controllers, is_combined) {
        (Language::English, 0, _) => " and ZooKeeper".to_owned(),
        (Language::English, _, true) => format!(", with controllers in {controllers} of the servers"),
        (Language::English, _, false) => format!(" and {controllers} controller{plural}"),
        (Language::Korean, 0, _) => "와 ZooKeeper".to_owned(),
        (Language::Korean, _, true) => format!("(서버 {controllers}대가 컨트롤러를 겸함)"),
        (Language::Korean, _, false) => format!("와 컨트롤러 {controllers}대"),
    }
}

fn verdict(outcome: &Result<(), Failure>, language: Language) -> String {
    let (english, korean) = match outcome {
        Ok(()) => (
            "✓ Every check held, and once the faults ended the cluster became as well as Kafka lets it.",
            "✓ 모든 검사를 통과했고, 장애가 끝난 뒤 클러스터가 Kafka가 허용하는 범위까지 회복했습니다.",
        ),
        Err(Failure::Violated(violation)) => {
            let (at, name) = (format::instant(violation.at), checker_name(violation.checker, language));
            let partition = violation.partition.as_ref().map_or_else(String::new, |partition| format!("{partition}: "));
            return format!("✗ {name}: {at} · {partition}{}", violation_sentence(&violation.details, language));
        }
        Err(Failure::NotHealed(_)) => (
            "✗ The faults ended, but the cluster did not become well in time.",
            "✗ 장애가 끝났지만 클러스터가 제때 정상으로 돌아오지 않았습니다.",
        ),
        Err(Failure::ReadOutOfOrder(_)) => {
            ("✗ A consumer left out a record or read it twice.", "✗ 컨슈머가 레코드를 빠뜨렸거나 두 번 읽었습니다.")
        }
        Err(Failure::NotEndedOnce(_)) => (
            "✗ A producer forgot a record, or heard twice of it.",
            "✗ 프로듀서가 레코드를 잊었거나 그 결과를 두 번 받았습니다.",
        ),
        Err(Failure::Panicked(_)) => ("✗ Kafkascope itself failed.", "✗ Kafkascope 자체에 오류가 났습니다."),
    };
    match language {
        Language::English => english,
        Language::Korean => korean,
    }
    .to_owned()
}

/// What a fault of an earlier release is.
pub(crate) fn historical_sentence(historical: Historical, language: Language) -> &'static str {
    let (english, korean) = match historical {
        Historical::TruncateToHighWatermark => (
            "Switched on: a follower truncates to its high watermark, as before Kafka 0.11 (KIP-101).",
            "켜 둔 옛 결함: 팔로워가 자기 하이 워터마크까지 로그를 자릅니다. Kafka 0.11 이전의 동작입니다 (KIP-101).",
        ),
        Historical::SingleRoundTruncation => (
            "Switched on: a follower asks the leader only once where their epochs part, as before Kafka 2.0 (KIP-279).",
            "켜 둔 옛 결함: 팔로워가 에포크가 갈라진 곳을 리더에게 한 번만 묻습니다. Kafka 2.0 이전의 동작입니다 (KIP-279).",
        ),
        Historical::TruncationBeforeFetching => (
            "Switched on: a follower compares its log with the leader's only until they agree, and fetches are not fenced, as before Kafka 2.1 (KIP-320).",
            "켜 둔 옛 결함: 팔로워가 리더의 로그와 맞을 때까지만 비교하고, 옛 리더 에포크의 Fetch를 거절하지 않습니다. Kafka 2.1 이전의 동작입니다 (KIP-320).",
        ),
        Historical::UnfencedZooKeeperControllers => (
            "Switched on: neither brokers nor ZooKeeper refuse a controller that was deposed.",
            "켜 둔 옛 결함: 물러난 컨트롤러를 브로커도 ZooKeeper도 거절하지 않습니다.",
        ),
        Historical::UnnoticedBrokerBounces => (
            "Switched on: a quick restart of a broker is not noticed, as before Kafka 2.2 (KIP-380).",
            "켜 둔 옛 결함: 브로커의 빠른 재시작을 알아채지 못합니다. Kafka 2.2 이전의 동작입니다 (KIP-380).",
        ),
        Historical::UnfencedFetches => (
            "Switched on: fetches of an old leader epoch are not refused, as before Kafka 2.1 (KIP-320).",
            "켜 둔 옛 결함: 옛 리더 에포크의 Fetch를 거절하지 않습니다. Kafka 2.1 이전의 동작입니다 (KIP-320).",
        ),
        Historical::HighWatermarkBelowMinIsr => (
            "Switched on: the high watermark advances although fewer than min.insync.replicas are in sync, as before Kafka 3.7 (KIP-966).",
            "켜 둔 옛 결함: ISR이 min.insync.replicas보다 적어도 하이 워터마크가 올라갑니다. Kafka 3.7 이전의 동작입니다 (KIP-966).",
        ),
        Historical::IsrWithoutBrokerEpochs => (
            "Switched on: a leader proposes in-sync replicas without their broker epochs, as before Kafka 3.5 (KIP-903).",
            "켜 둔 옛 결함: 리더가 브로커 에포크 없이 ISR을 제안합니다. Kafka 3.5 이전의 동작입니다 (KIP-903).",
        ),
    };
    match language {
        Language::English => english,
        Language::Korean => korean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_that_was_drawn_is_said_with_its_numbers() {
        let plan: Plan = "seed 7\nbrokers 4\ncontrollers 1\nracks 2\nnetwork 250 5000".parse().expect("a plan");
        assert_eq!(
            SwarmText::World(&plan).text(Language::English),
            "Swarm seed 7 drew 4 brokers in 2 racks and 1 controller; a message travels 0.2 to 5.2 ms."
        );
        let plan: Plan = "seed 7\nbrokers 4\ncontrollers 0\nnetwork 250 5000".parse().expect("a plan");
        assert_eq!(
            SwarmText::World(&plan).text(Language::English),
            "Swarm seed 7 drew 4 brokers and ZooKeeper; a message travels 0.2 to 5.2 ms."
        );
    }
}
