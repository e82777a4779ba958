//! Live sources on real sockets, real files and with real senders.

mod crash;
mod senders;
mod support;
mod tail;
mod tcp;
mod tls;
mod udp;
