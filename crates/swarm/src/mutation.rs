//! Planted bugs: small changes of the machines, kept as text. Each must be caught, or the checkers are too weak.

use std::collections::BTreeMap;

/// One planted bug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutation {
    /// Its name.
    pub name: String,
    /// The file, below the root of the workspace.
    pub file: String,
    /// What stands there, exactly once.
    pub old: String,
    /// What is put there instead.
    pub new: String,
}

const LISTS: [&str; 6] = [
    include_str!("../mutations/replication.txt"),
    include_str!("../mutations/controller.txt"),
    include_str!("../mutations/raft.txt"),
    include_str!("../mutations/log.txt"),
    include_str!("../mutations/zookeeper.txt"),
    include_str!("../mutations/clients.txt"),
];

/// All of them.
#[must_use]
pub fn all() -> Vec<Mutation> {
    LISTS.into_iter().flat_map(|list| list.split("==== ").skip(1)).map(read).collect()
}

/// A name, a file, the old lines behind `-` and the new ones behind `+`.
fn read(text: &str) -> Mutation {
    let mut lines = text.lines();
    let mut next = || lines.next().expect("a mutation has a name and a file").to_owned();
    let (name, file) = (next(), next());
    let of = |mark: char| -> Vec<&str> { text.lines().skip(2).filter_map(|line| line.strip_prefix(mark)).collect() };
    Mutation { name, file, old: of('-').join("\n"), new: of('+').join("\n") }
}

impl Mutation {
    /// The file's text with the bug planted.
    ///
    /// # Errors
    /// How often the old text occurs, if not once.
    pub fn apply(&self, text: &str) -> Result<String, usize> {
        match text.matches(&self.old).count() {
            1 => Ok(text.replacen(&self.old, &self.new, 1)),
            times => Err(times),
        }
    }
}

/// The file's text with all of these numbered bugs planted, each behind its number: whatever function one lies in has its
/// body once more for each.
///
/// # Panics
/// If the old text of one does not occur once, inside of a function.
#[must_use]
pub fn planted(text: &str, mutations: &[(usize, &Mutation)]) -> String {
    let bodies = bodies(text);
    let mut by_body: BTreeMap<(usize, usize), Vec<(usize, &Mutation)>> = BTreeMap::new();
    for (number, mutation) in mutations {
        let place = text.find(&mutation.old).unwrap_or_else(|| panic!("{} has no place", mutation.name));
        let is_around = |body: &&(usize, usize)| body.0 < place && place + mutation.old.len() <= body.1;
        let body = bodies.iter().filter(is_around).min_by_key(|body| body.1 - body.0);
        let body = body.unwrap_or_else(|| panic!("{} lies in no function", mutation.name));
        by_body.entry(*body).or_default().push((*number, mutation));
    }
    let mut planted = text.to_owned();
    for ((begin, end), mutations) in by_body.into_iter().rev() {
        let body = &text[begin..end];
        let arms = mutations
            .iter()
            .map(|(number, mutation)| format!("{number} => {},\n", mutation.apply(body).expect(&mutation.name)));
        let arms: String = arms.collect();
        planted.replace_range(begin..end, &format!("{{ match wire::planted_bug() {{ {arms} _ => {body} }} }}"));
    }
    planted
}

/// Where the bodies of functions begin and end, braces included.
fn bodies(text: &str) -> Vec<(usize, usize)> {
    let (mut found, mut pending) = (Vec::new(), false);
    // What is open, with the depth of other brackets in it; the first stands for the file.
    let mut open = vec![(None, 0)];
    for (at, token) in tokens(text) {
        match token {
            "fn" => pending = true,
            ";" if open.last().is_none_or(|(_, depth)| *depth == 0) => pending = false,
            "{" => {
                open.push((pending.then_some(at), 0));
                pending = false;
            }
            "}" => {
                if let Some((Some(begin), _)) = open.pop() {
                    found.push((begin, at + 1));
                }
            }
            "[" | "(" => open.iter_mut().last().into_iter().for_each(|last| last.1 += 1),
            "]" | ")" => open.iter_mut().last().into_iter().for_each(|last| last.1 -= 1),
            _ => {}
        }
    }
    found
}

/// Words and signs of a source text, without those in comments and texts.
fn tokens(text: &str) -> Vec<(usize, &str)> {
    let bytes = text.as_bytes();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let (mut tokens, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let rest = &text[at..];
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with('"') {
            string_length(rest)
        } else if rest.starts_with("'{'") || rest.starts_with("'}'") || rest.starts_with("'\"'") {
            3
        } else if is_word(bytes[at]) {
            let length = rest.bytes().take_while(|byte| is_word(*byte)).count();
            tokens.push((at, &rest[..length]));
            length
        } else {
            let length = rest.chars().next().map_or(1, char::len_utf8);
            tokens.push((at, &rest[..length]));
            length
        };
        at += length;
    }
    tokens
}

fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            '"' if !is_escaped => return at + 1,
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_has_its_body_once_more_for_each_bug_in_it() {
        let mutation = |old: &str, new: &str| Mutation {
            name: String::new(),
            file: String::new(),
            old: old.to_owned(),
            new: new.to_owned(),
        };
        let (one, two) = (mutation("1", "2"), mutation("+", "-"));
        let text = "fn f(x: [u8; 4]) -> u8 { if x { \"}\" } else { 1 + x } }\nfn g() { 3 }\n";
        let expected = "fn f(x: [u8; 4]) -> u8 { match wire::planted_bug() { \
                        7 => { if x { \"}\" } else { 2 + x } },\n8 => { if x { \"}\" } else { 1 - x } },\n \
                        _ => { if x { \"}\" } else { 1 + x } } } }\nfn g() { 3 }\n";
        assert_eq!(planted(text, &[(7, &one), (8, &two)]), expected);
    }
}
