//! `kafka-topics`: its options and checks (`TopicCommand` of Kafka 3.9). What the cluster says to it is put into words by
//! `topics_text`.

use crate::admin_tool::{NoAdminClient, admin_client};
use crate::java_exception::JavaException;
use crate::options::{OptionError, OptionSpec, ParsedOptions, parse};
use crate::output::Piece;
use crate::plan::{Face, Plan, Printout, Surroundings};
use crate::topics_text::failure;
use crate::uuid::parse_uuid;
use crate::words::as_java_splits;
use kafka::config::{topic_config, validate_topic_config};
use kafka::spec::{DescribeTarget, Program, TopicFilter, TopicsAction};
use regex_lite::Regex;
use wire::request::CreatableTopic;
use wire::{BrokerId, PartitionIndex, TopicName};

/// The options, sorted by name.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::flag(
        "alter",
        "Add partitions to a topic, with or without a replica assignment. A topic's configuration is altered with \
         kafka-configs.",
    ),
    OptionSpec::flag(
        "at-min-isr-partitions",
        "With --describe: only partitions with as many in-sync replicas as their minimum.",
    ),
    OptionSpec::text("bootstrap-server", "server to connect to", "REQUIRED: Brokers to ask first, as HOST:PORT."),
    OptionSpec::text("command-config", "command config property file", "A file with properties of the admin client."),
    OptionSpec::text(
        "config",
        "name=value",
        "With --create: a configuration of the topic, for example retention.ms=86400000. May be given several times.",
    ),
    OptionSpec::flag("create", "Make a topic."),
    OptionSpec::flag("delete", "Delete topics."),
    OptionSpec::text("delete-config", "name", "Not supported with --bootstrap-server: use kafka-configs."),
    OptionSpec::flag("describe", "Show topics in detail."),
    OptionSpec::flag(
        "exclude-internal",
        "With --list and --describe: leave out the topics that Kafka keeps for itself.",
    ),
    OptionSpec::flag("help", "Print this text."),
    OptionSpec::flag("if-exists", "With --alter, --delete and --describe: it is no error if there is no such topic."),
    OptionSpec::flag("if-not-exists", "With --create: it is no error if there is such a topic already."),
    OptionSpec::flag("list", "Show the names of all topics."),
    OptionSpec::integer(
        "partition-size-limit-per-response",
        "maximum number of partitions in one response.",
        "How many partitions a broker may describe in one response.",
    ),
    OptionSpec::integer(
        "partitions",
        "# of partitions",
        "How many partitions a topic gets or has afterwards; the cluster's default if it is left out with --create. \
         (WARNING: records with keys go to other partitions once there are more.)",
    ),
    OptionSpec::text(
        "replica-assignment",
        "broker_id_for_part1_replica1 : broker_id_for_part1_replica2 , broker_id_for_part2_replica1 : \
         broker_id_for_part2_replica2 , ...",
        "Which brokers hold which partition, by hand.",
    ),
    OptionSpec::integer(
        "replication-factor",
        "replication factor",
        "How many replicas each partition gets; the cluster's default if it is left out.",
    ),
    OptionSpec::text(
        "topic",
        "topic",
        "The topic. Except with --create it may be a regular expression, in quotes; \"test\\.topic\" is one in which \
         the dot is a dot.",
    ),
    OptionSpec::text("topic-id", "topic-id", "With --describe: the topic by its id."),
    OptionSpec::flag("topics-with-overrides", "With --describe: only topics that have configurations of their own."),
    OptionSpec::flag("unavailable-partitions", "With --describe: only partitions whose leader is not available."),
    OptionSpec::flag(
        "under-min-isr-partitions",
        "With --describe: only partitions with fewer in-sync replicas than their minimum.",
    ),
    OptionSpec::flag("under-replicated-partitions", "With --describe: only partitions that lack in-sync replicas."),
    OptionSpec::flag("version", "Print Kafka's version."),
];

