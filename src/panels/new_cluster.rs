//! The form that begins another run: with several controllers or with ZooKeeper, and with more or fewer brokers.

use super::{Ui, UiProps};
use crate::address;
use crate::run::{CONTROLLERS, MOST_BROKERS, Run};
use crate::store::Action;
use crate::text::{Label, Message};
use sim::world_shape::Mode;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

#[component]
pub(crate) fn NewCluster(props: &UiProps) -> Html {
    let ui = &props.ui;
    let draft = use_state(|| None::<Run>);
    let is_open = draft.is_some();
    let toggle = {
        let (draft, run) = (draft.clone(), ui.snapshot.run);
        Callback::from(move |_: MouseEvent| draft.set(if is_open { None } else { Some(run) }))
    };
    let onkeydown = {
        let draft = draft.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                draft.set(None);
            }
        })
    };
    html! {
        <span class="new-cluster" {onkeydown}>
            <button id="new-cluster" aria-expanded={is_open.to_string()} onclick={toggle}>{ ui.say(Label::NewCluster) }</button>
            if let Some(run) = *draft { { form(ui, &draft, run) } }
        </span>
    }
}

fn form(ui: &Ui, draft: &UseStateHandle<Option<Run>>, run: Run) -> Html {
    let onsubmit = {
        let (ui, draft) = (ui.clone(), draft.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            begin(&ui, run);
            draft.set(None);
        })
    };
    let cancel = {
        let draft = draft.clone();
        Callback::from(move |_: MouseEvent| draft.set(None))
    };
    html! {
        <form class="popover" {onsubmit} aria-label={ui.say(Label::NewClusterTitle)}>
            <h2>{ ui.say(Label::NewClusterTitle) }</h2>
            { mode_choice(ui, draft, run) }
            { brokers_choice(ui, draft, run) }
            { seed_field(ui, draft, run) }
            { eligible_replicas_choice(ui, draft, run) }
            <p class="note">{ ui.say(Label::InScripts) }</p>
            <pre class="directives">{ run.directives().join("\n") }</pre>
            <p><a href={format!("?{}", run.wishes())}>{ ui.say(Label::LinkToRun) }</a></p>
            <p class="warning">{ ui.say(Label::NewClusterNote) }</p>
            <p class="commands">
                <button id="begin" class="primary">{ ui.say(Label::Begin) }</button>
                <button type="button" onclick={cancel}>{ ui.say(Label::Cancel) }</button>
            </p>
        </form>
    }
}

/// The address names the new run, so that reloading and copying it lead there.
fn begin(ui: &Ui, run: Run) {
    ui.dispatch.emit(Action::ForgetRun);
    ui.player.start_anew(run);
    address::show(&run.wishes());
}

const MODES: [Mode; 5] = [
    Mode::KRaft { controllers: CONTROLLERS[0] },
    Mode::KRaft { controllers: CONTROLLERS[1] },
    Mode::KRaft { controllers: CONTROLLERS[2] },
    Mode::Combined { controllers: CONTROLLERS[1] },
    Mode::ZooKeeper,
];

fn mode_value(mode: Mode) -> String {
    let controllers = mode.controllers().map(|controllers| format!("-{controllers}"));
    format!("{}{}", mode.name(), controllers.unwrap_or_default())
}

fn mode_choice(ui: &Ui, draft: &UseStateHandle<Option<Run>>, run: Run) -> Html {
    let options = MODES.map(|mode| {
        let text = match mode {
            Mode::KRaft { controllers } => ui.tell(&Message::Quorum { controllers }),
            Mode::Combined { controllers } => ui.tell(&Message::CombinedQuorum { controllers }),
            Mode::ZooKeeper => ui.say(Label::ZooKeeper).to_owned(),
        };
        html! { <option value={mode_value(mode)} selected={mode == run.mode}>{ text }</option> }
    });
    let draft = draft.clone();
    let onchange = Callback::from(move |event: Event| {
        let chosen = event.target_unchecked_into::<HtmlSelectElement>().value();
        if let Some(mode) = MODES.into_iter().find(|mode| mode_value(*mode) == chosen) {
            draft.set(Some(Run { mode, ..run }));
        }
    });
    html! { <label>{ ui.say(Label::Metadata) }<select id="mode" {onchange}>{ for options }</select></label> }
}

fn brokers_choice(ui: &Ui, draft: &UseStateHandle<Option<Run>>, run: Run) -> Html {
    let options = (1..=MOST_BROKERS).map(|brokers| {
        html! { <option value={brokers.to_string()} selected={brokers == run.brokers}>{ brokers.to_string() }</option> }
    });
    let draft = draft.clone();
    let onchange = Callback::from(move |event: Event| {
        let chosen = event.target_unchecked_into::<HtmlSelectElement>().value().parse();
        if let Some(brokers) = chosen.ok().filter(|brokers| (1..=MOST_BROKERS).contains(brokers)) {
            draft.set(Some(Run { brokers, ..run }));
        }
    });
    html! { <label>{ ui.say(Label::Brokers) }<select id="brokers" {onchange}>{ for options }</select></label> }
}

fn eligible_replicas_choice(ui: &Ui, draft: &UseStateHandle<Option<Run>>, run: Run) -> Html {
    let draft = draft.clone();
    let onchange = Callback::from(move |event: Event| {
        let wants_eligible_leader_replicas = event.target_unchecked_into::<HtmlInputElement>().checked();
        draft.set(Some(Run { wants_eligible_leader_replicas, ..run }));
    });
    let (checked, disabled) = (run.has_eligible_leader_replicas(), run.mode == Mode::ZooKeeper);
    html! {
        <label>{ ui.say(Label::EligibleLeaderReplicas) }<input id="elr" type="checkbox" {checked} {disabled} {onchange} /></label>
    }
}

fn seed_field(ui: &Ui, draft: &UseStateHandle<Option<Run>>, run: Run) -> Html {
    let draft = draft.clone();
    let oninput = Callback::from(move |event: InputEvent| {
        if let Ok(seed) = event.target_unchecked_into::<HtmlInputElement>().value().parse() {
            draft.set(Some(Run { seed, ..run }));
        }
    });
    html! {
        <label>{ ui.say(Label::Seed) }
            <input id="seed" type="number" min="0" step="1" value={run.seed.to_string()} {oninput} />
        </label>
    }
}
