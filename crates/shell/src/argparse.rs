//! Command lines with subcommands as argparse4j 0.7 parses them for Kafka's younger tools.
//!
//! Options may be shortened as long as they stay unambiguous, and so may subcommands. Usage lines are data; how
//! messages and descriptions are wrapped and justified follows argparse4j's `TextHelper`. Its guesses at what a
//! mistyped subcommand should have been are left out.

mod layout;

use crate::output::Piece;
use crate::plan::Printout;
use layout::{WIDTH, entry, justified};

/// A tool with subcommands.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// The lines of its usage.
    pub usage: &'static [&'static str],
    /// What it is for.
    pub description: &'static str,
    /// The options in front of the subcommand.
    pub arguments: &'static [Argument],
    /// The subcommands.
    pub subcommands: &'static [Subcommand],
    /// Exit status after `--help`.
    pub help_status: i32,
}

/// A subcommand.
#[derive(Clone, Copy, Debug)]
pub struct Subcommand {
    /// Its name.
    pub name: &'static str,
    /// The lines of its usage.
    pub usage: &'static [&'static str],
    /// What it is for.
    pub description: &'static str,
    /// Its options.
    pub arguments: &'static [Argument],
}

/// An option.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// Its name with dashes.
    pub name: &'static str,
    /// The letter that stands for it, with its dash.
    pub short: Option<&'static str>,
    /// Whether it takes a value.
    pub value: Value,
    /// Whether it must be there.
    pub need: Need,
    /// The heading under which the help text shows it.
    pub section: &'static str,
    /// What it is for, in this project's own words.
    pub description: &'static str,
}

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// It is a flag.
    None,
    /// Text; the help text calls it this.
    Text(&'static str),
    /// A number of 32 bits; the help text calls it this.
    Integer(&'static str),
}

/// Whether an option must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It may be left out.
    Optional,
    /// It must be there.
    Required,
    /// Exactly one of the options that need this must be there.
    OneOf,
}

/// The heading of options that have none of their own.
pub const OPTIONAL: &str = "optional arguments";

impl Argument {
    /// An option with text.
    #[must_use]
    pub const fn text(name: &'static str, shown: &'static str, description: &'static str) -> Argument {
        let (value, need) = (Value::Text(shown), Need::Optional);
        Argument { name, short: None, value, need, section: OPTIONAL, description }
    }

    /// A flag.
    #[must_use]
    pub const fn flag(name: &'static str, description: &'static str) -> Argument {
        Argument { value: Value::None, ..Argument::text(name, "", description) }
    }

    /// The same option with a letter.
    #[must_use]
    pub const fn or(self, short: &'static str) -> Argument {
        Argument { short: Some(short), ..self }
    }

    /// The same option as one of which exactly one must be there.
    #[must_use]
    pub const fn one_of(self) -> Argument {
        Argument { need: Need::OneOf, ..self }
    }

    fn names(&self) -> String {
        self.short.map_or(self.name.to_owned(), |short| format!("{}/{short}", self.name))
    }

    /// As the help text shows it.
    fn shown(&self) -> String {
        let with_value = |name: &str| match self.value {
            Value::None => name.to_owned(),
            Value::Text(shown) | Value::Integer(shown) => format!("{name} {shown}"),
        };
        if self.name == HELP.name {
            return "-h, --help".to_owned();
        }
        let short = self.short.map(|short| format!(", {}", with_value(short)));
        format!("{}{}", with_value(self.name), short.unwrap_or_default())
    }
}

const HELP: Argument = Argument {
    name: "--help",
    short: Some("-h"),
    value: Value::None,
    need: Need::Optional,
    section: OPTIONAL,
    description: "show this help message and exit",
};

/// The options of one call.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The subcommand.
    pub subcommand: &'static str,
    found: Vec<(&'static str, String)>,
}

impl Parsed {
    /// Whether an option was given; by its name with dashes.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.found.iter().any(|(found, _)| *found == name)
    }

    /// The last value of an option.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values(name).last().copied()
    }

    /// All values of an option, in the order given.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.found.iter().filter(|(found, _)| *found == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// Reads a tool's arguments.
