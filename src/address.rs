//! What the page's address asks for: language, theme, the run, and the measurement. What it does not understand it
//! ignores; but who asks for a run of the swarm is told why there is none.

use crate::bench;
use crate::run::{CONTROLLERS, MOST_BROKERS, Run};
use crate::start::Opening;
use crate::store::Theme;
use crate::swarm_run::SwarmSeed;
use crate::text::Language;
use sim::world_shape::Mode;
use swarm::world_plan::Historical;
use wasm_bindgen::JsValue;

/// The wishes in an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) language: Option<Language>,
    pub(crate) theme: Option<Theme>,
    /// So many seconds of virtual time are to be measured.
    pub(crate) bench: Option<u64>,
    seed: Option<u64>,
    mode: Option<Mode>,
    controllers: Option<i32>,
    brokers: Option<i32>,
    wants_eligible_leader_replicas: bool,
    swarm: Option<u64>,
    historical: Option<Historical>,
    /// What is wrong with the wish for a run of the swarm.
    pub(crate) bad_wish: Option<BadWish>,
}

/// A wish that cannot be fulfilled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BadWish {
    /// `swarm=` and something that is no seed.
    Swarm(String),
    /// `historical=` and something that is no fault of an earlier release.
    Historical(String),
    /// `historical=NAME` without a seed.
    HistoricalAlone,
}

/// Writes wishes into the address, for who reloads the page or copies it. A frame without an address of its own keeps
/// the one it has.
pub(crate) fn show(wishes: &str) {
    let history = web_sys::window().and_then(|window| window.history().ok());
    if let Some(history) = history {
        history.replace_state_with_url(&JsValue::NULL, "", Some(&format!("?{wishes}"))).unwrap_or_default();
    }
}

impl Address {
    /// Reads `?lang=ko&theme=dark&seed=7&mode=kraft&controllers=3&brokers=5&elr&bench=10` or `?swarm=7&historical=NAME`,
    /// behind `?` or `#`; the later wish counts.
    pub(crate) fn parse(search: &str, hash: &str) -> Address {
        let mut address = Address::default();
        for part in [search, hash] {
            let wishes = part.trim_start_matches(['?', '#', '/']);
            wishes.split('&').for_each(|wish| address.take(wish));
        }
        if address.swarm.is_none() && address.historical.is_some() {
            address.bad_wish.get_or_insert(BadWish::HistoricalAlone);
        }
        address
    }

    /// What is asked for.
    pub(crate) fn opening(&self) -> Opening {
        match (self.swarm, &self.bad_wish) {
            (Some(seed), None) => Opening::Swarm(SwarmSeed { seed, historical: self.historical }),
            (Some(_) | None, _) => Opening::Run(self.run()),
        }
    }

    fn run(&self) -> Run {
        let usual = Run::default();
        let mode = self.mode.unwrap_or(usual.mode);
        let mode = self.controllers.map_or(mode, |controllers| mode.with_controllers(controllers));
        Run {
            mode,
            brokers: self.brokers.unwrap_or(usual.brokers),
            seed: self.seed.unwrap_or(usual.seed),
            wants_eligible_leader_replicas: self.wants_eligible_leader_replicas,
        }
    }

