//! Boxes for brokers, controllers, ZooKeeper and client programs, with their names and states.

use super::Scene;
use super::cluster::{self, BrokerStatus, ClientView};
use super::draw_list::{Anchor, DrawList, Font, Ink, Stroke};
use super::format::{fitted, text_width};
use super::geometry::{Point, Rect};
use crate::store::Selection;
use crate::text::{Label, Language, Message};
use kafka::node::NodeId;
use kafka::view::{ControllerView, QuorumRole};
use sim::frame::NodeFrame;
use wire::BrokerId;

const RADIUS: f64 = 6.0;
const PADDING: f64 = 8.0;

pub(super) fn draw(scene: Scene<'_>, list: &mut DrawList) {
    for (broker, node) in cluster::brokers(scene.frame, scene.cast) {
        if let Some(rect) = scene.layout.boxes.get(&node.id) {
            draw_broker(scene, list, broker, *rect);
        }
    }
    for (id, node) in cluster::controllers(scene.frame, scene.cast) {
        if let Some(rect) = scene.layout.boxes.get(&node.id) {
            draw_controller(scene, list, id, *rect);
        }
    }
    if let (Some(node), Some(rect)) =
        (cluster::node(scene.frame, NodeId::ZooKeeper), scene.layout.boxes.get(&NodeId::ZooKeeper))
    {
        draw_zookeeper(scene, list, node, *rect);
    }
    for (id, view) in cluster::clients(scene.frame) {
        if let Some(rect) = scene.layout.boxes.get(&id) {
            draw_client(scene, list, id, view, *rect);
        }
    }
    draw_notes(scene, list);
}

fn draw_box(scene: Scene<'_>, list: &mut DrawList, id: NodeId, rect: Rect, is_up: bool) {
    list.fill(if is_up { Ink::Box } else { Ink::BoxDown }, rect, RADIUS);
    let is_selected = scene.store.selection == Selection::Node(id);
    match (is_selected, is_up) {
        (true, _) => list.outline(Ink::Accent, rect, RADIUS, Stroke::Thick),
        (false, true) => list.outline(Ink::Border, rect, RADIUS, Stroke::Thin),
        (false, false) => list.outline(Ink::Danger, rect, RADIUS, Stroke::Dashed),
    }
    list.target(rect, Selection::Node(id));
}

/// How good a broker's status is.
pub(crate) fn status_ink(status: BrokerStatus) -> Ink {
    match status {
        BrokerStatus::Running => Ink::Good,
        BrokerStatus::Down => Ink::Danger,
        BrokerStatus::Starting
        | BrokerStatus::Recovery
        | BrokerStatus::RunningButFenced
        | BrokerStatus::ControlledShutdown
        | BrokerStatus::ShuttingDown => Ink::Warning,
    }
}

/// The status in words.
pub(crate) fn status_label(status: BrokerStatus) -> Label {
    match status {
        BrokerStatus::Down => Label::Down,
        BrokerStatus::Starting => Label::Starting,
        BrokerStatus::Recovery => Label::Recovery,
        BrokerStatus::Running => Label::Running,
        BrokerStatus::RunningButFenced => Label::RunningButFenced,
        BrokerStatus::ControlledShutdown => Label::ControlledShutdown,
        BrokerStatus::ShuttingDown => Label::ShuttingDown,
    }
}

fn draw_broker(scene: Scene<'_>, list: &mut DrawList, broker: BrokerId, rect: Rect) {
    let language = scene.store.language;
    let id = NodeId::Server(broker.0);
    let Some(node) = cluster::node(scene.frame, id) else { return };
    let status = cluster::broker_status(scene.frame, node, broker);
    draw_box(scene, list, id, rect, status != BrokerStatus::Down);
    let y = rect.y + if scene.layout.is_narrow { 11.0 } else { scene.layout.heading / 2.0 + 2.0 };
    let name = format!("{} {broker}", Label::Broker.text(language));
    let x = draw_name(list, Point::new(rect.x + PADDING, y), &name);
    let address = node.endpoint.as_ref().map_or_else(String::new, ToString::to_string);
    list.text(Ink::TextSoft, Font::Small, Point::new(x, y), Anchor::Start, address.clone());
    let right = Point::new(rect.right() - PADDING, y);
    let state = status_label(status).text(language);
    let after_address = x + text_width(&address, Font::Small) + 12.0;
    let state_at = if scene.layout.is_narrow || after_address + text_width(state, Font::Small) > right.x {
        Point::new(rect.x + PADDING + 10.0, y + 15.0)
    } else {
        Point::new(after_address + 8.0, y)
    };
    draw_state(list, state_at, status_ink(status), state);
    draw_epoch(scene, list, broker, right);
}

fn draw_epoch(scene: Scene<'_>, list: &mut DrawList, broker: BrokerId, right: Point) {
    let view = cluster::node(scene.frame, NodeId::Server(broker.0)).and_then(cluster::broker_view);
    if let Some(epoch) = view.and_then(|view| view.broker_epoch) {
        let text = format!("{} {epoch}", Label::BrokerEpoch.text(scene.store.language));
        list.text(Ink::TextSoft, Font::Tiny, right, Anchor::End, text);
    }
}

