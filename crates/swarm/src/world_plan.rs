//! The world of a run: few numbers that are drawn, printed and read back, and the servers they stand for.

use kafka::spec::{Coordination, HistoricalFaults, ServerRole, ServerSpec};
use sim::WorldSpec;
use sim::world_spec::NetworkSpec;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::Endpoint;

/// `node.id` of the first controller.
pub const FIRST_CONTROLLER: i32 = 100;

/// A world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldPlan {
    /// Brokers 1, 2, … at localhost:9092, 9093, …
    pub brokers: i32,
    /// Controllers 100, 101, …
    pub controllers: i32,
    /// Whether the first so many brokers are the controllers instead, or all if there are fewer.
    pub combined: bool,
    /// Racks that brokers are spread over in turn; 0 for none.
    pub racks: i32,
    /// The shortest time that a message travels, in microseconds.
    pub delay_us: u64,
    /// Up to so much more.
    pub jitter_us: u64,
    /// What all servers have in their properties.
    pub properties: BTreeMap<String, String>,
    /// A fault of an earlier release that is switched on.
    pub historical: Option<Historical>,
}

/// A fault of an earlier release, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Historical {
    /// `HistoricalFaults::truncate_to_high_watermark`.
    TruncateToHighWatermark,
    /// `HistoricalFaults::single_round_truncation`.
    SingleRoundTruncation,
    /// `HistoricalFaults::unfenced_fetches`.
    UnfencedFetches,
    /// `HistoricalFaults::high_watermark_below_min_isr`.
    HighWatermarkBelowMinIsr,
    /// `HistoricalFaults::isr_without_broker_epochs`.
    IsrWithoutBrokerEpochs,
}

impl Historical {
    /// All of them.
    pub const ALL: [Historical; 5] = [
        Historical::TruncateToHighWatermark,
        Historical::SingleRoundTruncation,
        Historical::UnfencedFetches,
        Historical::HighWatermarkBelowMinIsr,
        Historical::IsrWithoutBrokerEpochs,
    ];

    /// Its name in plans and on command lines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Historical::TruncateToHighWatermark => "truncate-to-high-watermark",
            Historical::SingleRoundTruncation => "single-round-truncation",
            Historical::UnfencedFetches => "unfenced-fetches",
            Historical::HighWatermarkBelowMinIsr => "high-watermark-below-min-isr",
            Historical::IsrWithoutBrokerEpochs => "isr-without-broker-epochs",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Historical> {
        Historical::ALL.into_iter().find(|fault| fault.name() == name)
    }

    fn faults(self) -> HistoricalFaults {
        let mut faults = HistoricalFaults::default();
        match self {
            Historical::TruncateToHighWatermark => faults.truncate_to_high_watermark = true,
            Historical::SingleRoundTruncation => faults.single_round_truncation = true,
            Historical::UnfencedFetches => faults.unfenced_fetches = true,
            Historical::HighWatermarkBelowMinIsr => faults.high_watermark_below_min_isr = true,
            Historical::IsrWithoutBrokerEpochs => faults.isr_without_broker_epochs = true,
        }
        faults
    }
}

impl WorldPlan {
    /// The brokers' ids.
    pub fn broker_ids(&self) -> impl Iterator<Item = i32> + use<> {
        1..=self.brokers
    }

    /// The controllers' ids.
    pub fn controller_ids(&self) -> impl Iterator<Item = i32> + use<> {
        if self.combined {
            1..self.controllers.min(self.brokers) + 1
        } else {
            FIRST_CONTROLLER..FIRST_CONTROLLER + self.controllers
        }
    }

    /// All servers' ids.
    pub fn server_ids(&self) -> impl Iterator<Item = i32> + use<> {
        self.controller_ids().filter(|id| *id >= FIRST_CONTROLLER).chain(self.broker_ids())
    }

    /// Where the brokers listen.
    #[must_use]
    pub fn bootstrap_servers(&self) -> Vec<Endpoint> {
        self.broker_ids().map(endpoint).collect()
    }

    /// The world that it stands for.
    #[must_use]
    pub fn spec(&self) -> WorldSpec {
        let properties = Arc::new(self.properties.clone());
        let voters: Vec<(i32, Endpoint)> = self.controller_ids().map(|id| (id, controller_endpoint(id))).collect();
        let server = |node_id, role, rack| ServerSpec {
            node_id,
            role,
            endpoint: endpoint(node_id),
            rack,
            coordination: Coordination::KRaft { voters: voters.clone() },
            properties: properties.clone(),
            historical_faults: self.historical.map_or_else(HistoricalFaults::default, Historical::faults),
        };
        let role = |id| match (id >= FIRST_CONTROLLER, self.controller_ids().any(|controller| controller == id)) {
            (true, _) => ServerRole::Controller,
            (false, true) => ServerRole::Combined,
            (false, false) => ServerRole::Broker,
        };
        let servers = self.server_ids().map(|id| server(id, role(id), self.rack_of(id))).collect();
        let network = NetworkSpec { delay_us: self.delay_us, jitter_us: self.jitter_us };
        WorldSpec { servers, network, ..WorldSpec::three_brokers(BTreeMap::new()) }
    }

    fn rack_of(&self, broker: i32) -> Option<String> {
        (self.racks > 0 && broker < FIRST_CONTROLLER).then(|| format!("rack-{}", broker % self.racks))
    }
}

/// Where a controller listens for the quorum: a combined one at a port of its own.
fn controller_endpoint(id: i32) -> Endpoint {
    endpoint(if id >= FIRST_CONTROLLER { id } else { FIRST_CONTROLLER + id - 1 })
}

fn endpoint(id: i32) -> Endpoint {
    let port = if id >= FIRST_CONTROLLER { 9_000 + id - FIRST_CONTROLLER } else { 9_091 + id };
    Endpoint::new("localhost", u16::try_from(port).expect("ids are small"))
}
