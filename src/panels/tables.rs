//! The same facts as on the canvas, as tables: for screen readers, keyboards and tests.

use super::commands::fault_words;
use super::node_details::{address, role};
use super::{Ui, UiProps};
use crate::store::Selection;
use crate::text::{Label, Message};
use crate::view::cluster::{self, BrokerStatus, ServerKind};
use crate::view::draw_list::Font;
use crate::view::faults::{self, FaultMark};
use crate::view::logs::standing_label;
use crate::view::{format, nodes};
use kafka::node::NodeId;
use kafka::view::ControllerView;
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
                    <th scope="col">{ ui.say(Label::Faults) }</th>
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
    let quorum = cluster::combined_controller(node);
    let is_controller = cluster::office(node).is_some() || quorum.is_some_and(|view| view.is_active);
    let broker = cluster::broker_id(node.id, &ui.snapshot.cast).map(|broker| broker.to_string());
    let address = address(node);
    html! {
        <tr data-node={kind} data-id={id} data-state={code} data-broker={broker} data-faults={fault_codes(node)}
            data-controller={is_controller.to_string()}>
            <th scope="row">
                <button class="link" aria-label={label} onclick={ui.on_select(Selection::Node(node.id))}>{ name.clone() }</button>
            </th>
            <td>{ address }</td>
            <td>{ state }</td>
            <td>{ fault_words(ui, node) }</td>
        </tr>
    }
}

fn fault_codes(node: &NodeFrame) -> String {
    let codes: Vec<&str> = faults::marks(&node.faults).into_iter().map(FaultMark::code).collect();
    codes.join(" ")
}

/// For tests, and for people.
fn state(ui: &Ui, node: &NodeFrame) -> (&'static str, String) {
    match node.id {
        NodeId::ZooKeeper if node.process.is_none() => ("down", ui.say(Label::Down).to_owned()),
        NodeId::ZooKeeper | NodeId::Client(_) => ("running", ui.say(Label::Running).to_owned()),
        NodeId::Server(id) => match cluster::kind_of(id, &ui.snapshot.cast) {
            ServerKind::Controller => {
                let view = cluster::controller_view(node);
                (controller_code(view), nodes::controller_state(view, ui.store.language).1)
            }
            ServerKind::Broker => broker_state(ui, node, BrokerId(id)),
        },
    }
}

fn broker_state(ui: &Ui, node: &NodeFrame, broker: BrokerId) -> (&'static str, String) {
    let status = cluster::broker_status(ui.frame(), node, broker);
    let office = cluster::office(node).map(|epoch| format!(" · {}", ui.tell(&Message::Office { epoch })));
    let quorum =
        cluster::combined_controller(node).map(|view| nodes::controller_state(Some(view), ui.store.language).1);
    let quorum = quorum.map(|state| format!(" · {} · {state}", ui.say(Label::Controller)));
    let words = [Some(ui.say(nodes::status_label(status)).to_owned()), office, quorum];
    (status_code(status), words.into_iter().flatten().collect())
}

fn controller_code(view: Option<&ControllerView>) -> &'static str {
    match view {
        None => "down",
        Some(view) if view.is_active => "active",
        Some(_) => "inactive",
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
                    { for [Label::Partition, Label::Leader, Label::LeaderEpoch, Label::Isr, Label::Elr].map(|label| html! { <th scope="col">{ ui.say(label) }</th> }) }
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
    let elr = registration.map_or_else(String::new, |state| format::broker_ids(&state.eligible_leader_replicas));
    html! {
        <tr data-partition={partition.to_string()} data-leader={leader_code} data-epoch={epoch.clone()} data-isr={isr.replace(", ", ",")}
            data-elr={elr.replace(", ", ",")}>
            <th scope="row" title={partition.to_string()}>{ short_name(partition) }</th>
            <td>{ leader_text }</td>
            <td class="number">{ epoch }</td>
            <td>{ isr }</td>
            <td>{ elr }</td>
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
    let standings = cluster::standings(ui.frame(), broker, partition);
    let selection = Selection::Replica { broker, partition: partition.clone() };
    html! {
        <td data-broker={broker.to_string()} data-log-end-offset={replica.log_end_offset().to_string()}
            data-high-watermark={replica.high_watermark().to_string()}>
            <button class="link" onclick={ui.on_select(selection)}>
                { format!("{} · LEO {} · HW {}", role(ui, &replica), replica.log_end_offset(), replica.high_watermark()) }
            </button>
            { for standings.into_iter().map(|standing| html! {
                <strong class="danger">{ " " }{ ui.say(standing_label(standing)) }</strong>
            }) }
        </td>
    }
}
