//! `kafka-console-producer`: its options, and the producer they come to (`ConsoleProducer` of Kafka 3.9).
//!
//! Compression is accepted and has no effect: simulated batches are not compressed.

use crate::bootstrap::{parse_bootstrap, split_address};
use crate::client_properties::ClientProperties;
use crate::files::parse_properties;
use crate::java_exception::JavaException;
use crate::line_reader::LineReader;
use crate::options::{Argument, OptionError, OptionSpec, ParsedOptions, ValueType, key_values, parse};
use crate::output::Piece;
use crate::plan::{ClientPlan, Face, Plan, Printout, Surroundings};
use kafka::spec::{ClientSpec, ProducerSpec, Program};

const LINE_READER: &str = "kafka.tools.ConsoleProducer$LineMessageReader";

/// The options, sorted by name.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::integer(
        "batch-size",
        "size",
        "Size in bytes up to which records for one partition are collected into one batch. Has no effect together \
         with max-partition-memory-bytes.",
    )
    .or("16384"),
    OptionSpec::text(
        "bootstrap-server",
        "server to connect to",
        "REQUIRED unless --broker-list (deprecated) is given. Brokers to ask first, as HOST1:PORT1,HOST2:PORT2.",
    ),
    OptionSpec::text(
        "broker-list",
        "broker-list",
        "DEPRECATED, the old name of --bootstrap-server; ignored if that is given. Brokers as \
         HOST1:PORT1,HOST2:PORT2.",
    ),
    OptionSpec {
        name: "compression-codec",
        argument: Argument::Optional(ValueType::String, "compression-codec"),
        default: None,
        description: "How batches are compressed: 'none', 'gzip', 'snappy', 'lz4' or 'zstd'; 'gzip' if no value is \
                      given.",
    },
    OptionSpec::flag("help", "Print this text."),
    OptionSpec::text("line-reader", "reader_class", "The class that makes records of lines.").or(LINE_READER),
    OptionSpec::long("max-block-ms", "max block on send", "How long a send may wait for metadata or memory.")
        .or("60000"),
    OptionSpec::long(
        "max-memory-bytes",
        "total memory in bytes",
        "Memory for records that wait to be sent: the producer's `buffer.memory`.",
    )
    .or("33554432"),
    OptionSpec::integer(
        "max-partition-memory-bytes",
        "memory in bytes per partition",
        "Memory for one partition's batch: the producer's `batch.size`.",
    )
    .or("16384"),
    OptionSpec::integer(
        "message-send-max-retries",
        "",
        "How often a batch is sent again before it is given up: the producer's `retries`.",
    )
    .or("3"),
    OptionSpec::long(
        "metadata-expiry-ms",
        "metadata expiration interval",
        "Age in ms at which metadata is asked for anew even if nothing went wrong: the producer's \
         `metadata.max.age.ms`.",
    )
    .or("300000"),
    OptionSpec::text("producer-property", "producer_prop", "A property of the producer, as key=value."),
    OptionSpec::text(
        "producer.config",
        "config file",
        "A file with properties of the producer; [producer-property] wins over it.",
    ),
    OptionSpec::text(
        "property",
        "prop",
        "A property of the line reader, as key=value. It knows:\n parse.key=false\n parse.headers=false\n \
         ignore.error=false\n key.separator=\\t\n headers.delimiter=\\t\n headers.separator=,\n \
         headers.key.separator=:\n null.marker=   (what equals it becomes null)\nA line is\n \
         \"headers\\tkey\\tvalue\" with both headers and keys,\n \"key\\tvalue\" with keys only,\n \
         \"headers\\tvalue\" with headers only.",
    ),
    OptionSpec::text(
        "reader-config",
        "config file",
        "A file with properties of the line reader; [property] wins over it.",
    ),
    OptionSpec::text("request-required-acks", "request required acks", "The producer's `acks`.").or("-1"),
    OptionSpec::integer(
        "request-timeout-ms",
        "request timeout ms",
        "How long the producer waits for a broker's answer; above zero.",
    )
    .or("1500"),
    OptionSpec::long(
        "retry-backoff-ms",
        "",
        "The wait before a batch is sent again: the producer's `retry.backoff.ms`.",
    )
    .or("100"),
    OptionSpec::integer("socket-buffer-size", "size", "Size of the TCP buffer: the producer's `send.buffer.bytes`.")
        .or("102400"),
    OptionSpec::flag("sync", "Wait for the answer to each record before the next one is sent."),
    OptionSpec::long(
        "timeout",
        "timeout_ms",
        "How long in ms a record may wait for others to share its batch: the producer's `linger.ms`.",
    )
    .or("1000"),
    OptionSpec::text("topic", "topic", "REQUIRED: The topic to send to."),
    OptionSpec::flag("version", "Print Kafka's version."),
];

