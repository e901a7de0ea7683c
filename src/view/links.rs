//! The ways between nodes: faintly those on which messages are, plainly those that are cut or made worse.

use super::Scene;
use super::draw_list::{Anchor, DrawList, Font, Ink, Shape, Stroke};
use super::format::text_width;
use super::geometry::{Path, Point, Rect};
use crate::store::Selection;
use crate::text::Message;
use kafka::fault::LinkCondition;
use kafka::node::NodeId;
use sim::Frame;
use sim::frame::LinkFrame;
use std::collections::BTreeSet;

/// With more bad links than this there would be more words than drawing.
const LABELLED: usize = 24;

/// How a link is in one direction.
pub(crate) fn condition(frame: &Frame, from: NodeId, to: NodeId) -> LinkCondition {
    let link = frame.links.iter().find(|link| (link.from, link.to) == (from, to));
    link.map_or_else(LinkCondition::default, |link| link.condition)
}

pub(super) fn draw(scene: Scene<'_>, list: &mut DrawList) {
    let mut ways: BTreeSet<(NodeId, NodeId)> =
        scene.frame.messages.iter().map(|flight| (flight.from, flight.to)).collect();
    ways.extend(scene.frame.links.iter().map(|link| (link.from, link.to)));
    if let Selection::Link(one, other) = scene.store.selection {
        ways.extend([(one, other), (other, one)]);
    }
    for (from, to) in ways {
        if let Some(path) = scene.layout.path(from, to) {
            add_targets(list, &path, Selection::Link(from.min(to), from.max(to)));
            draw_way(scene, list, (from, to), path);
        }
    }
}

/// A click near the way selects the link.
fn add_targets(list: &mut DrawList, path: &Path, selection: Selection) {
    const NEAR: f64 = 4.0;
    for pair in path.points().windows(2) {
        let (x, y) = (pair[0].x.min(pair[1].x), pair[0].y.min(pair[1].y));
        let piece = Rect::new(x, y, (pair[0].x - pair[1].x).abs(), (pair[0].y - pair[1].y).abs());
        list.target(piece.grown(NEAR), selection.clone());
    }
}

fn draw_way(scene: Scene<'_>, list: &mut DrawList, (from, to): (NodeId, NodeId), path: Path) {
    let condition = condition(scene.frame, from, to);
    let is_selected = scene.store.selection == Selection::Link(from.min(to), from.max(to));
    let (ink, stroke) = match (condition.is_cut, condition == LinkCondition::default()) {
        (true, _) => (Ink::Danger, Stroke::Dashed),
        (false, false) => (Ink::Warning, Stroke::Dashed),
        (false, true) if is_selected => (Ink::Accent, Stroke::Thick),
        (false, true) => (Ink::Link, Stroke::Thin),
    };
    list.push(ink, Shape::Line { path, stroke });
}

/// Crosses on what is cut and words on what is slow; above the boxes, lest a box hides them.
pub(super) fn draw_marks(scene: Scene<'_>, list: &mut DrawList) {
    for link in &scene.frame.links {
        if let Some(path) = scene.layout.path(link.from, link.to) {
            draw_mark(scene, list, *link, &path);
        }
    }
}

fn draw_mark(scene: Scene<'_>, list: &mut DrawList, link: LinkFrame, path: &Path) {
    let back = condition(scene.frame, link.to, link.from);
    let is_one_way = back != link.condition;
    // What is so in both directions is said once.
    if !is_one_way && link.from > link.to {
        return;
    }
    let at = path.at(0.5);
    if link.condition.is_cut {
        draw_cross(list, at);
    }
    if is_one_way {
        draw_arrow_head(list, path, if link.condition.is_cut { Ink::Danger } else { Ink::Warning });
    }
    if !link.condition.is_cut && scene.frame.links.len() <= LABELLED {
        draw_words(list, at, Message::Link(link.condition).text(scene.store.language));
    }
}

