//! `cargo xtask bench`: how fast it is, natively and in headless Chromium.
//!
//! Natively every benchmark program is run, i.e. each `crates/CRATE/benches/NAME.rs`. In the browser, the test target
//! `page_speed` measures the built site.

use std::path::Path;

use crate::dist;
use crate::process::{Failure, Result, run, say};
use crate::test::ignored_tests;
use crate::toolchain::browser::Browser;
use crate::workspace::{self, cargo};

/// What can be measured alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Native,
    Browser,
}

impl Part {
    pub(crate) const ALL: [Part; 2] = [Part::Native, Part::Browser];

    /// The part of that name on the command line.
    pub(crate) fn named(name: &str) -> Option<Part> {
        match name {
            "native" => Some(Part::Native),
            "browser" => Some(Part::Browser),
            _ => None,
        }
    }
}

/// Runs the benchmarks; the programs print their own tables. Natively only those that are named, or all.
pub(crate) fn bench(parts: &[Part], names: &[String]) -> Result<()> {
    if parts.contains(&Part::Native) {
        native(names)?;
    }
    if parts.contains(&Part::Browser) {
        browser()?;
    }
    Ok(())
}

/// A benchmark program of a crate.
#[derive(Debug, PartialEq, Eq)]
struct Program {
    package: String,
    name: String,
}

fn native(names: &[String]) -> Result<()> {
    let programs = programs_in(&workspace::root().join("crates"));
    if programs.is_empty() {
        return Err(Failure::new("there is no benchmark program: none of crates/*/benches/*.rs exists"));
    }
    for Program { package, name } in programs {
        say(format!("benchmark {name} of {package} (optimised; its first build takes 1 to 2 minutes)"));
        run(cargo().args(["bench", "--locked", "--package", &package, "--bench", &name, "--"]).args(names))?;
    }
    Ok(())
}

fn browser() -> Result<()> {
    dist::dist()?;
    let browser = Browser::ensure()?;
    say("the page in headless Chromium");
    run(&mut ignored_tests("page_speed", &browser))
}

/// The benchmark programs below a folder of crates, whose folders have their names.
fn programs_in(crates: &Path) -> Vec<Program> {
    let mut programs = Vec::new();
    for package in names_in(crates) {
        let files = names_in(&crates.join(&package).join("benches"));
        let names = files.iter().filter_map(|file| file.strip_suffix(".rs"));
        programs.extend(names.map(|name| Program { package: package.clone(), name: name.to_owned() }));
    }
    programs
}

/// What a folder holds, in order; nothing if there is no such folder.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn benchmark_programs_are_found_by_their_files() {
        let crates = std::env::temp_dir().join(format!("xtask-bench-{}", std::process::id()));
        fs::create_dir_all(crates.join("sim/benches")).expect("the folder for temporary files is writable");
        fs::create_dir_all(crates.join("wire/src")).expect("the folder for temporary files is writable");
        fs::write(crates.join("sim/benches/steps.rs"), "").expect("the folder for temporary files is writable");
        let programs = programs_in(&crates);
        fs::remove_dir_all(&crates).expect("it was made above");
        assert_eq!(programs, [Program { package: "sim".to_owned(), name: "steps".to_owned() }]);
    }
}
