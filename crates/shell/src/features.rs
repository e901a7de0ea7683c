//! `kafka-features`: its arguments and output (`FeatureCommand` of Kafka 3.9).

use crate::admin_tool::{admin_client_of_file, execution_exception, failure_exception};
use crate::argparse::{self, Argument, Parsed, Subcommand, parse};
use crate::console_text::Reaction;
use crate::java_exception::JavaException;
use crate::output::Piece;
use crate::plan::{Face, Plan, Printout, Surroundings};
use kafka::event::{AdminAnswer, AdminFailure, ClientEvent};
use kafka::release::{METADATA_VERSION, METADATA_VERSIONS, RELEASE};
use kafka::spec::{AdminAction, FeaturesAction, Program};
use std::collections::BTreeMap;
use wire::request::{FeatureUpdate, UpgradeType};
use wire::response::{FinalizedFeature, SupportedFeature};

/// What is done to features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Upgrade,
    Downgrade,
    Disable,
}

/// What `kafka-features` has been asked for, as far as its answer's text depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    operation: Operation,
    /// The wanted levels.
    levels: BTreeMap<String, i16>,
    is_dry_run: bool,
}

const METADATA: Argument = Argument::text("--metadata", "METADATA", "The release whose metadata.version is wanted.");
const FEATURE: Argument = Argument::text("--feature", "FEATURE", "A feature and its wanted level, as feature=level.");
const UNSAFE: Argument = Argument::flag("--unsafe", "Go down even if metadata is lost that way.");
const DRY_RUN: Argument = Argument::flag("--dry-run", "Only check whether it could be done.");

/// The tool's arguments.
pub const PROGRAM: argparse::Program = argparse::Program {
    name: "kafka-features",
    usage: &[
        "usage: kafka-features [-h] [--command-config COMMAND_CONFIG]",
        "                      (--bootstrap-server BOOTSTRAP_SERVER |",
        "                      --bootstrap-controller BOOTSTRAP_CONTROLLER)",
        "                      {describe,upgrade,downgrade,disable} ...",
    ],
    description: "This tool manages feature flags in Kafka.",
    arguments: &[
        Argument::text("--bootstrap-server", "BOOTSTRAP_SERVER", "Brokers to ask first, host and port, with commas.")
            .one_of(),
        Argument::text(
            "--bootstrap-controller",
            "BOOTSTRAP_CONTROLLER",
            "Controllers to ask first, host and port, with commas.",
        )
        .one_of(),
        Argument::text("--command-config", "COMMAND_CONFIG", "A file with properties of the admin client."),
    ],
    subcommands: &[
        Subcommand {
            name: "describe",
            usage: &[
                "usage: kafka-features (--bootstrap-server BOOTSTRAP_SERVER |",
                "                      --bootstrap-controller BOOTSTRAP_CONTROLLER) describe",
                "                      [-h]",
            ],
            description: "Show the features with their levels.",
            arguments: &[],
        },
        Subcommand {
            name: "upgrade",
            usage: &[
                "usage: kafka-features (--bootstrap-server BOOTSTRAP_SERVER |",
                "                      --bootstrap-controller BOOTSTRAP_CONTROLLER) upgrade",
                "                      [-h] [--metadata METADATA] [--feature FEATURE]",
                "                      [--dry-run]",
            ],
            description: "Raise features to levels.",
            arguments: &[METADATA, FEATURE, DRY_RUN],
        },
        Subcommand {
            name: "downgrade",
            usage: &[
                "usage: kafka-features (--bootstrap-server BOOTSTRAP_SERVER |",
                "                      --bootstrap-controller BOOTSTRAP_CONTROLLER)",
                "                      downgrade [-h] [--metadata METADATA]",
                "                      [--feature FEATURE] [--unsafe] [--dry-run]",
            ],
            description: "Lower features to levels.",
            arguments: &[METADATA, FEATURE, UNSAFE, DRY_RUN],
        },
        Subcommand {
            name: "disable",
            usage: &[
                "usage: kafka-features (--bootstrap-server BOOTSTRAP_SERVER |",
                "                      --bootstrap-controller BOOTSTRAP_CONTROLLER) disable",
                "                      [-h] [--feature FEATURE] [--unsafe] [--dry-run]",
            ],
            description: "Lower features to level 0.",
            arguments: &[Argument { description: "A feature.", ..FEATURE }, UNSAFE, DRY_RUN],
        },
    ],
    help_status: 1,
};

/// What a call comes to.
#[must_use]
pub fn plan(arguments: &[String], surroundings: Surroundings<'_>) -> Plan {
    planned(arguments, surroundings).unwrap_or_else(|plan| plan)
}

