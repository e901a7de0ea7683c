//! A real cluster: one process for each server of a script's world, and one controller or ZooKeeper as it says.

use crate::files;
use crate::tools::Tools;
use kafka::node::{Listener, NodeId};
use kafka::spec::{Coordination, ServerRole, ServerSpec};
use shell::node_name::NodeName;
use sim::WorldShape;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use wire::Endpoint;

const CLUSTER_ID: &str = "MkU3OEVBNTcwNTJENDM2Qk";
const PATIENCE: Duration = Duration::from_secs(120);
const GLANCE: Duration = Duration::from_millis(200);

/// The processes and what they need.
pub(crate) struct Cluster {
    shape: WorldShape,
    folder: PathBuf,
    tools: Tools,
    port_offset: u16,
    servers: BTreeMap<NodeId, Server>,
}

struct Server {
    spec: ServerSpec,
    folder: PathBuf,
    runs: u32,
    process: Option<Child>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in self.servers.values_mut().filter_map(|server| server.process.as_mut()) {
            // It may have ended by itself: then nothing is left to do.
            child.kill().and_then(|()| child.wait().map(drop)).unwrap_or_default();
        }
    }
}

impl Cluster {
    /// Starts all servers and waits until all serve.
    ///
    /// # Errors
    /// If one of them does not.
    pub(crate) fn start(shape: &WorldShape, folder: &Path, tools: Tools, port_offset: u16) -> Result<Cluster, String> {
        let (shape, folder) = (shape.clone(), folder.to_owned());
        let mut cluster = Cluster { shape, folder, tools, port_offset, servers: BTreeMap::new() };
        files::empty(&cluster.folder.join("files"))?;
        let specs = cluster.shape.spec().servers;
        for spec in &specs {
            cluster.place(spec)?;
        }
        for spec in &specs {
            cluster.launch(spec.node())?;
        }
        specs.iter().try_for_each(|spec| cluster.wait_until_serving(spec.node()))?;
        Ok(cluster)
    }

    /// Makes a server's folder with its properties, and formats its storage.
    fn place(&mut self, spec: &ServerSpec) -> Result<(), String> {
        let folder = self.folder.join(spec.node().to_string());
        files::write(&folder.join("server.properties"), &self.properties(spec, &folder))?;
        if matches!(spec.coordination, Coordination::KRaft { .. }) {
            let config = folder.join("server.properties");
            let line = format!("kafka-storage format -t {CLUSTER_ID} -c {}", config.display());
            let output = self.tools.shell(&line).output().map_err(|error| format!("{line}: {error}"))?;
            if !output.status.success() {
                return Err(format!("{line}: {}", String::from_utf8_lossy(&output.stderr)));
            }
        }
        let server = Server { spec: spec.clone(), folder, runs: 0, process: None };
        self.servers.insert(spec.node(), server);
        Ok(())
    }

    fn real(&self, endpoint: &Endpoint) -> String {
        format!("{}:{}", endpoint.host, endpoint.port + self.port_offset)
    }

    fn properties(&self, spec: &ServerSpec, folder: &Path) -> String {
        let (here, data) = (self.real(&spec.endpoint), folder.join("data"));
        let mut properties: Vec<(String, String)> = Vec::new();
        let mut set = |key: &str, value: String| properties.push((key.to_owned(), value));
        match spec.role {
            ServerRole::ZooKeeper => {
                set("dataDir", data.display().to_string());
                set("clientPort", (spec.endpoint.port + self.port_offset).to_string());
                set("admin.enableServer", "false".to_owned());
            }
            ServerRole::Broker | ServerRole::Controller | ServerRole::Combined => {
                set("log.dirs", data.display().to_string());
                self.coordinate(spec, &here, &mut set);
            }
        }
        if spec.role != ServerRole::ZooKeeper {
            spec.rack.iter().for_each(|rack| properties.push(("broker.rack".to_owned(), rack.clone())));
            let others = spec.properties.iter().filter(|(key, _)| *key != "log.dirs");
            properties.extend(others.map(|(key, value)| (key.clone(), value.clone())));
        }
        properties.iter().fold(String::new(), |mut text, (key, value)| {
            writeln!(text, "{key}={value}").expect("writing to a string does not fail");
            text
        })
    }

