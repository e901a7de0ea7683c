//! Owns the session and the only frame loop. In each animation frame it runs the session for a few milliseconds, draws,
//! and tells the page when something coarse has changed, at most about ten times a second; what the user does is told at once.
//!
//! It has no protocol logic: it moves time, passes commands in, and hands out what the session says.

mod clock;
mod event_index;
mod snapshot;

pub(crate) use clock::FrameCost;
pub(crate) use snapshot::{Notice, NoticeKind, Snapshot};

use crate::address::BadWish;
use crate::run::Run;
use crate::scene::Painter;
use crate::start::{self, Opened, Opening};
use crate::store::{EventFilter, Selection, Store};
use crate::swarm_run::SwarmRun;
use crate::view::cluster::Cast;
use crate::view::draw_list::DrawList;
use crate::view::events::Mark;
use crate::view::geometry::Point;
use crate::view::layout::Layout;
use crate::view::{self, Scene};
use clock::Clock;
use event_index::EventIndex;
use kafka::instant::{Duration, Instant};
use kafka::node::NodeId;
use shell::terminal::{Entry, Key, Terminal};
use sim::checkers::violation::{Checker, Violation};
use sim::frame::BranchId;
use sim::ledger::Loss;
use sim::session::Stopped;
use sim::world_spec::NetworkSpec;
use sim::{Budget, Command, CommandError, Event, EventId, Session};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{HtmlCanvasElement, MediaQueryList, Window};
use yew::Callback;

/// How long the session may run in one animation frame.
const BUDGET_MS: f64 = 4.0;
/// Steps between two looks at the clock.
const SLICE_STEPS: u64 = 64;
const FIRST_HISTORY: BranchId = BranchId(0);
/// The least time between two messages to the page.
const FLUSH_EVERY_MS: f64 = 100.0;

/// A handle on the player; all clones are the same one.
#[derive(Clone)]
pub(crate) struct Player(Rc<RefCell<Inner>>);

impl PartialEq for Player {
    fn eq(&self, other: &Player) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

struct Inner {
    session: Session,
    cast: Rc<Cast>,
    network: NetworkSpec,
    run: Run,
    swarm: Option<Rc<SwarmRun>>,
    first_event: Option<EventId>,
    /// Tells runs apart that began one after the other.
    run_number: u32,
    started_until: Instant,
    store: Rc<Store>,
    window: Window,
    painter: Option<Painter>,
    prefers_dark: Option<MediaQueryList>,
    painted: Option<PaintKey>,
    draw_list: DrawList,
    layout: Option<Layout>,
    clock: Clock,
    is_playing: bool,
    pending_seek: Option<Instant>,
    terminal: Terminal,
    notice: Option<Notice>,
    events: EventIndex,
    subscriber: Callback<Rc<Snapshot>>,
    flushed: Option<FlushKey>,
    last_flush_ms: f64,
    is_flush_urgent: bool,
}

/// Whatever a painting depends on.
#[derive(Clone, PartialEq)]
struct PaintKey {
    run_number: u32,
    now: Instant,
    step: u64,
    branch: BranchId,
    store: Rc<Store>,
    width: f64,
    ratio: f64,
    is_dark: bool,
}

/// Whatever the page is told of.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FlushKey {
    run_number: u32,
    now: Instant,
    step: u64,
    branch: BranchId,
    known_until: Instant,
    is_playing: bool,
    notice: Option<u32>,
    rows: (usize, usize, usize),
}

impl Player {
    /// Begins a run and its frame loop.
    pub(crate) fn start(window: Window, opening: Opening, store: Rc<Store>) -> Player {
        let Opened { run, session, swarm, first_event } = start::open(opening);
        let spec = session.spec();
        let (cast, network, terminal) = (Rc::new(start::cast(spec)), spec.network, Terminal::new(spec.epoch));
        let prefers_dark = window.match_media("(prefers-color-scheme: dark)").ok().flatten();
        let inner = Inner {
            started_until: session.now(),
            session,
            cast,
            network,
            run,
            is_playing: swarm.is_none(),
            swarm,
            first_event,
            run_number: 0,
            store,
            window: window.clone(),
            painter: None,
            prefers_dark,
            painted: None,
            draw_list: DrawList::new(),
            layout: None,
            clock: Clock::new(),
            pending_seek: None,
            terminal,
            notice: None,
            events: EventIndex::default(),
            subscriber: Callback::noop(),
            flushed: None,
            last_flush_ms: 0.0,
            is_flush_urgent: true,
        };
        let player = Player(Rc::new(RefCell::new(inner)));
        player.run_loop(window);
        player
    }

