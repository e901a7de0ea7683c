//! What an onlooker may see of a broker.

use super::Broker;
use crate::view::BrokerView;
use std::sync::Arc;

impl Broker {
    /// What an onlooker may see. The image and the logs are shared, not copied.
    #[must_use]
    pub fn view(&self) -> BrokerView {
        BrokerView {
            state: self.lifecycle.state,
            broker_epoch: self.lifecycle.broker_epoch,
            metadata_offset: self.metadata.applied,
            image: Arc::clone(&self.metadata.image),
            replicas: self.replicas.iter().map(|(_, replica)| replica.view()).collect(),
        }
    }
}
