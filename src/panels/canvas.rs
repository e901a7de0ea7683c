//! The drawing: a canvas that the player paints, and the choice of what is drawn on it.

use super::{Ui, UiProps};
use crate::player::Player;
use crate::store::Action;
use crate::text::{Label, Message};
use crate::view::cluster;
use crate::view::geometry::Point;
use kafka::instant::Duration;
use web_sys::{HtmlCanvasElement, HtmlSelectElement};
use wire::TopicName;
use yew::prelude::*;

#[component]
pub(crate) fn ClusterCanvas(props: &UiProps) -> Html {
    let ui = &props.ui;
    let canvas = use_node_ref();
    use_effect_with(canvas.clone(), {
        let player = ui.player.clone();
        move |canvas: &NodeRef| {
            if let Some(canvas) = canvas.cast::<HtmlCanvasElement>() {
                player.attach(canvas);
            }
        }
    });
    let onclick = {
        let (player, dispatch) = (ui.player.clone(), ui.dispatch.clone());
        Callback::from(move |event: MouseEvent| {
            if let Some(selection) = player.hit(place(&event)) {
                dispatch.emit(Action::Select(selection));
            }
        })
    };
    let onmousemove = on_move(ui.player.clone());
    html! {
        <section class="drawing">
            { what_is_drawn(ui) }
            <canvas ref={canvas} id="cluster" role="img" aria-label={ui.say(Label::ClusterDrawing)} {onclick} {onmousemove} />
        </section>
    }
}

fn on_move(player: Player) -> Callback<MouseEvent> {
    Callback::from(move |event: MouseEvent| player.point_at(place(&event)))
}

fn place(event: &MouseEvent) -> Point {
    Point::new(f64::from(event.offset_x()), f64::from(event.offset_y()))
}

/// The topic, the partitions, and how slow the network is.
fn what_is_drawn(ui: &Ui) -> Html {
    let network = ui.snapshot.network;
    let delay = Message::NetworkDelay { delay: Duration(network.delay_us), jitter: Duration(network.jitter_us) };
    let (before, shown, after) = ui.snapshot.rows;
    let rows_button = |label: Label, first_row: usize, is_possible: bool| {
        html! {
            <button onclick={ui.on(Action::ScrollRows(first_row))} disabled={!is_possible} aria-label={ui.say(label)} title={ui.say(label)}>
                { if label == Label::EarlierPartitions { "▲" } else { "▼" } }
            </button>
        }
    };
    html! {
        <div class="drawing-bar">
            <label>{ ui.say(Label::ShownTopic) }{ " " }{ topic_choice(ui) }</label>
            if before + after > 0 {
                <span class="rows">
                    { rows_button(Label::EarlierPartitions, before.saturating_sub(shown), before > 0) }
                    { rows_button(Label::LaterPartitions, before + shown, after > 0) }
                    <span>{ ui.tell(&Message::MorePartitions { count: before + after }) }</span>
                </span>
            }
            <button id="add-broker" onclick={ui.on_player(Player::add_broker)}>{ ui.say(Label::AddBroker) }</button>
            <span class="delay">{ ui.tell(&delay) }</span>
        </div>
    }
}

fn topic_choice(ui: &Ui) -> Html {
    let dispatch = ui.dispatch.clone();
    let onchange = Callback::from(move |event: Event| {
        let name = event.target_unchecked_into::<HtmlSelectElement>().value();
        dispatch.emit(Action::ShowTopic((!name.is_empty()).then(|| TopicName::new(&name))));
    });
    let options = cluster::topics(ui.frame()).into_iter().map(|topic| {
        let selected = ui.store.topic.as_ref() == Some(&topic);
        html! { <option value={topic.to_string()} {selected}>{ topic.to_string() }</option> }
    });
    html! {
        <select id="topic" {onchange}>
            <option value="" selected={ui.store.topic.is_none()}>{ ui.say(Label::AllTopics) }</option>
            { for options }
        </select>
    }
}
