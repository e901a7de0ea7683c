//! One replica of a partition on one broker, as leader or follower.
