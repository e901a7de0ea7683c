//! What an onlooker may see of a broker.

use super::Broker;
use crate::view::BrokerView;
use std::sync::Arc;

impl Broker {
    /// What an onlooker may see. The image and the logs are shared, not copied.
    #[must_use]
    pub fn view(&self) -> BrokerView {
        BrokerView {
            state: self.state,
            broker_epoch: self.broker_epoch,
            metadata_offset: self.membership.metadata_offset(),
            image: Arc::clone(&self.image),
            replicas: self.replicas.iter().map(|(_, replica)| replica.view()).collect(),
        }
    }
}
