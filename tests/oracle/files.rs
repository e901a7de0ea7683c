//! Files and folders, with failures as sentences.

use std::path::Path;

/// Writes a file, and the folders above it.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().ok_or_else(|| format!("{} is no file", path.display()))?;
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, text))
        .map_err(|error| format!("{} could not be written: {error}", path.display()))
}

/// Makes a folder anew.
///
/// # Errors
/// If it cannot be removed or made.
pub(crate) fn empty(folder: &Path) -> Result<(), String> {
    remove(folder)?;
    std::fs::create_dir_all(folder).map_err(|error| format!("{} could not be made: {error}", folder.display()))
}

/// Removes a folder, if it is there.
///
/// # Errors
/// If it cannot be removed.
pub(crate) fn remove(folder: &Path) -> Result<(), String> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{} could not be removed: {error}", folder.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes a file that can be run.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write_program(path: &Path, text: &str) -> Result<(), String> {
    write(path, text)?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(path, mode)
        .map_err(|error| format!("{} cannot be made a program: {error}", path.display()))
}
