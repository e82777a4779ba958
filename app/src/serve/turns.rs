//! Who reads when, and who waits so long that it is better told to come again.
//!
//! Memory alone does not bound how long a small request waits: hundreds of them fit into it. A queue that stands makes every answer
//! late and none of them fewer, so who has not had a turn within its patience is refused, and those behind it come sooner.

use habitus_console::product::Refusal;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Patience where turns are short: the longest delay that "Fail at Scale" (Maurer, ACM Queue 13(8), 2015) lets a request queue for.
const PATIENCE_MIN: Duration = Duration::from_millis(100);
/// Patience where turns are long; senders give up after 10 s and more (Fluent Bit 10 s, Vector 60 s).
const PATIENCE_MAX: Duration = Duration::from_secs(8);
/// Turns that somebody waits for. One who comes while batches of megabytes are read finds a few of them ahead without anything
/// being wrong: so many may be, on each thread, before it counts as more than the server can do.
const TURNS_AHEAD: f64 = 4.0;
/// What a turn counts for after the next one: some hundred turns say how long turns are.
const FADING: f64 = 0.99;
/// Seconds after which a refused sender may come again: a full queue drains in less.
const RETRY_SECONDS: u32 = 1;

/// As many requests at a time as there are cores, those of either kind in a line of their own.
///
/// More at a time would share the same cores, and each thread that reads holds caches of its own: automata of the table of
/// clients, megabytes each. An inline decision does not wait for a batch of a million lines.
#[derive(Debug)]
pub struct Turns {
    /// For events that come in.
    pub intake: Line,
    /// For inline decisions, which have a deadline of their own.
    pub inline: Line,
}

impl Turns {
    /// So many of either kind.
    pub fn new(threads: usize) -> Self {
        Self {
            intake: Line::new(threads),
            inline: Line::new(threads),
        }
    }
}

/// A line of requests. Cloning gives another handle of the same.
#[derive(Debug, Clone)]
pub struct Line {
    turns: Arc<Semaphore>,
    held: Arc<Mutex<Held>>,
}

/// A turn: given back when dropped, whoever has stopped waiting for what comes of it.
#[derive(Debug)]
pub struct Turn {
    _turn: OwnedSemaphorePermit,
    held: Arc<Mutex<Held>>,
    since: Instant,
}

impl Line {
    fn new(threads: usize) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(threads)),
            held: Arc::default(),
        }
    }

    /// Waits for a turn, however long it takes: for those of whom there are few, and who have a bound of their own.
    ///
    /// # Errors
    /// [`Refusal::ShuttingDown`] once nobody gets a turn any more.
    pub async fn turn(&self) -> Result<Turn, Refusal> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        Ok(Turn {
            _turn: turn.map_err(|_| Refusal::ShuttingDown)?,
            held: Arc::clone(&self.held),
            since: Instant::now(),
        })
    }

    /// Waits for a turn while that is no longer than turns usually make one wait.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] after that.
    pub async fn turn_soon(&self) -> Result<Turn, Refusal> {
        let patience = self.held.lock().patience();
        let refused = Refusal::Overloaded {
            retry_after: RETRY_SECONDS,
        };
        tokio::time::timeout(patience, self.turn())
            .await
            .unwrap_or(Err(refused))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.held.lock().note(self.since.elapsed());
    }
}

/// How long turns were lately: sums of seconds and of their squares.
#[derive(Debug, Default)]
struct Held {
    seconds: f64,
    squares: f64,
}

impl Held {
    fn note(&mut self, turn: Duration) {
        let seconds = turn.as_secs_f64();
        self.seconds = self.seconds * FADING + seconds;
        self.squares = self.squares * FADING + seconds * seconds;
    }

    /// The turn that somebody who comes at any moment finds under way is longer than the mean of all, because long ones are found
    /// more often: the sum of squares over the sum (the inspection paradox of renewal theory).
    fn patience(&self) -> Duration {
        if self.seconds <= 0.0 {
            return PATIENCE_MIN;
        }
        let found = (self.squares / self.seconds).min(PATIENCE_MAX.as_secs_f64());
        Duration::from_secs_f64(found * TURNS_AHEAD).clamp(PATIENCE_MIN, PATIENCE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_that_stands_refuses_and_one_that_moves_does_not() {
        let line = Line::new(1);
        let turn = line.turn().await.unwrap();
        let began = Instant::now();
        let refused = line.turn_soon().await;
        assert!(matches!(refused, Err(Refusal::Overloaded { retry_after: 1 })));
        assert!(began.elapsed() >= PATIENCE_MIN);
        drop(turn);
        assert!(line.turn_soon().await.is_ok());
    }

    #[tokio::test]
    async fn a_waiter_without_a_limit_waits() {
        let line = Line::new(1);
        let turn = line.turn().await.unwrap();
        let waiter = line.clone();
        let waiter = tokio::spawn(async move { waiter.turn().await.is_ok() });
        tokio::time::sleep(PATIENCE_MIN * 2).await;
        assert!(!waiter.is_finished());
        drop(turn);
        assert!(waiter.await.unwrap());
    }

    #[test]
    fn who_comes_among_long_turns_is_more_patient() {
        let short = Duration::from_millis(1);
        let mut held = Held::default();
        assert_eq!(held.patience(), PATIENCE_MIN);
        for _ in 0..50 {
            held.note(short);
        }
        assert_eq!(held.patience(), PATIENCE_MIN);
        // One long turn among many short ones: it is the one that others find under way.
        held.note(Duration::from_secs(1));
        let patience = held.patience();
        assert!(patience > Duration::from_secs(3), "{patience:?}");
        for _ in 0..2_000 {
            held.note(short);
        }
        assert_eq!(held.patience(), PATIENCE_MIN, "what was is forgotten");
        held.note(Duration::from_secs(3_600));
        assert_eq!(held.patience(), PATIENCE_MAX);
    }
}
