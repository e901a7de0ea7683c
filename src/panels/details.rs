//! The details of what is selected.

use super::coordinator_details::{controller_details, zookeeper_details};
use super::link_details::link_details;
use super::node_details::{broker_details, client_details};
use super::record_details::{message_details, record_details, replica_details};
use super::{Ui, UiProps};
use crate::store::Selection;
use crate::text::Label;
use crate::view::cluster::{self, ServerKind};
use kafka::node::NodeId;
use wire::BrokerId;
use yew::prelude::*;

#[component]
pub(crate) fn Details(props: &UiProps) -> Html {
    let ui = &props.ui;
    match &ui.store.selection {
        Selection::Nothing | Selection::Event(_) => html! { <p class="note">{ ui.say(Label::NothingSelected) }</p> },
        Selection::Node(id) => node_details(ui, *id),
        Selection::Replica { broker, partition } => replica_details(ui, *broker, partition),
        Selection::Record { broker, partition, offset } => record_details(ui, *broker, partition, *offset),
        Selection::Message(id) => message_details(ui, *id),
        Selection::Link(one, other) => link_details(ui, *one, *other),
    }
}

fn node_details(ui: &Ui, id: NodeId) -> Html {
    let Some(node) = cluster::node(ui.frame(), id) else {
        return html! { <><h2>{ ui.node_name(id) }</h2><p class="note">{ ui.say(Label::Ended) }</p></> };
    };
    match id {
        NodeId::ZooKeeper => zookeeper_details(ui, node),
        NodeId::Client(_) => client_details(ui, node),
        NodeId::Server(number) => match cluster::kind_of(number, &ui.snapshot.cast) {
            ServerKind::Controller => controller_details(ui, node),
            ServerKind::Broker => broker_details(ui, node, BrokerId(number)),
        },
    }
}
