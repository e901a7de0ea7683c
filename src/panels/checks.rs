//! What must always hold, whether it does, and what became of the promises to producers.

use super::promises::promises;
use super::{Ui, UiProps};
use crate::store::{Action, Panel, Selection};
use crate::text::{Label, Message, checker_name, checker_sentence, violation_sentence};
use crate::view::format;
use sim::checkers::violation::{Checker, Violation};
use yew::prelude::*;

#[component]
pub(crate) fn ChecksPanel(props: &UiProps) -> Html {
    let ui = &props.ui;
    let violations = ui.player.violations();
    html! {
        <section>
            { promises(ui) }
            <h2>{ ui.say(Label::ChecksTitle) }</h2>
            <p class="note">{ ui.say(Label::ChecksNote) }</p>
            <ul class="checks">
                { for Checker::ALL.map(|checker| check(ui, checker, violations.get(&checker))) }
            </ul>
        </section>
    }
}

fn check(ui: &Ui, checker: Checker, violation: Option<&Violation>) -> Html {
    let language = ui.store.language;
    let count = ui.player.times_checked(checker);
    let (class, sign, state) = match (violation, count) {
        (Some(_), _) => ("broken", "✗", ui.say(Label::Broken).to_owned()),
        (None, 0) => ("idle", "·", ui.say(Label::NotYetChecked).to_owned()),
        (None, count) => {
            ("holds", "✓", format!("{} · {}", ui.say(Label::Holds), ui.tell(&Message::TimesChecked { count })))
        }
    };
    html! {
        <li {class} data-check={checker.name()} data-holds={violation.is_none().to_string()}>
            <span class="sign" aria-hidden="true">{ sign }</span>
            <strong>{ checker_name(checker, language) }</strong>
            <span class="state">{ state }</span>
            <p>{ checker_sentence(checker, language) }</p>
            if let Some(violation) = violation { { breach(ui, violation) } }
        </li>
    }
}

fn breach(ui: &Ui, violation: &Violation) -> Html {
    let partition = violation.partition.as_ref().map_or_else(String::new, |partition| format!("{partition}: "));
    let sentence = violation_sentence(&violation.details, ui.store.language);
    html! {
        <>
            <p class="danger">{ format!("{} · {partition}{sentence}", format::instant(violation.at)) }</p>
            <button onclick={on_go(ui, violation)}>{ ui.say(Label::GoToBreak) }</button>
        </>
    }
}

fn on_go(ui: &Ui, violation: &Violation) -> Callback<MouseEvent> {
    let (player, dispatch, step, event) = (ui.player.clone(), ui.dispatch.clone(), violation.step, violation.event);
    Callback::from(move |_| {
        player.seek_step(step);
        if let Some(event) = event {
            dispatch.emit(Action::Select(Selection::Event(event)));
        }
    })
}

/// Always on the screen: whether all checks hold, and whether acknowledged records are lost.
pub(super) fn indicator(ui: &Ui) -> Html {
    let (broken, losses) = (ui.snapshot.broken_checks, super::promises::lost(ui.snapshot.promises));
    let (class, text) = match broken {
        0 => ("indicator holds", format!("✓ {}", ui.say(Label::AllHold))),
        count => ("indicator broken", format!("✗ {}", ui.tell(&Message::BrokenChecks { count }))),
    };
    html! {
        <button id="checks-indicator" {class} data-broken={broken.to_string()} data-lost={losses.to_string()}
            onclick={ui.on(Action::OpenPanel(Panel::Checks))}>
            { text }
            if losses > 0 { <em>{ format!(" · {}", ui.tell(&Message::LostCount { count: losses })) }</em> }
        </button>
    }
}
