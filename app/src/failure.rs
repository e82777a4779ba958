//! How a command ends: the exit codes that scripts rely on, and errors that say how to mend what is wrong.

use habitus_live::SnapshotError;
use std::io;
use std::process::ExitCode;

/// How a command ended, when it ended as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// Done, and something met `--fail-on`.
    Found,
}

/// What sort of trouble ended a command; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The command line asks for something that cannot be.
    Usage,
    /// The input cannot be read or understood.
    Data,
    /// A file or directory of ours cannot be written, or a resource is not there.
    Unavailable,
    /// Ours.
    Bug,
    /// The configuration is wrong; what is wrong has been printed.
    Configuration,
    /// Nobody reads our output any more: `habitus normalize … | head`. Not an error.
    Pipe,
}

/// An error that ends a command.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    trouble: Trouble,
    message: String,
    help: Option<String>,
}

impl Outcome {
    /// The exit code.
    pub fn exit_code(self) -> ExitCode {
        match self {
            Outcome::Done => ExitCode::SUCCESS,
            Outcome::Found => ExitCode::from(1),
        }
    }
}

impl Failure {
    /// An error of the given sort. `message` is lower case without a final stop.
    pub fn new(trouble: Trouble, message: impl Into<String>) -> Self {
        Self {
            trouble,
            message: message.into(),
            help: None,
        }
    }

    /// With advice, shown on a line of its own.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What to do about it, if that is known.
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The sort of trouble.
    pub fn trouble(&self) -> Trouble {
        self.trouble
    }

    /// The exit code: DESIGN.md section 3, after `sysexits.h`.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.trouble {
            Trouble::Pipe => 0,
            Trouble::Usage => 2,
            Trouble::Data => 65,
            Trouble::Unavailable => 69,
            Trouble::Bug => 70,
            Trouble::Configuration => 78,
        })
    }
}

impl From<habitus_sources::Error> for Failure {
    fn from(error: habitus_sources::Error) -> Self {
        use habitus_sources::Error;
        let trouble = match &error {
            Error::StdinTwice => Trouble::Usage,
            Error::Panicked { .. } => Trouble::Bug,
            Error::Spawn { .. } | Error::Temporary { .. } | Error::TemporaryDamaged { .. } => {
                Trouble::Unavailable
            }
            // The rest is about what was given to read.
            _ => Trouble::Data,
        };
        Self::new(trouble, error.to_string())
    }
}

impl From<postcard::Error> for Failure {
    fn from(_: postcard::Error) -> Self {
        Self::new(Trouble::Bug, "an event could not be put aside and taken up again")
    }
}

impl From<SnapshotError> for Failure {
    fn from(error: SnapshotError) -> Self {
        Self::new(Trouble::Bug, error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        if error.is_io() {
            return io::Error::from(error).into();
        }
        Self::new(Trouble::Bug, "a result could not be written as JSON")
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::new(Trouble::Pipe, "nobody reads the output any more")
        } else {
            Self::new(Trouble::Unavailable, format!("cannot write: {error}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_no_error() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(failure.trouble(), Trouble::Pipe);
        let failure = Failure::from(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(failure.trouble(), Trouble::Unavailable);
    }
}
