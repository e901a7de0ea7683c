//! Fetches in an idle cluster: a reader that has everything asks again and again, and each time every partition of its
//! session would be read in vain. Such a fetch comes out as the one before it as long as nothing has happened to what it
//! reads, and then nothing is read.
//!
//! What a fetch does besides is note the time at each replica: the follower has everything. That is made up for before
//! anybody changes a replica or asks for that time.

use super::Broker;
use super::fetch_sessions::Asked;
use super::replica_manager::ReplicaManager;
use crate::instant::Instant;
use crate::metadata::ClusterImage;
use crate::view::{ReplicaRole, ReplicaView};
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::BrokerId;
use wire::request::{FetchRequest, IsolationLevel, ReplicaState};

/// All that the outcome of a fetch depends on, beside what it asks for. It is the same as an earlier one if nothing of
/// that has changed in between.
#[derive(Clone, Debug)]
pub(super) struct Stillness {
    changes_of_replicas: u64,
    image: Arc<ClusterImage>,
    replica: Option<ReplicaState>,
    isolation_level: IsolationLevel,
}

impl PartialEq for Stillness {
    /// An image that is kept is not changed in its place.
    fn eq(&self, other: &Stillness) -> bool {
        self.changes_of_replicas == other.changes_of_replicas
            && Arc::ptr_eq(&self.image, &other.image)
            && self.replica == other.replica
            && self.isolation_level == other.isolation_level
    }
}

/// Followers whose last fetches are not noted at the replicas yet.
#[derive(Clone, Debug, Default)]
pub(super) struct StillFollowers {
    by_broker: BTreeMap<BrokerId, StillFollower>,
}

#[derive(Clone, Debug)]
struct StillFollower {
    asked: Asked,
    fetched_at: Instant,
}

impl Broker {
    /// How things stand for a fetch. Followers read from leaders only; consumers may read from followers.
    pub(super) fn stillness(&self, request: &FetchRequest) -> Stillness {
        let of_leaders = self.replicas.changes_of_leaders();
        Stillness {
            changes_of_replicas: match request.replica {
                Some(_) => of_leaders,
                None => of_leaders + self.replicas.changes_of_followers(),
            },
            image: Arc::clone(&self.image),
            replica: request.replica,
            isolation_level: request.isolation_level,
        }
    }
}

impl ReplicaManager {
    /// A follower has fetched from replicas that have not changed since it last did; it had everything then.
    pub(super) fn on_still_fetch(&mut self, follower: BrokerId, asked: &Asked, fetched_at: Instant) {
        let known = self.still_followers.by_broker.get(&follower);
        if known.is_some_and(|known| !Arc::ptr_eq(&known.asked, asked)) {
            self.note_still_fetches();
        }
        let still = StillFollower { asked: Arc::clone(asked), fetched_at };
        self.still_followers.by_broker.insert(follower, still);
    }

    /// Notes at the replicas when their followers last fetched.
    pub(super) fn note_still_fetches(&mut self) {
        for (follower, still) in std::mem::take(&mut self.still_followers.by_broker) {
            for asked in still.asked.iter() {
                if let Some(replica) = self.replicas.get_mut(&asked.partition) {
                    Arc::make_mut(replica).on_still_fetch(follower, still.fetched_at);
                }
            }
        }
    }

    /// What an onlooker may see of the replicas, by partition.
    pub(super) fn views(&self) -> Vec<ReplicaView> {
        let mut views: Vec<ReplicaView> = self.iter().map(|(_, replica)| replica.view()).collect();
        for (follower, still) in &self.still_followers.by_broker {
            for asked in still.asked.iter() {
                if let Ok(place) = views.binary_search_by(|view| view.partition.cmp(&asked.partition)) {
                    show_caught_up(&mut views[place].role, *follower, still.fetched_at);
                }
            }
        }
        views
    }
}

fn show_caught_up(role: &mut ReplicaRole, broker: BrokerId, at: Instant) {
    match role {
        ReplicaRole::Leader { followers, .. } => {
            let follower = followers.iter_mut().find(|follower| follower.broker == broker);
            follower.into_iter().for_each(|follower| follower.last_caught_up_at = Some(at));
        }
        ReplicaRole::Follower { .. } => {}
    }
}
