//! `kafka-configs`: its options and checks (`ConfigCommand` of Kafka 3.9), for topics and brokers. Quotas, users, loggers
//! and subscriptions to client metrics are not simulated. What the cluster says is put into words by `configs_text`.

use crate::admin_tool::{NoAdminClient, admin_client};
use crate::configs_text::thrown;
use crate::files::parse_properties;
use crate::java_exception::JavaException;
use crate::options::{OptionError, OptionSpec, ParsedOptions, parse};
use crate::output::Piece;
use crate::plan::{Face, Plan, Printout, Surroundings};
use kafka::spec::{AdminAction, ConfigEntities, ConfigsAction, Program};
use wire::request::ConfigResource;
use wire::{BrokerId, TopicName};

/// The options, sorted by name.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::text(
        "add-config",
        "",
        "What is set: 'k1=v1,k2=[v1,v2],k3=v3', with brackets around values that hold commas. Topics have the \
         configurations that kafka-topics --create --config takes; of those of brokers, \"kafka-configs --describe --all\" \
         tells the names.",
    ),
    OptionSpec::text("add-config-file", "", "A properties file with what is set."),
    OptionSpec::flag("all", "With --describe: also what was not set on the entity itself."),
    OptionSpec::flag("alter", "Change configurations of an entity."),
    OptionSpec::text("bootstrap-controller", "controller to connect to", "Controllers to ask first."),
    OptionSpec::text("bootstrap-server", "server to connect to", "Brokers to ask first."),
    OptionSpec::text("broker", "", "A broker, by its id."),
    OptionSpec::flag("broker-defaults", "What counts for all brokers."),
    OptionSpec::text("broker-logger", "", "The loggers of a broker, by its id."),
    OptionSpec::text("client", "", "A client, by its client.id."),
    OptionSpec::flag("client-defaults", "What counts for all clients."),
    OptionSpec::text("command-config", "command config property file", "A file with properties of the admin client."),
    OptionSpec::text("delete-config", "", "What returns to its default: 'k1,k2'."),
    OptionSpec::flag("describe", "Show configurations of entities."),
    OptionSpec::flag("entity-default", "What counts for all entities of a type, instead of one by its name."),
    OptionSpec::text("entity-name", "", "An entity's name: a topic, a broker's id, a client.id, a user, an address."),
    OptionSpec::text(
        "entity-type",
        "",
        "What it is: topics, clients, users, brokers, broker-loggers, ips or client-metrics.",
    ),
    OptionSpec::flag("force", "Ask nothing."),
    OptionSpec::flag("help", "Print this text."),
    OptionSpec::text("ip", "", "An address."),
    OptionSpec::flag("ip-defaults", "What counts for all addresses."),
    OptionSpec::text("topic", "", "A topic, by its name."),
    OptionSpec::text("user", "", "A user, by the name of its principal."),
    OptionSpec::flag("user-defaults", "What counts for all users."),
    OptionSpec::flag("version", "Print Kafka's version."),
    OptionSpec::text("zk-tls-config-file", "ZooKeeper TLS configuration", "A file with TLS properties for ZooKeeper."),
    OptionSpec::text(
        "zookeeper",
        "urls",
        "DEPRECATED. Where ZooKeeper listens, host:port with commas; for users and for brokers that are down.",
    ),
];

const USAGE: &str = "This tool helps to manipulate and describe entity config for a topic, client, user, broker, ip or \
                     client-metrics";

/// Options that name an entity, with the type of it.
const ENTITIES: [(&str, &str); 6] = [
    ("topic", "topics"),
    ("client", "clients"),
    ("user", "users"),
    ("broker", "brokers"),
    ("broker-logger", "broker-loggers"),
    ("ip", "ips"),
];

/// Options that stand for all entities of a type.
const DEFAULTS: [(&str, &str); 4] = [
    ("client-defaults", "clients"),
    ("user-defaults", "users"),
    ("broker-defaults", "brokers"),
    ("ip-defaults", "ips"),
];

const OF_BROKERS: [&str; 7] = ["topics", "clients", "users", "brokers", "ips", "broker-loggers", "client-metrics"];
const OF_ZOOKEEPER: [&str; 2] = ["users", "brokers"];
/// Types that have defaults.
const WITH_DEFAULTS: [&str; 4] = ["users", "clients", "brokers", "ips"];

