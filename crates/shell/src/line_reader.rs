//! How the console producer makes records of lines (`LineMessageReader` of Kafka 3.9).

use crate::java_exception::JavaException;
use crate::words::as_java_splits;
use kafka::node::ProducerRecord;
use regex_lite::Regex;
use wire::{Bytes, Header, TopicName};

/// The reader with its properties.
#[derive(Clone, Debug)]
pub struct LineReader {
    topic: TopicName,
    parse_key: bool,
    key_separator: String,
    parse_headers: bool,
    headers_delimiter: String,
    headers_separator: String,
    headers_separator_pattern: Regex,
    headers_key_separator: String,
    ignore_error: bool,
    null_marker: Option<String>,
    /// `--sync`: a record that fails ends the program.
    is_synchronous: bool,
}

impl LineReader {
    /// A reader of records for `topic` with `--reader-config` and `--property` values; later ones win.
    ///
    /// # Errors
    /// Separators that cannot be told apart.
    pub fn new(
        topic: &str,
        properties: &[(String, String)],
        is_synchronous: bool,
    ) -> Result<LineReader, JavaException> {
        let find = |name: &str| properties.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let text = |name: &str, default: &str| find(name).unwrap_or_else(|| default.to_owned());
        let is_true = |name: &str| find(name).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
        let headers_separator = text("headers.separator", ",");
        let reader = LineReader {
            topic: TopicName::new(topic),
            parse_key: is_true("parse.key"),
            key_separator: text("key.separator", "\t"),
            parse_headers: is_true("parse.headers"),
            headers_delimiter: text("headers.delimiter", "\t"),
            headers_separator_pattern: pattern(&headers_separator)?,
            headers_separator,
            headers_key_separator: text("headers.key.separator", ":"),
            ignore_error: is_true("ignore.error"),
            null_marker: find("null.marker"),
            is_synchronous,
        };
        reader.check()?;
        Ok(reader)
    }

    /// Whether a record that fails ends the program (`--sync`).
    #[must_use]
    pub fn is_synchronous(&self) -> bool {
        self.is_synchronous
    }

    fn check(&self) -> Result<(), JavaException> {
        let named = [
            ("key.separator", &self.key_separator),
            ("headers.separator", &self.headers_separator),
            ("headers.delimiter", &self.headers_delimiter),
            ("headers.key.separator", &self.headers_key_separator),
        ];
        let [_, separator, delimiter, key_separator] = named;
        for (first, second) in [(delimiter, separator), (delimiter, key_separator), (separator, key_separator)] {
            if first.1 == second.1 {
                return Err(may_not_be_equal(first.0, second.0));
            }
        }
        match named.iter().find(|(_, value)| self.null_marker.as_ref() == Some(*value)) {
            Some((name, _)) => Err(may_not_be_equal("null.marker", name)),
            None => Ok(()),
        }
    }

    /// The record in one line. Lines are numbered from 1.
    ///
    /// # Errors
    /// A separator that is not there, unless `ignore.error` is set.
    pub fn read(&self, line: &str, line_number: u64) -> Result<ProducerRecord, JavaException> {
        let at = Place { line, line_number };
        let headers = self.part(self.parse_headers, at, 0, &self.headers_delimiter, "headers delimiter")?;
        let key_start = headers.map_or(0, |headers| headers.len() + self.headers_delimiter.len());
        let key = self.part(self.parse_key, at, key_start, &self.key_separator, "key separator")?;
        let value_start = key_start + key.map_or(0, |key| key.len() + self.key_separator.len());
        let headers = headers.filter(|headers| !self.is_null(headers));
        Ok(ProducerRecord {
            topic: self.topic.clone(),
            partition: None,
            key: key.and_then(|key| self.bytes(key)),
            value: self.bytes(&line[value_start..]),
            headers: headers.map_or(Ok(Vec::new()), |headers| self.headers(headers, line_number))?,
        })
    }

    fn is_null(&self, text: &str) -> bool {
        self.null_marker.as_deref() == Some(text)
    }

    fn bytes(&self, text: &str) -> Option<Bytes> {
        (!self.is_null(text)).then(|| Bytes::from(text.as_bytes()))
    }

    /// What stands between `start` and the separator; `None` if it is not to be looked for, or not there and errors are
    /// ignored.
    fn part<'a>(
        &self,
        is_wanted: bool,
        at: Place<'a>,
        start: usize,
        separator: &str,
        name: &str,
    ) -> Result<Option<&'a str>, JavaException> {
        if !is_wanted {
            return Ok(None);
        }
        match at.line[start..].find(separator) {
            Some(length) => Ok(Some(&at.line[start..start + length])),
            None if self.ignore_error => Ok(None),
            None => {
                let message = format!("No {name} found on line number {}: '{}'", at.line_number, at.line);
                Err(JavaException::kafka(&message))
            }
        }
    }

    fn headers(&self, text: &str, line_number: u64) -> Result<Vec<Header>, JavaException> {
        let pairs = as_java_splits(self.headers_separator_pattern.split(text));
        pairs.into_iter().map(|pair| self.header(pair, line_number)).collect()
    }

    fn header(&self, pair: &str, line_number: u64) -> Result<Header, JavaException> {
        let Some((key, value)) = pair.split_once(&self.headers_key_separator) else {
            if self.ignore_error {
                return Ok(Header { key: pair.into(), value: None });
            }
            let message = format!("No header key separator found in pair '{pair}' on line number {line_number}");
            return Err(JavaException::kafka(&message));
        };
        if self.is_null(key) {
            let message = format!("Header keys should not be equal to the null marker '{key}' as they can't be null");
            return Err(JavaException::kafka(&message));
        }
        Ok(Header { key: key.into(), value: self.bytes(value) })
    }
}

