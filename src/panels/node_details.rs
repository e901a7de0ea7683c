//! A broker or a client program in detail, and what can be done to it.

use super::commands::{command_button, server_commands};
use super::coordinator_details::{controller_facts, metadata_lag, voters_table};
use super::tables::short_name;
use super::{Ui, fact};
use crate::store::Selection;
use crate::text::{Label, Message};
use crate::view::cluster::{self, BrokerStatus, ClientView, Replica};
use crate::view::{format, nodes};
use kafka::node::Instruction;
use sim::Command;
use sim::frame::NodeFrame;
use wire::BrokerId;
use yew::prelude::*;

pub(super) fn broker_details(ui: &Ui, node: &NodeFrame, broker: BrokerId) -> Html {
    let status = cluster::broker_status(ui.frame(), node, broker);
    let (view, controller) = (cluster::broker_view(node), cluster::combined_controller(node));
    let unknown = || ui.say(Label::Unknown).to_owned();
    let fenced = cluster::broker_registration(ui.frame(), broker).map(|registration| registration.fenced);
    html! {
        <section data-testid="broker-details" data-broker={broker.to_string()}>
            <h2>{ ui.node_name(node.id) }</h2>
            { server_commands(ui, node) }
            <dl>
                { fact(ui.say(Label::State), status_text(ui, status)) }
                { fact(ui.say(Label::FencedByController), fenced.map_or_else(unknown, |fenced| yes_or_no(ui, fenced))) }
                { fact(ui.say(Label::Address), address(node)) }
                { fact(ui.say(Label::BrokerEpoch), view.and_then(|view| view.broker_epoch).map_or_else(unknown, |epoch| epoch.to_string())) }
                { fact(ui.say(Label::MetadataOffset), view.map_or_else(unknown, |view| view.metadata_offset.to_string())) }
                if let Some(lag) = view.and_then(|view| metadata_lag(ui, view.metadata_offset)) { { fact(ui.say(Label::MetadataLag), lag) } }
                if let Some(epoch) = cluster::office(node) { { fact(ui.say(Label::ControllerBroker), ui.tell(&Message::Office { epoch })) } }
                if let Some(view) = controller { { fact(ui.say(Label::Controller), nodes::controller_state(Some(view), ui.store.language).1) } { controller_facts(ui, view) } }
            </dl>
            if let Some(view) = controller { { voters_table(ui, view) } }
            { replicas_table(ui, node, broker) }
        </section>
    }
}

fn status_text(ui: &Ui, status: BrokerStatus) -> Html {
    let ink = nodes::status_ink(status);
    html! { <span style={format!("color: var({})", ink.property())}>{ ui.say(nodes::status_label(status)) }</span> }
}

pub(super) fn address(node: &NodeFrame) -> String {
    let endpoints = node.endpoint.iter().chain(&node.controller_endpoint);
    endpoints.map(ToString::to_string).collect::<Vec<String>>().join(", ")
}

fn yes_or_no(ui: &Ui, is_so: bool) -> String {
    ui.say(if is_so { Label::Yes } else { Label::No }).to_owned()
}

/// As many replicas as a screen holds; the others are reached by choosing a topic.
const REPLICAS_SHOWN: usize = 30;

fn replicas_table(ui: &Ui, node: &NodeFrame, broker: BrokerId) -> Html {
    let partitions = cluster::partitions(ui.frame(), ui.store.topic.as_ref());
    let replicas =
        partitions.iter().filter_map(|partition| Some((partition, cluster::replica(node, broker, partition)?)));
    let rows = replicas.take(REPLICAS_SHOWN).map(|(partition, replica)| {
        let selection = Selection::Replica { broker, partition: partition.clone() };
        html! {
            <tr>
                <th scope="row"><button class="link" title={partition.to_string()} onclick={ui.on_select(selection)}>{ short_name(partition) }</button></th>
                <td>{ role(ui, &replica) }</td>
                <td class="number">{ replica.high_watermark().to_string() }</td>
                <td class="number">{ replica.log_end_offset().to_string() }</td>
            </tr>
        }
    });
    html! {
        <div class="scroll"><table>
            <thead><tr>
                <th scope="col">{ ui.say(Label::Partition) }</th>
                <th scope="col">{ ui.say(Label::Role) }</th>
                <th scope="col">{ ui.say(Label::HighWatermark) }</th>
                <th scope="col">{ ui.say(Label::LogEndOffset) }</th>
            </tr></thead>
            <tbody>{ for rows }</tbody>
        </table></div>
    }
}

/// What a broker is for a partition, in one word.
pub(super) fn role(ui: &Ui, replica: &Replica<'_>) -> &'static str {
    if replica.is_on_disk_only() {
        ui.say(Label::OnDisk)
    } else if replica.is_leader() {
        ui.say(Label::Leader)
    } else {
        ui.say(Label::Follower)
    }
}

pub(super) fn client_details(ui: &Ui, node: &NodeFrame) -> Html {
    let Some(view) = cluster::client_view(node) else { return html! {} };
    html! {
        <section>
            <h2>{ ui.node_name(node.id) }</h2>
            <p class="commands">
                { command_button(ui, Label::Interrupt, Command::Tell(node.id, Instruction::Interrupt), true) }
                { command_button(ui, Label::Stop, Command::Stop(node.id), true) }
                { command_button(ui, Label::Kill, Command::Kill(node.id), true) }
            </p>
            <dl>
                { fact(ui.say(Label::Kind), ui.say(nodes::client_label(view))) }
                { client_facts(ui, view) }
            </dl>
        </section>
    }
}

fn client_facts(ui: &Ui, view: ClientView<'_>) -> Html {
    match view {
        ClientView::Producer(view) => html! {
            <>
                { fact(ui.say(Label::Acks), format::acks(view.acks)) }
                { fact(ui.say(Label::Waiting), view.waiting.to_string()) }
                { fact(ui.say(Label::Pending), view.pending.to_string()) }
                { fact(ui.say(Label::Acknowledged), view.acknowledged.to_string()) }
                { fact(ui.say(Label::Failed), view.failed.to_string()) }
                { for view.last_offsets.iter().map(|(partition, offset)| {
                    fact(&format!("{partition}: {}", ui.say(Label::LastAcknowledged)), offset.to_string())
                }) }
            </>
        },
        ClientView::Consumer(view) => html! {
            <>
                { fact(ui.say(Label::Consumed), view.consumed.to_string()) }
                { for view.positions.iter().map(|position| {
                    let offset = position.position.map_or_else(|| ui.say(Label::Unknown).to_owned(), |offset| offset.to_string());
                    fact(&format!("{}: {}", position.partition, ui.say(Label::Positions)), offset)
                }) }
            </>
        },
        ClientView::Admin(view) => html! {
            <>
                { fact(ui.say(Label::Call), view.call) }
                if let Some(topic) = &view.topic { { fact(ui.say(Label::Topic), topic.to_string()) } }
            </>
        },
    }
}