/// Why the program ends before it has an admin client.
enum Early {
    /// A message without a stack trace.
    Message(String),
    /// With the arguments and a stack trace.
    Exception(JavaException),
    Plan(Plan),
}

impl From<OptionError> for Early {
    fn from(error: OptionError) -> Early {
        Early::Message(error.message())
    }
}

/// What a call comes to.
#[must_use]
pub fn plan(arguments: &[String], surroundings: Surroundings<'_>) -> Plan {
    let all_arguments = arguments.join(" ");
    let print = |pieces| Plan::Print(Printout { pieces, status: 1 });
    match parsed(arguments).and_then(|options| client(&options, surroundings, &all_arguments)) {
        Ok(plan) | Err(Early::Plan(plan)) => plan,
        Err(Early::Message(message)) => print(vec![Piece::Err(message)]),
        Err(Early::Exception(exception)) => print(thrown(&all_arguments, &exception)),
    }
}

fn parsed(arguments: &[String]) -> Result<ParsedOptions, Early> {
    let options = parse(OPTIONS, arguments)?;
    let usage = |message: &str| Err(Early::Plan(Plan::usage(OPTIONS, message)));
    if arguments.is_empty() || options.has("help") {
        return usage(USAGE);
    }
    if options.has("version") {
        return Err(Early::Plan(Plan::version()));
    }
    if let Err(message) = check_action(&options) {
        return usage(&message);
    }
    check_entities(&options).and_then(|()| check_changes(&options)).map_err(Early::Message)?;
    Ok(options)
}

fn check_action(options: &ParsedOptions) -> Result<(), String> {
    if options.has("alter") == options.has("describe") {
        return Err("Command must include exactly one action: --describe, --alter".to_owned());
    }
    match ["add-config", "delete-config"].iter().find(|name| options.has("describe") && options.has(name)) {
        Some(name) => Err(format!("Option \"[describe]\" can't be used with option \"[{name}]\"")),
        None => Ok(()),
    }
}

/// The types of entities, in the order in which Kafka looks at them.
fn types(options: &ParsedOptions) -> Vec<String> {
    let given = options.values("entity-type").into_iter().map(str::to_owned);
    let flagged = ENTITIES.iter().chain(&DEFAULTS).filter(|(name, _)| options.has(name));
    given.chain(flagged.map(|(_, kind)| (*kind).to_owned())).collect()
}

/// The names of entities; an empty one stands for all.
fn names(options: &ParsedOptions) -> Vec<String> {
    let mut named = options.values("entity-name").into_iter();
    let in_order = options.names().filter_map(|name| match name {
        "entity-name" => named.next().map(str::to_owned),
        "entity-default" => Some(String::new()),
        _ => None,
    });
    let mut names: Vec<String> = in_order.collect();
    let flagged = ENTITIES.iter().filter(|(name, _)| options.has(name));
    names.extend(flagged.flat_map(|(name, _)| options.values(name)).map(str::to_owned));
    names.extend(DEFAULTS.iter().filter(|(name, _)| options.has(name)).map(|_| String::new()));
    names
}

fn check_entities(options: &ParsedOptions) -> Result<(), String> {
    let types = types(options);
    let (allowed, connection) = if options.has("bootstrap-server") || options.has("bootstrap-controller") {
        (&OF_BROKERS[..], "--bootstrap-server or --bootstrap-controller")
    } else {
        (&OF_ZOOKEEPER[..], "--zookeeper")
    };
    if let Some(twice) = types.iter().enumerate().find(|(index, kind)| types[..*index].contains(kind)) {
        return Err(format!("Duplicate entity type(s) specified: {}", twice.1));
    }
    if let Some(kind) = types.iter().find(|kind| !allowed.contains(&kind.as_str())) {
        let allowed = allowed.join(", ");
        return Err(format!(
            "Invalid entity type {kind}, the entity type must be one of {allowed} with a {connection} argument"
        ));
    }
    let is_user_and_client = types.iter().all(|kind| kind == "users" || kind == "clients");
    if types.is_empty() {
        return Err("At least one entity type must be specified".to_owned());
    }
    if types.len() > 1 && !is_user_and_client {
        return Err("Only 'users' and 'clients' entity types may be specified together".to_owned());
    }
    let is_general = ["entity-name", "entity-type", "entity-default"].iter().any(|name| options.has(name));
    if is_general && ENTITIES.iter().chain(&DEFAULTS).any(|(name, _)| options.has(name)) {
        return Err(
            "--entity-{type,name,default} should not be used in conjunction with specific entity flags".to_owned()
        );
    }
    check_connection(options)?;
    check_names(options, &types)
}

