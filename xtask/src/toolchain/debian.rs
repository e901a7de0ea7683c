//! Packages of a Debian, for root only.

use std::path::Path;
use std::process::Command;

use crate::process::{Failure, Result, output_of, run, say};

/// Whether packages can be installed here: this is a Debian, and we are root.
pub(crate) fn can_install() -> bool {
    Path::new("/etc/debian_version").exists() && output_of(Command::new("id").arg("-u")).as_deref() == Some("0")
}

/// Whether all of these packages are installed; never true on another system.
pub(crate) fn are_installed(packages: &[&str]) -> bool {
    let status =
        output_of(Command::new("dpkg-query").args(["--show", "--showformat", "${db:Status-Status}\n"]).args(packages));
    status.is_some_and(|lines| lines.lines().all(|line| line == "installed"))
}

/// Installs packages with `apt-get`.
///
/// `what_for` completes the line "installing ...: " and says how long it takes.
pub(crate) fn install(packages: &[&str], what_for: &str) -> Result<()> {
    let names = packages.join(" ");
    let by_hand =
        || Failure::new(format!("install the packages `{names}` of your system, then run the same command again"));
    if !can_install() {
        return Err(by_hand());
    }
    say(format!("installing the Debian packages {names}: {what_for}"));
    run(apt_get().arg("update"))
        .and_then(|()| run(apt_get().args(["install", "--yes", "--no-install-recommends"]).args(packages)))
        .map_err(|_| by_hand())
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.args(["-qq", "-o", "Acquire::Retries=3"]).env("DEBIAN_FRONTEND", "noninteractive");
    command
}
