//! What happened, as a list of which only the visible part is in the document; and what led to the selected event.

use super::{Ui, UiProps};
use crate::store::{Action, EventFilter, Selection};
use crate::text::{Label, event_sentence};
use crate::view::format;
use sim::{Event, EventId};
use std::ops::Range;
use web_sys::Element;
use yew::prelude::{Callback, Html, MouseEvent, classes, component, html, use_effect_with, use_node_ref, use_state};

/// The height of a row in CSS pixels; the style sheet has it too.
const ROW_HEIGHT: i32 = 40;
/// Rows kept ready above and below what is visible.
const SPARE_ROWS: usize = 4;
/// How many causes are followed.
const CAUSES_SHOWN: usize = 12;

#[component]
pub(crate) fn EventsPanel(props: &UiProps) -> Html {
    let ui = &props.ui;
    let list = use_node_ref();
    let scroll = use_state(|| Scroll { top: 0, height: 400, is_following: true });
    let (count, happened) = ui.player.event_counts(ui.store.event_filter);

    use_effect_with((count, happened, scroll.is_following, scroll.height), {
        let (list, is_following) = (list.clone(), scroll.is_following);
        move |_| {
            if let (true, Some(list)) = (is_following, list.cast::<Element>()) {
                list.set_scroll_top(followed_top(happened, list.client_height()));
            }
        }
    });
    let onscroll = {
        let (list, scroll) = (list.clone(), scroll.clone());
        Callback::from(move |_: yew::Event| {
            if let Some(list) = list.cast::<Element>() {
                scroll.set(Scroll::of(&list, happened, *scroll));
            }
        })
    };
    let follow = {
        let scroll = scroll.clone();
        Callback::from(move |_: MouseEvent| scroll.set(Scroll { is_following: true, ..*scroll }))
    };
    let visible = scroll.visible(count);
    html! {
        <>
            <div class="events-bar">
                { filters(ui) }
                if !scroll.is_following { <button onclick={follow}>{ ui.say(Label::FollowEvents) }</button> }
            </div>
            <div class="events-list" ref={list} {onscroll} tabindex="0" role="region" aria-label={ui.say(Label::Events)}>
                if count == 0 { <p class="note">{ ui.say(Label::NoEvents) }</p> }
                <ol style={format!("height: {}px", count as i32 * ROW_HEIGHT)} data-testid="events" data-count={count.to_string()}>
                    { for rows(ui, visible) }
                </ol>
            </div>
            { selected(ui) }
        </>
    }
}

/// Which part of the list is seen.
#[derive(Clone, Copy, PartialEq)]
struct Scroll {
    top: i32,
    height: i32,
    is_following: bool,
}

impl Scroll {
    /// Whoever scrolls away from the present stops following it.
    /// A list that became higher or lower has not been scrolled by anybody.
    fn of(list: &Element, happened: usize, before: Scroll) -> Scroll {
        let (top, height) = (list.scroll_top(), list.client_height());
        let largest = (list.scroll_height() - height).max(0);
        let followed = followed_top(happened, height).min(largest);
        let is_resized = before.is_following && before.height != height;
        Scroll { top, height, is_following: is_resized || (top - followed).abs() <= 2 * ROW_HEIGHT }
    }

    fn visible(&self, count: usize) -> Range<usize> {
        let first = usize::try_from(self.top / ROW_HEIGHT).unwrap_or(0).saturating_sub(SPARE_ROWS);
        let rows = usize::try_from(self.height / ROW_HEIGHT).unwrap_or(0) + 2 * SPARE_ROWS + 1;
        first.min(count)..(first + rows).min(count)
    }
}

/// Where the list must stand for the last event that has happened to be its lowest but one.
fn followed_top(happened: usize, height: i32) -> i32 {
    ((happened as i32 + 1) * ROW_HEIGHT - height).max(0)
}

fn filters(ui: &Ui) -> Html {
    let filter = |filter: EventFilter, label: Label, code: &'static str| {
        let is_chosen = ui.store.event_filter == filter;
        html! {
            <button class={classes!("choice", is_chosen.then_some("open"))} aria-pressed={is_chosen.to_string()}
                data-filter={code} onclick={ui.on(Action::SetEventFilter(filter))}>{ ui.say(label) }</button>
        }
    };
    html! {
        <span role="group" aria-label={ui.say(Label::EventsListed)}>
            { filter(EventFilter::Important, Label::FilterImportant, "important") }
            { filter(EventFilter::All, Label::FilterAll, "all") }
        </span>
    }
}

fn rows(ui: &Ui, places: Range<usize>) -> Vec<Html> {
    let first = places.start;
    let events = ui.player.event_rows(ui.store.event_filter, places);
    events.iter().enumerate().map(|(place, event)| row(ui, event, first + place)).collect()
}

fn sentence(ui: &Ui, event: &Event) -> String {
    event_sentence(&event.kind, &ui.node_name(event.node), ui.store.language)
}

/// A click goes to the event's instant.
fn on_go(ui: &Ui, event: &Event) -> Callback<MouseEvent> {
    let (player, dispatch, id, step) = (ui.player.clone(), ui.dispatch.clone(), event.id, event.step);
    Callback::from(move |_| {
        player.seek_step(step);
        dispatch.emit(Action::Select(Selection::Event(id)));
    })
}

fn row(ui: &Ui, event: &Event, place: usize) -> Html {
    let is_ahead = event.id >= ui.snapshot.next_event;
    let is_selected = ui.store.selection == Selection::Event(event.id);
    let class = classes!("event", is_ahead.then_some("ahead"), is_selected.then_some("selected"));
    let text = sentence(ui, event);
    html! {
        <li key={event.id.0.to_string()} {class} style={format!("top: {}px", place as i32 * ROW_HEIGHT)} data-event={event.id.0.to_string()}>
            <button onclick={on_go(ui, event)} title={text.clone()}>
                <span class="when">{ format::instant(event.at) }</span>
                <span class="what">{ text }</span>
                if is_ahead { <span class="visually-hidden">{ format!(" ({})", ui.say(Label::Ahead)) }</span> }
            </button>
        </li>
    }
}

fn selected(ui: &Ui) -> Html {
    let Selection::Event(id) = ui.store.selection else { return html! {} };
    let Some(event) = ui.player.event(id) else { return html! {} };
    let causes = causes(ui, event.cause);
    html! {
        <section class="event-details" data-testid="event-details">
            <h2>{ sentence(ui, &event) }</h2>
            <p>{ format!("{} · {}", format::exact_instant(event.at), ui.node_name(event.node)) }</p>
            <h3>{ ui.say(Label::WhyTitle) }</h3>
            if causes.is_empty() { <p class="note">{ ui.say(Label::NoCause) }</p> }
            <ol class="causes">
                { for causes.iter().map(|cause| html! {
                    <li><button class="link" onclick={on_go(ui, cause)}>
                        <span class="when">{ format::instant(cause.at) }</span>{ sentence(ui, cause) }
                    </button></li>
                }) }
            </ol>
        </section>
    }
}

/// The event's cause, that one's cause, and so on.
fn causes(ui: &Ui, first: Option<EventId>) -> Vec<Event> {
    let mut causes: Vec<Event> = Vec::new();
    let mut next = first;
    while let (Some(id), true) = (next, causes.len() < CAUSES_SHOWN) {
        let Some(event) = ui.player.event(id) else { break };
        next = event.cause;
        causes.push(event);
    }
    causes
}
