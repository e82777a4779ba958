//! From an assessment to a disposition and to orders: rules, budgets, safelists, break-glass accounts.
//!
//! Pure: time and budgets are parameters, and equal input gives equal rulings. [`Policy::parse`] checks everything
//! before there is an event; [`Policy::rule`] cannot fail as a whole: a rule that fails is skipped and reported.
//!
//! ```
//! use habitus_policy::Policy;
//!
//! let policy = Policy::parse(Policy::default_text()).map_err(|_| "the default policy holds")?;
//! assert_eq!(policy.mode().name(), "observe");
//! assert!(policy.warnings().is_empty() && policy.failing_tests().is_empty());
//!
//! let wrong = "[[rule]]\nname = \"a\"\nwhen = 'scor >= 60'\ndisposition = \"review\"\n";
//! let problems = Policy::parse(wrong).err().ok_or("must be refused")?;
//! assert_eq!(problems[0].message, "unknown variable `scor`");
//! assert_eq!(problems[0].position(wrong), Some((3, 9)));
//! # Ok::<(), &str>(())
//! ```

mod budgets;
mod cel;
mod decide;
mod facts;
mod file;
mod lint;
mod nearest;
mod network;
mod orders;
mod policy;
mod problem;
mod ruling;
mod specimen;
mod thresholds;
mod trial;
mod variables;

pub use budgets::{Budgets, Limits, TENANTS_MAX};
pub use cel::{Condition, limits};
pub use decide::{Decided, Wanted};
pub use facts::{EventFacts, FAMILIES, Facts, LISTS_MAX, Listed, Meaning, Signals};
pub use policy::{BreakGlass, Policy, Rule, Safe, Step, Surroundings};
pub use problem::{Problem, Severity};
pub use ruling::{Failed, Held, Hold, Ruling, Suppressed, Suppression};
pub use thresholds::Thresholds;
pub use variables::{VariableInfo, variables};
