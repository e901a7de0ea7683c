//! `kafka-metadata-quorum`: its arguments and output (`MetadataQuorumCommand` of Kafka 3.9).

use crate::admin_tool::{admin_client_of_file, execution_exception, failure_exception, thrown, thrown_plan};
use crate::argparse::{self, Argument, Need, Parsed, Subcommand, Value, parse};
use crate::console_text::Reaction;
use crate::java_exception::JavaException;
use crate::output::{Piece, joined};
use crate::plan::{Face, Plan, Printout, Surroundings};
use kafka::event::{AdminAnswer, ClientEvent};
use kafka::spec::{AdminAction, Program, QuorumAction};
use wire::Timestamp;
use wire::response::{DescribeQuorumResponse, QuorumReplica};

/// What `describe` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// `--status`.
    Status,
    /// `--replication`.
    Replication,
    /// `--replication --human-readable`.
    HumanReadableReplication,
}

/// The tool's arguments.
pub const PROGRAM: argparse::Program = argparse::Program {
    name: "kafka-metadata-quorum",
    usage: &[
        "usage: kafka-metadata-quorum [-h] [--command-config COMMAND_CONFIG]",
        "                             (--bootstrap-server BOOTSTRAP_SERVER |",
        "                             --bootstrap-controller BOOTSTRAP_CONTROLLER)",
        "                             {describe,add-controller,remove-controller}",
        "                             ...",
    ],
    description: "This tool describes kraft metadata quorum status.",
    arguments: &[
        Argument::text("--bootstrap-server", "BOOTSTRAP_SERVER", "Brokers to ask first, host and port, with commas.")
            .one_of(),
        Argument::text(
            "--bootstrap-controller",
            "BOOTSTRAP_CONTROLLER",
            "Controllers to ask first, host and port, with commas.",
        )
        .one_of(),
        Argument::text("--command-config", "COMMAND_CONFIG", "A file with properties of the admin client."),
    ],
    subcommands: &[
        Subcommand {
            name: "describe",
            usage: &[
                "usage: kafka-metadata-quorum (--bootstrap-server BOOTSTRAP_SERVER |",
                "                             --bootstrap-controller BOOTSTRAP_CONTROLLER)",
                "                             describe [-h] [--status] [--replication]",
                "                             [--human-readable]",
            ],
            description: "Tell how the metadata quorum is.",
            arguments: &[
                Argument { section: "Status", ..Argument::flag("--status", "The quorum in short.") },
                Argument { section: "Replication", ..Argument::flag("--replication", "Each member's log.") },
                Argument {
                    section: "Replication",
                    ..Argument::flag("--human-readable", "Times as what has passed since.")
                },
            ],
        },
        Subcommand {
            name: "add-controller",
            usage: &[
                "usage: kafka-metadata-quorum (--bootstrap-server BOOTSTRAP_SERVER |",
                "                             --bootstrap-controller BOOTSTRAP_CONTROLLER)",
                "                             add-controller [-h] [--dry-run]",
            ],
            description: "Make a controller a voter of the quorum.",
            arguments: &[Argument::flag("--dry-run", "Only check whether it could be done.")],
        },
        Subcommand {
            name: "remove-controller",
            usage: &[
                "usage: kafka-metadata-quorum (--bootstrap-server BOOTSTRAP_SERVER |",
                "                             --bootstrap-controller BOOTSTRAP_CONTROLLER)",
                "                             remove-controller [-h]",
                "                             --controller-id CONTROLLER_ID",
                "                             --controller-directory-id CONTROLLER_DIRECTORY_ID",
                "                             [--dry-run]",
            ],
            description: "Take a controller's vote away.",
            arguments: &[
                Argument {
                    value: Value::Integer("CONTROLLER_ID"),
                    need: Need::Required,
                    ..Argument::text("--controller-id", "", "The controller's id.").or("-i")
                },
                Argument {
                    need: Need::Required,
                    ..Argument::text(
                        "--controller-directory-id",
                        "CONTROLLER_DIRECTORY_ID",
                        "The id of its log directory.",
                    )
                    .or("-d")
                },
                Argument::flag("--dry-run", "Only check whether it could be done."),
            ],
        },
    ],
    help_status: 0,
};

