//! A KRaft controller.

use crate::Rng;
use crate::instant::Instant;
use crate::node::{Effects, Identity, Input, Node};
use crate::spec::ServerSpec;
use crate::view::ControllerView;

/// A KRaft controller.
#[derive(Clone, Debug)]
pub struct Controller {}

impl Controller {
    /// A process that has not started yet: its first input is `Input::Started`.
    #[must_use]
    pub fn new(_spec: ServerSpec, _identity: Identity, _rng: Rng) -> Controller {
        todo!()
    }

    /// What an onlooker may see.
    #[must_use]
    pub fn view(&self) -> ControllerView {
        todo!()
    }
}

impl Node for Controller {
    fn step(&mut self, _now: Instant, _input: Input, _effects: &mut Effects) {
        todo!()
    }
}
