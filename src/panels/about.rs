//! What the page is, and what it does not simulate.

use super::UiProps;
use crate::text::about;
use yew::prelude::*;

#[component]
pub(crate) fn AboutPanel(props: &UiProps) -> Html {
    let about = about(props.ui.store.language);
    let list = |entries: &'static [&'static str]| html! { <ul>{ for entries.iter().map(|entry| html! { <li>{ *entry }</li> }) }</ul> };
    html! {
        <article class="about">
            <p>{ about.intro }</p>
            <p>{ about.honest }</p>
            <h2>{ about.left_out_title }</h2>
            { list(about.left_out) }
            <h2>{ about.different_title }</h2>
            { list(about.different) }
        </article>
    }
}