    fn coordinate(&self, spec: &ServerSpec, here: &str, set: &mut impl FnMut(&str, String)) {
        match &spec.coordination {
            Coordination::ZooKeeper { connect } => {
                set("broker.id", spec.node_id.to_string());
                set("zookeeper.connect", self.real(connect));
                set("listeners", format!("PLAINTEXT://{here}"));
            }
            Coordination::KRaft { voters } => {
                let voters: Vec<String> =
                    voters.iter().map(|(id, endpoint)| format!("{id}@{}", self.real(endpoint))).collect();
                let roles = match (spec.role.is_broker(), spec.role.is_controller()) {
                    (true, true) => "broker,controller",
                    (false, true) => "controller",
                    (_, false) => "broker",
                };
                set("node.id", spec.node_id.to_string());
                set("process.roles", roles.to_owned());
                set("controller.quorum.voters", voters.join(","));
                set("controller.listener.names", "CONTROLLER".to_owned());
                let listeners = spec.listeners().map(|(listener, endpoint)| match listener {
                    Listener::Plaintext => format!("PLAINTEXT://{}", self.real(&endpoint)),
                    Listener::Controller => format!("CONTROLLER://{}", self.real(&endpoint)),
                });
                set("listeners", listeners.collect::<Vec<String>>().join(","));
            }
        }
    }

    fn launch(&mut self, node: NodeId) -> Result<(), String> {
        let server = self.servers.get_mut(&node).ok_or_else(|| format!("there is no node {node}"))?;
        server.runs += 1;
        let log =
            std::fs::File::create(server.log()).map_err(|error| format!("{}: {error}", server.log().display()))?;
        let errors = log.try_clone().map_err(|error| format!("{}: {error}", server.log().display()))?;
        let class = match server.spec.role {
            ServerRole::ZooKeeper => "org.apache.zookeeper.server.quorum.QuorumPeerMain",
            ServerRole::Broker | ServerRole::Controller | ServerRole::Combined => "kafka.Kafka",
        };
        let mut command = self.tools.server(class, &server.folder.join("server.properties"));
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        server.process = Some(command.spawn().map_err(|error| format!("java could not be started: {error}"))?);
        Ok(())
    }

    fn wait_until_serving(&mut self, node: NodeId) -> Result<(), String> {
        let (log, marks) = {
            let server = self.servers.get(&node).ok_or_else(|| format!("there is no node {node}"))?;
            (server.log(), server.marks_of_service())
        };
        let at_last = Instant::now() + PATIENCE;
        while Instant::now() < at_last {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            if marks.iter().any(|mark| text.contains(mark)) {
                return Ok(());
            }
            std::thread::sleep(GLANCE);
        }
        Err(format!("node {node} does not serve: see {}", log.display()))
    }

    /// Runs a command line, and gives its part of the transcript.
    pub(crate) fn command(&mut self, line: &str) -> Result<String, String> {
        let failed = |error: std::io::Error| format!("{line}: {error}");
        let mut command = self.tools.shell(&self.with_real_places(line));
        command.current_dir(self.folder.join("files")).stdin(Stdio::null());
        let output = command.output().map_err(failed)?;
        let text = |bytes: &[u8]| self.with_our_places(&String::from_utf8_lossy(bytes));
        let errors: String = text(&output.stderr).lines().map(|line| format!("! {line}\n")).collect();
        let out: String = text(&output.stdout).lines().map(|line| format!("{line}\n")).collect();
        let status = output.status.code().unwrap_or(-1);
        Ok(format!("$ {line}\n{out}{errors}= {status}\n"))
    }

    fn ports(&self) -> Vec<u16> {
        let listeners = self.servers.values().flat_map(|server| server.spec.listeners());
        listeners.map(|(_, endpoint)| endpoint.port).collect()
    }

    /// Log directories as the script has them, and where they really are.
    fn log_dirs(&self) -> impl Iterator<Item = (String, String)> {
        let servers = self.servers.values().filter(|server| server.spec.role != ServerRole::ZooKeeper);
        servers.map(|server| (server.spec.log_dir().to_owned(), server.folder.join("data").display().to_string()))
    }

    fn with_real_places(&self, text: &str) -> String {
        let text = self
            .log_dirs()
            .fold(text.to_owned(), |text, (ours, real)| text.replace(&format!("{ours}/"), &format!("{real}/")));
        self.ports()
            .iter()
            .fold(text, |text, port| text.replace(&format!(":{port}"), &format!(":{}", port + self.port_offset)))
    }

    fn with_our_places(&self, text: &str) -> String {
        let text = self.log_dirs().fold(text.to_owned(), |text, (ours, real)| text.replace(&real, &ours));
        self.ports()
            .iter()
            .fold(text, |text, port| text.replace(&format!(":{}", port + self.port_offset), &format!(":{port}")))
    }

