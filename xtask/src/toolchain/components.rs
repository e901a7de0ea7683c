//! rustfmt and clippy, which a minimal installation of rustup leaves out.

use std::process::Command;

use crate::process::{Failure, Result, output_of, run, say};
use crate::workspace;

/// Adds what is missing to the tool chain that runs us.
pub(crate) fn ensure() -> Result<()> {
    for (component, subcommand) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if output_of(workspace::cargo().args([subcommand, "--version"])).is_none() {
            add(component)?;
        }
    }
    Ok(())
}

fn add(component: &str) -> Result<()> {
    say(format!("rustup component add {component}: part of what is tested (under 1 minute, once)"));
    run(Command::new("rustup").args(["component", "add", component])).map_err(|_| {
        Failure::new(format!("{component} is missing: install it for your Rust, then run the same command again"))
    })
}
