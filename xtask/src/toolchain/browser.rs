//! Chromium and chromedriver, which only the tests and benchmarks in the browser need.

use std::path::PathBuf;
use std::process::Command;

use super::{debian, find_program};
use crate::process::{Failure, Result};

const CHROMIUM_NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const DEBIAN_PACKAGES: [&str; 3] = ["chromium", "chromium-driver", "fonts-noto-cjk"];

/// The two programs' files.
pub(crate) struct Browser {
    chromium: PathBuf,
    chromedriver: PathBuf,
}

impl Browser {
    /// Finds both, or installs both.
    pub(crate) fn ensure() -> Result<Browser> {
        if let Some(browser) = find() {
            return Ok(browser);
        }
        debian::install(&DEBIAN_PACKAGES, "the browser that the page is tested in (about 2 minutes)")?;
        find().ok_or_else(|| Failure::new("Chromium and chromedriver are not in PATH: install both, then try again"))
    }

    /// Tells the test's WebDriver client which programs to take.
    pub(crate) fn set_environment(&self, command: &mut Command) {
        command.env("CHROMIUM", &self.chromium).env("CHROMEDRIVER", &self.chromedriver);
    }
}

fn find() -> Option<Browser> {
    let chromium = CHROMIUM_NAMES.iter().find_map(|name| find_program(name))?;
    Some(Browser { chromium, chromedriver: find_program("chromedriver")? })
}
