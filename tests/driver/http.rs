//! HTTP to a server on this machine: one request per connection, a JSON body both ways.
//!
//! Does not follow redirects and knows no chunked bodies: chromedriver sends a `Content-Length`.

use std::io::{BufRead, BufReader, Write};
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
    let answer = read_body(&mut BufReader::new(stream))?;
    serde_json::from_slice(&answer).map_err(std::io::Error::other)
}

fn read_body(answer: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut length = 0;
    let mut line = String::new();
    while answer.read_line(&mut line)? > "\r\n".len() {
        length = content_length_in(&line).unwrap_or(length);
        line.clear();
    }
    let mut body = vec![0; length];
    answer.read_exact(&mut body)?;
    Ok(body)
}

fn content_length_in(header: &str) -> Option<usize> {
    let (name, value) = header.split_once(':')?;
    if name.eq_ignore_ascii_case("content-length") { value.trim().parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_as_long_as_the_head_says() {
        let mut answer: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nA: b\r\n\r\n{}and what follows";
        assert_eq!(read_body(&mut answer).expect("it is all there"), b"{}");
    }

    #[test]
    fn a_body_that_is_cut_short_is_an_error() {
        let mut answer: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}";
        assert!(read_body(&mut answer).is_err());
    }
}