    /// Begins another run in place of this one, with all its histories.
    pub(crate) fn start_anew(&self, run: Run) {
        self.0.borrow_mut().start_anew(run);
    }

    /// Asks for one animation frame after the other, for as long as the page lives.
    fn run_loop(&self, window: Window) {
        type Tick = Closure<dyn FnMut(f64)>;
        let tick: Rc<RefCell<Option<Tick>>> = Rc::default();
        let (next, player, request) = (tick.clone(), self.clone(), window.clone());
        *tick.borrow_mut() = Some(Closure::new(move |timestamp_ms: f64| {
            player.tick(timestamp_ms);
            request_frame(&request, &next);
        }));
        request_frame(&window, &tick);

        fn request_frame(window: &Window, tick: &RefCell<Option<Tick>>) {
            if let Some(tick) = tick.borrow().as_ref() {
                window
                    .request_animation_frame(tick.as_ref().unchecked_ref())
                    .expect("a window always gives animation frames");
            }
        }
    }

    fn tick(&self, timestamp_ms: f64) {
        let flush = self.0.borrow_mut().tick(timestamp_ms);
        // Told when nothing is borrowed any more: whoever listens may come back at once.
        if let Some((subscriber, snapshot)) = flush {
            subscriber.emit(snapshot);
        }
    }

    /// From now on changes are told to `subscriber`.
    pub(crate) fn subscribe(&self, subscriber: Callback<Rc<Snapshot>>) {
        let mut inner = self.0.borrow_mut();
        inner.subscriber = subscriber;
        inner.is_flush_urgent = true;
    }

    /// From now on the drawing goes there.
    pub(crate) fn attach(&self, canvas: HtmlCanvasElement) {
        let mut inner = self.0.borrow_mut();
        inner.painter = Painter::new(canvas, inner.window.clone());
        inner.painted = None;
    }

    /// Takes over what the page remembers now.
    pub(crate) fn set_store(&self, store: Rc<Store>) {
        self.0.borrow_mut().store = store;
    }

    /// The state as the page is told of it.
    pub(crate) fn snapshot(&self) -> Rc<Snapshot> {
        self.0.borrow_mut().snapshot()
    }

    pub(crate) fn toggle_play(&self) {
        let is_playing = self.0.borrow().is_playing;
        self.set_playing(!is_playing);
    }

    pub(crate) fn set_playing(&self, is_playing: bool) {
        let mut inner = self.0.borrow_mut();
        inner.is_playing = is_playing;
        inner.is_flush_urgent = true;
    }

    /// One step on, and pause.
    pub(crate) fn step(&self) {
        self.pause_and(|session| {
            session.step();
        });
    }

    /// One step back, and pause.
    pub(crate) fn step_back(&self) {
        self.pause_and(|session| {
            session.step_back();
        });
    }

    /// To just behind a step of this history, and pause.
    pub(crate) fn seek_step(&self, step: u64) {
        self.pause_and(|session| session.seek_step(step));
    }

    /// To the end of what is known of this history.
    pub(crate) fn go_to_end(&self) {
        let mut inner = self.0.borrow_mut();
        let end = inner.session.known_until();
        inner.session.seek(end);
        inner.is_flush_urgent = true;
    }

    /// To the history with which the run began.
    pub(crate) fn go_to_first_history(&self) {
        let branch = self.0.borrow().session.branch();
        if branch != FIRST_HISTORY {
            self.switch_branch(FIRST_HISTORY);
        }
    }

    /// To another history.
    pub(crate) fn switch_branch(&self, branch: BranchId) {
        self.pause_and(|session| {
            session.switch_branch(branch);
        });
        // It told of the history that was left.
        self.0.borrow_mut().notice = None;
    }

    fn pause_and(&self, action: impl FnOnce(&mut Session)) {
        let mut inner = self.0.borrow_mut();
        inner.pending_seek = None;
        inner.is_playing = false;
        inner.is_flush_urgent = true;
        action(&mut inner.session);
    }

    /// To an instant, in the next frame, and pause: of many wishes in one frame only the last counts.
    pub(crate) fn seek(&self, instant: Instant) {
        let mut inner = self.0.borrow_mut();
        inner.is_playing = false;
        inner.pending_seek = Some(instant);
        inner.is_flush_urgent = true;
    }