/// Which rows `--describe` prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DescribeFilter {
    /// `--under-replicated-partitions`.
    pub under_replicated: bool,
    /// `--unavailable-partitions`.
    pub unavailable: bool,
    /// `--under-min-isr-partitions`.
    pub under_min_isr: bool,
    /// `--at-min-isr-partitions`.
    pub at_min_isr: bool,
    /// `--topics-with-overrides`.
    pub with_overrides: bool,
}

const CONFIGS_TOOL: &str = " (the kafka-configs CLI supports altering topic configs with a --bootstrap-server option)";

/// Why the program ends before it has an admin client.
enum Early {
    /// Message and usage table.
    Usage(String),
    /// `mainNoExit`: message, stack trace, blank line.
    Exception(JavaException),
    /// The action failed: one line on each stream.
    Action(JavaException),
    Plan(Plan),
}

/// What a call comes to.
#[must_use]
pub fn plan(arguments: &[String], surroundings: Surroundings<'_>) -> Plan {
    match parsed(arguments).and_then(|options| client(&options, surroundings)) {
        Ok(plan) | Err(Early::Plan(plan)) => plan,
        Err(Early::Usage(message)) => Plan::usage(OPTIONS, &message),
        Err(Early::Exception(exception)) => main_failed(&exception),
        Err(Early::Action(exception)) => Plan::Print(Printout { pieces: failure(&exception), status: 1 }),
    }
}

fn main_failed(exception: &JavaException) -> Plan {
    let mut pieces = vec![Piece::Err(exception.message().to_owned())];
    pieces.extend(Piece::trace(exception));
    pieces.push(Piece::Err(String::new()));
    Plan::Print(Printout { pieces, status: 1 })
}

fn parsed(arguments: &[String]) -> Result<ParsedOptions, Early> {
    let options = parse(OPTIONS, arguments).map_err(|error| Early::Exception(error.exception()))?;
    let usage = |message: &str| Err(Early::Usage(message.to_owned()));
    if arguments.is_empty() {
        return usage("Create, delete, describe, or change a topic.");
    }
    if options.has("help") {
        return usage("This tool helps to create, delete, describe, or change a topic.");
    }
    if options.has("version") {
        return Err(Early::Plan(Plan::version()));
    }
    if ACTIONS.iter().filter(|action| options.has(action)).count() != 1 {
        return usage("Command must include exactly one action: --list, --describe, --create, --alter or --delete");
    }
    check_required(&options)?;
    check_combinations(&options)?;
    Ok(options)
}

const ACTIONS: [&str; 5] = ["create", "list", "alter", "describe", "delete"];

fn check_required(options: &ParsedOptions) -> Result<(), Early> {
    let missing = |name: &str| Err(Early::Usage(format!("Missing required argument \"[{name}]\"")));
    if !options.has("bootstrap-server") {
        return Err(Early::Exception(JavaException::illegal_argument("--bootstrap-server must be specified")));
    }
    let names_a_topic = options.has("topic") || options.has("topic-id");
    if options.has("describe") && options.has("if-exists") && !names_a_topic {
        return Err(Early::Usage("--topic or --topic-id is required to describe a topic".to_owned()));
    }
    if !options.has("list") && !options.has("describe") && !options.has("topic") {
        return missing("topic");
    }
    if options.has("alter") && options.has("config") {
        let set = "Option combination \"[[bootstrap-server], [config]]\" can't be used with option \"[alter]\"";
        return Err(Early::Usage(format!("{set}{CONFIGS_TOOL}")));
    }
    if options.has("alter") && !options.has("partitions") {
        return missing("partitions");
    }
    Ok(())
}