    fn take(&mut self, wish: &str) {
        let (name, value) = wish.split_once('=').unwrap_or((wish, ""));
        match name {
            "lang" => self.language = Language::from_code(value).or(self.language),
            "theme" => self.theme = Theme::from_code(value).or(self.theme),
            "seed" => self.seed = value.parse().ok().or(self.seed),
            "mode" => self.mode = Mode::named(value).or(self.mode),
            "controllers" => {
                let number = value.parse().ok().filter(|number| CONTROLLERS.contains(number));
                self.controllers = number.or(self.controllers);
            }
            "brokers" => {
                let number = value.parse().ok().filter(|number| (1..=MOST_BROKERS).contains(number));
                self.brokers = number.or(self.brokers);
            }
            "swarm" => match value.parse() {
                Ok(seed) => self.swarm = Some(seed),
                Err(_) => self.bad_wish = Some(BadWish::Swarm(value.to_owned())),
            },
            "historical" => match Historical::named(value) {
                Some(historical) => self.historical = Some(historical),
                None => self.bad_wish = Some(BadWish::Historical(value.to_owned())),
            },
            "elr" => self.wants_eligible_leader_replicas = true,
            "bench" => self.bench = Some(value.parse().unwrap_or(bench::SECONDS)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::start;
    use rand::{RngExt, SeedableRng};

    #[test]
    fn wishes_are_read_from_both_parts_of_the_address() {
        let address = Address::parse("?lang=ko&seed=7&controllers=3", "#theme=dark&bench=20&brokers=5");
        let (language, theme) = (Some(Language::Korean), Some(Theme::Dark));
        assert_eq!((address.language, address.theme, address.bench), (language, theme, Some(20)));
        assert_eq!(Address::parse("?bench", "").bench, Some(bench::SECONDS));
        let run = Run { mode: Mode::KRaft { controllers: 3 }, brokers: 5, seed: 7, ..Run::default() };
        assert_eq!(address.opening(), Opening::Run(run));
    }

    #[test]
    fn the_swarm_s_program_names_the_address_of_its_run() {
        for historical in [None, Some(Historical::UnfencedFetches)] {
            let plan = swarm::draw::Draw::new(7).plan(7, historical);
            let opening = Address::parse(&plan.address(), "").opening();
            assert_eq!(opening, Opening::Swarm(SwarmSeed { seed: 7, historical }));
        }
    }

    #[test]
    fn a_bad_wish_for_a_run_of_the_swarm_is_kept_and_opens_the_usual_run() {
        for (search, wish) in [
            ("?swarm=x", BadWish::Swarm("x".to_owned())),
            ("?swarm=-1", BadWish::Swarm("-1".to_owned())),
            ("?swarm", BadWish::Swarm(String::new())),
            ("?swarm=7&historical=y", BadWish::Historical("y".to_owned())),
            ("?historical=unfenced-fetches", BadWish::HistoricalAlone),
        ] {
            let address = Address::parse(search, "");
            assert_eq!((address.opening(), address.bad_wish), (Opening::Run(Run::default()), Some(wish)));
        }
    }

    const NAMES: [&str; 10] =
        ["lang", "theme", "seed", "mode", "controllers", "brokers", "elr", "swarm", "historical", "bench"];
    const VALUES: [&str; 28] = [
        "&",
        "?",
        "#",
        "=",
        "%",
        "/",
        "ko",
        "dark",
        "kraft",
        "zookeeper",
        "combined",
        "unfenced-fetches",
        "0",
        "1",
        "3",
        "5",
        "9",
        "10",
        "-1",
        "+",
        "18446744073709551615",
        "18446744073709551616",
        "2147483648",
        "1e9",
        "토픽",
        "\u{0}",
        "%F0%9F",
        "",
    ];

    #[test]
    fn whatever_stands_in_the_address_a_cluster_within_the_limits_opens() {
        let mut rng = kafka::Rng::seed_from_u64(3);
        let mut text = || {
            let mut pick = |of: &[&'static str]| of[rng.random_range(0..of.len() as u32) as usize];
            let wishes: Vec<String> =
                (0..4).map(|_| [pick(&NAMES), pick(&["=", "=", "=", ""]), pick(&VALUES)].concat()).collect();
            wishes.join(pick(&["&", "&", "&&", "?"]))
        };
        let (mut runs, mut swarms) = (std::collections::BTreeSet::new(), 0);
        for _ in 0..20_000 {
            match Address::parse(&text(), &text()).opening() {
                Opening::Swarm(_) => swarms += 1,
                Opening::Run(run) => {
                    assert!((1..=MOST_BROKERS).contains(&run.brokers), "{run:?}");
                    assert!(run.mode.controllers().is_none_or(|number| CONTROLLERS.contains(&number)), "{run:?}");
                    let elr = run.wants_eligible_leader_replicas;
                    runs.insert((run.mode.name(), run.mode.controllers(), run.brokers, elr));
                }
            }
        }
        assert!(runs.len() > 20 && swarms > 100, "{} clusters, {swarms} runs of the swarm", runs.len());
        assert!([false, true].iter().all(|wish| runs.iter().any(|(_, _, _, elr)| elr == wish)), "{runs:?}");
        for (mode, controllers, brokers, wants_eligible_leader_replicas) in runs {
            let mode = Mode::named(mode).expect("it was read by its name");
            let mode = controllers.map_or(mode, |controllers| mode.with_controllers(controllers));
            let run = Run { mode, brokers, seed: u64::MAX, wants_eligible_leader_replicas };
            let mut session = start::begin(start::world(run), u64::MAX);
            assert!(session.frame().nodes.len() >= brokers as usize);
        }
    }

    #[test]
    fn what_is_not_understood_is_ignored() {
        for (search, hash) in [
            ("", ""),
            ("?", "#"),
            ("?lang=xx&theme=pink&seed=-1", "#seed=99999999999999999999999"),
            ("?=&&=%", "#/="),
            ("?mode=raft&controllers=2&brokers=0", "#brokers=10&controllers=x"),
        ] {
            assert_eq!(Address::parse(search, hash), Address::default());
        }
    }
}
