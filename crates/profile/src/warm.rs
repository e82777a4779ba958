//! Bringing profiles into the processor's cache before their turn.

use crate::account::Profile;

impl Profile {
    /// Reads a little of each part, so that all of it is on its way into the processor's cache when it is wanted; gives
    /// what was read, for the compiler not to leave the reading out.
    #[must_use]
    pub fn touch(&self) -> u64 {
        let sets = [
            &self.countries,
            &self.asns,
            &self.prefixes,
            &self.hosts,
            &self.families,
            &self.clients,
        ];
        let sets = sets.iter().fold(0, |read, set| read ^ set.touch());
        let version = self.versions.first().map_or(0, |version| version.family);
        let position = self
            .positions
            .all()
            .first()
            .and_then(|position| position.family)
            .unwrap_or(0);
        sets ^ version ^ position
    }
}
