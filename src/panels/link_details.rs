//! A link in detail, both ways, what can be done to it, and how to find one without a mouse.

use super::commands::command_button;
use super::number_field::NumberField;
use super::{Ui, UiProps, fact};
use crate::store::{Action, Selection};
use crate::text::{Label, Message};
use crate::view::links;
use kafka::fault::{LinkChange, LinkCondition, Links};
use kafka::instant::Duration;
use kafka::node::NodeId;
use sim::Command;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

pub(super) fn link_details(ui: &Ui, one: NodeId, other: NodeId) -> Html {
    let (first, second) = (ui.node_name(one), ui.node_name(other));
    let title = ui.tell(&Message::LinkBetween { one: &first, other: &second });
    let is_there = |id| ui.frame().nodes.iter().any(|node| node.id == id);
    if !is_there(one) || !is_there(other) {
        return html! { <><h2>{ title }</h2><p class="note">{ ui.say(Label::LinkGone) }</p></> };
    }
    let (there, back) = (links::condition(ui.frame(), one, other), links::condition(ui.frame(), other, one));
    let is_cut = there.is_cut && back.is_cut;
    let is_sound = there == LinkCondition::default() && back == LinkCondition::default();
    let both = |change| Command::ChangeLinks { links: Links::Between(one, other), change };
    html! {
        <section data-testid="link-details">
            <h2>{ title }</h2>
            <p class="commands">
                { command_button(ui, Label::CutBoth, both(LinkChange::Cut), !is_cut) }
                { command_button(ui, Label::HealBoth, both(LinkChange::Heal), !is_sound) }
            </p>
            { direction(ui, (one, &first), (other, &second), there) }
            { direction(ui, (other, &second), (one, &first), back) }
            { measures(ui, one, other) }
        </section>
    }
}

fn direction(ui: &Ui, (from, from_name): (NodeId, &str), (to, to_name): (NodeId, &str), now: LinkCondition) -> Html {
    let change = |change| Command::ChangeLinks { links: Links::OneWay { from, to }, change };
    html! {
        <>
            <dl>{ fact(&ui.tell(&Message::LinkFromTo { from: from_name, to: to_name }), condition_words(ui, now)) }</dl>
            <p class="commands">
                { command_button(ui, Label::Cut, change(LinkChange::Cut), !now.is_cut) }
                { command_button(ui, Label::Heal, change(LinkChange::Heal), now != LinkCondition::default()) }
            </p>
        </>
    }
}

/// How a link is, in words.
pub(super) fn condition_words(ui: &Ui, condition: LinkCondition) -> Html {
    if condition == LinkCondition::default() {
        return html! { <span class="good">{ ui.say(Label::LinkSound) }</span> };
    }
    let class = if condition.is_cut { "danger" } else { "warning" };
    html! { <strong {class}>{ ui.tell(&Message::Link(condition)) }</strong> }
}

/// Delay, jitter and loss, the same in both directions.
fn measures(ui: &Ui, one: NodeId, other: NodeId) -> Html {
    let field = |label, button, code, usual, most, change: fn(i64) -> LinkChange| {
        let command = move |number| Command::ChangeLinks { links: Links::Between(one, other), change: change(number) };
        // A field of its own for each link.
        let key = format!("{one} {other} {code}");
        html! { <NumberField {key} ui={ui.clone()} {label} {button} {code} {usual} least={0} {most} command={Callback::from(command)} /> }
    };
    html! {
        <>
            { field(Label::DelayField, Label::Delay, "delay", 200, 60_000, |ms| LinkChange::Delay(Duration::from_ms(ms))) }
            { field(Label::JitterField, Label::Jitter, "jitter", 50, 60_000, |ms| LinkChange::Jitter(Duration::from_ms(ms))) }
            { field(Label::LossField, Label::Loss, "loss", 20, 99, |percent| {
                LinkChange::Loss(u16::try_from(percent * 10).unwrap_or(0))
            }) }
        </>
    }
}

