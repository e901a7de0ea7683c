//! What the Korean tutorials do, in the built page: a topic with three replicas, the records a to j, reading from an
//! offset, the death and return of the leader; and what only this page can: going back and acting in the past.

use acceptance::driver::Page;
use serde_json::json;
use std::collections::BTreeSet;

const SERVERS: &str = "--bootstrap-server localhost:9092,localhost:9093,localhost:9094";
const ENTER: &str = "\u{E007}";

/// The page with what this story does to it.
struct Story {
    page: Page,
}

/// A partition as the page's table shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Partition {
    leader: u32,
    epoch: u32,
    isr: BTreeSet<u32>,
}

impl Story {
    fn open(path: &str) -> Story {
        let page = Page::open(path);
        page.resize(1280, 800);
        page.wait_for("#nodes tr");
        Story { page }
    }

    fn choose(&self, selector: &str, value: &str, event: &str) {
        self.page.wait_for(selector);
        self.page.eval(&format!(
            "(() => {{ const field = document.querySelector({}); field.value = {}; \
             field.dispatchEvent(new Event({}, {{ bubbles: true }})); return true; }})()",
            json!(selector),
            json!(value),
            json!(event)
        ));
    }

    fn speed(&self, speed: &str) {
        self.choose("#speed", speed, "change");
    }

    fn root(&self, attribute: &str) -> String {
        let value = self.page.eval(&format!("document.querySelector('#kafkascope').dataset.{attribute}"));
        value.as_str().expect("the page tells where it is").to_owned()
    }

    fn now_us(&self) -> u64 {
        self.root("nowUs").parse().expect("an instant is a number")
    }

    fn is_playing(&self) -> bool {
        self.root("playing") == "true"
    }

    fn set_playing(&self, wanted: bool) {
        if self.is_playing() != wanted {
            self.page.click("#play");
        }
        self.page.wait_until(&format!("document.querySelector('#kafkascope').dataset.playing === '{wanted}'"));
    }

    fn seek_ms(&self, milliseconds: u64) {
        self.choose("#time", &milliseconds.to_string(), "input");
        self.page.wait_until(&format!(
            "Math.floor(document.querySelector('#kafkascope').dataset.nowUs / 1000) === {milliseconds}"
        ));
    }

    /// Waits for the digest of all that has happened: equal digests, equal frames.
    fn wait_for_hash(&self, is_wanted: impl Fn(&str) -> bool) {
        let is_there = (0..200).any(|_| is_wanted(&self.root("hash")));
        assert!(is_there, "the page has come to another place: {}", self.root("hash"));
    }

    /// The row of `his-topic-0` in the table beside the drawing.
    fn partition(&self) -> Partition {
        let row = "document.querySelector('#partitions tr[data-partition=\"his-topic-0\"]').dataset";
        let number = |name: &str| -> u32 {
            let value = self.page.eval(&format!("{row}.{name}"));
            value.as_str().and_then(|text| text.parse().ok()).unwrap_or(u32::MAX)
        };
        let isr = self.page.eval(&format!("{row}.isr"));
        let isr = isr.as_str().expect("the ISR is text").split(',').filter_map(|id| id.parse().ok()).collect();
        Partition { leader: number("leader"), epoch: number("epoch"), isr }
    }

    fn wait_for_partition(&self, condition: &str) {
        self.page.wait_until(&format!(
            "(() => {{ const row = document.querySelector('#partitions tr[data-partition=\"his-topic-0\"]'); \
             return row !== null && (row => {condition})(row.dataset); }})()"
        ));
    }

    /// `None` while the broker has not loaded its logs.
    fn log_end_offset(&self, broker: u32) -> Option<i64> {
        let cell = format!(
            "document.querySelector('#partitions tr[data-partition=\"his-topic-0\"] td[data-broker=\"{broker}\"]')"
        );
        let value = self.page.eval(&format!("{cell}?.dataset.logEndOffset ?? null"));
        value.as_str().and_then(|text| text.parse().ok())
    }

