//! A file server for the built site, on a free port of this machine.
//!
//! It serves `dist/` under a sub-path and nothing outside of it, so an address in the site that is not relative
//! is a 404. It sends no special headers.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;

const SUB_PATH: &str = "/some/path/";

/// A running server. It serves until the process ends, which is when the tests are through.
pub struct Site {
    port: u16,
}

impl Site {
    /// Serves `dist/`, which `cargo xtask dist` makes.
    pub fn serve_dist() -> Site {
        let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dist");
        assert!(dist.join("index.html").exists(), "there is no built site: run `cargo xtask dist` first");
        Site::serve(dist)
    }

    fn serve(folder: PathBuf) -> Site {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("this machine has a free port");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        thread::spawn(move || listener.incoming().flatten().for_each(|stream| answer_in_background(stream, &folder)));
        Site { port }
    }

    /// The address of the site, with a `/` at its end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}{SUB_PATH}", self.port)
    }
}

/// Chromium opens connections ahead of need, so one that stays silent must not hold up the others.
fn answer_in_background(stream: TcpStream, folder: &Path) {
    let folder = folder.to_owned();
    thread::spawn(move || {
        if let Err(error) = answer(stream, &folder) {
            eprintln!("the site's server: {error}");
        }
    });
}

fn answer(stream: TcpStream, folder: &Path) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut request_line = String::new();
    reader.read_line(&mut request_line)?;
    if request_line.is_empty() {
        return Ok(());
    }
    read_headers(&mut reader)?;
    let file = file_for(&request_line).map(|name| folder.join(name));
    let (status, content_type, body) = match file.and_then(|file| fs::read(&file).ok().map(|body| (file, body))) {
        Some((file, body)) => ("200 OK", content_type_of(&file), body),
        None => ("404 Not Found", "text/plain", b"not found".to_vec()),
    };
    let mut stream = reader.into_inner();
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(&body)
}

/// Closing a connection with unread bytes in it would reset it, so the request is read to its end.
fn read_headers(reader: &mut impl BufRead) -> std::io::Result<()> {
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    Ok(())
}

/// The file's path in the site, of a request line such as `GET /some/path/page.js?x=1 HTTP/1.1`.
fn file_for(request_line: &str) -> Option<&str> {
    let target = request_line.strip_prefix("GET ")?.split(' ').next()?;
    let path = target.split('?').next()?.strip_prefix(SUB_PATH)?;
    match path {
        "" => Some("index.html"),
        _ if path.split('/').any(|part| part == "..") => None,
        _ => Some(path),
    }
}

fn content_type_of(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_below_the_sub_path_are_served() {
        assert_eq!(file_for("GET /some/path/ HTTP/1.1\r\n"), Some("index.html"));
        assert_eq!(file_for("GET /some/path/a/b.js?x HTTP/1.1\r\n"), Some("a/b.js"));
        assert_eq!(file_for("GET /page.js HTTP/1.1\r\n"), None);
        assert_eq!(file_for("GET /some/path/../secret HTTP/1.1\r\n"), None);
        assert_eq!(file_for("POST /some/path/ HTTP/1.1\r\n"), None);
    }
}
