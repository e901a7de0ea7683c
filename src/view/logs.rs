//! The replicas' logs: one row for each partition on each broker, the same offset of a partition at the same place on
//! every broker. Log start, high watermark, log end, the leader with its epoch and its in-sync replicas, and where
//! clients are.

use super::Scene;
use super::cluster::{self, ClientView, LogRecord, Replica, Standing};
use super::draw_list::{Anchor, DrawList, Font, Ink, Shape, Stroke};
use super::format::{self, fitted, fitted_partition, text_width};
use super::geometry::{Point, Rect};
use super::nodes::pointer_ink;
use crate::store::Selection;
use crate::text::{Label, Message};
use kafka::view::ReplicaRole;
use sim::frame::NodeFrame;
use wire::{BrokerId, LeaderEpoch, Offset, TopicPartition};

/// The offsets of a partition that are drawn, and where.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Window {
    first: Offset,
    end: Offset,
    left: f64,
    cell_width: f64,
}

impl Window {
    /// The newest records that fit, on whichever replica has most; behind them room for the label of the log's end.
    fn of(scene: Scene<'_>, partition: &TopicPartition, area: Rect) -> Window {
        const ROOM_FOR_LABEL: f64 = 52.0;
        let replicas =
            || cluster::brokers(scene.frame, scene.cast).filter_map(|(id, node)| cluster::replica(node, id, partition));
        let end = replicas().map(|replica| replica.log_end_offset()).max().unwrap_or(Offset::ZERO);
        let start = replicas().map(|replica| replica.log_start_offset()).min().unwrap_or(Offset::ZERO);
        let cell_width = scene.layout.row.cell_width;
        let fitting = (((area.width - ROOM_FOR_LABEL) / cell_width).floor() as i64).max(1);
        Window { first: Offset((end.0 - fitting).max(start.0)), end, left: area.x, cell_width }
    }

    /// Where a record begins; for an end offset, where the log ends.
    fn x(&self, offset: Offset) -> f64 {
        self.left + (offset - self.first) as f64 * self.cell_width
    }

    fn holds(&self, offset: Offset) -> bool {
        self.first <= offset && offset <= self.end
    }
}

/// One row while it is drawn.
#[derive(Clone, Copy)]
struct Row<'a> {
    scene: Scene<'a>,
    partition: &'a TopicPartition,
    replica: Replica<'a>,
    area: Rect,
    cells: Rect,
    window: Window,
}

pub(super) fn draw(scene: Scene<'_>, list: &mut DrawList) {
    for (broker, node) in cluster::brokers(scene.frame, scene.cast) {
        let Some(rect) = scene.layout.boxes.get(&node.id) else { continue };
        for (index, partition) in scene.layout.rows.iter().enumerate() {
            draw_slot(scene, list, (broker, node), partition, (*rect, index));
        }
    }
}

fn draw_slot(
    scene: Scene<'_>,
    list: &mut DrawList,
    (broker, node): (BrokerId, &NodeFrame),
    partition: &TopicPartition,
    (rect, index): (Rect, usize),
) {
    let Some(replica) = cluster::replica(node, broker, partition) else {
        draw_absence(scene, list, partition, scene.layout.row_area(rect, index));
        return;
    };
    let cells = scene.layout.cells_area(rect, index);
    let window = Window::of(scene, partition, cells);
    let row = Row { scene, partition, replica, area: scene.layout.row_area(rect, index), cells, window };
    let selection = Selection::Replica { broker, partition: partition.clone() };
    if scene.store.selection == selection {
        list.outline(Ink::Accent, row.area, 4.0, Stroke::Thin);
    }
    list.target(row.area, selection);
    row.draw_label(list);
    row.draw_cells(list);
    row.draw_marks(list);
    row.draw_pointers(list);
}

/// A broker that has no replica of a partition says so, lest the gap be taken for an empty log.
fn draw_absence(scene: Scene<'_>, list: &mut DrawList, partition: &TopicPartition, area: Rect) {
    let absence = format!(": {}", Label::NoReplicaHere.text(scene.store.language));
    let room = area.width - 8.0 - text_width(&absence, Font::Small);
    let text = format!("{}{absence}", fitted_partition(partition, Font::Small, room));
    list.text(Ink::TextSoft, Font::Small, Point::new(area.x + 4.0, area.center().y), Anchor::Start, text);
}

