//! A replica, a record or a message in detail.

use super::node_details::role;
use super::{Ui, fact};
use crate::store::Selection;
use crate::text::{Label, Message as Text};
use crate::view::cluster::{self, LogRecord, Replica};
use crate::view::format;
use crate::view::messages;
use kafka::node::{Message, NodeId};
use kafka::view::ReplicaRole;
use sim::frame::{Delivery, FlightContent, MessageInFlight};
use wire::{BrokerId, LeaderRecoveryState, Offset, Timestamp, TopicPartition};
use yew::prelude::*;

/// Longer contents are cut: a value may have a megabyte.
const SHOWN_LETTERS: usize = 4_000;

fn replica_of<'a>(ui: &'a Ui, broker: BrokerId, partition: &TopicPartition) -> Option<Replica<'a>> {
    cluster::replica(cluster::node(ui.frame(), NodeId::Server(broker.0))?, broker, partition)
}

fn broker_link(ui: &Ui, broker: BrokerId) -> Html {
    let id = NodeId::Server(broker.0);
    html! { <button class="link" onclick={ui.on_select(Selection::Node(id))}>{ ui.node_name(id) }</button> }
}

pub(super) fn replica_details(ui: &Ui, broker: BrokerId, partition: &TopicPartition) -> Html {
    let Some(replica) = replica_of(ui, broker, partition) else {
        return html! { <><h2>{ partition.to_string() }</h2><p class="note">{ ui.say(Label::ReplicaGone) }</p></> };
    };
    let epochs: Vec<String> =
        replica.leader_epochs().iter().map(|(epoch, offset)| format!("{epoch} → {offset}")).collect();
    html! {
        <section>
            <h2>{ partition.to_string() }</h2>
            <p>{ broker_link(ui, broker) }</p>
            <dl>
                { fact(ui.say(Label::Role), role(ui, &replica)) }
                if let Some(view) = replica.running() { { fact(ui.say(Label::LeaderEpoch), view.leader_epoch.to_string()) } }
                { fact(ui.say(Label::LogStartOffset), replica.log_start_offset().to_string()) }
                { fact(ui.say(Label::HighWatermark), replica.high_watermark().to_string()) }
                { fact(ui.say(Label::LogEndOffset), replica.log_end_offset().to_string()) }
                { log_facts(ui, &replica) }
                { fact(ui.say(Label::EpochsOfLog), epochs.join(", ")) }
                { leader_facts(ui, &replica) }
            </dl>
            { controllers_facts(ui, partition) }
        </section>
    }
}

fn log_facts(ui: &Ui, replica: &Replica<'_>) -> Html {
    const SHOWN: usize = 12;
    let segments = replica.segments();
    let skipped = segments.count().saturating_sub(SHOWN);
    let newest = segments.segments_from(skipped).map(|segment| segment.base_offset().to_string());
    let bases: Vec<String> = (skipped > 0).then(|| "…".to_owned()).into_iter().chain(newest).collect();
    html! {
        <>
            if let Some(view) = replica.running() {
                { fact(ui.say(Label::LastStableOffset), view.last_stable_offset.to_string()) }
                { fact(ui.say(Label::RecoveryPoint), view.recovery_point.to_string()) }
            }
            { fact(ui.say(Label::SegmentsOfLog), bases.join(", ")) }
        </>
    }
}

/// The partition's state in the active controller.
fn controllers_facts(ui: &Ui, partition: &TopicPartition) -> Html {
    let Some(state) = cluster::registration(ui.frame(), partition) else { return html! {} };
    let listed = |brokers: &[BrokerId]| match brokers {
        [] => ui.say(Label::NoneListed).to_owned(),
        brokers => format::broker_ids(brokers),
    };
    let leader = state.leader.map_or_else(|| ui.say(Label::NoLeader).to_owned(), |leader| leader.to_string());
    let recovery = match state.leader_recovery_state {
        LeaderRecoveryState::Recovered => Label::Recovered,
        LeaderRecoveryState::Recovering => Label::Recovering,
    };
    html! {
        <>
            <h3>{ ui.say(Label::AsControllerHasIt) }</h3>
            <dl data-testid="partition-state">
                { fact(ui.say(Label::Leader), leader) }
                { fact(ui.say(Label::LeaderEpoch), state.leader_epoch.to_string()) }
                { fact(ui.say(Label::PartitionEpoch), state.partition_epoch.to_string()) }
                { fact(ui.say(Label::Replicas), listed(&state.replicas)) }
                { fact(ui.say(Label::Isr), listed(&state.isr)) }
                { fact(ui.say(Label::Elr), listed(&state.eligible_leader_replicas)) }
                { fact(ui.say(Label::LastKnownElr), listed(&state.last_known_elr)) }
                { fact(ui.say(Label::RecoveryState), ui.say(recovery)) }
                if state.is_reassigning() {
                    { fact(ui.say(Label::AddingReplicas), listed(&state.adding_replicas)) }
                    { fact(ui.say(Label::RemovingReplicas), listed(&state.removing_replicas)) }
                }
            </dl>
        </>
    }
}

