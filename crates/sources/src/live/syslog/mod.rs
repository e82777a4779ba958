//! Syslog listeners: TCP, TLS and UDP.
//!
//! Messages are passed on as lines, headers included: what a header means is known downstream. Whether a message of a
//! stream is counted or ended by a line feed is seen message by message ([`frame`]).

mod connection;
mod frame;
mod kernel;
mod listener;
mod udp;

pub(super) use listener::{Listener, run};
pub(super) use udp::{Socket, run as run_udp};

/// Longest message in bytes; longer ones are passed over and counted. RFC 5424 6.1 asks for at least 2,048 and
/// recommends 8,192; UDP cannot carry more than 65,507.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// A connection hands its messages over once they hold this many bytes; so it keeps at most this and one message.
pub const CONNECTION_BATCH_BYTES: usize = 64 * 1024;

/// UDP batches that wait for the sink; beyond, datagrams are dropped and counted. With batches of at most 128 KiB this
/// is 16 MiB: ten seconds of 5,000 messages of 300 bytes.
pub const UDP_QUEUE_BATCHES_MAX: usize = 128;
