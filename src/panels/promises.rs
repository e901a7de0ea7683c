//! The ledger: how many records were acknowledged to producers, which of them are lost, by which event, and whether that
//! broke a promise.

use super::windowed::Windowed;
use super::{Ui, fact};
use crate::player::Player;
use crate::store::{Action, Selection};
use crate::text::{Label, Language, Message, promise_sentence, verdict_sentence};
use crate::view::format;
use sim::ledger::{LedgerCounts, Loss, Verdict};
use yew::prelude::*;

/// How many acknowledged records are lost.
pub(super) fn lost(counts: LedgerCounts) -> u64 {
    Verdict::ALL.into_iter().map(|verdict| counts.lost(verdict)).sum()
}

pub(super) fn promises(ui: &Ui) -> Html {
    let counts = ui.snapshot.promises;
    let broken = counts.lost(Verdict::PromiseBroken);
    let allowed = lost(counts) - broken;
    let promised = counts.acknowledged_by_all + counts.acknowledged_by_leader;
    let alarm = |count: u64, class: &'static str| {
        html! { <strong class={classes!((count > 0).then_some(class))}>{ count.to_string() }</strong> }
    };
    html! {
        <section data-testid="promises" data-lost-allowed={allowed.to_string()} data-lost-broken={broken.to_string()}>
            <h2>{ ui.say(Label::PromisesTitle) }</h2>
            <p class="note">{ ui.say(Label::PromisesNote) }</p>
            <dl class="figures">
                { fact(ui.say(Label::PromisedAll), counts.acknowledged_by_all.to_string()) }
                { fact(ui.say(Label::PromisedLeader), counts.acknowledged_by_leader.to_string()) }
                { fact(ui.say(Label::Safe), promised.saturating_sub(lost(counts)).to_string()) }
                { fact(ui.say(Label::LostAllowed), alarm(allowed, "warning")) }
                { fact(ui.say(Label::LostBroken), alarm(broken, "danger")) }
                if counts.unanswered > 0 { { fact(ui.say(Label::PromisedNothing), counts.unanswered.to_string()) } }
            </dl>
            { losses(ui) }
        </section>
    }
}

fn losses(ui: &Ui) -> Html {
    let count = ui.snapshot.losses;
    if count == 0 {
        return html! { <p class="good">{ ui.say(Label::NothingLost) }</p> };
    }
    let (player, dispatch, language) = (ui.player.clone(), ui.dispatch.clone(), ui.store.language);
    let rows = Callback::from(move |places: std::ops::Range<usize>| {
        player.losses(places).iter().map(|loss| row(&player, &dispatch, language, loss)).collect::<Vec<Html>>()
    });
    html! {
        <>
            <h3>{ ui.say(Label::LostRecords) }</h3>
            <Windowed {count} row_height={76} label={ui.say(Label::LostRecords)} code="losses" {rows} />
        </>
    }
}

fn row(player: &Player, dispatch: &Callback<Action>, language: Language, loss: &Loss) -> Html {
    let records = Message::RecordsOf { partition: &loss.partition, first: loss.first_offset, last: loss.last_offset };
    let class = if loss.verdict == Verdict::PromiseBroken { "danger" } else { "warning" };
    html! {
        <button onclick={on_go(player, dispatch, loss)} title={Label::GoToLoss.text(language)}>
            <strong {class}>{ records.text(language) }</strong>
            <span>{ format!("{} · {}", format::instant(loss.at), promise_sentence(loss.promise, language)) }</span>
            <span class="soft">{ verdict_sentence(loss.verdict, language) }</span>
        </button>
    }
}

/// To the event that lost them, or to when they were found to be lost.
fn on_go(player: &Player, dispatch: &Callback<Action>, loss: &Loss) -> Callback<MouseEvent> {
    let (player, dispatch, at, event) = (player.clone(), dispatch.clone(), loss.at, loss.event);
    Callback::from(move |_| match event.and_then(|id| player.event(id)) {
        Some(event) => {
            player.seek_step(event.step);
            dispatch.emit(Action::Select(Selection::Event(event.id)));
        }
        None => player.seek(at),
    })
}
