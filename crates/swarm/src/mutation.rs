//! Planted bugs: small changes of the machines, kept as text. Each must be caught, or the checkers are too weak.

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

const LISTS: [&str; 3] = [
    include_str!("../mutations/replication.txt"),
    include_str!("../mutations/controller.txt"),
    include_str!("../mutations/raft.txt"),
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