/// Each option with the options that it cannot stand beside, in the order in which Kafka checks them.
const CONFLICTS: [(&str, &[&str]); 12] = [
    ("config", &["describe", "list", "delete"]),
    ("partitions", &["describe", "list", "delete"]),
    ("replication-factor", &["alter", "describe", "list", "delete"]),
    ("replica-assignment", &["describe", "list", "delete"]),
    ("under-replicated-partitions", &["alter", "create", "list", "delete", "topics-with-overrides"]),
    ("under-min-isr-partitions", &["alter", "create", "list", "delete", "topics-with-overrides"]),
    ("at-min-isr-partitions", &["alter", "create", "list", "delete", "topics-with-overrides"]),
    ("unavailable-partitions", &["alter", "create", "list", "delete", "topics-with-overrides"]),
    (
        "topics-with-overrides",
        &[
            "alter",
            "create",
            "list",
            "delete",
            "under-replicated-partitions",
            "under-min-isr-partitions",
            "at-min-isr-partitions",
            "unavailable-partitions",
        ],
    ),
    ("if-exists", &["create", "list"]),
    ("if-not-exists", &["alter", "describe", "list", "delete"]),
    ("exclude-internal", &["alter", "create", "delete"]),
];

/// Where in `CONFLICTS` Kafka looks at what `--create` cannot have besides an assignment.
const BEHIND_ASSIGNMENT: usize = 4;

fn check_combinations(options: &ParsedOptions) -> Result<(), Early> {
    check_conflicts(options, &CONFLICTS[..BEHIND_ASSIGNMENT])?;
    if options.has("create") {
        check_conflicts(options, &[("replica-assignment", &["partitions", "replication-factor"])])?;
    }
    check_conflicts(options, &CONFLICTS[BEHIND_ASSIGNMENT..])
}

fn check_conflicts(options: &ParsedOptions, conflicts: &[(&str, &[&str])]) -> Result<(), Early> {
    for (used, others) in conflicts.iter().filter(|(used, _)| options.has(used)) {
        if let Some(other) = others.iter().find(|other| options.has(other)) {
            return Err(Early::Usage(format!("Option \"[{used}]\" can't be used with option \"[{other}]\"")));
        }
    }
    Ok(())
}

/// Makes the admin client and reads what the action needs.
fn client(options: &ParsedOptions, surroundings: Surroundings<'_>) -> Result<Plan, Early> {
    let servers = options.value("bootstrap-server").map_err(before_action)?.unwrap_or_default();
    let admin = admin_client(options, surroundings, servers, "adminclient-1").map_err(no_admin_client)?;
    let (action, opening) = action(options)?;
    Ok(admin.plan(Program::Topics(action), opening, Face::Topics(describe_filter(options))))
}

fn no_admin_client(problem: NoAdminClient) -> Early {
    Early::Plan(match problem {
        NoAdminClient::Exception(exception, log) => main_failed(&exception).after(log),
        NoAdminClient::NotSimulated(what) => Plan::not_simulated(&what),
    })
}

fn before_action(error: OptionError) -> Early {
    Early::Exception(error.exception())
}

fn in_action(error: OptionError) -> Early {
    Early::Action(error.exception())
}

fn describe_filter(options: &ParsedOptions) -> DescribeFilter {
    DescribeFilter {
        under_replicated: options.has("under-replicated-partitions"),
        unavailable: options.has("unavailable-partitions"),
        under_min_isr: options.has("under-min-isr-partitions"),
        at_min_isr: options.has("at-min-isr-partitions"),
        with_overrides: options.has("topics-with-overrides"),
    }
}

/// The action, and what is printed before anything is sent.
fn action(options: &ParsedOptions) -> Result<(TopicsAction, Vec<Piece>), Early> {
    let if_exists = options.has("if-exists");
    let action = match ACTIONS.iter().find(|action| options.has(action)) {
        Some(&"create") => return create(options),
        Some(&"alter") => alter(options)?,
        Some(&"describe") => TopicsAction::Describe { topics: describe_target(options)?, if_exists },
        Some(&"delete") => TopicsAction::Delete { topics: filter(options)?, if_exists },
        Some(_) | None => TopicsAction::List(filter(options)?),
    };
    let both = options.has("describe") && if_exists && options.has("topic") && options.has("topic-id");
    let note = "Only topic id will be used when both --topic and --topic-id are specified and topicId is not \
                Uuid.ZERO_UUID";
    Ok((action, both.then(|| Piece::Out(note.to_owned())).into_iter().collect()))
}

