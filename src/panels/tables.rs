//! The same facts as on the canvas, as tables: for screen readers, keyboards and tests.

use super::node_details::role;
use super::{Ui, UiProps};
use crate::store::Selection;
use crate::text::{Label, Message};
use crate::view::cluster::{self, BrokerStatus, ServerKind};
use crate::view::draw_list::Font;
use crate::view::{format, nodes};
use kafka::node::NodeId;
use sim::frame::NodeFrame;
use wire::{BrokerId, TopicPartition};
use yew::prelude::*;

/// How many rows a table has at most.
const ROWS_SHOWN: usize = 50;

#[component]
pub(crate) fn NodesTable(props: &UiProps) -> Html {
    let ui = &props.ui;
    let nodes = &ui.frame().nodes;
    html! {
        <section class="table-section">
            <h2>{ ui.say(Label::NodesTable) }</h2>
            <div class="scroll"><table id="nodes">
                <thead><tr>
                    <th scope="col">{ ui.say(Label::Node) }</th>
                    <th scope="col">{ ui.say(Label::Address) }</th>
                    <th scope="col">{ ui.say(Label::State) }</th>
                </tr></thead>
                <tbody>{ for nodes.iter().take(ROWS_SHOWN).map(|node| node_row(ui, node)) }</tbody>
            </table></div>
            { surplus(ui, nodes.len()) }
        </section>
    }
}

fn surplus(ui: &Ui, count: usize) -> Html {
    match count.checked_sub(ROWS_SHOWN) {
        None | Some(0) => html! {},
        Some(count) => html! { <p class="note">{ ui.tell(&Message::MoreRows { count }) }</p> },
    }
}

fn node_row(ui: &Ui, node: &NodeFrame) -> Html {
    let name = ui.node_name(node.id);
    let label = ui.tell(&Message::SelectNode { name: &name });
    let (kind, id) = match node.id {
        NodeId::Server(id) => ("server", id.to_string()),
        NodeId::ZooKeeper => ("zookeeper", String::new()),
        NodeId::Client(number) => ("client", number.to_string()),
    };
    let (code, state) = state(ui, node);
    let broker = cluster::broker_id(node.id, &ui.snapshot.cast).map(|broker| broker.to_string());
    let address = node.endpoint.as_ref().map_or_else(String::new, ToString::to_string);
    html! {
        <tr data-node={kind} data-id={id} data-state={code} data-broker={broker}>
            <th scope="row">
                <button class="link" aria-label={label} onclick={ui.on_select(Selection::Node(node.id))}>{ name.clone() }</button>
            </th>
            <td>{ address }</td>
            <td>{ state }</td>
        </tr>
    }
}

/// For tests, and for people.
fn state(ui: &Ui, node: &NodeFrame) -> (&'static str, &'static str) {
    match node.id {
        NodeId::ZooKeeper if node.process.is_none() => ("down", ui.say(Label::Down)),
        NodeId::ZooKeeper | NodeId::Client(_) => ("running", ui.say(Label::Running)),
        NodeId::Server(id) if ui.snapshot.cast.get(&id) == Some(&ServerKind::Controller) => {
            match cluster::controller_view(node) {
                None => ("down", ui.say(Label::Down)),
                Some(view) if view.is_active => ("active", ui.say(Label::ActiveController)),
                Some(_) => ("inactive", ui.say(Label::InactiveController)),
            }
        }
        NodeId::Server(id) => {
            let status = cluster::broker_status(ui.frame(), node, BrokerId(id));
            (status_code(status), ui.say(nodes::status_label(status)))
        }
    }
}

fn status_code(status: BrokerStatus) -> &'static str {
    match status {
        BrokerStatus::Down => "down",
        BrokerStatus::Starting => "starting",
        BrokerStatus::Recovery => "recovery",
        BrokerStatus::Running => "running",
        BrokerStatus::RunningButFenced => "fenced",
        BrokerStatus::ControlledShutdown => "controlled-shutdown",
        BrokerStatus::ShuttingDown => "shutting-down",
    }
}

