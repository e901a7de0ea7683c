//! The panels beside the drawing, one open at a time.

use super::about::AboutPanel;
use super::details::Details;
use super::events::EventsPanel;
use super::histories::Histories;
use super::produce::Produce;
use super::{Ui, UiProps};
use crate::store::{Action, Panel};
use crate::terminal::TerminalPanel;
use crate::text::Label;
use yew::prelude::*;

fn title(panel: Panel) -> Label {
    match panel {
        Panel::Events => Label::Events,
        Panel::Details => Label::Details,
        Panel::Produce => Label::Produce,
        Panel::Terminal => Label::Terminal,
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
        <button id={format!("tab-{}", panel.code())} role="tab" aria-selected={is_open.to_string()}
            class={classes!(is_open.then_some("open"))} onclick={ui.on(Action::OpenPanel(panel))}>
            { ui.say(title(panel)) }
        </button>
    }
}

fn content(ui: &Ui, panel: Panel) -> Html {
    let ui = ui.clone();
    match panel {
        Panel::Events => html! { <EventsPanel {ui} /> },
        Panel::Details => html! { <Details {ui} /> },
        Panel::Produce => html! { <Produce {ui} /> },
        Panel::Terminal => html! { <TerminalPanel {ui} /> },
        Panel::Histories => html! { <Histories {ui} /> },
        Panel::About => html! { <AboutPanel {ui} /> },
    }
}
