//! Buttons that give commands: what can be done to a server, and what can go wrong with it.

use super::number_field::NumberField;
use super::{Ui, fact};
use crate::text::{Label, Message};
use crate::view::cluster::{self, ServerKind};
use crate::view::faults;
use kafka::fault::{DiskCondition, LinkChange, Links};
use kafka::instant::Duration;
use kafka::node::NodeId;
use sim::Command;
use sim::frame::NodeFrame;
use yew::prelude::*;

/// A button that gives a command; what becomes of it is told by the player.
pub(super) fn command_button(ui: &Ui, label: Label, command: Command, is_possible: bool) -> Html {
    let action = command_code(&command);
    let onclick = ui.on_player(move |player| {
        // A refusal is on the screen already.
        player.command(command.clone()).map(drop).unwrap_or_default();
    });
    html! { <button {onclick} disabled={!is_possible} data-action={action}>{ ui.say(label) }</button> }
}

fn command_code(command: &Command) -> &'static str {
    match command {
        Command::Kill(_) => "kill",
        Command::Stop(_) => "stop",
        Command::Start(_) => "start",
        Command::StartClient(_) => "start-client",
        Command::Tell(_, _) => "tell",
        Command::Freeze(_) => "freeze",
        Command::Thaw(_) => "thaw",
        Command::PowerOff(_) => "power-off",
        Command::SetDisk { condition: DiskCondition::Sound, .. } => "sound-disk",
        Command::SetDisk { condition: DiskCondition::Slow(_), .. } => "slow-disk",
        Command::SetDisk { condition: DiskCondition::Full, .. } => "full-disk",
        Command::SetClock { .. } => "set-clock",
        Command::ChangeLinks { change: LinkChange::Cut, links: Links::OneWay { .. } } => "cut-one-way",
        Command::ChangeLinks { change: LinkChange::Cut, .. } => "cut",
        Command::ChangeLinks { change: LinkChange::Heal, links: Links::OneWay { .. } } => "heal-one-way",
        Command::ChangeLinks { change: LinkChange::Heal, .. } => "heal",
        Command::ChangeLinks { change: LinkChange::Delay(_), .. } => "delay",
        Command::ChangeLinks { change: LinkChange::Jitter(_), .. } => "jitter",
        Command::ChangeLinks { change: LinkChange::Loss(_), .. } => "loss",
        Command::AddServer(_) => "add-server",
        Command::RemoveServer(_) => "remove-server",
    }
}

/// Everything that can be done to a server.
pub(super) fn server_commands(ui: &Ui, node: &NodeFrame) -> Html {
    let (id, is_up, is_frozen) = (node.id, node.process.is_some(), node.faults.is_frozen);
    html! {
        <>
            <p class="commands">
                { command_button(ui, Label::Kill, Command::Kill(id), is_up) }
                { command_button(ui, Label::Stop, Command::Stop(id), is_up) }
                { command_button(ui, Label::Start, Command::Start(id), !is_up) }
                { removal_button(ui, node) }
            </p>
            <p class="commands">
                if is_frozen {
                    { command_button(ui, Label::Thaw, Command::Thaw(id), true) }
                } else {
                    { command_button(ui, Label::Freeze, Command::Freeze(id), is_up) }
                }
                { command_button(ui, Label::PowerOff, Command::PowerOff(id), !node.faults.is_powered_off) }
            </p>
            <dl>{ fault_fact(ui, node) }</dl>
            <details class="faults">
                <summary>{ ui.say(Label::FaultsTitle) }</summary>
                { disk_commands(ui, node) }
                { clock_command(ui, node) }
                { link_commands(ui, id) }
            </details>
        </>
    }
}

/// Only brokers go, and only while they are down.
fn removal_button(ui: &Ui, node: &NodeFrame) -> Html {
    let is_broker = match node.id {
        NodeId::Server(id) => cluster::kind_of(id, &ui.snapshot.cast) == ServerKind::Broker,
        NodeId::ZooKeeper | NodeId::Client(_) => false,
    };
    if is_broker && node.process.is_none() {
        command_button(ui, Label::RemoveServer, Command::RemoveServer(node.id), true)
    } else {
        html! {}
    }
}

fn fault_fact(ui: &Ui, node: &NodeFrame) -> Html {
    fact(ui.say(Label::Faults), fault_words(ui, node))
}

/// What is wrong with a node, in words.
pub(super) fn fault_words(ui: &Ui, node: &NodeFrame) -> Html {
    let marks = faults::marks(&node.faults);
    if marks.is_empty() {
        return html! { <span class="soft">{ ui.say(Label::NoneListed) }</span> };
    }
    let words = marks.into_iter().map(|mark| {
        let style = format!("--ink: var({})", mark.ink().property());
        html! { <span class="fault-mark" {style} data-fault={mark.code()}>{ ui.tell(&Message::Fault(mark)) }</span> }
    });
    html! { <>{ for words }</> }
}

fn disk_commands(ui: &Ui, node: &NodeFrame) -> Html {
    let id = node.id;
    let set = move |condition| Command::SetDisk { node: id, condition };
    let slow = move |delay_ms| set(DiskCondition::Slow(Duration::from_ms(delay_ms)));
    let disk = node.faults.disk;
    html! {
        <>
            <NumberField ui={ui.clone()} label={Label::DiskDelay} button={Label::SlowDisk} code="slow-disk" usual={50} least={1}
                most={60_000} command={Callback::from(slow)} />
            <p class="commands">
                { command_button(ui, Label::FullDisk, set(DiskCondition::Full), disk != DiskCondition::Full) }
                { command_button(ui, Label::SoundDisk, set(DiskCondition::Sound), disk != DiskCondition::Sound) }
            </p>
        </>
    }
}

fn clock_command(ui: &Ui, node: &NodeFrame) -> Html {
    const LONGEST_MS: i32 = 86_400_000;
    let id = node.id;
    let command = move |offset_ms| Command::SetClock { node: id, offset_ms };
    html! {
        <NumberField ui={ui.clone()} label={Label::ClockOffset} button={Label::SetClock} code="set-clock" usual={5_000}
            least={-LONGEST_MS} most={LONGEST_MS} command={Callback::from(command)} />
    }
}

fn link_commands(ui: &Ui, id: NodeId) -> Html {
    let change = |change| Command::ChangeLinks { links: Links::Of(id), change };
    let is_bad = ui.frame().links.iter().any(|link| [link.from, link.to].contains(&id));
    html! {
        <>
            <h3>{ ui.say(Label::LinksTitle) }</h3>
            <p class="commands">
                { command_button(ui, Label::CutFromAll, change(LinkChange::Cut), true) }
                { command_button(ui, Label::HealAll, change(LinkChange::Heal), is_bad) }
            </p>
            { super::link_details::links_of(ui, id) }
        </>
    }
}
