//! Messages of a network gathered as lines.

use super::contract::{Label, LiveBatch};
use bytes::BytesMut;
use memchr::memchr3_iter;
use std::net::IpAddr;
use std::sync::Arc;

/// Messages on their way into a batch.
#[derive(Debug, Default)]
pub(super) struct Lines {
    bytes: BytesMut,
    count: u32,
    origin: Origin,
}

/// Who sent what is gathered.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Origin {
    #[default]
    Nobody,
    One(IpAddr),
    Several,
}

impl Lines {
    /// Adds a message as a line; a blank one is left out. Gives the bytes it takes.
    ///
    /// Line feeds, carriage returns and NUL within it become spaces: a sender must not be able to forge a second record
    /// by what it puts into a message, and JSON reads the same.
    pub(super) fn push(&mut self, message: &[u8], from: Option<IpAddr>) -> usize {
        let message = trim(message);
        if message.is_empty() {
            return 0;
        }
        let mut copied = 0;
        for at in memchr3_iter(b'\n', b'\r', 0, message) {
            self.bytes
                .extend_from_slice(message.get(copied..at).unwrap_or_default());
            self.bytes.extend_from_slice(b" ");
            copied = at + 1;
        }
        self.bytes
            .extend_from_slice(message.get(copied..).unwrap_or_default());
        self.bytes.extend_from_slice(b"\n");
        self.count = self.count.saturating_add(1);
        self.origin = match (self.origin, from) {
            (Origin::Nobody, Some(address)) => Origin::One(address),
            (Origin::One(one), Some(address)) if one != address => Origin::Several,
            (origin, _) => origin,
        };
        message.len() + 1
    }

    /// Bytes gathered.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Messages gathered.
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// Whether nothing is gathered.
    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// What is gathered, as a batch; nothing stays, no memory either.
    pub(super) fn take(&mut self, source: &Arc<Label>) -> LiveBatch {
        let Self { bytes, count, origin } = std::mem::take(self);
        let origin = match origin {
            Origin::One(address) => Some(address),
            Origin::Nobody | Origin::Several => None,
        };
        LiveBatch {
            source: Arc::clone(source),
            records: bytes.freeze(),
            count,
            origin,
            checkpoint: None,
        }
    }
}

/// Without white space and NUL around it.
fn trim(message: &[u8]) -> &[u8] {
    let is_filler = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
    let Some(start) = message.iter().position(|byte| !is_filler(byte)) else {
        return &[];
    };
    let end = message
        .iter()
        .rposition(|byte| !is_filler(byte))
        .map_or(0, |at| at + 1);
    message.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(messages: &[&[u8]]) -> String {
        let mut lines = Lines::default();
        for message in messages {
            lines.push(message, None);
        }
        let label = Label {
            name: "a".into(),
            tenant: "t".into(),
            format: "auto".into(),
        };
        String::from_utf8(lines.take(&Arc::new(label)).records.to_vec()).unwrap()
    }

    #[test]
    fn a_message_is_one_line_whatever_it_holds() {
        assert_eq!(gathered(&[b"<34>a\r\n", b"\0 b\0", b" \n", b""]), "<34>a\nb\n");
        assert_eq!(
            gathered(&[b"<34>a\nJan  5 10:00:00 h sshd[1]: Accepted password for root"]),
            "<34>a Jan  5 10:00:00 h sshd[1]: Accepted password for root\n"
        );
        assert_eq!(gathered(&[b"{\n\"a\":\r\n1}\n"]), "{ \"a\":  1}\n");
    }

    #[test]
    fn the_origin_is_known_if_there_is_one() {
        let label = Arc::new(Label {
            name: "a".into(),
            tenant: "t".into(),
            format: "auto".into(),
        });
        let (one, two) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let mut lines = Lines::default();
        lines.push(b"a", Some(one));
        lines.push(b"b", Some(one));
        assert_eq!(lines.take(&label).origin, Some(one));
        lines.push(b"a", Some(one));
        lines.push(b"b", Some(two));
        lines.push(b"c", Some(one));
        let batch = lines.take(&label);
        assert_eq!((batch.origin, batch.count), (None, 3));
        assert!(lines.is_empty());
    }
}