fn filter(options: &ParsedOptions) -> Result<TopicFilter, Early> {
    let pattern = options.value("topic").map_err(in_action)?.map(str::to_owned);
    if let Some(pattern) = &pattern {
        check_pattern(pattern)?;
    }
    Ok(TopicFilter { pattern, exclude_internal: options.has("exclude-internal") })
}

/// `TopicFilter.IncludeList`: a comma stands for "or", blanks and quotes around do not count.
fn check_pattern(pattern: &str) -> Result<(), Early> {
    let regex = pattern.trim().replace(',', "|").replace(' ', "");
    let regex = regex.trim_matches(['"', '\'']);
    match Regex::new(regex) {
        Ok(_) => Ok(()),
        Err(_) => {
            let message = format!("{regex} is an invalid regex.");
            Err(Early::Action(JavaException::new("java.lang.RuntimeException", &message)))
        }
    }
}

fn describe_target(options: &ParsedOptions) -> Result<DescribeTarget, Early> {
    let text = options.value("topic-id").map_err(in_action)?;
    let id =
        text.map(parse_uuid).transpose().map_err(|message| Early::Action(JavaException::illegal_argument(&message)))?;
    match id.filter(|id| id.0 != 0) {
        Some(id) => Ok(DescribeTarget::Id(id)),
        None => Ok(DescribeTarget::Filter(filter(options)?)),
    }
}

/// What `--create` and `--alter` say about a topic (`CommandTopicPartition`).
struct Layout {
    name: String,
    partitions: Option<i32>,
    replication_factor: Option<i32>,
    assignments: Vec<Vec<BrokerId>>,
    configs: Vec<(String, String)>,
}

fn layout(options: &ParsedOptions) -> Result<Layout, Early> {
    Ok(Layout {
        name: options.value("topic").map_err(in_action)?.unwrap_or_default().to_owned(),
        partitions: options.integer("partitions").map_err(in_action)?,
        replication_factor: options.integer("replication-factor").map_err(in_action)?,
        assignments: match options.value("replica-assignment").map_err(in_action)? {
            Some(text) if !text.is_empty() => parse_assignment(text).map_err(Early::Action)?,
            Some(_) | None => Vec::new(),
        },
        configs: configs(options).map_err(Early::Action)?,
    })
}

fn alter(options: &ParsedOptions) -> Result<TopicsAction, Early> {
    let layout = layout(options)?;
    Ok(TopicsAction::Alter {
        topics: filter(options)?,
        count: layout.partitions.expect("--alter requires --partitions"),
        assignments: (!layout.assignments.is_empty()).then_some(layout.assignments),
        if_exists: options.has("if-exists"),
    })
}

fn create(options: &ParsedOptions) -> Result<(TopicsAction, Vec<Piece>), Early> {
    let layout = layout(options)?;
    let mut opening = Vec::new();
    if layout.name.contains(['.', '_']) {
        opening.push(Piece::Out(
            "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could \
             collide. To avoid issues it is best to use either, but not both."
                .to_owned(),
        ));
    }
    match check_layout(&layout) {
        Ok(()) => Ok((create_action(layout, options.has("if-not-exists")), opening)),
        Err(exception) => {
            opening.extend(failure(&exception));
            Err(Early::Plan(Plan::Print(Printout { pieces: opening, status: 1 })))
        }
    }
}

fn check_layout(layout: &Layout) -> Result<(), JavaException> {
    if layout.replication_factor.is_some_and(|factor| i16::try_from(factor).is_err() || factor < 1) {
        let message = "The replication factor must be between 1 and 32767 inclusive";
        return Err(JavaException::illegal_argument(message));
    }
    if layout.partitions.is_some_and(|partitions| partitions < 1) {
        return Err(JavaException::illegal_argument("The partitions must be greater than 0"));
    }
    if layout.name.is_empty() {
        let message = "The given topic name '' cannot be represented in a request.";
        return Err(JavaException::of_kafka("InvalidTopicException", message));
    }
    Ok(())
}

