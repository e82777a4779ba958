//! An event with what the tables know about it: the input of profiles and detectors.

use crate::ocsf_enum::ocsf_enum;
use crate::sentence::spell;
use crate::{
    AccountId, AccountKind, Activity, Conduct, EventTime, FailureReason, Network, Place, Status, TenantId,
    Text, UtcOffset,
};
use serde::{Deserialize, Serialize};

ocsf_enum! {
    /// Type of the client's device. Automation is a type of its own: it says that no person sat there.
    DeviceType {
        0 Unknown "unknown device", 1 Desktop "computer", 2 Mobile "phone", 3 Tablet "tablet", 4 Automation "automation",
    }
}

/// The client, parsed. Families without versions are kept apart from versions, because browsers update every few
/// weeks and families do not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Type of device.
    pub device: DeviceType,
    /// Operating system family: `Windows`, `Mac OS X`, `iOS`. Absent: unknown.
    pub os: Option<Text>,
    /// Operating system version, major and minor as 16.16 bits; orders within one family. 0: unknown.
    pub os_version: u32,
    /// Browser or tool family: `Chrome`, `kubectl`, `OpenSSH`. Absent: unknown.
    pub browser: Option<Text>,
    /// Major version of the browser or tool. 0: unknown.
    pub browser_version: u32,
    /// Device model, if the user agent tells (`SM-G991B`). Absent: unknown.
    pub model: Option<Text>,
    /// An id that binds the client: managed device id, device token, key fingerprint. Absent: none was shown.
    pub key: Option<Text>,
    /// TLS client fingerprint (JA4, JA3): of the software that speaks, whatever it calls itself. Absent: not shown.
    #[serde(default)]
    pub tls_fingerprint: Option<Text>,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            device: DeviceType::Unknown,
            os: None,
            os_version: 0,
            browser: None,
            browser_version: 0,
            model: None,
            key: None,
            tls_fingerprint: None,
        }
    }
}

impl Client {
    /// Whether the source said anything about the client at all.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.os.is_none()
            && self.browser.is_none()
            && self.key.is_none()
            && self.device == DeviceType::Unknown
    }

    /// `Chrome 126 on Windows`, `kubectl`, or `an unknown client`.
    #[must_use]
    pub fn label(&self) -> String {
        let mut label = String::with_capacity(48);
        if let Some(browser) = &self.browser {
            label.push_str(browser);
            if self.browser_version != 0 {
                label.push(' ');
                spell(u64::from(self.browser_version), &mut label);
            }
        }
        match &self.os {
            Some(os) if label.is_empty() => label.push_str(os),
            Some(os) => {
                label.push_str(" on ");
                label.push_str(os);
            }
            None if !label.is_empty() => {}
            None if self.key.is_some() => label.push_str("a device known by its key"),
            None => label.push_str("an unknown client"),
        }
        label
    }
}

/// What the account stages need of an event, and nothing else: no raw text, no names of people beyond the account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// Whose event it is.
    pub tenant: TenantId,
    /// Account whose behaviour it shows. Absent: nobody was named; such events are scored by tenant alone and
    /// remembered nowhere.
    pub account: Option<AccountId>,
    /// What the source says of the account's kind.
    pub kind: AccountKind,
    /// When.
    pub time: EventTime,
    /// The client's own time zone, if stated.
    pub utc_offset: Option<UtcOffset>,
    /// What.
    pub activity: Activity,
    /// Whether it succeeded.
    pub status: Status,
    /// Why it failed. Absent: it did not, or the source does not say.
    #[serde(default)]
    pub failure: Option<FailureReason>,
    /// A factor that cannot be phished (WebAuthn, U2F, hardware token, platform biometric) was satisfied.
    pub strong_factor: bool,
    /// More than one factor was satisfied. Absent: the source does not say.
    #[serde(default)]
    pub second_factor: Option<bool>,
    /// Where from, on Earth.
    pub place: Place,
    /// Where from, on the network.
    pub network: Network,
    /// With what.
    pub client: Client,
    /// Sessions, proofs and deeds. Absent: it says nothing of them.
    #[serde(default)]
    pub conduct: Option<Box<Conduct>>,
}

impl Context {
    /// Whether this event may teach what is normal for its account: an identity was named and proven.
    #[must_use]
    pub fn may_teach(&self) -> bool {
        self.account.is_some() && self.status == Status::Success
    }
}
