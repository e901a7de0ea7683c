//! Where things are: a column of programs at the left, a lane in which messages travel, and the brokers one above the
//! other at the right, so that the replicas of a partition can be compared offset by offset. On a narrow screen the
//! programs are above and the lane is a strip beside the brokers.

use super::cluster::{self, Cast};
use super::geometry::{Path, Point, Rect};
use crate::store::Store;
use kafka::node::NodeId;
use sim::Frame;
use std::collections::BTreeMap;
use wire::TopicPartition;

/// Below this width the narrow arrangement is used.
const NARROW_BELOW: f64 = 640.0;
/// How high the drawing may become before partitions are left out.
const HEIGHT_LIMIT: f64 = 640.0;
const NARROW_HEIGHT_LIMIT: f64 = 900.0;
/// Room that is kept for partitions even while there are fewer, so that the page does not jump when time is dragged.
const RESERVED_ROWS: usize = 3;
const MARGIN: f64 = 10.0;
const GAP: f64 = 10.0;

/// How a row of records is divided, from top to bottom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RowMetrics {
    /// Above the cells: the partition's name, where it does not stand beside them.
    pub(crate) label: f64,
    /// Positions of clients.
    pub(crate) pointers: f64,
    /// The records.
    pub(crate) cells: f64,
    /// Log start, high watermark and log end.
    pub(crate) marks: f64,
    /// Width of the names beside the cells.
    pub(crate) label_width: f64,
    /// Width of one record.
    pub(crate) cell_width: f64,
}

impl RowMetrics {
    pub(crate) fn height(self) -> f64 {
        self.label + self.pointers + self.cells + self.marks
    }
}

/// The arrangement for one frame and one width.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layout {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) is_narrow: bool,
    /// Servers and clients that are drawn.
    pub(crate) boxes: BTreeMap<NodeId, Rect>,
    /// Where clients stand for which there is no room, and how many.
    pub(crate) surplus: Option<(Rect, usize)>,
    /// The partitions drawn, in order.
    pub(crate) rows: Vec<TopicPartition>,
    /// Rows for which each broker has room.
    row_slots: usize,
    /// Partitions above and below them.
    pub(crate) rows_before: usize,
    pub(crate) rows_after: usize,
    pub(crate) row: RowMetrics,
    /// Height of a broker's heading.
    pub(crate) heading: f64,
    /// Where the lane's middle is.
    pub(crate) lane_x: f64,
}

/// What is to be arranged.
struct Population {
    brokers: Vec<NodeId>,
    /// Controllers, or ZooKeeper.
    coordinators: Vec<NodeId>,
    clients: Vec<NodeId>,
    partitions: Vec<TopicPartition>,
}

impl Layout {
    /// Arranges a frame in that width; the height follows.
    pub(crate) fn arrange(frame: &Frame, cast: &Cast, store: &Store, width: f64) -> Layout {
        let population = Population {
            brokers: cluster::brokers(frame, cast).map(|(_, node)| node.id).collect(),
            coordinators: cluster::coordinators(frame, cast).map(|node| node.id).collect(),
            clients: cluster::clients(frame).map(|(id, _)| id).collect(),
            partitions: cluster::partitions(frame, store.topic.as_ref()),
        };
        let is_narrow = width < NARROW_BELOW;
        let mut layout = Layout::empty(width, is_narrow);
        if is_narrow {
            layout.place_narrow(&population, store)
        } else {
            layout.place_wide(&population, store)
        }
        layout
    }

    fn empty(width: f64, is_narrow: bool) -> Layout {
        let row = if is_narrow {
            RowMetrics { label: 15.0, pointers: 10.0, cells: 20.0, marks: 14.0, label_width: 8.0, cell_width: 36.0 }
        } else {
            RowMetrics { label: 0.0, pointers: 11.0, cells: 26.0, marks: 14.0, label_width: 134.0, cell_width: 48.0 }
        };
        Layout {
            width,
            height: 0.0,
            is_narrow,
            boxes: BTreeMap::new(),
            surplus: None,
            rows: Vec::new(),
            row_slots: 0,
            rows_before: 0,
            rows_after: 0,
            row,
            heading: if is_narrow { 34.0 } else { 24.0 },
            lane_x: 0.0,
        }
    }