/// What a call comes to.
#[must_use]
pub fn plan(arguments: &[String], surroundings: Surroundings<'_>) -> Plan {
    planned(arguments, surroundings).unwrap_or_else(|plan| plan)
}

/// A `TerseException`: only its message.
fn terse(message: &str) -> Plan {
    Plan::Print(Printout { pieces: vec![Piece::Err(message.to_owned())], status: 1 })
}

fn planned(arguments: &[String], surroundings: Surroundings<'_>) -> Result<Plan, Plan> {
    let options = parse(&PROGRAM, arguments).map_err(Plan::Print)?;
    let path = options.value("--command-config");
    if let Some(missing) = path.filter(|path| surroundings.files.read(path).is_none()) {
        return Err(terse(&format!("Properties file {missing} does not exists!")));
    }
    let Some(servers) = options.value("--bootstrap-server") else {
        return Err(Plan::not_simulated("admin clients of controllers are not simulated, use --bootstrap-server"));
    };
    let admin = admin_client_of_file(path, surroundings, servers, "adminclient-1");
    let admin = admin.map_err(|problem| problem.plan(thrown_plan))?;
    let shown = shown(&options)?;
    let action = match shown {
        Shown::Status => QuorumAction::Status,
        Shown::Replication | Shown::HumanReadableReplication => QuorumAction::Replication,
    };
    Ok(admin.plan(Program::Admin(AdminAction::Quorum(action)), Vec::new(), Face::Quorum(shown)))
}

fn shown(options: &Parsed) -> Result<Shown, Plan> {
    if options.subcommand != "describe" {
        return Err(Plan::not_simulated("the voters of the simulated quorum cannot be changed"));
    }
    let is_human_readable = options.has("--human-readable");
    match (options.has("--status"), options.has("--replication")) {
        (true, true) => {
            Err(terse("Only one of --status or --replication should be specified with describe sub-command"))
        }
        (true, false) if is_human_readable => {
            Err(terse("The option --human-readable is only supported along with --replication"))
        }
        (true, false) => Ok(Shown::Status),
        (false, true) if is_human_readable => Ok(Shown::HumanReadableReplication),
        (false, true) => Ok(Shown::Replication),
        (false, false) => Err(terse("One of --status or --replication must be specified with describe sub-command")),
    }
}

/// What an event of the admin client makes the tool print at a time of day.
#[must_use]
pub fn react(shown: Shown, now: Timestamp, event: &ClientEvent) -> Reaction {
    if let ClientEvent::AdminFailed(failure) = event {
        return Reaction::print(thrown(&execution_exception(failure_exception(failure))));
    }
    let ClientEvent::AdminAnswered(answer) = event else { return Reaction::default() };
    let AdminAnswer::Quorum { cluster_id, quorum } = &**answer else { return Reaction::default() };
    let Some(leader) = leader(quorum) else {
        let none = JavaException::new("java.util.NoSuchElementException", "No value present");
        return Reaction { pieces: thrown(&none), status: Some(1) };
    };
    let replication = match shown {
        Shown::Status => return Reaction::print(status(cluster_id.as_deref().unwrap_or("null"), quorum, leader)),
        Shown::Replication => replication(quorum, leader, &|timestamp, _| Ok(timestamp.to_string())),
        Shown::HumanReadableReplication => replication(quorum, leader, &|timestamp, what| ago(timestamp, now, what)),
    };
    match replication {
        Ok(lines) => Reaction::print(lines.into_iter().map(Piece::Out).collect()),
        Err(exception) => Reaction { pieces: thrown(&exception), status: Some(1) },
    }
}

fn leader(quorum: &DescribeQuorumResponse) -> Option<&QuorumReplica> {
    quorum.voters.iter().find(|voter| Some(voter.replica_id) == quorum.current_leader.leader_id)
}

