//! Every text of the page, in Korean and English, as typed values: a missing text does not compile.
//!
//! [`Label`] holds fixed texts, [`Message`] those with something in them, `events` the sentences about events. What
//! Kafka itself says (its tools' output, exceptions, states) is not translated.

mod about;
mod events;
mod failure;
mod josa;
mod label;
mod message;
mod promise;
mod swarm;
mod violation;

pub(crate) use about::about;
pub(crate) use events::event_sentence;
pub(crate) use failure::{admin_failure_text, failure_text};
pub(crate) use label::Label;
pub(crate) use message::Message;
pub(crate) use promise::{checker_name, checker_sentence, promise_sentence, verdict_sentence};
pub(crate) use swarm::{SwarmText, historical_sentence};
pub(crate) use violation::violation_sentence;

use crate::view::cluster::{self, Cast, ServerKind};

/// The languages of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Language {
    #[default]
    English,
    Korean,
}

impl Language {
    pub(crate) const ALL: [Language; 2] = [Language::English, Language::Korean];

    /// The code in `lang` attributes and addresses.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Korean => "ko",
        }
    }

    /// Its name in itself.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::Korean => "한국어",
        }
    }

    /// `ko` and `ko-KR` alike.
    pub(crate) fn from_code(code: &str) -> Option<Language> {
        Language::ALL
            .into_iter()
            .find(|language| code == language.code() || code.starts_with(&format!("{}-", language.code())))
    }
}

/// A server as sentences call it: `broker 1`, `controller 100`.
pub(crate) fn server_name(id: i32, cast: &Cast, language: Language) -> String {
    let kind = match cluster::kind_of(id, cast) {
        ServerKind::Controller => Label::Controller,
        ServerKind::Broker => Label::Broker,
    };
    format!("{} {id}", kind.text(language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_found_by_their_code_with_or_without_a_region() {
        assert_eq!(Language::from_code("ko-KR"), Some(Language::Korean));
        assert_eq!(Language::from_code("en"), Some(Language::English));
        assert_eq!(Language::from_code("korean"), None);
        assert_eq!(Language::from_code(""), None);
    }
}