    /// Which node that is now.
    fn resolve(&mut self, name: &NodeName) -> Result<NodeId, String> {
        let (line, before, after) = match name {
            NodeName::Node(node) => return Ok(*node),
            NodeName::ActiveController => self.question_for_the_controller(),
            NodeName::Leader(partition) => {
                let line = format!("kafka-topics --describe --topic {} {}", partition.topic, self.bootstrap());
                (line, format!("Partition: {}\tLeader: ", partition.partition.0), "\t".to_owned())
            }
        };
        let output = self.tools.shell(&line).output().map_err(|error| format!("{line}: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let id = text.split_once(&before).and_then(|(_, rest)| rest.trim_start().split(after.as_str()).next());
        let id = id.and_then(|id| id.trim().parse().ok()).filter(|id: &i32| *id >= 0);
        id.map(NodeId::Server).ok_or_else(|| format!("{name} is nobody now: {text}"))
    }

    fn question_for_the_controller(&self) -> (String, String, String) {
        match self.servers.get(&NodeId::ZooKeeper) {
            Some(zookeeper) => {
                let line = format!("zookeeper-shell {} get /controller", self.real(&zookeeper.spec.endpoint));
                (line, "\"brokerid\":".to_owned(), ",".to_owned())
            }
            None => {
                let line = format!("kafka-metadata-quorum {} describe --status", self.bootstrap());
                (line, "LeaderId:".to_owned(), "\n".to_owned())
            }
        }
    }

    fn bootstrap(&self) -> String {
        let running = self.servers.values().filter(|server| server.process.is_some());
        let brokers = running.filter(|server| server.spec.role.is_broker());
        let brokers: Vec<String> = brokers.map(|server| self.real(&server.spec.endpoint)).collect();
        format!("--bootstrap-server {}", brokers.join(","))
    }

    fn running(&mut self, node: NodeId) -> Result<&mut Server, String> {
        let server = self.servers.get_mut(&node).ok_or_else(|| format!("there is no node {node}"))?;
        if server.process.is_some() { Ok(server) } else { Err(format!("node {node} is not running")) }
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, name: &NodeName) -> Result<(), String> {
        let node = self.resolve(name)?;
        self.send_signal(node, "KILL")?;
        self.wait_for_end(node)
    }

    /// SIGTERM, and waits for the end.
    pub(crate) fn stop(&mut self, name: &NodeName) -> Result<(), String> {
        let node = self.resolve(name)?;
        self.send_signal(node, "TERM")?;
        self.wait_for_end(node)
    }

    /// A signal by its name.
    pub(crate) fn signal(&mut self, name: &NodeName, signal: &str) -> Result<(), String> {
        let node = self.resolve(name)?;
        self.send_signal(node, signal)
    }

    fn send_signal(&mut self, node: NodeId, signal: &str) -> Result<(), String> {
        let server = self.running(node)?;
        let id = server.process.as_ref().map_or(0, Child::id);
        let status = Command::new("kill").args([format!("-{signal}"), id.to_string()]).status();
        status.map(drop).map_err(|error| format!("node {node} could not be signalled: {error}"))
    }

    fn wait_for_end(&mut self, node: NodeId) -> Result<(), String> {
        let mut process = self.running(node)?.process.take();
        match process.as_mut().map(Child::wait) {
            Some(Err(error)) => Err(format!("node {node} was lost sight of: {error}")),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    /// Starts a server that is down, and waits until it serves.
    pub(crate) fn start_again(&mut self, name: &NodeName) -> Result<(), String> {
        let node = self.resolve(name)?;
        if self.running(node).is_ok() {
            return Err(format!("node {node} is running already"));
        }
        self.launch(node)?;
        self.wait_until_serving(node)
    }

    /// Starts one more broker.
    pub(crate) fn add_broker(&mut self, id: i32) -> Result<(), String> {
        let mut larger = self.shape.clone();
        larger.brokers = larger.brokers.max(id);
        let spec = larger.spec().servers.into_iter().find(|server| server.node() == NodeId::Server(id));
        let spec = spec.ok_or_else(|| format!("{id} cannot be added"))?;
        self.place(&spec)?;
        self.launch(spec.node())?;
        self.wait_until_serving(spec.node())
    }

    /// Takes a broker away that is down.
    pub(crate) fn remove_broker(&mut self, id: i32) -> Result<(), String> {
        let node = NodeId::Server(id);
        if self.running(node).is_ok() {
            return Err(format!("node {node} is running: stop it first"));
        }
        let server = self.servers.remove(&node).ok_or_else(|| format!("there is no node {node}"))?;
        files::remove(&server.folder)
    }
}

impl Server {
    fn log(&self) -> PathBuf {
        self.folder.join(format!("log-{}.txt", self.runs))
    }

    /// One of these lines in its log says that it serves.
    fn marks_of_service(&self) -> Vec<String> {
        match self.spec.role {
            ServerRole::ZooKeeper => vec!["binding to port".to_owned()],
            ServerRole::Broker | ServerRole::Controller | ServerRole::Combined => vec![
                format!("nodeId={}] Kafka Server started", self.spec.node_id),
                format!("[KafkaServer id={}] started", self.spec.node_id),
            ],
        }
    }
}
