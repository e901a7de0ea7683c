//! `cargo xtask serve`: the page on this machine, rebuilt when a file changes.
//!
//! Builds the cargo profile `serve`: nearly as fast at run time as the release (the page does real work), and much
//! sooner built.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Child;
use std::thread;
use std::time::Duration;

use crate::process::{Failure, Result, say};
use crate::toolchain::PageToolchain;

pub(crate) const DEFAULT_PORT: u16 = 8080;

/// Trunk clears it at every build, so it must not be `target/PROFILE`, which is cargo's.
const SITE_FOLDER: &str = "target/served-site";

/// Serves until Trunk ends or the user presses Ctrl-C.
pub(crate) fn serve(port: u16) -> Result<()> {
    check_port_is_free(port)?;
    let toolchain = PageToolchain::ensure()?;
    say("building the page (the first time 1 to 2 minutes)");
    let mut trunk = toolchain.trunk("serve");
    trunk.args(["--dist", SITE_FOLDER, "--port", &port.to_string()]);
    let mut child = trunk.spawn().map_err(|error| Failure::new(format!("Trunk could not be started: {error}")))?;
    announce_when_served(&mut child, port)?;
    let status = child.wait().map_err(trunk_lost)?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("Trunk ended ({status})"))) }
}

fn check_port_is_free(port: u16) -> Result<()> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(drop).map_err(|error| {
        Failure::new(format!("port {port} cannot be used ({error}): choose another, `cargo xtask serve --port N`"))
    })
}

/// Waits until the page can be opened; Trunk listens once the first build is through.
fn announce_when_served(trunk: &mut Child, port: u16) -> Result<()> {
    while trunk.try_wait().map_err(trunk_lost)?.is_none() {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            say(format!("open http://127.0.0.1:{port}/ (Ctrl-C ends the server)"));
            return Ok(());
        }
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

fn trunk_lost(error: std::io::Error) -> Failure {
    Failure::new(format!("Trunk was lost sight of: {error}"))
}
