//! What the page is told about ten times a second.

use crate::address::BadWish;
use crate::run::Run;
use crate::swarm_run::SwarmRun;
use crate::view::cluster::Cast;
use kafka::instant::Instant;
use sim::frame::{Branch, BranchId};
use sim::ledger::LedgerCounts;
use sim::world_spec::NetworkSpec;
use sim::{CommandError, EventId, Frame};
use std::rc::Rc;

/// The session as panels see it. Two are equal only if they are the same.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) frame: Rc<Frame>,
    pub(crate) cast: Rc<Cast>,
    pub(crate) network: NetworkSpec,
    pub(crate) run: Run,
    /// What a seed of the swarm has drawn, if that is what is shown.
    pub(crate) swarm: Option<Rc<SwarmRun>>,
    /// How far the run had come when the page was first shown.
    pub(crate) started_until: Instant,
    pub(crate) is_playing: bool,
    pub(crate) branches: Vec<Branch>,
    /// Events below this have happened.
    pub(crate) next_event: EventId,
    /// Partitions above, within and below the drawing.
    pub(crate) rows: (usize, usize, usize),
    pub(crate) notice: Option<Notice>,
    /// How many of the things that must hold did not, by now.
    pub(crate) broken_checks: usize,
    /// What producers were promised by now, and what of it is lost.
    pub(crate) promises: LedgerCounts,
    /// How many stretches of acknowledged records are lost.
    pub(crate) losses: usize,
}

/// Something the user must be told once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Notice {
    /// Tells two notices apart.
    pub(crate) number: u32,
    pub(crate) kind: NoticeKind,
}

/// What it is about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum NoticeKind {
    Refused(CommandError),
    BadWish(BadWish),
    NewHistory { branch: BranchId, at: Instant },
}

impl Notice {
    pub(super) fn refused(number: u32, error: CommandError) -> Notice {
        Notice { number, kind: NoticeKind::Refused(error) }
    }

    pub(super) fn new_history(number: u32, branch: BranchId, at: Instant) -> Notice {
        Notice { number, kind: NoticeKind::NewHistory { branch, at } }
    }
}
