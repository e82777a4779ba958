//! The list of log formats. Adding one: a file here, a line in each list below, fixtures in `fixtures/formats/<name>/`.

use crate::format::Format;

mod cloudtrail;
mod entra;
mod github;
mod keycloak;
mod kubernetes;
mod o365;
mod ocsf;
mod okta;
mod sshd;
mod windows;

pub use ocsf::is_plain as is_plain_ocsf;

/// The format that most records are of once they were normalised.
pub const OCSF: ocsf::Ocsf = ocsf::Ocsf;

/// Every format, in alphabetical order. `--format auto` takes the surest; the order only breaks ties.
pub const ALL: &[&dyn Format] = &[
    &cloudtrail::CloudTrail,
    &entra::Entra,
    &github::GitHub,
    &keycloak::Keycloak,
    &kubernetes::Kubernetes,
    &o365::O365,
    &ocsf::Ocsf,
    &okta::Okta,
    &sshd::Sshd,
    &windows::Windows,
];
