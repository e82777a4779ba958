//! The bout of prompts for a second factor that goes on: how many were denied, ignored or wrong in a row.
//!
//! Counts failures within half an hour of each other, until one is satisfied where they came from: an owner who logs in
//! meanwhile at home ends nobody else's. Learned from failures too: it says nothing of who the owner is, only that somebody
//! who has the password is trying. 32 bytes, and only for accounts that ever failed one.

use habitus_model::{Minutes, Prompt, PromptKind, PromptOutcome};
use serde::{Deserialize, Serialize};

/// A bout ends after so many minutes of peace (FIELD row 35: windows of 10 to 30).
const BOUT_MINUTES: f64 = 30.0;

/// The prompts that failed of late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bout {
    kind: PromptKind,
    failed: u8,
    denied: u8,
    /// A prompt was sent and not answered yet.
    open: bool,
    last: Minutes,
    /// Network of the latest that failed. Absent: not shown.
    place: Option<u64>,
}

/// A prompt, and when and where it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The prompt.
    pub prompt: Prompt,
    /// When.
    pub now: Minutes,
    /// Fingerprint of the network. Absent: not shown.
    pub place: Option<u64>,
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
    /// Those of them that a person refused, as far as the source says.
    pub denied: u8,
    /// Those failed on another network than this one is asked for from.
    pub elsewhere: bool,
}

impl Bout {
    /// Holds a prompt against the bout that may go on.
    #[must_use]
    pub fn sight(bout: Option<&Bout>, asked: Asked) -> PromptSeen {
        let prompt = asked.prompt;
        let held = bout.filter(|bout| asked.now.since(bout.last) <= BOUT_MINUTES);
        let before = held.map_or(0, |bout| bout.failed);
        // A prompt that follows one that nobody answered says that it was ignored.
        let ignored = held.is_some_and(|bout| bout.open) && prompt.outcome == PromptOutcome::Sent;
        let denied = prompt.outcome == PromptOutcome::Denied;
        let fails = ignored || denied || prompt.outcome == PromptOutcome::Failed;
        let places = held.and_then(|bout| bout.place).zip(asked.place);
        PromptSeen {
            kind: held.map_or(prompt.kind, |bout| bout.merged(prompt.kind)),
            outcome: prompt.outcome,
            failed: before.saturating_add(u8::from(fails)),
            denied: held
                .map_or(0, |bout| bout.denied)
                .saturating_add(u8::from(denied)),
            elsewhere: before > 0 && places.is_some_and(|(held, now)| held != now),
        }
    }

    /// The bout after this prompt; absent if it ended.
    #[must_use]
    pub fn after(bout: Option<&Bout>, seen: PromptSeen, asked: Asked) -> Option<Bout> {
        let open = match asked.prompt.outcome {
            PromptOutcome::Sent => true,
            PromptOutcome::Failed | PromptOutcome::Denied => false,
            // What says nothing of its factor is often a token that is renewed: it answers no prompt. Nor does one that is
            // satisfied on another network: who is asked there is somebody else, or will be again.
            PromptOutcome::Satisfied if asked.prompt.kind == PromptKind::Unknown || seen.elsewhere => {
                return bout.copied();
            }
            PromptOutcome::Satisfied => return None,
        };
        Some(Bout {
            kind: seen.kind,
            failed: seen.failed,
            denied: seen.denied,
            open,
            last: bout.map_or(asked.now, |bout| bout.last.max(asked.now)),
            place: asked.place.or(bout.and_then(|bout| bout.place)),
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
    use PromptOutcome::{Denied, Failed, Satisfied, Sent};

    fn check(outcomes: &[(u32, PromptOutcome)], expected: u8) {
        let there = |(minute, outcome): &(u32, PromptOutcome)| (*minute, *outcome, 1);
        let seen = play(&outcomes.iter().map(there).collect::<Vec<_>>());
        assert_eq!(seen.map_or(0, |seen| seen.failed), expected, "{outcomes:?}");
    }

    /// Prompts with their minute and network; gives the last as it was seen.
    fn play(prompts: &[(u32, PromptOutcome, u64)]) -> Option<PromptSeen> {
        let mut bout = None;
        let mut last = None;
        for (minute, outcome, place) in prompts {
            let asked = Asked {
                prompt: Prompt {
                    kind: PromptKind::Push,
                    outcome: *outcome,
                },
                now: Minutes(*minute),
                place: Some(*place),
            };
            let seen = Bout::sight(bout.as_ref(), asked);
            bout = Bout::after(bout.as_ref(), seen, asked);
            last = Some(seen);
        }
        last
    }

    #[test]
    fn failures_in_a_row_are_counted_until_one_is_satisfied() {
        check(&[(0, Failed), (1, Failed), (2, Failed)], 3);
        check(&[(0, Failed), (1, Satisfied), (2, Failed)], 1);
        check(&[(0, Failed), (1, Failed), (2, Satisfied)], 2);
        check(&[(0, Failed), (90, Failed)], 1);
    }

    #[test]
    fn what_a_person_refused_is_told_from_what_was_left_alone() {
        let last = play(&[(0, Denied, 1), (1, Failed, 1), (2, Denied, 1)]);
        assert_eq!(last.map(|seen| (seen.failed, seen.denied)), Some((3, 2)));
    }

    #[test]
    fn an_owner_who_logs_in_meanwhile_ends_no_bout() {
        let owner = play(&[(0, Failed, 1), (1, Failed, 1), (2, Satisfied, 2)]);
        assert_eq!(owner.map(|seen| (seen.failed, seen.elsewhere)), Some((2, true)));
        let goes_on = play(&[(0, Failed, 1), (1, Failed, 1), (2, Satisfied, 2), (3, Failed, 1)]);
        assert_eq!(
            goes_on.map(|seen| (seen.failed, seen.elsewhere)),
            Some((3, false))
        );
        let same = play(&[(0, Failed, 1), (1, Failed, 1), (2, Satisfied, 1), (3, Failed, 1)]);
        assert_eq!(same.map(|seen| seen.failed), Some(1));
    }

    #[test]
    fn a_prompt_that_nobody_answered_was_ignored() {
        check(&[(0, Sent), (1, Sent), (2, Sent)], 2);
        check(&[(0, Sent), (1, Failed), (2, Sent), (3, Failed)], 2);
    }
}
