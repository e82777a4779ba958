//! Where the results of a replay go.

use super::Replay;
use crate::failure::{Failure, Trouble};
use crate::findings::to_ocsf;
use crate::report::{self, Account};
use habitus_findings::View;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// The files that were asked for, open before anything is read, so that a typing error shows at once.
pub struct Outputs {
    verdicts: Option<Output>,
    findings: Option<Output>,
    html: Option<Output>,
}

type Output = BufWriter<Box<dyn Write>>;

impl Outputs {
    /// Opens them.
    ///
    /// # Errors
    /// Two results to standard output; a file that cannot be written.
    pub fn open(asked: &Replay) -> Result<Self, Failure> {
        let files = [&asked.verdicts, &asked.findings, &asked.html];
        let is_stdout = |file: &&&Option<PathBuf>| file.as_deref() == Some(Path::new("-"));
        if files.iter().filter(is_stdout).count() + usize::from(asked.json) > 1 {
            let failure = Failure::new(Trouble::Usage, "more than one result is to go to standard output");
            return Err(failure
                .help("give only one of --verdicts, --findings and --html as `-`, and --json without them"));
        }
        let open = |path: &Option<PathBuf>| path.as_deref().map(create).transpose();
        Ok(Self {
            verdicts: open(&asked.verdicts)?,
            findings: open(&asked.findings)?,
            html: open(&asked.html)?,
        })
    }

    /// Whether verdicts are wanted.
    pub fn wants_verdicts(&self) -> bool {
        self.verdicts.is_some()
    }

    /// Whether a page is wanted.
    pub fn wants_html(&self) -> bool {
        self.html.is_some()
    }

    /// Writes lines of verdicts.
    pub fn verdicts(&mut self, lines: &[u8]) -> Result<(), Failure> {
        if let Some(out) = &mut self.verdicts {
            out.write_all(lines)?;
        }
        Ok(())
    }

    /// Writes a finding.
    pub fn finding(&mut self, finding: &View) -> Result<(), Failure> {
        if let Some(out) = &mut self.findings {
            serde_json::to_writer(&mut *out, &to_ocsf(finding))?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Writes the page.
    pub fn html(&mut self, account: &Account<'_>) -> Result<(), Failure> {
        if let Some(out) = &mut self.html {
            out.write_all(report::page(account)?.as_bytes())?;
        }
        Ok(())
    }

    /// Makes sure that all is written.
    pub fn close(self) -> Result<(), Failure> {
        for mut out in [self.verdicts, self.findings, self.html].into_iter().flatten() {
            out.flush()?;
        }
        Ok(())
    }
}

fn create(path: &Path) -> Result<Output, Failure> {
    if path == Path::new("-") {
        return Ok(BufWriter::new(Box::new(std::io::stdout())));
    }
    match File::create(path) {
        Ok(file) => Ok(BufWriter::with_capacity(1 << 16, Box::new(file))),
        Err(error) => {
            let failure = Failure::new(
                Trouble::Unavailable,
                format!("cannot write `{}`: {error}", path.display()),
            );
            Err(failure.help("check that the directory exists and may be written to"))
        }
    }
}
