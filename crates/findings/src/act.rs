//! What a command changes in the triage of one finding, and how it is taken back.

use crate::command::{Act, Command, CommandId, Refused};
use crate::triage::{Deed, Entry, Inverse, NOTES_MAX, Note, Ruling, State, Triage};

impl Triage {
    /// Writes down what was done, and how to take it back.
    pub(crate) fn done(&mut self, command: &Command, what: Deed, inverse: Inverse) {
        self.log(command, what);
        self.remember(inverse);
    }

    fn log(&mut self, command: &Command, what: Deed) {
        self.record(Entry {
            at: Some(command.at),
            by: Some(command.by.clone()),
            what,
        });
    }

    /// Gives a verdict.
    pub(crate) fn judge(&mut self, command: &Command, ruling: Ruling) {
        let verdict = ruling.verdict;
        let inverse = Inverse {
            command: command.id.clone(),
            state: Some(self.state),
            ruling: Some(self.ruling.take().map(Box::new)),
            ..Inverse::default()
        };
        self.state = if verdict.closes() {
            State::Closed
        } else {
            State::InProgress
        };
        self.ruling = Some(ruling);
        self.done(command, Deed::Judged(verdict), inverse);
    }

    /// Assigns, notes, puts aside or closes; other acts are done elsewhere.
    pub(crate) fn simple(&mut self, command: &Command) -> Result<(), Refused> {
        let mut inverse = Inverse {
            command: command.id.clone(),
            ..Inverse::default()
        };
        let deed = match &command.act {
            Act::Assign(to) => {
                inverse.assignee = Some(std::mem::replace(&mut self.assignee, to.clone()));
                if self.state != State::Closed {
                    inverse.state = Some(self.state);
                    self.state = self.open_state();
                }
                Deed::Assigned(to.clone())
            }
            Act::Note(text) => {
                self.note(command, text)?;
                inverse.noted = true;
                Deed::Noted
            }
            Act::Snooze(until) => {
                inverse.snoozed = Some(std::mem::replace(&mut self.snoozed_until, *until));
                Deed::Snoozed(*until)
            }
            Act::Close => {
                inverse.state = Some(std::mem::replace(&mut self.state, State::Closed));
                Deed::Closed
            }
            Act::Judge(_) | Act::Undo(_) | Act::Reopen => return Ok(()),
        };
        self.done(command, deed, inverse);
        Ok(())
    }

    fn note(&mut self, command: &Command, text: &str) -> Result<(), Refused> {
        if self.notes.len() >= NOTES_MAX {
            return Err(Refused::NotesFull);
        }
        self.notes.push(Note {
            id: command.id.clone(),
            by: command.by.clone(),
            at: command.at,
            text: text.to_owned(),
        });
        Ok(())
    }

    /// Whether a command can be taken back: it is remembered, and no later one changed the same.
    pub(crate) fn may_undo(&self, of: &CommandId) -> Result<(), Refused> {
        let at = self.undo.iter().position(|inverse| inverse.command == *of);
        let at = at.ok_or(Refused::NothingToUndo)?;
        let mut from = self.undo.iter().skip(at);
        let this = from.next().ok_or(Refused::NothingToUndo)?;
        if from.any(|later| later.overlaps(this)) {
            return Err(Refused::Overtaken);
        }
        Ok(())
    }

    /// Takes a command back, the last one unless one is named; nothing happens where it cannot be.
    pub(crate) fn undo_if_possible(&mut self, command: &Command, of: Option<&CommandId>) {
        let last = self.undo.last().map(|inverse| &inverse.command);
        let Some(of) = of.or(last).cloned() else {
            return;
        };
        if self.may_undo(&of).is_ok() {
            self.undo(command, &of);
        }
    }

    /// Takes a command back that may be.
    pub(crate) fn undo(&mut self, command: &Command, of: &CommandId) {
        let Some(at) = self.undo.iter().position(|inverse| inverse.command == *of) else {
            return;
        };
        let inverse = self.undo.remove(at);
        if let Some(state) = inverse.state {
            self.state = state;
        }
        if let Some(assignee) = inverse.assignee {
            self.assignee = assignee;
        }
        if let Some(ruling) = inverse.ruling {
            self.ruling = ruling.map(|ruling| *ruling);
        }
        if let Some(snoozed) = inverse.snoozed {
            self.snoozed_until = snoozed;
        }
        if inverse.noted {
            self.notes.retain(|note| note.id != *of);
        }
        self.log(command, Deed::Undone(of.clone()));
    }
}

impl Inverse {
    fn overlaps(&self, other: &Self) -> bool {
        (self.state.is_some() && other.state.is_some())
            || (self.assignee.is_some() && other.assignee.is_some())
            || (self.ruling.is_some() && other.ruling.is_some())
            || (self.snoozed.is_some() && other.snoozed.is_some())
    }
}
