//! What tests share: client programs, recordings of commands, and for those of the built page a file server and a driver for headless Chromium.

pub mod clients;
pub mod driver;
pub mod play;
pub mod recording;
pub mod site;