    fn tab(&self, panel: &str) {
        self.page.click(&format!("#tab-{panel}"));
    }

    /// Runs a command to its end and returns what it printed.
    fn run(&self, command: &str) -> String {
        let before = self.start(command);
        self.wait_for_end();
        self.terminal()[before..].to_owned()
    }

    fn start(&self, command: &str) -> usize {
        self.tab("terminal");
        let before = self.terminal().len();
        self.page.type_into("#terminal-input", &format!("{command}{ENTER}"));
        self.page.wait_until(&format!(
            "document.querySelector('[data-testid=terminal-output]').textContent.length > {before}"
        ));
        before
    }

    /// While a command runs, its keys can be pressed.
    fn wait_for_end(&self) {
        self.page.wait_until("document.querySelector('.terminal-input button').disabled");
    }

    fn terminal(&self) -> String {
        let lines =
            "[...document.querySelectorAll('[data-testid=terminal-output] .line')].map(line => line.textContent)";
        self.page.eval(&format!("{lines}.join('\\n') + '\\n'")).as_str().expect("a terminal prints text").to_owned()
    }

    /// Types records into the console producer, one a line, and ends its input.
    fn produce(&self, records: &[&str]) {
        self.start(&format!("kafka-console-producer --topic his-topic {SERVERS}"));
        for record in records {
            self.page.type_into("#terminal-input", &format!("{record}{ENTER}"));
        }
        self.page.click(".terminal-input button:nth-of-type(2)");
        self.wait_for_end();
    }

    fn consume(&self, options: &str) -> Vec<String> {
        let printed = self.run(&format!("kafka-console-consumer --topic his-topic {options} {SERVERS}"));
        let is_record = |line: &&str| line.len() == 1 && line.chars().all(|letter| letter.is_ascii_lowercase());
        printed.lines().filter(is_record).map(str::to_owned).collect()
    }

    /// Selects a broker and presses one of its buttons.
    fn command_broker(&self, broker: u32, action: &str) {
        self.page.click(&format!("#nodes tr[data-node=server][data-id=\"{broker}\"] button"));
        self.page.wait_for(&format!("[data-testid=broker-details][data-broker=\"{broker}\"]"));
        self.page.click(&format!("[data-testid=broker-details] button[data-action={action}]"));
    }

    fn wait_for_state(&self, broker: u32, state: &str) {
        self.page.wait_for(&format!("#nodes tr[data-node=server][data-id=\"{broker}\"][data-state={state}]"));
    }

    fn branches(&self) -> usize {
        self.tab("histories");
        let count = self.page.eval("document.querySelectorAll('.histories li').length");
        count.as_u64().expect("a count is a number") as usize
    }
}

fn letters(from: char, to: char) -> Vec<String> {
    (from..=to).map(|letter| letter.to_string()).collect()
}

#[test]
#[ignore = "needs the built site and Chromium: cargo xtask test browser"]
fn the_leader_dies_and_returns_and_its_death_can_be_undone() {
    let story = Story::open("?lang=en&theme=light&seed=7");
    story.speed("10×");
    create_produce_and_read(&story);
    let (before, killed_at_us) = kill_the_leader(&story);
    read_again_and_produce_more(&story);
    bring_the_old_leader_back(&story, before.leader);
    let after = story.partition();
    go_back_and_step(&story, &before, killed_at_us);
    let other = act_in_the_past(&story, &before);
    assert_ne!(other, before.leader);
    return_to_the_first_history(&story, &after);
    story.page.assert_no_console_errors();
}