    /// Does something in the world, and says so if that began a new history.
    ///
    /// # Errors
    /// If the command does not fit the world as it is now. The page is told.
    pub(crate) fn command(&self, command: Command) -> Result<NodeId, CommandError> {
        self.with_session(|session| session.apply(command)).inspect_err(|error| self.refuse(error.clone()))
    }

    /// One more broker comes into the world and starts.
    pub(crate) fn add_broker(&self) {
        let spec = {
            let mut inner = self.0.borrow_mut();
            let frame = inner.session.frame();
            start::another_broker(inner.session.spec(), &frame)
        };
        if let Some(spec) = spec {
            // A refusal is on the screen already.
            self.command(Command::AddServer(Box::new(spec))).map(drop).unwrap_or_default();
        }
    }

    /// Tells the user that the address asks for a run that there is not.
    pub(crate) fn refuse_wish(&self, wish: BadWish) {
        self.0.borrow_mut().notify(|number| Notice { number, kind: NoticeKind::BadWish(wish) });
    }

    /// The event that a run was opened for.
    pub(crate) fn first_event(&self) -> Option<EventId> {
        self.0.borrow().first_event
    }

    /// Tells the user that something could not be done.
    pub(crate) fn refuse(&self, error: CommandError) {
        self.0.borrow_mut().notify(|number| Notice::refused(number, error));
    }

    /// Gives the terminal a line: for the command that runs, or as a new one.
    pub(crate) fn enter(&self, line: &str) {
        self.use_terminal(|terminal, session| terminal.enter(line, session));
    }

    /// Presses a key at the terminal.
    pub(crate) fn press(&self, key: Key) {
        self.use_terminal(|terminal, session| terminal.press(key, session));
    }

    /// Lines entered at the terminal, oldest first.
    pub(crate) fn typed_lines(&self) -> Vec<String> {
        self.0.borrow().terminal.history().to_vec()
    }

    /// What the terminal shows at this instant.
    pub(crate) fn terminal_entries(&self) -> Vec<Entry> {
        let mut inner = self.0.borrow_mut();
        let Inner { terminal, session, .. } = &mut *inner;
        terminal.entries(session)
    }

    fn use_terminal(&self, action: impl FnOnce(&mut Terminal, &mut Session) -> Result<(), CommandError>) {
        let mut terminal = self.0.borrow().terminal.clone();
        let result = self.with_session(|session| action(&mut terminal, session));
        let mut inner = self.0.borrow_mut();
        inner.terminal = terminal;
        if let Err(error) = result {
            inner.notify(|number| Notice::refused(number, error));
        }
    }

    /// Lets `action` use the session, and says so if it began a new history.
    pub(crate) fn with_session<R>(&self, action: impl FnOnce(&mut Session) -> R) -> R {
        let mut inner = self.0.borrow_mut();
        let (branch, at) = (inner.session.branch(), inner.session.now());
        let result = action(&mut inner.session);
        let new_branch = inner.session.branch();
        if new_branch != branch {
            inner.notify(|number| Notice::new_history(number, new_branch, at));
        }
        inner.is_flush_urgent = true;
        result
    }

    pub(crate) fn dismiss_notice(&self) {
        let mut inner = self.0.borrow_mut();
        inner.notice = None;
        inner.is_flush_urgent = true;
    }

    /// What a click on the drawing selects.
    pub(crate) fn hit(&self, point: Point) -> Option<Selection> {
        self.0.borrow().draw_list.hit(point).cloned()
    }

    /// Shows whether a click there would select something.
    pub(crate) fn point_at(&self, point: Point) {
        let inner = self.0.borrow();
        if let Some(painter) = &inner.painter {
            painter.point_at(inner.draw_list.hit(point).is_some());
        }
    }

    /// One event of this history.
    pub(crate) fn event(&self, id: EventId) -> Option<Event> {
        self.0.borrow().session.events(id).next()
    }

    /// The events from `since` on that a program noted, up to now.
    pub(crate) fn events_of(&self, node: NodeId, since: EventId) -> Vec<Event> {
        let inner = self.0.borrow();
        let end = inner.session.next_event();
        let past = inner.session.events(since).take_while(|event| event.id < end);
        past.filter(|event| event.node == node).collect()
    }

