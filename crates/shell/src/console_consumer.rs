//! `kafka-console-consumer`: its options, and the consumer they come to (`ConsoleConsumer` of Kafka 3.9).
//!
//! Consumer groups are not simulated. Without `--group` a real console consumer is the only member of a group of its
//! own, gets all partitions of its topic and commits nothing, so the simulated one assigns all partitions to itself and
//! differs in nothing that it prints. With a group it would differ, and is refused.

use crate::bootstrap::parse_bootstrap;
use crate::client_properties::ClientProperties;
use crate::files::parse_properties;
use crate::java_exception::JavaException;
use crate::log_lines::LogLine;
use crate::message_formatter::{Kind, MessageFormatter};
use crate::options::{OptionError, OptionSpec, ParsedOptions, key_values, parse};
use crate::output::Piece;
use crate::plan::{ClientPlan, Face, Plan, Printout, Surroundings};
use kafka::spec::{ClientSpec, ConsumerSpec, Program, StartOffset, Subscription};
use regex_lite::Regex;
use wire::{Offset, PartitionIndex, TopicName};

/// The logger of the tool.
pub const LOGGER: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";

const DEFAULT_FORMATTER: &str = "org.apache.kafka.tools.consumer.DefaultMessageFormatter";

/// The options, sorted by name.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::text(
        "bootstrap-server",
        "server to connect to",
        "REQUIRED: Brokers to ask first, as HOST1:PORT1,HOST2:PORT2.",
    ),
    OptionSpec::text("consumer-property", "consumer_prop", "A property of the consumer, as key=value."),
    OptionSpec::text(
        "consumer.config",
        "config file",
        "A file with properties of the consumer; [consumer-property] wins over it.",
    ),
    OptionSpec::flag("enable-systest-events", "Print what the consumer does, for Kafka's own system tests."),
    OptionSpec::text("formatter", "class", "The class that prints records.").or(DEFAULT_FORMATTER),
    OptionSpec::text(
        "formatter-config",
        "config file",
        "A file with properties of the formatter; [property] wins over it.",
    ),
    OptionSpec::flag(
        "from-beginning",
        "Start with the first record there is, instead of those to come, unless the group has committed an offset.",
    ),
    OptionSpec::text("group", "consumer group id", "The consumer's group."),
    OptionSpec::flag("help", "Print this text."),
    OptionSpec::text("include", "Java regex (String)", "Consume every topic whose name matches this."),
    OptionSpec::text(
        "isolation-level",
        "",
        "read_committed leaves out records of transactions that are open or were aborted; read_uncommitted shows all.",
    )
    .or("read_uncommitted"),
    OptionSpec::text("key-deserializer", "deserializer for key", ""),
    OptionSpec::integer("max-messages", "num_messages", "Exit after so many records. Without it there is no end."),
    OptionSpec::text(
        "offset",
        "consume offset",
        "Where to begin: an offset, 'earliest' (the beginning) or 'latest' (the end)",
    )
    .or("latest"),
    OptionSpec::integer(
        "partition",
        "partition",
        "Consume this partition only, from its end unless '--offset' says otherwise.",
    ),
    OptionSpec::text(
        "property",
        "prop",
        "A property of the formatter, as key=value. It knows:\n print.timestamp=true|false\n print.key=true|false\n \
         print.offset=true|false\n print.partition=true|false\n print.headers=true|false\n \
         print.value=true|false\n key.separator=<text>\n line.separator=<text>\n headers.separator=<text>\n \
         null.literal=<text>\n key.deserializer=<class>\n value.deserializer=<class>\n headers.deserializer=<class>",
    ),
    OptionSpec::flag("skip-message-on-error", "Go on with the next record when one cannot be printed."),
    OptionSpec::long("timeout-ms", "timeout_ms", "Exit when no record comes for so long."),
    OptionSpec::text("topic", "topic", "The topic to consume."),
    OptionSpec::text("value-deserializer", "deserializer for values", ""),
    OptionSpec::flag("version", "Print Kafka's version."),
    OptionSpec::text(
        "whitelist",
        "Java regex (String)",
        "DEPRECATED, the old name of --include; ignored if that is given.",
    ),
];

/// Why the program ends before it has a consumer.
enum Early {
    Usage(String),
    Uncaught(JavaException),
    Plan(Plan),
}

impl From<OptionError> for Early {
    fn from(error: OptionError) -> Early {
        Early::Uncaught(error.exception())
    }
}

