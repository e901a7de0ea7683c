//! Takes the names of functions out of a wasm module: about a fifth of what the visitor of the site would download,
//! for nothing but nicer stack traces. (`cargo xtask serve` keeps them.)
//!
//! A module is a header of 8 bytes and then sections, each an id, a length and so many bytes. The names are the
//! custom section (id 0) called `name`. Does not look into any other section. What `wasm-opt` could take away besides
//! was measured at 0.1 % after compression, so that is not used.

/// With which every module begins.
pub(crate) const HEADER: &[u8] = b"\0asm\x01\0\0\0";
const CUSTOM_SECTION: u8 = 0;
const NAME: &[u8] = b"\x04name";

/// The module without its names; `None` if this is not a wasm module or is cut short.
pub(crate) fn without_names(module: &[u8]) -> Option<Vec<u8>> {
    let mut rest = module.strip_prefix(HEADER)?;
    let mut kept = HEADER.to_vec();
    while let Some((id, after_id)) = rest.split_first() {
        let (length, content_onwards) = read_leb128(after_id)?;
        let (content, next) = content_onwards.split_at_checked(length)?;
        if *id != CUSTOM_SECTION || !content.starts_with(NAME) {
            kept.extend_from_slice(&rest[..rest.len() - next.len()]);
        }
        rest = next;
    }
    Some(kept)
}

/// A length in at most five groups of seven bits, the lowest first, and what follows it.
fn read_leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(sections: &[&[u8]]) -> Vec<u8> {
        [HEADER, &sections.concat()].concat()
    }

    #[test]
    fn only_the_custom_section_called_name_is_taken_out() {
        let types: &[u8] = b"\x01\x03abc";
        let names: &[u8] = b"\x00\x07\x04namexx";
        let producers: &[u8] = b"\x00\x0b\x09producers!";
        let stripped = without_names(&module(&[types, names, producers]));
        assert_eq!(stripped, Some(module(&[types, producers])));
    }

    #[test]
    fn lengths_of_more_than_seven_bits_are_understood() {
        let code = [b"\x0a\xac\x02".as_slice(), &[7; 300]].concat();
        assert_eq!(without_names(&module(&[&code])), Some(module(&[&code])));
    }

    #[test]
    fn what_is_no_module_or_cut_short_is_refused() {
        assert_eq!(without_names(b"<!doctype html>"), None);
        assert_eq!(without_names(&module(&[b"\x01\x05abc"])), None);
    }
}
