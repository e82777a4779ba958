//! What is wrong with a configuration, shown where it stands in the file.

use crate::failure::{Failure, Trouble};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};
use serde::Serialize;
use std::fmt;
use std::ops::Range;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What; lower case without a final stop.
    pub message: String,
    /// Where, in bytes; absent if it is about the file as a whole.
    pub span: Option<Range<usize>>,
    /// What is written below the place.
    pub label: String,
    /// How to mend it.
    pub help: Option<String>,
}

/// Everything that is wrong with one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    file: String,
    text: String,
    all: Vec<Problem>,
}

/// A problem as `--json` prints it.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
    message: &'a str,
    line: Option<usize>,
    column: Option<usize>,
    help: Option<&'a str>,
}

impl Problem {
    /// A problem at a place.
    pub fn at(span: Option<Range<usize>>, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            span,
            label: "here".to_owned(),
            help: None,
        }
    }

    /// With the words below the place.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// With advice.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Problems {
    /// The problems of a file with this text.
    pub fn new(file: impl Into<String>, text: impl Into<String>, all: Vec<Problem>) -> Self {
        Self {
            file: file.into(),
            text: text.into(),
            all,
        }
    }

    /// As a person reads them: each with its lines of the file.
    pub fn render(&self) -> String {
        let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode()).with_links(false);
        let mut out = String::new();
        for problem in &self.all {
            let shown = Shown {
                problem,
                source: miette::NamedSource::new(&self.file, self.text.clone()),
            };
            // Writing to memory does not fail.
            let _ = handler.render_report(&mut out, &shown);
        }
        out
    }

    /// The first one's message; absent if there is none.
    pub fn first(&self) -> Option<&str> {
        self.all.first().map(|problem| problem.message.as_str())
    }

    /// As a machine reads them.
    pub fn lines(&self) -> Vec<Line<'_>> {
        let mut lines = Vec::with_capacity(self.all.len());
        for problem in &self.all {
            let at = problem.span.as_ref().map(|span| self.position(span.start));
            lines.push(Line {
                message: &problem.message,
                line: at.map(|at| at.0),
                column: at.map(|at| at.1),
                help: problem.help.as_deref(),
            });
        }
        lines
    }

    /// Line and column, from 1, of a byte.
    fn position(&self, byte: usize) -> (usize, usize) {
        let before = self.text.get(..byte).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        let count = problems.all.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        let text = format!("{count} {noun} in the configuration\n{}", problems.render());
        Failure::new(Trouble::Configuration, text.trim_end())
            .help("`habitus check config FILE` tries it again without starting anything")
    }
}

/// A problem with its source, as `miette` wants it.
#[derive(Debug)]
struct Shown<'a> {
    problem: &'a Problem,
    source: miette::NamedSource<String>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem
            .help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.problem
            .span
            .as_ref()
            .map(|_| &self.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.problem.span.clone()?;
        let label = LabeledSpan::new(Some(self.problem.label.clone()), span.start, span.len());
        Some(Box::new(std::iter::once(label)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_lines_and_columns() {
        let text = "[a]\nbé = 1\n";
        let problem = Problem::at(Some(4..5), "no").help("yes");
        let problems = Problems::new("c.toml", text, vec![problem]);
        let json = serde_json::to_value(problems.lines()).unwrap();
        assert_eq!(
            json,
            serde_json::json!([{"message": "no", "line": 2, "column": 1, "help": "yes"}])
        );
        assert!(problems.render().contains("c.toml:2:1"), "{}", problems.render());
    }
}
