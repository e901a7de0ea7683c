//! The usage table that Kafka's tools print on misuse, laid out as JOpt-Simple's `BuiltinHelpFormatter` does: 80
//! columns, two of them, long texts wrapped and indented by two.

use crate::options::{Argument, OptionSpec};

const OVERALL_WIDTH: usize = 80;
const SEPARATOR_WIDTH: usize = 2;
const INDENT: &str = "  ";

/// The table of a tool's options, one string per line. `specs` are sorted by name.
#[must_use]
pub fn usage_table(specs: &[OptionSpec]) -> Vec<String> {
    let mut rows =
        vec![("Option".to_owned(), "Description".to_owned()), ("------".to_owned(), "-----------".to_owned())];
    rows.extend(specs.iter().map(|spec| (option_text(spec), description_text(spec))));
    let widest = |column: fn(&(String, String)) -> &String| rows.iter().map(|row| column(row).len()).max().unwrap_or(0);
    let option_width = widest(|row| &row.0).min((OVERALL_WIDTH - SEPARATOR_WIDTH) / 2);
    let description_width = widest(|row| &row.1).min(OVERALL_WIDTH - option_width - SEPARATOR_WIDTH);
    rows.iter()
        .flat_map(|(option, description)| row_lines(option, option_width, description, description_width))
        .collect()
}

fn row_lines(option: &str, option_width: usize, description: &str, description_width: usize) -> Vec<String> {
    let options = wrapped(option, option_width);
    let descriptions = wrapped(description, description_width);
    let piece = |pieces: &[String], index: usize| pieces.get(index).cloned().unwrap_or_default();
    let line = |index| {
        let (left, right) = (piece(&options, index), piece(&descriptions, index));
        format!("{left:option_width$}{:SEPARATOR_WIDTH$}{right:description_width$}", "")
    };
    (0..options.len().max(descriptions.len())).map(line).collect()
}

fn option_text(spec: &OptionSpec) -> String {
    match spec.argument {
        Argument::None => format!("--{}", spec.name),
        Argument::Required(value, "") => format!("--{} <{}>", spec.name, value.name()),
        Argument::Required(value, shown) => format!("--{} <{}: {shown}>", spec.name, value.name()),
        Argument::Optional(value, "") => format!("--{} [{}]", spec.name, value.name()),
        Argument::Optional(value, shown) => format!("--{} [{}: {shown}]", spec.name, value.name()),
    }
}

fn description_text(spec: &OptionSpec) -> String {
    match spec.default {
        Some(default) => format!("{} (default: {default})", spec.description),
        None => spec.description.to_owned(),
    }
}

/// The text in pieces that fit into `width`, every piece but the first of a line indented.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    text.split('\n').flat_map(|line| wrapped_line(line, width)).collect()
}

fn wrapped_line(line: &str, width: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    for word in breakable_parts(line) {
        if piece.chars().count() + word.chars().count() > width {
            pieces.push(piece.trim_end().to_owned());
            piece = INDENT.to_owned();
        }
        piece.push_str(word);
    }
    if !piece.is_empty() {
        pieces.push(piece.trim_end().to_owned());
    }
    pieces
}

/// The line cut wherever Java's `BreakIterator` would break it, as far as texts of tools go.
#[must_use]
pub fn breakable_parts(line: &str) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut earlier, mut before) = (' ', None);
    for (index, character) in line.char_indices() {
        if let Some(before) = before {
            if may_break(earlier, before, character) {
                parts.push(&line[start..index]);
                start = index;
            }
            earlier = before;
        }
        before = Some(character);
    }
    parts.push(&line[start..]);
    parts
}

/// Whether a line may be broken between `before` and `after`. A dash in front of a number belongs to it, and so do a dot
/// and a comma within.
fn may_break(earlier: char, before: char, after: char) -> bool {
    match before {
        ' ' => after != ' ',
        '-' => after.is_alphabetic() || after == ',' || (after.is_numeric() && earlier.is_alphanumeric()),
        ',' | '.' => after.is_alphabetic() || after == '>' || (after.is_numeric() && !earlier.is_numeric()),
        ':' => after.is_alphanumeric() || after == '-',
        ';' | '!' | '?' | ')' | ']' | '}' => after.is_alphanumeric(),
        digit if digit.is_numeric() => matches!(after, '>' | '(' | '[' | '{'),
        letter => letter.is_alphabetic() && matches!(after, '(' | '[' | '{'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECS: &[OptionSpec] = &[
        OptionSpec::text(
            "bootstrap-server",
            "server to connect to",
            "REQUIRED: Where the cluster is to be found, host and port.",
        ),
        OptionSpec::flag("help", "Print this."),
        OptionSpec::long("timeout", "timeout_ms", "How long to wait").or("1000"),
    ];

    #[test]
    fn the_table_is_laid_out_as_jopt_simple_lays_it_out() {
        let expected = [
            "Option                                   Description                            ",
            "------                                   -----------                            ",
            "--bootstrap-server <String: server to    REQUIRED: Where the cluster is to be   ",
            "  connect to>                              found, host and port.                ",
            "--help                                   Print this.                            ",
            "--timeout <Long: timeout_ms>             How long to wait (default: 1000)       ",
        ];
        assert_eq!(usage_table(SPECS), expected);
    }

    #[test]
    fn lines_are_broken_where_java_breaks_them() {
        for line in [
            "<String: |topic1:|1,|topic2:|0-|3,|topic3,|topic4:|5-|,|topic5:|-3|>",
            "<String: |<timestamp> |/ |-1 |or |max-|timestamp>",
            "<String: |HOST1:|PORT1,...,|HOST3:|PORT3|>",
            "<String: |The |server|(s) |to |use>",
            "(default: |org.|apache.|kafka.|tools.|api.|StringDecoder)",
            "a-|1 |a--|b |--|bc |(x)|y |1,1 |1.1 |a,|1 |o=p",
        ] {
            assert_eq!(breakable_parts(&line.replace('|', "")).join("|"), line);
        }
    }
}
