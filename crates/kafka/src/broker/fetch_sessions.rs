//! What readers fetch again and again (`kafka.server.FetchSession`, KIP-227): a session remembers the partitions, so that
//! a request names only what changed, and an answer only what has something new to tell.
//!
//! There is one cache, where Kafka spreads it over eight shards.

use super::still_fetches::Stillness;
use crate::Rng;
use crate::instant::{Duration, Instant};
use crate::metadata::ClusterImage;
use rand::RngExt;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::request::{FetchPartition, FetchRequest};
use wire::response::FetchPartitionResult;
use wire::{ErrorCode, FetchMetadata, Offset, TopicPartition};

/// `min.incremental.fetch.session.eviction.ms`: a younger session is not evicted by a larger one, and one that was used
/// since is not stale.
const MIN_EVICTION: Duration = Duration(120_000_000);

/// In which session a request is answered (`FetchContext`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FetchContext {
    /// In none.
    Sessionless,
    /// In a new one, if there is room.
    Full,
    /// In this one, as long as no other request overtakes this one.
    Incremental(FetchMetadata),
}

/// A session that had to give way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Evicted {
    /// Its id.
    pub(super) session_id: i32,
    /// How many partitions it held.
    pub(super) partitions: u64,
}

/// The sessions (`FetchSessionCache`).
#[derive(Clone, Debug)]
pub(super) struct FetchSessions {
    max_entries: usize,
    /// Where ids are drawn from.
    rng: Rng,
    sessions: BTreeMap<i32, Arc<FetchSession>>,
}

#[derive(Clone, Debug)]
struct FetchSession {
    /// Followers' sessions are privileged.
    is_privileged: bool,
    created: Instant,
    last_used: Instant,
    /// The epoch that the next request must carry.
    epoch: i32,
    /// In the order in which they are read: whatever gave records goes to the end.
    partitions: BTreeMap<u64, CachedPartition>,
    places: BTreeMap<TopicPartition, u64>,
    next_place: u64,
    /// What is asked of all partitions in order, unless it has changed since it was needed last.
    asked: Option<Asked>,
    /// How things stood when its last request found nothing to tell; none if that found something.
    still: Option<Stillness>,
    /// An image that has all its partitions.
    known_in: Option<Arc<ClusterImage>>,
}

/// What is asked of each partition, shared by the session and the requests that wait.
pub(super) type Asked = Arc<Vec<FetchPartition>>;

/// What was asked of a partition last, and what was told of it last.
#[derive(Clone, Debug)]
struct CachedPartition {
    asked: FetchPartition,
    high_watermark: Offset,
    log_start_offset: Offset,
}

impl FetchContext {
    fn session_id(self) -> Option<i32> {
        match self {
            FetchContext::Sessionless | FetchContext::Full => None,
            FetchContext::Incremental(metadata) => Some(metadata.session_id),
        }
    }
}

