//! Problems of a policy as people and machines read them.

use habitus_policy::{Problem, Severity};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use serde::Serialize;
use std::fmt;

/// A problem as `--json` prints it.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
    severity: &'static str,
    message: &'a str,
    label: &'a str,
    line: Option<usize>,
    column: Option<usize>,
    help: Option<&'a str>,
}

/// As a person reads them: each with its lines of the file.
pub fn render(file: &str, text: &str, problems: &[Problem]) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode()).with_links(false);
    let source = NamedSource::new(file, text.to_owned());
    let mut out = String::new();
    for problem in problems {
        let shown = Shown {
            problem,
            source: &source,
        };
        // Writing to memory does not fail.
        let _ = handler.render_report(&mut out, &shown);
    }
    out
}

/// As a machine reads them.
pub fn lines<'a>(text: &str, problems: &'a [Problem]) -> Vec<Line<'a>> {
    let line = |problem: &'a Problem| {
        let at = problem.position(text);
        Line {
            severity: problem.severity.name(),
            message: &problem.message,
            label: &problem.label,
            line: at.map(|at| at.0),
            column: at.map(|at| at.1),
            help: problem.help.as_deref(),
        }
    };
    problems.iter().map(line).collect()
}

/// A problem with its source, as `miette` wants it.
#[derive(Debug)]
struct Shown<'a> {
    problem: &'a Problem,
    source: &'a NamedSource<String>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.problem.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.problem.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.problem.span.as_ref()?;
        Some(self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.problem.span.clone()?;
        let label = LabeledSpan::new(Some(self.problem.label.clone()), span.start, span.len());
        Some(Box::new(std::iter::once(label)))
    }
}