    fn place_wide(&mut self, population: &Population, store: &Store) {
        const COLUMN: f64 = 176.0;
        const LANE: f64 = 104.0;
        let left = MARGIN + COLUMN + LANE;
        self.lane_x = left - LANE * 0.55;
        self.choose_rows(population, store, HEIGHT_LIMIT);
        let brokers = Rect::new(left, MARGIN, self.width - left - MARGIN, 0.0);
        let bottom = self.stack_brokers(&population.brokers, brokers);
        let programs_bottom = self.stack_programs(population, Rect::new(MARGIN, MARGIN, COLUMN, bottom - MARGIN));
        self.height = bottom.max(programs_bottom) + self.footer();
    }

    fn place_narrow(&mut self, population: &Population, store: &Store) {
        const LANE: f64 = 26.0;
        self.lane_x = LANE / 2.0;
        self.choose_rows(population, store, NARROW_HEIGHT_LIMIT);
        let top = self.tile_programs(population);
        let brokers = Rect::new(LANE, top + GAP, self.width - LANE - MARGIN / 2.0, 0.0);
        let bottom = self.stack_brokers(&population.brokers, brokers);
        self.height = bottom + self.footer();
    }

    /// Room for the line that says how many partitions are left out.
    fn footer(&self) -> f64 {
        if self.rows_before + self.rows_after > 0 { 24.0 } else { MARGIN }
    }

    fn choose_rows(&mut self, population: &Population, store: &Store, height_limit: f64) {
        let brokers = population.brokers.len().max(1) as f64;
        let per_broker = (height_limit - GAP * (brokers - 1.0)) / brokers - self.heading - 8.0;
        let fitting = ((per_broker / self.row.height()).floor() as usize).max(1);
        let all = &population.partitions;
        let shown = fitting.min(all.len());
        let first = store.first_row.min(all.len() - shown);
        self.rows = all[first..first + shown].to_vec();
        self.row_slots = shown.max(RESERVED_ROWS.min(fitting));
        self.rows_before = first;
        self.rows_after = all.len() - shown - first;
    }

    /// Returns where the last one ends.
    fn stack_brokers(&mut self, brokers: &[NodeId], area: Rect) -> f64 {
        let height = self.heading + 8.0 + self.row.height() * self.row_slots as f64;
        let mut y = area.y;
        for broker in brokers {
            self.boxes.insert(*broker, Rect::new(area.x, y, area.width, height));
            y += height + GAP;
        }
        (y - GAP).max(area.y)
    }

    /// Returns where the last one ends. Of clients there is always room for two.
    fn stack_programs(&mut self, population: &Population, area: Rect) -> f64 {
        const CLIENT: f64 = 54.0;
        const FEWEST: usize = 2;
        let coordinator = if population.coordinators.len() > 1 { 46.0 } else { 64.0 };
        let mut y = area.y;
        for id in &population.coordinators {
            self.boxes.insert(*id, Rect::new(area.x, y, area.width, coordinator));
            y += coordinator + GAP;
        }
        y += GAP;
        let room = (((area.bottom() - y) / (CLIENT + GAP)).floor() as usize).max(FEWEST);
        let shown = shown_of(population.clients.len(), room);
        for client in &population.clients[..shown] {
            self.boxes.insert(*client, Rect::new(area.x, y, area.width, CLIENT));
            y += CLIENT + GAP;
        }
        let surplus = population.clients.len() - shown;
        self.note_surplus(surplus, Rect::new(area.x, y, area.width, 24.0));
        if surplus > 0 { y + 24.0 } else { y - GAP }
    }

