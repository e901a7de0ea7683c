//! A form that sends one record by a producer of its own, and what became of the records sent.

use super::{Ui, UiProps};
use crate::start;
use crate::store::{Action, Sent};
use crate::text::{Label, Message, failure_text};
use crate::view::{cluster, format};
use kafka::event::{ClientEvent, EventKind, OperatorEvent};
use kafka::node::{Instruction, NodeId, ProducerRecord};
use kafka::spec::{ProducerConfig, ProducerSpec, Program};
use sim::{Command, CommandError, Session};
use web_sys::{HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};
use wire::request::Acks;
use wire::{Bytes, TopicName};
use yew::prelude::*;

/// What the form holds.
#[derive(Clone, PartialEq)]
struct Draft {
    topic: String,
    key: String,
    value: String,
    acks: Acks,
}

const ACKS: [(Acks, Label); 3] =
    [(Acks::All, Label::AcksAll), (Acks::Leader, Label::AcksLeader), (Acks::None, Label::AcksNone)];

#[component]
pub(crate) fn Produce(props: &UiProps) -> Html {
    let ui = &props.ui;
    let draft = use_state(|| first_draft(ui));
    let onsubmit = {
        let (ui, draft) = (ui.clone(), draft.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            send(&ui, &draft);
        })
    };
    html! {
        <section>
            <h2>{ ui.say(Label::ProduceTitle) }</h2>
            <p class="note">{ ui.say(Label::ProduceNote) }</p>
            <form id="produce" {onsubmit}>
                { text_fields(ui, &draft) }
                { acks_choice(ui, &draft) }
                <button id="send" class="primary">{ ui.say(Label::Send) }</button>
            </form>
            { outcomes(ui) }
        </section>
    }
}

fn first_draft(ui: &Ui) -> Draft {
    let topic = cluster::topics(ui.frame()).first().map_or_else(String::new, TopicName::to_string);
    Draft { topic, key: String::new(), value: String::new(), acks: Acks::All }
}

fn text_fields(ui: &Ui, draft: &UseStateHandle<Draft>) -> Html {
    let input =
        |id: &'static str, label: Label, value: &str, list: Option<&'static str>, change: fn(&mut Draft, String)| {
            let (draft, value) = (draft.clone(), value.to_owned());
            let oninput = Callback::from(move |event: InputEvent| {
                let mut changed = (*draft).clone();
                change(&mut changed, event.target_unchecked_into::<HtmlInputElement>().value());
                draft.set(changed);
            });
            html! { <label>{ ui.say(label) }<input {id} {value} {list} {oninput} autocomplete="off" /></label> }
        };
    let on_value = {
        let draft = draft.clone();
        Callback::from(move |event: InputEvent| {
            let value = event.target_unchecked_into::<HtmlTextAreaElement>().value();
            draft.set(Draft { value, ..(*draft).clone() });
        })
    };
    let topics = cluster::topics(ui.frame()).into_iter().map(|topic| html! { <option value={topic.to_string()} /> });
    html! {
        <>
            { input("produce-topic", Label::Topic, &draft.topic, Some("topics"), |draft, text| draft.topic = text) }
            <datalist id="topics">{ for topics }</datalist>
            { input("produce-key", Label::Key, &draft.key, None, |draft, text| draft.key = text) }
            <label>{ ui.say(Label::Value) }<textarea id="produce-value" rows="3" value={draft.value.clone()} oninput={on_value} /></label>
            <p class="note">{ ui.say(Label::EmptyKeyNote) }</p>
        </>
    }
}

