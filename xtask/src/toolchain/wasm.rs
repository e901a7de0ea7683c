//! Rust for `wasm32-unknown-unknown`: rustup's target, or else Debian's compiler with the standard library's sources.
//!
//! The second way is for networks which cannot reach the server of rustup's tool chains.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::debian;
use crate::process::{Failure, Result, output_of, run, say};
use crate::workspace;

pub(super) const TARGET: &str = "wasm32-unknown-unknown";
const CHOICE_VARIABLE: &str = "KAFKASCOPE_WASM_TOOLCHAIN";
const DEBIAN_PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_STD_SOURCES: &str = "/usr/lib/rustlib/src/rust/library";

/// What keeps the site small. It leaves out what a panic says, and with it most of what `derive(Debug)` makes: a bug of ours
/// stops the page at once, of which `index.html` tells; a native run of the same seed and commands says it in full.
const SMALL: [&str; 2] = ["-Zlocation-detail=none", "-Zunstable-options -Cpanic=immediate-abort"];

/// Which Rust builds the page. Both build the standard library too, so that its sorting and formatting are small.
pub(crate) enum WasmToolchain {
    /// The one that runs us; the target and the standard library's sources are installed.
    Rustup {
        /// Where those sources are.
        std_sources: PathBuf,
    },
    /// Debian's, which builds the standard library from its sources.
    Debian {
        /// Debian's compiler comes without a linker for wasm; this is the `rust-lld` of the Rust that runs us.
        linker: PathBuf,
    },
}

impl WasmToolchain {
    /// Follows `KAFKASCOPE_WASM_TOOLCHAIN`; without it rustup's target, and if there is none Debian's packages.
    pub(crate) fn ensure() -> Result<WasmToolchain> {
        match env::var(CHOICE_VARIABLE).as_deref() {
            Ok("rustup") => ensure_rustup(),
            Ok("debian") => ensure_debian(),
            Ok(other) => Err(Failure::new(format!("{CHOICE_VARIABLE} is `{other}`; it must be `rustup` or `debian`"))),
            Err(_) => ensure_rustup().or_else(|failure| {
                if !debian::can_install() {
                    return Err(failure);
                }
                say("rustup cannot supply the target, so Debian's Rust is taken");
                ensure_debian()
            }),
        }
    }

    /// The manifest of the standard library.
    pub(crate) fn std_manifest(&self) -> PathBuf {
        match self {
            WasmToolchain::Rustup { std_sources } => std_sources.join("Cargo.toml"),
            WasmToolchain::Debian { .. } => Path::new(DEBIAN_STD_SOURCES).join("Cargo.toml"),
        }
    }

    /// Sets what cargo needs to know, and returns the folders that must come first in `PATH`.
    pub(crate) fn set_environment(&self, command: &mut Command) -> Vec<PathBuf> {
        build_std(command, &self.std_manifest());
        match self {
            WasmToolchain::Rustup { .. } => Vec::new(),
            WasmToolchain::Debian { linker } => {
                set_debian_environment(command, linker);
                vec![PathBuf::from("/usr/bin")]
            }
        }
    }

    /// Where cargo puts what it builds.
    pub(crate) fn target_folder(&self) -> PathBuf {
        match self {
            WasmToolchain::Rustup { .. } => workspace::root().join("target"),
            WasmToolchain::Debian { .. } => debian_target_folder(),
        }
    }

    /// Leaves out of the site what only developers read, as far as this compiler can.
    pub(crate) fn make_small(&self, command: &mut Command) {
        let known: Vec<&str> = SMALL.into_iter().filter(|flags| self.knows(flags)).collect();
        command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", known.join(" "));
    }

    /// Whether the compiler takes these flags: they are not stable, and every release may have others.
    fn knows(&self, flags: &str) -> bool {
        let mut compiler = match self {
            WasmToolchain::Rustup { .. } => Command::new("rustc"),
            WasmToolchain::Debian { .. } => Command::new(DEBIAN_RUSTC),
        };
        compiler.env("RUSTC_BOOTSTRAP", "1").args(["--print", "cfg", "--target", TARGET]).args(flags.split(' '));
        output_of(&mut compiler).is_some()
    }
}

