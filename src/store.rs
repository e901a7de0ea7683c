//! What the page itself remembers: selection, camera, open panels, language, theme and speed. Nothing that a frame
//! knows. The reducer is pure.

use kafka::node::NodeId;
use sim::EventId;
use sim::frame::{Branch, BranchId};
use std::rc::Rc;
use wire::request::Acks;
use wire::{BrokerId, Offset, TopicName, TopicPartition};
use yew::Reducible;

use crate::text::Language;

/// What the details are about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Selection {
    #[default]
    Nothing,
    Node(NodeId),
    Replica {
        broker: BrokerId,
        partition: TopicPartition,
    },
    Record {
        broker: BrokerId,
        partition: TopicPartition,
        offset: Offset,
    },
    /// A message in flight, by its number.
    Message(u64),
    /// The link between two processes, in both directions.
    Link(NodeId, NodeId),
    Event(EventId),
}

/// Which colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the system has it.
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub(crate) const ALL: [Theme; 3] = [Theme::System, Theme::Light, Theme::Dark];

    /// As addresses and the style sheet name it.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    pub(crate) fn from_code(code: &str) -> Option<Theme> {
        Theme::ALL.into_iter().find(|theme| theme.code() == code)
    }
}

/// How fast virtual time passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Speed {
    Thousandth,
    Hundredth,
    Tenth,
    #[default]
    Quarter,
    Real,
    TenTimes,
    HundredTimes,
}

impl Speed {
    pub(crate) const ALL: [Speed; 7] = [
        Speed::Thousandth,
        Speed::Hundredth,
        Speed::Tenth,
        Speed::Quarter,
        Speed::Real,
        Speed::TenTimes,
        Speed::HundredTimes,
    ];

    /// Virtual seconds in a second.
    pub(crate) fn factor(self) -> f64 {
        match self {
            Speed::Thousandth => 0.001,
            Speed::Hundredth => 0.01,
            Speed::Tenth => 0.1,
            Speed::Quarter => 0.25,
            Speed::Real => 1.0,
            Speed::TenTimes => 10.0,
            Speed::HundredTimes => 100.0,
        }
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            Speed::Thousandth => "1/1000",
            Speed::Hundredth => "1/100",
            Speed::Tenth => "1/10",
            Speed::Quarter => "1/4",
            Speed::Real => "1×",
            Speed::TenTimes => "10×",
            Speed::HundredTimes => "100×",
        }
    }

    pub(crate) fn from_label(label: &str) -> Option<Speed> {
        Speed::ALL.into_iter().find(|speed| speed.label() == label)
    }
}

/// The panels beside the drawing; one is open at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Panel {
    #[default]
    Events,
    Details,
    Produce,
    Terminal,
    Checks,
    Histories,
    About,
}

impl Panel {
    pub(crate) const ALL: [Panel; 7] =
        [Panel::Events, Panel::Details, Panel::Produce, Panel::Terminal, Panel::Checks, Panel::Histories, Panel::About];

    /// As elements are named after it.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Panel::Events => "events",
            Panel::Details => "details",
            Panel::Produce => "produce",
            Panel::Terminal => "terminal",
            Panel::Checks => "checks",
            Panel::Histories => "histories",
            Panel::About => "about",
        }
    }
}

/// Which events are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum EventFilter {
    #[default]
    Important,
    All,
}

/// Everything the page remembers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Store {
    pub(crate) language: Language,
    pub(crate) theme: Theme,
    pub(crate) speed: Speed,
    pub(crate) panel: Panel,
    pub(crate) selection: Selection,
    pub(crate) event_filter: EventFilter,
    /// Only this topic's partitions are shown.
    pub(crate) topic: Option<TopicName>,
    /// The camera: how many partitions lie above the first one drawn.
    pub(crate) first_row: usize,
    /// Records that were produced by the form: the clients started for them, newest last.
    pub(crate) sent: Vec<Sent>,
}

/// A client started by the form. What became of its record is in the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) client: NodeId,
    pub(crate) topic: String,
    pub(crate) value: String,
    pub(crate) acks: Acks,
    /// The history in which it was started.
    pub(crate) branch: BranchId,
    /// The last step in which the client was told something.
    pub(crate) step: u64,
    /// The number that the next event had before: the client's events come from there on.
    pub(crate) since: EventId,
}

impl Sent {
    /// Whether the history `current` shares the steps in which the record was sent.
    pub(crate) fn is_part_of(&self, current: BranchId, branches: &[Branch]) -> bool {
        let mut at = current;
        while at != self.branch {
            let branch = branches.iter().find(|branch| branch.id == at);
            match branch.and_then(|branch| Some((branch.forked_from?.0, branch.shared_steps))) {
                Some((parent, shared_steps)) if shared_steps >= self.step => at = parent,
                Some(_) | None => return false,
            }
        }
        true
    }
}