///
/// # Errors
/// What to print instead: a help text, or usage and message.
pub fn parse(program: &'static Program, arguments: &[String]) -> Result<Parsed, Printout> {
    let mut found = Vec::new();
    let main = Level { program, subcommand: None };
    let behind = main.read(arguments, &mut found)?;
    let Some((word, rest)) = behind.split_first() else { return Err(main.refuse("too few arguments")) };
    let subcommand = main.subcommand(word)?;
    let level = Level { program, subcommand: Some(subcommand) };
    let behind = level.read(rest, &mut found)?;
    if !behind.is_empty() {
        return Err(level.refuse(&format!("unrecognized arguments: '{}'", behind.join(" "))));
    }
    level.check(&found)?;
    main.check(&found)?;
    Ok(Parsed { subcommand: subcommand.name, found })
}

/// The tool itself, or one of its subcommands.
#[derive(Clone, Copy)]
struct Level {
    program: &'static Program,
    subcommand: Option<&'static Subcommand>,
}

type Found = Vec<(&'static str, String)>;

impl Level {
    fn arguments(self) -> &'static [Argument] {
        self.subcommand.map_or(self.program.arguments, |subcommand| subcommand.arguments)
    }

    fn usage(self) -> &'static [&'static str] {
        self.subcommand.map_or(self.program.usage, |subcommand| subcommand.usage)
    }

    /// Reads options up to the first word that is none, and gives that and what is behind it.
    fn read<'a>(self, words: &'a [String], found: &mut Found) -> Result<&'a [String], Printout> {
        let mut next = 0;
        while let Some(word) = words.get(next) {
            if word == "--" {
                let rest = &words[next + 1..];
                let unknown = || self.refuse(&format!("unrecognized arguments: '{}'", rest.join(" ")));
                return if rest.is_empty() { Ok(rest) } else { Err(unknown()) };
            }
            if !is_option(word) {
                break;
            }
            next += 1;
            let value = words.get(next).filter(|word| !is_option(word));
            if self.option(word, value, found)? {
                next += 1;
            }
        }
        Ok(&words[next..])
    }

    /// Reads one option; true if it took the word behind it as its value.
    fn option(self, word: &str, next: Option<&String>, found: &mut Found) -> Result<bool, Printout> {
        let (argument, attached) = self.find(word)?;
        if argument.name == HELP.name && attached.is_none_or(|_| !word.starts_with("--")) {
            return Err(self.help());
        }
        let (value, is_taken) = match (argument.value, attached, next) {
            (Value::None, None, _) => (String::new(), false),
            (Value::None, Some(value), _) => {
                let message = format!("argument {}: ignore implicit argument '{value}'", argument.names());
                return Err(self.refuse(&message));
            }
            (Value::Text(_) | Value::Integer(_), Some(value), _) => (value.to_owned(), false),
            (Value::Text(_) | Value::Integer(_), None, Some(value)) => (value.clone(), true),
            (Value::Text(_) | Value::Integer(_), None, None) => {
                return Err(self.refuse(&format!("argument {}: expected one argument", argument.names())));
            }
        };
        self.check_value(argument, &value, found)?;
        found.push((argument.name, value));
        Ok(is_taken)
    }

    fn check_value(self, argument: &Argument, value: &str, found: &Found) -> Result<(), Printout> {
        let names = argument.names();
        let is_other = |other: &&Argument| other.need == Need::OneOf && other.name != argument.name;
        let is_found = |other: &&Argument| found.iter().any(|(name, _)| *name == other.name);
        if argument.need == Need::OneOf
            && let Some(other) = self.arguments().iter().filter(is_other).find(is_found)
        {
            return Err(self.refuse(&format!("argument {names}: not allowed with argument {}", other.names())));
        }
        if matches!(argument.value, Value::Integer(_)) && value.parse::<i32>().is_err() {
            let message =
                format!("argument {names}: could not convert '{value}' to Integer (For input string: \"{value}\")");
            return Err(self.refuse(&message));
        }
        Ok(())
    }

    /// The option that a word stands for, and the value that is attached to it.
    fn find(self, word: &str) -> Result<(&'static Argument, Option<&str>), Printout> {
        let known = || std::iter::once(&HELP).chain(self.arguments());
        let unknown = || self.refuse(&format!("unrecognized arguments: '{word}'"));
        if !word.starts_with("--") {
            let letter = word.get(..2).ok_or_else(unknown)?;
            let argument = known().find(|argument| argument.short == Some(letter)).ok_or_else(unknown)?;
            return Ok((argument, Some(&word[2..]).filter(|value| !value.is_empty())));
        }
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        if let Some(argument) = known().find(|argument| argument.name == name) {
            return Ok((argument, value));
        }
        let mut candidates: Vec<&'static Argument> = known().filter(|it| it.name.starts_with(name)).collect();
        candidates.sort_by_key(|argument| argument.name);
        match candidates.as_slice() {
            [] => Err(unknown()),
            [argument] => Ok((argument, value)),
            several => {
                let names: Vec<&str> = several.iter().map(|argument| argument.name).collect();
                Err(self.refuse(&format!("ambiguous option: {word} could match {}", names.join(", "))))
            }
        }
    }

    fn subcommand(self, word: &str) -> Result<&'static Subcommand, Printout> {
        let known = self.program.subcommands;
        if let Some(exact) = known.iter().find(|subcommand| subcommand.name == word) {
            return Ok(exact);
        }
        let mut fitting = known.iter().filter(|subcommand| !word.is_empty() && subcommand.name.starts_with(word));
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok(only),
            (Some(_), Some(_)) | (None, _) => {
                let names: Vec<String> = known.iter().map(|subcommand| format!("'{}'", subcommand.name)).collect();
                Err(self.refuse(&format!("invalid choice: '{word}' (choose from {})", names.join(", "))))
            }
        }
    }

    fn check(self, found: &Found) -> Result<(), Printout> {
        let is_found = |argument: &Argument| found.iter().any(|(name, _)| *name == argument.name);
        let missing = self.arguments().iter().find(|it| it.need == Need::Required && !is_found(it));
        if let Some(missing) = missing {
            return Err(self.refuse(&format!("argument {} is required", missing.names())));
        }
        let group: Vec<&Argument> = self.arguments().iter().filter(|it| it.need == Need::OneOf).collect();
        if !group.is_empty() && !group.iter().any(|argument| is_found(argument)) {
            let names: Vec<String> = group.iter().map(|argument| argument.names()).collect();
            return Err(self.refuse(&format!("one of the arguments {} is required", names.join(" "))));
        }
        Ok(())
    }

    /// `handleError`: usage and message, status 1.
    fn refuse(self, message: &str) -> Printout {
        let mut pieces: Vec<Piece> = self.usage().iter().map(|line| Piece::Err((*line).to_owned())).collect();
        let message = format!("{}: error: {message}", self.program.name);
        pieces.extend(justified(&message, WIDTH).into_iter().map(Piece::Err));
        Printout { pieces, status: 1 }
    }

    fn help(self) -> Printout {
        let mut lines: Vec<String> = self.usage().iter().map(|line| (*line).to_owned()).collect();
        lines.push(String::new());
        if self.subcommand.is_none() {
            lines.extend(justified(self.program.description, WIDTH));
            lines.push(String::new());
            lines.extend(self.subcommands());
        }
        let mut sections = vec![OPTIONAL];
        sections.extend(self.arguments().iter().map(|argument| argument.section));
        sections.dedup();
        for (index, section) in sections.into_iter().enumerate() {
            lines.extend((index > 0).then(String::new));
            lines.push(format!("{section}:"));
            let in_section = std::iter::once(&HELP).chain(self.arguments()).filter(|it| it.section == section);
            lines.extend(in_section.flat_map(|argument| entry("  ", &argument.shown(), argument.description)));
        }
        Printout { pieces: lines.into_iter().map(Piece::Out).collect(), status: self.program.help_status }
    }

    fn subcommands(self) -> Vec<String> {
        let known = self.program.subcommands;
        let names: Vec<&str> = known.iter().map(|subcommand| subcommand.name).collect();
        let mut lines = vec!["positional arguments:".to_owned(), format!("  {{{}}}", names.join(","))];
        lines.extend(known.iter().flat_map(|subcommand| entry("    ", subcommand.name, subcommand.description)));
        lines.push(String::new());
        lines
    }
}

