//! The edge that people and machines talk to: HTTP API and pages.
//!
//! It knows the nouns and the traits of [`product`], which `app` implements; no stage, no log, no engine.

pub mod product;