#[component]
pub(crate) fn PartitionsTable(props: &UiProps) -> Html {
    let ui = &props.ui;
    let partitions = cluster::partitions(ui.frame(), ui.store.topic.as_ref());
    let brokers: Vec<(BrokerId, &NodeFrame)> = cluster::brokers(ui.frame(), &ui.snapshot.cast).collect();
    let note =
        if cluster::controller_image(ui.frame()).is_some() { Label::PartitionsTableNote } else { Label::NoController };
    html! {
        <section class="table-section">
            <h2>{ ui.say(Label::PartitionsTable) }</h2>
            <p class="note">{ ui.say(if partitions.is_empty() { Label::NoPartitions } else { note }) }</p>
            <div class="scroll"><table id="partitions">
                <thead><tr>
                    { for [Label::Partition, Label::Leader, Label::LeaderEpoch, Label::Isr].map(|label| html! { <th scope="col">{ ui.say(label) }</th> }) }
                    { for brokers.iter().map(|(id, _)| html! { <th scope="col">{ ui.node_name(NodeId::Server(id.0)) }</th> }) }
                </tr></thead>
                <tbody>{ for partitions.iter().take(ROWS_SHOWN).map(|partition| partition_row(ui, partition, &brokers)) }</tbody>
            </table></div>
            { surplus(ui, partitions.len()) }
        </section>
    }
}

fn partition_row(ui: &Ui, partition: &TopicPartition, brokers: &[(BrokerId, &NodeFrame)]) -> Html {
    let registration = cluster::registration(ui.frame(), partition);
    let leader = registration.and_then(|registration| registration.leader);
    let leader_code = leader.map_or_else(|| "none".to_owned(), |leader| leader.to_string());
    let leader_text = match (registration, leader) {
        (None, _) => ui.say(Label::Unknown).to_owned(),
        (Some(_), None) => ui.say(Label::NoLeader).to_owned(),
        (Some(_), Some(leader)) => leader.to_string(),
    };
    let epoch = registration.map_or_else(String::new, |registration| registration.leader_epoch.to_string());
    let isr = registration.map_or_else(String::new, |registration| format::broker_ids(&registration.isr));
    html! {
        <tr data-partition={partition.to_string()} data-leader={leader_code} data-epoch={epoch.clone()} data-isr={isr.replace(", ", ",")}>
            <th scope="row" title={partition.to_string()}>{ short_name(partition) }</th>
            <td>{ leader_text }</td>
            <td class="number">{ epoch }</td>
            <td>{ isr }</td>
            { for brokers.iter().map(|(broker, node)| replica_cell(ui, partition, *broker, node)) }
        </tr>
    }
}

/// The name as far as it leaves room for the other columns.
pub(super) fn short_name(partition: &TopicPartition) -> String {
    const ROOM: f64 = 220.0;
    format::fitted_partition(partition, Font::Title, ROOM)
}

fn replica_cell(ui: &Ui, partition: &TopicPartition, broker: BrokerId, node: &NodeFrame) -> Html {
    let Some(replica) = cluster::replica(node, broker, partition) else { return html! { <td>{ "–" }</td> } };
    let is_out = cluster::is_out_of_sync(ui.frame(), broker, partition);
    let selection = Selection::Replica { broker, partition: partition.clone() };
    html! {
        <td data-broker={broker.to_string()} data-log-end-offset={replica.log_end_offset().to_string()}
            data-high-watermark={replica.high_watermark().to_string()}>
            <button class="link" onclick={ui.on_select(selection)}>
                { format!("{} · LEO {} · HW {}", role(ui, &replica), replica.log_end_offset(), replica.high_watermark()) }
            </button>
            if is_out { <strong class="danger">{ " " }{ ui.say(Label::NotInIsr) }</strong> }
        </td>
    }
}
