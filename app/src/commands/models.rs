//! `habitus models`: whose weights count at a running server, who weighs in shadow, and the way back.

mod client;
mod text;

use crate::config::load;
use crate::failure::{Failure, Outcome, Trouble};
use crate::terminal::Talk;
use clap::{Args, Subcommand};
use client::Client;
use habitus_console::product::Models as Shown;
use habitus_model::{AttackerProfile, Family};
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  habitus models --token-file admin.token                     who is champion, who challenges, how they compare
  habitus models promote 3 --token-file admin.token           make the challenger the champion
  habitus models rollback --token-file admin.token            go back to the champion before
  habitus models propose trial.toml --token-file admin.token  let other weights run in shadow";

/// What is asked.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Models {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    server: Server,
    /// Print the answer as JSON
    #[arg(long, global = true, env = "HABITUS_JSON")]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show champion, challenger, and how they compare
    List,
    /// Make the challenger the champion, unless something speaks against it
    Promote {
        /// Its number
        id: String,
    },
    /// Make the champion before this one champion again
    Rollback,
    /// Let `scoring.weights` and `scoring.priors` of a configuration file run in shadow
    Propose {
        /// The file
        file: PathBuf,
    },
}

/// The server, and what it knows us by.
#[derive(Debug, Args)]
struct Server {
    /// Address of the server
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "HABITUS_SERVER",
        default_value = "http://127.0.0.1:7171"
    )]
    server: String,
    /// File that holds an API token: scope read to look, admin to change something
    #[arg(long, global = true, value_name = "FILE", env = "HABITUS_TOKEN_FILE")]
    token_file: Option<PathBuf>,
}

/// Asks a server.
///
/// # Errors
/// A server that does not answer, or that refuses.
pub fn run(asked: &Models, talk: Talk) -> Result<Outcome, Failure> {
    let client = Client::new(&asked.server.server, asked.server.token_file.as_deref())?;
    let (answer, done) = match asked.what.as_ref().unwrap_or(&What::List) {
        What::List => (client.get("/v1/models")?, None),
        What::Promote { id } => {
            let path = format!("/v1/models/{}/promote", client::escaped(id));
            (client.post(&path, &json!({}))?, Some("promoted"))
        }
        What::Rollback => (
            client.post("/v1/models/rollback", &json!({}))?,
            Some("rolled back"),
        ),
        What::Propose { file } => {
            let body = proposal(file)?;
            (client.post("/v1/models", &body)?, Some("in shadow"))
        }
    };
    if let Some(done) = done {
        talk.line(format_args!("{done}"));
    }
    let mut out = anstream::stdout().lock();
    if asked.json {
        writeln!(out, "{answer}")?;
        return Ok(Outcome::Done);
    }
    let shown: Shown = serde_json::from_value(answer).map_err(|_| {
        Failure::new(
            Trouble::Unavailable,
            "the server answers something else than models",
        )
    })?;
    text::print(&mut out, &shown)?;
    Ok(Outcome::Done)
}

/// Weights and shares of a configuration, as the API takes them.
fn proposal(file: &std::path::Path) -> Result<Value, Failure> {
    let loaded = load(Some(file))?;
    let scoring = &loaded.config.scoring;
    let weights = Family::ALL.map(|family| (family.name(), scoring.weights.of(family)));
    let shares = loaded.config.engine(1).weights.priors;
    let priors = AttackerProfile::ALL.iter().zip(shares);
    let object = |pairs: Vec<(&str, f64)>| -> Value {
        pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    Ok(json!({
        "weights": object(weights.to_vec()),
        "priors": object(priors.map(|(profile, share)| (profile.name(), share)).collect()),
    }))
}
