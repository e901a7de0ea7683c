//! Programs that `cargo install` builds: Trunk and wasm-bindgen.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{find_program, path_with};
use crate::process::{Failure, Result, output_of, run, say};
use crate::workspace;

/// A program from the package registry, in the version that this repository is built with.
pub(crate) struct CargoTool {
    program: &'static str,
    package: &'static str,
    version: String,
    /// What `PROGRAM --version` must begin with.
    accepted: String,
    why: &'static str,
    minutes: u32,
    /// The arguments of `cargo install` to try one after the other.
    attempts: &'static [&'static [&'static str]],
}

impl CargoTool {
    /// Trunk. Any 0.21 will do; newer ones need a newer compiler than this repository does.
    pub(crate) fn trunk() -> CargoTool {
        CargoTool {
            program: "trunk",
            package: "trunk",
            version: "0.21.14".to_owned(),
            accepted: "trunk 0.21.".to_owned(),
            why: "builds and serves the page",
            minutes: 5,
            attempts: &[&["--locked", "--no-default-features"]],
        }
    }

    /// The program that makes JavaScript bindings; its version must equal that of the crate to the last digit.
    pub(crate) fn wasm_bindgen(version: &str) -> CargoTool {
        CargoTool {
            program: "wasm-bindgen",
            package: "wasm-bindgen-cli",
            version: version.to_owned(),
            accepted: format!("wasm-bindgen {version}"),
            why: "connects the page's wasm with JavaScript",
            minutes: 2,
            // Its own lock file has named crate versions that are not in every registry.
            attempts: &[&[], &["--locked"]],
        }
    }

    /// The program's file, installed into `target/tools` if there is none in the right version.
    pub(crate) fn ensure(&self) -> Result<PathBuf> {
        if let Some(file) = find_program(self.program).filter(|file| self.is_accepted(file)) {
            return Ok(file);
        }
        self.install()?;
        let file = workspace::tools_folder().join("bin").join(self.program);
        if self.is_accepted(&file) { Ok(file) } else { Err(self.not_installed()) }
    }

    fn is_accepted(&self, file: &Path) -> bool {
        output_of(Command::new(file).arg("--version")).is_some_and(|version| is_accepted(&version, &self.accepted))
    }

    fn install(&self) -> Result<()> {
        let CargoTool { package, version, why, minutes, .. } = self;
        say(format!("installing {package} {version} into target/tools: it {why} (about {minutes} minutes, once)"));
        let build_folder = workspace::tools_folder().join("build");
        let installed =
            self.attempts.iter().any(|options| run(&mut self.install_command(options, &build_folder)).is_ok());
        if !installed {
            return Err(self.not_installed());
        }
        std::fs::remove_dir_all(&build_folder)
            .map_err(|error| Failure::new(format!("{} could not be removed: {error}", build_folder.display())))
    }

    /// Unoptimised and without debug information: the program runs for a second, and its build is what one waits for.
    fn install_command(&self, options: &[&str], build_folder: &Path) -> Command {
        let mut command = workspace::cargo();
        command.arg("install").arg(format!("{}@{}", self.package, self.version)).arg("--debug").args(options);
        command.arg("--root").arg(workspace::tools_folder());
        // Else cargo asks to put the folder into `PATH`, which is not needed.
        command.env("PATH", path_with(vec![workspace::tools_folder().join("bin")]));
        command.env("CARGO_TARGET_DIR", build_folder).env("CARGO_PROFILE_DEV_DEBUG", "0");
        command
    }

    fn not_installed(&self) -> Failure {
        let CargoTool { package, version, program, .. } = self;
        Failure::new(format!(
            "{program} {version} could not be installed (see above): run `cargo install {package}@{version}` until it \
             succeeds, then the same `cargo xtask` command again"
        ))
    }
}

/// Whether a version line is the wanted one; `wasm-bindgen 0.2.13` must not pass for `wasm-bindgen 0.2.130`.
fn is_accepted(version_line: &str, accepted: &str) -> bool {
    match version_line.strip_prefix(accepted) {
        Some(rest) => accepted.ends_with('.') || rest.is_empty() || rest.starts_with(' '),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_wasm_bindgen_is_accepted() {
        assert!(is_accepted("wasm-bindgen 0.2.130", "wasm-bindgen 0.2.130"));
        assert!(is_accepted("wasm-bindgen 0.2.130 (abcdef)", "wasm-bindgen 0.2.130"));
        assert!(!is_accepted("wasm-bindgen 0.2.130", "wasm-bindgen 0.2.13"));
        assert!(!is_accepted("wasm-bindgen 0.2.99", "wasm-bindgen 0.2.130"));
    }

    #[test]
    fn any_trunk_of_the_same_minor_release_is_accepted() {
        assert!(is_accepted("trunk 0.21.9", "trunk 0.21."));
        assert!(!is_accepted("trunk 0.22.1", "trunk 0.21."));
    }
}