    /// The `client.id` of a program that has been started in this history, even if it has ended.
    pub(crate) fn client_id(&self, node: NodeId) -> Option<Rc<str>> {
        let mut inner = self.0.borrow_mut();
        let Inner { session, events, .. } = &mut *inner;
        events.catch_up(session);
        events.client_id(node)
    }

    /// How many events the filter lets through, and how many of those have happened by now.
    pub(crate) fn event_counts(&self, filter: EventFilter) -> (usize, usize) {
        let mut inner = self.0.borrow_mut();
        let Inner { session, events, .. } = &mut *inner;
        events.catch_up(session);
        events.counts(filter, session.next_event())
    }

    /// Those events, by their places in the filtered list.
    pub(crate) fn event_rows(&self, filter: EventFilter, places: Range<usize>) -> Vec<Event> {
        let inner = self.0.borrow();
        let ids = inner.events.ids(filter, places);
        ids.into_iter().filter_map(|id| inner.session.events(id).next()).collect()
    }

    /// The first time that each check failed, of those that did by now.
    pub(crate) fn violations(&self) -> BTreeMap<Checker, Violation> {
        let inner = self.0.borrow();
        let mut first = BTreeMap::new();
        for violation in inner.session.violations() {
            first.entry(violation.checker).or_insert_with(|| violation.clone());
        }
        first
    }

    /// What the time bar marks, by its place among so many along the bar.
    pub(crate) fn marks(&self, places: u64) -> BTreeMap<u64, Mark> {
        let mut inner = self.0.borrow_mut();
        let Inner { session, events, swarm, .. } = &mut *inner;
        events.catch_up(session);
        let broken = session.violations().map(|violation| violation.at);
        let foreseen = swarm.as_ref().filter(|_| session.branch() == FIRST_HISTORY);
        let foreseen = foreseen.and_then(|swarm| swarm.violation()).map(|violation| violation.at);
        let breaks = broken.chain(foreseen).map(|at| (at, Mark::Break));
        let length_us = session.known_until().0.max(1);
        let mut marks = BTreeMap::new();
        for (at, mark) in events.marks().iter().copied().chain(breaks) {
            let strongest = marks.entry(at.0.min(length_us) * places / length_us).or_insert(mark);
            *strongest = mark.max(*strongest);
        }
        marks
    }

    /// How often a check had something to look at by now.
    pub(crate) fn times_checked(&self, checker: Checker) -> u64 {
        self.0.borrow().session.times_checked(checker)
    }

    /// Some of the stretches of lost records, by their places in the list of losses.
    pub(crate) fn losses(&self, places: Range<usize>) -> Vec<Loss> {
        self.0.borrow().session.ledger().losses(places).cloned().collect()
    }

    /// What the frame loop has cost so far.
    pub(crate) fn frame_cost(&self) -> FrameCost {
        self.0.borrow().clock.cost()
    }
}

impl Inner {
    fn start_anew(&mut self, run: Run) {
        let Opened { run, session, swarm, first_event } = start::open(Opening::Run(run));
        let spec = session.spec();
        self.cast = Rc::new(start::cast(spec));
        self.network = spec.network;
        self.terminal = Terminal::new(spec.epoch);
        (self.run, self.session, self.swarm, self.first_event) = (run, session, swarm, first_event);
        self.run_number += 1;
        self.started_until = self.session.now();
        self.events = EventIndex::default();
        self.pending_seek = None;
        self.notice = None;
        self.is_playing = true;
        self.is_flush_urgent = true;
    }

    fn tick(&mut self, timestamp_ms: f64) -> Option<(Callback<Rc<Snapshot>>, Rc<Snapshot>)> {
        let began_ms = self.time_ms();
        self.advance(timestamp_ms, began_ms);
        self.paint();
        let flush = self.is_flush_due(timestamp_ms).then(|| (self.subscriber.clone(), self.flush(timestamp_ms)));
        let ended_ms = self.time_ms();
        self.clock.note_cost(ended_ms - began_ms);
        flush
    }

    fn time_ms(&self) -> f64 {
        self.window.performance().map_or(0.0, |performance| performance.now())
    }

    fn advance(&mut self, timestamp_ms: f64, began_ms: f64) {
        let span = self.clock.span_of_frame(timestamp_ms, self.store.speed.factor());
        if let Some(instant) = self.pending_seek.take() {
            self.session.seek(instant);
        } else if self.is_playing {
            self.run(span, began_ms);
        }
    }

