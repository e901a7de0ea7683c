//! `bootstrap.servers`: what a client makes of the addresses it is given (`ClientUtils.parseAndValidateAddresses`).
//!
//! Name resolution is simulated: `localhost` and addresses in numbers resolve, every other name does not.

use crate::java_exception::JavaException;
use crate::log_lines::LogLine;
use wire::Endpoint;

/// The addresses that resolve, and what was logged about those that do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// Where to connect.
    pub servers: Vec<Endpoint>,
    /// Warnings.
    pub warnings: Vec<LogLine>,
}

/// Why a client cannot be made, with what was logged before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadBootstrap {
    /// The `ConfigException`.
    pub exception: JavaException,
    /// Warnings.
    pub warnings: Vec<LogLine>,
}

/// Understands a comma-separated list of `host:port`.
///
/// # Errors
/// An address without port, a port out of range, or no host that resolves.
pub fn parse_bootstrap(text: &str) -> Result<Bootstrap, BadBootstrap> {
    let mut bootstrap = Bootstrap { servers: Vec::new(), warnings: Vec::new() };
    for url in text.split(',').map(str::trim).filter(|url| !url.is_empty()) {
        match parse_address(url) {
            Ok(Address { host, port }) if resolves(&host) => bootstrap.servers.push(Endpoint::new(&host, port)),
            Ok(Address { host, .. }) => bootstrap.warnings.push(unresolved(url, &host)),
            Err(exception) => return Err(BadBootstrap { exception, warnings: bootstrap.warnings }),
        }
    }
    if bootstrap.servers.is_empty() {
        let exception = JavaException::config("No resolvable bootstrap urls given in bootstrap.servers");
        return Err(BadBootstrap { exception, warnings: bootstrap.warnings });
    }
    Ok(bootstrap)
}

struct Address {
    host: String,
    port: u16,
}

fn parse_address(url: &str) -> Result<Address, JavaException> {
    let bad = |what: &str| JavaException::config(&format!("Invalid {what} in bootstrap.servers: {url}"));
    let (host, port) = split_address(url).ok_or_else(|| bad("url"))?;
    match port.parse::<u64>() {
        Ok(port) => match u16::try_from(port) {
            Ok(port) => Ok(Address { host: host.to_owned(), port }),
            Err(_) => Err(bad("port")),
        },
        Err(_) => Err(bad("port")),
    }
}

/// Host and digits of the port, as `Utils.HOST_PORT_PATTERN` finds them; `None` if it does not match.
#[must_use]
pub fn split_address(url: &str) -> Option<(&str, &str)> {
    let is_scheme = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-%._".contains(c));
    let rest = match url.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => rest,
        Some(_) | None => url,
    };
    let (host, port) = rest.rsplit_once(':')?;
    let host = host.strip_prefix('[').unwrap_or(host);
    let host = host.strip_suffix(']').unwrap_or(host);
    let is_host = host.chars().all(|c| c.is_ascii_alphanumeric() || "-%._:".contains(c));
    let is_port = !port.is_empty() && port.chars().all(|c| c.is_ascii_digit());
    (is_host && is_port).then_some((host, port))
}

fn resolves(host: &str) -> bool {
    host == "localhost" || is_numeric_address(host)
}

fn is_numeric_address(host: &str) -> bool {
    host.contains(':') || host.split('.').filter_map(|part| part.parse::<u8>().ok()).count() == 4
}

fn unresolved(url: &str, host: &str) -> LogLine {
    LogLine::warn(
        "org.apache.kafka.clients.ClientUtils",
        format!("Couldn't resolve server {url} from bootstrap.servers as DNS resolution failed for {host}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_understood_or_refused_in_kafkas_words() {
        let good = parse_bootstrap("localhost:9092, PLAINTEXT://localhost:9093,").unwrap();
        assert_eq!(good.servers, [Endpoint::new("localhost", 9092), Endpoint::new("localhost", 9093)]);
        let cases = [
            ("localhost", "Invalid url in bootstrap.servers: localhost"),
            ("localhost:99999", "Invalid port in bootstrap.servers: localhost:99999"),
            ("nosuchhost:9092", "No resolvable bootstrap urls given in bootstrap.servers"),
            ("", "No resolvable bootstrap urls given in bootstrap.servers"),
        ];
        for (text, message) in cases {
            assert_eq!(parse_bootstrap(text).unwrap_err().exception.message(), message, "{text}");
        }
    }

    #[test]
    fn one_host_that_resolves_is_enough() {
        let bootstrap = parse_bootstrap("kafka1:9092,localhost:9093").unwrap();
        assert_eq!((bootstrap.servers.len(), bootstrap.warnings.len()), (1, 1));
    }
}
