//! `cargo xtask oracle`: what the real Apache Kafka prints for a script of ours.
//!
//! Maven gets the release into `target/oracle`; the program `oracle` of the acceptance tests, which knows scripts and
//! recordings, does the rest.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Failure, Result, run, say};
use crate::workspace::{cargo, root};

const KAFKA_VERSION: &str = "3.9.1";

/// Fetches the release unless it is there, and runs the scripts.
pub(crate) fn oracle(words: &[String]) -> Result<()> {
    let folder = root().join("target/oracle");
    let libraries = ensure_libraries(&folder)?;
    let mut program = cargo();
    program.args(["run", "--quiet", "--package", "acceptance", "--bin", "oracle", "--"]);
    run(program.arg(&folder).arg(libraries).args(words))
}

fn ensure_libraries(folder: &Path) -> Result<PathBuf> {
    let libraries = folder.join(format!("libs-{KAFKA_VERSION}"));
    if libraries.join(format!("kafka-tools-{KAFKA_VERSION}.jar")).is_file() {
        return Ok(libraries);
    }
    say(format!("fetching Apache Kafka {KAFKA_VERSION} from Maven Central"));
    let failed = |error: std::io::Error| Failure::new(format!("{} could not be written: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let pom = folder.join("pom.xml");
    std::fs::write(&pom, project()).map_err(failed)?;
    let mut maven = Command::new("mvn");
    maven.args(["--quiet", "--batch-mode", "dependency:copy-dependencies", "-DincludeScope=runtime"]);
    maven.arg(format!("-DoutputDirectory={}", libraries.display())).arg("--file").arg(&pom);
    run(&mut maven)?;
    Ok(libraries)
}

/// A project that is nothing but what Kafka's servers and tools need.
fn project() -> String {
    let dependency = |artifact: &str| {
        format!(
            "<dependency><groupId>org.apache.kafka</groupId><artifactId>{artifact}</artifactId>\
             <version>{KAFKA_VERSION}</version></dependency>"
        )
    };
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
         <groupId>oracle</groupId><artifactId>oracle</artifactId><version>1</version><packaging>pom</packaging>\
         <dependencies>{}{}</dependencies></project>\n",
        dependency("kafka_2.13"),
        dependency("kafka-tools")
    )
}
