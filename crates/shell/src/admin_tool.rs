//! What the administrative tools have in common: the admin client's properties and bootstrap servers, and the exceptions in
//! which its failures end.

use crate::bootstrap::parse_bootstrap;
use crate::client_properties::ClientProperties;
use crate::files::parse_properties;
use crate::java_exception::JavaException;
use crate::log_lines::{LogLine, error_exception};
use crate::options::{OptionError, OptionSpec, ParsedOptions, parse};
use crate::output::Piece;
use crate::plan::{ClientPlan, Face, Plan, Printout, Surroundings};
use kafka::event::{AdminFailure, Objection};
use kafka::spec::{ClientSpec, Program};
use wire::Endpoint;

/// Why there is no admin client.
pub enum NoAdminClient {
    /// An exception, after these lines of the log.
    Exception(JavaException, Vec<LogLine>),
    /// It cannot be simulated.
    NotSimulated(String),
}

impl From<OptionError> for NoAdminClient {
    fn from(error: OptionError) -> NoAdminClient {
        NoAdminClient::Exception(error.exception(), Vec::new())
    }
}

/// What an admin client is made from.
#[derive(Clone, Debug)]
pub struct AdminClient {
    client_id: String,
    servers: Vec<Endpoint>,
    warnings: Vec<LogLine>,
}

impl NoAdminClient {
    /// What a tool comes to without it, if `thrown` is how it ends with an exception.
    #[must_use]
    pub fn plan(self, thrown: fn(&JavaException) -> Plan) -> Plan {
        match self {
            NoAdminClient::Exception(exception, log) => thrown(&exception).after(log),
            NoAdminClient::NotSimulated(what) => Plan::not_simulated(&what),
        }
    }
}

/// `Admin.create` with the bootstrap servers and the properties of `--command-config`.
///
/// # Errors
/// The properties or the bootstrap servers are of no use.
pub fn admin_client(
    options: &ParsedOptions,
    surroundings: Surroundings<'_>,
    servers: &str,
    client_id: &str,
) -> Result<AdminClient, NoAdminClient> {
    let name = ["command-config", "admin.config"].into_iter().find(|name| options.has(name));
    let path = name.map_or(Ok(None), |name| options.value(name))?;
    admin_client_of_file(path, surroundings, servers, client_id)
}

/// `Admin.create` with the bootstrap servers and the properties of a file, if there is one.
///
/// # Errors
/// The properties or the bootstrap servers are of no use.
pub fn admin_client_of_file(
    path: Option<&str>,
    surroundings: Surroundings<'_>,
    servers: &str,
    client_id: &str,
) -> Result<AdminClient, NoAdminClient> {
    let properties = admin_properties(path, surroundings)?;
    if let Some(what) = properties.not_simulated() {
        return Err(NoAdminClient::NotSimulated(format!("admin clients with {what} are not simulated")));
    }
    let bootstrap = parse_bootstrap(servers).map_err(|bad| {
        let exception = JavaException::kafka("Failed to create new KafkaAdminClient").caused_by(bad.exception);
        NoAdminClient::Exception(exception, bad.warnings)
    })?;
    let client_id = properties.get("client.id").unwrap_or(client_id).to_owned();
    Ok(AdminClient { client_id, servers: bootstrap.servers, warnings: bootstrap.warnings })
}

impl AdminClient {
    /// The call of a tool that uses this client. `opening` is printed before anything is sent.
    #[must_use]
    pub fn plan(self, program: Program, opening: Vec<Piece>, face: Face) -> Plan {
        let spec = ClientSpec { client_id: self.client_id, bootstrap_servers: self.servers, program };
        Plan::Client(Box::new(ClientPlan { spec, opening, face })).after(self.warnings)
    }
}

