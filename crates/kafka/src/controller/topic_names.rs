//! What a topic may be called (`org.apache.kafka.common.internals.Topic`). The messages are Kafka's.

use crate::metadata::ClusterImage;

const MAX_NAME_LENGTH: usize = 249;

/// Why the name is not legal, or that it differs from an existing one only in `.` and `_`.
pub(super) fn check_new_name(name: &str, image: &ClusterImage) -> Result<(), String> {
    check_name(name)?;
    if !has_collision_characters(name) {
        return Ok(());
    }
    let existing = image.topics().keys().map(|existing| existing.as_str());
    match existing.filter(|existing| has_collision_characters(existing)).find(|existing| collide(existing, name)) {
        Some(existing) => Err(format!("Topic '{name}' collides with existing topic: {existing}")),
        None => Ok(()),
    }
}

/// Why the name is not legal (`Topic.validate`).
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let reason = match name {
        "" => "the empty string is not allowed".to_owned(),
        "." | ".." => format!("'{name}' is not allowed"),
        _ if name.encode_utf16().count() > MAX_NAME_LENGTH => {
            format!("the length of '{name}' is longer than the max allowed length {MAX_NAME_LENGTH}")
        }
        _ if !name.chars().all(is_legal) => {
            format!("'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'")
        }
        _ => return Ok(()),
    };
    Err(format!("Topic name is invalid: {reason}"))
}

fn is_legal(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-')
}

/// Whether the name may differ from another in `.` and `_` only.
pub(crate) fn has_collision_characters(name: &str) -> bool {
    name.contains(['.', '_'])
}

/// Whether two names differ in `.` and `_` only: their metrics would be the same.
pub(crate) fn collide(first: &str, second: &str) -> bool {
    first.replace('.', "_") == second.replace('.', "_")
}

#[cfg(test)]
mod tests {
    use super::super::testing::TestCluster;
    use super::*;

    #[test]
    fn illegal_names_are_refused_in_kafkas_words() {
        let long = "x".repeat(250);
        let characters = "contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'";
        for (name, reason) in [
            ("", "the empty string is not allowed".to_owned()),
            (".", "'.' is not allowed".to_owned()),
            ("..", "'..' is not allowed".to_owned()),
            (long.as_str(), format!("the length of '{long}' is longer than the max allowed length 249")),
            ("bad name!", format!("'bad name!' {characters}")),
            ("토픽", format!("'토픽' {characters}")),
        ] {
            assert_eq!(check_name(name), Err(format!("Topic name is invalid: {reason}")));
        }
        assert_eq!(check_name("his-topic_1.x"), Ok(()));
    }

    #[test]
    fn names_that_differ_in_dots_and_underscores_only_collide() {
        let mut cluster = TestCluster::with_brokers(1);
        cluster.create("kafka.test-topic", &[&[0]]);
        assert_eq!(
            check_new_name("kafka_test-topic", &cluster.image),
            Err("Topic 'kafka_test-topic' collides with existing topic: kafka.test-topic".to_owned())
        );
        assert_eq!(check_new_name("kafka-test-topic", &cluster.image), Ok(()));
    }
}
