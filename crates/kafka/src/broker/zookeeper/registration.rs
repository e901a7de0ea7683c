//! A broker's registration: an ephemeral znode that lives as long as the broker's session
//! (`KafkaZkClient.registerBroker`). Its `czxid` is the broker's epoch (KIP-380).

use super::super::describe_broker::CLUSTER_ID;
use super::super::{Broker, Step, timers};
use super::Ask;
use crate::event::{BrokerEvent, EventKind};
use crate::instant::Duration;
use crate::storage::DiskWrite;
use crate::view::BrokerState;
use crate::zk_data;
use wire::BrokerEpoch;
use wire::zookeeper::{
    CreateMode, Operation, OperationResult, Stat, ZnodeData, ZnodePath, ZnodeVersion, ZooKeeperError,
};

impl Broker {
    /// The process starts: a session is begun. Without one in time it gives up.
    pub(in super::super) fn start_with_zookeeper(&mut self, step: &mut Step<'_>) {
        step.effects.write(DiskWrite::CleanShutdown(None));
        let timeout = Duration::from_ms(self.setup.config.zookeeper_connection_timeout_ms());
        step.effects.set_timer(timers::single(timers::REGISTRATION_TIMEOUT), step.now + timeout);
        self.begin_session(step);
    }

    /// A session has begun, the first one or one after another that expired.
    pub(super) fn on_session_began(&mut self, step: &mut Step<'_>) {
        step.effects.cancel_timer(timers::single(timers::REGISTRATION_TIMEOUT));
        if self.broker_epoch.is_none() {
            self.make_top_level_paths(step);
            self.read_broker_configs(None, step);
            self.read_broker_configs(Some(self.setup.broker_id), step);
        }
        self.register_in_zookeeper(step);
    }

    /// What is there already stays as it is.
    fn make_top_level_paths(&mut self, step: &mut Step<'_>) {
        let top_level = zk_data::TOP_LEVEL.map(|path| (path, ZnodeData::Empty));
        let cluster_id = (zk_data::CLUSTER_ID, ZnodeData::ClusterId(CLUSTER_ID.to_owned()));
        for (path, data) in top_level.into_iter().chain([cluster_id]) {
            let path = ZnodePath::new(path);
            let create = Operation::Create { path, data, mode: CreateMode::Persistent };
            self.ask_zookeeper(Ask::TopLevelPath, create, step);
        }
    }

    fn register_in_zookeeper(&mut self, step: &mut Step<'_>) {
        let path = zk_data::broker(self.setup.broker_id);
        let data = ZnodeData::Broker {
            endpoint: self.setup.spec.endpoint.clone(),
            rack: self.setup.spec.rack.clone(),
            timestamp: self.setup.wall_clock.at(step.now),
        };
        let create = Operation::Create { path: path.clone(), data: ZnodeData::Empty, mode: CreateMode::Ephemeral };
        let fill = Operation::SetData { path, data, version: Some(ZnodeVersion(0)) };
        self.ask_zookeeper_all(Ask::Register, vec![create, fill], step);
    }

    /// The registration was made, or there is one already.
    pub(super) fn on_register(
        &mut self,
        result: Result<Vec<OperationResult>, (u32, ZooKeeperError)>,
        step: &mut Step<'_>,
    ) {
        match result.as_deref() {
            Ok([_, OperationResult::DataSet(stat)]) => self.on_registered(stat, step),
            Ok(results) => unreachable!("a registration was answered with {results:?}"),
            Err(_) => {
                let path = zk_data::broker(self.setup.broker_id);
                self.ask_zookeeper(Ask::Registered, Operation::GetData { path, watch: false }, step);
            }
        }
    }

    /// A registration of this session is as good as a new one. One of another session is not this broker's to remove.
    pub(super) fn on_earlier_registration(
        &mut self,
        result: Result<OperationResult, ZooKeeperError>,
        step: &mut Step<'_>,
    ) {
        match result {
            Ok(OperationResult::Data { stat, .. }) if self.is_own_session(stat.ephemeral_owner) => {
                self.on_registered(&stat, step);
            }
            Ok(_) => self.on_registration_refused(step),
            Err(_) => self.register_in_zookeeper(step),
        }
    }

    fn on_registration_refused(&mut self, step: &mut Step<'_>) {
        step.effects.note(EventKind::Broker(BrokerEvent::RegistrationRefused));
        if self.broker_epoch.is_none() {
            self.give_up(step);
        }
    }

    fn on_registered(&mut self, stat: &Stat, step: &mut Step<'_>) {
        let broker_epoch = BrokerEpoch(stat.czxid.0);
        let is_first = self.broker_epoch.replace(broker_epoch).is_none();
        step.effects.note(EventKind::Broker(BrokerEvent::Registered { broker_epoch }));
        if is_first {
            self.become_ready_with_zookeeper(step);
        }
        self.look_for_config_changes(step);
        self.at_controller(step, |controller, process| controller.on_registered(process));
    }

    fn become_ready_with_zookeeper(&mut self, step: &mut Step<'_>) {
        self.state = BrokerState::Running;
        self.schedule_isr_expiration(step);
        self.start_log_manager(step);
        step.effects.listen(crate::node::Listener::Plaintext);
        step.effects.note(EventKind::Broker(BrokerEvent::BecameReady));
    }
}
