//! Makes sure of the tools: uses what is there in the right version, else installs it.
//!
//! Every installation is announced by a line saying what, why and about how long. Nothing outside of the repository
//! is changed, except by `rustup target add` and, for root on a Debian, `apt-get install`. What cannot be installed
//! ends in one sentence that says what to do.

pub(crate) mod browser;
mod cargo_tool;
pub(crate) mod components;
mod debian;
mod wasm;

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Result, run, say};
use crate::workspace;
use cargo_tool::CargoTool;
use wasm::WasmToolchain;

/// All that building the page needs.
pub(crate) struct PageToolchain {
    wasm: WasmToolchain,
    trunk: PathBuf,
}

impl PageToolchain {
    /// Finds or installs the tools and fetches the crates, after which a build needs no network.
    pub(crate) fn ensure() -> Result<PageToolchain> {
        let wasm = WasmToolchain::ensure()?;
        let trunk = CargoTool::trunk().ensure()?;
        CargoTool::wasm_bindgen(&workspace::locked_version("wasm-bindgen")?).ensure()?;
        let toolchain = PageToolchain { wasm, trunk };
        toolchain.fetch_crates()?;
        Ok(toolchain)
    }

    /// A Trunk command in the repository's folder, e.g. `trunk("build")`.
    pub(crate) fn trunk(&self, subcommand: &str) -> Command {
        let mut command = Command::new(&self.trunk);
        // Trunk builds offline: the crates are fetched, and it must not download tools of its own.
        command.args([subcommand, "--offline"]).current_dir(workspace::root());
        // A compiler error would be followed by a backtrace of Trunk.
        command.env_remove("RUST_BACKTRACE");
        self.set_environment(&mut command);
        command
    }

    /// Builds the site into a folder.
    pub(crate) fn build_site(&self, folder: &Path) -> Result<()> {
        let mut command = self.trunk("build");
        self.wasm.make_small(&mut command);
        run(command.arg("--release").arg("--dist").arg(folder))
    }

    /// Builds what unpacks the page's module in the browser, and returns its file.
    pub(crate) fn build_unpacker(&self) -> Result<PathBuf> {
        let mut command = Command::new("cargo");
        command.args([
            "build",
            "--locked",
            "--offline",
            "--quiet",
            "--package",
            "unpack",
            "--profile",
            "page",
            "--target",
        ]);
        command.arg(wasm::TARGET).current_dir(workspace::root());
        self.set_environment(&mut command);
        self.wasm.make_small(&mut command);
        run(&mut command)?;
        Ok(self.wasm.target_folder().join(wasm::TARGET).join("page/unpack.wasm"))
    }

    fn fetch_crates(&self) -> Result<()> {
        say("fetching the crates that Cargo.lock names (nothing to do when they are there)");
        let ours = [workspace::root().join("Cargo.toml")];
        for manifest in ours.into_iter().chain([self.wasm.std_manifest()]) {
            let mut command = Command::new("cargo");
            command.args(["fetch", "--locked", "--quiet", "--manifest-path"]).arg(manifest);
            self.set_environment(&mut command);
            run(&mut command)?;
        }
        Ok(())
    }

    fn set_environment(&self, command: &mut Command) {
        let mut first = vec![workspace::tools_folder().join("bin")];
        first.extend(self.wasm.set_environment(command));
        command.env("PATH", path_with(first));
    }
}

/// `PATH` with some folders put in front.
fn path_with(first: Vec<PathBuf>) -> OsString {
    let rest = env::var_os("PATH").unwrap_or_default();
    env::join_paths(first.into_iter().chain(env::split_paths(&rest))).expect("no folder of ours holds a colon")
}

/// The first program of that name in `target/tools` or `PATH`.
fn find_program(name: &str) -> Option<PathBuf> {
    let path = path_with(vec![workspace::tools_folder().join("bin")]);
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