fn check_connection(options: &ParsedOptions) -> Result<(), String> {
    let connections = ["bootstrap-server", "bootstrap-controller", "zookeeper"];
    match connections.iter().filter(|name| options.has(name)).count() {
        0 => {
            let message = "One of the required --bootstrap-server, --boostrap-controller, or --zookeeper arguments must \
                           be specified";
            Err(message.to_owned())
        }
        1 if options.has("all") && options.has("zookeeper") => {
            Err("--bootstrap-server must be specified for --all".to_owned())
        }
        1 if options.has("zk-tls-config-file") && !options.has("zookeeper") => {
            Err("Only the --zookeeper option can be used with the --zk-tls-config-file option.".to_owned())
        }
        1 => Ok(()),
        _ => {
            let message = "Only one of --bootstrap-server, --boostrap-controller, and --zookeeper can be specified";
            Err(message.to_owned())
        }
    }
}

fn check_names(options: &ParsedOptions, types: &[String]) -> Result<(), String> {
    let names = names(options);
    let kind = types[0].as_str();
    let has_name = names.iter().any(|name| !name.is_empty());
    if (kind == "brokers" || kind == "broker-loggers")
        && let Some(id) = names.iter().find(|name| !name.is_empty() && name.parse::<i32>().is_err())
    {
        return Err(format!("The entity name for {kind} must be a valid integer broker id, but it is: {id}"));
    }
    let has_defaults = types.iter().any(|kind| WITH_DEFAULTS.contains(&kind.as_str()));
    let all = types.join(",");
    if options.has("describe") {
        if kind == "broker-loggers" && !has_name {
            return Err(format!("an entity name must be specified with --describe of {all}"));
        }
        return Ok(());
    }
    if has_defaults && names.is_empty() {
        let message =
            "an entity-name or default entity must be specified with --alter of users, clients, brokers or ips";
        return Err(message.to_owned());
    }
    if !has_defaults && !has_name {
        return Err(format!("an entity name must be specified with --alter of {all}"));
    }
    Ok(())
}

fn check_changes(options: &ParsedOptions) -> Result<(), String> {
    let (list, file) = (options.has("add-config"), options.has("add-config-file"));
    if options.has("alter") && list && file {
        return Err("Only one of --add-config or --add-config-file must be specified".to_owned());
    }
    if options.has("alter") && !list && !file && !options.has("delete-config") {
        let message =
            "At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter";
        return Err(message.to_owned());
    }
    Ok(())
}

fn client(options: &ParsedOptions, surroundings: Surroundings<'_>, arguments: &str) -> Result<Plan, Early> {
    let not_simulated = |what: &str| Err(Early::Plan(Plan::not_simulated(&format!("{what} not simulated"))));
    if options.has("zookeeper") {
        return not_simulated("configurations that are changed in ZooKeeper are");
    }
    if options.has("bootstrap-controller") {
        return not_simulated("tools that ask controllers are");
    }
    match types(options)[0].as_str() {
        "topics" | "brokers" => {}
        "broker-loggers" => return not_simulated("the loggers of brokers are"),
        "client-metrics" => return not_simulated("subscriptions to client metrics are"),
        _ => return not_simulated("quotas and credentials are"),
    }
    let servers = options.value("bootstrap-server")?.unwrap_or_default();
    let admin = admin_client(options, surroundings, servers, "adminclient-1")
        .map_err(|problem| no_admin_client(problem, arguments))?;
    let action = AdminAction::Configs(action(options, surroundings)?);
    Ok(admin.plan(Program::Admin(action), Vec::new(), Face::Configs { arguments: arguments.to_owned() }))
}

