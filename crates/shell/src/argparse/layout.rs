//! How argparse4j lays texts out: two columns, lines wrapped and stretched to one width (`TextHelper`).

use crate::usage::breakable_parts;

/// The columns of a help text.
pub(super) const WIDTH: usize = 75;
/// Where descriptions begin.
const DESCRIPTION_COLUMN: usize = 25;

/// A name and its description beside it, or below it if the name is too long.
pub(super) fn entry(indent: &str, name: &str, description: &str) -> Vec<String> {
    let mut descriptions = justified(description, WIDTH - DESCRIPTION_COLUMN).into_iter();
    let name = format!("{indent}{name}");
    let mut lines = Vec::new();
    if name.chars().count() + 2 > DESCRIPTION_COLUMN {
        lines.push(name);
    } else {
        lines.push(format!("{name:DESCRIPTION_COLUMN$}{}", descriptions.next().unwrap_or_default()));
    }
    lines.extend(descriptions.map(|line| format!("{:DESCRIPTION_COLUMN$}{line}", "")));
    lines
}

/// `TextHelper.wrap`: every line but the last is stretched to the width.
pub(super) fn justified(text: &str, width: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for part in breakable_parts(text) {
        if line.chars().count() + part.chars().count() > width {
            lines.push(stretched(line.trim_matches(' '), width));
            line = String::new();
        }
        line.push_str(part);
    }
    lines.push(line);
    lines
}

/// `TextHelper.adjustSpace`: blanks are added evenly, what is left over in the middle.
fn stretched(line: &str, width: usize) -> String {
    let gaps = line.split(' ').count() - 1;
    let Some(needed) = width.checked_sub(line.chars().count()).filter(|_| gaps > 0) else { return line.to_owned() };
    let (each, left_over) = (needed / gaps, needed % gaps);
    let first = (gaps - left_over).div_ceil(2);
    let mut stretched = String::new();
    for (gap, word) in line.split(' ').enumerate() {
        if let Some(gap) = gap.checked_sub(1) {
            let more = usize::from((first..first + left_over).contains(&gap));
            stretched.push_str(&" ".repeat(1 + each + more));
        }
        stretched.push_str(word);
    }
    stretched
}
