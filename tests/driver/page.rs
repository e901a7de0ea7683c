//! The page as a test sees it.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::chromium::Chromium;
use crate::site::Site;

/// How long a step may take. Generous: the page may share one slow core with its browser.
const PATIENCE: Duration = Duration::from_secs(20);

/// What identifies an element in WebDriver's answers.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The built site in `dist/`, served under a sub-path and open in a Chromium of its own.
///
/// Every method that fails panics and says what was expected.
pub struct Page {
    // Ended in this order: the browser before the server which it loads from.
    chromium: Chromium,
    site: Site,
}

impl Page {
    /// Opens the page. `path` is relative to the site, e.g. `""`, `"?bench"` or `"#/lesson/1"`.
    ///
    /// Returns when the page has started, i.e. its wasm is instantiated.
    pub fn open(path: &str) -> Page {
        let page = Page { site: Site::serve_dist(), chromium: Chromium::start() };
        page.goto(path);
        page
    }

    /// Loads the page anew, at another path of the site.
    pub fn goto(&self, path: &str) {
        // A blank page between, since a change behind the `#` alone loads nothing.
        self.post("url", &json!({ "url": "about:blank" }));
        self.post("url", &json!({ "url": format!("{}{path}", self.site.url()) }));
        self.wait_until("window.wasmBindings !== undefined");
    }

    /// The value of a JavaScript expression; of a promise, what it resolves to.
    pub fn eval(&self, expression: &str) -> Value {
        self.post("execute/sync", &json!({ "script": format!("return ({expression});"), "args": [] }))
    }

    /// Whether some element matches a CSS selector.
    pub fn has(&self, selector: &str) -> bool {
        self.eval(&format!("document.querySelector({}) !== null", json!(selector))) == json!(true)
    }

    /// The rendered text of the first element that matches.
    pub fn text(&self, selector: &str) -> String {
        let text = self.chromium.command("GET", &format!("element/{}/text", self.find(selector)), &Value::Null);
        text.unwrap_or_else(|error| panic!("the text of `{selector}`: {error}")).as_str().unwrap_or("").to_owned()
    }

    /// Clicks on the first element that matches, once there is one, like a user: it must be visible and not covered.
    pub fn click(&self, selector: &str) {
        self.post(&format!("element/{}/click", self.find(selector)), &json!({}));
    }

    /// Types into the first element that matches, after what it holds already. `"\u{E007}"` is the Enter key.
    pub fn type_into(&self, selector: &str, text: &str) {
        self.post(&format!("element/{}/value", self.find(selector)), &json!({ "text": text }));
    }

    /// Presses and releases a key where the focus is, e.g. `" "` or `"\u{E014}"` (arrow to the right).
    pub fn press(&self, key: &str) {
        let keys = json!([{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }]);
        self.post("actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": keys }] }));
    }

    /// Clicks on a point of the window, in CSS pixels; the way to hit something drawn on a canvas.
    pub fn click_at(&self, x: u32, y: u32) {
        let pointer = json!([
            { "type": "pointerMove", "duration": 0, "x": x, "y": y },
            { "type": "pointerDown", "button": 0 },
            { "type": "pointerUp", "button": 0 },
        ]);
        self.post("actions", &json!({ "actions": [{ "type": "pointer", "id": "mouse", "actions": pointer }] }));
    }

    /// Waits until an element matches a CSS selector.
    pub fn wait_for(&self, selector: &str) {
        self.wait_until(&format!("document.querySelector({}) !== null", json!(selector)));
    }

    /// Waits until a JavaScript expression is true.
    pub fn wait_until(&self, condition: &str) {
        let started = Instant::now();
        while self.eval(&format!("Boolean({condition})")) != json!(true) {
            if started.elapsed() > PATIENCE {
                panic!("still not true after {PATIENCE:?}: {condition}\nconsole: {:#?}", self.console());
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Sets the size of what the page sees, in CSS pixels.
    pub fn resize(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        let body = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": metrics });
        self.post("goog/cdp/execute", &body);
    }

    /// Writes what the window shows to `target/screenshots/NAME.png`, and returns the file.
    pub fn screenshot(&self, name: &str) -> PathBuf {
        let picture = self.chromium.command("GET", "screenshot", &Value::Null).expect("a screenshot can be taken");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
        fs::create_dir_all(&folder).expect("target/ is writable");
        let file = folder.join(format!("{name}.png"));
        fs::write(&file, from_base64(picture.as_str().expect("a screenshot is text"))).expect("target/ is writable");
        file
    }

    /// Errors and uncaught exceptions that the page has written to its console since this was last asked, and files
    /// which it could not load.
    pub fn console_errors(&self) -> Vec<String> {
        self.console().into_iter().filter(|(level, _)| level == "SEVERE").map(|(_, message)| message).collect()
    }

    /// Panics if there was any error in the console. To be called at the end of every test.
    pub fn assert_no_console_errors(&self) {
        let errors = self.console_errors();
        assert!(errors.is_empty(), "the page wrote errors to its console: {errors:#?}");
    }

    fn console(&self) -> Vec<(String, String)> {
        let entries = self.post("se/log", &json!({ "type": "browser" }));
        let text = |entry: &Value, field: &str| entry[field].as_str().unwrap_or("").to_owned();
        let entries = entries.as_array().expect("the log is a list");
        entries.iter().map(|entry| (text(entry, "level"), text(entry, "message"))).collect()
    }

    fn find(&self, selector: &str) -> String {
        self.wait_for(selector);
        let element = self.post("element", &json!({ "using": "css selector", "value": selector }));
        element[ELEMENT].as_str().expect("a found element has an id").to_owned()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.chromium.command("POST", path, body).unwrap_or_else(|error| panic!("{path} {body}: {error}"))
    }
}

/// Decodes base64 with the standard alphabet, as WebDriver sends pictures.
fn from_base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut buffer, mut bits) = (0u32, 0u32);
    for value in text.bytes().filter_map(base64_value) {
        buffer = (buffer << 6) | value;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((buffer >> bits) as u8);
            buffer &= (1 << bits) - 1;
        }
    }
    bytes
}

/// The six bits which a character stands for; padding and line ends stand for none.
fn base64_value(character: u8) -> Option<u32> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    alphabet.iter().position(|letter| *letter == character).map(|position| position as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded_with_every_length_of_padding() {
        assert_eq!(from_base64("YWJj"), b"abc");
        assert_eq!(from_base64("YWI="), b"ab");
        assert_eq!(from_base64("YQ=="), b"a");
        assert_eq!(from_base64("+/8="), [0xfb, 0xff]);
    }
}
