//! Which neighbouring segments become one (`Cleaner.groupSegmentsBySize`).

use crate::config::TopicConfig;
use crate::log::segment::LogSegment;
use wire::Offset;

/// Bytes of a segment and of its indexes.
#[derive(Clone, Copy, Debug, Default)]
struct Sizes {
    log: i64,
    offset_index: i64,
    time_index: i64,
}

impl Sizes {
    fn of(segment: &LogSegment) -> Sizes {
        let (offset_index, time_index) = segment.index_sizes_in_bytes();
        Sizes { log: i64::from(segment.size_in_bytes()), offset_index, time_index }
    }

    fn with(self, other: Sizes) -> Sizes {
        Sizes {
            log: self.log + other.log,
            offset_index: self.offset_index + other.offset_index,
            time_index: self.time_index + other.time_index,
        }
    }

    fn fit(self, config: &TopicConfig) -> bool {
        let index_bytes = i64::from(config.segment_index_bytes);
        self.log <= i64::from(config.segment_bytes)
            && self.offset_index <= index_bytes
            && self.time_index <= index_bytes
    }
}

/// Groups of neighbours that fit into one segment together: by bytes, by their indexes, and by how far their offsets
/// reach. The last one may reach up to `first_uncleanable_offset`.
pub(super) fn group_by_size<'a>(
    segments: &[&'a LogSegment],
    config: &TopicConfig,
    first_uncleanable_offset: Offset,
) -> Vec<Vec<&'a LogSegment>> {
    let mut groups: Vec<Vec<&LogSegment>> = Vec::new();
    let mut sizes = Sizes::default();
    for (place, segment) in segments.iter().enumerate() {
        let together = sizes.with(Sizes::of(segment));
        let end = segments.get(place + 1).map_or(first_uncleanable_offset, |next| next.base_offset());
        let reaches_too_far = |group: &Vec<&LogSegment>| end + -1 - group[0].base_offset() > i64::from(i32::MAX);
        match groups.last_mut() {
            Some(group) if together.fit(config) && (segment.is_empty() || !reaches_too_far(group)) => {
                group.push(segment);
                sizes = together;
            }
            Some(_) | None => {
                groups.push(vec![segment]);
                sizes = Sizes::of(segment);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::BrokerConfig;
    use crate::log::segment::SegmentSettings;
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use wire::{LeaderEpoch, Record, RecordBatch, Timestamp};

    fn segment(offsets: &[i64]) -> LogSegment {
        let settings = SegmentSettings { index_interval_bytes: 1, created_at: Timestamp(0), roll_jitter_ms: 0 };
        let record = || Record::new(Some(b"hello"), Some(b"hello"), Timestamp(-1));
        let batch = |offset: &i64| {
            Arc::new(RecordBatch::from_producer(vec![record()]).appended_at(Offset(*offset), LeaderEpoch(0)))
        };
        LogSegment::of_batches(Offset(offsets[0]), settings, offsets.iter().map(batch))
    }

    fn sizes(segments: &[LogSegment], (bytes, index_bytes): (i64, i64), first_uncleanable: i64) -> Vec<usize> {
        let mut config = TopicConfig::resolve(&BTreeMap::new(), &BrokerConfig::default());
        (config.segment_bytes, config.segment_index_bytes) = (bytes as i32, index_bytes as i32);
        let segments: Vec<&LogSegment> = segments.iter().collect();
        let groups = group_by_size(&segments, &config, Offset(first_uncleanable));
        assert!(groups.iter().flatten().map(|segment| segment.base_offset()).is_sorted());
        groups.iter().map(Vec::len).collect()
    }

    const MAX: i64 = i32::MAX as i64;

    /// `LogCleanerTest.testSegmentGrouping`.
    #[test]
    fn neighbours_are_grouped_by_their_bytes_and_those_of_their_indexes() {
        let segments: Vec<LogSegment> = (0..10).map(|number| segment(&[0, 1, 2].map(|at| 3 * number + at))).collect();
        let three = i64::from(3 * segments[0].size_in_bytes());
        let index_of_three = 3 * segments[0].index_sizes_in_bytes().0;
        assert_eq!(sizes(&segments, (MAX, MAX), 30), [10]);
        assert_eq!(sizes(&segments, (1, MAX), 30), [1; 10]);
        assert_eq!(sizes(&segments, (MAX, 1), 30), [1; 10]);
        assert_eq!(sizes(&segments, (three + 1, MAX), 30), [3, 3, 3, 1]);
        assert_eq!(sizes(&segments, (MAX, index_of_three + 1), 30), [3, 3, 3, 1]);
    }

    /// `LogCleanerTest.testSegmentGroupingWithSparseOffsets`.
    #[test]
    fn offsets_of_a_group_lie_within_four_bytes() {
        let mut segments = vec![segment(&[0, 1, 2, 3, 4]), segment(&[5, MAX - 1, MAX])];
        assert_eq!(sizes(&segments, (MAX, MAX), MAX + 1), [2]);
        segments[1] = segment(&[5, MAX - 1, MAX, MAX + 1]);
        assert_eq!(sizes(&segments, (MAX, MAX), MAX + 2), [1, 1]);
        segments.extend([segment(&[MAX + 2, MAX + 3]), segment(&[MAX + 4])]);
        assert_eq!(sizes(&segments, (MAX, MAX), MAX + 5), [1, 3]);
    }
}