impl Row<'_> {
    fn draw_label(&self, list: &mut DrawList) {
        if self.scene.layout.is_narrow { self.draw_label_above(list) } else { self.draw_label_beside(list) }
    }

    fn draw_label_above(&self, list: &mut DrawList) {
        let y = self.area.y + 8.0;
        let name = fitted_partition(self.partition, Font::Title, self.area.width * 0.5);
        let x = self.area.x + 4.0;
        self.draw_name(list, Point::new(x, y), &name);
        let after = x + text_width(&name, Font::Title) + 26.0;
        let (ink, standing) = self.standing();
        let text = match self.isr() {
            Some((_, isr)) => format!("{standing} · {isr}"),
            None => standing,
        };
        list.text(
            ink,
            Font::Tiny,
            Point::new(after, y),
            Anchor::Start,
            fitted(&text, Font::Tiny, self.area.right() - after),
        );
    }

    fn draw_label_beside(&self, list: &mut DrawList) {
        let x = self.area.x + 4.0;
        let room = self.cells.x - x - 6.0;
        let middle = self.cells.center().y;
        self.draw_name(list, Point::new(x, middle - 14.0), &fitted_partition(self.partition, Font::Title, room - 18.0));
        let (ink, standing) = self.standing();
        list.text(ink, Font::Small, Point::new(x, middle + 1.0), Anchor::Start, fitted(&standing, Font::Small, room));
        if let Some((ink, isr)) = self.isr() {
            list.text(ink, Font::Tiny, Point::new(x, middle + 15.0), Anchor::Start, fitted(&isr, Font::Tiny, room));
        }
    }

    fn draw_name(&self, list: &mut DrawList, at: Point, name: &str) {
        let mut x = at.x;
        if self.replica.is_leader() {
            let badge = Rect::new(x, at.y - 7.0, 14.0, 14.0);
            list.fill(Ink::Leader, badge, 3.0);
            list.text(Ink::LeaderText, Font::Tiny, badge.center(), Anchor::Middle, "L");
            x += 18.0;
        }
        list.text(Ink::Text, Font::Title, Point::new(x, at.y), Anchor::Start, name);
    }

    /// What the broker is for this partition, in words.
    fn standing(&self) -> (Ink, String) {
        let language = self.scene.store.language;
        let Some(replica) = self.replica.running() else {
            return (Ink::TextSoft, Label::OnDisk.text(language).to_owned());
        };
        let epoch = replica.leader_epoch;
        match &replica.role {
            ReplicaRole::Leader { .. } => (Ink::Text, Message::LeaderIn { epoch }.text(language)),
            ReplicaRole::Follower { leader, .. } => {
                (Ink::TextSoft, Message::FollowerOf { leader: *leader, epoch }.text(language))
            }
        }
    }

    /// On the leader its own view of the ISR, and the eligible replicas beside it; elsewhere what the controller has
    /// noted of the replica.
    fn isr(&self) -> Option<(Ink, String)> {
        let language = self.scene.store.language;
        match self.replica.running().map(|replica| &replica.role) {
            Some(ReplicaRole::Leader { isr, maximal_isr, .. }) => {
                let isr = Message::LeadersIsr { isr, maximal_isr }.text(language);
                Some((Ink::TextSoft, format!("{} {isr}{}", Label::Isr.text(language), self.eligible())))
            }
            Some(ReplicaRole::Follower { .. }) | None => self.noted(),
        }
    }

    fn eligible(&self) -> String {
        let state = cluster::registration(self.scene.frame, self.partition);
        match state.map(|state| state.eligible_leader_replicas.as_slice()) {
            None | Some([]) => String::new(),
            Some(eligible) => format!(" · ELR {}", format::broker_ids(eligible)),
        }
    }

    fn noted(&self) -> Option<(Ink, String)> {
        let language = self.scene.store.language;
        let role = self.replica.running().map(|replica| &replica.role);
        let has_failed = matches!(role, Some(ReplicaRole::Follower { has_failed: true, .. }));
        let standings = cluster::standings(self.scene.frame, self.replica.broker, self.partition);
        let is_out = standings.contains(&Standing::OutOfSync);
        let ink = if has_failed || is_out { Ink::Danger } else { Ink::Warning };
        // Who has given up is out of sync soon: it says one of both.
        let standings = standings.into_iter().filter(|standing| !has_failed || *standing != Standing::OutOfSync);
        let labels = has_failed.then_some(Label::HasGivenUp).into_iter().chain(standings.map(standing_label));
        let words: Vec<&str> = labels.map(|label| label.text(language)).collect();
        (!words.is_empty()).then(|| (ink, words.join(" · ")))
    }

    fn is_behind_window(&self) -> bool {
        self.replica.log_end_offset() < self.window.first
    }

    fn draw_cells(&self, list: &mut DrawList) {
        if self.is_behind_window() {
            let end = self.replica.log_end_offset();
            let text = Message::EndsBefore { end }.text(self.scene.store.language);
            let at = Point::new(self.cells.x, self.cells.center().y);
            let text = fitted(&text, Font::Small, self.cells.width);
            list.text(Ink::TextSoft, Font::Small, at, Anchor::Start, text);
            return;
        }
        let Window { first, end, .. } = self.window;
        if first > self.replica.log_start_offset() {
            let at = Point::new(self.cells.x - 2.0, self.cells.center().y);
            list.text(Ink::TextSoft, Font::Small, at, Anchor::End, "…");
        }
        for record in self.replica.records(first, end) {
            self.draw_cell(list, &record);
        }
    }

    fn draw_cell(&self, list: &mut DrawList, record: &LogRecord) {
        let x = self.window.x(record.offset);
        let rect = Rect::new(x + 0.5, self.cells.y, self.window.cell_width - 1.0, self.cells.height);
        list.fill(self.cell_ink(record.offset), rect, 2.0);
        let selection =
            Selection::Record { broker: self.replica.broker, partition: self.partition.clone(), offset: record.offset };
        if self.scene.store.selection == selection {
            list.outline(Ink::Accent, rect, 2.0, Stroke::Thick);
        }
        list.target(rect, selection);
        self.draw_cell_text(list, rect, record);
    }

    fn cell_ink(&self, offset: Offset) -> Ink {
        if self.replica.is_on_disk_only() {
            Ink::CellDown
        } else if offset < self.replica.high_watermark() {
            Ink::Cell
        } else {
            Ink::CellUncommitted
        }
    }

    fn draw_cell_text(&self, list: &mut DrawList, rect: Rect, record: &LogRecord) {
        let offset = record.offset.to_string();
        if self.scene.layout.is_narrow {
            list.text(Ink::CellText, Font::Small, rect.center(), Anchor::Middle, offset);
            return;
        }
        let middle = rect.center();
        list.text(Ink::CellText, Font::Small, Point::new(middle.x, middle.y - 5.5), Anchor::Middle, offset);
        let content = fitted(&beginning_of(record), Font::Tiny, rect.width - 3.0);
        list.text(Ink::CellText, Font::Tiny, Point::new(middle.x, middle.y + 6.5), Anchor::Middle, content);
    }

    /// Where a segment of the log ends and the next begins.
    fn draw_segment_bounds(&self, list: &mut DrawList) {
        let segments = self.replica.segments();
        let first = segments.floor(self.window.first).unwrap_or(0);
        for segment in segments.segments_from(first) {
            let base = segment.base_offset();
            if base > self.replica.log_start_offset().max(self.window.first) && self.window.holds(base) {
                let x = self.window.x(base);
                let (top, bottom) = (self.cells.y - 4.0, self.cells.bottom() + 4.0);
                list.line(Ink::Text, Point::new(x, top), Point::new(x, bottom), Stroke::Thin);
            }
        }
    }

    /// Below the cells: where the log starts, up to where it is committed, and where it ends.
    fn draw_marks(&self, list: &mut DrawList) {
        self.draw_segment_bounds(list);
        let (start, end) = (self.replica.log_start_offset(), self.replica.log_end_offset());
        let high_watermark = self.replica.high_watermark();
        let bottom = self.cells.bottom() + 2.0;
        if self.window.holds(start) {
            let x = self.window.x(start);
            list.line(Ink::TextSoft, Point::new(x, self.cells.y - 1.0), Point::new(x, bottom), Stroke::Thin);
        }
        for (ink, offset) in [(Ink::LogEnd, end), (Ink::HighWatermark, high_watermark)] {
            if self.window.holds(offset) {
                let x = self.window.x(offset);
                list.line(ink, Point::new(x, self.cells.y - 3.0), Point::new(x, bottom), Stroke::Thick);
            }
        }
        self.draw_mark_labels(list, start, high_watermark, end);
    }

    fn draw_mark_labels(&self, list: &mut DrawList, start: Offset, high_watermark: Offset, end: Offset) {
        let y = self.cells.bottom() + 8.0;
        let at = |offset: Offset| self.window.x(offset.clamp(self.window.first, self.window.end));
        if high_watermark == end {
            let text = format!("{}HW = LEO {end}", self.stable());
            self.draw_mark_label(list, Ink::HighWatermark, Point::new(at(end), y), &text);
        } else {
            let hw = format!("{}HW {high_watermark}", self.stable());
            let hw_width = text_width(&hw, Font::Tiny);
            let end_x = (at(end) - 2.0).max(self.cells.x + hw_width + 8.0);
            list.text(Ink::LogEnd, Font::Tiny, Point::new(end_x, y), Anchor::Start, format!("LEO {end}"));
            let hw_x = (at(high_watermark) + 2.0).min(end_x - 6.0).max(self.cells.x + hw_width);
            list.text(Ink::HighWatermark, Font::Tiny, Point::new(hw_x, y), Anchor::End, hw);
        }
        let text = format!("{} {start}", Label::LogStartOffset.text(self.scene.store.language));
        let room = at(high_watermark) - self.cells.x - text_width("HW = LEO 000000", Font::Tiny);
        if self.window.holds(start) && room > text_width(&text, Font::Tiny) {
            list.text(Ink::TextSoft, Font::Tiny, Point::new(at(start), y), Anchor::Start, text);
        }
        self.draw_epoch_starts(list);
    }

    /// The last stable offset, where open transactions hold it below the high watermark.
    fn stable(&self) -> String {
        let stable = self.replica.running().map(|replica| replica.last_stable_offset);
        let is_held = |offset: &Offset| *offset < self.replica.high_watermark();
        stable.filter(is_held).map_or_else(String::new, |offset| format!("LSO {offset} · "))
    }

    /// Ends at its mark where there is room to the left, begins at it otherwise.
    fn draw_mark_label(&self, list: &mut DrawList, ink: Ink, at: Point, text: &str) {
        let has_room = at.x - text_width(text, Font::Tiny) > self.cells.x;
        let (x, anchor) = if has_room { (at.x + 2.0, Anchor::End) } else { (at.x - 1.0, Anchor::Start) };
        list.text(ink, Font::Tiny, Point::new(x, at.y), anchor, text);
    }

    /// Where a new leader's first record is.
    fn draw_epoch_starts(&self, list: &mut DrawList) {
        for (epoch, offset) in self.replica.leader_epochs() {
            let is_inside = self.window.first <= *offset && *offset < self.replica.log_end_offset();
            if is_inside && *epoch > LeaderEpoch::ZERO {
                let x = self.window.x(*offset) + 0.5;
                let (top, bottom) = (Point::new(x, self.cells.y), Point::new(x, self.cells.bottom()));
                list.line(Ink::Leader, top, bottom, Stroke::Thick);
            }
        }
    }

    /// Above the cells: consumers' positions where they read, producers' last acknowledged records on the leader.
    fn draw_pointers(&self, list: &mut DrawList) {
        for (_, client) in cluster::clients(self.scene.frame) {
            let (Some(ink), Some(offset)) = (pointer_ink(client), self.pointer_of(client)) else { continue };
            if self.window.holds(offset) {
                let shift = match client {
                    ClientView::Producer(_) => self.window.cell_width / 2.0,
                    ClientView::Consumer(_) | ClientView::Admin(_) => 0.0,
                };
                let tip = Point::new(self.window.x(offset) + shift, self.cells.y - 2.0);
                list.push(ink, Shape::Pointer { tip });
            }
        }
    }

    fn pointer_of(&self, client: ClientView<'_>) -> Option<Offset> {
        match client {
            ClientView::Producer(view) if self.replica.is_leader() => {
                let mut offsets = view.last_offsets.iter();
                offsets.find(|(partition, _)| partition == self.partition).map(|(_, offset)| *offset)
            }
            ClientView::Consumer(view) => {
                let mut positions = view.positions.iter();
                let position = positions.find(|position| position.partition == *self.partition)?;
                position.position.filter(|_| position.leader == Some(self.replica.broker))
            }
            ClientView::Producer(_) | ClientView::Admin(_) => None,
        }
    }
}

