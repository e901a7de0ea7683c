//! What is seen, as a pure function of the frame, the instant and the store: layout, draw list, and what a click hits.
//! Knows no browser.

pub(crate) mod cluster;
pub(crate) mod draw_list;
pub(crate) mod events;
pub(crate) mod faults;
#[cfg(test)]
pub(crate) mod fixture;
pub(crate) mod format;
pub(crate) mod geometry;
pub(crate) mod layout;
pub(crate) mod links;
pub(crate) mod logs;
pub(crate) mod messages;
pub(crate) mod nodes;

use crate::store::Store;
use cluster::Cast;
use draw_list::DrawList;
use layout::Layout;
use sim::Frame;

/// Everything that a drawing depends on.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) frame: &'a Frame,
    pub(crate) cast: &'a Cast,
    pub(crate) store: &'a Store,
    pub(crate) layout: &'a Layout,
}

/// The whole drawing.
pub(crate) fn draw(scene: Scene<'_>) -> DrawList {
    let mut list = DrawList::new();
    links::draw(scene, &mut list);
    list.next_layer();
    nodes::draw(scene, &mut list);
    list.next_layer();
    logs::draw(scene, &mut list);
    list.next_layer();
    faults::draw(scene, &mut list);
    links::draw_marks(scene, &mut list);
    list.next_layer();
    messages::draw_dots(scene, &mut list);
    list
}