/// What a call comes to.
#[must_use]
pub fn plan(arguments: &[String], surroundings: Surroundings<'_>) -> Plan {
    let checked = parsed(arguments).and_then(|options| {
        check_required(&options)?;
        program(&options, surroundings)
    });
    match checked {
        Ok(plan) | Err(Early::Plan(plan)) => plan,
        Err(Early::Usage(message)) => Plan::usage(OPTIONS, &message),
        Err(Early::Uncaught(exception)) => Plan::uncaught(&exception),
    }
}

fn parsed(arguments: &[String]) -> Result<ParsedOptions, Early> {
    let options = parse(OPTIONS, arguments).map_err(|error| Early::Usage(error.message()))?;
    if arguments.is_empty() || options.has("help") {
        let message = "This tool helps to read data from Kafka topics and outputs it to standard output.";
        return Err(Early::Usage(message.to_owned()));
    }
    if options.has("version") {
        return Err(Early::Plan(Plan::version()));
    }
    Ok(options)
}

/// `--include`, or its old name.
fn include(options: &ParsedOptions) -> Result<Option<&str>, OptionError> {
    match options.value("include")? {
        Some(pattern) => Ok(Some(pattern)),
        None => options.value("whitelist"),
    }
}

fn check_required(options: &ParsedOptions) -> Result<(), Early> {
    let usage = |message: &str| Err(Early::Usage(message.to_owned()));
    let topic = options.value("topic")?;
    if topic.is_some() == include(options)?.is_some() {
        return usage("Exactly one of --include/--topic is required. ");
    }
    if options.integer("partition")?.is_some() {
        if topic.is_none() {
            return usage("The topic is required when partition is specified.");
        }
        if options.has("from-beginning") && options.has("offset") {
            return usage("Options from-beginning and offset cannot be specified together.");
        }
    } else if options.has("offset") {
        return usage("The partition is required when offset is specified.");
    }
    if !options.has("bootstrap-server") {
        return usage("Missing required argument \"[bootstrap-server]\"");
    }
    Ok(())
}

fn program(options: &ParsedOptions, surroundings: Surroundings<'_>) -> Result<Plan, Early> {
    let mut properties = ClientProperties::default();
    let group_ids = collect_properties(options, surroundings, &mut properties)?;
    check_group(options, &group_ids)?;
    set_auto_offset_reset(options, &mut properties)?;
    if options.has("isolation-level") || properties.get("isolation.level").is_none() {
        properties.set("isolation.level", options.value("isolation-level")?.unwrap_or_default());
    }
    let start = start_offset(options)?;
    let timeout_ms = options.long("timeout-ms")?.filter(|timeout_ms| *timeout_ms >= 0);
    let (formatter, mut opening) = formatter(options, surroundings)?;
    check_simulated(options, &group_ids, &properties)?;
    let max_messages = options.integer("max-messages")?.filter(|count| *count != -1);
    let config = properties.consumer_config().map_err(|exception| Early::Plan(unknown_error(&exception)))?;
    let bootstrap = match parse_bootstrap(options.value("bootstrap-server")?.unwrap_or_default()) {
        Ok(bootstrap) => bootstrap,
        Err(bad) => {
            let exception = JavaException::kafka("Failed to construct kafka consumer").caused_by(bad.exception);
            return Err(Early::Plan(unknown_error(&exception).after(bad.warnings)));
        }
    };
    let consumer = ConsumerSpec {
        config,
        subscription: subscription(options, start)?,
        group_id: Some(format!("console-consumer-{}", surroundings.group_number)),
        max_messages: max_messages.map(|count| u64::try_from(count).unwrap_or(0)),
        timeout_ms,
    };
    let spec = ClientSpec {
        client_id: properties.get("client.id").unwrap_or("console-consumer").to_owned(),
        bootstrap_servers: bootstrap.servers,
        program: Program::Consumer(consumer),
    };
    opening.extend(bootstrap.warnings.into_iter().map(Piece::Log));
    Ok(Plan::Client(Box::new(ClientPlan { spec, opening, face: Face::Consumer(formatter) })))
}

fn check_simulated(options: &ParsedOptions, group_ids: &[String], properties: &ClientProperties) -> Result<(), Early> {
    if options.has("enable-systest-events") {
        return Err(not_simulated("--enable-systest-events is not simulated"));
    }
    if let Some(group_id) = group_ids.first() {
        return Err(not_simulated(&format!(
            "consumer groups are not simulated yet, so a consumer in the group '{group_id}' cannot be: leave the group \
             out to read all partitions"
        )));
    }
    match properties.not_simulated() {
        Some(what) => Err(not_simulated(&format!("consumers with {what} are not simulated"))),
        None => Ok(()),
    }
}

fn not_simulated(what: &str) -> Early {
    Early::Plan(Plan::not_simulated(what))
}