/// One thing to remember.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    SetLanguage(Language),
    SetTheme(Theme),
    SetSpeed(Speed),
    OpenPanel(Panel),
    /// Selects, and opens the panel that shows it.
    Select(Selection),
    SetEventFilter(EventFilter),
    ShowTopic(Option<TopicName>),
    ScrollRows(usize),
    RememberSent(Sent),
    /// Another run begins: what was remembered of this one means nothing in it.
    ForgetRun,
}

/// How many records of the form are remembered.
const SENT_LIMIT: usize = 20;

impl Reducible for Store {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut store = (*self).clone();
        store.apply(action);
        if store == *self { self } else { Rc::new(store) }
    }
}

impl Store {
    fn apply(&mut self, action: Action) {
        match action {
            Action::SetLanguage(language) => self.language = language,
            Action::SetTheme(theme) => self.theme = theme,
            Action::SetSpeed(speed) => self.speed = speed,
            Action::OpenPanel(panel) => self.panel = panel,
            Action::Select(selection) => self.select(selection),
            Action::SetEventFilter(filter) => self.event_filter = filter,
            Action::ShowTopic(topic) => {
                self.topic = topic;
                self.first_row = 0;
            }
            Action::ScrollRows(first_row) => self.first_row = first_row,
            Action::RememberSent(sent) => self.remember(sent),
            Action::ForgetRun => self.forget_run(),
        }
    }

    fn select(&mut self, selection: Selection) {
        self.panel = match selection {
            Selection::Nothing => self.panel,
            Selection::Event(_) => Panel::Events,
            Selection::Node(_)
            | Selection::Replica { .. }
            | Selection::Record { .. }
            | Selection::Message(_)
            | Selection::Link(_, _) => Panel::Details,
        };
        self.selection = selection;
    }

    fn forget_run(&mut self) {
        self.selection = Selection::Nothing;
        self.topic = None;
        self.first_row = 0;
        self.sent.clear();
    }

    fn remember(&mut self, sent: Sent) {
        self.sent.push(sent);
        let surplus = self.sent.len().saturating_sub(SENT_LIMIT);
        self.sent.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka::instant::Instant;

    #[test]
    fn an_action_that_changes_nothing_keeps_the_store() {
        let store = Rc::new(Store::default());
        assert!(Rc::ptr_eq(&store, &store.clone().reduce(Action::SetSpeed(Speed::Quarter))));
        assert!(!Rc::ptr_eq(&store, &store.clone().reduce(Action::SetSpeed(Speed::Real))));
    }

    #[test]
    fn a_selection_opens_the_panel_that_shows_it() {
        let store = Rc::new(Store::default());
        let selected = store.clone().reduce(Action::Select(Selection::Node(NodeId::Server(1))));
        assert_eq!(selected.panel, Panel::Details);
        assert_eq!(selected.reduce(Action::Select(Selection::Event(EventId(3)))).panel, Panel::Events);
    }

    #[test]
    fn another_topic_is_shown_from_its_first_partition() {
        let store = Rc::new(Store { first_row: 7, ..Store::default() });
        assert_eq!(store.reduce(Action::ShowTopic(Some(TopicName::new("t")))).first_row, 0);
    }

    #[test]
    fn another_run_keeps_nothing_of_this_one_but_how_it_is_shown() {
        let shown = Store { language: Language::Korean, speed: Speed::Real, panel: Panel::Checks, ..Store::default() };
        let selection = Selection::Link(NodeId::Server(1), NodeId::ZooKeeper);
        let used = Store { selection, topic: Some(TopicName::new("t")), first_row: 3, ..shown.clone() };
        assert_eq!(*Rc::new(used).reduce(Action::ForgetRun), shown);
    }

    #[test]
    fn a_record_belongs_to_the_histories_that_left_its_own_after_it_was_sent() {
        let branch = |id, parent: Option<u32>, shared_steps| Branch {
            id: BranchId(id),
            forked_from: parent.map(|parent| (BranchId(parent), Instant(0))),
            shared_steps,
            known_until: Instant(0),
        };
        let branches = [branch(0, None, 0), branch(1, Some(0), 50), branch(2, Some(1), 90), branch(3, Some(0), 49)];
        let sent = Sent {
            client: NodeId::Client(3),
            topic: String::new(),
            value: String::new(),
            acks: Acks::All,
            branch: BranchId(0),
            step: 50,
            since: EventId(7),
        };
        let is_in = |id| sent.is_part_of(BranchId(id), &branches);
        assert_eq!([is_in(0), is_in(1), is_in(2), is_in(3)], [true, true, true, false]);
        let in_second = Sent { branch: BranchId(1), step: 80, ..sent.clone() };
        assert!(!in_second.is_part_of(BranchId(0), &branches) && in_second.is_part_of(BranchId(2), &branches));
    }

    #[test]
    fn names_lead_back_to_what_they_name() {
        for speed in Speed::ALL {
            assert_eq!(Speed::from_label(speed.label()), Some(speed));
        }
        for theme in Theme::ALL {
            assert_eq!(Theme::from_code(theme.code()), Some(theme));
        }
    }
}
