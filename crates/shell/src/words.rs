//! Splits a command line into words, redirections and pipeline stages, in the manner of a POSIX shell.
//!
//! Understood: single and double quotes, backslashes, comments, `|`, `<`, `>`, `>>`, `2>`, `2>>`, `&>`, `2>&1` and
//! `1>&2`. Not understood, and said so: `&&`, `||`, `;`, `&`, here documents, subshells and substitutions. A `$` stays
//! as it is, because the only variable anybody types here is `$KAFKA_HOME` in front of a tool's name.

use std::fmt;

/// A command line, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pipeline {
    /// The commands, each reading what the one before it writes. Empty for a blank line or a comment.
    pub stages: Vec<Stage>,
}

/// One command with its redirections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// The command's name and its arguments.
    pub words: Vec<String>,
    /// Redirections, in the order given.
    pub redirections: Vec<Redirection>,
}

/// Where a stream goes to or comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redirection {
    /// `< FILE`.
    Input(String),
    /// `> FILE` and `>> FILE`.
    Output(FileTarget),
    /// `2> FILE` and `2>> FILE`.
    Errors(FileTarget),
    /// `&> FILE`: both.
    Both(FileTarget),
    /// `2>&1`.
    ErrorsToOutput,
    /// `1>&2` or `>&2`.
    OutputToErrors,
}

/// A file to write to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileTarget {
    /// Its name.
    pub path: String,
    /// `>>` instead of `>`.
    pub is_append: bool,
}

/// What is wrong with a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WordsError {
    /// A quote that is never closed.
    UnclosedQuote(char),
    /// An operator where a word should be.
    UnexpectedToken(String),
    /// Something that real shells can do and this one cannot.
    NotSupported(String),
}

impl fmt::Display for WordsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WordsError::UnclosedQuote(quote) => {
                write!(formatter, "bash: unexpected EOF while looking for matching `{quote}'")
            }
            WordsError::UnexpectedToken(token) => {
                write!(formatter, "bash: syntax error near unexpected token `{token}'")
            }
            WordsError::NotSupported(what) => {
                write!(formatter, "kafkascope: `{what}` is not supported in this terminal: run one pipeline per line")
            }
        }
    }
}

/// A lexical piece of a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Operator(&'static str),
}

/// Longest first, so that `>>` is not taken for two `>`.
const OPERATORS: [&str; 15] =
    ["2>&1", "1>&2", "2>>", ">&2", "&>", "<<", ">>", "2>", "&&", "||", "|", "<", ">", ";", "&"];

/// Takes a command line apart.
///
/// # Errors
/// An open quote, an operator without its word, or something that this shell cannot do.
pub fn parse(line: &str) -> Result<Pipeline, WordsError> {
    let mut stages = vec![Stage::default()];
    let mut tokens = tokenize(line)?.into_iter();
    while let Some(token) = tokens.next() {
        let stage = stages.last_mut().expect("there is always a stage");
        match token {
            Token::Word(word) => stage.words.push(word),
            Token::Operator("|") if stage.words.is_empty() => return Err(WordsError::UnexpectedToken("|".to_owned())),
            Token::Operator("|") => stages.push(Stage::default()),
            Token::Operator(operator) => stage.redirections.push(redirection(operator, &mut tokens)?),
        }
    }
    close(stages)
}

fn close(mut stages: Vec<Stage>) -> Result<Pipeline, WordsError> {
    let is_blank = stages.len() == 1 && stages[0].words.is_empty() && stages[0].redirections.is_empty();
    if is_blank {
        stages.clear();
    } else if stages.iter().any(|stage| stage.words.is_empty()) {
        return Err(WordsError::UnexpectedToken("newline".to_owned()));
    }
    Ok(Pipeline { stages })
}

fn redirection(operator: &'static str, tokens: &mut impl Iterator<Item = Token>) -> Result<Redirection, WordsError> {
    let mut file = |is_append| match tokens.next() {
        Some(Token::Word(path)) => Ok(FileTarget { path, is_append }),
        Some(Token::Operator(other)) => Err(WordsError::UnexpectedToken(other.to_owned())),
        None => Err(WordsError::UnexpectedToken("newline".to_owned())),
    };
    match operator {
        "<" => Ok(Redirection::Input(file(false)?.path)),
        ">" => Ok(Redirection::Output(file(false)?)),
        ">>" => Ok(Redirection::Output(file(true)?)),
        "2>" => Ok(Redirection::Errors(file(false)?)),
        "2>>" => Ok(Redirection::Errors(file(true)?)),
        "&>" => Ok(Redirection::Both(file(false)?)),
        "2>&1" => Ok(Redirection::ErrorsToOutput),
        "1>&2" | ">&2" => Ok(Redirection::OutputToErrors),
        other => Err(WordsError::NotSupported(other.to_owned())),
    }
}

/// The word that is being read; `None` between words, because `''` is a word too.
type Open = Option<String>;