/// The options of a tool, unless it ends at once: without arguments, for `--help` and `--version`, with an option that
/// is not its own, or without one that it needs. `thrown` is how it ends with an exception.
///
/// # Errors
/// What it comes to then.
pub fn checked_options(
    specs: &'static [OptionSpec],
    arguments: &[String],
    about: &str,
    needed: &[&str],
    thrown: fn(&JavaException) -> Plan,
) -> Result<ParsedOptions, Plan> {
    if arguments.is_empty() {
        return Err(Plan::usage(specs, about));
    }
    let options = parse(specs, arguments).map_err(|error| thrown(&error.exception()))?;
    if options.has("help") {
        return Err(Plan::usage(specs, about));
    }
    if options.has("version") {
        return Err(Plan::version());
    }
    match needed.iter().find(|name| !options.has(name)) {
        Some(missing) => Err(Plan::usage(specs, &format!("Missing required argument \"[{missing}]\""))),
        None => Ok(options),
    }
}

/// `mainNoExit` of most tools: an exception's message, its stack trace, and the end of line behind it.
#[must_use]
pub fn thrown(exception: &JavaException) -> Vec<Piece> {
    let mut pieces = vec![Piece::Err(exception.message().to_owned())];
    pieces.extend(Piece::trace(exception));
    pieces.push(Piece::Err(String::new()));
    pieces
}

/// Ends with an exception as most tools do.
#[must_use]
pub fn thrown_plan(exception: &JavaException) -> Plan {
    Plan::Print(Printout { pieces: thrown(exception), status: 1 })
}

fn admin_properties(path: Option<&str>, surroundings: Surroundings<'_>) -> Result<ClientProperties, NoAdminClient> {
    let mut properties = ClientProperties::default();
    if let Some(path) = path {
        let no_file = || NoAdminClient::Exception(JavaException::no_such_file(path), Vec::new());
        properties.extend(parse_properties(surroundings.files.read(path).ok_or_else(no_file)?));
    }
    Ok(properties)
}

/// The exception with which a call of the admin client failed.
#[must_use]
pub fn failure_exception(reason: &AdminFailure) -> JavaException {
    match reason {
        AdminFailure::NoSuchTopic(pattern) => {
            JavaException::illegal_argument(&format!("Topic 'Optional[{pattern}]' does not exist as expected"))
        }
        AdminFailure::NoSuchTopicId(id) => {
            JavaException::illegal_argument(&format!("TopicId '{id}' does not exist as expected"))
        }
        AdminFailure::NoSuchPartition => {
            let message = "Could not match any topic-partitions with the specified filters";
            JavaException::new("org.apache.kafka.server.util.TerseException", message)
        }
        AdminFailure::ReassignmentsUnlisted(reason) => {
            let cause = execution_exception(failure_exception(reason));
            JavaException::new("java.lang.RuntimeException", &cause.headline()).caused_by(cause)
        }
        AdminFailure::Objected { objection, message } => JavaException::new(objection_class(*objection), message),
        AdminFailure::Refused { error, message } => error_exception(*error, Some(message)),
        AdminFailure::TimedOut { call, message } => {
            JavaException::of_kafka("TimeoutException", &format!("{message} Call: {call}"))
        }
    }
}

fn objection_class(objection: Objection) -> &'static str {
    match objection {
        Objection::CommandFailed => "org.apache.kafka.server.common.AdminCommandFailedException",
        Objection::Operation => "org.apache.kafka.server.common.AdminOperationException",
        Objection::Terse => "org.apache.kafka.server.util.TerseException",
        Objection::InvalidConfiguration => "org.apache.kafka.common.errors.InvalidConfigurationException",
        Objection::InvalidReplicationFactor => "org.apache.kafka.common.errors.InvalidReplicationFactorException",
    }
}

/// `ExecutionException`, as a future's `get` throws it.
#[must_use]
pub fn execution_exception(cause: JavaException) -> JavaException {
    JavaException::new("java.util.concurrent.ExecutionException", &cause.headline()).caused_by(cause)
}
