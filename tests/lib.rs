//! What tests share: client programs, and for those of the built page a file server and a driver for headless Chromium.

pub mod clients;
pub mod driver;
pub mod site;