/// Whether a word is read as an option: it begins with a dash and is no number.
fn is_option(word: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|digit| digit.is_ascii_digit());
    word.strip_prefix('-').is_some_and(|rest| !rest.is_empty() && !is_number(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: Program = Program {
        name: "kafka-metadata-quorum",
        usage: &["usage: kafka-metadata-quorum [-h]"],
        description: "Looks at the quorum.",
        arguments: &[
            Argument::text("--bootstrap-server", "BOOTSTRAP_SERVER", "Where the cluster is to be found.").one_of(),
            Argument::text("--bootstrap-controller", "BOOTSTRAP_CONTROLLER", "A controller.").one_of(),
        ],
        subcommands: &[
            Subcommand {
                name: "describe",
                usage: &["usage: kafka-metadata-quorum describe [-h]"],
                description: "Tells how it is.",
                arguments: &[Argument::flag("--status", "All in short.")],
            },
            Subcommand {
                name: "remove-controller",
                usage: &["usage: kafka-metadata-quorum remove-controller [-h]"],
                description: "Takes one away.",
                arguments: &[Argument {
                    value: Value::Integer("CONTROLLER_ID"),
                    need: Need::Required,
                    ..Argument::text("--controller-id", "", "Which.").or("-i")
                }],
            },
            Subcommand { name: "add-controller", usage: &[], description: "Adds this one.", arguments: &[] },
        ],
        help_status: 0,
    };

    fn parsed(line: &str) -> Result<Parsed, Printout> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&PROGRAM, &arguments)
    }

    fn refused(line: &str) -> String {
        let mut texts = Vec::new();
        for piece in parsed(line).unwrap_err().pieces {
            if let Piece::Err(text) = piece {
                texts.push(text);
            }
        }
        texts.retain(|text| !text.starts_with("usage"));
        texts.join("\n")
    }

    #[test]
    fn options_and_subcommands_may_be_shortened() {
        let options = parsed("--bootstrap-s a:1 desc --stat").unwrap();
        assert_eq!((options.subcommand, options.has("--status")), ("describe", true));
        assert_eq!(options.value("--bootstrap-server"), Some("a:1"));
        let options = parsed("--bootstrap-controller=a:1 remove-controller -i5 --controller-i -7").unwrap();
        assert_eq!(options.values("--controller-id"), ["5", "-7"]);
    }

    /// What argparse4j 0.7.0 itself printed.
    #[test]
    fn messages_are_wrapped_and_stretched_as_argparse4j_does() {
        let cases = [
            ("foo", "kafka-metadata-quorum:  error:   invalid   choice:   'foo'   (choose   from"),
            ("- describe", "kafka-metadata-quorum: error: invalid choice:  '-' (choose from 'describe',"),
            ("describe", "kafka-metadata-quorum: error: one  of  the  arguments --bootstrap-server --"),
            ("", "kafka-metadata-quorum: error: too few arguments"),
            ("--bootstrap-server a", "kafka-metadata-quorum: error: too few arguments"),
            ("--boot x describe", "kafka-metadata-quorum: error:  ambiguous  option:  --boot  could  match  --"),
            ("--bootstrap-server", "kafka-metadata-quorum: error:  argument  --bootstrap-server:  expected  one"),
            (
                "--bootstrap-server a --bootstrap-controller b describe",
                "kafka-metadata-quorum: error: argument  --bootstrap-controller: not allowed",
            ),
            ("--bootstrap-server a describe --foo", "kafka-metadata-quorum: error: unrecognized arguments: '--foo'"),
            ("--bootstrap-server a describe x y", "kafka-metadata-quorum: error: unrecognized arguments: 'x y'"),
            (
                "--bootstrap-server a describe --status=x",
                "kafka-metadata-quorum: error: argument  --status:  ignore implicit argument",
            ),
            (
                "--bootstrap-server a remove-controller -i x",
                "kafka-metadata-quorum:  error:  argument   --controller-id/-i:   could  not",
            ),
            ("-- describe", "kafka-metadata-quorum: error: unrecognized arguments: 'describe'"),
            ("-x describe", "kafka-metadata-quorum: error: unrecognized arguments: '-x'"),
        ];
        for (line, expected) in cases {
            let order = |text: String| text.lines().next().unwrap_or_default().to_owned();
            assert_eq!(order(refused(line)), expected, "{line}");
        }
        assert_eq!(refused("--boot x describe").lines().nth(1), Some("bootstrap-controller, --bootstrap-server"));
    }

    #[test]
    fn help_shows_subcommands_and_options() {
        let help = parsed("--help").unwrap_err();
        let expected = [
            "usage: kafka-metadata-quorum [-h]",
            "",
            "Looks at the quorum.",
            "",
            "positional arguments:",
            "  {describe,remove-controller,add-controller}",
            "    describe             Tells how it is.",
            "    remove-controller    Takes one away.",
            "    add-controller       Adds this one.",
            "",
            "optional arguments:",
            "  -h, --help             show this help message and exit",
            "  --bootstrap-server BOOTSTRAP_SERVER",
            "                         Where the cluster is to be found.",
            "  --bootstrap-controller BOOTSTRAP_CONTROLLER",
            "                         A controller.",
        ];
        let expected: Vec<Piece> = expected.iter().map(|line| Piece::Out((*line).to_owned())).collect();
        assert_eq!((help.pieces, help.status), (expected, 0));
    }
}
