//! `cargo xtask dist`: the static site in `dist/`, and the check of its size.
//!
//! Everything in it is addressed relatively and needs no special header, so the folder works under any path of any
//! file server. That the page really starts is checked by the test in the browser, not here.

use std::fs;
use std::path::{Path, PathBuf};

use crate::process::{Failure, Result, say};
use crate::toolchain::PageToolchain;
use crate::{packing, workspace};

/// What all files of the site together may be after gzip, in bytes.
const GZIP_LIMIT_BYTES: usize = 1_000_000;

/// Builds the site, prints its sizes, and returns its folder. Fails when it is too big.
pub(crate) fn dist() -> Result<PathBuf> {
    let toolchain = PageToolchain::ensure()?;
    say("building the static site into dist/ (the first time 1 to 3 minutes)");
    let folder = workspace::dist_folder();
    toolchain.build_site(&folder)?;
    packing::pack(&folder, &module_of(&files_below(&folder)?)?, &toolchain.build_unpacker()?)?;
    check_size(&sizes(&folder, &files_below(&folder)?)?)?;
    Ok(folder)
}

/// One file of the site.
struct FileSize {
    /// Relative to the site's folder.
    name: String,
    raw: usize,
    gzip: usize,
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).map_err(|error| unreadable(&next, &error))? {
            let path = entry.map_err(|error| unreadable(&next, &error))?.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    Ok(files)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{} could not be read: {error}", path.display()))
}

/// The file name of the page's module.
fn module_of(files: &[PathBuf]) -> Result<String> {
    let is_module = |file: &&PathBuf| file.extension().is_some_and(|extension| extension == "wasm");
    let name = files.iter().find(is_module).and_then(|file| file.file_name()?.to_str());
    name.map(str::to_owned).ok_or_else(|| Failure::new("the site that was built has no wasm module"))
}

fn sizes(folder: &Path, files: &[PathBuf]) -> Result<Vec<FileSize>> {
    files.iter().map(|file| size_of(folder, file)).collect()
}

fn size_of(folder: &Path, file: &Path) -> Result<FileSize> {
    let bytes = packing::read(file)?;
    let name = file.strip_prefix(folder).expect("the file was found in this folder").display().to_string();
    Ok(FileSize { name, raw: bytes.len(), gzip: gzip_size(&bytes) })
}

/// The size of the gzip file that the best compression makes: a header and trailer of 18 bytes around the stream.
fn gzip_size(bytes: &[u8]) -> usize {
    const BEST_COMPRESSION: u8 = 9;
    18 + miniz_oxide::deflate::compress_to_vec(bytes, BEST_COMPRESSION).len()
}

fn check_size(files: &[FileSize]) -> Result<()> {
    println!("{:>12} {:>12}  file", "bytes", "gzip");
    for file in files {
        println!("{:>12} {:>12}  {}", file.raw, file.gzip, file.name);
    }
    let raw: usize = files.iter().map(|file| file.raw).sum();
    let gzip: usize = files.iter().map(|file| file.gzip).sum();
    println!("{raw:>12} {gzip:>12}  total (limit after gzip: {GZIP_LIMIT_BYTES})");
    if gzip <= GZIP_LIMIT_BYTES {
        return Ok(());
    }
    Err(Failure::new(format!("the site is too big: {gzip} bytes after gzip, the limit is {GZIP_LIMIT_BYTES}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_of(gzip: usize) -> FileSize {
        FileSize { name: "page.wasm".to_owned(), raw: 3 * gzip, gzip }
    }

    #[test]
    fn the_limit_counts_all_files_together_after_gzip() {
        assert!(check_size(&[file_of(400_000), file_of(600_000)]).is_ok());
        assert!(check_size(&[file_of(400_000), file_of(600_001)]).is_err());
    }

    #[test]
    fn gzip_size_of_repetition_is_small_and_of_noise_is_not() {
        let noise: Vec<u8> =
            (1..=10_000u32).map(|index| (index.wrapping_pow(3).rotate_left(index) % 251) as u8).collect();
        assert!(gzip_size(&[7; 10_000]) < 100);
        assert!(gzip_size(&noise) > 9_000);
    }
}
