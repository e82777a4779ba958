//! Where the bytes of an engine are.

use crate::accounts::Open;
use crate::engine::Engine;
use habitus_model::{AccountKind, Minutes};
use habitus_profile::Profile;
use habitus_profile::footprint::Part;
use std::mem::size_of;

impl Engine {
    /// Bytes of all accounts by part, heap included, always in the same order: index, slots, what is packed, then the parts of
    /// the profiles at hand.
    /// What tenants, networks and campaigns take is not among them: it has limits of its own. Cost: linear in the accounts.
    #[must_use]
    pub fn account_bytes_by_part(&self) -> Vec<Part> {
        let mut index = 0;
        let mut slots = 0;
        let mut packed = 0;
        // In the order and with the names of any profile's parts.
        let mut parts = Profile::new(AccountKind::Unknown, Minutes(0))
            .bytes_by_part()
            .map(|(name, _)| (name, 0));
        for shard in &self.shards {
            index += shard.accounts.index_bytes();
            slots += shard.accounts.slot_bytes();
            for held in shard.accounts.all() {
                packed += held.packed_bytes();
                let Some(open) = held.as_open() else { continue };
                slots += size_of::<Open>() - size_of::<Profile>();
                for ((_, sum), (_, bytes)) in parts.iter_mut().zip(open.profile.bytes_by_part()) {
                    *sum += bytes;
                }
            }
        }
        let mut all: Vec<Part> = vec![
            ("index of accounts", index),
            ("slots of accounts", slots),
            ("packed accounts", packed),
        ];
        all.extend(parts);
        all
    }
}
