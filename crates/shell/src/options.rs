//! Command-line options as JOpt-Simple 5.0.4 parses them for Kafka's tools, abbreviations disabled.
//!
//! `--name value`, `--name=value` and `-name value` are the same; what is no option is silently ignored. Values are
//! converted only when they are asked for, which is why a bad number is found so late.

use crate::java_exception::JavaException;

/// One option of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionSpec {
    /// Its name, without dashes.
    pub name: &'static str,
    /// Whether it takes a value.
    pub argument: Argument,
    /// Its default value as the usage table shows it.
    pub default: Option<&'static str>,
    /// What it is for, in this project's own words.
    pub description: &'static str,
}

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// It is a flag.
    None,
    /// It must have a value: its type, and what the usage table calls it (may be empty).
    Required(ValueType, &'static str),
    /// It may have a value.
    Optional(ValueType, &'static str),
}

/// The Java type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// Any text.
    String,
    /// 32 bits.
    Integer,
    /// 64 bits.
    Long,
    /// `ElectionType`, an enumeration.
    ElectionType,
}

impl ValueType {
    /// As the usage table names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ValueType::String => "String",
            ValueType::Integer => "Integer",
            ValueType::Long => "Long",
            ValueType::ElectionType => "[PREFERRED,UNCLEAN]",
        }
    }

    /// The constants of an enumeration.
    #[must_use]
    pub fn choices(self) -> &'static [&'static str] {
        match self {
            ValueType::String | ValueType::Integer | ValueType::Long => &[],
            ValueType::ElectionType => &["PREFERRED", "UNCLEAN"],
        }
    }
}

impl OptionSpec {
    /// A flag.
    #[must_use]
    pub const fn flag(name: &'static str, description: &'static str) -> OptionSpec {
        OptionSpec { name, argument: Argument::None, default: None, description }
    }

    /// An option with a value that is text.
    #[must_use]
    pub const fn text(name: &'static str, shown: &'static str, description: &'static str) -> OptionSpec {
        OptionSpec { name, argument: Argument::Required(ValueType::String, shown), default: None, description }
    }

    /// An option with a 32-bit number.
    #[must_use]
    pub const fn integer(name: &'static str, shown: &'static str, description: &'static str) -> OptionSpec {
        OptionSpec { name, argument: Argument::Required(ValueType::Integer, shown), default: None, description }
    }

    /// An option with a 64-bit number.
    #[must_use]
    pub const fn long(name: &'static str, shown: &'static str, description: &'static str) -> OptionSpec {
        OptionSpec { name, argument: Argument::Required(ValueType::Long, shown), default: None, description }
    }

    /// An option with a value of any type.
    #[must_use]
    pub const fn value(
        name: &'static str,
        value: ValueType,
        shown: &'static str,
        description: &'static str,
    ) -> OptionSpec {
        OptionSpec { name, argument: Argument::Required(value, shown), default: None, description }
    }

    /// The same option with a default value.
    #[must_use]
    pub const fn or(mut self, default: &'static str) -> OptionSpec {
        self.default = Some(default);
        self
    }
}

/// What JOpt-Simple refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionError {
    /// There is no such option.
    Unrecognized(String),
    /// An option without its value.
    MissingArgument(&'static str),
    /// A required option is not there.
    MissingRequired(&'static str),
    /// Several values where one is wanted.
    MultipleArguments(&'static str),
    /// A value that is no number.
    Conversion {
        /// The option.
        option: &'static str,
        /// The value.
        value: String,
    },
    /// A value that is no constant of an enumeration.
    NoChoice {
        /// The option.
        option: &'static str,
        /// The value.
        value: String,
        /// The type, with the constants.
        choices: &'static str,
    },
}

impl OptionError {
    /// The message.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            OptionError::Unrecognized(name) => format!("{name} is not a recognized option"),
            OptionError::MissingArgument(option) => format!("Option {option} requires an argument"),
            OptionError::MissingRequired(option) => format!("Missing required option(s) [{option}]"),
            OptionError::MultipleArguments(option) => {
                format!("Found multiple arguments for option {option}, but you asked for only one")
            }
            OptionError::Conversion { option, value } | OptionError::NoChoice { option, value, .. } => {
                format!("Cannot parse argument '{value}' of option {option}")
            }
        }
    }

    /// The exception.
    #[must_use]
    pub fn exception(&self) -> JavaException {
        let class = match self {
            OptionError::Unrecognized(_) => "UnrecognizedOptionException",
            OptionError::MissingArgument(_) => "OptionMissingRequiredArgumentException",
            OptionError::MissingRequired(_) => "MissingRequiredOptionsException",
            OptionError::MultipleArguments(_) => "MultipleArgumentsForOptionException",
            OptionError::Conversion { .. } | OptionError::NoChoice { .. } => "OptionArgumentConversionException",
        };
        let exception = JavaException::new(&format!("joptsimple.{class}"), &self.message());
        match self {
            OptionError::Conversion { value, .. } => exception.caused_by(number_format_cause(value)),
            OptionError::NoChoice { value, choices, .. } => {
                let message = format!("Value [{value}] is not one of [{choices}]");
                exception.caused_by(JavaException::new("joptsimple.ValueConversionException", &message))
            }
            OptionError::Unrecognized(_)
            | OptionError::MissingArgument(_)
            | OptionError::MissingRequired(_)
            | OptionError::MultipleArguments(_) => exception,
        }
    }
}