/// What the controller has noted, in words.
pub(crate) fn standing_label(standing: Standing) -> Label {
    match standing {
        Standing::OutOfSync => Label::NotInIsr,
        Standing::Eligible => Label::Eligible,
        Standing::Adding => Label::Adding,
        Standing::Removing => Label::Removing,
    }
}

/// Key and value as far as a cell could ever show them, since this is asked for in every frame.
fn beginning_of(record: &LogRecord) -> String {
    const BYTES: usize = 64;
    let value = record.value.as_ref().map_or_else(|| "null".to_owned(), |value| format::beginning(value, BYTES));
    match &record.key {
        Some(key) => format!("{}:{value}", format::beginning(key, BYTES)),
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::view::layout::Layout;
    use crate::view::{draw, fixture};
    use kafka::node::NodeId;
    use sim::Frame;

    fn drawn(frame: &Frame, width: f64) -> DrawList {
        let (cast, store) = (fixture::cast(), Store::default());
        let layout = Layout::arrange(frame, &cast, &store, width);
        draw(Scene { frame, cast: &cast, store: &store, layout: &layout })
    }

    fn record_rect(list: &DrawList, broker: i32, offset: i64) -> Option<Rect> {
        let wanted =
            Selection::Record { broker: BrokerId(broker), partition: fixture::partition(0), offset: Offset(offset) };
        list.targets.iter().find(|target| target.selection == wanted).map(|target| target.rect)
    }

    #[test]
    fn the_same_offset_stands_at_the_same_place_on_every_broker() {
        for width in [390.0, 860.0] {
            let list = drawn(&fixture::frame(1), width);
            let newest_of_follower = fixture::FOLLOWER_END - 1;
            let on_leader = record_rect(&list, 1, newest_of_follower).expect("the leader has it");
            let on_follower = record_rect(&list, 2, newest_of_follower).expect("the follower has it");
            assert_eq!(on_leader.x, on_follower.x);
            assert_eq!(record_rect(&list, 2, newest_of_follower + 1), None, "the follower lacks the newest record");
            assert!(record_rect(&list, 1, newest_of_follower + 1).is_some());
        }
    }

    #[test]
    fn the_marks_are_labelled_with_their_offsets() {
        let list = drawn(&fixture::frame(1), 860.0);
        let texts = list.texts();
        let (hw, end) = (format!("HW {}", fixture::HIGH_WATERMARK), format!("LEO {}", fixture::LEADER_END));
        assert!(texts.contains(&hw.as_str()) && texts.contains(&end.as_str()), "{texts:?}");
    }

    #[test]
    fn a_replica_that_the_controller_counts_out_is_marked_on_its_own_row() {
        let mut frame = fixture::frame(1);
        assert!(!drawn(&frame, 860.0).texts().contains(&"not in ISR"));
        fixture::shrink_isr(&mut frame, &[1, 2]);
        assert!(drawn(&frame, 860.0).texts().contains(&"not in ISR"));
    }

    #[test]
    fn a_follower_that_has_given_up_fetching_says_so() {
        let mut frame = fixture::frame(1);
        fixture::give_up_fetching(&mut frame, 3);
        assert!(drawn(&frame, 860.0).texts().contains(&"gave up fetching"), "as soon as it has, still in sync");
        fixture::shrink_isr(&mut frame, &[1, 2]);
        let texts = drawn(&frame, 860.0);
        assert!(texts.texts().contains(&"gave up fetching"), "{:?}", texts.texts());
    }

    #[test]
    fn a_replica_that_may_lead_though_it_is_not_in_sync_is_told_beside_the_isr_and_on_its_own_row() {
        let mut frame = fixture::frame(1);
        fixture::make_eligible(&mut frame, &[1, 2], &[3]);
        let texts = drawn(&frame, 860.0);
        let texts = texts.texts();
        assert!(texts.iter().any(|text| text.ends_with(" · ELR 3")), "{texts:?}");
        assert!(texts.contains(&"ELR, not in ISR") && !texts.contains(&"not in ISR"), "{texts:?}");
    }

    #[test]
    fn replicas_that_a_reassignment_moves_say_so() {
        let mut frame = fixture::frame(1);
        fixture::reassign(&mut frame, &[3], &[2]);
        let list = drawn(&frame, 860.0);
        for wanted in ["being added", "being removed"] {
            assert_eq!(list.texts().iter().filter(|text| **text == wanted).count(), 1, "{wanted}");
        }
    }

    #[test]
    fn the_bounds_of_segments_are_drawn() {
        let bounds = |frame: &Frame| {
            let list = drawn(frame, 860.0);
            let is_bound = |painted: &&super::super::draw_list::Painted| {
                painted.ink == Ink::Text && matches!(painted.shape, Shape::Line { .. })
            };
            list.layers.iter().flatten().filter(is_bound).count()
        };
        let mut frame = fixture::frame(1);
        assert_eq!(bounds(&frame), 0);
        fixture::roll_segment(&mut frame, 1, 4);
        assert_eq!(bounds(&frame), 1);
    }

    #[test]
    fn an_open_transaction_shows_the_last_stable_offset() {
        let mut frame = fixture::frame(1);
        fixture::hold_stable_offset(&mut frame, 1, 3);
        let wanted = format!("LSO 3 · HW {}", fixture::HIGH_WATERMARK);
        assert!(drawn(&frame, 860.0).texts().contains(&wanted.as_str()));
    }

    #[test]
    fn a_dead_brokers_log_is_drawn_from_its_disk() {
        let mut frame = fixture::frame(1);
        fixture::kill(&mut frame, 2);
        let list = drawn(&frame, 860.0);
        assert!(record_rect(&list, 2, fixture::FOLLOWER_END - 1).is_some());
        assert!(list.texts().contains(&"on disk"));
    }

    #[test]
    fn a_broker_without_a_replica_says_so() {
        let mut frame = fixture::frame(1);
        fixture::drop_replicas(&mut frame, 3);
        assert!(drawn(&frame, 860.0).texts().contains(&"orders-0: no replica here"));
    }

    #[test]
    fn a_log_that_ends_before_the_offsets_shown_says_so() {
        let mut frame = fixture::frame(1);
        fixture::cut_log(&mut frame, 3, 0);
        let list = drawn(&frame, 360.0);
        let is_said = |list: &DrawList| list.texts().iter().any(|text| text.starts_with("this log ends at 0"));
        assert!(is_said(&list) && !is_said(&drawn(&fixture::frame(1), 360.0)));
    }

    #[test]
    fn records_are_drawn_within_their_broker() {
        for width in [360.0, 640.0, 1_300.0] {
            let (cast, store, frame) = (fixture::cast(), Store::default(), fixture::frame(3));
            let layout = Layout::arrange(&frame, &cast, &store, width);
            let list = draw(Scene { frame: &frame, cast: &cast, store: &store, layout: &layout });
            for target in &list.targets {
                if let Selection::Record { broker, .. } = target.selection {
                    let rect = layout.boxes[&NodeId::Server(broker.0)];
                    assert!(target.rect.x >= rect.x && target.rect.right() <= rect.right(), "at {width}");
                }
            }
        }
    }
}
