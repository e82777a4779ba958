//! The durable log, snapshots, outbox and audit chain.
