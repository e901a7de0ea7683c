//! The whole page.

use super::Ui;
use super::canvas::ClusterCanvas;
use super::header::Header;
use super::legend::Legend;
use super::link_details::LinksTable;
use super::side::Side;
use super::swarm::Swarm;
use super::tables::{NodesTable, PartitionsTable};
use super::time_bar::TimeBar;
use crate::address::Address;
use crate::bench::Bench;
use crate::player::Player;
use crate::preferences;
use crate::store::{Action, Selection, Store, Theme};
use gloo_events::{EventListener, EventListenerOptions};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent, Window};
use yew::prelude::*;

/// What the page remembers at its beginning: the address counts most, then what was chosen at an earlier visit.
fn first_store(window: &Window, address: &Address) -> Store {
    Store {
        language: address.language.unwrap_or_else(|| preferences::language(window)),
        theme: address.theme.unwrap_or_else(|| preferences::theme(window)),
        ..Store::default()
    }
}

/// The page's root: owns the handles, listens to the keyboard.
#[component]
pub(crate) fn App() -> Html {
    let window = use_memo((), |()| web_sys::window().expect("the page runs in a window"));
    let address = use_memo((), |()| read_address(&window));
    let store_handle = use_reducer(|| first_store(&window, &address));
    let store = use_memo((*store_handle).clone(), |store| store.clone());
    let player = use_memo((), |()| Player::start((*window).clone(), address.opening(), store.clone()));
    let snapshot = use_state(|| player.snapshot());

    let listener = snapshot.setter();
    let subscribing = player.clone();
    use_effect_with((), move |()| subscribing.subscribe(Callback::from(move |snapshot| listener.set(snapshot))));
    use_effect_with(store.clone(), {
        let (player, window) = (player.clone(), window.clone());
        move |store| apply_store(&window, &player, store)
    });
    use_effect_with((), {
        let (player, window) = (player.clone(), window.clone());
        move |()| {
            let listener = listen_to_keys(&window, (*player).clone());
            move || drop(listener)
        }
    });

    let dispatcher = store_handle.dispatcher();
    let dispatch = use_callback((), move |action, ()| dispatcher.dispatch(action));
    use_effect_with((), {
        let (player, dispatch, address) = (player.clone(), dispatch.clone(), address.clone());
        move |()| {
            player.first_event().into_iter().for_each(|event| dispatch.emit(Action::Select(Selection::Event(event))));
            address.bad_wish.iter().for_each(|wish| player.refuse_wish(wish.clone()));
        }
    });
    let ui = Ui { player: (*player).clone(), store, snapshot: (*snapshot).clone(), dispatch };
    html! { <Page ui={ui} bench={address.bench} /> }
}

#[derive(Properties, PartialEq)]
struct PageProps {
    ui: Ui,
    bench: Option<u64>,
}

/// The arrangement of the page's parts.
#[component]
fn Page(props: &PageProps) -> Html {
    let ui = &props.ui;
    let frame = ui.frame();
    html! {
        <div class="page" id="kafkascope" data-now-us={frame.now.0.to_string()} data-step={frame.step.to_string()}
            data-hash={format!("{:016x}", frame.hash.0)} data-known-until-us={frame.known_until.0.to_string()}
            data-branch={frame.branch.0.to_string()} data-playing={ui.snapshot.is_playing.to_string()}>
            <Header ui={ui.clone()} />
            <main class="stage">
                <div class="scene">
                    if let Some(swarm) = &ui.snapshot.swarm { <Swarm ui={ui.clone()} swarm={swarm.clone()} /> }
                    <ClusterCanvas ui={ui.clone()} />
                    <TimeBar ui={ui.clone()} />
                    <Legend ui={ui.clone()} />
                    <NodesTable ui={ui.clone()} />
                    <PartitionsTable ui={ui.clone()} />
                    <LinksTable ui={ui.clone()} />
                </div>
                <Side ui={ui.clone()} />
            </main>
            if let Some(seconds) = props.bench { <Bench ui={ui.clone()} seconds={seconds} /> }
        </div>
    }
}

fn read_address(window: &Window) -> Address {
    let location = window.location();
    Address::parse(&location.search().unwrap_or_default(), &location.hash().unwrap_or_default())
}

/// Language and theme go to the document; the player draws by them.
fn apply_store(window: &Window, player: &Player, store: &Rc<Store>) {
    if let Some(root) = window.document().and_then(|document| document.document_element()) {
        root.set_attribute("lang", store.language.code()).expect("an attribute of that name can be set");
        match store.theme {
            Theme::System => root.remove_attribute("data-theme"),
            Theme::Light | Theme::Dark => root.set_attribute("data-theme", store.theme.code()),
        }
        .expect("an attribute of that name can be set");
    }
    player.set_store(store.clone());
}

fn listen_to_keys(window: &Window, player: Player) -> EventListener {
    let options = EventListenerOptions::enable_prevent_default();
    EventListener::new_with_options(window, "keydown", options, move |event| {
        let Some(event) = event.dyn_ref::<KeyboardEvent>() else { return };
        if !event.ctrl_key() && !event.alt_key() && !event.meta_key() && on_key(&player, event) {
            event.prevent_default();
        }
    })
}

/// True if the key meant something. Keys that the focused element needs are left to it.
fn on_key(player: &Player, event: &KeyboardEvent) -> bool {
    let focused = event.target().and_then(|target| target.dyn_into::<Element>().ok()).map(|element| element.tag_name());
    let focused = focused.as_deref().unwrap_or("");
    let takes_text = ["INPUT", "TEXTAREA", "SELECT"].contains(&focused);
    let takes_space = takes_text || ["BUTTON", "SUMMARY", "A"].contains(&focused);
    match event.key().as_str() {
        " " if !takes_space => player.toggle_play(),
        "ArrowRight" if !takes_text => player.step(),
        "ArrowLeft" if !takes_text => player.step_back(),
        _ => return false,
    }
    true
}
