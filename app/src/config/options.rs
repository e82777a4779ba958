//! Every option of the configuration: the list from which documentation and "did you mean" are made.

use super::Config;

/// One option.
#[derive(Debug, Clone, Copy)]
pub struct Opt {
    /// Path of its key; `[]` marks a list of tables.
    pub path: &'static str,
    /// What it means: one sentence.
    pub means: &'static str,
}

const fn opt(path: &'static str, means: &'static str) -> Opt {
    Opt { path, means }
}

/// All options, in the order of the documentation.
#[rustfmt::skip]
pub const ALL: &[Opt] = &[
    opt("formats.default", "Format of the records; `auto` recognises each one by its content. `--format` overrides it."),
    opt("formats.assume_year", "Year of stamps that have none (classic syslog). Without it, a file's modification time tells, or the current time for standard input. `--assume-year` overrides it."),
    opt("formats.utc_offset", "Time zone of stamps that name none, as hours and minutes east of UTC."),
    opt("limits.record_bytes_max", "Longest record, bytes; longer ones are rejected."),
    opt("limits.depth_max", "Deepest nesting of JSON or XML in a record."),
    opt("limits.object_keys_max", "Most keys in one JSON object."),
    opt("limits.values_max", "Most JSON values in one record."),
    opt("enrich.embedded_countries", "Use the built-in table of countries where neither the event nor a database knows the place."),
    opt("enrich.city_mmdb", "City or country database in MaxMind's format. Relative paths start at the configuration file."),
    opt("enrich.asn_mmdb", "Database of autonomous systems in MaxMind's format."),
    opt("enrich.anonymous_ip_mmdb", "Database of VPNs, proxies, Tor exits and hosting in MaxMind's format."),
    opt("enrich.connection_type_mmdb", "Database of fixed and mobile access in MaxMind's format."),
    opt("enrich.ip_list[].name", "Name of a list of networks; each list has its own."),
    opt("enrich.ip_list[].kind", "What being on the list means: `corporate` (own egress), `relay` (VPN, proxy), `tor`, `blocked` or `safe`."),
    opt("enrich.ip_list[].path", "File with one address or network (CIDR) a line, `#` before remarks."),
    opt("scoring.challenge_from", "Score from which another factor is recommended: 40 is 1 legitimate event in 100."),
    opt("scoring.review_from", "Score from which a person should look: 60 is 1 in 1,000."),
    opt("scoring.deny_from", "Score from which refusing is recommended. Not set: nothing is ever to be refused."),
    opt("scoring.quarantine_from", "Score from which new values are not learned at once."),
    opt("scoring.priors.opportunistic", "Share of attackers who come from anywhere with anything (stuffing, spray, phishing kits). The five shares sum to 1."),
    opt("scoring.priors.country_aware", "Share of attackers who use a proxy in the owner's country."),
    opt("scoring.priors.targeted", "Share of attackers who imitate the owner's network and client."),
    opt("scoring.priors.token_theft", "Share of attackers who use a stolen session or token elsewhere."),
    opt("scoring.priors.insider", "Share of attackers at the owner's own device."),
    opt("scoring.weights.network", "Weight of where on the network an event comes from."),
    opt("scoring.weights.device", "Weight of the client."),
    opt("scoring.weights.joint", "Weight of network and client together."),
    opt("scoring.weights.clock", "Weight of the hour of the week."),
    opt("scoring.weights.gap", "Weight of the silence before the event."),
    opt("scoring.weights.motion", "Weight of the speed between places."),
    opt("scoring.weights.authentication", "Weight of how an identity is proved."),
    opt("scoring.weights.session", "Weight of sessions and credentials."),
    opt("scoring.weights.resource", "Weight of what is used."),
    opt("scoring.weights.sequence", "Weight of what follows what."),
    opt("scoring.weights.burst", "Weight of bursts of failures."),
    opt("scoring.weights.campaign", "Weight of campaigns over several accounts."),
    opt("scoring.weights.machine", "Weight of what is new to a machine."),
    opt("scoring.weights.volume", "Weight of how much is done within an hour and a day."),
    opt("scoring.weights.family_nats_max", "Most that one family may move the total, nats."),
    opt("scoring.weights.burst_nats_max", "Most that bursts of failures, and that campaigns may move the total, nats."),
    opt("scoring.weights.conduct_nats_max", "Most that sessions, that prompts and ways in, and that volumes may move the total, nats."),
    opt("scoring.weights.used_nats_max", "Most that what is used may move the total, nats."),
    opt("scoring.learning.candidates", "Whether labels make candidates that weigh in shadow; see [learning](learning.md)."),
    opt("scoring.learning.labels_min", "Labels before the first candidate is made."),
    opt("scoring.learning.author_labels_max", "Labels of one person that count in a candidate, unless a second person says the same."),
    opt("scoring.learning.promote", "Who makes a candidate the champion: `by_hand` a person, `if_better` habitus itself once nothing speaks against it."),
    opt("findings.from_score", "Score from which an event belongs to a finding."),
    opt("findings.window_hours", "Events of one account and one behaviour within this many hours are one finding."),
    opt("replay.memory", "Memory for putting events in order; the rest goes to temporary files. `--memory` overrides it."),
    opt("replay.threads", "Threads; the number of cores if not given. Changes no result. `--threads` overrides it."),
    opt("replay.temp_dir", "Directory for temporary files; the system's own if not given. `--temp-dir` overrides it."),
    opt("serve.listen", "Address of the API and the console. Beyond this machine it takes TLS, or `dangerously_allow_plain_http`. `--listen` overrides it."),
    opt("serve.names", "Host names by which the server is called, beside its address and localhost; requests for others are refused (DNS rebinding)."),
    opt("serve.data_dir", "Directory of everything that is kept. `--data-dir` overrides it."),
    opt("serve.tls_cert", "Certificate chain in PEM. Relative paths start at the configuration file."),
    opt("serve.tls_key", "Private key of the certificate in PEM."),
    opt("serve.dangerously_allow_plain_http", "Listen beyond this machine without TLS, behind a proxy that has it."),
    opt("serve.trusted_proxies", "Networks (CIDR) of proxies whose `X-Forwarded-For` is believed."),
    opt("serve.policy", "Policy file; `policy.toml` in the data directory if not given."),
    opt("serve.encryption_key", "Key of encryption at rest, of the log, snapshots, orders and the audit: `env:NAME` or `file:PATH` with 64 hexadecimal digits. Not set: no encryption."),
    opt("serve.audit_checkpoints", "File outside the data directory, best on another machine's share, to which signed checkpoints of the audit are added: `habitus verify --checkpoints` shows with them what was cut off or put back."),
    opt("serve.lateness_seconds", "How long an event waits for earlier ones before it is learned; it is judged at once."),
    opt("serve.waiting_max", "Most events that wait; beyond it the earliest is learned early."),
    opt("serve.assess_deadline_ms", "How long an inline decision may take unless the request says otherwise."),
    opt("serve.assess_default", "What is answered where no decision can be had in time: `allow`, `review`, `challenge` or `deny`; marked as degraded."),
    opt("serve.memory", "Memory of the whole process: above it nothing is taken in, and senders are told to come again (503). Not set: nine tenths of what the machine or its control group gives."),
    opt("serve.intake_memory", "Memory for requests that are being taken in; beyond it they are refused with 503."),
    opt("serve.threads", "Threads that take events in and judge them; the number of cores if not given."),
    opt("serve.retention_days", "How long raw telemetry is kept."),
    opt("serve.retention_size", "How much raw telemetry is kept, compressed; the oldest goes first."),
    opt("serve.snapshot_events", "A snapshot of the state is taken after so many events: fewer make recovery quicker."),
    opt("serve.snapshot_minutes", "And after so many minutes in which any came."),
    opt("serve.authorize[].name", "Name of a route of forward authentication, as `?route=` gives it (nginx `auth_request`, Traefik, oauth2-proxy, Envoy). One without `?route=` is `default`, which fails closed."),
    opt("serve.authorize[].fail_open", "Give access where no decision can be made; the answer says so."),
    opt("serve.authorize[].account_headers", "Headers that may name the account, the first present counts; the proxy must remove them from what clients send."),
    opt("serve.authorize[].source", "Source under which the route's events are judged."),
    opt("telemetry.otlp_endpoint", "Collector for traces and logs over OTLP (`http/protobuf`), such as `http://127.0.0.1:4318`; not read again at a reload. Not set: none."),
    opt("source", "Sources that the server reads by itself, as `[[source]]` tables: see [sources](sources.md)."),
    opt("responder", "Where orders go, as `[[responder]]` tables: see [responders](responders.md)."),
    opt("exporter", "Where findings are exported to, as `[[exporter]]` tables: see [responders](responders.md)."),
];