    /// In two columns; returns where they end.
    fn tile_programs(&mut self, population: &Population) -> f64 {
        const TILE: f64 = 46.0;
        const CLIENT_LIMIT: usize = 5;
        let shown = shown_of(population.clients.len(), CLIENT_LIMIT);
        let width = (self.width - MARGIN - GAP) / 2.0;
        let programs = population.coordinators.iter().chain(&population.clients[..shown]);
        let mut places = (0..).map(|place: usize| {
            let (column, line) = ((place % 2) as f64, (place / 2) as f64);
            Rect::new(MARGIN / 2.0 + column * (width + GAP), MARGIN + line * (TILE + GAP), width, TILE)
        });
        let mut bottom = MARGIN;
        for (program, place) in programs.zip(&mut places) {
            self.boxes.insert(*program, place);
            bottom = place.bottom();
        }
        let surplus = population.clients.len() - shown;
        if let (true, Some(place)) = (surplus > 0, places.next()) {
            bottom = place.bottom();
            self.note_surplus(surplus, place);
        }
        bottom
    }

    fn note_surplus(&mut self, count: usize, place: Rect) {
        if count > 0 {
            self.surplus = Some((place, count));
        }
    }

    /// The way that messages take from one node to another; nothing if one of them is not to be seen.
    pub(crate) fn path(&self, from: NodeId, to: NodeId) -> Option<Path> {
        let (start, end) = (self.rect_of(from)?, self.rect_of(to)?);
        Some(if self.is_narrow { self.narrow_path(start, end) } else { self.wide_path(start, end) })
    }

    /// Clients for which there is no room stand at the note that says so; so do those that have just ended.
    fn rect_of(&self, node: NodeId) -> Option<Rect> {
        self.boxes.get(&node).copied().or(match node {
            NodeId::Client(_) => self.surplus.map(|(place, _)| place),
            NodeId::Server(_) | NodeId::ZooKeeper => None,
        })
    }

    fn is_in_left_column(&self, rect: Rect) -> bool {
        rect.right() < self.lane_x
    }

    fn port(&self, rect: Rect) -> Point {
        if self.is_in_left_column(rect) {
            Point::new(rect.right(), rect.center().y)
        } else {
            Point::new(rect.x, rect.y + self.heading / 2.0 + 2.0)
        }
    }

    /// Neighbours in one column are joined by a curve through the lane, others by a nearly straight line. The two
    /// directions are a little apart, so that requests and responses do not hide each other.
    fn wide_path(&self, start: Rect, end: Rect) -> Path {
        const APART: f64 = 4.0;
        let (mut from, mut to) = (self.port(start), self.port(end));
        let is_downward = if to.y > from.y { 1.0 } else { -1.0 };
        let is_rightward = if to.x >= from.x { 1.0 } else { -1.0 };
        from.y += APART * is_rightward;
        to.y += APART * is_rightward;
        let middle_y = f64::midpoint(from.y, to.y);
        let control = match (self.is_in_left_column(start), self.is_in_left_column(end)) {
            (false, false) => {
                let reach = 34.0 + (to.y - from.y).abs() * 0.13;
                Point::new(from.x - reach - 2.0 * APART * is_downward, middle_y)
            }
            (true, true) => Point::new(from.x + 60.0, middle_y),
            (true, false) | (false, true) => Point::new(f64::midpoint(from.x, to.x), middle_y),
        };
        Path::curve(from, control, to)
    }

    fn narrow_path(&self, start: Rect, end: Rect) -> Path {
        const APART: f64 = 3.5;
        let (from, to) = (self.narrow_port(start), self.narrow_port(end));
        let is_downward = if to.y > from.y { 1.0 } else { -1.0 };
        let lane_x = self.lane_x + APART * is_downward;
        let mut points = vec![from];
        points.extend([Point::new(lane_x, from.y), Point::new(lane_x, to.y), to]);
        Path::through(points)
    }

    /// Brokers are entered at their left edge, programs from the gap below them.
    fn narrow_port(&self, rect: Rect) -> Point {
        if rect.x > self.lane_x && rect.width > self.width * 0.6 {
            Point::new(rect.x, rect.y + self.heading / 2.0)
        } else {
            Point::new(rect.center().x, rect.bottom() + GAP / 2.0)
        }
    }

    /// Where the cells of a broker's row are.
    pub(crate) fn cells_area(&self, broker: Rect, row: usize) -> Rect {
        let top = broker.y + self.heading + self.row.height() * row as f64 + self.row.label + self.row.pointers;
        let left = broker.x + 8.0 + self.row.label_width;
        Rect::new(left, top, broker.right() - left - 8.0, self.row.cells)
    }

