//! The page: a whole Kafka cluster in one browser tab. Mounts the application.

mod address;
mod bench;
mod determinism;
mod exports;
mod panels;
mod player;
mod preferences;
mod run;
mod scene;
mod start;
mod store;
mod terminal;
mod text;
mod view;

use std::panic::PanicHookInfo;
use text::{Label, Language};

fn main() {
    yew::set_custom_panic_hook(Box::new(on_panic));
    // Not the body itself: mounting empties its element, and the one for our panics must stay.
    let document = web_sys::window().and_then(|window| window.document()).expect("the page runs in a window");
    let root = document.get_element_by_id("app").expect("the page has the element to mount into");
    yew::Renderer::<panels::App>::with_root(root).render();
}

/// A bug of ours stops the page; it must be seen that it did.
fn on_panic(info: &PanicHookInfo<'_>) {
    console_error_panic_hook::hook(info);
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return };
    let Some(crash) = document.get_element_by_id("crash") else { return };
    let language = document.document_element().and_then(|root| root.get_attribute("lang"));
    let language = language.and_then(|code| Language::from_code(&code)).unwrap_or_default();
    crash.set_text_content(Some(&format!("{}{info}", Label::Crash.text(language))));
    crash.set_class_name("shown");
}
