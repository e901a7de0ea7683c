//! Topic names matched as Java does it: the whole name against a regular expression.
//!
//! What `regex-lite` cannot read (look-around, back references) counts as an invalid pattern.

use regex_lite::Regex;
use wire::TopicName;

/// A pattern that topic names match or not.
#[derive(Clone, Debug)]
pub(super) struct TopicPattern {
    regex: Regex,
}

/// A pattern that cannot be read, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InvalidPattern(pub(super) String);

impl TopicPattern {
    /// Reads a regular expression.
    pub(super) fn parse(pattern: &str) -> Result<TopicPattern, InvalidPattern> {
        let whole = format!(r"\A(?:{pattern})\z");
        Regex::new(&whole).map(|regex| TopicPattern { regex }).map_err(|error| InvalidPattern(error.to_string()))
    }

    /// Reads what `--topic` of a tool gives: quotes at either end are dropped, and commas mean "or"
    /// (`TopicFilter.IncludeList`).
    pub(super) fn parse_include_list(raw: &str) -> Result<TopicPattern, InvalidPattern> {
        let alternatives = raw.trim().replace(',', "|").replace(' ', "");
        TopicPattern::parse(alternatives.trim_matches(['"', '\'']))
    }

    /// Whether the whole name matches.
    pub(super) fn matches(&self, topic: &TopicName) -> bool {
        self.regex.is_match(topic.as_str())
    }
}

/// Whether a topic is one of Kafka's own (`Topic.isInternal`).
pub(super) fn is_internal(topic: &TopicName) -> bool {
    matches!(topic.as_str(), "__consumer_offsets" | "__transaction_state" | "__share_group_state")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_name_must_match() {
        for (pattern, name, is_match) in [
            ("his.*|keyed", "his-topic", true),
            ("his.*|keyed", "keyed", true),
            ("his.*|keyed", "not-keyed", false),
            ("test", "test-topic", false),
            (".*-topic", "kafka.test-topic", true),
        ] {
            let parsed = TopicPattern::parse(pattern).expect("the pattern is legal");
            assert_eq!(parsed.matches(&TopicName::new(name)), is_match, "{pattern} {name}");
        }
    }

    #[test]
    fn an_include_list_reads_commas_as_or() {
        let list = TopicPattern::parse_include_list("\"a, b.*\"").expect("the list is legal");
        assert!(list.matches(&TopicName::new("a")) && list.matches(&TopicName::new("bc")));
        assert!(!list.matches(&TopicName::new("c")));
        assert!(TopicPattern::parse_include_list("[").is_err());
    }
}