    /// Where a whole row of a broker is.
    pub(crate) fn row_area(&self, broker: Rect, row: usize) -> Rect {
        let top = broker.y + self.heading + self.row.height() * row as f64;
        Rect::new(broker.x + 4.0, top, broker.width - 8.0, self.row.height())
    }
}

/// How many of `count` are shown if there is room for `room`: one place is needed to say that some are not.
fn shown_of(count: usize, room: usize) -> usize {
    if count <= room { count } else { room - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::fixture;

    fn arranged(partitions: i32, width: f64, first_row: usize) -> Layout {
        let store = Store { first_row, ..Store::default() };
        Layout::arrange(&fixture::frame(partitions), &fixture::cast(), &store, width)
    }

    fn overlap(one: Rect, other: Rect) -> bool {
        one.x < other.right() && other.x < one.right() && one.y < other.bottom() && other.y < one.bottom()
    }

    #[test]
    fn boxes_lie_within_the_drawing_and_apart_from_each_other() {
        for width in [360.0, 390.0, 639.0, 640.0, 860.0, 1400.0] {
            let layout = arranged(3, width, 0);
            let boxes: Vec<(NodeId, Rect)> = layout.boxes.iter().map(|(id, rect)| (*id, *rect)).collect();
            assert_eq!(boxes.len(), 6, "3 brokers, a controller, a producer and a consumer");
            for (id, rect) in &boxes {
                assert!(rect.x >= 0.0 && rect.right() <= width && rect.bottom() <= layout.height, "{id:?} at {width}");
                assert!(boxes.iter().all(|(other, place)| other == id || !overlap(*rect, *place)), "{id:?} at {width}");
            }
        }
    }

    #[test]
    fn five_controllers_and_the_clients_fit_beside_a_single_broker() {
        let mut frame = fixture::frame(1);
        fixture::add_controllers(&mut frame, &[101, 102, 103, 104]);
        frame.nodes.retain(|node| ![NodeId::Server(2), NodeId::Server(3)].contains(&node.id));
        let cast = [100, 101, 102, 103, 104].map(|id| (id, cluster::ServerKind::Controller)).into();
        for width in [390.0, 860.0] {
            let layout = Layout::arrange(&frame, &cast, &Store::default(), width);
            assert_eq!(layout.boxes.len(), 8, "5 controllers, a broker, a producer and a consumer");
            assert!(layout.boxes.values().all(|rect| rect.bottom() <= layout.height), "at {width}");
        }
    }

    #[test]
    fn every_partition_is_drawn_or_counted() {
        for (partitions, first_row) in [(0, 0), (1, 0), (3, 0), (40, 0), (40, 5), (40, 1_000)] {
            for width in [390.0, 860.0] {
                let layout = arranged(partitions, width, first_row);
                let all = layout.rows_before + layout.rows.len() + layout.rows_after;
                assert_eq!(all, partitions as usize);
                assert!(layout.height < 1_200.0, "{partitions} partitions make a drawing {} high", layout.height);
            }
        }
    }

    #[test]
    fn three_partitions_of_three_brokers_all_fit() {
        assert_eq!(arranged(3, 860.0, 0).rows.len(), 3);
        assert_eq!(arranged(3, 390.0, 0).rows.len(), 3);
    }

    #[test]
    fn the_drawing_keeps_its_height_while_topics_come_and_go() {
        for width in [390.0, 860.0] {
            assert_eq!(arranged(0, width, 0).height, arranged(3, width, 0).height);
        }
    }

    #[test]
    fn a_way_leads_from_box_to_box_and_back_along_another_line() {
        for width in [390.0, 860.0] {
            let layout = arranged(3, width, 0);
            let there = layout.path(NodeId::Server(1), NodeId::Server(3)).expect("both are drawn");
            let back = layout.path(NodeId::Server(3), NodeId::Server(1)).expect("both are drawn");
            assert_ne!(there.at(0.5), back.at(0.5));
            assert!(layout.boxes[&NodeId::Server(1)].grown(10.0).contains(there.at(0.0)));
            assert!(layout.boxes[&NodeId::Server(3)].grown(10.0).contains(there.at(1.0)));
        }
    }
}
