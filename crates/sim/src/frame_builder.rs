//! Makes frames from worlds. Nodes that have not changed since the frame before are taken over from it.

use crate::frame::{Delivery, Frame, MessageInFlight, NodeFrame};
use crate::network::Flight;
use crate::world::{Host, World};
use kafka::node::NodeId;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// The nodes of a world, made anew where they differ from those of an earlier frame of the same history.
pub(crate) fn nodes(world: &World, earlier: Option<Rc<Frame>>) -> Vec<NodeFrame> {
    let mut unchanged = unchanged_nodes(world, earlier).into_iter().peekable();
    let reuse_or_make =
        |(id, host): (&NodeId, &Host)| unchanged.next_if(|frame| frame.id == *id).unwrap_or_else(|| node(*id, host));
    world.hosts().iter().map(reuse_or_make).collect()
}

fn unchanged_nodes(world: &World, earlier: Option<Rc<Frame>>) -> Vec<NodeFrame> {
    let Some(earlier) = earlier else { return Vec::new() };
    let step = earlier.step;
    let is_unchanged =
        |frame: &NodeFrame| world.hosts().get(&frame.id).is_some_and(|host| host.changed_in_step <= step);
    match Rc::try_unwrap(earlier) {
        Ok(frame) => frame.nodes.into_iter().filter(is_unchanged).collect(),
        Err(shared) => shared.nodes.iter().filter(|frame| is_unchanged(frame)).cloned().collect(),
    }
}

fn node(id: NodeId, host: &Host) -> NodeFrame {
    NodeFrame {
        id,
        endpoint: host.server.as_ref().map(|spec| spec.endpoint.clone()),
        controller_endpoint: host.server.as_ref().and_then(|spec| spec.controller_endpoint().cloned()),
        process: host.process.as_ref().map(|machine| machine.view()),
        disk: match host.process {
            Some(_) => Arc::new(BTreeMap::new()),
            None => host.disk.logs.clone(),
        },
        faults: host.faults,
    }
}

/// What is under way: what will arrive in that order, then what is unread, then what is held back.
pub(crate) fn messages(world: &World) -> Vec<MessageInFlight> {
    let under_way = world.flights().map(|(at, flight)| message(Delivery::At(at), flight));
    let unread = world.unread_flights().map(|flight| message(Delivery::Unread, flight));
    let held_back = world.held_flights().map(|flight| message(Delivery::HeldBack, flight));
    under_way.chain(unread).chain(held_back).collect()
}

fn message(delivery: Delivery, flight: &Flight) -> MessageInFlight {
    MessageInFlight {
        id: flight.id,
        from: flight.from,
        to: flight.to,
        connection: flight.connection,
        sent_at: flight.sent_at,
        delivery,
        content: flight.content.clone(),
    }
}
