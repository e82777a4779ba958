//! The centres of countries that the product itself knows, as a table for peers that have none.

use habitus_enrich::{Enricher, Tables};
use habitus_normalize::{FormatChoice, Normalizer, Options};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Writes `countries.csv` into a directory: country, latitude, longitude.
///
/// # Errors
/// The file cannot be written.
pub fn write(dir: &Path) -> io::Result<PathBuf> {
    let path = dir.join("countries.csv");
    fs::write(&path, csv())?;
    Ok(path)
}

/// Every code of two letters is put through the stages that replay has, so that the table is the one that replay uses.
fn csv() -> String {
    let normalizer = Normalizer::new(FormatChoice::Auto, Options::default());
    let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
    let mut events = Vec::new();
    let mut out = String::from("country,latitude,longitude\n");
    for first in 'A'..='Z' {
        for second in 'A'..='Z' {
            let code = format!("{first}{second}");
            events.clear();
            // A line that is refused leaves no event, and no centre.
            let _ = normalizer.normalize(line(&code).as_bytes(), 1, &mut events);
            let place = events.first().map(|event| enricher.context(event).place);
            if let Some(centre) = place.and_then(|place| place.coordinates) {
                // Writing to memory does not fail.
                let _ = writeln!(out, "{code},{},{}", centre.lat(), centre.lon());
            }
        }
    }
    out
}

/// A login that says its country and no address.
fn line(country: &str) -> String {
    format!(
        r#"{{"metadata":{{"uid":"{country}"}},"time":1767571200000,"type_uid":300201,"status_id":1,"user":{{"name":"a"}},"src_endpoint":{{"location":{{"country":"{country}"}}}}}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_have_centres_and_other_letters_have_none() {
        let csv = csv();
        assert!(csv.lines().count() > 200);
        let germany = csv.lines().find(|line| line.starts_with("DE,")).unwrap();
        let degrees: Vec<f64> = germany[3..]
            .split(',')
            .map(|part| part.parse().unwrap())
            .collect();
        assert!((47.0..55.0).contains(&degrees[0]) && (6.0..15.0).contains(&degrees[1]));
        assert!(!csv.contains("\nQQ,"));
    }
}
