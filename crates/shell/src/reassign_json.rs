//! The files of `kafka-reassign-partitions`: which replicas partitions shall have, and of which topics a proposal is
//! wanted.

use crate::java_exception::JavaException;
use crate::json::Json;
use kafka::spec::PlacedReplicas;
use wire::{BrokerId, PartitionIndex, TopicName, TopicPartition};

const VERSION: i32 = 1;
const ANY_LOG_DIR: &str = "any";

/// The partitions of a `--reassignment-json-file`, and whether replicas shall be in particular directories.
///
/// # Errors
/// The text is no JSON, or of another shape.
pub fn parse_targets(text: &str) -> Result<(Vec<PlacedReplicas>, bool), JavaException> {
    let json = Json::parse(text).ok_or_else(|| parse_failure(text))?;
    check_version(&json)?;
    let mut targets = Vec::new();
    let mut moves_directories = false;
    let partitions = json.get("partitions")?.map_or(Ok(&[][..]), Json::elements)?;
    for fields in partitions {
        let (topic, index) = (fields.field("topic")?.string()?, fields.field("partition")?.integer()?);
        let partition = TopicPartition::new(TopicName::new(topic), PartitionIndex(index));
        let numbers: Vec<i32> = list(fields.field("replicas")?, Json::integer)?;
        if let Some(log_dirs) = fields.get("log_dirs")? {
            let log_dirs = list(log_dirs, Json::string)?;
            check_length(&numbers, &log_dirs, &partition)?;
            moves_directories |= log_dirs.iter().any(|log_dir| *log_dir != ANY_LOG_DIR);
        }
        targets.push(PlacedReplicas { partition, replicas: numbers.into_iter().map(BrokerId).collect() });
    }
    Ok((targets, moves_directories))
}

/// The topics of a `--topics-to-move-json-file`.
///
/// # Errors
/// The text is no JSON, or of another shape.
pub fn parse_topics(text: &str) -> Result<Vec<TopicName>, JavaException> {
    let json = Json::parse(text).ok_or_else(|| operation_failed("The input string is not a valid JSON"))?;
    check_version(&json)?;
    let topics = json.get("topics")?.map_or(Ok(&[][..]), Json::elements)?;
    topics.iter().map(|topic| topic.field("topic")?.string().map(TopicName::new)).collect()
}

fn list<'a, T>(
    json: &'a Json,
    element: impl Fn(&'a Json) -> Result<T, JavaException>,
) -> Result<Vec<T>, JavaException> {
    json.elements()?.iter().map(element).collect()
}

fn check_version(json: &Json) -> Result<(), JavaException> {
    match json.get("version")?.map(Json::integer).transpose()? {
        None | Some(VERSION) => Ok(()),
        Some(other) => Err(operation_failed(&format!("Not supported version field value {other}"))),
    }
}

fn check_length(replicas: &[i32], log_dirs: &[&str], partition: &TopicPartition) -> Result<(), JavaException> {
    if replicas.len() == log_dirs.len() {
        return Ok(());
    }
    let replicas: Vec<String> = replicas.iter().map(ToString::to_string).collect();
    let message = format!(
        "Size of replicas list [{}] is different from size of log dirs list [{}] for partition {partition}",
        replicas.join(", "),
        log_dirs.join(", ")
    );
    Err(JavaException::new("org.apache.kafka.server.common.AdminCommandFailedException", &message))
}

fn operation_failed(message: &str) -> JavaException {
    JavaException::new("org.apache.kafka.server.common.AdminOperationException", message)
}

/// What Jackson says of a word that is no JSON, and of everything else in fewer words than it.
fn parse_failure(text: &str) -> JavaException {
    let trimmed = text.trim_start();
    let word: String =
        trimmed.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect();
    let message = if word.is_empty() {
        "Unexpected character or end of input".to_owned()
    } else {
        let before = &text[..text.len() - trimmed.len()];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + word.chars().count() + 1;
        format!(
            "Unrecognized token '{word}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or \
             'false')\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {line}, \
             column: {column}]"
        )
    };
    let cause = JavaException::new("com.fasterxml.jackson.core.JsonParseException", &message);
    operation_failed(&message).caused_by(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_directories_are_as_many_as_replicas() {
        let file = |log_dirs: &str| {
            let text = format!(
                r#"{{"version":1,"partitions":[{{"topic":"t","partition":0,"replicas":[1,2],"log_dirs":{log_dirs}}}]}}"#
            );
            parse_targets(&text).map(|(targets, moves)| (targets[0].replicas.len(), moves))
        };
        assert_eq!(file(r#"["any","any"]"#), Ok((2, false)));
        assert_eq!(file(r#"["any","/d"]"#), Ok((2, true)));
        let message = "Size of replicas list [1, 2] is different from size of log dirs list [any] for partition t-0";
        assert_eq!(file(r#"["any"]"#).unwrap_err().message(), message);
    }

    #[test]
    fn another_version_is_refused() {
        let message = "Not supported version field value 2";
        assert_eq!(parse_topics(r#"{"topics":[],"version":2}"#).unwrap_err().message(), message);
        assert_eq!(parse_topics(r#"{"topics":[{"topic":"t"}]}"#), Ok(vec![TopicName::new("t")]));
    }
}