/// What `main` logs when the consumer cannot be made.
fn unknown_error(exception: &JavaException) -> Plan {
    let line = LogLine::error(LOGGER, "Unknown error when running consumer: ".to_owned()).with(exception.clone());
    Plan::Print(Printout { pieces: vec![Piece::Log(line)], status: 1 })
}

/// Fills the properties; gives back the distinct group ids, in the order option, file, property.
fn collect_properties(
    options: &ParsedOptions,
    surroundings: Surroundings<'_>,
    properties: &mut ClientProperties,
) -> Result<Vec<String>, Early> {
    let from_file = read_file(options.value("consumer.config")?, surroundings)?;
    let extra = key_values(&options.values("consumer-property"));
    let last_group = |properties: &[(String, String)]| {
        properties.iter().rev().find(|(key, _)| key == "group.id").map(|(_, value)| value.clone())
    };
    let given = [options.value("group")?.map(str::to_owned), last_group(&from_file), last_group(&extra)];
    let mut group_ids: Vec<String> = Vec::new();
    for group_id in given.into_iter().flatten() {
        if !group_ids.contains(&group_id) {
            group_ids.push(group_id);
        }
    }
    properties.extend(from_file);
    properties.extend(extra);
    Ok(group_ids)
}

fn read_file(path: Option<&str>, surroundings: Surroundings<'_>) -> Result<Vec<(String, String)>, Early> {
    match path {
        None => Ok(Vec::new()),
        Some(path) => match surroundings.files.read(path) {
            Some(text) => Ok(parse_properties(text)),
            None => Err(Early::Uncaught(JavaException::no_such_file(path))),
        },
    }
}

fn check_group(options: &ParsedOptions, group_ids: &[String]) -> Result<(), Early> {
    if group_ids.len() > 1 {
        let quoted: Vec<String> = group_ids.iter().map(|group_id| format!("'{group_id}'")).collect();
        return Err(Early::Usage(format!(
            "The group ids provided in different places (directly using '--group', via '--consumer-property', or via \
             '--consumer.config') do not match. Detected group ids: {}",
            quoted.join(", ")
        )));
    }
    if !group_ids.is_empty() && options.has("partition") {
        return Err(Early::Usage("Options group and partition cannot be specified together.".to_owned()));
    }
    Ok(())
}

fn set_auto_offset_reset(options: &ParsedOptions, properties: &mut ClientProperties) -> Result<(), Early> {
    let from_beginning = options.has("from-beginning");
    match properties.get("auto.offset.reset") {
        Some(reset) if from_beginning && reset != "earliest" => {
            let message = format!(
                "Can't simultaneously specify --from-beginning and 'auto.offset.reset={reset}', please remove one option"
            );
            Err(Early::Plan(Plan::Print(Printout { pieces: vec![Piece::Err(message)], status: 1 })))
        }
        Some(_) => Ok(()),
        None => {
            properties.set("auto.offset.reset", if from_beginning { "earliest" } else { "latest" });
            Ok(())
        }
    }
}

fn start_offset(options: &ParsedOptions) -> Result<StartOffset, Early> {
    let text = options.value("offset")?.unwrap_or("latest");
    if !options.has("offset") {
        let from_beginning = options.has("from-beginning");
        return Ok(if from_beginning { StartOffset::Earliest } else { StartOffset::Latest });
    }
    match text.to_lowercase().as_str() {
        "earliest" => Ok(StartOffset::Earliest),
        "latest" => Ok(StartOffset::Latest),
        _ => match text.parse::<i64>() {
            Ok(offset) if offset >= 0 => Ok(StartOffset::At(Offset(offset))),
            Ok(_) | Err(_) => Err(Early::Usage(format!(
                "The provided offset value '{text}' is incorrect. Valid values are 'earliest', 'latest', or a \
                 non-negative long."
            ))),
        },
    }
}

fn subscription(options: &ParsedOptions, start: StartOffset) -> Result<Subscription, Early> {
    let Some(topic) = options.value("topic")? else {
        let pattern = include(options)?.unwrap_or_default();
        return match Regex::new(pattern) {
            Ok(_) => Ok(Subscription::Pattern(pattern.to_owned())),
            Err(error) => {
                let exception = JavaException::new("java.util.regex.PatternSyntaxException", &error.to_string());
                Err(Early::Plan(unknown_error(&exception)))
            }
        };
    };
    let topic = TopicName::new(topic);
    Ok(match options.integer("partition")? {
        Some(partition) => Subscription::Partition { topic, partition: PartitionIndex(partition), start: Some(start) },
        None => Subscription::Topic(topic),
    })
}