fn no_admin_client(problem: NoAdminClient, arguments: &str) -> Early {
    match problem {
        NoAdminClient::Exception(exception, log) => {
            let pieces = thrown(arguments, &exception);
            Early::Plan(Plan::Print(Printout { pieces, status: 1 }).after(log))
        }
        NoAdminClient::NotSimulated(what) => Early::Plan(Plan::not_simulated(&what)),
    }
}

fn action(options: &ParsedOptions, surroundings: Surroundings<'_>) -> Result<ConfigsAction, Early> {
    let is_topic = types(options)[0] == "topics";
    let resource = names(options).first().map(|name| resource(is_topic, name)).transpose()?;
    if options.has("describe") {
        let entities = match resource {
            Some(resource) => ConfigEntities::One(resource),
            None if is_topic => ConfigEntities::Topics,
            None => ConfigEntities::Brokers,
        };
        return Ok(ConfigsAction::Describe { entities, all: options.has("all") });
    }
    let added = added(options, surroundings)?;
    let deleted: Vec<String> = options.values("delete-config").iter().flat_map(|list| keys(list)).collect();
    let mut names = added.iter().map(|(name, _)| name).chain(&deleted);
    names.try_for_each(|name| check_key(name))?;
    Ok(ConfigsAction::Alter { resource: resource.expect("what is altered has a name"), added, deleted })
}

fn resource(is_topic: bool, name: &str) -> Result<ConfigResource, Early> {
    if is_topic {
        return Ok(ConfigResource::Topic(TopicName::new(name)));
    }
    let id = if name.is_empty() { None } else { Some(name.parse().map(BrokerId)) };
    let broker = id.transpose().map_err(|_| Early::Exception(JavaException::number_format(name)))?;
    Ok(ConfigResource::Broker(broker))
}

fn keys(list: &str) -> Vec<String> {
    list.split(',').map(|key| key.trim().to_owned()).collect()
}

fn added(options: &ParsedOptions, surroundings: Surroundings<'_>) -> Result<Vec<(String, String)>, Early> {
    if let Some(path) = options.value("add-config-file")? {
        let no_file = || Early::Exception(JavaException::no_such_file(path));
        return Ok(parse_properties(surroundings.files.read(path).ok_or_else(no_file)?));
    }
    let Some(list) = options.value("add-config")? else { return Ok(Vec::new()) };
    let pairs = outside_brackets(list, ',').into_iter().map(pair).collect::<Option<Vec<_>>>();
    pairs.ok_or_else(|| {
        let rule = "all configs to be added must be in the format \"key=val\".";
        Early::Message(format!("requirement failed: Invalid entity config: {rule}"))
    })
}

fn pair(text: &str) -> Option<(String, String)> {
    let [key, value] = outside_brackets(text, '=')[..] else { return None };
    Some((key.trim().to_owned(), value.replace(['[', ']'], "").trim().to_owned()))
}

/// The text cut at each `separator` that no closing bracket follows before an opening one.
fn outside_brackets(text: &str, separator: char) -> Vec<&str> {
    let is_outside = |rest: &str| rest.find(['[', ']']).is_none_or(|place| rest[place..].starts_with('['));
    let (mut parts, mut start) = (Vec::new(), 0);
    for (index, _) in text.match_indices(separator) {
        if is_outside(&text[index + 1..]) {
            parts.push(&text[start..index]);
            start = index + 1;
        }
    }
    parts.push(&text[start..]);
    parts
}

fn check_key(key: &str) -> Result<(), Early> {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    if key.chars().all(is_allowed) {
        return Ok(());
    }
    Err(Early::Message(format!("Invalid character found for config key: {key}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_and_equals_signs_in_brackets_are_part_of_a_value() {
        assert_eq!(outside_brackets("a=[x,y],b=1", ','), ["a=[x,y]", "b=1"]);
        assert_eq!(pair("a = [x,y] "), Some(("a".to_owned(), "x,y".to_owned())));
        assert_eq!(pair("a="), Some(("a".to_owned(), String::new())));
        assert_eq!(
            (pair("a"), pair("a=b=c"), pair("a=[b=c]").map(|pair| pair.1)),
            (None, None, Some("b=c".to_owned()))
        );
    }
}
