//! The few commands of a Unix shell that stand around Kafka's tools: they make text (`printf`, `echo`, `cat`) or filter it
//! (`grep`, `sort`, `wc`, `head`, `tail`). Only what is commonly typed is understood.

use crate::files::Files;
use regex_lite::Regex;

/// What a text command came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextResult {
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// Exit status.
    pub status: i32,
}

impl TextResult {
    fn ok(out: String) -> TextResult {
        TextResult { out, err: String::new(), status: 0 }
    }

    fn fail(err: String, status: i32) -> TextResult {
        TextResult { out: String::new(), err: format!("{err}\n"), status }
    }
}

/// The names of the text commands.
pub const NAMES: [&str; 9] = ["printf", "echo", "cat", "ls", "grep", "sort", "wc", "head", "tail"];

/// Whether a command treats every line by itself, so that its output can be shown while its input still grows.
#[must_use]
pub fn is_per_line(words: &[String]) -> bool {
    words.first().is_some_and(|name| name == "grep" || name == "cat")
}

/// Runs a text command on its input; `None` if `words` does not begin with one.
#[must_use]
pub fn run(words: &[String], input: &str, files: &Files) -> Option<TextResult> {
    let (name, arguments) = words.split_first()?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Some(match name.as_str() {
        "printf" => printf(&arguments),
        "echo" => echo(&arguments),
        "cat" => cat(&arguments, input, files),
        "ls" => TextResult::ok(files.paths().map(|path| format!("{path}\n")).collect()),
        "grep" => grep(&arguments, input),
        "sort" => sort(&arguments, input),
        "wc" => wc(&arguments, input),
        "head" => some_lines("head", &arguments, input),
        "tail" => some_lines("tail", &arguments, input),
        _ => return None,
    })
}

fn echo(arguments: &[&str]) -> TextResult {
    let (line_end, arguments) = match arguments {
        ["-n", rest @ ..] => ("", rest),
        all => ("\n", all),
    };
    TextResult::ok(format!("{}{line_end}", arguments.join(" ")))
}

/// The format is used again until all arguments are spent, as POSIX wants it.
fn printf(arguments: &[&str]) -> TextResult {
    let Some((format, values)) = arguments.split_first() else {
        return TextResult::fail("printf: usage: printf format [arguments]".to_owned(), 2);
    };
    let mut out = String::new();
    let mut values = values.iter().copied();
    loop {
        let before = values.len();
        match printf_once(format, &mut values) {
            Ok(text) => out.push_str(&text),
            Err(error) => return TextResult::fail(error, 1),
        }
        if values.len() == 0 || values.len() == before {
            return TextResult::ok(out);
        }
    }
}

fn printf_once<'a>(format: &str, values: &mut impl Iterator<Item = &'a str>) -> Result<String, String> {
    let mut text = String::new();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => escape(&mut text, characters.next()),
            '%' => match characters.next() {
                Some('%') => text.push('%'),
                Some('s' | 'd') => text.push_str(values.next().unwrap_or("")),
                Some(other) => return Err(format!("printf: `{other}': invalid format character")),
                None => return Err("printf: `%': missing format character".to_owned()),
            },
            plain => text.push(plain),
        }
    }
    Ok(text)
}

fn escape(text: &mut String, character: Option<char>) {
    match character {
        Some('n') => text.push('\n'),
        Some('t') => text.push('\t'),
        Some('r') => text.push('\r'),
        Some('\\') | None => text.push('\\'),
        Some(other) => text.extend(['\\', other]),
    }
}

fn cat(arguments: &[&str], input: &str, files: &Files) -> TextResult {
    if arguments.is_empty() {
        return TextResult::ok(input.to_owned());
    }
    let mut result = TextResult::default();
    for path in arguments {
        match files.read(path) {
            Some(text) => result.out.push_str(text),
            None => {
                result.err.push_str(&format!("cat: {path}: No such file or directory\n"));
                result.status = 1;
            }
        }
    }
    result
}

fn grep(arguments: &[&str], input: &str) -> TextResult {
    let (is_inverted, pattern) = match arguments {
        ["-v", pattern] => (true, pattern),
        [pattern] if !pattern.starts_with('-') => (false, pattern),
        ["-E" | "-e", pattern] => (false, pattern),
        _ => return TextResult::fail("kafkascope: grep takes a pattern, and -v at most".to_owned(), 2),
    };
    let Ok(regex) = Regex::new(pattern) else {
        return TextResult::fail(format!("grep: {pattern}: invalid regular expression"), 2);
    };
    let lines = input.lines().filter(|line| regex.is_match(line) != is_inverted);
    let out: String = lines.map(|line| format!("{line}\n")).collect();
    let status = i32::from(out.is_empty());
    TextResult { out, err: String::new(), status }
}

fn sort(arguments: &[&str], input: &str) -> TextResult {
    let mut lines: Vec<&str> = input.lines().collect();
    lines.sort_unstable();
    match arguments {
        [] => {}
        ["-r"] => lines.reverse(),
        ["-u"] => lines.dedup(),
        _ => return TextResult::fail("kafkascope: sort takes -r or -u only".to_owned(), 2),
    }
    TextResult::ok(lines.iter().map(|line| format!("{line}\n")).collect())
}

fn wc(arguments: &[&str], input: &str) -> TextResult {
    match arguments {
        ["-l"] => TextResult::ok(format!("{}\n", input.matches('\n').count())),
        _ => TextResult::fail("kafkascope: wc takes -l only".to_owned(), 2),
    }
}

const DEFAULT_LINES: usize = 10;

fn some_lines(name: &str, arguments: &[&str], input: &str) -> TextResult {
    let count = match arguments {
        [] => Some(DEFAULT_LINES),
        ["-n", count] => count.parse().ok(),
        [count] => count.strip_prefix('-').and_then(|count| count.trim_start_matches('n').parse().ok()),
        _ => None,
    };
    let Some(count) = count else {
        return TextResult::fail(format!("{name}: invalid number of lines"), 1);
    };
    let lines: Vec<&str> = input.split_inclusive('\n').collect();
    let skipped = if name == "tail" { lines.len().saturating_sub(count) } else { 0 };
    TextResult::ok(lines.into_iter().skip(skipped).take(count).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(line: &str, input: &str) -> String {
        let words = crate::words::parse(line).unwrap().stages.remove(0).words;
        let result = run(&words, input, &Files::new()).unwrap();
        format!("{}{}={}", result.out, result.err, result.status)
    }

    #[test]
    fn text_commands_do_what_unix_does() {
        let cases = [
            ("printf 'a\\tb\\n'", "", "a\tb\n=0"),
            ("printf '%s-%s\\n' 1 2 3", "", "1-2\n3-\n=0"),
            ("printf '%%'", "", "%=0"),
            ("echo a  b", "", "a b\n=0"),
            ("cat", "x\n", "x\n=0"),
            ("cat nope", "", "cat: nope: No such file or directory\n=1"),
            ("grep b", "a\nb\n", "b\n=0"),
            ("grep -v b", "b\n", "=1"),
            ("sort", "b\na\n", "a\nb\n=0"),
            ("wc -l", "b\na\n", "2\n=0"),
            ("head -n 1", "b\na\n", "b\n=0"),
            ("tail -1", "b\na\n", "a\n=0"),
        ];
        for (line, input, expected) in cases {
            assert_eq!(out(line, input), expected, "{line}");
        }
    }
}
