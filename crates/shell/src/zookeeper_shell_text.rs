//! What `zookeeper-shell` prints of its session.

use crate::console_text::Reaction;
use crate::java_exception::JavaException;
use crate::log_lines::LogLine;
use crate::output::Piece;
use crate::zookeeper_shell::ShellCommand;
use kafka::event::{AdminAnswer, ClientEvent, ConnectionEnd, ZooKeeperFound, ZooKeeperTold};
use kafka::spec::ZooKeeperCommand;
use wire::Timestamp;
use wire::zookeeper::{SessionId, Stat, ZooKeeperError};

const CLIENT: &str = "org.apache.zookeeper.ClientCnxn";

/// What an event of the session makes the tool print. `port` is where it connects.
#[must_use]
pub fn react(commands: &[ShellCommand], port: u16, event: &ClientEvent) -> Reaction {
    let ClientEvent::AdminAnswered(answer) = event else { return Reaction::default() };
    let AdminAnswer::ZooKeeper(told) = &**answer else { return Reaction::default() };
    Reaction::print(match told {
        ZooKeeperTold::Connected => watched("SyncConnected"),
        ZooKeeperTold::Closed => watched("Closed"),
        ZooKeeperTold::Disconnected { session, end } => vec![Piece::Log(disconnected(*session, *end, port))],
        ZooKeeperTold::Ended { command, found } => {
            commands.get(*command).map_or_else(Vec::new, |command| ended(command, found))
        }
        ZooKeeperTold::Exiting(status) if status.0 != 0 => {
            let message = format!("Exiting JVM with code {}", status.0);
            vec![Piece::Log(LogLine::error("org.apache.zookeeper.util.ServiceUtils", message))]
        }
        ZooKeeperTold::Exiting(_) => Vec::new(),
    })
}

fn watched(state: &str) -> Vec<Piece> {
    let event = format!("WatchedEvent state:{state} type:None path:null");
    ["", "WATCHER::", "", &event].map(|line| Piece::Out(line.to_owned())).into()
}

fn disconnected(session: Option<SessionId>, end: ConnectionEnd, port: u16) -> LogLine {
    let id = session.map_or(0, |session| session.0);
    let exception = match end {
        ConnectionEnd::Refused => JavaException::new("java.net.ConnectException", "Connection refused"),
        ConnectionEnd::Closed => {
            let message = format!(
                "Unable to read additional data from server sessionid 0x{id:x}, likely server has closed socket"
            );
            JavaException::new("org.apache.zookeeper.ClientCnxn$EndOfStreamException", &message)
        }
        ConnectionEnd::TimedOut { after_ms } => {
            let message =
                format!("Client session timed out, have not heard from server in {after_ms}ms for session id 0x{id:x}");
            JavaException::new("org.apache.zookeeper.ClientCnxn$SessionTimeoutException", &message)
        }
    };
    let message = format!(
        "Session 0x{id:x} for server localhost/127.0.0.1:{port}, Closing socket connection. Attempting reconnect except \
         it is a SessionExpiredException."
    );
    LogLine::warn(CLIENT, message).with(exception)
}

fn ended(command: &ShellCommand, found: &Result<ZooKeeperFound, Option<ZooKeeperError>>) -> Vec<Piece> {
    let mut pieces = command.said.clone();
    match found {
        Ok(found) => pieces.extend(lines(command, found).into_iter().map(Piece::Out)),
        Err(error) => pieces.push(Piece::Err(problem(command, *error))),
    }
    pieces
}

fn problem(command: &ShellCommand, error: Option<ZooKeeperError>) -> String {
    let code = match error {
        Some(ZooKeeperError::NoNode) => return format!("Node does not exist: {}", command.path),
        Some(ZooKeeperError::SessionExpired) => "Session expired",
        Some(ZooKeeperError::NodeExists) => "NodeExists",
        Some(ZooKeeperError::BadVersion) => "BadVersion",
        Some(ZooKeeperError::NotEmpty) => "Directory not empty",
        Some(ZooKeeperError::NoChildrenForEphemerals) => "NoChildrenForEphemerals",
        None => "ConnectionLoss",
    };
    format!("KeeperErrorCode = {code} for {}", command.path)
}

fn lines(command: &ShellCommand, found: &ZooKeeperFound) -> Vec<String> {
    let shown = |stat: &Stat| if command.shows_stat { stat_lines(stat) } else { Vec::new() };
    match found {
        ZooKeeperFound::Nothing => Vec::new(),
        ZooKeeperFound::Children { names, stat } => {
            let mut lines = vec![format!("[{}]", names.join(", "))];
            lines.extend(shown(stat));
            lines
        }
        ZooKeeperFound::Tree(paths) => {
            let root = match &command.command {
                ZooKeeperCommand::List { path, .. } => path.0.len() - command.path.trim_end_matches('/').len(),
                ZooKeeperCommand::Get(_)
                | ZooKeeperCommand::Stat(_)
                | ZooKeeperCommand::Local(_)
                | ZooKeeperCommand::Quit => 0,
            };
            let root = if command.path == "/" && root == 1 { 0 } else { root };
            paths.iter().map(|path| path.0.get(root..).unwrap_or(&path.0).to_owned()).collect()
        }
        ZooKeeperFound::Data { data, stat } => {
            let mut lines = vec![data.text().unwrap_or_else(|| "null".to_owned())];
            lines.extend(shown(stat));
            lines
        }
        ZooKeeperFound::Stat(stat) => stat_lines(stat),
    }
}

fn stat_lines(stat: &Stat) -> Vec<String> {
    vec![
        format!("cZxid = 0x{:x}", stat.czxid.0),
        format!("ctime = {}", java_date(stat.ctime)),
        format!("mZxid = 0x{:x}", stat.mzxid.0),
        format!("mtime = {}", java_date(stat.mtime)),
        format!("pZxid = 0x{:x}", stat.pzxid.0),
        format!("cversion = {}", stat.cversion),
        format!("dataVersion = {}", stat.version.0),
        "aclVersion = 0".to_owned(),
        format!("ephemeralOwner = 0x{:x}", stat.ephemeral_owner.map_or(0, |session| session.0)),
        format!("dataLength = {}", stat.data_length),
        format!("numChildren = {}", stat.num_children),
    ]
}

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `Date.toString()` in UTC: `Sat Nov 21 04:09:25 UTC 2026`.
fn java_date(at: Timestamp) -> String {
    let date_time = crate::log_lines::date_time(at);
    let (year, month, day, time) = (&date_time[..4], &date_time[5..7], &date_time[8..10], &date_time[11..19]);
    let weekday = DAYS[at.0.div_euclid(86_400_000).rem_euclid(7) as usize];
    let month = month.parse().ok().and_then(|month: usize| MONTHS.get(month.wrapping_sub(1))).unwrap_or(&"");
    format!("{weekday} {month} {day} {time} UTC {year}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_java_writes_dates() {
        assert_eq!(java_date(Timestamp(1_795_234_165_279)), "Sat Nov 21 04:09:25 UTC 2026");
        assert_eq!(java_date(Timestamp(0)), "Thu Jan 01 00:00:00 UTC 1970");
    }
}