/// Building the standard library is not a stable feature of cargo.
fn build_std(command: &mut Command, std_manifest: &Path) {
    command.env("RUSTC_BOOTSTRAP", "1").env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort");
    let sysroot = std_manifest.with_file_name("sysroot").join("Cargo.toml");
    // Older standard libraries have no small variants to choose.
    if std::fs::read_to_string(sysroot).is_ok_and(|manifest| manifest.contains("optimize_for_size")) {
        command.env("CARGO_UNSTABLE_BUILD_STD_FEATURES", "optimize_for_size");
    }
}

fn ensure_rustup() -> Result<WasmToolchain> {
    if !is_target_installed() {
        install_by_rustup(&["target", "add", TARGET], "Rust for the page (about 1 minute, once)")?;
    }
    let std_sources = sysroot()?.join("lib/rustlib/src/rust/library");
    if !std_sources.is_dir() {
        install_by_rustup(&["component", "add", "rust-src"], "the standard library's sources (seconds, once)")?;
    }
    if is_target_installed() && std_sources.is_dir() {
        return Ok(WasmToolchain::Rustup { std_sources });
    }
    Err(Failure::new(format!(
        "Rust for {TARGET} is missing: run `rustup target add {TARGET}` and `rustup component add rust-src` (rustup is at \
         https://rustup.rs), then the same command again"
    )))
}

fn install_by_rustup(arguments: &[&str], what: &str) -> Result<()> {
    say(format!("rustup {}: {what}", arguments.join(" ")));
    run(Command::new("rustup").args(arguments))
}

fn sysroot() -> Result<PathBuf> {
    let sysroot = output_of(Command::new("rustc").args(["--print", "sysroot"]));
    sysroot.map(PathBuf::from).ok_or_else(|| Failure::new("`rustc --print sysroot` failed".to_owned()))
}

fn is_target_installed() -> bool {
    let folder = output_of(Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]));
    folder.is_some_and(|folder| Path::new(&folder).is_dir())
}

fn ensure_debian() -> Result<WasmToolchain> {
    if !debian::are_installed(&DEBIAN_PACKAGES) {
        debian::install(&DEBIAN_PACKAGES, "Rust for the page, with the standard library's sources (about 2 minutes)")?;
    }
    let linker = find_linker().ok_or_else(|| {
        Failure::new(
            "no `rust-lld` was found below `rustc --print sysroot`, which Debian's Rust needs to link the page: install \
             Rust by rustup (https://rustup.rs), then run the same command again",
        )
    })?;
    Ok(WasmToolchain::Debian { linker })
}

fn find_linker() -> Option<PathBuf> {
    let hosts = sysroot().ok()?.join("lib/rustlib").read_dir().ok()?;
    hosts.flatten().map(|host| host.path().join("bin/rust-lld")).find(|file| file.is_file())
}

fn set_debian_environment(command: &mut Command, linker: &Path) {
    command
        // Set by the cargo that runs us, and of its tool chain.
        .env_remove("CARGO")
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("LD_LIBRARY_PATH")
        .env("RUSTC", DEBIAN_RUSTC)
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
        // Two compilers must not share their artefacts.
        .env("CARGO_TARGET_DIR", debian_target_folder());
}

fn debian_target_folder() -> PathBuf {
    workspace::root().join("target/debian")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_that_the_compiler_does_not_know_are_left_out() {
        let ours = WasmToolchain::Rustup { std_sources: PathBuf::new() };
        assert!(ours.knows("-Copt-level=z") && !ours.knows("-Zno-such-flag=none"));
        let mut command = Command::new("cargo");
        ours.make_small(&mut command);
        let flags = command.get_envs().find_map(|(_, value)| value).expect("there is one variable").to_string_lossy();
        assert!(flags.contains("-Zlocation-detail=none"), "{flags}");
    }
}