/// Why the program ends before it has a producer.
enum Early {
    Usage(String),
    Exception(JavaException),
    Plan(Plan),
}

impl From<OptionError> for Early {
    fn from(error: OptionError) -> Early {
        Early::Plan(Plan::Print(Printout { pieces: vec![Piece::Err(error.message())], status: 1 }))
    }
}

impl From<JavaException> for Early {
    fn from(exception: JavaException) -> Early {
        Early::Exception(exception)
    }
}

/// What a call comes to.
#[must_use]
pub fn plan(arguments: &[String], surroundings: Surroundings<'_>) -> Plan {
    match checked(arguments).and_then(|options| program(&options, surroundings)) {
        Ok(plan) | Err(Early::Plan(plan)) => plan,
        Err(Early::Usage(message)) => Plan::usage(OPTIONS, &message),
        Err(Early::Exception(exception)) => Plan::stack_trace(&exception),
    }
}

/// `ProducerConfig` of the tool: parses the options and checks them.
fn checked(arguments: &[String]) -> Result<ParsedOptions, Early> {
    let options = parse(OPTIONS, arguments).map_err(|error| Early::Usage(error.message()))?;
    let needs_nothing = options.has("help") || options.has("version");
    if !options.has("bootstrap-server") && !options.has("broker-list") && !needs_nothing {
        return Err(Early::Usage(OptionError::MissingRequired("bootstrap-server").message()));
    }
    if options.has("help") {
        return Err(Early::Usage(
            "This tool helps to read data from standard input and publish it to Kafka.".to_owned(),
        ));
    }
    if options.has("version") {
        return Err(Early::Plan(Plan::version()));
    }
    if !options.has("topic") {
        return Err(Early::Usage("Missing required argument \"[topic]\"".to_owned()));
    }
    check_addresses(brokers(&options)?)?;
    Ok(options)
}

fn brokers(options: &ParsedOptions) -> Result<&str, OptionError> {
    let name = if options.has("bootstrap-server") { "bootstrap-server" } else { "broker-list" };
    Ok(options.value(name)?.unwrap_or_default())
}

/// `ToolsUtils.validatePortOrDie`.
fn check_addresses(addresses: &str) -> Result<(), Early> {
    if addresses.trim().is_empty() {
        return Err(Early::Usage("Error while validating the bootstrap address\n ".to_owned()));
    }
    if addresses.split(',').all(|address| split_address(address).is_some()) {
        return Ok(());
    }
    Err(Early::Usage("Please provide valid host:port like host1:9091,host2:9092\n ".to_owned()))
}

