//! `zookeeper-shell`: its arguments, and its commands as far as they only read (`ZooKeeperMain` of ZooKeeper 3.8, which
//! Kafka 3.9 ships). Commands come as arguments or through a pipe, one a line.

use crate::options::OptionSpec;
use crate::output::Piece;
use crate::plan::{ClientPlan, Face, Plan, Printout, Surroundings};
use crate::words;
use kafka::node::ExitStatus;
use kafka::spec::{AdminAction, ClientSpec, Program, ZooKeeperCommand};
use wire::Endpoint;
use wire::zookeeper::ZnodePath;

const DEFAULT_PORT: u16 = 2181;
const USAGE: &str = "USAGE: zookeeper-shell.sh zookeeper_host:port[/path] [-zk-tls-config-file file] [args...]";

/// ZooKeeper's own commands, as they are listed for who types another.
const COMMANDS: [&str; 28] = [
    "addWatch [-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] - default is PERSISTENT_RECURSIVE",
    "addauth scheme auth",
    "close ",
    "config [-c] [-w] [-s]",
    "connect host:port",
    "create [-s] [-e] [-c] [-t ttl] path [data] [acl]",
    "delete [-v version] path",
    "deleteall path [-b batch size]",
    "delquota [-n|-b|-N|-B] path",
    "get [-s] [-w] path",
    "getAcl [-s] path",
    "getAllChildrenNumber path",
    "getEphemerals path",
    "history ",
    "listquota path",
    "ls [-s] [-w] [-R] path",
    "printwatches on|off",
    "quit ",
    "reconfig [-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | [-add serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]",
    "redo cmdno",
    "removewatches path [-c|-d|-a] [-l]",
    "set [-s] [-v version] path data",
    "setAcl [-s] [-v version] [-R] path acl",
    "setquota -n|-b|-N|-B val path",
    "stat [-w] path",
    "sync path",
    "version ",
    "whoami ",
];

/// Exit status of what is no command.
const NOT_FOUND: i32 = 127;

/// A command as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellCommand {
    /// What the session does.
    pub command: ZooKeeperCommand,
    /// `-s`: the state is printed, too.
    pub shows_stat: bool,
    /// The path, as error messages name it.
    pub path: String,
    /// What is said when the command is read and does not fit.
    pub said: Vec<Piece>,
}

/// The table of options is ZooKeeper's own: there is none.
pub const OPTIONS: &[OptionSpec] = &[];

/// What a call comes to.
#[must_use]
pub fn plan(arguments: &[String], surroundings: Surroundings<'_>) -> Plan {
    // Kafka's script puts `-server` in front itself; people who know ZooKeeper's type it.
    let arguments = match arguments.split_first() {
        Some((first, rest)) if first == "-server" => rest,
        Some(_) | None => arguments,
    };
    let Some((host, rest)) = arguments.split_first() else {
        return Plan::Print(Printout { pieces: vec![Piece::Out(USAGE.to_owned())], status: 1 });
    };
    let Some((ensemble, root)) = parse_host(host) else {
        return Plan::not_simulated(&format!("{host}: ZooKeeper listens on a port of localhost"));
    };
    let rest = without_tls_file(rest);
    let mut opening = vec![Piece::Out(format!("Connecting to {host}"))];
    let commands = if rest.is_empty() {
        let Some(input) = surroundings.input else {
            return Plan::not_simulated(
                "what is typed into zookeeper-shell: give it a command, or pipe commands into it",
            );
        };
        opening.extend(["Welcome to ZooKeeper!", "JLine support is disabled"].map(|line| Piece::Out(line.to_owned())));
        let lines = input.lines().filter(|line| !line.is_empty());
        lines.map(|line| ShellCommand::read(&words_of(line), &root)).collect()
    } else {
        vec![ShellCommand::read(rest, &root)]
    };
    if let Some(what) = commands.iter().find_map(ShellCommand::not_simulated) {
        return Plan::not_simulated(&what);
    }
    let action = AdminAction::ZooKeeper(commands.iter().map(|command| command.command.clone()).collect());
    let program = Program::Admin(action);
    let port = ensemble.port;
    let spec = ClientSpec { client_id: "zookeeper-shell".to_owned(), bootstrap_servers: vec![ensemble], program };
    Plan::Client(Box::new(ClientPlan { spec, opening, face: Face::ZooKeeper { commands, port } }))
}

fn without_tls_file(arguments: &[String]) -> &[String] {
    match arguments {
        [option, _, rest @ ..] if option == "-zk-tls-config-file" => rest,
        all => all,
    }
}

