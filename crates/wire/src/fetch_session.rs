//! `FetchMetadata`: where a fetch request stands in its session (KIP-227).

/// The session of a fetch request, and the request's number in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FetchMetadata {
    /// The session; [`FetchMetadata::NO_SESSION`] for none.
    pub session_id: i32,
    /// 0 asks for a new session, -1 ends it or wants none, everything above counts the session's requests.
    pub epoch: i32,
}

impl FetchMetadata {
    /// `INVALID_SESSION_ID`: no session.
    pub const NO_SESSION: i32 = 0;
    /// `INITIAL_EPOCH`: a full request that asks for a new session.
    const INITIAL_EPOCH: i32 = 0;
    /// `FINAL_EPOCH`: a full request that wants no session.
    const FINAL_EPOCH: i32 = -1;

    /// A full request that asks for a new session.
    pub const INITIAL: FetchMetadata =
        FetchMetadata { session_id: FetchMetadata::NO_SESSION, epoch: FetchMetadata::INITIAL_EPOCH };

    /// A full request without any session: what the readers of the metadata log send.
    pub const LEGACY: FetchMetadata =
        FetchMetadata { session_id: FetchMetadata::NO_SESSION, epoch: FetchMetadata::FINAL_EPOCH };

    /// Whether the request names all partitions.
    #[must_use]
    pub fn is_full(self) -> bool {
        self.epoch == FetchMetadata::INITIAL_EPOCH || self.epoch == FetchMetadata::FINAL_EPOCH
    }

    /// Whether the request wants a session.
    #[must_use]
    pub fn wants_session(self) -> bool {
        self.epoch != FetchMetadata::FINAL_EPOCH
    }

    /// The epoch after `epoch`. After the largest comes 1 again.
    #[must_use]
    pub fn next_epoch(epoch: i32) -> i32 {
        if epoch < 0 {
            return FetchMetadata::FINAL_EPOCH;
        }
        epoch.checked_add(1).unwrap_or(1)
    }

    /// The first incremental request of a new session.
    #[must_use]
    pub fn new_incremental(session_id: i32) -> FetchMetadata {
        FetchMetadata { session_id, epoch: FetchMetadata::next_epoch(FetchMetadata::INITIAL_EPOCH) }
    }

    /// The next incremental request of the same session.
    #[must_use]
    pub fn next_incremental(self) -> FetchMetadata {
        FetchMetadata { epoch: FetchMetadata::next_epoch(self.epoch), ..self }
    }

    /// A full request that ends the session and asks for another.
    #[must_use]
    pub fn close_existing_attempt_new(self) -> FetchMetadata {
        FetchMetadata { epoch: FetchMetadata::INITIAL_EPOCH, ..self }
    }

    /// A full request that ends the session and wants no other.
    #[must_use]
    pub fn close_existing(self) -> FetchMetadata {
        FetchMetadata { epoch: FetchMetadata::FINAL_EPOCH, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_count_from_one_and_wrap_to_one() {
        assert_eq!([-1, 0, 1, i32::MAX].map(FetchMetadata::next_epoch), [-1, 1, 2, 1]);
    }
}
