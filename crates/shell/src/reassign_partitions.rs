//! `kafka-reassign-partitions`: its options and checks (`ReassignPartitionsCommand` of Kafka 3.9). What the cluster says
//! to it is put into words by `reassign_text`, its files are read by `reassign_json`.

use crate::admin_tool::{NoAdminClient, admin_client};
use crate::java_exception::JavaException;
use crate::options::{OptionError, OptionSpec, ParsedOptions, parse};
use crate::output::joined;
use crate::plan::{Face, Plan, Printout, Surroundings};
use crate::reassign_json::{parse_targets, parse_topics};
use crate::reassign_text::error;
use kafka::spec::{AdminAction, PlacedReplicas, Program, ReassignAction};
use std::collections::BTreeSet;
use wire::BrokerId;

/// The options, sorted by name.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::flag(
        "additional",
        "Go on although other reassignments are under way; theirs stay, and throttles can be changed in this way.",
    ),
    OptionSpec::text("bootstrap-server", "Server(s) to use for bootstrapping", "REQUIRED: brokers to ask first."),
    OptionSpec::text(
        "broker-list",
        "brokerlist",
        "The brokers that shall hold the partitions, for example \"0,1,2\". Goes with --generate.",
    ),
    OptionSpec::flag("cancel", "Stop reassignments that are under way."),
    OptionSpec::text("command-config", "Admin client property file", "A file with properties of the admin client."),
    OptionSpec::flag("disable-rack-aware", "Pay no heed to racks."),
    OptionSpec::flag("execute", "Begin the reassignments of --reassignment-json-file."),
    OptionSpec::flag("generate", "Propose a reassignment. Nothing is moved by this."),
    OptionSpec::flag("help", "Print this text."),
    OptionSpec::flag("list", "Show all reassignments under way."),
    OptionSpec::flag("preserve-throttles", "Leave the throttles of brokers and topics alone."),
    OptionSpec::text(
        "reassignment-json-file",
        "manual assignment json file path",
        "A file that says which replicas partitions shall have, for example\n{\"partitions\":\n\t[{\"topic\": \"a\",\n\t  \
         \"partition\": 0,\n\t  \"replicas\": [1,2],\n\t  \"log_dirs\": [\"any\",\"any\"] }],\n\"version\":1\n}\n\
         \"log_dirs\" may be left out; it has an entry for each replica, a directory's path or \"any\".",
    ),
    OptionSpec::long(
        "replica-alter-log-dirs-throttle",
        "replicaAlterLogDirsThrottle",
        "How many bytes per second may move between the directories of a broker, 1 KB or more. Can be changed with \
         --additional.",
    )
    .or("-1"),
    OptionSpec::long(
        "throttle",
        "throttle",
        "How many bytes per second may move between brokers, 1 KB or more. Can be changed with --additional.",
    )
    .or("-1"),
    OptionSpec::long("timeout", "timeout", "For how many milliseconds moves between directories may take to begin.")
        .or("10000"),
    OptionSpec::text(
        "topics-to-move-json-file",
        "topics to reassign json file path",
        "A file with the topics for which --generate makes a proposal, for example\n{\"topics\":\n\t[{\"topic\": \
         \"a\"},{\"topic\": \"b\"}],\n\"version\":1\n}",
    ),
    OptionSpec::flag(
        "verify",
        "Tell how far the reassignments of --reassignment-json-file are, and take throttles away once they are done.",
    ),
    OptionSpec::flag("version", "Print Kafka's version."),
];

const USAGE: &str = "This tool helps to move topic partitions between replicas.";

/// An action, what it needs, and what else it may have.
struct Rules {
    action: &'static str,
    required: &'static [&'static str],
    permitted: &'static [&'static str],
}