fn status(cluster_id: &str, quorum: &DescribeQuorumResponse, leader: &QuorumReplica) -> Vec<Piece> {
    let slowest = quorum.voters.iter().min_by_key(|voter| voter.log_end_offset).unwrap_or(leader);
    let lag_ms = match (leader.last_caught_up_timestamp, slowest.last_caught_up_timestamp) {
        _ if slowest.replica_id == leader.replica_id => 0,
        (Timestamp(-1), _) | (_, Timestamp(-1)) => -1,
        (leader, slowest) => leader.0 - slowest.0,
    };
    let line = |name: &str, value: String| Piece::Out(format!("{:24}{value}", format!("{name}:")));
    vec![
        line("ClusterId", cluster_id.to_owned()),
        line("LeaderId", leader.replica_id.to_string()),
        line("LeaderEpoch", quorum.current_leader.leader_epoch.to_string()),
        line("HighWatermark", quorum.high_watermark.to_string()),
        line("MaxFollowerLag", (leader.log_end_offset - slowest.log_end_offset).to_string()),
        line("MaxFollowerLagTimeMs", lag_ms.to_string()),
        line("CurrentVoters", members(&quorum.voters)),
        line("CurrentObservers", members(&quorum.observers)),
    ]
}

fn members(replicas: &[QuorumReplica]) -> String {
    let member = |replica: &QuorumReplica| {
        let directory = match replica.directory_id.0 {
            0 => "null".to_owned(),
            _ => format!("\"{}\"", replica.directory_id),
        };
        let endpoint = replica.endpoint.as_ref();
        let endpoint = endpoint.map(|endpoint| format!(", \"endpoints\": [\"CONTROLLER://{endpoint}\"]"));
        format!("{{\"id\": {}, \"directoryId\": {directory}{}}}", replica.replica_id, endpoint.unwrap_or_default())
    };
    format!("[{}]", joined(replicas.iter().map(member), ", "))
}

type TimeText<'a> = &'a dyn Fn(Timestamp, &str) -> Result<String, JavaException>;

fn replication(
    quorum: &DescribeQuorumResponse,
    leader: &QuorumReplica,
    time: TimeText<'_>,
) -> Result<Vec<String>, JavaException> {
    let header =
        ["NodeId", "DirectoryId", "LogEndOffset", "Lag", "LastFetchTimestamp", "LastCaughtUpTimestamp", "Status"];
    let followers = quorum.voters.iter().filter(|voter| voter.replica_id != leader.replica_id);
    let row = |status| move |replica| (replica, status);
    let replicas = std::iter::once((leader, "Leader"))
        .chain(followers.map(row("Follower")))
        .chain(quorum.observers.iter().map(row("Observer")));
    let rows = replicas.map(|(replica, status)| columns(replica, leader, status, time));
    let mut table = vec![header.map(str::to_owned)];
    table.extend(rows.collect::<Result<Vec<_>, _>>()?);
    Ok(padded(&table))
}

fn columns(
    replica: &QuorumReplica,
    leader: &QuorumReplica,
    status: &str,
    time: TimeText<'_>,
) -> Result<[String; 7], JavaException> {
    let time = |timestamp: Timestamp, what| {
        if timestamp == Timestamp(-1) { Ok("-1".to_owned()) } else { time(timestamp, what) }
    };
    Ok([
        replica.replica_id.to_string(),
        replica.directory_id.to_string(),
        replica.log_end_offset.to_string(),
        (leader.log_end_offset - replica.log_end_offset).to_string(),
        time(replica.last_fetch_timestamp, "last fetch")?,
        time(replica.last_caught_up_timestamp, "last caught up")?,
        status.to_owned(),
    ])
}

/// `ToolsUtils.prettyPrintTable`: every column as wide as its widest cell, with a tab behind it.
fn padded(table: &[[String; 7]]) -> Vec<String> {
    let width = |column: usize| table.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let cell = |(column, text): (usize, &String)| format!("{text:width$}\t", width = width(column));
    table.iter().map(|row| row.iter().enumerate().map(cell).collect()).collect()
}