/// What an option is if the file leaves it out, as TOML; absent if nothing is.
pub fn default(path: &str) -> Option<String> {
    let defaults = toml::Value::try_from(Config::default()).ok()?;
    let value = path.split('.').try_fold(&defaults, |here, step| here.get(step));
    value.map(ToString::to_string)
}

/// The names allowed in a table, `""` being the top, in the order of the list; each once.
pub fn allowed(table: &str) -> Vec<&'static str> {
    let mut names = Vec::new();
    for option in ALL {
        let inside = match table {
            "" => Some(option.path),
            _ => option
                .path
                .strip_prefix(table)
                .and_then(|rest| rest.strip_prefix('.')),
        };
        let Some(name) = inside.and_then(|rest| rest.split('.').next()) else {
            continue;
        };
        let name = name.trim_end_matches("[]");
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The option at a path.
pub fn find(path: &str) -> Option<&'static Opt> {
    ALL.iter().find(|option| option.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The options as a table in Markdown, for `docs/configuration.md`.
    fn markdown() -> String {
        let mut out = String::from("| option | default | meaning |\n|---|---|---|\n");
        for option in ALL {
            let default = default(option.path).map_or_else(|| "none".to_owned(), |text| format!("`{text}`"));
            out.push_str(&format!("| `{}` | {default} | {} |\n", option.path, option.means));
        }
        out
    }

    fn flatten(prefix: &str, value: &toml::Value, out: &mut Vec<String>) {
        match value {
            toml::Value::Table(table) => {
                for (name, value) in table {
                    let path = if prefix.is_empty() {
                        name.clone()
                    } else {
                        format!("{prefix}.{name}")
                    };
                    flatten(&path, value, out);
                }
            }
            toml::Value::Array(items) if items.is_empty() => {}
            _ => out.push(prefix.to_owned()),
        }
    }

    #[test]
    fn every_option_of_the_configuration_is_listed() {
        let defaults = toml::Value::try_from(Config::default()).unwrap();
        let mut paths = Vec::new();
        flatten("", &defaults, &mut paths);
        for path in paths {
            assert!(find(&path).is_some(), "{path}");
        }
    }

    /// After a change, `HABITUS_BLESS=1 cargo test -p habitus` writes the table anew.
    #[test]
    fn the_documentation_has_the_table() {
        let path = habitus_testkit::workspace_root().join("docs/configuration.md");
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, table) = text.split_once("## Options\n\n").unwrap();
        if std::env::var_os("HABITUS_BLESS").is_some() {
            std::fs::write(&path, format!("{before}## Options\n\n{}", markdown())).unwrap();
        } else {
            let is_current = table == markdown();
            assert!(
                is_current,
                "run this test with HABITUS_BLESS=1 to write the table anew"
            );
        }
    }

    #[test]
    fn tables_know_their_keys() {
        assert_eq!(
            allowed(""),
            [
                "formats",
                "limits",
                "enrich",
                "scoring",
                "findings",
                "replay",
                "serve",
                "telemetry",
                "source",
                "responder",
                "exporter"
            ]
        );
        assert_eq!(allowed("enrich.ip_list[]"), ["name", "kind", "path"]);
        assert_eq!(allowed("findings"), ["from_score", "window_hours"]);
        assert_eq!(allowed("scoring.challenge_from"), [""; 0]);
    }
}
