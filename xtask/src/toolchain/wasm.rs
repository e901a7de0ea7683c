//! Rust for `wasm32-unknown-unknown`: rustup's target, or else Debian's compiler with the standard library's sources.
//!
//! The second way is for networks which cannot reach the server of rustup's tool chains.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::debian;
use crate::process::{Failure, Result, output_of, run, say};
use crate::workspace;

const TARGET: &str = "wasm32-unknown-unknown";
const CHOICE_VARIABLE: &str = "KAFKASCOPE_WASM_TOOLCHAIN";
const DEBIAN_PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_STD_SOURCES: &str = "/usr/lib/rustlib/src/rust/library";

/// Which Rust builds the page.
pub(crate) enum WasmToolchain {
    /// The one that runs us; the target's standard library is installed.
    Rustup,
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

    /// The manifest of the standard library, where that is built too.
    pub(crate) fn std_manifest(&self) -> Option<PathBuf> {
        match self {
            WasmToolchain::Rustup => None,
            WasmToolchain::Debian { .. } => Some(Path::new(DEBIAN_STD_SOURCES).join("Cargo.toml")),
        }
    }

    /// Sets what cargo needs to know, and returns the folders that must come first in `PATH`.
    pub(crate) fn set_environment(&self, command: &mut Command) -> Vec<PathBuf> {
        match self {
            WasmToolchain::Rustup => Vec::new(),
            WasmToolchain::Debian { linker } => {
                set_debian_environment(command, linker);
                vec![PathBuf::from("/usr/bin")]
            }
        }
    }
}

fn ensure_rustup() -> Result<WasmToolchain> {
    if is_target_installed() {
        return Ok(WasmToolchain::Rustup);
    }
    say(format!("rustup target add {TARGET}: the standard library for the page (about 1 minute, once)"));
    match run(Command::new("rustup").args(["target", "add", TARGET])) {
        Ok(()) if is_target_installed() => Ok(WasmToolchain::Rustup),
        Ok(()) | Err(_) => Err(Failure::new(format!(
            "Rust for {TARGET} is missing: run `rustup target add {TARGET}` (rustup is at https://rustup.rs), then the \
             same command again"
        ))),
    }
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
    let sysroot = output_of(Command::new("rustc").args(["--print", "sysroot"]))?;
    let hosts = Path::new(&sysroot).join("lib/rustlib").read_dir().ok()?;
    hosts.flatten().map(|host| host.path().join("bin/rust-lld")).find(|file| file.is_file())
}

fn set_debian_environment(command: &mut Command, linker: &Path) {
    command
        // Set by the cargo that runs us, and of its tool chain.
        .env_remove("CARGO")
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("LD_LIBRARY_PATH")
        .env("RUSTC", DEBIAN_RUSTC)
        // Building the standard library is not a stable feature of cargo.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
        // Two compilers must not share their artefacts.
        .env("CARGO_TARGET_DIR", workspace::root().join("target/debian"));
}
