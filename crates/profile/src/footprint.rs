//! Where the bytes of a profile are: what a machine with so much memory can hold, and what to make smaller first.
//!
//! Counts what was asked of the allocator; what it rounds up to comes on top.

use crate::Profile;
use crate::memory::Memory;
use crate::version::Version;
use std::mem::size_of;

/// A part of a profile, in words, and the bytes it takes.
pub type Part = (&'static str, usize);

impl Profile {
    /// Number of parts.
    pub const PARTS: usize = 9;

    /// Bytes of each part, heap included, always in the same order. Cost: a few additions.
    #[must_use]
    pub fn bytes_by_part(&self) -> [Part; Self::PARTS] {
        let networks = [&self.countries, &self.asns, &self.prefixes, &self.hosts];
        let clients = [&self.families, &self.clients];
        let versions = self.versions.capacity() * size_of::<Version>();
        let memory = self.memory.as_deref();
        let [sessions, edges, machine, volumes] = memory.map_or([0; 4], Memory::heap_bytes_by_part);
        [
            ("the profile itself", size_of::<Self>()),
            (
                "networks: countries, systems, prefixes, addresses",
                networks.iter().map(|set| set.heap_bytes()).sum(),
            ),
            (
                "clients: families, keys, versions",
                clients.iter().map(|set| set.heap_bytes()).sum::<usize>() + versions,
            ),
            (
                "positions and strangers",
                self.positions.heap_bytes()
                    + self
                        .strangers
                        .as_deref()
                        .map_or(0, |held| size_of_val(held) + held.heap_bytes()),
            ),
            (
                "memory of sessions, proofs and deeds",
                memory.map_or(0, size_of_val),
            ),
            ("sessions", sessions),
            ("what is used", edges),
            ("machine", machine),
            ("volumes", volumes),
        ]
    }

    /// Bytes this profile takes, heap included. Cost: a few additions.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes_by_part().iter().map(|(_, bytes)| bytes).sum()
    }
}