fn ago(timestamp: Timestamp, now: Timestamp, what: &str) -> Result<String, JavaException> {
    if timestamp > now {
        return Err(JavaException::kafka(&format!(
            "Error while computing relative time, possible drift in system clock.\n\
             Current timestamp is {now}, {what} timestamp is {timestamp}"
        )));
    }
    Ok(format!("{} ms ago", now.0 - timestamp.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::response::LeaderIdAndEpoch;
    use wire::{DirectoryId, Endpoint, ErrorCode, LeaderEpoch, Offset};

    const FIRST_OBSERVER: DirectoryId = DirectoryId(0x6620_1e72_382b_fed4_c30c_69d4_ae9b_e8d6);

    fn replica(replica_id: i32, end: i64, at: i64) -> QuorumReplica {
        QuorumReplica {
            replica_id,
            directory_id: DirectoryId(0),
            endpoint: None,
            log_end_offset: Offset(end),
            last_fetch_timestamp: Timestamp(at),
            last_caught_up_timestamp: Timestamp(at),
        }
    }

    fn quorum(voters: Vec<QuorumReplica>, observers: Vec<QuorumReplica>) -> DescribeQuorumResponse {
        DescribeQuorumResponse {
            error: ErrorCode::None,
            current_leader: LeaderIdAndEpoch { leader_id: Some(1), leader_epoch: LeaderEpoch(2) },
            high_watermark: Offset(1_872),
            voters,
            observers,
        }
    }

    fn shown(shown: Shown, now: i64, quorum: DescribeQuorumResponse) -> Vec<String> {
        let answer = AdminAnswer::Quorum { cluster_id: Some("uxQ8VN_HQmWM2Q-N0MKiUA".to_owned()), quorum };
        let reaction = react(shown, Timestamp(now), &ClientEvent::AdminAnswered(Box::new(answer)));
        let mut lines = Vec::new();
        for piece in reaction.pieces {
            if let Piece::Out(line) | Piece::Err(line) = piece {
                lines.push(line);
            }
        }
        lines
    }

    /// The recording `quorum-status`.
    #[test]
    fn the_status_reads_as_kafka_prints_it() {
        let voter = QuorumReplica { endpoint: Some(Endpoint::new("localhost", 9_099)), ..replica(1, 1_872, 5) };
        let observer = QuorumReplica { directory_id: FIRST_OBSERVER, ..replica(3, 1_872, 5) };
        let lines = shown(Shown::Status, 9, quorum(vec![voter], vec![observer]));
        let expected = [
            "ClusterId:              uxQ8VN_HQmWM2Q-N0MKiUA".to_owned(),
            "LeaderId:               1".to_owned(),
            "LeaderEpoch:            2".to_owned(),
            "HighWatermark:          1872".to_owned(),
            "MaxFollowerLag:         0".to_owned(),
            "MaxFollowerLagTimeMs:   0".to_owned(),
            "CurrentVoters:          [{\"id\": 1, \"directoryId\": null, \"endpoints\": [\"CONTROLLER://localhost:9099\"]}]"
                .to_owned(),
            format!("CurrentObservers:       [{{\"id\": 3, \"directoryId\": \"{FIRST_OBSERVER}\"}}]"),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn the_slowest_voter_counts_as_the_lag() {
        let lines = shown(Shown::Status, 9, quorum(vec![replica(1, 20, 1_000), replica(2, 15, 400)], Vec::new()));
        assert_eq!(lines[4..6], ["MaxFollowerLag:         5", "MaxFollowerLagTimeMs:   600"]);
        let lines = shown(Shown::Status, 9, quorum(vec![replica(1, 20, 1_000), replica(2, -1, -1)], Vec::new()));
        assert_eq!(lines[4..6], ["MaxFollowerLag:         21", "MaxFollowerLagTimeMs:   -1"]);
    }

    /// The recordings `fail-quorum` and `quorum-replication-h`.
    #[test]
    fn the_replication_table_is_padded_as_kafka_pads_it() {
        let leader = || vec![replica(1, 4_629, 1_795_233_705_672)];
        let lines = shown(Shown::Replication, 0, quorum(leader(), vec![replica(3, 4_281, 1_795_233_549_186)]));
        let expected = [
            "NodeId\tDirectoryId           \tLogEndOffset\tLag\tLastFetchTimestamp\tLastCaughtUpTimestamp\tStatus  \t",
            "1     \tAAAAAAAAAAAAAAAAAAAAAA\t4629        \t0  \t1795233705672     \t1795233705672        \tLeader  \t",
            "3     \tAAAAAAAAAAAAAAAAAAAAAA\t4281        \t348\t1795233549186     \t1795233549186        \tObserver\t",
        ];
        assert_eq!(lines, expected);
        let lines = shown(Shown::HumanReadableReplication, 1_795_233_705_681, quorum(leader(), Vec::new()));
        assert!(lines[1].contains("\t9 ms ago          \t9 ms ago             \tLeader\t"), "{}", lines[1]);
        let lines = shown(Shown::HumanReadableReplication, 5, quorum(leader(), Vec::new()));
        assert!(lines[0].starts_with("Error while computing relative time, possible drift in system clock."));
    }
}
