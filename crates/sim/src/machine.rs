//! The processes that a world can run, behind one type.

use kafka::Rng;
use kafka::broker::Broker;
use kafka::client::Client;
use kafka::combined::CombinedServer;
use kafka::controller::Controller;
use kafka::instant::Instant;
use kafka::node::{Effects, Identity, Input, Node};
use kafka::spec::{ClientSpec, ServerRole, ServerSpec};
use kafka::view::NodeView;
use kafka::zookeeper::ZooKeeper;
use std::sync::Arc;

/// A process. A clone shares the machine until either side takes a step.
#[derive(Clone, Debug)]
pub(crate) enum Machine {
    Broker(Arc<Broker>),
    Controller(Arc<Controller>),
    Combined(Arc<CombinedServer>),
    ZooKeeper(Arc<ZooKeeper>),
    Client(Arc<Client>),
    #[cfg(test)]
    Toy(Arc<crate::toy::Toy>),
}

impl Machine {
    /// A server's process that has not started yet.
    pub(crate) fn server(spec: ServerSpec, identity: Identity, rng: Rng) -> Machine {
        #[cfg(test)]
        if crate::toy::is_toy_server(&spec) {
            return Machine::Toy(Arc::new(crate::toy::Toy::server(identity, rng)));
        }
        match spec.role {
            ServerRole::Broker => Machine::Broker(Arc::new(Broker::new(spec, identity, rng))),
            ServerRole::Controller => Machine::Controller(Arc::new(Controller::new(spec, identity, rng))),
            ServerRole::Combined => Machine::Combined(Arc::new(CombinedServer::new(spec, identity, rng))),
            ServerRole::ZooKeeper => Machine::ZooKeeper(Arc::new(ZooKeeper::new(identity))),
        }
    }

    /// A client program's process that has not started yet.
    pub(crate) fn client(spec: ClientSpec, identity: Identity, rng: Rng) -> Machine {
        #[cfg(test)]
        if crate::toy::is_toy_client(&spec) {
            return Machine::Toy(Arc::new(crate::toy::Toy::client(spec, identity, rng)));
        }
        Machine::Client(Arc::new(Client::new(spec, identity, rng)))
    }

    /// One step of the machine.
    pub(crate) fn step(&mut self, now: Instant, input: Input, effects: &mut Effects) {
        match self {
            Machine::Broker(broker) => Arc::make_mut(broker).step(now, input, effects),
            Machine::Controller(controller) => Arc::make_mut(controller).step(now, input, effects),
            Machine::Combined(server) => Arc::make_mut(server).step(now, input, effects),
            Machine::ZooKeeper(zookeeper) => Arc::make_mut(zookeeper).step(now, input, effects),
            Machine::Client(client) => Arc::make_mut(client).step(now, input, effects),
            #[cfg(test)]
            Machine::Toy(toy) => Arc::make_mut(toy).step(now, input, effects),
        }
    }

    /// What an onlooker may see.
    pub(crate) fn view(&self) -> NodeView {
        match self {
            Machine::Broker(broker) => NodeView::Broker(broker.view()),
            Machine::Controller(controller) => NodeView::Controller(controller.view()),
            Machine::Combined(server) => server.view(),
            Machine::ZooKeeper(zookeeper) => NodeView::ZooKeeper(zookeeper.view()),
            Machine::Client(client) => client.view(),
            #[cfg(test)]
            Machine::Toy(toy) => toy.view(),
        }
    }
}
