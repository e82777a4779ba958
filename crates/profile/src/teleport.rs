//! In which cells jumps between places are counted: who moved, the person or the egress.

use serde::{Deserialize, Serialize};

/// How surely two events came from one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SameClient {
    /// Its key is the same: the egress moved, not the person.
    Key,
    /// Its family is the same, as many people's is.
    Family,
    /// Neither.
    No,
}

/// Cells in which jumps between places are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeleportCell {
    /// The client at both ends.
    pub client: SameClient,
    /// One of the networks is mobile, hosting or a relay, whose place proves little.
    pub loose: bool,
    /// The country is new to the account.
    pub abroad: bool,
}

impl TeleportCell {
    /// Number of cells.
    pub const COUNT: usize = 12;

    /// Position in tables.
    #[must_use]
    pub fn index(self) -> usize {
        let client = match self.client {
            SameClient::Key => 0,
            SameClient::Family => 1,
            SameClient::No => 2,
        };
        client + 3 * usize::from(self.loose) + 6 * usize::from(self.abroad)
    }

    /// Prior probability of a jump. Assumed: VPN toggles on one device are common, jumps between two devices on fixed
    /// lines are not, and who shows up in a new country has often toggled rather than travelled.
    #[must_use]
    pub fn prior(self) -> f64 {
        let at_home = match (self.client, self.loose) {
            (SameClient::Key, true) => 0.05,
            (SameClient::Family, true) => 0.02,
            (SameClient::Key, false) | (SameClient::No, true) => 0.01,
            (SameClient::Family, false) => 0.005,
            (SameClient::No, false) => 0.002,
        };
        if self.abroad {
            f64::max(5.0 * at_home, 0.05)
        } else {
            at_home
        }
    }
}