fn acks_choice(ui: &Ui, draft: &UseStateHandle<Draft>) -> Html {
    let options = ACKS.map(|(acks, label)| {
        html! { <option value={format::acks(acks)} selected={acks == draft.acks}>{ ui.say(label) }</option> }
    });
    let draft = draft.clone();
    let onchange = Callback::from(move |event: Event| {
        let chosen = event.target_unchecked_into::<HtmlSelectElement>().value();
        if let Some((acks, _)) = ACKS.into_iter().find(|(acks, _)| format::acks(*acks) == chosen) {
            draft.set(Draft { acks, ..(*draft).clone() });
        }
    });
    html! { <label>{ ui.say(Label::Acks) }<select id="produce-acks" {onchange}>{ for options }</select></label> }
}

/// A refusal cannot happen here: a client can always be started, and one that was just started can be told something.
fn send(ui: &Ui, draft: &Draft) {
    let sent = ui.player.with_session(|session| start_producer(session, draft));
    match sent {
        Ok(sent) => ui.dispatch.emit(Action::RememberSent(sent)),
        Err(error) => ui.player.refuse(error),
    }
}

fn start_producer(session: &mut Session, draft: &Draft) -> Result<Sent, CommandError> {
    let since = session.next_event();
    let config = ProducerConfig { acks: draft.acks, ..ProducerConfig::default() };
    let program = Program::Producer(ProducerSpec { config, is_synchronous: false, workload: None });
    let client = start::client(session.spec(), "produce-form", program);
    let client = session.apply(Command::StartClient(client))?;
    let record = ProducerRecord {
        topic: TopicName::new(&draft.topic),
        partition: None,
        key: (!draft.key.is_empty()).then(|| Bytes::from(draft.key.as_bytes())),
        value: Some(Bytes::from(draft.value.as_bytes())),
        headers: Vec::new(),
    };
    session.apply(Command::Tell(client, Instruction::Produce(record)))?;
    session.apply(Command::Tell(client, Instruction::EndOfInput))?;
    let value = draft.value.chars().take(40).collect();
    let (branch, step) = (session.branch(), session.steps());
    Ok(Sent { client, topic: draft.topic.clone(), value, acks: draft.acks, branch, step, since })
}

fn outcomes(ui: &Ui) -> Html {
    if ui.store.sent.is_empty() {
        return html! {};
    }
    html! {
        <>
            <h3>{ ui.say(Label::SentRecords) }</h3>
            <ol class="outcomes" data-testid="outcomes" aria-live="polite">
                { for ui.store.sent.iter().rev().map(|sent| outcome(ui, sent)) }
            </ol>
        </>
    }
}

fn outcome(ui: &Ui, sent: &Sent) -> Html {
    let (class, text) = what_became_of(ui, sent);
    html! {
        <li {class}><span class="what">{ format!("{} ← {} (acks={})", sent.topic, sent.value, format::acks(sent.acks)) }</span><span>{ text }</span></li>
    }
}

/// Follows from the events up to now, so that it is true after a step back too.
fn what_became_of(ui: &Ui, sent: &Sent) -> (&'static str, String) {
    if !sent.is_part_of(ui.frame().branch, &ui.snapshot.branches) {
        return ("soft", ui.say(Label::OutcomeOtherHistory).to_owned());
    }
    if ui.frame().step < sent.step {
        return ("soft", ui.say(Label::OutcomeNotYet).to_owned());
    }
    let events = ui.player.events_of(sent.client, sent.since);
    let answer = events.iter().find_map(|event| answer(ui, &event.kind));
    answer.unwrap_or_else(|| no_answer(ui, sent.client, sent.acks))
}

fn answer(ui: &Ui, kind: &EventKind) -> Option<(&'static str, String)> {
    match kind {
        EventKind::Client(ClientEvent::BatchAcknowledged { acks: Acks::None, .. }) => {
            Some(("good", ui.say(Label::OutcomeNoAnswer).to_owned()))
        }
        EventKind::Client(ClientEvent::BatchAcknowledged { partition, first_offset, .. }) => {
            Some(("good", ui.tell(&Message::StoredAt { partition, offset: *first_offset })))
        }
        EventKind::Client(ClientEvent::RecordFailed { topic, failure, .. }) => {
            Some(("danger", failure_text(topic, failure)))
        }
        EventKind::Operator(OperatorEvent::ProcessKilled) => Some(("danger", ui.say(Label::OutcomeEnded).to_owned())),
        EventKind::Client(_)
        | EventKind::Operator(_)
        | EventKind::Controller(_)
        | EventKind::Broker(_)
        | EventKind::ZooKeeper(_) => None,
    }
}

