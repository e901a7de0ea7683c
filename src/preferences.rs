//! Language and theme as the browser keeps them between visits. A browser that keeps nothing does no harm.

use crate::store::Theme;
use crate::text::Language;
use web_sys::{Storage, Window};

const LANGUAGE: &str = "kafkascope.language";
const THEME: &str = "kafkascope.theme";

/// The language chosen earlier, or the first of the browser's that the page speaks.
pub(crate) fn language(window: &Window) -> Language {
    let stored = read(window, LANGUAGE).and_then(|code| Language::from_code(&code));
    let of_browser = || window.navigator().language().and_then(|code| Language::from_code(&code));
    stored.or_else(of_browser).unwrap_or_default()
}

/// The theme chosen earlier.
pub(crate) fn theme(window: &Window) -> Theme {
    read(window, THEME).and_then(|code| Theme::from_code(&code)).unwrap_or_default()
}

/// Keeps a language that the user chose for the next visit, if the browser lets us.
pub(crate) fn keep_language(language: Language) {
    keep(LANGUAGE, language.code());
}

/// Keeps a theme that the user chose for the next visit, if the browser lets us.
pub(crate) fn keep_theme(theme: Theme) {
    keep(THEME, theme.code());
}

/// A full or forbidden storage costs the user a click at the next visit, no more.
fn keep(name: &str, value: &str) {
    if let Some(storage) = web_sys::window().as_ref().and_then(storage) {
        storage.set_item(name, value).unwrap_or_default();
    }
}

fn read(window: &Window, name: &str) -> Option<String> {
    storage(window)?.get_item(name).ok()?
}

fn storage(window: &Window) -> Option<Storage> {
    window.local_storage().ok()?
}
