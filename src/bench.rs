//! `?bench`: what the frame loop costs on the page's first scene, and what the engine costs in this browser, as JSON in an
//! element of the document. The engine's turn comes when enough frames have been counted; it blocks the page meanwhile.

use crate::panels::Ui;
use crate::player::FrameCost;
use sim::bench::{Report, Scenario};
use yew::prelude::*;

/// Frames that are counted before the engine is measured: about five seconds.
const FRAMES: u32 = 300;
/// Seconds of virtual time that the engine runs if the address does not say.
pub(crate) const SECONDS: u64 = 10;

#[derive(Properties, PartialEq)]
pub(crate) struct BenchProps {
    pub(crate) ui: Ui,
    /// Seconds of virtual time that the engine runs.
    pub(crate) seconds: u64,
}

/// Rendered anew about ten times a second, whenever the player tells of a change.
#[component]
pub(crate) fn Bench(props: &BenchProps) -> Html {
    let result = use_state(|| None::<String>);
    let (cost, seconds) = (props.ui.player.frame_cost(), props.seconds);
    let is_due = cost.frames >= FRAMES && result.is_none();
    use_effect_with(is_due, {
        let result = result.clone();
        move |is_due| {
            if *is_due {
                result.set(Some(json(cost, Scenario::steady_load(seconds).measure(&mut clock_ns))));
            }
        }
    });
    html! { <pre id="bench" data-done={result.is_some().to_string()}>{ (*result).clone() }</pre> }
}

fn clock_ns() -> u64 {
    let performance = web_sys::window().and_then(|window| window.performance());
    performance.map_or(0, |performance| (performance.now() * 1_000_000.0) as u64)
}

fn json(cost: FrameCost, report: Report) -> String {
    let mean_ms = cost.total_ms / f64::from(cost.frames.max(1));
    let figures = [
        ("frames", format!("{}", cost.frames)),
        ("main_thread_mean_ms_per_frame", format!("{mean_ms:.3}")),
        ("main_thread_longest_ms", format!("{:.3}", cost.longest_ms)),
        ("steps", format!("{}", report.steps)),
        ("notes", format!("{}", report.events)),
        ("step_ns", format!("{}", report.step_ns)),
        ("steps_per_second", format!("{}", report.steps_per_second())),
        ("notes_per_second", format!("{}", report.events_per_second())),
        ("checkpoint_ns", format!("{}", report.checkpoint_ns)),
        ("seek_ns", format!("{}", report.seek_ns)),
        ("slowest_seek_ns", format!("{}", report.slowest_seek_ns)),
        ("frame_ns", format!("{}", report.frame_ns)),
        ("new_frame_ns", format!("{}", report.new_frame_ns)),
    ];
    let members: Vec<String> = figures.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_come_as_json() {
        let cost = FrameCost { frames: 4, total_ms: 6.0, longest_ms: 3.25 };
        let text = json(cost, Report { steps: 10, step_ns: 500, ..Report::default() });
        assert!(text.starts_with(
            r#"{"frames":4,"main_thread_mean_ms_per_frame":1.500,"main_thread_longest_ms":3.250,"steps":10,"#
        ));
        assert!(text.ends_with('}') && text.contains(r#""steps_per_second":2000000"#));
    }
}