fn no_answer(ui: &Ui, client: NodeId, acks: Acks) -> (&'static str, String) {
    let label = match (cluster::node(ui.frame(), client), acks) {
        (Some(_), Acks::None | Acks::Leader | Acks::All) if ui.snapshot.is_playing => Label::OutcomeWaiting,
        (Some(_), Acks::None | Acks::Leader | Acks::All) => Label::OutcomePaused,
        (None, Acks::None) => Label::OutcomeNoAnswer,
        (None, Acks::Leader | Acks::All) => Label::OutcomeEnded,
    };
    ("soft", ui.say(label).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Run;
    use kafka::instant::Duration;
    use rand::{RngExt, SeedableRng};
    use sim::{Budget, EventId};

    /// Whatever is typed into the form, its record ends in an acknowledgement or in one of Kafka's errors.
    const RANDOM_DRAFTS: u32 = 2_000;

    fn random_draft(rng: &mut kafka::Rng) -> Draft {
        let topics = [
            "orders",
            "",
            "bad name!",
            ".",
            "..",
            "토픽",
            "__consumer_offsets",
            "orders\u{0}",
            "a/b",
            "new.topic",
            "new_topic",
        ];
        let topic = match rng.random_range(0..8u32) {
            0 => (0..rng.random_range(0..400u32)).map(|_| char::from(rng.random_range(32..127u8))).collect(),
            1 | 2 => topics[rng.random_range(0..topics.len() as u32) as usize].to_owned(),
            _ => "orders".to_owned(),
        };
        let value = match rng.random_range(0..100u32) {
            0 => "x".repeat(1_048_576),
            1 => "아".repeat(400_000),
            _ => (0..rng.random_range(0..60u32)).map(|_| rng.random::<char>()).collect(),
        };
        let key = (0..rng.random_range(0..5u32)).map(|_| rng.random::<char>()).collect();
        let (acks, _) = ACKS[rng.random_range(0..3u32) as usize];
        Draft { topic, key, value, acks }
    }

    #[test]
    fn whatever_is_typed_a_record_is_acknowledged_or_refused_in_kafkas_words() {
        let mut rng = kafka::Rng::seed_from_u64(1);
        let mut session = start::begin(start::world(Run::default()), 1);
        let sent: Vec<Sent> = (0..RANDOM_DRAFTS)
            .map(|_| {
                let until = session.now() + Duration::from_ms(20);
                session.run(Budget { until, steps: u64::MAX });
                start_producer(&mut session, &random_draft(&mut rng)).expect("a client can always be started")
            })
            .collect();
        let until = session.now() + Duration::from_ms(130_000);
        session.run(Budget { until, steps: u64::MAX });
        let (mut stored, mut refused) = (0, 0);
        for sent in &sent {
            let events =
                || session.events(EventId(0)).filter(|event| event.node == sent.client).map(|event| event.kind);
            let is_ack = |kind: &EventKind| matches!(kind, EventKind::Client(ClientEvent::BatchAcknowledged { .. }));
            let is_error = |kind: &EventKind| matches!(kind, EventKind::Client(ClientEvent::RecordFailed { .. }));
            let (acks, errors) = (events().filter(is_ack).count(), events().filter(is_error).count());
            assert_eq!(acks + errors, 1, "{} ← {} (acks={:?})", sent.topic, sent.value, sent.acks);
            stored += acks;
            refused += errors;
        }
        assert!(stored > 1_000 && refused > 100, "{stored} stored, {refused} refused");
    }
}
