//! `habitus serve`: the server.

use crate::config::{Loaded, Problems, load};
use crate::failure::{Failure, Outcome, Trouble};
use crate::serve::{Layout, Running};
use crate::telemetry;
use crate::terminal::{BOLD, RESET, Talk};
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  habitus serve                              on 127.0.0.1:7171, data in ./habitus-data
  habitus serve --config /etc/habitus.toml   as configured
  habitus serve --listen 127.0.0.1:0         on a free port, which is printed";

/// What is asked.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Serve {
    #[command(flatten)]
    place: Place,
    /// Address of the API and the console
    #[arg(long, value_name = "ADDRESS", env = "HABITUS_LISTEN")]
    listen: Option<SocketAddr>,
}

/// Where a server's configuration and data are: shared by the commands that look after them.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Configuration file (TOML); see `habitus check config`
    #[arg(long, short = 'c', value_name = "FILE", env = "HABITUS_CONFIG")]
    pub config: Option<PathBuf>,
    /// Directory of everything that is kept; ./habitus-data if neither this nor the configuration names one
    #[arg(long, value_name = "DIR", env = "HABITUS_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
}

impl Place {
    /// The configuration, flags over file. Relative directories of the file start at the file, those of flags here.
    ///
    /// # Errors
    /// Everything that is wrong with the configuration.
    pub fn load(&self) -> Result<Loaded, Problems> {
        let mut loaded = load(self.config.as_deref())?;
        let base = loaded.base().to_owned();
        let serve = &mut loaded.config.serve;
        serve.data_dir = match &self.data_dir {
            Some(dir) => dir.clone(),
            None => base.join(&serve.data_dir),
        };
        Ok(loaded)
    }

    /// The data directory.
    #[must_use]
    pub fn layout(&self, loaded: &Loaded) -> Layout {
        Layout(loaded.config.serve.data_dir.clone())
    }
}

/// Serves until it is told to stop.
///
/// # Errors
/// Whatever keeps it from serving.
pub fn run(serve: &Serve, talk: Talk) -> Result<Outcome, Failure> {
    let loaded = serve.load()?;
    let _telemetry = telemetry::start(&loaded)?;
    let runtime = runtime(&loaded)?;
    runtime.block_on(async {
        let running = Running::start(&loaded).await?;
        greet(&running, talk);
        running.serve(|| serve.load().map_err(Failure::from)).await
    })?;
    Ok(Outcome::Done)
}

impl Serve {
    fn load(&self) -> Result<Loaded, Problems> {
        let mut loaded = self.place.load()?;
        if let Some(listen) = self.listen {
            loaded.config.serve.listen = listen;
        }
        Ok(loaded)
    }
}

/// A runtime with as many threads as configured.
pub fn runtime(loaded: &Loaded) -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = loaded.config.serve.threads {
        builder.worker_threads(usize::from(threads.max(1)));
    }
    builder
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Trouble::Unavailable, format!("no threads to serve with: {error}")))
}

fn greet(running: &Running, talk: Talk) {
    talk.line(format_args!("{}", running.recovery()));
    talk.line(format_args!("listening on {BOLD}{}{RESET}", running.url()));
    if let Some(link) = running.link() {
        talk.line(format_args!(
            "nobody can sign in yet: open this link within 15 minutes, it works once\n  {BOLD}{}{link}{RESET}",
            running.url()
        ));
    }
}
