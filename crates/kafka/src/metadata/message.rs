//! The records of the metadata log as messages of Kafka's protocol: names, versions and fields in the order of their
//! schemas (KIP-631), from which both their bytes and the JSON of tools follow. `metadata.version` is that of the release.

use crate::release::RELEASE;
use crate::storage::directory_id;
use wire::request::ConfigResource;
use wire::{
    BatchBody, BrokerId, Endpoint, LeaderRecoveryState, MetadataRecord, PartitionChangeRecord, PartitionRecord, Record,
    RecordBatch, Timestamp, varint,
};

/// Version of the frame around each record.
const FRAME_VERSION: u64 = 1;

/// A metadata record as a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataMessage {
    /// `apiKey` of the schema.
    pub api_key: u8,
    /// The constant of `MetadataRecordType`.
    pub name: &'static str,
    /// The version in which it is written.
    pub version: u8,
    /// The fields, in the order of the schema; tagged ones only where they are not the default.
    pub fields: Vec<Field>,
}

/// A field of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in JSON.
    pub name: &'static str,
    /// Its tag, if it has one: then it stands behind all others (KIP-482).
    pub tag: Option<u8>,
    /// Its value.
    pub value: FieldValue,
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// `bool`.
    Boolean(bool),
    /// `int8`, `int16`, `uint16`, `int32` or `int64`, by its bytes.
    Integer(i64, u8),
    /// `uuid`.
    Uuid(u128),
    /// `string`, perhaps null.
    Text(Option<String>),
    /// An array.
    Array(Vec<FieldValue>),
    /// A structure.
    Struct(Vec<Field>),
}

/// A batch of metadata records with the size that Kafka's have. `records` must not be empty.
#[must_use]
pub fn metadata_batch(records: Vec<MetadataRecord>, timestamp: Timestamp) -> RecordBatch {
    let sizes = records.iter().map(|record| MetadataMessage::of(record).bytes().len() as i32).collect();
    RecordBatch::of_metadata(records, sizes, timestamp)
}

/// The records of any batch of the metadata log, as they are written.
#[must_use]
pub fn written_records(batch: &RecordBatch) -> Vec<Record> {
    match &batch.body {
        BatchBody::Metadata(records) => (0..)
            .zip(records.iter())
            .map(|(offset_delta, record)| {
                let value = MetadataMessage::of(record).bytes();
                Record { offset_delta, ..Record::new(None, Some(&value), batch.max_timestamp) }
            })
            .collect(),
        BatchBody::Records(_)
        | BatchBody::EndTransaction(_)
        | BatchBody::EmptyControl
        | BatchBody::LeaderChange(_)
        | BatchBody::SnapshotHeader { .. }
        | BatchBody::SnapshotFooter => batch.control_record().map_or_else(|| batch.records().to_vec(), |one| vec![one]),
    }
}