fn program(options: &ParsedOptions, surroundings: Surroundings<'_>) -> Result<Plan, Early> {
    let topic = options.value("topic")?.unwrap_or_default().to_owned();
    let properties = producer_properties(options, surroundings)?;
    if let Some(what) = properties.not_simulated() {
        return Err(Early::Plan(Plan::not_simulated(&format!("producers with {what} are not simulated"))));
    }
    let config = properties.producer_config()?;
    check_delivery_timeout(&properties, config.linger_ms, config.request_timeout_ms)?;
    let bootstrap = match parse_bootstrap(brokers(options)?) {
        Ok(bootstrap) => bootstrap,
        Err(bad) => {
            let exception = not_constructed(bad.exception);
            return Err(Early::Plan(Plan::stack_trace(&exception).after(bad.warnings)));
        }
    };
    let reader = line_reader(&topic, options, surroundings)?;
    let spec = ClientSpec {
        client_id: properties.get("client.id").unwrap_or("console-producer").to_owned(),
        bootstrap_servers: bootstrap.servers,
        program: Program::Producer(ProducerSpec { config, is_synchronous: options.has("sync"), workload: None }),
    };
    let client = ClientPlan { spec, opening: Vec::new(), face: Face::Producer(reader) };
    Ok(Plan::Client(Box::new(client)).after(bootstrap.warnings))
}

fn not_constructed(cause: JavaException) -> JavaException {
    JavaException::kafka("Failed to construct kafka producer").caused_by(cause)
}

/// `KafkaProducer.configureDeliveryTimeout`.
fn check_delivery_timeout(
    properties: &ClientProperties,
    linger_ms: i64,
    request_timeout_ms: i32,
) -> Result<(), JavaException> {
    let least = linger_ms.saturating_add(i64::from(request_timeout_ms)).min(i64::from(i32::MAX));
    let given = properties.get("delivery.timeout.ms").and_then(|text| text.trim().parse::<i64>().ok());
    match given {
        Some(given) if given < least => Err(not_constructed(JavaException::config(
            "delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms",
        ))),
        Some(_) | None => Ok(()),
    }
}

fn line_reader(topic: &str, options: &ParsedOptions, surroundings: Surroundings<'_>) -> Result<LineReader, Early> {
    let class = options.value("line-reader")?.unwrap_or(LINE_READER);
    if class != LINE_READER && class != "org.apache.kafka.tools.LineMessageReader" {
        return Err(Early::Plan(Plan::not_simulated(&format!("the line reader {class} is not simulated"))));
    }
    let mut properties = read_file(options.value("reader-config")?, surroundings)?;
    properties.extend(key_values(&options.values("property")));
    Ok(LineReader::new(topic, &properties, options.has("sync"))?)
}

fn read_file(path: Option<&str>, surroundings: Surroundings<'_>) -> Result<Vec<(String, String)>, JavaException> {
    match path {
        None => Ok(Vec::new()),
        Some(path) => {
            let text = surroundings.files.read(path).ok_or_else(|| JavaException::no_such_file(path))?;
            Ok(parse_properties(text))
        }
    }
}

/// The options that stand for properties of the producer; those below win over those above for one property.
const MERGED: [(&str, &str); 11] = [
    ("timeout", "linger.ms"),
    ("request-required-acks", "acks"),
    ("request-timeout-ms", "request.timeout.ms"),
    ("message-send-max-retries", "retries"),
    ("retry-backoff-ms", "retry.backoff.ms"),
    ("socket-buffer-size", "send.buffer.bytes"),
    ("max-memory-bytes", "buffer.memory"),
    ("batch-size", "batch.size"),
    ("max-partition-memory-bytes", "batch.size"),
    ("metadata-expiry-ms", "metadata.max.age.ms"),
    ("max-block-ms", "max.block.ms"),
];

/// An option that was given wins over the property; the option's default fills in what is not set
/// (`CommandLineUtils.maybeMergeOptions`).
fn producer_properties(options: &ParsedOptions, surroundings: Surroundings<'_>) -> Result<ClientProperties, Early> {
    let mut properties = ClientProperties::default();
    properties.extend(read_file(options.value("producer.config")?, surroundings)?);
    properties.extend(key_values(&options.values("producer-property")));
    let codec = options.value("compression-codec")?.unwrap_or("gzip").to_owned();
    properties.set("compression.type", if options.has("compression-codec") { &codec } else { "none" });
    for (option, property) in MERGED {
        if options.has(option) || properties.get(property).is_none() {
            properties.set(property, &option_text(options, option)?);
        }
    }
    Ok(properties)
}