#[derive(Clone, Copy)]
struct Place<'a> {
    line: &'a str,
    line_number: u64,
}

fn may_not_be_equal(first: &str, second: &str) -> JavaException {
    JavaException::kafka(&format!("{first} and {second} may not be equal"))
}

/// `headers.separator` is a regular expression.
fn pattern(text: &str) -> Result<Regex, JavaException> {
    Regex::new(text).map_err(|error| JavaException::new("java.util.regex.PatternSyntaxException", &error.to_string()))
}

/// The lines of a text as `BufferedReader.readLine` finds them: ended by `\n`, `\r` or `\r\n`.
#[must_use]
pub fn lines_of(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        lines.push(&rest[..end]);
        let behind = &rest[end..];
        rest = behind.strip_prefix("\r\n").or_else(|| behind.get(1..)).unwrap_or("");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(properties: &[(&str, &str)]) -> Result<LineReader, JavaException> {
        let properties: Vec<_> = properties.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        LineReader::new("topic", &properties, false)
    }

    fn shown(record: &ProducerRecord) -> String {
        let text = |bytes: &Option<Bytes>| match bytes {
            Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            None => "<null>".to_owned(),
        };
        let headers: Vec<String> =
            record.headers.iter().map(|header| format!("{}={}", header.key, text(&header.value))).collect();
        format!("[{}] {} {}", headers.join(";"), text(&record.key), text(&record.value))
    }

    fn read(properties: &[(&str, &str)], line: &str) -> String {
        match reader(properties).and_then(|reader| reader.read(line, 2)) {
            Ok(record) => shown(&record),
            Err(exception) => exception.message().to_owned(),
        }
    }

    type Properties = &'static [(&'static str, &'static str)];

    const KEY: (&str, &str) = ("parse.key", "true");
    const HEADERS: (&str, &str) = ("parse.headers", "true");
    const IGNORE: (&str, &str) = ("ignore.error", "true");

    #[test]
    fn lines_become_records_as_kafka_reads_them() {
        let cases: [(Properties, &str, &str); 10] = [
            (&[], "a\tb", "[] <null> a\tb"),
            (&[KEY], "key\tvalue\tx", "[] key value\tx"),
            (&[KEY], "key\t", "[] key "),
            (&[KEY, ("key.separator", "=>")], "k=>v", "[] k v"),
            (&[KEY, HEADERS], "h0:v0,h1:v1\tk\tv", "[h0=v0;h1=v1] k v"),
            (&[HEADERS], "h0:v0,\tv", "[h0=v0] <null> v"),
            (&[HEADERS, KEY, IGNORE], "bad\tk\tv", "[bad=<null>] k v"),
            (&[KEY, IGNORE], "nokey", "[] <null> nokey"),
            (&[KEY, ("null.marker", "NULL")], "NULL\tNULL", "[] <null> <null>"),
            (&[HEADERS, ("null.marker", "N")], "h:N\tv", "[h=<null>] <null> v"),
        ];
        for (properties, line, expected) in cases {
            assert_eq!(read(properties, line), expected, "{line}");
        }
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        assert_eq!(read(&[KEY], "nokey"), "No key separator found on line number 2: 'nokey'");
        assert_eq!(read(&[HEADERS], "x"), "No headers delimiter found on line number 2: 'x'");
        assert_eq!(read(&[HEADERS], "x\tv"), "No header key separator found in pair 'x' on line number 2");
        let marker = [HEADERS, ("null.marker", "h")];
        assert_eq!(
            read(&marker, "h:x\tv"),
            "Header keys should not be equal to the null marker 'h' as they can't be null"
        );
    }

    #[test]
    fn separators_must_differ() {
        let cases: [(Properties, &str); 3] = [
            (&[("headers.separator", "\t")], "headers.delimiter and headers.separator may not be equal"),
            (&[("headers.key.separator", ",")], "headers.separator and headers.key.separator may not be equal"),
            (&[("null.marker", "\t")], "null.marker and key.separator may not be equal"),
        ];
        for (properties, message) in cases {
            assert_eq!(reader(properties).unwrap_err().message(), message);
        }
    }

    #[test]
    fn lines_end_as_java_ends_them() {
        assert_eq!(lines_of("a\nb\r\nc\rd"), ["a", "b", "c", "d"]);
        assert_eq!(lines_of("\n\n"), ["", ""]);
        assert_eq!(lines_of(""), [""; 0]);
    }
}
