//! A small file system in memory, for redirections and property files. Paths are plain names: there are no directories,
//! and `/dev/null` swallows everything.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Files by path. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    contents: Arc<BTreeMap<String, String>>,
}

impl Files {
    /// No files.
    #[must_use]
    pub fn new() -> Files {
        Files::default()
    }

    /// A file's text; `None` if there is no such file.
    #[must_use]
    pub fn read(&self, path: &str) -> Option<&str> {
        if path == "/dev/null" {
            return Some("");
        }
        self.contents.get(normal(path)).map(String::as_str)
    }

    /// Replaces a file, or makes it.
    pub fn write(&mut self, path: &str, text: &str) {
        if path != "/dev/null" {
            Arc::make_mut(&mut self.contents).insert(normal(path).to_owned(), text.to_owned());
        }
    }

    /// Adds to a file's end, or makes it.
    pub fn append(&mut self, path: &str, text: &str) {
        if path != "/dev/null" {
            Arc::make_mut(&mut self.contents).entry(normal(path).to_owned()).or_default().push_str(text);
        }
    }

    /// The paths, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.contents.keys().map(String::as_str)
    }
}

fn normal(path: &str) -> &str {
    path.strip_prefix("./").unwrap_or(path)
}

/// A Java properties file, as far as people write them: `key=value` lines, `:` or blanks as separators, `#` and `!`
/// comments. Later lines win by standing later in the list.
#[must_use]
pub fn parse_properties(text: &str) -> Vec<(String, String)> {
    let is_comment = |line: &str| line.is_empty() || line.starts_with(['#', '!']);
    text.lines().map(str::trim_start).filter(|line| !is_comment(line)).map(parse_property).collect()
}

fn parse_property(line: &str) -> (String, String) {
    let end = line.find(|character: char| matches!(character, '=' | ':') || character.is_whitespace());
    let (key, rest) = line.split_at(end.unwrap_or(line.len()));
    let rest = rest.trim_start();
    let value = rest.strip_prefix(['=', ':']).unwrap_or(rest).trim_start();
    (key.to_owned(), unescape(value))
}

/// Backslash escapes of properties files.
fn unescape(value: &str) -> String {
    let mut text = String::new();
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        text.push(match character {
            '\\' => match characters.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some(other) => other,
                None => '\\',
            },
            plain => plain,
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_read_as_java_reads_them() {
        let text = "# comment\nparse.key = true\nkey.separator=\\t\nacks: all\nempty=\n";
        let expected = [("parse.key", "true"), ("key.separator", "\t"), ("acks", "all"), ("empty", "")];
        let expected: Vec<_> = expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        assert_eq!(parse_properties(text), expected);
    }

    #[test]
    fn what_goes_to_dev_null_is_gone() {
        let mut files = Files::new();
        files.write("/dev/null", "x");
        files.append("./a", "1");
        files.append("a", "2");
        assert_eq!((files.read("/dev/null"), files.read("a"), files.read("b")), (Some(""), Some("12"), None));
    }
}
