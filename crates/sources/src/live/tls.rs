//! TLS for listeners, from PEM files.

use super::LiveError;
use super::settings::SourceSettings;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::Arc;

/// What a `syslog_tls` source shows and asks for, from its `tls_*` keys. TLS 1.2 and 1.3 with the ring provider; a
/// sender needs a certificate if `tls_client_ca` is given.
///
/// # Errors
/// A file that cannot be read or holds something else; a key that is not the certificate's.
pub fn server_config(settings: &SourceSettings) -> Result<Arc<ServerConfig>, LiveError> {
    let (Some(cert), Some(key)) = (&settings.tls_cert, &settings.tls_key) else {
        return Err(LiveError::Setting {
            name: settings.name.clone(),
            problem: "`tls_cert` and `tls_key` are needed".to_owned(),
        });
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(cert, &error))?;
    let builder = match &settings.tls_client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let roots = Arc::new(roots(path)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider)
                .build()
                .map_err(|error| wrong(path, &error))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, &error))?;
    let config = builder
        .with_single_cert(certificates(cert)?, private)
        .map_err(|error| wrong(cert, &error))?;
    Ok(Arc::new(config))
}

fn roots(path: &Path) -> Result<RootCertStore, LiveError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(path)? {
        store.add(certificate).map_err(|error| wrong(path, &error))?;
    }
    Ok(store)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, LiveError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
        .map_err(|error| wrong(path, &error))?
        .collect();
    match all {
        Ok(all) if all.is_empty() => Err(wrong(path, &"holds no certificate")),
        Ok(all) => Ok(all),
        Err(error) => Err(wrong(path, &error)),
    }
}

fn wrong(path: &Path, error: &dyn std::fmt::Display) -> LiveError {
    LiveError::Tls {
        path: path.to_owned(),
        problem: format!("cannot be used: {error}"),
    }
}