impl MetadataMessage {
    /// The message that says what `record` says.
    #[must_use]
    pub fn of(record: &MetadataRecord) -> MetadataMessage {
        match record {
            MetadataRecord::FeatureLevel { name, level } => {
                message(12, "FEATURE_LEVEL_RECORD", vec![text("name", name), int16("featureLevel", *level)])
            }
            MetadataRecord::RegisterBroker { broker_id, incarnation_id, broker_epoch, endpoint, rack } => {
                let fields = vec![
                    int32("brokerId", broker_id.0),
                    boolean("isMigratingZkBroker", false),
                    field("incarnationId", FieldValue::Uuid(incarnation_id.0)),
                    int64("brokerEpoch", broker_epoch.0),
                    field("endPoints", FieldValue::Array(vec![listener("PLAINTEXT", endpoint)])),
                    field("features", supported_features()),
                    field("rack", FieldValue::Text(rack.clone())),
                    boolean("fenced", true),
                    boolean("inControlledShutdown", false),
                    tagged(0, field("logDirs", directories(&[*broker_id]))),
                ];
                MetadataMessage { version: 3, ..message(0, "REGISTER_BROKER_RECORD", fields) }
            }
            MetadataRecord::BrokerRegistrationChange { broker_id, broker_epoch, fenced, in_controlled_shutdown } => {
                let mut fields = vec![int32("brokerId", broker_id.0), int64("brokerEpoch", broker_epoch.0)];
                fields.extend(fenced.map(|fenced| tagged(0, int8("fenced", if fenced { 1 } else { -1 }))));
                let is_leaving = *in_controlled_shutdown == Some(true);
                fields.extend(is_leaving.then(|| tagged(1, int8("inControlledShutdown", 1))));
                let version = u8::from(is_leaving);
                MetadataMessage { version, ..message(17, "BROKER_REGISTRATION_CHANGE_RECORD", fields) }
            }
            MetadataRecord::UnregisterBroker { broker_id, broker_epoch } => {
                let fields = vec![int32("brokerId", broker_id.0), int64("brokerEpoch", broker_epoch.0)];
                message(1, "UNREGISTER_BROKER_RECORD", fields)
            }
            MetadataRecord::Topic { name, topic_id } => {
                let fields = vec![text("name", name.as_str()), field("topicId", FieldValue::Uuid(topic_id.0))];
                message(2, "TOPIC_RECORD", fields)
            }
            MetadataRecord::RemoveTopic { topic_id } => {
                message(9, "REMOVE_TOPIC_RECORD", vec![field("topicId", FieldValue::Uuid(topic_id.0))])
            }
            MetadataRecord::Config { resource, key, value } => {
                let mut fields = configured(resource);
                fields.extend([text("name", key), field("value", FieldValue::Text(value.clone()))]);
                message(4, "CONFIG_RECORD", fields)
            }
            MetadataRecord::Partition(partition) => partition_message(partition),
            MetadataRecord::PartitionChange(change) => partition_change_message(change),
            MetadataRecord::ProducerIds { broker_id, broker_epoch, next_producer_id } => {
                let fields = vec![
                    int32("brokerId", broker_id.0),
                    int64("brokerEpoch", broker_epoch.0),
                    int64("nextProducerId", *next_producer_id),
                ];
                message(15, "PRODUCER_IDS_RECORD", fields)
            }
            MetadataRecord::NoOp => message(20, "NO_OP_RECORD", Vec::new()),
            MetadataRecord::RegisterController { controller_id, incarnation_id, endpoint } => {
                let fields = vec![
                    int32("controllerId", *controller_id),
                    field("incarnationId", FieldValue::Uuid(incarnation_id.0)),
                    boolean("zkMigrationReady", false),
                    field("endPoints", FieldValue::Array(vec![listener("CONTROLLER", endpoint)])),
                    field("features", supported_features()),
                ];
                message(27, "REGISTER_CONTROLLER_RECORD", fields)
            }
            MetadataRecord::ZkMigrationStateNone => {
                message(21, "ZK_MIGRATION_STATE_RECORD", vec![int8("zkMigrationState", 0)])
            }
            MetadataRecord::BeginTransaction => {
                message(23, "BEGIN_TRANSACTION_RECORD", vec![tagged(0, text("name", "Bootstrap records"))])
            }
            MetadataRecord::EndTransaction => message(24, "END_TRANSACTION_RECORD", Vec::new()),
        }
    }

    /// The record's value: the frame around it, and the message.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in [FRAME_VERSION, self.api_key.into(), self.version.into()] {
            varint::write_unsigned(number, &mut bytes);
        }
        write_fields(&self.fields, &mut bytes);
        bytes
    }
}

fn message(api_key: u8, name: &'static str, fields: Vec<Field>) -> MetadataMessage {
    MetadataMessage { api_key, name, version: 0, fields }
}

/// Version 1 came with log directories (KIP-858), version 2 with eligible leader replicas (KIP-966).
fn partition_message(partition: &PartitionRecord) -> MetadataMessage {
    let has_elr = !partition.eligible_leader_replicas.is_empty() || !partition.last_known_elr.is_empty();
    let is_recovering = partition.leader_recovery_state == LeaderRecoveryState::Recovering;
    let mut fields = vec![
        int32("partitionId", partition.partition.0),
        field("topicId", FieldValue::Uuid(partition.topic_id.0)),
        field("replicas", brokers(&partition.replicas)),
        field("isr", brokers(&partition.isr)),
        field("removingReplicas", brokers(&partition.removing_replicas)),
        field("addingReplicas", brokers(&partition.adding_replicas)),
        int32("leader", partition.leader.map_or(-1, |leader| leader.0)),
    ];
    fields.extend(is_recovering.then(|| tagged(0, int8("leaderRecoveryState", 1))));
    fields.extend([
        int32("leaderEpoch", partition.leader_epoch.0),
        int32("partitionEpoch", partition.partition_epoch.0),
        field("directories", directories(&partition.replicas)),
    ]);
    if has_elr {
        let (eligible, last_known) = (&partition.eligible_leader_replicas, &partition.last_known_elr);
        fields.push(tagged(1, field("eligibleLeaderReplicas", brokers(eligible))));
        fields.push(tagged(2, field("lastKnownElr", brokers(last_known))));
    }
    MetadataMessage { version: if has_elr { 2 } else { 1 }, ..message(3, "PARTITION_RECORD", fields) }
}