/// `mainNoExit`: only the message of an exception.
fn said(message: &str) -> Plan {
    Plan::Print(Printout { pieces: vec![Piece::Err(message.to_owned())], status: 1 })
}

fn said_by(exception: &JavaException) -> Plan {
    said(exception.message())
}

fn planned(arguments: &[String], surroundings: Surroundings<'_>) -> Result<Plan, Plan> {
    let options = parse(&PROGRAM, arguments).map_err(Plan::Print)?;
    let Some(servers) = options.value("--bootstrap-server") else {
        return Err(Plan::not_simulated("admin clients of controllers are not simulated, use --bootstrap-server"));
    };
    let admin = admin_client_of_file(options.value("--command-config"), surroundings, servers, "adminclient-1");
    let admin = admin.map_err(|problem| problem.plan(said_by))?;
    let asked = asked(&options).map_err(|message| said(&message))?;
    let action = asked.as_ref().map_or(FeaturesAction::Describe, |asked| action(asked, options.has("--unsafe")));
    Ok(admin.plan(Program::Admin(AdminAction::Features(action)), Vec::new(), Face::Features(asked)))
}

/// What is to be changed; nothing for `describe`.
fn asked(options: &Parsed) -> Result<Option<Asked>, String> {
    let operation = match options.subcommand {
        "upgrade" => Operation::Upgrade,
        "downgrade" => Operation::Downgrade,
        "disable" => Operation::Disable,
        _ => return Ok(None),
    };
    let mut levels = BTreeMap::new();
    if let Some(metadata) = options.value("--metadata") {
        levels.insert(METADATA_VERSION.to_owned(), metadata_level(metadata)?);
    }
    for feature in options.values("--feature") {
        let (name, level) = match operation {
            Operation::Disable => (feature.to_owned(), 0),
            Operation::Upgrade | Operation::Downgrade => name_and_level(feature)?,
        };
        if levels.insert(name.clone(), level).is_some() {
            return Err(format!("Feature {name} was specified more than once."));
        }
    }
    if levels.is_empty() {
        return Err(format!("You must specify at least one feature to {}", operation.verb()));
    }
    if levels.keys().any(|name| name.trim().is_empty()) {
        return Err("Provided feature can not be empty.".to_owned());
    }
    Ok(Some(Asked { operation, levels, is_dry_run: options.has("--dry-run") }))
}

fn action(asked: &Asked, is_unsafe: bool) -> FeaturesAction {
    let upgrade_type = match (asked.operation, is_unsafe) {
        (Operation::Upgrade, _) => UpgradeType::Upgrade,
        (Operation::Downgrade | Operation::Disable, false) => UpgradeType::SafeDowngrade,
        (Operation::Downgrade | Operation::Disable, true) => UpgradeType::UnsafeDowngrade,
    };
    let update = |(feature, level): (&String, &i16)| FeatureUpdate {
        feature: feature.clone(),
        max_version_level: *level,
        upgrade_type,
    };
    FeaturesAction::Update { updates: asked.levels.iter().map(update).collect(), dry_run: asked.is_dry_run }
}

/// `MetadataVersion.LATEST_PRODUCTION`.
const HIGHEST_IN_PRODUCTION: usize = 21;

/// `MetadataVersion.fromVersionString`: a level's name, or a release, which stands for its last level.
fn metadata_level(version: &str) -> Result<i16, String> {
    let named = METADATA_VERSIONS.iter().position(|name| *name == version);
    let release: Vec<&str> = version.split('.').take(2).collect();
    let release = format!("{}-", release.join("."));
    let found = named.or_else(|| METADATA_VERSIONS.iter().rposition(|name| name.starts_with(&release)));
    let lowest = usize::try_from(RELEASE.minimum_metadata_version).unwrap_or(1);
    found.and_then(|index| i16::try_from(index + 1).ok()).ok_or_else(|| {
        let known = METADATA_VERSIONS[lowest - 1..HIGHEST_IN_PRODUCTION].join(", ");
        format!("Unknown metadata.version {version}. Supported metadata.version are {known}")
    })
}

fn name_and_level(feature: &str) -> Result<(String, i16), String> {
    let cannot = format!("Can't parse feature=level string {feature}: ");
    let (name, level) = feature.split_once('=').ok_or_else(|| format!("{cannot}equals sign not found."))?;
    let (name, level) = (name.trim(), level.trim());
    let number = level.parse().map_err(|_| format!("{cannot}unable to parse {level} as a short."))?;
    Ok((name.to_owned(), number))
}

/// `levelToString`.
fn level_text(feature: &str, level: i16) -> String {
    if feature != METADATA_VERSION {
        return level.to_string();
    }
    let name = usize::try_from(level).ok().and_then(|level| METADATA_VERSIONS.get(level.checked_sub(1)?));
    name.map_or_else(|| format!("UNKNOWN {level}"), |name| (*name).to_owned())
}