/// The formatter's classes in 3.9, and before it moved.
const FORMATTERS: [(&str, Kind); 3] = [
    ("DefaultMessageFormatter", Kind::Default),
    ("LoggingMessageFormatter", Kind::Default),
    ("NoOpMessageFormatter", Kind::NoOp),
];

const TEXT_DESERIALIZERS: [&str; 2] = [
    "org.apache.kafka.common.serialization.StringDeserializer",
    "org.apache.kafka.common.serialization.ByteArrayDeserializer",
];

fn formatter(options: &ParsedOptions, surroundings: Surroundings<'_>) -> Result<(MessageFormatter, Vec<Piece>), Early> {
    let class = options.value("formatter")?.unwrap_or(DEFAULT_FORMATTER);
    let mut opening = Vec::new();
    let named = |prefix: &str| {
        let name = class.strip_prefix(prefix)?;
        FORMATTERS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    };
    let kind = match (named("org.apache.kafka.tools.consumer."), named("kafka.tools.")) {
        (Some(kind), _) => kind,
        (None, Some(kind)) => {
            opening.push(Piece::Err(deprecated_formatter(class)));
            kind
        }
        (None, None) => return Err(not_simulated(&format!("the formatter {class} is not simulated"))),
    };
    let mut properties = read_file(options.value("formatter-config")?, surroundings)?;
    for (option, property) in [("key-deserializer", "key.deserializer"), ("value-deserializer", "value.deserializer")] {
        properties.extend(options.value(option)?.map(|class| (property.to_owned(), class.to_owned())));
    }
    properties.extend(key_values(&options.values("property")));
    let is_unknown = |(key, class): &&(String, String)| {
        key.ends_with(".deserializer") && !TEXT_DESERIALIZERS.contains(&class.as_str())
    };
    if let Some((_, class)) = properties.iter().find(is_unknown) {
        return Err(not_simulated(&format!("the deserializer {class} is not simulated")));
    }
    Ok((MessageFormatter::new(kind, &properties), opening))
}

fn deprecated_formatter(class: &str) -> String {
    let name = class.strip_prefix("kafka.tools.").unwrap_or(class);
    format!(
        "WARNING: {class} is deprecated and will be removed in the next major release. Please use \
         org.apache.kafka.tools.consumer.{name} instead"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk_files::DiskFiles;
    use crate::files::Files;
    use kafka::spec::AutoOffsetReset;

    fn planned(line: &str) -> Plan {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        plan(
            &arguments,
            Surroundings { files: &Files::new(), disks: DiskFiles::default(), input: None, group_number: 4711 },
        )
    }

    fn consumer_of(line: &str) -> ConsumerSpec {
        match planned(line) {
            Plan::Client(client) => match client.spec.program {
                Program::Consumer(consumer) => consumer,
                Program::Producer(_) | Program::Topics(_) | Program::Admin(_) => panic!("{line} is no consumer"),
            },
            Plan::Print(printout) => panic!("{line}: {printout:?}"),
        }
    }

    #[test]
    fn options_come_to_a_consumer() {
        let consumer = consumer_of("--bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 3");
        assert_eq!(consumer.subscription, Subscription::Topic(TopicName::new("t")));
        assert_eq!(consumer.config.auto_offset_reset, AutoOffsetReset::Earliest);
        assert_eq!((consumer.max_messages, consumer.timeout_ms), (Some(3), None));
        assert_eq!(consumer.group_id.as_deref(), Some("console-consumer-4711"));
    }

    #[test]
    fn a_partition_is_read_from_where_the_options_say() {
        let cases = [
            ("", StartOffset::Latest),
            ("--from-beginning", StartOffset::Earliest),
            ("--offset EARLIEST", StartOffset::Earliest),
            ("--offset 7", StartOffset::At(Offset(7))),
        ];
        for (options, expected) in cases {
            let consumer = consumer_of(&format!("--bootstrap-server localhost:1 --topic t --partition 2 {options}"));
            let topic = TopicName::new("t");
            let start = Some(expected);
            assert_eq!(consumer.subscription, Subscription::Partition { topic, partition: PartitionIndex(2), start });
        }
    }

    #[test]
    fn what_is_not_simulated_is_said_and_not_faked() {
        for options in ["--group g", "--formatter x.Y", "--value-deserializer x.LongDeserializer"] {
            let Plan::Print(printout) = planned(&format!("--bootstrap-server localhost:1 --topic t {options}")) else {
                panic!("{options} was taken");
            };
            assert_eq!((printout.status, printout.pieces.len()), (2, 1), "{options}");
        }
    }
}
