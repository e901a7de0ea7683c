//! What of a step goes into the trace hash: its instant, whose it is, what kind of thing happens and the numbers that
//! tell it from others of its kind. Contents of messages do not; what they lead to shows in events and later steps.

use crate::command::Command;
use crate::frame::FlightContent;
use crate::network::Flight;
use crate::queue::Happening;
use crate::trace::{Event, TraceHasher};
use kafka::instant::Instant;
use kafka::node::Message;
use std::hash::Hash;
use std::mem::discriminant;

pub(crate) fn mix_instant(hasher: &mut TraceHasher, at: Instant) {
    at.hash(hasher);
}

pub(crate) fn mix_event(hasher: &mut TraceHasher, event: &Event) {
    (event.cause, event.node, &event.kind).hash(hasher);
}

pub(crate) fn mix_happening(hasher: &mut TraceHasher, happening: &Happening) {
    match happening {
        Happening::ServerStarts(node) => (0u8, node).hash(hasher),
        Happening::ClientStarts(index) => (1u8, index).hash(hasher),
        Happening::TimerFires { node, timer } => (2u8, node, timer).hash(hasher),
        Happening::FlightArrives(flight) => mix_flight(hasher, flight),
        Happening::InputArrives { node, .. } => (17u8, node).hash(hasher),
        Happening::WriteIsDone { node, .. } => (18u8, node).hash(hasher),
        Happening::RetransmissionEnds { connection, sender } => (19u8, connection, sender).hash(hasher),
    }
}

fn mix_flight(hasher: &mut TraceHasher, flight: &Flight) {
    (3u8, flight.id, flight.connection, flight.towards).hash(hasher);
    match &flight.content {
        FlightContent::Connecting => 0u8.hash(hasher),
        FlightContent::Message(message) => mix_message(hasher, message),
        FlightContent::Closing => 2u8.hash(hasher),
    }
}

fn mix_message(hasher: &mut TraceHasher, message: &Message) {
    match message {
        Message::Request { correlation_id, request } => (3u8, correlation_id, discriminant(request)).hash(hasher),
        Message::Response { correlation_id, response } => (4u8, correlation_id, discriminant(response)).hash(hasher),
    }
}

pub(crate) fn mix_command(hasher: &mut TraceHasher, command: &Command) {
    match command {
        Command::Kill(node) => (4u8, node).hash(hasher),
        Command::Stop(node) => (5u8, node).hash(hasher),
        Command::Start(node) => (6u8, node).hash(hasher),
        Command::StartClient(spec) => (7u8, &spec.client_id).hash(hasher),
        Command::Tell(node, instruction) => (8u8, node, instruction).hash(hasher),
        Command::Freeze(node) => (9u8, node).hash(hasher),
        Command::Thaw(node) => (10u8, node).hash(hasher),
        Command::PowerOff(node) => (11u8, node).hash(hasher),
        Command::SetDisk { node, condition } => (12u8, node, condition).hash(hasher),
        Command::SetClock { node, offset_ms } => (13u8, node, offset_ms).hash(hasher),
        Command::ChangeLinks { links, change } => (14u8, links, change).hash(hasher),
        Command::AddServer(spec) => (15u8, spec.node_id).hash(hasher),
        Command::RemoveServer(node) => (16u8, node).hash(hasher),
    }
}
