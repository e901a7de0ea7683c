//! Clusters of other shapes in the built page, and what can go wrong in them: several controllers, ZooKeeper, a cut link,
//! a frozen broker; and runs of the swarm, which must be the same to the bit as natively.

use acceptance::driver::Page;
use serde_json::json;
use swarm::run::{Failure, draw};
use swarm::world_plan::Historical;

fn open(path: &str) -> Page {
    let page = Page::open(path);
    page.resize(1280, 800);
    page.wait_for("#nodes tr[data-node=server]");
    page
}

fn count(page: &Page, selector: &str) -> u64 {
    let count = page.eval(&format!("document.querySelectorAll({}).length", json!(selector)));
    count.as_u64().expect("a count is a number")
}

fn choose(page: &Page, selector: &str, value: &str) {
    page.wait_for(selector);
    page.eval(&format!(
        "(() => {{ const field = document.querySelector({}); field.value = {}; \
         field.dispatchEvent(new Event('change', {{ bubbles: true }})); return true; }})()",
        json!(selector),
        json!(value)
    ));
}

fn select_broker(page: &Page, broker: u32) {
    page.click(&format!("#nodes tr[data-node=server][data-id=\"{broker}\"] button"));
    page.wait_for(&format!("[data-testid=broker-details][data-broker=\"{broker}\"]"));
}

#[test]
#[ignore = "needs the built site and Chromium: cargo xtask test browser"]
fn a_cluster_with_three_controllers_shows_a_frozen_broker_and_a_cut_link() {
    let page = open("?lang=en&theme=light&seed=7&controllers=3");
    assert_eq!(count(&page, "#nodes tr[data-state=active]"), 1);
    assert_eq!(count(&page, "#nodes tr[data-state=inactive]"), 2);
    select_broker(&page, 2);
    page.click("[data-testid=broker-details] [data-action=freeze]");
    page.wait_for("#nodes tr[data-id=\"2\"][data-faults=frozen]");
    page.click("[data-testid=broker-details] summary");
    choose(&page, "[data-testid=link-to]", "0");
    page.click("[data-testid=link-details] [data-action=cut]");
    page.wait_until("document.querySelectorAll('#links tr[data-cut=true]').length === 2");
    page.screenshot("world-three-controllers");
    page.click("[data-testid=link-details] [data-action=heal]");
    page.wait_until("document.querySelectorAll('#links tr').length === 0");
    page.click("#checks-indicator");
    page.wait_for("[data-testid=promises]");
    assert_eq!(count(&page, ".checks li[data-holds=false]"), 0);
    page.assert_no_console_errors();
}

#[test]
#[ignore = "needs the built site and Chromium: cargo xtask test browser"]
fn the_form_ends_the_run_and_begins_one_with_zookeeper_that_the_address_names() {
    let page = open("?lang=en&theme=light&seed=7");
    assert_eq!(count(&page, "#nodes tr[data-node=zookeeper]"), 0);
    page.click("#new-cluster");
    choose(&page, "#mode", "zookeeper");
    page.click("#begin");
    page.wait_for("#nodes tr[data-node=zookeeper]");
    page.wait_for("#nodes tr[data-controller=true]");
    assert_eq!(page.eval("location.search"), json!("?seed=7&mode=zookeeper"));
    page.click("#nodes tr[data-node=zookeeper] button");
    page.wait_for("#sessions tbody tr:nth-of-type(3)");
    page.wait_for("[data-testid=znodes] li");
    page.screenshot("world-zookeeper");
    page.click("#add-broker");
    page.wait_for("#nodes tr[data-broker=\"4\"]");
    page.assert_no_console_errors();
}

#[test]
#[ignore = "needs the built site and Chromium: cargo xtask test browser"]
fn a_seed_of_the_swarm_opens_paused_at_its_first_fault_and_ends_as_it_does_natively() {
    let (run, outcome) = draw(7, None);
    assert_eq!(outcome, Ok(()));
    let page = open(&format!("{}&lang=en&theme=light", run.plan.address()));
    page.wait_for("[data-testid=swarm][data-outcome=well]");
    page.wait_for("#kafkascope[data-playing=false]");
    page.wait_for("[data-testid=event-details]");
    assert!(count(&page, ".time-bar .marks .fault") > 0);
    page.screenshot("swarm-seed");
    page.click("#to-end");
    page.wait_for("#to-end:disabled");
    let native = format!("{:016x}", run.session.trace_hash().0);
    assert_eq!(page.eval("document.querySelector('#kafkascope').dataset.hash"), json!(native));
    page.assert_no_console_errors();
}

#[test]
#[ignore = "needs the built site and Chromium: cargo xtask test browser"]
fn a_seed_that_breaks_a_promise_opens_at_the_event_that_broke_it() {
    let broken = |seed| match draw(seed, Some(Historical::TruncateToHighWatermark)) {
        (run, Err(Failure::Violated(violation))) => Some((run.plan, violation)),
        (_, Ok(()) | Err(Failure::NotHealed(_) | Failure::ReadOutOfOrder(_))) => None,
        (_, Err(Failure::NotEndedOnce(_) | Failure::Panicked(_))) => None,
    };
    let (plan, violation) = (0..200).find_map(broken).expect("a fault that Kafka had shows within 200 seeds");
    let page = open(&format!("{}&lang=en&theme=light", plan.address()));
    page.wait_for(&format!("[data-testid=swarm][data-outcome={}]", violation.checker.name()));
    page.wait_for(&format!("#kafkascope[data-step=\"{}\"]", violation.step));
    page.wait_for("#checks-indicator[data-broken=\"1\"]");
    page.wait_for(".time-bar .marks .break");
    page.screenshot("swarm-violation");
    page.assert_no_console_errors();
}

#[test]
#[ignore = "needs the built site and Chromium: cargo xtask test browser"]
fn a_seed_that_is_none_is_refused_in_both_languages_and_the_usual_run_opens() {
    for (language, words) in [("en", "no seed"), ("ko", "시드가 아닙니다")] {
        let page = open(&format!("?lang={language}&swarm=abc"));
        page.wait_for("[data-testid=notice].refused");
        assert!(page.text("[data-testid=notice]").contains(words));
        assert!(!page.has("[data-testid=swarm]"));
        // The notice lies over nothing: a click fails where something else lies above.
        page.click("#language");
        page.assert_no_console_errors();
    }
}
