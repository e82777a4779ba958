//! A circuit breaker: leaves a failing responder alone for a while, then tries it with one order.
//!
//! After M. Nygard, *Release It!* (2007). Opens after 5 failures in a row, or when half of the last 20 failed; after 30 s one order
//! may try; its success closes the breaker, its failure opens it again (RELIABILITY section 4). Pure: time is a parameter.

use habitus_model::IngestTime;

/// Failures in a row that open it.
pub const FAILURES_IN_A_ROW: u32 = 5;
/// Outcomes that are remembered.
pub const REMEMBERED: u32 = 20;
/// Failures among [`REMEMBERED`] outcomes that open it.
pub const FAILURES_REMEMBERED: u32 = 10;
/// How long it stays open before one order may try.
pub const OPEN_MS: i64 = 30_000;

/// What the breaker says to an order that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// Send.
    Go,
    /// Send this one alone, and wait for what comes of it.
    Probe,
    /// Wait.
    Wait,
}

/// The breaker of one responder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Breaker {
    state: State,
    in_a_row: u32,
    /// One bit an outcome, newest lowest; 1 is a failure.
    outcomes: u32,
    count: u32,
}

/// What the breaker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// Orders flow.
    #[default]
    Closed,
    /// None may go before this time, in milliseconds since the epoch.
    Open {
        /// Until when.
        until_ms: i64,
    },
    /// One is under way to see whether the responder works again.
    HalfOpen,
}

impl Breaker {
    /// What it is now.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Asks for an order that is due. After [`Permit::Probe`] the answer is [`Permit::Wait`] until an outcome is recorded.
    pub const fn permit(&mut self, now: IngestTime) -> Permit {
        match self.state {
            State::Closed => Permit::Go,
            State::Open { until_ms } if now.as_millis() >= until_ms => {
                self.state = State::HalfOpen;
                Permit::Probe
            }
            State::Open { .. } | State::HalfOpen => Permit::Wait,
        }
    }

    /// Records that the responder worked.
    pub const fn succeeded(&mut self) {
        match self.state {
            State::Closed => {
                self.in_a_row = 0;
                self.remember(0);
            }
            // An order that was under way when it opened tells the same as the probe.
            State::Open { .. } | State::HalfOpen => *self = Self::new(),
        }
    }

    /// Records that it did not.
    pub const fn failed(&mut self, now: IngestTime) {
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.remember(1);
        let opens = match self.state {
            State::Closed => {
                let half = self.count >= REMEMBERED && self.outcomes.count_ones() >= FAILURES_REMEMBERED;
                self.in_a_row >= FAILURES_IN_A_ROW || half
            }
            State::HalfOpen => true,
            // It stays open no longer for failures of orders that were under way.
            State::Open { .. } => false,
        };
        if opens {
            self.state = State::Open {
                until_ms: now.as_millis().saturating_add(OPEN_MS),
            };
        }
    }

    const fn new() -> Self {
        Self {
            state: State::Closed,
            in_a_row: 0,
            outcomes: 0,
            count: 0,
        }
    }

    const fn remember(&mut self, outcome: u32) {
        self.outcomes = (self.outcomes << 1 | outcome) & ((1 << REMEMBERED) - 1);
        if self.count < REMEMBERED {
            self.count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> IngestTime {
        IngestTime::from_millis(ms).unwrap()
    }

    #[test]
    fn five_failures_in_a_row_open_it_and_one_probe_decides() {
        let mut breaker = Breaker::default();
        for _ in 0..4 {
            breaker.failed(at(0));
        }
        assert_eq!(breaker.permit(at(0)), Permit::Go);
        breaker.failed(at(0));
        assert_eq!(breaker.permit(at(OPEN_MS - 1)), Permit::Wait);
        assert_eq!(breaker.permit(at(OPEN_MS)), Permit::Probe);
        assert_eq!(breaker.permit(at(OPEN_MS)), Permit::Wait, "one probe only");
        breaker.failed(at(OPEN_MS));
        assert_eq!(breaker.permit(at(2 * OPEN_MS - 1)), Permit::Wait);
        assert_eq!(breaker.permit(at(2 * OPEN_MS)), Permit::Probe);
        breaker.succeeded();
        assert_eq!(
            (breaker.permit(at(2 * OPEN_MS)), breaker),
            (Permit::Go, Breaker::default())
        );
    }

    #[test]
    fn half_of_twenty_open_it_and_a_success_in_between_does_not_hide_them() {
        let mut breaker = Breaker::default();
        for outcome in 0..19 {
            if outcome % 2 == 0 {
                breaker.failed(at(1))
            } else {
                breaker.succeeded()
            }
            assert_eq!(breaker.permit(at(1)), Permit::Go, "outcome {outcome}");
        }
        breaker.failed(at(1));
        assert_eq!(breaker.permit(at(1)), Permit::Wait);
    }
}
