//! What the page's address asks for: language, theme, the run, and the measurement. What it does not understand it
//! ignores.

use crate::run::{CONTROLLERS, MOST_BROKERS, Run};
use crate::store::Theme;
use crate::text::Language;
use sim::world_shape::Mode;
use wasm_bindgen::JsValue;

/// The wishes in an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) language: Option<Language>,
    pub(crate) theme: Option<Theme>,
    pub(crate) is_bench: bool,
    seed: Option<u64>,
    has_zookeeper: Option<bool>,
    controllers: Option<i32>,
    brokers: Option<i32>,
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
    /// Reads `?lang=ko&theme=dark&seed=7&mode=kraft&controllers=3&brokers=5&bench`, behind `?` or `#`; the later wish
    /// counts.
    pub(crate) fn parse(search: &str, hash: &str) -> Address {
        let mut address = Address::default();
        for part in [search, hash] {
            let wishes = part.trim_start_matches(['?', '#', '/']);
            wishes.split('&').for_each(|wish| address.take(wish));
        }
        address
    }

    /// The run that is asked for.
    pub(crate) fn run(&self) -> Run {
        let usual = Run::default();
        let mode = match (self.has_zookeeper, self.controllers) {
            (Some(true), _) => Mode::ZooKeeper,
            (_, Some(controllers)) => Mode::KRaft { controllers },
            (_, None) => usual.mode,
        };
        Run { mode, brokers: self.brokers.unwrap_or(usual.brokers), seed: self.seed.unwrap_or(usual.seed) }
    }

    fn take(&mut self, wish: &str) {
        let (name, value) = wish.split_once('=').unwrap_or((wish, ""));
        match name {
            "lang" => self.language = Language::from_code(value).or(self.language),
            "theme" => self.theme = Theme::from_code(value).or(self.theme),
            "seed" => self.seed = value.parse().ok().or(self.seed),
            "mode" => self.has_zookeeper = asks_for_zookeeper(value).or(self.has_zookeeper),
            "controllers" => {
                let number = value.parse().ok().filter(|number| CONTROLLERS.contains(number));
                self.controllers = number.or(self.controllers);
            }
            "brokers" => {
                let number = value.parse().ok().filter(|number| (1..=MOST_BROKERS).contains(number));
                self.brokers = number.or(self.brokers);
            }
            "bench" => self.is_bench = true,
            _ => {}
        }
    }
}

fn asks_for_zookeeper(mode: &str) -> Option<bool> {
    match mode {
        "kraft" => Some(false),
        "zookeeper" => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read_from_both_parts_of_the_address() {
        let address = Address::parse("?lang=ko&seed=7&controllers=3", "#theme=dark&bench&brokers=5");
        let (language, theme) = (Some(Language::Korean), Some(Theme::Dark));
        assert_eq!((address.language, address.theme, address.is_bench), (language, theme, true));
        assert_eq!(address.run(), Run { mode: Mode::KRaft { controllers: 3 }, brokers: 5, seed: 7 });
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