fn create_action(layout: Layout, if_not_exists: bool) -> TopicsAction {
    let factor = layout.replication_factor.map(|factor| i16::try_from(factor).expect("its range was checked"));
    let topic = CreatableTopic {
        name: TopicName::new(&layout.name),
        num_partitions: layout.partitions,
        replication_factor: factor,
        assignments: (0..).map(PartitionIndex).zip(layout.assignments).collect(),
        configs: layout.configs,
    };
    TopicsAction::Create { topic, if_not_exists }
}

/// `TopicCommand.parseReplicaAssignment`: partitions between commas, replicas between colons.
fn parse_assignment(text: &str) -> Result<Vec<Vec<BrokerId>>, JavaException> {
    let mut assignments: Vec<Vec<BrokerId>> = Vec::new();
    for (index, part) in as_java_splits(text.split(',')).into_iter().enumerate() {
        let brokers = as_java_splits(part.split(':')).into_iter().map(parse_broker).collect::<Result<Vec<_>, _>>()?;
        check_duplicates(&brokers)?;
        if assignments.first().is_some_and(|first| first.len() != brokers.len()) {
            let list: Vec<String> = brokers.iter().map(ToString::to_string).collect();
            let message = format!("Partition {index} has different replication factor: [{}]", list.join(", "));
            return Err(JavaException::new("org.apache.kafka.server.common.AdminOperationException", &message));
        }
        assignments.push(brokers);
    }
    Ok(assignments)
}

fn parse_broker(text: &str) -> Result<BrokerId, JavaException> {
    let text = text.trim();
    text.parse().map(BrokerId).map_err(|_| JavaException::number_format(text))
}

fn check_duplicates(brokers: &[BrokerId]) -> Result<(), JavaException> {
    let is_second = |index: &usize| brokers[..*index].contains(&brokers[*index]);
    let mut duplicates: Vec<BrokerId> = (0..brokers.len()).filter(is_second).map(|index| brokers[index]).collect();
    duplicates.sort_unstable();
    duplicates.dedup();
    if duplicates.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = duplicates.iter().map(ToString::to_string).collect();
    let message = format!("Partition replica lists may not contain duplicate entries: {}", list.join(","));
    Err(JavaException::new("org.apache.kafka.server.common.AdminCommandFailedException", &message))
}

fn configs(options: &ParsedOptions) -> Result<Vec<(String, String)>, JavaException> {
    let configs = parse_configs(&options.values("config"))?;
    check_configs(&configs)?;
    Ok(configs)
}

/// What `LogConfig.validate` finds in the tool itself: unknown names first, then bad values.
fn check_configs(configs: &[(String, String)]) -> Result<(), JavaException> {
    if let Some((name, _)) = configs.iter().find(|(name, _)| topic_config(name).is_none()) {
        let message = format!("Unknown topic config name: {name}");
        return Err(JavaException::of_kafka("InvalidConfigurationException", &message));
    }
    let check = |(name, value): &(String, String)| validate_topic_config(name, value);
    configs.iter().try_for_each(check).map_err(|message| JavaException::config(&message))
}

