//! JSON as the tools read it from files and write it: Jackson's `ObjectMapper` and Kafka's `JsonValue` over it.

use crate::java_exception::JavaException;
use std::fmt;

/// How deep values may be nested; Jackson has a limit too.
const DEEPEST: u32 = 200;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number that fits into 64 bits.
    Integer(i64),
    /// Any other number, as it was written.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    Array(Vec<Json>),
    /// Fields in the order in which they were written; of several with one name the last counts.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a value. What stands behind it is not looked at, as Jackson does not.
    #[must_use]
    pub fn parse(text: &str) -> Option<Json> {
        Reader { rest: text, depth: 0 }.value()
    }

    /// A text.
    #[must_use]
    pub fn text(text: &str) -> Json {
        Json::Text(text.to_owned())
    }

    /// An object with these fields.
    #[must_use]
    pub fn object(fields: Vec<(&str, Json)>) -> Json {
        Json::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The field of an object, if it is there.
    ///
    /// # Errors
    /// This is no object.
    pub fn get(&self, name: &str) -> Result<Option<&Json>, JavaException> {
        match self {
            Json::Object(fields) => Ok(fields.iter().rev().find(|(field, _)| field == name).map(|(_, value)| value)),
            Json::Null | Json::Boolean(_) | Json::Integer(_) | Json::Number(_) | Json::Text(_) | Json::Array(_) => {
                Err(mapping_exception(&format!("Expected JSON object, received {self}")))
            }
        }
    }

    /// The field of an object.
    ///
    /// # Errors
    /// This is no object, or has no such field.
    pub fn field(&self, name: &str) -> Result<&Json, JavaException> {
        self.get(name)?.ok_or_else(|| mapping_exception(&format!("No such field exists: `{name}`")))
    }

    /// The elements of a list.
    ///
    /// # Errors
    /// This is no list.
    pub fn elements(&self) -> Result<&[Json], JavaException> {
        match self {
            Json::Array(elements) => Ok(elements),
            Json::Null | Json::Boolean(_) | Json::Integer(_) | Json::Number(_) | Json::Text(_) | Json::Object(_) => {
                Err(mapping_exception(&format!("Expected JSON array, received {self}")))
            }
        }
    }

    /// A whole number of 32 bits.
    ///
    /// # Errors
    /// This is none.
    pub fn integer(&self) -> Result<i32, JavaException> {
        let number = if let Json::Integer(number) = self { i32::try_from(*number).ok() } else { None };
        number.ok_or_else(|| self.is_not("Integer"))
    }

    /// A whole number of 64 bits.
    ///
    /// # Errors
    /// This is none.
    pub fn long(&self) -> Result<i64, JavaException> {
        if let Json::Integer(number) = self { Ok(*number) } else { Err(self.is_not("Long")) }
    }

    /// A text.
    ///
    /// # Errors
    /// This is none.
    pub fn string(&self) -> Result<&str, JavaException> {
        if let Json::Text(text) = self { Ok(text) } else { Err(self.is_not("String")) }
    }

    fn is_not(&self, expected: &str) -> JavaException {
        mapping_exception(&format!("Expected `{expected}` value, received {self}"))
    }
}

/// What Jackson throws when a value is not of the kind that is wanted.
fn mapping_exception(message: &str) -> JavaException {
    JavaException::new("com.fasterxml.jackson.databind.JsonMappingException", message)
}

impl fmt::Display for Json {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => formatter.write_str("null"),
            Json::Boolean(value) => write!(formatter, "{value}"),
            Json::Integer(value) => write!(formatter, "{value}"),
            Json::Number(value) => formatter.write_str(value),
            Json::Text(text) => write_text(formatter, text),
            Json::Array(elements) => {
                formatter.write_str("[")?;
                for (index, element) in elements.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(formatter, "{comma}{element}")?;
                }
                formatter.write_str("]")
            }
            Json::Object(fields) => {
                formatter.write_str("{")?;
                for (index, (name, value)) in fields.iter().enumerate() {
                    formatter.write_str(if index == 0 { "" } else { "," })?;
                    write_text(formatter, name)?;
                    write!(formatter, ":{value}")?;
                }
                formatter.write_str("}")
            }
        }
    }
}

fn write_text(formatter: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    formatter.write_str("\"")?;
    for character in text.chars() {
        match character {
            '"' => formatter.write_str("\\\"")?,
            '\\' => formatter.write_str("\\\\")?,
            '\n' => formatter.write_str("\\n")?,
            '\r' => formatter.write_str("\\r")?,
            '\t' => formatter.write_str("\\t")?,
            control if u32::from(control) < 0x20 => write!(formatter, "\\u{:04X}", u32::from(control))?,
            other => write!(formatter, "{other}")?,
        }
    }
    formatter.write_str("\"")
}

