//! What a command prints: pieces as a tool writes them, and the lines they make on two streams.

use crate::java_exception::JavaException;
use crate::log_lines::LogLine;
use kafka::instant::{Instant, WallClock};
use std::fmt::Display;

/// Texts with something between them.
pub fn joined<T: Display>(items: impl IntoIterator<Item = T>, between: &str) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(between)
}

/// Where a line was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
    /// What the user typed, with the prompt in front of it.
    Typed,
}

/// One line that a command has printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where to.
    pub stream: Stream,
    /// The text, without its end of line.
    pub text: String,
    /// When.
    pub at: Instant,
}

/// One write of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A line on standard output.
    Out(String),
    /// Text on standard output as it stands: it may hold ends of lines, or none.
    Text(String),
    /// A line on standard error.
    Err(String),
    /// A line of the tool's log, on standard error, with the time of day in front.
    Log(LogLine),
    /// A line that the user typed.
    Typed(String),
}

impl Piece {
    /// A stack trace on standard error.
    #[must_use]
    pub fn trace(exception: &JavaException) -> Vec<Piece> {
        exception.trace().into_iter().map(Piece::Err).collect()
    }
}

/// All that a command has printed so far, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    lines: Vec<Line>,
    /// The line of standard output that is not ended yet.
    open: Option<usize>,
}

impl Output {
    /// The lines.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Everything on one stream as text.
    #[must_use]
    pub fn text(&self, stream: Stream) -> String {
        let mut text = String::new();
        for (index, line) in self.lines.iter().enumerate().filter(|(_, line)| line.stream == stream) {
            text.push_str(&line.text);
            if self.open != Some(index) {
                text.push('\n');
            }
        }
        text
    }

    /// Adds one write that happened at `at`.
    pub fn push(&mut self, piece: &Piece, at: Instant, clock: WallClock) {
        match piece {
            Piece::Out(line) => self.push_text(&format!("{line}\n"), at),
            Piece::Text(text) => self.push_text(text, at),
            Piece::Err(line) => self.push_lines(Stream::Err, line, at),
            Piece::Log(line) => {
                line.render(clock.at(at)).iter().for_each(|line| self.push_lines(Stream::Err, line, at))
            }
            Piece::Typed(line) => self.push_lines(Stream::Typed, line, at),
        }
    }

    fn push_lines(&mut self, stream: Stream, text: &str, at: Instant) {
        self.lines.extend(text.split('\n').map(|line| Line { stream, text: line.to_owned(), at }));
    }

    fn push_text(&mut self, text: &str, at: Instant) {
        for part in text.split_inclusive('\n') {
            let (line, is_ended) = match part.strip_suffix('\n') {
                Some(line) => (line, true),
                None => (part, false),
            };
            let index = self.open.take().unwrap_or_else(|| self.begin_line(at));
            self.lines[index].text.push_str(line);
            self.open = (!is_ended).then_some(index);
        }
    }

    fn begin_line(&mut self, at: Instant) -> usize {
        self.lines.push(Line { stream: Stream::Out, text: String::new(), at });
        self.lines.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Timestamp;

    #[test]
    fn an_unended_line_is_continued_by_the_next_write() {
        let clock = WallClock { epoch: Timestamp(0) };
        let mut output = Output::default();
        for piece in
            [Piece::Text("a".into()), Piece::Err("e".into()), Piece::Text("b\nc\n".into()), Piece::Text("d".into())]
        {
            output.push(&piece, Instant(5), clock);
        }
        assert_eq!(output.text(Stream::Out), "ab\nc\nd");
        assert_eq!(output.text(Stream::Err), "e\n");
        assert_eq!(output.lines().len(), 4);
    }
}