fn partition_change_message(change: &PartitionChangeRecord) -> MetadataMessage {
    let list =
        |tag, name, list: &Option<Vec<BrokerId>>| list.as_ref().map(|list| tagged(tag, field(name, brokers(list))));
    let recovery = change.leader_recovery_state.map(|state| i8::from(state == LeaderRecoveryState::Recovering));
    let eligible = list(6, "eligibleLeaderReplicas", &change.eligible_leader_replicas);
    let last_known = list(7, "lastKnownElr", &change.last_known_elr);
    let version = if eligible.is_some() || last_known.is_some() { 2 } else { 1 };
    let tagged_fields = [
        list(0, "isr", &change.isr),
        change.leader.map(|leader| tagged(1, int32("leader", leader.map_or(-1, |leader| leader.0)))),
        list(2, "replicas", &change.replicas),
        list(3, "removingReplicas", &change.removing_replicas),
        list(4, "addingReplicas", &change.adding_replicas),
        recovery.map(|state| tagged(5, int8("leaderRecoveryState", state))),
        change.replicas.as_ref().map(|replicas| tagged(8, field("directories", directories(replicas)))),
        eligible,
        last_known,
    ];
    let mut fields =
        vec![int32("partitionId", change.partition.0), field("topicId", FieldValue::Uuid(change.topic_id.0))];
    fields.extend(tagged_fields.into_iter().flatten());
    MetadataMessage { version, ..message(5, "PARTITION_CHANGE_RECORD", fields) }
}

fn configured(resource: &ConfigResource) -> Vec<Field> {
    let (kind, name) = match resource {
        ConfigResource::Topic(topic) => (2, topic.to_string()),
        ConfigResource::Broker(broker) => (4, broker.map_or_else(String::new, |broker| broker.to_string())),
    };
    vec![int8("resourceType", kind), text("resourceName", &name)]
}

fn listener(name: &str, endpoint: &Endpoint) -> FieldValue {
    FieldValue::Struct(vec![
        text("name", name),
        text("host", &endpoint.host),
        field("port", FieldValue::Integer(endpoint.port.into(), 2)),
        int16("securityProtocol", 0),
    ])
}

fn supported_features() -> FieldValue {
    let features = RELEASE.supported_features.iter().map(|feature| {
        FieldValue::Struct(vec![
            text("name", feature.name),
            int16("minSupportedVersion", feature.min_version),
            int16("maxSupportedVersion", feature.max_version),
        ])
    });
    FieldValue::Array(features.collect())
}

fn brokers(brokers: &[BrokerId]) -> FieldValue {
    FieldValue::Array(brokers.iter().map(|broker| FieldValue::Integer(broker.0.into(), 4)).collect())
}

/// Every broker has one log directory.
fn directories(brokers: &[BrokerId]) -> FieldValue {
    FieldValue::Array(brokers.iter().map(|broker| FieldValue::Uuid(directory_id(broker.0).0)).collect())
}

fn field(name: &'static str, value: FieldValue) -> Field {
    Field { name, tag: None, value }
}

fn tagged(tag: u8, field: Field) -> Field {
    Field { tag: Some(tag), ..field }
}

fn text(name: &'static str, value: &str) -> Field {
    field(name, FieldValue::Text(Some(value.to_owned())))
}

fn boolean(name: &'static str, value: bool) -> Field {
    field(name, FieldValue::Boolean(value))
}

fn int8(name: &'static str, value: i8) -> Field {
    field(name, FieldValue::Integer(value.into(), 1))
}

fn int16(name: &'static str, value: i16) -> Field {
    field(name, FieldValue::Integer(value.into(), 2))
}

fn int32(name: &'static str, value: i32) -> Field {
    field(name, FieldValue::Integer(value.into(), 4))
}

fn int64(name: &'static str, value: i64) -> Field {
    field(name, FieldValue::Integer(value, 8))
}

