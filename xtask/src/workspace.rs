//! Where things are in the repository, and what its `Cargo.lock` pins.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Failure, Result};

/// The repository's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask/ is a folder of the repository")
}

/// The folder of the built static site.
pub(crate) fn dist_folder() -> PathBuf {
    root().join("dist")
}

/// The folder that holds the tools which are installed for this repository alone.
pub(crate) fn tools_folder() -> PathBuf {
    root().join("target/tools")
}

/// A cargo command in the repository's folder, of the tool chain that runs us.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// The version of a package in `Cargo.lock`.
pub(crate) fn locked_version(package: &str) -> Result<String> {
    let path = root().join("Cargo.lock");
    let lock = std::fs::read_to_string(&path)
        .map_err(|error| Failure::new(format!("{} could not be read: {error}", path.display())))?;
    version_in(&lock, package).ok_or_else(|| Failure::new(format!("Cargo.lock holds no package `{package}`")))
}

fn version_in(lock: &str, package: &str) -> Option<String> {
    let name_line = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name_line).skip(1);
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locked_version_is_that_of_exactly_the_named_package() {
        let lock =
            "[[package]]\nname = \"a-b\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"a\"\nversion = \"2.0.0\"\n";
        assert_eq!(version_in(lock, "a").as_deref(), Some("2.0.0"));
        assert_eq!(version_in(lock, "b"), None);
    }
}
