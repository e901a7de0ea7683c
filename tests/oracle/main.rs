//! Runs scripts of ours against a real Apache Kafka on this machine and writes what its tools print, in the form of our
//! own transcripts; with `--diff` also where ours differ. Called by `cargo xtask oracle`, which brings the libraries.
//!
//! Servers and tools are the release's own, as processes with small heaps. What real processes on one machine cannot
//! suffer (cut links, loss of power, a wrong clock) is refused.

mod arguments;
mod cluster;
mod files;
mod tools;

use acceptance::recording::{comparison, differences};
use arguments::Arguments;
use cluster::Cluster;
use kafka::instant::Duration;
use shell::directive::Action;
use shell::script::Script;
use std::path::Path;
use std::process::ExitCode;
use tools::Tools;

const SEED: u64 = 39;

fn main() -> ExitCode {
    match Arguments::read().and_then(|arguments| run_all(&arguments)) {
        Ok(is_alike) => ExitCode::from(u8::from(!is_alike)),
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

/// Whether all transcripts are as ours, as far as that was asked.
fn run_all(arguments: &Arguments) -> Result<bool, String> {
    let mut is_alike = true;
    for path in &arguments.scripts {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let transcript = record(&text, arguments).map_err(|error| format!("{}: {error}", path.display()))?;
        match &arguments.record {
            Some(folder) => keep(&transcript, folder, path)?,
            None => print!("{transcript}"),
        }
        if arguments.wants_differences {
            is_alike &= compare(&text, &transcript, path)?;
        }
    }
    Ok(is_alike)
}

fn keep(transcript: &str, folder: &Path, script: &Path) -> Result<(), String> {
    let name = script.with_extension("transcript");
    let path = folder.join(name.file_name().unwrap_or_default());
    files::write(&path, transcript)?;
    eprintln!("==> {}", path.display());
    Ok(())
}

fn compare(script: &str, transcript: &str, path: &Path) -> Result<bool, String> {
    let ours = Script::parse(script)
        .and_then(|script| script.run(SEED))
        .map_err(|error| format!("{}: {error}\n{}", path.display(), error.so_far))?;
    let differences = differences(transcript, &ours.text, &comparison(script));
    let verdict = if differences.is_empty() { "as here" } else { "not as here" };
    eprintln!("==> {}: {verdict}\n{differences}", path.display());
    Ok(differences.is_empty())
}

/// Runs a script and gives its transcript.
fn record(text: &str, arguments: &Arguments) -> Result<String, String> {
    let script = Script::parse(text).map_err(|error| error.to_string())?;
    script.statements().filter_map(|(text, action)| action.map(|action| (text, action))).try_for_each(refuse)?;
    let folder = arguments.folder.join("run");
    files::empty(&folder)?;
    let tools = Tools::prepare(&arguments.folder, &arguments.libraries)?;
    let mut cluster = Cluster::start(script.shape(), &folder, tools, arguments.port_offset)?;
    let mut transcript = String::new();
    for (text, action) in script.statements() {
        eprintln!("    {text}");
        match action {
            Some(action) => {
                act(&mut cluster, action)?;
                transcript += &format!("{text}\n");
            }
            None => transcript += &cluster.command(text)?,
        }
    }
    Ok(transcript)
}

/// What cannot be done to real processes is said before anything is started.
fn refuse((text, action): (&str, &Action)) -> Result<(), String> {
    match action {
        Action::PowerOff(_) | Action::SetDisk(_, _) | Action::SetClock(_, _) | Action::ChangeLinks(_, _) => {
            Err(format!("`{text}` cannot be done to real processes on one machine"))
        }
        Action::Kill(_)
        | Action::Stop(_)
        | Action::Start(_)
        | Action::Freeze(_)
        | Action::Thaw(_)
        | Action::AddBroker(_)
        | Action::RemoveBroker(_)
        | Action::Sleep(_) => Ok(()),
    }
}

fn act(cluster: &mut Cluster, action: &Action) -> Result<(), String> {
    match action {
        Action::Kill(name) => cluster.kill(name),
        Action::Stop(name) => cluster.stop(name),
        Action::Start(name) => cluster.start_again(name),
        Action::Freeze(name) => cluster.signal(name, "STOP"),
        Action::Thaw(name) => cluster.signal(name, "CONT"),
        Action::AddBroker(id) => cluster.add_broker(*id),
        Action::RemoveBroker(id) => cluster.remove_broker(*id),
        Action::Sleep(Duration(micros)) => {
            std::thread::sleep(std::time::Duration::from_micros(*micros));
            Ok(())
        }
        Action::PowerOff(_) | Action::SetDisk(_, _) | Action::SetClock(_, _) | Action::ChangeLinks(_, _) => {
            unreachable!("refused before the cluster was started")
        }
    }
}
