//! What ends the quarantine of what a visit shows (RELIABILITY 6.1).

use crate::account::Profile;
use crate::known::{Familiarity, Release};
use crate::recall::{LevelSeen, Sighting};
use habitus_model::{AccountKind, Context, PromptKind};

/// What ends the quarantine of a visit's network, and of its client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vouchers {
    pub network: Release,
    pub client: Release,
}

impl Vouchers {
    /// What ends the quarantine of what this visit shows: a device known by its key vouches for the network, a known network
    /// for the device, a code for both; a tap on a push for neither (people give in). A client of a known sort vouches for
    /// little: with it the quarantine is the short one. An island, where nothing is known, is what takes long.
    pub(crate) fn of(profile: &Profile, seen: &Sighting, context: &Context) -> Self {
        if profile.behaves_as() == AccountKind::Service {
            return Self {
                network: Release::Soon,
                client: Release::Soon,
            };
        }
        let known = |level: Option<LevelSeen>| {
            level.is_some_and(|level| matches!(level.familiarity, Familiarity::Known { .. }))
        };
        let network = [seen.country, seen.asn, seen.prefix].into_iter().flatten();
        let at_home = known(seen.prefix) && network.map(Some).all(known);
        let prompt = context.conduct.as_ref().and_then(|conduct| conduct.prompt);
        let coded = context.second_factor == Some(true)
            && prompt.is_some_and(|prompt| matches!(prompt.kind, PromptKind::Code | PromptKind::Strong));
        let is_island = !at_home && !known(seen.device.map(|device| device.seen)) && !known(seen.client);
        let otherwise = if profile.kind == AccountKind::Privileged {
            Release::Never
        } else if is_island {
            Release::Days
        } else {
            Release::Soon
        };
        let of = |vouched: bool| if vouched { Release::Vouched } else { otherwise };
        Self {
            network: of(coded || known(seen.client)),
            client: of(coded || at_home),
        }
    }
}
