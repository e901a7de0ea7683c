//! What is wrong with a node, as marks in a few words; on the drawing they are badges on the upper edge of its box.

use super::Scene;
use super::draw_list::{Anchor, DrawList, Font, Ink};
use super::format::text_width;
use super::geometry::{Point, Rect};
use crate::text::{Label, Message};
use kafka::fault::DiskCondition;
use kafka::instant::Duration;
use sim::frame::{NodeFaults, NodeFrame};

/// One thing that is wrong with a node or its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultMark {
    Frozen,
    NoPower,
    SlowDisk(Duration),
    FullDisk,
    /// How far the clock is ahead, in milliseconds; never 0.
    ClockOff(i64),
}

impl FaultMark {
    /// As tests and the table's attributes name it.
    pub(crate) fn code(self) -> &'static str {
        match self {
            FaultMark::Frozen => "frozen",
            FaultMark::NoPower => "no-power",
            FaultMark::SlowDisk(_) => "slow-disk",
            FaultMark::FullDisk => "full-disk",
            FaultMark::ClockOff(_) => "clock",
        }
    }

    /// How bad it is: what stops a process, and what only hinders it.
    pub(crate) fn ink(self) -> Ink {
        match self {
            FaultMark::Frozen | FaultMark::NoPower | FaultMark::FullDisk => Ink::Danger,
            FaultMark::SlowDisk(_) | FaultMark::ClockOff(_) => Ink::Warning,
        }
    }
}

/// All that is wrong with a node.
pub(crate) fn marks(faults: &NodeFaults) -> Vec<FaultMark> {
    let disk = match faults.disk {
        DiskCondition::Sound => None,
        DiskCondition::Slow(delay) => Some(FaultMark::SlowDisk(delay)),
        DiskCondition::Full => Some(FaultMark::FullDisk),
    };
    let power = faults.is_powered_off.then_some(FaultMark::NoPower);
    let frozen = faults.is_frozen.then_some(FaultMark::Frozen);
    let clock = (faults.clock_offset_ms != 0).then_some(FaultMark::ClockOff(faults.clock_offset_ms));
    [power, frozen, disk, clock].into_iter().flatten().collect()
}

pub(super) fn draw(scene: Scene<'_>, list: &mut DrawList) {
    for node in &scene.frame.nodes {
        if let Some(rect) = scene.layout.boxes.get(&node.id) {
            draw_badges(scene, list, node, *rect);
        }
    }
}

/// From the right to the left, as far as there is room.
fn draw_badges(scene: Scene<'_>, list: &mut DrawList, node: &NodeFrame, rect: Rect) {
    let mut right = rect.right() - 8.0;
    for (ink, text) in badges(scene, node) {
        let width = text_width(&text, Font::Tiny) + 12.0;
        if right - width < rect.x {
            return;
        }
        let badge = Rect::new(right - width, rect.y - 8.0, width, 15.0);
        list.fill(ink, badge, 7.5);
        list.text(Ink::Box, Font::Tiny, Point::new(badge.center().x, badge.center().y), Anchor::Middle, text);
        right = badge.x - 4.0;
    }
}

fn badges(scene: Scene<'_>, node: &NodeFrame) -> Vec<(Ink, String)> {
    let language = scene.store.language;
    let office = super::cluster::office(node);
    let office = office.map(|epoch| (Ink::Accent, Message::Office { epoch }.text(language)));
    let quorum = super::cluster::combined_controller(node).map(|view| {
        let (ink, state) = super::nodes::controller_state(Some(view), language);
        (if view.is_active { Ink::Accent } else { ink }, format!("{} · {state}", Label::Controller.text(language)))
    });
    let faults = marks(&node.faults).into_iter().map(|mark| (mark.ink(), Message::Fault(mark).text(language)));
    office.into_iter().chain(quorum).chain(faults).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::view::fixture;
    use crate::view::layout::Layout;
    use sim::Frame;

    fn texts(frame: &Frame, width: f64) -> Vec<String> {
        let (cast, store) = (fixture::cast(), Store::default());
        let layout = Layout::arrange(frame, &cast, &store, width);
        let list = crate::view::draw(Scene { frame, cast: &cast, store: &store, layout: &layout });
        list.texts().into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn every_fault_of_a_node_is_written_on_its_box() {
        let disk = DiskCondition::Slow(Duration(50_000));
        let all = NodeFaults { is_frozen: true, is_powered_off: true, disk, clock_offset_ms: -5_000 };
        for width in [390.0, 860.0] {
            let mut frame = fixture::frame(1);
            let before = texts(&frame, width);
            frame.nodes[1].faults = all;
            let after = texts(&frame, width);
            for mark in ["no power", "frozen", "disk +50 ms", "clock −5 s"] {
                let count = |texts: &[String]| texts.iter().filter(|text| *text == mark).count();
                assert_eq!((count(&before), count(&after)), (0, 1), "{mark} at {width}");
            }
        }
    }

    #[test]
    fn a_node_without_faults_has_no_marks() {
        assert_eq!(marks(&NodeFaults::default()), []);
        let full = NodeFaults { disk: DiskCondition::Full, ..NodeFaults::default() };
        assert_eq!(marks(&full), [FaultMark::FullDisk]);
    }
}
