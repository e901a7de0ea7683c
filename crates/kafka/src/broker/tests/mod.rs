//! Behaviours of a whole broker.
