//! `?bench`: what the frame loop costs on the page's first scene, as JSON in an element of the document.

use crate::player::{FrameCost, Player};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct BenchProps {
    pub(crate) player: Player,
}

/// Rendered anew about ten times a second, whenever the player tells of a change.
#[component]
pub(crate) fn Bench(props: &BenchProps) -> Html {
    html! { <pre id="bench">{ json(props.player.frame_cost()) }</pre> }
}

fn json(cost: FrameCost) -> String {
    let mean_ms = cost.total_ms / f64::from(cost.frames.max(1));
    format!(
        r#"{{"frames":{},"frame_mean_ms":{mean_ms:.3},"frame_longest_ms":{:.3}}}"#,
        cost.frames, cost.longest_ms
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_come_as_json() {
        let cost = FrameCost { frames: 4, total_ms: 6.0, longest_ms: 3.25 };
        assert_eq!(json(cost), r#"{"frames":4,"frame_mean_ms":1.500,"frame_longest_ms":3.250}"#);
    }
}