/// Returns where the next text may begin.
fn draw_name(list: &mut DrawList, at: Point, name: &str) -> f64 {
    list.text(Ink::Text, Font::Title, at, Anchor::Start, name);
    at.x + text_width(name, Font::Title) + 8.0
}

fn draw_state(list: &mut DrawList, at: Point, ink: Ink, state: &str) {
    list.fill(ink, Rect::around(Point::new(at.x - 6.0, at.y), 3.5), 3.5);
    list.text(ink, Font::Small, at, Anchor::Start, state);
}

fn draw_controller(scene: Scene<'_>, list: &mut DrawList, id: i32, rect: Rect) {
    let language = scene.store.language;
    let node_id = NodeId::Server(id);
    let Some(node) = cluster::node(scene.frame, node_id) else { return };
    draw_box(scene, list, node_id, rect, node.process.is_some());
    let lines = lines_of(rect, lines_in(rect));
    draw_name(list, lines[0], &format!("{} {id}", Label::Controller.text(language)));
    let (ink, state) = controller_state(cluster::controller_view(node), language);
    draw_state_and_address(list, node, rect, &lines, (ink, &state));
}

/// What a controller is in the quorum.
pub(crate) fn controller_state(view: Option<&ControllerView>, language: Language) -> (Ink, String) {
    let Some(view) = view else { return (Ink::Danger, Label::Down.text(language).to_owned()) };
    let ink = if view.is_active { Ink::Good } else { role_ink(view.quorum.role) };
    (ink, Message::QuorumState { is_active: view.is_active, quorum: &view.quorum, epoch: view.epoch }.text(language))
}

/// A follower does its part; the other roles are on the way to something.
fn role_ink(role: QuorumRole) -> Ink {
    match role {
        QuorumRole::Leader | QuorumRole::Follower => Ink::TextSoft,
        QuorumRole::Unattached | QuorumRole::Candidate | QuorumRole::Resigned => Ink::Warning,
    }
}

fn draw_zookeeper(scene: Scene<'_>, list: &mut DrawList, node: &NodeFrame, rect: Rect) {
    let language = scene.store.language;
    draw_box(scene, list, node.id, rect, node.process.is_some());
    let lines = lines_of(rect, lines_in(rect));
    draw_name(list, lines[0], Label::ZooKeeper.text(language));
    let (ink, state) = match cluster::zookeeper_view(node) {
        None => (Ink::Danger, Label::Down.text(language).to_owned()),
        Some(view) => (Ink::Good, Message::Sessions { count: view.sessions.len() }.text(language)),
    };
    draw_state_and_address(list, node, rect, &lines, (ink, &state));
}

fn draw_state_and_address(
    list: &mut DrawList,
    node: &NodeFrame,
    rect: Rect,
    lines: &[Point],
    (ink, state): (Ink, &str),
) {
    let room = rect.width - 2.0 * PADDING - 10.0;
    draw_state(list, Point::new(lines[1].x + 10.0, lines[1].y), ink, &fitted(state, Font::Small, room));
    if let (Some(at), Some(endpoint)) = (lines.get(2), &node.endpoint) {
        list.text(Ink::TextSoft, Font::Small, *at, Anchor::Start, endpoint.to_string());
    }
}

/// How many lines of text a box holds.
fn lines_in(rect: Rect) -> usize {
    if rect.height < 50.0 { 2 } else { 3 }
}

fn draw_client(scene: Scene<'_>, list: &mut DrawList, id: NodeId, view: ClientView<'_>, rect: Rect) {
    draw_box(scene, list, id, rect, true);
    let lines = lines_of(rect, lines_in(rect));
    let room = rect.width - 2.0 * PADDING;
    let name = fitted(view.client_id(), Font::Title, room);
    draw_name(list, lines[0], &name);
    list.text(Ink::TextSoft, Font::Small, lines[1], Anchor::Start, fitted(&tally(scene, view), Font::Small, room));
    if let Some(at) = lines.get(2) {
        let what = format!("{id} · {}", client_label(view).text(scene.store.language));
        list.text(Ink::TextSoft, Font::Tiny, *at, Anchor::Start, what);
    }
    if let Some(ink) = pointer_ink(view) {
        list.push(ink, super::draw_list::Shape::Pointer { tip: Point::new(rect.right() - 11.0, lines[0].y + 4.0) });
    }
}

/// The colour of a client's marks on the logs.
pub(super) fn pointer_ink(view: ClientView<'_>) -> Option<Ink> {
    match view {
        ClientView::Producer(_) => Some(Ink::Produce),
        ClientView::Consumer(_) => Some(Ink::ConsumerFetch),
        ClientView::Admin(_) => None,
    }
}

