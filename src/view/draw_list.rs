//! What is to be painted, as values: shapes with the role of their colour, and what lies under a click.

use super::geometry::{Path, Point, Rect};
use crate::store::Selection;

/// The role of a colour. The style sheet says which colour that is, in each theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Ink {
    Box,
    BoxDown,
    Border,
    Accent,
    Text,
    TextSoft,
    Link,
    Cell,
    CellUncommitted,
    CellDown,
    CellText,
    Leader,
    LeaderText,
    Good,
    Warning,
    Danger,
    HighWatermark,
    LogEnd,
    Produce,
    ConsumerFetch,
    Replication,
    MetadataLog,
    Control,
    ClientCall,
    Connection,
}

impl Ink {
    pub(crate) const ALL: [Ink; 25] = [
        Ink::Box,
        Ink::BoxDown,
        Ink::Border,
        Ink::Accent,
        Ink::Text,
        Ink::TextSoft,
        Ink::Link,
        Ink::Cell,
        Ink::CellUncommitted,
        Ink::CellDown,
        Ink::CellText,
        Ink::Leader,
        Ink::LeaderText,
        Ink::Good,
        Ink::Warning,
        Ink::Danger,
        Ink::HighWatermark,
        Ink::LogEnd,
        Ink::Produce,
        Ink::ConsumerFetch,
        Ink::Replication,
        Ink::MetadataLog,
        Ink::Control,
        Ink::ClientCall,
        Ink::Connection,
    ];

    /// The custom property of the style sheet that holds the colour.
    pub(crate) fn property(self) -> &'static str {
        match self {
            Ink::Box => "--box",
            Ink::BoxDown => "--box-down",
            Ink::Border => "--border",
            Ink::Accent => "--accent",
            Ink::Text => "--text",
            Ink::TextSoft => "--text-soft",
            Ink::Link => "--link-line",
            Ink::Cell => "--cell",
            Ink::CellUncommitted => "--cell-uncommitted",
            Ink::CellDown => "--cell-down",
            Ink::CellText => "--cell-text",
            Ink::Leader => "--leader",
            Ink::LeaderText => "--leader-text",
            Ink::Good => "--good",
            Ink::Warning => "--warning",
            Ink::Danger => "--danger",
            Ink::HighWatermark => "--high-watermark",
            Ink::LogEnd => "--log-end",
            Ink::Produce => "--produce",
            Ink::ConsumerFetch => "--consumer-fetch",
            Ink::Replication => "--replication",
            Ink::MetadataLog => "--metadata-log",
            Ink::Control => "--control",
            Ink::ClientCall => "--client-call",
            Ink::Connection => "--connection",
        }
    }
}

/// Size and weight of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Font {
    Title,
    Body,
    Small,
    Tiny,
}

impl Font {
    /// In CSS pixels.
    pub(crate) fn size(self) -> f64 {
        match self {
            Font::Title => 13.0,
            Font::Body => 12.0,
            Font::Small => 11.0,
            Font::Tiny => 10.0,
        }
    }

    pub(crate) fn is_bold(self) -> bool {
        match self {
            Font::Title => true,
            Font::Body | Font::Small | Font::Tiny => false,
        }
    }
}

/// Which end of a text lies at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stroke {
    Thin,
    Thick,
    Dashed,
}

/// One thing to paint.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// A filled rectangle with round corners.
    Fill { rect: Rect, radius: f64 },
    /// Its edge.
    Outline { rect: Rect, radius: f64, stroke: Stroke },
    /// A line along a path.
    Line { path: Path, stroke: Stroke },
    /// A filled circle: a request.
    Disc { center: Point, radius: f64 },
    /// The edge of a circle: a response.
    Ring { center: Point, radius: f64 },
    /// A small triangle that points down at a place: somebody's position in a log.
    Pointer { tip: Point },
    /// One line of text; `at` is on its middle line.
    Text { at: Point, anchor: Anchor, font: Font, text: String },
}

/// A shape with its colour.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Painted {
    pub(crate) ink: Ink,
    pub(crate) shape: Shape,
}

/// What a click at a place selects.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target {
    pub(crate) rect: Rect,
    pub(crate) selection: Selection,
}

/// Everything to paint, bottom first, and everything to click, bottom first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct DrawList {
    pub(crate) layers: Vec<Vec<Painted>>,
    pub(crate) targets: Vec<Target>,
}

impl DrawList {
    /// An empty list with one layer open.
    pub(crate) fn new() -> DrawList {
        DrawList { layers: vec![Vec::new()], targets: Vec::new() }
    }

    /// What comes from here on is painted over what came before. Within a layer the order is the painter's.
    pub(crate) fn next_layer(&mut self) {
        self.layers.push(Vec::new());
    }

    pub(crate) fn push(&mut self, ink: Ink, shape: Shape) {
        self.layers.last_mut().expect("a draw list always has a layer").push(Painted { ink, shape });
    }

    pub(crate) fn fill(&mut self, ink: Ink, rect: Rect, radius: f64) {
        self.push(ink, Shape::Fill { rect, radius });
    }

    pub(crate) fn outline(&mut self, ink: Ink, rect: Rect, radius: f64, stroke: Stroke) {
        self.push(ink, Shape::Outline { rect, radius, stroke });
    }

    pub(crate) fn line(&mut self, ink: Ink, from: Point, to: Point, stroke: Stroke) {
        self.push(ink, Shape::Line { path: Path::through(vec![from, to]), stroke });
    }

    pub(crate) fn text(&mut self, ink: Ink, font: Font, at: Point, anchor: Anchor, text: impl Into<String>) {
        self.push(ink, Shape::Text { at, anchor, font, text: text.into() });
    }

    pub(crate) fn target(&mut self, rect: Rect, selection: Selection) {
        self.targets.push(Target { rect, selection });
    }

    /// What lies uppermost at a place.
    pub(crate) fn hit(&self, point: Point) -> Option<&Selection> {
        self.targets.iter().rev().find(|target| target.rect.contains(point)).map(|target| &target.selection)
    }

    /// All texts, for tests and nothing else.
    #[cfg(test)]
    pub(crate) fn texts(&self) -> Vec<&str> {
        let painted = self.layers.iter().flatten();
        painted
            .filter_map(|painted| match &painted.shape {
                Shape::Text { text, .. } => Some(text.as_str()),
                Shape::Fill { .. }
                | Shape::Outline { .. }
                | Shape::Line { .. }
                | Shape::Disc { .. }
                | Shape::Ring { .. }
                | Shape::Pointer { .. } => None,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka::node::NodeId;

    #[test]
    fn a_click_finds_what_lies_uppermost() {
        let mut list = DrawList::new();
        list.target(Rect::new(0.0, 0.0, 100.0, 100.0), Selection::Node(NodeId::Server(1)));
        list.target(Rect::new(10.0, 10.0, 10.0, 10.0), Selection::Message(7));
        assert_eq!(list.hit(Point::new(15.0, 15.0)), Some(&Selection::Message(7)));
        assert_eq!(list.hit(Point::new(50.0, 50.0)), Some(&Selection::Node(NodeId::Server(1))));
        assert_eq!(list.hit(Point::new(150.0, 50.0)), None);
    }

    #[test]
    fn every_ink_has_a_colour_in_the_style_sheet() {
        let style_sheet = include_str!("../../assets/page.css");
        for ink in Ink::ALL {
            let definitions = style_sheet.matches(&format!("{}:", ink.property())).count();
            assert!(definitions >= 2, "{ink:?} needs a colour in both themes");
        }
    }
}