/// `TopicCommand.parseTopicConfigsToBeAdded`.
fn parse_configs(texts: &[&str]) -> Result<Vec<(String, String)>, JavaException> {
    let mut configs: Vec<(String, String)> = Vec::new();
    for text in texts {
        let [name, value] = as_java_splits(text.split('='))[..] else {
            let message = "requirement failed: Invalid topic config: all configs to be added must be in the format \
                           \"key=val\".";
            return Err(JavaException::illegal_argument(message));
        };
        let (name, value) = (name.trim(), value.trim());
        configs.retain(|(other, _)| other != name);
        configs.push((name.to_owned(), value.to_owned()));
    }
    Ok(configs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk_files::DiskFiles;
    use crate::files::Files;

    fn planned(line: &str) -> Plan {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        plan(
            &arguments,
            Surroundings { files: &Files::new(), disks: DiskFiles::default(), input: None, group_number: 0 },
        )
    }

    fn first_line(line: &str) -> String {
        let Plan::Print(Printout { pieces, status: 1 }) = planned(line) else { panic!("{line} was taken") };
        let (Piece::Err(first) | Piece::Out(first)) = &pieces[0] else { panic!("{pieces:?}") };
        first.clone()
    }

    fn action_of(line: &str) -> TopicsAction {
        match planned(&format!("--bootstrap-server localhost:9092 {line}")) {
            Plan::Client(client) => match client.spec.program {
                Program::Topics(action) => action,
                Program::Producer(_) | Program::Consumer(_) | Program::Admin(_) => {
                    panic!("{line} is no call of kafka-topics")
                }
            },
            Plan::Print(printout) => panic!("{line}: {printout:?}"),
        }
    }

    #[test]
    fn the_tables_are_sorted() {
        for options in [OPTIONS, crate::console_producer::OPTIONS, crate::console_consumer::OPTIONS] {
            assert!(options.is_sorted_by_key(|option| option.name));
        }
    }

    #[test]
    fn an_assignment_is_read_as_kafka_reads_it() {
        let ids = |lists: &[&[i32]]| -> Vec<Vec<BrokerId>> {
            lists.iter().map(|list| list.iter().copied().map(BrokerId).collect()).collect()
        };
        assert_eq!(parse_assignment("0:1,2:3,4:5"), Ok(ids(&[&[0, 1], &[2, 3], &[4, 5]])));
        let message = |text: &str| parse_assignment(text).unwrap_err().message().to_owned();
        assert_eq!(message("5:5"), "Partition replica lists may not contain duplicate entries: 5");
        assert_eq!(message("5:4:3,2:1"), "Partition 1 has different replication factor: [2, 1]");
        assert_eq!(message("a"), "For input string: \"a\"");
    }

    #[test]
    fn options_that_exclude_each_other_are_refused() {
        let cases = [
            ("--create --topic t --replica-assignment 1 --partitions 1", "replica-assignment", "partitions"),
            (
                "--create --topic t --replica-assignment 1 --replication-factor 1",
                "replica-assignment",
                "replication-factor",
            ),
            ("--list --partitions 2", "partitions", "list"),
            (
                "--describe --topics-with-overrides --unavailable-partitions",
                "unavailable-partitions",
                "topics-with-overrides",
            ),
            ("--delete --topic t --if-not-exists", "if-not-exists", "delete"),
            ("--create --topic t --exclude-internal", "exclude-internal", "create"),
        ];
        for (line, used, other) in cases {
            let expected = format!("Option \"[{used}]\" can't be used with option \"[{other}]\"");
            assert_eq!(first_line(&format!("--bootstrap-server localhost:9092 {line}")), expected, "{line}");
        }
    }

    #[test]
    fn configs_are_pairs() {
        for config in ["a", "a=", "a=b=c", "="] {
            let line = format!("--bootstrap-server localhost:1 --create --topic t --config {config}");
            assert!(first_line(&line).contains("requirement failed: Invalid topic config"), "{line}");
        }
    }

    #[test]
    fn create_takes_partitions_and_replicas_or_leaves_them_to_the_cluster() {
        let TopicsAction::Create { topic, if_not_exists } =
            action_of("--create --topic t --partitions 3 --replication-factor 2 --if-not-exists")
        else {
            panic!("not a creation");
        };
        assert_eq!((topic.num_partitions, topic.replication_factor, if_not_exists), (Some(3), Some(2), true));
        let TopicsAction::Create { topic, .. } = action_of("--create --topic t --replica-assignment 1:2,2:3") else {
            panic!("not a creation");
        };
        assert_eq!((topic.num_partitions, topic.replication_factor, topic.assignments.len()), (None, None, 2));
    }
}
