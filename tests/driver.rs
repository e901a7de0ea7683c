//! Drives headless Chromium through chromedriver, in the words of a test: open, click, type, wait.
//!
//! Speaks as much of the W3C WebDriver protocol as the tests need, over plain HTTP to this machine: a client crate
//! would bring a hundred others. A step that fails panics with what was expected, for this is only used in tests.

mod chromium;
mod http;
mod page;

pub use page::Page;
