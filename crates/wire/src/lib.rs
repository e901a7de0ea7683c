//! What Kafka nodes say to each other: identifiers, error codes, record batches, requests and responses.
//!
//! No behaviour lives here. A broker and a controller know each other through these types only, which is
//! what keeps one from peeking into the other. The names are those of Kafka's protocol guide.

#![warn(clippy::float_arithmetic)]

pub mod codec;
mod crc32c;
pub mod error_code;
mod fetch_session;
pub mod ids;
pub mod metadata_record;
pub mod record;
pub mod request;
pub mod response;
mod shared_record;
pub mod varint;
pub mod zookeeper;

pub use error_code::ErrorCode;
pub use fetch_session::FetchMetadata;
pub use ids::{
    BrokerEpoch, BrokerId, DirectoryId, Endpoint, IncarnationId, LeaderEpoch, Offset, OffsetAndEpoch, PartitionEpoch,
    PartitionIndex, ProducerEpoch, ProducerId, Timestamp, TopicId, TopicName, TopicPartition,
};
pub use metadata_record::{LeaderRecoveryState, MetadataRecord, PartitionChangeRecord, PartitionRecord};
pub use record::{
    BatchBody, Bytes, Compression, ControlRecordType, EndTransactionMarker, Header, ProducerStamp, Record, RecordBatch,
    TimestampType, TransactionResult,
};
pub use request::Request;
pub use response::Response;
pub use shared_record::SharedRecord;
