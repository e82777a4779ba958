//! One account: at hand, or packed until it comes again.

use habitus_model::AccountId;
use habitus_model::packed::{PackError, Packer, Unpacker};
use habitus_profile::Profile;
use std::borrow::Cow;

/// An account's place in the log's world: tenant by index, account by id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// Index of the tenant.
    pub tenant: u32,
    /// Account.
    pub account: AccountId,
}

/// An account at hand.
#[derive(Debug, Clone)]
pub struct Open {
    /// Whose.
    pub slot: Slot,
    /// Start of the epoch in which it was first held: until that ends, the network stage does not know the account.
    pub since: u64,
    /// What is remembered.
    pub profile: Profile,
    /// Its seat among those at hand, if these are limited.
    pub(super) seat: u32,
}

/// One account.
#[derive(Debug, Clone)]
pub struct Held {
    /// Fingerprint of tenant and account.
    pub fingerprint: u64,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    Open(Box<Open>),
    /// What names it, then the packed profile.
    Packed(Box<[u8]>),
}

/// What tells an account from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Label<'h> {
    /// Index of the tenant.
    pub tenant: u32,
    /// Account.
    pub account: &'h str,
    /// See [`Open::since`].
    pub since: u64,
}

impl Open {
    /// An account that comes for the first time.
    pub fn new(slot: Slot, since: u64, profile: Profile) -> Self {
        Self {
            slot,
            since,
            profile,
            seat: u32::MAX,
        }
    }

    fn label(&self) -> Label<'_> {
        Label {
            tenant: self.slot.tenant,
            account: self.slot.account.as_str(),
            since: self.since,
        }
    }
}

impl Held {
    /// An account at hand.
    pub fn open(fingerprint: u64, open: Open) -> Self {
        Self {
            fingerprint,
            body: Body::Open(Box::new(open)),
        }
    }

    /// An account whose profile is packed already.
    pub fn packed(fingerprint: u64, label: &Label<'_>, profile: &[u8]) -> Self {
        Self {
            fingerprint,
            body: Body::Packed(together(label, profile)),
        }
    }

    /// What names it. Absent for bytes that are no account, which nobody packs.
    pub fn label(&self) -> Option<Label<'_>> {
        match &self.body {
            Body::Open(open) => Some(open.label()),
            Body::Packed(bytes) => Some(apart(bytes)?.0),
        }
    }

    /// The account, if it is at hand.
    pub fn as_open(&self) -> Option<&Open> {
        match &self.body {
            Body::Open(open) => Some(open),
            Body::Packed(_) => None,
        }
    }

    /// The account, if it is at hand, to be changed.
    pub fn as_open_mut(&mut self) -> Option<&mut Open> {
        match &mut self.body {
            Body::Open(open) => Some(open),
            Body::Packed(_) => None,
        }
    }

    /// The profile: the one at hand, or one unpacked for the purpose.
    pub fn profile(&self) -> Option<Cow<'_, Profile>> {
        match &self.body {
            Body::Open(open) => Some(Cow::Borrowed(&open.profile)),
            Body::Packed(bytes) => {
                let (_, profile) = apart(bytes)?;
                Unpacker::default().unpack(profile).ok().map(Cow::Owned)
            }
        }
    }

    /// The profile as it is packed.
    ///
    /// # Errors
    /// What packing gives, which no profile makes it give.
    pub fn packed_profile<'h>(&'h self, packer: &mut Packer) -> Result<Cow<'h, [u8]>, PackError> {
        match &self.body {
            Body::Open(open) => Ok(Cow::Owned(packer.pack(&open.profile)?.to_vec())),
            Body::Packed(bytes) => {
                let damaged = || PackError::Damaged("no account".to_owned());
                Ok(Cow::Borrowed(apart(bytes).ok_or_else(damaged)?.1))
            }
        }
    }

    /// Takes the account to hand. Cost: linear in its profile, if it was packed.
    pub(super) fn unpack(&mut self, unpacker: &mut Unpacker) {
        let Body::Packed(bytes) = &self.body else {
            return;
        };
        // INVARIANT: what is packed here was a profile, and snapshots are looked through as they are read.
        let opened = apart(bytes).and_then(|(label, profile)| {
            let slot = Slot {
                tenant: label.tenant,
                account: AccountId::new(label.account),
            };
            Some(Open::new(slot, label.since, unpacker.unpack(profile).ok()?))
        });
        if let Some(open) = opened {
            self.body = Body::Open(Box::new(open));
        }
    }

    /// Packs it, if it is at hand. Cost: linear in its profile.
    pub(super) fn pack(&mut self, packer: &mut Packer) {
        if let Body::Open(open) = &self.body
            && let Ok(profile) = packer.pack(&open.profile)
        {
            self.body = Body::Packed(together(&open.label(), profile));
        }
    }

    /// Reads a little of each part, so that all of it is on its way into the processor's cache when it is wanted; gives
    /// what was read.
    pub fn touch(&self) -> u64 {
        /// Bytes that come into the cache at once.
        const LINE: usize = 64;
        match &self.body {
            Body::Open(open) => open.profile.touch(),
            Body::Packed(bytes) => bytes.iter().step_by(LINE).map(|byte| u64::from(*byte)).sum(),
        }
    }

    /// Bytes on the heap, if it is packed.
    pub fn packed_bytes(&self) -> usize {
        match &self.body {
            Body::Open(_) => 0,
            Body::Packed(bytes) => bytes.len(),
        }
    }
}

