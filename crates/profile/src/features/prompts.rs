//! The bout of prompts for a second factor that goes on: how many were denied, ignored or wrong in a row.
//!
//! Counts failures within half an hour of each other, until one is satisfied. Learned from failures too: it says nothing of
//! who the owner is, only that somebody who has the password is trying. 12 bytes, and only for accounts that ever failed one.

use habitus_model::{Minutes, Prompt, PromptKind, PromptOutcome};
use serde::{Deserialize, Serialize};

/// A bout ends after so many minutes of peace (FIELD row 35: windows of 10 to 30).
const BOUT_MINUTES: f64 = 30.0;

/// The prompts that failed of late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bout {
    kind: PromptKind,
    failed: u8,
    /// A prompt was sent and not answered yet.
    open: bool,
    last: Minutes,
}

/// A prompt held against the bout it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromptSeen {
    /// How it is asked for.
    pub kind: PromptKind,
    /// What became of it.
    pub outcome: PromptOutcome,
    /// Prompts of the bout that failed, this one included.
    pub failed: u8,
}

impl Bout {
    /// Holds a prompt against the bout that may go on.
    #[must_use]
    pub fn sight(bout: Option<&Bout>, prompt: Prompt, now: Minutes) -> PromptSeen {
        let held = bout.filter(|bout| now.since(bout.last) <= BOUT_MINUTES);
        let before = held.map_or(0, |bout| bout.failed);
        // A prompt that follows one that nobody answered says that it was ignored.
        let ignored = held.is_some_and(|bout| bout.open) && prompt.outcome == PromptOutcome::Sent;
        let fails = ignored || prompt.outcome == PromptOutcome::Failed;
        PromptSeen {
            kind: held.map_or(prompt.kind, |bout| bout.merged(prompt.kind)),
            outcome: prompt.outcome,
            failed: before.saturating_add(u8::from(fails)),
        }
    }

    /// The bout after this prompt; absent if it ended.
    #[must_use]
    pub fn after(bout: Option<&Bout>, seen: PromptSeen, prompt: Prompt, now: Minutes) -> Option<Bout> {
        let open = match prompt.outcome {
            PromptOutcome::Sent => true,
            PromptOutcome::Failed => false,
            // What says nothing of its factor is often a token that is renewed: it answers no prompt.
            PromptOutcome::Satisfied if prompt.kind == PromptKind::Unknown => return bout.copied(),
            PromptOutcome::Satisfied => return None,
        };
        Some(Bout {
            kind: seen.kind,
            failed: seen.failed,
            open,
            last: bout.map_or(now, |bout| bout.last.max(now)),
        })
    }

    fn merged(&self, kind: PromptKind) -> PromptKind {
        if kind == PromptKind::Unknown {
            self.kind
        } else {
            kind
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use PromptOutcome::{Failed, Satisfied, Sent};

    fn check(outcomes: &[(u32, PromptOutcome)], expected: u8) {
        let mut bout = None;
        let mut failed = 0;
        for (minute, outcome) in outcomes {
            let prompt = Prompt {
                kind: PromptKind::Push,
                outcome: *outcome,
            };
            let seen = Bout::sight(bout.as_ref(), prompt, Minutes(*minute));
            bout = Bout::after(bout.as_ref(), seen, prompt, Minutes(*minute));
            failed = seen.failed;
        }
        assert_eq!(failed, expected, "{outcomes:?}");
    }

    #[test]
    fn failures_in_a_row_are_counted_until_one_is_satisfied() {
        check(&[(0, Failed), (1, Failed), (2, Failed)], 3);
        check(&[(0, Failed), (1, Satisfied), (2, Failed)], 1);
        check(&[(0, Failed), (1, Failed), (2, Satisfied)], 2);
        check(&[(0, Failed), (90, Failed)], 1);
    }

    #[test]
    fn a_prompt_that_nobody_answered_was_ignored() {
        check(&[(0, Sent), (1, Sent), (2, Sent)], 2);
        check(&[(0, Sent), (1, Failed), (2, Sent), (3, Failed)], 2);
    }
}
