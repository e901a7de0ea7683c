//! The bug base: plans that failed once, kept as files under `bugs`. Tests and the hunt for planted bugs replay them; the
//! page has no files and leaves them out.

use crate::plan::Plan;

/// All of them, in the order of their files' names.
///
/// # Panics
/// If one cannot be read.
#[must_use]
pub fn plans() -> Vec<Plan> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/bugs");
    let entries = std::fs::read_dir(folder).expect("there is a bug base");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    files.sort();
    let plan = |file| std::fs::read_to_string(file).expect("it can be read").parse();
    files.iter().map(|file| plan(file).unwrap_or_else(|error| panic!("{}: {error:?}", file.display()))).collect()
}
