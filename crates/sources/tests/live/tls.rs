use crate::support::{Started, listen};
use habitus_sources::live::{SourceKind, SourceSettings};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A certificate authority and what it signed, as PEM files in a directory.
struct Keys {
    dir: tempfile::TempDir,
}

impl Keys {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["ours", "strangers"] {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
            fs::write(dir.path().join(format!("{name}-ca.pem")), authority.pem()).unwrap();
            for (role, usage) in [
                ("server", ExtendedKeyUsagePurpose::ServerAuth),
                ("client", ExtendedKeyUsagePurpose::ClientAuth),
            ] {
                let key = KeyPair::generate().unwrap();
                let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
                params.extended_key_usages = vec![usage];
                let certificate = params.signed_by(&key, &authority).unwrap();
                fs::write(dir.path().join(format!("{name}-{role}.pem")), certificate.pem()).unwrap();
                fs::write(dir.path().join(format!("{name}-{role}.key")), key.serialize_pem()).unwrap();
            }
        }
        Self { dir }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn settings(&self) -> SourceSettings {
        let mut settings = listen(SourceSettings::new(SourceKind::SyslogTls, "wan"));
        settings.tls_cert = Some(self.path("ours-server.pem"));
        settings.tls_key = Some(self.path("ours-server.key"));
        settings
    }

    /// Connects as a sender with the certificate of that name, or with none.
    async fn connect(
        &self,
        started: &Started,
        certificate: Option<&str>,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(certificate_at(&self.path("ours-ca.pem"))).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match certificate {
            None => builder.with_no_client_auth(),
            Some(name) => {
                let chain = vec![certificate_at(&self.path(&format!("{name}.pem")))];
                let key = PrivateKeyDer::from_pem_file(self.path(&format!("{name}.key"))).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        let stream = TcpStream::connect(started.address()).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }
}

fn certificate_at(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path).unwrap()
}

#[tokio::test]
async fn messages_come_over_tls() {
    let keys = Keys::new();
    let started = Started::one(keys.settings()).await;
    let mut stream = keys.connect(&started, None).await.unwrap();
    stream.write_all(b"11 <38>a\nb\nc\nd<38>line\n").await.unwrap();
    stream.shutdown().await.unwrap();
    let lines = started.sink.wait_for(2, 5).await;
    assert_eq!(lines, ["<38>a b c d", "<38>line"]);
}

#[tokio::test]
async fn only_senders_with_a_certificate_of_ours_if_that_is_asked() {
    let keys = Keys::new();
    let mut settings = keys.settings();
    settings.tls_client_ca = Some(keys.path("ours-ca.pem"));
    let started = Started::one(settings).await;
    for wrong in [None, Some("strangers-client"), Some("ours-server")] {
        // With TLS 1.3 the client learns of the refusal with its first read.
        if let Ok(mut stream) = keys.connect(&started, wrong).await {
            let _ = stream.write_all(b"<38>forged\n").await;
            assert!(stream.read(&mut [0; 1]).await.is_err(), "{wrong:?}");
        }
    }
    let mut stream = keys.connect(&started, Some("ours-client")).await.unwrap();
    stream.write_all(b"<38>honest\n").await.unwrap();
    assert_eq!(started.sink.wait_for(1, 5).await, ["<38>honest"]);
    let health = started.health();
    assert_eq!(health.faults, 3);
    assert!(health.last_fault.unwrap().text.contains("TLS handshake failed"));
}

#[tokio::test]
async fn plain_text_on_a_tls_port_is_refused() {
    let keys = Keys::new();
    let started = Started::one(keys.settings()).await;
    let mut stream = TcpStream::connect(started.address()).await.unwrap();
    stream.write_all(b"<38>in the clear\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    started.wait_health("closed", |health| health.open == 0).await;
    assert_eq!(started.sink.lines(), [] as [&str; 0]);
}

#[tokio::test]
async fn wrong_files_are_errors_that_name_the_file() {
    let keys = Keys::new();
    let start = async |settings: SourceSettings| {
        let sink = Arc::new(crate::support::Collector::default());
        let started = Started::with(&[settings], sink, "/nonexistent".as_ref()).await;
        started.err().unwrap().to_string()
    };
    let mut settings = keys.settings();
    settings.tls_cert = Some(keys.path("none.pem"));
    assert!(start(settings).await.contains("none.pem"));
    let mut settings = keys.settings();
    settings.tls_key = Some(keys.path("strangers-server.key"));
    assert!(start(settings).await.contains("ours-server.pem"));
    let mut settings = keys.settings();
    settings.tls_client_ca = Some(keys.path("ours-server.key"));
    assert!(start(settings).await.contains("ours-server.key"));
}
