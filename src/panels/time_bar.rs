//! Play, pause, steps, speed, and the slider over all that is known of this history.

use super::{Ui, UiProps};
use crate::store::{Action, Speed};
use crate::text::{Label, Message};
use crate::view::format;
use kafka::instant::Instant;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

#[component]
pub(crate) fn TimeBar(props: &UiProps) -> Html {
    let ui = &props.ui;
    let frame = ui.frame();
    html! {
        <section class="time-bar" aria-label={ui.say(Label::TimeControls)}>
            { buttons(ui) }
            { speed_choice(ui) }
            { slider(ui) }
            { super::checks::indicator(ui) }
            <output class="instant" data-testid="now">
                { ui.tell(&Message::InstantOf { now: frame.now, known_until: frame.known_until }) }
            </output>
            if ui.snapshot.branches.len() > 1 {
                <span class="branch">{ ui.tell(&Message::History { branch: frame.branch }) }</span>
            }
            <p class="hint">{ ui.say(Label::KeyboardHelp) }{ " " }{ head_start(ui) }</p>
        </section>
    }
}

/// Only the first history ran ahead of the viewer.
fn head_start(ui: &Ui) -> String {
    let is_first =
        ui.snapshot.branches.iter().any(|branch| branch.id == ui.frame().branch && branch.forked_from.is_none());
    if is_first && ui.snapshot.swarm.is_none() {
        ui.tell(&Message::RanAhead { until: ui.snapshot.started_until })
    } else {
        String::new()
    }
}

fn buttons(ui: &Ui) -> Html {
    let (play, sign) = if ui.snapshot.is_playing { (Label::Pause, "❚❚") } else { (Label::Play, "▶") };
    let is_at_end = ui.frame().now >= ui.frame().known_until;
    html! {
        <span class="buttons">
            <button id="play" class="play" onclick={ui.on_player(|player| player.toggle_play())} title={ui.say(play)}>
                <span class="sign" aria-hidden="true">{ sign }</span>{ ui.say(play) }
            </button>
            <button id="step-back" onclick={ui.on_player(|player| player.step_back())} disabled={ui.frame().step == 0}
                aria-label={ui.say(Label::StepBack)} title={ui.say(Label::StepBack)}>{ "◀❙" }</button>
            <button id="step" onclick={ui.on_player(|player| player.step())}
                aria-label={ui.say(Label::StepForward)} title={ui.say(Label::StepForward)}>{ "❙▶" }</button>
            <button id="to-end" onclick={ui.on_player(|player| player.go_to_end())} disabled={is_at_end}
                aria-label={ui.say(Label::GoToEnd)} title={ui.say(Label::GoToEnd)}>{ "▶▶❙" }</button>
        </span>
    }
}

fn speed_choice(ui: &Ui) -> Html {
    let dispatch = ui.dispatch.clone();
    let onchange = Callback::from(move |event: Event| {
        if let Some(speed) = Speed::from_label(&event.target_unchecked_into::<HtmlSelectElement>().value()) {
            dispatch.emit(Action::SetSpeed(speed));
        }
    });
    let options = Speed::ALL.map(|speed| {
        let selected = speed == ui.store.speed;
        html! { <option value={speed.label()} {selected}>{ speed.label() }</option> }
    });
    html! { <label class="speed"><span>{ ui.say(Label::SpeedChoice) }</span><select id="speed" {onchange}>{ for options }</select></label> }
}

/// In milliseconds: finer than anybody can drag, coarser than any number JavaScript could spoil.
fn slider(ui: &Ui) -> Html {
    let (now, known_until) = (ui.frame().now, ui.frame().known_until);
    let player = ui.player.clone();
    let oninput = Callback::from(move |event: InputEvent| {
        let wished_ms = event.target_unchecked_into::<HtmlInputElement>().value_as_number();
        player.seek(Instant((wished_ms as u64).saturating_mul(1_000)).min(known_until));
    });
    html! {
        <span class="ruler">
            <input id="time" class="slider" type="range" min="0" max={known_until.0.div_ceil(1_000).to_string()} step="1"
                value={(now.0 / 1_000).to_string()} {oninput}
                aria-label={ui.say(Label::TimeSlider)} aria-valuetext={format::instant(now)} />
            <span class="marks" aria-hidden="true">{ for marks(ui) }</span>
        </span>
    }
}

/// Where something was made to go wrong or put right, and where a check failed. The list of events has the same in words.
fn marks(ui: &Ui) -> impl Iterator<Item = Html> {
    /// Closer ones could not be told apart.
    const PLACES: u64 = 500;
    let marks = ui.player.marks(PLACES);
    marks.into_iter().map(|(place, mark)| {
        html! { <i class={mark.code()} style={format!("left: {}.{}%", place / 5, place % 5 * 2)}></i> }
    })
}
