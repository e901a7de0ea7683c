//! HTTP to a server on this machine: one request per connection, a JSON body both ways.
//!
//! Does not follow redirects and knows no chunked bodies; chromedriver sends a `Content-Length`, and the connection
//! is closed after each answer.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Longer than any command may take that we give to chromedriver.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Sends a request and returns the JSON body of the answer, whatever its status.
pub(super) fn request(port: u16, method: &str, path: &str, body: &Value) -> std::io::Result<Value> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let body = if method == "POST" { body.to_string() } else { String::new() };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    serde_json::from_slice(body_of(&answer)).map_err(std::io::Error::other)
}

fn body_of(answer: &[u8]) -> &[u8] {
    const END_OF_HEAD: &[u8] = b"\r\n\r\n";
    let head = answer.windows(END_OF_HEAD.len()).position(|window| window == END_OF_HEAD);
    head.map_or(&[], |position| &answer[position + END_OF_HEAD.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_what_follows_the_empty_line() {
        assert_eq!(body_of(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n{}\r\n\r\n"), b"{}\r\n\r\n");
        assert_eq!(body_of(b"HTTP/1.1 200 OK\r\n"), b"");
    }
}