const RULES: [Rules; 5] = [
    Rules {
        action: "generate",
        required: &["bootstrap-server", "topics-to-move-json-file", "broker-list"],
        permitted: &["command-config", "disable-rack-aware"],
    },
    Rules {
        action: "execute",
        required: &["bootstrap-server", "reassignment-json-file"],
        permitted: &["additional", "command-config", "throttle", "replica-alter-log-dirs-throttle", "timeout"],
    },
    Rules {
        action: "verify",
        required: &["bootstrap-server", "reassignment-json-file"],
        permitted: &["command-config", "preserve-throttles"],
    },
    Rules {
        action: "cancel",
        required: &["bootstrap-server", "reassignment-json-file"],
        permitted: &["command-config", "preserve-throttles", "timeout"],
    },
    Rules { action: "list", required: &["bootstrap-server"], permitted: &["command-config"] },
];

/// Why the program ends before it has an admin client.
enum Early {
    /// Printed on standard output.
    Exception(JavaException),
    Plan(Plan),
}

impl From<JavaException> for Early {
    fn from(exception: JavaException) -> Early {
        Early::Exception(exception)
    }
}

impl From<OptionError> for Early {
    fn from(error: OptionError) -> Early {
        Early::Exception(error.exception())
    }
}

/// What a call comes to.
#[must_use]
pub fn plan(arguments: &[String], surroundings: Surroundings<'_>) -> Plan {
    match parsed(arguments).and_then(|options| client(&options, surroundings)) {
        Ok(plan) | Err(Early::Plan(plan)) => plan,
        Err(Early::Exception(exception)) => Plan::Print(Printout { pieces: error(&exception), status: 1 }),
    }
}

fn parsed(arguments: &[String]) -> Result<ParsedOptions, Early> {
    let options = parse(OPTIONS, arguments).map_err(|error| Early::Plan(Plan::uncaught(&error.exception())))?;
    let usage = |message: &str| Err(Early::Plan(Plan::usage(OPTIONS, message)));
    if arguments.is_empty() || options.has("help") {
        return usage(USAGE);
    }
    if options.has("version") {
        return Err(Early::Plan(Plan::version()));
    }
    match check(&options) {
        Ok(()) => Ok(options),
        Err(message) => usage(&message),
    }
}

fn check(options: &ParsedOptions) -> Result<(), String> {
    let mut chosen = RULES.iter().filter(|rules| options.has(rules.action));
    let (Some(rules), None) = (chosen.next(), chosen.next()) else {
        let names: Vec<String> = RULES.iter().map(|rules| format!("--{}", rules.action)).collect();
        return Err(format!("Command must include exactly one action: {}", names.join(", ")));
    };
    if let Some(missing) = rules.required.iter().find(|name| !options.has(name)) {
        return Err(format!("Missing required argument \"[{missing}]\""));
    }
    let is_known =
        |name: &str| name == rules.action || rules.required.contains(&name) || rules.permitted.contains(&name);
    match options.names().find(|name| !is_known(name)) {
        Some(other) => Err(format!("Option \"[{other}]\" can't be used with action \"[{}]\"", rules.action)),
        None => Ok(()),
    }
}

fn client(options: &ParsedOptions, surroundings: Surroundings<'_>) -> Result<Plan, Early> {
    let servers = options.value("bootstrap-server")?.unwrap_or_default();
    let admin = admin_client(options, surroundings, servers, "reassign-partitions-tool").map_err(no_admin_client)?;
    let action = AdminAction::Reassign(action(options, surroundings)?);
    Ok(admin.plan(Program::Admin(action), Vec::new(), Face::ReassignPartitions))
}

fn no_admin_client(problem: NoAdminClient) -> Early {
    Early::Plan(match problem {
        NoAdminClient::Exception(exception, log) => {
            Plan::Print(Printout { pieces: error(&exception), status: 1 }).after(log)
        }
        NoAdminClient::NotSimulated(what) => Plan::not_simulated(&what),
    })
}

