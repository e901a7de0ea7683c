//! `kafka-broker-api-versions`: its options and its listing (`BrokerApiVersionsCommand` of Kafka 3.9, `NodeApiVersions`).

use crate::admin_tool::{NoAdminClient, admin_client, checked_options};
use crate::console_text::Reaction;
use crate::java_exception::JavaException;
use crate::options::OptionSpec;
use crate::output::Piece;
use crate::plan::{Face, Plan, Surroundings};
use kafka::event::{AdminAnswer, AdminFailure, BrokerApis, ClientEvent};
use kafka::release::{Api, CLIENT_APIS};
use kafka::spec::{AdminAction, Program};
use wire::response::ApiVersion;

/// The options, sorted by name.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::text("bootstrap-server", "server(s) to use for bootstrapping", "REQUIRED: The broker to ask first."),
    OptionSpec::text("command-config", "command config property file", "A file with properties of the client."),
    OptionSpec::flag("help", "Print this text."),
    OptionSpec::flag("version", "Print Kafka's version."),
];

const ABOUT: &str = "This tool helps to retrieve broker version information.";

/// What a call comes to.
#[must_use]
pub fn plan(arguments: &[String], surroundings: Surroundings<'_>) -> Plan {
    planned(arguments, surroundings).unwrap_or_else(|plan| plan)
}

fn planned(arguments: &[String], surroundings: Surroundings<'_>) -> Result<Plan, Plan> {
    let options = checked_options(OPTIONS, arguments, ABOUT, &["bootstrap-server"], Plan::uncaught)?;
    let servers = options.value("bootstrap-server").map_err(|error| Plan::uncaught(&error.exception()))?;
    let client = admin_client(&options, surroundings, servers.unwrap_or_default(), "admin-1");
    let client = client.map_err(|problem: NoAdminClient| problem.plan(|exception| Plan::uncaught(exception.root())))?;
    Ok(client.plan(Program::Admin(AdminAction::ApiVersions), Vec::new(), Face::ApiVersions))
}

/// What an event of the client makes the tool print.
#[must_use]
pub fn react(event: &ClientEvent) -> Reaction {
    Reaction::print(if let ClientEvent::AdminFailed(AdminFailure::TimedOut { message, .. }) = event {
        let exception = JavaException::new("java.lang.RuntimeException", message);
        vec![Piece::Err(format!("Exception in thread \"main\" {}", exception.headline()))]
    } else if let ClientEvent::AdminAnswered(answer) = event
        && let AdminAnswer::ApiVersions(brokers) = &**answer
    {
        brokers.iter().flat_map(listing).map(Piece::Out).collect()
    } else {
        Vec::new()
    })
}

fn listing(told: &BrokerApis) -> Vec<String> {
    let broker = &told.broker;
    let rack = broker.rack.as_deref().unwrap_or("null");
    let node = format!("{} (id: {} rack: {rack})", broker.endpoint, broker.broker_id);
    match &told.apis {
        Err(error) => vec![format!("{node} -> ERROR: {error}")],
        Ok(apis) => {
            let mut lines = vec![format!("{node} -> (")];
            let last = CLIENT_APIS.len() - 1;
            lines.extend(CLIENT_APIS.iter().enumerate().map(|(place, Api { key, name, .. })| {
                let found = apis.iter().find(|api| api.key == *key);
                let versions = found.map_or_else(|| "UNSUPPORTED".to_owned(), versions);
                format!("\t{name}({key}): {versions}{}", if place == last { "" } else { "," })
            }));
            lines.push(")".to_owned());
            lines
        }
    }
}

/// The tool is of the same release as the brokers: it can use the highest version of each.
fn versions(api: &ApiVersion) -> String {
    let ApiVersion { min, max, .. } = api;
    let range = if min == max { min.to_string() } else { format!("{min} to {max}") };
    format!("{range} [usable: {max}]")
}
