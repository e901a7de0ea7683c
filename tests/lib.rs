//! What the tests of the built page share: a file server, and a driver for headless Chromium.

pub mod driver;
pub mod site;