fn number_format_cause(value: &str) -> JavaException {
    let number_format = JavaException::number_format(value);
    JavaException::new("joptsimple.internal.ReflectionException", &number_format.headline()).caused_by(number_format)
}

/// The options of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedOptions {
    specs: &'static [OptionSpec],
    found: Vec<(&'static OptionSpec, Option<String>)>,
}

/// Reads a tool's arguments.
///
/// # Errors
/// An option that is not in `specs`, or one that lacks its value.
pub fn parse(specs: &'static [OptionSpec], arguments: &[String]) -> Result<ParsedOptions, OptionError> {
    let mut parser = Parser { specs, arguments, next: 0, found: Vec::new() };
    while let Some(argument) = parser.take() {
        match kind_of(argument) {
            ArgumentKind::Terminator => break,
            ArgumentKind::LongOption => parser.long_option(&argument[2..])?,
            ArgumentKind::ShortOption => parser.short_option(&argument[1..])?,
            ArgumentKind::NonOption => {}
        }
    }
    Ok(ParsedOptions { specs, found: parser.found })
}

enum ArgumentKind {
    Terminator,
    LongOption,
    ShortOption,
    NonOption,
}

fn kind_of(argument: &str) -> ArgumentKind {
    match argument {
        "--" => ArgumentKind::Terminator,
        "-" => ArgumentKind::NonOption,
        long if long.starts_with("--") => ArgumentKind::LongOption,
        short if short.starts_with('-') => ArgumentKind::ShortOption,
        _ => ArgumentKind::NonOption,
    }
}

struct Parser<'a> {
    specs: &'static [OptionSpec],
    arguments: &'a [String],
    next: usize,
    found: Vec<(&'static OptionSpec, Option<String>)>,
}

impl<'a> Parser<'a> {
    fn take(&mut self) -> Option<&'a str> {
        let argument = self.arguments.get(self.next)?;
        self.next += 1;
        Some(argument)
    }

    fn spec(&self, name: &str) -> Option<&'static OptionSpec> {
        self.specs.iter().find(|spec| spec.name == name)
    }

    fn long_option(&mut self, token: &str) -> Result<(), OptionError> {
        let (name, value) = split_at_equals(token);
        let spec = self.spec(name).ok_or_else(|| OptionError::Unrecognized(name.to_owned()))?;
        self.add(spec, value)
    }

    /// A whole name behind one dash, or a cluster of one-letter options: Kafka's tools have none of those.
    fn short_option(&mut self, token: &str) -> Result<(), OptionError> {
        let (name, value) = split_at_equals(token);
        match self.spec(name) {
            Some(spec) => self.add(spec, value),
            None => Err(OptionError::Unrecognized(token.chars().take(1).collect())),
        }
    }

    /// `value` is what stood behind `=`; an empty one counts as none.
    fn add(&mut self, spec: &'static OptionSpec, value: Option<&str>) -> Result<(), OptionError> {
        let value = value.filter(|value| !value.is_empty()).map(str::to_owned);
        let value = match (spec.argument, value) {
            (Argument::None, _) => None,
            (Argument::Required(..) | Argument::Optional(..), Some(value)) => Some(value),
            (Argument::Required(..), None) => {
                Some(self.take().ok_or(OptionError::MissingArgument(spec.name))?.to_owned())
            }
            (Argument::Optional(..), None) => self.take_unless_option(),
        };
        self.found.push((spec, value));
        Ok(())
    }

    fn take_unless_option(&mut self) -> Option<String> {
        let next = self.arguments.get(self.next)?;
        match kind_of(next) {
            ArgumentKind::NonOption => self.take().map(str::to_owned),
            ArgumentKind::Terminator | ArgumentKind::LongOption | ArgumentKind::ShortOption => None,
        }
    }
}

fn split_at_equals(token: &str) -> (&str, Option<&str>) {
    match token.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (token, None),
    }
}

