//! The project's own tool, run as `cargo xtask`.
//!
//! Reads the command line and calls one module per command. Installs what is missing (see `toolchain`) into the
//! repository's `target/tools`, so that a new machine needs nothing but Rust.

mod bench;
mod dist;
mod oracle;
mod packing;
mod process;
mod serve;
mod test;
mod toolchain;
mod wasm_names;
mod workspace;

use std::process::ExitCode;

use process::{Failure, Result};

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  serve [--port N]  build the page, serve it on http://127.0.0.1:8080/ and rebuild it when a file changes
  test [PART]       run everything that is tested, or one PART:
                      lint     formatting and clippy
                      native   the tests of every crate
                      wasm     the built site, its size, and the same hashes in wasm as natively
                      browser  the page in headless Chromium
  dist              build the static site into dist/ and check its size
  bench [PART]      run the benchmarks, or one PART: native, browser; behind `native` they can be named:
                      load, day, brokers, events, records, batches
  oracle [--diff] [--record FOLDER] [--ports N] SCRIPT...
                    run scripts against a real Apache Kafka of this machine (Java, Maven), and print what it prints

Environment:
  KAFKASCOPE_WASM_TOOLCHAIN=rustup|debian   which Rust builds the page (default: rustup, else Debian's)
";

/// One line of the usage text, understood.
enum Command {
    Help,
    Serve { port: u16 },
    Test(Vec<test::Part>),
    Dist,
    Bench(Vec<bench::Part>, Vec<String>),
    Oracle(Vec<String>),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match parse(&arguments).and_then(execute) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> Result<()> {
    match command {
        Command::Help => {
            print!("{USAGE}");
            Ok(())
        }
        Command::Serve { port } => serve::serve(port),
        Command::Test(parts) => test::test(&parts),
        Command::Dist => dist::dist().map(|_| ()),
        Command::Bench(parts, names) => bench::bench(&parts, &names),
        Command::Oracle(words) => oracle::oracle(&words),
    }
}

fn parse(arguments: &[String]) -> Result<Command> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["help" | "--help" | "-h"] => Ok(Command::Help),
        ["serve"] => Ok(Command::Serve { port: serve::DEFAULT_PORT }),
        ["serve", "--port", port] => parse_port(port).map(|port| Command::Serve { port }),
        ["test"] => Ok(Command::Test(test::Part::ALL.to_vec())),
        ["test", part] => test::Part::named(part).map(|part| Command::Test(vec![part])).ok_or_else(|| misuse(&words)),
        ["dist"] => Ok(Command::Dist),
        ["oracle", rest @ ..] if !rest.is_empty() => Ok(Command::Oracle(owned(rest))),
        ["bench"] => Ok(Command::Bench(bench::Part::ALL.to_vec(), Vec::new())),
        ["bench", "native", names @ ..] => Ok(Command::Bench(vec![bench::Part::Native], owned(names))),
        ["bench", part] => {
            bench::Part::named(part).map(|part| Command::Bench(vec![part], Vec::new())).ok_or_else(|| misuse(&words))
        }
        _ => Err(misuse(&words)),
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn parse_port(word: &str) -> Result<u16> {
    word.parse().map_err(|_| Failure::new(format!("`{word}` is not a port number (1 to 65535)")))
}

fn misuse(words: &[&str]) -> Failure {
    Failure::new(format!("`cargo xtask {}` is not understood\n\n{USAGE}", words.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words)
    }

    #[test]
    fn serve_listens_on_8080_unless_told_otherwise() {
        assert!(matches!(parsed("serve"), Ok(Command::Serve { port: 8080 })));
        assert!(matches!(parsed("serve --port 9000"), Ok(Command::Serve { port: 9000 })));
        assert!(parsed("serve --port 70000").is_err());
    }

    #[test]
    fn test_without_a_part_runs_all_parts() {
        assert!(matches!(parsed("test"), Ok(Command::Test(parts)) if parts.len() == 4));
        assert!(matches!(parsed("test lint"), Ok(Command::Test(parts)) if parts.len() == 1));
    }

    #[test]
    fn the_oracle_takes_scripts_and_their_options_as_they_are() {
        assert!(
            matches!(parsed("oracle --diff a.script"), Ok(Command::Oracle(words)) if words == ["--diff", "a.script"])
        );
        assert!(parsed("oracle").is_err());
    }

    #[test]
    fn native_benchmarks_can_be_named() {
        assert!(
            matches!(parsed("bench native day"), Ok(Command::Bench(parts, names)) if parts.len() == 1 && names == ["day"])
        );
        assert!(matches!(parsed("bench"), Ok(Command::Bench(parts, names)) if parts.len() == 2 && names.is_empty()));
    }

    #[test]
    fn an_unknown_word_shows_the_usage() {
        let Err(failure) = parsed("test everything") else { panic!("`everything` was taken for a part") };
        assert!(failure.to_string().contains("Usage: cargo xtask"));
    }
}