fn leader_facts(ui: &Ui, replica: &Replica<'_>) -> Html {
    let Some(ReplicaRole::Leader { isr, maximal_isr, partition_epoch, followers, .. }) =
        replica.running().map(|view| &view.role)
    else {
        return html! {};
    };
    let followers: Vec<String> =
        followers.iter().map(|follower| format!("{} (LEO {})", follower.broker, follower.log_end_offset)).collect();
    html! {
        <>
            { fact(ui.say(Label::Isr), ui.tell(&Text::LeadersIsr { isr, maximal_isr })) }
            { fact(ui.say(Label::PartitionEpoch), partition_epoch.to_string()) }
            { fact(ui.say(Label::FollowersSeen), followers.join(", ")) }
        </>
    }
}

pub(super) fn record_details(ui: &Ui, broker: BrokerId, partition: &TopicPartition, offset: Offset) -> Html {
    let replica = replica_of(ui, broker, partition);
    let record = replica.and_then(|replica| Some((replica, replica.record_at(offset)?)));
    html! {
        <section data-testid="record-details">
            <h2>{ format!("{partition} · {} {offset}", ui.say(Label::Offset)) }</h2>
            <p>{ broker_link(ui, broker) }</p>
            if let Some((replica, record)) = record {
                { record_facts(ui, &replica, &record) }
            } else {
                <p class="note">{ ui.say(Label::RecordGone) }</p>
            }
        </section>
    }
}

fn record_facts(ui: &Ui, replica: &Replica<'_>, record: &LogRecord) -> Html {
    let committed = if record.offset < replica.high_watermark() { Label::Yes } else { Label::No };
    html! {
        <dl>
            { fact(ui.say(Label::Key), content(&format::bytes(record.key.as_ref()))) }
            { fact(ui.say(Label::Value), content(&format::bytes(record.value.as_ref()))) }
            { fact(ui.say(Label::Timestamp), timestamp(record.timestamp)) }
            { fact(ui.say(Label::LeaderEpoch), record.leader_epoch.to_string()) }
            { fact(ui.say(Label::Committed), ui.say(committed)) }
        </dl>
    }
}

fn content(text: &str) -> Html {
    let mut shown: String = text.chars().take(SHOWN_LETTERS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    html! { <code class="content">{ shown }</code> }
}

fn timestamp(timestamp: Timestamp) -> String {
    let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(timestamp.0 as f64));
    // Dates beyond what JavaScript can name have no such form, but still a number.
    if date.get_time().is_nan() {
        timestamp.to_string()
    } else {
        format!("{timestamp} ({})", String::from(date.to_iso_string()))
    }
}

pub(super) fn message_details(ui: &Ui, id: u64) -> Html {
    match ui.frame().messages.iter().find(|message| message.id == id) {
        Some(flight) => flight_details(ui, flight),
        None => html! { <p class="note">{ ui.say(Label::MessageGone) }</p> },
    }
}

fn flight_details(ui: &Ui, flight: &MessageInFlight) -> Html {
    let (title, side) = match &flight.content {
        FlightContent::Connecting => (ui.say(Label::Connecting), None),
        FlightContent::Closing => (ui.say(Label::Closing), None),
        FlightContent::Message(message) => (messages::api(message), Some(side_of(message))),
    };
    html! {
        <section>
            <h2>{ title }</h2>
            <dl>
                if let Some(side) = side { { fact(ui.say(Label::MessageTitle), ui.say(side)) } }
                { fact(ui.say(Label::From), ui.node_name(flight.from)) }
                { fact(ui.say(Label::To), ui.node_name(flight.to)) }
                { fact(ui.say(Label::SentAt), format::exact_instant(flight.sent_at)) }
                { fact(ui.say(Label::ArrivesAt), arrival(ui, flight.delivery)) }
                { fact(ui.say(Label::RecordsInside), messages::records_in(&flight.content).to_string()) }
                { fact(ui.say(Label::Contents), content(&debug_text(&flight.content))) }
            </dl>
        </section>
    }
}

fn arrival(ui: &Ui, delivery: Delivery) -> String {
    match delivery {
        Delivery::At(instant) => format::exact_instant(instant),
        Delivery::HeldBack => ui.say(Label::HeldBack).to_owned(),
        Delivery::Unread => ui.say(Label::Unread).to_owned(),
    }
}

fn side_of(message: &Message) -> Label {
    match message {
        Message::Request { .. } => Label::Request,
        Message::Response { .. } => Label::Response,
    }
}

/// All fields, named as in Kafka's protocol guide.
fn debug_text(content: &FlightContent) -> String {
    match content {
        FlightContent::Connecting | FlightContent::Closing => String::new(),
        FlightContent::Message(message) => match &**message {
            Message::Request { request, .. } => format::fields(&format!("{request:#?}")),
            Message::Response { response, .. } => format::fields(&format!("{response:#?}")),
        },
    }
}