impl Operation {
    fn verb(self) -> &'static str {
        match self {
            Operation::Upgrade => "upgrade",
            Operation::Downgrade => "downgrade",
            Operation::Disable => "disable",
        }
    }
}

/// What an event of the admin client makes the tool print.
#[must_use]
pub fn react(asked: Option<&Asked>, event: &ClientEvent) -> Reaction {
    if let ClientEvent::AdminFailed(failure) = event {
        let exception = execution_exception(failure_exception(failure));
        return Reaction::print(vec![Piece::Err(exception.message().to_owned())]);
    }
    let ClientEvent::AdminAnswered(answer) = event else { return Reaction::default() };
    if let AdminAnswer::Features { supported, finalized, epoch } = &**answer {
        Reaction::print(described(supported, finalized, *epoch))
    } else if let (AdminAnswer::FeaturesUpdated(results), Some(asked)) = (&**answer, asked) {
        updated(asked, results)
    } else {
        Reaction::default()
    }
}

fn described(supported: &[SupportedFeature], finalized: &[FinalizedFeature], epoch: Option<i64>) -> Vec<Piece> {
    let epoch = epoch.map_or("-".to_owned(), |epoch| epoch.to_string());
    let mut supported: Vec<&SupportedFeature> = supported.iter().collect();
    supported.sort_by_key(|feature| feature.name);
    let line = |SupportedFeature { name, min_version, max_version }: &SupportedFeature| {
        let level = finalized.iter().find(|feature| feature.name == *name).map_or(0, |feature| feature.level);
        let [min, max, level] = [*min_version, *max_version, level].map(|level| level_text(name, level));
        Piece::Out(format!(
            "Feature: {name}\tSupportedMinVersion: {min}\tSupportedMaxVersion: {max}\tFinalizedVersionLevel: {level}\t\
             Epoch: {epoch}"
        ))
    };
    supported.into_iter().map(line).collect()
}

fn updated(asked: &Asked, results: &[(String, Option<AdminFailure>)]) -> Reaction {
    let mut results: Vec<&(String, Option<AdminFailure>)> = results.iter().collect();
    results.sort_by_key(|(feature, _)| feature);
    let mut pieces: Vec<Piece> =
        results.iter().map(|(feature, failure)| Piece::Out(result_line(asked, feature, failure.as_ref()))).collect();
    let failures = results.iter().filter(|(_, failure)| failure.is_some()).count();
    if failures == 0 {
        return Reaction { pieces, status: Some(0) };
    }
    pieces.push(Piece::Err(format!("{failures} out of {} operation(s) failed.", results.len())));
    Reaction { pieces, status: Some(1) }
}

fn result_line(asked: &Asked, feature: &str, failure: Option<&AdminFailure>) -> String {
    let level = asked.levels.get(feature).copied().unwrap_or(0);
    let verb = asked.operation.verb();
    let Some(failure) = failure else {
        let was = if asked.is_dry_run { "can be" } else { "was" };
        return match asked.operation {
            Operation::Disable => format!("{feature} {was} disabled."),
            Operation::Upgrade | Operation::Downgrade => format!("{feature} {was} {verb}d to {level}."),
        };
    };
    let could = if asked.is_dry_run { "Can" } else { "Could" };
    let to = match asked.operation {
        Operation::Disable => String::new(),
        Operation::Upgrade | Operation::Downgrade => format!(" to {level}"),
    };
    format!("{could} not {verb} {feature}{to}. {}", failure_exception(failure).message())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_stands_for_its_last_level() {
        let levels = ["3.9-IV0", "3.3", "3.3.1", "3.7"].map(|version| metadata_level(version).unwrap());
        assert_eq!(levels, [21, 7, 7, 19]);
        let message = metadata_level("2").unwrap_err();
        assert!(message.starts_with("Unknown metadata.version 2. Supported metadata.version are 3.3-IV0, 3.3-IV1"));
    }

    #[test]
    fn features_are_written_with_their_levels() {
        assert_eq!(name_and_level("a = 1"), Ok(("a".to_owned(), 1)));
        let refused = ["a", "a=x"].map(|text| name_and_level(text).unwrap_err());
        assert_eq!(
            refused,
            [
                "Can't parse feature=level string a: equals sign not found.",
                "Can't parse feature=level string a=x: unable to parse x as a short."
            ]
        );
        assert_eq!([level_text(METADATA_VERSION, 1), level_text(METADATA_VERSION, 0)], ["3.0-IV1", "UNKNOWN 0"]);
    }
}
