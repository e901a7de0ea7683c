//! The words behind `cargo xtask oracle`.

use std::path::PathBuf;

const USAGE: &str = "cargo xtask oracle [--diff] [--record FOLDER] [--ports N] SCRIPT...";

/// Other Kafkas may run on this machine, on the usual ports.
const DEFAULT_PORT_OFFSET: u16 = 20_000;

/// What was asked for.
pub(crate) struct Arguments {
    /// Where everything goes that is made.
    pub(crate) folder: PathBuf,
    /// Kafka's jars.
    pub(crate) libraries: PathBuf,
    /// The scripts to run, each on a cluster of its own.
    pub(crate) scripts: Vec<PathBuf>,
    /// Where transcripts are kept; printed if nowhere.
    pub(crate) record: Option<PathBuf>,
    /// Whether to say where our transcripts differ.
    pub(crate) wants_differences: bool,
    /// Real ports are those of the script and so many more.
    pub(crate) port_offset: u16,
}

impl Arguments {
    /// Reads them.
    ///
    /// # Errors
    /// If they are not understood.
    pub(crate) fn read() -> Result<Arguments, String> {
        let mut words = std::env::args().skip(1);
        let mut path = || words.next().map(PathBuf::from).ok_or(USAGE);
        let (folder, libraries) = (path()?, path()?);
        let mut arguments = Arguments {
            folder,
            libraries,
            scripts: Vec::new(),
            record: None,
            wants_differences: false,
            port_offset: DEFAULT_PORT_OFFSET,
        };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--diff" => arguments.wants_differences = true,
                "--record" => arguments.record = Some(words.next().map(PathBuf::from).ok_or(USAGE)?),
                "--ports" => {
                    let number = words.next().and_then(|number| number.parse().ok());
                    let offset = number.filter(|offset| *offset <= 50_000);
                    arguments.port_offset = offset.ok_or("--ports takes a number up to 50000")?;
                }
                option if option.starts_with("--") => return Err(format!("there is no option {option}\n{USAGE}")),
                script => arguments.scripts.push(PathBuf::from(script)),
            }
        }
        if arguments.scripts.is_empty() { Err(USAGE.to_owned()) } else { Ok(arguments) }
    }
}