fn draw_cross(list: &mut DrawList, at: Point) {
    const REACH: f64 = 5.0;
    let corner = |x: f64, y: f64| Point::new(at.x + x * REACH, at.y + y * REACH);
    list.line(Ink::Danger, corner(-1.0, -1.0), corner(1.0, 1.0), Stroke::Thick);
    list.line(Ink::Danger, corner(-1.0, 1.0), corner(1.0, -1.0), Stroke::Thick);
}

/// Where the way leads to, at three quarters of it.
fn draw_arrow_head(list: &mut DrawList, path: &Path, ink: Ink) {
    const LENGTH: f64 = 8.0;
    let (tip, before) = (path.at(0.75), path.at(0.72));
    let (x, y) = (tip.x - before.x, tip.y - before.y);
    let length = (x * x + y * y).sqrt().max(f64::EPSILON);
    let (x, y) = (x / length * LENGTH, y / length * LENGTH);
    for side in [-0.6, 0.6] {
        list.line(ink, Point::new(tip.x - x + side * y, tip.y - y - side * x), tip, Stroke::Thick);
    }
}

fn draw_words(list: &mut DrawList, at: Point, text: String) {
    let width = text_width(&text, Font::Tiny) + 8.0;
    list.fill(Ink::Box, Rect::new(at.x - width / 2.0, at.y - 7.0, width, 14.0), 4.0);
    list.text(Ink::Warning, Font::Tiny, at, Anchor::Middle, text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::view::fixture;
    use crate::view::layout::Layout;

    const CUT: LinkCondition = LinkCondition { is_cut: true, delay: None, jitter: None, loss_permille: 0 };

    fn link(from: i32, to: i32, condition: LinkCondition) -> LinkFrame {
        LinkFrame { from: NodeId::Server(from), to: NodeId::Server(to), condition }
    }

    fn drawn(links: Vec<LinkFrame>) -> DrawList {
        let frame = Frame { links, ..fixture::frame(1) };
        let (cast, store) = (fixture::cast(), Store::default());
        let layout = Layout::arrange(&frame, &cast, &store, 860.0);
        crate::view::draw(Scene { frame: &frame, cast: &cast, store: &store, layout: &layout })
    }

    fn strokes(list: &DrawList, wanted: Ink) -> (usize, usize) {
        let count = |wanted_stroke: Stroke| {
            let is_wanted = |painted: &&super::super::draw_list::Painted| {
                let Shape::Line { stroke, .. } = &painted.shape else { return false };
                painted.ink == wanted && *stroke == wanted_stroke
            };
            list.layers.iter().flatten().filter(is_wanted).count()
        };
        (count(Stroke::Dashed), count(Stroke::Thick))
    }

    #[test]
    fn a_cut_link_is_crossed_out_and_one_that_is_cut_one_way_shows_its_direction() {
        assert_eq!(strokes(&drawn(Vec::new()), Ink::Danger), (0, 0));
        assert_eq!(
            strokes(&drawn(vec![link(1, 2, CUT), link(2, 1, CUT)]), Ink::Danger),
            (2, 2),
            "a cross of two lines"
        );
        assert_eq!(strokes(&drawn(vec![link(2, 1, CUT)]), Ink::Danger), (1, 4), "a cross and the head of an arrow");
    }

    #[test]
    fn a_slow_link_says_how_slow_it_is() {
        let slow = LinkCondition { delay: Some(kafka::instant::Duration(200_000)), ..LinkCondition::default() };
        let list = drawn(vec![link(1, 2, slow), link(2, 1, slow)]);
        assert_eq!(list.texts().iter().filter(|text| **text == "≥ 200 ms").count(), 1);
    }

    #[test]
    fn a_click_on_a_cut_link_selects_it() {
        let frame = Frame { links: vec![link(1, 3, CUT)], ..fixture::frame(1) };
        let (cast, store) = (fixture::cast(), Store::default());
        let layout = Layout::arrange(&frame, &cast, &store, 860.0);
        let list = crate::view::draw(Scene { frame: &frame, cast: &cast, store: &store, layout: &layout });
        let place = layout.path(NodeId::Server(1), NodeId::Server(3)).expect("both are drawn").at(0.5);
        assert_eq!(list.hit(place), Some(&Selection::Link(NodeId::Server(1), NodeId::Server(3))));
    }
}
