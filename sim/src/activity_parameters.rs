//! The figures of what goes on beyond logins, each drawn per seed from a range that names its source; "assumed" as in
//! [`crate::Parameters`].

use crate::config::{Regime, WorldConfig};
use crate::rng::Rng;
use serde::{Deserialize, Serialize};

/// What was drawn for one world's activity. Shares are in `[0, 1]`; the rest says its unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActivityParameters {
    /// Median of logged requests and refreshes in a session.
    pub requests_median: f64,
    /// Median length of a session, hours.
    pub session_hours_median: f64,
    /// Share of logged steps that are token refreshes.
    pub refresh_share: f64,
    /// Probability at each step that a phone changes between Wi-Fi and carrier.
    pub handover_share: f64,
    /// Probability at each step that a VPN or gateway is switched on or off.
    pub toggle_share: f64,
    /// Probability that a step uses something the account has not used before.
    pub new_resource_share: f64,
    /// Probability that a request is refused.
    pub refused_share: f64,
    /// Probability that an owner's prompt is not answered in time before it is answered.
    pub ignored_share: f64,
    /// Probability that an owner denies an own prompt by mistake before approving one.
    pub denied_share: f64,
    /// Share of employees with administrative rights.
    pub admin_share: f64,
    /// Directory actions per administrator and working day.
    pub admin_actions: f64,
    /// Machine accounts per human account.
    pub machine_share: f64,
    /// Median minutes between two runs of a machine.
    pub machine_minutes: f64,
    /// Machines that move to another network in a period.
    pub machine_move_share: f64,
    /// Share of employees on call, who also log in at night.
    pub on_call_share: f64,
    /// Share of accounts that leave in the period.
    pub leaver_share: f64,
    /// Share of accounts that a merger or a marketing campaign brings at once.
    pub influx_share: f64,
    /// Share of accounts whose password a reset wave resets.
    pub reset_share: f64,
    /// Share of prefixes that an update of the location database moves.
    pub relocated_share: f64,
    /// Probability of each upheaval (office move, influx, reset wave, database update, pentest) in a period.
    pub upheaval_share: f64,
    /// Share of people present on a public holiday.
    pub holiday_presence: f64,
}

impl ActivityParameters {
    /// Draws the figures of a world's activity, from a stream of its own: those of the logins stay as they are.
    pub(crate) fn draw(config: &WorldConfig) -> Self {
        let rng = &mut Rng::new(config.seed, "activity parameters", 0);
        let by = |rng: &mut Rng, consumer: [f64; 2], company: [f64; 2]| {
            let [low, high] = if config.regime == Regime::Consumer {
                consumer
            } else {
                company
            };
            rng.between(low, high)
        };
        Self {
            // Assumed; Entra writes about ten non-interactive sign-ins for each interactive one, which medians of
            // these reach once several applications are used a day.
            requests_median: by(rng, [3.0, 7.0], [4.0, 9.0]),
            // Web analytics put visits at minutes; a working day's session lasts until tokens end (assumed).
            session_hours_median: by(rng, [0.2, 0.8], [1.5, 5.0]),
            // Access tokens live 60 to 90 minutes (Microsoft identity platform), shorter than most sessions.
            refresh_share: by(rng, [0.10, 0.25], [0.20, 0.40]),
            // OpenSignal 2023: phones change between Wi-Fi and mobile several times a day.
            handover_share: by(rng, [0.05, 0.15], [0.05, 0.15]),
            // Assumed.
            toggle_share: by(rng, [0.005, 0.02], [0.01, 0.04]),
            // LANL (Kent 2015; Sanna Passino and Heard 2019): a few percent of a user's edges are new at any time.
            new_resource_share: by(rng, [0.002, 0.010], [0.003, 0.015]),
            refused_share: by(rng, [0.001, 0.005], [0.003, 0.015]),
            // Assumed; Duo's and Okta's reports speak of some percent of prompts that are not approved.
            ignored_share: by(rng, [0.02, 0.06], [0.01, 0.04]),
            denied_share: by(rng, [0.002, 0.010], [0.001, 0.006]),
            // Assumed.
            admin_share: by(rng, [0.0, 0.0], [0.02, 0.05]),
            admin_actions: by(rng, [0.0, 0.0], [0.2, 0.8]),
            // Vendors count more machine identities than people; those in an identity log are fewer (assumed).
            machine_share: by(rng, [0.0, 0.0], [0.05, 0.10]),
            // Schedules of minutes to hours (assumed).
            machine_minutes: by(rng, [60.0, 60.0], [30.0, 90.0]),
            machine_move_share: by(rng, [0.0, 0.0], [0.02, 0.10]),
            // Assumed.
            on_call_share: by(rng, [0.0, 0.0], [0.02, 0.06]),
            // Turnover of 10 to 30 % a year, over a quarter.
            leaver_share: by(rng, [0.02, 0.06], [0.02, 0.08]),
            influx_share: by(rng, [0.03, 0.12], [0.05, 0.20]),
            reset_share: by(rng, [0.05, 0.25], [0.10, 0.40]),
            // Gouel et al., 2021: databases move some percent of addresses between monthly editions.
            relocated_share: by(rng, [0.01, 0.06], [0.01, 0.06]),
            upheaval_share: by(rng, [0.5, 0.9], [0.5, 0.9]),
            holiday_presence: by(rng, [0.7, 1.0], [0.03, 0.15]),
        }
    }
}
