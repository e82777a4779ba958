//! What the configuration makes: settings of the console and the reducer, readers, responders, the policy.

use super::clock;
use super::reading::Reader;
use super::snapshots::Rhythm;
use super::store::Layout;
use crate::config::{Depth, Fallback, Loaded, Serve};
use crate::failure::{Failure, Trouble};
use habitus_console::settings::{AuthorizeRoute, Clock, Fail, Inline, Limits, Settings};
use habitus_journal::log::Retention;
use habitus_live::Settings as LiveSettings;
use habitus_model::{Disposition, Millis, Text};
use habitus_normalize::Options;
use habitus_policy::{Policy, Severity, Surroundings};
use habitus_responders::{Guard, Registry};
use habitus_sources::Limits as FrameLimits;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The console's settings.
pub fn console_settings(serve: &Serve, https: bool) -> Result<Settings, Failure> {
    let proxies = serve.trusted_proxies.iter().map(|text| {
        text.parse().map_err(|_| {
            Failure::new(
                Trouble::Configuration,
                "`serve.trusted_proxies` holds something that is no network",
            )
            .help("write networks as 10.0.0.0/8")
        })
    });
    let mut routes = vec![AuthorizeRoute::default()];
    for route in &serve.authorize {
        let usual = AuthorizeRoute::default();
        routes.retain(|known| known.name != route.name);
        routes.push(AuthorizeRoute {
            name: Text::new(&route.name),
            fail: if route.fail_open { Fail::Open } else { Fail::Closed },
            account_headers: if route.account_headers.is_empty() {
                usual.account_headers
            } else {
                route
                    .account_headers
                    .iter()
                    .map(|name| name.to_ascii_lowercase())
                    .collect()
            },
            source: route.source.as_deref().map(Text::new),
        });
    }
    let formats = habitus_normalize::formats::ALL
        .iter()
        .map(|format| format.name().to_owned());
    Ok(Settings {
        names: serve.names.clone(),
        trusted_proxies: proxies.collect::<Result<_, Failure>>()?,
        https,
        formats: formats.collect(),
        inline: Inline {
            deadline: Duration::from_millis(u64::from(serve.assess_deadline_ms)),
            default: fallback(serve.assess_default),
            routes,
            ..Inline::default()
        },
        limits: Limits::default(),
    })
}

/// The clock as the console takes it.
pub fn console_clock() -> Clock {
    Clock::new(|| clock::now().as_event())
}

/// What is answered where no decision can be had.
pub fn fallback(fallback: Fallback) -> Disposition {
    match fallback {
        Fallback::Allow => Disposition::Allow,
        Fallback::Review => Disposition::Review,
        Fallback::Challenge => Disposition::Challenge,
        Fallback::Deny => Disposition::Deny,
    }
}

/// Threads that read requests: as configured, else one a core.
pub fn threads(serve: &Serve) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    serve
        .threads
        .map_or_else(cores, |threads| usize::from(threads.max(1)))
}

/// When snapshots are taken.
pub fn rhythm(serve: &Serve) -> Rhythm {
    Rhythm {
        entries: serve.snapshot_events.max(1),
        millis: i64::from(serve.snapshot_minutes) * 60_000,
    }
}

/// How long the log is kept.
pub fn retention(serve: &Serve) -> Retention {
    Retention {
        age: Some(Millis::from_hours(i64::from(serve.retention_days) * 24)),
        bytes_max: Some(serve.retention_size.0.0),
    }
}

/// What the reducer is made with.
pub fn live_settings(loaded: &Loaded) -> LiveSettings {
    let config = &loaded.config;
    LiveSettings {
        engine: config.engine(1),
        lateness: Millis(i64::from(config.serve.lateness_seconds) * 1_000),
        waiting_max: config.serve.waiting_max,
        findings_from: config.findings.from_score,
        findings: habitus_findings::Settings {
            window: Millis::from_hours(i64::from(config.findings.window_hours)),
            ..habitus_findings::Settings::default()
        },
        ..LiveSettings::default()
    }
}

