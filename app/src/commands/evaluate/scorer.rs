//! The engine as something that can be measured.

use habitus_engine::{Config, Engine, Learning, Record};
use habitus_evaluate::{Login, Said, Scorer};
use habitus_model::{Assessment, Family};

/// The engine as it is by default: score first, ties of the capped score broken by log-odds, as verdicts are read.
pub struct Habitus {
    name: String,
    engine: Engine,
    last: Option<Said>,
}

impl Habitus {
    /// A fresh engine.
    pub fn new() -> Self {
        Self::of("habitus", Config::default())
    }

    /// Fresh engines, each without one family of evidence.
    pub fn ablations() -> Vec<Self> {
        let without = |family: Family| {
            let mut config = Config::default();
            config.weights = config.weights.without(family);
            Self::of(format!("without {}", family.name()), config)
        };
        Family::ALL.into_iter().map(without).collect()
    }

    fn of(name: impl Into<String>, config: Config) -> Self {
        Self {
            name: name.into(),
            engine: Engine::new(config),
            last: None,
        }
    }

    fn rank(&mut self, assessment: &Assessment) -> f64 {
        self.last = Some(Said {
            score: assessment.score.get(),
            lead: assessment.lead().and_then(|reason| reason.family),
        });
        // A millionth of a point per nat: below any difference of scores that is shown.
        assessment.score.get() + assessment.log_odds.0 * 1e-6
    }
}

impl Scorer for Habitus {
    fn name(&self) -> &str {
        &self.name
    }

    fn score(&mut self, login: Login<'_>) -> f64 {
        let assessment = self.engine.assess(&record(login, Learning::Probe));
        self.rank(&assessment)
    }

    fn learn(&mut self, login: Login<'_>) {
        self.engine.handle(&record(login, Learning::Learn));
    }

    fn observe(&mut self, login: Login<'_>) -> f64 {
        let assessment = self.engine.handle(&record(login, Learning::Learn));
        self.rank(&assessment)
    }

    fn said(&self) -> Option<Said> {
        self.last
    }
}

fn record(login: Login<'_>, learning: Learning) -> Record {
    Record {
        uid: login.event.uid.clone(),
        context: login.context.clone(),
        learning,
    }
}
