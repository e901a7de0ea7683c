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