fn tokenize(line: &str) -> Result<Vec<Token>, WordsError> {
    let mut tokens = Vec::new();
    let mut open: Open = None;
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        if open.is_none() && first == '#' {
            break;
        }
        if let Some(operator) = operator_at(rest, open.is_none()) {
            tokens.extend(open.take().map(Token::Word));
            tokens.push(Token::Operator(operator));
            rest = &rest[operator.len()..];
        } else if first.is_whitespace() {
            tokens.extend(open.take().map(Token::Word));
            rest = &rest[first.len_utf8()..];
        } else {
            rest = read_part(rest, first, open.get_or_insert_default())?;
        }
    }
    tokens.extend(open.map(Token::Word));
    Ok(tokens)
}

/// The operator at the beginning of `rest`. Those with a number count only where a word may begin: `a2>b` is the word
/// `a2` and `>`.
fn operator_at(rest: &str, is_between_words: bool) -> Option<&'static str> {
    let begins = |operator: &&&str| rest.starts_with(**operator);
    let is_allowed = |operator: &&&str| is_between_words || !operator.starts_with(|first: char| first.is_ascii_digit());
    OPERATORS.iter().filter(is_allowed).find(begins).copied()
}

/// Reads a quoted part, an escaped character or a plain one into `word`; gives back what is behind it.
fn read_part<'a>(rest: &'a str, first: char, word: &mut String) -> Result<&'a str, WordsError> {
    match first {
        '\'' => read_single_quoted(&rest[1..], word),
        '"' => read_double_quoted(&rest[1..], word),
        '\\' => {
            let mut characters = rest[1..].chars();
            word.push(characters.next().unwrap_or('\\'));
            Ok(characters.as_str())
        }
        '`' => Err(WordsError::NotSupported("`".to_owned())),
        '(' | ')' => Err(WordsError::NotSupported(first.to_string())),
        '$' if rest.starts_with("$(") => Err(WordsError::NotSupported("$(".to_owned())),
        plain => {
            word.push(plain);
            Ok(&rest[plain.len_utf8()..])
        }
    }
}

fn read_single_quoted<'a>(rest: &'a str, word: &mut String) -> Result<&'a str, WordsError> {
    let end = rest.find('\'').ok_or(WordsError::UnclosedQuote('\''))?;
    word.push_str(&rest[..end]);
    Ok(&rest[end + 1..])
}

fn read_double_quoted<'a>(rest: &'a str, word: &mut String) -> Result<&'a str, WordsError> {
    let mut characters = rest.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return Ok(characters.as_str()),
            '\\' => match characters.next() {
                Some(escaped @ ('"' | '\\' | '$' | '`')) => word.push(escaped),
                Some(other) => word.extend(['\\', other]),
                None => break,
            },
            plain => word.push(plain),
        }
    }
    Err(WordsError::UnclosedQuote('"'))
}

/// What `String.split` and `Pattern.split` of Java keep: empty strings at the end do not count, but there is always one
/// string.
#[must_use]
pub fn as_java_splits<'a>(parts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut parts: Vec<&str> = parts.collect();
    while parts.len() > 1 && parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        parse(line).unwrap().stages.into_iter().flat_map(|stage| stage.words).collect()
    }

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        let cases: [(&str, &[&str]); 9] = [
            ("a  b\tc", &["a", "b", "c"]),
            ("--property 'key.separator= => '", &["--property", "key.separator= => "]),
            (r#"--topic "test\.topic""#, &["--topic", r"test\.topic"]),
            (r"a\ b c", &["a b", "c"]),
            ("'' \"\"", &["", ""]),
            ("a # b", &["a"]),
            ("a#b", &["a#b"]),
            ("x'y'\"z\"", &["xyz"]),
            (r#""a\"b""#, &["a\"b"]),
        ];
        for (line, expected) in cases {
            assert_eq!(words(line), expected, "{line}");
        }
    }

    #[test]
    fn redirections_belong_to_their_stage() {
        let pipeline = parse("printf 'x' | tool --a b >>out 2>/dev/null").unwrap();
        assert_eq!(pipeline.stages.len(), 2);
        assert_eq!(pipeline.stages[1].words, ["tool", "--a", "b"]);
        let out = FileTarget { path: "out".to_owned(), is_append: true };
        let null = FileTarget { path: "/dev/null".to_owned(), is_append: false };
        assert_eq!(pipeline.stages[1].redirections, [Redirection::Output(out), Redirection::Errors(null)]);
    }

    #[test]
    fn what_cannot_be_understood_is_said() {
        assert_eq!(parse("a 'b"), Err(WordsError::UnclosedQuote('\'')));
        assert_eq!(parse("a >"), Err(WordsError::UnexpectedToken("newline".to_owned())));
        assert_eq!(parse("| a"), Err(WordsError::UnexpectedToken("|".to_owned())));
        assert_eq!(parse("a && b"), Err(WordsError::NotSupported("&&".to_owned())));
        assert_eq!(parse("   # nothing").unwrap().stages, []);
    }
}
