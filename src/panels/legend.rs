//! What the colours and marks of the drawing mean.

use super::UiProps;
use crate::text::Label;
use crate::view::draw_list::Ink;
use crate::view::messages::MessageKind;
use yew::prelude::*;

fn swatch(class: &'static str, ink: Ink) -> Html {
    html! { <i class={classes!("swatch", class)} style={format!("--ink: var({})", ink.property())} aria-hidden="true"></i> }
}

#[component]
pub(crate) fn Legend(props: &UiProps) -> Html {
    let ui = &props.ui;
    let entry = |mark: Html, label: Label| html! { <li>{ mark }{ ui.say(label) }</li> };
    html! {
        <details class="legend" open=true>
            <summary>{ ui.say(Label::LegendTitle) }</summary>
            <ul>
                { for MessageKind::ALL.map(|kind| entry(swatch("dot", kind.ink()), kind.label())) }
                { entry(html! {}, Label::LegendRequest) }
                { entry(swatch("cell", Ink::Cell), Label::LegendCommitted) }
                { entry(swatch("cell", Ink::CellUncommitted), Label::LegendUncommitted) }
                { entry(swatch("cell", Ink::CellDown), Label::LegendOnDisk) }
                { entry(swatch("mark", Ink::HighWatermark), Label::LegendHighWatermark) }
                { entry(swatch("mark", Ink::LogEnd), Label::LegendLogEnd) }
                { entry(swatch("mark", Ink::Leader), Label::LegendEpochStart) }
                { entry(swatch("badge", Ink::Leader), Label::LegendLeader) }
                { entry(swatch("pointer", Ink::ConsumerFetch), Label::LegendConsumerPosition) }
                { entry(swatch("pointer", Ink::Produce), Label::LegendLastAcknowledged) }
                { entry(swatch("mark", Ink::Text), Label::LegendSegment) }
                { entry(swatch("held", Ink::Danger), Label::LegendHeld) }
                { entry(swatch("cut", Ink::Danger), Label::LegendCut) }
                { entry(html! {}, Label::LegendIsr) }
                { entry(swatch("mark", Ink::Warning), Label::LegendFault) }
                { entry(swatch("mark", Ink::Danger), Label::LegendBreak) }
            </ul>
        </details>
    }
}
