//! Threads for the engine, which starts none itself.

use habitus_engine::{Executor, Shard};

/// One scoped thread for each shard but the first, which the calling thread does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Threads;

impl Executor for Threads {
    fn run(&self, shards: &mut [Shard], work: &(dyn Fn(usize, &mut Shard) + Sync)) {
        let Some((first, rest)) = shards.split_first_mut() else {
            return;
        };
        std::thread::scope(|scope| {
            for (index, shard) in rest.iter_mut().enumerate() {
                scope.spawn(move || work(index + 1, shard));
            }
            work(0, first);
        });
    }
}
