//! The page's components around the drawing. Each is a function of the snapshot and the store; what the user does goes
//! to the player or, if it concerns the page alone, to the store.

mod about;
mod app;
mod canvas;
mod checks;
mod commands;
mod coordinator_details;
mod details;
mod events;
mod header;
mod histories;
mod legend;
mod link_details;
mod new_cluster;
mod node_details;
mod notice;
mod number_field;
mod produce;
mod promises;
mod record_details;
mod side;
mod swarm;
mod tables;
mod time_bar;
mod windowed;

pub(crate) use app::App;

use crate::player::{Player, Snapshot};
use crate::store::{Action, Selection, Store};
use crate::text::{self, Label, Message};
use kafka::node::NodeId;
use sim::Frame;
use std::rc::Rc;
use yew::prelude::*;

/// What every component is made from: handles, cheap to clone and to compare.
#[derive(Clone)]
pub(crate) struct Ui {
    pub(crate) player: Player,
    pub(crate) store: Rc<Store>,
    pub(crate) snapshot: Rc<Snapshot>,
    pub(crate) dispatch: Callback<Action>,
}

impl PartialEq for Ui {
    fn eq(&self, other: &Ui) -> bool {
        Rc::ptr_eq(&self.store, &other.store)
            && Rc::ptr_eq(&self.snapshot, &other.snapshot)
            && self.player == other.player
            && self.dispatch == other.dispatch
    }
}

/// The properties of most components.
#[derive(Properties, PartialEq)]
pub(crate) struct UiProps {
    pub(crate) ui: Ui,
}

impl Ui {
    /// A fixed text in the page's language.
    pub(crate) fn say(&self, label: Label) -> &'static str {
        label.text(self.store.language)
    }

    /// A text with something in it, in the page's language.
    pub(crate) fn tell(&self, message: &Message<'_>) -> String {
        message.text(self.store.language)
    }

    pub(crate) fn frame(&self) -> &Frame {
        &self.snapshot.frame
    }

    /// A process as sentences call it.
    pub(crate) fn node_name(&self, id: NodeId) -> String {
        match id {
            NodeId::Server(number) => text::server_name(number, &self.snapshot.cast, self.store.language),
            NodeId::ZooKeeper => self.say(Label::ZooKeeper).to_owned(),
            NodeId::Client(_) => {
                let client_id = self.player.client_id(id);
                client_id.map_or_else(|| id.to_string(), |client_id| format!("{client_id} ({id})"))
            }
        }
    }

    /// A handler that remembers something.
    pub(crate) fn on<E>(&self, action: Action) -> Callback<E> {
        let dispatch = self.dispatch.clone();
        Callback::from(move |_| dispatch.emit(action.clone()))
    }

    /// A handler that selects something.
    pub(crate) fn on_select<E>(&self, selection: Selection) -> Callback<E> {
        self.on(Action::Select(selection))
    }

    /// A handler that does something with the player.
    pub(crate) fn on_player<E>(&self, action: impl Fn(&Player) + 'static) -> Callback<E> {
        let player = self.player.clone();
        Callback::from(move |_| action(&player))
    }
}

/// One row of a list of facts.
pub(crate) fn fact(name: &str, value: impl Into<Html>) -> Html {
    html! { <><dt>{ name.to_owned() }</dt><dd>{ value.into() }</dd></> }
}
