//! Client programs: producers, consumers and `kafka-topics`, with the parts of the Java clients that they rest on.
//!
//! Every program is one state machine that behaves like the loop of a Java client: an input is taken in, then everything
//! that can be done now is done, then one timer is set to the next instant at which there is something to do. Consumer
//! groups, transactions, idempotence, compression, quotas and security are absent.

mod admin;
mod alarm;
mod api_versions;
mod backoff;
mod cluster_client;
mod consumer;
mod metadata;
mod network_client;
mod partitioner;
mod pattern;
mod producer;
#[cfg(test)]
mod testing;
mod zookeeper_shell;

use crate::Rng;
use crate::instant::Instant;
use crate::node::{Effects, Identity, Input, Node};
use crate::spec::{AdminAction, ClientSpec, Program};
use crate::view::{NodeView, OpenSends};
use admin::AdminProgram;
use api_versions::ApiVersionsProgram;
use consumer::Consumer;
use producer::Producer;
use rand::{RngExt, SeedableRng};
use zookeeper_shell::ZooKeeperShell;

/// A client program.
#[derive(Clone, Debug)]
pub struct Client {
    program: ClientProgram,
}

#[derive(Clone, Debug)]
enum ClientProgram {
    Producer(Box<Producer>),
    Consumer(Box<Consumer>),
    Admin(Box<AdminProgram>),
    ApiVersions(Box<ApiVersionsProgram>),
    ZooKeeperShell(Box<ZooKeeperShell>),
}

impl Client {
    /// A process that has not started yet: its first input is `Input::Started`.
    #[must_use]
    pub fn new(spec: ClientSpec, identity: Identity, rng: Rng) -> Client {
        let program = match spec.program.clone() {
            Program::Producer(producer) => {
                ClientProgram::Producer(Box::new(Producer::new(spec, producer, &identity, rng)))
            }
            Program::Consumer(consumer) => {
                ClientProgram::Consumer(Box::new(Consumer::new(spec, consumer, &identity, rng)))
            }
            Program::Topics(action) => {
                ClientProgram::Admin(Box::new(AdminProgram::topics(spec, action, &identity, rng)))
            }
            Program::Admin(AdminAction::ApiVersions) => {
                ClientProgram::ApiVersions(Box::new(ApiVersionsProgram::new(spec, &identity, rng)))
            }
            Program::Admin(AdminAction::ZooKeeper(commands)) => {
                ClientProgram::ZooKeeperShell(Box::new(ZooKeeperShell::new(spec, commands, &identity, rng)))
            }
            Program::Admin(action) => ClientProgram::Admin(Box::new(AdminProgram::tool(spec, action, &identity, rng))),
        };
        Client { program }
    }

    /// What an onlooker may see.
    #[must_use]
    pub fn view(&self) -> NodeView {
        match &self.program {
            ClientProgram::Producer(producer) => NodeView::Producer(producer.view()),
            ClientProgram::Consumer(consumer) => NodeView::Consumer(consumer.view()),
            ClientProgram::Admin(program) => NodeView::Admin(program.view()),
            ClientProgram::ApiVersions(program) => NodeView::Admin(program.view()),
            ClientProgram::ZooKeeperShell(program) => NodeView::Admin(program.view()),
        }
    }

    /// What a producer has sent and heard nothing of, if there is anything.
    #[must_use]
    pub fn open_sends(&self) -> Option<OpenSends> {
        match &self.program {
            ClientProgram::Producer(producer) => producer.open_sends(),
            ClientProgram::Consumer(_)
            | ClientProgram::Admin(_)
            | ClientProgram::ApiVersions(_)
            | ClientProgram::ZooKeeperShell(_) => None,
        }
    }
}

impl Node for Client {
    fn step(&mut self, now: Instant, input: Input, effects: &mut Effects) {
        match &mut self.program {
            ClientProgram::Producer(producer) => producer.step(now, input, effects),
            ClientProgram::Consumer(consumer) => consumer.step(now, input, effects),
            ClientProgram::Admin(program) => program.step(now, input, effects),
            ClientProgram::ApiVersions(program) => program.step(now, input, effects),
            ClientProgram::ZooKeeperShell(program) => program.step(now, input, effects),
        }
    }
}

/// A generator of its own for one part of a program, so that its draws do not shift those of the others.
fn split_rng(rng: &mut Rng) -> Rng {
    Rng::seed_from_u64(rng.random_range(0..=u64::MAX))
}