/// What kind of program it is.
pub(crate) fn client_label(view: ClientView<'_>) -> Label {
    match view {
        ClientView::Producer(_) => Label::Producer,
        ClientView::Consumer(_) => Label::Consumer,
        ClientView::Admin(_) => Label::TopicsTool,
    }
}

fn tally(scene: Scene<'_>, view: ClientView<'_>) -> String {
    match view {
        ClientView::Producer(view) => {
            Message::ProducedCount { acknowledged: view.acknowledged }.text(scene.store.language)
        }
        ClientView::Consumer(view) => Message::ConsumedCount { consumed: view.consumed }.text(scene.store.language),
        ClientView::Admin(view) => view.call.to_owned(),
    }
}

/// The middles of so many lines of text in a box.
fn lines_of(rect: Rect, count: usize) -> Vec<Point> {
    let step = (rect.height - 10.0) / count as f64;
    (0..count).map(|line| Point::new(rect.x + PADDING, rect.y + 5.0 + step * (line as f64 + 0.5))).collect()
}

fn draw_notes(scene: Scene<'_>, list: &mut DrawList) {
    let language = scene.store.language;
    if let Some((place, count)) = scene.layout.surplus {
        let at = Point::new(place.x + PADDING, place.center().y);
        list.text(Ink::TextSoft, Font::Small, at, Anchor::Start, Message::MoreClients { count }.text(language));
    }
    let hidden = scene.layout.rows_before + scene.layout.rows_after;
    if hidden > 0 {
        let at = Point::new(scene.layout.width - 12.0, scene.layout.height - 12.0);
        list.text(Ink::TextSoft, Font::Body, at, Anchor::End, Message::MorePartitions { count: hidden }.text(language));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::view::cluster::ServerKind;
    use crate::view::fixture;
    use crate::view::layout::Layout;

    fn texts(frame: &sim::Frame, language: Language) -> Vec<String> {
        let (cast, store) = (fixture::cast(), Store { language, ..Store::default() });
        let layout = Layout::arrange(frame, &cast, &store, 860.0);
        let list = crate::view::draw(Scene { frame, cast: &cast, store: &store, layout: &layout });
        list.texts().into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn a_dead_broker_is_said_to_be_down() {
        let mut frame = fixture::frame(1);
        assert!(!texts(&frame, Language::English).contains(&"down".to_owned()));
        fixture::kill(&mut frame, 2);
        assert!(texts(&frame, Language::English).contains(&"down".to_owned()));
        assert!(texts(&frame, Language::Korean).contains(&"중단됨".to_owned()));
    }

    #[test]
    fn a_broker_that_runs_while_the_controller_has_it_fenced_says_so() {
        let mut frame = fixture::frame(1);
        fixture::fence(&mut frame, 3);
        assert!(texts(&frame, Language::English).contains(&"running, but fenced".to_owned()));
    }

    #[test]
    fn of_several_controllers_the_active_one_is_marked_and_the_others_follow_it() {
        let mut frame = fixture::frame(1);
        fixture::add_controllers(&mut frame, &[101, 102]);
        let cast = fixture::cast().into_iter().chain([(101, ServerKind::Controller), (102, ServerKind::Controller)]);
        let (cast, store) = (cast.collect(), Store::default());
        let layout = Layout::arrange(&frame, &cast, &store, 860.0);
        let list = crate::view::draw(Scene { frame: &frame, cast: &cast, store: &store, layout: &layout });
        let count = |wanted: &str| list.texts().iter().filter(|text| **text == wanted).count();
        assert_eq!((count("active · quorum epoch 1"), count("follows 100 · epoch 1")), (1, 2));
    }

    #[test]
    fn a_combined_server_is_one_box_with_its_part_in_the_quorum() {
        let texts = texts(&fixture::combined_frame(), Language::English);
        let count = |wanted: &str| texts.iter().filter(|text| *text == wanted).count();
        assert_eq!((count("broker 1"), count("controller · active · quorum epoch 1")), (1, 1));
    }

    #[test]
    fn zookeeper_is_a_node_and_the_broker_that_is_controller_is_marked() {
        let frame = fixture::zookeeper_frame();
        let texts = texts(&frame, Language::English);
        let count = |wanted: &str| texts.iter().filter(|text| *text == wanted).count();
        assert_eq!((count("ZooKeeper"), count("1 session"), count("controller · epoch 3")), (1, 1, 1));
    }

    #[test]
    fn partitions_that_do_not_fit_are_counted() {
        let shown = Layout::arrange(&fixture::frame(30), &fixture::cast(), &Store::default(), 860.0).rows.len();
        let note = Message::MorePartitions { count: 30 - shown }.text(Language::English);
        assert!(texts(&fixture::frame(30), Language::English).contains(&note));
    }

    #[test]
    fn lines_of_a_box_lie_within_it() {
        let rect = Rect::new(0.0, 0.0, 100.0, 46.0);
        assert!(lines_of(rect, 3).iter().all(|line| rect.grown(-6.0).contains(*line)));
    }
}
