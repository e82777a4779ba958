//! How the work of shards is carried out: the engine is pure, so threads come from outside.

use crate::stage::Shard;

/// Runs one piece of work per shard. The result must not depend on the order or on threads; the engine sees to that.
pub trait Executor {
    /// Calls `work` once for every shard, in any order, on any threads, and returns when all are done.
    fn run(&self, shards: &mut [Shard], work: &(dyn Fn(usize, &mut Shard) + Sync));
}

/// One shard after the other on the calling thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sequential;

impl Executor for Sequential {
    fn run(&self, shards: &mut [Shard], work: &(dyn Fn(usize, &mut Shard) + Sync)) {
        for (index, shard) in shards.iter_mut().enumerate() {
            work(index, shard);
        }
    }
}
