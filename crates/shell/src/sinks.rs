//! Where a command's two streams go: to the screen, into files, or through text filters.

use crate::files::Files;
use crate::output::{Line, Stream};
use crate::text_commands;
use crate::words::{FileTarget, Redirection, Stage};
use kafka::instant::Instant;

/// Where one stream goes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Screen(Stream),
    File(FileTarget),
    Pipe,
}

/// Where the streams of a command and of the filters behind it go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sinks {
    out: Target,
    err: Target,
    /// The filters behind a pipe, in order.
    filters: Vec<Vec<String>>,
    /// Where the last filter's output goes.
    filtered: Target,
}

/// What came out of the sinks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// What is on the screen.
    pub screen: Vec<Line>,
    /// What is written to files, in order.
    pub writes: Vec<(FileTarget, String)>,
    /// The exit status of the last filter, if there is one and the command has ended.
    pub status: Option<i32>,
}

impl Sinks {
    /// The sinks of `stage`, with `filters` behind it.
    #[must_use]
    pub fn new(stage: &Stage, filters: &[Stage]) -> Sinks {
        let own = if filters.is_empty() { Target::Screen(Stream::Out) } else { Target::Pipe };
        let (out, err) = targets(own, &stage.redirections);
        let last = filters.last().map(|filter| targets(Target::Screen(Stream::Out), &filter.redirections).0);
        Sinks {
            out,
            err,
            filters: filters.iter().map(|filter| filter.words.clone()).collect(),
            filtered: last.unwrap_or(Target::Screen(Stream::Out)),
        }
    }

    /// Whether everything goes to the screen as it is.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.out == Target::Screen(Stream::Out) && self.err == Target::Screen(Stream::Err)
    }

    /// Sends lines where they go. Filters that need all of their input wait until the command `has_ended`.
    #[must_use]
    pub fn drain(&self, lines: &[Line], has_ended: Option<Instant>) -> Drained {
        let mut drained = Drained::default();
        let mut piped: Vec<Line> = Vec::new();
        for line in lines {
            let target = match line.stream {
                Stream::Out => &self.out,
                Stream::Err => &self.err,
                Stream::Typed => &Target::Screen(Stream::Typed),
            };
            match target {
                Target::Pipe => piped.push(line.clone()),
                Target::Screen(_) | Target::File(_) => drained.send(target, line.clone()),
            }
        }
        self.touch(&mut drained);
        self.filter(piped, has_ended, &mut drained);
        drained
    }

    /// A redirection makes its file even if nothing is written.
    fn touch(&self, drained: &mut Drained) {
        for target in [&self.out, &self.err, &self.filtered] {
            if let Target::File(file) = target {
                drained.file(file);
            }
        }
    }

    fn filter(&self, lines: Vec<Line>, has_ended: Option<Instant>, drained: &mut Drained) {
        if self.filters.is_empty() {
            return;
        }
        let no_files = Files::new();
        match has_ended {
            Some(at) => {
                let mut text: String = lines.iter().map(|line| format!("{}\n", line.text)).collect();
                for words in &self.filters {
                    let result = text_commands::run(words, &text, &no_files).unwrap_or_default();
                    drained.screen.extend(lines_at(&result.err, Stream::Err, at));
                    drained.status = Some(result.status);
                    text = result.out;
                }
                lines_at(&text, Stream::Out, at).for_each(|line| drained.send(&self.filtered, line));
            }
            None if self.filters.iter().all(|words| text_commands::is_per_line(words)) => {
                for line in lines.into_iter().filter(|line| self.passes(&line.text)) {
                    drained.send(&self.filtered, line);
                }
            }
            None => {}
        }
    }

    fn passes(&self, line: &str) -> bool {
        let no_files = Files::new();
        let passes_one = |words: &Vec<String>| {
            text_commands::run(words, &format!("{line}\n"), &no_files).is_some_and(|result| !result.out.is_empty())
        };
        self.filters.iter().all(passes_one)
    }
}

impl Drained {
    fn send(&mut self, target: &Target, line: Line) {
        match target {
            Target::Screen(stream) => self.screen.push(Line { stream: *stream, ..line }),
            Target::File(file) => {
                let text = self.file(file);
                text.push_str(&line.text);
                text.push('\n');
            }
            Target::Pipe => {}
        }
    }

    fn file(&mut self, file: &FileTarget) -> &mut String {
        if let Some(index) = self.writes.iter().position(|(written, _)| written == file) {
            return &mut self.writes[index].1;
        }
        self.writes.push((file.clone(), String::new()));
        &mut self.writes.last_mut().expect("it was just added").1
    }
}

fn lines_at(text: &str, stream: Stream, at: Instant) -> impl Iterator<Item = Line> + '_ {
    text.lines().map(move |line| Line { stream, text: line.to_owned(), at })
}

/// Redirections are read from left to right, so that `> f 2>&1` sends both to `f`.
fn targets(out: Target, redirections: &[Redirection]) -> (Target, Target) {
    let (mut out, mut err) = (out, Target::Screen(Stream::Err));
    for redirection in redirections {
        match redirection {
            Redirection::Input(_) => {}
            Redirection::Output(file) => out = Target::File(file.clone()),
            Redirection::Errors(file) => err = Target::File(file.clone()),
            Redirection::Both(file) => (out, err) = (Target::File(file.clone()), Target::File(file.clone())),
            Redirection::ErrorsToOutput => err = out.clone(),
            Redirection::OutputToErrors => out = err.clone(),
        }
    }
    (out, err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::parse;

    fn drained(command: &str) -> Drained {
        let stages = parse(command).unwrap().stages;
        let line = |stream, text: &str| Line { stream, text: text.to_owned(), at: Instant(1) };
        let lines = [line(Stream::Out, "b"), line(Stream::Err, "e"), line(Stream::Out, "a")];
        Sinks::new(&stages[0], &stages[1..]).drain(&lines, Some(Instant(2)))
    }

    fn screen(command: &str) -> String {
        let mark = |line: &Line| match line.stream {
            Stream::Out => line.text.clone(),
            Stream::Err => format!("!{}", line.text),
            Stream::Typed => format!(">{}", line.text),
        };
        drained(command).screen.iter().map(mark).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn streams_go_where_they_are_sent() {
        assert_eq!(screen("x"), "b !e a");
        assert_eq!(screen("x 2>/dev/null"), "b a");
        assert_eq!(screen("x 2>&1"), "b e a");
        assert_eq!(screen("x > f"), "!e");
        assert_eq!(drained("x > f 2>&1").writes[0].1, "b\ne\na\n");
    }

    #[test]
    fn filters_see_what_is_piped_to_them() {
        assert_eq!(screen("x | sort"), "!e a b");
        assert_eq!(screen("x 2>&1 | grep -v a"), "b e");
        assert_eq!(drained("x | grep nothing").status, Some(1));
        assert_eq!(drained("x | sort > f").writes[0].1, "a\nb\n");
    }
}
