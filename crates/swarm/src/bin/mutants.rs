//! `cargo run -p swarm --bin mutants [NAME…]`: plants each bug in a copy of the tree under `target/mutants`, builds the
//! swarm there and says how many seeds it takes to catch it.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a native program: it runs cargo")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use swarm::mutation::{Mutation, all};

/// A bug that so many seeds do not catch is not caught.
const SEEDS: u64 = 1_000;

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let copy = root.join("target/mutants");
    copy_sources(&root, &copy);
    let asked = all().into_iter().filter(|mutation| names.is_empty() || names.contains(&mutation.name));
    let survivors: Vec<String> =
        asked.filter(|mutation| !is_caught(mutation, &root, &copy)).map(|mutation| mutation.name).collect();
    println!("survived: {survivors:?}");
    if survivors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn copy_sources(root: &Path, copy: &Path) {
    for part in ["Cargo.toml", "Cargo.lock", "crates", "src", "tests", "xtask", "index.html"] {
        let (from, to) = (root.join(part), copy.join(part));
        copy_all(&from, &to);
    }
}

/// Copies what differs, so that cargo builds anew only what has changed.
fn copy_all(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).expect("the copy can be written");
        let entries = std::fs::read_dir(from).expect("the tree can be read");
        entries
            .map(|entry| entry.expect("the tree can be read").file_name())
            .for_each(|name| copy_all(&from.join(&name), &to.join(&name)));
    } else {
        write_if_different(to, &std::fs::read(from).expect("the tree can be read"));
    }
}

fn write_if_different(to: &Path, bytes: &[u8]) {
    if std::fs::read(to).ok().as_deref() != Some(bytes) {
        std::fs::write(to, bytes).expect("the copy can be written");
    }
}

fn is_caught(mutation: &Mutation, root: &Path, copy: &Path) -> bool {
    let original = std::fs::read_to_string(root.join(&mutation.file)).expect("the mutated file exists");
    let mutated = mutation.apply(&original).expect("the old text occurs once");
    let file: PathBuf = copy.join(&mutation.file);
    write_if_different(&file, mutated.as_bytes());
    let verdict = hunt(copy);
    write_if_different(&file, original.as_bytes());
    println!("{}: {}", mutation.name, verdict.as_deref().unwrap_or("NOT CAUGHT"));
    verdict.is_some()
}

/// The line that says by which seed the bug was caught.
fn hunt(copy: &Path) -> Option<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "-q", "-p", "swarm", "--", "--until-failure", "--seeds", &format!("0..{SEEDS}")]);
    let output = command.current_dir(copy).env("CARGO_TARGET_DIR", copy.join("target")).output().expect("cargo runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!text.is_empty(), "the mutant does not build: {}", String::from_utf8_lossy(&output.stderr));
    text.lines().find(|line| line.starts_with("found by")).map(str::to_owned)
}
