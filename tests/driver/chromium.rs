//! One headless Chromium with a fresh profile, under one chromedriver: started together, ended together.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::http;

const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A WebDriver session. Dropping it ends the browser and removes its profile.
pub(super) struct Chromium {
    driver: Child,
    port: u16,
    session: String,
    profile: PathBuf,
}

impl Chromium {
    /// Starts both programs: those named by `CHROMIUM` and `CHROMEDRIVER`, else the ones in `PATH`.
    pub(super) fn start() -> Chromium {
        let profile = fresh_profile();
        let (driver, port) = start_chromedriver();
        // Built before the session exists, so that a failure on the way ends chromedriver too.
        let mut chromium = Chromium { driver, port, session: String::new(), profile };
        chromium.session = chromium.new_session();
        chromium
    }

    /// Gives a WebDriver command of this session; an error is the error's text.
    pub(super) fn command(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        self.send(method, &format!("/session/{}/{path}", self.session), body)
    }

    fn new_session(&self) -> String {
        let options = json!({
            "binary": env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned()),
            "args": arguments(&self.profile),
        });
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": options,
            // Keeps what the page writes to its console, for `Page::console_errors`.
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let body = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let value =
            self.send("POST", "/session", &body).unwrap_or_else(|error| panic!("Chromium did not start: {error}"));
        value["sessionId"].as_str().expect("a new session has an id").to_owned()
    }

    fn kill(&mut self) {
        if let Err(error) = self.driver.kill() {
            eprintln!("chromedriver was not killed: {error}");
        }
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let answer = http::request(self.port, method, path, body)
            .map_err(|error| format!("chromedriver did not answer to {method} {path}: {error}"))?;
        match answer["value"]["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", answer["value"]["message"].as_str().unwrap_or(""))),
            None => Ok(answer["value"].clone()),
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Ends every browser of this chromedriver, even one whose session could not be made. What fails here is told
        // but not made a failure, for the outcome of the test itself matters more.
        if let Err(error) = self.send("GET", "/shutdown", &Value::Null) {
            eprintln!("chromedriver did not shut down: {error}");
            self.kill();
        }
        if let Err(error) = self.driver.wait() {
            eprintln!("chromedriver was not ended: {error}");
        }
        if let Err(error) = fs::remove_dir_all(&self.profile) {
            eprintln!("{} was not removed: {error}", self.profile.display());
        }
    }
}

fn arguments(profile: &Path) -> Vec<String> {
    let profile_flag = format!("--user-data-dir={}", profile.display());
    FLAGS.iter().map(|flag| (*flag).to_owned()).chain([profile_flag]).collect()
}

fn fresh_profile() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = env::temp_dir().join(format!("kafkascope-chromium-{}-{number}", std::process::id()));
    fs::create_dir_all(&folder).expect("the folder for temporary files is writable");
    folder
}

/// Starts chromedriver on a port of its own choice, which it prints.
fn start_chromedriver() -> (Child, u16) {
    let program = env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".to_owned());
    let mut child = Command::new(&program)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("`{program}` could not be started: {error}"));
    let output = child.stdout.take().expect("standard output was piped above");
    let port = BufReader::new(output).lines().map_while(Result::ok).find_map(|line| port_in(&line));
    (child, port.expect("chromedriver prints the port that it listens on"))
}

/// The port in the line `ChromeDriver was started successfully on port 41234.`
fn port_in(line: &str) -> Option<u16> {
    line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_is_taken_from_the_line_that_announces_it() {
        assert_eq!(port_in("ChromeDriver was started successfully on port 41234."), Some(41_234));
        assert_eq!(port_in("Starting ChromeDriver 156.0 on port 0"), None);
    }
}
