//! Who is the controller: election through `/controller`, taking over, and resigning
//! (`elect`, `onControllerFailover` and `onControllerResignation` of `kafka.controller.KafkaController`).

use super::context::{Context, PartitionState, Replica, ReplicaState};
use super::work::{Deed, Stop, Work};
use crate::event::{ChangeReason, ZooKeeperEvent};
use crate::zk_data;
use std::collections::BTreeSet;
use wire::zookeeper::{CreateMode, Operation, OperationResult, ZnodeData, ZnodePath, ZnodeVersion, ZooKeeperError};
use wire::{BrokerId, TopicName, TopicPartition};

/// Where notifications stand that nobody needs after a new election.
const STALE_NOTIFICATIONS: [&str; 2] = ["/log_dir_event_notification", "/isr_change_notification"];

/// `scheduleAutoLeaderRebalanceTask(delay = 5, unit = TimeUnit.SECONDS)`.
const FIRST_REBALANCE_MS: i64 = 5_000;

impl Work<'_> {
    /// The broker has registered: it watches the controller from now on and runs for it.
    pub(super) fn on_startup(&mut self) -> Result<(), Stop> {
        self.watch_controller()?;
        self.run_for_controller()
    }

    /// The controller is gone: whoever is first takes over.
    pub(super) fn on_reelect(&mut self) -> Result<(), Stop> {
        self.maybe_resign()?;
        self.run_for_controller()
    }

    /// `/controller` names somebody; if it is somebody else now, this broker is no longer the controller.
    pub(super) fn maybe_resign(&mut self) -> Result<(), Stop> {
        let was_active = self.is_active();
        self.watch_controller()?;
        self.state.active_controller = self.read_controller()?;
        if was_active && !self.is_active() {
            self.resign();
        }
        Ok(())
    }

    /// The session has expired, and with it the claim to be the controller.
    pub(super) fn on_expired(&mut self) {
        self.state.active_controller = None;
        self.resign();
    }

    fn resign(&mut self) {
        let controller_epoch = self.state.context.epoch;
        self.deeds.extend([Deed::RemoveAllBrokers, Deed::CancelRebalance]);
        self.state.context = Context::default();
        if controller_epoch > 0 {
            self.note_office(ZooKeeperEvent::ControllerResigned { controller_epoch });
        }
    }

    fn watch_controller(&mut self) -> Result<(), Stop> {
        self.watch(zk_data::CONTROLLER)
    }

    fn read_controller(&mut self) -> Result<Option<BrokerId>, Stop> {
        match self.get_data(zk_data::CONTROLLER, false)? {
            Some((ZnodeData::Controller { broker_id, .. }, _)) => Ok(Some(broker_id)),
            _ => Ok(None),
        }
    }

    fn run_for_controller(&mut self) -> Result<(), Stop> {
        self.state.active_controller = self.read_controller()?;
        if self.state.active_controller.is_some() {
            return Ok(());
        }
        let Some((epoch, version)) = self.register_controller()? else {
            // Somebody else was faster.
            return self.maybe_resign();
        };
        let broker_id = self.facts.broker_id;
        self.state.active_controller = Some(broker_id);
        self.context().epoch = epoch;
        self.context().epoch_version = Some(version);
        self.note_office(ZooKeeperEvent::ControllerElected { controller_epoch: epoch });
        match self.take_over() {
            Err(Stop::Failed) => self.give_up_office(version),
            other => other,
        }
    }

    /// It cannot take over: somebody else may try, if need be itself again (`triggerControllerMove`).
    fn give_up_office(&mut self, epoch_version: ZnodeVersion) -> Result<(), Stop> {
        self.state.active_controller = self.read_controller()?;
        if !self.is_active() {
            return Ok(());
        }
        self.state.active_controller = None;
        self.resign();
        self.context().epoch_version = Some(epoch_version);
        let deleted = self.delete_all(vec![ZnodePath::new(zk_data::CONTROLLER)]);
        self.context().epoch_version = None;
        match deleted {
            Err(Stop::ControllerMoved) => Ok(()),
            other => other,
        }
    }

    /// `registerControllerAndIncrementControllerEpoch`: both at once, so that no two controllers share an epoch. Returns
    /// the epoch and its znode's version, or nothing if another broker was faster.
    fn register_controller(&mut self) -> Result<Option<(i32, ZnodeVersion)>, Stop> {
        let (epoch, version) = self.controller_epoch()?;
        let next = epoch + 1;
        let broker_id = self.facts.broker_id;
        let create = Operation::Create {
            path: ZnodePath::new(zk_data::CONTROLLER),
            data: ZnodeData::Controller { broker_id, timestamp: self.at },
            mode: CreateMode::Ephemeral,
        };
        let increment = Operation::SetData {
            path: ZnodePath::new(zk_data::CONTROLLER_EPOCH),
            data: ZnodeData::ControllerEpoch(next),
            version: Some(version),
        };
        match self.ask_multi(vec![create, increment])? {
            Ok(results) => match results.last() {
                Some(OperationResult::DataSet(stat)) => Ok(Some((next, stat.version))),
                other => unreachable!("an epoch was set, and the answer is {other:?}"),
            },
            // The connection may have been lost after it was done: then it is this broker that was faster.
            Err((_, ZooKeeperError::NodeExists | ZooKeeperError::BadVersion)) => self.find_own_registration(next),
            Err(_) => Ok(None),
        }
    }

    fn find_own_registration(&mut self, next: i32) -> Result<Option<(i32, ZnodeVersion)>, Stop> {
        let controller = self.read_controller()?;
        let (epoch, version) = self.controller_epoch()?;
        let is_own = controller == Some(self.facts.broker_id) && epoch == next;
        Ok(is_own.then_some((epoch, version)))
    }

    /// The epoch of the last controller, 0 before the first.
    fn controller_epoch(&mut self) -> Result<(i32, ZnodeVersion), Stop> {
        if let Some((ZnodeData::ControllerEpoch(epoch), stat)) = self.get_data(zk_data::CONTROLLER_EPOCH, false)? {
            return Ok((epoch, stat.version));
        }
        let initial = Operation::Create {
            path: ZnodePath::new(zk_data::CONTROLLER_EPOCH),
            data: ZnodeData::ControllerEpoch(0),
            mode: CreateMode::Persistent,
        };
        match self.ask(initial)? {
            Ok(_) => Ok((0, ZnodeVersion(0))),
            Err(_) => self.controller_epoch(),
        }
    }

    /// `onControllerFailover`.
    fn take_over(&mut self) -> Result<(), Stop> {
        self.make_feature_znode()?;
        self.watch(zk_data::PREFERRED_ELECTION)?;
        self.watch(zk_data::REASSIGN_PARTITIONS)?;
        self.delete_stale_notifications()?;
        self.load_context()?;
        self.load_topics_to_delete()?;
        let everybody = self.context().registered();
        self.tell_who_is_there(&everybody);
        self.start_replicas()?;
        self.start_partitions()?;
        self.resume_all_reassignments()?;
        self.resume_deletions()?;
        self.on_preferred_election()?;
        if self.facts.config.auto_leader_rebalance_enable {
            self.deeds.push(Deed::ScheduleRebalance { after_ms: FIRST_REBALANCE_MS });
        }
        Ok(())
    }

    fn make_feature_znode(&mut self) -> Result<(), Stop> {
        if self.get_data("/feature", false)?.is_some() {
            return Ok(());
        }
        let path = ZnodePath::new("/feature");
        self.write_all(vec![Operation::Create { path, data: ZnodeData::Feature, mode: CreateMode::Persistent }])
            .map(drop)
    }

    fn delete_stale_notifications(&mut self) -> Result<(), Stop> {
        for parent in STALE_NOTIFICATIONS {
            let names = self.get_children(parent)?;
            self.delete_all(names.iter().map(|name| ZnodePath::new(&format!("{parent}/{name}"))).collect())?;
        }
        Ok(())
    }

    fn load_context(&mut self) -> Result<(), Stop> {
        let brokers = self.read_brokers()?;
        let names: Vec<TopicName> =
            self.get_children(zk_data::TOPICS)?.iter().map(|name| TopicName::new(name)).collect();
        let topics = self.read_topics(&names)?;
        let channels = brokers.iter().map(|(id, broker)| Deed::AddBroker(*id, broker.endpoint.clone()));
        self.deeds.extend(channels.collect::<Vec<Deed>>());
        self.context().brokers = brokers;
        self.context().topics = topics;
        let partitions = self.context().partitions();
        self.context().leaderships = self.read_states(&partitions)?;
        Ok(())
    }

    /// Topics that are not there are marked for nothing: their deletion completes at once, and so they are unmarked.
    fn load_topics_to_delete(&mut self) -> Result<(), Stop> {
        let marked = self.get_children(zk_data::DELETE_TOPICS)?;
        if !self.facts.config.delete_topic_enable {
            return self
                .delete_all(marked.iter().map(|name| zk_data::marked_for_deletion(&TopicName::new(name))).collect());
        }
        let context = self.context();
        let to_delete: BTreeSet<TopicName> = marked.iter().map(|name| TopicName::new(name)).collect();
        let replicas = context.replicas_of(&context.partitions_of_topics(&to_delete));
        let is_dead = |(_, broker): &&Replica| !context.is_live(*broker);
        let with_dead = replicas.iter().filter(is_dead).map(|(partition, _)| partition.topic.clone());
        let moving = context.reassigning().into_iter().map(|partition| partition.topic);
        let ineligible: BTreeSet<TopicName> = with_dead.chain(moving).collect();
        context.topics_ineligible_for_deletion = ineligible.intersection(&to_delete).cloned().collect();
        context.topics_to_delete = to_delete;
        Ok(())
    }

    fn start_replicas(&mut self) -> Result<(), Stop> {
        let context = self.context();
        let (online, offline): (Vec<Replica>, Vec<Replica>) =
            context.replicas_of(&context.partitions()).into_iter().partition(|(_, broker)| context.is_live(*broker));
        let states = [(&online, ReplicaState::Online), (&offline, ReplicaState::DeletionIneligible)];
        for (replicas, state) in states {
            context.replica_states.extend(replicas.iter().map(|replica| (replica.clone(), state)));
        }
        self.replicas_come_online(&online);
        self.replicas_go_offline(&offline, Some(ChangeReason::BrokerFenced))
    }

    fn start_partitions(&mut self) -> Result<(), Stop> {
        let context = self.context();
        let state = |partition: &TopicPartition| match context.leaderships.get(partition) {
            None => PartitionState::New,
            Some(leadership) if leadership.state.leader.is_some_and(|leader| context.is_live(leader)) => {
                PartitionState::Online
            }
            Some(_) => PartitionState::Offline,
        };
        let states = context.partitions().into_iter().map(|partition| (partition.clone(), state(&partition)));
        context.partition_states = states.collect();
        self.bring_partitions_online(Some(ChangeReason::BrokerFenced)).map(drop)
    }
}
