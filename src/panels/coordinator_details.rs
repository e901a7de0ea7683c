//! A controller or ZooKeeper in detail: the quorum as it sees it; sessions and the tree of znodes.

use super::commands::server_commands;
use super::node_details::address;
use super::windowed::Windowed;
use super::{Ui, fact};
use crate::store::Selection;
use crate::text::{Label, Message};
use crate::view::{cluster, format, nodes};
use kafka::node::NodeId;
use kafka::view::{ControllerView, ZooKeeperSessionView, ZooKeeperView};
use kafka::zookeeper::Znode;
use sim::frame::NodeFrame;
use wire::Offset;
use wire::zookeeper::{ZnodeData, ZnodePath};
use yew::prelude::*;

pub(super) fn controller_details(ui: &Ui, node: &NodeFrame) -> Html {
    let view = cluster::controller_view(node);
    let (ink, state) = nodes::controller_state(view, ui.store.language);
    html! {
        <section data-testid="controller-details">
            <h2>{ ui.node_name(node.id) }</h2>
            { server_commands(ui, node) }
            <dl>
                { fact(ui.say(Label::State), html! { <span style={format!("color: var({})", ink.property())}>{ state }</span> }) }
                { fact(ui.say(Label::Address), address(node)) }
                if let Some(view) = view { { controller_facts(ui, view) } }
            </dl>
            if let Some(view) = view { { voters_table(ui, view) } }
        </section>
    }
}

pub(super) fn controller_facts(ui: &Ui, view: &ControllerView) -> Html {
    let quorum = &view.quorum;
    let named = |id: Option<i32>| id.map_or_else(|| ui.say(Label::Nobody).to_owned(), |id| id.to_string());
    let snapshot =
        quorum.snapshot_end_offset.map_or_else(|| ui.say(Label::NoneListed).to_owned(), |end| end.to_string());
    html! {
        <>
            { fact(ui.say(Label::QuorumEpoch), view.epoch.to_string()) }
            { fact(ui.say(Label::QuorumLeader), named(quorum.leader)) }
            { fact(ui.say(Label::VotedFor), named(quorum.voted)) }
            { fact(ui.say(Label::LogStartOffset), quorum.log_start_offset.to_string()) }
            { fact(ui.say(Label::HighWatermark), view.high_watermark.to_string()) }
            { fact(ui.say(Label::LogEndOffset), view.log_end_offset.to_string()) }
            { fact(ui.say(Label::SnapshotEnd), snapshot) }
        </>
    }
}

/// Where the voters' logs end is known at the leader only.
pub(super) fn voters_table(ui: &Ui, view: &ControllerView) -> Html {
    let rows = view.quorum.voters.iter().map(|(id, end)| {
        let lag = end.map(|end| (view.log_end_offset - end).max(0));
        let known = |value: Option<String>| value.unwrap_or_else(|| ui.say(Label::Unknown).to_owned());
        html! {
            <tr data-voter={id.to_string()}>
                <th scope="row"><button class="link" onclick={ui.on_select(Selection::Node(NodeId::Server(*id)))}>{ id.to_string() }</button></th>
                <td class="number">{ known(end.as_ref().map(Offset::to_string)) }</td>
                <td class="number">{ known(lag.map(|lag| lag.to_string())) }</td>
            </tr>
        }
    });
    html! {
        <>
            <h3>{ ui.say(Label::Voters) }</h3>
            <div class="scroll"><table>
                <thead><tr>
                    <th scope="col">{ ui.say(Label::Voter) }</th>
                    { for [Label::LogEndOffset, Label::Lag].map(|label| html! { <th scope="col" class="number">{ ui.say(label) }</th> }) }
                </tr></thead>
                <tbody>{ for rows }</tbody>
            </table></div>
        </>
    }
}

pub(super) fn zookeeper_details(ui: &Ui, node: &NodeFrame) -> Html {
    let view = cluster::zookeeper_view(node);
    let controller = view.and_then(cluster::controller_in_zookeeper);
    let controller = controller.map_or_else(|| ui.say(Label::Nobody).to_owned(), |broker| broker.to_string());
    let state = if view.is_some() { Label::Running } else { Label::Down };
    html! {
        <section data-testid="zookeeper-details">
            <h2>{ ui.node_name(node.id) }</h2>
            { server_commands(ui, node) }
            <dl>
                { fact(ui.say(Label::State), ui.say(state)) }
                { fact(ui.say(Label::Address), address(node)) }
                if view.is_some() { { fact(ui.say(Label::ControllerBroker), controller) } }
            </dl>
            if let Some(view) = view {
                <h3>{ ui.say(Label::Sessions) }</h3>
                { sessions_table(ui, view) }
                { znodes(ui, view) }
            }
        </section>
    }
}

