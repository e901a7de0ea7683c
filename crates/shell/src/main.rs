//! Runs a script of Kafka commands against a simulated cluster and prints a transcript:
//! `cargo run -q -p shell -- FILE [--seed N] [--hash]`, with `-` for standard input.

use shell::script::Script;
use std::io::Read as _;
use std::process::ExitCode;

const USAGE: &str = "usage: shell FILE|- [--seed N] [--hash]";

struct Arguments {
    path: String,
    seed: u64,
    wants_hash: bool,
}

fn main() -> ExitCode {
    match run() {
        Ok(transcript) => {
            print!("{transcript}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<String, String> {
    let arguments = arguments(std::env::args().skip(1))?;
    let text = read(&arguments.path)?;
    let transcript = Script::parse(&text).and_then(|script| script.run(arguments.seed)).map_err(|error| {
        print!("{}", error.so_far);
        format!("{}: {error}", if arguments.path == "-" { "standard input" } else { &arguments.path })
    })?;
    let hash = if arguments.wants_hash { format!("# hash {:016x}\n", transcript.hash.0) } else { String::new() };
    Ok(transcript.text + &hash)
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let (mut path, mut seed, mut wants_hash) = (None, 1, false);
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--hash" => wants_hash = true,
            "--seed" => {
                let number = given.next().and_then(|number| number.parse().ok());
                seed = number.ok_or_else(|| format!("--seed takes a number\n{USAGE}"))?;
            }
            option if option.starts_with("--") => return Err(format!("there is no option {option}\n{USAGE}")),
            _ if path.is_some() => return Err(format!("one file at a time\n{USAGE}")),
            _ => path = Some(argument),
        }
    }
    let path = path.ok_or(USAGE)?;
    Ok(Arguments { path, seed, wants_hash })
}

fn read(path: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    let result = if path == "-" {
        std::io::stdin().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(path).map(|read| bytes = read)
    };
    result.map_err(|error| format!("{path}: {error}"))?;
    String::from_utf8(bytes).map_err(|_| format!("{path}: it is not UTF-8 text"))
}
