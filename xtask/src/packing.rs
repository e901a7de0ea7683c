//! Packs the page's module, and has `index.html` unpack it: LZMA makes it a fifth smaller than the gzip of a file server
//! would, and what that saves goes into a faster engine. The crate `unpack` undoes it in the browser.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::process::{Failure, Result};
use crate::wasm_names;
use lzma_rust2::{DICT_SIZE_MIN, LzmaOptions, LzmaWriter};

/// What Trunk has the page do, around the module's name.
const INITIALISE: [&str; 2] = ["init({ module_or_path: './", "' })"];

/// What Trunk has the browser fetch early, around the module's name.
const PRELOAD: [&str; 2] =
    [r#"<link rel="preload" href="./"#, r#"" crossorigin="anonymous" as="fetch" type="application/wasm">"#];

/// Packs the module of a site, whose folder and file name are given, and puts what unpacks it beside it.
pub(crate) fn pack(folder: &Path, module: &str, unpacker: &Path) -> Result<()> {
    let (packed, unpack) = (format!("{module}.lzma"), module.replace("_bg.wasm", "_unpack.wasm"));
    write(&folder.join(&packed), &packed_bytes(&without_names(&folder.join(module))?))?;
    write(&folder.join(&unpack), &without_names(unpacker)?)?;
    let index = folder.join("index.html");
    let html = String::from_utf8_lossy(&read(&index)?).into_owned();
    let unpacking = unpacking(&html, module, &packed, &unpack)
        .ok_or_else(|| Failure::new(format!("{} does not load the page as Trunk 0.21 has it", index.display())))?;
    write(&index, unpacking.as_bytes())?;
    fs::remove_file(folder.join(module))
        .map_err(|error| Failure::new(format!("{module} could not be removed: {error}")))
}

fn without_names(file: &Path) -> Result<Vec<u8>> {
    let not_as_expected = || Failure::new(format!("{} is not a wasm module as it should be", file.display()));
    wasm_names::without_names(&read(file)?).ok_or_else(not_as_expected)
}

/// What a file holds.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).map_err(|error| Failure::new(format!("{} could not be read: {error}", file.display())))
}

fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(file, bytes).map_err(|error| Failure::new(format!("{} could not be written: {error}", file.display())))
}

/// A `.lzma` file. Its window is as large as what is packed; code is not aligned, and its bytes tell much of the next.
fn packed_bytes(bytes: &[u8]) -> Vec<u8> {
    const SMALLEST: u32 = 9;
    let window = u32::try_from(bytes.len()).expect("a site is smaller than a gigabyte").max(DICT_SIZE_MIN);
    let options = LzmaOptions { lc: 4, pb: 0, nice_len: 273, dict_size: window, ..LzmaOptions::with_preset(SMALLEST) };
    let written = LzmaWriter::new_use_header(Vec::new(), &options, Some(bytes.len() as u64)).and_then(|mut writer| {
        writer.write_all(bytes)?;
        writer.finish()
    });
    written.expect("the options are within LZMA's limits, and memory takes every byte")
}

/// The page that fetches both files and begins with what is unpacked; `None` if it does not load the module as expected.
fn unpacking(html: &str, module: &str, packed: &str, unpack: &str) -> Option<String> {
    let [initialise, preload] = [INITIALISE, PRELOAD].map(|[before, after]| format!("{before}{module}{after}"));
    if !html.contains(&initialise) || !html.contains(&preload) {
        return None;
    }
    let fetched = [packed, unpack]
        .map(|file| format!(r#"<link rel="preload" href="./{file}" crossorigin="anonymous" as="fetch">"#));
    let script = format!(
        "init({{ module_or_path: await (async () => {{
  const bytes = async (file) => (await fetch(file)).arrayBuffer();
  const [packed, unpacker] = await Promise.all([bytes('./{packed}'), bytes('./{unpack}')]);
  const {{ memory, room, unpack, unpacked_bytes }} = (await WebAssembly.instantiate(unpacker)).instance.exports;
  const place = room(packed.byteLength);
  new Uint8Array(memory.buffer).set(new Uint8Array(packed), place);
  const unpacked = unpack(); // which may move the memory
  return new Uint8Array(memory.buffer, unpacked, unpacked_bytes());
}})() }})"
    );
    Some(html.replace(&initialise, &script).replace(&preload, &fetched.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_smaller_and_comes_out_as_it_was() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|number| (number % 251 + number / 1_000) as u8).collect();
        let packed = packed_bytes(&bytes);
        assert!(packed.len() < bytes.len() / 20, "{}", packed.len());
        assert_eq!(unpack::unpacked(&packed), bytes);
        assert_eq!(unpack::unpacked(&packed[..packed.len() / 2]), [], "cut short");
        assert_eq!(unpack::unpacked(b"<!doctype html>"), [], "another file");
        assert_eq!(unpack::unpacked(&packed_bytes(&[])), []);
    }

    #[test]
    fn a_page_loads_what_is_packed_and_nothing_else() {
        let html = r#"<script>const wasm = await init({ module_or_path: './p_bg.wasm' });</script>
            <link rel="preload" href="./p_bg.wasm" crossorigin="anonymous" as="fetch" type="application/wasm">"#;
        let page = unpacking(html, "p_bg.wasm", "p_bg.wasm.lzma", "p_unpack.wasm").expect("it is as Trunk writes it");
        assert!(!page.contains("p_bg.wasm'") && !page.contains(r#"p_bg.wasm""#), "{page}");
        for file in ["p_bg.wasm.lzma", "p_unpack.wasm"] {
            assert_eq!(page.matches(&format!("bytes('./{file}')")).count(), 1, "{page}");
            assert_eq!(page.matches(&format!(r#"href="./{file}""#)).count(), 1, "{page}");
        }
        assert_eq!(unpacking("<script></script>", "p_bg.wasm", "", ""), None);
    }
}
