//! Lines in a file on this machine.

use super::Part;
use super::syslog::Format;
use crate::lines::Lines;
use crate::responder::NOTIFY_ONLY;
use crate::settings::{Tools, Wrong, keep_default, lines, rotate_bytes_default};
use crate::{Outcome, Responder};
use async_trait::async_trait;
use habitus_model::{Action, Order};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;

/// A line in a file, on stable storage before the order counts as done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name that policies use.
    pub name: String,
    /// The file; made if it is not there, readable for its owner alone.
    pub path: PathBuf,
    /// What a line holds. Absent: `ocsf`, one JSON object a line.
    #[serde(default)]
    pub format: Format,
    /// Size in bytes from which a new file is begun. Absent: 67108864 (64 MiB).
    #[serde(default = "rotate_bytes_default")]
    pub rotate_bytes: u64,
    /// How many old files stay, as `path.1` (newest) and so on. Absent: 5.
    #[serde(default = "keep_default")]
    pub keep: u32,
}

struct FileLines {
    lines: Lines,
    format: Format,
}

impl Part for Settings {
    fn name(&self) -> &str {
        &self.name
    }

    fn path(&self) -> Option<&PathBuf> {
        Some(&self.path)
    }

    fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        vec![&mut self.path]
    }

    fn build(&self, _tools: &Tools<'_>) -> Result<Arc<dyn Responder>, Wrong> {
        let lines = lines(self.path.clone(), self.rotate_bytes, self.keep)?;
        Ok(Arc::new(FileLines {
            lines,
            format: self.format,
        }))
    }
}

#[async_trait]
impl Responder for FileLines {
    fn kind(&self) -> &'static str {
        "file"
    }

    fn actions(&self) -> &'static [Action] {
        NOTIFY_ONLY
    }

    async fn carry_out(&self, order: &Order) -> Outcome {
        let mut line = self.format.line(order);
        line.push(b'\n');
        match self.lines.append(line).await {
            Ok(()) => Outcome::done("written and synced"),
            Err(error) => Outcome::retry(format!("not written: {}", error.kind())),
        }
    }
}
