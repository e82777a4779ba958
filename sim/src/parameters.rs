//! The figures of a world, each drawn per seed from a range that names its source.
//!
//! "Assumed" means that no published figure was at hand; such ranges are wide on purpose. RBA is the data set of
//! Wiefling et al., "Pump Up Password Security! Evaluating and Enhancing Risk-Based Authentication on a Real-World
//! Large-Scale Online Service", ACM TOPS 2022: 3.3 million users of a single-sign-on service over 13 months.

use crate::config::{Regime, WorldConfig};
use crate::rng::Rng;
use serde::{Deserialize, Serialize};

/// What was drawn for one world. Shares are in `[0, 1]`; rates say their unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameters {
    /// How the accounts behave.
    pub people: PeopleParameters,
    /// How lines, carriers and databases behave.
    pub networks: NetworkParameters,
    /// What people use.
    pub devices: DeviceParameters,
    /// What attackers do.
    pub attackers: AttackParameters,
}

/// How the accounts behave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeopleParameters {
    /// Share of accounts in the tenant's first country; the rest spreads over a few others.
    pub home_country_share: f64,
    /// Consumer: median of logins per account in 13 months. Enterprise: median of logins per working day.
    pub activity_median: f64,
    /// Deviation of the logarithm of the above over accounts.
    pub activity_spread: f64,
    /// Probability that a login follows within days of another one instead of falling anywhere.
    pub cluster_share: f64,
    /// Enterprise: logins on a weekend day relative to a working day.
    pub weekend_ratio: f64,
    /// Share of accounts that begin during the period.
    pub joiner_share: f64,
    /// Share of accounts with a long absence (90 days, or a third of a shorter period) in it.
    pub dormant_share: f64,
    /// Share of logins preceded by a failed one of the owner.
    pub failure_share: f64,
    /// Mean number of trips abroad per account and year.
    pub trips_abroad_per_year: f64,
    /// Mean number of trips within the country per account and year.
    pub trips_inland_per_year: f64,
    /// Share of accounts with a second factor.
    pub mfa_share: f64,
    /// Share of those whose factor cannot be phished.
    pub webauthn_share: f64,
    /// Probability that a known device is asked for the second factor.
    pub mfa_prompt_share: f64,
}

/// How lines, carriers and location databases behave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkParameters {
    /// Share of home lines whose address changes.
    pub dynamic_share: f64,
    /// Median days between two addresses of such a line.
    pub lease_days: f64,
    /// Mean number of addresses in one prefix before the next prefix.
    pub leases_per_prefix: f64,
    /// Share of home lines with IPv6, if the service has it; 0 if it has not.
    pub ipv6_share: f64,
    /// Share of accounts that share the line of another account.
    pub household_share: f64,
    /// Moves of house or changes of provider per account and year.
    pub moves_per_year: f64,
    /// Share of logins from cafés, friends and the like.
    pub elsewhere_share: f64,
    /// Share of a phone's logins that go over the carrier.
    pub carrier_share: f64,
    /// Median hours a phone keeps one public address of its carrier.
    pub carrier_hours: f64,
    /// Probability that a roaming phone leaves to the internet at home.
    pub roams_home_share: f64,
    /// Share of accounts that use a commercial VPN.
    pub vpn_share: f64,
    /// Share of Apple browsers behind a relay that keeps the country.
    pub relay_share: f64,
    /// Enterprise: share of employees on the company's gateway when out of the office.
    pub gateway_share: f64,
    /// Enterprise: share of working days in the office.
    pub office_share: f64,
    /// Number of small local providers per country.
    pub local_providers: f64,
    /// Share of prefixes placed in the wrong city of the right country.
    pub city_error: f64,
    /// Share of prefixes placed in the wrong country.
    pub country_error: f64,
}

/// What people use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceParameters {
    /// Share of accounts whose first device is a phone.
    pub phone_first_share: f64,
    /// Mean number of devices beyond the first.
    pub further_devices: f64,
    /// Share of computers on which a second browser is used too.
    pub second_browser_share: f64,
    /// Replacements per device and year.
    pub replaced_per_year: f64,
    /// Probability that the replacement has the same operating system.
    pub loyalty: f64,
    /// Mean days between a release and its installation.
    pub update_lag_days: f64,
    /// Share of devices that no longer update.
    pub stuck_share: f64,
    /// Share of logins on somebody else's device.
    pub borrowed_share: f64,
    /// Enterprise: share of company computers that show a device id; 0 for consumers.
    pub managed_share: f64,
    /// Consumer: share of accounts whose devices show a key that the service put there; 0 for companies.
    pub keyed_share: f64,
    /// Share of Windows among computers.
    pub windows_share: f64,
    /// Share of Edge among browsers on Windows.
    pub edge_share: f64,
    /// Share of accounts that also log in with a script or a mail client.
    pub tool_share: f64,
}

