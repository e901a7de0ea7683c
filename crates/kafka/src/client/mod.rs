//! A client program.

use crate::Rng;
use crate::instant::Instant;
use crate::node::{Effects, Identity, Input, Node};
use crate::spec::ClientSpec;
use crate::view::NodeView;

/// A client program.
#[derive(Clone, Debug)]
pub struct Client {}

impl Client {
    /// A process that has not started yet: its first input is `Input::Started`.
    #[must_use]
    pub fn new(_spec: ClientSpec, _identity: Identity, _rng: Rng) -> Client {
        todo!()
    }

    /// What an onlooker may see.
    #[must_use]
    pub fn view(&self) -> NodeView {
        todo!()
    }
}

impl Node for Client {
    fn step(&mut self, _now: Instant, _input: Input, _effects: &mut Effects) {
        todo!()
    }
}
