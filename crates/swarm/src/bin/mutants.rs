//! `cargo run -p swarm --bin mutants [--seeds N] [--jobs N] [NAME…]`: plants all bugs at once in a copy of the tree under
//! `target/mutants`, each behind a number that is 0 unless a thread asks for it, builds the swarm there once, and says how
//! many seeds it takes to catch each. `mutations/RESULTS.md` is written anew for those that were asked for, or all.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a native program: it runs cargo")]

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, ExitCode};
use swarm::mutation::{Mutation, all, planted};

/// The program that hunts in the copy.
const HUNT: &str = include_str!("../../mutations/hunt.rs");

/// What every crate of the copy asks.
const SWITCH: &str = "
std::thread_local! { static PLANTED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) }; }
/// Plants a bug in this thread.
pub fn plant(number: usize) { PLANTED.set(number) }
/// The bug that is planted in this thread.
#[must_use]
pub fn planted_bug() -> usize { PLANTED.get() }
";

struct Asked {
    seeds: u64,
    jobs: u32,
    names: Vec<String>,
}

fn main() -> ExitCode {
    let asked = parse(std::env::args().skip(1)).expect("[--seeds N] [--jobs N] [NAME…]");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let copy = root.join("target/mutants");
    let mutations = all();
    copy_sources(&root, &copy);
    plant(&mutations, &root, &copy);
    let found = hunt(&mutations, &asked, &copy);
    let results = root.join("crates/swarm/mutations/RESULTS.md");
    let before = std::fs::read_to_string(&results).unwrap_or_default();
    std::fs::write(&results, table(&mutations, &found, asked.seeds, &before)).expect("it is written");
    let survivors: Vec<&str> =
        found.iter().filter(|found| found.1.is_none()).map(|found| found.0.name.as_str()).collect();
    println!("survived: {survivors:?}");
    if survivors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn parse(mut words: impl Iterator<Item = String>) -> Option<Asked> {
    let mut asked = Asked { seeds: 1_000, jobs: 2, names: Vec::new() };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seeds" => asked.seeds = words.next()?.parse().ok()?,
            "--jobs" => asked.jobs = words.next()?.parse().ok()?,
            _ => asked.names.push(word),
        }
    }
    Some(asked)
}

fn copy_sources(root: &Path, copy: &Path) {
    std::fs::create_dir_all(copy).expect("the copy can be written");
    for part in ["Cargo.toml", "Cargo.lock", "crates", "src", "tests", "xtask", "index.html"] {
        copy_all(&root.join(part), &copy.join(part));
    }
    write_if_different(&copy.join("crates/swarm/src/bin/hunt.rs"), HUNT.as_bytes());
    let wire = std::fs::read_to_string(root.join("crates/wire/src/lib.rs")).expect("the tree can be read") + SWITCH;
    write_if_different(&copy.join("crates/wire/src/lib.rs"), wire.as_bytes());
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

/// Bugs are numbered from 1 on.
fn plant(mutations: &[Mutation], root: &Path, copy: &Path) {
    let mut files: Vec<&str> = mutations.iter().map(|mutation| mutation.file.as_str()).collect();
    files.sort_unstable();
    files.dedup();
    for file in files {
        let text = std::fs::read_to_string(root.join(file)).expect("the file exists");
        let numbered = (1..).zip(mutations).filter(|(_, mutation)| mutation.file == file).collect::<Vec<_>>();
        write_if_different(&copy.join(file), planted(&text, &numbered).as_bytes());
    }
}

/// For each bug that is asked for, what the program in the copy says of it.
fn hunt<'a>(mutations: &'a [Mutation], asked: &Asked, copy: &Path) -> Vec<(&'a Mutation, Option<String>)> {
    let is_asked = |mutation: &Mutation| asked.names.is_empty() || asked.names.contains(&mutation.name);
    let numbered: Vec<(usize, &Mutation)> = (1..).zip(mutations).filter(|(_, mutation)| is_asked(mutation)).collect();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "-q", "-p", "swarm", "--bin", "hunt", "--"]);
    command.args([asked.seeds.to_string(), asked.jobs.to_string()]);
    command.args(numbered.iter().map(|(number, _)| number.to_string()));
    let command = command.current_dir(copy).env("CARGO_TARGET_DIR", copy.join("target"));
    let output = command.stderr(std::process::Stdio::inherit()).output().expect("cargo runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "the hunt failed: {text}");
    let said = |number: usize| {
        let prefix = format!("{number}: ");
        text.lines().find_map(|line| line.strip_prefix(&prefix)).map(str::to_owned)
    };
    numbered.into_iter().map(|(number, mutation)| (mutation, said(number))).collect()
}

/// What was found now, and of the other bugs what the table of before says.
fn table(mutations: &[Mutation], found: &[(&Mutation, Option<String>)], seeds: u64, before: &str) -> String {
    let mut text = "# Planted bugs, and how many seeds caught each\n\nWritten by `cargo run -p swarm --bin mutants`.\n\n| bug | file | seeds | by |\n| --- | --- | --- | --- |\n".to_owned();
    for mutation in mutations {
        let now = found.iter().find(|(hunted, _)| *hunted == mutation).map(|(_, said)| row(mutation, said, seeds));
        let prefix = format!("| {} | `{}` |", mutation.name, mutation.file);
        let known = || before.lines().find(|line| line.starts_with(&prefix)).map(str::to_owned);
        if let Some(row) = now.or_else(known) {
            writeln!(text, "{row}").expect("text can be written");
        }
    }
    text
}

fn row(mutation: &Mutation, said: &Option<String>, seeds: u64) -> String {
    let (count, by) = said.as_deref().and_then(|said| said.split_once(' ')).unwrap_or(("not caught", ""));
    let count = if by.is_empty() { format!("not in {seeds}") } else { count.to_owned() };
    format!("| {} | `{}` | {count} | {by} |", mutation.name, mutation.file)
}
