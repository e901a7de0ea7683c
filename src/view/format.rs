//! Small pieces of text: instants, spans, bytes, lists; and how wide text will be, roughly, without asking a browser.

use super::draw_list::Font;
use kafka::instant::{Duration, Instant};
use wire::request::Acks;
use wire::zookeeper::{SessionId, ZnodePath};
use wire::{BrokerId, Bytes, TopicPartition};

/// Seconds with milliseconds, `12.345 s`.
pub(crate) fn instant(instant: Instant) -> String {
    format!("{}.{:03} s", instant.0 / 1_000_000, instant.0 / 1_000 % 1_000)
}

/// Seconds with microseconds, for stepping: `12.345678 s`.
pub(crate) fn exact_instant(instant: Instant) -> String {
    format!("{instant} s")
}

/// What `{:#?}` writes, with every tuple of one part on one line: `Some(BrokerId(1))`.
pub(crate) fn fields(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let end = line.trim_start();
        match lines.as_slice() {
            [.., opening, part] if end.starts_with(')') && opening.ends_with('(') => {
                let joined = format!("{opening}{}{end}", part.trim().trim_end_matches(','));
                lines.truncate(lines.len() - 2);
                lines.push(joined);
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

/// Milliseconds, with one digit where it says something: `80`, `80.5`.
pub(crate) fn milliseconds(span: Duration) -> String {
    match span.0 / 100 % 10 {
        0 => format!("{}", span.0 / 1_000),
        tenths => format!("{}.{tenths}", span.0 / 1_000),
    }
}

/// A clock's offset with its sign: `+5 s`, `−250 ms`.
pub(crate) fn offset(milliseconds: i64) -> String {
    let sign = if milliseconds < 0 { '−' } else { '+' };
    match milliseconds.unsigned_abs() {
        whole if whole.is_multiple_of(1_000) => format!("{sign}{} s", whole / 1_000),
        milliseconds => format!("{sign}{milliseconds} ms"),
    }
}

/// Per mille as per cent, with one digit where it says something: `20 %`, `0.5 %`.
pub(crate) fn permille(permille: u16) -> String {
    match permille % 10 {
        0 => format!("{} %", permille / 10),
        tenths => format!("{}.{tenths} %", permille / 10),
    }
}

/// A key or a value as text; what is not UTF-8 shows as replacement characters, as the console consumer shows it.
pub(crate) fn bytes(bytes: Option<&Bytes>) -> String {
    match bytes {
        None => "null".to_owned(),
        Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// As much of a key or a value as a sentence holds: a value may have a megabyte.
pub(crate) fn excerpt(bytes: Option<&Bytes>) -> String {
    const LETTERS: usize = 80;
    shortened(&bytes.map_or_else(|| "null".to_owned(), |bytes| beginning(bytes, 4 * LETTERS)), LETTERS)
}

/// The beginning of what somebody wrote, as much as a sentence holds.
pub(crate) fn shortened(text: &str, letters: usize) -> String {
    match text.char_indices().nth(letters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The text of the first bytes; a letter that is cut through shows as a replacement character.
pub(crate) fn beginning(bytes: &Bytes, limit: usize) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(limit)]).into_owned()
}

/// `1, 2, 3`
pub(crate) fn broker_ids(ids: &[BrokerId]) -> String {
    let ids: Vec<String> = ids.iter().map(BrokerId::to_string).collect();
    ids.join(", ")
}

/// A session's id as ZooKeeper writes it, `0x100004a8d040000`.
pub(crate) fn session(session: SessionId) -> String {
    format!("{:#x}", session.0)
}

/// `/controller, /brokers/ids/1`
pub(crate) fn paths(paths: &[ZnodePath]) -> String {
    let paths: Vec<&str> = paths.iter().map(|path| path.0.as_ref()).collect();
    paths.join(", ")
}

/// `all`, `1` or `0`, as configurations write it.
pub(crate) fn acks(acks: Acks) -> &'static str {
    match acks {
        Acks::None => "0",
        Acks::Leader => "1",
        Acks::All => "all",
    }
}

/// Roughly how wide a text is: East Asian letters are as wide as high, others about half of that.
pub(crate) fn text_width(text: &str, font: Font) -> f64 {
    let weight = if font.is_bold() { 0.64 } else { 0.59 };
    let ems: f64 = text.chars().map(|letter| if is_wide(letter) { 1.0 } else { weight }).sum();
    ems * font.size()
}

/// The text, cut with an ellipsis if it would be wider than that.
pub(crate) fn fitted(text: &str, font: Font, width: f64) -> String {
    if text_width(text, font) <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    for letter in text.chars().take_while(|letter| !letter.is_control()) {
        cut.push(letter);
        if text_width(&cut, font) + font.size() * 0.8 > width {
            cut.pop();
            break;
        }
    }
    cut.push('…');
    cut
}

/// `a.very.lo…-12`: of a long name the topic is cut, never the partition's number.
pub(crate) fn fitted_partition(partition: &TopicPartition, font: Font, width: f64) -> String {
    let number = format!("-{}", partition.partition);
    format!("{}{number}", fitted(partition.topic.as_str(), font, width - text_width(&number, font)))
}

fn is_wide(letter: char) -> bool {
    matches!(u32::from(letter), 0x1100..=0x11ff | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xff00..=0xff60 | 0x1f300..=0x1faff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{PartitionIndex, TopicName};

    #[test]
    fn a_tuple_of_one_part_stands_on_one_line() {
        let value = (Some(BrokerId(1)), vec![(BrokerId(2), "a(\nb"), (BrokerId(3), "")]);
        let expected = "(\n    Some(BrokerId(1)),\n    [\n        (\n            BrokerId(2),\n            \"a(\\nb\",\n        \
                        ),\n        (\n            BrokerId(3),\n            \"\",\n        ),\n    ],\n)";
        assert_eq!(fields(&format!("{value:#?}")), expected);
    }

    #[test]
    fn instants_and_spans_read_as_seconds_and_milliseconds() {
        assert_eq!(instant(Instant(12_345_678)), "12.345 s");
        assert_eq!(exact_instant(Instant(12_345_678)), "12.345678 s");
        assert_eq!(milliseconds(Duration(80_520)), "80.5");
        assert_eq!(milliseconds(Duration(120_000)), "120");
        assert_eq!((offset(-5_000), offset(250)), ("−5 s".to_owned(), "+250 ms".to_owned()));
    }

    #[test]
    fn of_a_long_partition_name_the_number_stays() {
        let partition = |topic| TopicPartition::new(TopicName::new(topic), PartitionIndex(12));
        assert_eq!(fitted_partition(&partition("orders"), Font::Tiny, 100.0), "orders-12");
        let cut = fitted_partition(&partition("a-topic-with-a-very-long-name"), Font::Tiny, 80.0);
        assert!(cut.starts_with("a-topic") && cut.ends_with("…-12") && text_width(&cut, Font::Tiny) <= 80.0, "{cut}");
    }

    #[test]
    fn a_sentence_holds_the_beginning_of_a_long_value() {
        assert_eq!(excerpt(None), "null");
        assert_eq!(excerpt(Some(&Bytes::from("가나다".as_bytes()))), "가나다");
        let long = Bytes::from("가".repeat(400_000).as_bytes());
        assert_eq!(excerpt(Some(&long)), format!("{}…", "가".repeat(80)));
    }

    #[test]
    fn long_text_is_cut_with_an_ellipsis() {
        assert_eq!(fitted("order", Font::Tiny, 100.0), "order");
        let cut = fitted("a very long value that does not fit", Font::Tiny, 60.0);
        assert!(cut.ends_with('…') && text_width(&cut, Font::Tiny) <= 60.0, "{cut}");
        assert_eq!(fitted("한국어로 쓴 값", Font::Tiny, 30.0), "한국…");
    }
}
