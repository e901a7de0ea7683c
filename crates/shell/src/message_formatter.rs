//! How the console consumer prints a record (`DefaultMessageFormatter` and its like). Keys, values and headers are text:
//! of the deserializers only those that leave bytes as they are or read them as text are simulated.

use wire::{Bytes, Header, Offset, PartitionIndex, Record, Timestamp, TimestampType};

/// A formatter with its properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageFormatter {
    kind: Kind,
    columns: Columns,
    key_separator: String,
    line_separator: String,
    headers_separator: String,
    null_literal: String,
}

/// Which formatter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Prints records. `LoggingMessageFormatter` does the same here, because its log lines are below WARN.
    Default,
    /// Prints nothing.
    NoOp,
}

/// The columns that are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Columns {
    timestamp: bool,
    partition: bool,
    offset: bool,
    headers: bool,
    key: bool,
    value: bool,
}

/// A record with what surrounds it.
#[derive(Clone, Copy, Debug)]
pub struct ConsumedRecord<'a> {
    /// Its partition.
    pub partition: PartitionIndex,
    /// Its offset.
    pub offset: Offset,
    /// Its timestamp.
    pub timestamp: Timestamp,
    /// Whose clock that is from.
    pub timestamp_type: TimestampType,
    /// The record.
    pub record: &'a Record,
}

impl MessageFormatter {
    /// A formatter with `--formatter-config` and `--property` values; later ones win.
    #[must_use]
    pub fn new(kind: Kind, properties: &[(String, String)]) -> MessageFormatter {
        let find = |name: &str| properties.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let text = |name: &str, default: &str| find(name).unwrap_or(default).to_owned();
        let flag =
            |name: &str, default: bool| find(name).map_or(default, |value| value.trim().eq_ignore_ascii_case("true"));
        MessageFormatter {
            kind,
            columns: Columns {
                timestamp: flag("print.timestamp", false),
                partition: flag("print.partition", false),
                offset: flag("print.offset", false),
                headers: flag("print.headers", false),
                key: flag("print.key", false),
                value: flag("print.value", true),
            },
            key_separator: text("key.separator", "\t"),
            line_separator: text("line.separator", "\n"),
            headers_separator: text("headers.separator", ","),
            null_literal: text("null.literal", "null"),
        }
    }

    /// The record as it is printed, its end of line included.
    #[must_use]
    pub fn format(&self, message: ConsumedRecord<'_>) -> String {
        match self.kind {
            Kind::NoOp => String::new(),
            Kind::Default => self.printed(message),
        }
    }

    fn printed(&self, message: ConsumedRecord<'_>) -> String {
        let Columns { timestamp, partition, offset, headers, key, value } = self.columns;
        let columns = [
            timestamp.then(|| timestamp_text(message)),
            partition.then(|| format!("Partition:{}", message.partition)),
            offset.then(|| format!("Offset:{}", message.offset)),
            headers.then(|| self.headers(&message.record.headers)),
            key.then(|| self.text(message.record.key.as_ref())),
            value.then(|| self.text(message.record.value.as_ref())),
        ];
        let columns: Vec<String> = columns.into_iter().flatten().collect();
        if columns.is_empty() {
            return String::new();
        }
        format!("{}{}", columns.join(&self.key_separator), self.line_separator)
    }

    fn headers(&self, headers: &[Header]) -> String {
        if headers.is_empty() {
            return "NO_HEADERS".to_owned();
        }
        let header = |header: &Header| format!("{}:{}", header.key, self.text(header.value.as_ref()));
        headers.iter().map(header).collect::<Vec<_>>().join(&self.headers_separator)
    }

    fn text(&self, bytes: Option<&Bytes>) -> String {
        bytes.map_or_else(|| self.null_literal.clone(), |bytes| String::from_utf8_lossy(bytes).into_owned())
    }
}

fn timestamp_text(message: ConsumedRecord<'_>) -> String {
    match message.timestamp_type {
        TimestampType::CreateTime => format!("CreateTime:{}", message.timestamp),
        TimestampType::LogAppendTime => format!("LogAppendTime:{}", message.timestamp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(properties: &[&str], headers: &[(&str, &str)], value: Option<&[u8]>) -> String {
        let pair = |text: &&str| text.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())).unwrap();
        let properties: Vec<_> = properties.iter().map(pair).collect();
        let header = |(key, value): &(&str, &str)| Header { key: (*key).into(), value: Some(value.as_bytes().into()) };
        let mut record = Record::new(Some(b"key"), value, Timestamp(99));
        record.headers = headers.iter().map(header).collect();
        let message = ConsumedRecord {
            partition: PartitionIndex(0),
            offset: Offset(123),
            timestamp: Timestamp(99),
            timestamp_type: TimestampType::CreateTime,
            record: &record,
        };
        MessageFormatter::new(Kind::Default, &properties).format(message)
    }

    #[test]
    fn columns_stand_in_kafkas_order() {
        let cases: [(&[&str], &str); 9] = [
            (&[], "value\n"),
            (&["print.key=true"], "key\tvalue\n"),
            (&["print.key=true", "print.partition=true"], "Partition:0\tkey\tvalue\n"),
            (&["print.timestamp=TRUE", "print.offset=true"], "CreateTime:99\tOffset:123\tvalue\n"),
            (&["print.headers=true"], "h1:v1,h2:v2\tvalue\n"),
            (&["print.headers=true", "headers.separator=|"], "h1:v1|h2:v2\tvalue\n"),
            (&["print.key=true", "print.value=false"], "key\n"),
            (&["print.key=true", "key.separator=<sep>", "line.separator=<end>"], "key<sep>value<end>"),
            (&["print.value=false"], ""),
        ];
        for (properties, expected) in cases {
            assert_eq!(printed(properties, &[("h1", "v1"), ("h2", "v2")], Some(b"value")), expected, "{properties:?}");
        }
    }

    #[test]
    fn what_is_not_there_has_a_name() {
        assert_eq!(printed(&["print.headers=true", "null.literal=<null>"], &[], None), "NO_HEADERS\t<null>\n");
    }
}
