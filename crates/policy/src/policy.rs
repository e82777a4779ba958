//! A policy that holds: what a file says, checked.

use crate::budgets::Limits;
use crate::cel::Condition;
use crate::file;
use crate::problem::{Problem, Severity};
use crate::trial::{self, Trial};
use habitus_model::{AccountId, Action, Disposition, EventTime, Millis, Mode, Text};
use ipnet::IpNet;

/// A checked policy. Immutable: to change it, parse another and put it in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    pub(crate) mode: Mode,
    pub(crate) rules: Vec<Rule>,
    pub(crate) safelist: Vec<Safe>,
    pub(crate) break_glass: Vec<BreakGlass>,
    pub(crate) limits: Limits,
    pub(crate) tests: Vec<Trial>,
    pub(crate) version: Text,
    pub(crate) floor: f64,
    pub(crate) warnings: Vec<Problem>,
}

/// What a policy is checked against beyond its own text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings<'a> {
    /// Names of the configured responders. Absent: not known, so not checked.
    pub responders: Option<&'a [&'a str]>,
    /// Names of the configured exporters, which carry out no orders: to tell a mix-up from a slip of the pen.
    pub exporters: &'a [&'a str],
    /// The present. Absent: expired entries are not looked for.
    pub now: Option<EventTime>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Name, unique in the file.
    pub name: Text,
    /// When it matches.
    pub when: Condition,
    /// What it decides; absent if it only acts.
    pub disposition: Option<Disposition>,
    /// What it orders.
    pub actions: Vec<Step>,
    /// Containment waits for a person in every mode.
    pub require_approval: bool,
}

/// One action of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What to do.
    pub action: Action,
    /// By whom.
    pub responder: Text,
    /// For how long the order may still be carried out.
    pub expires_after: Millis,
}

/// Events that are known and wanted: nothing is done about them.
#[derive(Debug, Clone, PartialEq)]
pub struct Safe {
    /// Name, unique in the file.
    pub name: Text,
    /// Who answers for it.
    pub owner: Text,
    /// Why it is there.
    pub reason: Text,
    /// First instant at which it no longer holds.
    pub expires: EventTime,
    /// Accounts, any of which, in order; empty: of any account.
    pub accounts: Vec<AccountId>,
    /// Networks, any of which; empty: from anywhere.
    pub networks: Vec<IpNet>,
    /// A further condition.
    pub when: Option<Condition>,
}

/// An account that nothing ever blocks, challenges or revokes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakGlass {
    /// The account.
    pub account: AccountId,
    /// Who answers for it.
    pub owner: Text,
    /// Why it is there.
    pub reason: Text,
}

/// What `serve` writes where there is no policy yet.
const DEFAULT: &str = include_str!("default.toml");

impl Policy {
    /// Reads a policy file. What is merely doubtful is in [`Policy::warnings`]; its tests are run by
    /// [`Policy::failing_tests`]. O(bytes + rules²).
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the file.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        Self::parse_in(text, &Surroundings::default())
    }

    /// The same, checked against the responders there are and the present day.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the file.
    pub fn parse_in(text: &str, surroundings: &Surroundings<'_>) -> Result<Self, Vec<Problem>> {
        file::read(text, surroundings)
    }

    /// The policy that `serve` writes on its first start: observe, tell of what should be reviewed, decide nothing.
    #[must_use]
    pub const fn default_text() -> &'static str {
        DEFAULT
    }

    /// What is doubtful, in the order of the file.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Runs the tests of the file; gives an error for each that fails. O(tests × rules).
    #[must_use]
    pub fn failing_tests(&self) -> Vec<Problem> {
        self.tests
            .iter()
            .flat_map(|test| trial::run(self, test))
            .collect()
    }

    /// How many tests the file has.
    #[must_use]
    pub fn tests(&self) -> usize {
        self.tests.len()
    }

    /// How far decisions reach.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// The rules, in the order of the file.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The safelist, in the order of the file.
    #[must_use]
    pub fn safelist(&self) -> &[Safe] {
        &self.safelist
    }

    /// The break-glass accounts, in the order of the file.
    #[must_use]
    pub fn break_glass(&self) -> &[BreakGlass] {
        &self.break_glass
    }

    /// What may be done at most.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// Digest of the file's text: what decisions are recorded with.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Lowest score at which any rule may match: below, no condition is evaluated.
    #[must_use]
    pub const fn floor(&self) -> f64 {
        self.floor
    }

    /// Responders that rules name, each once, in the order of the alphabet.
    #[must_use]
    pub fn responders(&self) -> Vec<&str> {
        let steps = self.rules.iter().flat_map(|rule| &rule.actions);
        let mut names: Vec<&str> = steps.map(|step| step.responder.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl Default for Policy {
    /// [`Policy::default_text`], parsed.
    fn default() -> Self {
        // INVARIANT: a test holds that the default text parses; without rules the thresholds decide alone.
        Self::parse(DEFAULT).unwrap_or_else(|_| Self::empty())
    }
}

impl Policy {
    /// A policy without rules: the thresholds decide alone, nothing is ordered.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            mode: Mode::Observe,
            rules: Vec::new(),
            safelist: Vec::new(),
            break_glass: Vec::new(),
            limits: Limits::default(),
            tests: Vec::new(),
            version: Text::const_new("none"),
            floor: f64::INFINITY,
            warnings: Vec::new(),
        }
    }
}

/// Errors first among equals of one place; otherwise the order of the file.
pub(crate) fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|a, b| {
        let key = |problem: &Problem| {
            problem
                .span
                .as_ref()
                .map_or((0, 0), |span| (span.start, span.end))
        };
        key(a).cmp(&key(b)).then(a.severity.cmp(&b.severity))
    });
    problems
}

/// Parts the problems into what refuses the policy and what does not.
pub(crate) fn parted(problems: Vec<Problem>) -> (Vec<Problem>, Vec<Problem>) {
    sorted(problems)
        .into_iter()
        .partition(|problem| problem.severity == Severity::Error)
}