fn together(label: &Label<'_>, profile: &[u8]) -> Box<[u8]> {
    let name = label.account.as_bytes();
    // Three numbers take up to ten bytes each.
    let mut bytes = Vec::with_capacity(30 + name.len() + profile.len());
    write_number(label.tenant.into(), &mut bytes);
    write_number(label.since, &mut bytes);
    write_number(u64::try_from(name.len()).unwrap_or(u64::MAX), &mut bytes);
    bytes.extend_from_slice(name);
    bytes.extend_from_slice(profile);
    bytes.into_boxed_slice()
}

/// What names an account, and its packed profile.
fn apart(bytes: &[u8]) -> Option<(Label<'_>, &[u8])> {
    let (tenant, rest) = read_number(bytes)?;
    let (since, rest) = read_number(rest)?;
    let (length, rest) = read_number(rest)?;
    let (name, profile) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    let label = Label {
        tenant: u32::try_from(tenant).ok()?,
        account: std::str::from_utf8(name).ok()?,
        since,
    };
    Some((label, profile))
}

/// Seven bits a byte, the least first (LEB128, as in DWARF).
fn write_number(mut number: u64, bytes: &mut Vec<u8>) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            return bytes.push(low);
        }
        bytes.push(low | 0x80);
    }
}

fn read_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (at, byte) in bytes.iter().enumerate().take(10) {
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((number, bytes.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_model::{AccountKind, Minutes};

    #[test]
    fn what_names_an_account_is_read_from_its_bytes() {
        for since in [0, 127, 128, 4_096, u64::MAX] {
            let label = Label {
                tenant: 300,
                account: "ann@example.com",
                since,
            };
            let held = Held::packed(1, &label, &[1, 2, 3]);
            assert_eq!(held.label(), Some(label));
            assert_eq!(
                held.packed_profile(&mut Packer::default()).unwrap().as_ref(),
                [1, 2, 3]
            );
        }
    }

    #[test]
    fn a_packed_account_is_the_same_account_in_a_place_of_24_bytes() {
        let slot = Slot {
            tenant: 1,
            account: AccountId::new("a name that is longer than what stands inline"),
        };
        let profile = Profile::new(AccountKind::Human, Minutes(30_000_000));
        let mut held = Held::open(7, Open::new(slot.clone(), 9, profile.clone()));
        held.pack(&mut Packer::default());
        assert!(held.as_open().is_none() && held.packed_bytes() < 120, "{held:?}");
        assert_eq!(held.profile().unwrap().as_ref(), &profile);
        held.unpack(&mut Unpacker::default());
        let open = held.as_open().unwrap();
        assert_eq!((&open.slot, open.since, &open.profile), (&slot, 9, &profile));
        assert!(size_of::<Held>() <= 24);
    }
}
