//! The edge that people and machines talk to: HTTP API and pages.
//!
//! It knows the nouns and the traits of [`product`], which `app` implements; no stage, no log, no engine. [`access`] says
//! who may do what, and one table says what each route asks for. Start with [`Console`].

pub mod access;
mod address;
mod body;
mod budget;
mod cookie;
mod core;
mod counters;
mod edge;
mod ext_authz;
mod extract;
mod guard;
mod handlers;
mod openapi;
mod pages;
mod problem;
pub mod product;
mod serve;
pub mod settings;
mod table;
#[cfg(test)]
mod tests;
mod visit;

use crate::access::Access;
use crate::core::{App, Core};
use crate::product::Product;
use crate::settings::{Clock, Settings};
use axum::Router;
use axum::middleware::from_fn_with_state;
use bytes::Bytes;
use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_rustls::rustls::ServerConfig;

/// The console, ready to serve.
pub struct Console {
    app: App,
    router: Router,
}

impl Console {
    /// Builds the router from the table of routes.
    #[must_use]
    pub fn new(product: Product, access: Arc<Access>, settings: Settings, clock: Clock) -> Self {
        let rows = table::rows();
        let names = rows
            .iter()
            .map(|row| (row.method.to_string(), row.path.clone()))
            .collect();
        let document = openapi::document(&rows, &settings.formats);
        let app = Arc::new(Core::new((product, access), settings, clock, (document, names)));
        let router = table::router(rows, &app).layer(from_fn_with_state(app.clone(), edge::edge));
        Self { app, router }
    }

    /// `openapi.json`.
    #[must_use]
    pub fn openapi(&self) -> Bytes {
        self.app.openapi.clone()
    }

    /// Serves HTTP/1.1 and HTTP/2 on all listeners, with TLS if a configuration is given, until `shutdown` completes. Then
    /// nothing new is accepted, streams end, and what is under way gets the drain time to finish.
    ///
    /// # Errors
    /// None at present; a listener that fails is tried again.
    pub async fn serve(
        self,
        listeners: Vec<TcpListener>,
        tls: Option<Arc<ServerConfig>>,
        shutdown: impl Future<Output = ()> + Send,
    ) -> io::Result<()> {
        serve::serve((self.app, self.router), listeners, tls, shutdown).await
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").finish_non_exhaustive()
    }
}