/// The first server of a connect string, and the path behind it under which everything is.
fn parse_host(text: &str) -> Option<(Endpoint, String)> {
    let (servers, root) = text.find('/').map_or((text, ""), |slash| text.split_at(slash));
    let server = servers.split(',').next().unwrap_or_default();
    let (host, port) = match server.split_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (server, DEFAULT_PORT),
    };
    matches!(host, "localhost" | "127.0.0.1")
        .then(|| (Endpoint::new("localhost", port), root.trim_end_matches('/').to_owned()))
}

fn words_of(line: &str) -> Vec<String> {
    words::parse(line).map_or_else(
        |_| line.split_whitespace().map(str::to_owned).collect(),
        |pipeline| pipeline.stages.into_iter().flat_map(|stage| stage.words).collect(),
    )
}

impl ShellCommand {
    fn read(words: &[String], root: &str) -> ShellCommand {
        let Some((name, rest)) = words.split_first() else { return ShellCommand::local(Vec::new(), 0) };
        match name.as_str() {
            "quit" => ShellCommand { command: ZooKeeperCommand::Quit, ..ShellCommand::local(Vec::new(), 0) },
            "version" => ShellCommand::local(vec![Piece::Out(format!("ZooKeeper CLI version: {VERSION}"))], 0),
            "ls" => ShellCommand::reading(name, "swR", rest, root),
            "get" => ShellCommand::reading(name, "sw", rest, root),
            "stat" => ShellCommand::reading(name, "w", rest, root),
            _ if usage_of(name).is_some() => {
                ShellCommand { path: name.clone(), ..ShellCommand::local(Vec::new(), NOT_SIMULATED) }
            }
            _ => {
                let mut said =
                    vec![Piece::Err("ZooKeeper -server host:port [-zk-tls-config-file <file>] cmd args".to_owned())];
                said.extend(COMMANDS.map(|usage| Piece::Err(format!("\t{usage}"))));
                said.push(Piece::Err(format!("Command not found: Command not found {name}")));
                ShellCommand::local(said, NOT_FOUND)
            }
        }
    }

    fn reading(name: &str, flags: &str, arguments: &[String], root: &str) -> ShellCommand {
        let failed = |message: String| ShellCommand::local(vec![Piece::Err(message)], 1);
        let (mut given, mut paths) = (String::new(), Vec::new());
        for argument in arguments {
            match argument.strip_prefix('-') {
                Some(flag) if flag.len() == 1 && flags.contains(flag) => given.push_str(flag),
                Some(_) => {
                    let class = "org.apache.commons.cli.UnrecognizedOptionException";
                    return failed(format!("{class}: Unrecognized option: {argument}"));
                }
                None => paths.push(argument),
            }
        }
        let Some(path) = paths.first() else {
            return failed(usage_of(name).unwrap_or_default().to_owned());
        };
        if let Some(message) = bad_path(path) {
            return failed(message);
        }
        let znode = ZnodePath::new(&match (root, path.as_str()) {
            ("", path) => path.to_owned(),
            (root, "/") => root.to_owned(),
            (root, path) => format!("{root}{path}"),
        });
        let command = match name {
            "ls" => ZooKeeperCommand::List { path: znode, is_recursive: given.contains('R') },
            "get" => ZooKeeperCommand::Get(znode),
            _ => ZooKeeperCommand::Stat(znode),
        };
        ShellCommand { command, shows_stat: given.contains('s'), path: (*path).clone(), said: Vec::new() }
    }

    fn local(said: Vec<Piece>, status: i32) -> ShellCommand {
        let command = ZooKeeperCommand::Local(ExitStatus(status));
        ShellCommand { command, shows_stat: false, path: String::new(), said }
    }

    /// A command of ZooKeeper's that cannot be carried out here.
    fn not_simulated(&self) -> Option<String> {
        let is_missing = self.command == ZooKeeperCommand::Local(ExitStatus(NOT_SIMULATED));
        is_missing.then(|| format!("{} of zookeeper-shell is not simulated", self.path))
    }
}

/// The release of ZooKeeper that Kafka 3.9.1 ships.
const VERSION: &str = "3.8.4-9316c2a7a97e1666d8f4593f34dd6fc36ecc436c, built on 2024-02-12 22:16 UTC";

const NOT_SIMULATED: i32 = crate::plan::NOT_SIMULATED;

fn usage_of(name: &str) -> Option<&'static str> {
    COMMANDS.into_iter().find(|usage| usage.split(' ').next() == Some(name))
}

/// `PathUtils.validatePath`.
fn bad_path(path: &str) -> Option<String> {
    if !path.starts_with('/') {
        return Some("Path must start with / character".to_owned());
    }
    if path.len() > 1 && path.ends_with('/') {
        return Some("Path must not end with / character".to_owned());
    }
    let double = path.find("//")?;
    Some(format!("Invalid path string \"{path}\" caused by empty node name specified @{}", double + 1))
}
