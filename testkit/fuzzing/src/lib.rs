//! Fuzz bodies: what is done with hostile bytes, and what must hold whatever they are.
//!
//! Plain functions, so that they run in three ways: over the fixtures and seeded mutations of them in the tests of this
//! crate (on a stable compiler, in CI), in the targets of `fuzz/` under libFuzzer, and over one file that failed.
//! A body returns, or it panics: a panic is a bug in what it calls.

mod bodies;
pub mod mutate;

use habitus_normalize::formats;

/// Something that takes hostile bytes.
#[derive(Clone, Copy)]
pub struct Body {
    /// The name of the libFuzzer target and of the corpus.
    pub name: &'static str,
    run: fn(&str, &[u8]),
}

/// Bodies that are not log formats, in alphabetical order.
const OTHERS: &[Body] = &[
    Body {
        name: "auto",
        run: |_, bytes| bodies::normalize::auto(bytes),
    },
    Body {
        name: "decompress",
        run: |_, bytes| bodies::sources::decompress(bytes),
    },
    Body {
        name: "framing",
        run: |_, bytes| bodies::sources::framing(bytes),
    },
    Body {
        name: "ip_list",
        run: |_, bytes| bodies::enrich::ip_list(bytes),
    },
    Body {
        name: "mmdb",
        run: |_, bytes| bodies::enrich::mmdb(bytes),
    },
    Body {
        name: "user_agent",
        run: |_, bytes| bodies::enrich::user_agent(bytes),
    },
];

/// Every body: one per log format, by the format's name, and the others.
#[must_use]
pub fn all() -> Vec<Body> {
    let of_formats = formats::ALL.iter().map(|format| Body {
        name: format.name(),
        run: bodies::normalize::format,
    });
    of_formats.chain(OTHERS.iter().copied()).collect()
}

impl Body {
    /// Does with the bytes what the product does.
    ///
    /// # Panics
    /// When something that must hold does not.
    pub fn run(&self, bytes: &[u8]) {
        (self.run)(self.name, bytes);
    }
}

/// Runs the body of the name.
///
/// # Panics
/// When there is no such body, or when something that must hold does not.
pub fn run(name: &str, bytes: &[u8]) {
    let body = all().into_iter().find(|body| body.name == name);
    assert!(body.is_some(), "no fuzz body `{name}`");
    if let Some(body) = body {
        body.run(bytes);
    }
}
