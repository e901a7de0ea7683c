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
mod swarm_run;
mod terminal;
mod text;
mod view;

#[cfg(not(panic = "immediate-abort"))]
use std::panic::PanicHookInfo;
use text::{Label, Language};

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

fn main() {
    #[cfg(not(panic = "immediate-abort"))]
    yew::set_custom_panic_hook(Box::new(on_panic));
    // Not the body itself: mounting empties its element, and the one for our panics must stay.
    let document = web_sys::window().and_then(|window| window.document()).expect("the page runs in a window");
    tell_the_crash_element(&document);
    let root = document.get_element_by_id("app").expect("the page has the element to mount into");
    yew::Renderer::<panels::App>::with_root(root).render();
}

/// The built site stops without calling any hook; `index.html` then shows what is written down here.
fn tell_the_crash_element(document: &web_sys::Document) {
    let Some(crash) = document.get_element_by_id("crash") else { return };
    for (attribute, language) in [("data-en", Language::English), ("data-ko", Language::Korean)] {
        crash.set_attribute(attribute, Label::Crash.text(language)).expect("the name is one of an attribute");
    }
}

/// A bug of ours stops the page; it must be seen that it did.
#[cfg(not(panic = "immediate-abort"))]
fn on_panic(info: &PanicHookInfo<'_>) {
    console_error_panic_hook::hook(info);
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return };
    let Some(crash) = document.get_element_by_id("crash") else { return };
    let language = document.document_element().and_then(|root| root.get_attribute("lang"));
    let language = language.and_then(|code| Language::from_code(&code)).unwrap_or_default();
    let message = info.payload_as_str().unwrap_or_default();
    let text = format!("{}{message}\n{}", Label::Crash.text(language), where_it_stopped(&document));
    crash.set_text_content(Some(&text));
    crash.set_class_name("shown");
}

/// The address and the step: with them and what the user did, the same can be seen again. The built site does not know in
/// which file it fails (see `cargo xtask dist`).
#[cfg(not(panic = "immediate-abort"))]
fn where_it_stopped(document: &web_sys::Document) -> String {
    let wishes = web_sys::window().and_then(|window| window.location().search().ok()).unwrap_or_default();
    let page = document.get_element_by_id("kafkascope");
    let step = page.and_then(|page| page.get_attribute("data-step")).unwrap_or_default();
    format!("{wishes} step {step}")
}