impl FetchSessions {
    /// No sessions yet; at most `slots` at a time.
    pub(super) fn new(slots: i32, rng: Rng) -> FetchSessions {
        FetchSessions { max_entries: usize::try_from(slots).unwrap_or(0), rng, sessions: BTreeMap::new() }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Finds the session of a request (`FetchManager.newContext`), and tells what is asked: an incremental request asks for
    /// all partitions of the session.
    ///
    /// # Errors
    /// `FETCH_SESSION_ID_NOT_FOUND` and `INVALID_FETCH_SESSION_EPOCH`.
    pub(super) fn open(
        &mut self,
        request: &mut FetchRequest,
        now: Instant,
    ) -> Result<(FetchContext, Asked), ErrorCode> {
        let metadata = request.metadata;
        let named = std::mem::take(&mut request.partitions);
        if metadata.is_full() {
            self.sessions.remove(&metadata.session_id);
            let context = if metadata.wants_session() { FetchContext::Full } else { FetchContext::Sessionless };
            return Ok((context, Arc::new(named)));
        }
        let session = self.sessions.get_mut(&metadata.session_id).ok_or(ErrorCode::FetchSessionIdNotFound)?;
        if session.epoch != metadata.epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        let session = Arc::make_mut(session);
        session.update(named, &request.forgotten);
        if session.partitions.is_empty() {
            self.sessions.remove(&metadata.session_id);
            return Ok((FetchContext::Sessionless, Asked::default()));
        }
        session.last_used = now;
        session.epoch = FetchMetadata::next_epoch(session.epoch);
        Ok((FetchContext::Incremental(metadata), session.asked()))
    }

    /// Whether it is certain without looking that an image has all partitions of a session.
    pub(super) fn are_known_in(&self, context: FetchContext, image: &Arc<ClusterImage>) -> bool {
        let session = context.session_id().and_then(|session_id| self.sessions.get(&session_id));
        session.and_then(|session| session.known_in.as_ref()).is_some_and(|known| Arc::ptr_eq(known, image))
    }

    /// An image has all partitions of a session.
    pub(super) fn note_known_in(&mut self, context: FetchContext, image: &Arc<ClusterImage>) {
        let session = context.session_id().and_then(|session_id| self.sessions.get_mut(&session_id));
        if let Some(session) = session {
            Arc::make_mut(session).known_in = Some(Arc::clone(image));
        }
    }

    /// Whether an incremental request comes out as the one before it: that found nothing to tell, and everything still is
    /// as it was then.
    pub(super) fn is_still(&self, context: FetchContext, stillness: &Stillness) -> bool {
        let session = context.session_id().and_then(|session_id| self.sessions.get(&session_id));
        session.is_some_and(|session| session.still.as_ref() == Some(stillness))
    }

    /// Whether these results tell nothing that the reader of an incremental request does not know; if so, how things stand
    /// is kept for [`FetchSessions::is_still`].
    pub(super) fn keep_still(
        &mut self,
        context: FetchContext,
        results: &[FetchPartitionResult],
        stillness: &Stillness,
    ) -> bool {
        let session = context.session_id().and_then(|session_id| self.sessions.get_mut(&session_id));
        let Some(session) = session.filter(|session| !results.iter().any(|result| session.must_tell(result))) else {
            return false;
        };
        Arc::make_mut(session).still = Some(stillness.clone());
        true
    }

    /// Remembers what a full request asked for and was told, if there is room or somebody has to give way
    /// (`maybeCreateSession`). Returns the session's id.
    pub(super) fn create(
        &mut self,
        asked: Vec<FetchPartition>,
        told: &[FetchPartitionResult],
        is_privileged: bool,
        now: Instant,
    ) -> (i32, Option<Evicted>) {
        let mut evicted = None;
        if self.sessions.len() >= self.max_entries {
            let Some(session_id) = self.evictable_by(is_privileged, asked.len(), now) else {
                return (FetchMetadata::NO_SESSION, None);
            };
            let session = self.sessions.remove(&session_id).expect("the session was just found");
            evicted = Some(Evicted { session_id, partitions: session.partitions.len() as u64 });
        }
        let session_id = self.new_id();
        self.sessions.insert(session_id, Arc::new(FetchSession::new(asked, told, is_privileged, now)));
        (session_id, evicted)
    }

    fn new_id(&mut self) -> i32 {
        loop {
            let id = self.rng.random_range(1..i32::MAX);
            if !self.sessions.contains_key(&id) {
                return id;
            }
        }
    }

    /// Who gives way to a new session (`tryEvict`): the one that was used longest ago, if that is long enough; else the
    /// least valuable one, if it is worth less.
    fn evictable_by(&self, is_privileged: bool, partitions: usize, now: Instant) -> Option<i32> {
        let (session_id, session) = self.sessions.iter().min_by_key(|(id, session)| (session.last_used, **id))?;
        if now.since(session.last_used) > MIN_EVICTION {
            return Some(*session_id);
        }
        let evictable = self.sessions.iter().filter(|(_, session)| session.is_evictable_by(is_privileged));
        let worths = evictable.map(|(id, session)| (session.is_privileged, session.partitions.len(), *id));
        let (least_privileged, fewest, session_id) = worths.min()?;
        ((least_privileged, fewest) < (is_privileged, partitions)).then_some(session_id)
    }

    /// Leaves out of an answer what the reader knows already (`updateAndGenerateResponseData`).
    ///
    /// # Errors
    /// `INVALID_FETCH_SESSION_EPOCH` when another request of the session came in between.
    pub(super) fn prune(
        &mut self,
        metadata: FetchMetadata,
        results: &mut Vec<FetchPartitionResult>,
    ) -> Result<(), ErrorCode> {
        let Some(session) = self.sessions.get_mut(&metadata.session_id) else { return Ok(()) };
        if session.epoch != FetchMetadata::next_epoch(metadata.epoch) {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        let session = Arc::make_mut(session);
        results.retain(|result| session.tell(result));
        Ok(())
    }
}

impl FetchSession {
    fn new(
        asked: Vec<FetchPartition>,
        told: &[FetchPartitionResult],
        is_privileged: bool,
        now: Instant,
    ) -> FetchSession {
        let mut session = FetchSession {
            is_privileged,
            created: now,
            last_used: now,
            epoch: FetchMetadata::new_incremental(FetchMetadata::NO_SESSION).epoch,
            partitions: BTreeMap::new(),
            places: BTreeMap::new(),
            next_place: 0,
            asked: None,
            still: None,
            known_in: None,
        };
        for (asked, told) in asked.into_iter().zip(told) {
            session.add(CachedPartition {
                asked,
                high_watermark: told.high_watermark,
                log_start_offset: told.log_start_offset,
            });
        }
        session
    }

    fn add(&mut self, cached: CachedPartition) {
        self.places.insert(cached.asked.partition.clone(), self.next_place);
        self.partitions.insert(self.next_place, cached);
        self.next_place += 1;
    }

    /// Takes in what a request changes. A partition whose topic was made anew begins anew.
    fn update(&mut self, changed: Vec<FetchPartition>, forgotten: &[TopicPartition]) {
        if changed.is_empty() && forgotten.is_empty() {
            return;
        }
        self.forget_stillness();
        for asked in changed {
            let place = self.places.get(&asked.partition);
            let known = place.and_then(|place| self.partitions.get_mut(place));
            match known {
                Some(cached) if cached.asked.topic_id == asked.topic_id => cached.asked = asked,
                Some(cached) => {
                    *cached = CachedPartition::untold(asked);
                    self.known_in = None;
                }
                None => {
                    self.add(CachedPartition::untold(asked));
                    self.known_in = None;
                }
            }
        }
        for partition in forgotten {
            if let Some(place) = self.places.remove(partition) {
                self.partitions.remove(&place);
            }
        }
    }

    fn forget_stillness(&mut self) {
        (self.asked, self.still) = (None, None);
    }

    fn asked(&mut self) -> Asked {
        let partitions = &self.partitions;
        let asked = || Arc::new(partitions.values().map(|cached| cached.asked.clone()).collect());
        Arc::clone(self.asked.get_or_insert_with(asked))
    }

    fn must_tell(&self, result: &FetchPartitionResult) -> bool {
        let cached = self.places.get(&result.partition).and_then(|place| self.partitions.get(place));
        cached.is_none_or(|cached| cached.must_tell(result))
    }

    fn is_evictable_by(&self, is_privileged: bool) -> bool {
        let is_established = self.last_used.since(self.created) > MIN_EVICTION;
        is_established || is_privileged && !self.is_privileged
    }

    /// Notes what is told, and says whether it must be. After an error everything counts as news.
    fn tell(&mut self, result: &FetchPartitionResult) -> bool {
        let Some(place) = self.places.get(&result.partition).copied() else { return true };
        let cached = self.partitions.get_mut(&place).expect("every place is taken");
        if !cached.must_tell(result) {
            return false;
        }
        self.still = None;
        cached.high_watermark = if result.error.is_none() { result.high_watermark } else { Offset(-1) };
        cached.log_start_offset = result.log_start_offset;
        if !result.batches.is_empty() {
            self.forget_stillness();
            let cached = self.partitions.remove(&place).expect("every place is taken");
            self.add(cached);
        }
        true
    }
}

impl CachedPartition {
    fn untold(asked: FetchPartition) -> CachedPartition {
        CachedPartition { asked, high_watermark: Offset(-1), log_start_offset: Offset(-1) }
    }

    /// Whether `result` says anything that the reader does not know.
    fn must_tell(&self, result: &FetchPartitionResult) -> bool {
        !result.batches.is_empty()
            || self.high_watermark != result.high_watermark
            || self.log_start_offset != result.log_start_offset
            || result.preferred_read_replica.is_some()
            || result.diverging_epoch.is_some()
            || !result.error.is_none()
    }
}