fn create_produce_and_read(story: &Story) {
    let options = "--create --topic his-topic --partitions 1 --replication-factor 3 --config min.insync.replicas=2";
    assert!(story.run(&format!("kafka-topics {options} {SERVERS}")).contains("Created topic his-topic."));
    let records = letters('a', 'j');
    story.produce(&records.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(story.consume("--partition 0 --offset 4 --max-messages 6"), letters('e', 'j'));
    assert_eq!(story.consume("--from-beginning --max-messages 10"), records);
    story.page.screenshot("tutorial-1-read");
}

fn kill_the_leader(story: &Story) -> (Partition, u64) {
    story.wait_for_partition("row.isr.split(',').length === 3");
    let before = story.partition();
    story.set_playing(false);
    let killed_at_us = story.now_us();
    story.command_broker(before.leader, "kill");
    story.set_playing(true);
    story.wait_for_state(before.leader, "down");
    story.wait_for_partition(&format!("row.leader !== '{}' && row.leader !== 'none'", before.leader));
    let after = story.partition();
    assert_eq!(after.epoch, before.epoch + 1);
    assert_eq!(after.isr, &before.isr - &BTreeSet::from([before.leader]));
    assert!(after.isr.contains(&after.leader));
    story.page.screenshot("tutorial-2-leader-dead");
    (before, killed_at_us)
}

fn read_again_and_produce_more(story: &Story) {
    assert_eq!(story.consume("--from-beginning --max-messages 10"), letters('a', 'j'));
    story.produce(&["k", "l", "m"]);
    assert_eq!(story.consume("--from-beginning --max-messages 13"), letters('a', 'm'));
}

/// It keeps what it had, catches up, and is in sync again; leadership stays where it is.
fn bring_the_old_leader_back(story: &Story, old_leader: u32) {
    assert_eq!(story.log_end_offset(old_leader), Some(10), "the dead broker's disk is as it was");
    let leader = story.partition().leader;
    story.command_broker(old_leader, "start");
    let rejoined = || story.partition().isr.len() == 3;
    while !rejoined() {
        assert!(story.log_end_offset(old_leader).is_none_or(|end| end >= 10), "the old leader truncated its log");
    }
    assert_eq!(story.log_end_offset(old_leader), Some(13));
    assert_eq!(story.partition().leader, leader);
    story.page.screenshot("tutorial-3-rejoined");
}

fn go_back_and_step(story: &Story, before: &Partition, killed_at_us: u64) {
    story.set_playing(false);
    let before_the_kill_ms = killed_at_us / 1_000 - 100;
    story.seek_ms(before_the_kill_ms);
    assert_eq!(&story.partition(), before, "before the kill the old leader leads");
    story.page.screenshot("tutorial-4-back-in-time");
    let start = story.root("hash");
    story.page.click("#step");
    story.wait_for_hash(|hash| hash != start);
    let here = story.root("hash");
    story.page.click("#step-back");
    story.wait_for_hash(|hash| hash == start);
    story.page.click("#step");
    story.wait_for_hash(|hash| hash == here);
    story.seek_ms(before_the_kill_ms);
}

/// Kills another broker than before, there: a new history, in which the old leader goes on leading.
fn act_in_the_past(story: &Story, before: &Partition) -> u32 {
    assert_eq!(story.branches(), 1);
    let first = story.root("branch");
    let other = *before.isr.iter().find(|broker| **broker != before.leader).expect("three replicas were in sync");
    story.command_broker(other, "kill");
    story.page.wait_until(&format!("document.querySelector('#kafkascope').dataset.branch !== '{first}'"));
    assert_eq!(story.branches(), 2);
    story.set_playing(true);
    story.wait_for_partition(&format!("!row.isr.split(',').includes('{other}')"));
    let forked = story.partition();
    assert_eq!((forked.leader, forked.epoch), (before.leader, before.epoch));
    story.page.screenshot("tutorial-5-another-history");
    other
}

fn return_to_the_first_history(story: &Story, after: &Partition) {
    story.set_playing(false);
    story.tab("histories");
    story.page.click(".histories li[data-branch=\"0\"] button");
    story.page.wait_until("document.querySelector('#kafkascope').dataset.branch === '0'");
    story.page.click("#to-end");
    let is_as_it_was = format!("row.leader === '{}' && row.epoch === '{}'", after.leader, after.epoch);
    story.wait_for_partition(&is_as_it_was);
}

#[test]
#[ignore = "needs the built site and Chromium: cargo xtask test browser"]
fn the_terminal_reads_disks_asks_brokers_what_they_serve_and_looks_into_zookeeper() {
    let story = Story::open("?mode=combined");
    let metadata_log = "/tmp/kafka-logs-1/__cluster_metadata-0/00000000000000000000.log";
    let dumped = story.run(&format!("kafka-dump-log.sh --cluster-metadata-decoder --files {metadata_log}"));
    for kind in ["LEADER_CHANGE", "REGISTER_CONTROLLER_RECORD", "REGISTER_BROKER_RECORD", "TOPIC_RECORD"] {
        assert!(dumped.contains(kind), "{kind} is not in {dumped}");
    }
    let served = story.run("kafka-broker-api-versions.sh --bootstrap-server localhost:9092");
    assert!(served.contains("\tProduce(0): 0 to 11 [usable: 11]"), "{served}");
    story.page.assert_no_console_errors();
    let story = Story::open("?mode=zookeeper");
    let listed = story.run("zookeeper-shell.sh localhost:2181 ls /brokers/ids");
    assert!(listed.contains("[1, 2, 3]"), "{listed}");
    story.page.assert_no_console_errors();
}

#[test]
#[ignore = "needs the built site and Chromium: cargo xtask test browser"]
fn a_broker_is_found_by_clicking_its_box() {
    let story = Story::open("?lang=en&seed=7");
    let place = story.page.eval(
        "(() => { const box = document.querySelector('#cluster').getBoundingClientRect(); \
         return [Math.round(box.left + box.width / 2), Math.round(box.top + 16)]; })()",
    );
    let coordinate = |index: usize| place[index].as_u64().and_then(|value| u32::try_from(value).ok()).expect("a place");
    story.page.click_at(coordinate(0), coordinate(1));
    story.page.wait_for("[data-testid=broker-details][data-broker=\"1\"]");
    story.page.assert_no_console_errors();
}

#[test]
#[ignore = "needs the built site and Chromium: cargo xtask test browser"]
fn every_language_and_theme_fits_both_screens() {
    let story = Story::open("?lang=ko&theme=light&seed=7");
    for (language, title) in [("ko", "이벤트"), ("en", "Events")] {
        for theme in ["light", "dark"] {
            story.choose("#language", language, "change");
            story.choose("#theme", theme, "change");
            story.page.wait_until(&format!("document.querySelector('#tab-events').textContent.includes('{title}')"));
            for (width, height) in [(1280, 800), (390, 844)] {
                story.page.resize(width, height);
                let is_inside = "document.documentElement.scrollWidth <= window.innerWidth";
                assert_eq!(story.page.eval(is_inside), json!(true), "{language} {theme}: wider than {width}");
                story.page.screenshot(&format!("page-{language}-{theme}-{width}"));
            }
        }
    }
    story.page.assert_no_console_errors();
}

#[test]
#[ignore = "needs the built site and Chromium: cargo xtask test browser"]
fn a_record_of_the_form_is_acknowledged_and_a_bad_one_is_refused_in_kafkas_words() {
    let story = Story::open("?lang=en&seed=7");
    story.speed("10×");
    story.tab("produce");
    story.choose("#produce-topic", "orders", "input");
    story.page.type_into("#produce-value", "from the form");
    story.page.click("#send");
    story.page.wait_until("/orders-[0-2]/.test(document.querySelector('[data-testid=outcomes]').textContent)");
    story.choose("#produce-topic", "bad name!", "input");
    story.page.click("#send");
    story.page.wait_until("document.querySelector('[data-testid=outcomes]').textContent.includes('Invalid')");
    story.page.screenshot("form");
    story.page.assert_no_console_errors();
}