impl ParsedOptions {
    /// Whether an option was given.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.found.iter().any(|(spec, _)| spec.name == name)
    }

    /// All values of an option, in the order given; its default if there are none.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<&str> {
        let given: Vec<&str> =
            self.found.iter().filter(|(spec, _)| spec.name == name).filter_map(|(_, value)| value.as_deref()).collect();
        if given.is_empty() { self.spec(name).default.into_iter().collect() } else { given }
    }

    /// An option's value or default.
    ///
    /// # Errors
    /// When it was given several times.
    pub fn value(&self, name: &str) -> Result<Option<&str>, OptionError> {
        match self.values(name).as_slice() {
            [] => Ok(None),
            [value] => Ok(Some(value)),
            _ => Err(OptionError::MultipleArguments(self.spec(name).name)),
        }
    }

    /// An option's value as a 32-bit number.
    ///
    /// # Errors
    /// When a value is no such number, or there are several.
    pub fn integer(&self, name: &str) -> Result<Option<i32>, OptionError> {
        self.number(name)
    }

    /// An option's value as a 64-bit number.
    ///
    /// # Errors
    /// When a value is no such number, or there are several.
    pub fn long(&self, name: &str) -> Result<Option<i64>, OptionError> {
        self.number(name)
    }

    /// An option's value as one of the constants of its type, which may be written in small letters.
    ///
    /// # Errors
    /// When it is none of them, or was given several times.
    pub fn choice(&self, name: &str) -> Result<Option<&'static str>, OptionError> {
        let Some(value) = self.value(name)? else { return Ok(None) };
        let spec = self.spec(name);
        let value_type = match spec.argument {
            Argument::None => return Ok(None),
            Argument::Required(value_type, _) | Argument::Optional(value_type, _) => value_type,
        };
        let found = value_type.choices().iter().find(|choice| choice.eq_ignore_ascii_case(value));
        found.map(|choice| Some(*choice)).ok_or_else(|| OptionError::NoChoice {
            option: spec.name,
            value: value.to_owned(),
            choices: value_type.name(),
        })
    }

    /// The names of the options given, in their order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.found.iter().map(|(spec, _)| spec.name)
    }

    fn number<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, OptionError> {
        let option = self.spec(name).name;
        let convert = |value: &&str| {
            value.parse::<N>().map_err(|_| OptionError::Conversion { option, value: (*value).to_owned() })
        };
        let mut numbers = self.values(name).iter().map(convert).collect::<Result<Vec<N>, OptionError>>()?;
        match numbers.len() {
            0 | 1 => Ok(numbers.pop()),
            _ => Err(OptionError::MultipleArguments(option)),
        }
    }

    fn spec(&self, name: &str) -> &'static OptionSpec {
        self.specs.iter().find(|spec| spec.name == name).expect("tools ask for options of their own tables only")
    }
}

/// `CommandLineUtils.parseKeyValueArgs`: `key=value`, `key=` or `key`.
#[must_use]
pub fn key_values(arguments: &[&str]) -> Vec<(String, String)> {
    let pair = |argument: &&str| {
        let (key, value) = argument.split_once('=').unwrap_or((argument, ""));
        (key.to_owned(), value.to_owned())
    };
    arguments.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECS: &[OptionSpec] = &[
        OptionSpec::flag("create", ""),
        OptionSpec::text("topic", "topic", "").or("d"),
        OptionSpec::integer("partitions", "n", ""),
        OptionSpec {
            name: "codec",
            argument: Argument::Optional(ValueType::String, "codec"),
            default: None,
            description: "",
        },
    ];

    fn parsed(line: &str) -> Result<ParsedOptions, OptionError> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(SPECS, &arguments)
    }

    #[test]
    fn an_option_may_be_written_in_three_ways() {
        for line in ["--create --topic a", "--topic=a --create", "-topic a -create stray"] {
            let options = parsed(line).unwrap();
            assert!(options.has("create"), "{line}");
            assert_eq!(options.value("topic"), Ok(Some("a")), "{line}");
        }
    }

    #[test]
    fn a_value_may_look_like_an_option() {
        assert_eq!(parsed("--topic --create").unwrap().value("topic"), Ok(Some("--create")));
        assert_eq!(parsed("--topic= x").unwrap().value("topic"), Ok(Some("x")));
        assert_eq!(parsed("--codec --create").unwrap().value("codec"), Ok(None));
        assert_eq!(parsed("--codec lz4").unwrap().value("codec"), Ok(Some("lz4")));
    }

    #[test]
    fn a_default_stands_in_for_a_missing_value_only() {
        let options = parsed("--create").unwrap();
        assert_eq!((options.value("topic"), options.has("topic")), (Ok(Some("d")), false));
    }

    #[test]
    fn mistakes_have_the_messages_of_jopt_simple() {
        let message = |line: &str| parsed(line).unwrap_err().message();
        assert_eq!(message("--foo"), "foo is not a recognized option");
        assert_eq!(message("--foo=1"), "foo is not a recognized option");
        assert_eq!(message("-foo"), "f is not a recognized option");
        assert_eq!(message("--topic"), "Option topic requires an argument");
        let number = parsed("--partitions abc").unwrap().integer("partitions").unwrap_err();
        assert_eq!(number.message(), "Cannot parse argument 'abc' of option partitions");
        let several = parsed("--topic a --topic b").unwrap();
        let several = several.value("topic").unwrap_err();
        assert_eq!(several.message(), "Found multiple arguments for option topic, but you asked for only one");
    }

    #[test]
    fn behind_two_dashes_nothing_is_an_option() {
        assert!(!parsed("-- --create").unwrap().has("create"));
    }
}
