//! The histories of this run: which left which, and when.

use super::{Ui, UiProps};
use crate::text::{Label, Message};
use sim::frame::Branch;
use yew::prelude::*;

#[component]
pub(crate) fn Histories(props: &UiProps) -> Html {
    let ui = &props.ui;
    html! {
        <section>
            <p class="note">{ ui.say(Label::HistoriesNote) }</p>
            <ol class="histories">{ for ui.snapshot.branches.iter().map(|branch| history(ui, branch)) }</ol>
        </section>
    }
}

fn history(ui: &Ui, branch: &Branch) -> Html {
    let is_current = branch.id == ui.frame().branch;
    let id = branch.id;
    let origin = match branch.forked_from {
        Some((branch, at)) => ui.tell(&Message::ForkedFrom { branch, at }),
        None => ui.say(Label::HistoryFirst).to_owned(),
    };
    html! {
        <li class={classes!(is_current.then_some("current"))} data-branch={id.0.to_string()}>
            <strong>{ ui.tell(&Message::History { branch: id }) }</strong>
            <span>{ origin }</span>
            <span>{ ui.tell(&Message::KnownUntil { until: branch.known_until }) }</span>
            if is_current {
                <em>{ ui.say(Label::HistoryCurrent) }</em>
            } else {
                <button onclick={ui.on_player(move |player| player.switch_branch(id))}>{ ui.say(Label::SwitchHistory) }</button>
            }
        </li>
    }
}
