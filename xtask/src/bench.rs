//! `cargo xtask bench`: how fast it is, natively and in headless Chromium.
//!
//! Natively every benchmark program of the workspace (`[[bench]]`) is run. In the browser, the test target `page_speed`
//! measures the built site.

use crate::dist;
use crate::process::{Result, run, say};
use crate::test::ignored_tests;
use crate::toolchain::browser::Browser;
use crate::workspace::cargo;

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

/// Runs the benchmarks; the programs print their own tables.
pub(crate) fn bench(parts: &[Part]) -> Result<()> {
    if parts.contains(&Part::Native) {
        say("native benchmarks (optimised; the first build takes 1 to 2 minutes)");
        run(cargo().args(["bench", "--locked", "--workspace", "--bench", "*"]))?;
    }
    if parts.contains(&Part::Browser) {
        dist::dist()?;
        let browser = Browser::ensure()?;
        say("the page in headless Chromium");
        run(&mut ignored_tests("page_speed", &browser))?;
    }
    Ok(())
}
