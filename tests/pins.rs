//! Each test of Kafka whose numbers are pinned here is named in `tests/pins/` next to the test that pins them.
//!
//! A line there is `KafkaTest.method -> path::test, path::test` or `KafkaTest.method - out of scope: why`; lines with `#`
//! are comments. These tests hold the lists against the sources: what they name exists.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const OUT_OF_SCOPE: &str = " - out of scope: ";

/// What a line says about one test of Kafka.
enum Entry {
    Pinned { by: Vec<(String, String)> },
    OutOfScope,
}

fn parse(line: &str) -> Result<(String, Entry), &'static str> {
    if let Some((name, reason)) = line.split_once(OUT_OF_SCOPE) {
        return if reason.is_empty() { Err("no reason") } else { Ok((name.to_owned(), Entry::OutOfScope)) };
    }
    let (name, tests) = line.split_once(" -> ").ok_or("neither pinned nor out of scope")?;
    let by = tests.split(", ").map(|test| test.split_once("::")).collect::<Option<Vec<_>>>().ok_or("not path::test")?;
    Ok((
        name.to_owned(),
        Entry::Pinned { by: by.into_iter().map(|(path, test)| (path.to_owned(), test.to_owned())).collect() },
    ))
}

/// Every line of every list, with the place where it stands.
fn entries() -> Vec<(String, String, Entry)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pins");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut entries = Vec::new();
    for file in files {
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = format!("{}:{}", file.file_name().unwrap().display(), number + 1);
            let (name, entry) = parse(line).unwrap_or_else(|error| panic!("{place}: {error}: {line}"));
            entries.push((place, name, entry));
        }
    }
    entries
}

/// The names of the tests in a source file.
fn tests_in(path: &str) -> Option<BTreeSet<String>> {
    let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).ok()?;
    let after_attribute = source.split("#[test]").skip(1);
    let names =
        after_attribute.filter_map(|rest| rest.split_once("fn ")?.1.split_once('(').map(|(name, _)| name.to_owned()));
    Some(names.collect())
}

#[test]
fn every_named_test_exists() {
    let mut sources: BTreeMap<String, Option<BTreeSet<String>>> = BTreeMap::new();
    let mut missing = Vec::new();
    let mut pinned = 0;
    for (place, name, entry) in entries() {
        let Entry::Pinned { by } = entry else { continue };
        for (path, test) in by {
            pinned += 1;
            let tests = sources.entry(path.clone()).or_insert_with(|| tests_in(&path));
            if !tests.as_ref().is_some_and(|tests| tests.contains(&test)) {
                missing.push(format!("{place}: {name} -> {path}::{test}"));
            }
        }
    }
    assert!(missing.is_empty(), "named in tests/pins, but not in the sources:\n{}", missing.join("\n"));
    assert!(pinned > 0, "the lists name nothing");
}

#[test]
fn no_test_of_kafka_is_listed_twice() {
    let mut places: BTreeMap<String, String> = BTreeMap::new();
    for (place, name, _) in entries() {
        if let Some(before) = places.insert(name.clone(), place.clone()) {
            panic!("{name} stands at {before} and at {place}");
        }
    }
}