    /// Runs the session for a span, or for as long as the budget lasts; and lets the terminal's `timeout` strike.
    fn run(&mut self, span: Duration, began_ms: f64) {
        let wished = self.session.now() + span;
        let until = self.terminal.due_at(&self.session).map_or(wished, |due| due.min(wished));
        let budget = Budget { until, steps: SLICE_STEPS };
        while self.session.run(budget) == Stopped::OutOfSteps && self.time_ms() - began_ms < BUDGET_MS {}
        if let Err(error) = self.terminal.advance(&mut self.session) {
            self.notify(|number| Notice::refused(number, error));
        }
    }

    fn paint(&mut self) {
        let Some(mut painter) = self.painter.take() else { return };
        let key = self.paint_key(&painter);
        if self.painted.as_ref() != Some(&key) && key.width > 0.0 {
            if self.painted.as_ref().is_none_or(|painted| painted.is_dark != key.is_dark) {
                painter.read_colours();
            }
            self.repaint(&painter, key.width);
            self.painted = Some(key);
        }
        self.painter = Some(painter);
    }

    fn paint_key(&self, painter: &Painter) -> PaintKey {
        PaintKey {
            run_number: self.run_number,
            now: self.session.now(),
            step: self.session.steps(),
            branch: self.session.branch(),
            store: self.store.clone(),
            width: painter.width(),
            ratio: painter.device_pixel_ratio(),
            is_dark: self.is_dark(),
        }
    }

    fn is_dark(&self) -> bool {
        match self.store.theme {
            crate::store::Theme::Dark => true,
            crate::store::Theme::Light => false,
            crate::store::Theme::System => self.prefers_dark.as_ref().is_some_and(MediaQueryList::matches),
        }
    }

    fn repaint(&mut self, painter: &Painter, width: f64) {
        let frame = self.session.frame();
        let layout = Layout::arrange(&frame, &self.cast, &self.store, width);
        let scene = Scene { frame: &frame, cast: &self.cast, store: &self.store, layout: &layout };
        self.draw_list = view::draw(scene);
        painter.paint(&self.draw_list, layout.height);
        self.layout = Some(layout);
    }

    fn flush_key(&self) -> FlushKey {
        FlushKey {
            run_number: self.run_number,
            now: self.session.now(),
            step: self.session.steps(),
            branch: self.session.branch(),
            known_until: self.session.known_until(),
            is_playing: self.is_playing,
            notice: self.notice.as_ref().map(|notice| notice.number),
            rows: self.rows(),
        }
    }

    /// Partitions above, within and below the drawing.
    fn rows(&self) -> (usize, usize, usize) {
        self.layout.as_ref().map_or((0, 0, 0), |layout| (layout.rows_before, layout.rows.len(), layout.rows_after))
    }

    fn is_flush_due(&self, timestamp_ms: f64) -> bool {
        let is_time = self.is_flush_urgent || timestamp_ms - self.last_flush_ms >= FLUSH_EVERY_MS;
        is_time && self.flushed != Some(self.flush_key())
    }

    fn flush(&mut self, timestamp_ms: f64) -> Rc<Snapshot> {
        self.last_flush_ms = timestamp_ms;
        self.is_flush_urgent = false;
        self.flushed = Some(self.flush_key());
        self.snapshot()
    }

    fn snapshot(&mut self) -> Rc<Snapshot> {
        Rc::new(Snapshot {
            frame: self.session.frame(),
            cast: self.cast.clone(),
            network: self.network,
            run: self.run,
            swarm: self.swarm.clone(),
            started_until: self.started_until,
            is_playing: self.is_playing,
            branches: self.session.branches(),
            next_event: self.session.next_event(),
            rows: self.rows(),
            notice: self.notice.clone(),
            broken_checks: self.broken_checks(),
            promises: self.session.ledger().counts(),
            losses: self.session.ledger().losses_len(),
        })
    }

    fn broken_checks(&self) -> usize {
        let broken: BTreeSet<Checker> = self.session.violations().map(|violation| violation.checker).collect();
        broken.len()
    }

    fn notify(&mut self, notice: impl FnOnce(u32) -> Notice) {
        let number = self.notice.as_ref().map_or(0, |notice| notice.number + 1);
        self.notice = Some(notice(number));
        self.is_flush_urgent = true;
    }
}
