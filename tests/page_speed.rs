//! How fast the built page is in headless Chromium. Run by `cargo xtask bench`; prints, and judges nothing.

use acceptance::driver::Page;
use serde_json::{Value, json};
use shell::script::Script;
use std::thread;
use std::time::{Duration, Instant};

const LOADS: usize = 5;

/// The engine runs about ten seconds of virtual time there, several times over; a slow machine takes its time.
const LONGEST_MEASUREMENT: Duration = Duration::from_secs(300);

/// Virtual seconds of steady load.
const SECONDS_OF_A_MILLION_EVENTS: u64 = 170;

/// What `?bench` tells, in the order in which it is printed: its name there, its unit's divisor, and what it is.
const FIGURES: [(&str, f64, &str); 9] = [
    ("steps_per_second", 1.0, "steps per second"),
    ("notes_per_second", 1.0, "noted events per second"),
    ("checkpoint_ns", 1e3, "us: a checkpoint"),
    ("seek_ns", 1e6, "ms: a seek"),
    ("slowest_seek_ns", 1e6, "ms: the slowest seek"),
    ("frame_ns", 1e3, "us: the engine's read model at 60 per second"),
    ("new_frame_ns", 1e3, "us: the engine's read model after a jump"),
    ("main_thread_mean_ms_per_frame", 1.0, "ms: main thread per animation frame on the first scene, mean"),
    ("main_thread_longest_ms", 1.0, "ms: the longest of those"),
];

#[test]
#[ignore = "a measurement: cargo xtask bench browser"]
fn engine_and_animation_frames() {
    let page = Page::open("?bench");
    let figures = measured(&page);
    println!();
    for (name, divisor, what) in FIGURES {
        println!("{:>14.3} {what}", figure(&figures, name) / divisor);
    }
    page.assert_no_console_errors();
}

/// The same load for so long that a million events are noted, and jumps criss-cross through them.
#[test]
#[ignore = "a measurement: cargo xtask bench browser"]
fn seeks_among_a_million_events() {
    let page = Page::open(&format!("?bench={SECONDS_OF_A_MILLION_EVENTS}"));
    let figures = measured(&page);
    let [events, median, slowest] = ["notes", "seek_ns", "slowest_seek_ns"].map(|name| figure(&figures, name));
    println!("{:.1} ms: a seek among {events} events, the slowest {:.1} ms", median / 1e6, slowest / 1e6);
    page.assert_no_console_errors();
}

/// What `?bench` tells.
fn measured(page: &Page) -> Value {
    let started = Instant::now();
    while !page.has("#bench[data-done=true]") {
        assert!(started.elapsed() < LONGEST_MEASUREMENT, "?bench has no result after {LONGEST_MEASUREMENT:?}");
        thread::sleep(Duration::from_millis(500));
    }
    page.eval("JSON.parse(document.querySelector('#bench').textContent)")
}

fn figure(figures: &Value, name: &str) -> f64 {
    figures[name].as_f64().unwrap_or_else(|| panic!("?bench does not tell {name}: {figures}"))
}

/// As `cargo xtask bench native day` runs it.
const IDLE_DAY: &str = "kafka-topics --bootstrap-server localhost:9092 --create --topic idle --partitions 50 \
    --replication-factor 3\n@sleep 86400\n";

/// The page offers what runs a script, for the tests of determinism.
#[test]
#[ignore = "a measurement: cargo xtask bench browser"]
fn an_idle_day() {
    let session = Script::parse(IDLE_DAY).and_then(|script| script.session(1)).expect("the script is right");
    let page = Page::open("");
    let run = format!("window.wasmBindings.trace_hash_of_script({}, 1)", json!(IDLE_DAY));
    let timed = format!("(() => {{ const begin = performance.now(); {run}; return performance.now() - begin; }})()");
    let milliseconds = page.eval(&timed).as_f64().expect("a clock counts in numbers");
    let per_second = session.steps() as f64 * 1e3 / milliseconds;
    println!("{milliseconds:.0} ms: a day of three brokers with 50 idle partitions, {per_second:.0} steps per second");
    page.assert_no_console_errors();
}

#[test]
#[ignore = "a measurement: cargo xtask bench browser"]
fn time_until_the_page_has_started() {
    let page = Page::open("");
    let mut milliseconds: Vec<f64> = (0..LOADS).map(|_| time_of_one_load(&page)).collect();
    milliseconds.sort_by(f64::total_cmp);
    println!("page load until its first content: median {:.0} ms of {milliseconds:.0?}", milliseconds[LOADS / 2]);
    page.assert_no_console_errors();
}

/// From the start of the navigation to the first thing painted, in milliseconds.
fn time_of_one_load(page: &Page) -> f64 {
    page.goto("");
    let entry = "performance.getEntriesByName('first-contentful-paint')[0]";
    page.wait_until(&format!("{entry} !== undefined"));
    page.eval(&format!("{entry}.startTime")).as_f64().expect("a paint has a time")
}