/// Links from one process to each other one, in a choice.
pub(super) fn links_of(ui: &Ui, id: NodeId) -> Html {
    let dispatch = ui.dispatch.clone();
    let others: Vec<NodeId> = ui.frame().nodes.iter().map(|node| node.id).filter(|other| *other != id).collect();
    let options = others.clone().into_iter().enumerate();
    let onchange = Callback::from(move |event: Event| {
        let place: Option<usize> = event.target_unchecked_into::<HtmlSelectElement>().value().parse().ok();
        if let Some(other) = place.and_then(|place| others.get(place)) {
            dispatch.emit(Action::Select(Selection::Link(id.min(*other), id.max(*other))));
        }
    });
    html! {
        <label class="inline"><span>{ ui.say(Label::LinkTo) }</span>
            <select {onchange} data-testid="link-to">
                <option value="" selected=true>{ "…" }</option>
                { for options.map(|(place, other)| html! { <option value={place.to_string()}>{ ui.node_name(other) }</option> }) }
            </select>
        </label>
    }
}

/// The links that are not as they should be, as a table; and a way to any other.
#[component]
pub(crate) fn LinksTable(props: &UiProps) -> Html {
    const ROWS_SHOWN: usize = 50;
    let ui = &props.ui;
    let bad = &ui.frame().links;
    let rows = bad.iter().take(ROWS_SHOWN).map(|link| {
        let (from, to) = (ui.node_name(link.from), ui.node_name(link.to));
        let selection = Selection::Link(link.from.min(link.to), link.from.max(link.to));
        let name = ui.tell(&Message::LinkFromTo { from: &from, to: &to });
        html! {
            <tr data-from={link.from.to_string()} data-to={link.to.to_string()} data-cut={link.condition.is_cut.to_string()}>
                <th scope="row"><button class="link" onclick={ui.on_select(selection)}>{ name }</button></th>
                <td>{ condition_words(ui, link.condition) }</td>
            </tr>
        }
    });
    html! {
        <section class="table-section">
            <h2>{ ui.say(Label::LinksTitle) }</h2>
            <p class="note">{ ui.say(if bad.is_empty() { Label::NoBadLinks } else { Label::LinksNote }) }</p>
            <div class="scroll"><table id="links"><tbody>{ for rows }</tbody></table></div>
            <LinkChoice ui={ui.clone()} />
        </section>
    }
}

/// Two choices of processes, and a button that shows the link between them.
#[component]
fn LinkChoice(props: &UiProps) -> Html {
    let ui = &props.ui;
    let ends = use_state(|| (0_usize, 1_usize));
    let ids: Vec<NodeId> = ui.frame().nodes.iter().map(|node| node.id).collect();
    let choice = |label: Label, chosen: usize, set: fn((usize, usize), usize) -> (usize, usize)| {
        let ends = ends.clone();
        let onchange = Callback::from(move |event: Event| {
            if let Ok(place) = event.target_unchecked_into::<HtmlSelectElement>().value().parse() {
                ends.set(set(*ends, place));
            }
        });
        let options = ids.iter().enumerate().map(|(place, id)| {
            html! { <option value={place.to_string()} selected={place == chosen}>{ ui.node_name(*id) }</option> }
        });
        html! { <select aria-label={ui.say(label)} {onchange}>{ for options }</select> }
    };
    let (one, other) = *ends;
    let link = ids.get(one).zip(ids.get(other)).filter(|(one, other)| one != other);
    let selection = link.map(|(one, other)| Selection::Link(*one.min(other), *one.max(other)));
    html! {
        <p class="commands">
            { choice(Label::From, one, |(_, other), place| (place, other)) }
            { choice(Label::To, other, |(one, _), place| (one, place)) }
            <button id="show-link" disabled={selection.is_none()} onclick={ui.on_select(selection.unwrap_or_default())}>{ ui.say(Label::ShowLink) }</button>
        </p>
    }
}