fn sessions_table(ui: &Ui, view: &ZooKeeperView) -> Html {
    const ROWS_SHOWN: usize = 50;
    let row = |session: &ZooKeeperSessionView| {
        let client =
            session.client.map_or_else(|| ui.say(Label::NotConnected).to_owned(), |client| ui.node_name(client));
        html! {
            <tr>
                <th scope="row">{ format::session(session.session) }</th>
                <td>{ client }</td>
                <td class="number">{ format!("{} ms", session.timeout_ms) }</td>
                <td class="number">{ format::instant(session.expires_at) }</td>
            </tr>
        }
    };
    let heads = [Label::Session, Label::SessionClient, Label::SessionTimeout, Label::SessionExpiry];
    html! {
        <div class="scroll"><table id="sessions">
            <thead><tr>{ for heads.map(|label| html! { <th scope="col">{ ui.say(label) }</th> }) }</tr></thead>
            <tbody>{ for view.sessions.iter().take(ROWS_SHOWN).map(row) }</tbody>
        </table></div>
    }
}

/// The tree, of which only the visible part is in the document.
fn znodes(ui: &Ui, view: &ZooKeeperView) -> Html {
    let database = view.database.clone();
    let rows = Callback::from(move |places: std::ops::Range<usize>| {
        let znodes = database.znodes().iter().skip(places.start).take(places.len());
        znodes.map(|(path, znode)| znode_row(path, znode)).collect::<Vec<Html>>()
    });
    html! {
        <>
            <h3>{ format!("{}: {}", ui.say(Label::Znodes), view.database.znodes().len()) }</h3>
            <p class="note">{ ui.say(Label::ZnodesNote) }</p>
            <Windowed count={view.database.znodes().len()} row_height={24} label={ui.say(Label::Znodes)} code="znodes" {rows} />
        </>
    }
}

fn znode_row(path: &ZnodePath, znode: &Znode) -> Html {
    let depth = path.0.matches('/').count().saturating_sub(1);
    let name = path.0.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("/");
    let owner = znode.ephemeral_owner.map(|session| format!(" · {}", format::session(session)));
    let text = format!("{}{}", content(&znode.data), owner.unwrap_or_default());
    html! {
        <span class="znode" title={format!("{} · {text}", path.0)} style={format!("padding-inline-start: {}px", depth * 14)}>
            <strong>{ name.to_owned() }</strong><span class="soft">{ text }</span>
        </span>
    }
}

/// What is in a znode, as short as a row needs it.
fn content(data: &ZnodeData) -> String {
    match data {
        ZnodeData::Empty => String::new(),
        ZnodeData::Controller { broker_id, .. } => format!("brokerid {broker_id}"),
        ZnodeData::ControllerEpoch(epoch) => epoch.to_string(),
        ZnodeData::Broker { endpoint, .. } => endpoint.to_string(),
        ZnodeData::Topic { partitions, .. } => {
            let replicas =
                partitions.iter().map(|(index, replicas)| format!("{index}: [{}]", format::broker_ids(replicas)));
            replicas.collect::<Vec<String>>().join(", ")
        }
        ZnodeData::PartitionState(state) => partition_state(state),
        ZnodeData::Config(properties) => {
            let properties = properties.iter().map(|(name, value)| format!("{name}={value}"));
            properties.collect::<Vec<String>>().join(", ")
        }
        ZnodeData::ConfigChange { entity_path } => entity_path.clone(),
        ZnodeData::PreferredReplicaElection(partitions) => {
            let partitions = partitions.iter().map(|(topic, index)| format!("{topic}-{index}"));
            partitions.collect::<Vec<String>>().join(", ")
        }
        ZnodeData::Reassignment(partitions) => {
            let partitions = partitions
                .iter()
                .map(|(partition, replicas)| format!("{partition}: [{}]", format::broker_ids(replicas)));
            partitions.collect::<Vec<String>>().join(", ")
        }
        ZnodeData::ClusterId(id) => id.clone(),
        ZnodeData::ProducerIdBlock { broker_id, block_start, block_end } => {
            format!("broker {broker_id}: {block_start}–{block_end}")
        }
        ZnodeData::Feature => "feature".to_owned(),
    }
}

fn partition_state(state: &wire::zookeeper::PartitionStateData) -> String {
    let leader = state.leader.map_or_else(|| "-1".to_owned(), |leader| leader.to_string());
    format!("leader {leader}, leader_epoch {}, isr [{}]", state.leader_epoch, format::broker_ids(&state.isr))
}

/// How far a broker's metadata is behind the active controller's, if there is one.
pub(super) fn metadata_lag(ui: &Ui, offset: Offset) -> Option<String> {
    let mut controllers = ui.frame().nodes.iter().filter_map(cluster::controller_view);
    let active = controllers.find(|view| view.is_active)?;
    Some(ui.tell(&Message::Behind { count: (active.high_watermark - offset - 1).max(0) }))
}