/// What attackers do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttackParameters {
    /// Share of foreign takeovers from one country.
    pub top_country_share: f64,
    /// Share of foreign takeovers from three providers.
    pub top_providers_share: f64,
    /// Share of takeovers through home lines (residential proxies).
    pub residential_share: f64,
    /// Share of takeovers through carriers; the rest comes from servers and VPNs.
    pub mobile_share: f64,
    /// Share of takeovers by script.
    pub automation_share: f64,
    /// Share of attackers' browsers that no longer update (anti-detection browsers, old kits).
    pub stuck_share: f64,
    /// Share of takeovers at the victims' hours instead of the attacker's own.
    pub victim_hours_share: f64,
}

impl Parameters {
    /// Draws the figures of a world.
    pub(crate) fn draw(config: &WorldConfig) -> Self {
        let rng = &mut Rng::new(config.seed, "parameters", 0);
        let mut drawn = Self {
            people: PeopleParameters::draw(rng, config.regime),
            networks: NetworkParameters::draw(rng, config.regime),
            devices: DeviceParameters::draw(rng, config.regime),
            attackers: AttackParameters::draw(rng),
        };
        if config.regime != Regime::Enterprise {
            // Assumed: a token in an application or a lasting cookie, where it is kept.
            drawn.devices.keyed_share = rng.between(0.15, 0.35);
        }
        if config.regime == Regime::Business {
            drawn.become_business(rng);
        }
        drawn
    }
}

impl Parameters {
    /// Business users are employees as far as hours, lines and devices go, who use this service now and then and are not
    /// its own: it neither manages their devices nor runs their gateways. All assumed.
    fn become_business(&mut self, rng: &mut Rng) {
        self.people.activity_median = rng.between(0.08, 0.40);
        self.people.activity_spread = rng.between(0.7, 1.1);
        self.people.mfa_share = rng.between(0.15, 0.60);
        self.networks.gateway_share = 0.0;
        self.devices.managed_share = 0.0;
    }
}

impl PeopleParameters {
    fn draw(rng: &mut Rng, regime: Regime) -> Self {
        let enterprise = regime != Regime::Consumer;
        let mut by = |consumer: [f64; 2], company: [f64; 2]| {
            let [low, high] = if enterprise { company } else { consumer };
            rng.between(low, high)
        };
        Self {
            // RBA: most accounts of a national service in one country. Companies: assumed.
            home_country_share: by([0.80, 0.97], [0.55, 0.98]),
            // RBA: median 2 logins, 39.7 % with one (with rounding up, medians of the continuous draw from 1.3 to
            // 1.6 and a deviation near 1.4 give both). Companies: one to several on a working day (assumed).
            activity_median: by([1.30, 1.60], [0.9, 2.2]),
            activity_spread: by([1.30, 1.55], [0.4, 0.7]),
            // Assumed: an errand takes several visits.
            cluster_share: by([0.25, 0.50], [0.25, 0.50]),
            // Assumed.
            weekend_ratio: by([1.0, 1.0], [0.02, 0.12]),
            // RBA's service grew throughout; staff turnover is 10 to 30 % a year in most OECD countries.
            joiner_share: by([0.25, 0.60], [0.05, 0.15]),
            // Parental and sick leave of some percent of the workforce; consumers are dormant by their rate anyway.
            dormant_share: by([0.02, 0.05], [0.01, 0.04]),
            // RBA: 27 % of attempts fail, attackers' included; owners' typos are the lower part. Companies: assumed.
            failure_share: by([0.08, 0.20], [0.03, 0.10]),
            // Eurostat 2022: about 0.6 trips abroad per resident and year; business travel adds to it (assumed).
            trips_abroad_per_year: by([0.4, 1.0], [0.8, 2.5]),
            // Eurostat 2022: about 1.8 domestic trips with an overnight stay per resident and year.
            trips_inland_per_year: by([1.0, 2.5], [1.5, 4.0]),
            // Assumed; vendors report 30 to 90 % for workforces and below 30 % for consumers.
            mfa_share: by([0.05, 0.30], [0.50, 0.98]),
            webauthn_share: by([0.02, 0.15], [0.05, 0.30]),
            mfa_prompt_share: by([0.05, 0.30], [0.15, 0.50]),
        }
    }
}

