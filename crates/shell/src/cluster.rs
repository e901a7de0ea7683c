//! `kafka-cluster`: the cluster's id, and brokers that are gone for good (`ClusterTool` of Kafka 3.9).

use crate::admin_tool::{admin_client_of_file, execution_exception, failure_exception, thrown, thrown_plan};
use crate::argparse::{self, Argument, Need, Subcommand, Value, parse};
use crate::console_text::Reaction;
use crate::log_lines::LogLine;
use crate::output::Piece;
use crate::plan::{Face, Plan, Surroundings};
use kafka::event::{AdminAnswer, AdminFailure, ClientEvent};
use kafka::spec::{AdminAction, ClusterAction, Program};
use wire::{BrokerId, ErrorCode};

const BOOTSTRAP_SERVER: Argument =
    Argument::text("--bootstrap-server", "BOOTSTRAP_SERVER", "Brokers to ask first, host and port, with commas.")
        .or("-b")
        .one_of();
const BOOTSTRAP_CONTROLLER: Argument = Argument::text(
    "--bootstrap-controller",
    "BOOTSTRAP_CONTROLLER",
    "Controllers to ask first, host and port, with commas.",
)
.or("-C")
.one_of();
const CONFIG: Argument = Argument::text("--config", "CONFIG", "A file with properties of the admin client.").or("-c");

/// The tool's arguments.
pub const PROGRAM: argparse::Program = argparse::Program {
    name: "kafka-cluster",
    usage: &["usage: kafka-cluster [-h] {cluster-id,unregister} ..."],
    description: "The Kafka cluster tool.",
    arguments: &[],
    subcommands: &[
        Subcommand {
            name: "cluster-id",
            usage: &[
                "usage: kafka-cluster cluster-id [-h] [--config CONFIG]",
                "                     (--bootstrap-server BOOTSTRAP_SERVER |",
                "                     --bootstrap-controller BOOTSTRAP_CONTROLLER)",
            ],
            description: "Print the cluster's id.",
            arguments: &[BOOTSTRAP_SERVER, BOOTSTRAP_CONTROLLER, CONFIG],
        },
        Subcommand {
            name: "unregister",
            usage: &[
                "usage: kafka-cluster unregister [-h] [--config CONFIG] --id ID",
                "                     (--bootstrap-server BOOTSTRAP_SERVER |",
                "                     --bootstrap-controller BOOTSTRAP_CONTROLLER)",
            ],
            description: "Forget a broker.",
            arguments: &[
                BOOTSTRAP_SERVER,
                BOOTSTRAP_CONTROLLER,
                CONFIG,
                Argument {
                    value: Value::Integer("ID"),
                    need: Need::Required,
                    ..Argument::text("--id", "ID", "The broker's id.").or("-i")
                },
            ],
        },
    ],
    help_status: 1,
};

/// What a call comes to.
#[must_use]
pub fn plan(arguments: &[String], surroundings: Surroundings<'_>) -> Plan {
    planned(arguments, surroundings).unwrap_or_else(|plan| plan)
}

fn planned(arguments: &[String], surroundings: Surroundings<'_>) -> Result<Plan, Plan> {
    let options = parse(&PROGRAM, arguments).map_err(Plan::Print)?;
    let Some(servers) = options.value("--bootstrap-server") else {
        return Err(Plan::not_simulated("admin clients of controllers are not simulated, use --bootstrap-server"));
    };
    let action = match options.value("--id") {
        Some(id) => ClusterAction::Unregister(BrokerId(id.parse().expect("numbers have been checked"))),
        None => ClusterAction::Id,
    };
    let admin = admin_client_of_file(options.value("--config"), surroundings, servers, "adminclient-1");
    let admin = admin.map_err(|problem| problem.plan(thrown_plan))?;
    Ok(admin.plan(Program::Admin(AdminAction::Cluster(action)), Vec::new(), Face::Cluster(action)))
}

/// What an event of the admin client makes the tool print.
#[must_use]
pub fn react(action: ClusterAction, prefix: &str, event: &ClientEvent) -> Reaction {
    if let ClientEvent::AdminFailed(failure) = event {
        return failed(action, prefix, failure);
    }
    let ClientEvent::AdminAnswered(answer) = event else { return Reaction::default() };
    Reaction::print(if let AdminAnswer::ClusterId(id) = &**answer {
        vec![Piece::Out(format!("Cluster ID: {id}"))]
    } else if let AdminAnswer::BrokerUnregistered(broker) = &**answer {
        vec![Piece::Out(format!("Broker {broker} is no longer registered."))]
    } else {
        Vec::new()
    })
}

fn failed(action: ClusterAction, prefix: &str, failure: &AdminFailure) -> Reaction {
    let exception = failure_exception(failure);
    let error = if let AdminFailure::Refused { error, .. } = failure { *error } else { ErrorCode::None };
    let mut pieces = Vec::new();
    if let ClusterAction::Unregister(broker) = action {
        if error == ErrorCode::UnsupportedVersion {
            let line = "The target cluster does not support the broker unregistration API.";
            return Reaction { pieces: vec![Piece::Out(line.to_owned())], status: Some(0) };
        }
        if error != ErrorCode::None && !error.is_retriable() {
            let message =
                format!("{prefix}Unregister broker request for broker ID {broker} failed: {}", exception.message());
            pieces.push(Piece::Log(LogLine::error("org.apache.kafka.clients.admin.KafkaAdminClient", message)));
        }
    }
    pieces.extend(thrown(&execution_exception(exception)));
    Reaction::print(pieces)
}
