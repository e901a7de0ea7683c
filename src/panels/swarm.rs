//! What a seed of the swarm drew, how it ended, and everything that was done from outside, each a click away.

use super::{Ui, fact};
use crate::player::Player;
use crate::store::{Action, Selection};
use crate::swarm_run::SwarmRun;
use crate::text::{Label, SwarmText, event_sentence, historical_sentence};
use crate::view::events::mark_of;
use crate::view::format;
use std::rc::Rc;
use swarm::run::Failure;
use yew::prelude::*;

#[derive(Properties)]
pub(super) struct SwarmProps {
    pub(super) ui: Ui,
    pub(super) swarm: Rc<SwarmRun>,
}

impl PartialEq for SwarmProps {
    /// A run of the swarm never changes, and of the rest the language alone matters.
    fn eq(&self, other: &SwarmProps) -> bool {
        Rc::ptr_eq(&self.swarm, &other.swarm) && self.ui.store.language == other.ui.store.language
    }
}

#[component]
pub(super) fn Swarm(props: &SwarmProps) -> Html {
    let SwarmProps { ui, swarm } = props;
    let language = ui.store.language;
    let (class, outcome) = match &swarm.outcome {
        Ok(()) => ("good", "well"),
        Err(failure) => ("danger", failure.name()),
    };
    html! {
        <section class="table-section swarm" data-testid="swarm" data-outcome={outcome}>
            <p>{ SwarmText::World(&swarm.plan).text(language) }</p>
            if let Some(historical) = swarm.plan.world.historical { <p>{ historical_sentence(historical, language) }</p> }
            <p><strong {class}>{ SwarmText::Verdict(&swarm.outcome).text(language) }</strong>{ detail(swarm) }{ go(ui, swarm) }</p>
            <details>
                <summary>{ SwarmText::Journal(swarm.journal.len()).text(language) }</summary>
                <ol class="journal">{ for swarm.journal.iter().map(|event| row(ui, event)) }</ol>
                <dl>{ for swarm.plan.world.properties.iter().map(|(key, value)| fact(key, value.clone())) }</dl>
            </details>
        </section>
    }
}

/// What the swarm says of other failures than a checker's, for whoever looks for the bug.
fn detail(swarm: &SwarmRun) -> Html {
    match &swarm.outcome {
        Err(
            Failure::NotHealed(text)
            | Failure::ReadOutOfOrder(text)
            | Failure::NotEndedOnce(text)
            | Failure::Panicked(text),
        ) => {
            html! { <code lang="en">{ text.clone() }</code> }
        }
        Ok(()) | Err(Failure::Violated(_)) => html! {},
    }
}

fn go(ui: &Ui, swarm: &SwarmRun) -> Html {
    let Some(violation) = swarm.violation() else { return html! {} };
    html! { <button onclick={on_go(ui, violation.step, violation.event)}>{ ui.say(Label::GoToBreak) }</button> }
}

fn on_go(ui: &Ui, step: u64, event: Option<sim::EventId>) -> Callback<MouseEvent> {
    let (player, dispatch): (Player, Callback<Action>) = (ui.player.clone(), ui.dispatch.clone());
    Callback::from(move |_| {
        player.go_to_first_history();
        player.seek_step(step);
        if let Some(event) = event {
            dispatch.emit(Action::Select(Selection::Event(event)));
        }
    })
}

fn row(ui: &Ui, event: &sim::Event) -> Html {
    let class = classes!("link", mark_of(event).map(|mark| mark.code()));
    html! {
        <li><button {class} onclick={on_go(ui, event.step, Some(event.id))}>
            <span class="when">{ format::instant(event.at) }</span>
            { event_sentence(&event.kind, &ui.node_name(event.node), ui.store.language) }
        </button></li>
    }
}
