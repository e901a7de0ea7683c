//! The page. Mounts the application into the document's body.

mod determinism;
mod exports;

use yew::prelude::*;

/// The whole page.
#[component]
fn App() -> Html {
    html! { <main><h1>{ "Kafkascope" }</h1></main> }
}

fn main() {
    yew::Renderer::<App>::new().render();
}
