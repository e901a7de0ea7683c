//! A broker.

use crate::Rng;
use crate::instant::Instant;
use crate::node::{Effects, Identity, Input, Node};
use crate::spec::ServerSpec;
use crate::view::BrokerView;

/// A broker.
#[derive(Clone, Debug)]
pub struct Broker {}

impl Broker {
    /// A process that has not started yet: its first input is `Input::Started`.
    #[must_use]
    pub fn new(_spec: ServerSpec, _identity: Identity, _rng: Rng) -> Broker {
        todo!()
    }

    /// What an onlooker may see.
    #[must_use]
    pub fn view(&self) -> BrokerView {
        todo!()
    }
}

impl Node for Broker {
    fn step(&mut self, _now: Instant, _input: Input, _effects: &mut Effects) {
        todo!()
    }
}
