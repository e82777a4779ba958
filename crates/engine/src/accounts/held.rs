//! One account, as it is seen: at hand, or packed until it comes again.

use super::number::{read_number, write_number};
use super::rows::{RowAt, Rows};
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

/// One account, as it is held.
#[derive(Debug, Clone, Copy)]
pub struct Held<'h> {
    /// Fingerprint of tenant and account.
    pub fingerprint: u64,
    pub(super) body: Body<'h>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Body<'h> {
    Open(&'h Open),
    /// A row of what names it, then the packed profile.
    Packed(&'h Rows, RowAt),
}

/// One account that is not held yet.
#[derive(Debug)]
pub struct Newcomer {
    /// Fingerprint of tenant and account.
    pub fingerprint: u64,
    pub(super) body: NewBody,
}

#[derive(Debug)]
pub(super) enum NewBody {
    Open(Box<Open>),
    /// A row, as in [`Body::Packed`].
    Packed(Vec<u8>),
}

/// What tells an account from others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Label<'h> {
    /// Index of the tenant.
    pub tenant: u32,
    /// Account.
    pub account: Cow<'h, str>,
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

    /// The account of a row. Absent for bytes that are no account. Cost: linear in its profile.
    pub(super) fn of_row(row: &[u8], unpacker: &mut Unpacker) -> Option<Self> {
        let (label, profile) = apart(row)?;
        let slot = Slot {
            tenant: label.tenant,
            account: AccountId::new(label.account.as_ref()),
        };
        Some(Open::new(slot, label.since, unpacker.unpack(profile).ok()?))
    }

    /// Writes what names it and the packed profile behind what is in `row`.
    ///
    /// # Errors
    /// What packing gives, which no profile makes it give.
    pub(super) fn write_row(&self, packer: &mut Packer, row: &mut Vec<u8>) -> Result<(), PackError> {
        let profile = packer.pack(&self.profile)?;
        write_together(&self.label(), profile, row);
        Ok(())
    }

    fn label(&self) -> Label<'_> {
        Label {
            tenant: self.slot.tenant,
            account: Cow::Borrowed(self.slot.account.as_str()),
            since: self.since,
        }
    }
}

impl Label<'_> {
    fn into_owned(self) -> Label<'static> {
        Label {
            tenant: self.tenant,
            account: Cow::Owned(self.account.into_owned()),
            since: self.since,
        }
    }
}

impl Newcomer {
    /// An account whose profile is packed already.
    pub fn packed(fingerprint: u64, label: &Label<'_>, profile: &[u8]) -> Self {
        let mut row = Vec::new();
        write_together(label, profile, &mut row);
        Self {
            fingerprint,
            body: NewBody::Packed(row),
        }
    }
}

impl<'h> Held<'h> {
    /// An account at hand, to be held.
    pub fn open(fingerprint: u64, open: Open) -> Newcomer {
        Newcomer {
            fingerprint,
            body: NewBody::Open(Box::new(open)),
        }
    }

    /// What names it. Absent for bytes that are no account, which nobody packs.
    pub fn label(self) -> Option<Label<'h>> {
        match self.body {
            Body::Open(open) => Some(open.label()),
            Body::Packed(rows, at) => match rows.get(at)? {
                Cow::Borrowed(row) => Some(apart(row)?.0),
                Cow::Owned(row) => Some(apart(&row)?.0.into_owned()),
            },
        }
    }

    /// The account, if it is at hand.
    pub fn as_open(self) -> Option<&'h Open> {
        match self.body {
            Body::Open(open) => Some(open),
            Body::Packed(..) => None,
        }
    }

    /// The profile: the one at hand, or one unpacked for the purpose.
    pub fn profile(self) -> Option<Cow<'h, Profile>> {
        match self.body {
            Body::Open(open) => Some(Cow::Borrowed(&open.profile)),
            Body::Packed(rows, at) => {
                let row = rows.get(at)?;
                let (_, profile) = apart(&row)?;
                Unpacker::default().unpack(profile).ok().map(Cow::Owned)
            }
        }
    }

    /// The profile as it is packed.
    ///
    /// # Errors
    /// What packing gives, which no profile makes it give.
    pub fn packed_profile(self, packer: &mut Packer) -> Result<Cow<'h, [u8]>, PackError> {
        match self.body {
            Body::Open(open) => Ok(Cow::Owned(packer.pack(&open.profile)?.to_vec())),
            Body::Packed(rows, at) => {
                let profile = match rows.get(at) {
                    Some(Cow::Borrowed(row)) => apart(row).map(|(_, profile)| Cow::Borrowed(profile)),
                    Some(Cow::Owned(row)) => apart(&row).map(|(_, profile)| Cow::Owned(profile.to_vec())),
                    None => None,
                };
                profile.ok_or_else(|| PackError::Damaged("no account".to_owned()))
            }
        }
    }

    /// Reads a little of each part, so that all of it is on its way into the processor's cache when it is wanted; gives
    /// what was read.
    pub fn touch(self) -> u64 {
        /// Bytes that come into the cache at once.
        const LINE: usize = 64;
        match self.body {
            Body::Open(open) => open.profile.touch(),
            Body::Packed(rows, at) => rows.each(at, LINE).map(u64::from).sum(),
        }
    }

    /// Bytes of its row, if it is packed.
    pub fn packed_bytes(self) -> usize {
        match self.body {
            Body::Open(_) => 0,
            Body::Packed(rows, at) => rows.length(at),
        }
    }
}

fn write_together(label: &Label<'_>, profile: &[u8], row: &mut Vec<u8>) {
    let name = label.account.as_bytes();
    write_number(label.tenant.into(), row);
    write_number(label.since, row);
    write_number(u64::try_from(name.len()).unwrap_or(u64::MAX), row);
    row.extend_from_slice(name);
    row.extend_from_slice(profile);
}

/// What names an account, and its packed profile.
fn apart(row: &[u8]) -> Option<(Label<'_>, &[u8])> {
    let (tenant, rest) = read_number(row)?;
    let (since, rest) = read_number(rest)?;
    let (length, rest) = read_number(rest)?;
    let (name, profile) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    let label = Label {
        tenant: u32::try_from(tenant).ok()?,
        account: Cow::Borrowed(std::str::from_utf8(name).ok()?),
        since,
    };
    Some((label, profile))
}
