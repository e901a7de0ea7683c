//! What the built site loads first: the page's own module comes packed by LZMA, a fifth smaller than gzip makes it, and
//! this unpacks it. A file server need not know of it, and a browser's `DecompressionStream` knows nothing as good.
//!
//! A module of its own, whose memory is let go of when the page has begun. Who loads it writes what is packed to where
//! [`room`] says, and reads from where [`unpack`] says so many bytes as [`unpacked_bytes`] does. `cargo xtask dist` packs,
//! and writes the script that does this.

use lzma_rust2::LzmaReader;
use std::io::Read;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// What is packed, and then what it was.
static BYTES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

fn bytes() -> MutexGuard<'static, Vec<u8>> {
    BYTES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes room for so many packed bytes, and says where.
#[unsafe(no_mangle)]
pub extern "C" fn room(packed_bytes: usize) -> *mut u8 {
    let mut bytes = bytes();
    *bytes = vec![0; packed_bytes];
    bytes.as_mut_ptr()
}

/// Unpacks what has been written there, and says where that is now.
#[unsafe(no_mangle)]
pub extern "C" fn unpack() -> *const u8 {
    let mut bytes = bytes();
    *bytes = unpacked(&bytes);
    bytes.as_ptr()
}

/// How many bytes that are.
#[unsafe(no_mangle)]
pub extern "C" fn unpacked_bytes() -> usize {
    bytes().len()
}

/// What a file in the format of `.lzma` holds; nothing if it is none or is cut short, which is no module either.
#[must_use]
pub fn unpacked(file: &[u8]) -> Vec<u8> {
    let mut unpacked = Vec::new();
    let outcome = LzmaReader::new_mem_limit(file, u32::MAX, None).map(|mut reader| reader.read_to_end(&mut unpacked));
    if matches!(outcome, Ok(Ok(_))) { unpacked } else { Vec::new() }
}