/// Untagged fields in their order, then tagged ones in the order of their tags.
fn write_fields(fields: &[Field], bytes: &mut Vec<u8>) {
    fields.iter().filter(|field| field.tag.is_none()).for_each(|field| write_value(&field.value, bytes));
    let mut tagged: Vec<(u8, &FieldValue)> =
        fields.iter().filter_map(|field| Some((field.tag?, &field.value))).collect();
    tagged.sort_by_key(|(tag, _)| *tag);
    varint::write_unsigned(tagged.len() as u64, bytes);
    for (tag, value) in tagged {
        let mut content = Vec::new();
        write_value(value, &mut content);
        varint::write_unsigned(tag.into(), bytes);
        varint::write_unsigned(content.len() as u64, bytes);
        bytes.append(&mut content);
    }
}

fn write_value(value: &FieldValue, bytes: &mut Vec<u8>) {
    match value {
        FieldValue::Boolean(value) => bytes.push((*value).into()),
        FieldValue::Integer(value, size) => bytes.extend_from_slice(&value.to_be_bytes()[8 - usize::from(*size)..]),
        FieldValue::Uuid(uuid) => bytes.extend_from_slice(&uuid.to_be_bytes()),
        FieldValue::Text(None) => varint::write_unsigned(0, bytes),
        FieldValue::Text(Some(text)) => {
            varint::write_unsigned(text.len() as u64 + 1, bytes);
            bytes.extend_from_slice(text.as_bytes());
        }
        FieldValue::Array(elements) => {
            varint::write_unsigned(elements.len() as u64 + 1, bytes);
            elements.iter().for_each(|element| write_value(element, bytes));
        }
        FieldValue::Struct(fields) => write_fields(fields, bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{BrokerEpoch, IncarnationId, TopicId, TopicName};

    /// The sizes of values that `kafka-dump-log` of 3.9 prints.
    #[test]
    fn records_have_the_sizes_of_real_ones() {
        let (broker_id, broker_epoch) = (BrokerId(3), BrokerEpoch(12));
        let register = MetadataRecord::RegisterBroker {
            broker_id,
            broker_epoch,
            incarnation_id: IncarnationId(1),
            endpoint: Endpoint::new("localhost", 9094),
            rack: None,
        };
        let unfence = MetadataRecord::BrokerRegistrationChange {
            broker_id,
            broker_epoch,
            fenced: Some(false),
            in_controlled_shutdown: None,
        };
        let feature = MetadataRecord::FeatureLevel { name: "metadata.version", level: 21 };
        let controller = MetadataRecord::RegisterController {
            controller_id: 1,
            incarnation_id: IncarnationId(1),
            endpoint: Endpoint::new("localhost", 9099),
        };
        let sizes = [
            (&register, 123),
            (&unfence, 19),
            (&feature, 23),
            (&MetadataRecord::NoOp, 4),
            (&MetadataRecord::BeginTransaction, 24),
            (&MetadataRecord::ZkMigrationStateNone, 5),
            (&MetadataRecord::EndTransaction, 4),
            (&controller, 94),
        ];
        for (record, size) in sizes {
            assert_eq!(MetadataMessage::of(record).bytes().len(), size, "{record:?}");
        }
        let batches =
            [(vec![MetadataRecord::NoOp], 72), (vec![unfence], 87), (vec![MetadataRecord::NoOp, register], 204)];
        for (records, size) in batches {
            assert_eq!(metadata_batch(records, Timestamp(7)).size_in_bytes(), size);
        }
        assert_eq!(RecordBatch::of_leader_change(1, vec![1], vec![1], Timestamp(7)).size_in_bytes(), 91);
    }

    #[test]
    fn tagged_fields_stand_behind_the_others_in_the_order_of_their_tags() {
        let change = PartitionChangeRecord {
            leader: Some(None),
            replicas: Some(vec![BrokerId(1)]),
            eligible_leader_replicas: Some(vec![BrokerId(2)]),
            ..PartitionChangeRecord::of(TopicId(1), wire::PartitionIndex(0))
        };
        let bytes = MetadataMessage::of(&MetadataRecord::PartitionChange(change)).bytes();
        let (front, tagged) = bytes.split_at(3 + 4 + 16);
        assert_eq!(front[..3], [1, 5, 2]);
        assert_eq!(tagged[..17], [4, 1, 4, 255, 255, 255, 255, 2, 5, 2, 0, 0, 0, 1, 6, 5, 2]);
        assert_eq!(tagged[17..24], [0, 0, 0, 2, 8, 17, 2]);
        let topic = MetadataRecord::Topic { name: TopicName::new("t"), topic_id: TopicId(1) };
        assert_eq!(MetadataMessage::of(&topic).bytes()[..5], [1, 2, 0, 2, b't']);
    }
}
