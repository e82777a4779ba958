//! Where the bytes of an engine are.

use crate::accounts::Held;
use crate::engine::Engine;
use habitus_profile::Profile;
use habitus_profile::footprint::Part;
use std::mem::size_of;

impl Engine {
    /// Bytes of all accounts by part, heap included, always in the same order: index, slots, then the parts of profiles.
    /// What tenants, networks and campaigns take is not among them: it has limits of its own. Cost: linear in the accounts.
    #[must_use]
    pub fn account_bytes_by_part(&self) -> Vec<Part> {
        let mut index = 0;
        let mut slots = 0;
        let mut parts: Vec<Part> = Vec::with_capacity(Profile::PARTS);
        for shard in &self.shards {
            index += shard.accounts.index_bytes();
            for held in shard.accounts.all() {
                slots += size_of::<Held>() - size_of::<Profile>();
                let of_it = held.profile.bytes_by_part();
                if parts.is_empty() {
                    parts.extend(of_it);
                } else {
                    for ((_, sum), (_, bytes)) in parts.iter_mut().zip(of_it) {
                        *sum += bytes;
                    }
                }
            }
        }
        let mut all = vec![("index of accounts", index), ("slots of accounts", slots)];
        all.extend(parts);
        all
    }
}
