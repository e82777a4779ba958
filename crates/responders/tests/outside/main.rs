//! Responders and exporters against real servers on loopback: what they send, what they make of every fault, what they
//! refuse to reach, and that no text from a log leaves its place.

mod contract;
mod docs;
mod export;
mod faults;
mod injection;
mod mail;
mod reach;
mod settings;
mod syslog;
mod world;
