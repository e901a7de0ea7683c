//! What the page's address asks for: language, theme, seed, and the measurement. What it does not understand it ignores.

use crate::store::Theme;
use crate::text::Language;

/// The wishes in an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) language: Option<Language>,
    pub(crate) theme: Option<Theme>,
    pub(crate) seed: Option<u64>,
    pub(crate) is_bench: bool,
}

impl Address {
    /// Reads `?lang=ko&theme=dark&seed=7&bench`, behind `?` or `#`; the later wish counts.
    pub(crate) fn parse(search: &str, hash: &str) -> Address {
        let mut address = Address::default();
        for part in [search, hash] {
            let wishes = part.trim_start_matches(['?', '#', '/']);
            wishes.split('&').for_each(|wish| address.take(wish));
        }
        address
    }

    fn take(&mut self, wish: &str) {
        let (name, value) = wish.split_once('=').unwrap_or((wish, ""));
        match name {
            "lang" => self.language = Language::from_code(value).or(self.language),
            "theme" => self.theme = Theme::from_code(value).or(self.theme),
            "seed" => self.seed = value.parse().ok().or(self.seed),
            "bench" => self.is_bench = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read_from_both_parts_of_the_address() {
        let address = Address::parse("?lang=ko&seed=7", "#theme=dark&bench");
        let expected =
            Address { language: Some(Language::Korean), theme: Some(Theme::Dark), seed: Some(7), is_bench: true };
        assert_eq!(address, expected);
    }

    #[test]
    fn what_is_not_understood_is_ignored() {
        for (search, hash) in
            [("", ""), ("?", "#"), ("?lang=xx&theme=pink&seed=-1", "#seed=99999999999999999999999"), ("?=&&=%", "#/=")]
        {
            assert_eq!(Address::parse(search, hash), Address::default());
        }
    }
}