/// What reads records, with the tables that the configuration names.
pub fn reader(loaded: &Loaded) -> Result<Reader, Failure> {
    let config = &loaded.config;
    let tables = Arc::new(loaded.tables(Depth::Usable)?);
    let options = Options {
        limits: config.limits,
        reference_time: None,
        utc_offset: config.formats.utc_offset,
        keep_unmapped: false,
    };
    let frame = FrameLimits {
        record_bytes_max: config.limits.record_bytes_max,
        ..FrameLimits::local()
    };
    let reader = Reader::new(options, frame, tables);
    reader.warm();
    Ok(reader)
}

/// Responders and exporters.
///
/// # Errors
/// What is wrong with each.
pub fn registry(loaded: &Loaded) -> Result<Registry, Failure> {
    let mut settings = habitus_responders::Settings {
        responder: loaded.config.responder.clone(),
        exporter: loaded.config.exporter.clone(),
    };
    settings.resolve_paths(loaded.base());
    let clock = habitus_responders::Clock::new(|| clock::now().as_millis());
    habitus_responders::build(&settings, &Guard::default(), &clock).map_err(|errors| {
        let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Failure::new(Trouble::Configuration, all.join("\n"))
    })
}

/// The policy's text, checked, and where it is from. The default one is written where none is named and none is there.
///
/// # Errors
/// One that cannot be read, does not hold, or breaks its own tests.
pub fn policy(loaded: &Loaded, layout: &Layout, registry: &Registry) -> Result<(String, PathBuf), Failure> {
    let named = loaded
        .config
        .serve
        .policy
        .as_ref()
        .map(|path| loaded.base().join(path));
    let path = named.clone().unwrap_or_else(|| layout.part("policy.toml"));
    if named.is_none() && !path.exists() {
        std::fs::write(&path, Policy::default_text())?;
    }
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Failure::new(
            Trouble::Configuration,
            format!("the policy `{}` cannot be read: {error}", path.display()),
        )
    })?;
    let responders: Vec<&str> = registry.responders().map(|(name, _, _)| name).collect();
    let exporters: Vec<&str> = registry.exporters().map(|(name, _)| name).collect();
    let surroundings = Surroundings {
        responders: Some(&responders),
        exporters: &exporters,
        now: Some(clock::now().as_event()),
    };
    let shown = path.display().to_string();
    let policy = Policy::parse_in(&text, &surroundings).map_err(|problems| {
        let mut errors = problems
            .iter()
            .filter(|problem| problem.severity == Severity::Error);
        let first = errors
            .next()
            .map_or("it cannot be read", |problem| &problem.message);
        let more = match errors.count() {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let message = format!("the policy `{shown}` does not hold: {first}{more}");
        Failure::new(Trouble::Configuration, message).help(format!("habitus check policy {shown}"))
    })?;
    if let Some(problem) = policy.failing_tests().first() {
        let message = format!("the policy `{shown}` breaks its own test: {}", problem.message);
        return Err(
            Failure::new(Trouble::Configuration, message).help(format!("habitus check policy {shown}"))
        );
    }
    Ok((text, path))
}

/// Whether the policy that a server would start with holds, and where it is; where there is none, the default one is written
/// at the first start.
///
/// # Errors
/// Why it does not hold.
pub fn check_policy(loaded: &Loaded, layout: &Layout) -> Result<PathBuf, Failure> {
    let is_default = loaded.config.serve.policy.is_none() && !layout.part("policy.toml").exists();
    if is_default {
        return Ok(layout.part("policy.toml"));
    }
    policy(loaded, layout, &registry(loaded)?).map(|(_, path)| path)
}

/// Whether responders and exporters can be made as they are configured; nothing is connected to.
///
/// # Errors
/// What is wrong with each.
pub fn check_responders(loaded: &Loaded) -> Result<(), Failure> {
    registry(loaded).map(drop)
}