fn action(options: &ParsedOptions, surroundings: Surroundings<'_>) -> Result<ReassignAction, Early> {
    if options.has("list") {
        return Ok(ReassignAction::List);
    }
    if options.has("generate") {
        return generate(options, surroundings);
    }
    let preserves_throttles = options.has("preserve-throttles");
    let path = options.value("reassignment-json-file")?.unwrap_or_default();
    let targets = || -> Result<Vec<PlacedReplicas>, Early> {
        let (targets, moves_directories) = parse_targets(read(path, surroundings)?)?;
        if moves_directories {
            return Err(not_simulated("moves of replicas between log directories are"));
        }
        Ok(targets)
    };
    if options.has("verify") {
        return Ok(ReassignAction::Verify { targets: targets()?, preserves_throttles });
    }
    if options.has("cancel") {
        return Ok(ReassignAction::Cancel { targets: targets()?, preserves_throttles });
    }
    for name in ["throttle", "replica-alter-log-dirs-throttle"] {
        if options.long(name)?.is_some_and(|rate| rate >= 0) {
            return Err(not_simulated("throttles of replication are"));
        }
    }
    let targets = targets()?;
    check_targets(&targets).map_err(|message| command_failed(&message))?;
    Ok(ReassignAction::Execute { targets, is_additional: options.has("additional") })
}

fn not_simulated(what: &str) -> Early {
    Early::Plan(Plan::not_simulated(&format!("{what} not simulated")))
}

fn command_failed(message: &str) -> JavaException {
    JavaException::new("org.apache.kafka.server.common.AdminCommandFailedException", message)
}

fn read<'a>(path: &str, surroundings: Surroundings<'a>) -> Result<&'a str, JavaException> {
    surroundings.files.read(path).ok_or_else(|| JavaException::unreadable_file(path))
}

fn generate(options: &ParsedOptions, surroundings: Surroundings<'_>) -> Result<ReassignAction, Early> {
    let text = read(options.value("topics-to-move-json-file")?.unwrap_or_default(), surroundings)?;
    let list = options.value("broker-list")?.unwrap_or_default();
    let number = |text: &str| text.parse().map(BrokerId).map_err(|_| JavaException::number_format(text));
    let brokers = list.split(',').map(number).collect::<Result<Vec<BrokerId>, JavaException>>()?;
    let twice = duplicates(&brokers);
    if !twice.is_empty() {
        let message = format!("Broker list contains duplicate entries: [{}]", joined(&twice, ", "));
        return Err(command_failed(&message).into());
    }
    let topics = parse_topics(text)?;
    let twice = duplicates(&topics);
    if !twice.is_empty() {
        let message = format!("List of topics to reassign contains duplicate entries: [{}]", joined(&twice, ", "));
        return Err(command_failed(&message).into());
    }
    Ok(ReassignAction::Generate { topics, brokers, is_rack_aware: !options.has("disable-rack-aware") })
}

fn check_targets(targets: &[PlacedReplicas]) -> Result<(), String> {
    if targets.is_empty() {
        return Err("Partition reassignment list cannot be empty".to_owned());
    }
    if targets.iter().any(|target| target.replicas.is_empty()) {
        return Err("Partition replica list cannot be empty".to_owned());
    }
    let partitions: Vec<_> = targets.iter().map(|target| target.partition.clone()).collect();
    let twice = duplicates(&partitions);
    if !twice.is_empty() {
        let names = joined(&twice, ",");
        return Err(format!("Partition reassignment contains duplicate topic partitions: {names}"));
    }
    let repeated: Vec<String> = targets
        .iter()
        .map(|target| (&target.partition, duplicates(&target.replicas)))
        .filter(|(_, twice)| !twice.is_empty())
        .map(|(partition, twice)| format!("{partition} contains multiple entries for {}", joined(&twice, ",")))
        .collect();
    if repeated.is_empty() {
        return Ok(());
    }
    Err(format!("Partition replica lists may not contain duplicate entries: {}", repeated.join(". ")))
}

fn duplicates<T: Ord>(elements: &[T]) -> BTreeSet<&T> {
    let mut seen = BTreeSet::new();
    elements.iter().filter(|element| !seen.insert(*element)).collect()
}