/// The option's value after its conversion to a number and back.
fn option_text(options: &ParsedOptions, name: &str) -> Result<String, OptionError> {
    let value_type = OPTIONS.iter().find(|spec| spec.name == name).map(|spec| spec.argument);
    Ok(match value_type {
        Some(Argument::Required(ValueType::Integer, _)) => options.integer(name)?.unwrap_or_default().to_string(),
        Some(Argument::Required(ValueType::Long, _)) => options.long(name)?.unwrap_or_default().to_string(),
        Some(
            Argument::Required(ValueType::String | ValueType::ElectionType, _)
            | Argument::Optional(..)
            | Argument::None,
        )
        | None => options.value(name)?.unwrap_or_default().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk_files::DiskFiles;
    use crate::files::Files;
    use kafka::spec::ProducerConfig;
    use wire::request::Acks;

    fn planned(line: &str, files: &Files) -> Plan {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        plan(&arguments, Surroundings { files, disks: DiskFiles::default(), input: None, group_number: 0 })
    }

    fn config_of(line: &str, files: &Files) -> ProducerConfig {
        match planned(line, files) {
            Plan::Client(client) => match client.spec.program {
                Program::Producer(producer) => producer.config,
                Program::Consumer(_) | Program::Topics(_) | Program::Admin(_) => panic!("{line} is no producer"),
            },
            Plan::Print(printout) => panic!("{line}: {printout:?}"),
        }
    }

    fn first_line(line: &str) -> String {
        let Plan::Print(Printout { pieces, status: 1 }) = planned(line, &Files::new()) else {
            panic!("{line} was taken");
        };
        let Piece::Err(first) = &pieces[0] else { panic!("{pieces:?}") };
        first.clone()
    }

    #[test]
    fn the_defaults_are_those_of_the_console_producer() {
        let expected = ProducerConfig {
            linger_ms: 1_000,
            request_timeout_ms: 1_500,
            retries: 3,
            acks: Acks::All,
            ..ProducerConfig::default()
        };
        assert_eq!(config_of("--broker-list localhost:9092 --topic t", &Files::new()), expected);
    }

    #[test]
    fn an_option_wins_over_a_property_and_that_over_the_default() {
        let mut files = Files::new();
        files.write("p.properties", "acks=0\nlinger.ms=7\n");
        let line = "--bootstrap-server localhost:9092 --topic t --producer.config p.properties --timeout 9 \
                    --producer-property acks=1 --max-partition-memory-bytes 5 --batch-size 6";
        let config = config_of(line, &files);
        assert_eq!((config.linger_ms, config.acks, config.batch_size), (9, Acks::Leader, 5));
    }

    #[test]
    fn mistakes_are_found_in_the_order_in_which_kafka_finds_them() {
        let cases = [
            ("", "Missing required option(s) [bootstrap-server]"),
            ("--topic t", "Missing required option(s) [bootstrap-server]"),
            ("--bootstrap-server a", "Missing required argument \"[topic]\""),
            ("--foo", "foo is not a recognized option"),
            ("--broker-list localhost --topic t", "Please provide valid host:port like host1:9091,host2:9092\n "),
            ("--broker-list localhost:9092 --topic t --batch-size x", "Cannot parse argument 'x' of option batch-size"),
            (
                "--broker-list localhost:9092 --topic t --request-required-acks 7",
                "org.apache.kafka.common.config.ConfigException: Invalid value 7 for configuration acks: String must \
                 be one of: all, -1, 0, 1",
            ),
            (
                "--broker-list localhost:9092 --topic t --producer.config nope",
                "java.nio.file.NoSuchFileException: nope",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(first_line(line), expected, "{line}");
        }
    }
}