impl NetworkParameters {
    fn draw(rng: &mut Rng, regime: Regime) -> Self {
        let enterprise = regime != Regime::Consumer;
        let ipv6 = rng.chance(0.6);
        let mut b = |low: f64, high: f64| rng.between(low, high);
        Self {
            // Padmanabhan et al., IMC 2016: providers range from daily renumbering to addresses held for years.
            dynamic_share: b(0.45, 0.85),
            lease_days: b(5.0, 45.0),
            // The same study: about half of the changes leave the BGP prefix, more leave the /24.
            leases_per_prefix: b(1.2, 3.0),
            // Google's IPv6 statistics 2024: 45 % of users, 10 to 75 % by country; services lag behind (assumed 60 %).
            ipv6_share: if ipv6 { b(0.15, 0.60) } else { 0.0 },
            // Assumed: members of a household on the same service, or flatmates at the same company.
            household_share: if enterprise { b(0.0, 0.03) } else { b(0.05, 0.20) },
            // US Census: 8 to 13 % move each year; providers lose about 1 % of their customers a month.
            moves_per_year: b(0.12, 0.30),
            // Assumed.
            elsewhere_share: b(0.02, 0.06),
            // OpenSignal 2023: phones spend half or more of their connected time on Wi-Fi.
            carrier_share: b(0.25, 0.55),
            // Richter et al., IMC 2016 (multi-perspective CGN study): cellular pools are wide and bindings short.
            carrier_hours: b(2.0, 24.0),
            // Mandalari et al., MobiCom 2018: home-routed roaming on all operators measured.
            roams_home_share: b(0.60, 0.95),
            // Surveys say 20 to 30 % have one; logins through it are far fewer (assumed).
            vpn_share: b(0.02, 0.08),
            // Trevisan et al., 2023: relays carry a few percent of iOS traffic; a paid option.
            relay_share: b(0.03, 0.12),
            // Assumed.
            gateway_share: if enterprise { b(0.15, 0.70) } else { 0.0 },
            office_share: if enterprise { b(0.30, 0.80) } else { 0.0 },
            local_providers: b(3.0, 10.0),
            // Gouel et al., 2021, and vendors' own figures: 50 to 80 % of cities right, countries above 99 %.
            city_error: b(0.15, 0.35),
            country_error: b(0.001, 0.005),
        }
    }
}

impl DeviceParameters {
    fn draw(rng: &mut Rng, regime: Regime) -> Self {
        let enterprise = regime != Regime::Consumer;
        let mut by = |consumer: [f64; 2], company: [f64; 2]| {
            let [low, high] = if enterprise { company } else { consumer };
            rng.between(low, high)
        };
        Self {
            // StatCounter 2024: phones make 50 to 60 % of page views; at work computers lead (assumed).
            phone_first_share: by([0.40, 0.65], [0.03, 0.15]),
            // Assumed: one to three devices.
            further_devices: by([0.4, 1.0], [0.7, 1.3]),
            second_browser_share: by([0.10, 0.25], [0.15, 0.35]),
            // Phones are kept 2.5 to 3.5 years, computers 4 to 6 (industry surveys).
            replaced_per_year: by([0.20, 0.40], [0.20, 0.35]),
            // CIRP 2023: about 90 % stay with their phone's operating system.
            loyalty: by([0.85, 0.93], [0.90, 0.97]),
            // Browsers release every 4 weeks and reach most users within two (Chrome and Firefox release calendars).
            update_lag_days: by([4.0, 12.0], [4.0, 14.0]),
            // Assumed.
            stuck_share: by([0.03, 0.10], [0.01, 0.06]),
            borrowed_share: by([0.005, 0.020], [0.001, 0.006]),
            managed_share: by([0.0, 0.0], [0.30, 0.90]),
            // StatCounter 2024: 72 % Windows among computers; companies vary.
            windows_share: by([0.65, 0.80], [0.40, 0.92]),
            // StatCounter 2024: Edge 13 % of computers; companies that prescribe it far more (assumed).
            edge_share: by([0.12, 0.25], [0.15, 0.75]),
            // Assumed.
            tool_share: by([0.001, 0.005], [0.01, 0.06]),
            keyed_share: 0.0,
        }
    }
}

impl AttackParameters {
    fn draw(rng: &mut Rng) -> Self {
        let mut b = |low: f64, high: f64| rng.between(low, high);
        Self {
            // RBA: 56 % of takeovers from one country, 35 % from three autonomous systems.
            top_country_share: b(0.46, 0.66),
            top_providers_share: b(0.28, 0.42),
            // RBA: 45 % from addresses on no list, which is what residential and mobile exits look like.
            residential_share: b(0.25, 0.50),
            mobile_share: b(0.05, 0.20),
            // Assumed.
            automation_share: b(0.03, 0.12),
            stuck_share: b(0.10, 0.35),
            victim_hours_share: b(0.30, 0.70),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worlds_differ_in_their_figures_and_repeat_by_seed() {
        let draw = |seed| Parameters::draw(&WorldConfig::new(seed, Regime::Consumer));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn consumers_have_no_company_devices() {
        let drawn = Parameters::draw(&WorldConfig::new(5, Regime::Consumer));
        assert_eq!(drawn.devices.managed_share, 0.0);
        assert_eq!(drawn.networks.gateway_share, 0.0);
    }
}