struct Reader<'a> {
    rest: &'a str,
    depth: u32,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Option<Json> {
        self.skip_blanks();
        match self.rest.chars().next()? {
            '{' => self.nested(Reader::object),
            '[' => self.nested(Reader::array),
            '"' => self.text().map(Json::Text),
            '-' | '0'..='9' => self.number(),
            _ => self.word(),
        }
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    fn nested(&mut self, read: fn(&mut Reader<'a>) -> Option<Json>) -> Option<Json> {
        self.depth += 1;
        let value = if self.depth <= DEEPEST { read(self) } else { None };
        self.depth -= 1;
        value
    }

    /// Takes a character if it is the next one behind blanks.
    fn takes(&mut self, character: char) -> bool {
        self.skip_blanks();
        match self.rest.strip_prefix(character) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn object(&mut self) -> Option<Json> {
        let mut fields = Vec::new();
        self.takes('{');
        if self.takes('}') {
            return Some(Json::Object(fields));
        }
        loop {
            self.skip_blanks();
            let name = self.text()?;
            if !self.takes(':') {
                return None;
            }
            fields.push((name, self.value()?));
            if self.takes('}') {
                return Some(Json::Object(fields));
            }
            if !self.takes(',') {
                return None;
            }
        }
    }

    fn array(&mut self) -> Option<Json> {
        let mut elements = Vec::new();
        self.takes('[');
        if self.takes(']') {
            return Some(Json::Array(elements));
        }
        loop {
            elements.push(self.value()?);
            if self.takes(']') {
                return Some(Json::Array(elements));
            }
            if !self.takes(',') {
                return None;
            }
        }
    }

    fn text(&mut self) -> Option<String> {
        self.rest = self.rest.strip_prefix('"')?;
        let mut text = String::new();
        let mut characters = self.rest.char_indices();
        loop {
            let (index, character) = characters.next()?;
            match character {
                '"' => {
                    self.rest = &self.rest[index + 1..];
                    return Some(text);
                }
                '\\' => text.push(escaped(&mut characters)?),
                control if u32::from(control) < 0x20 => return None,
                other => text.push(other),
            }
        }
    }

    fn number(&mut self) -> Option<Json> {
        let is_part = |character: char| character.is_ascii_digit() || "+-.eE".contains(character);
        let end = self.rest.find(|character| !is_part(character)).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        self.rest = rest;
        let digits = number.strip_prefix('-').unwrap_or(number);
        let has_digits = digits.starts_with(|character: char| character.is_ascii_digit());
        let is_padded =
            digits.len() > 1 && digits.starts_with('0') && digits.chars().all(|digit| digit.is_ascii_digit());
        if !has_digits || is_padded {
            return None;
        }
        Some(number.parse().map_or_else(|_| Json::Number(number.to_owned()), Json::Integer))
    }

    fn word(&mut self) -> Option<Json> {
        let words = [("null", Json::Null), ("true", Json::Boolean(true)), ("false", Json::Boolean(false))];
        let (word, value) = words.into_iter().find(|(word, _)| self.rest.starts_with(word))?;
        self.rest = &self.rest[word.len()..];
        Some(value)
    }
}

fn escaped(characters: &mut std::str::CharIndices<'_>) -> Option<char> {
    Some(match characters.next()?.1 {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'u' => {
            let mut code = 0;
            for _ in 0..4 {
                code = code * 16 + characters.next()?.1.to_digit(16)?;
            }
            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        same @ ('"' | '\\' | '/') => same,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_again() {
        let text = r#"{"a":[1,-2,2.5,true,null],"b":{"c":"x\"\\\n"},"d":[],"e":{}}"#;
        assert_eq!(Json::parse(text).map(|json| json.to_string()), Some(text.to_owned()));
        assert_eq!(Json::parse(" { \"a\" : [ ] } behind"), Some(Json::object(vec![("a", Json::Array(Vec::new()))])));
        assert_eq!(Json::parse(r#""\u00e4\/""#), Some(Json::text("ä/")));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["", "x", "{", "{\"a\"}", "[1,]", "[1 2]", "\"a", "{a:1}", "-", "01", "\"\\x\"", &"[".repeat(5_000)]
        {
            assert_eq!(Json::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_named() {
        let json = Json::parse(r#"{"a":"1","b":3000000000}"#).unwrap();
        let message = |result: Result<i32, JavaException>| result.unwrap_err().message().to_owned();
        assert_eq!(message(json.field("a").and_then(Json::integer)), "Expected `Integer` value, received \"1\"");
        assert_eq!(message(json.field("b").and_then(Json::integer)), "Expected `Integer` value, received 3000000000");
        assert_eq!(message(json.field("c").and_then(Json::integer)), "No such field exists: `c`");
        assert_eq!(json.field("b").and_then(Json::long), Ok(3_000_000_000));
        assert_eq!(json.elements().unwrap_err().message(), format!("Expected JSON array, received {json}"));
    }
}
