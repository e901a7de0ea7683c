//! The panels beside the drawing, one open at a time.

use super::about::AboutPanel;
use super::checks::ChecksPanel;
use super::details::Details;
use super::events::EventsPanel;
use super::histories::Histories;
use super::produce::Produce;
use super::{Ui, UiProps};
use crate::store::{Action, Panel};
use crate::terminal::TerminalPanel;
use crate::text::Label;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use yew::prelude::*;

fn title(panel: Panel) -> Label {
    match panel {
        Panel::Events => Label::Events,
        Panel::Details => Label::Details,
        Panel::Produce => Label::Produce,
        Panel::Terminal => Label::Terminal,
        Panel::Checks => Label::Checks,
        Panel::Histories => Label::Histories,
        Panel::About => Label::AboutTitle,
    }
}

#[component]
pub(crate) fn Side(props: &UiProps) -> Html {
    let ui = &props.ui;
    let open = ui.store.panel;
    html! {
        <aside class="side" aria-label={ui.say(Label::Panels)}>
            <div class="tabs" role="tablist" aria-label={ui.say(Label::Panels)}>
                { for Panel::ALL.map(|panel| tab(ui, panel)) }
            </div>
            <div class={classes!("panel", open.code())} role="tabpanel" id={format!("panel-{}", open.code())}
                aria-labelledby={format!("tab-{}", open.code())}>
                { content(ui, open) }
            </div>
        </aside>
    }
}

fn tab(ui: &Ui, panel: Panel) -> Html {
    let is_open = panel == ui.store.panel;
    html! {
        <button id={tab_id(panel)} role="tab" aria-selected={is_open.to_string()} tabindex={if is_open { "0" } else { "-1" }}
            aria-controls={is_open.then(|| format!("panel-{}", panel.code()))} class={classes!(is_open.then_some("open"))}
            onclick={ui.on(Action::OpenPanel(panel))} onkeydown={on_key(ui, panel)}>
            { ui.say(title(panel)) }
        </button>
    }
}

fn tab_id(panel: Panel) -> String {
    format!("tab-{}", panel.code())
}

/// The arrow keys go from tab to tab, as assistive technology expects; elsewhere they step through time.
fn on_key(ui: &Ui, panel: Panel) -> Callback<KeyboardEvent> {
    let dispatch = ui.dispatch.clone();
    Callback::from(move |event: KeyboardEvent| {
        let count = Panel::ALL.len();
        let place = Panel::ALL.iter().position(|other| *other == panel).expect("every panel is listed");
        let next = match event.key().as_str() {
            "ArrowRight" => Panel::ALL[(place + 1) % count],
            "ArrowLeft" => Panel::ALL[(place + count - 1) % count],
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        dispatch.emit(Action::OpenPanel(next));
        focus(&tab_id(next));
    })
}

fn focus(id: &str) {
    let element = web_sys::window().and_then(|window| window.document()?.get_element_by_id(id));
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        element.focus().expect("an element of the document can be focused");
    }
}

fn content(ui: &Ui, panel: Panel) -> Html {
    let ui = ui.clone();
    match panel {
        Panel::Events => html! { <EventsPanel {ui} /> },
        Panel::Details => html! { <Details {ui} /> },
        Panel::Produce => html! { <Produce {ui} /> },
        Panel::Terminal => html! { <TerminalPanel {ui} /> },
        Panel::Checks => html! { <ChecksPanel {ui} /> },
        Panel::Histories => html! { <Histories {ui} /> },
        Panel::About => html! { <AboutPanel {ui} /> },
    }
}
